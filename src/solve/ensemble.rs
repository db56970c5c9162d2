//! Many trajectories of one system: the request checked, the method chosen, the work dealt to threads and lanes.

use super::delay::{DelayRungeKutta, Memory, Unasked};
use super::delay_taylor::DelayTaylor;
use super::event::{EventLog, Watch};
use super::history::History;
use super::march::{End, Job, March, Times};
use super::past::Past;
use super::rk4::Rk4;
use super::rosenbrock::Rosenbrock;
use super::rosenbrock_tableau::RODAS5P;
use super::runge_kutta::RungeKutta;
use super::stepper::{Rhs, Row, Stepper, Tolerance};
use super::stochastic::Stochastic;
use super::switching::Switching;
use super::symplectic::{Composition, SYMPLECTIC4, SYMPLECTIC8, Symplectic};
use super::tableau::{DOP853, TSIT5, Tableau};
use super::taylor::{Taylor, order_for};
use crate::error::{Error, Result, nearest};
use crate::expr::eval::Evaluator;
use crate::parallel::pool::{Monitor, pool};
use crate::parallel::simd::Level;
use crate::system::{Kind, Noise, System};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::sync::Mutex;

/// How to integrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// What suits the system.
    Auto,
    /// Taylor series of adaptive step.
    Taylor,
    /// Tsitouras 5(4).
    Tsit5,
    /// Dormand & Prince 8(5,3).
    Dop853,
    /// The classical method of order 4 with a fixed step.
    Rk4,
    /// Iteration.
    Map,
    /// Runge-Kutta drift with Milstein's noise, fixed step.
    Milstein,
    /// Runge-Kutta drift with Euler's noise, fixed step.
    EulerMaruyama,
    /// Rodas5P, for stiff flows.
    Rodas5p,
    /// Composition of order 4 with a fixed step, for separable Hamiltonian flows.
    Symplectic4,
    /// Composition of order 8.
    Symplectic8,
}

impl Method {
    /// The methods by name.
    pub const NAMES: [(&'static str, Method); 11] = [
        ("auto", Method::Auto),
        ("taylor", Method::Taylor),
        ("tsit5", Method::Tsit5),
        ("dop853", Method::Dop853),
        ("rk4", Method::Rk4),
        ("map", Method::Map),
        ("milstein", Method::Milstein),
        ("euler_maruyama", Method::EulerMaruyama),
        ("rodas5p", Method::Rodas5p),
        ("symplectic4", Method::Symplectic4),
        ("symplectic8", Method::Symplectic8),
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The method of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn parse(name: &str) -> Result<Method> {
        if let Some((_, method)) = Self::NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(*method);
        }
        let names = Self::NAMES.map(|(name, _)| name);
        let hint = nearest(name, names).map_or(String::new(), |known| format!(", did you mean \"{known}\"?"));
        Err(Error::value(format!("unknown method \"{name}\"{hint} The methods are {}", names.join(", "))))
    }

    /// The method for `system`, refused where it does not apply.
    fn settle(self, system: &System, forced: bool) -> Result<Method> {
        let kind = system.kind();
        let choice = match (self, kind) {
            (Method::Auto, Kind::Flow) if forced => Method::Milstein,
            (Method::Auto, Kind::Flow | Kind::Delay) if system.is_smooth() => Method::Taylor,
            (Method::Auto, Kind::Flow | Kind::Delay) => Method::Dop853,
            (Method::Auto, Kind::Map) => Method::Map,
            (Method::Auto, Kind::Stochastic) if system.milstein_applies().is_ok() => Method::Milstein,
            (Method::Auto, Kind::Stochastic) => Method::EulerMaruyama,
            (method, _) => method,
        };
        let fits = match choice {
            Method::Taylor | Method::Tsit5 | Method::Dop853 => matches!(kind, Kind::Flow | Kind::Delay) && !forced,
            Method::Rk4 | Method::Rodas5p | Method::Symplectic4 | Method::Symplectic8 => kind == Kind::Flow && !forced,
            Method::Map => kind == Kind::Map,
            Method::Milstein | Method::EulerMaruyama => kind == Kind::Stochastic || forced,
            Method::Auto => false,
        };
        if !fits {
            let what = if forced {
                "a system with stochastic forcing".to_owned()
            } else {
                format!("a {} system", kind.name())
            };
            return Err(Error::value(format!("method \"{}\" does not apply to {what}: use \"auto\"", choice.name())));
        }
        if matches!(choice, Method::Symplectic4 | Method::Symplectic8) {
            system.separation()?;
        }
        if choice == Method::Milstein {
            system.milstein_applies()?;
        }
        if choice == Method::Taylor && !system.is_smooth() {
            return Err(Error::value(
                "method \"taylor\" does not apply: the right-hand side has kinks or jumps (abs, sign, floor, where, ...), which Taylor series cannot see: \
                 use \"dop853\", \"tsit5\" or \"auto\"",
            ));
        }
        Ok(choice)
    }
}

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

/// Lanes of a block.
const LANES: usize = 8;

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

/// A compiled right-hand side over lanes.
struct ProgramRhs<'p, const L: usize>(Evaluator<'p, L>);

