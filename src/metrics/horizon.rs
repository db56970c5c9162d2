//! Errors as functions of the time since the forecast began.

use super::{Series, ratio};

/// The size of an error vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Root of the mean square over the variables, in units of `scale`.
    Deviations,
    /// Euclidean norm of the error over the root mean square norm of the truth (Pathak et al. 2018).
    Norm,
    /// Mean over the variables of 200 |y - p| / (|y| + |p|).
    Smape,
}

/// The error at each time; NaN where a number is not finite.
pub fn errors(truth: Series<'_>, forecast: Series<'_>, size: Size, scale: &[f64]) -> Vec<f64> {
    let (n, d) = (truth.len(), truth.d as f64);
    let typical = match size {
        Size::Norm => (super::sum(truth.values.len(), |i| truth.values[i] * truth.values[i]) / n as f64).sqrt(),
        _ => 1.0,
    };
    (0..n)
        .map(|i| {
            let (y, p) = (truth.row(i), forecast.row(i));
            if !super::is_finite(y) || !super::is_finite(p) {
                return f64::NAN;
            }
            let pairs = y.iter().zip(p);
            match size {
                Size::Deviations => {
                    let squares = pairs.zip(scale).map(|((y, p), s)| ratio(y - p, *s).powi(2)).sum::<f64>();
                    (squares / d).sqrt()
                }
                Size::Norm => ratio(pairs.map(|(y, p)| (y - p) * (y - p)).sum::<f64>().sqrt(), typical),
                Size::Smape => 200.0 * pairs.map(|(y, p)| ratio((y - p).abs(), y.abs() + p.abs())).sum::<f64>() / d,
            }
        })
        .collect()
}

/// The means of the first 1, 2, … errors.
pub fn running_mean(errors: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    errors
        .iter()
        .enumerate()
        .map(|(i, error)| {
            sum += error;
            sum / (i + 1) as f64
        })
        .collect()
}

/// How many samples stay at or below the threshold before the first that does not; an error that is not a number is
/// above every threshold.
pub fn samples_within(errors: &[f64], threshold: f64) -> usize {
    errors.iter().position(|error| !(*error <= threshold)).unwrap_or(errors.len())
}
