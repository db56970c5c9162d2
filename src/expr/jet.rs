//! Taylor coefficients of a solution, by automatic recurrence over lanes.
//!
//! The series of every register grows by one order at a time: sums term by term, products as convolutions, functions by
//! y' = f'(x) x' (Moore 1966; Jorba & Zou 2005). Every convolution is summed in four interleaved parts, in one fixed
//! order, whether the vector unit holds four orders of one trajectory or eight trajectories of one order.

use super::ast::Comparison;
use super::eval::Row;
use super::functions::{self, Value};
use super::graph::{Graph, Id, Op, holds};
use super::program::{Analysis, Code, Program, Sizes, fused_sum, power_chain, two};
use crate::parallel::simd::{Level, kernel};
use std::collections::HashMap;

/// `S` marks an operand that is a series, `F` one that is fixed (made of parameters alone).
#[derive(Clone, Copy, Debug, PartialEq)]
enum JetCode {
    AddSS,
    AddSF,
    SubSS,
    SubSF,
    SubFS,
    Neg,
    MulSS,
    MulSF,
    MulAddSS,
    MulAddSF,
    MulSubSS,
    MulSubSF,
    NegMulAddSS,
    NegMulAddSF,
    DivSS,
    DivSF,
    DivFS,
    /// The derivative series of a: order k of it is (k + 1) a_(k+1).
    Slope,
    /// f(a) with the derivative series b of a and the series c of f'(a).
    Chain(u8, u8),
    /// f(a, b): value only; the terms follow in `Chain2`.
    Chain2(u8),
    /// c if a ? b, else d, decided by the values at order 0.
    Select(Comparison),
    /// A fixed number as a series.
    Promote,
}

#[derive(Clone, Copy, Debug)]
struct JetInstruction {
    code: JetCode,
    to: u32,
    from: [u32; 6],
}

/// A system compiled for Taylor series of a given order.
#[derive(Clone, Debug)]
pub struct JetProgram {
    /// Computes the fixed numbers; its outputs are the fixed operands.
    fixed: Program,
    instructions: Vec<JetInstruction>,
    /// Series registers: time, the states, then temporaries.
    n_series: usize,
    n_states: usize,
    roots: Vec<u32>,
    order: usize,
}

impl JetProgram {
    /// Compiles the right-hand sides `roots` for series up to `order`. The graph grows by the derivatives it needs.
    pub fn compile(graph: &mut Graph, roots: &[Id], sizes: Sizes, order: usize) -> JetProgram {
        graph.constant(1.0); // for negative powers
        let slopes = slopes(graph, roots, order);
        let extra: Vec<Id> = slopes.values().flatten().copied().collect();
        let analysis = Analysis::new(graph, roots, &extra);
        let mut lowering = Lowering {
            graph,
            analysis: &analysis,
            instructions: Vec::new(),
            series: HashMap::new(),
            fixed: HashMap::new(),
            fixed_list: Vec::new(),
            promoted: HashMap::new(),
            slope: HashMap::new(),
            next: 1 + sizes.states as u32,
        };
        for i in 0..analysis.needed.len() {
            let id = Id(i as u32);
            if analysis.needed[i] && !analysis.fixed[i] && !analysis.fused[i] {
                lowering.lower(id, slopes.get(&id));
            }
        }
        let roots = roots.iter().map(|&root| lowering.as_series(root)).collect();
        lowering.resolve_chains(&slopes);
        let Lowering { instructions, fixed_list, next, .. } = lowering;
        JetProgram {
            fixed: Program::compile(graph, &fixed_list, Sizes { states: 0, delayed: 0, ..sizes }),
            instructions,
            n_series: next as usize,
            n_states: sizes.states,
            roots,
            order,
        }
    }

    /// Order of the series.
    pub fn order(&self) -> usize {
        self.order
    }
}

