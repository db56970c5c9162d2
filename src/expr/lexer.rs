//! From characters to tokens: numbers, names, marks, ends of statements.
//!
//! Also pairs the brackets, decides where a line goes on in the next, and bounds the length of a text.
//! It knows no grammar.

use crate::error::{Error, Result};

/// Longest document, in characters.
pub const MAX_DOCUMENT: usize = 1_000_000;
/// Longest statement, in characters from its first token to its last; so it has no more tokens than that either.
pub const MAX_STATEMENT: usize = 100_000;
/// Deepest nesting of brackets, powers, minus signs and conditions.
pub const MAX_DEPTH: usize = 200;

/// A word of the language and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub kind: TokenKind<'a>,
    /// Byte offset of its first character.
    pub at: usize,
    /// Byte offset behind its last character.
    pub end: usize,
}

/// The words of the language.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TokenKind<'a> {
    /// A literal: finite, not negative.
    Number(f64),
    /// A name or a reserved word.
    Name(&'a str),
    /// An operator or a mark, one of [`MARKS`].
    Mark(&'static str),
    /// `(`.
    Open {
        /// Whether it groups a condition, as in `(a < b) and c < d`.
        condition: bool,
    },
    /// `)`.
    Close,
    /// `[`.
    OpenIndex,
    /// `]`.
    CloseIndex,
    /// The end of a statement: a line break or `;`. A line break stands right behind the last token.
    EndOfStatement,
    /// The end of the text. Stands right behind the last token.
    EndOfText,
}

/// Operators and marks; the longer first, so that `<=` is not read as `<`. `**` becomes `^`.
const MARKS: [&str; 16] = ["**", "<=", ">=", "==", "!=", "..", "+", "-", "*", "/", "^", "=", "<", ">", "'", ","];

/// The tokens of `text`, the last being [`TokenKind::EndOfText`]. No statement between two ends is empty.
///
/// # Errors
/// [`Error::Language`] for an unknown character, a malformed number, an unpaired bracket or a text beyond the limits.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>> {
    if text.len() > MAX_DOCUMENT && text.chars().count() > MAX_DOCUMENT {
        return Err(Error::at(text, 0, format!("the text is longer than {MAX_DOCUMENT} characters")));
    }
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), open: Vec::new(), first: 0 };
    while let Some(c) = text[lexer.at..].chars().next() {
        lexer.token(c)?;
    }
    if let Some(open) = lexer.open.last() {
        let Token { at, end, .. } = lexer.tokens[open.token];
        return Err(Error::at(text, at, format!("this `{}` is never closed", &text[at..end])));
    }
    lexer.check_length()?;
    let at = lexer.tokens.last().map_or(0, |last| last.end);
    lexer.tokens.push(Token { kind: TokenKind::EndOfText, at, end: at });
    Ok(lexer.tokens)
}

/// ASCII letters, digits, the underscore and Greek letters.
fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || (('\u{370}'..='\u{3ff}').contains(&c) && c.is_alphabetic())
}

/// The length of the name that a text begins with; `drive.x` is one name, that of x in the part called drive.
fn name_length(text: &str) -> usize {
    let mut length = 0;
    loop {
        length += text[length..].find(|c| !is_name_character(c)).unwrap_or(text.len() - length);
        let mut after = text[length..].chars();
        if after.next() != Some('.') || !after.next().is_some_and(|c| is_name_character(c) && !c.is_ascii_digit()) {
            return length;
        }
        length += 1;
    }
}

/// An opening bracket that waits for its partner.
struct Bracket {
    /// Its position in `tokens`.
    token: usize,
    /// Whether a comparison, `and`, `or` or `not` stands directly inside, or in a group that does.
    condition: bool,
}

struct Lexer<'a> {
    text: &'a str,
    /// Byte offset of the next character.
    at: usize,
    tokens: Vec<Token<'a>>,
    /// The brackets still open.
    open: Vec<Bracket>,
    /// The first token of the statement, as a position in `tokens`.
    first: usize,
}

