//! The only folder that knows Python: arguments converted, one call, results converted.

mod data;
mod forecast;
mod history;
mod measures;
mod metrics;
mod run;
mod solve;
mod system;

use crate::error::Error;
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;

pyo3::create_exception!(_core, LanguageError, PyValueError, "The text of an equation could not be understood.");

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        match error {
            Error::Language { .. } => LanguageError::new_err(error.to_string()),
            Error::Value(message) => PyValueError::new_err(message),
            Error::Interrupted => PyKeyboardInterrupt::new_err("interrupted"),
        }
    }
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("LanguageError", module.py().get_type::<LanguageError>())?;
    module.add_class::<system::PySystem>()?;
    module.add_class::<solve::PyResultTable>()?;
    module.add_function(wrap_pyfunction!(system::rename, module)?)?;
    module.add_class::<forecast::PyLibrary>()?;
    module.add_class::<forecast::PyReservoir>()?;
    module.add_function(wrap_pyfunction!(solve::solve, module)?)?;
    module.add_function(wrap_pyfunction!(solve::largest_exponent, module)?)?;
    module.add_function(wrap_pyfunction!(measures::tangent_growth, module)?)?;
    module.add_function(wrap_pyfunction!(solve::uniforms, module)?)?;
    module.add_function(wrap_pyfunction!(solve::normals, module)?)?;
    module.add_function(wrap_pyfunction!(solve::machine, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::point_errors, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::persistence_error, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::mutual_informations, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::warping_distance, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::interval_scores, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::ranked_probability_scores, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::error_curves, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::samples_within, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::binned_divergence, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::mixture_divergences, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::spectral_distance, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::power_spectra, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::autocorrelation_distances, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::marginal_transport, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::sliced_transport, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::mean_discrepancy, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::nearest_divergence, module)?)?;
    module.add_function(wrap_pyfunction!(metrics::takens_dimension, module)?)?;
    module.add_function(wrap_pyfunction!(data::logarithms, module)?)?;
    module.add_function(wrap_pyfunction!(data::powers, module)?)?;
    module.add_function(wrap_pyfunction!(data::nearest_neighbours, module)?)?;
    module.add_function(wrap_pyfunction!(data::neighbour_sums, module)?)?;
    module.add_function(wrap_pyfunction!(data::neighbour_counts, module)?)?;
    module.add_function(wrap_pyfunction!(data::distance_logarithms, module)?)?;
    module.add_function(wrap_pyfunction!(data::divergence_sums, module)?)?;
    module.add_function(wrap_pyfunction!(data::fitted_exponents, module)?)?;
    module.add_function(wrap_pyfunction!(data::box_moments, module)?)?;
    module.add_function(wrap_pyfunction!(data::order_counts, module)?)?;
    module.add_function(wrap_pyfunction!(data::lempel_ziv_words, module)?)?;
    module.add_function(wrap_pyfunction!(data::detrended_fluctuations, module)?)?;
    module.add_function(wrap_pyfunction!(data::rescaled_ranges, module)?)?;
    module.add_function(wrap_pyfunction!(data::graph_lengths, module)?)?;
    module.add_function(wrap_pyfunction!(data::zero_one_correlations, module)?)?;
    module.add_function(wrap_pyfunction!(data::recurrence_lines, module)?)?;
    module.add_function(wrap_pyfunction!(data::local_dimensions, module)?)?;
    Ok(())
}
