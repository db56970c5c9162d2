//! How a series remembers itself.

use super::{mean_and_deviation, sum};

/// Autocorrelation at lags 0, …, `lags` with n in every denominator (Box & Jenkins's estimator): sum over t of
/// (x_t - m)(x_{t+k} - m) / sum of (x_t - m)^2. NaN if the series is constant or not finite, or has at most `lags` samples.
pub fn autocorrelation(series: &[f64], lags: usize) -> Vec<f64> {
    let n = series.len();
    let (mean, deviation) = mean_and_deviation(series);
    if n <= lags || !(deviation > 0.0 && deviation.is_finite()) {
        return vec![f64::NAN; lags + 1];
    }
    let centred: Vec<f64> = series.iter().map(|x| x - mean).collect();
    let at = |k: usize| sum(n - k, |i| centred[i] * centred[i + k]);
    let variance = at(0);
    (0..=lags).map(|k| at(k) / variance).collect()
}

/// Root mean square difference of the autocorrelations at lags 1, …, `lags`.
pub fn distance(a: &[f64], b: &[f64], lags: usize) -> f64 {
    let (a, b) = (autocorrelation(a, lags), autocorrelation(b, lags));
    (sum(lags, |i| (a[i + 1] - b[i + 1]) * (a[i + 1] - b[i + 1])) / lags as f64).sqrt()
}
