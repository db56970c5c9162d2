//! Runge-Kutta methods: order conditions, observed orders, tolerances, kinks, bad ends, lanes.

use super::trees::{Tree, trees};
use bestiary::solve::Outcome;
use bestiary::solve::rk4::Rk4;
use bestiary::solve::runge_kutta::RungeKutta;
use bestiary::solve::step_size::root;
use bestiary::solve::stepper::{Lanes, Piece, Rhs, Row, Stepper, Tolerance, Verdict};
use bestiary::solve::tableau::{DOP853, Interpolant, TSIT5, Tableau};

/// A plain function as a right-hand side on every lane.
struct Field<F>(F);

impl<const L: usize, F: Fn(f64, &[f64], &mut [f64])> Rhs<L> for Field<F> {
    fn eval(&mut self, t: &Row<L>, y: &[Row<L>], out: &mut [Row<L>]) {
        for lane in 0..L {
            let state: Vec<f64> = y.iter().map(|row| row[lane]).collect();
            let mut slope = vec![0.0; y.len()];
            (self.0)(t[lane], &state, &mut slope);
            out.iter_mut().zip(slope).for_each(|(row, value)| row[lane] = value);
        }
    }
}

fn lorenz(_t: f64, y: &[f64], out: &mut [f64]) {
    out[0] = 10.0 * (y[1] - y[0]);
    out[1] = y[0] * (28.0 - y[2]) - y[1];
    out[2] = y[0] * y[1] - 8.0 / 3.0 * y[2];
}

fn pendulum(_t: f64, y: &[f64], out: &mut [f64]) {
    out[0] = y[1];
    out[1] = -y[0].sin();
}

fn tolerance(size: f64, n: usize) -> Tolerance {
    Tolerance { relative: size, absolute: vec![size; n] }
}

/// A whole run: accepted steps as (start, length, piece), and how it ended.
struct Run {
    steps: Vec<(f64, f64, Piece)>,
    end: Option<Outcome>,
    state: Vec<f64>,
}

impl Run {
    fn at(&self, i: usize, t: f64) -> f64 {
        let (begin, _, piece) = &self.steps[self.steps.partition_point(|step| step.0 <= t).max(1) - 1];
        piece.eval(i, t - begin)
    }
}

/// Integrate to `end`, with every step of length `fixed` if given.
fn run<S: Stepper<1>>(
    mut stepper: S,
    f: impl Fn(f64, &[f64], &mut [f64]),
    y: &[f64],
    end: f64,
    fixed: Option<f64>,
) -> Run {
    let mut rhs = Field(f);
    let mut lanes = Lanes::<1>::new(y.len());
    lanes.running = [true];
    lanes.y.iter_mut().zip(y).for_each(|(row, &value)| row[0] = value);
    stepper.start(&mut rhs, &mut lanes, 0);
    let mut result = Run { steps: Vec::new(), end: None, state: Vec::new() };
    for _ in 0..100_000 {
        if lanes.t[0] >= end - 1e-12 {
            break;
        }
        lanes.h[0] = fixed.unwrap_or(lanes.h[0]);
        match stepper.attempt(&mut rhs, &mut lanes)[0] {
            Verdict::Accepted => {
                let mut piece = Piece::default();
                stepper.prepare_pieces(&mut rhs, &lanes, &[true]);
                stepper.piece(&lanes, 0, &mut piece);
                result.steps.push((lanes.t[0], lanes.h_taken[0], piece));
                lanes.t[0] += lanes.h_taken[0];
                std::mem::swap(&mut lanes.y, &mut lanes.y_next);
            }
            Verdict::Failed(outcome) => {
                result.end = Some(outcome);
                break;
            }
            Verdict::Rejected | Verdict::Idle => {}
        }
    }
    result.state = lanes.y.iter().map(|row| row[0]).collect();
    result
}

