//! Measures of data: arrays in, arrays out.

use super::run::run;
use super::system::numbers;
use crate::error::Error;
use crate::measures::correlation_sum::Counting;
use crate::measures::divergence::Following;
use crate::measures::local_dimension::local;
use crate::measures::neighbours::{self, Norm};
use crate::measures::recurrence::Plot;
use crate::measures::tangent_from_data::Fitting;
use crate::measures::{boxes, fluctuation, patterns};
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

/// Powers x^exponent, likewise.
#[pyfunction]
pub fn powers<'py>(py: Python<'py>, x: PyReadonlyArrayDyn<'py, f64>, exponent: f64) -> Bound<'py, PyArray1<f64>> {
    PyArray::from_iter(py, x.as_array().iter().map(|&x| libm::pow(x, exponent)))
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

/// Sums of logarithms of distances of neighbours as they part, and how many: (blocks, steps + 1) each.
#[pyfunction]
#[pyo3(signature = (x, *, norm, steps, window, blocks, radius=None, least=1, threads=None))]
#[allow(clippy::type_complexity)]
pub fn divergence_sums<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    norm: &str,
    steps: usize,
    window: usize,
    blocks: usize,
    radius: Option<f64>,
    least: usize,
    threads: Option<usize>,
) -> PyResult<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>)> {
    let ((x, d), norm) = (points(&x)?, Norm::parse(norm)?);
    let following = Following { points: &x, d, norm, steps, window, blocks, threads };
    let (sums, counts) = run(py, false, 0, None, |monitor| match radius {
        None => following.nearest(monitor),
        Some(radius) => following.within(radius, least, monitor),
    })?;
    Ok((table(py, sums, steps + 1)?, table(py, counts, steps + 1)?))
}

/// Exponents per `step` from fitted tangent maps: (blocks, d).
#[pyfunction]
#[pyo3(signature = (x, *, quadratic, neighbours, window, step, blocks, threads=None))]
pub fn fitted_exponents<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    quadratic: bool,
    neighbours: usize,
    window: usize,
    step: usize,
    blocks: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (x, d) = points(&x)?;
    let fitting = Fitting { points: &x, d, quadratic, neighbours, window, step, blocks, threads };
    table(py, run(py, false, 0, None, |monitor| fitting.exponents(monitor))?, d)
}

/// Sums of share^q over the boxes of grids of halving sides, of all points and without each block: (levels, 1 + blocks).
#[pyfunction]
pub fn box_moments<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    q: f64,
    levels: usize,
    blocks: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (x, d) = points(&x)?;
    table(py, run(py, false, 0, None, |_| boxes::moments(&x, d, q, levels, blocks))?, 1 + blocks)
}

/// How often each order of values occurs: (blocks, order!).
#[pyfunction]
pub fn order_counts<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    order: usize,
    delay: usize,
    blocks: usize,
) -> PyResult<Bound<'py, PyArray2<i64>>> {
    let x = numbers(&x);
    let counts = run(py, false, 0, None, |_| patterns::orders(&x, order, delay, blocks))?;
    table(py, counts.into_iter().map(|count| count as i64).collect(), (1..=order).product())
}

/// Words in the exhaustive history of a sequence of symbols 0, 1, ....
#[pyfunction]
pub fn lempel_ziv_words(py: Python<'_>, symbols: Vec<u32>) -> PyResult<usize> {
    let alphabet = symbols.iter().max().map_or(1, |&most| most as usize + 1);
    run(py, false, 0, None, |_| Ok(patterns::words(&symbols, alphabet)))
}

/// Mean squared residuals from polynomials: sums and numbers of windows, (sizes, 2 blocks).
#[pyfunction]
pub fn detrended_fluctuations<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    sizes: Vec<usize>,
    degree: usize,
    blocks: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let x = numbers(&x);
    table(py, run(py, false, 0, None, |_| fluctuation::detrended(&x, &sizes, degree, blocks))?, 2 * blocks)
}

/// Rescaled ranges: sums and numbers of windows, (sizes, 2 blocks).
#[pyfunction]
pub fn rescaled_ranges<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    sizes: Vec<usize>,
    blocks: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let x = numbers(&x);
    table(py, run(py, false, 0, None, |_| fluctuation::rescaled_range(&x, &sizes, blocks))?, 2 * blocks)
}

/// Lengths of the graph of a series at each step, all less than the number of samples.
#[pyfunction]
pub fn graph_lengths<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    steps: Vec<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let x = numbers(&x);
    if steps.iter().any(|&k| k == 0 || 2 * k > x.len()) {
        return Err(Error::value("steps must be positive and at most half of the samples").into());
    }
    Ok(PyArray::from_vec(py, run(py, false, 0, None, |_| Ok(fluctuation::lengths(&x, &steps)))?))
}

/// K of the 0-1 test for each angle.
#[pyfunction]
#[pyo3(signature = (x, angles, *, threads=None))]
pub fn zero_one_correlations<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    angles: PyReadonlyArrayDyn<'py, f64>,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (x, angles) = (numbers(&x), numbers(&angles));
    let found = run(py, false, 0, None, |monitor| fluctuation::zero_one(&x, &angles, threads, monitor))?;
    Ok(PyArray::from_vec(py, found))
}

/// Numbers of diagonal and of vertical lines of each length, (thresholds, n + 1) each.
#[pyfunction]
#[pyo3(signature = (x, thresholds, *, norm, window, threads=None))]
#[allow(clippy::type_complexity)]
pub fn recurrence_lines<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    thresholds: PyReadonlyArrayDyn<'py, f64>,
    norm: &str,
    window: usize,
    threads: Option<usize>,
) -> PyResult<(Bound<'py, PyArray2<u64>>, Bound<'py, PyArray2<u64>>)> {
    let ((x, d), thresholds, norm) = (points(&x)?, numbers(&thresholds), Norm::parse(norm)?);
    let plot = Plot { points: &x, d, norm, thresholds: &thresholds, window, threads };
    let lines = run(py, false, 0, None, |monitor| plot.lines(monitor))?;
    let lengths = x.len() / d + 1;
    Ok((table(py, lines.diagonal, lengths)?, table(py, lines.vertical, lengths)?))
}

/// Dimension at each reference and the number of excesses it is from: (references, 2).
#[pyfunction]
#[pyo3(signature = (x, references, *, quantile, window, threads=None))]
pub fn local_dimensions<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f64>,
    references: Vec<usize>,
    quantile: f64,
    window: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (x, d) = points(&x)?;
    let found = run(py, false, 0, None, |monitor| local(&x, d, &references, quantile, window, threads, monitor))?;
    table(py, found.concat(), 2)
}
