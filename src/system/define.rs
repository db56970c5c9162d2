//! From a definition to a system: every state has one equation, every name a meaning.

use super::System;
use crate::error::{Error, Result, nearest};
use crate::expr::ast::{Role, Statement};
use crate::expr::expand::{Expander, Shape, Symbols};
use crate::expr::graph::Id;
use crate::expr::parse_document;
use crate::expr::program::{Program, Sizes, is_smooth};
use std::sync::{Mutex, OnceLock};

/// What kind of system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ordinary differential equations, with or without explicit time.
    Flow,
    /// Iterated.
    Map,
    /// Differential equations with constant delays.
    Delay,
    /// Differential equations with a diffusion term for each state (Itô).
    Stochastic,
}

impl Kind {
    /// The kinds by name.
    pub const NAMES: [(&'static str, Kind); 4] =
        [("flow", Kind::Flow), ("map", Kind::Map), ("delay", Kind::Delay), ("stochastic", Kind::Stochastic)];

    /// The name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The kind of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn parse(name: &str) -> Result<Kind> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind).ok_or_else(|| {
            Error::value(format!("unknown kind \"{name}\": expected \"flow\", \"map\", \"delay\" or \"stochastic\""))
        })
    }
}

/// Everything a system is made of.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its kind.
    pub kind: Kind,
    /// Equations and local definitions.
    pub text: String,
    /// Name, extents and default values of each parameter.
    pub parameters: Vec<(String, Shape, Vec<f64>)>,
    /// Whole numbers that fix sizes.
    pub structure: Vec<(String, i64)>,
    /// State variables in order; vectors with their size.
    pub states: Vec<(String, Option<usize>)>,
    /// Observables: name and expression.
    pub observables: Vec<(String, String)>,
    /// Periods of the states that are angles.
    pub periods: Vec<(String, String)>,
}

/// Most state variables a system may have.
const MOST_STATES: usize = 1_000_000;

impl System {
    /// Resolves and compiles a definition.
    ///
    /// # Errors
    /// [`Error::Language`] where the text is wrong; [`Error::Value`] where the declarations are.
    pub fn build(definition: &Definition) -> Result<System> {
        let kind = definition.kind;
        let text = definition.text.as_str();
        let statements = parse_document(text)?;
        let total = definition.states.iter().try_fold(0usize, |sum, (_, size)| sum.checked_add(size.unwrap_or(1)));
        if definition.states.is_empty() || definition.states.iter().any(|(_, size)| *size == Some(0)) {
            return Err(Error::value("a system needs at least one state variable, and vectors at least one element"));
        }
        if total.is_none_or(|total| total > MOST_STATES) {
            return Err(Error::value(format!("a system has at most {MOST_STATES} state variables")));
        }
        let symbols = Symbols {
            states: definition.states.clone(),
            parameters: definition.parameters.iter().map(|(name, shape, _)| (name.clone(), shape.clone())).collect(),
            structure: definition.structure.clone(),
        };
        let mut expander = Expander::new(&symbols, text, &statements)?;
        let rhs = equations(&mut expander, &definition.states, &statements, text, Self::role(kind))?;
        let rhs = complete(rhs, definition, Self::role(kind))?;
        let noise = equations(&mut expander, &definition.states, &statements, text, Role::Noise)?;
        check_roles(kind, &statements, text)?;
        let zero = expander.graph.constant(0.0);
        let noise = if noise.iter().all(Option::is_none) {
            Vec::new()
        } else {
            noise.into_iter().map(|id| id.unwrap_or(zero)).collect()
        };
        match kind {
            Kind::Delay if expander.delayed.is_empty() => {
                return Err(Error::value("a delay system needs a delayed term such as x(t - tau)"));
            }
            Kind::Flow | Kind::Map | Kind::Stochastic if !expander.delayed.is_empty() => {
                return Err(Error::value(format!("a {} has no delayed terms: the kind is \"delay\"", kind.name())));
            }
            Kind::Stochastic if noise.is_empty() => {
                return Err(Error::value("a stochastic system needs a diffusion term such as noise(x) = sigma"));
            }
            _ => {}
        }
        let mut observables = Vec::new();
        for (name, expression) in &definition.observables {
            observables.push(expander.expression(expression).map_err(|error| about(error, "observable", name))?);
        }
        let names = flattened(&definition.states);
        let mut periods = vec![None; names.len()];
        for (name, expression) in &definition.periods {
            let id = expander.expression(expression).map_err(|error| about(error, "period of", name))?;
            if !expander.is_fixed(id) {
                return Err(Error::value(format!("the period of {name} must be made of parameters and numbers alone")));
            }
            let mut first = 0;
            let place = definition.states.iter().find_map(|(state, size)| {
                let range = first..first + size.unwrap_or(1);
                first = range.end;
                (state == name).then_some(range)
            });
            let Some(place) = place else {
                return Err(Error::value(format!("period given for `{name}`, which is not a state variable")));
            };
            periods[place].fill(Some(id));
        }
        let (mut parameter_names, mut parameter_values) = (Vec::new(), Vec::new());
        for (name, shape, values) in &definition.parameters {
            if shape.len() > 2 || values.len() != shape.iter().product::<usize>() || values.is_empty() {
                return Err(Error::value(format!("parameter {name} must be a number, a vector or a matrix")));
            }
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(Error::value(format!("parameter {name} is {value}: parameters must be finite")));
            }
            match shape[..] {
                [] => parameter_names.push(name.clone()),
                [n] => parameter_names.extend((1..=n).map(|i| format!("{name}{i}"))),
                _ => {
                    for i in 1..=shape[0] {
                        parameter_names.extend((1..=shape[1]).map(|j| format!("{name}{i}_{j}")));
                    }
                }
            }
            parameter_values.extend(values);
        }
        let sizes = Sizes { states: names.len(), parameters: parameter_names.len(), delayed: expander.delayed.len() };
        let Expander { graph, delays, delayed, .. } = expander;
        Ok(System {
            kind,
            smooth: is_smooth(&graph, &rhs),
            program: Program::compile(&graph, &rhs, sizes),
            statements,
            names,
            parameter_names,
            parameter_values,
            observable_names: definition.observables.iter().map(|(name, _)| name.clone()).collect(),
            graph,
            rhs,
            noise,
            observables,
            periods,
            delays,
            delayed,
            jacobian: OnceLock::new(),
            observing: OnceLock::new(),
            linearisation: OnceLock::new(),
            separation: OnceLock::new(),
            jets: Mutex::default(),
        })
    }
}

