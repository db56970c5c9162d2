//! `bestiary.metrics`: arrays (m, n, d) in, one number for each of m members out, or one for each variable too.

use super::run::run;
use crate::error::{Error, Result};
use crate::metrics::autocorrelation;
use crate::metrics::dimension::{self, Settings};
use crate::metrics::discrepancy::discrepancy;
use crate::metrics::dtw::{Cost, dtw};
use crate::metrics::fourier::Fourier;
use crate::metrics::horizon::{self, Size};
use crate::metrics::interval;
use crate::metrics::mixture::{Mixture, mixture_divergence};
use crate::metrics::mutual_information::mutual_information;
use crate::metrics::neighbour_divergence::neighbour_divergence;
use crate::metrics::point::{self, Measure, Reference};
use crate::metrics::spectrum::{self, Boundary, Comparison};
use crate::metrics::state_space::{Bins, Convention, state_space_divergence};
use crate::metrics::transport;
use crate::metrics::{Series, in_order};
use crate::parallel::pool::{Monitor, pool};
use numpy::{PyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::borrow::Cow;

type Numbers<'py> = PyReadonlyArray3<'py, f64>;

/// Work below this many operations is done at once, on the thread of the caller.
const SMALL: f64 = 1e6;
const PARALLEL: f64 = f64::INFINITY;

/// m series of n samples of d variables.
struct Stack<'a> {
    values: Cow<'a, [f64]>,
    m: usize,
    n: usize,
    d: usize,
}

impl<'a> Stack<'a> {
    fn new(array: &'a Numbers<'_>) -> PyResult<Stack<'a>> {
        let &[m, n, d] = array.shape() else { unreachable!("three axes") };
        if m * n * d == 0 {
            return Err(Error::value(format!("an array of shape ({m}, {n}, {d}) holds no number")).into());
        }
        let values =
            array.as_slice().map_or_else(|_| Cow::Owned(array.as_array().iter().copied().collect()), Cow::Borrowed);
        Ok(Stack { values, m, n, d })
    }

    fn series(&self, i: usize) -> Series<'_> {
        let size = self.n * self.d;
        Series::new(&self.values[i * size..(i + 1) * size], self.d)
    }

    /// The other array has as many members and variables, and if `aligned` as many samples.
    fn like(&self, other: &Stack<'_>, aligned: bool) -> PyResult<()> {
        if self.m != other.m || self.d != other.d || aligned && self.n != other.n {
            let text = format!(
                "shapes ({}, {}, {}) and ({}, {}, {}) do not belong together",
                self.m, self.n, self.d, other.m, other.n, other.d
            );
            return Err(Error::value(text).into());
        }
        Ok(())
    }
}

/// The choice of that name.
fn choice<T: Copy>(what: &str, name: &str, choices: &[(&str, T)]) -> Result<T> {
    choices.iter().find(|(known, _)| *known == name).map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<String> = choices.iter().map(|(known, _)| format!("\"{known}\"")).collect();
        Error::value(format!("{what} must be one of {}, found \"{name}\"", names.join(", ")))
    })
}

/// `each` of m members; `cost` is a rough number of operations for all, [`PARALLEL`] where a member is itself done side by
/// side.
fn members<T: Send>(
    py: Python<'_>,
    m: usize,
    cost: f64,
    threads: Option<usize>,
    each: impl Fn(usize, &Monitor) -> Result<T> + Sync + Send,
) -> PyResult<Vec<T>> {
    if cost < SMALL {
        return run(py, true, 0, None, |monitor| (0..m).map(|i| each(i, monitor)).collect());
    }
    let pool = pool(threads)?;
    run(py, false, 0, None, |monitor| pool.install(|| in_order(m, monitor, |i| each(i, monitor))))
}

