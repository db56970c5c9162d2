//! From the tree back to text, in one canonical form with no more parentheses than the grammar needs.
//!
//! `x*(rho - z) - y`, `a/(b*c)`, `-x^2`: spaces around `+` and `-` (but none within indices and bounds), around `=`
//! and comparisons, none around `*`, `/`, `^`. Parsing the result gives the same tree if the tree has the normal form
//! described in [`super::parser`]; because only needed parentheses are printed, the text is never nested deeper than
//! the one the tree came from.

use super::ast::{Comparison, Condition, Expr, ExprKind, Factor, Reduction, Role, Sign, Statement};

/// An expression as text.
pub fn print_expression(expression: &Expr) -> String {
    let mut out = String::new();
    Printed::new(expression).write(&mut out);
    out
}

/// A statement as text, on one line.
pub fn print_statement(statement: &Statement) -> String {
    let Statement { role, name, indices, arguments, process, body, .. } = statement;
    let mut left = name.clone();
    enclose(&mut left, '[', indices, ']');
    enclose(&mut left, '(', arguments, ')');
    if let Some((name, indices)) = process {
        left.push_str(", ");
        left.push_str(name);
        enclose(&mut left, '[', indices, ']');
    }
    let body = print_expression(body);
    match role {
        Role::Derivative => format!("{left}' = {body}"),
        Role::Next => format!("next({left}) = {body}"),
        Role::Noise => format!("noise({left}) = {body}"),
        Role::Local => format!("{left} = {body}"),
    }
}

/// Appends a list between brackets, if there is one.
fn enclose(left: &mut String, open: char, list: &[String], close: char) {
    if !list.is_empty() {
        left.push(open);
        left.push_str(&list.join(", "));
        left.push(close);
    }
}

/// Statements as text, one a line, without a line break at the end.
pub fn print_document(statements: &[Statement]) -> String {
    statements.iter().map(print_statement).collect::<Vec<_>>().join("\n")
}

/// A literal in the fewest digits that give the same number back.
pub fn print_number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 1e16 || (magnitude < 1e-5 && magnitude > 0.0) { format!("{value:e}") } else { value.to_string() }
}

/// The place an expression stands in, which decides about its parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// By itself: between brackets, commas, comparisons.
    Alone,
    /// First term of a sum, where another sum would be flattened.
    FirstTerm,
    /// Later term of a sum, or behind a minus sign there.
    Term,
    /// First factor of a product.
    FirstFactor,
    /// Later factor of a product, or an exponent, or behind a minus sign there.
    Factor,
    /// Base of a power.
    Base,
}

impl Place {
    /// Whether `kind` must be parenthesised here.
    fn encloses(self, kind: &ExprKind) -> bool {
        match kind {
            ExprKind::Sum(_) => !matches!(self, Place::Alone | Place::FirstTerm),
            ExprKind::Negate(_) => matches!(self, Place::FirstFactor | Place::Base),
            ExprKind::Number(value) => value.is_sign_negative() && matches!(self, Place::FirstFactor | Place::Base),
            ExprKind::Product(_) => matches!(self, Place::Factor | Place::Base),
            ExprKind::Power(..) => self == Place::Base,
            _ => false,
        }
    }
}

/// An expression to be printed in its place.
#[derive(Clone, Copy)]
struct Printed<'a> {
    expression: &'a Expr,
    place: Place,
    /// No spaces around `+` and `-`.
    compact: bool,
    /// A `/` follows, before which an exponent 1 must stand in parentheses.
    divided: bool,
}

impl<'a> Printed<'a> {
    fn new(expression: &'a Expr) -> Self {
        Self { expression, place: Place::Alone, compact: false, divided: false }
    }

    /// Another expression that ends where this one ends.
    fn last(self, expression: &'a Expr, place: Place) -> Self {
        Self { expression, place, ..self }
    }

    /// Another expression inside this one.
    fn inner(self, expression: &'a Expr, place: Place) -> Self {
        Self { expression, place, divided: false, ..self }
    }

    fn alone(self, expression: &'a Expr) -> Self {
        self.inner(expression, Place::Alone)
    }

    fn compact(expression: &'a Expr) -> Self {
        Self { compact: true, ..Self::new(expression) }
    }

