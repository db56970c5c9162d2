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
    /// Eckmann et al. 1986, Phys. Rev. A 34, 4971). Each map is the linear part of an affine fit. A block begins with a frame
    /// that has seen the tenth of a block before it.
    ///
    /// # Errors
    /// For points that do not span their space, and when asked to stop.
    pub fn exponents(&self, monitor: &Monitor) -> Result<Vec<f64>> {
        let d = self.d;
        let n = (self.points.len() / d.max(1)).saturating_sub(self.step);
        if n / self.step.max(1) < 2 * self.blocks || self.neighbours <= d {
            return Err(Error::value("more points, and more neighbours than coordinates, are needed"));
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

    /// The matrix that best takes differences from the mean of the neighbours to those of their images, row by row.
    fn map(&self, tree: &Tree<'_>, i: usize) -> Result<Vec<f64>> {
        let (d, step) = (self.d, self.step);
        let near = tree.nearest(tree.point(i), self.neighbours, |j| i.abs_diff(j) > self.window);
        let image = |j: usize| &self.points[(j + step) * d..(j + step + 1) * d];
        let m = near.len();
        let (mut mean, mut mean_image) = (vec![0.0; d], vec![0.0; d]);
        for &(_, j) in &near {
            for k in 0..d {
                mean[k] += tree.point(j)[k] / m as f64;
                mean_image[k] += image(j)[k] / m as f64;
            }
        }
        // Columns of differences, then of images.
        let mut a = vec![0.0; m * 2 * d];
        for (row, &(_, j)) in near.iter().enumerate() {
            for k in 0..d {
                a[k * m + row] = tree.point(j)[k] - mean[k];
                a[(d + k) * m + row] = image(j)[k] - mean_image[k];
            }
        }
        let scale = a[..d * m].iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        let mut r = vec![0.0; d * 2 * d];
        // Modified Gram-Schmidt on the columns.
        for k in 0..d {
            let (done, rest) = a.split_at_mut((k + 1) * m);
            let column = &mut done[k * m..];
            let length = column.iter().fold(0.0, |sum, x| sum + x * x).sqrt();
            if !(length > 1e-12 * scale * (m as f64).sqrt()) {
                return Err(Error::value(format!(
                    "the neighbours of point {i} do not span {d} dimensions: take fewer coordinates or more neighbours"
                )));
            }
            column.iter_mut().for_each(|x| *x /= length);
            r[k * 2 * d + k] = length;
            for (later, other) in rest.chunks_exact_mut(m).enumerate() {
                let along = column.iter().zip(other.iter()).fold(0.0, |sum, (x, y)| sum + x * y);
                other.iter_mut().zip(column.iter()).for_each(|(y, x)| *y -= along * x);
                r[k * 2 * d + k + 1 + later] = along;
            }
        }
        // R M^T = Q^T images, from the last row up.
        let mut map = vec![0.0; d * d];
        for row in 0..d {
            for k in (0..d).rev() {
                let known = (k + 1..d).fold(r[k * 2 * d + d + row], |sum, l| sum - r[k * 2 * d + l] * map[row * d + l]);
                map[row * d + k] = known / r[k * 2 * d + k];
            }
        }
        Ok(map)
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
