//! Growth of tangent vectors along trajectories of flows and maps (Benettin et al. 1980, Meccanica 15, 9-20 and 21-30; Shimada &
//! Nagashima 1979, Prog. Theor. Phys. 61, 1605-1616): logarithms of the growth over segments of a run that can be continued.
//!
//! State and vectors are one system, so that the vectors are those of the numerical solution and share its series. Vectors are
//! orthonormalised at the ends of steps, often enough that they never come close to being parallel. Where the right-hand
//! side jumps, the vectors are turned by the saltation matrix. Not the statistics of exponents.

use super::orthonormalise::{Vectors, orthonormalise};
use super::saltation::Jumps;
use crate::error::{Error, Result};
use crate::expr::eval::Evaluator;
use crate::parallel::pool::{Monitor, pool};
use crate::parallel::simd::Level;
use crate::solve::march::wrap;
use crate::solve::runge_kutta::RungeKutta;
use crate::solve::stepper::{Lanes, ProgramRhs, Rhs, Row, Stepper, Tolerance, Verdict};
use crate::solve::tableau::DOP853;
use crate::solve::taylor::{Taylor, order_for};
use crate::system::{Kind, Switches, System};
use rayon::prelude::*;

/// What to measure.
pub struct Settings<'a> {
    /// The system.
    pub system: &'a System,
    /// Parameters, k or m x k.
    pub parameters: &'a [f64],
    /// Variables that the vectors have components in.
    pub response: &'a [usize],
    /// Number of vectors.
    pub vectors: usize,
    /// Length of a segment.
    pub duration: f64,
    /// Number of segments.
    pub segments: usize,
    /// Whether to keep states, vectors and triangular factors at the ends of segments.
    pub keep: bool,
    /// Tolerance of the state; vectors, of length 1, have its relative part.
    pub tolerance: Tolerance,
    /// Limit on the steps of a member.
    pub max_steps: u64,
    /// Step of what has a fixed step: the longest of a stochastic system, the spacing of the history of a delay system.
    pub step: Option<f64>,
    /// Seed of the noise.
    pub seed: u64,
    /// Number of the first path of noise.
    pub first_path: u64,
    /// Threads; all that are available if `None`.
    pub threads: Option<usize>,
}

/// One trajectory with its vectors: where it starts, and then what became of it.
#[derive(Clone, Debug)]
pub struct Member {
    /// State, then vectors, d + k r; of a delay system the past of these, see `tangent_delay`.
    pub y: Vec<f64>,
    /// Time.
    pub t: f64,
    /// Logarithms of growth, segments x k.
    pub logs: Vec<f64>,
    /// Length of each segment.
    pub elapsed: Vec<f64>,
    /// State and vectors at the end of each segment, if kept.
    pub states: Vec<f64>,
    /// Triangular factors of each segment, k x k, if kept.
    pub triangles: Vec<f64>,
    /// Steps.
    pub steps: u64,
}

impl Member {
    /// A member that starts at time `t` with state and vectors `y`.
    pub fn new(y: Vec<f64>, t: f64) -> Self {
        Self { y, t, logs: Vec::new(), elapsed: Vec::new(), states: Vec::new(), triangles: Vec::new(), steps: 0 }
    }
}

/// Lanes of a block.
const LANES: usize = 8;
/// A state larger than this times (1 + its size at the start) has diverged.
const DIVERGED: f64 = 1e12;
/// Attempts between looks at the monitor.
const PATIENCE: u64 = 128;
/// Systems with more variables, vectors included, are integrated without series, which would not fit into the caches.
const MOST_SERIES: usize = 150;
/// A step that would reach so much of the rest of a segment takes all of it, and what is missing of a segment by rounding.
const NEARLY: f64 = 0.999;
const ROUNDING: f64 = 1e-12;
/// Runge-Kutta methods, to which orthonormalising costs evaluations, take at most this many steps between; series, whose
/// coefficients do not outlive a step, one, and so does a map, of which a single iteration may stretch by more than there are
/// digits for.
const SELDOM: u32 = 4;
/// Orthonormalised more often where a vector has shrunk below the one, relative to another, and more seldom where none has below
/// the other: a vector that shrinks far loses its digits to the tolerance of the others.
const SKEW: f64 = 0.1;
const STRAIGHT: f64 = 0.5;

