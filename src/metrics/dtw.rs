//! Dynamic time warping: the least cost of matching two series in order.
//!
//! Along an anti-diagonal no cell needs another, so a whole diagonal is computed at once in the widest vector unit.

use super::Series;
use crate::error::{Error, Result};
use crate::parallel::pool::Monitor;
use crate::parallel::simd::{Level, kernel};

/// What a matched pair costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Euclidean distance, summed along the path (Sakoe & Chiba 1978).
    Euclidean,
    /// Its square; the root is taken of the sum.
    Squared,
}

/// The distance. With `band`, only samples at most so many steps apart are matched (Sakoe & Chiba 1978, IEEE Trans.
/// Acoust. Speech Signal Process. 26, 43-49). NaN if a number is not finite.
///
/// # Errors
/// If the band is narrower than the difference of the lengths, or on a stop.
pub fn dtw(a: Series<'_>, b: Series<'_>, cost: Cost, band: Option<usize>, monitor: &Monitor) -> Result<f64> {
    let (n, m) = (a.len(), b.len());
    let band = band.unwrap_or(n.max(m));
    if band < n.abs_diff(m) {
        let gap = n.abs_diff(m);
        return Err(Error::value(format!("band must be at least {gap}, the difference of the lengths, found {band}")));
    }
    if !a.is_finite() || !b.is_finite() {
        return Ok(f64::NAN);
    }
    let columns: Vec<Vec<f64>> = (0..a.d).map(|v| a.column(v)).collect();
    let reversed: Vec<Vec<f64>> = (0..a.d).map(|v| b.column(v).into_iter().rev().collect()).collect();
    let level = Level::detect();
    // Diagonal k holds the cells (i, k - i), stored at i + 1; what lies outside costs infinity.
    let mut diagonals = [(); 3].map(|()| vec![f64::INFINITY; n + 1]);
    let mut local = vec![0.0; n];
    let magnitude = cost == Cost::Euclidean && a.d == 1;
    let root = cost == Cost::Euclidean && a.d > 1;
    for k in 0..n + m - 1 {
        if k % 64 == 0 {
            monitor.check()?;
        }
        let [before, last, next] = &mut diagonals;
        // |i - j| <= band with j = k - i
        let first = k.saturating_sub(m - 1).max(k.saturating_sub(band).div_ceil(2));
        let end = (k + 1).min(n).min((k + band) / 2 + 1);
        // The cells beside the diagonal, which the next two will ask for.
        next[first.min(n)] = f64::INFINITY;
        next[(end + 1).min(n)] = f64::INFINITY;
        if first < end {
            let shift = m - 1 + first - k;
            let local = &mut local[..end - first];
            for v in 0..a.d {
                let (x, y) = (&columns[v][first..end], &reversed[v][shift..shift + end - first]);
                if magnitude { magnitudes(level, x, y, local) } else { squares(level, x, y, local, v == 0) }
            }
            let (before, up, left) = (&before[first..end], &last[first..end], &last[first + 1..end + 1]);
            relax(level, local, before, up, left, &mut next[first + 1..end + 1], root);
            if k == 0 {
                next[1] = if root { local[0].sqrt() } else { local[0] };
            }
        }
        diagonals.rotate_left(1);
    }
    let total = diagonals[1][n];
    Ok(if cost == Cost::Squared { total.sqrt() } else { total })
}

kernel! {
    /// Magnitudes of differences: the Euclidean distances of one variable.
    fn magnitudes(x: &[f64], y: &[f64], sums: &mut [f64]) {
        let n = sums.len();
        let (x, y) = (&x[..n], &y[..n]);
        for i in 0..n {
            sums[i] = (x[i] - y[i]).abs();
        }
    }

    /// Squares of differences, written or added.
    fn squares(x: &[f64], y: &[f64], sums: &mut [f64], begin: bool) {
        let n = sums.len();
        let (x, y) = (&x[..n], &y[..n]);
        if begin {
            for i in 0..n {
                sums[i] = (x[i] - y[i]) * (x[i] - y[i]);
            }
        } else {
            for i in 0..n {
                sums[i] += (x[i] - y[i]) * (x[i] - y[i]);
            }
        }
    }

    /// The cost of each cell and of the cheapest way to it.
    fn relax(local: &[f64], before: &[f64], up: &[f64], left: &[f64], next: &mut [f64], root: bool) {
        let n = next.len();
        let (local, before, up, left) = (&local[..n], &before[..n], &up[..n], &left[..n]);
        for i in 0..n {
            let way = if up[i] < left[i] { up[i] } else { left[i] };
            let way = if before[i] < way { before[i] } else { way };
            next[i] = way + if root { local[i].sqrt() } else { local[i] };
        }
    }
}
