//! Equations with constant delays, one trajectory at a time, by the method of steps.
//!
//! Delayed values are read from the interpolants of the steps already taken (Hairer, Norsett & Wanner 1993, II.17). No step is
//! longer than the smallest delay, and steps end on the places to which the delays carry the kink at the start. Time is
//! counted from the start in two numbers, so that delayed values stay exact however long the run.

use std::collections::VecDeque;

use super::outcome::{Outcome, Work};
use super::runge_kutta::RungeKutta;
use super::step_size::finest_step;
use super::stepper::{Lanes, Piece, Rhs, Stepper, Tolerance, Verdict};
use super::tableau::DOP853;
use crate::error::{Error, Result};

/// Kinks are followed through this many delays; each makes them one order smoother, and the method has order 8.
const LEVELS: usize = 8;

/// At most this many kinks are remembered. Error control deals with the others, at the price of steps.
const MOST_BREAKPOINTS: usize = 4096;

/// Steps between two looks at whether the caller asked to stop.
const POLL: u64 = 64;

/// A right-hand side with constant delays.
pub trait DelayRhs {
    /// The delayed values that the equations need: (state variable, delay).
    fn delayed(&self) -> &[(usize, usize)];
    /// The delays, all positive.
    fn delays(&self) -> &[f64];
    /// Derivatives at time `t` and state `y`, with delayed values `z` in the order of [`DelayRhs::delayed`].
    fn eval(&mut self, t: f64, y: &[f64], z: &[f64], out: &mut [f64]);
}

/// A state as a function of time.
pub type Past<'a> = &'a dyn Fn(f64, &mut [f64]);

/// What is asked for.
pub struct DelayProblem<'a> {
    /// State at the start, and before it where there is no history.
    pub initial: &'a [f64],
    /// The state at times before the start.
    pub history: Option<Past<'a>>,
    /// Where the trajectory begins.
    pub start: f64,
    /// Times of the samples, increasing, none before the start.
    pub times: &'a [f64],
    /// Error tolerances.
    pub tolerance: Tolerance,
    /// Most steps to try, rejected ones included.
    pub max_steps: u64,
    /// A variable larger than this has diverged.
    pub bound: f64,
}

/// How the trajectory ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DelayEnd {
    /// How.
    pub outcome: Outcome,
    /// Time of the stop, NaN where the outcome is [`Outcome::Ok`].
    pub stop_time: f64,
    /// Work done.
    pub work: Work,
}

/// Time since the start as an unevaluated sum of two numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    high: f64,
    low: f64,
}

impl Clock {
    fn advance(self, step: f64) -> Self {
        let (sum, rest) = two_sum(self.high, step);
        let (high, low) = two_sum(sum, rest + self.low);
        Self { high, low }
    }

    fn since(self, earlier: Clock) -> f64 {
        (self.high - earlier.high) + (self.low - earlier.low)
    }
}

/// `a + b` and what its rounding lost (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// The steps taken so far, as far back as the largest delay.
struct History<'a> {
    start: f64,
    initial: &'a [f64],
    before: Option<Past<'a>>,
    pieces: VecDeque<(Clock, f64, Piece)>,
    /// Bound on the rounding of a delayed time, by which a time at a seam may land on the wrong side.
    slack: f64,
    scratch: Vec<f64>,
}

impl History<'_> {
    /// Variable `i` at `offset` after `base`; `side` is +1 (-1) where the time may lie on a seam and the value just
    /// after (before) it is meant, else 0.
    fn value(&mut self, i: usize, base: Clock, offset: f64, side: f64) -> f64 {
        let nudged = side.mul_add(self.slack, offset);
        let found = self.pieces.partition_point(|(begin, ..)| base.since(*begin) + nudged >= 0.0);
        if let Some((begin, length, piece)) = found.checked_sub(1).map(|k| &self.pieces[k]) {
            return piece.eval(i, (base.since(*begin) + offset).clamp(0.0, *length));
        }
        match self.before {
            None => self.initial[i],
            Some(_) if self.pieces.is_empty() && base.high + offset >= 0.0 && side >= 0.0 => self.initial[i],
            Some(function) => {
                function(self.start + (base.high + offset).min(0.0), &mut self.scratch);
                self.scratch[i]
            }
        }
    }

    /// Forget what ended before `oldest` (relative to `now`); a forgotten piece is handed back for its memory.
    fn forget(&mut self, now: Clock, oldest: f64) -> Option<Piece> {
        let &(begin, length, _) = self.pieces.front()?;
        (now.since(begin) - length > oldest).then(|| self.pieces.pop_front().map(|(.., piece)| piece))?
    }
}

