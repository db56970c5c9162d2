//! The Taylor method: adaptive step, order from the tolerance, dense output for free.
//!
//! Jorba, A. & Zou, M. (2005), A software package for the numerical integration of ODEs by means of high-order Taylor methods,
//! Exp. Math. 14, 99-117. The step is where the last term reaches the tolerance e. Their order, p = -ln(e)/2 + 1, minimises the
//! number of multiplications; here an instruction is decoded once for each order, a cost that grows with p and not with p^2,
//! and p = -0.7 ln(e) is the fastest (measured on Lorenz, Thomas and Henon-Heiles: 20 to 30 % less time than 15 at 1e-12).
//!
//! The last term says little where the series has yet to grow: a diode's exponential is invisible at one end of a step
//! and dominant at the other, and a forcing that switches may have switched back. So steps grow at most twofold, and each is
//! checked by its defect, the difference between the right-hand side and the slope of the series, at its end and at an
//! irrational fraction of it, for the price of two plain evaluations.

use super::outcome::Outcome;
use super::step_size::{LARGEST_STEP, root, smallest_step};
use super::stepper::{Lanes, Piece, Rhs, Row, Stepper, Tolerance, Verdict};
use super::switching::Explicit;
use crate::expr::graph::whole_power;
use crate::expr::jet::{JetProgram, Jets};
use crate::expr::program::Program;
use crate::parallel::simd::{Level, kernel};

/// The Taylor method on `L` lanes.
pub struct Taylor<'p, const L: usize> {
    jets: Jets<'p, L>,
    tolerance: Tolerance,
    order: usize,
    level: Level,
    /// What the states lost by rounding in the steps so far (compensated summation), and with the step being tried.
    carry: Vec<Row<L>>,
    carry_next: Vec<Row<L>>,
    /// Slope of the series and right-hand side at the end of the step.
    slope: Vec<Row<L>>,
    derivative: Vec<Row<L>>,
}

/// Order of the series for a relative tolerance.
pub fn order_for(relative: f64) -> usize {
    ((-0.7 * libm::log(relative)).ceil() as usize).clamp(4, 40)
}

impl<'p, const L: usize> Taylor<'p, L> {
    /// The method for a compiled right-hand side.
    pub fn new(program: &'p JetProgram, tolerance: Tolerance, level: Level) -> Self {
        let jets = Jets::new(program, level);
        let zero = vec![[0.0; L]; jets.n_states()];
        Self {
            jets,
            tolerance,
            order: program.order(),
            level,
            carry: zero.clone(),
            carry_next: zero.clone(),
            slope: zero.clone(),
            derivative: zero,
        }
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
    /// The series at `h`, added to the state with the rounding error of earlier additions, and the slope there.
    fn advance<const L: usize>(
        jets: &Jets<'_, L>, order: usize, h: &Row<L>, y: &[Row<L>], carry: &[Row<L>], carry_next: &mut [Row<L>],
        y_next: &mut [Row<L>], slope: &mut [Row<L>]
    ) {
        for i in 0..y.len() {
            // Horner's rule for (x(h) - x(0)) / h and, along with it, for its derivative.
            let mut sum = jets.coefficient(i, order);
            let mut derivative: Row<L> = [0.0; L];
            for k in (1..order).rev() {
                let c = jets.coefficient(i, k);
                for l in 0..L {
                    derivative[l] = derivative[l].mul_add(h[l], sum[l]);
                    sum[l] = sum[l].mul_add(h[l], c[l]);
                }
            }
            for l in 0..L {
                slope[i][l] = derivative[l].mul_add(h[l], sum[l]);
                let change = sum[l].mul_add(h[l], carry[i][l]);
                let next = y[i][l] + change;
                // Knuth's two-sum: the part of the change that the sum could not hold.
                let kept = next - y[i][l];
                carry_next[i][l] = (y[i][l] - (next - kept)) + (change - kept);
                y_next[i][l] = next;
            }
        }
    }

    fn measure<const L: usize>(jets: &Jets<'_, L>, y: &[Row<L>], tolerance: &Tolerance, order: usize) -> [Row<L>; 2] {
        last_terms(jets, y, tolerance, order)
    }
}

impl<const L: usize> Taylor<'_, L> {
    /// Whether, at a place in the step, the right-hand side and the slope of the series agree as they do where the first
    /// term left out, x_(p+1) h^(p+1), is below the tolerance: the slope then misses (p + 1) times that, over h.
    fn defect_is_small(&self, lanes: &Lanes<L>, l: usize, h: f64) -> bool {
        /// Rounding errors of an evaluation, in units of the last place.
        const ROUNDING: f64 = 64.0 * f64::EPSILON;
        (0..lanes.y.len()).all(|i| {
            let (size, f) = (lanes.y[i][l].abs().max(lanes.y_next[i][l].abs()), self.derivative[i][l]);
            let allowed = self.tolerance.relative * size + self.tolerance.absolute[i];
            let limit = (self.order + 1) as f64 * allowed + ROUNDING * (size + h * f.abs());
            h * (f - self.slope[i][l]).abs() <= limit
        })
    }
}

