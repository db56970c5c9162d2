//! From graph to a short list of register instructions.
//!
//! What depends on parameters alone is computed once per trajectory (the prologue); the rest once per evaluation (the
//! body). A product that feeds one sum is fused with it. Registers of the body are reused as soon as they are free.

use super::ast::Comparison;
use super::functions::{self, Value};
use super::graph::{Graph, Id, Op};

/// What an instruction does with registers `a`, `b`, `c`, `d`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Code {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a b
    Mul,
    /// a / b
    Div,
    /// -a
    Neg,
    /// a b + c
    MulAdd,
    /// a b - c
    MulSub,
    /// c - a b
    NegMulAdd,
    /// A function of a, by its row and order.
    Unary(u8, u8),
    /// A function of a and b, by its row.
    Binary(u8),
    /// c if a ? b, else d
    Select(Comparison),
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instruction {
    /// What it does.
    pub code: Code,
    /// Register it writes.
    pub to: u32,
    /// Registers it reads.
    pub from: [u32; 4],
}

/// A compiled set of expressions.
#[derive(Clone, Debug)]
pub struct Program {
    /// Numbers, the first registers.
    pub constants: Vec<f64>,
    /// Registers of parameters: `n_parameters` from `constants.len()`.
    pub n_parameters: usize,
    /// Register of time; the state follows, then the delayed terms.
    pub time: usize,
    /// Number of state variables.
    pub n_states: usize,
    /// Number of delayed terms.
    pub n_delayed: usize,
    /// Registers in all.
    pub n_registers: usize,
    /// Instructions on parameters alone.
    pub prologue: Vec<Instruction>,
    /// Instructions of an evaluation.
    pub body: Vec<Instruction>,
    /// Registers of the results.
    pub outputs: Vec<u32>,
}

/// Sizes of the leaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// State variables.
    pub states: usize,
    /// Parameters.
    pub parameters: usize,
    /// Delayed terms.
    pub delayed: usize,
}

/// Which nodes are needed, which are made of parameters alone, which products are fused into the sum that uses them.
pub(crate) struct Analysis {
    pub needed: Vec<bool>,
    pub fixed: Vec<bool>,
    pub fused: Vec<bool>,
}

impl Analysis {
    /// `extra` are further uses of nodes beyond those by other nodes and roots.
    pub fn new(graph: &Graph, roots: &[Id], extra: &[Id]) -> Self {
        let all: Vec<Id> = roots.iter().chain(extra).copied().collect();
        let needed = graph.reachable(&all);
        let n = needed.len();
        let fixed = graph.fixed();
        let mut uses = vec![0u32; n];
        for id in &all {
            uses[id.0 as usize] += 2; // a root keeps its own register
        }
        for i in 0..n {
            let op = graph.op(Id(i as u32));
            if needed[i] {
                for child in op.children() {
                    uses[child.0 as usize] += 1;
                }
            }
        }
        let mut fused = vec![false; n];
        for i in 0..n {
            if !needed[i] || fixed[i] {
                continue;
            }
            let candidate = |id: Id| {
                let k = id.0 as usize;
                matches!(graph.op(id), Op::Mul(..)) && uses[k] == 1 && !fixed[k]
            };
            if let Op::Add(a, b) | Op::Sub(a, b) = graph.op(Id(i as u32)) {
                if candidate(a) {
                    fused[a.0 as usize] = true;
                } else if candidate(b) {
                    fused[b.0 as usize] = true;
                }
            }
        }
        Self { needed, fixed, fused }
    }
}

