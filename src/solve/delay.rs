//! Equations with constant delays by the method of steps (Bellen & Zennaro 2003; Hairer, Norsett & Wanner 1993, II.17), and
//! their solution by Runge-Kutta pairs, one trajectory at a time. By Taylor series: `delay_taylor`.
//!
//! Delayed values are read from the polynomials of the steps already taken. No step is longer than the smallest delay, and
//! steps end on the places to which the delays carry the kink at the start.

use super::history::History;
use super::outcome::Outcome;
use super::past::{Clock, Kinks, Past, Stretch};
use super::runge_kutta::RungeKutta;
use super::step_size::finest_step;
use super::stepper::{Lanes, Piece, Rhs, Row, Stepper, Tolerance, Verdict};
use super::tableau::Tableau;
use crate::error::{Error, Result};
use crate::expr::eval::Evaluator;
use crate::parallel::simd::Level;
use crate::system::System;
use std::collections::VecDeque;

/// A step that would end so short of a kink is stretched to it; one as long as the smallest delay only by a rounding.
const STRETCH: f64 = 1.01;
const ROUNDING: f64 = 1.0 + 64.0 * f64::EPSILON;

/// Where a trajectory with delays stands.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The delays.
    pub delays: Vec<f64>,
    /// The least of them, and the largest.
    pub shortest: f64,
    longest: f64,
    /// What is remembered.
    pub past: Past,
    /// Time since the start.
    pub now: Clock,
    kinks: Kinks,
    last_kink: f64,
}

impl Memory {
    /// At the start of a run by a method of order `order`; without a history the state has always been `initial`.
    ///
    /// # Errors
    /// If a delay is not positive, or the history does not fit.
    pub fn new(
        system: &System,
        history: Option<&History>,
        parameters: &[f64],
        initial: &[f64],
        start: f64,
        tolerance: &Tolerance,
        order: usize,
    ) -> Result<Self> {
        let delays = system.evaluate_delays(parameters)?;
        let shortest = delays.iter().copied().fold(f64::INFINITY, f64::min);
        let longest = delays.iter().copied().fold(0.0, f64::max);
        let past = match history {
            None => Past::constant(initial),
            Some(history) if history.dimension() != initial.len() => {
                return Err(Error::value(format!(
                    "the history has {} variables, but the system has {}: {}",
                    history.dimension(),
                    initial.len(),
                    system.names().join(", ")
                )));
            }
            Some(history) => history.past(parameters, start, longest, tolerance)?,
        };
        let kinks = Kinks::new(&delays, order, &past.kinks);
        Ok(Self { delays, shortest, longest, past, now: Clock::default(), kinks, last_kink: 0.0 })
    }

    /// From now to the next kink.
    pub fn to_kink(&self) -> f64 {
        Clock::new(self.kinks.ahead(), 0.0).since(self.now)
    }

    /// A step of `h`, or one to the kink at or just beyond its end; and whether it is that.
    pub fn land(&self, h: f64) -> (f64, bool) {
        let left = self.to_kink();
        if left <= h.max((STRETCH * h).min(ROUNDING * self.shortest)) { (left, true) } else { (h, false) }
    }

    /// Takes a step into memory, a polynomial that may be trusted as far as `reach` on both sides of its beginning, were it
    /// not for kinks. A piece that is no longer needed is handed back.
    pub fn step(&mut self, h: f64, lands: bool, reach: f64, piece: Piece) -> Piece {
        let spare = self.past.forget(self.now, self.longest);
        let back = self.now.value() - self.last_kink;
        let holds = [-reach.min(back).max(0.0), reach.min(self.to_kink()).max(h)];
        self.past.stretches.push_back(Stretch { centre: self.now, covers: [0.0, h], holds, piece });
        if lands {
            let (time, level) = self.kinks.pass();
            self.past.kinks.push((time, level));
            (self.now, self.last_kink) = (Clock::new(time, 0.0), time);
            let oldest = time - self.longest - h;
            self.past.kinks.retain(|(time, _)| *time >= oldest);
        } else {
            self.now = self.now.advance(h);
        }
        spare.unwrap_or_default()
    }

    /// What a run from here on remembers, on a clock that shows the system's own time.
    pub fn into_history(self, start: f64) -> Past {
        let mut past = self.past;
        let first = past.kinks.first().map_or(f64::INFINITY, |kink| kink.0);
        if self.now.value() - self.longest <= 0.0 && first > 0.0 {
            past.kinks.insert(0, (0.0, 0));
        }
        for stretch in &mut past.stretches {
            stretch.centre = stretch.centre.advance(start);
            let unit = std::mem::replace(&mut stretch.piece.unit, 1.0);
            let degree = stretch.piece.degree;
            for (at, c) in stretch.piece.coefficients.iter_mut().enumerate() {
                (0..at % (degree + 1)).for_each(|_| *c /= unit);
            }
        }
        past.kinks.iter_mut().for_each(|(time, _)| *time += start);
        past
    }
}

/// For the driver, which asks for no right-hand side of its own here: a method with delays keeps them to itself.
pub struct Unasked;

impl<const L: usize> Rhs<L> for Unasked {
    fn eval(&mut self, _: &Row<L>, _: &[Row<L>], out: &mut [Row<L>]) {
        out.fill([0.0; L]);
    }
}

/// A Runge-Kutta pair that reads delayed values from memory.
pub struct DelayRungeKutta<'p> {
    pair: RungeKutta<1>,
    /// The pair's own lane, whose clock is zero at the start of each step.
    lanes: Lanes<1>,
    equations: Equations<'p>,
    /// Memories of the trajectories to come, in order.
    waiting: VecDeque<Memory>,
    memory: Option<Memory>,
    /// The step before ended on a kink, and this was the step size until then.
    landed: Option<f64>,
    spare: Piece,
    evaluations: u64,
}

