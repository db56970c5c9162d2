//! A request for trajectories, refused where it cannot be met, and what comes of it.

use super::event::{EventLog, Watch};
use super::history::History;
use super::march::{End, Times};
use super::method::Method;
use super::past::Past;
use super::stepper::Tolerance;
use crate::error::{Error, Result};
use crate::system::{Kind, System};

/// A request for trajectories.
pub struct Problem<'a> {
    /// The system.
    pub system: &'a System,
    /// Initial states, m x d.
    pub initial: &'a [f64],
    /// Parameters, k or m x k.
    pub parameters: &'a [f64],
    /// Time at which each trajectory begins, m.
    pub start: &'a [f64],
    /// When to sample.
    pub times: Times<'a>,
    /// The method.
    pub method: Method,
    /// Error tolerances.
    pub tolerance: Tolerance,
    /// Step of the methods with a fixed step.
    pub step: Option<f64>,
    /// Limit on the steps of one trajectory.
    pub max_steps: u64,
    /// Seed of the noise.
    pub seed: u64,
    /// Number of the first path of noise.
    pub first_path: u64,
    /// Amplitudes of additive white noise put on a flow.
    pub forcing: Option<&'a [f64]>,
    /// Threads; all that are available if `None`.
    pub threads: Option<usize>,
    /// Events to look for in a flow or a delay system.
    pub watch: Option<&'a Watch<'a>>,
    /// What was before the start of a delay system: the same for all trajectories, one for each, or none for a state that has
    /// always been the initial one.
    pub histories: &'a [History],
}

/// Trajectories.
#[derive(Debug)]
pub struct Solution {
    /// Samples, m x n x d.
    pub x: Vec<f64>,
    /// What the samples lack, where they were computed in extended precision.
    pub low: Option<Vec<f64>>,
    /// How each trajectory ended.
    pub ends: Vec<End>,
    /// The events of each trajectory.
    pub logs: Vec<EventLog>,
    /// The method used.
    pub method: Method,
    /// What a single trajectory with delays remembers at its end, on a clock that shows the system's own time.
    pub past: Option<Past>,
}

/// Refuses what cannot be run; `finest` is the least relative tolerance.
pub(crate) fn check(problem: &Problem<'_>, finest: f64) -> Result<()> {
    let (d, k) = (problem.system.dimension(), problem.system.parameter_names().len());
    let m = problem.start.len();
    if problem.initial.len() != m * d {
        return Err(Error::value(format!(
            "{m} trajectories need {m} x {d} initial values, found {}",
            problem.initial.len()
        )));
    }
    if problem.parameters.len() != k && problem.parameters.len() != m * k {
        return Err(Error::value(format!(
            "{m} trajectories need {k} or {m} x {k} parameters, found {}",
            problem.parameters.len()
        )));
    }
    if let Some(place) = problem.initial.iter().position(|x| !x.is_finite()) {
        let (value, name) = (problem.initial[place], &problem.system.names()[place % d]);
        return Err(Error::value(format!(
            "the initial state of trajectory {} has {name} = {value}: it must be finite",
            place / d
        )));
    }
    if let Some(p) = problem.parameters.iter().find(|p| !p.is_finite()) {
        return Err(Error::value(format!("a parameter is {p}: parameters must be finite")));
    }
    match problem.times {
        Times::Uniform { dt, .. } if !(dt.is_finite() && dt > 0.0) => {
            return Err(Error::value(format!("dt must be positive, found {dt}")));
        }
        Times::Given(times) if times.iter().any(|t| !t.is_finite()) => {
            return Err(Error::value("times must be finite"));
        }
        Times::Given(times) if times.windows(2).any(|pair| pair[1] <= pair[0]) => {
            return Err(Error::value("times must increase"));
        }
        _ => {}
    }
    if let Some(start) = problem.start.iter().find(|start| !start.is_finite()) {
        return Err(Error::value(format!("the start must be finite, found {start}")));
    }
    if let Some(start) = problem.start.iter().find(|start| !problem.times.is_empty() && **start > problem.times.at(0)) {
        return Err(Error::value(format!(
            "the first sample, at {}, lies before the start at {start}",
            problem.times.at(0)
        )));
    }
    if problem.system.kind() == Kind::Map {
        let n = problem.times.len().min(1 << 20);
        if (0..n).map(|j| problem.times.at(j)).chain(problem.start.iter().copied()).any(|t| t != t.trunc()) {
            return Err(Error::value("a map counts time in iterations: times and dt must be whole numbers"));
        }
    }
    let relative = problem.tolerance.relative;
    if !(finest..=0.1).contains(&relative) {
        return Err(Error::value(format!("rtol must be between {finest:e} and 0.1, found {relative:e}")));
    }
    if problem.tolerance.absolute.len() != d {
        return Err(Error::value(format!("atol needs {d} values, one for each variable")));
    }
    if let Some(atol) = problem.tolerance.absolute.iter().find(|atol| !(atol.is_finite() && **atol >= 0.0)) {
        return Err(Error::value(format!("atol must be a number not below zero, found {atol:e}")));
    }
    if let Some(step) = problem.step.filter(|step| !(step.is_finite() && *step > 0.0)) {
        return Err(Error::value(format!("step must be positive, found {step}")));
    }
    let kind = problem.system.kind();
    if problem.watch.is_some() {
        if !matches!(kind, Kind::Flow | Kind::Delay) || problem.forcing.is_some() {
            return Err(Error::value("events are looked for in flows and delay systems without noise only"));
        }
        if problem.system.observes_delays() {
            return Err(Error::value("an event is an expression of the present state, without delayed terms"));
        }
    }
    if !problem.histories.is_empty() {
        if kind != Kind::Delay {
            return Err(Error::value(format!("a {} system has no history: give the initial state", kind.name())));
        }
        if problem.histories.len() != 1 && problem.histories.len() != m {
            return Err(Error::value(format!(
                "{m} trajectories need 1 or {m} histories, found {}",
                problem.histories.len()
            )));
        }
    }
    if let Some(forcing) = problem.forcing {
        if problem.system.kind() != Kind::Flow {
            return Err(Error::value("stochastic forcing can be put on flows only"));
        }
        if forcing.len() != d || forcing.iter().any(|amplitude| !(amplitude.is_finite() && *amplitude >= 0.0)) {
            return Err(Error::value(format!("forcing needs {d} amplitudes, none negative")));
        }
    }
    Ok(())
}

/// Room for the samples, or an error that says how much was asked for.
pub(crate) fn room(m: usize, n: usize, d: usize) -> Result<Vec<f64>> {
    let refuse = || {
        let bytes = 8.0 * m as f64 * n as f64 * d as f64;
        let message = "ask for fewer trajectories or samples at a time, or write them to disk with generate";
        Error::value(format!(
            "{m} x {n} samples of {d} variables need {:.1} GiB of memory: {message}",
            bytes / 2f64.powi(30)
        ))
    };
    let size = m.checked_mul(n).and_then(|size| size.checked_mul(d)).ok_or_else(refuse)?;
    Vec::<f64>::new().try_reserve_exact(size).map_err(|_| refuse())?;
    Ok(vec![0.0; size])
}