/// A sum with a fused product: code and operands a, b, c.
pub(crate) fn fused_sum(graph: &Graph, fused: &[bool], op: Op) -> Option<(Code, Id, Id, Id)> {
    let product = |id: Id| match graph.op(id) {
        Op::Mul(a, b) if fused[id.0 as usize] => Some((a, b)),
        _ => None,
    };
    match op {
        Op::Add(x, y) => product(x)
            .map(|(a, b)| (Code::MulAdd, a, b, y))
            .or_else(|| product(y).map(|(a, b)| (Code::MulAdd, a, b, x))),
        Op::Sub(x, y) => product(x)
            .map(|(a, b)| (Code::MulSub, a, b, y))
            .or_else(|| product(y).map(|(a, b)| (Code::NegMulAdd, a, b, x))),
        _ => None,
    }
}

impl Program {
    /// Compiles `roots`.
    pub fn compile(graph: &Graph, roots: &[Id], sizes: Sizes) -> Program {
        let analysis = Analysis::new(graph, roots, &[]);
        let n = analysis.needed.len();

        let mut constants = Vec::new();
        // The register of each node that has one.
        let mut home = vec![u32::MAX; n];
        for i in (0..n).filter(|&i| analysis.needed[i]) {
            if let Op::Constant(bits) = graph.op(Id(i as u32)) {
                home[i] = constants.len() as u32;
                constants.push(f64::from_bits(bits));
            }
        }
        let one = constants.len() as u32; // for negative powers
        constants.push(1.0);

        let first_parameter = constants.len();
        let mut builder = Builder { instructions: Vec::new(), next: (first_parameter + sizes.parameters) as u32, one };
        for i in (0..n).filter(|&i| analysis.needed[i] && analysis.fixed[i]) {
            let id = Id(i as u32);
            match graph.op(id) {
                Op::Constant(_) => {}
                Op::Parameter(k) => home[i] = first_parameter as u32 + k,
                op => home[i] = builder.lower(op, |id| home[id.0 as usize]),
            }
        }
        let prologue = std::mem::take(&mut builder.instructions);
        let time = builder.next as usize;
        builder.next += 1 + sizes.states as u32 + sizes.delayed as u32;
        let first_temporary = builder.next;
        for i in (0..n).filter(|&i| analysis.needed[i] && !analysis.fixed[i] && !analysis.fused[i]) {
            let id = Id(i as u32);
            let place = match graph.op(id) {
                Op::Time => time as u32,
                Op::State(k) => time as u32 + 1 + k,
                Op::Delayed(k) => (time + 1 + sizes.states) as u32 + k,
                op => match fused_sum(graph, &analysis.fused, op) {
                    Some((code, a, b, c)) => {
                        let [a, b, c] = [a, b, c].map(|id| home[id.0 as usize]);
                        builder.emit(code, [a, b, c, 0])
                    }
                    None => builder.lower(op, |id| home[id.0 as usize]),
                },
            };
            home[i] = place;
        }
        let mut program = Program {
            constants,
            n_parameters: sizes.parameters,
            time,
            n_states: sizes.states,
            n_delayed: sizes.delayed,
            n_registers: builder.next as usize,
            prologue,
            body: builder.instructions,
            outputs: roots.iter().map(|root| home[root.0 as usize]).collect(),
        };
        program.reuse_registers(first_temporary);
        program
    }

    /// Renames the temporaries so that one whose last reader has passed is written again.
    fn reuse_registers(&mut self, first: u32) {
        let mut last_use = vec![0; self.n_registers];
        for (i, instruction) in self.body.iter().enumerate() {
            for &register in reads(instruction) {
                last_use[register as usize] = i;
            }
        }
        for &output in &self.outputs {
            last_use[output as usize] = usize::MAX;
        }
        let mut name: Vec<u32> = (0..self.n_registers as u32).collect();
        let mut free: Vec<u32> = Vec::new();
        let mut next = first;
        let mut released = Vec::new();
        for i in 0..self.body.len() {
            let mut instruction = self.body[i];
            released.clear();
            for &register in reads(&self.body[i]) {
                if register >= first && last_use[register as usize] == i {
                    released.push(register);
                }
            }
            for register in &mut instruction.from {
                *register = name[*register as usize];
            }
            released.sort_unstable();
            released.dedup();
            free.extend(released.iter().map(|&register| name[register as usize]));
            let to = free.pop().unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            name[instruction.to as usize] = to;
            instruction.to = to;
            self.body[i] = instruction;
        }
        for output in &mut self.outputs {
            *output = name[*output as usize];
        }
        self.n_registers = next as usize;
    }
}

