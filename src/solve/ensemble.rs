//! Many trajectories of one system: the work dealt to threads and lanes, a stepper for each method.

use super::delay::{DelayRungeKutta, Memory, Unasked};
use super::delay_taylor::DelayTaylor;
use super::event::EventLog;
use super::march::{End, Job, March, Times};
use super::method::Method;
use super::past::Past;
use super::problem::{Problem, Solution, check, room};
use super::rk4::Rk4;
use super::rosenbrock::Rosenbrock;
use super::rosenbrock_tableau::RODAS5P;
use super::runge_kutta::RungeKutta;
use super::stepper::{ProgramRhs, Stepper};
use super::stochastic::Stochastic;
use super::switching::Switching;
use super::symplectic::{Composition, SYMPLECTIC4, SYMPLECTIC8, Symplectic};
use super::tableau::{DOP853, TSIT5, Tableau};
use super::taylor::{Taylor, order_for};
use crate::error::Result;
use crate::expr::eval::Evaluator;
use crate::parallel::pool::{Monitor, pool};
use crate::parallel::simd::Level;
use crate::system::{Kind, Noise};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::sync::Mutex;

/// Lanes of a block.
const LANES: usize = 8;

/// Computes the trajectories.
///
/// # Errors
/// [`Error::Value`] for a wrong request; [`Error::Interrupted`] if the monitor asks to stop. A trajectory that does not
/// reach its end is no error: see [`Outcome`](super::Outcome).
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
