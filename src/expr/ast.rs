//! The text as it was written: names, indices, sums and local definitions, not yet resolved.
//!
//! Chains of `+ -` and of `* /` are kept flat, so that a sum of ten thousand terms is shallow; the parser bounds
//! the depth of everything else, so recursion over a tree is safe.

/// An expression and the byte offset of its first character in the text. Equality ignores the offset.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Byte offset in the source text.
    pub at: usize,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The shapes an expression takes.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A literal; never negative, never NaN or infinite (a minus sign is [`ExprKind::Negate`]).
    Number(f64),
    /// A state variable, parameter, definition, index, structural integer, `t` or `pi`.
    Name(String),
    /// `x[i-1]`, `K[i, j]`.
    Index(String, Vec<Expr>),
    /// `x(t - tau)`, `x[i](t - tau)`: the state named by the first, as it was the second ago.
    Delayed(Box<Expr>, Box<Expr>),
    /// `-a`. Binds looser than `*` and `^`: `-a*b` is `-(a*b)` and `-a^2` is `-(a^2)`.
    Negate(Box<Expr>),
    /// `a + b - c`: at least two terms; the first sign is always [`Sign::Plus`].
    Sum(Vec<(Sign, Expr)>),
    /// `a * b / c`: at least two factors; the first is always [`Factor::Times`].
    Product(Vec<(Factor, Expr)>),
    /// `a ^ b`, right-associative.
    Power(Box<Expr>, Box<Expr>),
    /// A built-in or local function.
    Call(String, Vec<Expr>),
    /// `where(condition, a, b)`.
    Where(Box<Condition>, Box<Expr>, Box<Expr>),
    /// `sum(i, e)` or, with stated bounds, `sum(i = 1..N, e)`; likewise `product`, `minimum`, `maximum`.
    Reduce(Reduction, String, Option<Box<(Expr, Expr)>>, Box<Expr>),
}

/// Sign of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Sign {
    Plus,
    Minus,
}

/// How a factor enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Factor {
    Times,
    Over,
}

/// What a reduction over an index does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reduction {
    Sum,
    Product,
    Minimum,
    Maximum,
}

/// A truth value: comparisons joined by `and`, `or`, `not`.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// `a < b` and its kin.
    Compare(Comparison, Expr, Expr),
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// Either.
    Or(Box<Condition>, Box<Condition>),
    /// The opposite.
    Not(Box<Condition>),
}

/// `<  <=  >  >=  ==  !=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Comparison {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

/// What a statement defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `x' = …`, the derivative of a state variable.
    Derivative,
    /// `next(x) = …`, the image of a state variable under a map.
    Next,
    /// `noise(x) = …`, `noise(x, W) = …`: the amplitude with which a state variable is moved by its own Wiener process, or by W.
    Noise,
    /// `r2 = …`, `w[i] = …` or `f(u, v) = …`, a local definition.
    Local,
}

/// One equation or definition.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What it defines.
    pub role: Role,
    /// The name on the left.
    pub name: String,
    /// Index names on the left: `["i"]` in `x[i]' = …`.
    pub indices: Vec<String>,
    /// Argument names on the left: `["u", "v"]` in `f(u, v) = …`; empty if it is no function.
    pub arguments: Vec<String>,
    /// Name and indices of the Wiener process on the left: `("W", ["i"])` in `noise(x[i], W[i]) = …`.
    pub process: Option<(String, Vec<String>)>,
    /// The right-hand side.
    pub body: Expr,
    /// Byte offset of the name.
    pub at: usize,
}

impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        (self.role, &self.name, &self.indices, &self.arguments, &self.process, &self.body)
            == (other.role, &other.name, &other.indices, &other.arguments, &other.process, &other.body)
    }
}
