"""
What a long free run says of the forecaster's own attractor: its invariants beside those of the truth, and the floors
of the distances between the two.

The same estimators look at both, in the coordinates that were forecast, so that their biases are the same. A floor is
the distance of the truth from the series that was learned from: two stretches of the same system, which no forecaster
is asked to be nearer than.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from .. import measures, metrics
from ..definition import Array
from ..exceptions import RequestError

__all__ = ["INVARIANTS", "columns", "floors", "invariants"]

# Of points in order of time, and the time between them.
INVARIANTS: Mapping[str, Callable[[Array, float], measures.Estimate]] = MappingProxyType(
    {
        "largest_exponent": lambda x, dt: measures.largest_exponent_rosenstein(x, dt=dt, threads=1),
        "correlation_dimension": lambda x, dt: measures.correlation_dimension(x, threads=1),
    }
)


def columns(names: list[str], distances: list[str]) -> list[str]:
    """The columns of results that a task with these invariants and floors has."""
    ends = ("", "_error", "_truth", "_truth_error")
    return [f"own_{name}{end}" for name in names for end in ends] + [f"{name}_floor" for name in distances]


def invariants(x: Array, dt: float, names: list[str]) -> dict[str, tuple[float, float]]:
    """Value and standard error of each, NaN where the points do not have it: at rest, or gone to infinity."""
    return {name: _measured(x, dt, INVARIANTS[name]) for name in names}


def floors(truth: Array, other: Array, distances: list[str]) -> dict[str, float]:
    """The distances between two stretches of one system, the last of each and equally long."""
    n = min(len(truth), len(other))
    found = metrics.all(truth[-n:], other[-n:], metrics=distances) if distances else {}
    return {f"{name}_floor": float(np.asarray(value)) for name, value in found.items()}


def _measured(x: Array, dt: float, measure: Callable[[Array, float], measures.Estimate]) -> tuple[float, float]:
    if not np.isfinite(x).all():
        return np.nan, np.nan
    try:
        found = measure(x, dt)
    except RequestError:
        return np.nan, np.nan
    return float(found.value), float(found.error)
