//! A system: its equations resolved, differentiated and compiled. Immutable.

mod define;
pub mod evaluate;
mod linearisation;
pub mod noise;
mod separation;
mod tangent;

pub use define::{Definition, Kind};
pub use linearisation::Linearisation;
pub use noise::{Interpretation, Noise};
pub use separation::Separation;
pub use tangent::Switches;

use crate::error::{Error, Result};
use crate::expr::ast::{Role, Statement};
use crate::expr::differentiate::{derivatives, jacobian};
use crate::expr::graph::{Graph, Id};
use crate::expr::jet::JetProgram;
use crate::expr::program::{Program, Sizes};
use crate::expr::{latex_statement, latex_stochastic, numpy_source, print_document, text_of};
use noise::{Form, Process, Term};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// A dynamical system, ready to run.
#[derive(Debug)]
pub struct System {
    kind: Kind,
    statements: Vec<Statement>,
    names: Vec<String>,
    parameter_names: Vec<String>,
    parameter_values: Vec<f64>,
    observable_names: Vec<String>,
    graph: Graph,
    rhs: Vec<Id>,
    /// The drift in Itô's sense, where the right-hand side is not.
    ito: Option<Vec<Id>>,
    interpretation: Interpretation,
    processes: Vec<Process>,
    noise: Vec<Term>,
    observables: Vec<Id>,
    periods: Vec<Option<Id>>,
    delays: Vec<Id>,
    delayed: Vec<(usize, usize)>,
    smooth: bool,
    program: Program,
    jacobian: OnceLock<Program>,
    observing: OnceLock<Program>,
    linearisation: OnceLock<Linearisation>,
    separation: OnceLock<std::result::Result<Separation, String>>,
    ito_program: OnceLock<Program>,
    diffusion: OnceLock<Program>,
    form: OnceLock<Form>,
    jets: Mutex<HashMap<usize, Arc<JetProgram>>>,
}

impl System {
    /// Flow, map, delay or stochastic.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Number of state variables.
    pub fn dimension(&self) -> usize {
        self.names.len()
    }

    /// Flattened names of the state variables.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Flattened names of the parameters.
    pub fn parameter_names(&self) -> &[String] {
        &self.parameter_names
    }

    /// Flattened default values of the parameters.
    pub fn parameter_values(&self) -> &[f64] {
        &self.parameter_values
    }

    /// Names of the observables.
    pub fn observable_names(&self) -> &[String] {
        &self.observable_names
    }

    /// Whether time does not appear.
    pub fn is_autonomous(&self) -> bool {
        let roots: Vec<Id> = self.rhs.iter().copied().chain(self.noise.iter().map(|term| term.amplitude)).collect();
        let needed = self.graph.reachable(&roots);
        (0..needed.len()).all(|i| !needed[i] || self.graph.op(Id(i as u32)) != crate::expr::graph::Op::Time)
    }

    /// Whether the right-hand side has no kink and no jump, so that Taylor series apply.
    pub fn is_smooth(&self) -> bool {
        self.smooth
    }

    /// The delayed terms: (state variable, delay), by number.
    pub fn delayed_terms(&self) -> &[(usize, usize)] {
        &self.delayed
    }

    /// Number of distinct delays.
    pub fn n_delays(&self) -> usize {
        self.delays.len()
    }

    /// The compiled right-hand side.
    pub fn program(&self) -> &Program {
        &self.program
    }

    fn sizes(&self) -> Sizes {
        Sizes { states: self.names.len(), parameters: self.parameter_names.len(), delayed: self.delayed.len() }
    }

    fn states(graph: &mut Graph, n: usize) -> Vec<Id> {
        (0..n).map(|i| graph.state(i)).collect()
    }

    /// The compiled Jacobian, row-major: row = equation, column = variable.
    pub fn jacobian_program(&self) -> &Program {
        self.jacobian.get_or_init(|| {
            let mut graph = self.graph.clone();
            let states = Self::states(&mut graph, self.dimension());
            let roots: Vec<Id> = jacobian(&mut graph, &self.rhs, &states).concat();
            Program::compile(&graph, &roots, self.sizes())
        })
    }

