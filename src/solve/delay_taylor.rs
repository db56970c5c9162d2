//! Taylor series for delay equations, over lanes.
//!
//! A delayed term is a polynomial of the past, re-expanded about the delayed time; with these coefficients given, the series
//! of the solution follows by the same recurrences as for a flow. Its step is where the last terms reach the tolerance,
//! and at most as far as the polynomials of the past hold, to the next kink, and the smallest delay. The defect at the end
//! of a step and inside it is taken with the delayed values themselves, so that a polynomial trusted too far is found out.

use super::delay::Memory;
use super::past::{Choice, Stretch};
use super::step_size::{LARGEST_STEP, smallest_step};
use super::stepper::{Lanes, Piece, Pieces, Rhs, Row, Stepper, Tolerance, Verdict};
use super::taylor::{Taylor, step};
use crate::expr::eval::Evaluator;
use crate::expr::jet::JetProgram;
use crate::parallel::simd::{Level, kernel};
use crate::system::System;
use std::collections::VecDeque;

/// A step may err by this part of the tolerance. Its error is read again one delay later, and at every place of the step,
/// not at its end alone, where the error of a flow counts.
const CAUTION: f64 = 0.1;

/// The Taylor method with delays on `L` lanes.
pub struct DelayTaylor<'p, const L: usize> {
    taylor: Taylor<'p, L>,
    evaluator: Evaluator<'p, L>,
    delayed: &'p [(usize, usize)],
    /// The variables that appear with each delay.
    delayed_by: Vec<Vec<usize>>,
    /// Memories of the trajectories to come, in order.
    waiting: VecDeque<Memory>,
    memories: [Option<Memory>; L],
    /// For each lane and delay, the polynomial from which to read.
    choices: [Vec<Choice>; L],
    series: Vec<Row<L>>,
    z: Vec<Row<L>>,
    spare: Piece,
    level: Level,
}

kernel! {
    /// The polynomial with coefficients `c` about another point, at `s` from the old one: Horner's rule with polynomials in
    /// place of numbers.
    fn shift<const L: usize>(c: &mut [Row<L>], s: &Row<L>) {
        let n = c.len();
        for k in (0..n - 1).rev() {
            // c[k + 1..] is the part above power k, about the new point; multiply it by (x + s) and add c[k].
            for j in k..n - 1 {
                for l in 0..L {
                    c[j][l] = c[j + 1][l].mul_add(s[l], c[j][l]);
                }
            }
        }
    }
}

impl<'p, const L: usize> DelayTaylor<'p, L> {
    /// The method for trajectories that begin with these memories, in the order in which they are started.
    pub fn new(
        system: &'p System,
        program: &'p JetProgram,
        tolerance: Tolerance,
        waiting: VecDeque<Memory>,
        level: Level,
    ) -> Self {
        let delayed = system.delayed_terms();
        let mut cautious = tolerance;
        cautious.relative *= CAUTION;
        cautious.absolute.iter_mut().for_each(|absolute| *absolute *= CAUTION);
        let by = |delay| delayed.iter().filter(|term| term.1 == delay).map(|term| term.0).collect();
        Self {
            evaluator: Evaluator::new(system.program(), level),
            delayed,
            delayed_by: (0..system.n_delays()).map(by).collect(),
            waiting,
            memories: std::array::from_fn(|_| None),
            choices: std::array::from_fn(|_| Vec::new()),
            series: vec![[0.0; L]; program.order()],
            z: vec![[0.0; L]; delayed.len()],
            spare: Piece::default(),
            level,
            taylor: Taylor::new(program, cautious, level),
        }
    }

    /// Puts the parameters of `lane` in place.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        self.taylor.set_parameters(lane, parameters);
        self.evaluator.set_parameters(lane, parameters);
    }

    /// The memory of the trajectory that ran last on the first lane.
    pub fn into_memory(self) -> Option<Memory> {
        let [first, ..] = self.memories.as_slice() else { return None };
        first.clone()
    }

    /// Puts the series of the delayed terms in place.
    fn expand_delayed(&mut self) {
        for (term, &(i, delay)) in self.delayed.iter().enumerate() {
            let mut offset = [0.0; L];
            self.series.fill([0.0; L]);
            let mut n = 1;
            for l in 0..L {
                let (Some(memory), Some(choice)) = (&self.memories[l], self.choices[l].get(delay)) else { continue };
                let Stretch { piece, .. } = &memory.past.stretches[choice.stretch];
                let coefficients = &piece.coefficients[i * (piece.degree + 1)..][..piece.degree + 1];
                if self.series.len() < coefficients.len() {
                    self.series.resize(coefficients.len(), [0.0; L]);
                }
                n = n.max(coefficients.len());
                self.series.iter_mut().zip(coefficients).for_each(|(row, &c)| row[l] = c);
                offset[l] = choice.offset;
            }
            shift(self.level, &mut self.series[..n], &offset);
            let given = self.series.len().min(self.taylor.order);
            self.taylor.jets.set_delayed(term, &self.series[..given]);
        }
    }
}

