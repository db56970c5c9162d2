//! The Taylor method: adaptive step, order from the tolerance, dense output for free.
//!
//! Jorba, A. & Zou, M. (2005), A software package for the numerical integration of ODEs by means of high-order Taylor methods,
//! Exp. Math. 14, 99-117. The step is where the last term reaches the tolerance e. Their order, p = -ln(e)/2 + 1, minimises the
//! number of multiplications; here an instruction is decoded once for each order, a cost that grows with p and not with p^2,
//! and p = -0.7 ln(e) is the fastest (measured on Lorenz, Thomas and Henon-Heiles: 20 to 30 % less time than 15 at 1e-12).
//! Higher orders take a tenth less time at the same tolerance, and twice to four times the error: at equal errors nothing is gained.
//!
//! The last term says little where the series has yet to grow: a diode's exponential is invisible at one end of a step
//! and dominant at the other, and a forcing that switches may have switched back. So steps grow at most twofold, and each is
//! checked by its defect, the difference between the right-hand side and the slope of the series, at its end and at an
//! irrational fraction of it, for the price of two plain evaluations.

use super::outcome::Outcome;
use super::step_size::{LARGEST_STEP, root, smallest_step};
use super::stepper::{Lanes, Piece, Pieces, Rhs, Row, Stepper, Tolerance, Verdict};
use super::switching::Explicit;
use crate::expr::graph::whole_power;
use crate::expr::jet::JetProgram;
use crate::expr::program::Program;
use crate::expr::series::Jets;
use crate::parallel::simd::{Level, kernel};

/// e^2: in a series at the edge of its tolerance, the last but one term is larger than the last by this.
pub(crate) const RATIO: f64 = 7.38905609893065;
/// Rounding errors of an evaluation, in units of the last place.
pub(crate) const ROUNDING: f64 = 64.0;
/// Where inside the step the defect is looked at: the golden section.
pub(crate) const INSIDE: f64 = 0.618033988749895;
/// A step is at most this many times the one before.
pub(crate) const GROWTH: f64 = 2.0;

/// The Taylor method on `L` lanes.
pub struct Taylor<'p, const L: usize> {
    pub(super) jets: Jets<'p, L>,
    pub(super) tolerance: Tolerance,
    pub(super) order: usize,
    level: Level,
    /// What the states lost by rounding in the steps so far (compensated summation), and with the step being tried.
    carry: Vec<Row<L>>,
    carry_next: Vec<Row<L>>,
    inside: Place<L>,
    end: Place<L>,
}

/// A place in the step at which the series is compared with the equations.
struct Place<const L: usize> {
    y: Vec<Row<L>>,
    /// Slope of the series.
    slope: Vec<Row<L>>,
    /// Right-hand side.
    derivative: Vec<Row<L>>,
}

impl<const L: usize> Place<L> {
    fn new(n: usize) -> Self {
        Self { y: vec![[0.0; L]; n], slope: vec![[0.0; L]; n], derivative: vec![[0.0; L]; n] }
    }
}

/// Order of the series for a relative tolerance.
pub fn order_for(relative: f64) -> usize {
    ((-0.7 * libm::log(relative)).ceil() as usize).clamp(4, 40)
}

impl<'p, const L: usize> Taylor<'p, L> {
    /// The method for a compiled right-hand side.
    pub fn new(program: &'p JetProgram, tolerance: Tolerance, level: Level) -> Self {
        let jets = Jets::new(program, level);
        let n = jets.n_states();
        Self {
            jets,
            tolerance,
            order: program.order(),
            level,
            carry: vec![[0.0; L]; n],
            carry_next: vec![[0.0; L]; n],
            inside: Place::new(n),
            end: Place::new(n),
        }
    }