fn adaptive(tableau: &'static Tableau, f: impl Fn(f64, &[f64], &mut [f64]), y: &[f64], end: f64, size: f64) -> Run {
    run(RungeKutta::new(tableau, tolerance(size, y.len())), f, y, end, None)
}

/// Largest error in units of the tolerance, at step ends and at nine places inside each step.
fn error(run: &Run, n: usize, end: f64, size: f64, exact: impl Fn(usize, f64) -> f64) -> f64 {
    let mut largest: f64 = 0.0;
    for (begin, length, piece) in &run.steps {
        for m in 0..10 {
            let offset = length * f64::from(m) / 10.0;
            for i in (0..n).filter(|_| begin + offset <= end) {
                let truth = exact(i, begin + offset);
                let error = (piece.eval(i, offset) - truth).abs() / (size * (1.0 + truth.abs()));
                assert!(!error.is_nan());
                largest = largest.max(error);
            }
        }
    }
    largest
}

/// Elementary weight of each stage.
fn weights(tree: &Tree, tableau: &Tableau) -> Vec<f64> {
    let mut product = vec![1.0; tableau.stages()];
    for branch in &tree.0 {
        let inner = weights(branch, tableau);
        for (s, factor) in product.iter_mut().enumerate() {
            *factor *= tableau.a[s].iter().map(|&(j, a)| a * inner[j]).sum::<f64>();
        }
    }
    product
}

/// Largest violation of the conditions `sum_j b_j weight_j = theta^order / density` up to `order`.
fn violation(tableau: &Tableau, b: &[f64], order: usize, theta: f64) -> f64 {
    let violated = |tree: &Tree| {
        let sum: f64 = b.iter().zip(weights(tree, tableau)).map(|(b, weight)| b * weight).sum();
        (sum - theta.powi(tree.order() as i32) / tree.density()).abs()
    };
    trees(order).iter().map(violated).fold(0.0, |m, v| if v <= m { m } else { v })
}

fn b(tableau: &Tableau) -> Vec<f64> {
    let mut b = vec![0.0; tableau.stages()];
    tableau.a[tableau.last].iter().for_each(|&(j, weight)| b[j] = weight);
    b
}

#[test]
fn order_conditions() {
    assert_eq!(trees(8).len(), 1 + 1 + 2 + 4 + 9 + 20 + 48 + 115); // Hairer, Norsett & Wanner 1993, table II.2.1
    // Weights reach 43, so rounding of the sums stays below 1e-13.
    let small = 1e-13;
    for tableau in [&TSIT5, &DOP853] {
        for (row, c) in tableau.a.iter().zip(tableau.c) {
            assert!((row.iter().map(|(_, a)| a).sum::<f64>() - c).abs() < small, "{}: {c}", tableau.name);
        }
        let (b, order) = (b(tableau), tableau.order as usize);
        assert!(violation(tableau, &b, order, 1.0) < small);
        assert!(violation(tableau, &b, order + 1, 1.0) > 1e-9, "the order is not higher than stated");
        // The embedded formulas b - e have orders 4 (tsit5), 5 and 3 (dop853), no more.
        let embedded = |e: &[f64]| -> Vec<f64> {
            b.iter().enumerate().map(|(j, b)| b - e.get(j).copied().unwrap_or(0.0)).collect()
        };
        let orders = [(Some(tableau.error), if order == 8 { 5 } else { 4 }), (tableau.coarse_error, 3)];
        for (weights, order) in orders {
            let Some(weights) = weights else { continue };
            assert!(violation(tableau, &embedded(weights), order, 1.0) < small, "{}", tableau.name);
            assert!(violation(tableau, &embedded(weights), order + 1, 1.0) > 1e-6);
        }
    }
}

