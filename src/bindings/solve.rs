//! `solve` and what it returns; the largest exponent; random numbers; the machine.

use super::history::{self, Arrays};
use super::run::run;
use super::system::{PySystem, numbers};
use crate::error::Error;
use crate::measures::lyapunov::{self, Settings};
use crate::parallel::pool::{Monitor, available_threads};
use crate::parallel::random::{normal_pair, uniform_pair};
use crate::parallel::simd::Level;
use crate::solve::past::Past;
use crate::solve::stepper::Tolerance;
use crate::solve::{Condition, End, EventLog, History, Method, Problem, Times, Watch, Work};
use numpy::{PyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// m trajectories of n samples of d variables.
#[pyclass(name = "Result", module = "bestiary._core", frozen)]
pub struct PyResultTable {
    x: Py<PyArray3<f64>>,
    low: Option<Py<PyArray3<f64>>>,
    ends: Vec<End>,
    logs: Vec<EventLog>,
    method: Method,
    past: Option<Past>,
}

#[pymethods]
impl PyResultTable {
    #[getter]
    fn x(&self, py: Python<'_>) -> Py<PyArray3<f64>> {
        self.x.clone_ref(py)
    }

    #[getter]
    fn low(&self, py: Python<'_>) -> Option<Py<PyArray3<f64>>> {
        self.low.as_ref().map(|low| low.clone_ref(py))
    }

    #[getter]
    fn past<'py>(&self, py: Python<'py>) -> PyResult<Option<Arrays<'py>>> {
        let d = self.x.bind(py).shape()[2];
        self.past.as_ref().map(|past| history::arrays(py, past, d)).transpose()
    }

    #[getter]
    fn outcomes(&self) -> Vec<&'static str> {
        self.ends.iter().map(|end| end.outcome.name()).collect()
    }

    #[getter]
    fn stop_times<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray::from_iter(py, self.ends.iter().map(|end| end.time))
    }

    #[getter]
    fn steps<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        self.work(py, |work| work.steps)
    }

    #[getter]
    fn rejected<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        self.work(py, |work| work.rejected)
    }

    #[getter]
    fn evaluations<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        self.work(py, |work| work.evaluations)
    }

    #[getter]
    #[allow(clippy::type_complexity)]
    fn events<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Vec<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<i64>>)>> {
        let d = self.x.bind(py).shape()[2];
        let list = self.logs.iter().map(|log| {
            let x = PyArray::from_slice(py, &log.x).reshape([log.t.len(), d])?;
            let directions = PyArray::from_iter(py, log.direction.iter().map(|&direction| i64::from(direction)));
            Ok((PyArray::from_slice(py, &log.t), x, directions))
        });
        list.collect()
    }

    #[getter]
    fn methods(&self) -> Vec<String> {
        let name = |end: &End| {
            let first = self.method.name();
            if end.switched { format!("{first}, then {}", Method::Rodas5p.name()) } else { first.to_owned() }
        };
        self.ends.iter().map(name).collect()
    }
}

impl PyResultTable {
    fn work<'py>(&self, py: Python<'py>, part: impl Fn(&Work) -> u64) -> Bound<'py, PyArray1<i64>> {
        PyArray::from_iter(py, self.ends.iter().map(|end| part(&end.work) as i64))
    }
}

pub(super) fn tolerance(d: usize, rtol: f64, atol: Option<&PyReadonlyArrayDyn<'_, f64>>) -> Tolerance {
    Tolerance { relative: rtol, absolute: atol.map_or_else(|| vec![rtol; d], numbers) }
}

/// Integrate m trajectories from initial states (m, d), sampled at 0, dt, ..., (n - 1) dt or at given times.
#[pyfunction]
#[pyo3(signature = (
    system, initial, parameters, *, start, dt=None, n=None, times=None, method="auto", rtol=1e-12, atol=None, step=None,
    max_steps=1_000_000_000, seed=0, first_path=0, forcing=None, extended=false, threads=None, progress=None, events=None,
    history=None
))]
#[allow(clippy::too_many_arguments)]
pub fn solve(
    py: Python<'_>,
    system: &PySystem,
    initial: PyReadonlyArrayDyn<'_, f64>,
    parameters: PyReadonlyArrayDyn<'_, f64>,
    start: PyReadonlyArrayDyn<'_, f64>,
    dt: Option<f64>,
    n: Option<usize>,
    times: Option<PyReadonlyArrayDyn<'_, f64>>,
    method: &str,
    rtol: f64,
    atol: Option<PyReadonlyArrayDyn<'_, f64>>,
    step: Option<f64>,
    max_steps: u64,
    seed: u64,
    first_path: u64,
    forcing: Option<PyReadonlyArrayDyn<'_, f64>>,
    extended: bool,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
    events: Option<Vec<(i8, Option<usize>)>>,
    history: Option<Vec<history::Given<'_>>>,
) -> PyResult<PyResultTable> {
    let (initial, parameters, start) = (numbers(&initial), numbers(&parameters), numbers(&start));
    let (given, forcing) = (times.as_ref().map(numbers), forcing.as_ref().map(numbers));
    let times = match (dt, n, &given) {
        (Some(dt), Some(n), None) => Times::Uniform { dt, n },
        (None, None, Some(times)) => Times::Given(times),
        _ => return Err(Error::value("give either dt and n, or times").into()),
    };
    let inner = &system.inner;
    let program = events.is_some().then(|| inner.event_program());
    let watch = match (&events, &program) {
        (Some(events), Some(program)) if events.len() == inner.observable_names().len() => Some(Watch {
            program,
            conditions: events.iter().map(|&(direction, limit)| Condition { direction, limit }).collect(),
            from: 0.0,
        }),
        (Some(_), _) => return Err(Error::value("give a direction and a limit for each observable").into()),
        _ => None,
    };
    let histories: Vec<History> = history.iter().flatten().map(history::Given::take).collect::<Result<_, _>>()?;
    let problem = Problem {
        system: inner,
        initial: &initial,
        parameters: &parameters,
        start: &start,
        times,
        method: Method::parse(method)?,
        tolerance: tolerance(inner.dimension(), rtol, atol.as_ref()),
        step,
        max_steps,
        seed,
        first_path,
        forcing: forcing.as_deref(),
        threads,
        watch: watch.as_ref(),
        histories: &histories,
    };
    let (m, n, d) = (start.len(), times.len(), inner.dimension());
    let total = (m * n) as u64;
    let how = if extended { crate::extended::solve } else { crate::solve::solve };
    let solution = run(py, m == 1, total, progress.as_ref(), |monitor: &Monitor| how(&problem, monitor))?;
    let array = |samples: Vec<f64>| PyArray::from_vec(py, samples).reshape([m, n, d]).map(Bound::unbind);
    Ok(PyResultTable {
        x: array(solution.x)?,
        low: solution.low.map(array).transpose()?,
        ends: solution.ends,
        logs: solution.logs,
        method: solution.method,
        past: solution.past,
    })
}

