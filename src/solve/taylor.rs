//! The Taylor method: adaptive step, order from the tolerance, dense output for free.
//!
//! Jorba, A. & Zou, M. (2005), A software package for the numerical integration of ODEs by means of high-order Taylor methods,
//! Exp. Math. 14, 99-117. The step is where the last term reaches the tolerance e. Their order, p = -ln(e)/2 + 1, minimises the
//! number of multiplications; here an instruction is decoded once for each order, a cost that grows with p and not with p^2,
//! and p = -0.7 ln(e) is the fastest (measured on Lorenz, Thomas and Henon-Heiles: 20 to 30 % less time than 15 at 1e-12).

use super::outcome::Outcome;
use super::step_size::{LARGEST_STEP, root, smallest_step};
use super::stepper::{Lanes, Piece, Rhs, Row, Stepper, Tolerance, Verdict};
use crate::expr::jet::{JetProgram, Jets};
use crate::parallel::simd::{Level, kernel};

/// The Taylor method on `L` lanes.
pub struct Taylor<'p, const L: usize> {
    jets: Jets<'p, L>,
    tolerance: Tolerance,
    order: usize,
    level: Level,
    /// What the states lost by rounding in the steps so far (compensated summation).
    carry: Vec<Row<L>>,
}

/// Order of the series for a relative tolerance.
pub fn order_for(relative: f64) -> usize {
    ((-0.7 * libm::log(relative)).ceil() as usize).clamp(4, 40)
}

impl<'p, const L: usize> Taylor<'p, L> {
    /// The method for a compiled right-hand side.
    pub fn new(program: &'p JetProgram, tolerance: Tolerance, level: Level) -> Self {
        let jets = Jets::new(program, level);
        let carry = vec![[0.0; L]; jets.n_states()];
        Self { jets, tolerance, order: program.order(), level, carry }
    }

    /// Puts the parameters of `lane` in place.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        self.jets.set_parameters(lane, parameters);
    }
}

/// Largest |x_i^(k)| / tolerance_i over the variables, for the last two orders; NaN and infinity pass through.
#[inline(always)]
fn last_terms<const L: usize>(jets: &Jets<'_, L>, y: &[Row<L>], tolerance: &Tolerance, order: usize) -> [Row<L>; 2] {
    let mut largest = [[0.0; L]; 2];
    for (i, y) in y.iter().enumerate() {
        let terms = [jets.coefficient(i, order - 1), jets.coefficient(i, order)];
        for l in 0..L {
            let allowed = tolerance.relative.mul_add(y[l].abs(), tolerance.absolute[i]);
            for (largest, term) in largest.iter_mut().zip(&terms) {
                let size = term[l].abs() / allowed;
                // A variable at zero with no absolute tolerance (0/0 or x/0) sets no scale.
                if allowed > 0.0 && !(size <= largest[l]) {
                    largest[l] = size;
                }
            }
        }
    }
    largest
}

kernel! {
    /// The series at `h`, added to the state with the rounding error of earlier additions.
    fn advance<const L: usize>(
        jets: &Jets<'_, L>, order: usize, h: &Row<L>, y: &[Row<L>], carry: &mut [Row<L>], y_next: &mut [Row<L>]
    ) {
        for i in 0..y.len() {
            let mut sum = jets.coefficient(i, order);
            for k in (1..order).rev() {
                let c = jets.coefficient(i, k);
                for l in 0..L {
                    sum[l] = sum[l].mul_add(h[l], c[l]);
                }
            }
            for l in 0..L {
                let change = sum[l].mul_add(h[l], carry[i][l]);
                let next = y[i][l] + change;
                // Knuth's two-sum: the part of the change that the sum could not hold.
                let kept = next - y[i][l];
                carry[i][l] = (y[i][l] - (next - kept)) + (change - kept);
                y_next[i][l] = next;
            }
        }
    }

    fn measure<const L: usize>(jets: &Jets<'_, L>, y: &[Row<L>], tolerance: &Tolerance, order: usize) -> [Row<L>; 2] {
        last_terms(jets, y, tolerance, order)
    }
}

impl<const L: usize> Stepper<L> for Taylor<'_, L> {
    fn start<R: Rhs<L>>(&mut self, _: &mut R, lanes: &mut Lanes<L>, lane: usize) {
        lanes.h[lane] = LARGEST_STEP;
        for carry in &mut self.carry {
            carry[lane] = 0.0;
        }
    }

    fn attempt<R: Rhs<L>>(&mut self, _: &mut R, lanes: &mut Lanes<L>) -> [Verdict; L] {
        /// e^2: in a series at the edge of its tolerance, the last but one term is larger than the last by this.
        const RATIO: f64 = 7.38905609893065;
        let order = self.order;
        self.jets.expand(&lanes.t, &lanes.y);
        let largest = measure(self.level, &self.jets, &lanes.y, &self.tolerance, order);
        let mut verdict = [Verdict::Idle; L];
        let mut h = [0.0; L];
        for l in (0..L).filter(|&l| lanes.running[l]) {
            let by_last = 1.0 / root(largest[1][l], order as u32);
            let by_last_but_one = 1.0 / root(largest[0][l] / RATIO, order as u32 - 1);
            let step = by_last.min(by_last_but_one).min(LARGEST_STEP.min(10.0 * lanes.t[l].abs().max(1.0)));
            verdict[l] = if by_last.is_nan() || by_last_but_one.is_nan() || step == 0.0 {
                let defined = (0..lanes.y.len()).all(|i| self.jets.coefficient(i, 1)[l].is_finite());
                Verdict::Failed(if defined { Outcome::Stalled } else { Outcome::LeftDomain })
            } else if step < smallest_step(lanes.t[l]) {
                Verdict::Failed(Outcome::Stalled)
            } else {
                h[l] = step;
                Verdict::Accepted
            };
        }
        advance(self.level, &self.jets, order, &h, &lanes.y, &mut self.carry, &mut lanes.y_next);
        lanes.h_taken = h;
        verdict
    }

    fn prepare_pieces<R: Rhs<L>>(&mut self, _: &mut R, _: &Lanes<L>, _: &[bool; L]) {}

    fn piece(&self, lanes: &Lanes<L>, lane: usize, piece: &mut Piece) {
        piece.degree = self.order;
        piece.unit = 1.0;
        piece.coefficients.clear();
        for i in 0..lanes.y.len() {
            piece.coefficients.extend((0..=self.order).map(|k| self.jets.coefficient(i, k)[lane]));
        }
    }

    fn evaluations_per_attempt(&self) -> u64 {
        1
    }
}
