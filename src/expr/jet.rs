//! Equations compiled for Taylor series: a recurrence by which the series of every register grows by one order at a time,
//! sums term by term, products as convolutions, functions by y' = f'(x) x' (Moore 1966; Jorba & Zou 2005).

use super::ast::Comparison;
use super::functions::{self, Value};
use super::graph::{Graph, Id, Op, Table};
use super::program::{Analysis, Code, Program, Sizes, fused_sum, power_chain};

/// `S` marks an operand that is a series, `F` one that is fixed (made of parameters alone).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum JetCode {
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
    /// a b + c d and a b - c d, with d fixed. These and the next are made by [`join`] out of two.
    MulAddScaled,
    MulSubScaled,
    /// (a + b) c, (a - b) c and a b c, with c fixed.
    AddScaled,
    SubScaled,
    MulScaled,
}

impl JetCode {
    /// Which operand is fixed.
    pub(super) fn fixed(self) -> Option<usize> {
        use JetCode::*;
        match self {
            SubFS | DivFS | Promote => Some(0),
            AddSF | SubSF | MulSF | DivSF | MulAddSF | MulSubSF | NegMulAddSF => Some(1),
            AddScaled | SubScaled | MulScaled => Some(2),
            MulAddScaled | MulSubScaled => Some(3),
            _ => None,
        }
    }

