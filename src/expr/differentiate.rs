//! Derivatives of graph expressions.

use super::functions;
use super::graph::{Graph, Id, Op};
use std::collections::HashMap;

/// The derivatives of `roots` along a direction: `seeds` gives, for leaves (states, delayed terms, time, parameters), the
/// derivative of the leaf; other leaves have derivative zero.
///
/// With one seed equal to 1 this is a partial derivative; with a variable for each state, the tangent flow.
pub fn derivatives(graph: &mut Graph, roots: &[Id], seeds: &HashMap<Id, Id>) -> Vec<Id> {
    let zero = graph.constant(0.0);
    let needed = graph.reachable(roots);
    let count = needed.len();
    let mut slope: Vec<Id> = vec![zero; count];
    // Derivatives are appended to the graph behind `count`; only the original nodes are visited.
    for i in 0..count {
        let id = Id(i as u32);
        if !needed[i] {
            continue;
        }
        if let Some(&seed) = seeds.get(&id) {
            slope[i] = seed;
            continue;
        }
        let op = graph.op(id);
        let d = |child: Id| slope[child.0 as usize];
        if op.children().all(|child| d(child) == zero) {
            continue;
        }
        slope[i] = match op {
            Op::Constant(_) | Op::Time | Op::State(_) | Op::Parameter(_) | Op::Delayed(_) => zero,
            Op::Add(a, b) => graph.add(d(a), d(b)),
            Op::Sub(a, b) => graph.sub(d(a), d(b)),
            Op::Mul(a, b) => {
                let left = graph.mul(d(a), b);
                let right = graph.mul(a, d(b));
                graph.add(left, right)
            }
            Op::Div(a, b) => {
                // (a / b)' = (a' - (a / b) b') / b
                let correction = graph.mul(id, d(b));
                let top = graph.sub(d(a), correction);
                graph.div(top, b)
            }
            Op::Neg(a) => graph.neg(d(a)),
            Op::Power(a, n) => {
                let lower = graph.power(a, n - 1);
                let factor = graph.constant(f64::from(n));
                let outer = graph.mul(factor, lower);
                graph.mul(outer, d(a))
            }
            Op::Unary(row, order, a) => {
                let outer = (functions::TABLE[row as usize].derivative)(graph, &[a], id, order)[0];
                graph.mul(outer, d(a))
            }
            Op::Binary(row, a, b) => {
                let outer = (functions::TABLE[row as usize].derivative)(graph, &[a, b], id, 0);
                let left = graph.mul(outer[0], d(a));
                let right = graph.mul(outer[1], d(b));
                graph.add(left, right)
            }
            // The condition is differentiated nowhere: almost everywhere it is constant.
            Op::Select(comparison, a, b, c, e) => graph.select(comparison, a, b, d(c), d(e)),
        };
    }
    roots.iter().map(|root| slope[root.0 as usize]).collect()
}

/// The matrix of partial derivatives of `roots` with respect to `leaves`: row = root, column = leaf.
pub fn jacobian(graph: &mut Graph, roots: &[Id], leaves: &[Id]) -> Vec<Vec<Id>> {
    let one = graph.constant(1.0);
    let columns: Vec<Vec<Id>> =
        leaves.iter().map(|&leaf| derivatives(graph, roots, &HashMap::from([(leaf, one)]))).collect();
    (0..roots.len()).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
}
