//! Long calls: the interpreter is free, Ctrl-C is heard, progress is reported.

use crate::error::Result;
use crate::parallel::pool::Monitor;
use pyo3::prelude::*;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often signals are looked for.
const SIGNALS: Duration = Duration::from_millis(50);
/// How often progress is reported.
const PROGRESS: Duration = Duration::from_millis(100);

/// Runs `work` on a thread of its own while this one listens. A `single` trajectory is worth no thread: it runs here and
/// listens for itself.
pub fn run<T: Send>(
    py: Python<'_>,
    single: bool,
    total: u64,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&Monitor) -> Result<T> + Send,
) -> PyResult<T> {
    if single && progress.is_none() {
        let monitor = Monitor::listening(|| Python::attach(|py| py.check_signals().is_err()), SIGNALS);
        return Ok(py.detach(|| work(&monitor))?);
    }
    let monitor = Monitor::default();
    let (monitor, mut raised) = (&monitor, None);
    let result = py.detach(|| {
        std::thread::scope(|scope| {
            let (done, finished) = channel();
            let worker = scope.spawn(move || {
                let result = work(monitor);
                let _ = done.send(());
                result
            });
            let mut last = Instant::now();
            while let Err(RecvTimeoutError::Timeout) = finished.recv_timeout(SIGNALS) {
                if raised.is_some() {
                    continue;
                }
                let heard = Python::attach(|py| {
                    py.check_signals()?;
                    if let Some(progress) = progress.filter(|_| last.elapsed() >= PROGRESS) {
                        last = Instant::now();
                        progress.call1(py, (monitor.done(), total))?;
                    }
                    Ok(())
                });
                if let Err(error) = heard {
                    monitor.request_stop();
                    raised = Some(error);
                }
            }
            worker.join()
        })
    });
    if let Some(error) = raised {
        return Err(error);
    }
    let value = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    if let Some(progress) = progress {
        progress.call1(py, (total, total))?;
    }
    Ok(value)
}
