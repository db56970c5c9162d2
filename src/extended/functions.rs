//! Elementary functions of extended numbers, for the smooth rows of the table of functions.
//!
//! Exponential, sine and cosine by reduction of the argument and power series; the others from these, by one step of
//! Newton's method from the double where they are inverse functions, which doubles its digits.

use super::number::Extended;
use crate::expr::functions::TABLE;

/// Value of the function in `row` of the table; `order` as in families. `None` for rows that are not smooth.
pub fn one(row: u8, order: u8, x: Extended) -> Option<Extended> {
    Some(match TABLE[row as usize].name {
        "exp" => exp(x),
        "log" => log(x),
        "sqrt" => x.sqrt(),
        "cbrt" => cbrt(x),
        "sin" => sine_cosine(x).0,
        "cos" => sine_cosine(x).1,
        "tan" => {
            let (sine, cosine) = sine_cosine(x);
            sine / cosine
        }
        "asin" => atan2(x, complement(x)),
        "acos" => atan2(complement(x), x),
        "atan" => atan2(x, Extended::ONE),
        "sinh" => sinh(x),
        "cosh" => {
            let e = exp(x.abs());
            (e + Extended::ONE / e).scaled(0.5)
        }
        "tanh" => {
            let e = exp(x.abs().scaled(-2.0));
            let size = if x.high.abs() < 0.3 { sinh(x.abs()) * exp(-x.abs()).scaled(2.0) } else { Extended::ONE - e };
            let tangent = size / (Extended::ONE + e);
            if x.high < 0.0 { -tangent } else { tangent }
        }
        "exprel" => exprel(order, x),
        _ => return None,
    })
}

/// Value of the function of two arguments in `row`.
pub fn two(row: u8, x: Extended, y: Extended) -> Option<Extended> {
    Some(match TABLE[row as usize].name {
        "atan2" => atan2(x, y),
        "pow" if x.high > 0.0 => exp(y * log(x)),
        "pow" => Extended::from(libm::pow(x.high, y.high)),
        _ => return None,
    })
}

/// sqrt(1 - x^2).
fn complement(x: Extended) -> Extended {
    ((Extended::ONE - x) * (Extended::ONE + x)).sqrt()
}

/// sum of x^k / (k + shift)! over k >= 0, for small x.
fn exponential_series(x: Extended, shift: u32) -> Extended {
    let first = (1..=shift).fold(Extended::ONE, |value, k| value / Extended::from(f64::from(k)));
    let (mut sum, mut term) = (first, first);
    for k in 1..40 {
        term = term * x / Extended::from(f64::from(k + shift));
        sum += term;
        if term.high.abs() < 1e-34 * sum.high.abs() {
            break;
        }
    }
    sum
}

fn exp(x: Extended) -> Extended {
    /// The reduced argument is halved this often.
    const HALVINGS: i32 = 9;
    if !(x.high.abs() < 745.0) {
        return Extended::from(libm::exp(x.high));
    }
    let k = (x.high / std::f64::consts::LN_2).round();
    let reduced = (x - Extended::LN_2 * Extended::from(k)).scaled(0.5f64.powi(HALVINGS));
    // e^r - 1, and (e^r)^2 - 1 = 2 s + s^2.
    let rest = (0..HALVINGS).fold(reduced * exponential_series(reduced, 1), |s, _| s.scaled(2.0) + s * s);
    // In two factors, for the least and the greatest powers of two are out of range.
    let half = (0.5 * k).floor();
    (rest + Extended::ONE).scaled(2f64.powi(half as i32)).scaled(2f64.powi((k - half) as i32))
}

fn log(x: Extended) -> Extended {
    let near = libm::log(x.high);
    if !near.is_finite() {
        return Extended::from(near);
    }
    let near = Extended::from(near);
    near + (x * exp(-near) - Extended::ONE)
}

fn cbrt(x: Extended) -> Extended {
    let near = Extended::from(libm::cbrt(x.high));
    if near.high == 0.0 || !near.is_finite() {
        return near;
    }
    let square = near * near;
    near - (square * near - x) / (square * Extended::from(3.0))
}

fn sinh(x: Extended) -> Extended {
    if x.high.abs() < 0.3 {
        return odd_series(x, 1.0);
    }
    let e = exp(x);
    (e - Extended::ONE / e).scaled(0.5)
}

/// x + s x^3 / 3! + s^2 x^5 / 5! + …: the sine for s = -1, the hyperbolic sine for s = 1.
fn odd_series(x: Extended, sign: f64) -> Extended {
    series(x, 1, x * x * Extended::from(sign))
}

/// first + first s / ((n + 1)(n + 2)) + …
fn series(first: Extended, n: u32, ratio: Extended) -> Extended {
    let (mut sum, mut term) = (first, first);
    for k in 0..24 {
        let n = f64::from(n + 2 * k);
        term = term * ratio / Extended::from((n + 1.0) * (n + 2.0));
        sum += term;
        if term.high.abs() < 1e-34 * sum.high.abs() {
            break;
        }
    }
    sum
}

/// Sine and cosine, by reduction to |x| <= pi/4. Good to 1e-31 absolute for |x| up to about 1e9.
fn sine_cosine(x: Extended) -> (Extended, Extended) {
    /// pi/2 in three doubles.
    const HALF_PI: [f64; 3] = [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591833e-33];
    if !x.is_finite() {
        return (Extended::from(f64::NAN), Extended::from(f64::NAN));
    }
    let k = (x.high / std::f64::consts::FRAC_PI_2).round();
    let reduced = HALF_PI.iter().fold(x, |rest, &part| rest - Extended::from(part) * Extended::from(k));
    let sine = odd_series(reduced, -1.0);
    let cosine = series(Extended::ONE, 0, -(reduced * reduced));
    match k.rem_euclid(4.0) as u8 {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

/// The angle of (x, y), arguments as in `atan2(y, x)`.
fn atan2(y: Extended, x: Extended) -> Extended {
    let near = libm::atan2(y.high, x.high);
    let (sine, cosine) = sine_cosine(Extended::from(near));
    let along = x * cosine + y * sine;
    if !(along.high > 0.0) || !along.is_finite() {
        return Extended::from(near);
    }
    Extended::from(near) + (y * cosine - x * sine) / along
}

/// The `order`-th derivative of (e^x - 1)/x; see `exprel` in the table of functions.
fn exprel(order: u8, x: Extended) -> Extended {
    let n = u32::from(order);
    let number = |k: u32| Extended::from(f64::from(k));
    if n == 0 {
        let small = x.high.abs() < 1.0;
        return if small { exponential_series(x, 1) } else { (exp(x) - Extended::ONE) / x };
    }
    let e = exp(x);
    if f64::from(n) <= x.high.abs() {
        return (1..=n).fold((e - Extended::ONE) / x, |value, k| (e - number(k) * value) / x);
    }
    let top = n + 80 + 3 * (x.high.abs() as u32);
    (n + 1..=top).rev().fold(e / number(top + 1), |value, k| (e - x * value) / number(k))
}
