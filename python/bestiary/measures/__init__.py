"""What is measured on systems and series: values with standard errors, and what they were measured with."""

from . import period, scale, surrogates
from .complexity import lempel_ziv, zero_one_test
from .correlation import correlation_dimension, correlation_entropy, correlation_sum, takens_dimension
from .divergence import divergence_curve, largest_exponent_kantz, largest_exponent_rosenstein, spectrum_from_data
from .embedding import cao, delay_by_autocorrelation, delay_by_information, embed, false_neighbours, mutual_information
from .entropies import approximate_entropy, multiscale_entropy, permutation_entropy, sample_entropy
from .estimate import Estimate
from .fluctuation import autocorrelation_time, detrended_fluctuation, hurst_exponent
from .fractal import box_counting_dimension, generalised_dimension, higuchi_dimension, local_dimension
from .period import DominantPeriod, dominant_period
from .recurrence import Recurrence, recurrence_quantification
from .scale import Scale, typical_scale
from .series import autocorrelation, theiler_window

__all__ = [
    "DominantPeriod",
    "Estimate",
    "Recurrence",
    "Scale",
    "approximate_entropy",
    "autocorrelation",
    "autocorrelation_time",
    "box_counting_dimension",
    "cao",
    "correlation_dimension",
    "correlation_entropy",
    "correlation_sum",
    "delay_by_autocorrelation",
    "delay_by_information",
    "detrended_fluctuation",
    "divergence_curve",
    "dominant_period",
    "embed",
    "false_neighbours",
    "generalised_dimension",
    "higuchi_dimension",
    "hurst_exponent",
    "largest_exponent_kantz",
    "largest_exponent_rosenstein",
    "lempel_ziv",
    "local_dimension",
    "multiscale_entropy",
    "mutual_information",
    "period",
    "permutation_entropy",
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
