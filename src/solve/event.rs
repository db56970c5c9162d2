//! Events: where an expression of time and state passes through zero, located to round-off on the accepted steps.
//!
//! An accepted step is a polynomial, so that the expression g and its derivative along the flow g' are known everywhere in it.
//! Stretches are halved until a cubic through their ends tells their middle; a change of sign is then one crossing, and where g
//! turns back inside a stretch the extremum decides whether there are two. Signs are carried from step to step: no
//! crossing is lost or counted twice at a seam. Lanes never influence each other.

use super::march::wrap;
use super::stepper::{Lanes, Piece};
use crate::expr::eval::Evaluator;
use crate::expr::program::Program;
use crate::parallel::simd::Level;

/// Which crossings of an expression count, and how many are enough.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// 1 for crossings from below, -1 for those from above, 0 for both.
    pub direction: i8,
    /// The trajectory stops with the crossing of this number; never if `None`.
    pub limit: Option<usize>,
}

/// What to look for in every trajectory.
#[derive(Clone, Debug)]
pub struct Watch<'a> {
    /// Outputs: the expressions, then their derivatives along the flow.
    pub program: &'a Program,
    /// One for each expression.
    pub conditions: Vec<Condition>,
    /// Crossings before this time do not count.
    pub from: f64,
}

/// The crossings of one trajectory, in order of time.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    /// Times.
    pub t: Vec<f64>,
    /// Which expression.
    pub condition: Vec<usize>,
    /// 1 from below, -1 from above.
    pub direction: Vec<i8>,
    /// States, one after the other.
    pub x: Vec<f64>,
}

/// A crossing inside a step.
#[derive(Clone, Copy, Debug)]
struct Crossing {
    tau: f64,
    condition: usize,
    direction: i8,
}

/// A place in a step with the value and slope of an expression there.
#[derive(Clone, Copy, Debug)]
struct Place {
    tau: f64,
    value: f64,
    slope: f64,
}

/// Halvings of a step at most; below this a stretch counts as understood.
const DEEPEST: u32 = 12;
/// A stretch is understood if its middle is where the cubic has it, to this part of its size.
const UNDERSTOOD: f64 = 0.02;
/// ... and if it is not so steep, by the change that its slopes promise, that it must have turned back unseen.
const STEEP: f64 = 6.0;
/// An expression has jumped if this part of its values nearby is left at a change of sign.
const JUMP: f64 = 1e-6;
/// A start this close to a crossing, in units of the first step, stands on it, and does not cross it.
const ON_IT: f64 = 1e-12;

/// Looks for crossings in the steps of one trajectory.
pub struct Watcher<'a> {
    watch: &'a Watch<'a>,
    evaluator: Evaluator<'a, 1>,
    /// Periods of the variables that are angles, NaN elsewhere. An angle counts as wrapped everywhere in a step.
    periods: Vec<f64>,
    /// On which side each expression was last: 1, -1, or 0 before the first step.
    sides: Vec<i8>,
    counts: Vec<usize>,
    found: Vec<Crossing>,
    y: Vec<[f64; 1]>,
    /// Slopes of the state, where the program takes them as given: those of a delay equation follow from its past.
    slopes: Vec<[f64; 1]>,
    out: Vec<[f64; 1]>,
}

/// The step in which to look.
struct Step<'s> {
    t: f64,
    piece: &'s Piece,
    end: Place,
}

impl<'a> Watcher<'a> {
    /// For a trajectory with these parameters.
    pub fn new(watch: &'a Watch<'a>, parameters: &[f64], periods: &[f64], level: Level) -> Self {
        let mut evaluator = Evaluator::new(watch.program, level);
        evaluator.set_parameters(0, parameters);
        let n = watch.conditions.len();
        Self {
            watch,
            evaluator,
            periods: periods.to_vec(),
            sides: vec![0; n],
            counts: vec![0; n],
            found: Vec::new(),
            y: vec![[0.0]; watch.program.n_states],
            slopes: vec![[0.0]; watch.program.n_delayed],
            out: vec![[0.0]; 2 * n],
        }
    }