    /// Number of operands.
    fn operands(self) -> usize {
        use JetCode::*;
        match self {
            Neg | Slope | Promote => 1,
            AddSS | AddSF | SubSS | SubSF | SubFS | MulSS | MulSF | DivSS | DivSF | DivFS => 2,
            MulAddSS | MulAddSF | MulSubSS | MulSubSF | NegMulAddSS | NegMulAddSF | Chain(..) => 3,
            AddScaled | SubScaled | MulScaled => 3,
            Select(_) | MulAddScaled | MulSubScaled => 4,
            Chain2(_) => 6,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct JetInstruction {
    pub code: JetCode,
    pub to: u32,
    /// The state variable of which this is the right-hand side, counted from 1; 0 if of none.
    pub state: u32,
    pub from: [u32; 6],
}

/// A system compiled for Taylor series of a given order.
#[derive(Clone, Debug)]
pub struct JetProgram {
    /// Computes the fixed numbers; its outputs are the fixed operands.
    pub(crate) fixed: Program,
    pub(crate) instructions: Vec<JetInstruction>,
    /// Series registers: time, the states, the delayed terms, then temporaries.
    pub(crate) n_series: usize,
    pub(crate) n_states: usize,
    /// Right-hand sides that no instruction of their own computes: (register, state variable counted from 1).
    pub(crate) copies: Vec<(u32, u32)>,
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
            series: Table::default(),
            fixed: Table::default(),
            fixed_list: Vec::new(),
            promoted: Table::default(),
            slope: Table::default(),
            n_states: sizes.states as u32,
            next: (1 + sizes.states + sizes.delayed) as u32,
        };
        for i in 0..analysis.needed.len() {
            let id = Id(i as u32);
            if analysis.needed[i] && !analysis.fixed[i] && !analysis.fused[i] {
                lowering.lower(id, slopes.get(&id));
            }
        }
        let roots: Vec<u32> = roots.iter().map(|&root| lowering.as_series(root)).collect();
        lowering.resolve_chains(&slopes);
        let Lowering { mut instructions, fixed_list, next, .. } = lowering;
        let copies = assign(&mut instructions, &roots);
        JetProgram {
            fixed: Program::compile(graph, &fixed_list, Sizes { states: 0, delayed: 0, ..sizes }),
            instructions: join(&instructions, &copies),
            n_series: next as usize,
            n_states: sizes.states,
            copies,
            order,
        }
    }

    /// Order of the series.
    pub fn order(&self) -> usize {
        self.order
    }
}

/// Tells each instruction of which state it computes the right-hand side; gives those of which none does, or one that does
/// so for another state already.
fn assign(instructions: &mut [JetInstruction], roots: &[u32]) -> Vec<(u32, u32)> {
    let places: Table<u32, usize> = instructions.iter().enumerate().map(|(i, it)| (it.to, i)).collect();
    let mut copies = Vec::new();
    for (&root, state) in roots.iter().zip(1..) {
        match places.get(&root).map(|&i| &mut instructions[i]) {
            Some(instruction) if instruction.state == 0 => instruction.state = state,
            _ => copies.push((root, state)),
        }
    }
    copies
}

/// The instructions with those joined of which one only scales what the other makes or takes: the same roundings, with
/// fewer instructions to decode at every order.
fn join(instructions: &[JetInstruction], copies: &[(u32, u32)]) -> Vec<JetInstruction> {
    use JetCode::*;
    let mut uses: Table<u32, u32> = copies.iter().map(|&(register, _)| (register, 2)).collect();
    for JetInstruction { code, from, .. } in instructions {
        for (i, register) in from[..code.operands()].iter().enumerate() {
            *uses.entry(*register).or_default() += u32::from(Some(i) != code.fixed());
        }
    }
    let mut joined: Vec<Option<JetInstruction>> = Vec::with_capacity(instructions.len());
    let mut makers: Table<u32, usize> = Table::default();
    for &(mut instruction) in instructions {
        let scaled = match instruction.code {
            MulSF => Some(0),
            MulAddSS | MulSubSS => Some(2),
            _ => None,
        };
        let maker = scaled.map(|i| instruction.from[i]).filter(|register| uses[register] == 1);
        if let Some(&place) = maker.and_then(|register| makers.get(&register)) {
            let first = joined[place].expect("a register used once has not been joined before");
            let [a, b, ..] = instruction.from;
            let together = match (first.code, instruction.code) {
                (AddSS, MulSF) => Some((AddScaled, [first.from[0], first.from[1], b, 0, 0, 0])),
                (SubSS, MulSF) => Some((SubScaled, [first.from[0], first.from[1], b, 0, 0, 0])),
                (MulSS, MulSF) => Some((MulScaled, [first.from[0], first.from[1], b, 0, 0, 0])),
                (MulSF, MulAddSS) => Some((MulAddScaled, [a, b, first.from[0], first.from[1], 0, 0])),
                (MulSF, MulSubSS) => Some((MulSubScaled, [a, b, first.from[0], first.from[1], 0, 0])),
                _ => None,
            };
            if let Some((code, from)) = together.filter(|_| first.state == 0) {
                (instruction.code, instruction.from) = (code, from);
                joined[place] = None;
            }
        }
        makers.insert(instruction.to, joined.len());
        joined.push(Some(instruction));
    }
    joined.into_iter().flatten().collect()
}

/// The derivative of every function node that `roots` need, and of those that these derivatives need in turn.
fn slopes(graph: &mut Graph, roots: &[Id], order: usize) -> Table<Id, Vec<Id>> {
    let mut slopes: Table<Id, Vec<Id>> = Table::default();
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
    series: Table<Id, u32>,
    fixed: Table<Id, u32>,
    fixed_list: Vec<Id>,
    promoted: Table<Id, u32>,
    slope: Table<Id, u32>,
    n_states: u32,
    next: u32,
}

/// Placeholder for the register of a derivative that is lowered later than its use; see `resolve_chains`.
const LATER: u32 = u32::MAX;

impl Lowering<'_> {
    fn emit(&mut self, code: JetCode, from: [u32; 6]) -> u32 {
        let to = self.next;
        self.next += 1;
        self.instructions.push(JetInstruction { code, to, state: 0, from });
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
            Op::Delayed(k) => 1 + self.n_states + k,
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
    fn resolve_chains(&mut self, slopes: &Table<Id, Vec<Id>>) {
        let of_register: Table<u32, Id> = self.series.iter().map(|(&id, &place)| (place, id)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::series::Jets;
    use crate::parallel::simd::Level;
    use JetCode::*;

    /// Every joined instruction as the two that it came from.
    fn apart(program: &JetProgram) -> JetProgram {
        let mut split = program.clone();
        split.instructions.clear();
        for &instruction in &program.instructions {
            let [a, b, c, d, ..] = instruction.from;
            let between = split.n_series as u32;
            let pair = match instruction.code {
                MulAddScaled => Some((MulSF, [c, d], MulAddSS, [a, b, between])),
                MulSubScaled => Some((MulSF, [c, d], MulSubSS, [a, b, between])),
                AddScaled => Some((AddSS, [a, b], MulSF, [between, c, 0])),
                SubScaled => Some((SubSS, [a, b], MulSF, [between, c, 0])),
                MulScaled => Some((MulSS, [a, b], MulSF, [between, c, 0])),
                _ => None,
            };
            if let Some((first, [p, q], second, [r, s, t])) = pair {
                split.n_series += 1;
                split.instructions.push(JetInstruction {
                    code: first,
                    to: between,
                    state: 0,
                    from: [p, q, 0, 0, 0, 0],
                });
                split.instructions.push(JetInstruction { code: second, from: [r, s, t, 0, 0, 0], ..instruction });
            } else {
                split.instructions.push(instruction);
            }
        }
        split
    }

    #[test]
    fn joined_instructions_give_the_bits_of_the_two() {
        let mut graph = Graph::new();
        let [x, y, z] = [0, 1, 2].map(|i| graph.state(i));
        let [p, q] = [0, 1].map(|i| graph.parameter(i));
        let (sum, difference, product, square) = (graph.add(x, y), graph.sub(x, y), graph.mul(x, z), graph.mul(x, x));
        let scaled = graph.mul(p, y);
        let roots = [
            graph.mul(q, sum),
            graph.mul(p, difference),
            graph.mul(q, product),
            graph.add(square, scaled),
            graph.sub(square, scaled),
        ];
        let n = roots.len();
        for roots in [&roots[..3], &roots[3..4], &roots[4..]] {
            let sizes = Sizes { states: n, parameters: 2, delayed: 0 };
            let full: Vec<Id> = (0..n).map(|i| roots[i % roots.len()]).collect();
            let program = JetProgram::compile(&mut graph, &full, sizes, 20);
            let split = apart(&program);
            assert!(split.instructions.len() > program.instructions.len(), "{:?}", program.instructions);
            for level in Level::present() {
                let mut jets = [Jets::<1>::new(&program, level), Jets::<1>::new(&split, level)];
                for jets in &mut jets {
                    jets.set_parameters(0, &[0.3, -1.7]);
                    jets.expand(&[0.5], &[[0.1], [0.7], [-1.3], [0.2], [0.4]]);
                }
                for (i, k) in (0..n).flat_map(|i| (0..=20).map(move |k| (i, k))) {
                    let [joined, two] = jets.each_ref().map(|jets| jets.coefficient(i, k)[0].to_bits());
                    assert_eq!(joined, two, "variable {i}, order {k}");
                }
            }
        }
    }
}
