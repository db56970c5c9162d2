//! Exact nearest neighbours by a k-d tree (Friedman, Bentley & Finkel 1977, ACM Trans. Math. Softw. 3, 209-226).
//!
//! Equal distances are ordered by the number of the point, so the answer does not depend on the shape of the tree.

use crate::error::{Error, Result};

/// Points in a leaf are compared one by one.
const LEAF: usize = 16;

/// A point found: its squared distance and its number.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Neighbour {
    /// Squared Euclidean distance.
    pub squared: f64,
    /// Number of the point, in the order in which the points were given.
    pub index: usize,
}

#[derive(Debug)]
enum Node {
    Leaf { begin: usize, end: usize },
    Split { axis: usize, at: f64, left: usize, right: usize },
}

/// A k-d tree of n points in D dimensions.
#[derive(Debug)]
pub struct Tree {
    dimension: usize,
    points: Vec<f64>,
    /// Numbers of the points, leaf by leaf.
    order: Vec<usize>,
    nodes: Vec<Node>,
}

/// Squared Euclidean distance, summed from the first coordinate on.
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

impl Tree {
    /// The tree of the rows of `points`, each of `dimension` finite numbers.
    ///
    /// # Errors
    /// [`Error::Value`] if there is no point, or one that is not finite.
    pub fn new(points: Vec<f64>, dimension: usize) -> Result<Self> {
        if dimension == 0 || points.is_empty() || !points.len().is_multiple_of(dimension) {
            return Err(Error::value("neighbours are looked for among at least one point of at least one coordinate"));
        }
        if points.iter().any(|value| !value.is_finite()) {
            return Err(Error::value("the points must be finite"));
        }
        let n = points.len() / dimension;
        let mut tree = Self { dimension, points, order: (0..n).collect(), nodes: Vec::new() };
        tree.build(0, n);
        Ok(tree)
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Never: a tree has at least one point.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Number of coordinates of a point.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The coordinates of point `i`.
    pub fn point(&self, i: usize) -> &[f64] {
        &self.points[i * self.dimension..][..self.dimension]
    }

    /// Splits `order[begin..end]` at the median of its widest axis; gives the number of the node.
    fn build(&mut self, begin: usize, end: usize) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node::Leaf { begin, end });
        let (axis, width) = self.widest(begin, end);
        if end - begin <= LEAF || width == 0.0 {
            return node;
        }
        let middle = begin + (end - begin) / 2;
        let (points, d) = (&self.points, self.dimension);
        let key = |i: &usize| points[i * d + axis];
        self.order[begin..end]
            .select_nth_unstable_by(middle - begin, |a, b| key(a).total_cmp(&key(b)).then_with(|| a.cmp(b)));
        let at = key(&self.order[middle]);
        let left = self.build(begin, middle);
        let right = self.build(middle, end);
        self.nodes[node] = Node::Split { axis, at, left, right };
        node
    }

    fn widest(&self, begin: usize, end: usize) -> (usize, f64) {
        let mut best = (0, 0.0);
        for axis in 0..self.dimension {
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for &i in &self.order[begin..end] {
                let value = self.points[i * self.dimension + axis];
                low = low.min(value);
                high = high.max(value);
            }
            if high - low > best.1 {
                best = (axis, high - low);
            }
        }
        best
    }

    /// The `k` points nearest to `query` (all of them if there are fewer), nearest first, into `found`.
    pub fn nearest(&self, query: &[f64], k: usize, found: &mut Vec<Neighbour>) {
        found.clear();
        if k > 0 {
            self.visit(0, query, k, found);
        }
    }

    fn visit(&self, node: usize, query: &[f64], k: usize, found: &mut Vec<Neighbour>) {
        match self.nodes[node] {
            Node::Leaf { begin, end } => {
                for &index in &self.order[begin..end] {
                    let squared = squared_distance(self.point(index), query);
                    insert(found, Neighbour { squared, index }, k);
                }
            }
            Node::Split { axis, at, left, right } => {
                let away = query[axis] - at;
                let (near, far) = if away < 0.0 { (left, right) } else { (right, left) };
                self.visit(near, query, k, found);
                // On the plane itself there may be points at an equal distance with a lower number.
                if found.len() < k || away * away <= found[found.len() - 1].squared {
                    self.visit(far, query, k, found);
                }
            }
        }
    }
}

/// Keeps `found` the sorted list of the `k` nearest.
fn insert(found: &mut Vec<Neighbour>, new: Neighbour, k: usize) {
    let is_before = |a: &Neighbour, b: &Neighbour| (a.squared, a.index) < (b.squared, b.index);
    if found.len() == k {
        if !is_before(&new, &found[k - 1]) {
            return;
        }
        found.pop();
    }
    let mut place = found.len();
    while place > 0 && is_before(&new, &found[place - 1]) {
        place -= 1;
    }
    found.insert(place, new);
}
