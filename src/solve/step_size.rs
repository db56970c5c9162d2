//! Choice of step sizes: the controller after a step, the first step, the smallest step. Not the error estimates.
//!
//! Only sums, products, quotients and bit operations are used, so that steps have the same bits on every machine; no
//! fused products, which outside the kernels would be calls of a library.

/// A step is multiplied by this in addition to what the error asks for (Hairer, Norsett & Wanner 1993, II.4).
const SAFETY: f64 = 0.9;

/// The largest step; far beyond any span of time, and finite so that a solution at rest cannot overflow the clock.
pub const LARGEST_STEP: f64 = 1e100;

/// The n-th root of `x` to about 1e-8 relative, from bit operations and polynomials; exact for 1.
///
/// Zero for zero, infinity for infinity, NaN for NaN and for negative numbers.
pub fn root(x: f64, n: u32) -> f64 {
    if x == 0.0 || x == f64::INFINITY || n == 1 {
        return x;
    }
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    const TWO_TO_54: f64 = 18014398509481984.0;
    let (x, shift) = if x < f64::MIN_POSITIVE { (x * TWO_TO_54, 54.0) } else { (x, 0.0) };
    exp2((log2(x) - shift) / f64::from(n))
}

/// Logarithm to base 2 of a positive normal number, to about 1e-9 absolute.
fn log2(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut m = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh s, |s| < 0.172; the first term left out is 2 s^11 / 11 < 1e-9.
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let series = [1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];
    let sum = series.iter().fold(0.0, |sum, &c| sum * s2 + c);
    2.0 * std::f64::consts::LOG2_E * s * sum + f64::from(exponent)
}

/// 2^x for |x| < 1000, to about 1e-8 relative.
fn exp2(x: f64) -> f64 {
    let whole = (x + 0.5).floor();
    let u = (x - whole) * std::f64::consts::LN_2;
    // |u| < 0.347; the first term left out is u^8 / 8! < 6e-9.
    let series = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let sum = series.iter().fold(0.0, |sum, &c| sum * u + c);
    sum * f64::from_bits(((whole as i64 + 1023) as u64) << 52)
}

/// The standard controller: the factor by which to multiply a step whose error was `error` times the tolerance
/// and vanishes with the power `order` of the step. Zero error gives the largest factor, NaN the smallest.
pub fn factor(error: f64, order: u32, smallest: f64, largest: f64) -> f64 {
    let wanted = SAFETY / root(error, order);
    if wanted >= smallest { wanted.min(largest) } else { smallest }
}

/// The smallest step that still moves a clock at `t` reliably: 16 units in the last place of `t`.
pub fn smallest_step(t: f64) -> f64 {
    (16.0 * f64::EPSILON * t.abs()).max(f64::MIN_POSITIVE)
}

/// The smallest step of a method that looks for jumps with it: 2^-20 of [`smallest_step`].
///
/// A jump of slope 1 at t = 1000 must be closed in to a tenth of a tolerance of 1e-12, which is below the last place of
/// `t`. Drivers keep time in two numbers, so such a step is not lost.
pub fn finest_step(t: f64) -> f64 {
    (smallest_step(t) / 1_048_576.0).max(f64::MIN_POSITIVE)
}

/// Size of the state, its derivative and its second derivative, each in units of the tolerance, and the step with
/// which the last was measured: the first step by the algorithm of Hairer, Norsett & Wanner (1993), II.4.
pub fn first_step(trial: f64, derivative: f64, second_derivative: f64, order: u32) -> f64 {
    let steepest = derivative.max(second_derivative);
    let step = if steepest <= 1e-15 { (1e-3 * trial).max(1e-6) } else { root(0.01 / steepest, order) };
    if step > 0.0 { step.min(100.0 * trial) } else { trial }
}

/// The step of the explicit Euler method with which the second derivative is measured for [`first_step`].
pub fn trial_step(state: f64, derivative: f64) -> f64 {
    let step = 0.01 * (state / derivative);
    if state >= 1e-5 && derivative >= 1e-5 && (1e-100..LARGEST_STEP).contains(&step) { step } else { 1e-6 }
}
