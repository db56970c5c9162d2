//! The noise of a system, dX = f dt + sum_j b_j dW_j: which Wiener process moves which variable, in whose sense, and what follows
//! from that by differentiation: the drift in Itô's sense, and whether and how Milstein's method applies.
//!
//! With L_j = sum_i b_ij d/dx_i, the drift in Itô's sense of a system in Stratonovich's is f + (1/2) sum_j L_j b_j, and noise
//! commutes where L_j b_k = L_k b_j for all j, k (Kloeden & Platen 1992, Numerical Solution of Stochastic Differential Equations,
//! 4.9 and 10.3).

use super::{Kind, System};
use crate::error::{Error, Result};
use crate::expr::differentiate::derivatives;
use crate::expr::graph::{Graph, Id, Leaves, Op};
use crate::expr::program::{Program, Sizes};
use crate::expr::{functions, text_of};
use crate::parallel::random::uniform_pair;
use std::collections::HashMap;

/// In whose sense products with white noise are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpretation {
    /// The amplitude is that at the beginning of an increment (Itô 1944).
    #[default]
    Ito,
    /// The limit of noise of short memory; the usual chain rule holds (Stratonovich 1966).
    Stratonovich,
}

impl Interpretation {
    /// The interpretation of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn parse(name: &str) -> Result<Interpretation> {
        match name {
            "ito" => Ok(Interpretation::Ito),
            "stratonovich" => Ok(Interpretation::Stratonovich),
            _ => Err(Error::value(format!("unknown interpretation \"{name}\": expected \"ito\" or \"stratonovich\""))),
        }
    }

    /// The name.
    pub fn name(self) -> &'static str {
        if self == Interpretation::Ito { "ito" } else { "stratonovich" }
    }
}

/// A Wiener process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its name: of the variable whose own it is, or as it was given.
    pub name: String,
    /// The number that its path is drawn by: that of the variable, or one from [`Process::NAMED`] on in order of appearance.
    pub number: u32,
}

impl Process {
    /// Numbers of named processes start here.
    pub const NAMED: u32 = 1 << 31;
}

/// The amplitude with which a process moves a variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    /// The variable.
    pub(super) row: usize,
    /// The process, by its place in the list of processes.
    pub(super) process: usize,
    /// The amplitude.
    pub(super) amplitude: Id,
}

/// L_j b_k of one variable.
struct Product {
    row: usize,
    by: usize,
    of: usize,
    value: Id,
}

/// How the noise of a system depends on its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Not at all.
    Additive,
    /// Such that Lévy areas cancel.
    Commutative,
    /// Such that two processes, named here, do not commute.
    General(String, String),
    /// By way of kinks or jumps.
    Rough,
}

/// Noise compiled for a method: amplitudes, and the products of increments that Milstein's method adds.
#[derive(Clone, Debug)]
pub struct Noise {
    /// Amplitudes, then the values that products of increments are multiplied by.
    pub program: Program,
    /// Variable and process of each amplitude.
    pub terms: Vec<(usize, usize)>,
    /// Variable and the two processes of each product: (dW_j^2 - h)/2 for one process, dW_j dW_k for two.
    pub products: Vec<(usize, usize, usize)>,
    /// The numbers that the paths of the processes are drawn by.
    pub numbers: Vec<u32>,
    /// Whether the amplitudes are functions of parameters and time alone.
    pub additive: bool,
}

impl System {
    /// The Wiener processes, in the order of the columns of the diffusion matrix.
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// In whose sense the noise is meant.
    pub fn interpretation(&self) -> Interpretation {
        self.interpretation
    }

    /// The drift in Itô's sense; of a system without noise the right-hand side.
    pub(super) fn drift(&self) -> &[Id] {
        self.ito.as_deref().unwrap_or(&self.rhs)
    }

    /// The compiled drift in Itô's sense.
    pub fn drift_program(&self) -> &Program {
        match &self.ito {
            None => &self.program,
            Some(drift) => self.ito_program.get_or_init(|| Program::compile(&self.graph, drift, self.sizes())),
        }
    }

    /// The compiled diffusion matrix, row-major: row = variable, column = process.
    pub fn diffusion_program(&self) -> &Program {
        self.diffusion.get_or_init(|| {
            let mut graph = self.graph.clone();
            let m = self.processes.len();
            let mut matrix = vec![graph.constant(0.0); self.dimension() * m];
            self.noise.iter().for_each(|term| matrix[term.row * m + term.process] = term.amplitude);
            Program::compile(&graph, &matrix, self.sizes())
        })
    }

    /// What is added to the drift of each variable to pass from Stratonovich's sense to Itô's, in the language.
    ///
    /// # Errors
    /// If it is too long to write out.
    pub fn ito_correction(&self) -> Result<Vec<String>> {
        let mut graph = self.graph.clone();
        let corrections = corrections(&mut graph, &self.noise, self.dimension());
        corrections.iter().map(|&id| text_of(&graph, id, &self.names, &self.parameter_names)).collect()
    }

