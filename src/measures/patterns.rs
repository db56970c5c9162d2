//! Patterns in series: orders of consecutive values, and the number of words that have not been seen before.

use crate::error::{Error, Result};

/// How often each order of `order` values `delay` apart occurs, by stretches of time, (blocks, order!). Equal values are
/// taken to rise (Bandt & Pompe 2002, Phys. Rev. Lett. 88, 174102).
///
/// # Errors
/// If the order is not between 2 and 10.
pub fn orders(series: &[f64], order: usize, delay: usize, blocks: usize) -> Result<Vec<u64>> {
    if !(2..=10).contains(&order) {
        return Err(Error::value(format!("order must be between 2 and 10, not {order}")));
    }
    let kinds: usize = (1..=order).product();
    let n = series.len().saturating_sub((order - 1) * delay);
    let mut counts = vec![0; blocks * kinds];
    for i in 0..n {
        // The number of a permutation by how many later values are smaller than each.
        let mut number = 0;
        for a in 0..order {
            let value = series[i + a * delay];
            let smaller = (a + 1..order).filter(|b| series[i + b * delay] < value).count();
            number = number * (order - a) + smaller;
        }
        counts[i * blocks / n * kinds + number] += 1;
    }
    Ok(counts)
}

/// The number of words in the exhaustive history of a sequence (Lempel & Ziv 1976, IEEE Trans. Inf. Theory 22, 75-81): each
/// word is the shortest that does not occur earlier, where an earlier occurrence may run into the word.
///
/// By a suffix automaton of the whole sequence, in time proportional to its length.
pub fn words(symbols: &[u32], alphabet: usize) -> usize {
    const NONE: u32 = u32::MAX;
    let mut next: Vec<u32> = vec![NONE; alphabet];
    // Suffix link, length of the longest string, and where its first occurrence ends.
    let mut states: Vec<(u32, usize, usize)> = vec![(NONE, 0, 0)];
    let mut last = 0u32;
    for (i, &symbol) in symbols.iter().enumerate() {
        let symbol = symbol as usize;
        let current = states.len() as u32;
        states.push((0, i + 1, i));
        next.extend(std::iter::repeat_n(NONE, alphabet));
        let mut p = last;
        while p != NONE && next[p as usize * alphabet + symbol] == NONE {
            next[p as usize * alphabet + symbol] = current;
            p = states[p as usize].0;
        }
        if p != NONE {
            let q = next[p as usize * alphabet + symbol];
            if states[q as usize].1 == states[p as usize].1 + 1 {
                states[current as usize].0 = q;
            } else {
                let copy = states.len() as u32;
                states.push((states[q as usize].0, states[p as usize].1 + 1, states[q as usize].2));
                next.extend_from_within(q as usize * alphabet..(q as usize + 1) * alphabet);
                while p != NONE && next[p as usize * alphabet + symbol] == q {
                    next[p as usize * alphabet + symbol] = copy;
                    p = states[p as usize].0;
                }
                states[q as usize].0 = copy;
                states[current as usize].0 = copy;
            }
        }
        last = current;
    }
    let (mut count, mut i) = (0, 0);
    while i < symbols.len() {
        let mut state = 0usize;
        let mut end = i;
        while end < symbols.len() {
            // Always found, since the word itself occurs; earlier, if the first occurrence ends before.
            state = next[state * alphabet + symbols[end] as usize] as usize;
            if states[state].2 >= end {
                break;
            }
            end += 1;
        }
        count += 1;
        i = end + 1;
    }
    count
}
