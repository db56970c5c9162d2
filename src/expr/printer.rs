//! From the tree back to text, in one canonical form with no more parentheses than the grammar needs.
//!
//! `x*(rho - z) - y`, `a/(b*c)`, `-x^2`: spaces around `+` and `-` (but none within indices and bounds), around `=`
//! and comparisons, none around `*`, `/`, `^`. Parsing the result gives the same tree if the tree has the normal form
//! described in [`super::parser`]; because only needed parentheses are printed, the text is never nested deeper than
//! the one the tree came from.

use std::fmt::{self, Display, Formatter};

use super::ast::{Comparison, Condition, Expr, ExprKind, Factor, Reduction, Role, Sign, Statement};

/// An expression as text.
pub fn print_expression(expression: &Expr) -> String {
    Printed::new(expression).to_string()
}

/// A statement as text, on one line.
pub fn print_statement(statement: &Statement) -> String {
    let Statement { role, name, indices, arguments, body, .. } = statement;
    let mut left = name.clone();
    for (list, open, close) in [(indices, '[', ']'), (arguments, '(', ')')] {
        if !list.is_empty() {
            left.push(open);
            left.push_str(&list.join(", "));
            left.push(close);
        }
    }
    let body = Printed::new(body);
    match role {
        Role::Derivative => format!("{left}' = {body}"),
        Role::Next => format!("next({left}) = {body}"),
        Role::Noise => format!("noise({left}) = {body}"),
        Role::Local => format!("{left} = {body}"),
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

    fn list(self, f: &mut Formatter<'_>, items: &'a [Expr]) -> fmt::Result {
        for (i, item) in items.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { ", " }, self.alone(item))?;
        }
        Ok(())
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
    fn time_shift(self, f: &mut Formatter<'_>, delay: &'a Expr) -> fmt::Result {
        f.write_str("t")?;
        let ExprKind::Sum(terms) = &delay.kind else {
            return write!(f, "{}{}", self.sign(Sign::Minus), self.inner(delay, Place::Term));
        };
        for (sign, term) in terms {
            let opposite = if *sign == Sign::Plus { Sign::Minus } else { Sign::Plus };
            write!(f, "{}{}", self.sign(opposite), self.inner(term, Place::Term))?;
        }
        Ok(())
    }
}

impl Display for Printed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let this = *self;
        if this.place.encloses(&this.expression.kind) {
            return write!(f, "({})", this.alone(this.expression));
        }
        match &this.expression.kind {
            ExprKind::Number(value) => f.write_str(&print_number(*value)),
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::Index(name, indices) => {
                write!(f, "{name}[")?;
                Self { compact: true, ..this }.list(f, indices)?;
                f.write_str("]")
            }
            ExprKind::Delayed(target, delay) => {
                write!(f, "{}(", this.alone(target))?;
                this.time_shift(f, delay)?;
                f.write_str(")")
            }
            ExprKind::Negate(operand) => {
                let place = if this.place == Place::Factor { Place::Factor } else { Place::Term };
                write!(f, "-{}", this.last(operand, place))
            }
            ExprKind::Sum(terms) => {
                for (i, (sign, term)) in terms.iter().enumerate() {
                    match (i, sign) {
                        (0, Sign::Plus) => write!(f, "{}", this.inner(term, Place::FirstTerm))?,
                        (0, Sign::Minus) => write!(f, "-{}", this.inner(term, Place::Term))?,
                        _ => write!(f, "{}{}", this.sign(*sign), this.inner(term, Place::Term))?,
                    }
                }
                Ok(())
            }
            ExprKind::Product(factors) => {
                for (i, (how, factor)) in factors.iter().enumerate() {
                    f.write_str(match (i, how) {
                        (0, Factor::Times) => "",
                        (0, Factor::Over) => "1/",
                        (_, Factor::Times) => "*",
                        (_, Factor::Over) => "/",
                    })?;
                    let place = if i == 0 && *how == Factor::Times { Place::FirstFactor } else { Place::Factor };
                    let divided = factors.get(i + 1).is_some_and(|(next, _)| *next == Factor::Over);
                    write!(f, "{}", Self { divided, ..this.inner(factor, place) })?;
                }
                Ok(())
            }
            ExprKind::Power(base, exponent) => {
                write!(f, "{}^", this.inner(base, Place::Base))?;
                if this.divided && is_one_with_signs(exponent) {
                    write!(f, "({})", this.alone(exponent))
                } else {
                    write!(f, "{}", this.last(exponent, Place::Factor))
                }
            }
            ExprKind::Call(name, arguments) => {
                write!(f, "{name}(")?;
                this.list(f, arguments)?;
                f.write_str(")")
            }
            ExprKind::Where(condition, then, otherwise) => {
                f.write_str("where(")?;
                this.condition(f, condition)?;
                write!(f, ", {}, {})", this.alone(then), this.alone(otherwise))
            }
            ExprKind::Reduce(reduction, index, bounds, body) => {
                write!(f, "{}({index}", word(*reduction))?;
                if let Some((first, last)) = bounds.as_deref() {
                    write!(f, " = {}..{}", Self::compact(first), Self::compact(last))?;
                }
                write!(f, ", {})", this.alone(body))
            }
        }
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
pub(super) fn word(reduction: Reduction) -> &'static str {
    match reduction {
        Reduction::Sum => "sum",
        Reduction::Product => "product",
        Reduction::Minimum => "minimum",
        Reduction::Maximum => "maximum",
    }
}

impl<'a> Printed<'a> {
    fn condition(self, f: &mut Formatter<'_>, condition: &'a Condition) -> fmt::Result {
        match condition {
            Condition::Compare(comparison, left, right) => {
                let symbol = match comparison {
                    Comparison::Less => "<",
                    Comparison::LessEqual => "<=",
                    Comparison::Greater => ">",
                    Comparison::GreaterEqual => ">=",
                    Comparison::Equal => "==",
                    Comparison::NotEqual => "!=",
                };
                write!(f, "{} {symbol} {}", self.alone(left), self.alone(right))
            }
            Condition::And(left, right) => {
                self.grouped(f, left, matches!(**left, Condition::And(..) | Condition::Or(..)))?;
                f.write_str(" and ")?;
                self.grouped(f, right, matches!(**right, Condition::Or(..)))
            }
            Condition::Or(left, right) => {
                self.grouped(f, left, matches!(**left, Condition::Or(..)))?;
                f.write_str(" or ")?;
                self.grouped(f, right, false)
            }
            Condition::Not(operand) => {
                f.write_str("not ")?;
                self.grouped(f, operand, matches!(**operand, Condition::And(..) | Condition::Or(..)))
            }
        }
    }

    fn grouped(self, f: &mut Formatter<'_>, condition: &'a Condition, parentheses: bool) -> fmt::Result {
        if parentheses {
            f.write_str("(")?;
        }
        self.condition(f, condition)?;
        if parentheses {
            f.write_str(")")?;
        }
        Ok(())
    }
}
