//! How much a forecast tells about the truth, whatever the shape of their relation.

use super::mean_and_deviation;
use super::neighbours::{Norm, Tree};

/// Mutual information in nats by the first estimator of Kraskov, Stögbauer & Grassberger (2004), Phys. Rev. E 69, 066138,
/// of two series in units of their standard deviations; never negative. NaN if one is constant or not finite, or if
/// there are not more samples than `k` neighbours.
pub fn mutual_information(x: &[f64], y: &[f64], k: usize) -> f64 {
    let n = x.len();
    let ((_, dx), (_, dy)) = (mean_and_deviation(x), mean_and_deviation(y));
    if n <= k || !(dx > 0.0 && dx.is_finite() && dy > 0.0 && dy.is_finite()) {
        return f64::NAN;
    }
    let points: Vec<f64> = x.iter().zip(y).flat_map(|(x, y)| [x / dx, y / dy]).collect();
    let sorted = |offset: usize| {
        let mut values: Vec<f64> = points.iter().skip(offset).step_by(2).copied().collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    };
    let (xs, ys) = (sorted(0), sorted(1));
    let tree = Tree::new(&points, 2, Norm::Maximum);
    let digamma = digammas(n + 1);
    let mut total = 0.0;
    for (i, point) in points.chunks_exact(2).enumerate() {
        let radius = tree.distance(point, k, Some(i));
        total += digamma[within(&xs, point[0], radius)] + digamma[within(&ys, point[1], radius)];
    }
    (digamma[n] + digamma[k] - total / n as f64).max(0.0)
}

/// How many of the sorted numbers are less than `radius` from `x`; `x` itself always counts.
fn within(sorted: &[f64], x: f64, radius: f64) -> usize {
    let first = sorted.partition_point(|&other| x - other >= radius);
    let end = sorted.partition_point(|&other| other - x < radius);
    end.saturating_sub(first).max(1)
}

/// Digamma of 1, …, n; the entry at 0 is not used.
pub(crate) fn digammas(n: usize) -> Vec<f64> {
    // -gamma (Euler's constant), and psi(m + 1) = psi(m) + 1/m
    let mut value = -0.577_215_664_901_532_9;
    let mut table = vec![f64::NAN, value];
    for m in 1..n {
        value += 1.0 / m as f64;
        table.push(value);
    }
    table
}
