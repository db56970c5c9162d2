//! Lyapunov exponents from data: tangent maps fitted to neighbours, and their product by QR.

use super::neighbours::{Norm, Tree};
use crate::error::{Error, Result};
use crate::parallel::pool::{Monitor, pool};
use rayon::prelude::*;

/// What is fitted.
pub struct Fitting<'a> {
    /// Points, `d` coordinates each, in order of time.
    pub points: &'a [f64],
    /// Coordinates.
    pub d: usize,
    /// Whether quadratic terms are fitted besides constant and linear ones.
    pub quadratic: bool,
    /// Neighbours for each fit.
    pub neighbours: usize,
    /// Points at most this many steps apart are no neighbours.
    pub window: usize,
    /// Steps from a point to its image.
    pub step: usize,
    /// Stretches of time.
    pub blocks: usize,
    /// Threads, all by default.
    pub threads: Option<usize>,
}

impl Fitting<'_> {
    /// Exponents per map, (blocks, d), in the order in which QR finds them (Sano & Sawada 1985, Phys. Rev. Lett. 55, 1082;
    /// Eckmann et al. 1986, Phys. Rev. A 34, 4971). A block begins with a frame that has seen the tenth of a block before it.
    ///
    /// # Errors
    /// For points that do not span their space, and when asked to stop.
    pub fn exponents(&self, monitor: &Monitor) -> Result<Vec<f64>> {
        let d = self.d;
        let n = (self.points.len() / d.max(1)).saturating_sub(self.step);
        if n / self.step.max(1) < 2 * self.blocks || self.neighbours <= self.terms() {
            return Err(Error::value("more points, and more neighbours than terms of the fit, are needed"));
        }
        let tree = Tree::new(&self.points[..n * d], d, Norm::Euclidean)?;
        let parts: Vec<Vec<f64>> = pool(self.threads)?.install(|| {
            (0..self.blocks)
                .into_par_iter()
                .map(|block| {
                    let (from, to) = (n * block / self.blocks, n * (block + 1) / self.blocks);
                    let warm = from.saturating_sub((to - from) / 10 / self.step * self.step);
                    let mut frame: Vec<f64> = (0..d * d).map(|i| f64::from(u8::from(i / d == i % d))).collect();
                    let (mut sums, mut maps) = (vec![0.0; d], 0.0);
                    for i in (warm..to).step_by(self.step) {
                        monitor.check()?;
                        let map = self.map(&tree, i)?;
                        let growth = turn(&map, &mut frame, d)?;
                        if i >= from {
                            maps += 1.0;
                            sums.iter_mut().zip(growth).for_each(|(sum, growth)| *sum += libm::log(growth));
                        }
                    }
                    Ok(sums.into_iter().map(|sum| sum / maps).collect())
                })
                .collect::<Result<_>>()
        })?;
        Ok(parts.concat())
    }

    /// The derivative at a point of the polynomial that best takes its neighbours to their images, row by row.
    fn map(&self, tree: &Tree<'_>, i: usize) -> Result<Vec<f64>> {
        let (d, step) = (self.d, self.step);
        let near = tree.nearest(tree.point(i), self.neighbours, |j| i.abs_diff(j) > self.window);
        let m = near.len();
        let terms = self.terms();
        let columns = terms + d;
        // Columns of terms, then of images, each less its mean: that is the constant term.
        let mut a = vec![0.0; m * columns];
        for (row, &(_, j)) in near.iter().enumerate() {
            let difference: Vec<f64> = tree.point(j).iter().zip(tree.point(i)).map(|(x, y)| x - y).collect();
            let squares = (0..d).flat_map(|k| (k..d).map(move |l| (k, l))).map(|(k, l)| difference[k] * difference[l]);
            let image = &self.points[(j + step) * d..(j + step + 1) * d];
            let row_of_terms = difference.iter().copied().chain(squares.take(terms - d));
            for (column, x) in row_of_terms.chain(image.iter().copied()).enumerate() {
                a[column * m + row] = x;
            }
        }
        for column in a.chunks_exact_mut(m) {
            let mean = column.iter().sum::<f64>() / m as f64;
            column.iter_mut().for_each(|x| *x -= mean);
        }
        // Modified Gram-Schmidt.
        let norm = |column: &[f64]| column.iter().fold(0.0, |sum, x| sum + x * x).sqrt();
        let before: Vec<f64> = a.chunks_exact(m).map(norm).collect();
        let mut r = vec![0.0; terms * columns];
        for k in 0..terms {
            let (done, rest) = a.split_at_mut((k + 1) * m);
            let column = &mut done[k * m..];
            let length = norm(column);
            if k >= d && !(length > 1e-6 * before[k]) {
                // On a curve or surface, a quadratic term may say nothing new: it is left out.
                continue;
            }
            if !(length > 1e-10 * before[k]) {
                return Err(Error::value(format!(
                    "the neighbours of point {i} do not span {d} dimensions: take fewer coordinates or more neighbours"
                )));
            }
            column.iter_mut().for_each(|x| *x /= length);
            r[k * columns + k] = length;
            for (later, other) in rest.chunks_exact_mut(m).enumerate() {
                let along = column.iter().zip(other.iter()).fold(0.0, |sum, (x, y)| sum + x * y);
                other.iter_mut().zip(column.iter()).for_each(|(y, x)| *y -= along * x);
                r[k * columns + k + 1 + later] = along;
            }
        }
        // Coefficients from the last up; those of the linear terms are the derivative.
        let mut map = vec![0.0; d * d];
        for row in 0..d {
            let mut coefficients = vec![0.0; terms];
            for k in (0..terms).rev().filter(|&k| r[k * columns + k] > 0.0) {
                let known = (k + 1..terms)
                    .fold(r[k * columns + terms + row], |sum, l| sum - r[k * columns + l] * coefficients[l]);
                coefficients[k] = known / r[k * columns + k];
            }
            map[row * d..(row + 1) * d].copy_from_slice(&coefficients[..d]);
        }
        Ok(map)
    }

    /// Terms of a polynomial, but the constant one.
    fn terms(&self) -> usize {
        if self.quadratic { self.d + self.d * (self.d + 1) / 2 } else { self.d }
    }
}

/// Takes a frame (vectors one after another) through a map and makes it orthonormal again; the growth of each vector.
fn turn(map: &[f64], frame: &mut [f64], d: usize) -> Result<Vec<f64>> {
    let mut growth = vec![0.0; d];
    let moved: Vec<f64> = frame
        .chunks_exact(d)
        .flat_map(|v| {
            map.chunks_exact(d).map(|row| row.iter().zip(v).fold(0.0, |sum, (a, b)| sum + a * b)).collect::<Vec<_>>()
        })
        .collect();
    frame.copy_from_slice(&moved);
    for k in 0..d {
        let (done, rest) = frame.split_at_mut(k * d);
        let vector = &mut rest[..d];
        for other in done.chunks_exact(d) {
            let along = vector.iter().zip(other).fold(0.0, |sum, (x, y)| sum + x * y);
            vector.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
        }
        growth[k] = vector.iter().fold(0.0, |sum, x| sum + x * x).sqrt();
        if !(growth[k] > 0.0 && growth[k].is_finite()) {
            return Err(Error::value("a fitted map has no inverse: take fewer coordinates or more neighbours"));
        }
        vector.iter_mut().for_each(|x| *x /= growth[k]);
    }
    Ok(growth)
}