    /// Puts the parameters of `lane` in place.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        self.jets.set_parameters(lane, parameters);
    }

    /// Takes a step of `wanted` along the series at hand, unless it is shorter than `least` or fails the comparison with
    /// `equations(fraction of the step, time, state, derivative)`.
    pub(super) fn try_step(
        &mut self,
        lanes: &mut Lanes<L>,
        wanted: &Row<L>,
        least: &Row<L>,
        mut equations: impl FnMut(f64, &Row<L>, &[Row<L>], &mut [Row<L>]),
    ) -> [Verdict; L] {
        let Self { jets, tolerance, order, level, carry, carry_next, inside, end } = self;
        let mut verdict = [Verdict::Idle; L];
        let mut h = [0.0; L];
        for l in 0..L {
            if !lanes.running[l] {
                continue;
            }
            verdict[l] = if wanted[l] >= least[l] {
                h[l] = wanted[l];
                Verdict::Accepted
            } else {
                // NaN and zero where a term is not finite, because the equations are not or because the terms grow beyond all.
                let defined = wanted[l] > 0.0 || (0..lanes.y.len()).all(|i| jets.coefficient(i, 1)[l].is_finite());
                Verdict::Failed(if defined { Outcome::Stalled } else { Outcome::LeftDomain })
            };
        }
        advance(*level, jets, *order, INSIDE, &h, &lanes.y, carry, carry_next, &mut lanes.y_next, inside, end);
        let mut small = [true; L];
        for (place, fraction) in [(inside, INSIDE), (end, 1.0)] {
            let time = std::array::from_fn(|l| lanes.t[l] + fraction * h[l]);
            equations(fraction, &time, &place.y, &mut place.derivative);
            let good = defect_is_small(*level, tolerance, *order, &h, &lanes.y, place);
            small.iter_mut().zip(good).for_each(|(small, good)| *small &= good);
        }
        for l in 0..L {
            if verdict[l] == Verdict::Accepted {
                if small[l] {
                    lanes.h[l] = (GROWTH * h[l]).min(LARGEST_STEP);
                    carry.iter_mut().zip(&*carry_next).for_each(|(carry, next)| carry[l] = next[l]);
                } else {
                    verdict[l] = Verdict::Rejected;
                    lanes.h[l] = 0.5 * h[l];
                }
            }
        }
        lanes.h_taken = h;
        verdict
    }
}

/// Horner's rule for (x(h) - x(0)) / h and, along with it, for its derivative, at both offsets, for `N` variables.
#[inline(always)]
fn horner<const L: usize, const N: usize>(
    rows: &[Row<L>],
    stride: usize,
    order: usize,
    offset: &[Row<L>; 2],
) -> [[[Row<L>; 2]; 2]; N] {
    let of: [&[Row<L>]; N] = std::array::from_fn(|n| &rows[n * stride..][..order + 1]);
    let mut sums = of.map(|of| [[of[order]; 2], [[0.0; L]; 2]]);
    for k in (1..order).rev() {
        for n in 0..N {
            let c = of[n][k];
            let [sum, derivative] = &mut sums[n];
            for m in 0..2 {
                for l in 0..L {
                    derivative[m][l] = derivative[m][l].mul_add(offset[m][l], sum[m][l]);
                    sum[m][l] = sum[m][l].mul_add(offset[m][l], c[l]);
                }
            }
        }
    }
    sums
}

