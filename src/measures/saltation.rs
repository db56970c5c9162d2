//! Where the right-hand side jumps, tangent vectors are turned by the saltation matrix.

use super::tangent::Run;
use crate::expr::eval::Evaluator;
use crate::solve::stepper::{Lanes, Row};
use crate::system::Switches;

/// Halvings of a step by which a jump is located, and the relative difference of slopes there that is none.
const HALVINGS: u32 = 44;
const KINK: f64 = 1e-9;

/// Jumps of the right-hand side in a step.
///
/// Error control shortens the step across a jump until the jump, times the step, is within the tolerance; the vectors are
/// then turned as if the jump were at once: by the saltation matrix S = 1 + (f+ - f-) grad(g) / (grad(g) f- + dg/dt),
/// with g = 0 on the surface (Aizerman & Gantmakher 1958, Q. J. Mech. Appl. Math. 11, 225-241). It is 1 where f does not jump.
pub(super) struct Jumps<'p, const L: usize> {
    surfaces: Evaluator<'p, 1>,
    whole: &'p [bool],
    field: Evaluator<'p, 1>,
    values: [Vec<Row<1>>; 2],
    slopes: [Vec<Row<1>>; 2],
    state: Vec<Row<1>>,
    parameters: Vec<Vec<f64>>,
}

impl<'p, const L: usize> Jumps<'p, L> {
    pub(super) fn new(run: &'p Run<'_>, switches: &'p Switches, first: usize, members: usize) -> Self {
        let (d, system) = (run.settings.system.dimension(), run.settings.system);
        let outputs = switches.program.outputs.len();
        Self {
            surfaces: Evaluator::new(&switches.program, run.level),
            whole: &switches.whole,
            field: Evaluator::new(system.program(), run.level),
            values: [vec![[0.0]; outputs], vec![[0.0]; outputs]],
            slopes: [vec![[0.0]; d], vec![[0.0]; d]],
            state: vec![[0.0]; d],
            parameters: (0..members).map(|lane| run.parameters(first + lane).to_vec()).collect(),
        }
    }

    /// The state at `fraction` of the way from one end of the step to the other, as the crow flies; and the surfaces there.
    fn look(&mut self, lanes: &Lanes<L>, lane: usize, fraction: f64, side: usize) -> [f64; 1] {
        for (i, row) in self.state.iter_mut().enumerate() {
            let (from, to) = (lanes.y[i][lane], lanes.y_next[i][lane]);
            row[0] = if fraction == 1.0 { to } else { from + fraction * (to - from) };
        }
        let t = [lanes.t[lane] + fraction * lanes.h_taken[lane]];
        self.surfaces.eval(&t, &self.state, &[], &mut self.values[side]);
        t
    }

    /// Whether surface `j` lies between the two points looked at last.
    fn between(&self, j: usize) -> bool {
        let [before, after] = [0, 1].map(|side| self.values[side][j * (self.state.len() + 2)][0]);
        if self.whole[j] { before.floor() != after.floor() } else { (before > 0.0) != (after > 0.0) }
    }

    /// Turns the vectors at the end of the accepted step of `lane` if a surface was crossed in it.
    pub(super) fn cross(&mut self, lanes: &mut Lanes<L>, lane: usize, response: &[usize]) -> bool {
        self.surfaces.set_parameters(0, &self.parameters[lane]);
        self.look(lanes, lane, 0.0, 0);
        self.look(lanes, lane, 1.0, 1);
        let Some(j) = (0..self.whole.len()).find(|&j| self.between(j)) else { return false };
        // The place of the jump, so closely that the rest of the step does not count in the difference of slopes.
        let mut ends = [0.0, 1.0];
        for _ in 0..HALVINGS {
            let middle = 0.5 * (ends[0] + ends[1]);
            self.look(lanes, lane, ends[0], 0);
            self.look(lanes, lane, middle, 1);
            ends[usize::from(self.between(j))] = middle;
        }
        self.field.set_parameters(0, &self.parameters[lane]);
        for side in [1, 0] {
            let t = self.look(lanes, lane, ends[side], 0);
            self.field.eval(&t, &self.state, &[], &mut self.slopes[side]);
        }
        let (d, r) = (self.state.len(), response.len());
        let gradient = |i: usize| self.values[0][j * (d + 2) + 1 + i][0];
        let jump = |i: usize| self.slopes[1][i][0] - self.slopes[0][i][0];
        if (0..d).all(|i| jump(i).abs() <= KINK * self.slopes[0][i][0].abs()) {
            return false;
        }
        let rate = (0..d).map(|i| gradient(i) * self.slopes[0][i][0]).sum::<f64>() + gradient(d);
        for vector in lanes.y_next[d..].chunks_exact_mut(r) {
            let towards = response.iter().zip(&*vector).map(|(&i, row)| gradient(i) * row[lane]).sum::<f64>() / rate;
            for (&i, row) in response.iter().zip(vector) {
                row[lane] += jump(i) * towards;
            }
        }
        true
    }
}
