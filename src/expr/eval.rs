//! Running a program over lanes: one instruction at a time, each on all lanes.

use super::functions;
use super::graph::holds;
use super::program::{Code, Instruction, Program, two};
use crate::parallel::simd::{Level, kernel};

/// One number for each lane.
pub type Row<const L: usize> = [f64; L];

#[inline(always)]
fn lanes<const L: usize>(f: impl Fn(usize) -> f64) -> Row<L> {
    let mut row = [0.0; L];
    for (lane, value) in row.iter_mut().enumerate() {
        *value = f(lane);
    }
    row
}

/// Puts `rows` at the beginning of `place`, a few of them without calling for a copy.
#[inline(always)]
fn copy<const L: usize>(rows: &[Row<L>], place: &mut [Row<L>]) {
    match rows {
        [a] => place[..1].copy_from_slice(&[*a]),
        [a, b] => place[..2].copy_from_slice(&[*a, *b]),
        [a, b, c] => place[..3].copy_from_slice(&[*a, *b, *c]),
        [a, b, c, d] => place[..4].copy_from_slice(&[*a, *b, *c, *d]),
        _ => place[..rows.len()].copy_from_slice(rows),
    }
}

kernel! {
    /// Runs `code` on `registers`.
    fn run<const L: usize>(code: &[Instruction], registers: &mut [Row<L>]) {
        for instruction in code {
            let [a, b, c, d] = instruction.from;
            let row = |register: u32| registers[register as usize];
            let value = match instruction.code {
                Code::Add => {
                    let [a, b] = [a, b].map(row);
                    lanes(|l| a[l] + b[l])
                }
                Code::Sub => {
                    let [a, b] = [a, b].map(row);
                    lanes(|l| a[l] - b[l])
                }
                Code::Mul => {
                    let [a, b] = [a, b].map(row);
                    lanes(|l| a[l] * b[l])
                }
                Code::Div => {
                    let [a, b] = [a, b].map(row);
                    lanes(|l| a[l] / b[l])
                }
                Code::Neg => {
                    let a = row(a);
                    lanes(|l| -a[l])
                }
                Code::MulAdd => {
                    let [a, b, c] = [a, b, c].map(row);
                    lanes(|l| a[l].mul_add(b[l], c[l]))
                }
                Code::MulSub => {
                    let [a, b, c] = [a, b, c].map(row);
                    lanes(|l| a[l].mul_add(b[l], -c[l]))
                }
                Code::NegMulAdd => {
                    let [a, b, c] = [a, b, c].map(row);
                    lanes(|l| (-a[l]).mul_add(b[l], c[l]))
                }
                Code::Unary(function, order) => {
                    let (function, a) = (&functions::TABLE[function as usize], row(a));
                    lanes(|l| function.one(order, a[l]))
                }
                Code::Binary(function) => {
                    let [a, b] = [a, b].map(row);
                    lanes(|l| two(function, a[l], b[l]))
                }
                Code::Select(comparison) => {
                    let [a, b, c, d] = [a, b, c, d].map(row);
                    lanes(|l| if holds(comparison, a[l], b[l]) { c[l] } else { d[l] })
                }
            };
            registers[instruction.to as usize] = value;
        }
    }
}

/// The registers of a program on `L` lanes.
#[derive(Clone, Debug)]
pub struct Evaluator<'p, const L: usize> {
    program: &'p Program,
    registers: Vec<Row<L>>,
    level: Level,
}

impl<'p, const L: usize> Evaluator<'p, L> {
    /// Registers for `program`, parameters zero.
    pub fn new(program: &'p Program, level: Level) -> Self {
        let mut registers = vec![[0.0; L]; program.n_registers];
        for (register, &value) in registers.iter_mut().zip(&program.constants) {
            *register = [value; L];
        }
        Self { program, registers, level }
    }

    /// Puts the parameters of `lane` in place.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        let first = self.program.constants.len();
        for (register, &value) in self.registers[first..].iter_mut().zip(parameters) {
            register[lane] = value;
        }
        run(self.level, &self.program.prologue, &mut self.registers);
    }

    /// Evaluates at time `t`, state `x` and delayed terms `z` (one row each) into `out`.
    #[inline]
    pub fn eval(&mut self, t: &Row<L>, x: &[Row<L>], z: &[Row<L>], out: &mut [Row<L>]) {
        let time = self.program.time;
        self.registers[time] = *t;
        copy(&x[..self.program.n_states], &mut self.registers[time + 1..]);
        self.registers[time + 1 + self.program.n_states..][..z.len()].copy_from_slice(z);
        run(self.level, &self.program.body, &mut self.registers);
        for (out, &register) in out.iter_mut().zip(&self.program.outputs) {
            *out = self.registers[register as usize];
        }
    }
}
