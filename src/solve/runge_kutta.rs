//! Adaptive explicit Runge-Kutta pairs over lanes: `tsit5`, `dop853`. The coefficients are in `tableau`.
//!
//! Every lane has its own step, error and verdict, and sums run in the order of the stages whatever the number of
//! lanes, so a trajectory has the same bits alone or among others.

use super::outcome::Outcome;
use super::stages::{advanced, weighted};
use super::step_size::{LARGEST_STEP, factor, finest_step, first_step, trial_step};
use super::stepper::{Lanes, Piece, Pieces, Rhs, Row, Stepper, Tolerance, Verdict};
use super::switching::Explicit;
use super::tableau::{Interpolant, Tableau, Weights};
use crate::expr::program::Program;
use crate::parallel::simd::{Level, kernel};

/// An adaptive explicit pair with its working memory.
///
/// A step is accepted when its error estimate, times the caution of the tableau, is within the tolerance in every
/// variable. A NaN or an infinity in a stage rejects the step. A step rejected down to [`finest_step`] ends the
/// trajectory: it left its domain if the last cause was a NaN or an infinity, else it stalled.
#[derive(Debug)]
pub struct RungeKutta<const L: usize> {
    tableau: &'static Tableau,
    tolerance: Tolerance,
    level: Level,
    /// Derivatives of all stages, stage by stage.
    k: Vec<Row<L>>,
    /// Argument of a stage; between the stages, sums over them.
    argument: Vec<Row<L>>,
    /// The error that the tolerance allows.
    allowed: Vec<Row<L>>,
    /// Lanes whose last attempt was accepted: their stage `last` is the next stage 0.
    advanced: [bool; L],
    /// Lanes whose last attempt was rejected: their step must not grow at once.
    rejected: [bool; L],
    /// Terms of a nested interpolant, variable by variable.
    terms: Vec<Row<L>>,
    /// Powers of the interpolant, variable by variable, in the layout of [`Piece`].
    powers: Vec<Row<L>>,
}

impl<const L: usize> RungeKutta<L> {
    /// The pair `tableau` for as many variables as `tolerance` has absolute parts.
    pub fn new(tableau: &'static Tableau, tolerance: Tolerance) -> Self {
        let n = tolerance.absolute.len();
        Self {
            tableau,
            level: Level::detect(),
            k: vec![[0.0; L]; n * tableau.stages()],
            argument: vec![[0.0; L]; n],
            allowed: vec![[0.0; L]; n],
            advanced: [false; L],
            rejected: [false; L],
            terms: vec![[0.0; L]; n * tableau.interpolant.degree()],
            powers: vec![[0.0; L]; n * (tableau.interpolant.degree() + 1)],
            tolerance,
        }
    }

    fn variables(&self) -> usize {
        self.tolerance.absolute.len()
    }

    /// Compute stage `s` at its place in the step.
    fn stage<R: Rhs<L>>(&mut self, s: usize, rhs: &mut R, lanes: &Lanes<L>, h: &Row<L>) {
        let n = self.variables();
        let (before, rest) = self.k.split_at_mut(s * n);
        combine(self.level, self.tableau.a[s], before, &lanes.y, h, &mut self.argument);
        rhs.eval(&after(&lanes.t, self.tableau.c[s], h), &self.argument, &mut rest[..n]);
    }

    /// The largest of `values` on `lane` in units of the tolerance at state `y`.
    fn size(&self, values: impl Iterator<Item = f64>, y: &[Row<L>], lane: usize) -> f64 {
        let Tolerance { relative, absolute } = &self.tolerance;
        values
            .zip(absolute.iter().zip(y))
            .map(|(value, (&absolute, y))| value.abs() / scale(*relative, absolute, y[lane], y[lane]))
            .fold(0.0, |largest, size| if size <= largest { largest } else { size })
    }
}

