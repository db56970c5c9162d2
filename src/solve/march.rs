//! Driving a method: deals trajectories to lanes, keeps their clocks, ends the runs. Not the samples in a step: see `sampling`.
//!
//! A lane that finishes is given the next trajectory at once. Steps never bend towards sample times or towards the end,
//! so samples are values of one solution, whatever is asked of it, and a longer run begins with the bits of a shorter one.

use super::event::{EventLog, Watch, Watcher};
use super::outcome::{Outcome, Work};
use super::sampling::Sampler;
use super::step_size::smallest_step;
use super::stepper::{Lanes, Piece, Rhs, Row, Stepper, Verdict};
use crate::error::Result;
use crate::parallel::pool::Monitor;
use crate::parallel::simd::{Level, kernel};

/// When to sample.
#[derive(Clone, Copy, Debug)]
pub enum Times<'a> {
    /// 0, dt, 2 dt, …
    Uniform {
        /// Interval.
        dt: f64,
        /// Number of samples.
        n: usize,
    },
    /// Increasing times.
    Given(&'a [f64]),
}

impl Times<'_> {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Times::Uniform { n, .. } => *n,
            Times::Given(times) => times.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Time of sample `j`.
    #[inline(always)]
    pub fn at(&self, j: usize) -> f64 {
        match self {
            Times::Uniform { dt, .. } => j as f64 * dt,
            Times::Given(times) => times[j],
        }
    }

    /// Times of the `N` samples from `first` on; beyond the last, whatever.
    #[inline(always)]
    pub(super) fn block<const N: usize>(&self, first: usize) -> [f64; N] {
        let mut block = [f64::INFINITY; N];
        match self {
            // Whole numbers this size add exactly.
            Times::Uniform { dt, .. } => {
                let first = first as f64;
                for (m, time) in block.iter_mut().enumerate() {
                    *time = (first + m as f64) * dt;
                }
            }
            Times::Given(times) => block.iter_mut().zip(&times[first..]).for_each(|(time, given)| *time = *given),
        }
        block
    }
}

/// One trajectory to compute, and where its samples go.
pub struct Job<'a> {
    /// State at the start.
    pub initial: &'a [f64],
    /// Parameters.
    pub parameters: &'a [f64],
    /// Time of the start, not after the first sample.
    pub start: f64,
    /// Its number, for noise.
    pub path: u64,
    /// Samples, n x d.
    pub samples: &'a mut [f64],
    /// How it ended, when, and the work.
    pub end: &'a mut End,
    /// Its events.
    pub log: &'a mut EventLog,
}

/// How a trajectory ended.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Outcome.
    pub outcome: Outcome,
    /// Time of the stop; NaN if all samples were reached.
    pub time: f64,
    /// Work.
    pub work: Work,
    /// Whether a method that may switch did.
    pub switched: bool,
}

impl Default for End {
    fn default() -> Self {
        Self { outcome: Outcome::Ok, time: f64::NAN, work: Work::default(), switched: false }
    }
}

/// A state larger than this times (1 + its size at the start) has diverged.
pub(crate) const DIVERGED: f64 = 1e12;
/// A run that stalls with a state this much larger than at its start has diverged as well: a pole lies ahead.
const RUNAWAY: f64 = 1e6;
/// Accepted steps in a row that are finer than the clock before a run has stalled: a jump asks for a few of them, the edge
/// of the domain for ever more.
const CREEP: u32 = 1000;
/// How far ahead, in units of 1 + |t|, a stalled run looks for the edge of the domain.
const AHEAD: f64 = 1e-6;
/// Attempts between looks at the monitor.
const PATIENCE: u32 = 128;

/// Limits and context of a run.
pub struct March<'a> {
    /// When to sample.
    pub times: Times<'a>,
    /// Limit on accepted and rejected steps of one trajectory.
    pub max_steps: u64,
    /// Heard at regular intervals.
    pub monitor: &'a Monitor,
    /// Vector unit.
    pub level: Level,
    /// Events to look for.
    pub watch: Option<&'a Watch<'a>>,
    /// Whether angles are wrapped in the samples only, because the run remembers earlier states and compares with them.
    pub unwrapped: bool,
}