impl<'a> Lexer<'a> {
    /// Read what starts with `c`, the next character.
    fn token(&mut self, c: char) -> Result<()> {
        let rest = &self.text[self.at..];
        match c {
            '\n' => self.end_of_line()?,
            '\u{feff}' => self.at += c.len_utf8(),
            _ if c.is_whitespace() => self.at += c.len_utf8(),
            '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
            ';' => self.semicolon()?,
            '0'..='9' => self.number(rest)?,
            '.' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => self.number(rest)?,
            '(' => self.open(TokenKind::Open { condition: false })?,
            '[' => self.open(TokenKind::OpenIndex)?,
            ')' | ']' => self.close(c)?,
            _ if is_name_character(c) => {
                let length = name_length(rest);
                self.push(TokenKind::Name(&rest[..length]), length);
            }
            _ => match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
                Some(&"**") => self.push(TokenKind::Mark("^"), 2),
                Some(mark) => self.push(TokenKind::Mark(mark), mark.len()),
                None => return Err(self.error(self.at, unknown_character(c))),
            },
        }
        Ok(())
    }

    fn error(&self, at: usize, message: impl Into<String>) -> Error {
        Error::at(self.text, at, message)
    }

    fn push(&mut self, kind: TokenKind<'a>, length: usize) {
        if matches!(
            kind,
            TokenKind::Mark("<" | "<=" | ">" | ">=" | "==" | "!=") | TokenKind::Name("and" | "or" | "not")
        ) {
            self.mark_condition();
        }
        self.tokens.push(Token { kind, at: self.at, end: self.at + length });
        self.at += length;
    }

    /// The innermost open bracket holds a condition.
    fn mark_condition(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.condition = true;
        }
    }

    /// A line break ends the statement unless a bracket is open, an operator waits for its operand, or there is none.
    fn end_of_line(&mut self) -> Result<()> {
        self.at += 1;
        if let Some(&Token { kind, end, .. }) = self.tokens.last()
            && self.open.is_empty()
            && self.tokens.len() > self.first
            && !matches!(kind, TokenKind::Mark(mark) if mark != "'")
        {
            self.check_length()?;
            self.tokens.push(Token { kind: TokenKind::EndOfStatement, at: end, end });
            self.first = self.tokens.len();
        }
        Ok(())
    }

    fn semicolon(&mut self) -> Result<()> {
        if let Some(open) = self.open.last() {
            let Token { at, end, .. } = self.tokens[open.token];
            let message = format!("`;` ends a statement, but the `{}` before it is still open", &self.text[at..end]);
            return Err(self.error(self.at, message));
        }
        if self.tokens.len() > self.first {
            self.check_length()?;
            self.push(TokenKind::EndOfStatement, 1);
            self.first = self.tokens.len();
        } else {
            self.at += 1;
        }
        Ok(())
    }

    fn check_length(&self) -> Result<()> {
        if let (Some(first), Some(last)) = (self.tokens.get(self.first), self.tokens.last()) {
            let (start, end) = (first.at, last.end);
            if end - start > MAX_STATEMENT && self.text[start..end].chars().count() > MAX_STATEMENT {
                return Err(self.error(start, format!("this statement is longer than {MAX_STATEMENT} characters")));
            }
        }
        Ok(())
    }

    /// `1`, `2.5`, `.5`, `1e-3`. In `1..N` the points are not part of the number.
    fn number(&mut self, rest: &str) -> Result<()> {
        let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let mut length = digits(0);
        if rest[length..].starts_with('.') && !rest[length..].starts_with("..") {
            length += 1;
            length += digits(length);
        }
        let mantissa = &rest[..length];
        if rest[length..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
            let exponent = digits(length + 1 + sign);
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let literal = &rest[..length];
        if rest[length..].starts_with(is_name_character) {
            let name: String = rest[length..].chars().take_while(|&c| is_name_character(c)).take(40).collect();
            let message = format!("a name cannot start with a digit; if a product was meant, write `{literal}*{name}`");
            return Err(self.error(self.at, message));
        }
        let value: f64 = literal.parse().map_err(|_| self.error(self.at, format!("`{literal}` is not a number")))?;
        if !value.is_finite() {
            return Err(self.error(self.at, format!("this number is too large; the largest is {:e}", f64::MAX)));
        }
        if value == 0.0 && mantissa.contains(|c| ('1'..='9').contains(&c)) {
            return Err(self.error(self.at, "this number is too small to be told from zero"));
        }
        self.push(TokenKind::Number(value), length);
        Ok(())
    }

    fn open(&mut self, kind: TokenKind<'a>) -> Result<()> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.error(self.at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(Bracket { token: self.tokens.len(), condition: false });
        self.push(kind, 1);
        Ok(())
    }

    /// Pair a closing bracket with its opening one, and find out whether the pair groups a condition.
    fn close(&mut self, c: char) -> Result<()> {
        let Some(open) = self.open.pop() else {
            let opening = if c == ')' { '(' } else { '[' };
            return Err(self.error(self.at, format!("found `{c}` without a `{opening}` before it")));
        };
        let kind = if c == ')' { TokenKind::Close } else { TokenKind::CloseIndex };
        let is_index = self.tokens[open.token].kind == TokenKind::OpenIndex;
        if is_index != (c == ']') {
            let (opening, closing) = if is_index { ('[', ']') } else { ('(', ')') };
            return Err(self.error(self.at, format!("expected `{closing}` to close the `{opening}`, found `{c}`")));
        }
        self.push(kind, 1);
        let is_call = open.token > 0
            && match self.tokens[open.token - 1].kind {
                TokenKind::Name(name) => !matches!(name, "and" | "or" | "not"),
                TokenKind::CloseIndex => true,
                _ => false,
            };
        if open.condition && !is_index && !is_call {
            self.tokens[open.token].kind = TokenKind::Open { condition: true };
            self.mark_condition();
        }
        Ok(())
    }
}

