"""What a measure returns: a value with its standard error, whether it converged, and what it was measured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..definition import Array

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """
    A measured value.

    Attributes
    ----------
    value, error : float or float64 array
        The value and its standard error, of the same shape.
    converged : bool
        Whether the requested error was reached and the two halves of the run agree.
    verdict : str
        What kind of motion the numbers show, where the measure tells it: "chaotic", "hyperchaotic", "quasi-periodic",
        "periodic", "fixed point" or "unresolved"; otherwise empty.
    settings : mapping
        What it was measured with; `duration` is the time over which each member was averaged.
    covariance : float64 array of shape (k, k) or None
        Covariance of the errors, of a vector.
    """

    value: Any
    error: Any
    converged: bool
    verdict: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    covariance: Array | None = None

    def __repr__(self) -> str:
        pairs = zip(np.atleast_1d(self.value), np.atleast_1d(self.error), strict=True)
        numbers = ", ".join(f"{value:.6g} ± {error:.2g}" for value, error in pairs)
        verdict = f", {self.verdict}" if self.verdict else ""
        return f"Estimate({numbers}{verdict}{'' if self.converged else ', not converged'})"