/// Runs all members through their segments.
///
/// # Errors
/// [`Error::Value`] for a wrong request and where a member does not reach its end; [`Error::Interrupted`].
pub fn grow(settings: &Settings<'_>, members: &mut [Member], monitor: &Monitor) -> Result<()> {
    let (system, m) = (settings.system, members.len());
    let (d, n) = (system.dimension(), system.dimension() + settings.vectors * settings.response.len());
    let parameters = system.parameter_names().len();
    if settings.parameters.len() != parameters && settings.parameters.len() != m * parameters {
        return Err(Error::value(format!("{m} members need {parameters} or {m} x {parameters} parameters")));
    }
    if !(settings.duration > 0.0 && settings.duration.is_finite()) {
        return Err(Error::value("the duration of a segment must be positive"));
    }
    if members.iter().any(|member| member.y.iter().any(|y| !y.is_finite())) {
        return Err(Error::value("states and vectors must be finite"));
    }
    let fits = |size: usize| match system.kind() {
        Kind::Delay => size.is_multiple_of(2 * n) && size >= 4 * n,
        _ => size == n,
    };
    if !members.iter().all(|member| fits(member.y.len())) {
        return Err(Error::value(format!("a member needs {n} numbers: {d} of the state, then its vectors")));
    }
    let run = Run {
        settings,
        augmented: &system.with_tangents(settings.vectors, settings.response),
        switches: (system.kind() == Kind::Flow && !system.is_smooth()).then(|| system.switches()),
        monitor,
        level: Level::detect(),
    };
    let mut blocks: Vec<(usize, &mut [Member])> = Vec::new();
    let lanes = if matches!(system.kind(), Kind::Flow | Kind::Map) { LANES } else { 1 };
    for (number, block) in members.chunks_mut(lanes).enumerate() {
        blocks.push((number * lanes, block));
    }
    pool(settings.threads)?.install(|| {
        blocks.into_par_iter().try_for_each(|(first, block)| match (system.kind(), block.len()) {
            (Kind::Delay, _) => (first..).zip(block).try_for_each(|(number, member)| run.remember(number, member)),
            (Kind::Stochastic, _) => (first..).zip(block).try_for_each(|(number, member)| run.diffuse(number, member)),
            (_, 1) => run.block::<1>(first, block),
            _ => run.block::<LANES>(first, block),
        })
    })
}

pub(super) struct Run<'a> {
    pub(super) settings: &'a Settings<'a>,
    pub(super) augmented: &'a System,
    switches: Option<Switches>,
    pub(super) monitor: &'a Monitor,
    pub(super) level: Level,
}

/// Where a lane stands in its segments.
pub(super) struct Progress {
    pub(super) elapsed: f64,
    segment: usize,
    pub(super) unturned: u32,
    pub(super) every: u32,
    /// At most this many steps lie between two orthonormalisations.
    seldom: u32,
    pub(super) bound: f64,
    pub(super) periods: Vec<f64>,
}

