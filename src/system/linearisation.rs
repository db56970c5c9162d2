//! A flow together with its derivatives with respect to state and time: what implicit methods ask for.

use super::System;
use crate::expr::differentiate::derivatives;
use crate::expr::program::Program;
use crate::linalg::sparse::Plan;
use std::collections::HashMap;

/// Right-hand side, Jacobian and derivative with respect to time, compiled together, and how to factor `I/s - J`.
#[derive(Debug)]
pub struct Linearisation {
    /// Outputs: the right-hand side, then [`Linearisation::entries`], then, unless autonomous, the derivatives in time.
    pub program: Program,
    /// Number of state variables.
    pub n: usize,
    /// Row and column of the entries of the Jacobian that are not identically zero.
    pub entries: Vec<(usize, usize)>,
    /// Whether time does not appear.
    pub is_autonomous: bool,
    /// How to eliminate, where it pays to leave out the zeros.
    pub plan: Option<Plan>,
}

/// Up to this many variables matrices are taken as full, for the sake of pivoting.
const FULL: usize = 10;
/// The part of a full matrix's multiplications below which the zeros are left out.
const SPARSE: f64 = 0.5;

impl System {
    /// The linearisation; made when first asked for, then kept.
    pub fn linearisation(&self) -> &Linearisation {
        self.linearisation.get_or_init(|| {
            let n = self.dimension();
            let mut graph = self.graph.clone();
            let (zero, one) = (graph.constant(0.0), graph.constant(1.0));
            let (mut entries, mut slopes) = (Vec::new(), Vec::new());
            for j in 0..n {
                let state = graph.state(j);
                let column = derivatives(&mut graph, &self.rhs, &HashMap::from([(state, one)]));
                for (i, &slope) in column.iter().enumerate().filter(|(_, slope)| **slope != zero) {
                    entries.push((i, j));
                    slopes.push(slope);
                }
            }
            let is_autonomous = self.is_autonomous();
            let time = graph.time();
            let in_time = derivatives(&mut graph, &self.rhs, &HashMap::from([(time, one)]));
            let mut roots = [&self.rhs[..], &slopes[..]].concat();
            if !is_autonomous {
                roots.extend(in_time);
            }
            let plan = (n > FULL)
                .then(|| Plan::new(n, &entries))
                .filter(|plan| (plan.operations() as f64) < SPARSE * (n as f64).powi(3) / 3.0);
            Linearisation { program: Program::compile(&graph, &roots, self.sizes()), n, entries, is_autonomous, plan }
        })
    }
}
