//! Libraries of analogs and reservoirs.

use super::run::run;
use super::system::numbers;
use crate::error::Error;
use crate::forecast::analog::{Combine, Library, Weights};
use crate::forecast::reservoir::Reservoir;
use numpy::{PyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

type Table<'py> = Bound<'py, PyArray2<f64>>;
type Found<'py> = (Table<'py>, Bound<'py, PyArray2<i64>>);

fn columns(array: &PyReadonlyArrayDyn<'_, f64>) -> PyResult<usize> {
    match array.shape() {
        [_, columns] => Ok(*columns),
        shape => Err(Error::value(format!("a table has two axes, not {}", shape.len())).into()),
    }
}

fn table(py: Python<'_>, values: Vec<f64>, columns: usize) -> PyResult<Table<'_>> {
    let rows = values.len() / columns;
    PyArray::from_vec(py, values).reshape([rows, columns])
}

/// Keys (n, D) and the values (n, d) that followed them.
#[pyclass(name = "Library", module = "bestiary._core", frozen)]
pub struct PyLibrary {
    inner: Library,
}

#[pymethods]
impl PyLibrary {
    #[new]
    #[pyo3(signature = (keys, values))]
    fn new(keys: PyReadonlyArrayDyn<'_, f64>, values: PyReadonlyArrayDyn<'_, f64>) -> PyResult<Self> {
        let (dimension, width) = (columns(&keys)?, columns(&values)?);
        Ok(Self { inner: Library::new(numbers(&keys), dimension, numbers(&values), width)? })
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<(Table<'py>, Table<'py>)> {
        let (tree, n) = (self.inner.tree(), self.inner.tree().len());
        let keys = (0..n).flat_map(|i| tree.point(i).iter().copied()).collect();
        Ok((table(py, keys, tree.dimension())?, table(py, self.inner.values().to_vec(), self.inner.width())?))
    }

    /// Distances and numbers of the k keys nearest to each query.
    #[pyo3(signature = (queries, k))]
    fn nearest<'py>(&self, py: Python<'py>, queries: PyReadonlyArrayDyn<'py, f64>, k: usize) -> PyResult<Found<'py>> {
        let tree = self.inner.tree();
        if columns(&queries)? != tree.dimension() {
            return Err(Error::value(format!("a query must have {} coordinates", tree.dimension())).into());
        }
        let (queries, k) = (numbers(&queries), k.min(tree.len()));
        if k == 0 {
            return Err(Error::value("k must be at least 1").into());
        }
        let (distances, indices) = run(py, true, 0, None, |monitor| {
            let (mut distances, mut indices, mut found) = (Vec::new(), Vec::new(), Vec::new());
            for query in queries.chunks_exact(tree.dimension()) {
                monitor.check()?;
                tree.nearest(query, k, &mut found);
                distances.extend(found.iter().map(|near| near.squared.sqrt()));
                indices.extend(found.iter().map(|near| near.index as i64));
            }
            Ok((distances, indices))
        })?;
        let rows = indices.len() / k;
        Ok((table(py, distances, k)?, PyArray::from_vec(py, indices).reshape([rows, k])?))
    }

    /// Continue a window of the latest states by `horizon` states.
    #[pyo3(signature = (window, *, spacing, horizon, weights, parameter, ridge=None))]
    fn iterate<'py>(
        &self,
        py: Python<'py>,
        window: PyReadonlyArrayDyn<'py, f64>,
        spacing: usize,
        horizon: usize,
        weights: &str,
        parameter: f64,
        ridge: Option<f64>,
    ) -> PyResult<Table<'py>> {
        let count = parameter as usize;
        let weights = match weights {
            "nearest" if count > 0 => Weights::Nearest(count),
            "simplex" if count > 0 => Weights::Simplex(count),
            "softmax" if parameter >= 0.0 => Weights::Softmax(parameter),
            "smap" if parameter >= 0.0 => Weights::Smap(parameter),
            _ => return Err(Error::value(format!("there are no weights \"{weights}\" with {parameter}")).into()),
        };
        let combine = ridge.map_or(Combine::Mean, Combine::Linear);
        let window = numbers(&window);
        let path =
            run(py, true, 0, None, |monitor| self.inner.iterate(&window, spacing, horizon, weights, combine, monitor))?;
        table(py, path, self.inner.width())
    }
}

/// A leaky reservoir of tanh units with sparse connections.
#[pyclass(name = "Reservoir", module = "bestiary._core", frozen)]
pub struct PyReservoir {
    inner: Reservoir,
}

fn positions(array: &PyReadonlyArrayDyn<'_, i64>) -> PyResult<Vec<usize>> {
    let position = |value: i64| usize::try_from(value).map_err(|_| Error::value("a position must not be negative"));
    Ok(array.as_array().iter().map(|&value| position(value)).collect::<Result<_, _>>()?)
}

type Positions<'py> = Bound<'py, PyArray1<i64>>;
type Parts<'py> =
    (Positions<'py>, Positions<'py>, Bound<'py, PyArray1<f64>>, Table<'py>, Bound<'py, PyArray1<f64>>, f64);

#[pymethods]
impl PyReservoir {
    #[new]
    #[pyo3(signature = (offsets, columns, weights, inputs, bias, leak))]
    fn new(
        offsets: PyReadonlyArrayDyn<'_, i64>,
        columns: PyReadonlyArrayDyn<'_, i64>,
        weights: PyReadonlyArrayDyn<'_, f64>,
        inputs: PyReadonlyArrayDyn<'_, f64>,
        bias: PyReadonlyArrayDyn<'_, f64>,
        leak: f64,
    ) -> PyResult<Self> {
        let (offsets, columns) = (positions(&offsets)?, positions(&columns)?);
        let inner = Reservoir::new(offsets, columns, numbers(&weights), numbers(&inputs), numbers(&bias), leak)?;
        Ok(Self { inner })
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<Parts<'py>> {
        let (offsets, columns, weights, inputs, bias, leak) = self.inner.parts();
        let whole = |values: &[usize]| PyArray::from_iter(py, values.iter().map(|&value| value as i64));
        let inputs = table(py, inputs.to_vec(), self.inner.width())?;
        let (weights, bias) = (PyArray::from_slice(py, weights), PyArray::from_slice(py, bias));
        Ok((whole(offsets), whole(columns), weights, inputs, bias, leak))
    }

    /// The states (n, units) after each of the inputs (n, k).
    #[pyo3(signature = (state, inputs))]
    fn drive<'py>(
        &self,
        py: Python<'py>,
        state: PyReadonlyArrayDyn<'py, f64>,
        inputs: PyReadonlyArrayDyn<'py, f64>,
    ) -> PyResult<Table<'py>> {
        let (state, inputs) = (numbers(&state), numbers(&inputs));
        let states = run(py, true, 0, None, |monitor| self.inner.drive(&state, &inputs, monitor))?;
        table(py, states, self.inner.units())
    }

    /// Run free: the inputs (horizon, k) that the readout (k, 1 + k + units) makes of its own forecasts.
    #[pyo3(signature = (state, input, readout, horizon))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        state: PyReadonlyArrayDyn<'py, f64>,
        input: PyReadonlyArrayDyn<'py, f64>,
        readout: PyReadonlyArrayDyn<'py, f64>,
        horizon: usize,
    ) -> PyResult<Table<'py>> {
        let (state, input, readout) = (numbers(&state), numbers(&input), numbers(&readout));
        let path = run(py, true, 0, None, |monitor| self.inner.run(&state, &input, &readout, horizon, monitor))?;
        table(py, path, self.inner.width())
    }
}