    /// Looks through an accepted step, up to offset `until`, writes the crossings to `log`, and returns the offset at which a
    /// condition is fulfilled.
    pub fn look<const L: usize>(
        &mut self,
        lanes: &Lanes<L>,
        lane: usize,
        low: f64,
        piece: &Piece,
        until: f64,
        log: &mut EventLog,
    ) -> Option<f64> {
        let (t, h) = (lanes.t[lane], lanes.h_taken[lane]);
        self.found.clear();
        for k in 0..self.watch.conditions.len() {
            let begin = self.at_state(k, t, 0.0, &lanes.y, lane, piece);
            let end = self.at_state(k, t + h, h, &lanes.y_next, lane, piece);
            if self.sides[k] == 0 {
                let on_it = begin.value.abs() <= ON_IT * h * begin.slope.abs();
                self.sides[k] = sign(if on_it { begin.slope } else { begin.value });
            }
            self.search(k, &Step { t, piece, end }, begin, end, 0);
        }
        self.found.sort_by(|a, b| a.tau.total_cmp(&b.tau).then(a.condition.cmp(&b.condition)));
        for at in 0..self.found.len() {
            let Crossing { tau, condition, direction } = self.found[at];
            let Condition { direction: wanted, limit } = self.watch.conditions[condition];
            let time = t + (tau + low);
            if tau > until || time < self.watch.from || (wanted != 0 && wanted != direction) {
                continue;
            }
            log.t.push(time);
            log.condition.push(condition);
            log.direction.push(direction);
            for (i, &period) in self.periods.iter().enumerate() {
                let x = piece.eval(i, tau);
                log.x.push(if period.is_nan() { x } else { wrap(x, period) });
            }
            self.counts[condition] += 1;
            if Some(self.counts[condition]) == limit {
                return Some(tau);
            }
        }
        None
    }

    /// Expression `k` at a state.
    fn at_state<const L: usize>(
        &mut self,
        k: usize,
        t: f64,
        tau: f64,
        y: &[[f64; L]],
        lane: usize,
        piece: &Piece,
    ) -> Place {
        self.y.iter_mut().zip(y).for_each(|(to, from)| *to = [from[lane]]);
        self.evaluate(k, t, tau, piece)
    }

    /// Expression `k` inside the step.
    fn at(&mut self, k: usize, step: &Step<'_>, tau: f64) -> Place {
        for (i, y) in self.y.iter_mut().enumerate() {
            *y = [step.piece.eval(i, tau)];
        }
        self.evaluate(k, step.t + tau, tau, step.piece)
    }

    fn evaluate(&mut self, k: usize, t: f64, tau: f64, piece: &Piece) -> Place {
        for (y, &period) in self.y.iter_mut().zip(&self.periods).filter(|(_, period)| !period.is_nan()) {
            y[0] = wrap(y[0], period);
        }
        self.slopes.iter_mut().enumerate().for_each(|(i, slope)| *slope = [piece.slope(i, tau)]);
        self.evaluator.eval(&[t], &self.y, &self.slopes, &mut self.out);
        Place { tau, value: self.out[k][0], slope: self.out[self.watch.conditions.len() + k][0] }
    }

    /// Looks through a stretch, from the left to the right.
    fn search(&mut self, k: usize, step: &Step<'_>, a: Place, b: Place, depth: u32) {
        let width = b.tau - a.tau;
        let middle = self.at(k, step, a.tau + 0.5 * width);
        if !(a.tau < middle.tau && middle.tau < b.tau) {
            return self.decide(k, step, a, b);
        }
        let expected = 0.5 * (a.value + b.value) + 0.125 * width * (a.slope - b.slope);
        let size = [a.value, b.value, middle.value, expected].iter().fold(0.0f64, |size, value| size.max(value.abs()));
        let steepest = a.slope.abs().max(middle.slope.abs()).max(b.slope.abs());
        let understood = (middle.value - expected).abs() <= UNDERSTOOD * size && width * steepest <= STEEP * size;
        if depth >= DEEPEST || (depth > 0 && understood && !self.turns(step, a.tau, b.tau)) {
            self.decide(k, step, a, middle);
            self.decide(k, step, middle, b);
        } else {
            self.search(k, step, a, middle, depth + 1);
            self.search(k, step, middle, b, depth + 1);
        }
    }