impl<const L: usize> Explicit<L> for Taylor<'_, L> {
    /// A step limited by accuracy ends where a sequence of terms that fell evenly arrives at the tolerance. One limited by
    /// stability could as well be taken with half the terms: they have fallen at once, and what the last ones show is the error
    /// of earlier steps, about one tolerance, times `(h lambda)^k / k!`, which nowhere exceeds `e^(h lambda)` = e^(p / e).
    fn limited_by_stability(&self, lanes: &Lanes<L>, lane: usize) -> bool {
        let (p, h) = (self.order, lanes.h_taken[lane]);
        let size = |k: usize| {
            let power = whole_power(h, k as i32);
            (0..lanes.y.len())
                .map(|i| {
                    let scale = self.tolerance.relative * lanes.y[i][lane].abs() + self.tolerance.absolute[i];
                    if scale > 0.0 { self.jets.coefficient(i, k)[lane].abs() * power / scale } else { 0.0 }
                })
                .fold(0.0, f64::max)
        };
        let few = 1.0 / root(self.tolerance.relative, 3);
        let middle = p.div_ceil(2);
        size(middle) < few && size(middle + 1) < few && size(p).max(size(p - 1) / 7.0) > 0.1
    }

    fn stability_limit(&self) -> f64 {
        0.37 * self.order as f64 + 1.3
    }

    fn operations(&self, rhs: &Program, n: usize) -> f64 {
        let order = self.order as f64;
        rhs.body.len() as f64 * (2.0 + order + order * order / 8.0) + 4.0 * order * n as f64
    }
}

impl<const L: usize> Stepper<L> for Taylor<'_, L> {
    fn start<R: Rhs<L>>(&mut self, _: &mut R, lanes: &mut Lanes<L>, lane: usize) {
        lanes.h[lane] = lanes.t[lane].abs().max(1.0);
        for carry in &mut self.carry {
            carry[lane] = 0.0;
        }
    }

    fn attempt<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>) -> [Verdict; L] {
        /// e^2: in a series at the edge of its tolerance, the last but one term is larger than the last by this.
        const RATIO: f64 = 7.38905609893065;
        /// Where inside the step the defect is looked at: the golden section.
        const INSIDE: f64 = 0.618033988749895;
        /// A step is at most this many times the one before.
        const GROWTH: f64 = 2.0;
        let order = self.order;
        self.jets.expand(&lanes.t, &lanes.y);
        let largest = measure(self.level, &self.jets, &lanes.y, &self.tolerance, order);
        let mut verdict = [Verdict::Idle; L];
        let mut h = [0.0; L];
        for l in 0..L {
            if !lanes.running[l] {
                continue;
            }
            let by_last = 1.0 / root(largest[1][l], order as u32);
            let by_last_but_one = 1.0 / root(largest[0][l] / RATIO, order as u32 - 1);
            let step = by_last.min(by_last_but_one).min(lanes.h[l]);
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
        for fraction in [INSIDE, 1.0] {
            let offset = h.map(|h| fraction * h);
            let time = std::array::from_fn(|l| lanes.t[l] + offset[l]);
            let Self { jets, carry, carry_next, slope, derivative, .. } = self;
            advance(self.level, jets, order, &offset, &lanes.y, carry, carry_next, &mut lanes.y_next, slope);
            rhs.eval(&time, &lanes.y_next, derivative);
            for l in 0..L {
                if verdict[l] == Verdict::Accepted && !self.defect_is_small(lanes, l, h[l]) {
                    verdict[l] = Verdict::Rejected;
                    lanes.h[l] = 0.5 * h[l];
                }
            }
        }
        for l in 0..L {
            if verdict[l] == Verdict::Accepted {
                lanes.h[l] = (GROWTH * h[l]).min(LARGEST_STEP);
                self.carry.iter_mut().zip(&self.carry_next).for_each(|(carry, next)| carry[l] = next[l]);
            }
        }
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

    fn evaluations_per_attempt(&self, _: usize) -> u64 {
        3
    }
}
