//! Separable Hamiltonian flows, recognised by their equations: q' = dT/dp, p' = -dV/dq, with V free to depend on time.

use super::{Kind, System};
use crate::error::{Error, Result};
use crate::expr::differentiate::derivatives;
use crate::expr::graph::{Graph, Id, Leaves, Op};
use crate::expr::program::Program;
use crate::parallel::random::uniform_pair;
use std::collections::HashMap;

/// Positions and momenta, and what moves each.
#[derive(Debug)]
pub struct Separation {
    /// Numbers of the positions among the state variables.
    pub positions: Vec<usize>,
    /// Numbers of the momenta, in the order of the positions they belong to.
    pub momenta: Vec<usize>,
    /// Derivatives of the positions, functions of the momenta.
    pub drift: Program,
    /// Derivatives of the momenta, functions of the positions and time.
    pub kick: Program,
}

impl System {
    /// How a flow separates into positions and momenta.
    ///
    /// # Errors
    /// If it does not, with the reason.
    pub fn separation(&self) -> Result<&Separation> {
        self.separation.get_or_init(|| self.separate()).as_ref().map_err(|reason| {
            Error::value(format!(
                "a symplectic method needs equations q' = dT/dp and p' = -dV/dq of an energy T(p) + V(q): {reason}"
            ))
        })
    }

    fn separate(&self) -> std::result::Result<Separation, String> {
        if self.kind != Kind::Flow {
            return Err(format!("this is a {}", self.kind.name()));
        }
        let n = self.dimension();
        let mut graph = self.graph.clone();
        let needs: Vec<(Vec<usize>, bool)> = self.rhs.iter().map(|&root| leaves(&graph, root)).collect();
        let side = self.sides(&needs)?;
        let positions: Vec<usize> = (0..n).filter(|&i| side[i] == Some(true)).collect();
        let others: Vec<usize> = (0..n).filter(|&i| side[i] == Some(false)).collect();
        if positions.len() != others.len() {
            let names = |list: &[usize]| list.iter().map(|&i| self.names[i].as_str()).collect::<Vec<_>>().join(", ");
            return Err(format!("positions ({}) and momenta ({}) differ in number", names(&positions), names(&others)));
        }
        let momenta = self.partners(&mut graph, &positions, &others)?;
        let roots = |list: &[usize]| list.iter().map(|&i| self.rhs[i]).collect::<Vec<Id>>();
        Ok(Separation {
            drift: Program::compile(&graph, &roots(&positions), self.sizes()),
            kick: Program::compile(&graph, &roots(&momenta), self.sizes()),
            positions,
            momenta,
        })
    }

    /// Which variables are positions: neighbours by dependence are on different sides, and time moves momenta only.
    fn sides(&self, needs: &[(Vec<usize>, bool)]) -> std::result::Result<Vec<Option<bool>>, String> {
        let n = needs.len();
        let mut neighbours = vec![Vec::new(); n];
        for (i, (states, _)) in needs.iter().enumerate() {
            for &j in states {
                if i == j {
                    return Err(format!("{0}' depends on {0} itself", self.names[i]));
                }
                neighbours[i].push(j);
                neighbours[j].push(i);
            }
        }
        let mut side = vec![None; n];
        for first in 0..n {
            if side[first].is_some() {
                continue;
            }
            // The variable that is declared first in a group is a position, unless time says otherwise.
            let mut group = vec![first];
            side[first] = Some(true);
            let mut next = 0;
            while let Some(&i) = group.get(next) {
                next += 1;
                for &j in &neighbours[i] {
                    if side[j].is_none() {
                        side[j] = side[i].map(|side| !side);
                        group.push(j);
                    } else if side[j] == side[i] {
                        let names = (&self.names[i], &self.names[j]);
                        return Err(format!("{} and {} depend on one another through others", names.0, names.1));
                    }
                }
            }
            let driven: Vec<usize> = group.iter().copied().filter(|&i| needs[i].1).collect();
            if driven.iter().any(|&i| side[i] == Some(true)) {
                group.iter().for_each(|&i| side[i] = side[i].map(|side| !side));
            }
            if let Some(&i) = driven.iter().find(|&&i| side[i] == Some(true)) {
                return Err(format!("time moves {} as well as what it depends on", self.names[i]));
            }
        }
        Ok(side)
    }

