//! A seeded mutation fuzzer for the language: the parser never panics, never hangs, and what it understands survives
//! printing.
//!
//! `cargo run --release --manifest-path fuzz/Cargo.toml -- [seconds] [seed]`, 60 seconds and seed 0 by default. An input
//! that breaks a promise is written to `fuzz/crashes/` and the exit code is 1. It measures no coverage; the seeds in
//! `fuzz/corpus/parse/` contain every construct, and mutations splice them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use bestiary::expr::{latex_statement, parse_document, parse_expression, print_document, print_expression};

/// Printing adds spaces, so only texts up to this length are sure to print within the limit on a statement.
const LONGEST: usize = 20_000;
/// Far above the milliseconds a text of that length takes.
const SLOW: Duration = Duration::from_secs(1);
/// The parser must fit the stack of an ordinary thread.
const STACK: usize = 2 << 20;

/// Pieces that mutations insert besides those of the corpus.
#[rustfmt::skip]
const PIECES: [&str; 40] = [
    "(", ")", "[", "]", "+", "-", "*", "/", "^", "**", "=", "==", "<", ">=", "'", ",", "..", ";", "\n", "#", " ", "^1/",
    "where(", "sum(i, ", "minimum(j = 1..N, ", "(t - ", "next(", "noise(", " and ", " or ", "not ", "1e999", "1e-5", ".5",
    "x[i-1]", "σ", "−", "\u{feff}", "\r", "\0",
];

fn main() -> ExitCode {
    let numbers: Option<Vec<u64>> = env::args().skip(1).map(|argument| argument.parse().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() <= 2) else {
        eprintln!("usage: parse [seconds] [seed], whole numbers");
        return ExitCode::from(2);
    };
    let duration = Duration::from_secs(numbers.first().copied().unwrap_or(60));
    let seed = numbers.get(1).copied().unwrap_or(0);
    let fuzzer = move || fuzz(duration, seed);
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(fuzzer).expect("a thread");
    thread.join().unwrap_or(ExitCode::FAILURE)
}

fn fuzz(duration: Duration, seed: u64) -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = match read_corpus(&folder.join("corpus/parse")) {
        Ok(corpus) if !corpus.is_empty() => corpus,
        Ok(_) => return complain("the corpus is empty"),
        Err(error) => return complain(&format!("cannot read the corpus: {error}")),
    };
    let in_flight = folder.join("crashes/in-flight.txt");
    if let Err(error) = fs::create_dir_all(folder.join("crashes")) {
        return complain(&format!("cannot make fuzz/crashes: {error}"));
    }
    for (path, seed_text) in &corpus {
        if let Err(fault) = check(seed_text) {
            return complain(&format!("{}: {fault}", path.display()));
        }
    }
    let mut random = Random(seed);
    let (start, mut texts, mut understood) = (Instant::now(), 0_u64, 0_u64);
    while start.elapsed() < duration {
        let bytes = mutate(&corpus, &mut random);
        // A stack overflow cannot be caught: deep texts are on disk before they are tried.
        let is_deep = bytes.iter().filter(|byte| b"([^-".contains(byte)).count() > 150;
        if is_deep && let Err(error) = fs::write(&in_flight, &bytes) {
            return complain(&format!("cannot write {}: {error}", in_flight.display()));
        }
        match check(&bytes) {
            Ok(parsed) => understood += u64::from(parsed),
            Err(fault) => {
                let path = folder.join(format!("crashes/seed-{seed}-text-{texts}.txt"));
                let kept = fs::write(&path, &bytes);
                return complain(&format!("{fault}\nthe text is in {} ({kept:?})", path.display()));
            }
        }
        texts += 1;
    }
    // Absent when no text was deep.
    let _ = fs::remove_file(&in_flight);
    println!("{texts} texts, {understood} of them understood, in {:.0} s, seed {seed}", start.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}

fn complain(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

/// The seeds in the order of their names, so that a run can be repeated.
fn read_corpus(folder: &Path) -> std::io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    paths.into_iter().map(|path| Ok((path.clone(), fs::read(path)?))).collect()
}

/// Whether the text was understood; the broken promise if there is one.
fn check(bytes: &[u8]) -> Result<bool, String> {
    let text = String::from_utf8_lossy(bytes);
    let start = Instant::now();
    let outcome =
        catch_unwind(AssertUnwindSafe(|| promises(&text))).map_err(|_| "the parser panicked".to_owned())??;
    if start.elapsed() > SLOW {
        return Err(format!("took {:?}", start.elapsed()));
    }
    Ok(outcome)
}

fn promises(text: &str) -> Result<bool, String> {
    if let Ok(expression) = parse_expression(text) {
        let printed = print_expression(&expression);
        match parse_expression(&printed) {
            Ok(again) if again == expression => {}
            Ok(_) => return Err(format!("another expression after printing: {printed}")),
            Err(error) => return Err(format!("the printed expression is refused: {printed}\n{error}")),
        }
    }
    let Ok(statements) = parse_document(text) else { return Ok(false) };
    let printed = print_document(&statements);
    match parse_document(&printed) {
        Ok(again) if again == statements && print_document(&again) == printed => {}
        Ok(_) => return Err(format!("another document after printing:\n{printed}")),
        Err(error) => return Err(format!("the printed document is refused:\n{printed}\n{error}")),
    }
    for statement in &statements {
        let _ = latex_statement(statement);
    }
    Ok(true)
}

/// A seed after one to six random edits.
fn mutate(corpus: &[(PathBuf, Vec<u8>)], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].1.clone();
    for _ in 0..=random.below(6) {
        let place = random.below(bytes.len() + 1);
        let end = (place + random.below(12)).min(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(place),
            1 => drop(bytes.drain(place..end)),
            2 if place < bytes.len() => bytes[place] = random.below(256) as u8,
            3 => drop(bytes.splice(place..place, bytes[place..end].repeat(1 + random.below(250)))),
            4 => {
                let other = &corpus[random.below(corpus.len())].1;
                let from = random.below(other.len() + 1);
                let to = (from + random.below(40)).min(other.len());
                drop(bytes.splice(place..end, other[from..to].iter().copied()));
            }
            _ => drop(bytes.splice(place..place, PIECES[random.below(PIECES.len())].bytes())),
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

/// SplitMix64 (Steele, Lea & Flood 2014, OOPSLA).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; the bias of the remainder does not matter here.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
