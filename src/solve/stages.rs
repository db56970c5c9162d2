//! Weighted sums over the stages of a step, which Runge-Kutta and Rosenbrock methods are made of.

use super::stepper::Row;

/// `sum_j w_j k_j` of every variable, for weights (j, w_j), added in their order.
#[inline(always)]
pub(super) fn weighted<const L: usize>(
    weights: impl Iterator<Item = (usize, f64)> + Clone,
    k: &[Row<L>],
    out: &mut [Row<L>],
) {
    groups(weights, k, None, out);
}

/// `y + h sum_j w_j k_j` of every variable.
#[inline(always)]
pub(super) fn advanced<const L: usize>(
    weights: impl Iterator<Item = (usize, f64)> + Clone,
    k: &[Row<L>],
    y: &[Row<L>],
    h: &Row<L>,
    out: &mut [Row<L>],
) {
    groups(weights, k, Some((y, h)), out);
}

/// A single trajectory takes the variables in groups, so that no sum waits for its last term.
#[inline(always)]
fn groups<const L: usize>(
    weights: impl Iterator<Item = (usize, f64)> + Clone,
    k: &[Row<L>],
    from: Option<(&[Row<L>], &Row<L>)>,
    out: &mut [Row<L>],
) {
    let n = out.len();
    let group = if L == 1 { 4 } else { 1 };
    for first in (0..n).step_by(group) {
        match (n - first).min(group) {
            1 => few::<L, 1>(weights.clone(), k, from, n, first, out),
            2 => few::<L, 2>(weights.clone(), k, from, n, first, out),
            3 => few::<L, 3>(weights.clone(), k, from, n, first, out),
            _ => few::<L, 4>(weights.clone(), k, from, n, first, out),
        }
    }
}

/// The `N` variables from `first` on, of `n`.
#[inline(always)]
fn few<const L: usize, const N: usize>(
    weights: impl Iterator<Item = (usize, f64)>,
    k: &[Row<L>],
    from: Option<(&[Row<L>], &Row<L>)>,
    n: usize,
    first: usize,
    out: &mut [Row<L>],
) {
    let mut sums = [[0.0; L]; N];
    for (j, weight) in weights {
        let stage = &k[j * n + first..][..N];
        for i in 0..N {
            for lane in 0..L {
                sums[i][lane] = weight.mul_add(stage[i][lane], sums[i][lane]);
            }
        }
    }
    if let Some((y, h)) = from {
        let y = &y[first..][..N];
        for i in 0..N {
            for lane in 0..L {
                sums[i][lane] = h[lane].mul_add(sums[i][lane], y[i][lane]);
            }
        }
    }
    out[first..][..N].copy_from_slice(&sums);
}
