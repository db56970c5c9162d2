//! The discrete Fourier transform for any length: powers of two by Cooley & Tukey (1965, Math. Comput. 19, 297-301), the
//! rest through them by Bluestein (1970, IEEE Trans. Audio Electroacoust. 18, 451-455). With sines of `libm`, so that every
//! machine gives the same bits.

use std::f64::consts::PI;

/// A complex number: real part, imaginary part.
pub type Complex = [f64; 2];

#[inline]
fn times(a: Complex, b: Complex) -> Complex {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

/// A transform of a fixed length.
pub struct Fourier {
    n: usize,
    /// exp(-2 pi i k / m) of the power of two m in use.
    turns: Vec<Complex>,
    /// exp(-pi i k^2 / n) and the transform of its conjugate, where n is no power of two.
    chirp: Option<(Vec<Complex>, Vec<Complex>)>,
}

impl Fourier {
    /// For `n` numbers.
    pub fn new(n: usize) -> Fourier {
        let turn = |k: usize, of: usize| {
            let (sin, cos) = libm::sincos(-2.0 * PI * k as f64 / of as f64);
            [cos, sin]
        };
        if n.is_power_of_two() {
            return Fourier { n, turns: (0..n / 2).map(|k| turn(k, n)).collect(), chirp: None };
        }
        let m = (2 * n - 1).next_power_of_two();
        let turns: Vec<Complex> = (0..m / 2).map(|k| turn(k, m)).collect();
        // k^2 modulo 2 n, so that the angle keeps its digits
        let chirp: Vec<Complex> =
            (0..n).map(|k| turn((k as u128 * k as u128 % (2 * n as u128)) as usize, 2 * n)).collect();
        let mut filter = vec![[0.0; 2]; m];
        for k in 0..n {
            let conjugate = [chirp[k][0], -chirp[k][1]];
            filter[k] = conjugate;
            filter[(m - k) % m] = conjugate;
        }
        power_of_two(&mut filter, &turns);
        Fourier { n, turns, chirp: Some((chirp, filter)) }
    }

    /// The transform of real numbers: the first n/2 + 1 terms, the others being their conjugates.
    pub fn real(&self, values: &[f64]) -> Vec<Complex> {
        let half = self.n / 2 + 1;
        let mut work: Vec<Complex> = values.iter().map(|&x| [x, 0.0]).collect();
        let Some((chirp, filter)) = &self.chirp else {
            power_of_two(&mut work, &self.turns);
            work.truncate(half);
            return work;
        };
        let m = filter.len();
        for (x, c) in work.iter_mut().zip(chirp) {
            *x = times(*x, *c);
        }
        work.resize(m, [0.0; 2]);
        power_of_two(&mut work, &self.turns);
        for (x, f) in work.iter_mut().zip(filter) {
            // conjugated, so that the next transform is the inverse one
            let product = times(*x, *f);
            *x = [product[0], -product[1]];
        }
        power_of_two(&mut work, &self.turns);
        (0..half).map(|k| times([work[k][0] / m as f64, -work[k][1] / m as f64], chirp[k])).collect()
    }
}

fn power_of_two(values: &mut [Complex], turns: &[Complex]) {
    let n = values.len();
    if n < 2 {
        return;
    }
    let shift = usize::BITS - n.trailing_zeros();
    for i in 0..n {
        let j = i.reverse_bits() >> shift;
        if i < j {
            values.swap(i, j);
        }
    }
    let mut half = 1;
    while half < n {
        let stride = n / 2 / half;
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for k in 0..half {
                let turned = times(high[k], turns[k * stride]);
                high[k] = [low[k][0] - turned[0], low[k][1] - turned[1]];
                low[k] = [low[k][0] + turned[0], low[k][1] + turned[1]];
            }
        }
        half *= 2;
    }
}
