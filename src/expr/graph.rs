//! The expression graph: equations resolved to scalars, every distinct subexpression once.
//!
//! Nodes are made only through the constructors, which fold constants and drop neutral elements, and never
//! reassociate: the value of a finite expression does not change. Children precede parents, so a pass over the
//! nodes in order needs no recursion.

use super::ast::Comparison;
use super::functions::{self, Function, Value};
use hashbrown::hash_table::{Entry, HashTable};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

/// What a node computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A number, by its bits.
    Constant(u64),
    /// Time (the iteration number of a map).
    Time,
    /// State variable.
    State(u32),
    /// Scalar parameter or element of a vector or matrix parameter.
    Parameter(u32),
    /// Delayed term, an index into the system's list of (state, delay) pairs.
    Delayed(u32),
    /// `a + b`.
    Add(Id, Id),
    /// `a - b`.
    Sub(Id, Id),
    /// `a * b`.
    Mul(Id, Id),
    /// `a / b`.
    Div(Id, Id),
    /// `-a`.
    Neg(Id),
    /// `a ^ n` for a whole `n`, neither 0 nor 1.
    Power(Id, i32),
    /// A function of one argument, by its row in the table; the order counts derivatives of `exprel`.
    Unary(u8, u8, Id),
    /// A function of two arguments.
    Binary(u8, Id, Id),
    /// `c` where `a ? b` holds, else `d`.
    Select(Comparison, Id, Id, Id, Id),
}

impl Op {
    /// The nodes it reads.
    pub fn children(&self) -> impl Iterator<Item = Id> + use<> {
        let list: [Option<Id>; 4] = match *self {
            Op::Constant(_) | Op::Time | Op::State(_) | Op::Parameter(_) | Op::Delayed(_) => [None; 4],
            Op::Neg(a) | Op::Power(a, _) | Op::Unary(_, _, a) => [Some(a), None, None, None],
            Op::Add(a, b) | Op::Sub(a, b) | Op::Mul(a, b) | Op::Div(a, b) | Op::Binary(_, a, b) => {
                [Some(a), Some(b), None, None]
            }
            Op::Select(_, a, b, c, d) => [Some(a), Some(b), Some(c), Some(d)],
        };
        list.into_iter().flatten()
    }
}

/// Whether `a ? b`.
#[inline(always)]
pub fn holds(comparison: Comparison, a: f64, b: f64) -> bool {
    match comparison {
        Comparison::Less => a < b,
        Comparison::LessEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterEqual => a >= b,
        Comparison::Equal => a == b,
        Comparison::NotEqual => a != b,
    }
}

/// Values of the leaves, for direct evaluation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leaves<'a> {
    /// Time.
    pub t: f64,
    /// State.
    pub x: &'a [f64],
    /// Parameters.
    pub p: &'a [f64],
    /// Delayed terms.
    pub z: &'a [f64],
}

/// A table with a light hash.
pub(super) type Table<K, V> = HashMap<K, V, BuildHasherDefault<Light>>;

/// A hash of a few instructions a word, for nodes and names: polynomial, with the high bits, which all words move, brought down
/// to where tables look (as in rustc-hash 2, without its wide multiplication).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Light(u64);

impl Light {
    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0xf135_7aea_2e62_a9c5).rotate_left(26);
    }
}

impl Hasher for Light {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|&word| self.add(u64::from_le_bytes(word)));
        rest.iter().for_each(|&byte| self.add(u64::from(byte)));
    }

    fn write_u8(&mut self, word: u8) {
        self.add(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.add(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }

    fn write_i32(&mut self, word: i32) {
        self.add(u64::from(word.cast_unsigned()));
    }

    fn write_isize(&mut self, word: isize) {
        self.add(word.cast_unsigned() as u64);
    }

    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0xf135_7aea_2e62_a9c5).rotate_left(26)
    }
}

fn hash(op: Op) -> u64 {
    let mut state = Light::default();
    op.hash(&mut state);
    state.finish()
}

