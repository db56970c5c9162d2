//! The table of functions: one row for each, with its value, derivative, LaTeX and NumPy form.
//!
//! The derivative serves twice: for symbolic differentiation, and for Taylor series, which follow from
//! `y' = f'(x) x'` order by order, also where `f'` contains `y` itself. To add a function, add a row.
//!
//! Values come from `libm`, a pure-Rust library, so that every machine gives the same bits.

use super::ast::Comparison;
use super::graph::{Graph, Id};

/// How a function is evaluated.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Of one argument.
    One(fn(f64) -> f64),
    /// Of one argument, with derivatives of every order in the same family: a second argument states the order.
    Family(fn(u8, f64) -> f64),
    /// Of two arguments.
    Two(fn(f64, f64) -> f64),
    /// Written in terms of other functions when the graph is built; the least and greatest number of arguments.
    Derived(usize, usize, fn(&mut Graph, &[Id]) -> Id),
}

/// Partial derivatives of `y = f(arguments)`; `order` is 0 but for families.
pub type Derivative = fn(graph: &mut Graph, arguments: &[Id], y: Id, order: u8) -> Vec<Id>;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Name in the language.
    pub name: &'static str,
    /// How it is evaluated.
    pub value: Value,
    /// Its partial derivatives (almost everywhere, for kinks and jumps).
    pub derivative: Derivative,
    /// LaTeX with `{0}`, `{1}`, `{2}` for the arguments; `{*}` for all of them, separated by commas.
    pub latex: &'static str,
    /// NumPy expression with the same places; empty for functions that are written in terms of others.
    pub numpy: &'static str,
    /// Whether all derivatives exist on the whole domain.
    pub smooth: bool,
}

impl Function {
    /// The least and greatest number of arguments.
    pub fn arity(&self) -> (usize, usize) {
        match self.value {
            Value::One(_) => (1, 1),
            Value::Family(_) => (1, 2),
            Value::Two(_) => (2, 2),
            Value::Derived(least, most, _) => (least, most),
        }
    }

    /// Value of a function of one argument.
    #[inline]
    pub fn one(&self, order: u8, x: f64) -> f64 {
        match self.value {
            Value::One(f) => f(x),
            Value::Family(f) => f(order, x),
            _ => f64::NAN,
        }
    }
}

/// The row number of `name`.
pub fn row(name: &str) -> Option<u8> {
    TABLE.iter().position(|function| function.name == name).map(|i| i as u8)
}

/// The row of `name`, if it is a function that the language knows.
pub fn find(name: &str) -> Option<&'static Function> {
    TABLE.iter().find(|function| function.name == name)
}

/// All names.
pub fn names<'a>() -> impl Iterator<Item = &'a str> {
    TABLE.iter().map(|function| function.name)
}

const fn function(
    name: &'static str,
    value: Value,
    derivative: Derivative,
    latex: &'static str,
    numpy: &'static str,
) -> Function {
    Function { name, value, derivative, latex, numpy, smooth: true }
}

const fn kinked(
    name: &'static str,
    value: Value,
    derivative: Derivative,
    latex: &'static str,
    numpy: &'static str,
) -> Function {
    Function { name, value, derivative, latex, numpy, smooth: false }
}

/// A row whose derivative is that of what it expands to.
const fn derived(
    name: &'static str,
    (least, most): (usize, usize),
    expand: fn(&mut Graph, &[Id]) -> Id,
    latex: &'static str,
    numpy: &'static str,
    smooth: bool,
) -> Function {
    let never: Derivative = |_, _, _, _| unreachable!("derived functions do not appear in a graph");
    Function { name, value: Value::Derived(least, most, expand), derivative: never, latex, numpy, smooth }
}

/// Any number of arguments.
const MANY: usize = usize::MAX;

