//! Orthonormalisation of tangent vectors, and what their growth adds up to.

use crate::parallel::simd::kernel;
use crate::solve::stepper::Row;

/// Products of growth factors are turned into logarithms when they leave these bounds.
const LARGE: f64 = 1e100;

/// Growth of `k` vectors on each lane since its segment began.
#[derive(Clone, Debug)]
pub struct Growth<const L: usize> {
    products: Vec<Row<L>>,
    logs: Vec<Row<L>>,
    /// Products of the triangular factors, k x k rows, if they are kept; then nothing may grow beyond all bounds in a segment.
    triangle: Option<Vec<Row<L>>>,
}

impl<const L: usize> Growth<L> {
    /// No growth of `k` vectors yet.
    pub fn new(k: usize, keep: bool) -> Self {
        let triangle = keep.then(|| vec![[0.0; L]; k * k]);
        let mut growth = Self { products: vec![[1.0; L]; k], logs: vec![[0.0; L]; k], triangle };
        (0..L).for_each(|lane| growth.forget(lane));
        growth
    }

    /// Adds the factors of one orthonormalisation of the `turned` lanes (k x k rows, row-major and upper triangular); gives
    /// the shortest of the vectors relative to the longest.
    pub fn add(&mut self, factors: &[Row<L>], turned: &[bool; L]) -> Row<L> {
        let k = self.logs.len();
        let (mut shortest, mut longest) = ([f64::INFINITY; L], [0.0; L]);
        for c in 0..k {
            let (product, factor) = (&mut self.products[c], &factors[c * k + c]);
            let mut kept = true;
            for l in 0..L {
                let factor = if turned[l] { factor[l] } else { 1.0 };
                product[l] *= factor;
                kept &= product[l] > 1.0 / LARGE && product[l] < LARGE;
                shortest[l] = if factor < shortest[l] { factor } else { shortest[l] };
                longest[l] = if factor > longest[l] { factor } else { longest[l] };
            }
            if !kept {
                for (product, log) in product.iter_mut().zip(&mut self.logs[c]) {
                    if !(*product > 1.0 / LARGE && *product < LARGE) {
                        *log += libm::log(*product);
                        *product = 1.0;
                    }
                }
            }
        }
        if let Some(triangle) = &mut self.triangle {
            let before = triangle.clone();
            for (i, j) in (0..k).flat_map(|i| (i..k).map(move |j| (i, j))) {
                for lane in (0..L).filter(|&lane| turned[lane]) {
                    triangle[i * k + j][lane] =
                        (i..=j).map(|l| factors[i * k + l][lane] * before[l * k + j][lane]).sum();
                }
            }
        }
        std::array::from_fn(|l| shortest[l] / longest[l])
    }

    /// Logarithms of the growth of each vector of a lane, and its triangular factor if it is kept; its segment begins anew.
    pub fn close(&mut self, lane: usize) -> (Vec<f64>, Option<Vec<f64>>) {
        let logs = self.logs.iter().zip(&self.products).map(|(log, product)| log[lane] + libm::log(product[lane]));
        let triangle = self.triangle.as_ref().map(|triangle| triangle.iter().map(|row| row[lane]).collect());
        let closed = (logs.collect(), triangle);
        self.forget(lane);
        closed
    }

    fn forget(&mut self, lane: usize) {
        let k = self.logs.len();
        self.products.iter_mut().for_each(|row| row[lane] = 1.0);
        self.logs.iter_mut().for_each(|row| row[lane] = 0.0);
        for (e, row) in self.triangle.iter_mut().flatten().enumerate() {
            row[lane] = f64::from(u8::from(e % (k + 1) == 0));
        }
    }
}

/// What orthonormalising the vectors of all lanes works on.
pub(super) struct Vectors<const L: usize> {
    pub(super) factors: Vec<Row<L>>,
    pub(super) growth: Growth<L>,
}

impl<const L: usize> Vectors<L> {
    pub(super) fn new(k: usize, keep: bool) -> Self {
        Self { factors: vec![[0.0; L]; k * k], growth: Growth::new(k, keep) }
    }
}

kernel! {
    /// Orthonormalises the vectors in `rows` (vector after vector, `r` rows each) on the `wanted` lanes by the modified
    /// Gram-Schmidt process; the triangular factors into `factors` (k x k rows, row-major). False on lanes where a vector vanished
    /// or overflowed.
    ///
    /// Between two calls a vector turns little, so one pass keeps the vectors orthogonal to rounding times their skewness.
    pub fn orthonormalise<const L: usize>(
        rows: &mut [Row<L>], r: usize, wanted: &[bool; L], factors: &mut [Row<L>]
    ) -> [bool; L] {
        let k = rows.len() / r;
        let mut good = [true; L];
        for c in 0..k {
            let (head, later) = rows.split_at_mut((c + 1) * r);
            let own = &mut head[c * r..];
            let mut square = [0.0; L];
            for row in own.iter() {
                for l in 0..L {
                    square[l] += row[l] * row[l];
                }
            }
            let mut inverse = [1.0; L];
            for l in 0..L {
                let mut length = square[l].sqrt();
                if wanted[l] && !(length > 1e-150 && length < 1e150) {
                    good[l] = false;
                    length = 1.0;
                }
                let length = if wanted[l] { length } else { 1.0 };
                factors[c * k + c][l] = length;
                inverse[l] = 1.0 / length;
            }
            for row in own.iter_mut() {
                for l in 0..L {
                    row[l] *= inverse[l];
                }
            }
            for (other, vector) in later.chunks_exact_mut(r).enumerate() {
                let mut product = [0.0; L];
                for (a, b) in own.iter().zip(vector.iter()) {
                    for l in 0..L {
                        product[l] += a[l] * b[l];
                    }
                }
                for l in 0..L {
                    product[l] = if wanted[l] { product[l] } else { 0.0 };
                }
                factors[c * k + c + 1 + other] = product;
                for (a, b) in own.iter().zip(vector.iter_mut()) {
                    for l in 0..L {
                        b[l] -= product[l] * a[l];
                    }
                }
            }
        }
        good
    }
}
