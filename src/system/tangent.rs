//! The tangent space of a system: its equations together with those of small deviations from the solution, as one system.
//!
//! Also the surfaces on which a right-hand side may jump, where deviations change at once (see `measures::tangent`).

use super::{Interpretation, Kind, System};
use crate::error::{Error, Result};
use crate::expr::differentiate::{derivatives, jacobian};
use crate::expr::functions;
use crate::expr::graph::{Graph, Id, Op};
use crate::expr::program::{Program, Sizes, is_smooth};
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

/// Places where a right-hand side may jump.
#[derive(Debug)]
pub struct Switches {
    /// For each surface its function, the partial derivatives by the states, and that by time.
    pub program: Program,
    /// For each surface whether it lies at every whole value of its function, as those of `floor`, or at zero.
    pub whole: Vec<bool>,
}

impl System {
    /// The system with one tangent vector: the state doubled, v' = J(x, t) v.
    ///
    /// # Errors
    /// For delay and stochastic systems, whose tangent spaces are of another kind.
    pub fn tangent(&self) -> Result<System> {
        if !matches!(self.kind, Kind::Flow | Kind::Map) {
            return Err(Error::value("the tangent flow is available for flows and maps"));
        }
        Ok(self.with_tangents(1, &(0..self.dimension()).collect::<Vec<_>>()))
    }

    /// The system with `k` tangent vectors in the directions of the variables `response`, one vector after the other behind
    /// the state. Deviations of the other variables are zero throughout, as if these were imposed from outside.
    ///
    /// Delayed terms and noise are differentiated along with the drift; the result is in Itô's sense.
    pub fn with_tangents(&self, k: usize, response: &[usize]) -> System {
        let (n, r) = (self.dimension(), response.len());
        let mut graph = self.graph.clone();
        let mut rhs = self.drift().to_vec();
        let mut directions = Vec::new();
        let (mut names, mut periods, mut delayed) = (self.names.clone(), self.periods.clone(), self.delayed.clone());
        let place: HashMap<usize, usize> = response.iter().enumerate().map(|(at, &i)| (i, at)).collect();
        for c in 0..k {
            let mut seeds = HashMap::new();
            for (at, &i) in response.iter().enumerate() {
                let (leaf, seed) = (graph.state(i), graph.state(n + c * r + at));
                seeds.insert(leaf, seed);
            }
            for (z, &(variable, delay)) in self.delayed.iter().enumerate() {
                if let Some(at) = place.get(&variable) {
                    let (leaf, seed) = (graph.delayed(z), graph.delayed(delayed.len()));
                    seeds.insert(leaf, seed);
                    delayed.push((n + c * r + at, delay));
                }
            }
            let slopes = derivatives(&mut graph, self.drift(), &seeds);
            rhs.extend(response.iter().map(|&i| slopes[i]));
            directions.push(seeds);
            names.extend(response.iter().map(|&i| format!("d{}_{}", c + 1, self.names[i])));
        }
        let noise = self.tangent_noise(&mut graph, &directions, response);
        periods.resize(names.len(), None);
        let sizes = Sizes { states: names.len(), delayed: delayed.len(), ..self.sizes() };
        System {
            kind: self.kind,
            statements: Vec::new(),
            names,
            parameter_names: self.parameter_names.clone(),
            parameter_values: self.parameter_values.clone(),
            observable_names: Vec::new(),
            smooth: is_smooth(&graph, &rhs),
            program: Program::compile(&graph, &rhs, sizes),
            graph,
            rhs,
            ito: None,
            interpretation: Interpretation::Ito,
            processes: self.processes.clone(),
            noise,
            observables: Vec::new(),
            periods,
            delays: self.delays.clone(),
            delayed,
            jacobian: OnceLock::new(),
            observing: OnceLock::new(),
            linearisation: OnceLock::new(),
            separation: OnceLock::new(),
            ito_program: OnceLock::new(),
            diffusion: OnceLock::new(),
            form: OnceLock::new(),
            jets: Mutex::default(),
        }
    }

    /// The surfaces on which the right-hand side may jump: the arguments of sign and floor, and the conditions of where.
    pub fn switches(&self) -> Switches {
        let mut graph = self.graph.clone();
        let needed = graph.reachable(&self.rhs);
        let mut found: Vec<(Id, bool)> = Vec::new();
        for i in (0..needed.len()).filter(|&i| needed[i]) {
            let switch = match graph.op(Id(i as u32)) {
                Op::Select(_, a, b, ..) => Some((graph.sub(a, b), false)),
                Op::Unary(row, _, a) => match functions::TABLE[row as usize].name {
                    "sign" => Some((a, false)),
                    "floor" => Some((a, true)),
                    _ => None,
                },
                _ => None,
            };
            found.extend(switch.filter(|switch| !found.contains(switch)));
        }
        let roots = gradients(&mut graph, &found.iter().map(|&(id, _)| id).collect::<Vec<_>>(), self.dimension());
        Switches {
            program: Program::compile(&graph, &roots, self.sizes()),
            whole: found.into_iter().map(|(_, whole)| whole).collect(),
        }
    }
}

/// Each of `roots` with its derivatives by the states and by time.
fn gradients(graph: &mut Graph, roots: &[Id], n: usize) -> Vec<Id> {
    let mut leaves = System::states(graph, n);
    leaves.push(graph.time());
    let slopes = jacobian(graph, roots, &leaves);
    roots.iter().zip(&slopes).flat_map(|(&root, slopes)| std::iter::once(root).chain(slopes.iter().copied())).collect()
}