    fn list(self, out: &mut String, items: &'a [Expr]) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            self.alone(item).write(out);
        }
    }

    fn sign(self, sign: Sign) -> &'static str {
        match (sign, self.compact) {
            (Sign::Plus, false) => " + ",
            (Sign::Minus, false) => " - ",
            (Sign::Plus, true) => "+",
            (Sign::Minus, true) => "-",
        }
    }

    /// `t - delay`, a sum of delays being taken apart.
    fn time_shift(self, out: &mut String, delay: &'a Expr) {
        out.push('t');
        let ExprKind::Sum(terms) = &delay.kind else {
            out.push_str(self.sign(Sign::Minus));
            return self.inner(delay, Place::Term).write(out);
        };
        for (sign, term) in terms {
            out.push_str(self.sign(if *sign == Sign::Plus { Sign::Minus } else { Sign::Plus }));
            self.inner(term, Place::Term).write(out);
        }
    }

    fn write(self, out: &mut String) {
        if self.place.encloses(&self.expression.kind) {
            out.push('(');
            self.alone(self.expression).write(out);
            return out.push(')');
        }
        match &self.expression.kind {
            ExprKind::Number(value) => out.push_str(&print_number(*value)),
            ExprKind::Name(name) => out.push_str(name),
            ExprKind::Index(name, indices) => {
                out.push_str(name);
                out.push('[');
                Self { compact: true, ..self }.list(out, indices);
                out.push(']');
            }
            ExprKind::Delayed(target, delay) => {
                self.alone(target).write(out);
                out.push('(');
                self.time_shift(out, delay);
                out.push(')');
            }
            ExprKind::Negate(operand) => {
                let place = if self.place == Place::Factor { Place::Factor } else { Place::Term };
                out.push('-');
                self.last(operand, place).write(out);
            }
            ExprKind::Sum(terms) => self.sum(out, terms),
            ExprKind::Product(factors) => self.product(out, factors),
            ExprKind::Power(base, exponent) => {
                self.inner(base, Place::Base).write(out);
                out.push('^');
                if self.divided && is_one_with_signs(exponent) {
                    out.push('(');
                    self.alone(exponent).write(out);
                    out.push(')');
                } else {
                    self.last(exponent, Place::Factor).write(out);
                }
            }
            ExprKind::Call(name, arguments) => {
                out.push_str(name);
                out.push('(');
                self.list(out, arguments);
                out.push(')');
            }
            ExprKind::Where(condition, then, otherwise) => {
                out.push_str("where(");
                self.condition(out, condition);
                for value in [then, otherwise] {
                    out.push_str(", ");
                    self.alone(value).write(out);
                }
                out.push(')');
            }
            ExprKind::Reduce(reduction, index, bounds, body) => {
                out.push_str(word(*reduction));
                out.push('(');
                out.push_str(index);
                if let Some((first, last)) = bounds.as_deref() {
                    out.push_str(" = ");
                    Self::compact(first).write(out);
                    out.push_str("..");
                    Self::compact(last).write(out);
                }
                out.push_str(", ");
                self.alone(body).write(out);
                out.push(')');
            }
        }
    }

    fn sum(self, out: &mut String, terms: &'a [(Sign, Expr)]) {
        for (i, (sign, term)) in terms.iter().enumerate() {
            out.push_str(match (i, sign) {
                (0, Sign::Plus) => "",
                (0, Sign::Minus) => "-",
                _ => self.sign(*sign),
            });
            let place = if i == 0 && *sign == Sign::Plus { Place::FirstTerm } else { Place::Term };
            self.inner(term, place).write(out);
        }
    }

    fn product(self, out: &mut String, factors: &'a [(Factor, Expr)]) {
        for (i, (how, factor)) in factors.iter().enumerate() {
            out.push_str(match (i, how) {
                (0, Factor::Times) => "",
                (0, Factor::Over) => "1/",
                (_, Factor::Times) => "*",
                (_, Factor::Over) => "/",
            });
            let place = if i == 0 && *how == Factor::Times { Place::FirstFactor } else { Place::Factor };
            let divided = factors.get(i + 1).is_some_and(|(next, _)| *next == Factor::Over);
            Self { divided, ..self.inner(factor, place) }.write(out);
        }
    }

    fn condition(self, out: &mut String, condition: &'a Condition) {
        match condition {
            Condition::Compare(comparison, left, right) => {
                self.alone(left).write(out);
                out.push_str(match comparison {
                    Comparison::Less => " < ",
                    Comparison::LessEqual => " <= ",
                    Comparison::Greater => " > ",
                    Comparison::GreaterEqual => " >= ",
                    Comparison::Equal => " == ",
                    Comparison::NotEqual => " != ",
                });
                self.alone(right).write(out);
            }
            Condition::And(left, right) => {
                self.grouped(out, left, matches!(**left, Condition::And(..) | Condition::Or(..)));
                out.push_str(" and ");
                self.grouped(out, right, matches!(**right, Condition::Or(..)));
            }
            Condition::Or(left, right) => {
                self.grouped(out, left, matches!(**left, Condition::Or(..)));
                out.push_str(" or ");
                self.grouped(out, right, false);
            }
            Condition::Not(operand) => {
                out.push_str("not ");
                self.grouped(out, operand, matches!(**operand, Condition::And(..) | Condition::Or(..)));
            }
        }
    }

    fn grouped(self, out: &mut String, condition: &'a Condition, parentheses: bool) {
        out.push_str(if parentheses { "(" } else { "" });
        self.condition(out, condition);
        out.push_str(if parentheses { ")" } else { "" });
    }
}

/// `1`, `-1`, `--1`, …
fn is_one_with_signs(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Number(value) => value.abs() == 1.0,
        ExprKind::Negate(operand) => is_one_with_signs(operand),
        _ => false,
    }
}

/// The reserved word of a reduction.
fn word(reduction: Reduction) -> &'static str {
    match reduction {
        Reduction::Sum => "sum",
        Reduction::Product => "product",
        Reduction::Minimum => "minimum",
        Reduction::Maximum => "maximum",
    }
}
