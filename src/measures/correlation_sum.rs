//! How many pairs of points are nearer than each of many radii, counted exactly with a tree; and sums of logarithms of
//! distances. Which radii are worth looking at is not decided here.

use super::neighbours::{LEAF, Node, Norm, Tree};
use crate::error::{Error, Result};
use crate::parallel::pool::{Monitor, pool};
use crate::parallel::simd::{Level, kernel};
use rayon::prelude::*;

/// What is counted.
pub struct Counting<'a> {
    /// Points, `d` coordinates each, in order of time.
    pub points: &'a [f64],
    /// Coordinates.
    pub d: usize,
    /// Distance.
    pub norm: Norm,
    /// Radii, not decreasing. A pair counts if its distance is at most the radius.
    pub radii: &'a [f64],
    /// Pairs at most this many steps apart do not count (Theiler 1986, Phys. Rev. A 34, 2427); with 0, only the
    /// pairs of a point with itself.
    pub window: usize,
    /// Threads, all by default.
    pub threads: Option<usize>,
}

kernel! {
    /// How many of the lanes are at most `edge`.
    fn at_most(lanes: &[f64; LEAF], edge: f64) -> u32 {
        let mut count = 0;
        for lane in 0..LEAF {
            count += u32::from(lanes[lane] <= edge);
        }
        count
    }
}