    /// The noise, compiled; with Milstein's products if these are wanted.
    pub fn noise(&self, milstein: bool) -> Noise {
        let mut graph = self.graph.clone();
        let additive = is_additive(&graph, &self.noise);
        let products = if milstein && !additive { products(&mut graph, &self.noise) } else { Vec::new() };
        // Of the two equal values for a pair of processes, the first.
        let products: Vec<Product> = products.into_iter().filter(|product| product.by <= product.of).collect();
        let roots: Vec<Id> =
            self.noise.iter().map(|term| term.amplitude).chain(products.iter().map(|product| product.value)).collect();
        Noise {
            program: Program::compile(&graph, &roots, self.sizes()),
            terms: self.noise.iter().map(|term| (term.row, term.process)).collect(),
            products: products.iter().map(|product| (product.row, product.by, product.of)).collect(),
            numbers: self.processes.iter().map(|process| process.number).collect(),
            additive,
        }
    }

    /// Whether Milstein's method applies.
    ///
    /// # Errors
    /// If not, with the reason.
    pub fn milstein_applies(&self) -> Result<()> {
        let why = match self.form() {
            Form::Additive | Form::Commutative => return Ok(()),
            Form::General(first, second) => format!(
                "the noise does not commute ({first} and {second} in this order and in the other move the state differently), and \
                 the areas that it would need are not drawn"
            ),
            Form::Rough => {
                "the noise has kinks or jumps (abs, sign, floor, where, ...), and the method needs its derivatives; a \
                            square root that ends at zero is written sqrt_plus"
                    .to_owned()
            }
        };
        Err(Error::value(format!("method \"milstein\" does not apply: {why}: use \"euler_maruyama\" or \"auto\"")))
    }

    /// How the noise depends on the state.
    fn form(&self) -> &Form {
        self.form.get_or_init(|| {
            let mut graph = self.graph.clone();
            if is_additive(&graph, &self.noise) {
                return Form::Additive;
            }
            if !is_smooth(&graph, &self.noise) {
                return Form::Rough;
            }
            let found = products(&mut graph, &self.noise);
            match self.clash(&mut graph, &found) {
                None => Form::Commutative,
                Some((j, k)) => Form::General(self.processes[j].name.clone(), self.processes[k].name.clone()),
            }
        })
    }

    /// Two processes that do not commute. Differences of derivatives that are not zero as they stand are evaluated at some states
    /// and parameters, where they must vanish to rounding.
    fn clash(&self, graph: &mut Graph, products: &[Product]) -> Option<(usize, usize)> {
        /// States and parameters at which the differences are looked at.
        const PLACES: u64 = 8;
        /// Rounding errors, relative to the larger of the two.
        const ROUNDING: f64 = 1e-10;
        let zero = graph.constant(0.0);
        let known: HashMap<_, Id> = products.iter().map(|p| ((p.row, p.by, p.of), p.value)).collect();
        let mut pairs = Vec::new();
        for product in products.iter().filter(|product| product.by != product.of) {
            let other = known.get(&(product.row, product.of, product.by)).copied().unwrap_or(zero);
            if other != product.value {
                pairs.push((product, other));
            }
        }
        let roots: Vec<Id> = pairs.iter().flat_map(|(product, other)| [product.value, *other]).collect();
        let mut seen = vec![false; pairs.len()];
        let parameters = self.parameter_values.len() as u64;
        for place in 0..PLACES {
            let x: Vec<f64> = (0..self.dimension() as u64).map(|i| 0.1 + uniform_pair(1, place, i)[0]).collect();
            let own: Vec<f64> = (0..parameters).map(|i| 0.1 + uniform_pair(2, place, i)[0]).collect();
            let p = if place % 2 == 0 { &own } else { &self.parameter_values };
            let values = graph.evaluate(&roots, Leaves { t: 0.3, x: &x, p, z: &[] });
            for (i, (product, _)) in pairs.iter().enumerate() {
                let (a, b) = (values[2 * i], values[2 * i + 1]);
                if (a - b).abs() > ROUNDING * a.abs().max(b.abs()) {
                    return Some((product.by.min(product.of), product.by.max(product.of)));
                }
                seen[i] |= (a - b).is_finite();
            }
        }
        let unseen = seen.iter().position(|seen| !seen)?;
        Some((pairs[unseen].0.by, pairs[unseen].0.of))
    }

