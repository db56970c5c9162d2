//! From tokens to the tree of [`super::ast`], by recursive descent.
//!
//! ```text
//! statement  = left "=" sum
//! left       = name "'" | name "[" indices "]" "'" | "next" "(" place ")" | "noise" "(" place ["," place] ")"
//!            | name | name "[" indices "]" | name "(" names ")"
//! sum        = term {("+" | "-") term}
//! term       = "-" term | factor {("*" | "/") signed}
//! signed     = "-" signed | factor
//! factor     = atom ["^" signed]
//! atom       = number | "(" sum ")" | name | name "[" sums "]" | name "(" sums ")" | where | reduction | delayed
//! where      = "where" "(" condition "," sum "," sum ")"
//! reduction  = ("sum" | "product" | "minimum" | "maximum") "(" name ["=" sum ".." sum] "," sum ")"
//! delayed    = name ["[" sums "]"] "(" "t" "-" … ")"
//! condition  = both ["or" condition]            both = negation ["and" both]
//! negation   = "not" negation | "(" condition ")" | sum comparison sum
//! ```
//!
//! It does not know which names are states or parameters; that is resolved later.
//!
//! Normal form: the first term of a sum is never itself a sum, the first factor of a product never a product,
//! whatever parentheses were typed, because evaluation from left to right is the same. `and` and `or` group to the
//! right. Printing a tree of this form and parsing it again gives the same tree.

mod condition;
mod expression;
mod statement;

use std::collections::HashSet;

use super::ast::{Expr, Statement};
use super::lexer::{self, MAX_DEPTH, Token, TokenKind};
use crate::error::{Error, Result};

/// Names that cannot be defined, because they have a meaning of their own.
pub const RESERVED: [&str; 12] =
    ["t", "pi", "and", "or", "not", "where", "sum", "product", "minimum", "maximum", "next", "noise"];

/// Parse equations and definitions, separated by line breaks or `;`.
///
/// # Errors
/// [`Error::Language`] at the first character that cannot be understood.
pub fn parse_document(text: &str) -> Result<Vec<Statement>> {
    let tokens = lexer::tokens(text)?;
    let local_functions = local_functions(&tokens);
    let mut parser = Parser { text, tokens, next: 0, depth: 0, local_functions };
    let mut statements = Vec::new();
    while parser.kind() != TokenKind::EndOfText {
        statements.push(parser.statement().map_err(|error| *error)?);
        if parser.kind() == TokenKind::EndOfStatement {
            parser.next += 1;
        }
    }
    Ok(statements)
}

/// Parse a single expression. Without a document there are no local functions: `f(t - 1)` is a delayed state.
///
/// # Errors
/// [`Error::Language`] at the first character that cannot be understood.
pub fn parse_expression(text: &str) -> Result<Expr> {
    let tokens = lexer::tokens(text)?;
    let mut parser = Parser { text, tokens, next: 0, depth: 0, local_functions: HashSet::new() };
    parser.single_expression().map(|expression| *expression).map_err(|error| *error)
}

/// What a rule of the grammar returns. Boxed, because the stack holds a copy or more for every level of nesting.
type Parsed<T> = std::result::Result<T, Box<Error>>;

/// The names of functions defined in a document: statements that start with `name(`.
fn local_functions<'a>(tokens: &[Token<'a>]) -> HashSet<&'a str> {
    let starts = tokens.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::EndOfStatement);
    std::iter::once(0)
        .chain(starts.map(|(position, _)| position + 1))
        .filter_map(|start| match (tokens.get(start)?.kind, tokens.get(start + 1)?.kind) {
            (TokenKind::Name(name), TokenKind::Open { .. }) if !RESERVED.contains(&name) => Some(name),
            _ => None,
        })
        .collect()
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    /// The next token, as a position in `tokens`. Never beyond the last, which is the end of the text.
    next: usize,
    /// Levels of nesting around the next token.
    depth: usize,
    local_functions: HashSet<&'a str>,
}

impl<'a> Parser<'a> {
    /// An expression and nothing behind it.
    fn single_expression(&mut self) -> Parsed<Box<Expr>> {
        let expression = self.sum()?;
        self.expect_end("the end of the expression")?;
        if self.kind() == TokenKind::EndOfStatement {
            self.next += 1;
            if self.kind() != TokenKind::EndOfText {
                let found = self.found();
                return Err(self.error(format!("expected a single expression, found a second one at {found}")));
            }
        }
        Ok(expression)
    }

    fn token(&self) -> Token<'a> {
        self.tokens[self.next]
    }

    fn kind(&self) -> TokenKind<'a> {
        self.tokens[self.next].kind
    }

    /// Take the next token if it is `mark`.
    fn take(&mut self, mark: &str) -> bool {
        let found = matches!(self.kind(), TokenKind::Mark(symbol) if symbol == mark);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &str, expected: &str) -> Parsed<()> {
        if self.take(mark) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn expect_close(&mut self, expected: &str) -> Parsed<()> {
        if self.kind() != TokenKind::Close {
            return Err(self.expected(expected));
        }
        self.next += 1;
        Ok(())
    }

    fn expect_end(&mut self, expected: &str) -> Parsed<()> {
        match self.kind() {
            TokenKind::EndOfStatement | TokenKind::EndOfText => Ok(()),
            _ => Err(self.expected(&format!("an operator or {expected}"))),
        }
    }

    /// An error at the next token.
    fn error(&self, message: impl Into<String>) -> Box<Error> {
        self.error_at(self.token().at, message)
    }

    /// An error at byte `at`.
    fn error_at(&self, at: usize, message: impl Into<String>) -> Box<Error> {
        Box::new(Error::at(self.text, at, message))
    }

    /// The next token in words.
    fn found(&self) -> String {
        let Token { kind, at, end } = self.token();
        match kind {
            TokenKind::EndOfStatement if at == end => "the end of the line".into(),
            TokenKind::EndOfText => "the end of the text".into(),
            _ => quote(&self.text[at..end]),
        }
    }

    /// `expected …, found …`, with advice where the next token shows a common slip.
    fn expected(&self, expected: &str) -> Box<Error> {
        let previous = self.next.checked_sub(1).map(|position| self.tokens[position].kind);
        let after_operand = matches!(
            previous,
            Some(TokenKind::Number(_) | TokenKind::Name(_) | TokenKind::Close | TokenKind::CloseIndex)
        );
        let advice = match self.kind() {
            TokenKind::Name("and" | "or" | "not") => {
                "; conditions stand in the first place of `where(condition, a, b)` only"
            }
            TokenKind::Mark("<" | "<=" | ">" | ">=" | "==" | "!=") => {
                "; a comparison stands in the first place of `where(condition, a, b)` only"
            }
            TokenKind::Name(_) | TokenKind::Number(_) | TokenKind::Open { .. } if after_operand => {
                "; a product is written with `*`"
            }
            TokenKind::Mark("'") => "; `'` stands on the left of an equation only",
            TokenKind::Mark("=") if after_operand => "; a statement has one `=`, a test for equality is written `==`",
            _ => "",
        };
        self.error(format!("expected {expected}, found {}{advice}", self.found()))
    }

    /// Go one level deeper. The level is left by `self.depth -= 1`; after an error nothing is parsed any more.
    fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }
}

/// `text` between backticks, shortened if it is long.
fn quote(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() > LONGEST {
        format!("`{}…`", text.chars().take(LONGEST).collect::<String>())
    } else {
        format!("`{text}`")
    }
}