impl Counting<'_> {
    fn edges(&self) -> Result<Vec<f64>> {
        if self.radii.is_empty() || self.radii.iter().any(|r| !(*r >= 0.0)) || self.radii.windows(2).any(|r| r[0] > r[1]) {
            return Err(Error::value("radii must be given, not negative and not decreasing"));
        }
        Ok(self.radii.iter().map(|&r| self.norm.measure(r)).collect())
    }

    /// Neighbours of each point within each radius, (n, radii).
    ///
    /// # Errors
    /// For points that are not finite, radii that decrease, and when asked to stop.
    pub fn each(&self, monitor: &Monitor) -> Result<Vec<u32>> {
        let (tree, edges) = (Tree::new(self.points, self.d, self.norm)?, self.edges()?);
        let parts: Vec<Vec<u32>> = pool(self.threads)?.install(|| {
            (0..tree.leaves()).into_par_iter().map(|leaf| self.leaf(&tree, &edges, leaf, monitor)).collect::<Result<_>>()
        })?;
        let count = edges.len();
        let mut all = vec![0; tree.len() * count];
        for (leaf, part) in parts.iter().enumerate() {
            for (&i, row) in tree.members(leaf).iter().zip(part.chunks_exact(count)) {
                all[i * count..(i + 1) * count].copy_from_slice(row);
            }
        }
        Ok(all)
    }

    /// The same, added up over `blocks` equal stretches of time, (blocks, radii).
    ///
    /// # Errors
    /// As [`Counting::each`].
    pub fn blocks(&self, blocks: usize, monitor: &Monitor) -> Result<Vec<u64>> {
        let (tree, edges) = (Tree::new(self.points, self.d, self.norm)?, self.edges()?);
        let count = edges.len();
        let zero = || vec![0u64; blocks * count];
        pool(self.threads)?.install(|| {
            (0..tree.leaves())
                .into_par_iter()
                .try_fold(zero, |mut sum, leaf| {
                    let part = self.leaf(&tree, &edges, leaf, monitor)?;
                    for (&i, row) in tree.members(leaf).iter().zip(part.chunks_exact(count)) {
                        let block = i * blocks / tree.len();
                        for (sum, &one) in sum[block * count..].iter_mut().zip(row) {
                            *sum += u64::from(one);
                        }
                    }
                    Ok(sum)
                })
                .try_reduce(zero, |mut a, b| {
                    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                    Ok(a)
                })
        })
    }

    /// Neighbours of the members of a leaf, (members, radii).
    fn leaf(&self, tree: &Tree<'_>, edges: &[f64], leaf: usize, monitor: &Monitor) -> Result<Vec<u32>> {
        monitor.check()?;
        let (members, count) = (tree.members(leaf), edges.len());
        // First by the smallest radius that holds a pair; a row of its own for what holds for all members.
        let mut first = vec![0u32; (members.len() + 1) * (count + 1)];
        let common = members.len() * (count + 1);
        let (home, mut lanes) = (tree.leaf_node(leaf), [0.0; LEAF]);
        let mut stack: Vec<Node> = vec![tree.root()];
        while let Some(node) = stack.pop() {
            let (least, most) = tree.span(home, node);
            let (low, high) = (edges.partition_point(|&e| e < least), edges.partition_point(|&e| e < most));
            if low == high {
                first[common + low] += tree.size(node) as u32;
            } else if !node.is_leaf() {
                stack.extend(node.children());
            } else {
                let size = tree.size(node) as u32;
                for (row, &i) in first.chunks_exact_mut(count + 1).zip(members) {
                    tree.lanes(node.leaf(), tree.point(i), &mut lanes);
                    let mut before = 0;
                    for edge in low..high {
                        let within = at_most(Level::detect(), &lanes, edges[edge]);
                        row[edge] += within - before;
                        before = within;
                    }
                    row[high] += size - before;
                }
            }
        }
        let mut counts = vec![0; members.len() * count];
        for (m, (&i, row)) in members.iter().zip(counts.chunks_exact_mut(count)).enumerate() {
            let mut sum = 0;
            for edge in 0..count {
                sum += first[m * (count + 1) + edge] + first[common + edge];
                row[edge] = sum;
            }
            self.forget_window(tree, edges, i, row);
        }
        Ok(counts)
    }

    /// Takes out the pairs of a point with those near in time.
    fn forget_window(&self, tree: &Tree<'_>, edges: &[f64], i: usize, row: &mut [u32]) {
        let point = tree.point(i);
        for j in i.saturating_sub(self.window)..tree.len().min(i + self.window + 1) {
            let measure = self.norm.between(point, tree.point(j));
            let from = edges.partition_point(|&e| e < measure);
            row[from..].iter_mut().for_each(|count| *count -= 1);
        }
    }

    /// Over pairs nearer than the last radius, by stretches of time: the number of pairs at a distance that is not
    /// zero, the sum of ln(distance / radius), and the number of those at none.
    ///
    /// # Errors
    /// As [`Counting::each`].
    pub fn logarithms(&self, blocks: usize, monitor: &Monitor) -> Result<Vec<[f64; 3]>> {
        let (tree, edges) = (Tree::new(self.points, self.d, self.norm)?, self.edges()?);
        let reach = edges[edges.len() - 1];
        let parts: Vec<Vec<[f64; 3]>> = pool(self.threads)?.install(|| {
            (0..tree.leaves())
                .into_par_iter()
                .map(|leaf| {
                    monitor.check()?;
                    Ok(tree.members(leaf).iter().map(|&i| self.logarithm(&tree, reach, i)).collect())
                })
                .collect::<Result<_>>()
        })?;
        let mut sums = vec![[0.0; 3]; blocks];
        for (leaf, part) in parts.iter().enumerate() {
            for (&i, one) in tree.members(leaf).iter().zip(part) {
                let sum = &mut sums[i * blocks / tree.len()];
                (0..3).for_each(|k| sum[k] += one[k]);
            }
        }
        Ok(sums)
    }

    fn logarithm(&self, tree: &Tree<'_>, reach: f64, i: usize) -> [f64; 3] {
        let (mut pairs, mut sum, mut zeros) = (0.0, 0.0, 0.0);
        // One logarithm for many factors.
        let mut product = 1.0;
        tree.within(tree.point(i), reach, |measure, j| {
            if i.abs_diff(j) <= self.window {
                return;
            }
            if measure == 0.0 {
                zeros += 1.0;
                return;
            }
            pairs += 1.0;
            let ratio = measure / reach;
            if product < 1e-150 || ratio < 1e-150 {
                sum += libm::log(product);
                product = 1.0;
            }
            product *= ratio;
        });
        sum += libm::log(product);
        [pairs, if self.norm == Norm::Euclidean { 0.5 * sum } else { sum }, zeros]
    }
}