fn about(error: Error, what: &str, name: &str) -> Error {
    match error {
        Error::Language { message, line, column, excerpt, caret } => {
            Error::Language { message: format!("{what} {name}: {message}"), line, column, excerpt, caret }
        }
        other => other,
    }
}

/// x, or x1 … xn for a vector.
fn flattened(states: &[(String, Option<usize>)]) -> Vec<String> {
    states
        .iter()
        .flat_map(|(name, size)| match size {
            None => vec![name.clone()],
            Some(n) => (1..=*n).map(|i| format!("{name}{i}")).collect(),
        })
        .collect()
}

/// The right-hand sides of one role, by flattened state.
fn equations<'a>(
    expander: &mut Expander<'a>,
    states: &[(String, Option<usize>)],
    statements: &'a [Statement],
    text: &str,
    role: Role,
) -> Result<Vec<Option<Id>>> {
    let mut found: Vec<Option<Id>> = vec![None; states.iter().map(|(_, size)| size.unwrap_or(1)).sum()];
    for statement in statements.iter().filter(|statement| statement.role == role) {
        let mut first = 0;
        let Some((first, size)) = states.iter().find_map(|(name, size)| {
            let start = first;
            first += size.unwrap_or(1);
            (*name == statement.name).then_some((start, *size))
        }) else {
            let hint = nearest(&statement.name, states.iter().map(|(name, _)| name.as_str()))
                .map_or(String::new(), |name| format!(", did you mean `{name}`?"));
            let message = format!("equation for `{}`, which is not a state variable{hint}", statement.name);
            return Err(Error::at(text, statement.at, message));
        };
        let elements: Vec<(usize, Vec<i64>)> = match (size, &statement.indices[..]) {
            (None, []) => vec![(first, vec![])],
            (Some(n), [index]) => match index.parse::<i64>() {
                Ok(i) if i >= 1 && i <= n as i64 => vec![(first + i as usize - 1, vec![i])],
                Ok(i) => {
                    let message = format!("index {i} is outside 1 to {n}, the elements of `{}`", statement.name);
                    return Err(Error::at(text, statement.at, message));
                }
                Err(_) => (1..=n as i64).map(|i| (first + i as usize - 1, vec![i])).collect(),
            },
            (None, _) => {
                let message = format!("`{}` is a single variable: leave out the brackets", statement.name);
                return Err(Error::at(text, statement.at, message));
            }
            (Some(n), _) => {
                let message =
                    format!("`{0}` is a vector of {n} variables: write the equation of {0}[i]", statement.name);
                return Err(Error::at(text, statement.at, message));
            }
        };
        for (place, indices) in elements {
            if found[place].is_some() {
                return Err(Error::at(text, statement.at, format!("second equation for `{}`", statement.name)));
            }
            found[place] = Some(expander.statement(statement, &indices)?);
        }
    }
    Ok(found)
}

fn complete(found: Vec<Option<Id>>, definition: &Definition, role: Role) -> Result<Vec<Id>> {
    let names = flattened(&definition.states);
    let missing: Vec<&str> =
        found.iter().zip(&names).filter(|(id, _)| id.is_none()).map(|(_, name)| name.as_str()).take(5).collect();
    if missing.is_empty() {
        return Ok(found.into_iter().flatten().collect());
    }
    let example =
        if role == Role::Next { format!("next({}) = …", missing[0]) } else { format!("{}' = …", missing[0]) };
    Err(Error::value(format!("no equation for {}: write {example}", missing.join(", "))))
}

/// Refuses statements that do not belong to the kind.
fn check_roles(kind: Kind, statements: &[Statement], text: &str) -> Result<()> {
    for statement in statements {
        let message = match (kind, statement.role) {
            (Kind::Map, Role::Derivative) => "a map is written next(x) = …, not x' = …",
            (Kind::Flow | Kind::Delay | Kind::Stochastic, Role::Next) => "a flow is written x' = …, not next(x) = …",
            (Kind::Flow | Kind::Map | Kind::Delay, Role::Noise) => "noise belongs to a stochastic system",
            _ => continue,
        };
        return Err(Error::at(text, statement.at, message));
    }
    Ok(())
}