/// The derivative of every function node that `roots` need, and of those that these derivatives need in turn.
fn slopes(graph: &mut Graph, roots: &[Id], order: usize) -> HashMap<Id, Vec<Id>> {
    let mut slopes: HashMap<Id, Vec<Id>> = HashMap::new();
    loop {
        let all: Vec<Id> = roots.iter().copied().chain(slopes.values().flatten().copied()).collect();
        let needed = graph.reachable(&all);
        let fixed = graph.fixed();
        let before = slopes.len();
        for i in (0..needed.len()).filter(|&i| needed[i] && !fixed[i]) {
            let id = Id(i as u32);
            if slopes.contains_key(&id) {
                continue;
            }
            match graph.op(id) {
                // A family has ever higher derivatives; beyond the order of the series none is asked for.
                Op::Unary(row, n, _)
                    if matches!(functions::TABLE[row as usize].value, Value::Family(_)) && usize::from(n) >= order =>
                {
                    let zero = graph.constant(0.0);
                    slopes.insert(id, vec![zero]);
                }
                Op::Unary(row, n, a) => {
                    let slope = (functions::TABLE[row as usize].derivative)(graph, &[a], id, n);
                    slopes.insert(id, slope);
                }
                Op::Binary(row, a, b) => {
                    let zero = graph.constant(0.0);
                    let mut slope = (functions::TABLE[row as usize].derivative)(graph, &[a, b], id, 0);
                    for (part, argument) in slope.iter_mut().zip([a, b]) {
                        if fixed[argument.0 as usize] {
                            *part = zero;
                        }
                    }
                    slopes.insert(id, slope);
                }
                _ => {}
            }
        }
        if slopes.len() == before {
            return slopes;
        }
    }
}

struct Lowering<'g> {
    graph: &'g Graph,
    analysis: &'g Analysis,
    instructions: Vec<JetInstruction>,
    series: HashMap<Id, u32>,
    fixed: HashMap<Id, u32>,
    fixed_list: Vec<Id>,
    promoted: HashMap<Id, u32>,
    slope: HashMap<Id, u32>,
    next: u32,
}

/// Placeholder for the register of a derivative that is lowered later than its use; see `resolve_chains`.
const LATER: u32 = u32::MAX;

