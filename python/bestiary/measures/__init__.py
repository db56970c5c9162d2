"""What is measured on systems and series: values with standard errors, and what they were measured with."""

from . import deviations, dimensions, exponents, period, scale, surrogates
from .complexity import lempel_ziv, zero_one_test
from .correlation import correlation_dimension, correlation_entropy, correlation_sum, takens_dimension
from .deviations import (
    Alignment,
    CovariantVectors,
    FiniteTimeExponents,
    alignment,
    covariant_vectors,
    finite_time_exponents,
)
from .dimensions import kaplan_yorke, lyapunov_time, pesin_entropy
from .divergence import divergence_curve, largest_exponent_kantz, largest_exponent_rosenstein, spectrum_from_data
from .embedding import cao, delay_by_autocorrelation, delay_by_information, embed, false_neighbours, mutual_information
from .entropies import approximate_entropy, multiscale_entropy, permutation_entropy, sample_entropy
from .estimate import Estimate
from .exponents import conditional_exponents, lyapunov_spectrum
from .fluctuation import autocorrelation_time, detrended_fluctuation, hurst_exponent
from .fractal import box_counting_dimension, generalised_dimension, higuchi_dimension, local_dimension
from .period import DominantPeriod, dominant_period, period_from_data
from .recurrence import Recurrence, recurrence_quantification
from .scale import Scale, typical_scale
from .series import autocorrelation, theiler_window

__all__ = [
    "Alignment",
    "CovariantVectors",
    "DominantPeriod",
    "Estimate",
    "FiniteTimeExponents",
    "Recurrence",
    "Scale",
    "alignment",
    "approximate_entropy",
    "autocorrelation",
    "autocorrelation_time",
    "box_counting_dimension",
    "cao",
    "conditional_exponents",
    "correlation_dimension",
    "correlation_entropy",
    "correlation_sum",
    "covariant_vectors",
    "delay_by_autocorrelation",
    "delay_by_information",
    "detrended_fluctuation",
    "deviations",
    "dimensions",
    "divergence_curve",
    "dominant_period",
    "embed",
    "exponents",
    "false_neighbours",
    "finite_time_exponents",
    "generalised_dimension",
    "higuchi_dimension",
    "hurst_exponent",
    "kaplan_yorke",
    "largest_exponent_kantz",
    "largest_exponent_rosenstein",
    "lempel_ziv",
    "local_dimension",
    "lyapunov_spectrum",
    "lyapunov_time",
    "multiscale_entropy",
    "mutual_information",
    "period",
    "period_from_data",
    "permutation_entropy",
    "pesin_entropy",
    "recurrence_quantification",
    "sample_entropy",
    "scale",
    "spectrum_from_data",
    "surrogates",
    "takens_dimension",
    "theiler_window",
    "typical_scale",
    "zero_one_test",
]