/// Point errors, (m, measures, d + 1): of each variable and, last, of all pooled.
#[pyfunction]
#[pyo3(signature = (truth, forecast, train, names, *, season=1, pool_ranks=false, threads=None))]
#[allow(clippy::too_many_arguments)]
pub fn point_errors<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    train: Option<Numbers<'py>>,
    names: Vec<String>,
    season: usize,
    pool_ranks: bool,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray3<f64>>> {
    let measures = names.iter().map(|name| Measure::parse(name)).collect::<Result<Vec<Measure>>>()?;
    let (y, p) = (Stack::new(&truth)?, Stack::new(&forecast)?);
    y.like(&p, true)?;
    let train = train.as_ref().map(Stack::new).transpose()?;
    if let Some(train) = &train {
        y.like(train, false)?;
    }
    let parts = members(py, y.m, y.values.len() as f64 * 10.0, threads, |i, _| {
        let reference = Reference { train: train.as_ref().map(|train| train.series(i)), season };
        Ok(point::point(y.series(i), p.series(i), reference, &measures, pool_ranks))
    })?;
    PyArray::from_vec(py, parts.concat()).reshape([y.m, measures.len(), y.d + 1])
}

/// Mean magnitude of the change over `season` samples, (m, d).
#[pyfunction]
pub fn persistence_error<'py>(
    py: Python<'py>,
    series: Numbers<'py>,
    season: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let x = Stack::new(&series)?;
    let values = (0..x.m).flat_map(|i| (0..x.d).map(move |v| (i, v)));
    let values = values.map(|(i, v)| point::persistence(&x.series(i).column(v), season)).collect();
    PyArray::from_vec(py, values).reshape([x.m, x.d])
}

/// `of` each variable of each member, (m, d).
fn each_variable<'py>(
    py: Python<'py>,
    truth: &Numbers<'py>,
    forecast: &Numbers<'py>,
    aligned: bool,
    cost: impl Fn(f64) -> f64,
    threads: Option<usize>,
    of: impl Fn(Vec<f64>, Vec<f64>) -> f64 + Sync + Send,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (y, p) = (Stack::new(truth)?, Stack::new(forecast)?);
    y.like(&p, aligned)?;
    let d = y.d;
    let cost = (y.m * d) as f64 * cost(y.n.max(p.n) as f64);
    let values = members(py, y.m * d, cost, threads, |i, _| {
        Ok(of(y.series(i / d).column(i % d), p.series(i / d).column(i % d)))
    })?;
    PyArray::from_vec(py, values).reshape([y.m, d])
}

/// Mutual information in nats of each variable, (m, d).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, neighbours=3, threads=None))]
pub fn mutual_informations<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    neighbours: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    if neighbours == 0 {
        return Err(Error::value("neighbours must be at least 1, found 0").into());
    }
    each_variable(py, &truth, &forecast, true, |n| 500.0 * n, threads, |y, p| mutual_information(&y, &p, neighbours))
}

/// Dynamic time warping distance, (m,).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, cost="euclidean", band=None, threads=None))]
pub fn warping_distance<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    cost: &str,
    band: Option<usize>,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let cost = choice("cost", cost, &[("euclidean", Cost::Euclidean), ("squared", Cost::Squared)])?;
    let (y, p) = (Stack::new(&truth)?, Stack::new(&forecast)?);
    y.like(&p, false)?;
    let work = (y.m * y.n) as f64 * band.unwrap_or(p.n).min(p.n) as f64;
    let values = members(py, y.m, work, threads, |i, monitor| dtw(y.series(i), p.series(i), cost, band, monitor))?;
    Ok(PyArray::from_vec(py, values))
}

/// Mean interval score of each variable, (m, d).
#[pyfunction]
pub fn interval_scores<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    lower: Numbers<'py>,
    upper: Numbers<'py>,
    alpha: f64,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (y, low, high) = (Stack::new(&truth)?, Stack::new(&lower)?, Stack::new(&upper)?);
    y.like(&low, true)?;
    y.like(&high, true)?;
    let places = (0..y.m).flat_map(|i| (0..y.d).map(move |v| (i, v)));
    let values = places.map(|(i, v)| {
        interval::interval_score(&y.series(i).column(v), &low.series(i).column(v), &high.series(i).column(v), alpha)
    });
    PyArray::from_vec(py, values.collect()).reshape([y.m, y.d])
}

