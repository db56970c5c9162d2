//! Delay equations against closed forms.

use bestiary::error::Error;
use bestiary::solve::Outcome;
use bestiary::solve::delay::{DelayEnd, DelayProblem, DelayRhs, Past, breakpoints, solve_delay};
use bestiary::solve::stepper::Tolerance;
use std::f64::consts::FRAC_PI_2;

/// `x' = sum_j a_j x(t - tau_j)`.
struct Linear {
    weights: Vec<f64>,
    delays: Vec<f64>,
    terms: Vec<(usize, usize)>,
}

impl Linear {
    fn new(pairs: &[(f64, f64)]) -> Self {
        let (weights, delays): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        Self { terms: (0..delays.len()).map(|j| (0, j)).collect(), weights, delays }
    }
}

impl DelayRhs for Linear {
    fn delayed(&self) -> &[(usize, usize)] {
        &self.terms
    }
    fn delays(&self) -> &[f64] {
        &self.delays
    }
    fn eval(&mut self, _t: f64, _y: &[f64], z: &[f64], out: &mut [f64]) {
        out[0] = self.weights.iter().zip(z).map(|(a, z)| a * z).sum();
    }
}

fn run(pairs: &[(f64, f64)], start: f64, history: Option<Past>, times: &[f64], tolerance: f64) -> (Vec<f64>, DelayEnd) {
    let problem = DelayProblem {
        initial: &[1.0],
        history,
        start,
        times,
        tolerance: Tolerance { relative: tolerance, absolute: vec![tolerance] },
        max_steps: 1_000_000,
        bound: 1e100,
    };
    let mut samples = vec![0.0; times.len()];
    let end = solve_delay(&mut Linear::new(pairs), &problem, &|| false, &mut samples).unwrap();
    (samples, end)
}

fn grid(start: f64, end: f64, n: usize) -> Vec<f64> {
    (0..=n).map(|k| start + (end - start) * k as f64 / n as f64).collect()
}

/// The solution of `x' = a x(t - tau)`, x = 1 for t <= 0: `sum_k a^k (t - (k - 1) tau)^k / k!` while the base is positive.
fn steps(a: f64, tau: f64, t: f64) -> f64 {
    let (mut sum, mut k, mut scale) = (1.0, 1, a);
    while t - f64::from(k - 1) * tau > 0.0 {
        sum += scale * (t - f64::from(k - 1) * tau).powi(k);
        k += 1;
        scale *= a / f64::from(k);
    }
    sum
}

fn largest_error(times: &[f64], values: &[f64], exact: impl Fn(f64) -> f64) -> f64 {
    times.iter().zip(values).map(|(&t, x)| (x - exact(t)).abs()).fold(0.0, |m, e| if e <= m { m } else { e })
}

#[test]
fn first_intervals_are_exact() {
    // Polynomials of degree at most 7 on the first seven intervals, which method and interpolant reproduce.
    let times = grid(0.0, 7.0, 700);
    let (x, end) = run(&[(-1.0, 1.0)], 0.0, None, &times, 1e-12);
    assert_eq!(end.outcome, Outcome::Ok);
    assert!(end.stop_time.is_nan());
    let error = largest_error(&times, &x, |t| steps(-1.0, 1.0, t));
    assert!(error < 1e-14, "{error:e}");
}

#[test]
fn a_function_before_the_start_is_continued() {
    // x' = -pi/2 x(t - 1) keeps cos(pi t / 2), whatever the start.
    let before = |t: f64, x: &mut [f64]| x[0] = (FRAC_PI_2 * t).cos();
    for start in [0.0, 1000.0] {
        let times = grid(start, start + 20.0, 999);
        for tolerance in [1e-6, 1e-9, 1e-12] {
            let (x, _) = run(&[(-FRAC_PI_2, 1.0)], start, Some(&before), &times, tolerance);
            let error = largest_error(&times, &x, |t| (FRAC_PI_2 * t).cos());
            assert!(error < 10.0 * tolerance, "start {start}, tolerance {tolerance:e}: {error:e}");
        }
    }
}

