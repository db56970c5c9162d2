//! Adaptive Rosenbrock-Wanner methods over lanes, for stiff flows: one linear system a stage, no iteration.
//!
//! The Jacobian and the derivative in time are the symbolic ones. Every lane has its own step, matrix and pivots, so a trajectory
//! has the same bits alone or among others. The coefficients are in `rosenbrock_tableau`.

use super::outcome::Outcome;
use super::rosenbrock_tableau::{RosenbrockTableau, STAGES};
use super::stages::weighted;
use super::step_size::{LARGEST_STEP, factor, finest_step, first_step, trial_step};
use super::stepper::{Lanes, Piece, Pieces, Rhs, Row, Stepper, Tolerance, Verdict};
use crate::expr::eval::Evaluator;
use crate::linalg::lu::Lu;
use crate::linalg::sparse::Sparse;
use crate::parallel::simd::{Level, kernel};
use crate::system::Linearisation;

/// A Rosenbrock-Wanner method with its working memory.
///
/// Steps are accepted, rejected and given up as by [`RungeKutta`](super::runge_kutta::RungeKutta).
#[derive(Debug)]
pub struct Rosenbrock<'p, const L: usize> {
    tableau: &'static RosenbrockTableau,
    system: &'p Linearisation,
    evaluator: Evaluator<'p, L>,
    tolerance: Tolerance,
    level: Level,
    matrix: Matrix<'p, L>,
    /// Right-hand side, Jacobian and derivative in time at the start of the step.
    values: Vec<Row<L>>,
    /// Solutions of the stages, stage by stage.
    u: Vec<Row<L>>,
    /// Argument of a stage, and its right-hand side.
    argument: Vec<Row<L>>,
    slope: Vec<Row<L>>,
    /// Lanes for which `values` are up to date: the last attempt was rejected.
    known: [bool; L],
    /// Lanes whose last attempt was rejected: their step must not grow at once.
    rejected: [bool; L],
    /// Powers of the interpolant, variable by variable, in the layout of [`Piece`].
    powers: Vec<Row<L>>,
}

#[derive(Debug)]
enum Matrix<'p, const L: usize> {
    Full(Lu<L>),
    Sparse(Sparse<'p, L>),
}

/// Multipliers of an elimination without pivoting beyond this lose too many digits: the step is shortened.
const GROWTH: f64 = 1e5;

/// Degree of the interpolant.
const DEGREE: usize = 4;

impl<'p, const L: usize> Rosenbrock<'p, L> {
    /// The method `tableau` for a linearised system.
    pub fn new(
        tableau: &'static RosenbrockTableau,
        system: &'p Linearisation,
        tolerance: Tolerance,
        level: Level,
    ) -> Self {
        let n = system.n;
        Self {
            tableau,
            system,
            evaluator: Evaluator::new(&system.program, level),
            tolerance,
            level,
            matrix: match &system.plan {
                Some(plan) => Matrix::Sparse(Sparse::new(plan)),
                None => Matrix::Full(Lu::new(n)),
            },
            values: vec![[0.0; L]; system.program.outputs.len()],
            u: vec![[0.0; L]; n * STAGES],
            argument: vec![[0.0; L]; n],
            slope: vec![[0.0; L]; n],
            known: [false; L],
            rejected: [false; L],
            powers: vec![[0.0; L]; n * (DEGREE + 1)],
        }
    }