/// Every function of the language.
#[rustfmt::skip]
pub static TABLE: &[Function] = &[
    function("exp", Value::One(libm::exp), |_, _, y, _| vec![y], r"e^{{0}}", "np.exp({0})"),
    function("log", Value::One(libm::log), |g, a, _, _| vec![reciprocal(g, a[0])], r"\ln {0}", "np.log({0})"),
    function("sqrt", Value::One(f64::sqrt), |g, _, y, _| { let d = scale(g, 2.0, y); vec![reciprocal(g, d)] }, r"\sqrt{{0}}", "np.sqrt({0})"),
    function("cbrt", Value::One(libm::cbrt), |g, _, y, _| { let s = g.power(y, 2); let d = scale(g, 3.0, s); vec![reciprocal(g, d)] }, r"\sqrt[3]{{0}}", "np.cbrt({0})"),
    function("sin", Value::One(libm::sin), |g, a, _, _| vec![g.apply("cos", a)], r"\sin {0}", "np.sin({0})"),
    function("cos", Value::One(libm::cos), |g, a, _, _| { let s = g.apply("sin", a); vec![g.neg(s)] }, r"\cos {0}", "np.cos({0})"),
    function("tan", Value::One(libm::tan), |g, _, y, _| vec![one_plus_square(g, y)], r"\tan {0}", "np.tan({0})"),
    function("asin", Value::One(libm::asin), |g, a, _, _| vec![arc_slope(g, a[0])], r"\arcsin {0}", "np.arcsin({0})"),
    function("acos", Value::One(libm::acos), |g, a, _, _| { let s = arc_slope(g, a[0]); vec![g.neg(s)] }, r"\arccos {0}", "np.arccos({0})"),
    function("atan", Value::One(libm::atan), |g, a, _, _| { let d = one_plus_square(g, a[0]); vec![reciprocal(g, d)] }, r"\arctan {0}", "np.arctan({0})"),
    function("sinh", Value::One(libm::sinh), |g, a, _, _| vec![g.apply("cosh", a)], r"\sinh {0}", "np.sinh({0})"),
    function("cosh", Value::One(libm::cosh), |g, a, _, _| vec![g.apply("sinh", a)], r"\cosh {0}", "np.cosh({0})"),
    function("tanh", Value::One(libm::tanh), |g, _, y, _| { let s = g.power(y, 2); let one = g.constant(1.0); vec![g.sub(one, s)] }, r"\tanh {0}", "np.tanh({0})"),
    function("exprel", Value::Family(exprel), |g, a, _, order| vec![g.call(row("exprel").expect("this row"), order + 1, a)], r"\frac{e^{{0}} - 1}{{0}}", "exprel({0})"),
    function("atan2", Value::Two(libm::atan2), arctangent_slopes, r"\operatorname{atan2}({*})", "np.arctan2({0}, {1})"),
    function("pow", Value::Two(libm::pow), power_slopes, r"{0}^{{1}}", "np.power({0}, {1})"),
    kinked("abs", Value::One(f64::abs), |g, a, _, _| vec![g.apply("sign", a)], r"\left|{0}\right|", "np.abs({0})"),
    kinked("sign", Value::One(sign), flat, r"\operatorname{sgn}({0})", "np.sign({0})"),
    kinked("floor", Value::One(f64::floor), flat, r"\lfloor {0} \rfloor", "np.floor({0})"),
    kinked("step", Value::One(step), flat, r"\Theta({0})", "np.heaviside({0}, 0.0)"),
    kinked("sqrt_plus", Value::One(|x| x.max(0.0).sqrt()), |g, a, y, _| {
        let d = scale(g, 2.0, y);
        let slope = reciprocal(g, d);
        vec![where_positive(g, a[0], slope)]
    }, r"\sqrt{\max({0}, 0)}", "np.sqrt(np.maximum({0}, 0.0))"),
    kinked("mod", Value::Two(modulo), |g, a, _, _| {
        let quotient = g.div(a[0], a[1]);
        let whole = g.apply("floor", &[quotient]);
        vec![g.constant(1.0), g.neg(whole)]
    }, r"{0} \bmod {1}", "np.mod({0}, {1})"),
    derived("min", (2, MANY), |g, a| fold(g, a, Comparison::LessEqual), r"\min({*})", "", false),
    derived("max", (2, MANY), |g, a| fold(g, a, Comparison::GreaterEqual), r"\max({*})", "", false),
    derived("sech", (1, 1), |g, a| { let c = g.apply("cosh", a); reciprocal(g, c) }, r"\operatorname{sech} {0}", "", true),
    derived("smooth_square", (3, 3), smooth_square, r"\tfrac12\bigl(1 + \tanh({2} \sin(2\pi {0}/{1}))\bigr)", "", true),
    derived("power_plus", (2, 2), |g, a| {
        let power = g.pow(a[0], a[1]);
        where_positive(g, a[0], power)
    }, r"\max({0}, 0)^{{1}}", "", false),
];

fn scale(graph: &mut Graph, factor: f64, a: Id) -> Id {
    let factor = graph.constant(factor);
    graph.mul(factor, a)
}

