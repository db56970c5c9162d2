//! Growth of tangent vectors.

use super::run::run;
use super::solve::tolerance;
use super::system::{PySystem, numbers};
use crate::error::Error;
use crate::measures::tangent::{Member, Settings, grow};
use numpy::{PyArray, PyArrayMethods, PyReadonlyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Growth of k tangent vectors along m trajectories over segments: arrays by name.
#[pyfunction]
#[pyo3(signature = (
    system, augmented, parameters, *, start, response, vectors, duration, segments, keep=false, rtol=1e-9, atol=None,
    max_steps=1_000_000_000, step=None, seed=0, first_path=0, threads=None
))]
#[allow(clippy::too_many_arguments)]
pub fn tangent_growth<'py>(
    py: Python<'py>,
    system: &PySystem,
    augmented: PyReadonlyArrayDyn<'py, f64>,
    parameters: PyReadonlyArrayDyn<'py, f64>,
    start: PyReadonlyArrayDyn<'py, f64>,
    response: Vec<usize>,
    vectors: usize,
    duration: f64,
    segments: usize,
    keep: bool,
    rtol: f64,
    atol: Option<PyReadonlyArrayDyn<'py, f64>>,
    max_steps: u64,
    step: Option<f64>,
    seed: u64,
    first_path: u64,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let (augmented, parameters, start) = (numbers(&augmented), numbers(&parameters), numbers(&start));
    let (d, r, m) = (system.inner.dimension(), response.len(), start.len());
    let (n, k) = (augmented.len() / m.max(1), vectors);
    if m == 0 || r == 0 || k == 0 || n * m != augmented.len() || response.iter().any(|&i| i >= d) {
        return Err(
            Error::value("each member needs its state, followed by vectors in the directions of the response").into()
        );
    }
    let settings = Settings {
        system: &system.inner,
        parameters: &parameters,
        response: &response,
        vectors: k,
        duration,
        segments,
        keep,
        tolerance: tolerance(d, rtol, atol.as_ref()),
        max_steps,
        step,
        seed,
        first_path,
        threads,
    };
    let mut members: Vec<Member> =
        augmented.chunks_exact(n).zip(&start).map(|(y, &t)| Member::new(y.to_vec(), t)).collect();
    run(py, false, 0, None, |monitor| grow(&settings, &mut members, monitor))?;
    let gather = |part: fn(&Member) -> &[f64]| -> Vec<f64> {
        members.iter().flat_map(|member| part(member).iter().copied()).collect()
    };
    let result = PyDict::new(py);
    let array = |values: Vec<f64>, shape: &[usize]| PyArray::from_vec(py, values).reshape(shape.to_vec());
    result.set_item("logs", array(gather(|member| &member.logs), &[m, segments, k])?)?;
    result.set_item("elapsed", array(gather(|member| &member.elapsed), &[m, segments])?)?;
    result.set_item("augmented", array(gather(|member| &member.y), &[m, n])?)?;
    result.set_item("t", array(members.iter().map(|member| member.t).collect(), &[m])?)?;
    result.set_item("steps", members.iter().map(|member| member.steps).collect::<Vec<u64>>())?;
    if keep {
        result.set_item("states", array(gather(|member| &member.states), &[m, segments, d + k * r])?)?;
        result.set_item("triangles", array(gather(|member| &member.triangles), &[m, segments, k, k])?)?;
    }
    Ok(result)
}