/// Weights of the stages at `theta` of the interpolant, from its definition.
fn inner_weights(tableau: &Tableau, theta: f64) -> Vec<f64> {
    let n = tableau.stages();
    match tableau.interpolant {
        Interpolant::Powers(rows) => {
            let term = |j: usize| rows.iter().rev().fold(0.0, |sum, row| (sum + row[j]) * theta);
            (0..n).map(term).collect()
        }
        Interpolant::Nested(rows) => (0..n)
            .map(|j| {
                let rise = b(tableau)[j];
                let bend = f64::from(u8::from(j == 0)) - rise;
                let mut terms = vec![rise, bend, rise - f64::from(u8::from(j == tableau.last)) - bend];
                terms.extend(rows.iter().map(|row| row.iter().find(|w| w.0 == j).map_or(0.0, |w| w.1)));
                let factor = |m: usize| if m.is_multiple_of(2) { theta } else { 1.0 - theta };
                terms.iter().enumerate().rev().fold(0.0, |sum, (m, term)| (sum + term) * factor(m))
            })
            .collect(),
    }
}

#[test]
fn interpolant_conditions() {
    for (tableau, order) in [(&TSIT5, 4), (&DOP853, 7)] {
        for theta in [0.0, 0.1, 0.37, 0.5, 0.9, 1.0] {
            // Weights reach 528.
            assert!(violation(tableau, &inner_weights(tableau, theta), order, theta) < 1e-12, "{theta}");
        }
        assert!(violation(tableau, &inner_weights(tableau, 0.4), order + 1, 0.4) > 1e-8);
    }
}

#[test]
fn observed_orders() {
    let truth = adaptive(&DOP853, pendulum, &[2.0, 0.0], 2.0, 1e-15);
    // (Error at the end of a run, error in the middle of one first step) against the step.
    let errors = |name: &str, h: f64| {
        let (y, end, fixed) = (&[2.0, 0.0], 2.0, Some(h));
        let run = match name {
            "rk4" => run(Rk4::new(h), pendulum, y, end, fixed),
            "tsit5" => run(RungeKutta::new(&TSIT5, tolerance(1e9, 2)), pendulum, y, end, fixed),
            _ => run(RungeKutta::new(&DOP853, tolerance(1e9, 2)), pendulum, y, end, fixed),
        };
        let inside = (1..run.steps.len()).map(|k| {
            let (begin, length, piece) = &run.steps[k - 1];
            let from_start: f64 = piece.eval(1, 0.0) - truth.at(1, *begin);
            ((piece.eval(1, 0.4 * length) - truth.at(1, begin + 0.4 * length)) - from_start).abs()
        });
        ((run.state[0] - truth.at(0, end)).hypot(run.state[1] - truth.at(1, end)), inside.fold(0.0, f64::max))
    };
    for (name, h, order, inner) in [("rk4", 0.05, 4.0, 4.0), ("tsit5", 0.1, 5.0, 5.0), ("dop853", 0.4, 8.0, 8.0)] {
        let (coarse, fine) = (errors(name, h), errors(name, h / 2.0));
        let slopes = ((coarse.0 / fine.0).log2(), (coarse.1 / fine.1).log2());
        assert!((slopes.0 - order).abs() < 0.7, "{name}: end {slopes:?}");
        assert!((slopes.1 - inner).abs() < 0.7, "{name}: inside {slopes:?}");
    }
}

#[test]
fn tolerances_mean_what_they_say() {
    for (f, y, end) in
        [(lorenz as fn(f64, &[f64], &mut [f64]), &[-9.8, -15.0, 20.5][..], 1.0), (pendulum, &[2.0, 0.0][..], 8.0)]
    {
        let truth = adaptive(&DOP853, f, y, end, 1e-15);
        for tableau in [&TSIT5, &DOP853] {
            for size in [1e-6, 1e-9, 1e-12] {
                let run = adaptive(tableau, f, y, end, size);
                let error = error(&run, y.len(), end, size, |i, t| truth.at(i, t));
                assert!(error < 10.0, "{} {size:e}: {error}", tableau.name);
            }
        }
    }
}

