//! The right-hand sides: sums, products, powers, calls, reductions and delayed states.

use super::{Parser, quote};
use crate::error::{Error, Result};
use crate::expr::ast::{Expr, ExprKind, Factor, Reduction, Sign};
use crate::expr::functions;
use crate::expr::lexer::{Token, TokenKind};

impl Parser<'_> {
    pub(super) fn sum(&mut self) -> Result<Expr> {
        let first = self.term()?;
        let mut sign = match self.sign() {
            Some(sign) => sign,
            None => return Ok(first),
        };
        let at = first.at;
        let mut terms = match first.kind {
            ExprKind::Sum(terms) => terms,
            _ => vec![(Sign::Plus, first)],
        };
        loop {
            terms.push((sign, self.term()?));
            sign = match self.sign() {
                Some(sign) => sign,
                None => return Ok(Expr { kind: ExprKind::Sum(terms), at }),
            };
        }
    }

    fn sign(&mut self) -> Option<Sign> {
        if self.take("+") {
            Some(Sign::Plus)
        } else if self.take("-") {
            Some(Sign::Minus)
        } else {
            None
        }
    }

    fn term(&mut self) -> Result<Expr> {
        let at = self.token().at;
        if self.take("-") {
            return self.negated(at, Self::term);
        }
        let first = self.factor()?;
        let Some(mut how) = self.times_or_over()? else { return Ok(first) };
        let at = first.at;
        let mut factors = match first.kind {
            ExprKind::Product(factors) => factors,
            _ => vec![(Factor::Times, first)],
        };
        loop {
            factors.push((how, self.signed_factor()?));
            how = match self.times_or_over()? {
                Some(how) => how,
                None => return Ok(Expr { kind: ExprKind::Product(factors), at }),
            };
        }
    }

    /// What follows a minus sign at `at`, read by `operand`.
    fn negated(&mut self, at: usize, operand: fn(&mut Self) -> Result<Expr>) -> Result<Expr> {
        self.enter()?;
        let operand = operand(self)?;
        self.depth -= 1;
        Ok(Expr { kind: ExprKind::Negate(Box::new(operand)), at })
    }

    /// `*` or `/`; a `/` straight after the exponent 1 is refused.
    fn times_or_over(&mut self) -> Result<Option<Factor>> {
        if self.take("*") {
            return Ok(Some(Factor::Times));
        }
        if !self.take("/") {
            return Ok(None);
        }
        let mut before = self.tokens[..self.next - 1].iter().rev();
        if let Some(Token { kind: TokenKind::Number(1.0), .. }) = before.next()
            && let Some(caret) = before.find(|token| token.kind != TokenKind::Mark("-"))
            && caret.kind == TokenKind::Mark("^")
        {
            let exponent = &self.text[caret.end..self.tokens[self.next - 1].at].trim();
            let divisor = match self.kind() {
                TokenKind::Number(_) | TokenKind::Name(_) => &self.text[self.token().at..self.token().end],
                _ => "…",
            };
            return Err(Error::at(
                self.text,
                caret.at,
                format!(
                    "is `(…^{exponent})/{divisor}` or `…^({exponent}/{divisor})` meant? The parentheses are needed"
                ),
            ));
        }
        Ok(Some(Factor::Over))
    }

    /// A factor behind an operator, where a minus sign binds only as far as the power: `a*-b*c` is `(a*(-b))*c`.
    fn signed_factor(&mut self) -> Result<Expr> {
        let at = self.token().at;
        if self.take("-") { self.negated(at, Self::signed_factor) } else { self.factor() }
    }

    fn factor(&mut self) -> Result<Expr> {
        let base = self.atom()?;
        if !self.take("^") {
            return Ok(base);
        }
        self.enter()?;
        let exponent = self.signed_factor()?;
        self.depth -= 1;
        let at = base.at;
        Ok(Expr { kind: ExprKind::Power(Box::new(base), Box::new(exponent)), at })
    }

    fn atom(&mut self) -> Result<Expr> {
        let Token { kind, at, .. } = self.token();
        match kind {
            TokenKind::Number(value) => {
                self.next += 1;
                Ok(Expr { kind: ExprKind::Number(value), at })
            }
            TokenKind::Name(name) => self.named(name, at),
            TokenKind::Open { condition: false } => {
                self.next += 1;
                self.enter()?;
                let inner = self.sum()?;
                self.depth -= 1;
                self.expect_close("an operator or `)`")?;
                Ok(inner)
            }
            TokenKind::Open { condition: true } => Err(self.error(
                "expected an expression, found a condition; conditions stand in the first place of \
                 `where(condition, a, b)` only",
            )),
            _ => Err(self.missing_expression()),
        }
    }

    fn missing_expression(&self) -> Error {
        let after = match self.next.checked_sub(1).map(|position| self.tokens[position]) {
            Some(Token { kind: TokenKind::EndOfStatement, .. }) | None => String::new(),
            Some(Token { at, end, .. }) => format!(" after {}", quote(&self.text[at..end])),
        };
        let advice = match self.kind() {
            TokenKind::Mark("+") => "; a leading `+` is left out",
            TokenKind::Mark("/") => "; division rounded down is written `floor(a/b)`",
            _ => "",
        };
        self.error(format!("expected an expression{after}, found {}{advice}", self.found()))
    }

    /// What starts with a name.
    fn named(&mut self, name: &str, at: usize) -> Result<Expr> {
        let reduction = match name {
            "sum" => Some(Reduction::Sum),
            "product" => Some(Reduction::Product),
            "minimum" => Some(Reduction::Minimum),
            "maximum" => Some(Reduction::Maximum),
            "and" | "or" | "not" => return Err(self.missing_expression()),
            "next" | "noise" => {
                return Err(self.error(format!("`{name}` is reserved for the left of an equation, `{name}(x) = …`")));
            }
            _ => None,
        };
        self.next += 1;
        if reduction.is_some() || name == "where" {
            if !matches!(self.kind(), TokenKind::Open { .. }) {
                return Err(self.expected(&format!("`(` after the reserved word `{name}`")));
            }
            self.next += 1;
            self.enter()?;
            let kind = match reduction {
                Some(reduction) => self.reduction(reduction, name)?,
                None => self.choice()?,
            };
            self.depth -= 1;
            return Ok(Expr { kind, at });
        }
        let is_constant = matches!(name, "t" | "pi");
        match self.kind() {
            TokenKind::Open { .. } | TokenKind::OpenIndex if is_constant => {
                Err(self.error(format!("`{name}` is neither a function nor a vector; a product is written with `*`")))
            }
            TokenKind::OpenIndex => {
                let indices = self.list(TokenKind::CloseIndex, "an operator, `,` or `]`")?;
                let target = Expr { kind: ExprKind::Index(name.to_owned(), indices), at };
                if !matches!(self.kind(), TokenKind::Open { .. }) {
                    return Ok(target);
                }
                let open = self.next;
                let mut arguments = self.list(TokenKind::Close, "an operator or `)`")?;
                if arguments.len() == 1 && is_time_shift(&arguments[0]) {
                    self.delayed(target, arguments.remove(0))
                } else {
                    let message =
                        "only a delay can follow an index, as in `x[i](t - tau)`; a product is written with `*`";
                    Err(Error::at(self.text, self.tokens[open].at, message))
                }
            }
            TokenKind::Open { .. } => {
                let mut arguments = self.list(TokenKind::Close, "an operator, `,` or `)`")?;
                let is_function = functions::find(name).is_some() || self.local_functions.contains(name);
                if !is_function && arguments.len() == 1 && is_time_shift(&arguments[0]) {
                    return self.delayed(Expr { kind: ExprKind::Name(name.to_owned()), at }, arguments.remove(0));
                }
                Ok(Expr { kind: ExprKind::Call(name.to_owned(), arguments), at })
            }
            _ => Ok(Expr { kind: ExprKind::Name(name.to_owned()), at }),
        }
    }

    /// The bracket at the next token, expressions separated by commas, and the closing bracket.
    fn list(&mut self, close: TokenKind<'_>, expected: &str) -> Result<Vec<Expr>> {
        self.next += 1;
        self.enter()?;
        let mut items = vec![self.sum()?];
        while self.take(",") {
            items.push(self.sum()?);
        }
        if self.kind() != close {
            return Err(self.expected(expected));
        }
        self.next += 1;
        self.depth -= 1;
        Ok(items)
    }

    /// `target(t - delay)`, from the argument as it was parsed.
    fn delayed(&self, target: Expr, argument: Expr) -> Result<Expr> {
        let at = target.at;
        let ExprKind::Sum(terms) = argument.kind else { return Ok(target) };
        let mut terms = terms.into_iter().skip(1);
        let delay = match terms.next() {
            Some((Sign::Minus, first)) => first,
            Some((Sign::Plus, first)) => {
                let message = "expected a delay, as in `x(t - tau)`: the state at a later time is not known";
                return Err(Error::at(self.text, first.at, message));
            }
            None => return Ok(target),
        };
        // x(t - a - b + c) is x(t - (a + b - c)).
        let rest = terms.map(|(sign, term)| (if sign == Sign::Minus { Sign::Plus } else { Sign::Minus }, term));
        let start = delay.at;
        let mut total = match delay.kind {
            ExprKind::Sum(terms) => terms,
            _ => vec![(Sign::Plus, delay)],
        };
        total.extend(rest);
        let delay = match <[_; 1]>::try_from(total) {
            Ok([(_, only)]) => only,
            Err(total) => Expr { kind: ExprKind::Sum(total), at: start },
        };
        Ok(Expr { kind: ExprKind::Delayed(Box::new(target), Box::new(delay)), at })
    }

    /// `i, e)` or `i = 1..N, e)`.
    fn reduction(&mut self, reduction: Reduction, word: &str) -> Result<ExprKind> {
        let usage = format!("an index and an expression, as in `{word}(i, x[i])` or `{word}(i = 1..N, x[i])`");
        let followed = matches!(self.tokens.get(self.next + 1), Some(Token { kind: TokenKind::Mark("," | "="), .. }));
        if !followed || !matches!(self.kind(), TokenKind::Name(_)) {
            return Err(self.error(format!("`{word}` needs {usage}")));
        }
        let index = self.defined_name("be an index")?;
        let bounds = if self.take("=") {
            let first = self.sum()?;
            self.expect("..", "an operator or `..`")?;
            let last = self.sum()?;
            Some(Box::new((first, last)))
        } else {
            None
        };
        self.expect(",", "an operator or `,`")?;
        let body = self.sum()?;
        self.expect_close("an operator or `)`")?;
        Ok(ExprKind::Reduce(reduction, index, bounds, Box::new(body)))
    }

    /// `condition, a, b)`.
    fn choice(&mut self) -> Result<ExprKind> {
        let condition = self.condition()?;
        self.expect(",", "an operator, `and`, `or` or `,`")?;
        let then = self.sum()?;
        self.expect(",", "an operator or `,` and the value otherwise")?;
        let otherwise = self.sum()?;
        self.expect_close("an operator or `)`")?;
        Ok(ExprKind::Where(Box::new(condition), Box::new(then), Box::new(otherwise)))
    }
}

/// Whether this is `t` plus or minus something.
fn is_time_shift(argument: &Expr) -> bool {
    match &argument.kind {
        ExprKind::Sum(terms) => matches!(&terms[0].1.kind, ExprKind::Name(name) if name == "t"),
        _ => false,
    }
}
