//! The series of a solution, order after order, over lanes: a [`JetProgram`] at work.
//!
//! Every convolution is summed in one fixed order, whether the vector unit holds four orders of one trajectory or eight
//! trajectories of one order: its interior in four interleaved parts, then the two end terms. The ends need the newest
//! coefficients, which have just been computed; the interior does not wait.

use super::ast::Comparison;
use super::eval::{Evaluator, Row};
use super::functions;
use super::graph::holds;
use super::jet::{JetCode, JetInstruction, JetProgram};
use super::program::two;
use crate::parallel::simd::{Level, kernel};

/// A program with its series put in places.
#[derive(Clone, Debug)]
struct Tape {
    instructions: Vec<JetInstruction>,
    copies: Vec<(u32, u32)>,
    order: usize,
}

impl Tape {
    /// Registers are replaced by the places of their series, `stride` numbers apart.
    fn new(program: &JetProgram, stride: u32) -> Self {
        let place = |register: u32| register * stride;
        let instructions = program.instructions.iter().map(|&JetInstruction { code, to, state, from }| {
            let fixed = code.fixed();
            let from = std::array::from_fn(|i| if Some(i) == fixed { from[i] } else { place(from[i]) });
            JetInstruction { code, to: place(to), state: place(state), from }
        });
        let copies = program.copies.iter().map(|&(register, state)| (place(register), place(state)));
        Self { instructions: instructions.collect(), copies: copies.collect(), order: program.order() }
    }
}

/// Where the series live. A series is named by the place of its first number.
trait Memory<const L: usize> {
    fn get(&self, series: u32, k: usize) -> Row<L>;
    fn set(&mut self, series: u32, k: usize, value: Row<L>);
    /// sum of a_j b_(k-j) over j = 2..=k-2, in four interleaved parts; these are `BLOCKS` blocks of four.
    fn interior<const BLOCKS: usize>(&self, a: u32, b: u32, k: usize) -> Row<L>;

    /// sum of a_j b_(k-j) over j = 1..k.
    #[inline(always)]
    fn inner<const BLOCKS: usize>(&self, a: u32, b: u32, k: usize) -> Row<L> {
        if k < 2 {
            return [0.0; L];
        }
        let (a_second, b_second) = (self.get(a, 1), self.get(b, 1));
        if k == 2 {
            return zip(a_second, b_second, |a, b| a * b);
        }
        let mut sum = self.interior::<BLOCKS>(a, b, k);
        let (a_last, b_last) = (self.get(a, k - 1), self.get(b, k - 1));
        for l in 0..L {
            sum[l] = a_last[l].mul_add(b_second[l], a_second[l].mul_add(b_last[l], sum[l]));
        }
        sum
    }

    /// sum of a_j b_(k-j) over j = 0..=k, for k > 0.
    #[inline(always)]
    fn convolve<const BLOCKS: usize>(&self, a: u32, b: u32, k: usize) -> Row<L> {
        let mut sum = self.inner::<BLOCKS>(a, b, k);
        let (a_first, a_last) = (self.get(a, 0), self.get(a, k));
        let (b_first, b_last) = (self.get(b, 0), self.get(b, k));
        for l in 0..L {
            sum[l] = a_last[l].mul_add(b_first[l], a_first[l].mul_add(b_last[l], sum[l]));
        }
        sum
    }

    /// sum of a_j b_(k-1-j) over j = 0..k, as in the chain rule for order k. `BLOCKS` is that of order k.
    #[inline(always)]
    fn chained<const BLOCKS: usize>(&self, a: u32, b: u32, k: usize) -> Row<L> {
        if k == 1 { zip(self.get(a, 0), self.get(b, 0), |a, b| a * b) } else { self.convolve::<BLOCKS>(a, b, k - 1) }
    }
}

/// Series of `L` trajectories: order after order, lane after lane.
struct LaneMemory<'m, const L: usize>(&'m mut [Row<L>]);

