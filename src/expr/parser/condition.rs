//! The conditions of `where`: comparisons joined by `and`, `or`, `not`.

use super::Parser;
use crate::error::Result;
use crate::expr::ast::{Comparison, Condition};
use crate::expr::lexer::TokenKind;

impl Parser<'_> {
    /// Alternatives. Each `and` and `or` is a level of nesting, as the tree groups them to the right.
    pub(super) fn condition(&mut self) -> Result<Condition> {
        let left = self.both()?;
        if self.kind() != TokenKind::Name("or") {
            return Ok(left);
        }
        self.next += 1;
        self.enter()?;
        let right = self.condition()?;
        self.depth -= 1;
        Ok(Condition::Or(Box::new(left), Box::new(right)))
    }

    fn both(&mut self) -> Result<Condition> {
        let left = self.negation()?;
        if self.kind() != TokenKind::Name("and") {
            return Ok(left);
        }
        self.next += 1;
        self.enter()?;
        let right = self.both()?;
        self.depth -= 1;
        Ok(Condition::And(Box::new(left), Box::new(right)))
    }

    fn negation(&mut self) -> Result<Condition> {
        let is_not = self.kind() == TokenKind::Name("not");
        if !is_not && self.kind() != (TokenKind::Open { condition: true }) {
            return self.comparison();
        }
        self.next += 1;
        self.enter()?;
        let inner = if is_not { Condition::Not(Box::new(self.negation()?)) } else { self.condition()? };
        self.depth -= 1;
        if !is_not {
            self.expect_close("`and`, `or` or `)`")?;
        }
        Ok(inner)
    }

    fn comparison(&mut self) -> Result<Condition> {
        let start = self.token().at;
        let left = self.sum()?;
        let middle = self.token();
        let Some(comparison) = self::comparison(middle.kind) else {
            return Err(match middle.kind {
                TokenKind::Mark("=") => self.error("a test for equality is written `==`"),
                _ => self.expected("a comparison (`<`, `<=`, `>`, `>=`, `==`, `!=`)"),
            });
        };
        self.next += 1;
        let right_start = self.token().at;
        let right = self.sum()?;
        if self::comparison(self.kind()).is_some() {
            let a = &self.text[start..middle.at].trim_end();
            let b = self.text[right_start..self.token().at].trim_end();
            let (first, second) = (&self.text[middle.at..middle.end], self.found());
            let message = if a.len() + b.len() < 60 {
                format!("comparisons are not chained; write `{a} {first} {b} and {b} {} …`", second.trim_matches('`'))
            } else {
                "comparisons are not chained; write `a < b and b < c`".to_owned()
            };
            return Err(self.error(message));
        }
        Ok(Condition::Compare(comparison, left, right))
    }
}

fn comparison(kind: TokenKind<'_>) -> Option<Comparison> {
    match kind {
        TokenKind::Mark("<") => Some(Comparison::Less),
        TokenKind::Mark("<=") => Some(Comparison::LessEqual),
        TokenKind::Mark(">") => Some(Comparison::Greater),
        TokenKind::Mark(">=") => Some(Comparison::GreaterEqual),
        TokenKind::Mark("==") => Some(Comparison::Equal),
        TokenKind::Mark("!=") => Some(Comparison::NotEqual),
        _ => None,
    }
}
