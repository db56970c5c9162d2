//! Delay equations against closed forms: kinks, polynomials of the past, every method.

use bestiary::parallel::pool::Monitor;
use bestiary::solve::past::{Clock, Kinks, Past, Stretch};
use bestiary::solve::stepper::{Piece, Tolerance};
use bestiary::solve::{History, Method, Outcome, Problem, Solution, Times, solve};
use bestiary::system::{Definition, Kind, System};
use std::sync::Arc;

const METHODS: [Method; 3] = [Method::Taylor, Method::Dop853, Method::Tsit5];

fn system(kind: Kind, text: &str) -> System {
    System::build(&Definition {
        interpretation: Default::default(),
        kind,
        text: text.into(),
        parameters: Vec::new(),
        structure: Vec::new(),
        states: vec![("x".into(), None)],
        observables: Vec::new(),
        periods: Vec::new(),
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

fn run(text: &str, method: Method, history: &[History], start: f64, times: &[f64], tolerance: f64) -> Solution {
    let problem = Problem {
        system: &system(Kind::Delay, text),
        initial: &[1.0],
        parameters: &[],
        start: &[start],
        times: Times::Given(times),
        method,
        tolerance: Tolerance { relative: tolerance, absolute: vec![tolerance] },
        step: None,
        max_steps: 1_000_000,
        seed: 0,
        first_path: 0,
        forcing: None,
        threads: Some(1),
        watch: None,
        histories: history,
    };
    solve(&problem, &Monitor::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn functions(text: &str) -> [History; 1] {
    [History::Functions(Arc::new(system(Kind::Flow, text)))]
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
    // Polynomials of degree at most 7 on the first seven intervals, which dop853 and Taylor series reproduce.
    let times = grid(0.0, 7.0, 700);
    for method in [Method::Taylor, Method::Dop853] {
        let solution = run("x' = -x(t - 1)", method, &[], 0.0, &times, 1e-12);
        assert_eq!(solution.ends[0].outcome, Outcome::Ok);
        let error = largest_error(&times, &solution.x, |t| steps(-1.0, 1.0, t));
        assert!(error < 1e-14, "{}: {error:e}", method.name());
    }
}

#[test]
fn a_function_before_the_start_is_continued() {
    // x' = -pi/2 x(t - 1) keeps cos(pi t / 2), whatever the start; whole starts are multiples of the period, so x = 1.
    for (start, method) in [0.0, 1000.0].into_iter().flat_map(|start| METHODS.map(|method| (start, method))) {
        let times = grid(start, start + 20.0, 999);
        for tolerance in [1e-6, 1e-9, 1e-12] {
            let history = functions("x' = cos(pi/2*t)");
            let x = run("x' = -pi/2*x(t - 1)", method, &history, start, &times, tolerance).x;
            let error = largest_error(&times, &x, |t| (std::f64::consts::FRAC_PI_2 * t).cos());
            assert!(error < 10.0 * 2.0 * tolerance, "{} at {start}, {tolerance:e}: {error:e}", method.name());
        }
    }
}

#[test]
fn a_jump_between_history_and_start_is_kept_apart() {
    // x = 3 before 0 and x(0) = 1: x' = -3 up to t = 1, then x' = -(1 - 3 (t - 1)).
    let times = grid(0.0, 2.0, 200);
    let exact = |t: f64| if t <= 1.0 { 1.0 - 3.0 * t } else { -2.0 - (t - 1.0) + 1.5 * (t - 1.0).powi(2) };
    for method in METHODS {
        let x = run("x' = -x(t - 1)", method, &functions("x' = 3"), 0.0, &times, 1e-12).x;
        let error = largest_error(&times, &x, exact);
        assert!(error < 1e-14, "{}: {error:e}", method.name());
    }
}

#[test]
fn two_delays() {
    // e^(-t) solves x' = a x(t - 0.3) + b x(t - 1) where a e^0.3 + b e = -1.
    let a = -0.5;
    let b = (-1.0 - a * 0.3_f64.exp()) / 1.0_f64.exp();
    let text = format!("x' = {a:?}*x(t - 0.3) + ({b:?})*x(t - 1)");
    let times = grid(0.0, 5.0, 333);
    for (tolerance, method) in [1e-6, 1e-9, 1e-12].into_iter().flat_map(|e| METHODS.map(|method| (e, method))) {
        let x = run(&text, method, &functions("x' = exp(-t)"), 0.0, &times, tolerance).x;
        let error = largest_error(&times, &x, |t| (-t).exp());
        assert!(error < 10.0 * 2.0 * tolerance, "{}, {tolerance:e}: {error:e}", method.name());
    }
}

fn passed(kinks: &mut Kinks, n: usize) -> Vec<(f64, u32)> {
    (0..n).map(|_| kinks.pass()).collect()
}

#[test]
fn kinks_are_sums_of_delays() {
    // 2 is both a second delay and twice the first; the sharper of the two kinks counts.
    let mut kinks = Kinks::new(&[1.0, 2.0], 8, &[]);
    assert_eq!(passed(&mut kinks, 4), [(1.0, 1), (2.0, 1), (3.0, 2), (4.0, 2)]);
    // Order 1 sees kinks up to two delays from the jump: 0.1, 0.2, ..., 0.6, each once in spite of rounding.
    let mut kinks = Kinks::new(&[0.1, 0.2, 0.3], 1, &[]);
    let all = passed(&mut kinks, 6);
    assert!(all.windows(2).all(|pair| pair[1].0 - pair[0].0 > 0.05) && (all[5].0 - 0.6).abs() < 1e-15, "{all:?}");
    assert_eq!(kinks.ahead(), f64::INFINITY);
    // A kink before the start makes others after it.
    assert_eq!(passed(&mut Kinks::new(&[1.0], 8, &[(-0.25, 3)]), 2), [(0.75, 4), (1.0, 1)]);
}

#[test]
fn a_polynomial_is_trusted_on_both_sides_where_it_agrees() {
    // Two pieces of t^2: about 0, covering [0, 1], and about 1; the second holds back to 0.25.
    let piece = |coefficients: [f64; 3]| Piece { degree: 2, unit: 1.0, coefficients: coefficients.to_vec() };
    let stretch = |centre: f64, holds: [f64; 2], coefficients: [f64; 3]| Stretch {
        centre: Clock::new(centre, 0.0),
        covers: [0.0, 1.0],
        holds,
        piece: piece(coefficients),
    };
    let tolerance = Tolerance { relative: 1e-12, absolute: vec![1e-12] };
    let first = stretch(0.0, [0.0, 1.0], [0.0, 0.0, 1.0]);
    let past = |second: [f64; 3]| Past {
        stretches: [first.clone(), stretch(1.0, [-0.75, 1.5], second)].into(),
        kinks: Vec::new(),
    };
    let now = Clock::new(2.0, 0.0);
    let good = past([1.0, 2.0, 1.0]);
    let choice = good.choose(&[0], now, -1.5, 0.7, &tolerance);
    assert_eq!((choice.stretch, choice.offset, choice.ahead), (1, -0.5, 2.0));
    assert_eq!(good.choose(&[0], now, -1.5, 0.4, &tolerance).stretch, 0); // the first is enough
    assert_eq!(good.choose(&[0], now, -1.9, 2.0, &tolerance).stretch, 0); // the second does not hold there
    assert_eq!(past([1.0, 2.0, 1.1]).choose(&[0], now, -1.5, 0.7, &tolerance).stretch, 0); // nor agrees
    for (offset, value) in [(-1.5, 0.25), (-0.5, 2.25)] {
        assert!((good.value(0, now, offset, 0.0) - value).abs() < 1e-15);
    }
}
