//! Symplectic compositions with a fixed step, for separable Hamiltonian flows: `symplectic4`, `symplectic8`.
//!
//! A step is a symmetric sequence of leapfrog steps (half a kick, a drift, half a kick) of lengths `gamma_i h`. So it is
//! symplectic and reversible, and keeps an energy near the true one for exponentially long times (Hairer, Lubich & Wanner 2006,
//! Geometric Numerical Integration, IX). Sums are compensated, so that rounding errors do not drift away either.

use super::outcome::Outcome;
use super::stepper::{Lanes, Piece, Rhs, Row, Stepper, Verdict};
use crate::expr::eval::Evaluator;
use crate::parallel::simd::{Level, kernel};
use crate::system::Separation;

/// A symmetric composition: the first half of its lengths, the middle one included.
#[derive(Debug)]
pub struct Composition {
    /// Name that users type.
    pub name: &'static str,
    /// Order.
    pub order: u32,
    /// `gamma_1` to the middle one.
    pub half: &'static [f64],
}

/// Order 4 in five stages: `1/(4 - 4^(1/3))` four times, about `1 - 4/(4 - 4^(1/3))`.
///
/// Suzuki, M. (1990), Phys. Lett. A 146, 319-323; its error is a fraction of that of the three stages of Yoshida (1990).
pub static SYMPLECTIC4: Composition = Composition {
    name: "symplectic4",
    order: 4,
    half: &[0.414_490_771_794_375_74, 0.414_490_771_794_375_74, -0.657_963_087_177_502_9],
};

/// Order 8 in 17 stages: `s17odr8a` of Kahan, W. & Li, R.-C. (1997), Math. Comp. 66, 1089-1099, as in Hairer, Lubich & Wanner
/// (2006), V.3.2.
pub static SYMPLECTIC8: Composition = Composition {
    name: "symplectic8",
    order: 8,
    half: &[
        0.130_202_483_088_890_08,
        0.561_162_981_775_108_4,
        -0.389_474_962_644_847_3,
        0.158_841_906_555_155_6,
        -0.395_903_894_133_237_57,
        0.184_539_640_978_315_7,
        0.258_374_387_686_322_04,
        0.295_011_723_609_310_3,
        -0.605_508_533_830_034_5,
    ],
};

impl Composition {
    /// Number of leapfrog steps in a step.
    pub fn stages(&self) -> usize {
        2 * self.half.len() - 1
    }

    /// Length of leapfrog step `i`.
    pub fn length(&self, i: usize) -> f64 {
        self.half[i.min(self.stages() - 1 - i)]
    }
}

/// A composition with its working memory.
pub struct Symplectic<'p, const L: usize> {
    composition: &'static Composition,
    system: &'p Separation,
    step: f64,
    level: Level,
    drift: Evaluator<'p, L>,
    kick: Evaluator<'p, L>,
    velocity: Vec<Row<L>>,
    /// Forces at the start of the step, for the lanes for which they are known.
    force: Vec<Row<L>>,
    known: [bool; L],
    /// What the states lost by rounding so far, and with the step being tried.
    carry: Vec<Row<L>>,
    carry_next: Vec<Row<L>>,
    /// States and slopes at the nodes of the interpolant.
    nodes: Vec<Row<L>>,
    slopes: Vec<Row<L>>,
    argument: Vec<Row<L>>,
    spare: Vec<Row<L>>,
}

/// Where inside a step the interpolant of the method of order 8 has nodes of its own.
const INNER: [f64; 2] = [1.0 / 3.0, 2.0 / 3.0];

impl<'p, const L: usize> Symplectic<'p, L> {
    /// The method with this step, which must be positive.
    pub fn new(composition: &'static Composition, system: &'p Separation, step: f64, level: Level) -> Self {
        let d = system.positions.len();
        let nodes = if composition.order > 4 { 2 + INNER.len() } else { 2 };
        let rows = |count: usize| vec![[0.0; L]; count];
        Self {
            composition,
            system,
            step,
            level,
            drift: Evaluator::new(&system.drift, level),
            kick: Evaluator::new(&system.kick, level),
            velocity: rows(d),
            force: rows(d),
            known: [false; L],
            carry: rows(2 * d),
            carry_next: rows(2 * d),
            nodes: rows(2 * d * nodes),
            slopes: rows(2 * d * nodes),
            argument: rows(2 * d),
            spare: rows(d),
        }
    }

