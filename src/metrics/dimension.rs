//! The correlation dimension, for comparing attractors: quick, with no error bar.

use super::Series;
use super::neighbours::{Norm, separation};
use crate::error::Result;
use crate::metrics::in_order;
use crate::parallel::pool::Monitor;

/// How to estimate.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The part of all pairs that is near enough: the cutoff is this quantile of the distances.
    pub quantile: f64,
    /// Pairs of samples less than so many steps apart are left out (Theiler 1986, Phys. Rev. A 34, 2427-2432).
    pub window: usize,
    /// Reference points, evenly spread, each paired with as many others.
    pub points: usize,
}

/// The maximum-likelihood estimate of Takens (1985), Lect. Notes Math. 1125, 99-106: -1 / mean of log(r / r0) over the pairs
/// nearer than r0. Pairs at distance zero are left out. NaN if a number is not finite, or if no pair remains.
///
/// # Errors
/// On a stop.
pub fn correlation_dimension(series: Series<'_>, settings: Settings, monitor: &Monitor) -> Result<f64> {
    if !series.is_finite() {
        return Ok(f64::NAN);
    }
    let n = series.len();
    let count = n.min(settings.points);
    let at: Vec<usize> = (0..count).map(|i| (i as u128 * n as u128 / count as u128) as usize).collect();
    let rows = in_order(count, monitor, |i| {
        let far = at[i + 1..].iter().filter(|&&j| j - at[i] >= settings.window);
        let squares = far.map(|&j| separation(series.row(at[i]), series.row(j), Norm::Euclidean));
        Ok(squares.filter(|&square| square > 0.0).collect::<Vec<f64>>())
    })?;
    let mut squares = rows.concat();
    if squares.len() < 2 {
        return Ok(f64::NAN);
    }
    let cut = ((squares.len() - 1) as f64 * settings.quantile) as usize;
    let (near, &mut limit, _) = squares.select_nth_unstable_by(cut, f64::total_cmp);
    near.sort_unstable_by(f64::total_cmp);
    // log(r / r0) is half of that of the squares
    let mean = near.iter().map(|square| 0.5 * libm::log(square / limit)).sum::<f64>() / near.len() as f64;
    Ok(if mean < 0.0 { -1.0 / mean } else { f64::NAN })
}