impl<const L: usize> Stepper<L> for RungeKutta<L> {
    fn start<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>, lane: usize) {
        let n = self.variables();
        self.advanced[lane] = false;
        self.rejected[lane] = false;
        // Stages after the first are free, but the last one may be due to become another lane's stage 0.
        let spare = n..2 * n;
        rhs.eval(&lanes.t, &lanes.y, &mut self.k[spare.clone()]);
        for i in 0..n {
            self.k[i][lane] = self.k[n + i][lane];
        }
        let derivative = |k: &[Row<L>], i: usize| k[i][lane];
        let state = self.size(lanes.y.iter().map(|y| y[lane]), &lanes.y, lane);
        let slope = self.size((0..n).map(|i| derivative(&self.k, i)), &lanes.y, lane);
        let trial = trial_step(state, slope);
        for i in 0..n {
            self.argument[i] = lanes.y[i];
            self.argument[i][lane] = trial.mul_add(derivative(&self.k, i), lanes.y[i][lane]);
        }
        let mut t = lanes.t;
        t[lane] += trial;
        rhs.eval(&t, &self.argument, &mut self.k[spare]);
        let change = (0..n).map(|i| self.k[n + i][lane] - self.k[i][lane]);
        let bend = self.size(change, &lanes.y, lane) / trial;
        lanes.h[lane] = first_step(trial, slope, bend, self.tableau.error_order).max(finest_step(lanes.t[lane]));
    }

    fn attempt<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>) -> [Verdict; L] {
        let (n, last) = (self.variables(), self.tableau.last);
        for lane in 0..L {
            if self.advanced[lane] {
                for i in 0..n {
                    self.k[i][lane] = self.k[last * n + i][lane];
                }
                self.advanced[lane] = false;
            }
        }
        let h = lanes.h;
        for s in 1..=last {
            self.stage(s, rhs, lanes, &h);
        }
        lanes.y_next.copy_from_slice(&self.argument);
        let Self { level, tableau, tolerance, k, argument, allowed, .. } = self;
        let error = estimate(*level, tableau, tolerance, k, &lanes.y, &lanes.y_next, &h, allowed, argument);
        let mut verdicts = [Verdict::Idle; L];
        for lane in 0..L {
            if lanes.running[lane] {
                verdicts[lane] = self.judge(lanes, lane, self.tableau.caution * error[lane]);
            }
        }
        verdicts
    }

    fn prepare_pieces<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &Lanes<L>, wanted: &[bool; L]) {
        if !wanted.contains(&true) {
            return;
        }
        let h = lanes.h_taken;
        for s in self.tableau.last + 1..self.tableau.stages() {
            self.stage(s, rhs, lanes, &h);
        }
        let Self { level, tableau, k, argument, terms, powers, .. } = self;
        expand(*level, tableau, k, &lanes.y, &lanes.y_next, &h, terms, argument, powers);
    }

    fn piece(&self, lanes: &Lanes<L>, lane: usize, piece: &mut Piece) {
        piece.degree = self.tableau.interpolant.degree();
        piece.unit = lanes.h_taken[lane];
        piece.coefficients.clear();
        piece.coefficients.extend(self.powers.iter().map(|row| row[lane]));
    }

    fn pieces(&self, lanes: &Lanes<L>) -> Option<Pieces<'_, L>> {
        let degree = self.tableau.interpolant.degree();
        Some(Pieces { rows: &self.powers, stride: degree + 1, degree, unit: lanes.h_taken })
    }

    fn evaluations_per_attempt(&self, _: usize) -> u64 {
        self.tableau.last as u64
    }
}