impl<const L: usize> Memory<L> for LaneMemory<'_, L> {
    #[inline(always)]
    fn get(&self, series: u32, k: usize) -> Row<L> {
        self.0[series as usize + k]
    }

    #[inline(always)]
    fn set(&mut self, series: u32, k: usize, value: Row<L>) {
        self.0[series as usize + k] = value;
    }

    #[inline(always)]
    fn interior<const BLOCKS: usize>(&self, a: u32, b: u32, k: usize) -> Row<L> {
        // b_(k-2) … b_2 backwards beside a_2 … a_(k-2).
        let a = &self.0[a as usize + 2..][..k - 3];
        let b = &self.0[b as usize + 2..][..k - 3];
        let mut part = [[0.0; L]; 4];
        let (a_blocks, a_rest) = a.as_chunks::<4>();
        let (b_rest, b_blocks) = b.as_rchunks::<4>();
        for (a, b) in a_blocks.iter().zip(b_blocks.iter().rev()) {
            for m in 0..4 {
                for l in 0..L {
                    part[m][l] = a[m][l].mul_add(b[3 - m][l], part[m][l]);
                }
            }
        }
        // Written out, so that the four parts stay in vector registers.
        let rest = a_rest.len();
        if rest > 0 {
            for l in 0..L {
                part[0][l] = a_rest[0][l].mul_add(b_rest[rest - 1][l], part[0][l]);
            }
        }
        if rest > 1 {
            for l in 0..L {
                part[1][l] = a_rest[1][l].mul_add(b_rest[rest - 2][l], part[1][l]);
            }
        }
        if rest > 2 {
            for l in 0..L {
                part[2][l] = a_rest[2][l].mul_add(b_rest[rest - 3][l], part[2][l]);
            }
        }
        let mut sum = [0.0; L];
        for l in 0..L {
            sum[l] = (part[0][l] + part[2][l]) + (part[1][l] + part[3][l]);
        }
        sum
    }
}

/// Series of one trajectory. Each has `ROOM` places for itself, and as many for its orders from 1 on in reverse, so that a
/// convolution runs forward through both. Behind order 1 of the reversed series stand [`PADDING`] zeros: they cancel what a
/// block of four reads beyond the interior. Places are numbers of 16 bits and all of them exist, so that none is checked.
struct SingleMemory<'m, const ROOM: usize>(&'m mut Places);

/// All places, and room for a block that begins at the last.
type Places = [f64; PLACES + LONG];
const PLACES: usize = 1 << 16;

/// Zeros behind a reversed series.
const PADDING: usize = 4;
/// Room of a series, for orders up to this less [`PADDING`].
const SHORT: usize = 24;
const LONG: usize = 48;

impl<const ROOM: usize> SingleMemory<'_, ROOM> {
    #[inline(always)]
    fn place(series: u32, offset: usize) -> usize {
        usize::from((series as u16).wrapping_add(offset as u16))
    }
}

