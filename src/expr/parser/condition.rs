//! The conditions of `where`: comparisons joined by `and`, `or`, `not`.

use super::{Parsed, Parser};
use crate::error::Error;
use crate::expr::ast::{Comparison, Condition};
use crate::expr::lexer::TokenKind;

impl Parser<'_> {
    /// Alternatives. Each `and` and `or` is a level of nesting, as the tree groups them to the right.
    pub(super) fn condition(&mut self) -> Parsed<Box<Condition>> {
        let left = self.both()?;
        if self.kind() != TokenKind::Name("or") {
            return Ok(left);
        }
        self.next += 1;
        self.enter()?;
        let right = self.condition()?;
        self.depth -= 1;
        Ok(Box::new(Condition::Or(left, right)))
    }

    fn both(&mut self) -> Parsed<Box<Condition>> {
        let left = self.negation()?;
        if self.kind() != TokenKind::Name("and") {
            return Ok(left);
        }
        self.next += 1;
        self.enter()?;
        let right = self.both()?;
        self.depth -= 1;
        Ok(Box::new(Condition::And(left, right)))
    }

    fn negation(&mut self) -> Parsed<Box<Condition>> {
        let is_not = self.kind() == TokenKind::Name("not");
        if !is_not && self.kind() != (TokenKind::Open { condition: true }) {
            return self.comparison();
        }
        self.next += 1;
        self.enter()?;
        let inner = if is_not { Box::new(Condition::Not(self.negation()?)) } else { self.condition()? };
        self.depth -= 1;
        if !is_not {
            self.expect_close("`and`, `or` or `)`")?;
        }
        Ok(inner)
    }

    fn comparison(&mut self) -> Parsed<Box<Condition>> {
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
            let spans = [(start, middle.at), (middle.at, middle.end), (right_start, self.token().at)];
            return Err(self.chained(spans.map(|(from, to)| &self.text[from..to])));
        }
        Ok(Box::new(Condition::Compare(comparison, *left, *right)))
    }

    /// `a < b <` and so on.
    fn chained(&self, [a, first, b]: [&str; 3]) -> Box<Error> {
        let (a, b, found) = (a.trim_end(), b.trim_end(), self.found());
        let message = if a.len() + b.len() < 60 {
            format!("comparisons are not chained; write `{a} {first} {b} and {b} {} …`", found.trim_matches('`'))
        } else {
            "comparisons are not chained; write `a < b and b < c`".to_owned()
        };
        self.error(message)
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