    /// Crossings of a stretch in which the expression turns back once at most.
    fn decide(&mut self, k: usize, step: &Step<'_>, a: Place, b: Place) {
        let side = self.sides[k];
        let crosses = |place: Place| place.value == 0.0 || sign(place.value) != side;
        if side == 0 || crosses(b) {
            return if side == 0 { self.sides[k] = sign(b.value) } else { self.cross(k, step, a, b) };
        }
        let towards = f64::from(side);
        if towards * a.slope < 0.0 && towards * b.slope > 0.0 {
            let extremum = self.extremum(k, step, a, b);
            if crosses(extremum) {
                self.cross(k, step, a, extremum);
                self.cross(k, step, extremum, b);
            }
        }
    }

    /// The place where the expression comes nearest to the other side, or passes to it.
    fn extremum(&mut self, k: usize, step: &Step<'_>, mut a: Place, mut b: Place) -> Place {
        let towards = f64::from(self.sides[k]);
        loop {
            let secant = a.tau + (b.tau - a.tau) * (a.slope / (a.slope - b.slope));
            let inner = a.tau + (b.tau - a.tau) * 0.05..b.tau - (b.tau - a.tau) * 0.05;
            let half = a.tau + 0.5 * (b.tau - a.tau);
            let place = self.at(k, step, if inner.contains(&secant) { secant } else { half });
            let done = !(a.tau < place.tau && place.tau < b.tau) || b.tau - a.tau <= f64::EPSILON * step.end.tau;
            if done || towards * place.value <= 0.0 {
                return place;
            }
            *(if towards * place.slope < 0.0 { &mut a } else { &mut b }) = place;
        }
    }

    /// The one crossing between `a` and `b`, by Newton's method kept between them.
    fn cross(&mut self, k: usize, step: &Step<'_>, a: Place, b: Place) {
        let side = self.sides[k];
        self.sides[k] = -side;
        let (mut low, mut high) = (a, b);
        let mut best = if a.value.abs() > b.value.abs() || b.value == 0.0 { b } else { a };
        let mut halve = false;
        loop {
            let shift = best.value / best.slope;
            if shift.abs() <= f64::EPSILON * best.tau.abs() {
                break;
            }
            let newton = best.tau - shift;
            let inside = !halve && low.tau < newton && newton < high.tau;
            let tau = if inside { newton } else { low.tau + 0.5 * (high.tau - low.tau) };
            if !(low.tau < tau && tau < high.tau) {
                break;
            }
            let place = self.at(k, step, tau);
            let before = high.tau - low.tau;
            *(if place.value != 0.0 && sign(place.value) == side { &mut low } else { &mut high }) = place;
            halve = high.tau - low.tau > 0.5 * before;
            if place.value.abs() < best.value.abs() {
                best = place;
            }
        }
        // Where an angle is wrapped, an expression that is not periodic jumps, which is no crossing.
        let jumps = best.value.abs() > JUMP * a.value.abs().max(b.value.abs());
        if !(jumps && self.wraps_between(step, low.tau, high.tau)) {
            self.found.push(Crossing { tau: best.tau, condition: k, direction: -side });
        }
    }

    /// Whether an angle moves by more than a quarter of its period between two places.
    fn turns(&self, step: &Step<'_>, a: f64, b: f64) -> bool {
        let moved = |i: usize| (step.piece.eval(i, b) - step.piece.eval(i, a)).abs();
        (self.periods.iter().enumerate()).any(|(i, &period)| !period.is_nan() && moved(i) > 0.25 * period)
    }

    /// Whether an angle jumps by its period between two places.
    fn wraps_between(&self, step: &Step<'_>, a: f64, b: f64) -> bool {
        let value = |i: usize, tau: f64, period: f64| wrap(step.piece.eval(i, tau), period);
        (self.periods.iter().enumerate())
            .any(|(i, &period)| !period.is_nan() && (value(i, a, period) - value(i, b, period)).abs() > 0.5 * period)
    }
}

/// 1 or -1, by the sign; 0 for zero and NaN.
fn sign(x: f64) -> i8 {
    i8::from(x > 0.0) - i8::from(x < 0.0)
}