/// The equations as the stepper sees them: its clock is zero at the start of each step.
struct Adapter<'a, E: ?Sized> {
    equations: &'a mut E,
    history: History<'a>,
    now: Clock,
    /// Length of the step being tried, to tell its two ends.
    step: f64,
    y: Vec<f64>,
    z: Vec<f64>,
    out: Vec<f64>,
    finite: bool,
    evaluations: u64,
}

impl<E: DelayRhs + ?Sized> Rhs<1> for Adapter<'_, E> {
    fn eval(&mut self, t: &[f64; 1], y: &[[f64; 1]], out: &mut [[f64; 1]]) {
        let offset = t[0];
        let side = if offset == 0.0 {
            1.0
        } else if offset == self.step {
            -1.0
        } else {
            0.0
        };
        for k in 0..self.z.len() {
            let (i, delay) = self.equations.delayed()[k];
            self.z[k] = self.history.value(i, self.now, offset - self.equations.delays()[delay], side);
        }
        for (flat, row) in self.y.iter_mut().zip(y) {
            *flat = row[0];
        }
        let time = self.history.start + (self.now.high + (self.now.low + offset));
        self.equations.eval(time, &self.y, &self.z, &mut self.out);
        self.evaluations += 1;
        for (row, &value) in out.iter_mut().zip(&self.out) {
            self.finite &= value.is_finite();
            row[0] = value;
        }
    }
}

/// Times since the start at which the solution is not smooth: sums of up to [`LEVELS`] delays, increasing.
pub fn breakpoints(delays: &[f64], end: f64) -> Vec<f64> {
    let mut all: Vec<f64> = Vec::new();
    let mut level = vec![0.0];
    for _ in 0..LEVELS {
        let sums = level.iter().flat_map(|&base| delays.iter().map(move |&delay| base + delay));
        level = sums.filter(|&time| time <= end).collect();
        level.sort_by(f64::total_cmp);
        merge(&mut level);
        all.extend(&level);
        all.sort_by(f64::total_cmp);
        merge(&mut all);
        if all.len() > MOST_BREAKPOINTS || level.len() > MOST_BREAKPOINTS {
            all.truncate(MOST_BREAKPOINTS);
            break;
        }
    }
    all
}

/// Drop times that differ from their neighbour by rounding only.
fn merge(times: &mut Vec<f64>) {
    times.dedup_by(|later, earlier| *later - *earlier <= 16.0 * f64::EPSILON * later.abs());
}

fn check<E: DelayRhs + ?Sized>(equations: &E, problem: &DelayProblem<'_>, samples: &[f64]) -> Result<()> {
    let n = problem.initial.len();
    if let Some(delay) = equations.delays().iter().find(|delay| !(delay.is_finite() && **delay > 0.0)) {
        return Err(Error::value(format!("a delay is {delay}; delays must be positive and finite")));
    }
    if problem.tolerance.absolute.len() != n {
        let given = problem.tolerance.absolute.len();
        return Err(Error::value(format!("{given} absolute tolerances for {n} state variables")));
    }
    if samples.len() != n * problem.times.len() {
        let (given, times) = (samples.len(), problem.times.len());
        return Err(Error::value(format!("room for {given} numbers, but {times} samples of {n} variables")));
    }
    let increasing = problem.times.windows(2).all(|pair| pair[0] < pair[1]);
    if !increasing || problem.times.iter().chain([&problem.start]).any(|t| !t.is_finite()) {
        return Err(Error::value("sample times must be finite and increasing"));
    }
    if problem.times.first().is_some_and(|&t| t < problem.start) {
        let (first, start) = (problem.times[0], problem.start);
        return Err(Error::value(format!("the first sample is at t = {first}, before the start at t = {start}")));
    }
    Ok(())
}