/// What to type instead of a character that is not in the language.
fn unknown_character(c: char) -> String {
    let hint = match c {
        '\u{2212}' | '\u{2010}'..='\u{2015}' | '\u{fe63}' | '\u{ff0d}' => "a minus sign is written `-`",
        '×' | '·' | '⋅' | '∙' | '∗' | '•' | '⨯' | '＊' => "a product is written `*`",
        '÷' | '∕' | '⁄' => "a quotient is written `/`",
        '⁺' | '⁻' | '⁰' | '¹' | '²' | '³' | '⁴'..='⁹' | 'ⁿ' => "a power is written `^`, as in `x^2`",
        '₀'..='₉' => "an index is written in square brackets, as in `x[1]`, or is part of the name, as in `x1`",
        '′' | '’' | '‘' | '´' | 'ʹ' | 'ʼ' | '`' => "a derivative is written with an apostrophe, as in `x'`",
        '“' | '”' | '„' | '"' | '«' | '»' => "names are written without quotation marks",
        'ẋ' | 'ẏ' | 'ż' | '\u{307}' => "a derivative is written with an apostrophe, as in `x'`",
        '≤' | '≦' | '⩽' => "type `<=`",
        '≥' | '≧' | '⩾' => "type `>=`",
        '≠' | '!' => "`not equal` is written `!=`, a negation `not`",
        '√' => "a root is written `sqrt(x)`",
        '∑' => "a sum is written `sum(i, x[i])`",
        '∏' => "a product over an index is written `product(i, x[i])`",
        '∞' => "every number is finite",
        '½' | '¼' | '¾' => "type the fraction, as in `(1/2)`",
        'µ' => "this is the micro sign; the Greek letter is `μ`",
        '\u{2126}' => "this is the sign of the unit ohm; the Greek letter is `Ω`",
        '&' => "both conditions are joined by `and`",
        '|' => "alternatives are joined by `or`, an absolute value is written `abs(x)`",
        '%' => "a remainder is written `mod(a, b)`",
        '{' | '}' => "only `(` and `)` group",
        '⟨' | '⟩' => "an index is written in square brackets, as in `x[i]`",
        '（' | '）' => "type `(` and `)`",
        '，' => "type `,`",
        ':' => "an equation is written with `=`, a range as in `i = 1..N`",
        '.' => "a decimal point needs a digit behind it, as in `0.5`",
        '\\' => "LaTeX is not read here; a Greek name is written out, as in `sigma`",
        _ if c.is_alphabetic() => "a name is made of the letters a to z, A to Z, Greek letters, digits and `_`",
        _ => "it is not part of the language",
    };
    match c {
        _ if c.is_control() || !c.is_ascii() && !c.is_alphanumeric() => {
            format!("unexpected character `{}` (U+{:04X}): {hint}", c.escape_debug(), u32::from(c))
        }
        _ => format!("unexpected character `{c}`: {hint}"),
    }
}