impl<const L: usize> Stepper<L> for DelayTaylor<'_, L> {
    fn start<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>, lane: usize) {
        self.memories[lane] = self.waiting.pop_front();
        self.taylor.start(rhs, lanes, lane);
    }

    fn attempt<R: Rhs<L>>(&mut self, _: &mut R, lanes: &mut Lanes<L>) -> [Verdict; L] {
        let Self { memories, choices, taylor, delayed_by, .. } = self;
        let mut longest = lanes.h;
        for l in 0..L {
            choices[l].clear();
            let Some(memory) = memories[l].as_ref().filter(|_| lanes.running[l]) else { continue };
            let mut h = longest[l].min(memory.shortest).min(memory.to_kink());
            for (delay, which) in memory.delays.iter().zip(&*delayed_by) {
                let choice = memory.past.choose(which, memory.now, -delay, h, &taylor.tolerance);
                h = h.min(choice.ahead.max(4.0 * smallest_step(lanes.t[l])));
                choices[l].push(choice);
            }
            longest[l] = h;
        }
        self.expand_delayed();
        let Self { memories, delayed, taylor, evaluator, z, level, .. } = self;
        taylor.jets.expand(&lanes.t, &lanes.y);
        let reach = step(*level, &taylor.jets, &lanes.y, &taylor.tolerance, taylor.order, &[LARGEST_STEP; L]);
        let mut least = std::array::from_fn(|l| smallest_step(lanes.t[l]));
        let (mut h, mut lands) = (reach, [false; L]);
        for l in 0..L {
            let Some(memory) = memories[l].as_ref().filter(|_| lanes.running[l]) else { continue };
            if longest[l] < h[l] {
                h[l] = longest[l];
            }
            if h[l] > 0.0 {
                (h[l], lands[l]) = memory.land(h[l]);
                least[l] = if lands[l] { 0.0 } else { least[l] };
            }
        }
        let (running, allowed) = (lanes.running, lanes.h);
        let verdict = taylor.try_step(lanes, &h, &least, |fraction, time, y, out| {
            let side = if fraction == 1.0 { -1.0 } else { 0.0 };
            for l in 0..L {
                let Some(memory) = memories[l].as_ref().filter(|_| running[l]) else { continue };
                for (z, &(i, delay)) in z.iter_mut().zip(*delayed) {
                    z[l] = memory.past.value(i, memory.now, fraction * h[l] - memory.delays[delay], side);
                }
            }
            evaluator.eval(time, y, z, out);
        });
        for l in 0..L {
            let Some(memory) = memories[l].as_mut().filter(|_| verdict[l] == Verdict::Accepted) else { continue };
            let mut piece = std::mem::take(&mut self.spare);
            taylor.piece(lanes, l, &mut piece);
            self.spare = memory.step(h[l], lands[l], reach[l], piece);
            // A step cut short by something else than its series says nothing against a long one.
            lanes.h[l] = lanes.h[l].max(allowed[l].min(reach[l]));
        }
        verdict
    }

    fn prepare_pieces<R: Rhs<L>>(&mut self, _: &mut R, _: &Lanes<L>, _: &[bool; L]) {}

    fn piece(&self, lanes: &Lanes<L>, lane: usize, piece: &mut Piece) {
        self.taylor.piece(lanes, lane, piece);
    }

    fn pieces(&self, lanes: &Lanes<L>) -> Option<Pieces<'_, L>> {
        self.taylor.pieces(lanes)
    }

    fn evaluations_per_attempt(&self, lane: usize) -> u64 {
        Stepper::<L>::evaluations_per_attempt(&self.taylor, lane)
    }
}