    /// Puts the parameters of `lane` in place.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        self.drift.set_parameters(lane, parameters);
        self.kick.set_parameters(lane, parameters);
    }

    /// A step of `h` from `y` at `t`, in place; `force` is that at `y`, and then that at the end.
    fn compose(&mut self, t: &Row<L>, h: &Row<L>, y: &mut [Row<L>], carry: &mut [Row<L>], force: &mut [Row<L>]) {
        let Self { composition, system, level, drift, kick, velocity, .. } = self;
        let (stages, mut done) = (composition.stages(), 0.0);
        push(*level, &system.momenta, 0.5 * composition.length(0), h, force, y, carry);
        for i in 0..stages {
            let length = composition.length(i);
            drift.eval(t, y, &[], velocity);
            push(*level, &system.positions, length, h, velocity, y, carry);
            done = if i + 1 == stages { 1.0 } else { done + length };
            let time = std::array::from_fn(|lane| t[lane] + done * h[lane]);
            kick.eval(&time, y, &[], force);
            let next = if i + 1 == stages { 0.0 } else { composition.length(i + 1) };
            push(*level, &system.momenta, 0.5 * (length + next), h, force, y, carry);
        }
    }
}

impl<const L: usize> Stepper<L> for Symplectic<'_, L> {
    fn start<R: Rhs<L>>(&mut self, _: &mut R, lanes: &mut Lanes<L>, lane: usize) {
        self.known[lane] = false;
        self.carry.iter_mut().for_each(|carry| carry[lane] = 0.0);
        lanes.h[lane] = self.step;
    }

    fn attempt<R: Rhs<L>>(&mut self, _: &mut R, lanes: &mut Lanes<L>) -> [Verdict; L] {
        if (0..L).any(|lane| lanes.running[lane] && !self.known[lane]) {
            self.kick.eval(&lanes.t, &lanes.y, &[], &mut self.spare);
            for lane in (0..L).filter(|&lane| !self.known[lane]) {
                self.force.iter_mut().zip(&self.spare).for_each(|(force, spare)| force[lane] = spare[lane]);
            }
        }
        lanes.y_next.copy_from_slice(&lanes.y);
        let mut carry = std::mem::take(&mut self.carry_next);
        let mut force = std::mem::take(&mut self.force);
        carry.copy_from_slice(&self.carry);
        self.compose(&lanes.t, &lanes.h, &mut lanes.y_next, &mut carry, &mut force);
        (self.carry_next, self.force) = (carry, force);
        let mut verdicts = [Verdict::Idle; L];
        for lane in (0..L).filter(|&lane| lanes.running[lane]) {
            let finite = |rows: &[Row<L>]| rows.iter().all(|row| row[lane].is_finite());
            verdicts[lane] = if finite(&lanes.y_next) && finite(&self.force) {
                self.carry.iter_mut().zip(&self.carry_next).for_each(|(carry, next)| carry[lane] = next[lane]);
                self.known[lane] = true;
                lanes.h_taken[lane] = lanes.h[lane];
                lanes.h[lane] = self.step;
                Verdict::Accepted
            } else {
                let undefined = lanes.y_next.iter().chain(&self.force).any(|row| row[lane].is_nan());
                Verdict::Failed(if undefined { Outcome::LeftDomain } else { Outcome::Diverged })
            };
        }
        verdicts
    }

    fn prepare_pieces<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &Lanes<L>, _: &[bool; L]) {
        let n = lanes.y.len();
        let count = self.nodes.len() / n;
        self.nodes[..n].copy_from_slice(&lanes.y);
        self.nodes[(count - 1) * n..].copy_from_slice(&lanes.y_next);
        for (k, c) in INNER.iter().enumerate().take(count - 2) {
            // A shorter step from the same start; the method's own accuracy, not that of a polynomial through the ends.
            let h = lanes.h_taken.map(|h| c * h);
            let mut y = std::mem::take(&mut self.argument);
            let (mut carry, mut force) = (vec![[0.0; L]; n], vec![[0.0; L]; n / 2]);
            y.copy_from_slice(&lanes.y);
            self.kick.eval(&lanes.t, &y, &[], &mut force);
            self.compose(&lanes.t, &h, &mut y, &mut carry, &mut force);
            self.nodes[(k + 1) * n..(k + 2) * n].copy_from_slice(&y);
            self.argument = y;
        }
        for k in 0..count {
            let c = place(k, count);
            let t = std::array::from_fn(|lane| lanes.t[lane] + c * lanes.h_taken[lane]);
            rhs.eval(&t, &self.nodes[k * n..(k + 1) * n], &mut self.slopes[k * n..(k + 1) * n]);
        }
    }

    fn piece(&self, lanes: &Lanes<L>, lane: usize, piece: &mut Piece) {
        let n = lanes.y.len();
        let count = self.nodes.len() / n;
        let h = lanes.h_taken[lane];
        piece.degree = 2 * count - 1;
        piece.unit = h;
        piece.coefficients.clear();
        for i in 0..n {
            let value = |k: usize| self.nodes[k * n + i][lane];
            let slope = |k: usize| h * self.slopes[k * n + i][lane];
            hermite(count, value, slope, &mut piece.coefficients);
        }
    }

    fn evaluations_per_attempt(&self, _: usize) -> u64 {
        self.composition.stages() as u64
    }
}

