"""What is measured on systems and series: values with standard errors, and what they were measured with."""

from . import period, scale, surrogates
from .period import DominantPeriod, dominant_period
from .scale import Scale, typical_scale

__all__ = ["DominantPeriod", "Scale", "dominant_period", "period", "scale", "surrogates", "typical_scale"]
