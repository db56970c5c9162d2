//! The k nearest of a cloud of points: a k-d tree (Bentley 1975, Commun. ACM 18, 509-517).

/// How far apart two points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// Root of the sum of squares; searched for as the sum.
    Euclidean,
    /// Largest difference of a coordinate.
    Maximum,
}

/// Points sorted so that every half is split by its widest coordinate at the middle.
pub struct Tree {
    points: Vec<f64>,
    names: Vec<u32>,
    splits: Vec<u32>,
    d: usize,
    norm: Norm,
}

const LEAF: usize = 12;

impl Tree {
    /// Of points in rows of `d` numbers.
    pub fn new(rows: &[f64], d: usize, norm: Norm) -> Tree {
        let n = rows.len() / d;
        let mut names: Vec<u32> = (0..n as u32).collect();
        let mut splits = vec![0; n];
        split(rows, d, &mut names, &mut splits);
        let points = names.iter().flat_map(|&i| &rows[i as usize * d..(i as usize + 1) * d]).copied().collect();
        Tree { points, names, splits, d, norm }
    }

    /// Distance to the `k`-th nearest point, `but` excluded; infinite if there are not so many.
    pub fn distance(&self, point: &[f64], k: usize, but: Option<usize>) -> f64 {
        let but = but.map_or(u32::MAX, |i| i as u32);
        let mut nearest = vec![f64::INFINITY; k];
        self.search(point, but, 0, self.names.len(), &mut nearest);
        match self.norm {
            Norm::Euclidean => nearest[k - 1].sqrt(),
            Norm::Maximum => nearest[k - 1],
        }
    }

    fn search(&self, point: &[f64], but: u32, start: usize, end: usize, nearest: &mut [f64]) {
        if end - start <= LEAF {
            for i in start..end {
                self.offer(point, but, i, nearest);
            }
            return;
        }
        let middle = start + (end - start) / 2;
        let axis = self.splits[middle] as usize;
        let gap = point[axis] - self.points[middle * self.d + axis];
        let (near, far) =
            if gap < 0.0 { ((start, middle), (middle + 1, end)) } else { ((middle + 1, end), (start, middle)) };
        self.search(point, but, near.0, near.1, nearest);
        self.offer(point, but, middle, nearest);
        let bound = if self.norm == Norm::Euclidean { gap * gap } else { gap.abs() };
        if bound < nearest[nearest.len() - 1] {
            self.search(point, but, far.0, far.1, nearest);
        }
    }

    fn offer(&self, point: &[f64], but: u32, i: usize, nearest: &mut [f64]) {
        if self.names[i] == but {
            return;
        }
        let other = &self.points[i * self.d..(i + 1) * self.d];
        let distance = separation(point, other, self.norm);
        let mut at = nearest.len();
        while at > 0 && distance < nearest[at - 1] {
            at -= 1;
        }
        if at < nearest.len() {
            nearest[at..].rotate_right(1);
            nearest[at] = distance;
        }
    }
}

/// Distance (its square for the Euclidean norm).
#[inline]
pub fn separation(a: &[f64], b: &[f64], norm: Norm) -> f64 {
    let differences = a.iter().zip(b).map(|(a, b)| a - b);
    match norm {
        Norm::Euclidean => differences.map(|x| x * x).sum(),
        Norm::Maximum => differences.fold(0.0, |largest: f64, x| largest.max(x.abs())),
    }
}

fn split(rows: &[f64], d: usize, names: &mut [u32], splits: &mut [u32]) {
    if names.len() <= LEAF {
        return;
    }
    let at = |i: u32, axis: usize| rows[i as usize * d + axis];
    let spread = |axis: usize| {
        let (low, high) = names.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high): (f64, f64), &i| {
            (low.min(at(i, axis)), high.max(at(i, axis)))
        });
        high - low
    };
    let axis = (0..d).max_by(|&a, &b| spread(a).total_cmp(&spread(b))).unwrap_or(0);
    let middle = names.len() / 2;
    names.select_nth_unstable_by(middle, |&a, &b| at(a, axis).total_cmp(&at(b, axis)).then(a.cmp(&b)));
    splits[middle] = axis as u32;
    let (left, rest) = names.split_at_mut(middle);
    let (left_splits, rest_splits) = splits.split_at_mut(middle);
    split(rows, d, left, left_splits);
    split(rows, d, &mut rest[1..], &mut rest_splits[1..]);
}