impl<const L: usize> Rhs<L> for ProgramRhs<'_, L> {
    fn eval(&mut self, t: &Row<L>, y: &[Row<L>], out: &mut [Row<L>]) {
        self.0.eval(t, y, &[], out);
    }
}

/// Computes the trajectories.
///
/// # Errors
/// [`Error::Value`] for a wrong request; [`Error::Interrupted`] if the monitor asks to stop. A trajectory that does not
/// reach its end is no error: see [`Outcome`].
pub fn solve(problem: &Problem<'_>, monitor: &Monitor) -> Result<Solution> {
    check(problem, 1e-16)?;
    let method = problem.method.settle(problem.system, problem.forcing.is_some())?;
    let (m, n, d) = (problem.start.len(), problem.times.len(), problem.system.dimension());
    let k = problem.system.parameter_names().len();
    let mut x = room(m, n, d)?;
    let mut ends = vec![End::default(); m];
    let mut logs = vec![EventLog::default(); m];
    let kept = Mutex::new(None);
    if m * n > 0 {
        let pool = pool(problem.threads)?;
        let jobs: Vec<Job<'_>> = x
            .chunks_exact_mut(n * d)
            .zip(&mut ends)
            .zip(&mut logs)
            .enumerate()
            .map(|(i, ((samples, end), log))| Job {
                initial: &problem.initial[i * d..(i + 1) * d],
                parameters: if problem.parameters.len() > k {
                    &problem.parameters[i * k..(i + 1) * k]
                } else {
                    problem.parameters
                },
                start: problem.start[i],
                path: problem.first_path + i as u64,
                samples,
                end,
                log,
            })
            .collect();
        let noise = matches!(method, Method::Milstein | Method::EulerMaruyama).then(|| match problem.forcing {
            None => problem.system.noise(method == Method::Milstein),
            Some(amplitudes) => Noise::constant(amplitudes, k),
        });
        let run = Run {
            problem,
            method,
            noise,
            march: March {
                times: problem.times,
                max_steps: problem.max_steps,
                monitor,
                level: Level::detect(),
                watch: problem.watch,
                unwrapped: problem.system.kind() == Kind::Delay,
            },
            kept: &kept,
        };
        run.deal(jobs, &pool)?;
    }
    let past = kept.into_inner().expect("it is only written to");
    Ok(Solution { x, low: None, ends, logs, method, past })
}

struct Run<'a> {
    problem: &'a Problem<'a>,
    method: Method,
    noise: Option<Noise>,
    march: March<'a>,
    /// Where a single trajectory with delays leaves what it remembers.
    kept: &'a Mutex<Option<Past>>,
}

