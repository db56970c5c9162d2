//! Evaluating a system at many points: right-hand side, Jacobian, divergence, observables, delays, periods.

use super::System;
use crate::error::{Error, Result};
use crate::expr::eval::{Evaluator, Row};
use crate::expr::graph::{Id, Leaves};
use crate::expr::program::Program;
use crate::parallel::simd::Level;

/// Lanes of a batch.
const LANES: usize = 8;

/// Points to evaluate at: `m` states (row-major), times, parameters (one set or `m`), delayed terms (row-major, or empty).
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    /// States, m x d.
    pub x: &'a [f64],
    /// Times, m.
    pub t: &'a [f64],
    /// Parameters, k or m x k.
    pub p: &'a [f64],
    /// Delayed terms, m x z; empty for a state that has always been `x`.
    pub z: &'a [f64],
}

impl System {
    /// Right-hand sides (images of a map), m x d.
    ///
    /// # Errors
    /// If the sizes do not agree.
    pub fn evaluate_rhs(&self, points: Points<'_>) -> Result<Vec<f64>> {
        self.batch(&self.program, points)
    }

    /// Jacobians, m x d x d: row = equation, column = variable.
    ///
    /// # Errors
    /// If the sizes do not agree.
    pub fn evaluate_jacobian(&self, points: Points<'_>) -> Result<Vec<f64>> {
        self.batch(self.jacobian_program(), points)
    }

    /// Amplitudes of the noise, m x d x number of processes.
    ///
    /// # Errors
    /// If the sizes do not agree.
    pub fn evaluate_diffusion(&self, points: Points<'_>) -> Result<Vec<f64>> {
        self.batch(self.diffusion_program(), points)
    }

    /// Observables, m x number of observables.
    ///
    /// # Errors
    /// If the sizes do not agree.
    pub fn evaluate_observables(&self, points: Points<'_>) -> Result<Vec<f64>> {
        self.batch(self.observing_program(), points)
    }

    /// Traces of the Jacobian, m.
    ///
    /// # Errors
    /// If the sizes do not agree.
    pub fn evaluate_divergence(&self, points: Points<'_>) -> Result<Vec<f64>> {
        let d = self.dimension();
        let jacobians = self.evaluate_jacobian(points)?;
        Ok(jacobians.chunks_exact(d * d).map(|j| (0..d).map(|i| j[i * d + i]).sum()).collect())
    }

    /// Delays at given parameters.
    ///
    /// # Errors
    /// If one is not a positive number.
    pub fn evaluate_delays(&self, p: &[f64]) -> Result<Vec<f64>> {
        let delays = self.graph.evaluate(&self.delays, Leaves { p, ..Leaves::default() });
        match delays.iter().find(|tau| !(tau.is_finite() && **tau > 0.0)) {
            Some(tau) => Err(Error::value(format!("a delay is {tau}: delays must be positive"))),
            None => Ok(delays),
        }
    }

    /// Periods of the state variables at given parameters, NaN where one is no angle.
    ///
    /// # Errors
    /// If one is not a positive number.
    pub fn evaluate_periods(&self, p: &[f64]) -> Result<Vec<f64>> {
        let given: Vec<Id> = self.periods.iter().flatten().copied().collect();
        let mut values = self.graph.evaluate(&given, Leaves { p, ..Leaves::default() }).into_iter();
        let periods: Vec<f64> =
            self.periods.iter().map(|id| id.and_then(|_| values.next()).unwrap_or(f64::NAN)).collect();
        for (i, period) in periods.iter().enumerate() {
            if self.periods[i].is_some() && !(period.is_finite() && *period > 0.0) {
                return Err(Error::value(format!("the period of {} is {period}: it must be positive", self.names[i])));
            }
        }
        Ok(periods)
    }

    fn batch(&self, program: &Program, points: Points<'_>) -> Result<Vec<f64>> {
        let (d, k, z) = (self.dimension(), self.parameter_names.len(), self.delayed.len());
        let m = points.t.len();
        let sets = points.p.len().checked_div(k).unwrap_or(1);
        if points.x.len() != m * d || points.p.len() != sets * k || (sets != 1 && sets != m) {
            return Err(Error::value(format!(
                "sizes disagree: {m} times need {m} x {d} states and {k} or {m} x {k} parameters"
            )));
        }
        if !points.z.is_empty() && points.z.len() != m * z {
            return Err(Error::value(format!("this system has {z} delayed terms: give {m} x {z} values")));
        }
        let outputs = program.outputs.len();
        let mut result = vec![0.0; m * outputs];
        let mut evaluator = Evaluator::<LANES>::new(program, Level::detect());
        let (mut t, mut x, mut delayed) = ([0.0; LANES], vec![[0.0; LANES]; d], vec![[0.0; LANES]; z]);
        let mut out: Vec<Row<LANES>> = vec![[0.0; LANES]; outputs];
        for first in (0..m).step_by(LANES) {
            let filled = LANES.min(m - first);
            for lane in 0..LANES {
                let point = first + lane.min(filled - 1);
                t[lane] = points.t[point];
                (0..d).for_each(|i| x[i][lane] = points.x[point * d + i]);
                for i in 0..z {
                    let now = points.x[point * d + self.delayed[i].0];
                    delayed[i][lane] = points.z.get(point * z + i).copied().unwrap_or(now);
                }
                if sets > 1 || first == 0 {
                    let set = if sets > 1 { point } else { 0 };
                    evaluator.set_parameters(lane, &points.p[set * k..(set + 1) * k]);
                }
            }
            evaluator.eval(&t, &x, &delayed, &mut out);
            for lane in 0..filled {
                for (i, row) in out.iter().enumerate() {
                    result[(first + lane) * outputs + i] = row[lane];
                }
            }
        }
        Ok(result)
    }
}
