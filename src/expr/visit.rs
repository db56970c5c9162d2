//! Walks through an expression: what is in it, which names, and which indices.

use super::ast::{Condition, Expr, ExprKind};
use std::collections::HashSet;

/// Visits an expression and everything in it.
fn visit<'e>(expr: &'e Expr, see: &mut impl FnMut(&'e Expr)) {
    see(expr);
    let mut all = |list: &[&'e Expr]| list.iter().for_each(|e| visit(e, see));
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Name(_) => {}
        ExprKind::Index(_, list) | ExprKind::Call(_, list) => list.iter().for_each(|e| visit(e, see)),
        ExprKind::Delayed(a, b) | ExprKind::Power(a, b) => all(&[a, b]),
        ExprKind::Negate(a) => all(&[a]),
        ExprKind::Sum(terms) => terms.iter().for_each(|(_, e)| visit(e, see)),
        ExprKind::Product(factors) => factors.iter().for_each(|(_, e)| visit(e, see)),
        ExprKind::Where(condition, a, b) => {
            let mut sides = Vec::new();
            condition_sides(condition, &mut sides);
            sides.into_iter().for_each(|e| visit(e, see));
            visit(a, see);
            visit(b, see);
        }
        ExprKind::Reduce(_, _, bounds, body) => {
            if let Some(bounds) = bounds {
                visit(&bounds.0, see);
                visit(&bounds.1, see);
            }
            visit(body, see);
        }
    }
}

fn condition_sides<'e>(condition: &'e Condition, sides: &mut Vec<&'e Expr>) {
    match condition {
        Condition::Compare(_, a, b) => sides.extend([a, b]),
        Condition::And(a, b) | Condition::Or(a, b) => {
            condition_sides(a, sides);
            condition_sides(b, sides);
        }
        Condition::Not(a) => condition_sides(a, sides),
    }
}

/// Adds every name in an expression.
pub(super) fn collect_names(expr: &Expr, names: &mut HashSet<String>) {
    visit(expr, &mut |e| match &e.kind {
        ExprKind::Name(name) | ExprKind::Index(name, _) | ExprKind::Call(name, _) => {
            names.insert(name.clone());
        }
        _ => {}
    });
}

/// The places where `index` (possibly shifted) is an index: (name, position among the indices, offset).
pub(super) fn index_uses(index: &str, body: &Expr, uses: &mut Vec<(String, usize, usize)>) {
    visit(body, &mut |e| {
        if let ExprKind::Index(name, indices) = &e.kind {
            for (place, expr) in indices.iter().enumerate() {
                let mut names = HashSet::new();
                collect_names(expr, &mut names);
                if names.contains(index) {
                    uses.push((name.clone(), place, e.at));
                }
            }
        }
    });
}