impl<const L: usize> Explicit<L> for RungeKutta<L> {
    /// By the last two stages, both at the end of the step: the quotient of their differences estimates the largest eigenvalue
    /// (Hairer & Wanner 1996, IV.2).
    fn limited_by_stability(&self, lanes: &Lanes<L>, lane: usize) -> bool {
        let (n, h, last) = (self.variables(), lanes.h_taken[lane], self.tableau.last);
        let (mut slopes, mut states) = (0.0, 0.0);
        for i in 0..n {
            let sum = self.tableau.a[last - 1].iter().fold(0.0, |sum, &(j, a)| sum + a * self.k[j * n + i][lane]);
            let state = lanes.y_next[i][lane] - (lanes.y[i][lane] + h * sum);
            let slope = self.k[last * n + i][lane] - self.k[(last - 1) * n + i][lane];
            let scale = scale(self.tolerance.relative, self.tolerance.absolute[i], lanes.y[i][lane], lanes.y[i][lane]);
            states += (state / scale) * (state / scale);
            slopes += (slope / scale) * (slope / scale);
        }
        h * h * slopes > self.stability_limit() * self.stability_limit() * states
    }

    fn stability_limit(&self) -> f64 {
        // Hairer & Wanner 1996, IV.2, for both the pairs of Dormand and Prince; that of Tsitouras is close to the first.
        if self.tableau.order == 8 { 6.1 } else { 3.3 }
    }

    fn operations(&self, rhs: &Program, n: usize) -> f64 {
        let stages = self.tableau.last as f64;
        stages * (rhs.body.len() as f64 + 0.5 * stages * n as f64)
    }
}

impl<const L: usize> RungeKutta<L> {
    /// Accept or reject the step just tried on `lane`, whose error is `error` times the tolerance, and set the next.
    fn judge(&mut self, lanes: &mut Lanes<L>, lane: usize, error: f64) -> Verdict {
        let Tableau { error_order, smallest_factor, largest_factor, .. } = *self.tableau;
        let h = lanes.h[lane];
        let shortest = finest_step(lanes.t[lane]);
        if error <= 1.0 {
            let largest = if self.rejected[lane] { 1.0 } else { largest_factor };
            self.advanced[lane] = true;
            self.rejected[lane] = false;
            lanes.h_taken[lane] = h;
            lanes.h[lane] = (h * factor(error, error_order, smallest_factor, largest)).clamp(shortest, LARGEST_STEP);
            return Verdict::Accepted;
        }
        if error.is_nan() && self.k[..self.variables()].iter().any(|k| !k[lane].is_finite()) {
            return Verdict::Failed(Outcome::LeftDomain);
        }
        if h <= shortest {
            return Verdict::Failed(if error.is_nan() { Outcome::LeftDomain } else { Outcome::Stalled });
        }
        let smaller = if error.is_nan() { 0.1 * h } else { h * factor(error, error_order, smallest_factor, 1.0) };
        self.rejected[lane] = true;
        lanes.h[lane] = smaller.max(shortest);
        Verdict::Rejected
    }
}

