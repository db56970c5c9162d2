//! From the tree to LaTeX, for people to read: indices, sums and definitions stay as they were written.
//!
//! Names become Greek letters and subscripts (`k_max` is k with a roman subscript), quotients become fractions. The
//! result is for display only; it cannot be read back.

use super::ast::{Comparison, Condition, Expr, ExprKind, Factor, Reduction, Role, Sign, Statement};
use super::functions;
use super::printer::print_number;
use std::collections::HashSet;

/// A statement as LaTeX, without surrounding dollar signs.
pub fn latex_statement(statement: &Statement) -> String {
    Writer::new(std::slice::from_ref(statement)).statement(statement)
}

/// One line of LaTeX a statement; in a map every state variable carries its iteration, `x_{n}`.
pub fn latex_document(statements: &[Statement]) -> Vec<String> {
    let writer = Writer::new(statements);
    statements.iter().map(|statement| writer.statement(statement)).collect()
}

/// An expression as LaTeX, without surrounding dollar signs.
pub fn latex_expression(expression: &Expr) -> String {
    Writer::new(&[]).write(expression)
}

/// How tightly a piece of LaTeX holds together, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Sum,
    Product,
    Factor,
    Atom,
}

struct Writer<'a> {
    /// State variables of a map.
    iterated: HashSet<&'a str>,
}

impl<'a> Writer<'a> {
    fn new(statements: &'a [Statement]) -> Self {
        let images = statements.iter().filter(|statement| statement.role == Role::Next);
        Self { iterated: images.map(|statement| statement.name.as_str()).collect() }
    }

    fn statement(&self, statement: &Statement) -> String {
        let Statement { role, name, indices, arguments, body, .. } = statement;
        let mut symbol = Symbol::of(name);
        symbol.subscripts.extend(indices.iter().map(|index| Symbol::of(index).to_latex()));
        let left = match role {
            Role::Derivative => {
                symbol.base = format!("\\dot{{{}}}", symbol.base);
                symbol.to_latex()
            }
            Role::Next => {
                symbol.subscripts.push("n+1".into());
                symbol.to_latex()
            }
            Role::Noise => format!("g_{{{}}}", symbol.to_latex()),
            Role::Local if arguments.is_empty() => symbol.to_latex(),
            Role::Local => {
                let arguments: Vec<String> = arguments.iter().map(|name| Symbol::of(name).to_latex()).collect();
                format!("{}\\left({}\\right)", symbol.to_latex(), arguments.join(", "))
            }
        };
        format!("{left} = {}", self.write(body))
    }

    fn name(&self, name: &str, indices: &[Expr]) -> String {
        let mut symbol = Symbol::of(name);
        symbol.subscripts.extend(indices.iter().map(|index| self.write(index).replace(" + ", "+").replace(" - ", "-")));
        if self.iterated.contains(name) {
            symbol.subscripts.push("n".into());
        }
        symbol.to_latex()
    }

    fn write(&self, expression: &Expr) -> String {
        match &expression.kind {
            ExprKind::Number(value) => number(*value),
            ExprKind::Name(name) => self.name(name, &[]),
            ExprKind::Index(name, indices) => self.name(name, indices),
            ExprKind::Delayed(target, delay) => {
                format!("{}\\left(t - {}\\right)", self.write(target), self.at_least(delay, Tightness::Product))
            }
            ExprKind::Negate(operand) => format!("-{}", self.at_least(operand, Tightness::Product)),
            ExprKind::Sum(terms) => self.sum(terms),
            ExprKind::Product(factors) => self.product(factors),
            ExprKind::Power(base, exponent) => self.power(base, exponent),
            ExprKind::Call(name, arguments) => self.call(name, arguments),
            ExprKind::Where(condition, then, otherwise) => format!(
                "\\begin{{cases}} {} & \\text{{if }} {} \\\\ {} & \\text{{otherwise}} \\end{{cases}}",
                self.write(then),
                self.condition(condition),
                self.write(otherwise)
            ),
            ExprKind::Reduce(reduction, index, bounds, body) => {
                let operator = match reduction {
                    Reduction::Sum => "\\sum",
                    Reduction::Product => "\\prod",
                    Reduction::Minimum => "\\min",
                    Reduction::Maximum => "\\max",
                };
                let index = Symbol::of(index).to_latex();
                let range = match bounds.as_deref() {
                    Some((first, last)) => match reduction {
                        Reduction::Sum | Reduction::Product => {
                            format!("_{{{index}={}}}^{{{}}}", self.write(first), self.write(last))
                        }
                        _ => format!("_{{{} \\le {index} \\le {}}}", self.write(first), self.write(last)),
                    },
                    None => format!("_{{{index}}}"),
                };
                format!("{operator}{range} {}", self.at_least(body, Tightness::Product))
            }
        }
    }

    fn tightness(&self, expression: &Expr) -> Tightness {
        match &expression.kind {
            ExprKind::Number(value) if print_number(*value).contains('e') => Tightness::Product,
            ExprKind::Number(_) | ExprKind::Name(_) | ExprKind::Index(..) => Tightness::Atom,
            ExprKind::Negate(_) | ExprKind::Sum(_) | ExprKind::Reduce(..) | ExprKind::Where(..) => Tightness::Sum,
            ExprKind::Product(_) => Tightness::Product,
            ExprKind::Call(name, _) => match functions::find(name).map(|function| function.latex) {
                Some(template) if template.contains("\\bmod") => Tightness::Sum,
                Some(template) if template.starts_with("\\sqrt") || template.starts_with("\\left|") => Tightness::Atom,
                _ => Tightness::Factor,
            },
            ExprKind::Power(..) | ExprKind::Delayed(..) => Tightness::Factor,
        }
    }