    /// Puts the parameters of `lane` in place.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        self.evaluator.set_parameters(lane, parameters);
    }

    /// Sets `I/(h gamma) - J` and factors it.
    fn factor(&mut self, h: &Row<L>) {
        let n = self.system.n;
        let entries = &self.values[n..n + self.system.entries.len()];
        let diagonal = std::array::from_fn(|lane| 1.0 / (h[lane] * self.tableau.gamma));
        match &mut self.matrix {
            Matrix::Full(lu) => {
                let a = lu.entries();
                a.fill([0.0; L]);
                (0..n).for_each(|i| a[i * n + i] = diagonal);
                for (&(i, j), entry) in self.system.entries.iter().zip(entries) {
                    (0..L).for_each(|lane| a[i * n + j][lane] -= entry[lane]);
                }
                lu.factor(self.level);
            }
            Matrix::Sparse(sparse) => {
                sparse.set(&diagonal, entries);
                sparse.factor(self.level);
            }
        }
    }

    /// The largest of `values` on `lane` in units of the tolerance at state `y`.
    fn size(&self, values: impl Iterator<Item = f64>, y: &[Row<L>], lane: usize) -> f64 {
        let Tolerance { relative, absolute } = &self.tolerance;
        values
            .zip(absolute.iter().zip(y))
            .map(|(value, (&absolute, y))| value.abs() / scale(*relative, absolute, y[lane], y[lane]))
            .fold(0.0, |largest, size| if size <= largest { largest } else { size })
    }

    /// Raises `error` to what the interpolant misses inside the step.
    ///
    /// Where a flow is stiff the interpolant loses order, and the embedded formula knows nothing of it. The defect, the
    /// difference between the right-hand side and the slope of the interpolant, does; the factored matrix turns it into an error
    /// of the state, as it does in the stages (Steinebach 2023 looks at the defect itself for the variant Rodas5Pr).
    fn look_inside<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &Lanes<L>, error: &mut Row<L>) {
        /// The golden section: no symmetry of the interpolant makes the defect vanish there.
        const INSIDE: f64 = 0.618033988749895;
        let h = lanes.h;
        let Self { level, tableau, u, powers, argument, slope, matrix, tolerance, .. } = self;
        expand(*level, tableau, u, &lanes.y, &lanes.y_next, argument, powers);
        inside(*level, powers, INSIDE, &h, argument, u);
        let t = std::array::from_fn(|lane| INSIDE * h[lane] + lanes.t[lane]);
        rhs.eval(&t, argument, slope);
        let n = lanes.y.len();
        for (defect, f) in u[..n].iter_mut().zip(slope) {
            (0..L).for_each(|lane| defect[lane] = f[lane] - defect[lane]);
        }
        match matrix {
            Matrix::Full(lu) => lu.solve(*level, &mut u[..n]),
            Matrix::Sparse(sparse) => sparse.solve(*level, &mut u[..n]),
        }
        raise(*level, tolerance, &lanes.y, &lanes.y_next, &u[..n], error);
    }

    /// An upper bound of the spectral radius of the Jacobian at the start of the last step: its largest row or column sum,
    /// whichever is smaller.
    pub fn spectral_bound(&mut self, lane: usize) -> f64 {
        let n = self.system.n;
        // `slope` and `argument` are free between attempts.
        self.slope.iter_mut().chain(&mut self.argument).for_each(|sum| sum[lane] = 0.0);
        for (&(i, j), entry) in self.system.entries.iter().zip(&self.values[n..]) {
            self.slope[i][lane] += entry[lane].abs();
            self.argument[j][lane] += entry[lane].abs();
        }
        let largest = |sums: &[Row<L>]| sums.iter().fold(0.0f64, |largest, sum| largest.max(sum[lane]));
        largest(&self.slope).min(largest(&self.argument))
    }

    /// Accept or reject the step just tried on `lane`, whose error is `error` times the tolerance, and set the next.
    fn judge(&mut self, lanes: &mut Lanes<L>, lane: usize, error: f64) -> Verdict {
        const SMALLEST_FACTOR: f64 = 0.2;
        const LARGEST_FACTOR: f64 = 6.0;
        let order = self.tableau.error_order;
        let h = lanes.h[lane];
        let shortest = finest_step(lanes.t[lane]);
        if error <= 1.0 {
            let largest = if self.rejected[lane] { 1.0 } else { LARGEST_FACTOR };
            self.rejected[lane] = false;
            self.known[lane] = false;
            lanes.h_taken[lane] = h;
            lanes.h[lane] = (h * factor(error, order, SMALLEST_FACTOR, largest)).clamp(shortest, LARGEST_STEP);
            return Verdict::Accepted;
        }
        self.rejected[lane] = true;
        self.known[lane] = true;
        if error.is_nan() && self.values[..self.system.n].iter().any(|f| !f[lane].is_finite()) {
            return Verdict::Failed(Outcome::LeftDomain);
        }
        if h <= shortest {
            return Verdict::Failed(if error.is_nan() { Outcome::LeftDomain } else { Outcome::Stalled });
        }
        let smaller = if error.is_nan() { 0.1 * h } else { h * factor(error, order, SMALLEST_FACTOR, 1.0) };
        lanes.h[lane] = smaller.max(shortest);
        Verdict::Rejected
    }
}

