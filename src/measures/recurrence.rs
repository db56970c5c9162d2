//! Recurrences: lines of a recurrence plot, for many thresholds at once.

use super::neighbours::Norm;
use crate::error::{Error, Result};
use crate::parallel::pool::{Monitor, pool};
use rayon::prelude::*;

/// What is compared.
pub struct Plot<'a> {
    /// Points, `d` coordinates each, in order of time.
    pub points: &'a [f64],
    /// Coordinates.
    pub d: usize,
    /// Distance.
    pub norm: Norm,
    /// A pair is recurrent if its distance is at most the threshold; not decreasing.
    pub thresholds: &'a [f64],
    /// Pairs at most this many steps apart are left out.
    pub window: usize,
    /// Threads, all by default.
    pub threads: Option<usize>,
}

/// Number of lines of each length, (thresholds, n + 1): diagonals above the main one, and verticals of the whole plot.
pub struct Lines {
    /// Diagonal lines.
    pub diagonal: Vec<u64>,
    /// Vertical lines.
    pub vertical: Vec<u64>,
}

impl Plot<'_> {
    /// The lines of the plot. Each distance is computed once for the diagonals and twice for the verticals; the plot
    /// itself is never kept.
    ///
    /// # Errors
    /// For thresholds that decrease, and when asked to stop.
    pub fn lines(&self, monitor: &Monitor) -> Result<Lines> {
        if self.thresholds.is_empty() || self.thresholds.windows(2).any(|t| !(t[0] <= t[1])) {
            return Err(Error::value("thresholds must be given and not decrease"));
        }
        let n = self.points.len() / self.d.max(1);
        let gap = self.window + 1;
        let diagonal = self.histogram(n, gap..n, monitor, |lag, runs| {
            for i in 0..n - lag {
                runs.take(self.measure(i, i + lag));
            }
            runs.stop();
        })?;
        let vertical = self.histogram(n, 0..n, monitor, |i, runs| {
            for j in 0..n {
                runs.take(if i.abs_diff(j) < gap { f64::INFINITY } else { self.measure(i, j) });
            }
            runs.stop();
        })?;
        Ok(Lines { diagonal, vertical })
    }

    fn measure(&self, i: usize, j: usize) -> f64 {
        let point = |i: usize| &self.points[i * self.d..(i + 1) * self.d];
        self.norm.between(point(i), point(j))
    }

    fn histogram(
        &self,
        n: usize,
        range: std::ops::Range<usize>,
        monitor: &Monitor,
        walk: impl Fn(usize, &mut Runs<'_>) + Sync,
    ) -> Result<Vec<u64>> {
        let edges: Vec<f64> = self.thresholds.iter().map(|&t| self.norm.measure(t)).collect();
        let empty = || Runs { edges: &edges, length: vec![0; edges.len()], counts: vec![0; edges.len() * (n + 1)], n };
        pool(self.threads)?.install(|| {
            let all = range.into_par_iter().try_fold(empty, |mut runs, i| {
                monitor.check()?;
                walk(i, &mut runs);
                Ok(runs)
            });
            all.map(|runs| runs.map(|runs| runs.counts)).try_reduce(Vec::new, |mut a, b| {
                if a.is_empty() {
                    return Ok(b);
                }
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                Ok(a)
            })
        })
    }
}

/// Runs of recurrent pairs, at each threshold.
struct Runs<'a> {
    edges: &'a [f64],
    length: Vec<usize>,
    counts: Vec<u64>,
    n: usize,
}

impl Runs<'_> {
    #[inline]
    fn take(&mut self, measure: f64) {
        for (t, &edge) in self.edges.iter().enumerate() {
            if measure <= edge {
                self.length[t] += 1;
            } else if self.length[t] > 0 {
                self.counts[t * (self.n + 1) + self.length[t]] += 1;
                self.length[t] = 0;
            }
        }
    }

    fn stop(&mut self) {
        self.take(f64::INFINITY);
    }
}
