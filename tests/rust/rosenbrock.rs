//! Rosenbrock methods: order conditions, stability, observed orders, tolerances, sparse and full elimination.

use super::trees::{Tree, trees};
use bestiary::parallel::simd::Level;
use bestiary::solve::rosenbrock::Rosenbrock;
use bestiary::solve::rosenbrock_tableau::{RODAS5P, STAGES};
use bestiary::solve::stepper::{Lanes, Piece, Rhs, Row, Stepper, Tolerance, Verdict};
use bestiary::system::{Definition, Kind, System};

type Matrix = [[f64; STAGES]; STAGES];

/// The coefficients in the usual form: alpha, gamma (diagonal included), b, and e, the difference to the embedded formula.
fn usual() -> (Matrix, Matrix, [f64; STAGES], [f64; STAGES]) {
    let tableau = &RODAS5P;
    // gamma is the inverse of diag(1/gamma) - k, a lower triangle: column by column.
    let mut gamma = [[0.0; STAGES]; STAGES];
    for j in 0..STAGES {
        for i in j..STAGES {
            let sum: f64 = (j..i).map(|m| tableau.k[i][m] * gamma[m][j]).sum();
            gamma[i][j] = tableau.gamma * (f64::from(u8::from(i == j)) + sum);
        }
    }
    let times = |row: &[f64; STAGES]| std::array::from_fn(|j| (0..STAGES).map(|m| row[m] * gamma[m][j]).sum());
    let mut last = tableau.a[STAGES - 1];
    last[STAGES - 1] = 1.0;
    let mut error = [0.0; STAGES];
    error[STAGES - 1] = 1.0;
    (tableau.a.map(|row| times(&row)), gamma, times(&last), times(&error))
}

/// Elementary weight of each stage (Hairer & Wanner 1996, IV.7): where a node has one branch, alpha + gamma stands for alpha.
fn weights(tree: &Tree, alpha: &Matrix, gamma: &Matrix) -> [f64; STAGES] {
    let mut product = [1.0; STAGES];
    for branch in &tree.0 {
        let inner = weights(branch, alpha, gamma);
        for (i, factor) in product.iter_mut().enumerate() {
            let single = f64::from(u8::from(tree.0.len() == 1));
            *factor *= (0..STAGES).map(|j| (alpha[i][j] + single * gamma[i][j]) * inner[j]).sum::<f64>();
        }
    }
    product
}

fn violation(b: &[f64; STAGES], order: usize) -> f64 {
    let (alpha, gamma, ..) = usual();
    let violated = |tree: &Tree| {
        let sum: f64 = b.iter().zip(weights(tree, &alpha, &gamma)).map(|(b, weight)| b * weight).sum();
        (sum - 1.0 / tree.density()).abs()
    };
    trees(order).iter().map(violated).fold(0.0, f64::max)
}

#[test]
fn order_conditions() {
    let (alpha, gamma, b, e) = usual();
    // The weights k reach 112 and the coefficients are given to 16 digits.
    let small = 2e-13;
    for s in 0..STAGES {
        assert!((alpha[s].iter().sum::<f64>() - RODAS5P.c[s]).abs() < small);
        assert!((gamma[s].iter().sum::<f64>() - RODAS5P.d[s]).abs() < small);
    }
    assert!(violation(&b, 5) < small, "{:e}", violation(&b, 5));
    assert!(violation(&b, 6) > 1e-6, "the order is not higher than stated");
    let embedded = std::array::from_fn(|j| b[j] - e[j]);
    assert!(violation(&embedded, 4) < small);
    assert!(violation(&embedded, 5) > 1e-6);
}

