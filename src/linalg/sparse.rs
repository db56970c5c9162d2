//! LU factors of a sparse matrix whose structure is known beforehand, a matrix for each lane.
//!
//! The order of elimination, the fill-in and every operation are found once for a structure ([`Plan::new`]) and kept as lists of
//! places; factoring and solving walk through the lists. The pivots are the diagonal ones, in an order that keeps the fill-in small
//! (Markowitz, H. M. (1957), Manag. Sci. 3, 255-269). So this is for matrices `I/s - J`, in which the diagonal prevails once s is
//! small enough; [`Sparse::growth`] says whether it does.

use super::lu::Row;
use crate::parallel::simd::{Level, kernel};
use std::collections::BTreeSet;

/// What to do with a matrix of one structure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Place of each entry given to [`Plan::new`], and of each diagonal entry.
    entries: Vec<u32>,
    diagonal: Vec<u32>,
    /// Number of places, fill-in included.
    places: usize,
    /// For each pivot, in order: its number, how many rows below have an entry, how many columns to the right.
    pivots: Vec<[u32; 3]>,
    /// For each pivot: rows and places of the entries below it, then columns and places of the entries to its right.
    lower: Vec<[u32; 2]>,
    upper: Vec<[u32; 2]>,
    /// For each pivot, row by row: places to be reduced by the products of its entries.
    targets: Vec<u32>,
}

impl Plan {
    /// The plan for an n x n matrix with these entries (row, column) and a full diagonal.
    pub fn new(n: usize, entries: &[(usize, usize)]) -> Plan {
        let mut rows: Vec<BTreeSet<usize>> = (0..n).map(|i| BTreeSet::from([i])).collect();
        let mut columns = rows.clone();
        for &(i, j) in entries {
            rows[i].insert(j);
            columns[j].insert(i);
        }
        let mut place = std::collections::HashMap::new();
        let mut at = |i: usize, j: usize| {
            let next = place.len() as u32;
            *place.entry((i, j)).or_insert(next)
        };
        let diagonal: Vec<u32> = (0..n).map(|i| at(i, i)).collect();
        let given: Vec<u32> = entries.iter().map(|&(i, j)| at(i, j)).collect();
        let (mut pivots, mut lower, mut upper, mut targets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut left: BTreeSet<(usize, usize)> = (0..n).map(|k| (cost(&rows, &columns, k), k)).collect();
        while let Some((_, k)) = left.pop_first() {
            let below: Vec<usize> = columns[k].iter().copied().filter(|&i| i != k).collect();
            let right: Vec<usize> = rows[k].iter().copied().filter(|&j| j != k).collect();
            pivots.push([k as u32, below.len() as u32, right.len() as u32]);
            lower.extend(below.iter().map(|&i| [i as u32, at(i, k)]));
            upper.extend(right.iter().map(|&j| [j as u32, at(k, j)]));
            for &i in below.iter().chain(&right) {
                left.remove(&(cost(&rows, &columns, i), i));
            }
            for &i in &below {
                for &j in &right {
                    targets.push(at(i, j));
                    rows[i].insert(j);
                    columns[j].insert(i);
                }
            }
            for &i in &below {
                rows[i].remove(&k);
            }
            for &j in &right {
                columns[j].remove(&k);
            }
            for &i in below.iter().chain(&right) {
                left.insert((cost(&rows, &columns, i), i));
            }
        }
        let places = place.len();
        Plan { entries: given, diagonal, places, pivots, lower, upper, targets }
    }

    /// Multiplications that factoring takes.
    pub fn operations(&self) -> usize {
        self.targets.len() + self.lower.len()
    }

    /// Entries of the factors, which is how many multiplications solving takes.
    pub fn entries(&self) -> usize {
        self.places
    }
}

/// Upper bound of the fill-in that pivot k makes.
fn cost(rows: &[BTreeSet<usize>], columns: &[BTreeSet<usize>], k: usize) -> usize {
    (rows[k].len() - 1) * (columns[k].len() - 1)
}

/// A matrix and, after [`Sparse::factor`], its factors.
#[derive(Clone, Debug)]
pub struct Sparse<'p, const L: usize> {
    plan: &'p Plan,
    a: Vec<Row<L>>,
    growth: Row<L>,
}

impl<'p, const L: usize> Sparse<'p, L> {
    /// A matrix of zeros.
    pub fn new(plan: &'p Plan) -> Self {
        Self { plan, a: vec![[0.0; L]; plan.places], growth: [0.0; L] }
    }

    /// Sets the matrix to `diagonal * I - entries`, the entries in the order of the plan.
    pub fn set(&mut self, diagonal: &Row<L>, entries: &[Row<L>]) {
        self.a.fill([0.0; L]);
        for &place in &self.plan.diagonal {
            self.a[place as usize] = *diagonal;
        }
        for (&place, entry) in self.plan.entries.iter().zip(entries) {
            for lane in 0..L {
                self.a[place as usize][lane] -= entry[lane];
            }
        }
    }

    /// Replaces the matrix by its factors.
    pub fn factor(&mut self, level: Level) {
        self.growth = factor(level, self.plan, &mut self.a);
    }

    /// The largest multiplier met in factoring: how much rounding errors grew for want of other pivots. Not finite for a
    /// vanishing pivot.
    pub fn growth(&self) -> &Row<L> {
        &self.growth
    }