impl Lowering<'_> {
    fn emit(&mut self, code: JetCode, from: [u32; 6]) -> u32 {
        let to = self.next;
        self.next += 1;
        self.instructions.push(JetInstruction { code, to, from });
        to
    }

    fn is_fixed(&self, id: Id) -> bool {
        self.analysis.fixed[id.0 as usize]
    }

    fn fixed_place(&mut self, id: Id) -> u32 {
        *self.fixed.entry(id).or_insert_with(|| {
            self.fixed_list.push(id);
            self.fixed_list.len() as u32 - 1
        })
    }

    /// The register of a node as a series, whatever it is.
    fn as_series(&mut self, id: Id) -> u32 {
        if !self.is_fixed(id) {
            return self.series[&id];
        }
        if let Some(&place) = self.promoted.get(&id) {
            return place;
        }
        let from = self.fixed_place(id);
        let place = self.emit(JetCode::Promote, [from, 0, 0, 0, 0, 0]);
        self.promoted.insert(id, place);
        place
    }

    fn slope_of(&mut self, id: Id) -> u32 {
        if let Some(&place) = self.slope.get(&id) {
            return place;
        }
        let from = self.as_series(id);
        let place = self.emit(JetCode::Slope, [from, 0, 0, 0, 0, 0]);
        self.slope.insert(id, place);
        place
    }

    fn two(&mut self, codes: [JetCode; 3], a: Id, b: Id) -> u32 {
        // codes: both series; a series, b fixed; a fixed, b series
        match (self.is_fixed(a), self.is_fixed(b)) {
            (false, false) => self.emit(codes[0], [self.series[&a], self.series[&b], 0, 0, 0, 0]),
            (false, true) => {
                let b = self.fixed_place(b);
                self.emit(codes[1], [self.series[&a], b, 0, 0, 0, 0])
            }
            _ => {
                let a = self.fixed_place(a);
                let b = self.as_series(b);
                self.emit(codes[2], [a, b, 0, 0, 0, 0])
            }
        }
    }

    fn lower(&mut self, id: Id, slope: Option<&Vec<Id>>) {
        let op = self.graph.op(id);
        let place = match op {
            Op::Time => 0,
            Op::State(k) => 1 + k,
            Op::Constant(_) | Op::Parameter(_) => unreachable!("fixed"),
            Op::Delayed(_) => unreachable!("delayed terms have no series here; the caller refuses them"),
            Op::Add(..) | Op::Sub(..) if fused_sum(self.graph, &self.analysis.fused, op).is_some() => {
                let (code, a, b, c) = fused_sum(self.graph, &self.analysis.fused, op).expect("asked above");
                self.fused(code, a, b, c)
            }
            Op::Add(a, b) if self.is_fixed(a) => self.two([JetCode::AddSS, JetCode::AddSF, JetCode::AddSF], b, a),
            Op::Add(a, b) => self.two([JetCode::AddSS, JetCode::AddSF, JetCode::AddSF], a, b),
            Op::Sub(a, b) => self.two([JetCode::SubSS, JetCode::SubSF, JetCode::SubFS], a, b),
            Op::Mul(a, b) if self.is_fixed(a) => self.two([JetCode::MulSS, JetCode::MulSF, JetCode::MulSF], b, a),
            Op::Mul(a, b) => self.two([JetCode::MulSS, JetCode::MulSF, JetCode::MulSF], a, b),
            Op::Div(a, b) => self.two([JetCode::DivSS, JetCode::DivSF, JetCode::DivFS], a, b),
            Op::Neg(a) => self.emit(JetCode::Neg, [self.series[&a], 0, 0, 0, 0, 0]),
            Op::Power(a, n) => {
                let base = self.series[&a];
                let power =
                    power_chain(n.unsigned_abs(), base, &mut |a, b| self.emit(JetCode::MulSS, [a, b, 0, 0, 0, 0]));
                if n > 0 {
                    power
                } else {
                    let one = self.one();
                    self.emit(JetCode::DivFS, [one, power, 0, 0, 0, 0])
                }
            }
            Op::Unary(row, order, a) => {
                let dx = self.slope_of(a);
                debug_assert!(slope.is_some(), "every function node has its slope");
                self.emit(JetCode::Chain(row, order), [self.series[&a], dx, LATER, 0, 0, 0])
            }
            Op::Binary(row, a, b) => {
                let (x, y) = (self.as_series(a), self.as_series(b));
                let (dx, dy) = (self.slope_of(a), self.slope_of(b));
                self.emit(JetCode::Chain2(row), [x, y, dx, dy, LATER, LATER])
            }
            Op::Select(comparison, a, b, c, d) => {
                let from = [a, b, c, d].map(|id| self.as_series(id));
                self.emit(JetCode::Select(comparison), [from[0], from[1], from[2], from[3], 0, 0])
            }
        };
        self.series.insert(id, place);
    }

    /// The fixed place of the number 1, which `compile` of every graph with a negative power has made.
    fn one(&mut self) -> u32 {
        let one = (0..self.graph.len()).map(|i| Id(i as u32)).find(|&id| self.graph.as_constant(id) == Some(1.0));
        self.fixed_place(one.expect("`JetProgram::compile` interns 1"))
    }

    fn fused(&mut self, code: Code, a: Id, b: Id, c: Id) -> u32 {
        let (a, b) = if self.is_fixed(a) { (b, a) } else { (a, b) };
        let scaled = self.is_fixed(b);
        if self.is_fixed(c) {
            // A fixed term enters at order 0 only.
            let product = self.two([JetCode::MulSS, JetCode::MulSF, JetCode::MulSF], a, b);
            let c = self.fixed_place(c);
            return match code {
                Code::MulAdd => self.emit(JetCode::AddSF, [product, c, 0, 0, 0, 0]),
                Code::MulSub => self.emit(JetCode::SubSF, [product, c, 0, 0, 0, 0]),
                _ => self.emit(JetCode::SubFS, [c, product, 0, 0, 0, 0]),
            };
        }
        let second = if scaled { self.fixed_place(b) } else { self.series[&b] };
        let code = match (code, scaled) {
            (Code::MulAdd, false) => JetCode::MulAddSS,
            (Code::MulAdd, true) => JetCode::MulAddSF,
            (Code::MulSub, false) => JetCode::MulSubSS,
            (Code::MulSub, true) => JetCode::MulSubSF,
            (_, false) => JetCode::NegMulAddSS,
            (_, true) => JetCode::NegMulAddSF,
        };
        self.emit(code, [self.series[&a], second, self.series[&c], 0, 0, 0])
    }

    /// Puts the registers of derivatives in place: at order k a chain reads them up to order k - 1 only, so they may be
    /// computed later in the list than the function itself (sine and cosine need each other).
    fn resolve_chains(&mut self, slopes: &HashMap<Id, Vec<Id>>) {
        let of_register: HashMap<u32, Id> = self.series.iter().map(|(&id, &place)| (place, id)).collect();
        for i in 0..self.instructions.len() {
            let instruction = self.instructions[i];
            let places = match instruction.code {
                JetCode::Chain(..) => 2..3,
                JetCode::Chain2(_) => 4..6,
                _ => continue,
            };
            let parts = slopes[&of_register[&instruction.to]].clone();
            for (place, part) in places.zip(parts) {
                let register = self.as_series(part);
                self.instructions[i].from[place] = register;
            }
        }
    }
}

