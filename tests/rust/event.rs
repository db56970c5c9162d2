//! Events through the driver: closed forms, many expressions at once, limits, lanes.

use bestiary::parallel::pool::Monitor;
use bestiary::solve::stepper::Tolerance;
use bestiary::solve::{Condition, Method, Outcome, Problem, Solution, Times, Watch, solve};
use bestiary::system::{Definition, Kind, System};

/// The harmonic oscillator, from x = cos phase, v = -sin phase, with the expressions to look at.
fn oscillator(expressions: &[&str]) -> System {
    System::build(&Definition {
        interpretation: Default::default(),
        kind: Kind::Flow,
        text: "x' = v\nv' = -x".into(),
        parameters: Vec::new(),
        structure: Vec::new(),
        states: vec![("x".into(), None), ("v".into(), None)],
        observables: expressions.iter().enumerate().map(|(i, text)| (format!("e{i}"), (*text).to_owned())).collect(),
        periods: Vec::new(),
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

fn run(system: &System, phases: &[f64], conditions: &[Condition], end: f64, method: Method, from: f64) -> Solution {
    let initial: Vec<f64> = phases.iter().flat_map(|phase| [libm::cos(*phase), -libm::sin(*phase)]).collect();
    let program = system.event_program();
    let watch = Watch { program: &program, conditions: conditions.to_vec(), from };
    solve(
        &Problem {
            system,
            initial: &initial,
            parameters: &[],
            start: &vec![0.0; phases.len()],
            times: Times::Given(&[end]),
            method,
            tolerance: Tolerance { relative: 1e-12, absolute: vec![1e-12; 2] },
            step: Some(0.01),
            max_steps: 1_000_000,
            seed: 0,
            first_path: 0,
            forcing: None,
            threads: Some(2),
            watch: Some(&watch),
            histories: &[],
        },
        &Monitor::default(),
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

const ALL: Condition = Condition { direction: 0, limit: None };

#[test]
fn several_expressions_in_order_of_time() {
    let system = oscillator(&["x", "v", "t - 5"]);
    let pi = std::f64::consts::PI;
    for method in [Method::Taylor, Method::Dop853, Method::Symplectic8, Method::Rk4] {
        let solution = run(&system, &[0.3], &[ALL; 3], 10.0, method, 0.0);
        let log = &solution.logs[0];
        // x = cos(t + 0.3), v = -sin(t + 0.3): quarter turns, alternately of x and v, and the clock in between.
        let mut expected: Vec<(f64, usize, i8)> = (1..7)
            .map(|k| {
                let t = 0.5 * pi * k as f64 - 0.3;
                let slope = if k % 2 == 1 { -libm::sin(t + 0.3) } else { -libm::cos(t + 0.3) };
                (t, (k + 1) % 2, if slope > 0.0 { 1 } else { -1 })
            })
            .collect();
        expected.push((5.0, 2, 1));
        expected.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(log.t.len(), expected.len());
        for (k, (t, condition, direction)) in expected.into_iter().enumerate() {
            assert!((log.t[k] - t).abs() < 1e-8, "{method:?}: {} {t}", log.t[k]);
            assert_eq!((log.condition[k], log.direction[k]), (condition, direction));
        }
        assert_eq!(solution.ends[0].outcome, Outcome::Ok);
    }
}

#[test]
fn limits_stop_and_early_crossings_do_not_count() {
    let system = oscillator(&["x", "v"]);
    let conditions = [ALL, Condition { direction: 1, limit: Some(2) }];
    let solution = run(&system, &[0.3], &conditions, 100.0, Method::Taylor, 4.0);
    // v rises through zero where t + 0.3 is an odd multiple of pi; after 4 those are 3 pi and 5 pi.
    let stop = 5.0 * std::f64::consts::PI - 0.3;
    assert_eq!(solution.ends[0].outcome, Outcome::Stopped);
    assert!((solution.ends[0].time - stop).abs() < 1e-10);
    let log = &solution.logs[0];
    assert!((log.t[log.t.len() - 1] - stop).abs() < 1e-10);
    assert!(log.t[0] >= 4.0);
    assert_eq!(log.condition.iter().filter(|&&condition| condition == 1).count(), 2);
    assert!(solution.x[0].is_nan());
}

#[test]
fn lanes_do_not_influence_each_other() {
    let system = oscillator(&["x - 1/2"]);
    let phases: Vec<f64> = (0..40).map(|k| 0.1 * f64::from(k)).collect();
    for method in [Method::Auto, Method::Dop853, Method::Rodas5p] {
        let together = run(&system, &phases, &[ALL], 20.0, method, 0.0);
        for (k, phase) in phases.iter().enumerate().step_by(7) {
            let alone = run(&system, &[*phase], &[ALL], 20.0, method, 0.0);
            assert_eq!((&alone.logs[0].t, &alone.logs[0].x), (&together.logs[k].t, &together.logs[k].x));
        }
    }
}