    /// Replaces `b` by the solution of `A x = b`.
    pub fn solve(&self, level: Level, b: &mut [Row<L>]) {
        solve(level, self.plan, &self.a, b);
    }
}

/// `a -= l b`.
#[inline(always)]
fn subtract<const L: usize>(a: &mut Row<L>, l: &Row<L>, b: &Row<L>) {
    for lane in 0..L {
        a[lane] = (-l[lane]).mul_add(b[lane], a[lane]);
    }
}

kernel! {
    fn factor<const L: usize>(plan: &Plan, a: &mut [Row<L>]) -> Row<L> {
        let (mut lower, mut upper, mut targets) = (&plan.lower[..], &plan.upper[..], &plan.targets[..]);
        let mut growth = [0.0; L];
        for &[k, below, right] in &plan.pivots {
            let pivot = plan.diagonal[k as usize] as usize;
            for lane in 0..L {
                a[pivot][lane] = 1.0 / a[pivot][lane];
            }
            let (column, rest) = lower.split_at(below as usize);
            lower = rest;
            let (row, rest) = upper.split_at(right as usize);
            upper = rest;
            for &[_, place] in column {
                let mut l = a[place as usize];
                for lane in 0..L {
                    l[lane] *= a[pivot][lane];
                    let size = l[lane].abs();
                    growth[lane] = if size <= growth[lane] { growth[lane] } else { size };
                }
                a[place as usize] = l;
                for (&target, &[_, source]) in targets.iter().zip(row) {
                    let source = a[source as usize];
                    subtract(&mut a[target as usize], &l, &source);
                }
                targets = &targets[row.len()..];
            }
        }
        growth
    }

    fn solve<const L: usize>(plan: &Plan, a: &[Row<L>], b: &mut [Row<L>]) {
        let mut lower = &plan.lower[..];
        for &[k, below, _] in &plan.pivots {
            let (column, rest) = lower.split_at(below as usize);
            lower = rest;
            let value = b[k as usize];
            for &[i, place] in column {
                subtract(&mut b[i as usize], &a[place as usize], &value);
            }
        }
        let mut upper = &plan.upper[..];
        for &[k, _, right] in plan.pivots.iter().rev() {
            let (rest, row) = upper.split_at(upper.len() - right as usize);
            upper = rest;
            let mut value = b[k as usize];
            for &[j, place] in row {
                subtract(&mut value, &a[place as usize], &b[j as usize]);
            }
            let pivot = plan.diagonal[k as usize] as usize;
            for lane in 0..L {
                value[lane] *= a[pivot][lane];
            }
            b[k as usize] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::lu::Lu;

    /// A matrix with a full first row and column, a band and a diagonal that prevails: solved by both, checked by its product.
    #[test]
    fn both_factorisations_solve() {
        let n = 12usize;
        let entries: Vec<(usize, usize)> = (0..n)
            .flat_map(|i| (0..n).map(move |j| (i, j)))
            .filter(|&(i, j)| i == 0 || j == 0 || i.abs_diff(j) < 2)
            .collect();
        let value = |i: usize, j: usize, lane: usize| libm::sin((3 * i + 7 * j + lane) as f64);
        let jacobian: Vec<Row<2>> =
            entries.iter().map(|&(i, j)| std::array::from_fn(|lane| value(i, j, lane))).collect();
        let diagonal = [20.0, 30.0];
        let plan = Plan::new(n, &entries);
        assert!(plan.places <= entries.len(), "the arrow is eliminated from its tip last: no fill-in");
        let mut sparse = Sparse::<2>::new(&plan);
        sparse.set(&diagonal, &jacobian);
        sparse.factor(Level::detect());
        let mut full = Lu::<2>::new(n);
        (0..n).for_each(|i| full.entries()[i * n + i] = diagonal);
        for (&(i, j), entry) in entries.iter().zip(&jacobian) {
            (0..2).for_each(|lane| full.entries()[i * n + j][lane] -= entry[lane]);
        }
        let matrix = full.entries().to_vec();
        full.factor(Level::detect());
        let right: Vec<Row<2>> = (0..n).map(|i| [i as f64 - 3.0, 1.0 / (i + 1) as f64]).collect();
        let (mut x, mut y) = (right.clone(), right.clone());
        sparse.solve(Level::detect(), &mut x);
        full.solve(Level::detect(), &mut y);
        for i in 0..n {
            for lane in 0..2 {
                let product = |x: &[Row<2>]| (0..n).map(|j| matrix[i * n + j][lane] * x[j][lane]).sum::<f64>();
                assert!((product(&x) - right[i][lane]).abs() < 1e-13);
                assert!((product(&y) - right[i][lane]).abs() < 1e-13);
            }
        }
    }

    /// Zero pivots on the diagonal, and rows of very different size: what partial pivoting is for.
    #[test]
    fn pivots() {
        let mut lu = Lu::<1>::new(3);
        let a = [0.0, 2.0, 1.0, 1e-20, 1.0, 1.0, 4.0, 0.0, -1.0];
        lu.entries().iter_mut().zip(a).for_each(|(row, value)| *row = [value]);
        lu.factor(Level::detect());
        let mut x = [[7.0], [5.0], [1.0]];
        lu.solve(Level::detect(), &mut x);
        assert_eq!(x.map(|x| x[0]), [1.0, 2.0, 3.0]);
    }
}
