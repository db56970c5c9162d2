//! D_stsp where bins are too many: a Gaussian on every sample, and the divergence of the two mixtures by sampling (Hershey &
//! Olsen 2007, Proc. ICASSP, IV-317).

use super::{Series, in_order, sum};
use crate::error::Result;
use crate::parallel::pool::Monitor;
use crate::parallel::random::{normal_pair, uniform_pair};

/// How to sample.
#[derive(Clone, Copy, Debug)]
pub struct Mixture {
    /// Of each Gaussian, in every direction.
    pub variance: f64,
    /// Points drawn.
    pub samples: usize,
    /// Of the random numbers.
    pub seed: u64,
}

/// D(P || Q) in nats, P and Q having a Gaussian on every row of `p` and `q`. NaN if a number is not finite.
///
/// # Errors
/// On a stop.
pub fn mixture_divergence(p: Series<'_>, q: Series<'_>, mixture: Mixture, monitor: &Monitor) -> Result<f64> {
    if !p.is_finite() || !q.is_finite() {
        return Ok(f64::NAN);
    }
    let (d, n) = (p.d, p.len());
    let spread = mixture.variance.sqrt();
    let terms = in_order(mixture.samples, monitor, |s| {
        // Word 0 of path s chooses the Gaussian, the following ones the place under it.
        let path = s as u64;
        let centre = (uniform_pair(mixture.seed, path, 0)[0] * n as f64) as usize;
        let point: Vec<f64> = (0..d)
            .map(|v| p.row(centre)[v] + spread * normal_pair(mixture.seed, path, 1 + v as u64 / 2)[v % 2])
            .collect();
        Ok(log_density(&point, p, mixture.variance) - log_density(&point, q, mixture.variance))
    })?;
    Ok(sum(terms.len(), |i| terms[i]) / terms.len() as f64)
}

/// Up to a constant that both mixtures share.
fn log_density(point: &[f64], centres: Series<'_>, variance: f64) -> f64 {
    let exponents: Vec<f64> = centres
        .values
        .chunks_exact(centres.d)
        .map(|row| row.iter().zip(point).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() * (-0.5 / variance))
        .collect();
    let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Terms below e^-80 of the largest do not reach its last digit, however many a memory holds.
    let sum: f64 = exponents.iter().map(|x| x - largest).filter(|&x| x > -80.0).map(libm::exp).sum();
    largest + libm::log(sum) - libm::log(exponents.len() as f64)
}