    /// The compiled observables.
    pub fn observing_program(&self) -> &Program {
        self.observing.get_or_init(|| Program::compile(&self.graph, &self.observables, self.sizes()))
    }

    /// The observables and their derivatives along the flow, compiled together. With delays, which the observables must not
    /// have, the slopes of the state are given to it in place of delayed terms.
    pub fn event_program(&self) -> Program {
        let mut graph = self.graph.clone();
        let one = graph.constant(1.0);
        let mut seeds = HashMap::from([(graph.time(), one)]);
        for (i, &slope) in self.rhs.iter().enumerate() {
            let slope = if self.kind == Kind::Delay { graph.delayed(i) } else { slope };
            seeds.insert(graph.state(i), slope);
        }
        let slopes = derivatives(&mut graph, &self.observables, &seeds);
        let delayed = if self.kind == Kind::Delay { self.dimension() } else { 0 };
        let roots = [&self.observables[..], &slopes[..]].concat();
        Program::compile(&graph, &roots, Sizes { delayed, ..self.sizes() })
    }

    /// Whether the observables name a delayed state.
    pub fn observes_delays(&self) -> bool {
        self.graph
            .reachable(&self.observables)
            .iter()
            .enumerate()
            .any(|(i, &needed)| needed && matches!(self.graph.op(Id(i as u32)), crate::expr::graph::Op::Delayed(_)))
    }

    /// Whether the right-hand sides are free of the state.
    pub fn is_explicit(&self) -> bool {
        self.graph
            .reachable(&self.rhs)
            .iter()
            .enumerate()
            .all(|(i, &needed)| !needed || !matches!(self.graph.op(Id(i as u32)), crate::expr::graph::Op::State(_)))
    }

    /// The right-hand side compiled for Taylor series up to `order`; kept for the next call.
    pub fn jet_program(&self, order: usize) -> Arc<JetProgram> {
        let mut jets = self.jets.lock().expect("compilation does not panic");
        jets.entry(order)
            .or_insert_with(|| {
                let mut graph = self.graph.clone();
                Arc::new(JetProgram::compile(&mut graph, &self.rhs, self.sizes(), order))
            })
            .clone()
    }

    /// The equations and definitions in canonical form; building from it gives the same system.
    pub fn text(&self) -> String {
        print_document(&self.statements)
    }

    /// One line of LaTeX for each equation and definition.
    pub fn latex(&self) -> Vec<String> {
        match self.kind {
            Kind::Stochastic => latex_stochastic(&self.statements, self.interpretation == Interpretation::Stratonovich),
            _ => self.statements.iter().map(latex_statement).collect(),
        }
    }

    /// Source of a NumPy function `rhs(x, t, p)`.
    pub fn numpy_source(&self) -> String {
        numpy_source(&self.graph, &self.rhs)
    }

    /// d(equation)/d(variable) for each equation, in the language.
    ///
    /// # Errors
    /// If there is no such variable, or a derivative is too long to write out.
    pub fn derivative_text(&self, variable: &str) -> Result<Vec<String>> {
        let Some(i) = self.names.iter().position(|name| name == variable) else {
            return Err(Error::value(format!("unknown variable `{variable}`: the state is {}", self.names.join(", "))));
        };
        let mut graph = self.graph.clone();
        let (state, one) = (graph.state(i), graph.constant(1.0));
        let slopes = derivatives(&mut graph, &self.rhs, &HashMap::from([(state, one)]));
        slopes.iter().map(|&id| text_of(&graph, id, &self.names, &self.parameter_names)).collect()
    }

    /// The statement of the right-hand side belongs to this role.
    fn role(kind: Kind) -> Role {
        if kind == Kind::Map { Role::Next } else { Role::Derivative }
    }
}