    /// The momentum of each position, such that both sides are gradients.
    fn partners(
        &self,
        graph: &mut Graph,
        positions: &[usize],
        others: &[usize],
    ) -> std::result::Result<Vec<usize>, String> {
        /// States at which the symmetry is looked at.
        const PLACES: u64 = 8;
        /// Rounding errors of an entry, relative to the largest.
        const ROUNDING: f64 = 1e-11;
        let drift = self.block(graph, positions, others);
        let kick = self.block(graph, others, positions);
        let d = positions.len();
        let mut evaluated = Vec::new();
        for place in 0..PLACES {
            let x: Vec<f64> = (0..self.dimension() as u64).map(|i| 0.1 + uniform_pair(1, place, i)[0]).collect();
            let leaves = Leaves { t: 0.3, x: &x, p: &self.parameter_values, z: &[] };
            evaluated.push((graph.evaluate(&drift, leaves), graph.evaluate(&kick, leaves)));
        }
        let works = |order: &[usize]| {
            // drift[i][j] = d q_i' / d p_j and kick[j][i] = d p_j' / d q_i, momenta taken in this order.
            evaluated.iter().all(|(drift, kick)| {
                let size = |matrix: &[f64]| matrix.iter().fold(0.0f64, |size, entry| size.max(entry.abs()));
                let (first, second) = (ROUNDING * size(drift), ROUNDING * size(kick));
                (0..d).all(|i| {
                    (0..i).all(|j| {
                        let t = drift[i * d + order[j]] - drift[j * d + order[i]];
                        let v = kick[order[i] * d + j] - kick[order[j] * d + i];
                        !(t.abs() > first) && !(v.abs() > second)
                    })
                })
            })
        };
        let mut candidates = vec![(0..d).collect::<Vec<_>>()];
        // Where each position is moved by one momentum alone, that is its own.
        let own: Option<Vec<usize>> = (0..d)
            .map(|i| {
                let mut moved = (0..d).filter(|&j| graph.as_constant(drift[i * d + j]) != Some(0.0));
                moved.next().filter(|_| moved.next().is_none())
            })
            .collect();
        candidates.extend(own.filter(|own| (0..d).all(|j| own.contains(&j))));
        match candidates.into_iter().rev().find(|order| works(order)) {
            Some(order) => Ok(order.into_iter().map(|j| others[j]).collect()),
            None => Err("the equations separate, but are not the gradients of one energy".to_owned()),
        }
    }

    /// Derivatives of some equations with respect to some variables, row by row.
    fn block(&self, graph: &mut Graph, equations: &[usize], variables: &[usize]) -> Vec<Id> {
        let one = graph.constant(1.0);
        let roots: Vec<Id> = equations.iter().map(|&i| self.rhs[i]).collect();
        let columns: Vec<Vec<Id>> = variables
            .iter()
            .map(|&j| {
                let state = graph.state(j);
                derivatives(graph, &roots, &HashMap::from([(state, one)]))
            })
            .collect();
        (0..roots.len()).flat_map(|i| columns.iter().map(move |column| column[i])).collect()
    }
}

/// The states that an expression needs, and whether it needs time.
fn leaves(graph: &Graph, root: Id) -> (Vec<usize>, bool) {
    let needed = graph.reachable(&[root]);
    let mut found = (Vec::new(), false);
    for i in (0..needed.len()).filter(|&i| needed[i]) {
        match graph.op(Id(i as u32)) {
            Op::State(k) => found.0.push(k as usize),
            Op::Time => found.1 = true,
            _ => {}
        }
    }
    found
}
