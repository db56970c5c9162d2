//! Dimension at single points, from the exceedances of minus the logarithm of the distance over a high threshold.

use super::neighbours::Norm;
use crate::error::{Error, Result};
use crate::parallel::pool::{Monitor, pool};
use rayon::prelude::*;

/// For each reference: the inverse mean excess of -ln(distance) over its quantile, and the number of excesses
/// (Lucarini et al. 2012, J. Stat. Phys. 147, 63-73). Points within `window` steps of the reference are left out.
///
/// # Errors
/// Where fewer than ten points exceed, and when asked to stop.
pub fn local(
    points: &[f64],
    d: usize,
    references: &[usize],
    quantile: f64,
    window: usize,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Vec<[f64; 2]>> {
    let n = points.len() / d.max(1);
    let point = |i: usize| &points[i * d..(i + 1) * d];
    if let Some(i) = references.iter().find(|&&i| i >= n) {
        return Err(Error::value(format!("reference {i} is not among the {n} points")));
    }
    let one = |&i: &usize| {
        monitor.check()?;
        let mut measures: Vec<f64> = (0..n)
            .filter(|j| i.abs_diff(*j) > window)
            .map(|j| Norm::Euclidean.between(point(i), point(j)))
            .filter(|&measure| measure > 0.0)
            .collect();
        let count = ((1.0 - quantile) * measures.len() as f64) as usize;
        if count < 10 {
            return Err(Error::value(format!(
                "only {count} distances from a point are below the threshold: more points or a lower quantile are needed"
            )));
        }
        let (near, &mut threshold, _) = measures.select_nth_unstable_by(count, f64::total_cmp);
        near.sort_unstable_by(f64::total_cmp);
        // The measure is the square of the distance.
        let excess = near.iter().fold(0.0, |sum, &measure| sum + 0.5 * libm::log(threshold / measure));
        Ok([count as f64 / excess, count as f64])
    };
    pool(threads)?.install(|| references.par_iter().map(one).collect())
}
