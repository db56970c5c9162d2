//! The Taylor method and the driver: exact solutions, lanes against single runs, outcomes.

use bestiary::parallel::pool::Monitor;
use bestiary::parallel::simd::Level;
use bestiary::solve::stepper::Tolerance;
use bestiary::solve::{Method, Outcome, Problem, Solution, Times, solve};
use bestiary::system::{Definition, Kind, System};

fn system(text: &str, states: &[&str], parameters: &[(&str, f64)]) -> System {
    System::build(&Definition {
        interpretation: Default::default(),
        kind: Kind::Flow,
        text: text.to_owned(),
        parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), vec![], vec![*value])).collect(),
        structure: vec![],
        states: states.iter().map(|name| ((*name).to_owned(), None)).collect(),
        observables: vec![],
        periods: vec![],
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

fn run(system: &System, initial: &[f64], times: Times<'_>, method: Method, tolerance: f64, threads: usize) -> Solution {
    let m = initial.len() / system.dimension();
    solve(
        &Problem {
            system,
            initial,
            parameters: system.parameter_values(),
            start: &vec![0.0; m],
            times,
            method,
            tolerance: Tolerance { relative: tolerance, absolute: vec![tolerance; system.dimension()] },
            step: None,
            max_steps: 1_000_000,
            seed: 0,
            first_path: 0,
            forcing: None,
            threads: Some(threads),
            watch: None,
            histories: &[],
        },
        &Monitor::default(),
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn harmonic_oscillator_to_thirteen_digits() {
    let oscillator = system("x' = v\nv' = -x", &["x", "v"], &[]);
    let times = Times::Uniform { dt: std::f64::consts::TAU / 50.0, n: 501 };
    let solution = run(&oscillator, &[1.0, 0.0], times, Method::Taylor, 1e-15, 1);
    for j in 0..501 {
        let t = times.at(j);
        assert!((solution.x[2 * j] - t.cos()).abs() < 1e-13, "x at {t}");
        assert!((solution.x[2 * j + 1] + t.sin()).abs() < 1e-13, "v at {t}");
    }
}

/// Every function of the table solves an equation whose solution is known.
#[test]
fn functions_solve_their_own_equations() {
    type Exact = fn(f64) -> f64;
    let cases: [(&str, f64, Exact); 12] = [
        ("x' = exp(-x)", 0.0, |t| t.ln_1p()),
        ("x' = sqrt(x)", 1.0, |t| (1.0 + t / 2.0).powi(2)),
        ("x' = cbrt(x)", 1.0, |t| (1.0 + 2.0 * t / 3.0).powf(1.5)),
        ("x' = cos(x)", 0.0, |t| t.tanh().asin()),
        ("x' = 1/cosh(x)", 0.0, f64::asinh),
        ("x' = tanh(x)", 1.0, |t| (1f64.sinh() * t.exp()).asinh()),
        ("x' = x^1.5", 0.25, |t| (2.0 - t / 2.0).powi(-2)),
        ("x' = x/(1 + t)", 1.0, |t| 1.0 + t),
        ("x' = 1 + tan(t)^2", 0.0, f64::tan),
        ("x' = log(x)*x", 2.0, |t| 2f64.powf(t.exp())),
        ("x' = 1/sqrt(1 - t^2) + 0*asin(x/9)", 0.0, f64::asin),
        ("x' = exprel(t)", 0.0, |t| {
            (1..40).fold((0.0, 1.0), |(sum, term), k| (sum + term * t / (k * k) as f64, term * t / f64::from(k))).0
        }),
    ];
    for (text, initial, exact) in cases {
        let solution =
            run(&system(text, &["x"], &[]), &[initial], Times::Uniform { dt: 0.1, n: 10 }, Method::Taylor, 1e-14, 1);
        for j in 0..10 {
            let t = 0.1 * j as f64;
            let error = (solution.x[j] - exact(t)).abs() / (1.0 + exact(t).abs());
            assert!(error < 2e-13, "{text} at {t}: {} and {}", solution.x[j], exact(t));
        }
    }
}

#[test]
fn lanes_and_threads_change_no_bit() {
    let pendulum = system("a' = w\nw' = -sin(a) - 0.1*w*exprel(-w^2) + k*cos(t)*tanh(a)", &["a", "w"], &[("k", 0.7)]);
    let initial: Vec<f64> = (0..46).map(|i| (f64::from(i) * 0.37).sin() * 2.0).collect();
    let times = Times::Uniform { dt: 0.13, n: 200 };
    for method in [Method::Taylor, Method::Dop853, Method::Tsit5, Method::Rk4] {
        let together = run(&pendulum, &initial, times, method, 1e-10, 2);
        for threads in [1, 7] {
            let again = run(&pendulum, &initial, times, method, 1e-10, threads);
            assert!(
                together.x.iter().zip(&again.x).all(|(a, b)| a.to_bits() == b.to_bits()),
                "{method:?} on {threads}"
            );
        }
        for i in 0..23 {
            let alone = run(&pendulum, &initial[2 * i..2 * i + 2], times, method, 1e-10, 1);
            let member = &together.x[i * 400..(i + 1) * 400];
            assert!(alone.x.iter().zip(member).all(|(a, b)| a.to_bits() == b.to_bits()), "{method:?}, member {i}");
        }
    }
}

#[test]
fn blow_up_is_a_result_and_harms_no_neighbour() {
    let blow = system("x' = x^2", &["x"], &[]);
    let initial: Vec<f64> = (0..16).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let solution = run(&blow, &initial, Times::Uniform { dt: 0.25, n: 9 }, Method::Taylor, 1e-12, 1);
    for i in 0..16 {
        let (end, samples) = (solution.ends[i], &solution.x[9 * i..9 * (i + 1)]);
        if i % 2 == 0 {
            assert_eq!(end.outcome, Outcome::Diverged);
            assert!((end.time - 1.0).abs() < 1e-6, "stopped at {}", end.time);
            assert!(samples[..4].iter().all(|x| x.is_finite()) && samples[5..].iter().all(|x| x.is_nan()));
        } else {
            assert_eq!(end.outcome, Outcome::Ok);
            (0..9).for_each(|j| assert!((samples[j] + 1.0 / (1.0 + 0.25 * j as f64)).abs() < 1e-11));
        }
    }
}

/// A diode's exponential is invisible to the series at the start of a step and dominant at its end.
#[test]
fn a_term_that_grows_inside_the_step_is_seen() {
    let ramp = system("x' = 1\ny' = 1e-9*exp(x/0.026) - y", &["x", "y"], &[]);
    let times = Times::Uniform { dt: 0.01, n: 61 };
    let solution = run(&ramp, &[0.0, 0.0], times, Method::Taylor, 1e-12, 1);
    let rate: f64 = 1.0 / 0.026;
    for j in 0..61 {
        let t = times.at(j);
        let exact = 1e-9 * ((rate * t).exp() - (-t).exp()) / (rate + 1.0);
        assert!((solution.x[2 * j + 1] - exact).abs() < 1e-11 * (1.0 + exact.abs()), "at {t}");
    }
}

#[test]
fn every_vector_unit_is_known_by_name() {
    let units = Level::present();
    assert!(units.contains(&Level::detect()));
    assert!(units.iter().all(|unit| ["baseline", "neon", "avx2", "avx512"].contains(&unit.name())));
}