#[test]
fn a_jump_between_history_and_start_is_kept_apart() {
    // x = 3 before 0 and x(0) = 1: x' = -3 up to t = 1, then x' = -(1 - 3 (t - 1)).
    let before = |_t: f64, x: &mut [f64]| x[0] = 3.0;
    let times = grid(0.0, 2.0, 200);
    let (x, _) = run(&[(-1.0, 1.0)], 0.0, Some(&before), &times, 1e-12);
    let exact = |t: f64| if t <= 1.0 { 1.0 - 3.0 * t } else { -2.0 - (t - 1.0) + 1.5 * (t - 1.0).powi(2) };
    let error = largest_error(&times, &x, exact);
    assert!(error < 1e-14, "{error:e}");
}

#[test]
fn two_delays() {
    // e^(-t) solves x' = a x(t - 0.3) + b x(t - 1) where a e^0.3 + b e = -1.
    let a = -0.5;
    let b = (-1.0 - a * 0.3_f64.exp()) / 1.0_f64.exp();
    let before = |t: f64, x: &mut [f64]| x[0] = (-t).exp();
    let times = grid(0.0, 5.0, 333);
    for tolerance in [1e-6, 1e-9, 1e-12] {
        let (x, _) = run(&[(a, 0.3), (b, 1.0)], 0.0, Some(&before), &times, tolerance);
        let error = largest_error(&times, &x, |t| (-t).exp());
        assert!(error < 10.0 * tolerance, "{tolerance:e}: {error:e}");
    }
    assert_eq!(breakpoints(&[1.0, 2.0], 4.0), [1.0, 2.0, 3.0, 4.0]);
    assert!(breakpoints(&[0.1, 0.2, 0.3], 1e9).windows(2).all(|pair| pair[1] - pair[0] > 0.05));
}

#[test]
fn error_follows_the_tolerance_across_kinks() {
    // Constant history: kinks at 0.7, 1.4, ..., here beyond those that stay polynomials of low degree.
    let times = grid(0.0, 14.0, 1400);
    for tolerance in [1e-5, 1e-7, 1e-9, 1e-11] {
        let (x, _) = run(&[(-1.3, 0.7)], 0.0, None, &times, tolerance);
        let error = largest_error(&times, &x, |t| steps(-1.3, 0.7, t));
        assert!(error < 10.0 * tolerance, "{tolerance:e}: {error:e}");
    }
}

#[test]
fn ends_and_refusals() {
    let times = grid(0.0, 1000.0, 100);
    let (x, end) = run(&[(3.0, 1.0)], 0.0, None, &times, 1e-6);
    assert_eq!(end.outcome, Outcome::Diverged);
    assert!(end.stop_time > 100.0 && end.stop_time < 1000.0 && x[0] == 1.0);
    assert!(times.iter().zip(&x).all(|(&t, x)| x.is_nan() == (t > end.stop_time)));
    let tolerance = Tolerance { relative: 1e-6, absolute: vec![1e-6] };
    let solve = |pairs: &[(f64, f64)], times: &[f64], stop: bool, room: &mut [f64]| {
        let tolerance = tolerance.clone();
        let (initial, history, start, max_steps, bound) = (&[1.0][..], None, 0.0, 3, 1e100);
        let problem = DelayProblem { initial, history, start, times, tolerance, max_steps, bound };
        solve_delay(&mut Linear::new(pairs), &problem, &|| stop, room)
    };
    let mut room = [0.0; 2];
    let end = solve(&[(-1.0, 1.0)], &[0.0, 50.0], false, &mut room).unwrap();
    assert_eq!(end.outcome, Outcome::OutOfSteps);
    assert!(room[0] == 1.0 && room[1].is_nan());
    assert_eq!(solve(&[(-1.0, 1.0)], &[0.0, 50.0], true, &mut room), Err(Error::Interrupted));
    for (delay, times) in [(0.0, [0.0, 1.0]), (f64::NAN, [0.0, 1.0]), (1.0, [1.0, 0.5]), (1.0, [-1.0, 0.5])] {
        assert!(matches!(solve(&[(-1.0, delay)], &times, false, &mut room), Err(Error::Value(_))));
    }
}