impl Run<'_> {
    /// Blocks of trajectories for the threads: single ones where there are few, lanes where there are many.
    fn deal(&self, jobs: Vec<Job<'_>>, pool: &rayon::ThreadPool) -> Result<()> {
        let threads = pool.current_num_threads();
        if jobs.len() == 1 {
            return self.block::<1>(jobs);
        }
        let single = jobs.len() < 4 * threads;
        let size =
            if single { 1 } else { jobs.len().div_ceil(8 * threads).next_multiple_of(LANES).clamp(LANES, 32 * LANES) };
        let count = jobs.len().div_ceil(size);
        let mut jobs = jobs.into_iter();
        let blocks: Vec<Vec<Job<'_>>> = (0..count).map(|_| jobs.by_ref().take(size).collect()).collect();
        pool.install(|| {
            blocks
                .into_par_iter()
                .try_for_each(|block| if single { self.block::<1>(block) } else { self.block::<LANES>(block) })
        })
    }

    fn block<const L: usize>(&self, mut jobs: Vec<Job<'_>>) -> Result<()> {
        if self.problem.system.kind() == Kind::Delay {
            return self.delay::<L>(jobs);
        }
        let system = self.problem.system;
        let tolerance = self.problem.tolerance.clone();
        let periods = |parameters: &[f64]| system.evaluate_periods(parameters);
        match self.method {
            Method::Taylor => {
                let program = system.jet_program(order_for(tolerance.relative));
                let mut rhs = ProgramRhs(Evaluator::<L>::new(system.program(), self.march.level));
                let mut taylor = Taylor::<L>::new(&program, tolerance.clone(), self.march.level);
                if self.problem.method == Method::Auto {
                    let mut switching = Switching::new(taylor, system, tolerance, self.march.level);
                    let seat = |switching: &mut Switching<'_, Taylor<'_, L>, L>,
                                rhs: &mut ProgramRhs<'_, L>,
                                lane: usize,
                                p: &[f64]| {
                        switching.explicit().set_parameters(lane, p);
                        switching.set_parameters(lane, p);
                        rhs.0.set_parameters(lane, p);
                    };
                    return self.march.run(jobs.into_iter(), &mut switching, &mut rhs, seat, periods);
                }
                let seat = |taylor: &mut Taylor<'_, L>, rhs: &mut ProgramRhs<'_, L>, lane: usize, p: &[f64]| {
                    taylor.set_parameters(lane, p);
                    rhs.0.set_parameters(lane, p);
                };
                self.march.run(jobs.into_iter(), &mut taylor, &mut rhs, seat, periods)
            }
            Method::Rodas5p => {
                let linear = system.linearisation();
                let mut rosenbrock = Rosenbrock::<L>::new(&RODAS5P, linear, tolerance, self.march.level);
                let mut rhs = ProgramRhs(Evaluator::<L>::new(system.program(), self.march.level));
                let seat = |rosenbrock: &mut Rosenbrock<'_, L>, rhs: &mut ProgramRhs<'_, L>, lane: usize, p: &[f64]| {
                    rosenbrock.set_parameters(lane, p);
                    rhs.0.set_parameters(lane, p);
                };
                self.march.run(jobs.into_iter(), &mut rosenbrock, &mut rhs, seat, periods)
            }
            Method::Symplectic4 => self.symplectic::<L>(jobs, &SYMPLECTIC4),
            Method::Symplectic8 => self.symplectic::<L>(jobs, &SYMPLECTIC8),
            Method::Tsit5 => self.runge_kutta(jobs, RungeKutta::<L>::new(&TSIT5, tolerance)),
            Method::Dop853 if self.problem.method == Method::Auto => {
                let explicit = RungeKutta::<L>::new(&DOP853, tolerance.clone());
                let mut switching = Switching::new(explicit, system, tolerance, self.march.level);
                let mut rhs = ProgramRhs(Evaluator::<L>::new(system.program(), self.march.level));
                let seat = |switching: &mut Switching<'_, RungeKutta<L>, L>,
                            rhs: &mut ProgramRhs<'_, L>,
                            lane: usize,
                            p: &[f64]| {
                    switching.set_parameters(lane, p);
                    rhs.0.set_parameters(lane, p);
                };
                self.march.run(jobs.into_iter(), &mut switching, &mut rhs, seat, periods)
            }
            Method::Dop853 => self.runge_kutta(jobs, RungeKutta::<L>::new(&DOP853, tolerance)),
            Method::Rk4 => self.runge_kutta(jobs, Rk4::<L>::new(self.step())),
            Method::Map => {
                jobs.chunks_mut(L).try_for_each(|jobs| self.march.iterate::<L>(system.program(), jobs, periods))
            }
            Method::Milstein | Method::EulerMaruyama => {
                let noise = self.noise.as_ref().expect("compiled before");
                let (step, seed) = (self.step(), self.problem.seed);
                let problem = Stochastic { drift: system.drift_program(), noise, step, seed };
                jobs.chunk_by_mut(|a, b| a.start == b.start)
                    .flat_map(|jobs| jobs.chunks_mut(L))
                    .try_for_each(|jobs| self.march.diffuse::<L>(&problem, jobs, periods))
            }
            Method::Auto => unreachable!("settled before"),
        }
    }

    /// The fixed step: as asked, or the interval between samples (a tenth of it for noise).
    fn step(&self) -> f64 {
        let interval = match self.problem.times {
            Times::Uniform { dt, .. } => dt,
            Times::Given(times) => {
                times.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min).min(1.0)
            }
        };
        let noisy = matches!(self.method, Method::Milstein | Method::EulerMaruyama);
        self.problem.step.unwrap_or(if noisy { 0.1 * interval } else { interval })
    }

    fn runge_kutta<const L: usize, S: Stepper<L>>(&self, jobs: Vec<Job<'_>>, mut stepper: S) -> Result<()> {
        let system = self.problem.system;
        let mut rhs = ProgramRhs(Evaluator::<L>::new(system.program(), self.march.level));
        let seat = |_: &mut S, rhs: &mut ProgramRhs<'_, L>, lane: usize, p: &[f64]| rhs.0.set_parameters(lane, p);
        self.march.run(jobs.into_iter(), &mut stepper, &mut rhs, seat, |p| system.evaluate_periods(p))
    }

    fn symplectic<const L: usize>(&self, jobs: Vec<Job<'_>>, composition: &'static Composition) -> Result<()> {
        let system = self.problem.system;
        let mut stepper = Symplectic::<L>::new(composition, system.separation()?, self.step(), self.march.level);
        let mut rhs = ProgramRhs(Evaluator::<L>::new(system.program(), self.march.level));
        let seat = |stepper: &mut Symplectic<'_, L>, rhs: &mut ProgramRhs<'_, L>, lane: usize, p: &[f64]| {
            stepper.set_parameters(lane, p);
            rhs.0.set_parameters(lane, p);
        };
        self.march.run(jobs.into_iter(), &mut stepper, &mut rhs, seat, |p| system.evaluate_periods(p))
    }

    fn delay<const L: usize>(&self, jobs: Vec<Job<'_>>) -> Result<()> {
        let system = self.problem.system;
        let tolerance = self.problem.tolerance.clone();
        let (tableau, order) = match self.method {
            Method::Taylor => (None, order_for(tolerance.relative)),
            Method::Tsit5 => (Some(&TSIT5), TSIT5.order as usize),
            _ => (Some(&DOP853), DOP853.order as usize),
        };
        let memory = |job: &Job<'_>| {
            let number = (job.path - self.problem.first_path) as usize;
            let history = self.problem.histories.get(number).or(self.problem.histories.first());
            Memory::new(system, history, job.parameters, job.initial, job.start, &tolerance, order)
        };
        let single = (self.problem.start.len() == 1).then(|| jobs.first().map(|job| job.start)).flatten();
        let waiting = jobs.iter().map(memory).collect::<Result<VecDeque<_>>>()?;
        let ended = match tableau {
            Some(tableau) => self.delay_runge_kutta(jobs, tableau, waiting)?,
            None => {
                let program = system.jet_program(order);
                let mut taylor = DelayTaylor::<L>::new(system, &program, tolerance, waiting, self.march.level);
                let seat = |taylor: &mut DelayTaylor<'_, L>, _: &mut Unasked, lane: usize, p: &[f64]| {
                    taylor.set_parameters(lane, p);
                };
                self.march.run(jobs.into_iter(), &mut taylor, &mut Unasked, seat, |p| system.evaluate_periods(p))?;
                taylor.into_memory()
            }
        };
        if let (Some(start), Some(memory)) = (single, ended) {
            *self.kept.lock().expect("it is only written to") = Some(memory.into_history(start));
        }
        Ok(())
    }

    fn delay_runge_kutta(
        &self,
        jobs: Vec<Job<'_>>,
        tableau: &'static Tableau,
        waiting: VecDeque<Memory>,
    ) -> Result<Option<Memory>> {
        let system = self.problem.system;
        let tolerance = self.problem.tolerance.clone();
        let mut pair = DelayRungeKutta::new(system, tableau, tolerance, waiting, self.march.level);
        let seat = |pair: &mut DelayRungeKutta<'_>, _: &mut Unasked, _: usize, p: &[f64]| pair.set_parameters(p);
        self.march.run(jobs.into_iter(), &mut pair, &mut Unasked, seat, |p| system.evaluate_periods(p))?;
        Ok(pair.into_memory())
    }
}