/// What the driver remembers of a lane.
pub(super) struct Seat<'a, 'w> {
    pub(super) job: Job<'a>,
    watcher: Option<Watcher<'w>>,
    pub(super) next_sample: usize,
    size_at_start: f64,
    pub(super) periods: Vec<f64>,
    reported: usize,
    creep: u32,
}

/// What the driver remembers of all lanes, side by side.
pub(super) struct Clocks<const L: usize> {
    /// Low part of each clock: the time is `lanes.t + low` to twice the precision.
    pub(super) low: Row<L>,
    /// Time of the next sample.
    pub(super) next: Row<L>,
    /// A state larger than this has diverged.
    bound: Row<L>,
    /// How much of the accepted step counts: all of it, or the part up to the event that stops the trajectory.
    pub(super) limit: Row<L>,
}

kernel! {
    /// Moves the accepted lanes to the ends of their steps, clocks by compensated summation; tells which have diverged.
    fn move_on<const L: usize>(lanes: &mut Lanes<L>, accepted: &[bool; L], low: &mut Row<L>, bound: &Row<L>) -> [bool; L] {
        for l in 0..L {
            let change = lanes.h_taken[l] + low[l];
            let t = lanes.t[l] + change;
            let kept = t - lanes.t[l];
            let lost = (lanes.t[l] - (t - kept)) + (change - kept);
            low[l] = if accepted[l] { lost } else { low[l] };
            lanes.t[l] = if accepted[l] { t } else { lanes.t[l] };
        }
        let mut diverged = [false; L];
        for (y, y_next) in lanes.y.iter_mut().zip(&lanes.y_next) {
            for l in 0..L {
                diverged[l] |= accepted[l] && !(y_next[l].abs() <= bound[l]);
                y[l] = if accepted[l] { y_next[l] } else { y[l] };
            }
        }
        diverged
    }
}

/// Moves an angle by whole periods into [-P/2, P/2).
#[inline]
pub fn wrap(angle: f64, period: f64) -> f64 {
    if angle.abs() < 0.5 * period { angle } else { angle - period * (angle / period + 0.5).floor() }
}

impl<const L: usize> Clocks<L> {
    /// From the start of the step to the next sample.
    #[inline(always)]
    pub(super) fn offset(&self, lanes: &Lanes<L>, l: usize) -> f64 {
        (self.next[l] - lanes.t[l]) - self.low[l]
    }
}

