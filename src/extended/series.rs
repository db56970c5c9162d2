//! Programs run in extended numbers: one evaluation, and the Taylor coefficients of a solution.
//!
//! The same recurrences as in `expr::jet`, where they are explained, for one trajectory and without regard to speed.

use super::functions;
use super::number::Extended;
use crate::expr::graph::holds;
use crate::expr::jet::{JetCode, JetInstruction, JetProgram};
use crate::expr::program::{Code, Instruction, Program};

/// The registers of a program.
pub struct Evaluator<'p> {
    program: &'p Program,
    registers: Vec<Extended>,
}

impl<'p> Evaluator<'p> {
    /// Registers with the parameters in place.
    pub fn new(program: &'p Program, parameters: &[f64]) -> Self {
        let mut registers = vec![Extended::ZERO; program.n_registers];
        for (register, &value) in registers.iter_mut().zip(program.constants.iter().chain(parameters)) {
            *register = Extended::from(value);
        }
        run(&program.prologue, &mut registers);
        Self { program, registers }
    }

    /// Evaluates at time `t` and state `x` into `out`.
    pub fn eval(&mut self, t: Extended, x: &[Extended], out: &mut [Extended]) {
        let time = self.program.time;
        self.registers[time] = t;
        self.registers[time + 1..][..x.len()].copy_from_slice(x);
        run(&self.program.body, &mut self.registers);
        for (out, &register) in out.iter_mut().zip(&self.program.outputs) {
            *out = self.registers[register as usize];
        }
    }
}

/// A function that has no extended form leaves NaN; such programs are refused before.
const UNKNOWN: Extended = Extended::new(f64::NAN, 0.0);

fn run(code: &[Instruction], registers: &mut [Extended]) {
    for instruction in code {
        let [a, b, c, d] = instruction.from.map(|from| registers[from as usize]);
        registers[instruction.to as usize] = match instruction.code {
            Code::Add => a + b,
            Code::Sub => a - b,
            Code::Mul => a * b,
            Code::Div => a / b,
            Code::Neg => -a,
            Code::MulAdd => a * b + c,
            Code::MulSub => a * b - c,
            Code::NegMulAdd => c - a * b,
            Code::Unary(row, order) => functions::one(row, order, a).unwrap_or(UNKNOWN),
            Code::Binary(row) => functions::two(row, a, b).unwrap_or(UNKNOWN),
            Code::Select(comparison) => {
                if holds(comparison, a.high, b.high) {
                    c
                } else {
                    d
                }
            }
        };
    }
}

/// The Taylor coefficients of a solution.
pub struct Series<'p> {
    program: &'p JetProgram,
    fixed: Vec<Extended>,
    /// Register after register, order after order.
    terms: Vec<Extended>,
    stride: usize,
}

impl<'p> Series<'p> {
    /// Series with the parameters in place.
    pub fn new(program: &'p JetProgram, parameters: &[f64]) -> Self {
        let mut fixed = vec![Extended::ZERO; program.fixed.outputs.len()];
        Evaluator::new(&program.fixed, parameters).eval(Extended::ZERO, &[], &mut fixed);
        let stride = program.order() + 1;
        Self { program, fixed, terms: vec![Extended::ZERO; program.n_series * stride], stride }
    }

    /// Number of state variables.
    pub fn n_states(&self) -> usize {
        self.program.n_states
    }

    /// Coefficient `k` of variable `i`.
    pub fn coefficient(&self, i: usize, k: usize) -> Extended {
        self.at(1 + i as u32, k)
    }

    fn at(&self, register: u32, k: usize) -> Extended {
        self.terms[register as usize * self.stride + k]
    }

    fn set(&mut self, register: u32, k: usize, value: Extended) {
        self.terms[register as usize * self.stride + k] = value;
    }

    /// sum of a_j b_(k-j) over the orders `j`.
    fn convolve(&self, a: u32, b: u32, k: usize, orders: std::ops::RangeInclusive<usize>) -> Extended {
        orders.fold(Extended::ZERO, |sum, j| sum + self.at(a, j) * self.at(b, k - j))
    }

