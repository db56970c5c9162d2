//! The left-hand sides: what is defined, with which indices or arguments.

use super::{Parsed, Parser, RESERVED};
use crate::expr::ast::{Expr, ExprKind, Role, Statement};
use crate::expr::functions;
use crate::expr::lexer::TokenKind;

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        let role = match (self.kind(), self.tokens.get(self.next + 1).map(|token| token.kind)) {
            (TokenKind::Name("next"), Some(TokenKind::Open { .. })) => Role::Next,
            (TokenKind::Name("noise"), Some(TokenKind::Open { .. })) => Role::Noise,
            (TokenKind::Name(_), _) => Role::Local,
            _ => return Err(self.expected("an equation or a definition, such as `x' = …` or `a = …`")),
        };
        let mut statement = if role == Role::Local { self.plain_left()? } else { self.image_left(role)? };
        let expected = match (statement.role, statement.indices.is_empty(), statement.arguments.is_empty()) {
            (Role::Local, true, true) => "`=`, `'`, `[` or `(`",
            (Role::Local, false, true) => "`=` or `'`",
            _ => "`=`",
        };
        match (self.kind(), statement.role) {
            (TokenKind::Mark("'"), Role::Derivative) => {
                let name = &statement.name;
                return Err(self.error(format!(
                    "only first derivatives are known; give the derivative of {name} a name: `{name}' = v; v' = …`"
                )));
            }
            (TokenKind::Mark("/"), _) => {
                return Err(self.expected(&format!("{expected} (the derivative of x is written `x' = …`)")));
            }
            _ => self.expect("=", expected)?,
        }
        statement.body = *self.sum()?;
        self.expect_end("the end of the statement")?;
        Ok(statement)
    }

    /// `x'`, `x[i]'`, `a`, `w[i]`, `f(u, v)`.
    fn plain_left(&mut self) -> Parsed<Statement> {
        let at = self.token().at;
        let name = self.defined_name("be defined")?;
        let indices = self.left_indices()?;
        let mut arguments: Vec<String> = Vec::new();
        let mut role = Role::Local;
        if self.take("'") {
            role = Role::Derivative;
        } else if matches!(self.kind(), TokenKind::Open { .. }) {
            if !indices.is_empty() {
                return Err(self.error(format!("expected `=` or `'`; a function such as `{name}` has no index")));
            }
            if functions::find(&name).is_some() {
                return Err(self.error_at(at, format!("`{name}` is a built-in function; choose another name")));
            }
            self.next += 1;
            loop {
                let at = self.token().at;
                let argument = match self.kind() {
                    TokenKind::Name(_) => self.defined_name("be an argument")?,
                    _ => return Err(self.expected("the name of an argument")),
                };
                if arguments.contains(&argument) {
                    return Err(self.error_at(at, format!("argument `{argument}` appears twice")));
                }
                arguments.push(argument);
                if !self.take(",") {
                    break;
                }
            }
            self.expect_close("`,` or `)`")?;
        }
        Ok(unfinished(role, name, indices, arguments, at))
    }

    /// `next(x)`, `noise(x[i])`, `noise(x[i], W)`.
    fn image_left(&mut self, role: Role) -> Parsed<Statement> {
        self.next += 2;
        if !matches!(self.kind(), TokenKind::Name(_)) {
            return Err(self.expected("the name of a state variable"));
        }
        let at = self.token().at;
        let name = self.defined_name("be a state variable")?;
        let indices = self.left_indices()?;
        let mut process = None;
        if role == Role::Noise && self.take(",") {
            if !matches!(self.kind(), TokenKind::Name(_)) {
                return Err(self.expected("the name of a Wiener process"));
            }
            let name = self.defined_name("be a Wiener process")?;
            process = Some((name, self.left_indices()?));
        }
        let bare = process.as_ref().map_or(indices.is_empty(), |(_, indices)| indices.is_empty());
        self.expect_close(match (bare, role, &process) {
            (true, Role::Noise, None) => "`)`, `,` or `[`",
            (true, ..) => "`)` or `[`",
            (false, Role::Noise, None) => "`)` or `,`",
            (false, ..) => "`)`",
        })?;
        Ok(Statement { process, ..unfinished(role, name, indices, Vec::new(), at) })
    }

    /// A name on the left of `=`, which must not be reserved.
    pub(super) fn defined_name(&mut self, purpose: &str) -> Parsed<String> {
        let TokenKind::Name(name) = self.kind() else { return Err(self.expected("a name")) };
        if RESERVED.contains(&name) {
            let meaning = match name {
                "t" => " (it is the time)".to_owned(),
                "next" | "noise" => format!(" (it is used as in `{name}(x) = …`)"),
                _ => String::new(),
            };
            return Err(self.error(format!("`{name}` is reserved and cannot {purpose}{meaning}")));
        }
        self.next += 1;
        Ok(name.to_owned())
    }

    /// `[i, j]` on the left of `=`: index names or whole numbers from 1; nothing if there is no bracket.
    fn left_indices(&mut self) -> Parsed<Vec<String>> {
        let mut indices: Vec<String> = Vec::new();
        if self.kind() != TokenKind::OpenIndex {
            return Ok(indices);
        }
        self.next += 1;
        loop {
            let at = self.token().at;
            let index = match self.kind() {
                TokenKind::Number(value) if value.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&value) => {
                    self.next += 1;
                    value.to_string()
                }
                TokenKind::Number(_) => return Err(self.expected("a whole number from 1")),
                TokenKind::Name(_) => {
                    let index = self.defined_name("be an index")?;
                    if indices.contains(&index) {
                        return Err(self.error_at(at, format!("index `{index}` appears twice on the left")));
                    }
                    index
                }
                _ => return Err(self.expected("the name of an index or a whole number from 1")),
            };
            indices.push(index);
            if !self.take(",") {
                break;
            }
        }
        if self.kind() != TokenKind::CloseIndex {
            return Err(self.expected("`,` or `]` (the left side of an equation holds plain indices)"));
        }
        self.next += 1;
        Ok(indices)
    }
}

/// A statement whose right-hand side is still to come.
fn unfinished(role: Role, name: String, indices: Vec<String>, arguments: Vec<String>, at: usize) -> Statement {
    let body = Expr { kind: ExprKind::Number(0.0), at };
    Statement { role, name, indices, arguments, process: None, body, at }
}
