"""What is measured on systems and series: values with standard errors, and what they were measured with."""

from . import deviations, dimensions, exponents, period, scale, surrogates
from .deviations import (
    Alignment,
    CovariantVectors,
    FiniteTimeExponents,
    alignment,
    covariant_vectors,
    finite_time_exponents,
)
from .dimensions import kaplan_yorke, pesin_entropy
from .estimate import Estimate
from .exponents import conditional_exponents, lyapunov_spectrum
from .period import DominantPeriod, dominant_period
from .scale import Scale, typical_scale

__all__ = [
    "Alignment",
    "CovariantVectors",
    "DominantPeriod",
    "Estimate",
    "FiniteTimeExponents",
    "Scale",
    "alignment",
    "conditional_exponents",
    "covariant_vectors",
    "deviations",
    "dimensions",
    "dominant_period",
    "exponents",
    "finite_time_exponents",
    "kaplan_yorke",
    "lyapunov_spectrum",
    "period",
    "pesin_entropy",
    "scale",
    "surrogates",
    "typical_scale",
]