    /// Expands the solution through state `x` at time `t`.
    pub fn expand(&mut self, t: Extended, x: &[Extended]) {
        let program = self.program;
        let order = program.order();
        self.set(0, 0, t);
        self.set(0, 1, Extended::ONE);
        x.iter().zip(1..).for_each(|(&x, register)| self.set(register, 0, x));
        for k in 0..order {
            for instruction in &program.instructions {
                let Some(value) = self.term(instruction, k) else { continue };
                self.set(instruction.to, k, value);
                self.pass_on(instruction.to, instruction.state, k);
            }
            program.copies.iter().for_each(|&(register, state)| self.pass_on(register, state, k));
        }
    }

    /// Order k + 1 of a state from order k of its right-hand side.
    fn pass_on(&mut self, register: u32, state: u32, k: usize) {
        if state > 0 {
            let value = self.at(register, k) / Extended::from((k + 1) as f64);
            self.set(state, k + 1, value);
        }
    }

    /// Order `k` of what an instruction computes; none for the slope, which is set one order below.
    fn term(&mut self, instruction: &JetInstruction, k: usize) -> Option<Extended> {
        let JetInstruction { code, to, from: [a, b, c, d, e, f], .. } = *instruction;
        let first = k == 0;
        let fixed = |series: &Self, place: u32| if first { series.fixed[place as usize] } else { Extended::ZERO };
        let scale = |series: &Self, place: u32| series.fixed[place as usize];
        Some(match code {
            JetCode::AddSS => self.at(a, k) + self.at(b, k),
            JetCode::AddSF => self.at(a, k) + fixed(self, b),
            JetCode::SubSS => self.at(a, k) - self.at(b, k),
            JetCode::SubSF => self.at(a, k) - fixed(self, b),
            JetCode::SubFS => fixed(self, a) - self.at(b, k),
            JetCode::Neg => -self.at(a, k),
            JetCode::MulSS => self.convolve(a, b, k, 0..=k),
            JetCode::MulSF => self.at(a, k) * scale(self, b),
            JetCode::MulAddSS => self.convolve(a, b, k, 0..=k) + self.at(c, k),
            JetCode::MulSubSS => self.convolve(a, b, k, 0..=k) - self.at(c, k),
            JetCode::NegMulAddSS => self.at(c, k) - self.convolve(a, b, k, 0..=k),
            JetCode::MulAddSF => self.at(a, k) * scale(self, b) + self.at(c, k),
            JetCode::MulSubSF => self.at(a, k) * scale(self, b) - self.at(c, k),
            JetCode::NegMulAddSF => self.at(c, k) - self.at(a, k) * scale(self, b),
            JetCode::DivSF => self.at(a, k) / scale(self, b),
            JetCode::DivSS | JetCode::DivFS => {
                let top = if code == JetCode::DivSS { self.at(a, k) } else { fixed(self, a) };
                let known = if first { Extended::ZERO } else { self.convolve(b, to, k, 1..=k) };
                (top - known) / self.at(b, 0)
            }
            JetCode::Slope => {
                if !first {
                    let value = self.at(a, k) * Extended::from(k as f64);
                    self.set(to, k - 1, value);
                }
                return None;
            }
            JetCode::Chain(row, n) if first => functions::one(row, n, self.at(a, 0)).unwrap_or(UNKNOWN),
            JetCode::Chain(..) => self.convolve(b, c, k - 1, 0..=k - 1) / Extended::from(k as f64),
            JetCode::Chain2(row) if first => functions::two(row, self.at(a, 0), self.at(b, 0)).unwrap_or(UNKNOWN),
            JetCode::Chain2(_) => {
                let sum = self.convolve(c, e, k - 1, 0..=k - 1) + self.convolve(d, f, k - 1, 0..=k - 1);
                sum / Extended::from(k as f64)
            }
            JetCode::Select(comparison) => {
                let yes = holds(comparison, self.at(a, 0).high, self.at(b, 0).high);
                self.at(if yes { c } else { d }, k)
            }
            JetCode::Promote => fixed(self, a),
            JetCode::MulAddScaled => self.convolve(a, b, k, 0..=k) + self.at(c, k) * scale(self, d),
            JetCode::MulSubScaled => self.convolve(a, b, k, 0..=k) - self.at(c, k) * scale(self, d),
            JetCode::AddScaled => (self.at(a, k) + self.at(b, k)) * scale(self, c),
            JetCode::SubScaled => (self.at(a, k) - self.at(b, k)) * scale(self, c),
            JetCode::MulScaled => self.convolve(a, b, k, 0..=k) * scale(self, c),
        })
    }
}
