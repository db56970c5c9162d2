"""What is measured on systems and series: values with standard errors, and what they were measured with."""

from . import dimensions, exponents, period, scale, surrogates
from .dimensions import kaplan_yorke, pesin_entropy
from .estimate import Estimate
from .exponents import conditional_exponents, lyapunov_spectrum
from .period import DominantPeriod, dominant_period
from .scale import Scale, typical_scale

__all__ = [
    "DominantPeriod",
    "Estimate",
    "Scale",
    "conditional_exponents",
    "dimensions",
    "dominant_period",
    "exponents",
    "kaplan_yorke",
    "lyapunov_spectrum",
    "period",
    "pesin_entropy",
    "scale",
    "surrogates",
    "typical_scale",
]
