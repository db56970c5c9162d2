//! The largest Lyapunov exponent from the tangent flow. Not the whole spectrum.

use crate::error::{Error, Result};
use crate::parallel::pool::Monitor;
use crate::solve::stepper::Tolerance;
use crate::solve::{Outcome, Problem, Times, solve};
use crate::system::evaluate::Points;
use crate::system::{Kind, System};

/// How to measure.
pub struct Settings<'a> {
    /// Integration, as for trajectories; its `initial`, `times` and `system` are ignored.
    pub problem: Problem<'a>,
    /// Time at the start.
    pub start: f64,
    /// Discarded time, in which the tangent vector finds its direction.
    pub transient: f64,
    /// Length of a segment.
    pub duration: f64,
    /// Number of segments.
    pub segments: usize,
    /// Time between renormalisations; a segment is divided into whole numbers of them. By default one iteration of a map, and
    /// for a flow the time in which a vector grows at most e^10-fold at the rate of the largest entry of the Jacobian
    /// at the initial states.
    pub interval: Option<f64>,
}

/// Finite-time exponents, m x segments, natural logarithm per unit of time (Benettin et al. 1980, Meccanica 15, 9-20).
///
/// # Errors
/// For delay and stochastic systems, for a wrong request, and if a trajectory does not reach the end.
pub fn largest_exponent(settings: &Settings<'_>, monitor: &Monitor) -> Result<Vec<f64>> {
    let system = settings.problem.system;
    let tangent: System = system.tangent()?;
    let (d, m) = (system.dimension(), settings.problem.start.len());
    let interval = match settings.interval {
        Some(interval) => interval,
        None if system.kind() == Kind::Map => 1.0,
        None => {
            let t = vec![settings.start; m];
            let points = Points { x: settings.problem.initial, t: &t, p: settings.problem.parameters, z: &[] };
            let jacobians = system.evaluate_jacobian(points)?;
            10.0 / jacobians.iter().fold(0.0f64, |largest, entry| largest.max(entry.abs())) / d as f64
        }
    };
    if !(settings.duration > 0.0 && settings.transient >= 0.0 && interval > 0.0) {
        return Err(Error::value("duration and interval must be positive, and transient not negative"));
    }
    // A tangent vector that leans on no axis.
    let direction: Vec<f64> = (0..d).map(|i| 1.0 / ((i + 1) as f64).sqrt()).collect();
    let mut state: Vec<f64> = settings
        .problem
        .initial
        .chunks_exact(d)
        .flat_map(|x| x.iter().chain(&direction).copied().collect::<Vec<f64>>())
        .collect();
    let mut absolute = settings.problem.tolerance.absolute.clone();
    absolute.resize(2 * d, absolute.iter().copied().fold(0.0, f64::max));
    let mut clock = settings.start;
    let mut exponents = vec![0.0; m * settings.segments];
    for segment in 0..=settings.segments {
        let span = if segment == 0 { settings.transient } else { settings.duration };
        let pieces = (span / interval).ceil() as usize;
        let mut growth = vec![0.0; m];
        for piece in 0..pieces {
            let length = span / pieces as f64;
            let from = clock + piece as f64 * length;
            let to = clock + (piece + 1) as f64 * length;
            let solution = solve(
                &Problem {
                    system: &tangent,
                    initial: &state,
                    parameters: settings.problem.parameters,
                    start: &vec![from; m],
                    times: Times::Given(&[to]),
                    method: settings.problem.method,
                    tolerance: Tolerance { relative: settings.problem.tolerance.relative, absolute: absolute.clone() },
                    step: settings.problem.step,
                    max_steps: settings.problem.max_steps,
                    seed: 0,
                    first_path: 0,
                    forcing: None,
                    threads: settings.problem.threads,
                    watch: None,
                    histories: &[],
                },
                monitor,
            )?;
            if let Some(end) = solution.ends.iter().find(|end| end.outcome != Outcome::Ok) {
                return Err(Error::value(format!("a trajectory ended at {} ({})", end.time, end.outcome.name())));
            }
            state = solution.x;
            for (growth, x) in growth.iter_mut().zip(state.chunks_exact_mut(2 * d)) {
                let vector = &mut x[d..];
                let length = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
                if !(length > 0.0 && length.is_finite()) {
                    return Err(Error::value("the tangent vector vanished or overflowed: take a shorter interval"));
                }
                *growth += libm::log(length);
                vector.iter_mut().for_each(|v| *v /= length);
            }
        }
        clock += span;
        if segment > 0 {
            for (i, growth) in growth.iter().enumerate() {
                exponents[i * settings.segments + segment - 1] = growth / span;
            }
        }
    }
    Ok(exponents)
}
