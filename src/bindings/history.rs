//! Histories of delay equations, in and out: a flow whose right-hand sides are functions of time, or arrays of polynomials.

use super::system::{PySystem, numbers};
use crate::error::{Error, Result};
use crate::solve::History;
use crate::solve::past::{Clock, Past, Stretch};
use crate::solve::stepper::Piece;
use numpy::{PyArray, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// Centres (k, 2), offsets covered and trusted (k, 4), coefficients (k, d, degree + 1), kinks (j, 2).
pub type Arrays<'py> =
    (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>, Bound<'py, PyArray3<f64>>, Bound<'py, PyArray2<f64>>);

/// A history as Python hands it over.
#[derive(FromPyObject)]
pub enum Given<'py> {
    /// A flow that gives the state as a function of time.
    Functions(PyRef<'py, PySystem>),
    /// As in [`Arrays`].
    Polynomials(
        PyReadonlyArrayDyn<'py, f64>,
        PyReadonlyArrayDyn<'py, f64>,
        PyReadonlyArrayDyn<'py, f64>,
        PyReadonlyArrayDyn<'py, f64>,
    ),
}

impl Given<'_> {
    /// As the engine takes it.
    pub fn take(&self) -> Result<History> {
        match self {
            Given::Functions(system) if !system.inner.is_explicit() => Err(Error::value(
                "a history is made of t and parameters alone: the state before the start is what it tells",
            )),
            Given::Functions(system) => Ok(History::Functions(system.inner.clone())),
            Given::Polynomials(centres, bounds, coefficients, kinks) => {
                let [k, d, terms] = coefficients.shape() else {
                    return Err(Error::value("coefficients of a history have three axes"));
                };
                if centres.shape() != [*k, 2] || bounds.shape() != [*k, 4] || *terms == 0 {
                    return Err(Error::value("centres, bounds and coefficients of a history differ in length"));
                }
                let (centres, bounds, kinks) = (numbers(centres), numbers(bounds), numbers(kinks));
                let coefficients = numbers(coefficients);
                if coefficients.iter().chain(&centres).any(|x| !x.is_finite()) {
                    return Err(Error::value("the history is not finite"));
                }
                let stretches = (0..*k).map(|i| Stretch {
                    centre: Clock::new(centres[2 * i], centres[2 * i + 1]),
                    covers: [bounds[4 * i], bounds[4 * i + 1]],
                    holds: [bounds[4 * i + 2], bounds[4 * i + 3]],
                    piece: Piece {
                        degree: terms - 1,
                        unit: 1.0,
                        coefficients: coefficients[i * d * terms..(i + 1) * d * terms].to_vec(),
                    },
                });
                let kinks = kinks.chunks_exact(2).map(|kink| (kink[0], kink[1] as u32)).collect();
                Ok(History::Polynomials(Past { stretches: stretches.collect(), kinks }))
            }
        }
    }
}

/// What a run remembers, as arrays; polynomials of lower degree than the others are filled up with zeros.
pub fn arrays<'py>(py: Python<'py>, past: &Past, d: usize) -> PyResult<Arrays<'py>> {
    let k = past.stretches.len();
    let degree = past.stretches.iter().map(|stretch| stretch.piece.degree).max().unwrap_or(0);
    let mut coefficients = vec![0.0; k * d * (degree + 1)];
    let (mut centres, mut bounds) = (Vec::new(), Vec::new());
    for (stretch, room) in past.stretches.iter().zip(coefficients.chunks_exact_mut(d * (degree + 1))) {
        centres.extend(stretch.centre.parts());
        bounds.extend(stretch.covers.iter().chain(&stretch.holds));
        let own = stretch.piece.degree + 1;
        for (to, from) in room.chunks_exact_mut(degree + 1).zip(stretch.piece.coefficients.chunks_exact(own)) {
            to[..own].copy_from_slice(from);
        }
    }
    let kinks: Vec<f64> = past.kinks.iter().flat_map(|&(time, level)| [time, f64::from(level)]).collect();
    Ok((
        PyArray::from_vec(py, centres).reshape([k, 2])?,
        PyArray::from_vec(py, bounds).reshape([k, 4])?,
        PyArray::from_vec(py, coefficients).reshape([k, d, degree + 1])?,
        PyArray::from_vec(py, kinks).reshape([past.kinks.len(), 2])?,
    ))
}