/// A set of nodes.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    ops: Vec<Op>,
    /// The nodes by what they compute.
    known: HashTable<Id>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// What a node computes.
    pub fn op(&self, id: Id) -> Op {
        self.ops[id.0 as usize]
    }

    /// The number a node is, if it is one.
    pub fn as_constant(&self, id: Id) -> Option<f64> {
        match self.op(id) {
            Op::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn intern(&mut self, op: Op) -> Id {
        let Self { ops, known } = self;
        match known.entry(hash(op), |id| ops[id.0 as usize] == op, |id| hash(ops[id.0 as usize])) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(free) => {
                let id = Id(u32::try_from(ops.len()).expect("the expansion limit is far below 2^32"));
                ops.push(op);
                free.insert(id);
                id
            }
        }
    }

    /// A number.
    pub fn constant(&mut self, value: f64) -> Id {
        self.intern(Op::Constant(value.to_bits()))
    }

    /// Time.
    pub fn time(&mut self) -> Id {
        self.intern(Op::Time)
    }

    /// State variable `i`.
    pub fn state(&mut self, i: usize) -> Id {
        self.intern(Op::State(i as u32))
    }

    /// Parameter `i`.
    pub fn parameter(&mut self, i: usize) -> Id {
        self.intern(Op::Parameter(i as u32))
    }

    /// Delayed term `i`.
    pub fn delayed(&mut self, i: usize) -> Id {
        self.intern(Op::Delayed(i as u32))
    }

    fn is(&self, id: Id, value: f64) -> bool {
        self.as_constant(id) == Some(value)
    }

    /// `a + b`.
    pub fn add(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.as_constant(a), self.as_constant(b)) {
            return self.constant(x + y);
        }
        match (self.op(a), self.op(b)) {
            _ if self.is(a, 0.0) => b,
            _ if self.is(b, 0.0) => a,
            (_, Op::Neg(b)) => self.sub(a, b),
            (Op::Neg(a), _) => self.sub(b, a),
            _ => self.intern(Op::Add(a.min(b), a.max(b))),
        }
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.as_constant(a), self.as_constant(b)) {
            return self.constant(x - y);
        }
        match (self.op(a), self.op(b)) {
            _ if a == b => self.constant(0.0),
            _ if self.is(a, 0.0) => self.neg(b),
            _ if self.is(b, 0.0) => a,
            (_, Op::Neg(b)) => self.add(a, b),
            _ => self.intern(Op::Sub(a, b)),
        }
    }

    /// `-a`.
    pub fn neg(&mut self, a: Id) -> Id {
        match self.op(a) {
            Op::Constant(bits) => self.constant(-f64::from_bits(bits)),
            Op::Neg(a) => a,
            Op::Sub(a, b) => self.sub(b, a),
            _ => self.intern(Op::Neg(a)),
        }
    }

    /// `a * b`.
    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.as_constant(a), self.as_constant(b)) {
            return self.constant(x * y);
        }
        match (self.op(a), self.op(b)) {
            _ if self.is(a, 0.0) || self.is(b, 0.0) => self.constant(0.0),
            _ if self.is(a, 1.0) => b,
            _ if self.is(b, 1.0) => a,
            _ if self.is(a, -1.0) => self.neg(b),
            _ if self.is(b, -1.0) => self.neg(a),
            (Op::Neg(a), Op::Neg(b)) => self.mul(a, b),
            (Op::Neg(a), _) => {
                let product = self.mul(a, b);
                self.neg(product)
            }
            (_, Op::Neg(b)) => {
                let product = self.mul(a, b);
                self.neg(product)
            }
            _ => self.intern(Op::Mul(a.min(b), a.max(b))),
        }
    }

    /// `a / b`.
    pub fn div(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.as_constant(a), self.as_constant(b)) {
            return self.constant(x / y);
        }
        match (self.op(a), self.op(b)) {
            _ if self.is(b, 1.0) => a,
            _ if self.is(b, -1.0) => self.neg(a),
            _ if self.is(a, 0.0) => a,
            (Op::Neg(a), _) => {
                let quotient = self.div(a, b);
                self.neg(quotient)
            }
            (_, Op::Neg(b)) => {
                let quotient = self.div(a, b);
                self.neg(quotient)
            }
            _ => self.intern(Op::Div(a, b)),
        }
    }

    /// `a ^ n` for a whole number.
    pub fn power(&mut self, a: Id, n: i32) -> Id {
        match (n, self.op(a)) {
            (0, _) => self.constant(1.0),
            (1, _) => a,
            (_, Op::Constant(bits)) => self.constant(whole_power(f64::from_bits(bits), n)),
            (_, Op::Neg(a)) if n % 2 == 0 => self.power(a, n),
            (_, Op::Neg(a)) => {
                let power = self.power(a, n);
                self.neg(power)
            }
            _ => self.intern(Op::Power(a, n)),
        }
    }

    /// `a ^ b`: a whole power where `b` is a whole number below 2^16, else the real power, defined for `a > 0`.
    pub fn pow(&mut self, a: Id, b: Id) -> Id {
        match self.as_constant(b) {
            Some(n) if n == n.trunc() && n.abs() < 65536.0 => self.power(a, n as i32),
            Some(0.5) => self.apply("sqrt", &[a]),
            _ => self.apply("pow", &[a, b]),
        }
    }

    /// A function of the table, by name, which must exist and take this many arguments.
    pub fn apply(&mut self, name: &str, arguments: &[Id]) -> Id {
        let row = functions::row(name).unwrap_or_else(|| panic!("{name} is in the table of functions"));
        self.call(row, 0, arguments)
    }

    /// A function of the table, by row.
    pub fn call(&mut self, row: u8, order: u8, arguments: &[Id]) -> Id {
        let function = &functions::TABLE[row as usize];
        match (function.value, arguments) {
            (Value::One(_) | Value::Family(_), &[a]) => {
                if let Some(x) = self.as_constant(a) {
                    return self.constant(function.one(order, x));
                }
                self.intern(Op::Unary(row, order, a))
            }
            (Value::Two(f), &[a, b]) => {
                if let (Some(x), Some(y)) = (self.as_constant(a), self.as_constant(b)) {
                    return self.constant(f(x, y));
                }
                self.intern(Op::Binary(row, a, b))
            }
            _ => unreachable!("{} called with {} arguments", function.name, arguments.len()),
        }
    }

    /// `c` where `a ? b` holds, else `d`.
    pub fn select(&mut self, comparison: Comparison, a: Id, b: Id, c: Id, d: Id) -> Id {
        if c == d {
            return c;
        }
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(x), Some(y)) => {
                if holds(comparison, x, y) {
                    c
                } else {
                    d
                }
            }
            _ => self.intern(Op::Select(comparison, a, b, c, d)),
        }
    }

    /// The function of a call node.
    pub fn function(&self, id: Id) -> Option<&'static Function> {
        match self.op(id) {
            Op::Unary(row, ..) | Op::Binary(row, ..) => Some(&functions::TABLE[row as usize]),
            _ => None,
        }
    }

    /// Marks the nodes that `roots` need.
    pub fn reachable(&self, roots: &[Id]) -> Vec<bool> {
        let mut needed = vec![false; self.ops.len()];
        for root in roots {
            needed[root.0 as usize] = true;
        }
        for i in (0..self.ops.len()).rev() {
            if needed[i] {
                for child in self.ops[i].children() {
                    needed[child.0 as usize] = true;
                }
            }
        }
        needed
    }

    /// Marks the nodes that are made of parameters and numbers alone.
    pub fn fixed(&self) -> Vec<bool> {
        let mut fixed = vec![false; self.ops.len()];
        for (i, op) in self.ops.iter().enumerate() {
            fixed[i] = match op {
                Op::Constant(_) | Op::Parameter(_) => true,
                Op::Time | Op::State(_) | Op::Delayed(_) => false,
                _ => op.children().all(|child| fixed[child.0 as usize]),
            };
        }
        fixed
    }

    /// Direct evaluation of `roots`, node after node: the definition that compiled programs are tested against.
    pub fn evaluate(&self, roots: &[Id], leaves: Leaves<'_>) -> Vec<f64> {
        let needed = self.reachable(roots);
        let mut value = vec![f64::NAN; self.ops.len()];
        for i in 0..self.ops.len() {
            if !needed[i] {
                continue;
            }
            let v = |id: Id| value[id.0 as usize];
            value[i] = match self.ops[i] {
                Op::Constant(bits) => f64::from_bits(bits),
                Op::Time => leaves.t,
                Op::State(k) => leaves.x[k as usize],
                Op::Parameter(k) => leaves.p[k as usize],
                Op::Delayed(k) => leaves.z[k as usize],
                Op::Add(a, b) => v(a) + v(b),
                Op::Sub(a, b) => v(a) - v(b),
                Op::Mul(a, b) => v(a) * v(b),
                Op::Div(a, b) => v(a) / v(b),
                Op::Neg(a) => -v(a),
                Op::Power(a, n) => whole_power(v(a), n),
                Op::Unary(row, order, a) => functions::TABLE[row as usize].one(order, v(a)),
                Op::Binary(row, a, b) => match functions::TABLE[row as usize].value {
                    Value::Two(f) => f(v(a), v(b)),
                    _ => unreachable!("binary nodes hold functions of two arguments"),
                },
                Op::Select(comparison, a, b, c, d) => {
                    if holds(comparison, v(a), v(b)) {
                        v(c)
                    } else {
                        v(d)
                    }
                }
            };
        }
        roots.iter().map(|root| value[root.0 as usize]).collect()
    }
}

/// `x ^ n` by repeated squaring, the same sequence of products everywhere.
pub fn whole_power(x: f64, n: i32) -> f64 {
    let mut exponent = n.unsigned_abs();
    let mut square = x;
    let mut result = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= square;
        }
        square *= square;
        exponent >>= 1;
    }
    if n < 0 { 1.0 / result } else { result }
}
