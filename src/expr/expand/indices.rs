//! Indices: whole numbers, conditions on them, and how far they run.

use super::{Expander, Frame, Symbol};
use crate::error::{Error, Result};
use crate::expr::ast::{Condition, Expr, ExprKind, Factor, Sign};
use crate::expr::graph::holds;
use crate::expr::visit::index_uses;

impl Expander<'_> {
    /// The truth of a condition that involves only indices and numbers.
    pub(super) fn decided(&self, condition: &Condition, frame: &Frame<'_>) -> Option<bool> {
        match condition {
            Condition::Compare(comparison, a, b) => {
                let a = self.whole(a, frame).ok()?.0;
                let b = self.whole(b, frame).ok()?.0;
                Some(holds(*comparison, a as f64, b as f64))
            }
            Condition::And(a, b) => match (self.decided(a, frame), self.decided(b, frame)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Condition::Or(a, b) => match (self.decided(a, frame), self.decided(b, frame)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Condition::Not(a) => self.decided(a, frame).map(|truth| !truth),
        }
    }

    /// A whole number made of indices, structural integers and numbers, and whether an index variable is in it.
    pub(super) fn whole(&self, expr: &Expr, frame: &Frame<'_>) -> Result<(i64, bool)> {
        let refuse =
            |what: &str| Err(Error::at(frame.text, expr.at, format!("{what} in a place that needs a whole number")));
        let too_large = || Error::at(frame.text, expr.at, "the whole number is too large");
        match &expr.kind {
            ExprKind::Number(value) if *value == value.trunc() && *value < 1e15 => Ok((*value as i64, false)),
            ExprKind::Number(_) => refuse("a fraction"),
            ExprKind::Name(name) => {
                if let Some((_, value)) = frame.indices.iter().rev().find(|(index, _)| *index == name) {
                    return Ok((*value, true));
                }
                match self.symbols.get(name) {
                    Some(Symbol::Structure(value)) => Ok((*value, false)),
                    Some(_) => refuse(&format!("`{name}`, which is not a structural integer,")),
                    None => Err(self.unknown("index", name, expr.at, frame)),
                }
            }
            ExprKind::Negate(a) => self.whole(a, frame).map(|(value, varies)| (-value, varies)),
            ExprKind::Sum(terms) => {
                let mut total = (0i64, false);
                for (sign, term) in terms {
                    let (value, varies) = self.whole(term, frame)?;
                    let sum = match sign {
                        Sign::Plus => total.0.checked_add(value),
                        Sign::Minus => total.0.checked_sub(value),
                    };
                    total = (sum.ok_or_else(too_large)?, total.1 || varies);
                }
                Ok(total)
            }
            ExprKind::Product(factors) => {
                let mut total = (1i64, false);
                for (how, factor) in factors {
                    let (value, varies) = self.whole(factor, frame)?;
                    total.1 |= varies;
                    total.0 = match how {
                        Factor::Times => total.0.checked_mul(value).ok_or_else(too_large)?,
                        Factor::Over if value != 0 && total.0 % value == 0 => total.0 / value,
                        Factor::Over => return refuse("a quotient that is not whole"),
                    };
                }
                Ok(total)
            }
            ExprKind::Call(name, arguments) if name == "mod" && arguments.len() == 2 => {
                let (a, varies) = self.whole(&arguments[0], frame)?;
                let (m, also) = self.whole(&arguments[1], frame)?;
                if m <= 0 {
                    return refuse("mod by a number that is not positive,");
                }
                Ok((a.rem_euclid(m), varies || also))
            }
            _ => refuse("an expression"),
        }
    }

    /// How far `index` runs in `body`, from the sizes of what it indexes.
    pub(super) fn range(&mut self, index: &str, body: &Expr, text: &str) -> Result<Option<i64>> {
        let mut uses = Vec::new();
        index_uses(index, body, &mut uses);
        let mut found: Option<(i64, String)> = None;
        for (name, place, at) in uses {
            let size = match self.symbols.get(&name).cloned() {
                Some(Symbol::State { size, .. }) if place == 0 => size.map(|n| n as i64),
                Some(Symbol::Parameter { shape, .. }) => shape.get(place).map(|&n| n as i64),
                Some(Symbol::Definition(k)) if place < self.statements[k].indices.len() => {
                    self.range_of_definition(k, place)?
                }
                _ => None,
            };
            match (size, &found) {
                (Some(n), Some((m, other))) if n != *m => {
                    let message = format!(
                        "`{index}` runs over `{other}` with {m} and `{name}` with {n} elements: write {index} = 1..{n} or the like"
                    );
                    return Err(Error::at(text, at, message));
                }
                (Some(n), _) => found = Some((n, name)),
                (None, _) => {}
            }
        }
        Ok(found.map(|(n, _)| n))
    }

    pub(super) fn range_of_definition(&mut self, k: usize, place: usize) -> Result<Option<i64>> {
        if let Some(&size) = self.ranges.get(&(k, place)) {
            return Ok(size);
        }
        let statement = &self.statements[k];
        let size = self.range(&statement.indices[place], &statement.body, self.text)?;
        self.ranges.insert((k, place), size);
        Ok(size)
    }
}
