"""How near the long free runs of forecasters come to the attractor: distances over their floors, and invariants."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..definition import Array
from ..exceptions import RequestError
from .statistics import bootstrap

if TYPE_CHECKING:
    import polars as pl

__all__ = ["attractors"]

_OWN, _FLOOR = "own_", "_floor"


def attractors(frame: pl.DataFrame, *, confidence: float = 0.95, resamples: int = 1000, seed: int = 0) -> pl.DataFrame:
    """
    What free runs have in common with the systems, median over the systems.

    Of each metric with a floor, how far it is above the floor: its value less that of two stretches of the truth. Of
    each invariant, the difference from that of the truth by the same estimator: relative for exponents, of the systems
    whose own is positive by three standard errors; as it is for dimensions. A run that has no invariant, because it
    rests or went to infinity, counts as infinitely far.

    Parameters
    ----------
    frame : results of the task `reconstruction`, or of another whose results have columns `own_…` and `…_floor`
    confidence, resamples, seed : of the intervals, percentiles of a bootstrap over the systems

    Returns
    -------
    polars.DataFrame
        forecaster, quantity, median, low, high, systems; sorted by quantity and median

    Raises
    ------
    RequestError
        If the results have neither invariants nor floors.

    Examples
    --------
    >>> import polars as pl
    >>> own = {"own_largest_exponent": [0.8, 1.1], "own_largest_exponent_truth": [1.0, 1.0]}
    >>> rows = pl.DataFrame({"system": ["A", "B"], "forecaster": "x", "outcome": "ok", **own})
    >>> attractors(rows).select("quantity", "median").rows()
    [('largest_exponent, relative difference', 0.15000000000000002)]
    """
    import polars as pl

    wanted = {}
    for column in frame.columns:
        name, truth = column.removeprefix(_OWN), pl.col(f"{column}_truth")
        if column.startswith(_OWN) and f"{column}_truth" in frame.columns:
            if "exponent" in name:
                error = f"{column}_truth_error"
                least = 3 * pl.col(error) if error in frame.columns else 0.0
                wanted[f"{name}, relative difference"] = ((pl.col(column) - truth).abs() / truth, truth > least)
            else:
                wanted[f"{name}, difference"] = ((pl.col(column) - truth).abs(), truth.is_not_null())
        elif column.endswith(_FLOOR):
            metric = column.removesuffix(_FLOOR)
            wanted[f"{metric}, above its floor"] = (pl.col(metric) - pl.col(column), pl.col(column).is_not_null())
    if not wanted:
        raise RequestError("these results have no invariants of attractors and no floors: run the task reconstruction")
    known = frame.filter(pl.col("outcome") != "no data")
    rows = []
    for quantity, (expression, known_of_truth) in wanted.items():
        far = known.filter(known_of_truth).with_columns(far=expression.fill_nan(None).fill_null(np.inf))
        each = far.group_by("forecaster", "system").agg(pl.col("far").median())
        for (who,), own in each.sort("forecaster", "system").group_by("forecaster", maintain_order=True):
            values = own["far"].to_numpy()
            low, high = bootstrap(
                functools.partial(_median, values), len(values), resamples=resamples, confidence=confidence, seed=seed,
            )  # fmt: skip
            rows.append((who, quantity, float(np.median(values)), float(low), float(high), len(values)))
    columns = ["forecaster", "quantity", "median", "low", "high", "systems"]
    return pl.DataFrame(rows, schema=columns, orient="row").sort("quantity", "median", "forecaster")


def _median(values: Array, chosen: NDArray[np.int64]) -> float:
    return float(np.median(values[chosen]))