impl<const L: usize> Stepper<L> for Rosenbrock<'_, L> {
    fn start<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>, lane: usize) {
        let n = self.system.n;
        self.known[lane] = false;
        self.rejected[lane] = false;
        rhs.eval(&lanes.t, &lanes.y, &mut self.slope);
        let state = self.size(lanes.y.iter().map(|y| y[lane]), &lanes.y, lane);
        let slope = self.size(self.slope.iter().map(|k| k[lane]), &lanes.y, lane);
        let trial = trial_step(state, slope);
        for i in 0..n {
            self.argument[i] = lanes.y[i];
            self.argument[i][lane] += trial * self.slope[i][lane];
        }
        let mut t = lanes.t;
        t[lane] += trial;
        rhs.eval(&t, &self.argument, &mut self.u[..n]);
        let change = (0..n).map(|i| self.u[i][lane] - self.slope[i][lane]);
        let bend = self.size(change, &lanes.y, lane) / trial;
        lanes.h[lane] = first_step(trial, slope, bend, self.tableau.error_order).max(finest_step(lanes.t[lane]));
    }

    fn attempt<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>) -> [Verdict; L] {
        let (n, tableau) = (self.system.n, self.tableau);
        let h = lanes.h;
        if (0..L).any(|lane| lanes.running[lane] && !self.known[lane]) {
            self.evaluator.eval(&lanes.t, &lanes.y, &[], &mut self.values);
        }
        self.factor(&h);
        for s in 0..STAGES {
            let (before, rest) = self.u.split_at_mut(s * n);
            let in_time = if self.system.is_autonomous { &[] } else { &self.values[n + self.system.entries.len()..] };
            if s == 0 {
                right_side(self.level, tableau, s, &self.values[..n], in_time, before, &h, &mut rest[..n]);
            } else {
                combine(self.level, &tableau.a[s][..s], before, &lanes.y, &mut self.argument);
                let t = std::array::from_fn(|lane| tableau.c[s] * h[lane] + lanes.t[lane]);
                rhs.eval(&t, &self.argument, &mut self.slope);
                right_side(self.level, tableau, s, &self.slope, in_time, before, &h, &mut rest[..n]);
            }
            match &self.matrix {
                Matrix::Full(lu) => lu.solve(self.level, &mut rest[..n]),
                Matrix::Sparse(sparse) => sparse.solve(self.level, &mut rest[..n]),
            }
        }
        let last = &self.u[(STAGES - 1) * n..];
        let mut error = finish(self.level, &self.tolerance, &lanes.y, &self.argument, last, &mut lanes.y_next);
        self.look_inside(rhs, lanes, &mut error);
        if let Matrix::Sparse(sparse) = &self.matrix {
            for lane in 0..L {
                if !(sparse.growth()[lane] <= GROWTH) {
                    error[lane] = f64::NAN;
                }
            }
        }
        let mut verdicts = [Verdict::Idle; L];
        for lane in 0..L {
            if lanes.running[lane] {
                verdicts[lane] = self.judge(lanes, lane, tableau.caution * error[lane]);
            }
        }
        verdicts
    }

    fn prepare_pieces<R: Rhs<L>>(&mut self, _: &mut R, _: &Lanes<L>, _: &[bool; L]) {}

    fn piece(&self, lanes: &Lanes<L>, lane: usize, piece: &mut Piece) {
        piece.degree = DEGREE;
        piece.unit = lanes.h_taken[lane];
        piece.coefficients.clear();
        piece.coefficients.extend(self.powers.iter().map(|row| row[lane]));
    }

    fn pieces(&self, lanes: &Lanes<L>) -> Option<Pieces<'_, L>> {
        Some(Pieces { rows: &self.powers, stride: DEGREE + 1, degree: DEGREE, unit: lanes.h_taken })
    }

    fn evaluations_per_attempt(&self, _: usize) -> u64 {
        STAGES as u64 + 1
    }
}

/// The error that the tolerance allows to a variable that goes from `a` to `b`; never zero.
#[inline(always)]
fn scale(relative: f64, absolute: f64, a: f64, b: f64) -> f64 {
    let (a, b) = (a.abs(), b.abs());
    let size = if a > b { a } else { b };
    let scale = relative.mul_add(size, absolute);
    if scale > f64::MIN_POSITIVE { scale } else { f64::MIN_POSITIVE }
}