/// Node `k` of `count`.
fn place(k: usize, count: usize) -> f64 {
    if k == 0 {
        0.0
    } else if k == count - 1 {
        1.0
    } else {
        INNER[k - 1]
    }
}

/// Appends the powers of the polynomial of degree `2 count - 1` through values and slopes at the nodes (Newton's divided
/// differences, every node taken twice).
fn hermite(count: usize, value: impl Fn(usize) -> f64, slope: impl Fn(usize) -> f64, powers: &mut Vec<f64>) {
    const MOST: usize = 2 * (2 + INNER.len());
    let size = 2 * count;
    let node = |m: usize| place(m / 2, count);
    // Differences from the value at the start, so that what is small stays exact.
    let mut table: [f64; MOST] = std::array::from_fn(|m| if m < size { value(m / 2) - value(0) } else { 0.0 });
    for order in 1..size {
        for m in (order..size).rev() {
            table[m] = if order == 1 && m % 2 == 1 {
                slope(m / 2)
            } else {
                (table[m] - table[m - 1]) / (node(m) - node(m - order))
            };
        }
    }
    let first = powers.len();
    powers.resize(first + size, 0.0);
    let powers = &mut powers[first..];
    powers[0] = table[size - 1];
    for m in (0..size - 1).rev() {
        // Multiply by (theta - node m), add the next difference.
        for p in (1..size).rev() {
            powers[p] = powers[p - 1] - node(m) * powers[p];
        }
        powers[0] = table[m] - node(m) * powers[0];
    }
    powers[0] += value(0);
}

kernel! {
    /// `y += c h rate` for the variables of a list, with the rounding errors of earlier sums.
    fn push<const L: usize>(
        which: &[usize], c: f64, h: &Row<L>, rate: &[Row<L>], y: &mut [Row<L>], carry: &mut [Row<L>],
    ) {
        for (&i, rate) in which.iter().zip(rate) {
            for lane in 0..L {
                let change = (c * h[lane]).mul_add(rate[lane], carry[i][lane]);
                let next = y[i][lane] + change;
                // Knuth's two-sum: the part of the change that the sum could not hold.
                let kept = next - y[i][lane];
                carry[i][lane] = (y[i][lane] - (next - kept)) + (change - kept);
                y[i][lane] = next;
            }
        }
    }
}
