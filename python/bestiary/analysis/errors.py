"""From the rows of a benchmark to one error for each system and forecaster."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..definition import Array
from ..exceptions import RequestError, UnknownName

if TYPE_CHECKING:
    import polars as pl

__all__ = ["RESOLVED", "by_system", "matrix", "resolved"]

WORST = {"smape": 200.0}
"""The error of a forecast that escaped, failed or was late; infinite for other metrics."""

RESOLVED = math.log(200) / 200
"""Separations on a torus grow like t, so that over 200 periods, the run of the quick estimate, an exponent of 0 shows
as about ln(200)/200 for each period."""


def by_system(frame: pl.DataFrame, metric: str = "smape") -> pl.DataFrame:
    """
    One error for each system, setting and forecaster: the median over the members.

    A forecast that is not there counts as the worst there is. Rows without data are left out: nobody could forecast.

    Parameters
    ----------
    frame : results as `bestiary.benchmark` gives them, or any frame with the columns system, forecaster and a metric
    metric : name of the column, the smaller the better

    Returns
    -------
    polars.DataFrame
        setting, system, forecaster, error
    """
    import polars as pl

    for name in ("system", "forecaster", metric):
        if name not in frame.columns:
            raise UnknownName("column", name, frame.columns)
    if "outcome" in frame.columns:
        frame = frame.filter(pl.col("outcome") != "no data")
    if "setting" not in frame.columns:
        frame = frame.with_columns(setting=pl.lit(""))
    error = pl.col(metric).cast(pl.Float64).fill_nan(None).fill_null(WORST.get(metric, float("inf")))
    return (
        frame.with_columns(error=error)
        .group_by("setting", "system", "forecaster")
        .agg(pl.col("error").median())
        .sort("setting", "system", "forecaster")
    )


def resolved(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a null for exponents that are not told from 0, those below `RESOLVED` for each period."""
    import polars as pl

    is_resolved = pl.col("exponent") * pl.col("period") > RESOLVED
    return frame.with_columns(exponent=pl.when(is_resolved).then(pl.col("exponent")))


def matrix(errors: pl.DataFrame) -> tuple[list[str], list[str], Array]:
    """Systems, forecasters and the errors (systems, forecasters) of one setting, on the systems that all have."""
    import polars as pl

    if errors["setting"].n_unique() > 1:
        names = ", ".join(sorted(errors["setting"].unique())[:4])
        raise RequestError(f"the frame has several settings ({names} …): filter one of them")
    forecasters = sorted(errors["forecaster"].unique())
    wide = errors.pivot("forecaster", index="system", values="error").sort("system").select("system", *forecasters)
    wide = wide.filter(pl.all_horizontal(pl.col(forecasters).is_not_null()))
    if wide.is_empty():
        raise RequestError("no system has results of all forecasters")
    return wide["system"].to_list(), forecasters, np.asarray(wide.select(forecasters).to_numpy())
