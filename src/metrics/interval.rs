//! Forecasts that say how sure they are: quantiles and samples.

use super::is_finite;

/// Mean interval score of [lower, upper] at level 1 - alpha (Gneiting & Raftery 2007, J. Am. Stat. Assoc. 102, 359-378,
/// eq. 43): the width, and 2/alpha times how far the truth lies outside. NaN if a number is not finite.
pub fn interval_score(truth: &[f64], lower: &[f64], upper: &[f64], alpha: f64) -> f64 {
    if !(is_finite(truth) && is_finite(lower) && is_finite(upper)) {
        return f64::NAN;
    }
    let score = |i: usize| {
        let below = (lower[i] - truth[i]).max(0.0);
        let above = (truth[i] - upper[i]).max(0.0);
        upper[i] - lower[i] + 2.0 / alpha * (below + above)
    };
    super::sum(truth.len(), score) / truth.len() as f64
}

/// Continuous ranked probability score of one number against samples, which are sorted in place (Gneiting & Raftery 2007,
/// eq. 21): mean |X - y| - mean |X - X'| / 2. `fair` takes the second mean over different samples (Ferro 2014, Q. J. R.
/// Meteorol. Soc. 140, 1917-1923). NaN if a number is not finite, or if a fair score has one sample.
pub fn crps(truth: f64, samples: &mut [f64], fair: bool) -> f64 {
    if !truth.is_finite() || !is_finite(samples) {
        return f64::NAN;
    }
    samples.sort_unstable_by(f64::total_cmp);
    let n = samples.len() as f64;
    let distance = samples.iter().map(|x| (x - truth).abs()).sum::<f64>() / n;
    // sum over pairs of |a - b| = sum of (2 i - n + 1) x_i over sorted samples; from the middle, against cancellation
    let middle = samples[samples.len() / 2];
    let spread: f64 = samples.iter().enumerate().map(|(i, x)| (2.0 * i as f64 - n + 1.0) * (x - middle)).sum();
    let pairs = if fair { n * (n - 1.0) } else { n * n };
    distance - spread / pairs
}
