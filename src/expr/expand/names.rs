//! What names stand for: variables, parameters, their elements, delayed terms, and definitions, each expanded once.

use super::{Expander, Frame, Shape, Symbol};
use crate::error::{Error, Result, nearest};
use crate::expr::ast::{Expr, ExprKind, Factor, Role, Sign, Statement};
use crate::expr::functions::{self, Value};
use crate::expr::graph::{Id, Op, whole_power};
use crate::expr::visit::collect_names;
use std::cell::Cell;
use std::collections::HashSet;

/// What has elements.
enum Elements {
    State { first: usize, size: usize },
    Parameter { first: usize, shape: Shape },
    Definition(usize),
}

impl<'a> Expander<'a> {
    /// Definitions sorted so that each comes after those it names.
    pub(super) fn definition_order(&self) -> Result<Vec<usize>> {
        let mut uses: Vec<Vec<usize>> = vec![Vec::new(); self.statements.len()];
        for (i, statement) in self.statements.iter().enumerate() {
            let mut names = HashSet::new();
            collect_names(&statement.body, &mut names);
            uses[i] = names
                .iter()
                .filter(|name| !statement.arguments.contains(name) && !statement.indices.contains(name))
                .filter_map(|name| match self.symbols.get(name.as_str()) {
                    Some(Symbol::Definition(k)) => Some(*k),
                    _ => None,
                })
                .collect();
            uses[i].sort_unstable();
        }
        let mut order = Vec::new();
        let mut mark = vec![0u8; self.statements.len()]; // 0 new, 1 on the path, 2 done
        for root in 0..self.statements.len() {
            if self.statements[root].role != Role::Local || mark[root] == 2 {
                continue;
            }
            let mut path = vec![(root, 0)];
            mark[root] = 1;
            while let Some((node, next)) = path.last_mut() {
                let node = *node;
                if let Some(&child) = uses[node].get(*next) {
                    *next += 1;
                    if mark[child] == 1 {
                        let from = path.iter().position(|(k, _)| *k == child).unwrap_or(0);
                        let mut names: Vec<&str> =
                            path[from..].iter().map(|(k, _)| self.statements[*k].name.as_str()).collect();
                        names.push(&self.statements[child].name);
                        let message = format!("the definition is circular: {}", names.join(" -> "));
                        return Err(Error::at(self.text, self.statements[child].at, message));
                    }
                    if mark[child] == 0 {
                        mark[child] = 1;
                        path.push((child, 0));
                    }
                } else {
                    mark[node] = 2;
                    order.push(node);
                    path.pop();
                }
            }
        }
        Ok(order)
    }

    pub(super) fn name(&mut self, name: &str, at: usize, frame: &Frame<'_>) -> Result<Id> {
        if let Some((_, id)) = frame.arguments.iter().rev().find(|(argument, _)| *argument == name) {
            return Ok(*id);
        }
        if let Some((_, value)) = frame.indices.iter().rev().find(|(index, _)| *index == name) {
            return Ok(self.graph.constant(*value as f64));
        }
        match self.symbols.get(name).cloned() {
            Some(Symbol::State { first, size: None }) => Ok(self.graph.state(first)),
            Some(Symbol::State { size: Some(n), .. }) => {
                Err(Error::at(frame.text, at, format!("`{name}` is a vector of {n} variables: write {name}[i]")))
            }
            Some(Symbol::Parameter { first, shape }) if shape.is_empty() => Ok(self.graph.parameter(first)),
            Some(Symbol::Parameter { shape, .. }) => {
                let example = if shape.len() == 1 { "[i]" } else { "[i, j]" };
                let message =
                    format!("`{name}` is a parameter with {} elements: write {name}{example}", extents(&shape));
                Err(Error::at(frame.text, at, message))
            }
            Some(Symbol::Structure(value)) => Ok(self.graph.constant(value as f64)),
            Some(Symbol::Definition(k)) => {
                let statement = &self.statements[k];
                if !statement.arguments.is_empty() {
                    let form = format!("{name}({})", statement.arguments.join(", "));
                    return Err(Error::at(frame.text, at, format!("`{name}` is a function: write {form}")));
                }
                if !statement.indices.is_empty() {
                    let form = format!("{name}[{}]", statement.indices.join(", "));
                    return Err(Error::at(frame.text, at, format!("`{name}` has indices: write {form}")));
                }
                self.definition(k, Vec::new(), frame, at)
            }
            None if name == "t" => Ok(self.graph.time()),
            None if name == "pi" => Ok(self.graph.constant(std::f64::consts::PI)),
            None if functions::find(name).is_some() => {
                Err(Error::at(frame.text, at, format!("`{name}` is a function: write {name}(…)")))
            }
            None => Err(self.unknown("name", name, at, frame)),
        }
    }