/// Continuous ranked probability scores: truth (m, n, d), samples (m, s, n * d) -> (m, n, d).
#[pyfunction]
#[pyo3(signature = (truth, samples, *, fair=false, threads=None))]
pub fn ranked_probability_scores<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    samples: Numbers<'py>,
    fair: bool,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray3<f64>>> {
    let (y, x) = (Stack::new(&truth)?, Stack::new(&samples)?);
    let size = y.n * y.d;
    if x.m != y.m || x.d != size {
        let text = format!("samples of shape ({}, {}, {}) do not belong to {} x {size} numbers", x.m, x.n, x.d, y.m);
        return Err(Error::value(text).into());
    }
    let parts = members(py, y.m * y.n, x.values.len() as f64 * 20.0, threads, |place, _| {
        let (i, t) = (place / y.n, place % y.n);
        let (truth, samples) = (y.series(i).row(t), x.series(i));
        let score = |v: usize| {
            let mut column: Vec<f64> = (0..x.n).map(|s| samples.row(s)[t * y.d + v]).collect();
            interval::crps(truth[v], &mut column, fair)
        };
        Ok((0..y.d).map(score).collect::<Vec<f64>>())
    })?;
    PyArray::from_vec(py, parts.concat()).reshape([y.m, y.n, y.d])
}

/// Error at each time, (m, n), or the mean of the first 1, 2, … of them; scale (m, 1, d) is the unit of "deviations".
#[pyfunction]
#[pyo3(signature = (truth, forecast, scale, *, size="deviations", running=false))]
pub fn error_curves<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    scale: Numbers<'py>,
    size: &str,
    running: bool,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let size = choice("size", size, &[("deviations", Size::Deviations), ("norm", Size::Norm), ("smape", Size::Smape)])?;
    let (y, p, scale) = (Stack::new(&truth)?, Stack::new(&forecast)?, Stack::new(&scale)?);
    y.like(&p, true)?;
    y.like(&scale, false)?;
    let parts = members(py, y.m, y.values.len() as f64 * 4.0, None, |i, _| {
        let errors = horizon::errors(y.series(i), p.series(i), size, scale.series(i).row(0));
        Ok(if running { horizon::running_mean(&errors) } else { errors })
    })?;
    PyArray::from_vec(py, parts.concat()).reshape([y.m, y.n])
}

/// How many samples of each row stay at or below the threshold, (m,); errors (m, n, 1).
#[pyfunction]
pub fn samples_within<'py>(
    py: Python<'py>,
    errors: Numbers<'py>,
    threshold: f64,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let x = Stack::new(&errors)?;
    Ok(PyArray::from_iter(py, (0..x.m).map(|i| horizon::samples_within(x.series(i).values, threshold) as i64)))
}

/// Binned state-space divergence, (m,).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, bins=30, smoothing=1e-5, convention="hess2023", threads=None))]
#[allow(clippy::too_many_arguments)]
pub fn binned_divergence<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    bins: u32,
    smoothing: f64,
    convention: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let conventions = [
        ("hess2023", Convention::Hess2023),
        ("brenner2022", Convention::Brenner2022),
        ("dynamix2025", Convention::Dynamix2025),
    ];
    let bins = Bins { n: bins, smoothing, convention: choice("convention", convention, &conventions)? };
    if bins.n == 0 || bins.n > 1 << 16 || !(smoothing >= 0.0 && smoothing.is_finite()) {
        return Err(Error::value("bins must be between 1 and 65536, and smoothing finite and not negative").into());
    }
    let (y, p) = (Stack::new(&truth)?, Stack::new(&forecast)?);
    y.like(&p, false)?;
    let values = members(py, y.m, PARALLEL, threads, |i, monitor| {
        state_space_divergence(y.series(i), p.series(i), bins, monitor)
    })?;
    Ok(PyArray::from_vec(py, values))
}

