"""What a measurement returns: a value, its standard error, and what it was measured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..definition import Array

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """
    A measured value with its standard error.

    `value` and `error` are numbers, or arrays of the same shape. `converged` is whether what the method demands of the
    data was met; a value that is not converged says little. `settings` holds every choice that was made, also those by
    default, and `method` says in words what was done and where the standard error comes from.
    """

    value: float | Array
    error: float | Array
    converged: bool
    settings: Mapping[str, object]
    method: str

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        value, error = np.asarray(self.value), np.asarray(self.error)
        parts = [f"{v:.6g} ± {e:.2g}" for v, e in zip(value.ravel()[:8], error.ravel()[:8], strict=True)]
        more = f", … ({value.size} values)" if value.size > 8 else ""
        text = parts[0] if value.ndim == 0 else f"[{', '.join(parts)}{more}]"
        return f"Estimate({text}{'' if self.converged else ', not converged'})"
