//! Measures of data: arrays in, arrays out.

use super::run::run;
use super::system::numbers;
use crate::error::Error;
use crate::measures::correlation_sum::Counting;
use crate::measures::neighbours::{self, Norm};
use numpy::{PyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// Points (n, d), row by row, and d.
fn points(array: &PyReadonlyArrayDyn<'_, f64>) -> PyResult<(Vec<f64>, usize)> {
    match array.shape() {
        [_, d] => Ok((numbers(array), *d)),
        _ => Err(Error::value("points have shape (n, d)").into()),
    }
}

fn table<'py, T: numpy::Element>(py: Python<'py>, values: Vec<T>, columns: usize) -> PyResult<Bound<'py, PyArray2<T>>> {
    let rows = values.len() / columns;
    PyArray::from_vec(py, values).reshape([rows, columns])
}

/// Natural logarithms, the same on every machine.
#[pyfunction]
pub fn logarithms<'py>(py: Python<'py>, x: PyReadonlyArrayDyn<'py, f64>) -> Bound<'py, PyArray1<f64>> {
    PyArray::from_iter(py, x.as_array().iter().map(|&x| libm::log(x)))
}

/// Distances and numbers (n, k) of the nearest neighbours.
#[pyfunction]
#[pyo3(signature = (x, *, norm, k, window, candidates, threads=None))]
#[allow(clippy::type_complexity)]
pub fn nearest_neighbours<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    norm: &str,
    k: usize,
    window: usize,
    candidates: usize,
    threads: Option<usize>,
) -> PyResult<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<i64>>)> {
    let ((x, d), norm) = (points(&x)?, Norm::parse(norm)?);
    let (distances, found) =
        run(py, false, 0, None, |monitor| neighbours::nearest(&x, d, norm, k, window, candidates, threads, monitor))?;
    let found = found.into_iter().map(|j| j as i64).collect();
    Ok((table(py, distances, k)?, table(py, found, k)?))
}

/// Neighbours within each radius, summed over stretches of time: (blocks, radii).
#[pyfunction]
#[pyo3(signature = (x, radii, *, norm, window, blocks, threads=None))]
pub fn neighbour_sums<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    radii: PyReadonlyArrayDyn<'py, f64>,
    norm: &str,
    window: usize,
    blocks: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<i64>>> {
    let ((x, d), radii, norm) = (points(&x)?, numbers(&radii), Norm::parse(norm)?);
    let counting = Counting { points: &x, d, norm, radii: &radii, window, threads };
    let counts = run(py, false, 0, None, |monitor| counting.blocks(blocks, monitor))?;
    table(py, counts.into_iter().map(|count| count as i64).collect(), radii.len())
}

/// Neighbours of each point within each radius: (n, radii).
#[pyfunction]
#[pyo3(signature = (x, radii, *, norm, window, threads=None))]
pub fn neighbour_counts<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    radii: PyReadonlyArrayDyn<'py, f64>,
    norm: &str,
    window: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<u32>>> {
    let ((x, d), radii, norm) = (points(&x)?, numbers(&radii), Norm::parse(norm)?);
    let counting = Counting { points: &x, d, norm, radii: &radii, window, threads };
    table(py, run(py, false, 0, None, |monitor| counting.each(monitor))?, radii.len())
}

/// Pairs, sums of ln(distance / radius) and pairs at no distance, by stretches of time: (blocks, 3).
#[pyfunction]
#[pyo3(signature = (x, radius, *, norm, window, blocks, threads=None))]
pub fn distance_logarithms<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    radius: f64,
    norm: &str,
    window: usize,
    blocks: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let ((x, d), norm) = (points(&x)?, Norm::parse(norm)?);
    let counting = Counting { points: &x, d, norm, radii: &[radius], window, threads };
    table(py, run(py, false, 0, None, |monitor| counting.logarithms(blocks, monitor))?.concat(), 3)
}
