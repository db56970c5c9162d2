"""What is known of the systems that were forecast, as a frame to set errors against."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

    from ..system import System

__all__ = ["INVARIANTS", "invariants"]

INVARIANTS = {
    "largest_exponent": "exponent",
    "entropy": "entropy",
    "kaplan_yorke_dimension": "kaplan_yorke_dimension",
    "correlation_dimension": "correlation_dimension",
    "multiscale_entropy": "multiscale_entropy",
}
"""Records under `[measured]` of an entry, and the columns that they make."""


def invariants(systems: Iterable[System]) -> pl.DataFrame:
    """
    Exponents, dimensions and entropies of systems as the catalogue has measured them, one row a system.

    Parameters
    ----------
    systems : systems with records, such as `bestiary.registry.measured_form` gives them

    Returns
    -------
    polars.DataFrame
        system, variables, period, exponent, exponent_period (the growth in one period), entropy (sum of the positive
        exponents), kaplan_yorke_dimension, correlation_dimension, multiscale_entropy (mean over the scales); NaN where
        nothing was measured.

    Examples
    --------
    >>> from bestiary import system
    >>> frame = invariants([system("Lorenz"), system("Henon")])
    >>> frame["exponent"].round(1).to_list()
    [0.9, 0.4]
    """
    import polars as pl

    rows = []
    for system in systems:
        measured = system.entry.get("measured", {})
        row: dict[str, Any] = {"system": system.name, "variables": float(system.dimension), "period": system.period}
        for key, column in INVARIANTS.items():
            value = measured.get(key, {}).get("value", float("nan"))
            row[column] = float(np.mean(value))
        row["exponent_period"] = row["exponent"] * row["period"]
        rows.append(row)
    numbers = ["variables", "period", "exponent", "exponent_period", *list(INVARIANTS.values())[1:]]
    return pl.DataFrame(rows, schema={"system": pl.String, **dict.fromkeys(numbers, pl.Float64)})
