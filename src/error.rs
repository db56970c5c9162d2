//! What can go wrong with a request, and how it is said.
//!
//! A trajectory that blows up is not an error but an [`Outcome`](crate::solve::Outcome).

use std::fmt;

/// A refused request.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The text of an equation could not be understood.
    Language {
        /// What was found and what was expected.
        message: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// The offending line of text (shortened around the place when it is long).
        excerpt: String,
        /// Where the offending character stands in `excerpt`, in characters, from 0.
        caret: usize,
    },
    /// An argument has a wrong value or shape.
    Value(String),
    /// The caller asked to stop.
    Interrupted,
}

/// Result of a request.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error at byte `offset` of `text`.
    pub fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        const WIDTH: usize = 60;
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let start = text[..offset].rfind('\n').map_or(0, |i| i + 1);
        let line = text[..start].matches('\n').count() + 1;
        let column = text[start..offset].chars().count();
        let full: Vec<char> = text[start..].chars().take_while(|&c| c != '\n').take(column + WIDTH).collect();
        let first = column.saturating_sub(WIDTH);
        Error::Language {
            message: message.into(),
            line,
            column: column + 1,
            excerpt: full[first..].iter().collect(),
            caret: column - first,
        }
    }

    /// An error about a value.
    pub fn value(message: impl Into<String>) -> Self {
        Error::Value(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Language { message, line, column, excerpt, caret } => {
                write!(f, "line {line}, column {column}: {message}\n  {excerpt}\n  {:caret$}^", "")
            }
            Error::Value(message) => f.write_str(message),
            Error::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {}

/// The candidate nearest to `name` in edit distance, if it is near enough to be a misspelling.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &str| -> usize {
        let a: Vec<char> = name.to_lowercase().chars().collect();
        let b: Vec<char> = candidate.to_lowercase().chars().collect();
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for i in 0..a.len() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for j in 0..b.len() {
                let substitute = diagonal + usize::from(a[i] != b[j]);
                diagonal = row[j + 1];
                row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
            }
        }
        row[b.len()]
    };
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(d, candidate)| *d <= 1 + candidate.chars().count().max(name.chars().count()) / 4)
        .min_by_key(|(d, _)| *d)
        .map(|(_, candidate)| candidate)
}
