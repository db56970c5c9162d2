//! Points in a k-d tree of full leaves: the nearest neighbours of each, and those within a distance.
//!
//! Bounds on distances between boxes go through the same roundings as the distances themselves, and rounding is
//! monotonic, so what the tree decides for a box as a whole is what would be decided pair by pair.

use crate::error::{Error, Result};
use crate::parallel::pool::{Monitor, pool};
use crate::parallel::simd::{Level, kernel};
use rayon::prelude::*;

/// Points in a leaf. The last leaf may have fewer.
pub const LEAF: usize = 32;

/// How far apart two points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The largest difference of coordinates.
    Maximum,
    /// The root of the sum of squares.
    Euclidean,
}

impl Norm {
    /// The norm of this name.
    ///
    /// # Errors
    /// For another name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "maximum" => Ok(Norm::Maximum),
            "euclidean" => Ok(Norm::Euclidean),
            _ => Err(Error::value(format!("unknown norm \"{name}\": there are maximum, euclidean"))),
        }
    }

    /// What is compared in place of a distance: itself, or its square.
    pub fn measure(self, distance: f64) -> f64 {
        if self == Norm::Maximum { distance } else { distance * distance }
    }

    /// The distance of a measure.
    pub fn distance(self, measure: f64) -> f64 {
        if self == Norm::Maximum { measure } else { measure.sqrt() }
    }

    #[inline(always)]
    fn add(self, sum: f64, difference: f64) -> f64 {
        match self {
            Norm::Maximum => sum.max(difference.abs()),
            Norm::Euclidean => sum + difference * difference,
        }
    }

    /// The measure of the distance between two points.
    #[inline(always)]
    pub fn between(self, a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).fold(0.0, |sum, (a, b)| self.add(sum, a - b))
    }
}

kernel! {
    /// The measures of the distances of `point` from the lanes of a leaf, coordinate by coordinate.
    fn distances(euclidean: bool, columns: &[f64], point: &[f64], out: &mut [f64; LEAF]) {
        *out = [0.0; LEAF];
        for (column, &x) in columns.chunks_exact(LEAF).zip(point) {
            let column: &[f64; LEAF] = column.try_into().expect("chunks are exact");
            if euclidean {
                for lane in 0..LEAF {
                    let difference = column[lane] - x;
                    out[lane] += difference * difference;
                }
            } else {
                for lane in 0..LEAF {
                    let difference = (column[lane] - x).abs();
                    out[lane] = if difference > out[lane] { difference } else { out[lane] };
                }
            }
        }
    }
}

/// A node: its place in preorder, and its range of leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    place: usize,
    first: usize,
    end: usize,
}

impl Node {
    pub(super) fn is_leaf(self) -> bool {
        self.end - self.first == 1
    }

    /// Its first leaf.
    pub(super) fn leaf(self) -> usize {
        self.first
    }

    pub(super) fn holds(self, leaf: usize) -> bool {
        (self.first..self.end).contains(&leaf)
    }

    /// Whether all of its leaves are earlier ones.
    pub(super) fn is_before(self, leaf: usize) -> bool {
        self.end <= leaf
    }

    pub(super) fn children(self) -> [Node; 2] {
        let middle = self.first + (self.end - self.first) / 2;
        // A subtree of k leaves has 2k - 1 nodes.
        let right = self.place + 2 * (middle - self.first);
        [Node { place: self.place + 1, end: middle, ..self }, Node { place: right, first: middle, ..self }]
    }
}

/// Finite points, by place.
pub struct Tree<'a> {
    points: &'a [f64],
    n: usize,
    d: usize,
    norm: Norm,
    level: Level,
    /// The point at each place.
    order: Vec<usize>,
    /// Leaf by leaf, coordinate by coordinate; a missing point is at infinity.
    columns: Vec<f64>,
    /// Lower then upper corner of each node.
    boxes: Vec<f64>,
}

/// A neighbour: the measure of its distance, then its number, by which ties are broken.
pub type Neighbour = (f64, usize);