/// Where the series live.
trait Memory<const L: usize> {
    fn get(&self, register: u32, k: usize) -> Row<L>;
    fn set(&mut self, register: u32, k: usize, value: Row<L>);
    /// sum of a_j b_(k-j) over j = 0..=k, in four interleaved parts.
    fn convolve(&self, a: u32, b: u32, k: usize) -> Row<L>;
}

/// Series of `L` trajectories: register, order, lane.
struct LaneMemory<'m, const L: usize> {
    series: &'m mut [Row<L>],
    stride: usize,
}

impl<const L: usize> Memory<L> for LaneMemory<'_, L> {
    #[inline(always)]
    fn get(&self, register: u32, k: usize) -> Row<L> {
        self.series[register as usize * self.stride + k]
    }

    #[inline(always)]
    fn set(&mut self, register: u32, k: usize, value: Row<L>) {
        self.series[register as usize * self.stride + k] = value;
    }

    #[inline(always)]
    fn convolve(&self, a: u32, b: u32, k: usize) -> Row<L> {
        let a = &self.series[a as usize * self.stride..][..k + 1];
        let b = &self.series[b as usize * self.stride..][..k + 1];
        let mut part = [[0.0; L]; 4];
        let whole = (k + 1) / 4 * 4;
        for j in (0..whole).step_by(4) {
            for m in 0..4 {
                for l in 0..L {
                    part[m][l] = a[j + m][l].mul_add(b[k - j - m][l], part[m][l]);
                }
            }
        }
        // Written out, so that the four parts stay in vector registers.
        let rest = k + 1 - whole;
        if rest > 0 {
            for l in 0..L {
                part[0][l] = a[whole][l].mul_add(b[k - whole][l], part[0][l]);
            }
        }
        if rest > 1 {
            for l in 0..L {
                part[1][l] = a[whole + 1][l].mul_add(b[k - whole - 1][l], part[1][l]);
            }
        }
        if rest > 2 {
            for l in 0..L {
                part[2][l] = a[whole + 2][l].mul_add(b[k - whole - 2][l], part[2][l]);
            }
        }
        let mut sum = [0.0; L];
        for l in 0..L {
            sum[l] = (part[0][l] + part[1][l]) + (part[2][l] + part[3][l]);
        }
        sum
    }
}

/// Series of one trajectory, each also in reverse order, so that a convolution runs forward through both. Behind the
/// lowest order of a reversed series stand zeros: they cancel what a block of four reads beyond order k.
struct SingleMemory<'m> {
    forward: &'m mut [f64],
    reverse: &'m mut [f64],
    stride: usize,
    order: usize,
}

impl Memory<1> for SingleMemory<'_> {
    #[inline(always)]
    fn get(&self, register: u32, k: usize) -> Row<1> {
        [self.forward[register as usize * self.stride + k]]
    }

    #[inline(always)]
    fn set(&mut self, register: u32, k: usize, value: Row<1>) {
        self.forward[register as usize * self.stride + k] = value[0];
        self.reverse[register as usize * self.stride + self.order - k] = value[0];
    }

    #[inline(always)]
    fn convolve(&self, a: u32, b: u32, k: usize) -> Row<1> {
        let blocks = k / 4 + 1;
        let a = &self.forward[a as usize * self.stride..][..4 * blocks];
        let b = &self.reverse[b as usize * self.stride + self.order - k..][..4 * blocks];
        let mut part = [0.0; 4];
        for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
            for m in 0..4 {
                part[m] = a[m].mul_add(b[m], part[m]);
            }
        }
        [(part[0] + part[1]) + (part[2] + part[3])]
    }
}