kernel! {
    /// `y + sum_j w_j u_j`.
    fn combine<const L: usize>(weights: &[f64], u: &[Row<L>], y: &[Row<L>], out: &mut [Row<L>]) {
        weighted(weights.iter().copied().enumerate(), u, out);
        for (out, y) in out.iter_mut().zip(y) {
            for lane in 0..L {
                out[lane] += y[lane];
            }
        }
    }

    /// `f + d_s h f_t + (sum_j k_sj u_j) / h`.
    fn right_side<const L: usize>(
        tableau: &RosenbrockTableau, s: usize, f: &[Row<L>], in_time: &[Row<L>], u: &[Row<L>], h: &Row<L>, out: &mut [Row<L>],
    ) {
        weighted(tableau.k[s][..s].iter().copied().enumerate(), u, out);
        for (out, f) in out.iter_mut().zip(f) {
            for lane in 0..L {
                out[lane] = f[lane] + out[lane] / h[lane];
            }
        }
        if tableau.d[s] != 0.0 {
            for (out, slope) in out.iter_mut().zip(in_time) {
                for lane in 0..L {
                    out[lane] = (tableau.d[s] * h[lane]).mul_add(slope[lane], out[lane]);
                }
            }
        }
    }

    /// The new state, and the error in units of the tolerance, the largest over the variables; NaN if anything is NaN or
    /// infinite.
    fn finish<const L: usize>(
        tolerance: &Tolerance, y: &[Row<L>], argument: &[Row<L>], last: &[Row<L>], y_next: &mut [Row<L>],
    ) -> Row<L> {
        let (mut error, mut guard) = ([0.0; L], [0.0; L]);
        for i in 0..y.len() {
            for lane in 0..L {
                let next = argument[i][lane] + last[i][lane];
                y_next[i][lane] = next;
                let size = last[i][lane].abs() / scale(tolerance.relative, tolerance.absolute[i], y[i][lane], next);
                error[lane] = if size > error[lane] { size } else { error[lane] };
                guard[lane] = 0.0_f64.mul_add(next, guard[lane]);
            }
        }
        for lane in 0..L {
            error[lane] += guard[lane];
        }
        error
    }

    /// Raises `error` to the size of `values` in units of the tolerance; what is NaN stays or makes it so.
    fn raise<const L: usize>(
        tolerance: &Tolerance, y: &[Row<L>], y_next: &[Row<L>], values: &[Row<L>], error: &mut Row<L>,
    ) {
        for i in 0..y.len() {
            for lane in 0..L {
                let allowed = scale(tolerance.relative, tolerance.absolute[i], y[i][lane], y_next[i][lane]);
                let size = values[i][lane].abs() / allowed;
                error[lane] = if size <= error[lane] || error[lane].is_nan() { error[lane] } else { size };
            }
        }
    }

    /// The polynomials at `theta`, and their slopes in time.
    fn inside<const L: usize>(
        powers: &[Row<L>], theta: f64, h: &Row<L>, value: &mut [Row<L>], slope: &mut [Row<L>],
    ) {
        for (i, p) in powers.chunks_exact(DEGREE + 1).enumerate() {
            for lane in 0..L {
                let [mut sum, mut derivative] = [p[DEGREE][lane], 0.0];
                for power in p[..DEGREE].iter().rev() {
                    derivative = theta.mul_add(derivative, sum);
                    sum = theta.mul_add(sum, power[lane]);
                }
                value[i][lane] = sum;
                slope[i][lane] = derivative / h[lane];
            }
        }
    }

    /// The interpolant of a step as powers of `theta`, degree plus one for each variable.
    fn expand<const L: usize>(
        tableau: &RosenbrockTableau, u: &[Row<L>], y: &[Row<L>], y_next: &[Row<L>], sums: &mut [Row<L>],
        powers: &mut [Row<L>],
    ) {
        for (row, m) in tableau.h.iter().zip(1..) {
            weighted(row.iter().copied().enumerate(), u, sums);
            for (powers, sum) in powers.chunks_exact_mut(DEGREE + 1).zip(&*sums) {
                powers[m] = *sum;
            }
        }
        for (i, powers) in powers.chunks_exact_mut(DEGREE + 1).enumerate() {
            let [p0, p1, p2] = [powers[1], powers[2], powers[3]];
            powers[0] = y[i];
            for lane in 0..L {
                powers[1][lane] = (y_next[i][lane] - y[i][lane]) + p0[lane];
                powers[2][lane] = p1[lane] - p0[lane];
                powers[3][lane] = p2[lane] - p1[lane];
                powers[4][lane] = -p2[lane];
            }
        }
    }
}