impl<const ROOM: usize> Memory<1> for SingleMemory<'_, ROOM> {
    #[inline(always)]
    fn get(&self, series: u32, k: usize) -> Row<1> {
        [self.0[Self::place(series, k)]]
    }

    #[inline(always)]
    fn set(&mut self, series: u32, k: usize, value: Row<1>) {
        self.0[Self::place(series, k)] = value[0];
        if k > 1 {
            self.0[Self::place(series, 2 * ROOM - PADDING - k)] = value[0];
        }
    }

    #[inline(always)]
    fn interior<const BLOCKS: usize>(&self, a: u32, b: u32, k: usize) -> Row<1> {
        let a = &self.0[Self::place(a, 2)..][..4 * BLOCKS];
        let b = &self.0[Self::place(b, 2 * ROOM - PADDING + 2 - k)..][..4 * BLOCKS];
        let mut part = [0.0; 4];
        for j in 0..BLOCKS {
            for m in 0..4 {
                part[m] = a[4 * j + m].mul_add(b[4 * j + m], part[m]);
            }
        }
        [(part[0] + part[2]) + (part[1] + part[3])]
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

#[inline(always)]
fn scale<const L: usize>(a: Row<L>, by: Row<L>) -> Row<L> {
    zip(a, by, |a, by| a * by)
}

/// The values of all registers, and the first derivatives of the states.
#[inline(always)]
fn begin<const L: usize, M: Memory<L>>(memory: &mut M, tape: &Tape, fixed: &[Row<L>]) {
    for instruction in &tape.instructions {
        let JetInstruction { code, to, state, from: [a, b, c, d, ..] } = *instruction;
        let value = match code {
            JetCode::AddSS => zip(memory.get(a, 0), memory.get(b, 0), |a, b| a + b),
            JetCode::AddSF => zip(memory.get(a, 0), fixed[b as usize], |a, b| a + b),
            JetCode::SubSS => zip(memory.get(a, 0), memory.get(b, 0), |a, b| a - b),
            JetCode::SubSF => zip(memory.get(a, 0), fixed[b as usize], |a, b| a - b),
            JetCode::SubFS => zip(fixed[a as usize], memory.get(b, 0), |a, b| a - b),
            JetCode::Neg => map(memory.get(a, 0), |a| -a),
            JetCode::MulSS => zip(memory.get(a, 0), memory.get(b, 0), |a, b| a * b),
            JetCode::MulSF => zip(memory.get(a, 0), fixed[b as usize], |a, b| a * b),
            JetCode::MulAddSS | JetCode::MulSubSS | JetCode::NegMulAddSS => {
                fused(code, memory.get(a, 0), memory.get(b, 0), memory.get(c, 0))
            }
            JetCode::MulAddSF | JetCode::MulSubSF | JetCode::NegMulAddSF => {
                fused(code, memory.get(a, 0), fixed[b as usize], memory.get(c, 0))
            }
            JetCode::DivSS => zip(memory.get(a, 0), memory.get(b, 0), |a, b| a / b),
            JetCode::DivSF => zip(memory.get(a, 0), fixed[b as usize], |a, b| a / b),
            JetCode::DivFS => zip(fixed[a as usize], memory.get(b, 0), |a, b| a / b),
            JetCode::Slope => continue, // its value is the next order of a
            JetCode::Chain(row, n) => map(memory.get(a, 0), |a| functions::TABLE[row as usize].one(n, a)),
            JetCode::Chain2(row) => zip(memory.get(a, 0), memory.get(b, 0), |a, b| two(row, a, b)),
            JetCode::Select(comparison) => select(memory, comparison, [a, b, c, d], 0),
            JetCode::Promote => fixed[a as usize],
            JetCode::MulAddScaled | JetCode::MulSubScaled => {
                let scaled = scale(memory.get(c, 0), fixed[d as usize]);
                fused(code, memory.get(a, 0), memory.get(b, 0), scaled)
            }
            JetCode::AddScaled => scale(zip(memory.get(a, 0), memory.get(b, 0), |a, b| a + b), fixed[c as usize]),
            JetCode::SubScaled => scale(zip(memory.get(a, 0), memory.get(b, 0), |a, b| a - b), fixed[c as usize]),
            JetCode::MulScaled => scale(zip(memory.get(a, 0), memory.get(b, 0), |a, b| a * b), fixed[c as usize]),
        };
        memory.set(to, 0, value);
        if state > 0 {
            memory.set(state, 1, value);
        }
    }
    for &(register, state) in &tape.copies {
        let value = memory.get(register, 0);
        memory.set(state, 1, value);
    }
}

/// Order `k` > 0 of all registers, and order k + 1 of the states.
#[inline(always)]
fn expand_order<const L: usize, M: Memory<L>, const BLOCKS: usize>(
    memory: &mut M,
    tape: &Tape,
    fixed: &[Row<L>],
    k: usize,
) {
    let part = 1.0 / k as f64;
    let share = 1.0 / (k + 1) as f64;
    for instruction in &tape.instructions {
        let JetInstruction { code, to, state, from: [a, b, c, d, e, f] } = *instruction;
        let value = match code {
            JetCode::AddSS => zip(memory.get(a, k), memory.get(b, k), |a, b| a + b),
            JetCode::SubSS => zip(memory.get(a, k), memory.get(b, k), |a, b| a - b),
            JetCode::AddSF | JetCode::SubSF => memory.get(a, k),
            JetCode::SubFS => map(memory.get(b, k), |b| -b),
            JetCode::Neg => map(memory.get(a, k), |a| -a),
            JetCode::MulSS => memory.convolve::<BLOCKS>(a, b, k),
            JetCode::MulSF => zip(memory.get(a, k), fixed[b as usize], |a, b| a * b),
            JetCode::MulAddSS => zip(memory.convolve::<BLOCKS>(a, b, k), memory.get(c, k), |p, c| p + c),
            JetCode::MulSubSS => zip(memory.convolve::<BLOCKS>(a, b, k), memory.get(c, k), |p, c| p - c),
            JetCode::NegMulAddSS => zip(memory.convolve::<BLOCKS>(a, b, k), memory.get(c, k), |p, c| c - p),
            JetCode::MulAddSF | JetCode::MulSubSF | JetCode::NegMulAddSF => {
                fused(code, memory.get(a, k), fixed[b as usize], memory.get(c, k))
            }
            JetCode::DivSS | JetCode::DivFS => {
                // a_k = sum of b_j y_(k-j), solved for y_k.
                let mut known = memory.inner::<BLOCKS>(b, to, k);
                let (slope, first) = (memory.get(b, k), memory.get(to, 0));
                for l in 0..L {
                    known[l] = slope[l].mul_add(first[l], known[l]);
                }
                let divisor = memory.get(b, 0);
                if code == JetCode::DivFS {
                    zip(known, divisor, |known, b| -known / b)
                } else {
                    zip(zip(memory.get(a, k), known, |a, known| a - known), divisor, |rest, b| rest / b)
                }
            }
            JetCode::DivSF => zip(memory.get(a, k), fixed[b as usize], |a, b| a / b),
            JetCode::Slope => {
                let value = map(memory.get(a, k), |a| k as f64 * a);
                memory.set(to, k - 1, value);
                continue;
            }
            JetCode::Chain(..) => map(memory.chained::<BLOCKS>(b, c, k), |sum| sum * part),
            JetCode::Chain2(_) => {
                zip(memory.chained::<BLOCKS>(c, e, k), memory.chained::<BLOCKS>(d, f, k), |x, y| (x + y) * part)
            }
            JetCode::Select(comparison) => select(memory, comparison, [a, b, c, d], k),
            JetCode::Promote => [0.0; L],
            JetCode::MulAddScaled | JetCode::MulSubScaled => {
                let scaled = scale(memory.get(c, k), fixed[d as usize]);
                zip(memory.convolve::<BLOCKS>(a, b, k), scaled, |p, c| {
                    if code == JetCode::MulAddScaled { p + c } else { p - c }
                })
            }
            JetCode::AddScaled => scale(zip(memory.get(a, k), memory.get(b, k), |a, b| a + b), fixed[c as usize]),
            JetCode::SubScaled => scale(zip(memory.get(a, k), memory.get(b, k), |a, b| a - b), fixed[c as usize]),
            JetCode::MulScaled => scale(memory.convolve::<BLOCKS>(a, b, k), fixed[c as usize]),
        };
        memory.set(to, k, value);
        if state > 0 {
            memory.set(state, k + 1, map(value, |value| value * share));
        }
    }
    for &(register, state) in &tape.copies {
        let value = map(memory.get(register, k), |value| value * share);
        memory.set(state, k + 1, value);
    }
}

#[inline(always)]
fn fused<const L: usize>(code: JetCode, a: Row<L>, b: Row<L>, c: Row<L>) -> Row<L> {
    let mut row = [0.0; L];
    for l in 0..L {
        row[l] = match code {
            JetCode::MulAddSS | JetCode::MulAddSF | JetCode::MulAddScaled => a[l].mul_add(b[l], c[l]),
            JetCode::MulSubSS | JetCode::MulSubSF | JetCode::MulSubScaled => a[l].mul_add(b[l], -c[l]),
            _ => (-a[l]).mul_add(b[l], c[l]),
        };
    }
    row
}

#[inline(always)]
fn select<const L: usize, M: Memory<L>>(memory: &M, comparison: Comparison, from: [u32; 4], k: usize) -> Row<L> {
    let (left, right) = (memory.get(from[0], 0), memory.get(from[1], 0));
    let (yes, no) = (memory.get(from[2], k), memory.get(from[3], k));
    let mut row = [0.0; L];
    for l in 0..L {
        row[l] = if holds(comparison, left[l], right[l]) { yes[l] } else { no[l] };
    }
    row
}

kernel! {
    fn expand_lanes<const L: usize>(tape: &Tape, fixed: &[Row<L>], series: &mut [Row<L>]) {
        let memory = &mut LaneMemory(series);
        begin(memory, tape, fixed);
        for k in 1..tape.order {
            expand_order::<L, _, 0>(memory, tape, fixed, k); // lanes count their blocks themselves
        }
    }

    fn expand_single<const ROOM: usize>(tape: &Tape, fixed: &[Row<1>], places: &mut Places) {
        let memory = &mut SingleMemory::<ROOM>(places);
        begin(memory, tape, fixed);
        // The interior of order k has k / 4 blocks; compiled for each number of them.
        macro_rules! orders {
            ($($blocks:literal)*) => {$(
                for k in (4 * $blocks).max(1)..tape.order.min(4 * $blocks + 4) {
                    expand_order::<1, _, $blocks>(memory, tape, fixed, k);
                }
            )*};
        }
        orders!(0 1 2 3 4 5 6 7 8 9);
    }
}

/// The series of a program on `L` lanes.
#[derive(Clone, Debug)]
pub struct Jets<'p, const L: usize> {
    level: Level,
    fixed_evaluator: Evaluator<'p, L>,
    fixed: Vec<Row<L>>,
    tape: Tape,
    store: Store<L>,
    stride: usize,
    n_series: usize,
    n_states: usize,
}

