//! How close a forecast is to the truth, and how alike two attractors are. Knows arrays only, no systems.
//!
//! One rule for bad values everywhere: what is not finite, too short or constant where a spread is needed gives NaN; a
//! ratio with a zero denominator is 0 where its numerator is zero too, and infinite otherwise.

pub mod autocorrelation;
pub mod dimension;
pub mod discrepancy;
pub mod dtw;
pub mod fourier;
pub mod horizon;
pub mod interval;
pub mod mixture;
pub mod mutual_information;
pub mod neighbour_divergence;
pub mod neighbours;
pub mod point;
pub mod rank;
pub mod spectrum;
pub mod state_space;
pub mod transport;

use crate::error::Result;
use crate::parallel::pool::Monitor;
use rayon::prelude::*;

/// Samples of a few variables, one row for each time.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// n x d numbers, row by row.
    pub values: &'a [f64],
    /// Number of variables.
    pub d: usize,
}

impl<'a> Series<'a> {
    /// The rows of `values`, `d` numbers each.
    pub fn new(values: &'a [f64], d: usize) -> Self {
        Self { values, d }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.values.len() / self.d
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The sample at time `i`.
    pub fn row(&self, i: usize) -> &'a [f64] {
        &self.values[i * self.d..(i + 1) * self.d]
    }

    /// Variable `v` at all times.
    pub fn column(&self, v: usize) -> Vec<f64> {
        self.values.iter().skip(v).step_by(self.d).copied().collect()
    }

    /// Neither NaN nor infinite anywhere.
    pub fn is_finite(&self) -> bool {
        is_finite(self.values)
    }

    /// At most `most` rows, evenly spread, the first among them.
    pub fn thinned(&self, most: usize) -> Vec<f64> {
        let n = self.len();
        if n <= most {
            return self.values.to_vec();
        }
        (0..most).flat_map(|i| self.row((i as u128 * n as u128 / most as u128) as usize)).copied().collect()
    }
}

/// Neither NaN nor infinite anywhere.
pub fn is_finite(values: &[f64]) -> bool {
    // Zero times a finite number is zero, and NaN otherwise; a sum, so that it is as fast as memory.
    sum(values.len(), |i| 0.0 * values[i]) == 0.0
}

/// Partial sums kept side by side: fixed, so that the order of summation is that of no particular machine.
const LANES: usize = 8;

/// The sum of `term` of 0, 1, …, n - 1, always in the same order.
#[inline(always)]
pub(crate) fn sum(n: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let whole = n / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for lane in 0..LANES {
            lanes[lane] += term(start + lane);
        }
    }
    for i in whole..n {
        lanes[i - whole] += term(i);
    }
    lanes.iter().sum()
}

/// The arithmetic mean.
pub(crate) fn mean(values: &[f64]) -> f64 {
    sum(values.len(), |i| values[i]) / values.len() as f64
}

/// Mean and standard deviation with n in the denominator; the latter is exactly zero for a constant.
pub(crate) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let mean = mean(values);
    if values.iter().all(|&x| x == values[0]) {
        return (mean, 0.0);
    }
    let squares = sum(values.len(), |i| (values[i] - mean) * (values[i] - mean));
    (mean, (squares / values.len() as f64).sqrt())
}

/// A ratio of errors: 0 of nothing is 0, something of nothing is infinite.
#[inline(always)]
pub(crate) fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 && numerator == 0.0 { 0.0 } else { numerator / denominator }
}

/// `work` on 0, 1, …, n - 1 side by side in the pool of the caller; the results in order, whatever the threads.
pub(crate) fn in_order<T: Send>(
    n: usize,
    monitor: &Monitor,
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let one = |i| {
        monitor.check()?;
        work(i)
    };
    if n == 1 { Ok(vec![one(0)?]) } else { (0..n).into_par_iter().map(one).collect() }
}
