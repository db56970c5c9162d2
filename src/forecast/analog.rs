//! Forecasts by what followed similar moments of the past, iterated: the loop behind `bestiary.forecast.Analog`.
//!
//! A library holds keys (delay vectors) and values (what came next, as a change). A step weighs the keys around the
//! present and combines their values, by their mean or by a weighted linear fit.

use super::neighbours::{Neighbour, Tree, squared_distance};
use crate::error::{Error, Result};
use crate::parallel::pool::Monitor;

/// How keys are weighed by their distance r from the present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weights {
    /// The `k` nearest alike.
    Nearest(usize),
    /// The `k` nearest by exp(-r / r_1), r_1 the least distance (Sugihara & May 1990, Nature 344, 734-741).
    Simplex(usize),
    /// All by exp(-beta r^2): retrieval of modern Hopfield networks (Ramsauer et al. 2021, ICLR).
    Softmax(f64),
    /// All by exp(-theta r / mean r): the S-map (Sugihara 1994, Phil. Trans. R. Soc. A 348, 477-495).
    Smap(f64),
}

/// How the values of the weighed keys become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Combine {
    /// Their weighted mean.
    Mean,
    /// The value at the present of their weighted linear fit; the slopes have this relative ridge penalty.
    Linear(f64),
}

/// Keys and what followed them.
#[derive(Debug)]
pub struct Library {
    tree: Tree,
    values: Vec<f64>,
    width: usize,
}

/// Work space of a step.
#[derive(Debug, Default)]
struct Space {
    found: Vec<Neighbour>,
    weights: Vec<f64>,
    fit: Fit,
}

impl Library {
    /// A library of the rows of `keys` (of `dimension` numbers) and of `values` (of `width`).
    ///
    /// # Errors
    /// [`Error::Value`] if the numbers of rows differ, or anything is not finite.
    pub fn new(keys: Vec<f64>, dimension: usize, values: Vec<f64>, width: usize) -> Result<Self> {
        let tree = Tree::new(keys, dimension)?;
        if width == 0 || values.len() != tree.len() * width {
            return Err(Error::value(format!("{} keys need as many values", tree.len())));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Error::value("the values must be finite"));
        }
        Ok(Self { tree, values, width })
    }

    /// The keys.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The values, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Numbers in a value.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Continues `window`, whose rows of `width` numbers are the latest states, by `horizon` states: each is the one
    /// before plus the combined change. The key of a moment is every `spacing`-th row, counted back from the last.
    ///
    /// After an escape to infinity the states are NaN.
    ///
    /// # Errors
    /// [`Error::Value`] if the window does not fit the keys; [`Error::Interrupted`].
    pub fn iterate(
        &self,
        window: &[f64],
        spacing: usize,
        horizon: usize,
        weights: Weights,
        combine: Combine,
        monitor: &Monitor,
    ) -> Result<Vec<f64>> {
        let (d, keys) = (self.width, self.tree.dimension());
        let rows = window.len() / d;
        if !keys.is_multiple_of(d) || spacing == 0 || window.len() != d * rows || rows != (keys / d - 1) * spacing + 1 {
            return Err(Error::value("the window does not have the length of a key"));
        }
        let mut path = window.to_vec();
        path.resize((rows + horizon) * d, f64::NAN);
        let (mut query, mut space) = (vec![0.0; keys], Space::default());
        for step in 0..horizon {
            monitor.check()?;
            for (lag, part) in query.chunks_exact_mut(d).enumerate() {
                part.copy_from_slice(&path[(step + lag * spacing) * d..][..d]);
            }
            if query.iter().any(|value| !value.is_finite()) {
                break;
            }
            let (before, after) = path.split_at_mut((rows + step) * d);
            let next = &mut after[..d];
            self.change(&query, weights, combine, &mut space, next);
            for (value, last) in next.iter_mut().zip(&before[before.len() - d..]) {
                *value += last;
            }
        }
        Ok(path.split_off(rows * d))
    }

    /// The combined value at `query`, into `change`.
    fn change(&self, query: &[f64], weights: Weights, combine: Combine, space: &mut Space, change: &mut [f64]) {
        self.weigh(query, weights, space);
        let total: f64 = space.weights.iter().sum();
        change.fill(0.0);
        for (weight, near) in space.weights.iter_mut().zip(&space.found) {
            *weight /= total;
            for (mean, value) in change.iter_mut().zip(self.value(near.index)) {
                *mean += *weight * value;
            }
        }
        if let Combine::Linear(ridge) = combine {
            space.fit.correct(self, query, &space.found, &space.weights, ridge, change);
        }
    }

    fn value(&self, i: usize) -> &[f64] {
        &self.values[i * self.width..][..self.width]
    }

    /// Finds the keys that count and their weights, not yet normalised.
    fn weigh(&self, query: &[f64], weights: Weights, space: &mut Space) {
        let Space { found, weights: given, .. } = space;
        given.clear();
        match weights {
            Weights::Nearest(k) => {
                self.tree.nearest(query, k, found);
                given.resize(found.len(), 1.0);
            }
            Weights::Simplex(k) => {
                self.tree.nearest(query, k, found);
                let least = found[0].squared.sqrt();
                if least == 0.0 {
                    // The present itself is in the library.
                    given.extend(found.iter().map(|near| f64::from(near.squared == 0.0)));
                } else {
                    given.extend(found.iter().map(|near| libm::exp(1.0 - near.squared.sqrt() / least)));
                }
            }
            Weights::Softmax(beta) => {
                self.all(query, found);
                let least = found.iter().map(|near| near.squared).fold(f64::INFINITY, f64::min);
                // Weights below exp(-50) are lost in the rounding of the sum.
                found.retain(|near| beta * (near.squared - least) < 50.0);
                given.extend(found.iter().map(|near| libm::exp(-beta * (near.squared - least))));
            }
            Weights::Smap(theta) => {
                self.all(query, found);
                let mean = found.iter().map(|near| near.squared.sqrt()).sum::<f64>() / found.len() as f64;
                let rate = if mean > 0.0 { theta / mean } else { 0.0 };
                given.extend(found.iter().map(|near| libm::exp(-rate * near.squared.sqrt())));
            }
        }
    }

    fn all(&self, query: &[f64], found: &mut Vec<Neighbour>) {
        found.clear();
        found.extend(
            (0..self.tree.len())
                .map(|index| Neighbour { squared: squared_distance(self.tree.point(index), query), index }),
        );
    }
}

