//! Orthonormalisation of tangent vectors, and what their growth adds up to.

use crate::solve::stepper::Row;

/// Products of growth factors are turned into logarithms when they leave these bounds.
const LARGE: f64 = 1e100;

/// Growth of `k` vectors on one lane since the segment began.
#[derive(Clone, Debug)]
pub struct Growth {
    products: Vec<f64>,
    logs: Vec<f64>,
    /// Product of the triangular factors, k x k, if it is kept; then nothing may grow beyond all bounds in a segment.
    triangle: Option<Vec<f64>>,
}

impl Growth {
    /// No growth of `k` vectors yet.
    pub fn new(k: usize, keep: bool) -> Self {
        let triangle = keep.then(|| (0..k * k).map(|e| f64::from(u8::from(e % (k + 1) == 0))).collect());
        Self { products: vec![1.0; k], logs: vec![0.0; k], triangle }
    }

    /// Adds the factors of one orthonormalisation, row-major and upper triangular.
    pub fn add(&mut self, factors: &[f64]) {
        let k = self.logs.len();
        for c in 0..k {
            let product = self.products[c] * factors[c * k + c];
            let kept = product > 1.0 / LARGE && product < LARGE;
            self.logs[c] += if kept { 0.0 } else { libm::log(product) };
            self.products[c] = if kept { product } else { 1.0 };
        }
        if let Some(triangle) = &mut self.triangle {
            let before = triangle.clone();
            for i in 0..k {
                for j in i..k {
                    triangle[i * k + j] = (i..=j).map(|l| factors[i * k + l] * before[l * k + j]).sum();
                }
            }
        }
    }

    /// Logarithms of the growth of each vector into `logs`, and the triangular factor; begins anew.
    pub fn close(&mut self, logs: &mut [f64]) -> Option<Vec<f64>> {
        for (c, log) in logs.iter_mut().enumerate() {
            *log = self.logs[c] + libm::log(self.products[c]);
        }
        let triangle = self.triangle.take();
        *self = Growth::new(self.logs.len(), triangle.is_some());
        triangle
    }
}

/// Orthonormalises the vectors in `rows` (vector after vector, `r` rows each) on the `wanted` lanes by the modified
/// Gram-Schmidt process; the triangular factors into `factors` (k x k rows, row-major). False on lanes where a vector vanished
/// or overflowed.
///
/// Between two calls a vector turns little, so one pass keeps the vectors orthogonal to rounding times their skewness.
pub fn orthonormalise<const L: usize>(
    rows: &mut [Row<L>],
    r: usize,
    wanted: &[bool; L],
    factors: &mut [Row<L>],
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