/// Finite-time largest Lyapunov exponents of m trajectories over equal segments, (m, segments), per unit of time.
#[pyfunction]
#[pyo3(signature = (
    system, initial, parameters, *, start, transient, duration, segments, interval=None, method="auto", rtol=1e-9, atol=None,
    step=None, threads=None
))]
#[allow(clippy::too_many_arguments)]
pub fn largest_exponent<'py>(
    py: Python<'py>,
    system: &PySystem,
    initial: PyReadonlyArrayDyn<'py, f64>,
    parameters: PyReadonlyArrayDyn<'py, f64>,
    start: f64,
    transient: f64,
    duration: f64,
    segments: usize,
    interval: Option<f64>,
    method: &str,
    rtol: f64,
    atol: Option<PyReadonlyArrayDyn<'py, f64>>,
    step: Option<f64>,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (initial, parameters) = (numbers(&initial), numbers(&parameters));
    let d = system.inner.dimension();
    let starts = vec![start; initial.len() / d];
    let settings = Settings {
        problem: Problem {
            system: &system.inner,
            initial: &initial,
            parameters: &parameters,
            start: &starts,
            times: Times::Given(&[]),
            method: Method::parse(method)?,
            tolerance: tolerance(d, rtol, atol.as_ref()),
            step,
            max_steps: 1_000_000_000,
            seed: 0,
            first_path: 0,
            forcing: None,
            threads,
            watch: None,
            histories: &[],
        },
        start,
        transient,
        duration,
        segments,
        interval,
    };
    let exponents = run(py, false, 0, None, |monitor| lyapunov::largest_exponent(&settings, monitor))?;
    PyArray::from_vec(py, exponents).reshape([starts.len(), segments])
}

fn random(
    py: Python<'_>,
    n: usize,
    paths: impl Iterator<Item = u64>,
    pair: impl Fn(u64, u64) -> [f64; 2],
) -> Bound<'_, PyArray1<f64>> {
    let numbers = |path| (0..n as u64).map(move |i| (path, i));
    let all: Vec<f64> = paths.flat_map(numbers).map(|(path, i)| pair(path, i / 2)[(i % 2) as usize]).collect();
    PyArray::from_vec(py, all)
}

fn paths(first: u64, stride: u64, count: usize) -> impl Iterator<Item = u64> {
    (0..count as u64).map(move |i| first.wrapping_add(i.wrapping_mul(stride)))
}

/// n uniform numbers in [0, 1) of each of `count` paths: functions of (seed, path, position).
#[pyfunction]
#[pyo3(signature = (seed, path, n, *, stride = 1, count = 1))]
pub fn uniforms(py: Python<'_>, seed: u64, path: u64, n: usize, stride: u64, count: usize) -> Bound<'_, PyArray1<f64>> {
    random(py, n, paths(path, stride, count), |path, position| uniform_pair(seed, path, position))
}

/// n standard normal numbers of each of `count` paths: functions of (seed, path, position).
#[pyfunction]
#[pyo3(signature = (seed, path, n, *, stride = 1, count = 1))]
pub fn normals(py: Python<'_>, seed: u64, path: u64, n: usize, stride: u64, count: usize) -> Bound<'_, PyArray1<f64>> {
    random(py, n, paths(path, stride, count), |path, position| normal_pair(seed, path, position))
}

/// Version, vector unit in use, available threads.
#[pyfunction]
pub fn machine(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let facts = PyDict::new(py);
    facts.set_item("version", env!("CARGO_PKG_VERSION"))?;
    facts.set_item("vector_unit", Level::detect().name())?;
    facts.set_item("threads", available_threads())?;
    facts.set_item("source", env!("BESTIARY_SOURCE"))?;
    Ok(facts)
}