#[test]
fn an_eccentric_orbit() {
    // e = 0.6 from perihelion (0.4, 0; 0, 2): an error dv there changes the period by 6 pi v dv = 38 dv, so
    // the position after one round by 75 dv; ten tolerances early in the orbit are 750 at its end.
    let kepler = |_t: f64, y: &[f64], out: &mut [f64]| {
        let r2 = y[0] * y[0] + y[1] * y[1];
        let r3 = r2 * r2.sqrt();
        out.copy_from_slice(&[y[2], y[3], -y[0] / r3, -y[1] / r3]);
    };
    let period = std::f64::consts::TAU;
    for tableau in [&TSIT5, &DOP853] {
        for size in [1e-6, 1e-9, 1e-12] {
            let run = adaptive(tableau, kepler, &[0.4, 0.0, 0.0, 2.0], period, size);
            let off = (run.at(1, period) / 75.0).abs() / size;
            assert!(off < 10.0, "{} {size:e}: {off}", tableau.name);
        }
    }
}

#[test]
fn kinks_and_jumps_cost_steps_not_accuracy() {
    let sign = |x: f64| if x == 0.0 { 0.0 } else { x.signum() };
    let ln2 = 2.0_f64.ln();
    for tableau in [&TSIT5, &DOP853] {
        for size in [1e-6, 1e-9, 1e-12] {
            for start in [-1.0, -0.77, -0.31] {
                // x' = 2 - sign x: slope 3, then 1 from t = -start / 3.
                let jump = adaptive(tableau, |_, y, out| out[0] = 2.0 - sign(y[0]), &[start], 1.0, size);
                let exact = |_, t: f64| if t < -start / 3.0 { start + 3.0 * t } else { t + start / 3.0 };
                let off = error(&jump, 1, 1.0, size, exact);
                assert!(off < 10.0, "jump, {} {size:e}: {off}", tableau.name);
            }
            // x' = 1 + |x| from -1: 1 - 2 e^-t up to t = ln 2, then e^(t - ln 2) - 1.
            let kink = adaptive(tableau, |_, y, out| out[0] = 1.0 + y[0].abs(), &[-1.0], 2.0, size);
            let exact = |_, t: f64| if t < ln2 { 1.0 - 2.0 * (-t).exp() } else { (t - ln2).exp() - 1.0 };
            let off = error(&kink, 1, 2.0, size, exact);
            assert!(off < 10.0, "kink, {} {size:e}: {off}", tableau.name);
        }
    }
}

#[test]
fn bad_ends() {
    for tableau in [&TSIT5, &DOP853] {
        // Defined for x >= 0 only, reached at t = 1.
        let run = adaptive(tableau, |_, y, out| out[0] = -1.0 + 0.0 * y[0].sqrt(), &[1.0], 5.0, 1e-6);
        assert_eq!(run.end, Some(Outcome::LeftDomain));
        assert!((run.steps.iter().map(|step| step.1).sum::<f64>() - 1.0).abs() < 1e-12);
        let undefined = adaptive(tableau, |_, y, out| out[0] = y[0].sqrt(), &[-1.0], 5.0, 1e-6);
        assert_eq!((undefined.end, undefined.steps.len()), (Some(Outcome::LeftDomain), 0));
        // x' = x^2 has no solution beyond t = 1.
        let burst = adaptive(tableau, |_, y, out| out[0] = y[0] * y[0], &[1.0], 5.0, 1e-6);
        assert_eq!(burst.end, Some(Outcome::Stalled));
        // At rest, steps grow without overflow.
        let rest = adaptive(tableau, |_, _, out| out[0] = 0.0, &[0.0], 1e90, 1e-6);
        assert_eq!((rest.end, rest.state[0]), (None, 0.0));
    }
    let run = run(Rk4::new(0.1), |_, y, out| out[0] = -1.0 + 0.0 * y[0].sqrt(), &[1.0], 5.0, None);
    assert_eq!(run.end, Some(Outcome::LeftDomain));
}