#[derive(Clone, Debug)]
enum Store<const L: usize> {
    Lanes(Vec<Row<L>>),
    Short(Box<Places>),
    Long(Box<Places>),
}

impl<'p, const L: usize> Jets<'p, L> {
    /// Series for `program`, parameters zero.
    pub fn new(program: &'p JetProgram, level: Level) -> Self {
        let places = || vec![0.0; PLACES + LONG].try_into().expect("the length is right");
        let room = if program.order() + PADDING <= SHORT { SHORT } else { LONG };
        // A single trajectory of a system too large for the places is a block of one lane: slower, with the same bits.
        let (store, stride) = match (L == 1 && 2 * room * program.n_series <= PLACES, room) {
            (true, SHORT) => (Store::Short(places()), 2 * SHORT),
            (true, _) => (Store::Long(places()), 2 * LONG),
            (false, _) => (Store::Lanes(vec![[0.0; L]; program.n_series * (program.order() + 1)]), program.order() + 1),
        };
        let mut jets = Self {
            level,
            fixed_evaluator: Evaluator::new(&program.fixed, level),
            fixed: vec![[0.0; L]; program.fixed.outputs.len()],
            tape: Tape::new(program, stride as u32),
            store,
            stride,
            n_series: program.n_series,
            n_states: program.n_states,
        };
        (0..L).for_each(|lane| jets.clear(lane));
        jets
    }