impl March<'_> {
    /// Runs all `jobs` on `L` lanes. `seat` is called when a trajectory takes a lane, to set its parameters;
    /// `periods` gives the periods of its angles (NaN elsewhere).
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted) if the monitor asks to stop.
    pub fn run<'j, const L: usize, S: Stepper<L>, R: Rhs<L>>(
        &self,
        jobs: impl Iterator<Item = Job<'j>>,
        stepper: &mut S,
        rhs: &mut R,
        mut seat: impl FnMut(&mut S, &mut R, usize, &[f64]),
        periods: impl Fn(&[f64]) -> Result<Vec<f64>>,
    ) -> Result<()> {
        let mut jobs = jobs.peekable();
        let Some(d) = jobs.peek().map(|job| job.initial.len()) else { return Ok(()) };
        let mut lanes = Lanes::<L>::new(d);
        let mut seats: [Option<Seat<'j, '_>>; L] = std::array::from_fn(|_| None);
        let mut clocks = Clocks { low: [0.0; L], next: [0.0; L], bound: [0.0; L], limit: [0.0; L] };
        let mut sampler = Sampler::new(d);
        let mut countdown = 0;
        loop {
            if countdown == 0 {
                self.monitor.check()?;
                countdown = PATIENCE;
                seats.iter_mut().flatten().for_each(|seat| self.report(seat));
            }
            countdown -= 1;
            for lane in 0..L {
                while seats[lane].is_none() {
                    let Some(job) = jobs.next() else { break };
                    let periods = periods(job.parameters)?;
                    seat(stepper, rhs, lane, job.parameters);
                    seats[lane] = self.begin(job, periods, stepper, rhs, &mut lanes, &mut clocks, lane);
                }
                lanes.running[lane] = seats[lane].is_some();
            }
            if lanes.running == [false; L] {
                return Ok(());
            }
            let verdict = stepper.attempt(rhs, &mut lanes);
            let accepted = verdict.map(|verdict| verdict == Verdict::Accepted);
            clocks.limit = lanes.h_taken;
            let watched: [bool; L] = std::array::from_fn(|l| accepted[l] && self.watch.is_some());
            let mut wanted: [bool; L] =
                std::array::from_fn(|l| accepted[l] && clocks.offset(&lanes, l) <= clocks.limit[l]);
            let mut stopped = [false; L];
            if wanted != [false; L] || watched != [false; L] {
                stepper.prepare_pieces(rhs, &lanes, &std::array::from_fn(|l| wanted[l] || watched[l]));
                if watched != [false; L] {
                    stopped = self.look(stepper, &mut seats, &mut lanes, &mut clocks, &watched, &mut sampler.piece);
                    wanted = std::array::from_fn(|l| wanted[l] && clocks.offset(&lanes, l) <= clocks.limit[l]);
                }
                self.sample_steps(stepper, &mut seats, &lanes, &mut clocks, &wanted, &mut sampler);
                lanes.h_taken = clocks.limit;
            }
            let diverged = move_on(self.level, &mut lanes, &accepted, &mut clocks.low, &clocks.bound);
            for lane in 0..L {
                let Some(seat) = &mut seats[lane] else { continue };
                seat.job.end.work.evaluations += stepper.evaluations_per_attempt(lane);
                let mut outcome = None;
                match verdict[lane] {
                    Verdict::Accepted => {
                        seat.job.end.work.steps += 1;
                        outcome = self.moved(seat, stepper, &mut lanes, lane, diverged[lane]);
                        outcome = if stopped[lane] { Some(Outcome::Stopped) } else { outcome };
                    }
                    Verdict::Rejected => seat.job.end.work.rejected += 1,
                    Verdict::Failed(reason) => outcome = Some(reason),
                    Verdict::Idle => {}
                }
                let work = seat.job.end.work;
                if outcome.is_none() && work.steps + work.rejected >= self.max_steps {
                    outcome = Some(Outcome::OutOfSteps);
                }
                if seat.next_sample == self.times.len() {
                    outcome = Some(Outcome::Ok);
                }
                if let Some(outcome) = outcome {
                    let seat = seats[lane].take().expect("the seat is taken");
                    seat.job.end.switched = stepper.switched(lane);
                    self.finish(seat, outcome, rhs, &lanes, lane);
                }
            }
        }
    }

    fn begin<'j, const L: usize, S: Stepper<L>, R: Rhs<L>>(
        &self,
        job: Job<'j>,
        periods: Vec<f64>,
        stepper: &mut S,
        rhs: &mut R,
        lanes: &mut Lanes<L>,
        clocks: &mut Clocks<L>,
        lane: usize,
    ) -> Option<Seat<'j, '_>> {
        if self.times.is_empty() {
            return None;
        }
        lanes.t[lane] = job.start;
        let mut size_at_start = 0.0f64;
        for (i, &x) in job.initial.iter().enumerate() {
            let x = if periods[i].is_nan() || self.unwrapped { x } else { wrap(x, periods[i]) };
            lanes.y[i][lane] = x;
            size_at_start = size_at_start.max(x.abs());
        }
        stepper.start(rhs, lanes, lane);
        // A sample at the start is the initial state, also where the equations are not defined there.
        let mut next_sample = 0;
        if self.times.at(0) <= job.start {
            for (i, &period) in periods.iter().enumerate() {
                let x = lanes.y[i][lane];
                job.samples[i] = if period.is_nan() { x } else { wrap(x, period) };
            }
            next_sample = 1;
            if self.times.len() == 1 {
                self.monitor.advance(1);
                return None;
            }
        }
        clocks.low[lane] = 0.0;
        clocks.next[lane] = self.times.at(next_sample);
        clocks.bound[lane] = DIVERGED * (1.0 + size_at_start);
        let watcher = self.watch.map(|watch| Watcher::new(watch, job.parameters, &periods, self.level));
        Some(Seat { job, watcher, next_sample, size_at_start, periods, reported: 0, creep: 0 })
    }

    /// Looks for events in the accepted steps of the `watched` lanes. Where one stops the trajectory, the limit of the step
    /// and the state at its end are set to the event.
    fn look<const L: usize, S: Stepper<L>>(
        &self,
        stepper: &S,
        seats: &mut [Option<Seat<'_, '_>>; L],
        lanes: &mut Lanes<L>,
        clocks: &mut Clocks<L>,
        watched: &[bool; L],
        piece: &mut Piece,
    ) -> [bool; L] {
        let mut stopped = [false; L];
        for lane in (0..L).filter(|&lane| watched[lane]) {
            let Some(seat) = &mut seats[lane] else { continue };
            let Some(watcher) = &mut seat.watcher else { continue };
            stepper.piece(lanes, lane, piece);
            let until = (self.times.at(self.times.len() - 1) - lanes.t[lane]) - clocks.low[lane];
            if let Some(tau) = watcher.look(lanes, lane, clocks.low[lane], piece, until, seat.job.log) {
                (stopped[lane], clocks.limit[lane]) = (true, tau);
                for (i, y_next) in lanes.y_next.iter_mut().enumerate() {
                    y_next[lane] = piece.eval(i, tau);
                }
            }
        }
        stopped
    }

    fn report(&self, seat: &mut Seat<'_, '_>) {
        self.monitor.advance((seat.next_sample - seat.reported) as u64);
        seat.reported = seat.next_sample;
    }

    /// Wraps the angles of a lane at the end of its accepted step, and tells whether the run ends there.
    fn moved<const L: usize, S: Stepper<L>>(
        &self,
        seat: &mut Seat<'_, '_>,
        stepper: &mut S,
        lanes: &mut Lanes<L>,
        lane: usize,
        diverged: bool,
    ) -> Option<Outcome> {
        seat.creep = if lanes.h_taken[lane] >= smallest_step(lanes.t[lane]) { 0 } else { seat.creep + 1 };
        for (i, &period) in seat.periods.iter().enumerate() {
            if !period.is_nan() && !self.unwrapped && lanes.y[i][lane].abs() >= 0.5 * period {
                lanes.y[i][lane] = wrap(lanes.y[i][lane], period);
                stepper.shifted(lane, i);
            }
        }
        if diverged { Some(Outcome::Diverged) } else { (seat.creep > CREEP).then_some(Outcome::Stalled) }
    }

    fn finish<const L: usize, R: Rhs<L>>(
        &self,
        mut seat: Seat<'_, '_>,
        outcome: Outcome,
        rhs: &mut R,
        lanes: &Lanes<L>,
        lane: usize,
    ) {
        let mut outcome = outcome;
        if matches!(outcome, Outcome::Stalled | Outcome::LeftDomain) {
            let size = lanes.y.iter().fold(0.0f64, |size, row| size.max(row[lane].abs()));
            if size > RUNAWAY * (1.0 + seat.size_at_start) {
                outcome = Outcome::Diverged;
            } else if edge_ahead(rhs, lanes, lane) {
                outcome = Outcome::LeftDomain;
            }
        }
        seat.job.end.outcome = outcome;
        if outcome != Outcome::Ok {
            seat.job.end.time = lanes.t[lane];
            let d = seat.job.initial.len();
            seat.job.samples[seat.next_sample * d..].fill(f64::NAN);
            seat.next_sample = self.times.len();
        }
        self.report(&mut seat);
    }
}

/// Whether the equations cease to be defined a little way along the present direction.
fn edge_ahead<const L: usize, R: Rhs<L>>(rhs: &mut R, lanes: &Lanes<L>, lane: usize) -> bool {
    let mut slope = vec![[0.0; L]; lanes.y.len()];
    rhs.eval(&lanes.t, &lanes.y, &mut slope);
    let ahead = AHEAD * (1.0 + lanes.t[lane].abs());
    let mut y = lanes.y.clone();
    y.iter_mut().zip(&slope).for_each(|(y, slope)| y[lane] += ahead * slope[lane]);
    rhs.eval(&lanes.t, &y, &mut slope);
    slope.iter().any(|slope| !slope[lane].is_finite())
}
