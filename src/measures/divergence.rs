//! How neighbours part: mean logarithms of distances after 0, 1, 2, ... steps, by stretches of time.

use super::neighbours::{Norm, Tree};
use crate::error::{Error, Result};
use crate::parallel::pool::{Monitor, pool};
use rayon::prelude::*;

/// What is followed.
pub struct Following<'a> {
    /// Points, `d` coordinates each, in order of time.
    pub points: &'a [f64],
    /// Coordinates.
    pub d: usize,
    /// Distance.
    pub norm: Norm,
    /// Steps for which neighbours are followed.
    pub steps: usize,
    /// Points at most this many steps apart are no neighbours.
    pub window: usize,
    /// Stretches of time.
    pub blocks: usize,
    /// Threads, all by default.
    pub threads: Option<usize>,
}

/// Sums of logarithms, and how many went into each, (blocks, steps + 1).
pub type Sums = (Vec<f64>, Vec<f64>);

impl Following<'_> {
    /// Distance from the nearest neighbour (Rosenstein et al. 1993, Physica D 65, 117-134).
    ///
    /// # Errors
    /// If no point is left that can be followed, and when asked to stop.
    pub fn nearest(&self, monitor: &Monitor) -> Result<Sums> {
        self.sum(monitor, |tree, i, distances| {
            if let Some(&(_, j)) = tree.nearest(tree.point(i), 1, |j| i.abs_diff(j) > self.window).first() {
                (0..=self.steps).for_each(|k| distances[k] = self.distance(i + k, j + k));
            }
        })
    }

    /// Mean distance from all neighbours nearer than `radius`, where there are at least `least`
    /// (Kantz 1994, Physics Letters A 185, 77-87).
    ///
    /// # Errors
    /// As [`Following::nearest`].
    pub fn within(&self, radius: f64, least: usize, monitor: &Monitor) -> Result<Sums> {
        let reach = self.norm.measure(radius);
        self.sum(monitor, |tree, i, distances| {
            let mut found = 0;
            tree.within(tree.point(i), reach, |_, j| {
                if i.abs_diff(j) > self.window {
                    found += 1;
                    (0..=self.steps).for_each(|k| distances[k] += self.distance(i + k, j + k));
                }
            });
            if found < least.max(1) {
                distances.fill(0.0);
            }
            distances.iter_mut().for_each(|distance| *distance /= found.max(1) as f64);
        })
    }

    fn distance(&self, i: usize, j: usize) -> f64 {
        let point = |i: usize| &self.points[i * self.d..(i + 1) * self.d];
        self.norm.distance(self.norm.between(point(i), point(j)))
    }

    /// Adds up logarithms of what `follow` writes for each point; nothing for a distance of zero.
    fn sum(&self, monitor: &Monitor, follow: impl Fn(&Tree<'_>, usize, &mut [f64]) + Sync) -> Result<Sums> {
        let n = (self.points.len() / self.d.max(1)).saturating_sub(self.steps);
        if n <= self.window {
            return Err(Error::value("the points are too few to be followed for so many steps"));
        }
        let tree = Tree::new(&self.points[..n * self.d], self.d, self.norm)?;
        let length = self.steps + 1;
        let parts: Vec<(Vec<f64>, Vec<f64>)> = pool(self.threads)?.install(|| {
            (0..self.blocks)
                .into_par_iter()
                .map(|block| {
                    let (mut sums, mut counts) = (vec![0.0; length], vec![0.0; length]);
                    let mut distances = vec![0.0; length];
                    for i in n * block / self.blocks..n * (block + 1) / self.blocks {
                        monitor.check()?;
                        distances.fill(0.0);
                        follow(&tree, i, &mut distances);
                        for (k, &distance) in distances.iter().enumerate().filter(|(_, distance)| **distance > 0.0) {
                            sums[k] += libm::log(distance);
                            counts[k] += 1.0;
                        }
                    }
                    Ok((sums, counts))
                })
                .collect::<Result<_>>()
        })?;
        let (sums, counts): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Ok((sums.concat(), counts.concat()))
    }
}