/// Divergence of Gaussian mixtures, (m,).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, variance=1.0, samples=1000, symmetric=false, seed=0, threads=None))]
#[allow(clippy::too_many_arguments)]
pub fn mixture_divergences<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    variance: f64,
    samples: usize,
    symmetric: bool,
    seed: u64,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    if !(variance > 0.0 && variance.is_finite()) || samples == 0 {
        return Err(Error::value("variance must be positive and finite, and samples at least 1").into());
    }
    let mixture = Mixture { variance, samples, seed };
    let (y, p) = (Stack::new(&truth)?, Stack::new(&forecast)?);
    y.like(&p, false)?;
    let values = members(py, y.m, PARALLEL, threads, |i, monitor| {
        let forth = mixture_divergence(y.series(i), p.series(i), mixture, monitor)?;
        Ok(if symmetric {
            (forth + mixture_divergence(p.series(i), y.series(i), mixture, monitor)?) / 2.0
        } else {
            forth
        })
    })?;
    Ok(PyArray::from_vec(py, values))
}

const BOUNDARIES: [(&str, Boundary); 2] = [("reflect", Boundary::Reflect), ("mirror", Boundary::Mirror)];

/// Distance of smoothed power spectra of each variable, (m, d).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, smoothing=20.0, boundary="reflect", comparison="hellinger", threads=None))]
#[allow(clippy::too_many_arguments)]
pub fn spectral_distance<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    smoothing: f64,
    boundary: &str,
    comparison: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let boundary = choice("boundary", boundary, &BOUNDARIES)?;
    let comparisons = [("hellinger", Comparison::Hellinger), ("decibel", Comparison::Decibel)];
    let comparison = choice("comparison", comparison, &comparisons)?;
    check_smoothing(smoothing)?;
    let fourier = Fourier::new(truth.shape()[1].max(1));
    each_variable(
        py,
        &truth,
        &forecast,
        true,
        |n| 500.0 * n,
        threads,
        |y, p| {
            let [y, p] = [y, p].map(|series| spectrum::spectrum(&series, &fourier, smoothing, boundary));
            spectrum::distance(&y, &p, comparison)
        },
    )
}

/// Smoothed power spectra that sum to one, (m, n / 2 + 1, d).
#[pyfunction]
#[pyo3(signature = (series, *, smoothing=20.0, boundary="reflect"))]
pub fn power_spectra<'py>(
    py: Python<'py>,
    series: Numbers<'py>,
    smoothing: f64,
    boundary: &str,
) -> PyResult<Bound<'py, PyArray3<f64>>> {
    let boundary = choice("boundary", boundary, &BOUNDARIES)?;
    check_smoothing(smoothing)?;
    let x = Stack::new(&series)?;
    let (fourier, bins) = (Fourier::new(x.n), x.n / 2 + 1);
    let columns = members(py, x.m * x.d, x.values.len() as f64 * 500.0, None, |i, _| {
        Ok(spectrum::spectrum(&x.series(i / x.d).column(i % x.d), &fourier, smoothing, boundary))
    })?;
    let places = (0..x.m).flat_map(|i| (0..bins).flat_map(move |k| (0..x.d).map(move |v| (i * x.d + v, k))));
    PyArray::from_vec(py, places.map(|(column, k)| columns[column][k]).collect()).reshape([x.m, bins, x.d])
}

fn check_smoothing(sigma: f64) -> Result<()> {
    if (0.0..=1e6).contains(&sigma) {
        Ok(())
    } else {
        Err(Error::value(format!("smoothing must be between 0 and 1e6 bins, found {sigma}")))
    }
}

/// Root mean square difference of autocorrelations of each variable, (m, d).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, lags, threads=None))]
pub fn autocorrelation_distances<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    lags: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    if lags == 0 {
        return Err(Error::value("lags must be at least 1, found 0").into());
    }
    each_variable(
        py,
        &truth,
        &forecast,
        false,
        |n| n * lags as f64,
        threads,
        |y, p| autocorrelation::distance(&y, &p, lags),
    )
}