#[inline(always)]
fn map<const L: usize>(a: Row<L>, f: impl Fn(f64) -> f64) -> Row<L> {
    let mut row = [0.0; L];
    for l in 0..L {
        row[l] = f(a[l]);
    }
    row
}

#[inline(always)]
fn zip<const L: usize>(a: Row<L>, b: Row<L>, f: impl Fn(f64, f64) -> f64) -> Row<L> {
    let mut row = [0.0; L];
    for l in 0..L {
        row[l] = f(a[l], b[l]);
    }
    row
}

/// All orders of all series, from the states and times at order 0.
#[inline(always)]
fn expand<const L: usize, M: Memory<L>>(memory: &mut M, program: &JetProgram, fixed: &[Row<L>]) {
    let order = program.order;
    memory.set(0, 1, [1.0; L]);
    for k in 2..=order {
        memory.set(0, k, [0.0; L]);
    }
    for k in 0..order {
        let part = 1.0 / k as f64; // of a chain, which begins at k = 1
        for instruction in &program.instructions {
            let JetInstruction { code, to, from: [a, b, c, d, e, f] } = *instruction;
            let value = match code {
                JetCode::AddSS => zip(memory.get(a, k), memory.get(b, k), |a, b| a + b),
                JetCode::AddSF if k == 0 => zip(memory.get(a, 0), fixed[b as usize], |a, b| a + b),
                JetCode::SubSS => zip(memory.get(a, k), memory.get(b, k), |a, b| a - b),
                JetCode::SubSF if k == 0 => zip(memory.get(a, 0), fixed[b as usize], |a, b| a - b),
                JetCode::AddSF | JetCode::SubSF => memory.get(a, k),
                JetCode::SubFS if k == 0 => zip(fixed[a as usize], memory.get(b, 0), |a, b| a - b),
                JetCode::SubFS => map(memory.get(b, k), |b| -b),
                JetCode::Neg => map(memory.get(a, k), |a| -a),
                JetCode::MulSS => memory.convolve(a, b, k),
                JetCode::MulSF => zip(memory.get(a, k), fixed[b as usize], |a, b| a * b),
                JetCode::MulAddSS => zip(memory.convolve(a, b, k), memory.get(c, k), |p, c| p + c),
                JetCode::MulSubSS => zip(memory.convolve(a, b, k), memory.get(c, k), |p, c| p - c),
                JetCode::NegMulAddSS => zip(memory.convolve(a, b, k), memory.get(c, k), |p, c| c - p),
                JetCode::MulAddSF | JetCode::MulSubSF | JetCode::NegMulAddSF => {
                    let (a, b, c) = (memory.get(a, k), fixed[b as usize], memory.get(c, k));
                    let mut row = [0.0; L];
                    for l in 0..L {
                        row[l] = match code {
                            JetCode::MulAddSF => a[l].mul_add(b[l], c[l]),
                            JetCode::MulSubSF => a[l].mul_add(b[l], -c[l]),
                            _ => (-a[l]).mul_add(b[l], c[l]),
                        };
                    }
                    row
                }
                JetCode::DivSS => {
                    memory.set(to, k, [0.0; L]);
                    let known = memory.convolve(b, to, k);
                    let rest = zip(memory.get(a, k), known, |a, known| a - known);
                    zip(rest, memory.get(b, 0), |rest, b| rest / b)
                }
                JetCode::DivSF => zip(memory.get(a, k), fixed[b as usize], |a, b| a / b),
                JetCode::DivFS if k == 0 => zip(fixed[a as usize], memory.get(b, 0), |a, b| a / b),
                JetCode::DivFS => {
                    memory.set(to, k, [0.0; L]);
                    let known = memory.convolve(b, to, k);
                    zip(known, memory.get(b, 0), |known, b| -known / b)
                }
                JetCode::Slope if k == 0 => continue,
                JetCode::Slope => {
                    let value = map(memory.get(a, k), |a| k as f64 * a);
                    memory.set(to, k - 1, value);
                    continue;
                }
                JetCode::Chain(row, n) if k == 0 => map(memory.get(a, 0), |a| functions::TABLE[row as usize].one(n, a)),
                JetCode::Chain(..) => map(memory.convolve(b, c, k - 1), |sum| sum * part),
                JetCode::Chain2(row) if k == 0 => zip(memory.get(a, 0), memory.get(b, 0), |a, b| two(row, a, b)),
                JetCode::Chain2(_) => {
                    zip(memory.convolve(c, e, k - 1), memory.convolve(d, f, k - 1), |x, y| (x + y) * part)
                }
                JetCode::Select(comparison) => {
                    let (left, right) = (memory.get(a, 0), memory.get(b, 0));
                    let (yes, no) = (memory.get(c, k), memory.get(d, k));
                    let mut row = [0.0; L];
                    for l in 0..L {
                        row[l] = if holds(comparison, left[l], right[l]) { yes[l] } else { no[l] };
                    }
                    row
                }
                JetCode::Promote if k == 0 => fixed[a as usize],
                JetCode::Promote => [0.0; L],
            };
            memory.set(to, k, value);
        }
        let share = 1.0 / (k + 1) as f64;
        for (i, &root) in program.roots.iter().enumerate() {
            let value = map(memory.get(root, k), |value| value * share);
            memory.set(1 + i as u32, k + 1, value);
        }
    }
}