/// The stability function at `x + i y`: R = 1 + z b (I - z (alpha + gamma))^-1 1.
fn stability(x: f64, y: f64) -> f64 {
    let (alpha, gamma, b, _) = usual();
    let multiply = |a: [f64; 2], b: [f64; 2]| [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
    let z = [x, y];
    let mut stages = [[0.0; 2]; STAGES];
    for i in 0..STAGES {
        let sum = (0..i).fold([0.0; 2], |sum, j| {
            let weight = alpha[i][j] + gamma[i][j];
            [sum[0] + weight * stages[j][0], sum[1] + weight * stages[j][1]]
        });
        let product = multiply(z, sum);
        let right = [1.0 + product[0], product[1]];
        let divisor = [1.0 - gamma[i][i] * x, -gamma[i][i] * y];
        let size = divisor[0] * divisor[0] + divisor[1] * divisor[1];
        stages[i] = multiply(right, [divisor[0] / size, -divisor[1] / size]);
    }
    let sum = (0..STAGES).fold([0.0; 2], |sum, i| [sum[0] + b[i] * stages[i][0], sum[1] + b[i] * stages[i][1]]);
    let product = multiply(z, sum);
    (1.0 + product[0]).hypot(product[1])
}

#[test]
fn l_stability() {
    // On the imaginary axis, and by the maximum principle to the left of it, nothing grows; far out everything vanishes.
    for k in 0..4000 {
        let y = libm::exp(f64::from(k) * 0.01 - 10.0);
        assert!(stability(0.0, y) <= 1.0 + 1e-12, "{y}: {}", stability(0.0, y));
    }
    for size in [1e4, 1e6, 1e8] {
        for (x, y) in [(-size, 0.0), (0.0, size), (-size, size)] {
            assert!(stability(x, y) < 1e2 / size, "{x} {y}: {}", stability(x, y));
        }
    }
    assert!((stability(-1.0, 0.0) - libm::exp(-1.0)).abs() < 1e-4);
}

fn flow(text: &str, states: &[&str]) -> System {
    let definition = Definition {
        interpretation: Default::default(),
        kind: Kind::Flow,
        text: text.into(),
        parameters: Vec::new(),
        structure: Vec::new(),
        states: states.iter().map(|name| ((*name).to_owned(), None)).collect(),
        observables: Vec::new(),
        periods: Vec::new(),
    };
    System::build(&definition).unwrap()
}

struct Program<'p, const L: usize>(bestiary::expr::eval::Evaluator<'p, L>);

impl<const L: usize> Rhs<L> for Program<'_, L> {
    fn eval(&mut self, t: &Row<L>, y: &[Row<L>], out: &mut [Row<L>]) {
        self.0.eval(t, y, &[], out);
    }
}

/// Accepted steps as (start, length, piece), and the last state. With `fixed` every step has this length.
fn run(system: &System, y: &[f64], end: f64, size: f64, fixed: Option<f64>) -> (Vec<(f64, f64, Piece)>, Vec<f64>) {
    let level = Level::detect();
    let tolerance = Tolerance { relative: size, absolute: vec![size; y.len()] };
    let mut stepper = Rosenbrock::<1>::new(&RODAS5P, system.linearisation(), tolerance, level);
    stepper.set_parameters(0, &[]);
    let mut evaluator = bestiary::expr::eval::Evaluator::<1>::new(system.program(), level);
    evaluator.set_parameters(0, &[]);
    let mut rhs = Program(evaluator);
    let mut lanes = Lanes::<1>::new(y.len());
    lanes.running = [true];
    lanes.y.iter_mut().zip(y).for_each(|(row, &value)| row[0] = value);
    stepper.start(&mut rhs, &mut lanes, 0);
    let mut steps = Vec::new();
    while lanes.t[0] < end - 1e-12 * end {
        lanes.h[0] = fixed.unwrap_or(lanes.h[0]);
        match stepper.attempt(&mut rhs, &mut lanes)[0] {
            Verdict::Accepted => {
                let mut piece = Piece::default();
                stepper.prepare_pieces(&mut rhs, &lanes, &[true]);
                stepper.piece(&lanes, 0, &mut piece);
                steps.push((lanes.t[0], lanes.h_taken[0], piece));
                lanes.t[0] += lanes.h_taken[0];
                std::mem::swap(&mut lanes.y, &mut lanes.y_next);
            }
            Verdict::Failed(outcome) => panic!("{outcome:?} at {}", lanes.t[0]),
            Verdict::Rejected | Verdict::Idle => {}
        }
    }
    (steps, lanes.y.iter().map(|row| row[0]).collect())
}

