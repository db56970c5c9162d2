//! Maximum mean discrepancy: the distance of two clouds of points in the space of a Gaussian kernel.

use super::neighbours::{Norm, separation};
use super::{Series, in_order, sum};
use crate::error::Result;
use crate::parallel::pool::Monitor;

/// The square of the discrepancy, over all pairs (the "biased" form of Gretton et al. 2012, J. Mach. Learn. Res. 13, 723-773,
/// eq. 5; never negative) with the kernel exp(-|x - y|^2 / (2 bandwidth^2)). Without a bandwidth, the median distance of
/// different samples of the truth. NaN if a number is not finite or the bandwidth is zero.
///
/// # Errors
/// On a stop.
pub fn discrepancy(truth: Series<'_>, forecast: Series<'_>, bandwidth: Option<f64>, monitor: &Monitor) -> Result<f64> {
    if !truth.is_finite() || !forecast.is_finite() {
        return Ok(f64::NAN);
    }
    let bandwidth = match bandwidth {
        Some(bandwidth) => bandwidth,
        None => median_distance(truth, monitor)?,
    };
    if !(bandwidth > 0.0) {
        return Ok(f64::NAN);
    }
    let factor = -0.5 / (bandwidth * bandwidth);
    let mean_kernel = |a: Series<'_>, b: Series<'_>| -> Result<f64> {
        let rows = in_order(a.len(), monitor, |i| {
            let near = |j: usize| libm::exp(factor * separation(a.row(i), b.row(j), Norm::Euclidean));
            Ok(sum(b.len(), near))
        })?;
        Ok(sum(rows.len(), |i| rows[i]) / (a.len() as f64 * b.len() as f64))
    };
    let own = mean_kernel(truth, truth)? + mean_kernel(forecast, forecast)?;
    Ok((own - 2.0 * mean_kernel(truth, forecast)?).max(0.0))
}

fn median_distance(series: Series<'_>, monitor: &Monitor) -> Result<f64> {
    let n = series.len();
    if n < 2 {
        return Ok(f64::NAN);
    }
    let rows = in_order(n, monitor, |i| {
        Ok((i + 1..n).map(|j| separation(series.row(i), series.row(j), Norm::Euclidean)).collect::<Vec<f64>>())
    })?;
    let mut squares = rows.concat();
    let middle = (squares.len() - 1) / 2;
    Ok(squares.select_nth_unstable_by(middle, f64::total_cmp).1.sqrt())
}