/// The equations, and room for their arguments.
struct Equations<'p> {
    evaluator: Evaluator<'p, 1>,
    delayed: &'p [(usize, usize)],
    z: Vec<Row<1>>,
    evaluations: u64,
    finite: bool,
}

/// The equations as the pair sees them.
struct Adapter<'a, 'p> {
    equations: &'a mut Equations<'p>,
    memory: &'a Memory,
    /// Time at the start of the step.
    t: f64,
    /// Length of the step being tried, to tell its two ends.
    step: f64,
}

impl Rhs<1> for Adapter<'_, '_> {
    fn eval(&mut self, t: &Row<1>, y: &[Row<1>], out: &mut [Row<1>]) {
        let Self { equations, memory, .. } = self;
        let offset = t[0];
        let side = match offset {
            0.0 => 1.0,
            _ if offset == self.step => -1.0,
            _ => 0.0,
        };
        for (z, &(i, delay)) in equations.z.iter_mut().zip(equations.delayed) {
            *z = [memory.past.value(i, memory.now, offset - memory.delays[delay], side)];
        }
        equations.evaluator.eval(&[self.t + offset], y, &equations.z, out);
        equations.evaluations += 1;
        equations.finite &= out.iter().all(|row| row[0].is_finite());
    }
}

impl<'p> DelayRungeKutta<'p> {
    /// The pair `tableau` for trajectories that begin with these memories, in the order in which they are started.
    pub fn new(
        system: &'p System,
        tableau: &'static Tableau,
        tolerance: Tolerance,
        waiting: VecDeque<Memory>,
        level: Level,
    ) -> Self {
        let terms = system.delayed_terms();
        Self {
            pair: RungeKutta::new(tableau, tolerance),
            lanes: Lanes::new(system.dimension()),
            equations: Equations {
                evaluator: Evaluator::new(system.program(), level),
                delayed: terms,
                z: vec![[0.0]; terms.len()],
                evaluations: 0,
                finite: true,
            },
            waiting,
            memory: None,
            landed: None,
            spare: Piece::default(),
            evaluations: 0,
        }
    }

    /// Puts the parameters in place.
    pub fn set_parameters(&mut self, parameters: &[f64]) {
        self.equations.evaluator.set_parameters(0, parameters);
    }

    /// The memory of the trajectory that ran last.
    pub fn into_memory(self) -> Option<Memory> {
        self.memory
    }
}

impl Stepper<1> for DelayRungeKutta<'_> {
    fn start<R: Rhs<1>>(&mut self, _: &mut R, lanes: &mut Lanes<1>, _: usize) {
        self.memory = self.waiting.pop_front();
        let Some(memory) = &self.memory else { return };
        self.lanes.running = [true];
        self.lanes.y.copy_from_slice(&lanes.y);
        self.landed = None;
        let mut adapter = Adapter { equations: &mut self.equations, memory, t: lanes.t[0], step: 0.0 };
        self.pair.start(&mut adapter, &mut self.lanes, 0);
        lanes.h = self.lanes.h;
    }

    fn attempt<R: Rhs<1>>(&mut self, _: &mut R, lanes: &mut Lanes<1>) -> [Verdict; 1] {
        let Some(memory) = &mut self.memory else { return [Verdict::Idle] };
        let before = self.equations.evaluations;
        self.lanes.y.copy_from_slice(&lanes.y);
        let mut adapter = Adapter { equations: &mut self.equations, memory, t: lanes.t[0], step: 0.0 };
        if let Some(going) = self.landed.take() {
            // The derivative may jump here: take it anew from the right, but keep the step that was going well.
            self.pair.start(&mut adapter, &mut self.lanes, 0);
            lanes.h = [going];
        }
        let wanted = lanes.h[0].min(adapter.memory.shortest);
        let (h, lands) = adapter.memory.land(wanted);
        self.lanes.h = [h];
        (adapter.step, adapter.equations.finite) = (h, true);
        let mut verdict = self.pair.attempt(&mut adapter, &mut self.lanes);
        lanes.h = self.lanes.h;
        match verdict[0] {
            Verdict::Accepted => {
                self.pair.prepare_pieces(&mut adapter, &self.lanes, &[true]);
                self.pair.piece(&self.lanes, 0, &mut self.spare);
                self.landed = lands.then(|| lanes.h[0].max(wanted));
                lanes.h_taken = [h];
                lanes.y_next.copy_from_slice(&self.lanes.y_next);
                self.spare = memory.step(h, lands, h, std::mem::take(&mut self.spare));
            }
            // The pair's clock stands at zero, so the resolution of time is watched here.
            Verdict::Rejected if lanes.h[0] < finest_step(lanes.t[0].abs().max(memory.now.value())) => {
                let finite = self.equations.finite;
                verdict = [Verdict::Failed(if finite { Outcome::Stalled } else { Outcome::LeftDomain })];
            }
            _ => {}
        }
        self.evaluations = self.equations.evaluations - before;
        verdict
    }

    fn prepare_pieces<R: Rhs<1>>(&mut self, _: &mut R, _: &Lanes<1>, _: &[bool; 1]) {}

    fn piece(&self, _: &Lanes<1>, _: usize, piece: &mut Piece) {
        if let Some(stretch) = self.memory.as_ref().and_then(|memory| memory.past.stretches.back()) {
            piece.clone_from(&stretch.piece);
        }
    }

    fn evaluations_per_attempt(&self, _: usize) -> u64 {
        self.evaluations
    }
}