impl Run<'_> {
    pub(super) fn parameters(&self, member: usize) -> &[f64] {
        let k = self.settings.system.parameter_names().len();
        if self.settings.parameters.len() > k {
            &self.settings.parameters[member * k..(member + 1) * k]
        } else {
            self.settings.parameters
        }
    }

    fn block<const L: usize>(&self, first: usize, members: &mut [Member]) -> Result<()> {
        let mut rhs = ProgramRhs(Evaluator::<L>::new(self.augmented.program(), self.level));
        for lane in 0..members.len() {
            rhs.0.set_parameters(lane, self.parameters(first + lane));
        }
        if self.settings.system.kind() == Kind::Map {
            return self.iterate::<L>(first, members, &mut rhs);
        }
        let mut tolerance = self.settings.tolerance.clone();
        tolerance.absolute.resize(self.augmented.dimension(), tolerance.relative);
        if self.augmented.is_smooth() && self.augmented.dimension() <= MOST_SERIES {
            let program = self.augmented.jet_program(order_for(tolerance.relative));
            let mut taylor = Taylor::<L>::new(&program, tolerance, self.level);
            for lane in 0..members.len() {
                taylor.set_parameters(lane, self.parameters(first + lane));
            }
            self.flow(first, members, &mut taylor, &mut rhs, 1)
        } else {
            self.flow(first, members, &mut RungeKutta::<L>::new(&DOP853, tolerance), &mut rhs, SELDOM)
        }
    }

    pub(super) fn begin(&self, first: usize, members: &[Member], seldom: u32) -> Result<Vec<Progress>> {
        let d = self.settings.system.dimension();
        let one = |(lane, member): (usize, &Member)| {
            Ok(Progress {
                elapsed: 0.0,
                segment: 0,
                unturned: 0,
                every: 1,
                seldom,
                bound: DIVERGED * (1.0 + member.y[..d].iter().fold(0.0f64, |size, y| size.max(y.abs()))),
                periods: self.settings.system.evaluate_periods(self.parameters(first + lane))?,
            })
        };
        members.iter().enumerate().map(one).collect()
    }

    fn flow<const L: usize, S: Stepper<L>>(
        &self,
        first: usize,
        members: &mut [Member],
        stepper: &mut S,
        rhs: &mut ProgramRhs<'_, L>,
        seldom: u32,
    ) -> Result<()> {
        let (d, n) = (self.settings.system.dimension(), self.augmented.dimension());
        let mut lanes = Lanes::<L>::new(n);
        let mut low = [0.0; L];
        let mut jumps = self.switches.as_ref().map(|switches| Jumps::<L>::new(self, switches, first, members.len()));
        for (lane, member) in members.iter().enumerate() {
            lanes.t[lane] = member.t;
            (0..n).for_each(|i| lanes.y[i][lane] = member.y[i]);
        }
        for lane in 0..members.len() {
            lanes.running[lane] = self.settings.segments > 0;
            stepper.start(rhs, &mut lanes, lane);
        }
        let mut progress = self.begin(first, members, seldom)?;
        let mut vectors = Vectors::<L>::new(self.settings.vectors, self.settings.keep);
        let mut attempts = 0u64;
        while lanes.running != [false; L] {
            if attempts.is_multiple_of(PATIENCE) {
                self.monitor.check()?;
            }
            attempts += 1;
            let wanted = lanes.h;
            for lane in 0..members.len() {
                let left = self.settings.duration - progress[lane].elapsed;
                lanes.h[lane] = if lanes.h[lane] > NEARLY * left { left } else { lanes.h[lane] };
            }
            let verdict = stepper.attempt(rhs, &mut lanes);
            let mut turn = [false; L];
            let mut touched = [false; L];
            for (lane, member) in members.iter_mut().enumerate() {
                match verdict[lane] {
                    Verdict::Idle => continue,
                    Verdict::Rejected => {
                        member.steps += 1;
                        if member.steps >= self.settings.max_steps {
                            return Err(self.ended(first + lane, lanes.t[lane], "out of steps"));
                        }
                        continue;
                    }
                    Verdict::Failed(outcome) => return Err(self.ended(first + lane, lanes.t[lane], outcome.name())),
                    Verdict::Accepted => {}
                }
                // A step that was cut short at the end of a segment says nothing of the next.
                lanes.h[lane] = lanes.h[lane].max(if lanes.h_taken[lane] < wanted[lane] { wanted[lane] } else { 0.0 });
                if let Some(jumps) = &mut jumps {
                    touched[lane] = jumps.cross(&mut lanes, lane, self.settings.response);
                }
                let h = lanes.h_taken[lane];
                let change = h + low[lane];
                let t = lanes.t[lane] + change;
                let kept = t - lanes.t[lane];
                low[lane] = (lanes.t[lane] - (t - kept)) + (change - kept);
                lanes.t[lane] = t;
                let own = &mut progress[lane];
                for i in 0..n {
                    let value = lanes.y_next[i][lane];
                    lanes.y[i][lane] = value;
                    if i < d {
                        if !(value.abs() <= own.bound) {
                            return Err(self.ended(first + lane, t, "diverged"));
                        }
                        let period = own.periods[i];
                        if !period.is_nan() && value.abs() >= 0.5 * period {
                            lanes.y[i][lane] = wrap(value, period);
                            stepper.shifted(lane, i);
                        }
                    }
                }
                own.elapsed += h;
                own.unturned += 1;
                member.steps += 1;
                if member.steps >= self.settings.max_steps {
                    return Err(self.ended(first + lane, t, "out of steps"));
                }
                turn[lane] = own.unturned >= own.every || own.elapsed >= self.settings.duration * (1.0 - ROUNDING);
            }
            if turn != [false; L] {
                self.turn(first, members, &mut lanes, &turn, &mut vectors, &mut progress)?;
            }
            for lane in 0..members.len() {
                if (turn[lane] || touched[lane]) && lanes.running[lane] {
                    // What the method remembers of the vectors is no longer true; its step is.
                    let h = lanes.h[lane];
                    stepper.start(rhs, &mut lanes, lane);
                    lanes.h[lane] = h;
                }
            }
        }
        Ok(())
    }

    /// Iterates a map. Every member has as many iterations as the others, so that all lanes go in step.
    fn iterate<const L: usize>(&self, first: usize, members: &mut [Member], rhs: &mut ProgramRhs<'_, L>) -> Result<()> {
        let (d, n) = (self.settings.system.dimension(), self.augmented.dimension());
        let mut lanes = Lanes::<L>::new(n);
        for (lane, member) in members.iter().enumerate() {
            lanes.t[lane] = member.t;
            (0..n).for_each(|i| lanes.y[i][lane] = member.y[i]);
            lanes.running[lane] = self.settings.segments > 0;
        }
        let mut progress = self.begin(first, members, 1)?;
        let mut vectors = Vectors::<L>::new(self.settings.vectors, self.settings.keep);
        let bounds: Row<L> = std::array::from_fn(|lane| progress.get(lane).map_or(f64::INFINITY, |own| own.bound));
        let angles: Vec<bool> = (0..d).map(|i| progress.iter().any(|own| !own.periods[i].is_nan())).collect();
        let mut number = 0u64;
        while lanes.running != [false; L] {
            if number.is_multiple_of(8 * PATIENCE) {
                self.monitor.check()?;
            }
            number += 1;
            rhs.eval(&lanes.t, &lanes.y, &mut lanes.y_next);
            std::mem::swap(&mut lanes.y, &mut lanes.y_next);
            for (i, y) in lanes.y[..d].iter_mut().enumerate() {
                let mut within = true;
                for lane in 0..L {
                    within &= !lanes.running[lane] | (y[lane].abs() <= bounds[lane]);
                }
                if !within {
                    let lane = (0..members.len()).find(|&lane| !(y[lane].abs() <= bounds[lane])).unwrap_or(0);
                    let outcome = if y[lane].is_nan() { "left domain" } else { "diverged" };
                    return Err(self.ended(first + lane, lanes.t[lane], outcome));
                }
                if angles[i] {
                    y.iter_mut().zip(&progress).for_each(|(y, own)| *y = wrap(*y, own.periods[i]));
                }
            }
            lanes.t.iter_mut().for_each(|t| *t += 1.0);
            progress.iter_mut().for_each(|own| own.elapsed += 1.0);
            let turn = lanes.running;
            self.turn(first, members, &mut lanes, &turn, &mut vectors, &mut progress)?;
        }
        members.iter_mut().for_each(|member| member.steps += number);
        Ok(())
    }

    /// Orthonormalises the vectors of the lanes and closes the segments that are over.
    pub(super) fn turn<const L: usize>(
        &self,
        first: usize,
        members: &mut [Member],
        lanes: &mut Lanes<L>,
        turn: &[bool; L],
        Vectors { factors, growth }: &mut Vectors<L>,
        progress: &mut [Progress],
    ) -> Result<()> {
        let d = self.settings.system.dimension();
        let good = orthonormalise(self.level, &mut lanes.y[d..], self.settings.response.len(), turn, factors);
        let skew = growth.add(factors, turn);
        for (lane, member) in members.iter_mut().enumerate() {
            if !turn[lane] {
                continue;
            }
            if !good[lane] {
                return Err(Error::value(format!(
                    "tangent vectors of member {} vanish or grow beyond all bounds at {}: ask for fewer exponents",
                    first + lane,
                    lanes.t[lane]
                )));
            }
            let own = &mut progress[lane];
            own.every = if skew[lane] < SKEW {
                (own.every / 2).max(1)
            } else if skew[lane] > STRAIGHT {
                (2 * own.every).min(own.seldom)
            } else {
                own.every
            };
            own.unturned = 0;
            if own.elapsed >= self.settings.duration * (1.0 - ROUNDING) {
                let (logs, triangle) = growth.close(lane);
                member.logs.extend(logs);
                member.elapsed.push(own.elapsed);
                if let Some(triangle) = triangle {
                    member.triangles.extend(triangle);
                    member.states.extend(lanes.y.iter().map(|row| row[lane]));
                }
                own.elapsed = 0.0;
                own.segment += 1;
                if own.segment == self.settings.segments {
                    lanes.running[lane] = false;
                    member.y = lanes.y.iter().map(|row| row[lane]).collect();
                    member.t = lanes.t[lane];
                }
            }
        }
        Ok(())
    }

    pub(super) fn ended(&self, member: usize, t: f64, outcome: &str) -> Error {
        Error::value(format!("member {member} ended at {t} ({outcome})"))
    }
}
