//! How a series wanders: residuals from trends, rescaled range, length of the graph, growth of a driven rotation.

use crate::error::{Error, Result};
use crate::parallel::pool::{Monitor, pool};
use rayon::prelude::*;

/// Mean squared residuals of the profile from polynomials of `degree`, in each of the windows of each size, from the start
/// and from the end (Peng et al. 1994, Phys. Rev. E 49, 1685); by stretches of time: sums and windows, (sizes, blocks, 2).
///
/// # Errors
/// If a window is not longer than the degree plus one, or longer than the series.
pub fn detrended(series: &[f64], sizes: &[usize], degree: usize, blocks: usize) -> Result<Vec<f64>> {
    let n = series.len();
    if sizes.iter().any(|&size| size < degree + 2 || size > n) {
        return Err(Error::value(format!("windows must have between {} and {n} samples", degree + 2)));
    }
    let mean = series.iter().sum::<f64>() / n as f64;
    let profile: Vec<f64> = series
        .iter()
        .scan(0.0, |sum, x| {
            *sum += x - mean;
            Some(*sum)
        })
        .collect();
    let rows = sizes.par_iter().map(|&size| {
        let basis = orthonormal(size, degree);
        let mut row = vec![0.0; blocks * 2];
        let count = n / size;
        for window in 0..2 * count {
            let start = if window < count { window * size } else { n - (2 * count - window) * size };
            let values = &profile[start..start + size];
            // From the first value on, so that a far profile loses no digits.
            let total = values.iter().fold(0.0, |sum, v| sum + (v - values[0]) * (v - values[0]));
            let explained = basis.chunks_exact(size).fold(0.0, |sum, vector| {
                let along = vector.iter().zip(values).fold(0.0, |sum, (b, v)| sum + b * (v - values[0]));
                sum + along * along
            });
            let block = (start + size / 2) * blocks / n;
            row[block * 2] += ((total - explained) / size as f64).max(0.0);
            row[block * 2 + 1] += 1.0;
        }
        row
    });
    Ok(rows.collect::<Vec<_>>().concat())
}

/// Orthonormal polynomials up to `degree` on 0..size, one after another.
fn orthonormal(size: usize, degree: usize) -> Vec<f64> {
    let mut basis: Vec<f64> = Vec::with_capacity(size * (degree + 1));
    let middle = (size - 1) as f64 / 2.0;
    for k in 0..=degree {
        let mut vector: Vec<f64> = (0..size)
            .map(|i| if k == 0 { 1.0 } else { basis[(k - 1) * size + i] * (i as f64 - middle) / middle })
            .collect();
        for other in basis.chunks_exact(size) {
            let along = vector.iter().zip(other).fold(0.0, |sum, (x, y)| sum + x * y);
            vector.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
        }
        let length = vector.iter().fold(0.0, |sum, x| sum + x * x).sqrt();
        basis.extend(vector.iter().map(|x| x / length));
    }
    basis
}

/// Rescaled range R/S of the windows of each size, by stretches of time: sums and windows, (sizes, blocks, 2).
///
/// # Errors
/// If a window has fewer than 2 samples or more than the series.
pub fn rescaled_range(series: &[f64], sizes: &[usize], blocks: usize) -> Result<Vec<f64>> {
    let n = series.len();
    if sizes.iter().any(|&size| size < 2 || size > n) {
        return Err(Error::value(format!("windows must have between 2 and {n} samples")));
    }
    let mut result = vec![0.0; sizes.len() * blocks * 2];
    for (row, &size) in result.chunks_exact_mut(blocks * 2).zip(sizes) {
        for start in (0..=n - size).step_by(size) {
            let values = &series[start..start + size];
            let mean = values.iter().sum::<f64>() / size as f64;
            let (mut sum, mut low, mut high, mut square) = (0.0, 0.0f64, 0.0f64, 0.0);
            for value in values {
                let moved = value - mean;
                square += moved * moved;
                sum += moved;
                low = low.min(sum);
                high = high.max(sum);
            }
            if square > 0.0 {
                let block = (start + size / 2) * blocks / n;
                row[block * 2] += (high - low) / (square / size as f64).sqrt();
                row[block * 2 + 1] += 1.0;
            }
        }
    }
    Ok(result)
}

/// Higuchi's lengths of the graph of a series at each step (Higuchi 1988, Physica D 31, 277-283).
pub fn lengths(series: &[f64], steps: &[usize]) -> Vec<f64> {
    let n = series.len();
    let length = |&k: &usize| {
        let sums = (0..k).map(|first| {
            let pieces = (n - 1 - first) / k;
            let path =
                (1..=pieces).fold(0.0, |sum, i| sum + (series[first + i * k] - series[first + (i - 1) * k]).abs());
            path * (n - 1) as f64 / (pieces * k) as f64 / k as f64
        });
        sums.sum::<f64>() / k as f64
    };
    steps.iter().map(length).collect()
}

/// K of the 0-1 test for each of the angles: the correlation of the mean square displacement of the translation variables,
/// less its oscillating part, with time (Gottwald & Melbourne 2009, SIAM J. Appl. Dyn. Syst. 8, 129-145).
///
/// # Errors
/// When asked to stop.
pub fn zero_one(series: &[f64], angles: &[f64], threads: Option<usize>, monitor: &Monitor) -> Result<Vec<f64>> {
    let n = series.len();
    let longest = n / 10;
    let mean = series.iter().sum::<f64>() / n as f64;
    let one = |&c: &f64| {
        monitor.check()?;
        let (mut p, mut q) = (vec![0.0; n + 1], vec![0.0; n + 1]);
        for (j, x) in series.iter().enumerate() {
            let (sin, cos) = libm::sincos(c * (j + 1) as f64);
            p[j + 1] = p[j] + x * cos;
            q[j + 1] = q[j] + x * sin;
        }
        let displacement: Vec<f64> = (1..=longest)
            .map(|m| {
                let sum = (1..=n - longest).fold(0.0, |sum, j| {
                    let (a, b) = (p[j + m] - p[j], q[j + m] - q[j]);
                    sum + (a * a + b * b)
                });
                let oscillating = mean * mean * (1.0 - libm::cos(m as f64 * c)) / (1.0 - libm::cos(c));
                sum / (n - longest) as f64 - oscillating
            })
            .collect();
        Ok(correlation_with_time(&displacement))
    };
    pool(threads)?.install(|| angles.par_iter().map(one).collect())
}

fn correlation_with_time(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let (middle, mean) = ((n - 1.0) / 2.0, values.iter().sum::<f64>() / n);
    let (mut both, mut time, mut square) = (0.0, 0.0, 0.0);
    for (i, value) in values.iter().enumerate() {
        let (t, v) = (i as f64 - middle, value - mean);
        both += t * v;
        time += t * t;
        square += v * v;
    }
    if square > 0.0 { both / (time * square).sqrt() } else { 0.0 }
}
