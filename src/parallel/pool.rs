//! Thread pools of a requested size, and the flag and counter through which a run hears its caller.

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// What a long run shares with whoever started it.
#[derive(Debug, Default)]
pub struct Monitor {
    stop: AtomicBool,
    done: AtomicU64,
    listener: Option<Listener>,
}

/// Asks now and then, from within the run, whether to stop.
#[derive(Debug)]
struct Listener {
    ask: fn() -> bool,
    every: Duration,
    last: Mutex<Instant>,
}

impl Monitor {
    /// A monitor that calls `ask` at most once in `every`, on the thread of the run.
    pub fn listening(ask: fn() -> bool, every: Duration) -> Self {
        let listener = Listener { ask, every, last: Mutex::new(Instant::now()) };
        Self { listener: Some(listener), ..Self::default() }
    }

    /// Ask the run to stop.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// [`Error::Interrupted`] once a stop has been requested.
    pub fn check(&self) -> Result<()> {
        if let Some(Listener { ask, every, last }) = &self.listener {
            let mut last = last.lock().expect("no thread panics while it holds this lock");
            if last.elapsed() >= *every {
                *last = Instant::now();
                if ask() {
                    self.request_stop();
                }
            }
        }
        if self.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Count finished units of work.
    pub fn advance(&self, units: u64) {
        self.done.fetch_add(units, Ordering::Relaxed);
    }

    /// Units of work finished so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

/// Threads this machine offers.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A pool of threads to work on: the one that all who ask for no number share, or one that is nobody else's until it is
/// dropped, and is then kept for whoever asks next.
#[derive(Debug)]
pub enum Lease {
    /// Of all threads.
    Shared(&'static rayon::ThreadPool),
    /// There until it is dropped.
    Own(Option<rayon::ThreadPool>),
}

/// The pool of all threads, and those of a number of threads that nobody uses.
static SHARED: OnceLock<rayon::ThreadPool> = OnceLock::new();
static IDLE: Mutex<BTreeMap<usize, Vec<rayon::ThreadPool>>> = Mutex::new(BTreeMap::new());

impl Deref for Lease {
    type Target = rayon::ThreadPool;

    fn deref(&self) -> &rayon::ThreadPool {
        match self {
            Lease::Shared(pool) => pool,
            Lease::Own(pool) => pool.as_ref().expect("it is there until it is dropped"),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Lease::Own(own) = self
            && let (Some(pool), Ok(mut idle)) = (own.take(), IDLE.lock())
        {
            idle.entry(pool.current_num_threads()).or_default().push(pool);
        }
    }
}

/// A pool of `threads` threads. Calls side by side that ask for a number have pools of their own, so that one thread each is as
/// many threads as calls; those that do not (`None`) share all that are available.
pub fn pool(threads: Option<usize>) -> Result<Lease> {
    let Some(threads) = threads else {
        // Of two that are made at once, one is kept.
        let pool = match SHARED.get() {
            Some(pool) => pool,
            None => {
                let made = start(available_threads())?;
                SHARED.get_or_init(|| made)
            }
        };
        return Ok(Lease::Shared(pool));
    };
    if threads == 0 || threads > 4096 {
        return Err(Error::value(format!("threads must be between 1 and 4096, found {threads}")));
    }
    let kept = IDLE.lock().expect("no thread panics while it holds this lock").get_mut(&threads).and_then(Vec::pop);
    Ok(Lease::Own(Some(kept.map_or_else(|| start(threads), Ok)?)))
}

fn start(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("bestiary-{i}"))
        .build()
        .map_err(|error| Error::value(format!("cannot start {threads} threads: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    /// Each of the two waits within its pool for the other: in one pool of one thread they would wait for ever.
    #[test]
    fn calls_side_by_side_do_not_queue() {
        let meet = Barrier::new(2);
        let call = || pool(Some(1)).expect("one thread can be had").install(|| meet.wait());
        std::thread::scope(|scope| [(); 2].map(|()| scope.spawn(call)).map(|call| call.join().unwrap()));
    }

    #[test]
    fn who_asks_for_no_number_shares_one() {
        let (a, b) = (pool(None).unwrap(), pool(None).unwrap());
        assert!(std::ptr::eq(&raw const *a, &raw const *b));
    }

    #[test]
    fn a_pool_that_was_dropped_is_used_again() {
        let number = || IDLE.lock().unwrap().get(&3).map_or(0, Vec::len);
        drop(pool(Some(3)).unwrap());
        assert_eq!(number(), 1);
        let taken = pool(Some(3)).unwrap();
        assert_eq!(number(), 0);
        drop((taken, pool(Some(3)).unwrap()));
        assert_eq!(number(), 2);
    }
}