    /// In parentheses if it is looser than `tightness`.
    fn at_least(&self, expression: &Expr, tightness: Tightness) -> String {
        let written = self.write(expression);
        if self.tightness(expression) < tightness { format!("\\left({written}\\right)") } else { written }
    }

    fn sum(&self, terms: &[(Sign, Expr)]) -> String {
        let mut result = String::new();
        for (i, (sign, term)) in terms.iter().enumerate() {
            // A leading minus needs no parentheses in the first place.
            let is_bare = i == 0 && matches!(term.kind, ExprKind::Negate(_));
            result.push_str(match (i, sign) {
                (0, Sign::Plus) => "",
                (0, Sign::Minus) => "-",
                (_, Sign::Plus) => " + ",
                (_, Sign::Minus) => " - ",
            });
            result.push_str(&if is_bare { self.write(term) } else { self.at_least(term, Tightness::Product) });
        }
        result
    }

    /// Runs of factors and divisors as fractions: `a/b*c` is `\frac{a}{b} c`.
    fn product(&self, factors: &[(Factor, Expr)]) -> String {
        let mut pieces: Vec<String> = Vec::new();
        let mut rest = factors;
        while !rest.is_empty() {
            let above = rest.iter().take_while(|(how, _)| *how == Factor::Times).count();
            let below = rest[above..].iter().take_while(|(how, _)| *how == Factor::Over).count();
            if below == 0 {
                pieces.extend(rest.iter().map(|(_, factor)| self.at_least(factor, Tightness::Factor)));
                break;
            }
            let fraction =
                format!("\\frac{{{}}}{{{}}}", self.juxtaposed(&rest[..above]), self.juxtaposed(&rest[above..above + below]));
            pieces.push(fraction);
            rest = &rest[above + below..];
        }
        join(&pieces)
    }

    /// Factors side by side; a single one stands between the braces of a fraction and needs no parentheses.
    fn juxtaposed(&self, factors: &[(Factor, Expr)]) -> String {
        match factors {
            [] => "1".into(),
            [(_, only)] => self.write(only),
            _ => join(&factors.iter().map(|(_, factor)| self.at_least(factor, Tightness::Factor)).collect::<Vec<_>>()),
        }
    }

    fn power(&self, base: &Expr, exponent: &Expr) -> String {
        let written = self.write(exponent);
        if let (ExprKind::Call(name, arguments), ExprKind::Number(_)) = (&base.kind, &exponent.kind)
            && let ([argument], Some(function)) = (arguments.as_slice(), functions::find(name))
            && let Some(command) = function.latex.strip_suffix(" {0}")
        {
            return format!("{command}^{{{written}}}\\left({}\\right)", self.write(argument));
        }
        format!("{}^{{{written}}}", self.at_least(base, Tightness::Atom))
    }

    /// A built-in function by its template, another one by its name.
    fn call(&self, name: &str, arguments: &[Expr]) -> String {
        let all = || arguments.iter().map(|argument| self.write(argument)).collect::<Vec<_>>().join(", ");
        let Some(function) = functions::find(name) else {
            return format!("{}\\left({}\\right)", Symbol::of(name).to_latex(), all());
        };
        let mut result = String::new();
        let mut rest = function.latex;
        while let Some(start) = rest.find(['0', '1', '2', '*'].map(|c| c)).and_then(|_| next_place(rest)) {
            let (before, place, after) = (&rest[..start], rest.as_bytes()[start + 1], &rest[start + 3..]);
            result.push_str(before);
            if place == b'*' {
                result.push_str(&all());
            } else if let Some(argument) = arguments.get(usize::from(place - b'0')) {
                let is_bracketed = ["(", "{", "|", "\\lfloor "].iter().any(|open| before.ends_with(open))
                    && [")", "}", ",", "\\right", " \\rfloor", " - 1}"].iter().any(|close| after.starts_with(close));
                if is_bracketed {
                    result.push_str(&self.write(argument));
                } else if after.is_empty() && before.starts_with('\\') && before.ends_with(' ') && !before.contains('b') {
                    result.truncate(result.len() - 1);
                    result.push_str(&format!("\\left({}\\right)", self.write(argument)));
                } else {
                    result.push_str(&self.at_least(argument, Tightness::Atom));
                }
            }
            rest = after;
        }
        result + rest
    }

    fn condition(&self, condition: &Condition) -> String {
        let grouped = |inner: &Condition| match inner {
            Condition::Compare(..) => self.condition(inner),
            _ => format!("\\left({}\\right)", self.condition(inner)),
        };
        match condition {
            Condition::Compare(comparison, left, right) => {
                let symbol = match comparison {
                    Comparison::Less => "<",
                    Comparison::LessEqual => "\\le",
                    Comparison::Greater => ">",
                    Comparison::GreaterEqual => "\\ge",
                    Comparison::Equal => "=",
                    Comparison::NotEqual => "\\ne",
                };
                format!("{} {symbol} {}", self.write(left), self.write(right))
            }
            Condition::And(left, right) => format!("{} \\land {}", grouped(left), grouped(right)),
            Condition::Or(left, right) => format!("{} \\lor {}", grouped(left), grouped(right)),
            Condition::Not(operand) => format!("\\lnot {}", grouped(operand)),
        }
    }
}
