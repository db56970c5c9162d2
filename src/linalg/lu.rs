//! LU factors of a full matrix with partial pivoting, a matrix for each lane.
//!
//! Every lane has its own pivots. Rows are exchanged by selection and not by jumps, so that lanes stay side by side and none
//! influences another. Nothing is allocated after the first use.

use crate::parallel::simd::{Level, kernel};

/// One number for each lane.
pub type Row<const L: usize> = [f64; L];

/// A matrix and, after [`Lu::factor`], its factors.
#[derive(Clone, Debug)]
pub struct Lu<const L: usize> {
    n: usize,
    /// Row-major. Factored: the unit lower triangle below, the upper on and above the diagonal, with reciprocal pivots.
    a: Vec<Row<L>>,
    /// Whether rows k and i were exchanged at pivot k, for i > k.
    swaps: Vec<[bool; L]>,
}

impl<const L: usize> Lu<L> {
    /// A matrix of zeros, n x n.
    pub fn new(n: usize) -> Self {
        Self { n, a: vec![[0.0; L]; n * n], swaps: vec![[false; L]; n * n.saturating_sub(1) / 2] }
    }

    /// The entries, row-major, to be set before [`Lu::factor`].
    pub fn entries(&mut self) -> &mut [Row<L>] {
        &mut self.a
    }

    /// Replaces the matrix by its factors. A singular matrix gives infinities, and solutions that are not finite.
    pub fn factor(&mut self, level: Level) {
        factor(level, self.n, &mut self.a, &mut self.swaps);
    }

    /// Replaces `b` by the solution of `A x = b`.
    pub fn solve(&self, level: Level, b: &mut [Row<L>]) {
        solve(level, self.n, &self.a, &self.swaps, b);
    }
}

#[inline(always)]
fn exchange<const L: usize>(a: &mut [Row<L>], i: usize, k: usize, swap: &[bool; L]) {
    for lane in 0..L {
        let (x, y) = (a[i][lane], a[k][lane]);
        a[i][lane] = if swap[lane] { y } else { x };
        a[k][lane] = if swap[lane] { x } else { y };
    }
}

/// `a -= l b`.
#[inline(always)]
fn subtract<const L: usize>(a: &mut Row<L>, l: &Row<L>, b: &Row<L>) {
    for lane in 0..L {
        a[lane] = (-l[lane]).mul_add(b[lane], a[lane]);
    }
}

#[inline(always)]
fn factored<const L: usize>(n: usize, a: &mut [Row<L>], swaps: &mut [[bool; L]]) {
    let a = &mut a[..n * n];
    let mut swaps = swaps.iter_mut();
    for k in 0..n {
        for (i, swap) in (k + 1..n).zip(&mut swaps) {
            for lane in 0..L {
                swap[lane] = a[i * n + k][lane].abs() > a[k * n + k][lane].abs();
            }
            if *swap != [false; L] {
                for j in 0..n {
                    exchange(a, i * n + j, k * n + j, swap);
                }
            }
        }
        for lane in 0..L {
            a[k * n + k][lane] = 1.0 / a[k * n + k][lane];
        }
        let (upper, lower) = a.split_at_mut((k + 1) * n);
        let pivot = &upper[k * n..];
        for row in lower.chunks_exact_mut(n) {
            for lane in 0..L {
                row[k][lane] *= pivot[k][lane];
            }
            let l = row[k];
            for j in k + 1..n {
                subtract(&mut row[j], &l, &pivot[j]);
            }
        }
    }
}

#[inline(always)]
fn solved<const L: usize>(n: usize, a: &[Row<L>], swaps: &[[bool; L]], b: &mut [Row<L>]) {
    let (a, b) = (&a[..n * n], &mut b[..n]);
    let mut swaps = swaps.iter();
    for k in 0..n {
        for (i, swap) in (k + 1..n).zip(&mut swaps) {
            if *swap != [false; L] {
                exchange(b, i, k, swap);
            }
        }
    }
    for i in 1..n {
        let mut value = b[i];
        for j in 0..i {
            subtract(&mut value, &a[i * n + j], &b[j]);
        }
        b[i] = value;
    }
    for i in (0..n).rev() {
        let mut value = b[i];
        for j in i + 1..n {
            subtract(&mut value, &a[i * n + j], &b[j]);
        }
        for lane in 0..L {
            value[lane] *= a[i * n + i][lane];
        }
        b[i] = value;
    }
}

kernel! {
    /// Small matrices have code of their own, without loops.
    fn factor<const L: usize>(n: usize, a: &mut [Row<L>], swaps: &mut [[bool; L]]) {
        match n {
            2 => factored(2, a, swaps),
            3 => factored(3, a, swaps),
            4 => factored(4, a, swaps),
            _ => factored(n, a, swaps),
        }
    }

    fn solve<const L: usize>(n: usize, a: &[Row<L>], swaps: &[[bool; L]], b: &mut [Row<L>]) {
        match n {
            2 => solved(2, a, swaps, b),
            3 => solved(3, a, swaps, b),
            4 => solved(4, a, swaps, b),
            _ => solved(n, a, swaps, b),
        }
    }
}
