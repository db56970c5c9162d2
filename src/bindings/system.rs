//! `System`: equations in, evaluations out.

use crate::error::Error;
use crate::expr::expand::Shape;
use crate::expr::rename::{Names, rename_statement};
use crate::expr::{parse_document, print_document};
use crate::system::evaluate::Points;
use crate::system::{Definition, Interpretation, Kind, System};
use numpy::{PyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;

/// Equations made ready to run.
#[pyclass(name = "System", module = "bestiary._core", frozen)]
pub struct PySystem {
    pub(super) inner: Arc<System>,
}

/// The numbers of an array in C order.
pub(super) fn numbers(array: &PyReadonlyArrayDyn<'_, f64>) -> Vec<f64> {
    array.as_array().iter().copied().collect()
}

fn pairs(dict: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<(String, String)>> {
    dict.map_or(Ok(Vec::new()), |dict| dict.iter().map(|(k, v)| Ok((k.extract()?, v.extract()?))).collect())
}

struct Batch {
    x: Vec<f64>,
    t: Vec<f64>,
    p: Vec<f64>,
    z: Vec<f64>,
}

impl Batch {
    fn new(
        x: &PyReadonlyArrayDyn<'_, f64>,
        t: &PyReadonlyArrayDyn<'_, f64>,
        p: &PyReadonlyArrayDyn<'_, f64>,
        z: Option<&PyReadonlyArrayDyn<'_, f64>>,
    ) -> Self {
        Self { x: numbers(x), t: numbers(t), p: numbers(p), z: z.map(numbers).unwrap_or_default() }
    }

    fn points(&self) -> Points<'_> {
        Points { x: &self.x, t: &self.t, p: &self.p, z: &self.z }
    }
}

fn matrix(py: Python<'_>, values: Vec<f64>, rows: usize, columns: usize) -> PyResult<Bound<'_, PyArray2<f64>>> {
    PyArray::from_vec(py, values).reshape([rows, columns])
}

#[pymethods]
impl PySystem {
    #[staticmethod]
    #[pyo3(signature = (kind, text, parameters, structure, state, observables=None, periods=None, interpretation="ito"))]
    #[allow(clippy::too_many_arguments)]
    fn build(
        py: Python<'_>,
        kind: &str,
        text: String,
        parameters: &Bound<'_, PyDict>,
        structure: &Bound<'_, PyDict>,
        state: Vec<(String, Option<usize>)>,
        observables: Option<&Bound<'_, PyDict>>,
        periods: Option<&Bound<'_, PyDict>>,
        interpretation: &str,
    ) -> PyResult<PySystem> {
        let mut list: Vec<(String, Shape, Vec<f64>)> = Vec::new();
        for (name, value) in parameters.iter() {
            let name: String = name.extract()?;
            if let Ok(value) = value.extract::<f64>() {
                list.push((name, Vec::new(), vec![value]));
            } else if let Ok(array) = value.extract::<PyReadonlyArrayDyn<'_, f64>>() {
                list.push((name, array.shape().to_vec(), numbers(&array)));
            } else {
                return Err(Error::value(format!("parameter {name} must be a number or an array of float64")).into());
            }
        }
        let structure = structure.iter().map(|(k, v)| Ok((k.extract()?, v.extract()?))).collect::<PyResult<_>>()?;
        let definition = Definition {
            kind: Kind::parse(kind)?,
            interpretation: Interpretation::parse(interpretation)?,
            text,
            parameters: list,
            structure,
            states: state,
            observables: pairs(observables)?,
            periods: pairs(periods)?,
        };
        let inner = Arc::new(py.detach(|| System::build(&definition))?);
        Ok(PySystem { inner })
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.inner.kind().name()
    }

    #[getter]
    fn processes(&self) -> Vec<String> {
        self.inner.processes().iter().map(|process| process.name.clone()).collect()
    }

    fn ito_correction(&self) -> PyResult<Vec<String>> {
        Ok(self.inner.ito_correction()?)
    }

    #[getter]
    fn text(&self) -> String {
        self.inner.text()
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        self.inner.names().to_vec()
    }

    #[getter]
    fn parameter_names(&self) -> Vec<String> {
        self.inner.parameter_names().to_vec()
    }

    #[getter]
    fn parameter_values<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray::from_slice(py, self.inner.parameter_values())
    }

    #[getter]
    fn observable_names(&self) -> Vec<String> {
        self.inner.observable_names().to_vec()
    }

    #[getter]
    fn is_autonomous(&self) -> bool {
        self.inner.is_autonomous()
    }

    #[getter]
    fn is_smooth(&self) -> bool {
        self.inner.is_smooth()
    }

    #[getter]
    fn n_delays(&self) -> usize {
        self.inner.n_delays()
    }

    #[getter]
    fn delayed_terms(&self) -> Vec<(usize, usize)> {
        self.inner.delayed_terms().to_vec()
    }

    #[pyo3(signature = (parameters=None))]
    fn delays<'py>(
        &self,
        py: Python<'py>,
        parameters: Option<PyReadonlyArrayDyn<'py, f64>>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let p = self.or_default(parameters)?;
        Ok(PyArray::from_vec(py, self.inner.evaluate_delays(&p)?))
    }

    #[getter]
    fn program_length(&self) -> usize {
        self.inner.program().body.len()
    }

    fn latex(&self) -> Vec<String> {
        self.inner.latex()
    }

    fn numpy_source(&self) -> String {
        self.inner.numpy_source()
    }

    fn derivative_text(&self, variable: &str) -> PyResult<Vec<String>> {
        Ok(self.inner.derivative_text(variable)?)
    }

    #[pyo3(signature = (x, t, parameters, delayed=None))]
    fn rhs<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f64>,
        t: PyReadonlyArrayDyn<'py, f64>,
        parameters: PyReadonlyArrayDyn<'py, f64>,
        delayed: Option<PyReadonlyArrayDyn<'py, f64>>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let batch = Batch::new(&x, &t, &parameters, delayed.as_ref());
        matrix(py, self.inner.evaluate_rhs(batch.points())?, batch.t.len(), self.inner.dimension())
    }

    #[pyo3(signature = (x, t, parameters, delayed=None))]
    fn jacobian<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f64>,
        t: PyReadonlyArrayDyn<'py, f64>,
        parameters: PyReadonlyArrayDyn<'py, f64>,
        delayed: Option<PyReadonlyArrayDyn<'py, f64>>,
    ) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let batch = Batch::new(&x, &t, &parameters, delayed.as_ref());
        let d = self.inner.dimension();
        PyArray::from_vec(py, self.inner.evaluate_jacobian(batch.points())?).reshape([batch.t.len(), d, d])
    }

    fn divergence<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f64>,
        t: PyReadonlyArrayDyn<'py, f64>,
        parameters: PyReadonlyArrayDyn<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let batch = Batch::new(&x, &t, &parameters, None);
        Ok(PyArray::from_vec(py, self.inner.evaluate_divergence(batch.points())?))
    }

    fn observe<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f64>,
        t: PyReadonlyArrayDyn<'py, f64>,
        parameters: PyReadonlyArrayDyn<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let batch = Batch::new(&x, &t, &parameters, None);
        let columns = self.inner.observable_names().len();
        matrix(py, self.inner.evaluate_observables(batch.points())?, batch.t.len(), columns)
    }

    fn diffusion<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArrayDyn<'py, f64>,
        t: PyReadonlyArrayDyn<'py, f64>,
        parameters: PyReadonlyArrayDyn<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let batch = Batch::new(&x, &t, &parameters, None);
        let shape = [batch.t.len(), self.inner.dimension(), self.inner.processes().len()];
        PyArray::from_vec(py, self.inner.evaluate_diffusion(batch.points())?).reshape(shape)
    }

    #[pyo3(signature = (parameters=None))]
    fn periods<'py>(
        &self,
        py: Python<'py>,
        parameters: Option<PyReadonlyArrayDyn<'py, f64>>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let p = self.or_default(parameters)?;
        Ok(PyArray::from_vec(py, self.inner.evaluate_periods(&p)?))
    }
}

impl PySystem {
    /// The parameters given, or the defaults.
    fn or_default(&self, parameters: Option<PyReadonlyArrayDyn<'_, f64>>) -> PyResult<Vec<f64>> {
        let defaults = self.inner.parameter_values();
        let Some(values) = parameters.as_ref().map(numbers) else { return Ok(defaults.to_vec()) };
        if values.len() != defaults.len() {
            return Err(Error::value(format!("expected {} parameters, found {}", defaults.len(), values.len())).into());
        }
        Ok(values)
    }
}

/// Statements in canonical form with other names for states, parameters, definitions and structural integers.
#[pyfunction]
pub fn rename(text: &str, names: Names) -> PyResult<String> {
    let statements = parse_document(text)?;
    let renamed: Vec<_> = statements.iter().map(|statement| rename_statement(statement, &names)).collect();
    Ok(print_document(&renamed))
}
