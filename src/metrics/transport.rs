//! How far mass must be moved to turn one cloud of points into another.

use super::{Series, in_order, is_finite, sum};
use crate::error::Result;
use crate::parallel::pool::Monitor;
use crate::parallel::random::normal_pair;

/// The `order`-th power of the Wasserstein distance of two samples on a line, of any lengths: the integral of
/// |F^-1 - G^-1|^order (Vallender 1974, Theory Probab. Appl. 18, 784-786). NaN if a number is not finite.
pub fn on_a_line(mut a: Vec<f64>, mut b: Vec<f64>, order: f64) -> f64 {
    if !is_finite(&a) || !is_finite(&b) {
        return f64::NAN;
    }
    a.sort_unstable_by(f64::total_cmp);
    b.sort_unstable_by(f64::total_cmp);
    let power = |x: f64| match order {
        1.0 => x.abs(),
        2.0 => x * x,
        _ => libm::pow(x.abs(), order),
    };
    let (n, m) = (a.len(), b.len());
    if n == m {
        return sum(n, |i| power(a[i] - b[i])) / n as f64;
    }
    // Mass in units of 1/(n m): the steps of F are m long, those of G n long.
    let (mut i, mut j, mut done, mut total) = (0u128, 0u128, 0u128, 0.0);
    let (n, m) = (n as u128, m as u128);
    while i < n && j < m {
        let end = ((i + 1) * m).min((j + 1) * n);
        total += (end - done) as f64 * power(a[i as usize] - b[j as usize]);
        i += u128::from(end == (i + 1) * m);
        j += u128::from(end == (j + 1) * n);
        done = end;
    }
    total / (n * m) as f64
}

/// The sliced distance: the mean of [`on_a_line`] over `directions` drawn evenly from the sphere, to the power 1/order
/// (Bonneel et al. 2015, J. Math. Imaging Vis. 51, 22-45).
///
/// # Errors
/// On a stop.
pub fn sliced(
    a: Series<'_>,
    b: Series<'_>,
    order: f64,
    directions: usize,
    seed: u64,
    monitor: &Monitor,
) -> Result<f64> {
    if !a.is_finite() || !b.is_finite() {
        return Ok(f64::NAN);
    }
    let d = a.d;
    let parts = in_order(directions, monitor, |k| {
        let direction: Vec<f64> = (0..d).map(|v| normal_pair(seed, k as u64, v as u64 / 2)[v % 2]).collect();
        let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        let project = |series: Series<'_>| -> Vec<f64> {
            series
                .values
                .chunks_exact(d)
                .map(|row| row.iter().zip(&direction).map(|(x, u)| x * u / length).sum())
                .collect()
        };
        Ok(on_a_line(project(a), project(b), order))
    })?;
    Ok(root(sum(parts.len(), |i| parts[i]) / parts.len() as f64, order))
}

/// The `order`-th root.
pub fn root(x: f64, order: f64) -> f64 {
    match order {
        1.0 => x,
        2.0 => x.sqrt(),
        _ => libm::pow(x, 1.0 / order),
    }
}
