//! Kullback-Leibler divergence of two clouds of points without bins.

use super::neighbours::{Norm, Tree};
use super::{Series, in_order};
use crate::error::Result;
use crate::parallel::pool::Monitor;

/// D(P || Q) in nats from the distances to the `k`-th nearest of its own and of the other cloud (Wang, Kulkarni & Verdú 2009,
/// IEEE Trans. Inf. Theory 55, 2392-2405). Points with a distance of zero are left out. May be negative, as estimates of
/// small numbers are. NaN if a number is not finite, or if there are not more samples than `k`.
///
/// # Errors
/// On a stop.
pub fn neighbour_divergence(p: Series<'_>, q: Series<'_>, k: usize, monitor: &Monitor) -> Result<f64> {
    let (n, m, d) = (p.len(), q.len(), p.d);
    if n <= k || m <= k || !p.is_finite() || !q.is_finite() {
        return Ok(f64::NAN);
    }
    let (own, other) = (Tree::new(p.values, d, Norm::Euclidean), Tree::new(q.values, d, Norm::Euclidean));
    let pieces = in_order(n.div_ceil(256), monitor, |piece| {
        let (mut sum, mut count) = (0.0, 0u32);
        for i in piece * 256..(piece * 256 + 256).min(n) {
            let (near, far) = (own.distance(p.row(i), k, Some(i)), other.distance(p.row(i), k, None));
            if near > 0.0 && far > 0.0 {
                sum += libm::log(far / near);
                count += 1;
            }
        }
        Ok((sum, count))
    })?;
    let (sum, count) = pieces.iter().fold((0.0, 0), |(sum, count), piece| (sum + piece.0, count + piece.1));
    Ok(d as f64 * sum / f64::from(count) + libm::log(m as f64 / (n - 1) as f64))
}
