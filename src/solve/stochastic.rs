//! Stochastic differential equations with diagonal noise (Itô), fixed step.
//!
//! The drift advances by the classical Runge-Kutta step, the noise by Milstein's term
//! b dW + b b' (dW^2 - h) / 2: strong order 1 (Milstein 1974; Kloeden & Platen 1992, ch. 10), and the order of the
//! Runge-Kutta method where the noise is zero. The increments are a function of (seed, path, step number, variable).

use super::march::{Job, March, wrap};
use super::outcome::Outcome;
use crate::error::Result;
use crate::expr::eval::{Evaluator, Row};
use crate::expr::program::Program;
use crate::parallel::random::normal_pair;

/// A state larger than this times (1 + its size at the start) has diverged.
const DIVERGED: f64 = 1e12;

/// Where the noise comes from.
pub enum Diffusion<'a> {
    /// Diffusion and Milstein correction of the system itself, compiled together.
    Own(&'a Program),
    /// Constant amplitudes put on each variable.
    Constant(&'a [f64]),
}

impl March<'_> {
    /// Runs one trajectory. The span between two samples is divided into equal steps no longer than `step`.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted) if the monitor asks to stop.
    pub fn diffuse(
        &self,
        drift: &Program,
        diffusion: &Diffusion<'_>,
        step: f64,
        seed: u64,
        job: &mut Job<'_>,
        periods: &[f64],
    ) -> Result<()> {
        let d = job.initial.len();
        let mut drift = Evaluator::<1>::new(drift, self.level);
        drift.set_parameters(0, job.parameters);
        let mut own = match diffusion {
            Diffusion::Own(program) => {
                let mut evaluator = Evaluator::<1>::new(program, self.level);
                evaluator.set_parameters(0, job.parameters);
                Some(evaluator)
            }
            Diffusion::Constant(_) => None,
        };
        let mut noise: Vec<Row<1>> = vec![[0.0]; 2 * d];
        if let Diffusion::Constant(amplitudes) = diffusion {
            (0..d).for_each(|i| noise[i][0] = amplitudes[i]);
        }
        let mut x: Vec<Row<1>> = job.initial.iter().map(|&x| [x]).collect();
        let mut stages = vec![vec![[0.0]; d]; 4];
        let mut inner = x.clone();
        let bound = DIVERGED * (1.0 + job.initial.iter().fold(0.0f64, |size, x| size.max(x.abs())));
        let mut t = job.start;
        let pairs = d.div_ceil(2) as u64;
        let mut number = 0u64;
        for sample in 0..self.times.len() {
            let target = self.times.at(sample);
            let steps = ((target - t) / step).ceil().max(0.0) as u64;
            let h = if steps > 0 { (target - t) / steps as f64 } else { 0.0 };
            let (from, root) = (t, h.sqrt());
            for k in 0..steps {
                if number.is_multiple_of(1024) {
                    self.monitor.check()?;
                }
                t = from + k as f64 * h;
                if let Some(own) = &mut own {
                    own.eval(&[t], &x, &[], &mut noise);
                }
                for (stage, c) in [0.0, 0.5, 0.5, 1.0].into_iter().enumerate() {
                    for i in 0..d {
                        let slope = if stage == 0 { 0.0 } else { stages[stage - 1][i][0] };
                        inner[i][0] = (c * h).mul_add(slope, x[i][0]);
                    }
                    drift.eval(&[t + c * h], &inner, &[], &mut stages[stage]);
                }
                for i in 0..d {
                    let [k1, k2, k3, k4] = [0, 1, 2, 3].map(|stage| stages[stage][i][0]);
                    let z = normal_pair(seed, job.path, number * pairs + i as u64 / 2)[i % 2];
                    let (dw, b, correction) = (root * z, noise[i][0], noise[d + i][0]);
                    let change = h / 6.0 * ((k1 + k4) + 2.0 * (k2 + k3));
                    x[i][0] += change + b.mul_add(dw, 0.5 * correction * dw.mul_add(dw, -h));
                    if !periods[i].is_nan() {
                        x[i][0] = wrap(x[i][0], periods[i]);
                    }
                }
                number += 1;
                let work = &mut job.end.work;
                work.steps += 1;
                work.evaluations += 4;
                let size = x.iter().fold(0.0f64, |size, x| if x[0].is_nan() { f64::NAN } else { size.max(x[0].abs()) });
                let outcome = if size.is_nan() {
                    Outcome::LeftDomain
                } else if size > bound {
                    Outcome::Diverged
                } else if work.steps >= self.max_steps {
                    Outcome::OutOfSteps
                } else {
                    continue;
                };
                job.end.outcome = outcome;
                job.end.time = t + h;
                job.samples[sample * d..].fill(f64::NAN);
                self.monitor.advance((self.times.len() - sample) as u64);
                return Ok(());
            }
            t = target;
            for i in 0..d {
                job.samples[sample * d + i] = x[i][0];
            }
            self.monitor.advance(1);
        }
        Ok(())
    }
}
