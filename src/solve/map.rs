//! Iterating maps in lanes. Time counts iterations.

use super::march::{End, Job, March, wrap};
use super::outcome::Outcome;
use crate::error::Result;
use crate::expr::eval::{Evaluator, Row};
use crate::expr::program::Program;

/// A state larger than this has diverged.
const DIVERGED: f64 = 1e30;

impl March<'_> {
    /// Iterates all `jobs` (at most `L`), side by side.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted) if the monitor asks to stop.
    pub fn iterate<const L: usize>(
        &self,
        program: &Program,
        jobs: &mut [Job<'_>],
        periods: impl Fn(&[f64]) -> Result<Vec<f64>>,
    ) -> Result<()> {
        let n = self.times.len();
        let (Some(d), true) = (jobs.first().map(|job| job.initial.len()), n > 0) else { return Ok(()) };
        let mut evaluator = Evaluator::<L>::new(program, self.level);
        let mut x: Vec<Row<L>> = vec![[0.0; L]; d];
        let mut image = x.clone();
        let mut all_periods = Vec::new();
        let mut next = [0usize; L];
        let mut running = [false; L];
        let mut t = [0.0; L];
        for (lane, job) in jobs.iter().enumerate() {
            evaluator.set_parameters(lane, job.parameters);
            let periods = periods(job.parameters)?;
            for i in 0..d {
                x[i][lane] = if periods[i].is_nan() { job.initial[i] } else { wrap(job.initial[i], periods[i]) };
            }
            all_periods.push(periods);
            t[lane] = job.start;
            running[lane] = true;
        }
        let mut countdown = 0u32;
        let mut reported = [0usize; L];
        while running != [false; L] {
            if countdown == 0 {
                self.monitor.check()?;
                let done: usize = (0..L).map(|l| next[l] - reported[l]).sum();
                self.monitor.advance(done as u64);
                reported = next;
                countdown = 1024;
            }
            countdown -= 1;
            for (lane, job) in jobs.iter_mut().enumerate() {
                if running[lane] && self.times.at(next[lane]) <= t[lane] {
                    for i in 0..d {
                        job.samples[next[lane] * d + i] = x[i][lane];
                    }
                    next[lane] += 1;
                    running[lane] = next[lane] < n;
                }
                if running[lane] && job.end.work.steps >= self.max_steps {
                    stop(job, &mut next[lane], &mut running[lane], Outcome::OutOfSteps, t[lane], d);
                }
            }
            if running == [false; L] {
                break;
            }
            evaluator.eval(&t, &x, &[], &mut image);
            for (lane, job) in jobs.iter_mut().enumerate() {
                if !running[lane] {
                    continue;
                }
                t[lane] += 1.0;
                job.end.work.steps += 1;
                job.end.work.evaluations += 1;
                let mut outcome = None;
                for i in 0..d {
                    let value = image[i][lane];
                    if value.is_nan() {
                        outcome = Some(Outcome::LeftDomain);
                    } else if value.abs() > DIVERGED {
                        outcome = outcome.or(Some(Outcome::Diverged));
                    }
                    let period = all_periods[lane][i];
                    x[i][lane] = if period.is_nan() { value } else { wrap(value, period) };
                }
                if let Some(outcome) = outcome {
                    stop(job, &mut next[lane], &mut running[lane], outcome, t[lane], d);
                }
            }
        }
        let done: usize = (0..L).map(|l| next[l] - reported[l]).sum();
        self.monitor.advance(done as u64);
        Ok(())
    }
}

fn stop(job: &mut Job<'_>, next: &mut usize, running: &mut bool, outcome: Outcome, t: f64, d: usize) {
    job.samples[*next * d..].fill(f64::NAN);
    *next = job.samples.len() / d;
    *running = false;
    *job.end = End { outcome, time: t, ..*job.end };
}