impl<'a> Tree<'a> {
    /// The tree of `points`, of `d` coordinates each.
    ///
    /// # Errors
    /// If there is no point, or one is not finite.
    pub fn new(points: &'a [f64], d: usize, norm: Norm) -> Result<Self> {
        if d == 0 || points.is_empty() || !points.len().is_multiple_of(d) {
            return Err(Error::value("points are needed, of at least one coordinate each"));
        }
        if points.iter().any(|x| !x.is_finite()) {
            return Err(Error::value("points must be finite"));
        }
        let n = points.len() / d;
        let leaves = n.div_ceil(LEAF);
        let mut tree = Tree {
            points,
            n,
            d,
            norm,
            level: Level::detect(),
            order: (0..n).collect(),
            columns: vec![f64::INFINITY; leaves * d * LEAF],
            boxes: vec![0.0; (2 * leaves - 1) * 2 * d],
        };
        let mut order = std::mem::take(&mut tree.order);
        tree.build(tree.root(), &mut order, 0);
        for (place, &i) in order.iter().enumerate() {
            let (leaf, lane) = (place / LEAF, place % LEAF);
            for k in 0..d {
                tree.columns[(leaf * d + k) * LEAF + lane] = points[i * d + k];
            }
        }
        tree.order = order;
        Ok(tree)
    }

    /// Boxes of a node and those below; `order` holds its points, the first of them at place `start`.
    fn build(&mut self, node: Node, order: &mut [usize], start: usize) {
        let d = self.d;
        let corners = &mut self.boxes[node.place * 2 * d..(node.place + 1) * 2 * d];
        let (low, high) = corners.split_at_mut(d);
        low.fill(f64::INFINITY);
        high.fill(f64::NEG_INFINITY);
        for &i in order.iter() {
            for k in 0..d {
                low[k] = low[k].min(self.points[i * d + k]);
                high[k] = high[k].max(self.points[i * d + k]);
            }
        }
        if node.is_leaf() {
            return;
        }
        let widest = (0..d).fold(0, |best, k| if high[k] - low[k] > high[best] - low[best] { k } else { best });
        let children = node.children();
        let split = children[1].first * LEAF - start;
        let key = |i: &usize| (self.points[i * d + widest], *i);
        order.select_nth_unstable_by(split, |a, b| key(a).0.total_cmp(&key(b).0).then(a.cmp(b)));
        let (left, right) = order.split_at_mut(split);
        self.build(children[0], left, start);
        self.build(children[1], right, start + split);
    }

