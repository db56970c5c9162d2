//! Other names in a tree: for states, parameters, definitions, structural integers and Wiener processes, not for what is bound
//! locally.

use super::ast::{Condition, Expr, ExprKind, Statement};
use std::collections::HashMap;

/// Old names and new ones.
pub type Names = HashMap<String, String>;

/// A statement under other names. Its indices and arguments keep theirs.
pub fn rename_statement(statement: &Statement, names: &Names) -> Statement {
    let bound: Vec<&str> = statement.indices.iter().chain(&statement.arguments).map(String::as_str).collect();
    let mut renamed = statement.clone();
    renamed.name = new_name(&statement.name, names, &[]);
    if let Some((process, _)) = &mut renamed.process {
        *process = new_name(process, names, &[]);
    }
    rename(&mut renamed.body, names, &bound);
    renamed
}

fn new_name(name: &str, names: &Names, bound: &[&str]) -> String {
    if bound.contains(&name) { name.to_owned() } else { names.get(name).map_or(name, String::as_str).to_owned() }
}

fn rename(expression: &mut Expr, names: &Names, bound: &[&str]) {
    match &mut expression.kind {
        ExprKind::Number(_) => {}
        ExprKind::Name(name) => *name = new_name(name, names, bound),
        ExprKind::Index(name, list) | ExprKind::Call(name, list) => {
            *name = new_name(name, names, bound);
            list.iter_mut().for_each(|item| rename(item, names, bound));
        }
        ExprKind::Delayed(a, b) | ExprKind::Power(a, b) => {
            rename(a, names, bound);
            rename(b, names, bound);
        }
        ExprKind::Negate(a) => rename(a, names, bound),
        ExprKind::Sum(terms) => terms.iter_mut().for_each(|(_, term)| rename(term, names, bound)),
        ExprKind::Product(factors) => factors.iter_mut().for_each(|(_, factor)| rename(factor, names, bound)),
        ExprKind::Where(condition, a, b) => {
            rename_condition(condition, names, bound);
            rename(a, names, bound);
            rename(b, names, bound);
        }
        ExprKind::Reduce(_, index, bounds, body) => {
            if let Some(bounds) = bounds {
                rename(&mut bounds.0, names, bound);
                rename(&mut bounds.1, names, bound);
            }
            let index = index.clone();
            let mut inside = bound.to_vec();
            inside.push(&index);
            rename(body, names, &inside);
        }
    }
}

fn rename_condition(condition: &mut Condition, names: &Names, bound: &[&str]) {
    match condition {
        Condition::Compare(_, a, b) => {
            rename(a, names, bound);
            rename(b, names, bound);
        }
        Condition::And(a, b) | Condition::Or(a, b) => {
            rename_condition(a, names, bound);
            rename_condition(b, names, bound);
        }
        Condition::Not(a) => rename_condition(a, names, bound),
    }
}
