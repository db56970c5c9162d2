//! How many pairs of points are nearer than each of many radii, counted exactly with a tree; and sums of logarithms of
//! distances. Which radii are worth looking at is not decided here.

use super::neighbours::{LEAF, Norm, Tree};
use crate::error::{Error, Result};
use crate::parallel::pool::{Monitor, pool};
use crate::parallel::simd::kernel;
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

/// Lanes that are counted together.
const WIDTH: usize = 8;

kernel! {
    /// Adds to `counts`, (edges, LEAF), how many of `others` are within each edge of each lane of a leaf. `D` is the
    /// number of coordinates where it is known beforehand, else 0.
    fn count<const D: usize>(
        euclidean: bool, columns: &[f64], others: &[f64], d: usize, size: usize, edges: &[f64], counts: &mut [u64]
    ) {
        let d = if D > 0 { D } else { d };
        for group in 0..LEAF / WIDTH {
            let at = group * WIDTH;
            // Two edges at a time, for one computation of the distances.
            for (pair, two) in edges.chunks(2).enumerate() {
                let (near, far) = (two[0], two[two.len() - 1]);
                let (mut sum, mut further) = ([0u64; WIDTH], [0u64; WIDTH]);
                for j in 0..size {
                    let mut measure = [0.0; WIDTH];
                    for k in 0..d {
                        let column: &[f64; WIDTH] = columns[k * LEAF + at..][..WIDTH].try_into().expect("of this width");
                        let x = others[k * LEAF + j];
                        for lane in 0..WIDTH {
                            let difference = column[lane] - x;
                            measure[lane] = if euclidean {
                                measure[lane] + difference * difference
                            } else if difference.abs() > measure[lane] {
                                difference.abs()
                            } else {
                                measure[lane]
                            };
                        }
                    }
                    for lane in 0..WIDTH {
                        sum[lane] += u64::from(measure[lane] <= near);
                        further[lane] += u64::from(measure[lane] <= far);
                    }
                }
                for (row, sum) in [sum, further].iter().take(two.len()).enumerate() {
                    for lane in 0..WIDTH {
                        counts[(2 * pair + row) * LEAF + at + lane] += sum[lane];
                    }
                }
            }
        }
    }
}

impl Counting<'_> {
    fn edges(&self) -> Result<Vec<f64>> {
        if self.radii.is_empty()
            || self.radii.iter().any(|r| !(*r >= 0.0))
            || self.radii.windows(2).any(|r| r[0] > r[1])
        {
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
        let parts: Vec<Vec<i64>> = pool(self.threads)?.install(|| {
            (0..tree.leaves())
                .into_par_iter()
                .map(|leaf| self.leaf(&tree, &edges, leaf, false, monitor))
                .collect::<Result<_>>()
        })?;
        let count = edges.len();
        let mut all = vec![0; tree.len() * count];
        for (leaf, part) in parts.iter().enumerate() {
            for (&i, row) in tree.members(leaf).iter().zip(part.chunks_exact(count)) {
                all[i * count..(i + 1) * count].iter_mut().zip(row).for_each(|(all, &one)| *all = one as u32);
            }
        }
        Ok(all)
    }

    /// The same, added up over `blocks` equal stretches of time, (blocks, radii). For one, each pair of leaves is looked
    /// at once.
    ///
    /// # Errors
    /// As [`Counting::each`].
    pub fn blocks(&self, blocks: usize, monitor: &Monitor) -> Result<Vec<u64>> {
        let (tree, edges) = (Tree::new(self.points, self.d, self.norm)?, self.edges()?);
        let count = edges.len();
        let zero = || vec![0i64; blocks * count];
        let sums = pool(self.threads)?.install(|| {
            (0..tree.leaves())
                .into_par_iter()
                .try_fold(zero, |mut sum, leaf| {
                    let part = self.leaf(&tree, &edges, leaf, blocks == 1, monitor)?;
                    for (&i, row) in tree.members(leaf).iter().zip(part.chunks_exact(count)) {
                        let block = i * blocks / tree.len();
                        for (sum, &one) in sum[block * count..].iter_mut().zip(row) {
                            *sum += one;
                        }
                    }
                    Ok(sum)
                })
                .try_reduce(zero, |mut a, b| {
                    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                    Ok(a)
                })
        })?;
        Ok(sums.into_iter().map(|sum: i64| sum as u64).collect())
    }

    /// Neighbours of the members of a leaf, (members, radii). With `forward`, those in earlier leaves are left out and
    /// those in later ones count twice, which gives the same sum over all points.
    fn leaf(&self, tree: &Tree<'_>, edges: &[f64], leaf: usize, forward: bool, monitor: &Monitor) -> Result<Vec<i64>> {
        monitor.check()?;
        let (members, radii) = (tree.members(leaf), edges.len());
        let euclidean = self.norm == Norm::Euclidean;
        // By the smallest radius that holds a pair: for all members, and for each.
        let mut common = vec![0i64; radii + 1];
        let mut first = vec![0i64; (radii + 1) * LEAF];
        let mut within = vec![0u64; radii * LEAF];
        let (home, mut stack) = (tree.leaf_node(leaf), vec![tree.root()]);
        while let Some(node) = stack.pop() {
            if forward && node.is_before(leaf) {
                continue;
            }
            if forward && node.holds(leaf) && !node.is_leaf() {
                stack.extend(node.children());
                continue;
            }
            let weight = if forward && node.leaf() != leaf { 2 } else { 1 };
            let (least, most) = tree.span(home, node);
            let low = edges.partition_point(|&e| e < least);
            let high = low + edges[low..].partition_point(|&e| e < most);
            let size = tree.size(node);
            if low == high {
                common[low] += weight * size as i64;
            } else if !node.is_leaf() {
                stack.extend(node.children());
            } else {
                let (here, there) = (tree.columns(leaf), tree.columns(node.leaf()));
                let within = &mut within[..(high - low) * LEAF];
                within.fill(0);
                let how = match self.d {
                    1 => count::<1>,
                    2 => count::<2>,
                    3 => count::<3>,
                    4 => count::<4>,
                    _ => count::<0>,
                };
                how(tree.level(), euclidean, here, there, self.d, size, &edges[low..high], within);
                for lane in 0..LEAF {
                    let mut before = 0;
                    for edge in low..high {
                        let now = within[(edge - low) * LEAF + lane] as i64;
                        first[edge * LEAF + lane] += weight * (now - before);
                        before = now;
                    }
                    first[high * LEAF + lane] += weight * (size as i64 - before);
                }
            }
        }
        let mut counts = vec![0; members.len() * radii];
        for (lane, (&i, row)) in members.iter().zip(counts.chunks_exact_mut(radii)).enumerate() {
            let mut sum = 0;
            for edge in 0..radii {
                sum += first[edge * LEAF + lane] + common[edge];
                row[edge] = sum;
            }
            self.forget_window(tree, edges, i, row);
        }
        Ok(counts)
    }

    /// Takes out the pairs of a point with those near in time.
    fn forget_window(&self, tree: &Tree<'_>, edges: &[f64], i: usize, row: &mut [i64]) {
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