    /// Makes all series of `lane` zero, but that of time, which grows by one.
    fn clear(&mut self, lane: usize) {
        match &mut self.store {
            Store::Lanes(series) => {
                series.iter_mut().for_each(|row| row[lane] = 0.0);
                series[1][lane] = 1.0;
            }
            Store::Short(places) | Store::Long(places) => {
                places[..self.n_series * self.stride].fill(0.0);
                places[1] = 1.0;
            }
        }
    }

    /// Puts the parameters of `lane` in place and forgets what the series held.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        self.fixed_evaluator.set_parameters(lane, parameters);
        self.fixed_evaluator.eval(&[0.0; L], &[], &[], &mut self.fixed);
        self.clear(lane);
    }

    /// Puts the first coefficients of delayed term `i` in place, which `expand` takes as given.
    pub fn set_delayed(&mut self, i: usize, coefficients: &[Row<L>]) {
        let first = (1 + self.n_states + i) * self.stride;
        for (k, &row) in coefficients.iter().enumerate() {
            match &mut self.store {
                Store::Lanes(series) => series[first + k] = row,
                Store::Short(places) => SingleMemory::<SHORT>(places).set(first as u32, k, [row[0]]),
                Store::Long(places) => SingleMemory::<LONG>(places).set(first as u32, k, [row[0]]),
            }
        }
    }

    /// Expands the solution through state `x` at time `t`.
    pub fn expand(&mut self, t: &Row<L>, x: &[Row<L>]) {
        let state = std::iter::once(t).chain(x);
        let fixed = self.fixed.as_flattened().as_chunks::<1>().0; // that of a single trajectory
        match &mut self.store {
            Store::Lanes(series) => {
                series.iter_mut().step_by(self.stride).zip(state).for_each(|(first, row)| *first = *row);
                expand_lanes::<L>(self.level, &self.tape, &self.fixed, series);
            }
            Store::Short(places) => {
                places.iter_mut().step_by(self.stride).zip(state).for_each(|(first, row)| *first = row[0]);
                expand_single::<SHORT>(self.level, &self.tape, fixed, places);
            }
            Store::Long(places) => {
                places.iter_mut().step_by(self.stride).zip(state).for_each(|(first, row)| *first = row[0]);
                expand_single::<LONG>(self.level, &self.tape, fixed, places);
            }
        }
    }

    /// Coefficient `k` of variable `i`.
    #[inline(always)]
    pub fn coefficient(&self, i: usize, k: usize) -> Row<L> {
        let place = (1 + i) * self.stride + k;
        match &self.store {
            Store::Lanes(series) => series[place],
            Store::Short(places) | Store::Long(places) => [places[place]; L],
        }
    }

    /// The coefficients of the states, order after order, and the distance from one state to the next.
    pub fn rows(&self) -> (&[Row<L>], usize) {
        let rows = match &self.store {
            Store::Lanes(series) => &series[..],
            Store::Short(places) | Store::Long(places) => places.as_chunks::<L>().0,
        };
        (&rows[self.stride..self.stride * (1 + self.n_states)], self.stride)
    }

    /// Number of state variables.
    pub fn n_states(&self) -> usize {
        self.n_states
    }
}