    pub(super) fn root(&self) -> Node {
        Node { place: 0, first: 0, end: self.n.div_ceil(LEAF) }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Never: a tree has at least one point.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The norm by which it was made.
    pub fn norm(&self) -> Norm {
        self.norm
    }

    /// The coordinates of a point.
    pub fn point(&self, i: usize) -> &[f64] {
        &self.points[i * self.d..(i + 1) * self.d]
    }

    pub(super) fn leaves(&self) -> usize {
        self.n.div_ceil(LEAF)
    }

    /// The points of a leaf, by their numbers.
    pub(super) fn members(&self, leaf: usize) -> &[usize] {
        &self.order[leaf * LEAF..self.n.min((leaf + 1) * LEAF)]
    }

    /// How many points a node has.
    pub(super) fn size(&self, node: Node) -> usize {
        self.n.min(node.end * LEAF) - node.first * LEAF
    }

    fn corners(&self, node: Node) -> (&[f64], &[f64]) {
        self.boxes[node.place * 2 * self.d..(node.place + 1) * 2 * self.d].split_at(self.d)
    }

    /// The node of a leaf.
    pub(super) fn leaf_node(&self, leaf: usize) -> Node {
        let mut node = self.root();
        while !node.is_leaf() {
            let [left, right] = node.children();
            node = if leaf < left.end { left } else { right };
        }
        node
    }

    /// The least and the largest measure of a distance between the boxes of two nodes.
    pub(super) fn span(&self, a: Node, b: Node) -> (f64, f64) {
        let ((a_low, a_high), (b_low, b_high)) = (self.corners(a), self.corners(b));
        let (mut least, mut most) = (0.0, 0.0);
        for k in 0..self.d {
            least = self.norm.add(least, (b_low[k] - a_high[k]).max(a_low[k] - b_high[k]).max(0.0));
            most = self.norm.add(most, (b_high[k] - a_low[k]).max(a_high[k] - b_low[k]));
        }
        (least, most)
    }

    /// The least measure of a distance of a point from the box of a node.
    fn nearest_corner(&self, point: &[f64], node: Node) -> f64 {
        let (low, high) = self.corners(node);
        (0..self.d).fold(0.0, |sum, k| self.norm.add(sum, (low[k] - point[k]).max(point[k] - high[k]).max(0.0)))
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    pub(super) fn columns(&self, leaf: usize) -> &[f64] {
        &self.columns[leaf * self.d * LEAF..(leaf + 1) * self.d * LEAF]
    }

    fn lanes(&self, leaf: usize, point: &[f64], out: &mut [f64; LEAF]) {
        distances(self.level, self.norm == Norm::Euclidean, self.columns(leaf), point, out);
    }

    /// Calls `found` for every point at a distance of measure at most `reach`, in the order of the tree.
    pub fn within(&self, point: &[f64], reach: f64, mut found: impl FnMut(f64, usize)) {
        let (mut stack, mut out) = (vec![self.root()], [0.0; LEAF]);
        while let Some(node) = stack.pop() {
            if self.nearest_corner(point, node) > reach {
                continue;
            }
            if node.is_leaf() {
                self.lanes(node.leaf(), point, &mut out);
                for (&j, &measure) in self.members(node.leaf()).iter().zip(&out) {
                    if measure <= reach {
                        found(measure, j);
                    }
                }
            } else {
                stack.extend(node.children());
            }
        }
    }

    /// The `k` nearest that `allowed` lets pass, nearest first; fewer where there are not as many.
    pub fn nearest(&self, point: &[f64], k: usize, allowed: impl Fn(usize) -> bool) -> Vec<Neighbour> {
        let mut best: Vec<Neighbour> = Vec::with_capacity(k + 1);
        let (mut stack, mut out) = (vec![(0.0, self.root())], [0.0; LEAF]);
        while let Some((bound, node)) = stack.pop() {
            let worst = if best.len() < k { f64::INFINITY } else { best[k - 1].0 };
            if bound > worst {
                continue;
            }
            if node.is_leaf() {
                self.lanes(node.leaf(), point, &mut out);
                for (&j, &measure) in self.members(node.leaf()).iter().zip(&out) {
                    let full = best.len() == k;
                    if full && (measure, j) >= best[k - 1] || !allowed(j) {
                        continue;
                    }
                    let place = best.partition_point(|other| *other < (measure, j));
                    best.insert(place, (measure, j));
                    best.truncate(k);
                }
            } else {
                let [left, right] = node.children().map(|child| (self.nearest_corner(point, child), child));
                // The nearer one is looked at first.
                stack.extend(if left.0 < right.0 { [right, left] } else { [left, right] });
            }
        }
        best
    }
}

/// Distances and numbers of the `k` nearest neighbours of each point, nearest first, outside a window in time of
/// `window` steps to either side (Theiler 1986); NaN and the number of points where there are fewer. The first
/// `candidates` points can be neighbours and are asked for.
///
/// # Errors
/// For points that are not finite, and when asked to stop.
pub fn nearest(
    points: &[f64],
    d: usize,
    norm: Norm,
    k: usize,
    window: usize,
    candidates: usize,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<(Vec<f64>, Vec<usize>)> {
    let n = points.len() / d.max(1);
    let tree = Tree::new(&points[..candidates.min(n) * d], d, norm)?;
    let n = tree.len();
    let found: Vec<Vec<Vec<Neighbour>>> = pool(threads)?.install(|| {
        (0..tree.leaves())
            .into_par_iter()
            .map(|leaf| {
                monitor.check()?;
                Ok(tree
                    .members(leaf)
                    .iter()
                    .map(|&i| tree.nearest(tree.point(i), k, |j| i.abs_diff(j) > window))
                    .collect())
            })
            .collect::<Result<_>>()
    })?;
    let (mut distances, mut numbers) = (vec![f64::NAN; n * k], vec![n; n * k]);
    for (leaf, lists) in found.iter().enumerate() {
        for (&i, list) in tree.members(leaf).iter().zip(lists) {
            for (rank, &(measure, j)) in list.iter().enumerate() {
                distances[i * k + rank] = norm.distance(measure);
                numbers[i * k + rank] = j;
            }
        }
    }
    Ok((distances, numbers))
}
