//! How alike two attractors are in space: Kullback-Leibler divergence of binned visits, D_stsp.

use super::Series;
use crate::error::{Error, Result};
use crate::parallel::pool::Monitor;
use rayon::prelude::*;

/// The box that is cut into bins, and which of them count; the truth decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// Range of the data, widened by 0.1 standard deviations (n - 1) on both sides.
    Hess2023,
    /// Two standard deviations on both sides of zero; the first bin of every axis does not count.
    Brenner2022,
    /// Range of the data; the first bin of every axis does not count, nor does the largest value.
    Dynamix2025,
}

/// How to bin.
#[derive(Clone, Copy, Debug)]
pub struct Bins {
    /// In each direction.
    pub n: u32,
    /// Added to the count of every bin (Laplace).
    pub smoothing: f64,
    /// Whose box.
    pub convention: Convention,
}

/// Tables of counts up to this size are kept whole; above, the visited bins are sorted.
const WHOLE: f64 = 4_194_304.0;
/// Rows summed in one go: fixed, so that the sums do not depend on the threads.
const ROWS: usize = 16_384;

/// D(truth || forecast) in nats over all bins, those that nobody visited included; points outside are left out. NaN if a
/// number is not finite, if a variable of the truth is constant, and if no point of one of the two is inside.
///
/// # Errors
/// If there are more bins than can be numbered, or on a stop.
pub fn state_space_divergence(truth: Series<'_>, forecast: Series<'_>, bins: Bins, monitor: &Monitor) -> Result<f64> {
    let cells = f64::from(bins.n).powi(truth.d as i32);
    if cells >= 1e38 {
        return Err(Error::value(format!(
            "{} bins in each of {} directions are more than can be counted: use the Gaussian-mixture form",
            bins.n, truth.d
        )));
    }
    let Some(grid) = Grid::of(truth, bins) else { return Ok(f64::NAN) };
    if !forecast.values.par_chunks(ROWS).all(super::is_finite) {
        return Ok(f64::NAN);
    }
    monitor.check()?;
    let divergence = Divergence { cells, smoothing: bins.smoothing };
    let result = if cells <= WHOLE {
        let (p, q) = (grid.table(truth, cells as usize), grid.table(forecast, cells as usize));
        monitor.check()?;
        divergence.of(|| p.iter().zip(&q).map(|(&p, &q)| (p, q)))
    } else {
        let counts = grid.sorted(truth, forecast);
        monitor.check()?;
        divergence.of(|| counts.iter().copied())
    };
    Ok(result)
}

struct Divergence {
    cells: f64,
    smoothing: f64,
}

impl Divergence {
    /// From the counts of both, bin by bin; bins that nobody visited may be left out.
    fn of<I: Iterator<Item = (u64, u64)>>(&self, counts: impl Fn() -> I) -> f64 {
        let (p_total, q_total) = counts().fold((0, 0), |(p, q), (a, b)| (p + a, q + b));
        if p_total == 0 || q_total == 0 {
            return f64::NAN;
        }
        let (p_norm, q_norm) =
            (p_total as f64 + self.smoothing * self.cells, q_total as f64 + self.smoothing * self.cells);
        let term = |a: f64, b: f64| {
            let (p, q) = ((a + self.smoothing) / p_norm, (b + self.smoothing) / q_norm);
            if p == 0.0 { 0.0 } else { p * libm::log(p / q) }
        };
        let (mut sum, mut visited) = (0.0, 0.0);
        for (a, b) in counts().filter(|&(a, b)| a + b > 0) {
            sum += term(a as f64, b as f64);
            visited += 1.0;
        }
        sum + (self.cells - visited) * term(0.0, 0.0)
    }
}

struct Grid {
    low: Vec<f64>,
    width: Vec<f64>,
    n: u32,
    first: f64,
}