    /// The terms with the derivatives of the amplitudes along `k` tangent vectors in the directions `response` behind them.
    pub(super) fn tangent_noise(&self, graph: &mut Graph, seeds: &[HashMap<Id, Id>], response: &[usize]) -> Vec<Term> {
        let (n, r) = (self.dimension(), response.len());
        let zero = graph.constant(0.0);
        let amplitudes: Vec<Id> = self.noise.iter().map(|term| term.amplitude).collect();
        let mut terms = self.noise.clone();
        for (c, seeds) in seeds.iter().enumerate() {
            let slopes = derivatives(graph, &amplitudes, seeds);
            for (term, slope) in self.noise.iter().zip(slopes) {
                if let Some(at) = response.iter().position(|&i| i == term.row).filter(|_| slope != zero) {
                    terms.push(Term { row: n + c * r + at, process: term.process, amplitude: slope });
                }
            }
        }
        terms
    }
}

impl Noise {
    /// Independent noise of constant amplitude on each variable.
    pub fn constant(amplitudes: &[f64], parameters: usize) -> Noise {
        let mut graph = Graph::new();
        let moved: Vec<usize> = (0..amplitudes.len()).filter(|&i| amplitudes[i] != 0.0).collect();
        let roots: Vec<Id> = moved.iter().map(|&i| graph.constant(amplitudes[i])).collect();
        let sizes = Sizes { states: amplitudes.len(), parameters, delayed: 0 };
        Noise {
            program: Program::compile(&graph, &roots, sizes),
            terms: moved.iter().enumerate().map(|(process, &row)| (row, process)).collect(),
            products: Vec::new(),
            numbers: moved.iter().map(|&i| i as u32).collect(),
            additive: true,
        }
    }
}

/// The drift in Itô's sense.
pub(super) fn ito_drift(graph: &mut Graph, rhs: &[Id], noise: &[Term]) -> Vec<Id> {
    let corrections = corrections(graph, noise, rhs.len());
    rhs.iter().zip(corrections).map(|(&rhs, correction)| graph.add(rhs, correction)).collect()
}

/// (1/2) sum_j L_j b_j of each variable.
fn corrections(graph: &mut Graph, noise: &[Term], n: usize) -> Vec<Id> {
    let (zero, half) = (graph.constant(0.0), graph.constant(0.5));
    let mut totals = vec![zero; n];
    for product in products(graph, noise).iter().filter(|product| product.by == product.of) {
        totals[product.row] = graph.add(totals[product.row], product.value);
    }
    totals.into_iter().map(|total| graph.mul(half, total)).collect()
}

/// The L_j b_k that are not zero.
fn products(graph: &mut Graph, noise: &[Term]) -> Vec<Product> {
    let zero = graph.constant(0.0);
    let amplitudes: Vec<Id> = noise.iter().map(|term| term.amplitude).collect();
    let count = noise.iter().map(|term| term.process + 1).max().unwrap_or(0);
    let mut found = Vec::new();
    for by in 0..count {
        let mut seeds = HashMap::new();
        for term in noise.iter().filter(|term| term.process == by) {
            seeds.insert(graph.state(term.row), term.amplitude);
        }
        let slopes = derivatives(graph, &amplitudes, &seeds);
        for (term, value) in noise.iter().zip(slopes).filter(|(_, value)| *value != zero) {
            found.push(Product { row: term.row, by, of: term.process, value });
        }
    }
    found
}

/// Whether no amplitude depends on the state.
fn is_additive(graph: &Graph, noise: &[Term]) -> bool {
    let roots: Vec<Id> = noise.iter().map(|term| term.amplitude).collect();
    let needed = graph.reachable(&roots);
    (0..needed.len()).all(|i| !needed[i] || !matches!(graph.op(Id(i as u32)), Op::State(_)))
}

/// Whether the amplitudes have derivatives wherever they are meant to be: the end of a root is no place to be.
fn is_smooth(graph: &Graph, noise: &[Term]) -> bool {
    let roots: Vec<Id> = noise.iter().map(|term| term.amplitude).collect();
    let needed = graph.reachable(&roots);
    (0..needed.len()).filter(|&i| needed[i]).all(|i| match graph.op(Id(i as u32)) {
        Op::Select(..) => false,
        Op::Unary(row, ..) | Op::Binary(row, ..) => {
            let function = &functions::TABLE[row as usize];
            function.smooth || function.name == "sqrt_plus"
        }
        _ => true,
    })
}

/// Refuses an interpretation where there is no noise to interpret.
pub(super) fn check_interpretation(kind: Kind, interpretation: Interpretation) -> Result<()> {
    if kind == Kind::Stochastic || interpretation == Interpretation::Ito {
        return Ok(());
    }
    let what = kind.name();
    Err(Error::value(format!(
        "interpretation \"stratonovich\" says how products with white noise are meant, and a {what} system has none: leave it out, \
         or make the system stochastic with a term such as noise(x) = sigma*x"
    )))
}
