//! What a method must offer to be driven: try a step on every lane, hand out the accepted piece as a polynomial.
//!
//! A method knows nothing of sampling, of the end of a run or of how trajectories are dealt to lanes; that is
//! the driver's part. Lanes never influence each other, so a trajectory has the same bits alone or among others.

use super::outcome::Outcome;
use crate::expr::eval::Evaluator;

/// One number for each of the `L` trajectories that advance side by side.
pub type Row<const L: usize> = [f64; L];

/// A right-hand side over lanes.
pub trait Rhs<const L: usize> {
    /// Derivatives at time `t` and state `y` (one row a variable) into `out`.
    fn eval(&mut self, t: &Row<L>, y: &[Row<L>], out: &mut [Row<L>]);
}

/// A compiled right-hand side over lanes.
pub(crate) struct ProgramRhs<'p, const L: usize>(pub(crate) Evaluator<'p, L>);

impl<const L: usize> Rhs<L> for ProgramRhs<'_, L> {
    fn eval(&mut self, t: &Row<L>, y: &[Row<L>], out: &mut [Row<L>]) {
        self.0.eval(t, y, &[], out);
    }
}

/// Error tolerances: a step's error in variable `i` is kept below `absolute[i] + relative * |y_i|`.
#[derive(Clone, Debug)]
pub struct Tolerance {
    /// Relative part.
    pub relative: f64,
    /// Absolute part, one for each variable.
    pub absolute: Vec<f64>,
}

/// Where the lanes stand.
#[derive(Clone, Debug)]
pub struct Lanes<const L: usize> {
    /// Whether the lane carries a trajectory that is still on its way. The other fields of an idle lane hold
    /// finite but meaningless numbers, and may be computed upon.
    pub running: [bool; L],
    /// Time at the start of the step.
    pub t: Row<L>,
    /// State at the start of the step.
    pub y: Vec<Row<L>>,
    /// The step to try; after an attempt, the step to try next. Always positive.
    pub h: Row<L>,
    /// Length of the step that the last attempt accepted.
    pub h_taken: Row<L>,
    /// State at the end of the accepted step.
    pub y_next: Vec<Row<L>>,
}

impl<const L: usize> Lanes<L> {
    /// Idle lanes for `n` variables.
    pub fn new(n: usize) -> Self {
        Self {
            running: [false; L],
            t: [0.0; L],
            y: vec![[0.0; L]; n],
            h: [1.0; L],
            h_taken: [0.0; L],
            y_next: vec![[0.0; L]; n],
        }
    }
}

/// What became of an attempt on one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The lane carries nothing.
    Idle,
    /// `y_next` and `h_taken` are set.
    Accepted,
    /// Too inaccurate; `h` has been reduced, try again.
    Rejected,
    /// The trajectory ends here.
    Failed(Outcome),
}

/// An accepted step as a polynomial: variable `i` at offset `tau` from the start of the step is
/// `sum_k coefficients[i * (degree + 1) + k] * (tau / unit)^k`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Degree of every polynomial.
    pub degree: usize,
    /// Unit of the offset: 1 for Taylor series, the step for Runge-Kutta interpolants.
    pub unit: f64,
    /// Coefficients, lowest power first, one variable after the other.
    pub coefficients: Vec<f64>,
}

impl Piece {
    /// Variable `i` at offset `tau` by Horner's rule with fused steps.
    pub fn eval(&self, i: usize, tau: f64) -> f64 {
        let theta = tau / self.unit;
        let c = &self.coefficients[i * (self.degree + 1)..(i + 1) * (self.degree + 1)];
        c.iter().rev().skip(1).fold(c[self.degree], |value, &ck| value.mul_add(theta, ck))
    }

    /// The derivative of variable `i` at offset `tau`.
    pub fn slope(&self, i: usize, tau: f64) -> f64 {
        let theta = tau / self.unit;
        let c = &self.coefficients[i * (self.degree + 1) + 1..(i + 1) * (self.degree + 1)];
        (1..=self.degree).rev().fold(0.0f64, |slope, k| slope.mul_add(theta, k as f64 * c[k - 1])) / self.unit
    }
}

/// The accepted steps of all lanes as polynomials, where a method keeps them so: like a [`Piece`] for each lane, with the
/// coefficients of variable `i` in `rows[i * stride..]`.
pub struct Pieces<'a, const L: usize> {
    /// Coefficients, lowest power first.
    pub rows: &'a [Row<L>],
    /// From one variable to the next.
    pub stride: usize,
    /// Degree of every polynomial.
    pub degree: usize,
    /// Unit of the offset.
    pub unit: Row<L>,
}

/// A one-step method over lanes.
pub trait Stepper<const L: usize> {
    /// A new trajectory has been put on `lane` (`t`, `y` set): forget the old one and choose the first `h`.
    fn start<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>, lane: usize);

    /// Try a step of `lanes.h` on every running lane.
    fn attempt<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>) -> [Verdict; L];

    /// Called once after an attempt, before `piece`, with the accepted lanes whose interior is needed: some methods
    /// spend further evaluations on it. `lanes` is as the attempt left it.
    fn prepare_pieces<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &Lanes<L>, wanted: &[bool; L]);

    /// The accepted step on `lane` as a polynomial, valid for offsets in `[0, h_taken]`.
    fn piece(&self, lanes: &Lanes<L>, lane: usize, piece: &mut Piece);

    /// The accepted steps of all lanes at once, if the method has them side by side.
    fn pieces(&self, _lanes: &Lanes<L>) -> Option<Pieces<'_, L>> {
        None
    }

    /// The driver moved variable `i` of `lane` by whole periods (`y_next` becomes `y` after this): adapt anything
    /// remembered that depends on the value itself. Derivatives do not change.
    fn shifted(&mut self, _lane: usize, _variable: usize) {}

    /// Evaluations of the right-hand side that the last attempt cost `lane`, for the count of work.
    fn evaluations_per_attempt(&self, lane: usize) -> u64;

    /// Whether a method that switches has switched on `lane` since its start.
    fn switched(&self, _lane: usize) -> bool {
        false
    }
}