impl Grid {
    fn of(truth: Series<'_>, bins: Bins) -> Option<Grid> {
        let d = truth.d;
        let origin = truth.row(0);
        // lowest, highest, sum and sum of squares about the first sample
        let pieces: Vec<Vec<[f64; 4]>> = truth
            .values
            .par_chunks(ROWS * d)
            .map(|rows| {
                let mut piece = vec![[f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0]; d];
                for row in rows.chunks_exact(d) {
                    for v in 0..d {
                        let [low, high, sum, square] = &mut piece[v];
                        let x = row[v];
                        *low = if x < *low { x } else { *low };
                        *high = if x > *high { x } else { *high };
                        *sum += x - origin[v];
                        *square += (x - origin[v]) * (x - origin[v]);
                    }
                }
                piece
            })
            .collect();
        let n = truth.len() as f64;
        let (mut low, mut width) = (Vec::new(), Vec::new());
        for v in 0..d {
            let (mut lowest, mut highest, mut sum, mut square) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0);
            for piece in &pieces {
                lowest = piece[v][0].min(lowest);
                highest = piece[v][1].max(highest);
                sum += piece[v][2];
                square += piece[v][3];
            }
            let deviation = ((square - sum * sum / n) / (n - 1.0)).max(0.0).sqrt();
            if !square.is_finite() || !(lowest < highest) {
                return None;
            }
            let (from, to) = match bins.convention {
                Convention::Hess2023 => (lowest - 0.1 * deviation, highest + 0.1 * deviation),
                Convention::Brenner2022 => (-2.0 * deviation, 2.0 * deviation),
                Convention::Dynamix2025 => (lowest, highest),
            };
            low.push(from);
            width.push(to - from);
        }
        let first = if bins.convention == Convention::Hess2023 { 0.0 } else { 1.0 };
        Some(Grid { low, width, n: bins.n, first })
    }

    /// The number of the bin of a point that is inside.
    #[inline(always)]
    fn cell(&self, row: &[f64]) -> Option<u128> {
        let mut cell = 0u128;
        let mut inside = true;
        for v in 0..row.len() {
            let place = f64::from(self.n) * (row[v] - self.low[v]) / self.width[v];
            inside &= place >= self.first && place < f64::from(self.n);
            cell = cell * u128::from(self.n) + u128::from(place as u32);
        }
        inside.then_some(cell)
    }

    /// The same where the number is small.
    #[inline(always)]
    fn small_cell(&self, row: &[f64]) -> Option<usize> {
        let n = f64::from(self.n);
        let mut cell = 0;
        let mut inside = true;
        for v in 0..row.len() {
            let place = n * (row[v] - self.low[v]) / self.width[v];
            inside &= place >= self.first && place < n;
            cell = cell * self.n + place as u32;
        }
        inside.then_some(cell as usize)
    }

    fn table(&self, series: Series<'_>, cells: usize) -> Vec<u64> {
        let d = series.d;
        let rows = series.len().div_ceil(rayon::current_num_threads()).max(ROWS);
        let tables: Vec<Vec<u32>> = series
            .values
            .par_chunks(rows * d)
            .map(|part| {
                let mut table = vec![0u32; cells];
                for row in part.chunks_exact(d) {
                    if let Some(cell) = self.small_cell(row) {
                        table[cell] += 1;
                    }
                }
                table
            })
            .collect();
        (0..cells).map(|i| tables.iter().map(|table| u64::from(table[i])).sum()).collect()
    }

    /// Counts of the visited bins, in the order of their numbers.
    fn sorted(&self, truth: Series<'_>, forecast: Series<'_>) -> Vec<(u64, u64)> {
        let keys = |series: Series<'_>| {
            let mut keys: Vec<u128> =
                series.values.par_chunks_exact(series.d).filter_map(|row| self.cell(row)).collect();
            keys.par_sort_unstable();
            keys
        };
        let (p, q) = (keys(truth), keys(forecast));
        let (mut i, mut j, mut counts) = (0, 0, Vec::new());
        let run = |keys: &[u128], cell: u128| keys.iter().take_while(|&&key| key == cell).count();
        while i < p.len() || j < q.len() {
            let cell = match (p.get(i), q.get(j)) {
                (Some(&a), Some(&b)) => a.min(b),
                (Some(&a), None) => a,
                (None, Some(&b)) => b,
                (None, None) => break,
            };
            let (a, b) = (run(&p[i..], cell), run(&q[j..], cell));
            counts.push((a as u64, b as u64));
            (i, j) = (i + a, j + b);
        }
        counts
    }
}