kernel! {
    /// The step for which the last two terms of the series meet the tolerance, at most `h`: NaN or zero where a term is not
    /// finite.
    pub(super) fn step<const L: usize>(
        jets: &Jets<'_, L>, y: &[Row<L>], tolerance: &Tolerance, order: usize, h: &Row<L>
    ) -> Row<L> {
        // The largest |x_i^(k)| / tolerance_i over the variables; NaN and infinity pass through.
        let mut largest = [[0.0; L]; 2];
        for (i, y) in y.iter().enumerate() {
            let terms = [jets.coefficient(i, order - 1), jets.coefficient(i, order)];
            for l in 0..L {
                let allowed = tolerance.relative.mul_add(y[l].abs(), tolerance.absolute[i]);
                for (largest, term) in largest.iter_mut().zip(&terms) {
                    let size = term[l].abs() / allowed;
                    // A variable at zero with no absolute tolerance (0/0 or x/0) sets no scale.
                    largest[l] = if allowed > 0.0 && !(size <= largest[l]) { size } else { largest[l] };
                }
            }
        }
        let mut step = [0.0; L];
        for l in 0..L {
            let by_last_but_one = 1.0 / root(largest[0][l] / RATIO, order as u32 - 1);
            let by_last = 1.0 / root(largest[1][l], order as u32);
            let shorter = if by_last < by_last_but_one { by_last } else { by_last_but_one };
            let shorter = if shorter < h[l] { shorter } else { h[l] };
            step[l] = if by_last.is_nan() || by_last_but_one.is_nan() { f64::NAN } else { shorter };
        }
        step
    }

    /// The series at `h` and at `fraction` of it, added to the state with the rounding error of earlier additions, and the
    /// slopes there.
    fn advance<const L: usize>(
        jets: &Jets<'_, L>, order: usize, fraction: f64, h: &Row<L>, y: &[Row<L>], carry: &[Row<L>],
        carry_next: &mut [Row<L>], y_next: &mut [Row<L>], inside: &mut Place<L>, end: &mut Place<L>
    ) {
        let mut offset = [*h; 2];
        for l in 0..L {
            offset[0][l] = fraction * h[l];
        }
        let (rows, stride) = jets.rows();
        // A single trajectory takes the variables in groups, so that no sum waits for its last term.
        let group = if L == 1 { 3 } else { 1 };
        for first in (0..y.len()).step_by(group) {
            let mut sums = [[[[0.0; L]; 2]; 2]; 3];
            match (y.len() - first).min(group) {
                1 => sums[..1].copy_from_slice(&horner::<L, 1>(&rows[first * stride..], stride, order, &offset)),
                2 => sums[..2].copy_from_slice(&horner::<L, 2>(&rows[first * stride..], stride, order, &offset)),
                _ => sums = horner::<L, 3>(&rows[first * stride..], stride, order, &offset),
            }
            for (i, [sum, derivative]) in (first..y.len()).zip(&sums).take(group) {
                for l in 0..L {
                    inside.slope[i][l] = derivative[0][l].mul_add(offset[0][l], sum[0][l]);
                    inside.y[i][l] = y[i][l] + sum[0][l].mul_add(offset[0][l], carry[i][l]);
                    end.slope[i][l] = derivative[1][l].mul_add(h[l], sum[1][l]);
                    let change = sum[1][l].mul_add(h[l], carry[i][l]);
                    let next = y[i][l] + change;
                    // Knuth's two-sum: the part of the change that the sum could not hold.
                    let kept = next - y[i][l];
                    carry_next[i][l] = (y[i][l] - (next - kept)) + (change - kept);
                    end.y[i][l] = next;
                    y_next[i][l] = next;
                }
            }
        }
    }

    /// Whether the right-hand side and the slope of the series agree as they do where the first term left out,
    /// x_(p+1) h^(p+1), is below the tolerance: the slope then misses (p + 1) times that, over h.
    fn defect_is_small<const L: usize>(
        tolerance: &Tolerance, order: usize, h: &Row<L>, y: &[Row<L>], place: &Place<L>
    ) -> [bool; L] {
        let mut small = [true; L];
        for i in 0..y.len() {
            for l in 0..L {
                let (before, after) = (y[i][l].abs(), place.y[i][l].abs());
                let size = if after > before { after } else { before };
                let f = place.derivative[i][l];
                let allowed = tolerance.relative * size + tolerance.absolute[i];
                let limit = (order + 1) as f64 * allowed + ROUNDING * f64::EPSILON * (size + h[l] * f.abs());
                small[l] &= h[l] * (f - place.slope[i][l]).abs() <= limit;
            }
        }
        small
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
        /// The fifth term, in tolerances, of a step that a method of order 5 could take as well. The errors amplified are less
        /// than 300 there, for every order up to 30.
        const SMOOTH: f64 = 1e3;
        let few = 1.0 / root(self.tolerance.relative, 3);
        let middle = p.div_ceil(2);
        size(5.min(middle)) < SMOOTH
            && size(middle) < few
            && size(middle + 1) < few
            && size(p).max(size(p - 1) / 7.0) > 0.1
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
        self.jets.expand(&lanes.t, &lanes.y);
        let h = step(self.level, &self.jets, &lanes.y, &self.tolerance, self.order, &lanes.h);
        let least = std::array::from_fn(|l| smallest_step(lanes.t[l]));
        self.try_step(lanes, &h, &least, |_, time, y, out| rhs.eval(time, y, out))
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

    fn pieces(&self, _: &Lanes<L>) -> Option<Pieces<'_, L>> {
        let (rows, stride) = self.jets.rows();
        Some(Pieces { rows, stride, degree: self.order, unit: [1.0; L] })
    }

    fn evaluations_per_attempt(&self, _: usize) -> u64 {
        3
    }
}