/// Wasserstein distance of the marginals, (m, d).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, order=1.0, threads=None))]
pub fn marginal_transport<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    order: f64,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    check_order(order)?;
    each_variable(
        py,
        &truth,
        &forecast,
        false,
        |n| 50.0 * n,
        threads,
        |y, p| transport::root(transport::on_a_line(y, p, order), order),
    )
}

/// Sliced Wasserstein distance, (m,).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, order=2.0, directions=100, seed=0, threads=None))]
#[allow(clippy::too_many_arguments)]
pub fn sliced_transport<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    order: f64,
    directions: usize,
    seed: u64,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    check_order(order)?;
    if directions == 0 {
        return Err(Error::value("directions must be at least 1, found 0").into());
    }
    cloud(py, &truth, &forecast, threads, |y, p, monitor| transport::sliced(y, p, order, directions, seed, monitor))
}

fn check_order(order: f64) -> Result<()> {
    if (1.0..=100.0).contains(&order) {
        Ok(())
    } else {
        Err(Error::value(format!("order must be between 1 and 100, found {order}")))
    }
}

/// `of` each pair of clouds of points, (m,).
fn cloud<'py>(
    py: Python<'py>,
    truth: &Numbers<'py>,
    forecast: &Numbers<'py>,
    threads: Option<usize>,
    of: impl Fn(Series<'_>, Series<'_>, &Monitor) -> Result<f64> + Sync + Send,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (y, p) = (Stack::new(truth)?, Stack::new(forecast)?);
    y.like(&p, false)?;
    let values = members(py, y.m, PARALLEL, threads, |i, monitor| of(y.series(i), p.series(i), monitor))?;
    Ok(PyArray::from_vec(py, values))
}

/// Square of the maximum mean discrepancy of at most `points` samples of each, (m,).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, bandwidth=None, points=2000, threads=None))]
pub fn mean_discrepancy<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    bandwidth: Option<f64>,
    points: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    if points == 0 || bandwidth.is_some_and(|bandwidth| !(bandwidth > 0.0 && bandwidth.is_finite())) {
        return Err(Error::value("bandwidth must be positive and finite, and points at least 1").into());
    }
    cloud(py, &truth, &forecast, threads, |y, p, monitor| {
        let (few, others) = (y.thinned(points), p.thinned(points));
        // Beyond what is thinned away, too, nothing may be without a value.
        if !y.is_finite() || !p.is_finite() {
            return Ok(f64::NAN);
        }
        discrepancy(Series::new(&few, y.d), Series::new(&others, p.d), bandwidth, monitor)
    })
}

/// Divergence from distances to the k-th neighbour, (m,).
#[pyfunction]
#[pyo3(signature = (truth, forecast, *, neighbours=5, threads=None))]
pub fn nearest_divergence<'py>(
    py: Python<'py>,
    truth: Numbers<'py>,
    forecast: Numbers<'py>,
    neighbours: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    if neighbours == 0 {
        return Err(Error::value("neighbours must be at least 1, found 0").into());
    }
    cloud(py, &truth, &forecast, threads, |y, p, monitor| neighbour_divergence(y, p, neighbours, monitor))
}

/// Correlation dimension by maximum likelihood, (m,).
#[pyfunction]
#[pyo3(signature = (series, *, quantile, window, points, threads=None))]
pub fn takens_dimension<'py>(
    py: Python<'py>,
    series: Numbers<'py>,
    quantile: f64,
    window: usize,
    points: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    if !(quantile > 0.0 && quantile < 1.0) || window == 0 || points < 2 {
        return Err(Error::value("quantile must be between 0 and 1, window at least 1, and points at least 2").into());
    }
    let settings = Settings { quantile, window, points };
    cloud(py, &series, &series, threads, |x, _, monitor| dimension::correlation_dimension(x, settings, monitor))
}
