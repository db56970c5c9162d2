//! Trajectories in extended numbers: flows by Taylor series, maps by iteration.
//!
//! The choice of steps is that of `solve::taylor`, with the order that the tolerance asks for. Angles are not wrapped during
//! the run, which extended numbers can afford, only in the samples.

use super::number::Extended;
use super::series::{Evaluator, Series};
use crate::error::{Error, Result};
use crate::parallel::pool::{Monitor, pool};
use crate::solve::march::{DIVERGED, End, wrap};
use crate::solve::step_size::{root, smallest_step};
use crate::solve::taylor::{GROWTH, INSIDE, RATIO, ROUNDING};
use crate::solve::{EventLog, Method, Outcome, Problem, Solution, check, room};
use crate::system::Kind;
use rayon::prelude::*;

/// The least relative tolerance, some rounding errors of extended numbers.
pub const FINEST: f64 = 1e-30;

/// The order of the series, as in `solve::taylor`, without its upper bound.
fn order_for(relative: f64) -> usize {
    ((-0.7 * libm::log(relative)).ceil() as usize).clamp(4, 60)
}

/// Computes the trajectories; the samples are doubles, and `Solution::low` holds what they lack.
///
/// # Errors
/// [`Error::Value`] for a wrong request; [`Error::Interrupted`] if the monitor asks to stop.
pub fn solve(problem: &Problem<'_>, monitor: &Monitor) -> Result<Solution> {
    check(problem, FINEST)?;
    let system = problem.system;
    let method = match (system.kind(), problem.method) {
        (Kind::Map, Method::Auto | Method::Map) => Method::Map,
        (Kind::Flow, Method::Auto | Method::Taylor) if problem.forcing.is_none() => Method::Taylor,
        (Kind::Flow, _) => {
            return Err(Error::value("extended precision is for method \"taylor\" (or \"auto\") without forcing"));
        }
        (kind, _) => {
            return Err(Error::value(format!(
                "extended precision is for flows and maps, not a {} system",
                kind.name()
            )));
        }
    };
    if !system.is_smooth() {
        return Err(Error::value(
            "extended precision needs smooth equations, without abs, sign, floor, where and the like",
        ));
    }
    let (m, n, d) = (problem.start.len(), problem.times.len(), system.dimension());
    let k = system.parameter_names().len();
    let mut x = room(m, 2 * n, d)?;
    let mut low = x.split_off(m * n * d);
    let mut ends = vec![End::default(); m];
    if m * n > 0 {
        let pool = pool(problem.threads)?;
        let program = (method == Method::Taylor).then(|| system.jet_program(order_for(problem.tolerance.relative)));
        pool.install(|| {
            let samples = x.par_chunks_exact_mut(n * d).zip(low.par_chunks_exact_mut(n * d));
            samples.zip(&mut ends).enumerate().try_for_each(|(i, ((x, low), end))| {
                let parameters = if problem.parameters.len() > k {
                    &problem.parameters[i * k..(i + 1) * k]
                } else {
                    problem.parameters
                };
                let mut path = Path {
                    problem,
                    monitor,
                    periods: system.evaluate_periods(parameters)?,
                    rhs: Evaluator::new(system.program(), parameters),
                    x: problem.initial[i * d..(i + 1) * d].iter().map(|&x| Extended::from(x)).collect(),
                    t: Extended::from(problem.start[i]),
                    next: 0,
                    samples: x,
                    low,
                    end,
                };
                match &program {
                    Some(program) => path.flow(&mut Series::new(program, parameters), program.order()),
                    None => path.iterate(),
                }
            })
        })?;
    }
    Ok(Solution { x, low: Some(low), ends, logs: vec![EventLog::default(); m], method, past: None })
}

/// One trajectory on its way.
struct Path<'a> {
    problem: &'a Problem<'a>,
    monitor: &'a Monitor,
    periods: Vec<f64>,
    rhs: Evaluator<'a>,
    x: Vec<Extended>,
    t: Extended,
    next: usize,
    samples: &'a mut [f64],
    low: &'a mut [f64],
    end: &'a mut End,
}

