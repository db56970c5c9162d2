//! From a definition to a system: every state has one equation, every name a meaning.

use super::System;
use super::noise::{Interpretation, Process, Term, check_interpretation, ito_drift};
use crate::error::{Error, Result, nearest};
use crate::expr::ast::{Role, Statement};
use crate::expr::expand::{Expander, Shape, Symbols};
use crate::expr::functions;
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
    /// Differential equations with white noise.
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
    /// In whose sense its noise is meant.
    pub interpretation: Interpretation,
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
        check_interpretation(kind, definition.interpretation)?;
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
        let (processes, noise) = noise_terms(&mut expander, definition, &statements)?;
        check_roles(kind, &statements, text)?;
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
        let Expander { mut graph, delays, delayed, .. } = expander;
        let interpretation = definition.interpretation;
        let ito = (interpretation == Interpretation::Stratonovich).then(|| ito_drift(&mut graph, &rhs, &noise));
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
            ito,
            interpretation,
            processes,
            noise,
            observables,
            periods,
            delays,
            delayed,
            jacobian: OnceLock::new(),
            observing: OnceLock::new(),
            linearisation: OnceLock::new(),
            separation: OnceLock::new(),
            ito_program: OnceLock::new(),
            diffusion: OnceLock::new(),
            form: OnceLock::new(),
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
        for (place, indices) in elements(states, statement, text, "equation for")? {
            if found[place].is_some() {
                return Err(Error::at(text, statement.at, format!("second equation for `{}`", statement.name)));
            }
            found[place] = Some(expander.statement(statement, &indices)?);
        }
    }
    Ok(found)
}

/// The flattened states that a statement is about, with the values of its indices.
fn elements(
    states: &[(String, Option<usize>)],
    statement: &Statement,
    text: &str,
    what: &str,
) -> Result<Vec<(usize, Vec<i64>)>> {
    let mut first = 0;
    let found = states.iter().find_map(|(name, size)| {
        let start = first;
        first += size.unwrap_or(1);
        (*name == statement.name).then_some((start, *size))
    });
    let name = &statement.name;
    let message = match (found, &statement.indices[..]) {
        (None, _) => {
            let hint = nearest(name, states.iter().map(|(name, _)| name.as_str()))
                .map_or(String::new(), |name| format!(", did you mean `{name}`?"));
            format!("{what} `{name}`, which is not a state variable{hint}")
        }
        (Some((first, None)), []) => return Ok(vec![(first, vec![])]),
        (Some((first, Some(n))), [index]) => match index.parse::<i64>() {
            Ok(i) if i >= 1 && i <= n as i64 => return Ok(vec![(first + i as usize - 1, vec![i])]),
            Ok(i) => format!("index {i} is outside 1 to {n}, the elements of `{name}`"),
            Err(_) => return Ok((1..=n as i64).map(|i| (first + i as usize - 1, vec![i])).collect()),
        },
        (Some((_, None)), _) => format!("`{name}` is a single variable: leave out the brackets"),
        (Some((_, Some(n))), _) => format!("`{name}` is a vector of {n} variables: write the equation of {name}[i]"),
    };
    Err(Error::at(text, statement.at, message))
}

/// The Wiener processes, those of the variables first, and the amplitudes with which they move the flattened states.
fn noise_terms<'a>(
    expander: &mut Expander<'a>,
    definition: &'a Definition,
    statements: &'a [Statement],
) -> Result<(Vec<Process>, Vec<Term>)> {
    let text = definition.text.as_str();
    let names = flattened(&definition.states);
    let (mut own, mut named): (Vec<usize>, Vec<String>) = (Vec::new(), Vec::new());
    // Variable, its own process or the number of a named one, amplitude.
    let mut found: Vec<(usize, Option<usize>, Id)> = Vec::new();
    for statement in statements.iter().filter(|statement| statement.role == Role::Noise) {
        if let Some((process, _)) = &statement.process {
            check_process(process, definition, statements).map_err(|message| Error::at(text, statement.at, message))?;
        }
        for (row, indices) in elements(&definition.states, statement, text, "noise of")? {
            let process = match &statement.process {
                None => {
                    own.push(row);
                    None
                }
                Some((name, places)) => {
                    let label = label(name, places, &statement.indices, &indices)
                        .map_err(|message| Error::at(text, statement.at, message))?;
                    let known = named.iter().position(|known| *known == label);
                    Some(known.unwrap_or_else(|| {
                        named.push(label);
                        named.len() - 1
                    }))
                }
            };
            if found.iter().any(|(other, by, _)| (*other, *by) == (row, process)) {
                let by = process.map_or("its own process".to_owned(), |k| format!("`{}`", named[k]));
                let message = format!("second noise of `{}` by {by}: add the two amplitudes up", names[row]);
                return Err(Error::at(text, statement.at, message));
            }
            found.push((row, process, expander.statement(statement, &indices)?));
        }
    }
    own.sort_unstable();
    let mut terms: Vec<Term> = found
        .into_iter()
        .map(|(row, process, amplitude)| Term {
            row,
            process: process.map_or_else(|| own.partition_point(|&other| other < row), |k| own.len() + k),
            amplitude,
        })
        .collect();
    terms.sort_by_key(|term| (term.row, term.process));
    let own = own.iter().map(|&row| Process { name: names[row].clone(), number: row as u32 });
    let named = named.iter().zip(Process::NAMED..).map(|(name, number)| Process { name: name.clone(), number });
    Ok((own.chain(named).collect(), terms))
}

/// The name of a process with its indices, each a number or one of the statement's own.
fn label(name: &str, places: &[String], bound: &[String], values: &[i64]) -> std::result::Result<String, String> {
    if places.is_empty() {
        return Ok(name.to_owned());
    }
    let numbers = places.iter().map(|place| match bound.iter().position(|index| index == place) {
        Some(at) => Ok(values[at].to_string()),
        None if place.parse::<u32>().is_ok() => Ok(place.clone()),
        None => Err(format!("the index `{place}` of the process `{name}` does not stand with the variable: write {name}[1], or one index of both")),
    });
    Ok(format!("{name}[{}]", numbers.collect::<std::result::Result<Vec<_>, _>>()?.join(", ")))
}

/// Refuses the name of a process that means something else.
fn check_process(name: &str, definition: &Definition, statements: &[Statement]) -> std::result::Result<(), String> {
    let local = |statement: &Statement| statement.role == Role::Local && statement.name == name;
    let what = if definition.states.iter().any(|(state, _)| state == name)
        || flattened(&definition.states).iter().any(|state| state == name)
    {
        "a state variable"
    } else if definition.parameters.iter().any(|(parameter, ..)| parameter == name) {
        "a parameter"
    } else if definition.structure.iter().any(|(size, _)| size == name) {
        "a structural integer"
    } else if statements.iter().any(local) {
        "a definition"
    } else if functions::find(name).is_some() {
        "a function"
    } else {
        return Ok(());
    };
    Err(format!(
        "`{name}` is {what} and cannot name a Wiener process: give the process a name of its own, as in noise(x, W) = …"
    ))
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
            (Kind::Flow | Kind::Map | Kind::Delay, Role::Noise) => {
                "noise belongs to a stochastic system: the kind is \"stochastic\", with equations x' = …"
            }
            _ => continue,
        };
        return Err(Error::at(text, statement.at, message));
    }
    Ok(())
}