/// A weighted linear fit by the normal equations about the weighted mean, with a ridge penalty.
#[derive(Debug, Default)]
struct Fit {
    mean: Vec<f64>,
    matrix: Vec<f64>,
    cross: Vec<f64>,
}

impl Fit {
    /// Adds to `change`, the weighted mean of the values, what the fit has at `query` beyond it.
    fn correct(
        &mut self,
        library: &Library,
        query: &[f64],
        found: &[Neighbour],
        weights: &[f64],
        ridge: f64,
        change: &mut [f64],
    ) {
        let (n, d) = (query.len(), change.len());
        for buffer in [&mut self.mean, &mut self.matrix, &mut self.cross] {
            buffer.clear();
        }
        self.mean.resize(n, 0.0);
        self.matrix.resize(n * n, 0.0);
        self.cross.resize(n * d, 0.0);
        for (weight, near) in weights.iter().zip(found) {
            for (mean, value) in self.mean.iter_mut().zip(library.tree.point(near.index)) {
                *mean += weight * value;
            }
        }
        for (weight, near) in weights.iter().zip(found) {
            let (key, value) = (library.tree.point(near.index), library.value(near.index));
            for i in 0..n {
                let scaled = weight * (key[i] - self.mean[i]);
                for j in 0..=i {
                    self.matrix[i * n + j] += scaled * (key[j] - self.mean[j]);
                }
                for j in 0..d {
                    self.cross[i * d + j] += scaled * (value[j] - change[j]);
                }
            }
        }
        let trace: f64 = (0..n).map(|i| self.matrix[i * n + i]).sum();
        if !(trace > 0.0) {
            return;
        }
        for i in 0..n {
            self.matrix[i * n + i] += ridge * trace / n as f64;
        }
        if self.solve(n, d) {
            for j in 0..d {
                change[j] += (0..n).map(|i| (query[i] - self.mean[i]) * self.cross[i * d + j]).sum::<f64>();
            }
        }
    }

    /// Solves by Cholesky in place: the slopes stand in `cross`. False if the matrix is singular to rounding.
    fn solve(&mut self, n: usize, d: usize) -> bool {
        let (a, b) = (&mut self.matrix, &mut self.cross);
        for j in 0..n {
            let pivot = a[j * n + j] - (0..j).map(|k| a[j * n + k] * a[j * n + k]).sum::<f64>();
            if !(pivot > 0.0) {
                return false;
            }
            a[j * n + j] = pivot.sqrt();
            for i in j + 1..n {
                let dot: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
                a[i * n + j] = (a[i * n + j] - dot) / a[j * n + j];
            }
        }
        for column in 0..d {
            for i in 0..n {
                let dot: f64 = (0..i).map(|k| a[i * n + k] * b[k * d + column]).sum();
                b[i * d + column] = (b[i * d + column] - dot) / a[i * n + i];
            }
            for i in (0..n).rev() {
                let dot: f64 = (i + 1..n).map(|k| a[k * n + i] * b[k * d + column]).sum();
                b[i * d + column] = (b[i * d + column] - dot) / a[i * n + i];
            }
        }
        true
    }
}