impl Path<'_> {
    fn dimension(&self) -> usize {
        self.x.len()
    }

    fn done(&self) -> bool {
        self.next == self.problem.times.len()
    }

    /// From the present time to the next sample.
    fn offset(&self) -> Extended {
        Extended::from(self.problem.times.at(self.next)) - self.t
    }

    /// Writes the next sample.
    fn write(&mut self, x: &[Extended]) {
        let first = self.next * self.dimension();
        for (i, &x) in x.iter().enumerate() {
            let x = if self.periods[i].is_nan() { x } else { wrapped(x, self.periods[i]) };
            (self.samples[first + i], self.low[first + i]) = (x.high, x.low);
        }
        self.next += 1;
        self.monitor.advance(1);
    }

    fn stop(&mut self, outcome: Outcome) {
        self.end.outcome = outcome;
        if outcome != Outcome::Ok {
            self.end.time = self.t.high;
            let rest = self.next * self.dimension();
            self.samples[rest..].fill(f64::NAN);
            self.low[rest..].fill(f64::NAN);
        }
    }

    fn bound(&self) -> f64 {
        DIVERGED * (1.0 + self.x.iter().fold(0.0f64, |size, x| size.max(x.high.abs())))
    }

    fn iterate(&mut self) -> Result<()> {
        let (bound, mut next) = (self.bound(), self.x.clone());
        loop {
            if self.offset().high <= 0.0 {
                let x = self.x.clone();
                self.write(&x);
                if self.done() {
                    return Ok(());
                }
                continue;
            }
            self.monitor.check()?;
            self.rhs.eval(self.t, &self.x, &mut next);
            self.end.work.steps += 1;
            self.end.work.evaluations += 1;
            self.x.copy_from_slice(&next);
            self.t += Extended::ONE;
            if !self.x.iter().all(|x| x.high.abs() <= bound) {
                let defined = self.x.iter().all(|x| !x.high.is_nan());
                self.stop(if defined { Outcome::Diverged } else { Outcome::LeftDomain });
                return Ok(());
            }
            if self.end.work.steps >= self.problem.max_steps {
                self.stop(Outcome::OutOfSteps);
                return Ok(());
            }
        }
    }

    fn flow(&mut self, series: &mut Series<'_>, order: usize) -> Result<()> {
        let bound = self.bound();
        if self.offset().high <= 0.0 {
            let x = self.x.clone();
            self.write(&x);
        }
        let mut longest = self.t.high.abs().max(1.0);
        while !self.done() {
            self.monitor.check()?;
            series.expand(self.t, &self.x);
            let mut h = step(series, &self.x, self.problem, order).min(longest);
            if !(h >= smallest_step(self.t.high)) {
                let defined = (0..self.dimension()).all(|i| series.coefficient(i, 1).is_finite());
                self.stop(if defined { Outcome::Stalled } else { Outcome::LeftDomain });
                return Ok(());
            }
            while !self.is_good(series, order, h) {
                h *= 0.5;
                self.end.work.rejected += 1;
                if h < smallest_step(self.t.high) {
                    self.stop(Outcome::Stalled);
                    return Ok(());
                }
            }
            while !self.done() && self.offset().high <= h {
                let x = value(series, order, self.offset());
                self.write(&x);
            }
            self.x = value(series, order, Extended::from(h));
            self.t += Extended::from(h);
            longest = GROWTH * h;
            let work = &mut self.end.work;
            work.steps += 1;
            work.evaluations += 3;
            let out_of_steps = work.steps + work.rejected >= self.problem.max_steps;
            if !self.x.iter().all(|x| x.high.abs() <= bound) {
                self.stop(Outcome::Diverged);
                return Ok(());
            }
            if out_of_steps && !self.done() {
                self.stop(Outcome::OutOfSteps);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the series solves the equations inside a step of `h` and at its end.
    fn is_good(&mut self, series: &Series<'_>, order: usize, h: f64) -> bool {
        let tolerance = &self.problem.tolerance;
        let mut derivative = vec![Extended::ZERO; self.dimension()];
        [INSIDE, 1.0].iter().all(|fraction| {
            let offset = Extended::from(fraction * h);
            let x = value(series, order, offset);
            self.rhs.eval(self.t + offset, &x, &mut derivative);
            (0..x.len()).all(|i| {
                let slope = (1..=order)
                    .rev()
                    .fold(Extended::ZERO, |sum, k| sum * offset + series.coefficient(i, k) * Extended::from(k as f64));
                let size = self.x[i].high.abs().max(x[i].high.abs());
                let allowed = tolerance.relative * size + tolerance.absolute[i];
                let rounding = ROUNDING * EPSILON * (size + h * derivative[i].high.abs());
                h * (derivative[i] - slope).high.abs() <= (order + 1) as f64 * allowed + rounding
            })
        })
    }
}

/// Rounding error of an extended number.
const EPSILON: f64 = 4.930380657631324e-32; // 2^-104

/// The solution at an offset from the point of expansion.
fn value(series: &Series<'_>, order: usize, offset: Extended) -> Vec<Extended> {
    let n = series.n_states();
    (0..n).map(|i| (0..=order).rev().fold(Extended::ZERO, |sum, k| sum * offset + series.coefficient(i, k))).collect()
}

/// The step for which the last two terms meet the tolerance.
fn step(series: &Series<'_>, x: &[Extended], problem: &Problem<'_>, order: usize) -> f64 {
    let largest = |k: usize| {
        let sizes = x.iter().enumerate().map(|(i, x)| {
            let allowed = problem.tolerance.relative * x.high.abs() + problem.tolerance.absolute[i];
            if allowed > 0.0 { series.coefficient(i, k).high.abs() / allowed } else { 0.0 }
        });
        sizes.fold(0.0, |largest: f64, size| if size <= largest { largest } else { size })
    };
    let by_last = 1.0 / root(largest(order), order as u32);
    let by_last_but_one = 1.0 / root(largest(order - 1) / RATIO, order as u32 - 1);
    if by_last.is_nan() || by_last_but_one.is_nan() { f64::NAN } else { by_last.min(by_last_but_one) }
}

/// An angle in [-P/2, P/2). A period that is a double near a simple multiple of pi is meant to be that multiple.
fn wrapped(x: Extended, period: f64) -> Extended {
    let turns = period / std::f64::consts::PI * 12.0;
    let simple = (turns - turns.round()).abs() <= 4.0 * f64::EPSILON * turns && turns >= 1.0;
    let exact = if simple {
        Extended::PI * Extended::from(turns.round()) / Extended::from(12.0)
    } else {
        Extended::from(period)
    };
    let whole = ((x - Extended::from(wrap(x.high, period))) / exact).high.round();
    x - exact * Extended::from(whole)
}