/// `t + c h`.
fn after<const L: usize>(t: &Row<L>, c: f64, h: &Row<L>) -> Row<L> {
    std::array::from_fn(|lane| c.mul_add(h[lane], t[lane]))
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
    /// `y + h sum_j w_j k_j` for every variable.
    fn combine<const L: usize>(weights: Weights, k: &[Row<L>], y: &[Row<L>], h: &Row<L>, out: &mut [Row<L>]) {
        advanced(weights.iter().copied(), k, y, h, out);
    }

    /// The error of a step in units of the tolerance, the largest over the variables; NaN if any stage or the new
    /// state is NaN or infinite (a zero weight times such a stage is NaN, so no weight is skipped).
    ///
    /// With a coarser estimate `e3` beside the finer `e`, it is `e^2 / sqrt(e^2 + 0.01 e3^2)` (Hairer, Norsett & Wanner
    /// 1993, II.10), written so that it cannot overflow.
    fn estimate<const L: usize>(
        tableau: &Tableau, tolerance: &Tolerance, k: &[Row<L>], y: &[Row<L>], y_next: &[Row<L>], h: &Row<L>,
        allowed: &mut [Row<L>], sums: &mut [Row<L>],
    ) -> Row<L> {
        let n = y.len();
        let (mut fine, mut coarse, mut guard) = ([0.0; L], [0.0; L], [0.0; L]);
        weighted(tableau.error.iter().copied().enumerate(), k, sums);
        for i in 0..n {
            for lane in 0..L {
                allowed[i][lane] = scale(tolerance.relative, tolerance.absolute[i], y[i][lane], y_next[i][lane]);
                let size = sums[i][lane].abs() / allowed[i][lane];
                fine[lane] = if size > fine[lane] { size } else { fine[lane] };
                guard[lane] = 0.0_f64.mul_add(sums[i][lane] + y_next[i][lane], guard[lane]);
            }
        }
        if let Some(weights) = tableau.coarse_error {
            weighted(weights.iter().copied().enumerate(), k, sums);
            for i in 0..n {
                for lane in 0..L {
                    let size = sums[i][lane].abs() / allowed[i][lane];
                    coarse[lane] = if size > coarse[lane] { size } else { coarse[lane] };
                }
            }
        }
        let mut error = [0.0; L];
        for lane in 0..L {
            let ratio = if coarse[lane] > 0.0 { 0.1 * (coarse[lane] / fine[lane]) } else { 0.0 };
            let reduced = if fine[lane] > 0.0 { fine[lane] / ratio.mul_add(ratio, 1.0).sqrt() } else { 0.0 };
            error[lane] = h[lane].mul_add(reduced, guard[lane]);
        }
        error
    }

    /// The interpolant of a step as powers of `theta`, degree plus one for each variable.
    fn expand<const L: usize>(
        tableau: &Tableau, k: &[Row<L>], y: &[Row<L>], y_next: &[Row<L>], h: &Row<L>,
        terms: &mut [Row<L>], sums: &mut [Row<L>], powers: &mut [Row<L>],
    ) {
        let n = y.len();
        let degree = tableau.interpolant.degree();
        match tableau.interpolant {
            Interpolant::Powers(rows) => {
                for (row, p) in rows.iter().zip(1..) {
                    weighted(row.iter().copied().enumerate(), k, sums);
                    for i in 0..n {
                        for lane in 0..L {
                            powers[i * (degree + 1) + p][lane] = h[lane] * sums[i][lane];
                        }
                    }
                }
            }
            Interpolant::Nested(rows) => {
                for (r, row) in rows.iter().enumerate() {
                    weighted(row.iter().copied(), k, sums);
                    for i in 0..n {
                        for lane in 0..L {
                            terms[i * rows.len() + r][lane] = h[lane] * sums[i][lane];
                        }
                    }
                }
                for (i, powers) in powers.chunks_exact_mut(degree + 1).enumerate() {
                    let (first, last, terms) = (&k[i], &k[tableau.last * n + i], &terms[i * rows.len()..]);
                    powers.fill([0.0; L]);
                    for m in (0..degree).rev() {
                        // So far `powers` is a polynomial of degree `degree - 2 - m` ; multiply by theta or
                        // 1 - theta, which alternate and begin with theta at the outside.
                        for lane in 0..L {
                            let rise = y_next[i][lane] - y[i][lane];
                            let bend = h[lane].mul_add(first[lane], -rise);
                            let term = match m {
                                0 => rise,
                                1 => bend,
                                2 => h[lane].mul_add(-last[lane], rise) - bend,
                                _ => terms[m - 3][lane],
                            };
                            let mut carried = 0.0;
                            for power in powers.iter_mut().take(degree - m) {
                                let old = power[lane];
                                power[lane] = if m % 2 == 0 { old - carried } else { carried };
                                carried = old;
                            }
                            powers[0][lane] += term;
                        }
                    }
                    // The outermost factor theta.
                    for p in (1..=degree).rev() {
                        powers[p] = powers[p - 1];
                    }
                }
            }
        }
        for (powers, y) in powers.chunks_exact_mut(degree + 1).zip(y) {
            powers[0] = *y;
        }
    }
}
