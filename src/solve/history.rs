//! What was before the start of a delay equation: functions of time in the language, or polynomials handed over.

use super::past::{Clock, Past, Stretch};
use super::step_size::{finest_step, root};
use super::stepper::{Piece, Tolerance};
use super::taylor::{INSIDE, RATIO};
use crate::error::{Error, Result};
use crate::expr::eval::Evaluator;
use crate::expr::series::Jets;
use crate::parallel::simd::Level;
use crate::system::System;
use std::sync::Arc;

/// The state before the start.
#[derive(Clone, Debug)]
pub enum History {
    /// The right-hand sides of a flow, which are functions of time and parameters alone.
    Functions(Arc<System>),
    /// Polynomials, on a clock that shows the system's own time.
    Polynomials(Past),
}

/// Order of the series of a function.
const ORDER: usize = 20;
/// A function is followed to this part of the tolerance of the run, or to the rounding of its values if that is more.
const FINER: f64 = 1e-3;
const ROUNDING: f64 = 4.0 * f64::EPSILON;

impl History {
    /// What a run that begins at `start` remembers, at least as far back as `longest`.
    ///
    /// # Errors
    /// [`Error::Value`] if it does not reach that far, is not finite, or is not smooth.
    pub fn past(&self, parameters: &[f64], start: f64, longest: f64, tolerance: &Tolerance) -> Result<Past> {
        match self {
            History::Functions(functions) => series(functions, parameters, start, longest, tolerance),
            History::Polynomials(past) => {
                let earliest = start - longest;
                let slack = 64.0 * f64::EPSILON * (start.abs() + longest);
                match past.span() {
                    Some([first, last]) if first <= earliest + slack && last >= start - slack => {
                        Ok(past.clone().before(Clock::new(start, 0.0)))
                    }
                    Some([first, last]) => Err(Error::value(format!(
                        "the history reaches from t = {first} to {last}, but a run that begins at t = {start} with a delay of \
                         {longest} needs it from t = {earliest}"
                    ))),
                    None => Err(Error::value("the history is empty")),
                }
            }
        }
    }

    /// How many variables it tells.
    pub fn dimension(&self) -> usize {
        match self {
            History::Functions(functions) => functions.dimension(),
            History::Polynomials(past) => past
                .stretches
                .front()
                .map_or(0, |stretch| stretch.piece.coefficients.len() / (stretch.piece.degree + 1)),
        }
    }
}

/// The Taylor series of functions of time on the last `longest` before `start`.
fn series(functions: &System, parameters: &[f64], start: f64, longest: f64, tolerance: &Tolerance) -> Result<Past> {
    let d = functions.dimension();
    // The series of a state whose derivative is the function has the coefficients of the function, divided by their order.
    let program = functions.jet_program(ORDER + 1);
    let level = Level::detect();
    let mut jets = Jets::<1>::new(&program, level);
    let mut values = Evaluator::<1>::new(functions.program(), level);
    jets.set_parameters(0, parameters);
    values.set_parameters(0, parameters);
    let zero = vec![[0.0]; d];
    let mut exact = zero.clone();
    let mut past = Past::default();
    let mut begin = -longest;
    while begin < 0.0 {
        let t = start + begin;
        jets.expand(&[t], &zero);
        let mut piece = Piece { degree: ORDER, unit: 1.0, coefficients: Vec::with_capacity(d * (ORDER + 1)) };
        let mut reach = f64::INFINITY;
        let allowed = |i: usize, size: f64| {
            (FINER * (tolerance.relative * size + tolerance.absolute[i])).max(ROUNDING * size).max(f64::MIN_POSITIVE)
        };
        for i in 0..d {
            piece.coefficients.extend((0..=ORDER).map(|k| (k + 1) as f64 * jets.coefficient(i, k + 1)[0]));
            let series = &piece.coefficients[i * (ORDER + 1)..];
            if let Some(value) = series.iter().find(|value| !value.is_finite()) {
                let name = &functions.names()[i];
                return Err(Error::value(format!("the history of {name} is {value} or has no series at t = {t}")));
            }
            let allowed = allowed(i, series[0].abs());
            let last = 1.0 / root(series[ORDER].abs() / allowed, ORDER as u32);
            let last_but_one = 1.0 / root(series[ORDER - 1].abs() / (allowed * RATIO), ORDER as u32 - 1);
            reach = reach.min(last).min(last_but_one);
        }
        let mut h = reach.min(-begin);
        let good = |h: f64, values: &mut Evaluator<'_, 1>, exact: &mut [[f64; 1]]| {
            values.eval(&[t + h], &zero, &[], exact);
            (0..d).all(|i| {
                // A rounding of the time moves the value by so much.
                let moved = f64::EPSILON * (t.abs() + h) * piece.slope(i, h).abs();
                let size = exact[i][0].abs().max(piece.coefficients[i * (ORDER + 1)].abs());
                (piece.eval(i, h) - exact[i][0]).abs() <= 10.0 * (allowed(i, size) + moved)
            })
        };
        while ![INSIDE * h, h].iter().all(|&h| good(h, &mut values, &mut exact)) {
            h *= 0.5;
            reach = h;
            if h < finest_step(t).max(f64::EPSILON * longest) {
                return Err(Error::value(format!(
                    "the history has no series at t = {t}: give a function of Python for it"
                )));
            }
        }
        let before = reach.min(begin + longest);
        past.stretches.push_back(Stretch {
            centre: Clock::new(begin, 0.0),
            covers: [0.0, h],
            holds: [-before, reach.min(-begin)],
            piece,
        });
        begin += h;
    }
    Ok(past)
}