fn reciprocal(graph: &mut Graph, a: Id) -> Id {
    let one = graph.constant(1.0);
    graph.div(one, a)
}

fn one_plus_square(graph: &mut Graph, a: Id) -> Id {
    let one = graph.constant(1.0);
    let square = graph.power(a, 2);
    graph.add(one, square)
}

/// 1 / sqrt(1 - x^2).
fn arc_slope(graph: &mut Graph, x: Id) -> Id {
    let one = graph.constant(1.0);
    let square = graph.power(x, 2);
    let rest = graph.sub(one, square);
    let root = graph.apply("sqrt", &[rest]);
    reciprocal(graph, root)
}

fn where_positive(graph: &mut Graph, x: Id, value: Id) -> Id {
    let zero = graph.constant(0.0);
    graph.select(Comparison::Greater, x, zero, value, zero)
}

fn flat(graph: &mut Graph, _: &[Id], _: Id, _: u8) -> Vec<Id> {
    vec![graph.constant(0.0)]
}

fn fold(graph: &mut Graph, arguments: &[Id], comparison: Comparison) -> Id {
    arguments[1..].iter().fold(arguments[0], |best, &a| graph.select(comparison, best, a, best, a))
}

/// 1/2 + tanh(k sin(2 pi t / period)) / 2.
fn smooth_square(graph: &mut Graph, arguments: &[Id]) -> Id {
    let turns = graph.div(arguments[0], arguments[1]);
    let angle = scale(graph, std::f64::consts::TAU, turns);
    let wave = graph.apply("sin", &[angle]);
    let steep = graph.mul(arguments[2], wave);
    let square = graph.apply("tanh", &[steep]);
    let half = graph.constant(0.5);
    let swing = graph.mul(half, square);
    graph.add(half, swing)
}

/// atan2(y, x) has slopes x / (x^2 + y^2) and -y / (x^2 + y^2).
fn arctangent_slopes(graph: &mut Graph, a: &[Id], _: Id, _: u8) -> Vec<Id> {
    let squares = [graph.power(a[0], 2), graph.power(a[1], 2)];
    let radius = graph.add(squares[0], squares[1]);
    let first = graph.div(a[1], radius);
    let second = graph.div(a[0], radius);
    vec![first, graph.neg(second)]
}

/// x^p has slopes p x^p / x and x^p log x; the latter is made only where the exponent varies (see `differentiate`).
fn power_slopes(graph: &mut Graph, a: &[Id], y: Id, _: u8) -> Vec<Id> {
    let scaled = graph.mul(a[1], y);
    let first = graph.div(scaled, a[0]);
    let log = graph.apply("log", &[a[0]]);
    vec![first, graph.mul(y, log)]
}

/// -1, 0 or 1.
fn sign(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { x } else { 1f64.copysign(x) }
}

/// Heaviside's function with value 0 at 0.
fn step(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x.is_nan() {
        x
    } else {
        0.0
    }
}

/// `x - m floor(x / m)`, in [0, m) for positive m and (m, 0] for negative m.
pub fn modulo(x: f64, m: f64) -> f64 {
    let rest = x % m;
    if rest == 0.0 || (rest < 0.0) == (m < 0.0) {
        return rest;
    }
    // The sum rounds up to m itself where the rest is tiny; the value just below is meant.
    let shifted = rest + m;
    if shifted == m { 0.0 } else { shifted }
}

/// The `order`-th derivative of (e^x - 1)/x, which is the integral of s^order e^(s x) over s in [0, 1].
///
/// Integration by parts relates neighbours: I_n = (e^x - n I_(n-1)) / x. Run upwards it keeps its digits while n <= |x|;
/// beyond that it is run downwards from far above, where any start is forgotten.
fn exprel(order: u8, x: f64) -> f64 {
    let n = u32::from(order);
    if n == 0 {
        return if x == 0.0 { 1.0 } else { libm::expm1(x) / x };
    }
    if f64::from(n) <= x.abs() {
        let e = libm::exp(x);
        return (1..=n).fold(libm::expm1(x) / x, |value, k| (e - f64::from(k) * value) / x);
    }
    let e = libm::exp(x);
    let top = n + 40 + 2 * (x.abs() as u32);
    let mut value = e / f64::from(top + 1);
    for k in (n + 1..=top).rev() {
        value = (e - x * value) / f64::from(k);
    }
    value
}
