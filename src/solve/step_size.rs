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
/// Zero for zero, infinity for infinity, NaN for NaN and for negative numbers. Written without branches, so that kernels
/// take the roots of all lanes at once.
#[inline(always)]
pub fn root(x: f64, n: u32) -> f64 {
    const TWO_TO_54: f64 = 18014398509481984.0;
    let small = x < f64::MIN_POSITIVE;
    let scaled = if small { x * TWO_TO_54 } else { x };
    let shift = if small { 54.0 } else { 0.0 };
    let root = exp2((log2(scaled) - shift) / f64::from(n));
    let root = if x == 0.0 || x == f64::INFINITY || n == 1 { x } else { root };
    if x >= 0.0 { root } else { f64::NAN }
}

/// Adding this and taking it away again rounds a number of moderate size to a whole one; its lowest bits are that number.
const WHOLE: f64 = 6755399441055744.0; // 1.5 * 2^52

/// Logarithm to base 2 of a positive normal number, to about 1e-9 absolute.
#[inline(always)]
fn log2(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    const TWO_TO_52: f64 = 4503599627370496.0;
    let bits = x.to_bits();
    let m = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    // The biased exponent as the low bits of a number of size 2^52.
    let exponent = f64::from_bits((bits >> 52) | TWO_TO_52.to_bits()) - (TWO_TO_52 + 1023.0);
    let large = m > std::f64::consts::SQRT_2;
    let m = if large { 0.5 * m } else { m };
    let exponent = if large { exponent + 1.0 } else { exponent };
    // ln m = 2 artanh s, |s| < 0.172; the first term left out is 2 s^11 / 11 < 1e-9.
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let sum = (((1.0 / 9.0 * s2 + 1.0 / 7.0) * s2 + 1.0 / 5.0) * s2 + 1.0 / 3.0) * s2 + 1.0;
    2.0 * std::f64::consts::LOG2_E * s * sum + exponent
}

/// 2^x for |x| < 1000, to about 1e-8 relative.
#[inline(always)]
fn exp2(x: f64) -> f64 {
    let shifted = x + WHOLE;
    let u = (x - (shifted - WHOLE)) * std::f64::consts::LN_2;
    // |u| < 0.347; the first term left out is u^8 / 8! < 6e-9.
    let high = (((1.0 / 5040.0 * u + 1.0 / 720.0) * u + 1.0 / 120.0) * u + 1.0 / 24.0) * u;
    let sum = (((high + 1.0 / 6.0) * u + 0.5) * u + 1.0) * u + 1.0;
    let exponent = (shifted.to_bits() << 52).wrapping_add(1023 << 52);
    sum * f64::from_bits(exponent)
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