    pub(super) fn unknown(&self, what: &str, name: &str, at: usize, frame: &Frame<'_>) -> Error {
        let symbols = self.symbols.keys().map(String::as_str);
        let arguments = frame.arguments.iter().map(|(name, _)| *name);
        let indices = frame.indices.iter().map(|(name, _)| *name);
        let mut known: Vec<&str> = symbols.chain(arguments).chain(indices).chain(functions::names()).collect();
        known.sort_unstable();
        let hint = nearest(name, known).map_or(String::new(), |known| format!(", did you mean `{known}`?"));
        Error::at(frame.text, at, format!("unknown {what} `{name}`{hint}"))
    }

    fn definition(&mut self, k: usize, indices: Vec<i64>, frame: &Frame<'_>, at: usize) -> Result<Id> {
        if let Some(&id) = self.values[k].get(&indices[..]) {
            return Ok(id);
        }
        self.charge(1, frame, at)?;
        let statements: &'a [Statement] = self.statements;
        let statement = &statements[k];
        let inner = Frame {
            text: self.text,
            indices: statement.indices.iter().map(String::as_str).zip(indices.iter().copied()).collect(),
            arguments: Vec::new(),
            depth: Cell::new(frame.depth.get() + 1),
        };
        let id = match self.number(&statement.body, &inner) {
            Some(value) => self.graph.constant(value),
            None => self.expand(&statement.body, &inner)?,
        };
        self.values[k].insert(indices, id);
        Ok(id)
    }

    /// The number that an expression made of numbers, indices and structural integers is: what its expansion would fold to,
    /// without a node for every step. `None` for most others.
    fn number(&mut self, expr: &Expr, frame: &Frame<'_>) -> Option<f64> {
        self.work += 1;
        match &expr.kind {
            ExprKind::Number(value) => Some(*value),
            ExprKind::Name(name) => match frame.indices.iter().rev().find(|(index, _)| index == name) {
                Some((_, value)) => Some(*value as f64),
                None => match self.symbols.get(name) {
                    Some(Symbol::Structure(value)) => Some(*value as f64),
                    None if name == "pi" => Some(std::f64::consts::PI),
                    _ => None,
                },
            },
            ExprKind::Negate(a) => Some(-self.number(a, frame)?),
            ExprKind::Sum(terms) => {
                let mut total = self.number(&terms[0].1, frame)?;
                for (sign, term) in &terms[1..] {
                    let term = self.number(term, frame)?;
                    total = if *sign == Sign::Plus { total + term } else { total - term };
                }
                Some(total)
            }
            ExprKind::Product(factors) => {
                let mut total = self.number(&factors[0].1, frame)?;
                for (how, factor) in &factors[1..] {
                    let factor = self.number(factor, frame)?;
                    total = if *how == Factor::Times { total * factor } else { total / factor };
                }
                Some(total)
            }
            ExprKind::Power(base, exponent) => {
                let (base, exponent) = (self.number(base, frame)?, self.number(exponent, frame)?);
                let whole = exponent == exponent.trunc() && exponent.abs() < 65536.0;
                whole.then(|| whole_power(base, exponent as i32))
            }
            ExprKind::Call(name, arguments) if !self.symbols.contains_key(name) => {
                let function = functions::find(name)?;
                match (function.value, &arguments[..]) {
                    (Value::One(f), [a]) => Some(f(self.number(a, frame)?)),
                    (Value::Two(f), [a, b]) if name != "pow" => Some(f(self.number(a, frame)?, self.number(b, frame)?)),
                    _ => None,
                }
            }
            ExprKind::Where(condition, yes, no) => {
                let branch = if self.decided(condition, frame)? { yes } else { no };
                self.number(branch, frame)
            }
            _ => None,
        }
    }