/// Eight trajectories with their own times, states and steps, alone and side by side.
fn lanes_agree<S1: Stepper<1>, S8: Stepper<8>>(alone: impl Fn() -> S1, mut together: S8) {
    let forced = |t: f64, y: &[f64], out: &mut [f64]| {
        lorenz(t, y, out);
        out[0] += t.cos();
    };
    let place = |k: usize| (k as f64 * 0.37, [-9.8 + k as f64, -15.0 + 0.3 * k as f64, 20.5]);
    let mut lanes = Lanes::<8>::new(3);
    let mut rhs = Field(forced);
    let mut paths = vec![Vec::new(); 8];
    for round in 0..400 {
        for k in (0..8).filter(|k| round == 7 * k) {
            let (t, y) = place(k);
            lanes.t[k] = t;
            (0..3).for_each(|i| lanes.y[i][k] = y[i]);
            lanes.running[k] = true;
            together.start(&mut rhs, &mut lanes, k);
        }
        let verdicts = together.attempt(&mut rhs, &mut lanes);
        let wanted = verdicts.map(|verdict| verdict == Verdict::Accepted);
        together.prepare_pieces(&mut rhs, &lanes, &wanted);
        for k in (0..8).filter(|&k| wanted[k]) {
            let mut piece = Piece::default();
            together.piece(&lanes, k, &mut piece);
            paths[k].push((lanes.t[k], lanes.h_taken[k], piece));
            lanes.t[k] += lanes.h_taken[k];
            (0..3).for_each(|i| lanes.y[i][k] = lanes.y_next[i][k]);
        }
    }
    for (k, path) in paths.iter().enumerate() {
        let (t, y) = place(k);
        let mut single = Lanes::<1>::new(3);
        single.running = [true];
        single.t = [t];
        (0..3).for_each(|i| single.y[i] = [y[i]]);
        let (mut stepper, mut steps, mut rhs) = (alone(), path.iter(), Field(forced));
        stepper.start(&mut rhs, &mut single, 0);
        assert!(path.len() > 100);
        while steps.len() > 0 {
            if stepper.attempt(&mut rhs, &mut single)[0] == Verdict::Accepted {
                let mut piece = Piece::default();
                stepper.prepare_pieces(&mut rhs, &single, &[true]);
                stepper.piece(&single, 0, &mut piece);
                assert_eq!(Some(&(single.t[0], single.h_taken[0], piece)), steps.next());
                single.t[0] += single.h_taken[0];
                std::mem::swap(&mut single.y, &mut single.y_next);
            }
        }
    }
}

#[test]
fn a_lane_does_not_depend_on_the_others() {
    for tableau in [&TSIT5, &DOP853] {
        lanes_agree(
            || RungeKutta::<1>::new(tableau, tolerance(1e-9, 3)),
            RungeKutta::<8>::new(tableau, tolerance(1e-9, 3)),
        );
    }
    lanes_agree(|| Rk4::<1>::new(0.003), Rk4::<8>::new(0.003));
}

#[test]
fn roots() {
    for n in [1, 2, 3, 5, 8, 17, 40] {
        for k in -1022..1024 {
            for m in [1.0, 1.2, 1.41, 1.42, 1.7, 1.999_999] {
                let x = m * 2.0_f64.powi(k);
                let exact = x.powf(1.0 / f64::from(n));
                assert!((root(x, n) / exact - 1.0).abs() < 1e-7, "{x:e}, {n}");
            }
        }
        assert_eq!((root(1.0, n), root(0.0, n), root(f64::INFINITY, n)), (1.0, 0.0, f64::INFINITY));
        assert!(root(f64::NAN, n).is_nan());
    }
    assert!(root(-1.0, 2).is_nan());
    assert!((root(5e-324, 2) / 5e-324_f64.sqrt() - 1.0).abs() < 1e-7);
}