/// x = exp(sin t), and y = cos t, to which it is drawn a thousand times faster than it moves.
const STIFF: &str = "x' = x*cos(t); y' = -1000*(y - cos(t)) - sin(t) + x*0";

#[test]
fn observed_orders() {
    // Nonlinear, driven: every order appears, the derivative in time is needed, and the interpolant has order 4.
    let swing = flow("x' = x*cos(t)*y; y' = -y^2*sin(t) + y*x*0", &["x", "y"]);
    let exact = |t: f64| 1.0 / (2.0 - libm::cos(t));
    let errors = |h: f64| {
        let (steps, state) = run(&swing, &[1.0, 1.0], 4.0, 1e9, Some(h));
        let inside = steps.iter().map(|(begin, length, piece)| {
            let jump = piece.eval(1, 0.0) - exact(*begin);
            (piece.eval(1, 0.4 * length) - exact(begin + 0.4 * length) - jump).abs()
        });
        ((state[1] - exact(4.0)).abs(), inside.fold(0.0, f64::max))
    };
    let (coarse, fine) = (errors(0.1), errors(0.05));
    let slopes = ((coarse.0 / fine.0).log2(), (coarse.1 / fine.1).log2());
    assert!((slopes.0 - 5.0).abs() < 0.6, "{slopes:?}");
    assert!((slopes.1 - 5.0).abs() < 0.6, "error of one interpolant of order 4: {slopes:?}");
}

#[test]
fn tolerances_mean_what_they_say() {
    let stiff = flow(STIFF, &["x", "y"]);
    for size in [1e-4, 1e-6, 1e-8, 1e-10] {
        let (steps, _) = run(&stiff, &[1.0, 0.0], 6.0, size, None);
        let mut largest: f64 = 0.0;
        for (begin, length, piece) in &steps {
            for m in 0..10 {
                let offset = length * f64::from(m) / 10.0;
                let t = begin + offset;
                let truth = [libm::exp(libm::sin(t)), libm::cos(t) - libm::exp(-1000.0 * t)];
                for (i, truth) in truth.iter().enumerate() {
                    largest = largest.max((piece.eval(i, offset) - truth).abs() / (size * (1.0 + truth.abs())));
                }
            }
        }
        assert!(largest < 10.0, "{size:e}: {largest}");
        // Stability does not limit the steps: an explicit method would need some 2000.
        assert!(size < 1e-7 || steps.len() < 300, "{size:e}: {} steps", steps.len());
    }
}

#[test]
fn stiff_decay_vanishes() {
    // One step of 1 with lambda = -1e8: an A-stable method that is not L-stable would keep the value.
    let decay = flow("x' = -1e8*(x - cos(t))", &["x"]);
    let (_, state) = run(&decay, &[2.0], 1.0, 1e9, Some(1.0));
    assert!((state[0] - libm::cos(1.0)).abs() < 1e-6, "{state:?}");
}

/// A ring of 24 diffusively coupled oscillators is eliminated sparsely; the same with a full Jacobian gives the same solution.
#[test]
fn sparse_and_full_elimination_agree() {
    let n = 24;
    let ring = |extra: &str| {
        let text: Vec<String> = (0..n)
            .map(|i| {
                let (before, after) = ((i + n - 1) % n, (i + 1) % n);
                format!("x{i}' = x{i} - x{i}^3 + 500*(x{before} - 2*x{i} + x{after}){extra}")
            })
            .collect();
        let names: Vec<String> = (0..n).map(|i| format!("x{i}")).collect();
        flow(&text.join("\n"), &names.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // Zero for every state, but its derivatives are not identically zero.
    let sum: Vec<String> = (0..n).map(|i| format!("x{i}")).collect();
    let full = ring(&format!(" + 1e-30*({})^2", sum.join(" + ")));
    let sparse = ring("");
    assert!(sparse.linearisation().plan.is_some());
    assert!(full.linearisation().plan.is_none());
    let y: Vec<f64> = (0..n).map(|i| libm::sin(f64::from(i) * 0.7)).collect();
    let (_, a) = run(&sparse, &y, 1.0, 1e9, Some(0.01));
    let (_, b) = run(&full, &y, 1.0, 1e9, Some(0.01));
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
}
