//! The classical Runge-Kutta method of order 4 (Kutta 1901) with a fixed step, and cubic Hermite interpolation inside it.
//!
//! No error control: the caller answers for the step. Adaptive pairs are in `runge_kutta`.

use super::outcome::Outcome;
use super::stepper::{Lanes, Piece, Rhs, Row, Stepper, Verdict};
use crate::parallel::simd::{Level, kernel};

/// The classical method with its working memory.
///
/// A trajectory ends as having left its domain where a stage is NaN at a finite argument, or where the equations are
/// not finite at the state reached; as diverged where it overflows.
#[derive(Debug)]
pub struct Rk4<const L: usize> {
    step: f64,
    level: Level,
    /// Derivatives of the four stages and at the end of the step; empty until the first start.
    k: [Vec<Row<L>>; 5],
    argument: Vec<Row<L>>,
    /// Lanes whose derivative at the end of the last step is the next first stage.
    advanced: [bool; L],
}

impl<const L: usize> Rk4<L> {
    /// The method with this step, which must be positive.
    pub fn new(step: f64) -> Self {
        Self { step, level: Level::detect(), k: Default::default(), argument: Vec::new(), advanced: [false; L] }
    }

    /// Why a step of `lane` came to nothing, if it did.
    fn failure(&self, y_next: &[Row<L>], lane: usize) -> Option<Outcome> {
        let finite = |rows: &[Row<L>]| rows.iter().all(|row| row[lane].is_finite());
        for (s, k) in self.k.iter().enumerate() {
            if s == 4 && !finite(y_next) {
                return Some(Outcome::Diverged);
            }
            if !finite(k) {
                let undefined = s == 0 || s == 4 || k.iter().any(|row| row[lane].is_nan());
                return Some(if undefined { Outcome::LeftDomain } else { Outcome::Diverged });
            }
        }
        None
    }
}

impl<const L: usize> Stepper<L> for Rk4<L> {
    fn start<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>, lane: usize) {
        let n = lanes.y.len();
        for k in &mut self.k {
            k.resize(n, [0.0; L]);
        }
        self.argument.resize(n, [0.0; L]);
        rhs.eval(&lanes.t, &lanes.y, &mut self.k[1]);
        for i in 0..n {
            self.k[0][i][lane] = self.k[1][i][lane];
        }
        self.advanced[lane] = false;
        lanes.h[lane] = self.step;
    }

    fn attempt<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>) -> [Verdict; L] {
        let h = lanes.h;
        for lane in (0..L).filter(|&lane| self.advanced[lane]) {
            for i in 0..lanes.y.len() {
                self.k[0][i][lane] = self.k[4][i][lane];
            }
        }
        for (s, c) in [(1, 0.5), (2, 0.5), (3, 1.0)] {
            euler(self.level, c, &self.k[s - 1], &lanes.y, &h, &mut self.argument);
            let t = std::array::from_fn(|lane| h[lane].mul_add(c, lanes.t[lane]));
            rhs.eval(&t, &self.argument, &mut self.k[s]);
        }
        finish(self.level, &self.k, &lanes.y, &h, &mut lanes.y_next);
        let t = std::array::from_fn(|lane| lanes.t[lane] + h[lane]);
        rhs.eval(&t, &lanes.y_next, &mut self.k[4]);
        std::array::from_fn(|lane| {
            self.advanced[lane] = false;
            if !lanes.running[lane] {
                return Verdict::Idle;
            }
            if let Some(outcome) = self.failure(&lanes.y_next, lane) {
                return Verdict::Failed(outcome);
            }
            self.advanced[lane] = true;
            lanes.h_taken[lane] = h[lane];
            lanes.h[lane] = self.step;
            Verdict::Accepted
        })
    }

    fn prepare_pieces<R: Rhs<L>>(&mut self, _rhs: &mut R, _lanes: &Lanes<L>, _wanted: &[bool; L]) {}

    fn piece(&self, lanes: &Lanes<L>, lane: usize, piece: &mut Piece) {
        let h = lanes.h_taken[lane];
        piece.degree = 3;
        piece.unit = h;
        piece.coefficients.clear();
        for i in 0..lanes.y.len() {
            let (y, rise) = (lanes.y[i][lane], lanes.y_next[i][lane] - lanes.y[i][lane]);
            let (first, last) = (h * self.k[0][i][lane], h * self.k[4][i][lane]);
            let cubic = (first + last) - 2.0 * rise;
            piece.coefficients.extend([y, first, (rise - first) - cubic, cubic]);
        }
    }

    fn evaluations_per_attempt(&self, _: usize) -> u64 {
        4
    }
}

kernel! {
    /// `y + c h k`.
    fn euler<const L: usize>(c: f64, k: &[Row<L>], y: &[Row<L>], h: &Row<L>, out: &mut [Row<L>]) {
        for i in 0..y.len() {
            for lane in 0..L {
                out[i][lane] = (c * h[lane]).mul_add(k[i][lane], y[i][lane]);
            }
        }
    }

    /// `y + h (k_0 + 2 k_1 + 2 k_2 + k_3) / 6`.
    fn finish<const L: usize>(k: &[Vec<Row<L>>; 5], y: &[Row<L>], h: &Row<L>, out: &mut [Row<L>]) {
        for i in 0..y.len() {
            for lane in 0..L {
                let inner = k[1][i][lane] + k[2][i][lane];
                let sum = 2.0_f64.mul_add(inner, k[0][i][lane] + k[3][i][lane]);
                out[i][lane] = (h[lane] / 6.0).mul_add(sum, y[i][lane]);
            }
        }
    }
}
