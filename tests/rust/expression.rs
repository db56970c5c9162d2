//! Graph, derivatives and programs: a compiled program computes what direct evaluation computes, a derivative is the limit of
//! differences, and definitions mean what they say.

use bestiary::error::Error;
use bestiary::expr::differentiate::jacobian;
use bestiary::expr::eval::Evaluator;
use bestiary::expr::expand::{Expander, Symbols};
use bestiary::expr::graph::{Graph, Id, Leaves};
use bestiary::expr::parse_document;
use bestiary::expr::program::{Program, Sizes};
use bestiary::parallel::simd::Level;

const SIZES: Sizes = Sizes { states: 3, parameters: 2, delayed: 0 };

fn symbols() -> Symbols {
    Symbols {
        states: ["x", "y", "z"].map(|name| (name.to_owned(), None)).to_vec(),
        parameters: vec![("a".to_owned(), vec![]), ("b".to_owned(), vec![])],
        structure: vec![("N".to_owned(), 4)],
    }
}

fn graph_of(expression: &str) -> (Graph, Id) {
    let symbols = symbols();
    let mut expander = Expander::new(&symbols, "", &[]).unwrap();
    let id = expander.expression(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    (expander.graph, id)
}

/// One expression for every function and operator, all defined at the points used below.
const EXPRESSIONS: [&str; 34] = [
    "a*x - b*y + z",
    "x*y - b*z",
    "a - x*y",
    "x*y + y*z",
    "x/(1 + y^2)",
    "1/x",
    "x^5 - y^-3",
    "(x + 1)^b",
    "y^(x*z)",
    "exp(-x^2/2)",
    "log(1 + x^2)",
    "sqrt(x + y)",
    "cbrt(x*y)",
    "sin(x)*cos(y) + tan(z/4)",
    "asin(x/9) + acos(y/9) + atan(z)",
    "atan2(y, x)*a",
    "sinh(x/2) - cosh(y/2) + tanh(z)",
    "sech(x - y)",
    "abs(x - y)*sign(z - 2)",
    "floor(3*x) + mod(7*y, 2)",
    "mod(-7.3*x, 2)",
    "min(x, y, z) - max(x, y, z)",
    "step(x - 1) + step(x - 2)",
    "where(x < y and y < z, x^2, y^2)",
    "where(x > y or not (z > 2), sin(x), cos(x))",
    "exprel(x) + exprel(-y) + exprel(1e-9*z)",
    "smooth_square(t + x, 3, 2)",
    "sqrt_plus(x - 1) + sqrt_plus(y - 2)",
    "power_plus(y - 1, 1.25)",
    "sum(i = 1..N, x^i/i)",
    "product(i = 1..3, x - i/7)",
    "pow(x, 2.5) + x^0.5",
    "t*x + pi",
    "-(-x)*-(y - z)^2",
];

#[test]
fn program_equals_direct_evaluation() {
    let (x, p) = ([1.3, 0.7, 2.4], [1.7, 0.6]);
    for text in EXPRESSIONS {
        let (graph, id) = graph_of(text);
        let program = Program::compile(&graph, &[id], SIZES);
        let mut evaluator = Evaluator::<1>::new(&program, Level::detect());
        evaluator.set_parameters(0, &p);
        let mut out = [[0.0]];
        evaluator.eval(&[0.4], &x.map(|x| [x]), &[], &mut out);
        let direct = graph.evaluate(&[id], Leaves { t: 0.4, x: &x, p: &p, z: &[] })[0];
        // The program fuses products with sums: one rounding less.
        assert!((out[0][0] - direct).abs() <= 4e-15 * (1.0 + direct.abs()), "{text}: {} and {direct}", out[0][0]);
    }
}

#[test]
fn derivative_equals_central_difference() {
    let (x, p) = ([1.3, 0.7, 2.4], [1.7, 0.6]);
    for text in EXPRESSIONS {
        let (mut graph, id) = graph_of(text);
        let states: Vec<Id> = (0..3).map(|i| graph.state(i)).collect();
        let row = jacobian(&mut graph, &[id], &states).remove(0);
        let exact = graph.evaluate(&row, Leaves { t: 0.4, x: &x, p: &p, z: &[] });
        for i in 0..3 {
            let at = |step: f64| {
                let mut moved = x;
                moved[i] += step;
                graph.evaluate(&[id], Leaves { t: 0.4, x: &moved, p: &p, z: &[] })[0]
            };
            // Fourth-order differences: truncation h^4, rounding 1e-16/h.
            let h = 1e-3;
            let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
            assert!(
                (difference - exact[i]).abs() < 1e-8 * (1.0 + exact[i].abs()),
                "{text} by {i}: {difference} and {}",
                exact[i]
            );
        }
    }
}

#[test]
fn exprel_and_its_derivatives_are_integrals() {
    // The n-th derivative is the integral of s^n e^(s x) over [0, 1]: Gauss-Legendre by subdivision.
    let function = bestiary::expr::functions::find("exprel").unwrap();
    for order in 0..24u8 {
        for x in [-60.0, -31.0, -7.5, -1.0, -1e-3, 0.0, 1e-9, 0.3, 2.0, 12.0, 31.0, 45.0] {
            let integral: f64 = (0..2000)
                .flat_map(|k| [-1.0, 1.0].map(|side| (k as f64 + 0.5 + side / (2.0 * 3f64.sqrt())) / 2000.0))
                .map(|s: f64| s.powi(i32::from(order)) * (s * x).exp() / 4000.0)
                .sum();
            let value = function.one(order, x);
            assert!((value / integral - 1.0).abs() < 1e-6, "order {order} at {x}: {value} and {integral}");
        }
    }
}

#[test]
fn definitions_in_any_order_and_local_functions() {
    let text = "x' = f(q, y)\nq = 2*r\nr = x + 1\nf(u, v) = u*v + a\ny' = 0\nz' = 0";
    let statements = parse_document(text).unwrap();
    let symbols = symbols();
    let mut expander = Expander::new(&symbols, text, &statements).unwrap();
    let id = expander.statement(&statements[0], &[]).unwrap();
    let value = expander.graph.evaluate(&[id], Leaves { t: 0.0, x: &[3.0, 5.0, 0.0], p: &[7.0, 0.0], z: &[] })[0];
    assert_eq!(value, 2.0 * 4.0 * 5.0 + 7.0);
}

#[test]
fn a_circular_definition_is_refused() {
    let text = "p = q + 1\nq = r*2\nr = p";
    let statements = parse_document(text).unwrap();
    let error = Expander::new(&symbols(), text, &statements).err().expect("refused");
    assert!(error.to_string().contains("circular: p -> q -> r -> p"), "{error}");
}

#[test]
fn a_long_chain_of_definitions_is_not_deep() {
    let mut text = String::from("d0 = x\n");
    for i in 1..20_000 {
        text.push_str(&format!("d{i} = d{} + y\n", i - 1));
    }
    let statements = parse_document(&text).unwrap();
    assert!(Expander::new(&symbols(), &text, &statements).is_ok());
}

#[test]
fn endless_sums_are_refused_quickly() {
    let symbols = symbols();
    let mut expander = Expander::new(&symbols, "", &[]).unwrap();
    for text in ["sum(i = 1..1000000000000, x)", "sum(i = 1..3000, sum(j = 1..3000, x^i))"] {
        let error = expander.expression(text).expect_err("too large");
        assert!(error.to_string().contains("more than"), "{error}");
    }
}

#[test]
fn unknown_names_point_at_the_character_and_suggest() {
    let symbols = symbols();
    let mut expander = Expander::new(&symbols, "", &[]).unwrap();
    match expander.expression("x + sim(y)") {
        Err(Error::Language { message, column, .. }) => {
            assert_eq!(column, 5);
            assert!(message.contains("unknown function `sim`, did you mean `sin`?"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}
