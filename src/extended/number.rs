//! A number as the unevaluated sum of two doubles, the second below half a unit in the last place of the first.
//!
//! Dekker, T. J. (1971), A floating-point technique for extending the available precision, Numer. Math. 18, 224-242;
//! Hida, Y., Li, X. S. & Bailey, D. H. (2001), Algorithms for quad-double precision floating point arithmetic, ARITH-15.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// `high + low`, with a relative rounding error of about 2^-104 = 5e-32 in each operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extended {
    /// The nearest double.
    pub high: f64,
    /// The rest.
    pub low: f64,
}

/// `a + b` and its rounding error (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let kept = sum - a;
    (sum, (a - (sum - kept)) + (b - kept))
}

/// The same for `|a| >= |b|`.
fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// `a * b` and its rounding error.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, libm::fma(a, b, -product))
}

impl Extended {
    /// Zero.
    pub const ZERO: Self = Self::new(0.0, 0.0);
    /// One.
    pub const ONE: Self = Self::new(1.0, 0.0);
    /// pi.
    pub const PI: Self = Self::new(std::f64::consts::PI, 1.2246467991473532e-16);
    /// ln 2.
    pub const LN_2: Self = Self::new(std::f64::consts::LN_2, 2.3190468138462996e-17);

    /// From its parts, `high` being the nearest double to the sum.
    pub const fn new(high: f64, low: f64) -> Self {
        Self { high, low }
    }

    fn from_parts((high, low): (f64, f64)) -> Self {
        // Where the high part overflows the low one is meaningless.
        if high.is_finite() { Self { high, low } } else { Self { high, low: 0.0 } }
    }

    /// Absolute value.
    pub fn abs(self) -> Self {
        if self.high < 0.0 { -self } else { self }
    }

    /// Times a power of two.
    pub fn scaled(self, factor: f64) -> Self {
        Self { high: self.high * factor, low: self.low * factor }
    }

    /// Square root, by one step of Newton's method from that of the high part.
    pub fn sqrt(self) -> Self {
        if !(self.high > 0.0) || self.high == f64::INFINITY {
            return Self::from(self.high.sqrt());
        }
        let root = self.high.sqrt();
        let (square, rest) = two_product(root, root);
        let difference = self - Self::new(square, rest);
        Self::from_parts(quick_two_sum(root, difference.high / (2.0 * root)))
    }

    /// Whole power, by squaring.
    pub fn power(self, n: u32) -> Self {
        (0..n).fold(Self::ONE, |power, _| power * self)
    }

    /// Whether it is finite.
    pub fn is_finite(self) -> bool {
        self.high.is_finite()
    }
}

impl From<f64> for Extended {
    fn from(value: f64) -> Self {
        Self::new(value, 0.0)
    }
}

impl Neg for Extended {
    type Output = Self;
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Add for Extended {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        let (low, rest) = two_sum(self.low, other.low);
        let (high, error) = quick_two_sum(high, error + low);
        Self::from_parts(quick_two_sum(high, error + rest))
    }
}

impl AddAssign for Extended {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Extended {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Extended {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let (high, error) = two_product(self.high, other.high);
        let cross = libm::fma(self.high, other.low, self.low * other.high);
        Self::from_parts(quick_two_sum(high, error + cross))
    }
}

impl Div for Extended {
    type Output = Self;
    /// Long division: three quotients of doubles.
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        if !first.is_finite() || !other.high.is_finite() {
            return Self::from(first);
        }
        let rest = self - other * Self::from(first);
        let second = rest.high / other.high;
        let rest = rest - other * Self::from(second);
        let third = rest.high / other.high;
        Self::from_parts(quick_two_sum(first, second)) + Self::from(third)
    }
}
