//! Thread pools of a requested size, and the flag and counter through which a run hears its caller.

use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
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

/// The pool of `threads` threads (all that are available if `None`); made once, then kept.
pub fn pool(threads: Option<usize>) -> Result<Arc<rayon::ThreadPool>> {
    static POOLS: OnceLock<Mutex<HashMap<usize, Arc<rayon::ThreadPool>>>> = OnceLock::new();
    let threads = threads.unwrap_or_else(available_threads);
    if threads == 0 || threads > 4096 {
        return Err(Error::value(format!("threads must be between 1 and 4096, found {threads}")));
    }
    let mut pools = POOLS.get_or_init(Mutex::default).lock().expect("no thread panics while it holds this lock");
    if let Some(pool) = pools.get(&threads) {
        return Ok(pool.clone());
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("bestiary-{i}"))
        .build()
        .map_err(|error| Error::value(format!("cannot start {threads} threads: {error}")))?;
    let pool = Arc::new(pool);
    pools.insert(threads, pool.clone());
    Ok(pool)
}
