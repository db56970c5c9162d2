//! Ways out of the graph: text in the language, and the source of a NumPy function.

use super::ast::Comparison;
use super::functions;
use super::graph::{Graph, Id, Op};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::fmt::Write;

fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
    }
}

/// The nodes needed by `roots`, in order, with the number of times each is used.
fn uses(graph: &Graph, roots: &[Id]) -> Vec<u32> {
    let needed = graph.reachable(roots);
    let mut uses = vec![0; needed.len()];
    for root in roots {
        uses[root.0 as usize] += 1;
    }
    for i in (0..needed.len()).filter(|&i| needed[i]) {
        for child in graph.op(Id(i as u32)).children() {
            uses[child.0 as usize] += 1;
        }
    }
    uses
}

/// Longest text that is written out.
const LONGEST: usize = 1_000_000;

/// An expression in the language. Shared subexpressions are written out again.
///
/// # Errors
/// If it would be longer than a million characters.
pub fn text_of(graph: &Graph, root: Id, names: &[String], parameters: &[String]) -> Result<String> {
    // Texts with their binding strength: 0 sum, 1 negation, 2 product, 3 power, 4 atom.
    let mut texts: HashMap<Id, (String, u8)> = HashMap::new();
    let needed = graph.reachable(&[root]);
    for i in (0..needed.len()).filter(|&i| needed[i]) {
        let id = Id(i as u32);
        let at_least = |id: Id, strength: u8| {
            let (text, own) = &texts[&id];
            if *own >= strength { text.clone() } else { format!("({text})") }
        };
        let text = match graph.op(id) {
            Op::Constant(bits) => number(f64::from_bits(bits)),
            Op::Time => ("t".to_owned(), 4),
            Op::State(k) => (names[k as usize].clone(), 4),
            Op::Parameter(k) => (parameters[k as usize].clone(), 4),
            Op::Delayed(k) => (format!("delayed{}", k + 1), 4),
            Op::Add(a, b) => (format!("{} + {}", at_least(a, 0), at_least(b, 1)), 0),
            Op::Sub(a, b) => (format!("{} - {}", at_least(a, 0), at_least(b, 2)), 0),
            Op::Mul(a, b) => (format!("{}*{}", at_least(a, 2), at_least(b, 3)), 2),
            Op::Div(a, b) => (format!("{}/{}", at_least(a, 2), at_least(b, 3)), 2),
            Op::Neg(a) => (format!("-{}", at_least(a, 2)), 1),
            Op::Power(a, n) if n < 0 => (format!("{}^({n})", at_least(a, 4)), 3),
            Op::Power(a, n) => (format!("{}^{n}", at_least(a, 4)), 3),
            Op::Unary(row, order, a) => {
                let name = functions::TABLE[row as usize].name;
                let primes = if order == 0 { String::new() } else { format!(", {order}") };
                (format!("{name}({}{primes})", texts[&a].0), 4)
            }
            Op::Binary(row, a, b) => {
                (format!("{}({}, {})", functions::TABLE[row as usize].name, texts[&a].0, texts[&b].0), 4)
            }
            Op::Select(comparison, a, b, c, d) => {
                let condition = format!("{} {} {}", texts[&a].0, symbol(comparison), texts[&b].0);
                (format!("where({condition}, {}, {})", texts[&c].0, texts[&d].0), 4)
            }
        };
        if text.0.len() > LONGEST {
            return Err(Error::value(format!("written out, the expression is longer than {LONGEST} characters")));
        }
        texts.insert(id, text);
    }
    Ok(texts.remove(&root).map(|(text, _)| text).unwrap_or_default())
}

fn number(value: f64) -> (String, u8) {
    if value < 0.0 { (format!("-{:?}", -value), 1) } else { (format!("{value:?}"), 4) }
}

/// The derivative of order n of (e^x - 1)/x, the integral of s^n e^(s x) over [0, 1], by Gauss-Legendre quadrature.
const EXPREL: &str = "\
def exprel(x, n=0):
    nodes, weights = np.polynomial.legendre.leggauss(64)
    s = 0.5 * (nodes + 1.0)
    return np.sum(0.5 * weights * s**n * np.exp(s * np.asarray(x)[..., None]), axis=-1)


";

/// Source of `rhs(x, t, p)`: x of shape (d, …), t and p broadcastable, result of shape (d, …).
pub fn numpy_source(graph: &Graph, roots: &[Id]) -> String {
    let uses = uses(graph, roots);
    let is_used = |i: &usize| uses[*i] > 0;
    let ops = || (0..uses.len()).filter(is_used).map(|i| graph.op(Id(i as u32)));
    let mut source = String::new();
    if ops().any(|op| matches!(op, Op::Unary(row, ..) if functions::TABLE[row as usize].name == "exprel")) {
        source.push_str(EXPREL);
    }
    source.push_str("def rhs(x, t, p, z=()):\n");
    // Both branches of a condition are computed, also where one is not defined.
    let guarded = ops().any(|op| matches!(op, Op::Select(..)));
    let indent = if guarded { "        " } else { "    " };
    if guarded {
        source.push_str("    with np.errstate(all=\"ignore\"):\n");
    }
    let mut texts: HashMap<Id, String> = HashMap::new();
    for i in (0..uses.len()).filter(|&i| uses[i] > 0) {
        let id = Id(i as u32);
        let op = graph.op(id);
        let of = |id: &Id| texts[id].clone();
        let text = match &op {
            Op::Constant(bits) => match f64::from_bits(*bits) {
                value if value.is_finite() => number(value).0,
                value if value.is_nan() => "np.nan".to_owned(),
                value => if value > 0.0 { "np.inf" } else { "-np.inf" }.to_owned(),
            },
            Op::Time => "t".to_owned(),
            Op::State(k) => format!("x[{k}]"),
            Op::Parameter(k) => format!("p[{k}]"),
            Op::Delayed(k) => format!("z[{k}]"),
            Op::Add(a, b) => format!("({} + {})", of(a), of(b)),
            Op::Sub(a, b) => format!("({} - {})", of(a), of(b)),
            Op::Mul(a, b) => format!("({} * {})", of(a), of(b)),
            Op::Div(a, b) => format!("({} / {})", of(a), of(b)),
            Op::Neg(a) => format!("(-{})", of(a)),
            Op::Power(a, n) => format!("({} ** {n}.0)", of(a)),
            Op::Unary(row, 0, a) => fill(functions::TABLE[*row as usize].numpy, &[of(a)]),
            Op::Unary(row, order, a) => format!("{}({}, {order})", functions::TABLE[*row as usize].name, of(a)),
            Op::Binary(row, a, b) => fill(functions::TABLE[*row as usize].numpy, &[of(a), of(b)]),
            Op::Select(comparison, a, b, c, d) => {
                format!("np.where({} {} {}, {}, {})", of(a), symbol(*comparison), of(b), of(c), of(d))
            }
        };
        let leaf = op.children().next().is_none();
        if leaf || uses[i] == 1 {
            texts.insert(id, text);
        } else {
            let _ = writeln!(source, "{indent}v{i} = {text}");
            texts.insert(id, format!("v{i}"));
        }
    }
    let results: Vec<&str> = roots.iter().map(|root| texts[root].as_str()).collect();
    let _ = writeln!(source, "{indent}return np.stack(np.broadcast_arrays({}))", results.join(", "));
    source
}

fn fill(template: &str, arguments: &[String]) -> String {
    let places = arguments.iter().enumerate();
    places.fold(template.to_owned(), |text, (i, argument)| text.replace(&format!("{{{i}}}"), argument))
}