    /// `name[i, …]` with cyclic indices where they are counted from an index variable.
    pub(super) fn element<'f>(&mut self, name: &str, indices: &'f [Expr], at: usize, frame: &Frame<'f>) -> Result<Id>
    where
        'a: 'f,
    {
        let symbol = match self.symbols.get(name) {
            Some(Symbol::State { first, size: Some(n) }) => Elements::State { first: *first, size: *n },
            Some(Symbol::Parameter { first, shape }) if !shape.is_empty() => {
                Elements::Parameter { first: *first, shape: shape.clone() }
            }
            Some(Symbol::Definition(k)) if !self.statements[*k].indices.is_empty() => Elements::Definition(*k),
            Some(_) => {
                return Err(Error::at(frame.text, at, format!("`{name}` has no elements: leave out the brackets")));
            }
            None => return Err(self.unknown("name", name, at, frame)),
        };
        let wanted = match &symbol {
            Elements::State { .. } => 1,
            Elements::Parameter { shape, .. } => shape.len(),
            Elements::Definition(k) => self.statements[*k].indices.len(),
        };
        if wanted != indices.len() {
            let message = format!("`{name}` takes {} but {} given", count(wanted, "index"), indices.len());
            return Err(Error::at(frame.text, at, message));
        }
        let mut place = Vec::with_capacity(wanted);
        for (i, index) in indices.iter().enumerate() {
            let size = match &symbol {
                Elements::State { size, .. } => Some(*size as i64),
                Elements::Parameter { shape, .. } => Some(shape[i] as i64),
                Elements::Definition(k) => self.range_of_definition(*k, i)?,
            };
            let (value, varies) = self.whole(index, frame)?;
            place.push(match size {
                Some(n) if varies => (value - 1).rem_euclid(n) + 1,
                Some(n) if value < 1 || value > n => {
                    let message = format!("index {value} is outside 1 to {n}, the elements of `{name}`");
                    return Err(Error::at(frame.text, index.at, message));
                }
                _ => value,
            });
        }
        match symbol {
            Elements::State { first, .. } => Ok(self.graph.state(first + place[0] as usize - 1)),
            Elements::Parameter { first, shape } => {
                let offset = place.iter().zip(&shape).fold(0, |offset, (i, n)| offset * n + (*i as usize - 1));
                Ok(self.graph.parameter(first + offset))
            }
            Elements::Definition(k) => self.definition(k, place, frame, at),
        }
    }

    pub(super) fn delayed_term<'f>(&mut self, target: &'f Expr, delay: &'f Expr, frame: &Frame<'f>) -> Result<Id>
    where
        'a: 'f,
    {
        let node = self.expand(target, frame)?;
        let Op::State(state) = self.graph.op(node) else {
            return Err(Error::at(frame.text, target.at, "only a state variable can be delayed"));
        };
        let tau = self.expand(delay, frame)?;
        if !self.is_fixed(tau) {
            let message = "a delay must be made of parameters and numbers alone: it is constant during a run";
            return Err(Error::at(frame.text, delay.at, message));
        }
        if self.graph.as_constant(tau).is_some_and(|tau| tau <= 0.0) {
            return Err(Error::at(frame.text, delay.at, "a delay must be positive"));
        }
        let delay = position_or_push(&mut self.delays, tau);
        let term = position_or_push(&mut self.delayed, (state as usize, delay));
        Ok(self.graph.delayed(term))
    }
}

fn position_or_push<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

pub(super) fn count(n: usize, what: &str) -> String {
    match (n, what) {
        (1, _) => format!("one {what}"),
        (_, "index") => format!("{n} indices"),
        _ => format!("{n} {what}s"),
    }
}

fn extents(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}
