//! How alike two attractors are in time: distances of smoothed power spectra.

use super::fourier::Fourier;
use super::{mean_and_deviation, sum};

/// How a spectrum continues past its ends when it is smoothed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// d c b a | a b c d: SciPy's `gaussian_filter1d`, used for DynaMix.
    Reflect,
    /// d c b | a b c d: what Julia's ImageFiltering calls "reflect", used by Hess et al. 2023.
    Mirror,
}

/// How two spectra are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Hellinger distance, 0 to 1.
    Hellinger,
    /// Root mean square difference in decibels (Gray & Markel 1976, IEEE Trans. Acoust. Speech Signal Process. 24, 380-391).
    Decibel,
}

/// |rfft|^2 of the standardised series, smoothed by a Gaussian of `sigma` bins cut at four of them, summing to one.
/// NaN if the series is constant or not finite, or has fewer than two samples.
pub fn spectrum(series: &[f64], fourier: &Fourier, sigma: f64, boundary: Boundary) -> Vec<f64> {
    let (mean, deviation) = mean_and_deviation(series);
    let n_bins = series.len() / 2 + 1;
    if series.len() < 2 || !(deviation > 0.0 && deviation.is_finite()) {
        return vec![f64::NAN; n_bins];
    }
    let standard: Vec<f64> = series.iter().map(|x| (x - mean) / deviation).collect();
    let power: Vec<f64> = fourier.real(&standard).iter().map(|z| z[0] * z[0] + z[1] * z[1]).collect();
    let mut smooth = smoothed(&power, sigma, boundary);
    let total = sum(smooth.len(), |i| smooth[i]);
    smooth.iter_mut().for_each(|x| *x /= total);
    smooth
}

/// The distance of two spectra that each sum to one.
pub fn distance(p: &[f64], q: &[f64], comparison: Comparison) -> f64 {
    match comparison {
        Comparison::Hellinger => {
            let squares = sum(p.len(), |i| {
                let difference = p[i].sqrt() - q[i].sqrt();
                difference * difference
            });
            (squares / 2.0).sqrt()
        }
        Comparison::Decibel => {
            let squares = sum(p.len(), |i| {
                let decibel = 10.0 * (libm::log10(p[i]) - libm::log10(q[i]));
                if p[i] == q[i] { 0.0 } else { decibel * decibel }
            });
            (squares / p.len() as f64).sqrt()
        }
    }
}

fn smoothed(values: &[f64], sigma: f64, boundary: Boundary) -> Vec<f64> {
    if sigma == 0.0 {
        return values.to_vec();
    }
    let radius = (4.0 * sigma + 0.5) as usize;
    let mut kernel: Vec<f64> =
        (0..=radius).map(|k| libm::exp(-0.5 * (k as f64 / sigma) * (k as f64 / sigma))).collect();
    let total = kernel[0] + 2.0 * kernel[1..].iter().sum::<f64>();
    kernel.iter_mut().for_each(|weight| *weight /= total);
    let n = values.len() as i64;
    let padded: Vec<f64> = (-(radius as i64)..n + radius as i64)
        .map(|i| {
            let inside = match boundary {
                Boundary::Reflect => {
                    let i = i.rem_euclid(2 * n);
                    if i < n { i } else { 2 * n - 1 - i }
                }
                Boundary::Mirror if n == 1 => 0,
                Boundary::Mirror => {
                    let i = i.rem_euclid(2 * n - 2);
                    if i < n { i } else { 2 * n - 2 - i }
                }
            };
            values[inside as usize]
        })
        .collect();
    // One tap at a time over the whole row: as fast as a vector unit adds.
    let n = n as usize;
    let mut result: Vec<f64> = padded[radius..radius + n].iter().map(|x| kernel[0] * x).collect();
    for k in 1..=radius {
        let (left, right) = (&padded[radius - k..radius - k + n], &padded[radius + k..radius + k + n]);
        for i in 0..n {
            result[i] += kernel[k] * (left[i] + right[i]);
        }
    }
    result
}
