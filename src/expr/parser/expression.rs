//! The right-hand sides: sums, products, powers, calls, reductions and delayed states.

use super::{Parsed, Parser, quote};
use crate::error::Error;
use crate::expr::ast::{Expr, ExprKind, Factor, Reduction, Sign};
use crate::expr::functions;
use crate::expr::lexer::{Token, TokenKind};

/// A node of the tree.
fn node(kind: ExprKind, at: usize) -> Parsed<Box<Expr>> {
    Ok(Box::new(Expr { kind, at }))
}

impl Parser<'_> {
    pub(super) fn sum(&mut self) -> Parsed<Box<Expr>> {
        let first = self.term()?;
        let Some(mut sign) = self.sign() else { return Ok(first) };
        let at = first.at;
        let mut terms = terms(*first);
        loop {
            terms.push((sign, *self.term()?));
            sign = match self.sign() {
                Some(sign) => sign,
                None => return node(ExprKind::Sum(terms), at),
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

    fn term(&mut self) -> Parsed<Box<Expr>> {
        let at = self.token().at;
        if self.take("-") {
            return self.negated(at, Self::term);
        }
        let first = self.factor()?;
        let Some(mut how) = self.times_or_over()? else { return Ok(first) };
        let at = first.at;
        let mut factors = factors(*first);
        loop {
            factors.push((how, *self.signed_factor()?));
            how = match self.times_or_over()? {
                Some(how) => how,
                None => return node(ExprKind::Product(factors), at),
            };
        }
    }

    /// What follows a minus sign at `at`, read by `operand`.
    fn negated(&mut self, at: usize, operand: fn(&mut Self) -> Parsed<Box<Expr>>) -> Parsed<Box<Expr>> {
        self.enter()?;
        let operand = operand(self)?;
        self.depth -= 1;
        node(ExprKind::Negate(operand), at)
    }

    /// `*` or `/`; a `/` straight after the exponent 1 is refused.
    fn times_or_over(&mut self) -> Parsed<Option<Factor>> {
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
            return Err(self.ambiguous_exponent(*caret));
        }
        Ok(Some(Factor::Over))
    }

    /// `a^1/2`, the next token being the 2.
    fn ambiguous_exponent(&self, caret: Token<'_>) -> Box<Error> {
        let exponent = self.text[caret.end..self.tokens[self.next - 1].at].trim();
        let divisor = match self.token() {
            Token { kind: TokenKind::Number(_) | TokenKind::Name(_), at, end } => &self.text[at..end],
            _ => "…",
        };
        let message = format!(
            "is `(…^{exponent})/{divisor}` or `…^({exponent}/{divisor})` meant? One of the pairs of parentheses is needed"
        );
        self.error_at(caret.at, message)
    }

    /// A factor behind an operator, where a minus sign binds only as far as the power: `a*-b*c` is `(a*(-b))*c`.
    fn signed_factor(&mut self) -> Parsed<Box<Expr>> {
        let at = self.token().at;
        if self.take("-") { self.negated(at, Self::signed_factor) } else { self.factor() }
    }

    fn factor(&mut self) -> Parsed<Box<Expr>> {
        let base = self.atom()?;
        if !self.take("^") {
            return Ok(base);
        }
        self.enter()?;
        let exponent = self.signed_factor()?;
        self.depth -= 1;
        let at = base.at;
        node(ExprKind::Power(base, exponent), at)
    }

    fn atom(&mut self) -> Parsed<Box<Expr>> {
        let Token { kind, at, .. } = self.token();
        match kind {
            TokenKind::Number(value) => {
                self.next += 1;
                node(ExprKind::Number(value), at)
            }
            TokenKind::Name("where") => self.choice(at),
            TokenKind::Name("sum") => self.reduction(Reduction::Sum, "sum", at),
            TokenKind::Name("product") => self.reduction(Reduction::Product, "product", at),
            TokenKind::Name("minimum") => self.reduction(Reduction::Minimum, "minimum", at),
            TokenKind::Name("maximum") => self.reduction(Reduction::Maximum, "maximum", at),
            TokenKind::Name("and" | "or" | "not") => Err(self.missing_expression()),
            TokenKind::Name(name @ ("next" | "noise")) => {
                Err(self.error(format!("`{name}` is reserved for the left of an equation, `{name}(x) = …`")))
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

    fn missing_expression(&self) -> Box<Error> {
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

    /// What starts with a name that is not reserved: alone, indexed, called or delayed.
    fn named(&mut self, name: &str, at: usize) -> Parsed<Box<Expr>> {
        self.next += 1;
        match self.kind() {
            TokenKind::Open { .. } | TokenKind::OpenIndex if matches!(name, "t" | "pi") => {
                Err(self.error(format!("`{name}` is neither a function nor a vector; a product is written with `*`")))
            }
            TokenKind::OpenIndex => {
                let indices = self.list(TokenKind::CloseIndex, "an operator, `,` or `]`")?;
                if !matches!(self.kind(), TokenKind::Open { .. }) {
                    return node(ExprKind::Index(name.to_owned(), indices), at);
                }
                let open = self.token().at;
                let arguments = self.list(TokenKind::Close, "an operator or `)`")?;
                self.delayed_element(name, indices, arguments, at, open)
            }
            TokenKind::Open { .. } => {
                let arguments = self.list(TokenKind::Close, "an operator, `,` or `)`")?;
                self.call(name, arguments, at)
            }
            _ => node(ExprKind::Name(name.to_owned()), at),
        }
    }

    /// The bracket at the next token, expressions separated by commas, and the closing bracket.
    fn list(&mut self, close: TokenKind<'_>, expected: &str) -> Parsed<Vec<Expr>> {
        self.next += 1;
        self.enter()?;
        let mut items = Vec::new();
        loop {
            items.push(*self.sum()?);
            if !self.take(",") {
                break;
            }
        }
        if self.kind() != close {
            return Err(self.expected(expected));
        }
        self.next += 1;
        self.depth -= 1;
        Ok(items)
    }

    /// `name(arguments)`: a call, or the delayed state `name(t - tau)`.
    fn call(&self, name: &str, mut arguments: Vec<Expr>, at: usize) -> Parsed<Box<Expr>> {
        let is_function = functions::find(name).is_some() || self.local_functions.contains(name);
        if !is_function && arguments.len() == 1 && is_time_shift(&arguments[0]) {
            let delay = self.delay(arguments.remove(0))?;
            return node(ExprKind::Delayed(node(ExprKind::Name(name.to_owned()), at)?, delay), at);
        }
        node(ExprKind::Call(name.to_owned(), arguments), at)
    }

    /// `name[indices](arguments)`, which can only be the delayed state `x[i](t - tau)`; the parenthesis is at `open`.
    fn delayed_element(
        &self,
        name: &str,
        indices: Vec<Expr>,
        mut arguments: Vec<Expr>,
        at: usize,
        open: usize,
    ) -> Parsed<Box<Expr>> {
        if arguments.len() != 1 || !is_time_shift(&arguments[0]) {
            let message = "only a delay can follow an index, as in `x[i](t - tau)`; a product is written with `*`";
            return Err(self.error_at(open, message));
        }
        let delay = self.delay(arguments.remove(0))?;
        node(ExprKind::Delayed(node(ExprKind::Index(name.to_owned(), indices), at)?, delay), at)
    }

    /// What is subtracted in `shift`, which is `t` and further terms: `a + b - c` for `t - a - b + c`.
    fn delay(&self, shift: Expr) -> Parsed<Box<Expr>> {
        let mut shifts = terms(shift).into_iter().skip(1);
        let first = match shifts.next() {
            Some((Sign::Minus, first)) => first,
            other => {
                let at = other.map_or(0, |(_, term)| term.at);
                let message = "expected a delay, as in `x(t - tau)`: the state at a later time is not known";
                return Err(self.error_at(at, message));
            }
        };
        let rest: Vec<(Sign, Expr)> = shifts.map(|(sign, term)| (opposite(sign), term)).collect();
        if rest.is_empty() {
            return Ok(Box::new(first));
        }
        let at = first.at;
        let mut total = terms(first);
        total.extend(rest);
        node(ExprKind::Sum(total), at)
    }

    /// `sum(i, e)` or `sum(i = 1..N, e)`.
    fn reduction(&mut self, reduction: Reduction, word: &str, at: usize) -> Parsed<Box<Expr>> {
        let index = self.reduction_index(word)?;
        let bounds = if self.take("=") { Some(self.bounds()?) } else { None };
        self.expect(",", "an operator or `,`")?;
        let body = self.sum()?;
        self.depth -= 1;
        self.expect_close("an operator or `)`")?;
        node(ExprKind::Reduce(reduction, index, bounds, body), at)
    }

    /// `sum(i`, with `,` or `=` to follow.
    fn reduction_index(&mut self, word: &str) -> Parsed<String> {
        self.open(word)?;
        let followed = matches!(self.tokens.get(self.next + 1), Some(Token { kind: TokenKind::Mark("," | "="), .. }));
        if !followed || !matches!(self.kind(), TokenKind::Name(_)) {
            return Err(self.error(format!(
                "`{word}` needs an index and an expression, as in `{word}(i, x[i])` or `{word}(i = 1..N, x[i])`"
            )));
        }
        self.defined_name("be an index")
    }

    /// The reserved `word` at the next token and its parenthesis.
    fn open(&mut self, word: &str) -> Parsed<()> {
        self.next += 1;
        if !matches!(self.kind(), TokenKind::Open { .. }) {
            return Err(self.expected(&format!("`(` after the reserved word `{word}`")));
        }
        self.next += 1;
        self.enter()
    }

    /// `1..N`.
    fn bounds(&mut self) -> Parsed<Box<(Expr, Expr)>> {
        let first = self.sum()?;
        self.expect("..", "an operator or `..`")?;
        let last = self.sum()?;
        Ok(Box::new((*first, *last)))
    }

    /// `where(condition, a, b)`.
    fn choice(&mut self, at: usize) -> Parsed<Box<Expr>> {
        self.open("where")?;
        let condition = self.condition()?;
        self.expect(",", "an operator, `and`, `or` or `,`")?;
        let then = self.sum()?;
        self.expect(",", "an operator or `,` and the value otherwise")?;
        let otherwise = self.sum()?;
        self.depth -= 1;
        self.expect_close("an operator or `)`")?;
        node(ExprKind::Where(condition, then, otherwise), at)
    }
}

/// The terms of a sum, or the expression as a single term.
fn terms(expression: Expr) -> Vec<(Sign, Expr)> {
    match expression {
        Expr { kind: ExprKind::Sum(terms), .. } => terms,
        other => vec![(Sign::Plus, other)],
    }
}

/// The factors of a product, or the expression as a single factor.
fn factors(expression: Expr) -> Vec<(Factor, Expr)> {
    match expression {
        Expr { kind: ExprKind::Product(factors), .. } => factors,
        other => vec![(Factor::Times, other)],
    }
}

/// Whether this is `t` plus or minus something.
fn is_time_shift(argument: &Expr) -> bool {
    match &argument.kind {
        ExprKind::Sum(terms) => matches!(&terms[0].1.kind, ExprKind::Name(name) if name == "t"),
        _ => false,
    }
}

fn opposite(sign: Sign) -> Sign {
    match sign {
        Sign::Plus => Sign::Minus,
        Sign::Minus => Sign::Plus,
    }
}