/// The registers an instruction reads.
fn reads(instruction: &Instruction) -> &[u32] {
    let count = match instruction.code {
        Code::Neg | Code::Unary(..) => 1,
        Code::Add | Code::Sub | Code::Mul | Code::Div | Code::Binary(_) => 2,
        Code::MulAdd | Code::MulSub | Code::NegMulAdd => 3,
        Code::Select(_) => 4,
    };
    &instruction.from[..count]
}

struct Builder {
    instructions: Vec<Instruction>,
    next: u32,
    one: u32,
}

impl Builder {
    fn emit(&mut self, code: Code, from: [u32; 4]) -> u32 {
        let to = self.next;
        self.next += 1;
        self.instructions.push(Instruction { code, to, from });
        to
    }

    fn lower(&mut self, op: Op, home: impl Fn(Id) -> u32) -> u32 {
        match op {
            Op::Add(a, b) => self.emit(Code::Add, [home(a), home(b), 0, 0]),
            Op::Sub(a, b) => self.emit(Code::Sub, [home(a), home(b), 0, 0]),
            Op::Mul(a, b) => self.emit(Code::Mul, [home(a), home(b), 0, 0]),
            Op::Div(a, b) => self.emit(Code::Div, [home(a), home(b), 0, 0]),
            Op::Neg(a) => self.emit(Code::Neg, [home(a), 0, 0, 0]),
            Op::Unary(row, order, a) => self.emit(Code::Unary(row, order), [home(a), 0, 0, 0]),
            Op::Binary(row, a, b) => self.emit(Code::Binary(row), [home(a), home(b), 0, 0]),
            Op::Select(comparison, a, b, c, d) => {
                self.emit(Code::Select(comparison), [home(a), home(b), home(c), home(d)])
            }
            Op::Power(a, n) => {
                let power = power_chain(n.unsigned_abs(), home(a), &mut |a, b| self.emit(Code::Mul, [a, b, 0, 0]));
                if n < 0 { self.emit(Code::Div, [self.one, power, 0, 0]) } else { power }
            }
            Op::Constant(_) | Op::Time | Op::State(_) | Op::Parameter(_) | Op::Delayed(_) => {
                unreachable!("leaves have their own registers")
            }
        }
    }
}

/// The products of [`whole_power`](super::graph::whole_power), through `multiply`.
pub(crate) fn power_chain<T: Copy>(mut exponent: u32, base: T, multiply: &mut impl FnMut(T, T) -> T) -> T {
    let mut square = base;
    let mut result = None;
    loop {
        if exponent & 1 == 1 {
            result = Some(result.map_or(square, |result| multiply(result, square)));
        }
        exponent >>= 1;
        match (exponent, result) {
            (0, Some(result)) => return result,
            (0, None) => return base,
            _ => square = multiply(square, square),
        }
    }
}

/// Whether every function in `roots` is smooth and no condition is asked.
pub fn is_smooth(graph: &Graph, roots: &[Id]) -> bool {
    let needed = graph.reachable(roots);
    (0..needed.len()).filter(|&i| needed[i]).all(|i| match graph.op(Id(i as u32)) {
        Op::Select(..) => false,
        Op::Unary(row, ..) | Op::Binary(row, ..) => functions::TABLE[row as usize].smooth,
        _ => true,
    })
}

/// The value of a function of two arguments, by row.
#[inline]
pub(crate) fn two(row: u8, x: f64, y: f64) -> f64 {
    match functions::TABLE[row as usize].value {
        Value::Two(f) => f(x, y),
        _ => f64::NAN,
    }
}