/// Solve one trajectory with `dop853`, sampled into `samples` (times by variables, row-major; NaN after a stop).
///
/// # Errors
/// [`Error::Value`] for a delay that is not positive, times that do not increase or wrong lengths;
/// [`Error::Interrupted`] if `stop` returned true.
pub fn solve_delay<E: DelayRhs + ?Sized>(
    equations: &mut E,
    problem: &DelayProblem<'_>,
    stop: &dyn Fn() -> bool,
    samples: &mut [f64],
) -> Result<DelayEnd> {
    check(equations, problem, samples)?;
    samples.fill(f64::NAN);
    let n = problem.initial.len();
    let times = problem.times;
    let end = times.last().map_or(0.0, |t| t - problem.start);
    let shortest = equations.delays().iter().copied().fold(f64::INFINITY, f64::min);
    let longest = equations.delays().iter().copied().fold(0.0, f64::max);
    let seams = breakpoints(equations.delays(), end + longest);
    let mut ahead = seams.iter().copied().peekable();
    let mut adapter = Adapter {
        history: History {
            start: problem.start,
            initial: problem.initial,
            before: problem.history,
            pieces: VecDeque::new(),
            slack: 8.0 * f64::EPSILON * (seams.last().unwrap_or(&0.0) + longest),
            scratch: vec![0.0; n],
        },
        now: Clock::default(),
        step: 0.0,
        y: vec![0.0; n],
        z: vec![0.0; equations.delayed().len()],
        out: vec![0.0; n],
        finite: true,
        evaluations: 0,
        equations,
    };
    let mut stepper = RungeKutta::<1>::new(&DOP853, problem.tolerance.clone());
    let mut lanes = Lanes::<1>::new(n);
    lanes.running = [true];
    for (row, &value) in lanes.y.iter_mut().zip(problem.initial) {
        row[0] = value;
    }
    let mut work = Work::default();
    let mut next = times.iter().take_while(|&&t| t == problem.start).count();
    for sample in samples.chunks_exact_mut(n.max(1)).take(next) {
        sample.copy_from_slice(problem.initial);
    }
    let mut outcome = Outcome::Ok;
    let mut spare = Piece::default();
    stepper.start(&mut adapter, &mut lanes, 0);
    while next < times.len() {
        let tried = work.steps + work.rejected;
        if tried.is_multiple_of(POLL) && stop() {
            return Err(Error::Interrupted);
        }
        if tried >= problem.max_steps {
            outcome = Outcome::OutOfSteps;
            break;
        }
        let wanted = lanes.h[0];
        let mut h = wanted.min(shortest);
        let left = ahead.peek().map_or(f64::INFINITY, |&seam| Clock { high: seam, low: 0.0 }.since(adapter.now));
        let lands = left <= h.max((1.01 * h).min(shortest));
        if lands {
            h = left;
        }
        lanes.h[0] = h;
        (adapter.step, adapter.finite) = (h, true);
        match stepper.attempt(&mut adapter, &mut lanes)[0] {
            Verdict::Accepted => {}
            Verdict::Failed(failure) => {
                outcome = failure;
                break;
            }
            Verdict::Rejected | Verdict::Idle => {
                work.rejected += 1;
                // The stepper's clock stands at zero, so the resolution of time is watched here.
                if lanes.h[0] < finest_step((problem.start + adapter.now.high).abs().max(adapter.now.high)) {
                    outcome = if adapter.finite { Outcome::Stalled } else { Outcome::LeftDomain };
                    break;
                }
                continue;
            }
        }
        work.steps += 1;
        stepper.prepare_pieces(&mut adapter, &lanes, &[true]);
        stepper.piece(&lanes, 0, &mut spare);
        if lanes.y_next.iter().any(|row| !row[0].is_finite() || row[0].abs() > problem.bound) {
            outcome = Outcome::Diverged;
            break;
        }
        while next < times.len() {
            let (since, rest) = two_sum(times[next], -problem.start);
            let offset = Clock { high: since, low: rest }.since(adapter.now);
            if offset > h {
                break;
            }
            for (i, value) in samples[next * n..(next + 1) * n].iter_mut().enumerate() {
                *value = spare.eval(i, offset);
            }
            next += 1;
        }
        let begin = adapter.now;
        adapter.history.pieces.push_back((begin, h, std::mem::take(&mut spare)));
        adapter.now = match ahead.peek() {
            Some(&seam) if lands => Clock { high: seam, low: 0.0 },
            _ => begin.advance(h),
        };
        if let Some(piece) = adapter.history.forget(adapter.now, longest) {
            spare = piece;
        }
        std::mem::swap(&mut lanes.y, &mut lanes.y_next);
        if lands {
            // The derivative may jump here: take it anew from the right, but keep the step that was going well.
            ahead.next();
            let going = lanes.h[0].max(wanted.min(shortest));
            adapter.step = 0.0;
            stepper.start(&mut adapter, &mut lanes, 0);
            lanes.h[0] = going;
        }
    }
    work.evaluations = adapter.evaluations;
    let stop_time = match outcome {
        Outcome::Ok => f64::NAN,
        _ => problem.start + (adapter.now.high + adapter.now.low),
    };
    Ok(DelayEnd { outcome, stop_time, work })
}