kernel! {
    fn expand_lanes<const L: usize>(program: &JetProgram, fixed: &[Row<L>], series: &mut [Row<L>], stride: usize) {
        expand(&mut LaneMemory { series, stride }, program, fixed);
    }

    fn expand_single(program: &JetProgram, fixed: &[Row<1>], forward: &mut [f64], reverse: &mut [f64], stride: usize) {
        let order = program.order;
        expand(&mut SingleMemory { forward, reverse, stride, order }, program, fixed);
    }
}

/// The series of a program on `L` lanes.
#[derive(Clone, Debug)]
pub struct Jets<'p, const L: usize> {
    program: &'p JetProgram,
    level: Level,
    fixed_evaluator: super::eval::Evaluator<'p, L>,
    fixed: Vec<Row<L>>,
    series: Vec<Row<L>>,
    forward: Vec<f64>,
    reverse: Vec<f64>,
    stride: usize,
}

impl<'p, const L: usize> Jets<'p, L> {
    /// Series for `program`, parameters zero.
    pub fn new(program: &'p JetProgram, level: Level) -> Self {
        let single = L == 1;
        let stride = if single { (program.order + 4).next_multiple_of(4) } else { program.order + 1 };
        let size = program.n_series * stride;
        Self {
            program,
            level,
            fixed_evaluator: super::eval::Evaluator::new(&program.fixed, level),
            fixed: vec![[0.0; L]; program.fixed.outputs.len()],
            series: vec![[0.0; L]; if single { 0 } else { size }],
            forward: vec![0.0; if single { size } else { 0 }],
            reverse: vec![0.0; if single { size } else { 0 }],
            stride,
        }
    }

    /// Puts the parameters of `lane` in place and forgets what the series held.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        self.fixed_evaluator.set_parameters(lane, parameters);
        self.fixed_evaluator.eval(&[0.0; L], &[], &[], &mut self.fixed);
        for row in &mut self.series {
            row[lane] = 0.0;
        }
        self.forward.fill(0.0);
        self.reverse.fill(0.0);
    }

    /// Expands the solution through state `x` at time `t`.
    pub fn expand(&mut self, t: &Row<L>, x: &[Row<L>]) {
        if L == 1 {
            let (stride, order) = (self.stride, self.program.order);
            for (register, row) in std::iter::once(t).chain(x).enumerate() {
                self.forward[register * stride] = row[0];
                self.reverse[register * stride + order] = row[0];
            }
            let fixed = self.fixed.as_flattened().as_chunks::<1>().0;
            expand_single(self.level, self.program, fixed, &mut self.forward, &mut self.reverse, stride);
        } else {
            for (register, row) in std::iter::once(t).chain(x).enumerate() {
                self.series[register * self.stride] = *row;
            }
            expand_lanes::<L>(self.level, self.program, &self.fixed, &mut self.series, self.stride);
        }
    }

    /// Coefficient `k` of variable `i`.
    #[inline(always)]
    pub fn coefficient(&self, i: usize, k: usize) -> Row<L> {
        if L == 1 { [self.forward[(1 + i) * self.stride + k]; L] } else { self.series[(1 + i) * self.stride + k] }
    }

    /// Number of state variables.
    pub fn n_states(&self) -> usize {
        self.program.n_states
    }
}
