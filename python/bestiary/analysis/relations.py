"""What decides the error: time ahead, the invariants of the system; and whether a forecast is a copy of the past."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..definition import Array
from ..exceptions import RequestError, UnknownName
from .errors import by_system, resolved
from .statistics import bootstrap, spearman

if TYPE_CHECKING:
    import polars as pl

__all__ = ["correlations", "horizon_curves", "parroting_index"]


def horizon_curves(
    frame: pl.DataFrame,
    *,
    unit: str = "lyapunov",
    step: float = 0.1,
    end: float | None = None,
    confidence: float = 0.95,
    resamples: int = 400,
    seed: int = 0,
) -> pl.DataFrame:
    """
    The symmetric percentage error against the time ahead, median over the systems.

    Parameters
    ----------
    frame : results of `bestiary.benchmark`, with the column `curve`
    unit : "lyapunov" or "period"
        Of time. Systems whose exponent is not told from 0 (`RESOLVED`) have no Lyapunov time and are left out.
    step, end : width of the bins of time and the last time, in that unit; by default what half of the systems reach
    confidence, resamples, seed : of the bootstrap over systems

    Returns
    -------
    polars.DataFrame
        forecaster, time (middle of the bin), median, low, high, systems
    """
    import polars as pl

    if unit not in ("lyapunov", "period"):
        raise UnknownName("unit", unit, ["lyapunov", "period"])
    for name in ("curve", "dt", "exponent", "period"):
        if name not in frame.columns:
            raise UnknownName("column", name, frame.columns)
    frame = resolved(frame)
    rate = pl.col("exponent") if unit == "lyapunov" else 1 / pl.col("period")
    usable = frame.filter(pl.col("curve").is_not_null() & rate.is_not_null())
    if usable.is_empty():
        raise RequestError(f"no row has a curve and a {unit} time")
    every = usable.select("system", "forecaster", "curve", scale=rate * pl.col("dt"))
    reach = float(every.select((pl.col("scale") * pl.col("curve").list.len()).median()).item())
    end = end or reach
    points = (
        every.with_columns(sample=pl.int_ranges(1, pl.col("curve").list.len() + 1))
        .explode("curve", "sample")
        .with_columns(bin=((pl.col("sample") * pl.col("scale")) / step).floor().cast(pl.Int64))
        .filter(pl.col("bin") < round(end / step))
        .with_columns(pl.col("curve").fill_null(200.0))
        .group_by("forecaster", "system", "bin")
        .agg(pl.col("curve").mean())
    )
    rows = []
    for (name, number), part in points.sort("forecaster", "bin", "system").group_by(
        "forecaster", "bin", maintain_order=True
    ):
        values = part["curve"].to_numpy()
        low, high = bootstrap(
            functools.partial(_median, values),
            len(values), resamples=resamples, confidence=confidence, seed=seed,
        )  # fmt: skip
        rows.append((name, (number + 0.5) * step, float(np.median(values)), float(low), float(high), len(values)))
    return pl.DataFrame(rows, schema=["forecaster", "time", "median", "low", "high", "systems"], orient="row")


def correlations(
    frame: pl.DataFrame,
    invariants: pl.DataFrame | None = None,
    metric: str = "smape",
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pl.DataFrame:
    """
    Spearman's rank correlation of the error with each invariant of the systems.

    Parameters
    ----------
    frame : results of `bestiary.benchmark`
    invariants : frame with a column `system` and one column a number; by default what the results themselves know:
        exponent, period, exponent times period, number of variables
    metric, confidence, resamples, seed : as in `leaderboard`

    Returns
    -------
    polars.DataFrame
        forecaster ("best of all" takes the least error of each system), invariant, correlation, low, high, systems

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"system": list("ABCD"), "forecaster": "x", "smape": [1.0, 2.0, 3.0, 9.0]})
    >>> exponents = pl.DataFrame({"system": list("ABCD"), "exponent": [0.1, 0.2, 0.5, 0.9]})
    >>> correlations(rows, exponents).row(0)[:3]
    ('best of all', 'exponent', 1.0)
    """
    import polars as pl

    errors = by_system(frame, metric)
    if invariants is None:
        invariants = (
            resolved(frame)
            .group_by("system")
            .agg(pl.col("exponent").drop_nulls().first(), pl.col("period").drop_nulls().first())
            .with_columns(exponent_period=pl.col("exponent") * pl.col("period"))
        )
        from ..registry import systems

        dimensions = systems().select(pl.col("name").alias("system"), pl.col("dimension").cast(pl.Float64))
        invariants = invariants.join(dimensions, on="system", how="left")
    if "system" not in invariants.columns:
        raise UnknownName("column", "system", invariants.columns)
    numbers = [name for name, kind in invariants.schema.items() if kind.is_numeric()]
    best = errors.group_by("setting", "system").agg(pl.col("error").min())
    best = best.with_columns(forecaster=pl.lit("best of all")).select(errors.columns)
    rows = []
    for (name,), part in (
        pl.concat([best, errors]).sort("forecaster", "system").group_by("forecaster", maintain_order=True)
    ):
        joined = part.join(invariants, on="system")
        for invariant in numbers:
            kept = joined.filter(pl.col(invariant).is_finite())
            x, y = kept[invariant].cast(pl.Float64).to_numpy(), kept["error"].to_numpy()
            if len(x) < 3:
                continue
            low, high = bootstrap(
                functools.partial(_spearman, x, y),
                len(x), resamples=resamples, confidence=confidence, seed=seed,
            )  # fmt: skip
            rows.append((name, invariant, spearman(x, y), float(low), float(high), len(x)))
    found = pl.DataFrame(
        rows, schema=["forecaster", "invariant", "correlation", "low", "high", "systems"], orient="row"
    )
    return found.sort(pl.col("forecaster") != "best of all", "forecaster", "invariant")


def parroting_index(forecast: ArrayLike, context: ArrayLike, truth: ArrayLike, length: int | None = None) -> float:
    """
    How much a forecast is a copy of the past.

    The least distance between the first `length` samples of the forecast and any stretch of the context of that
    length, over the same distance for the true future. Near 0 the forecaster copies; near 1 the forecast is as new as
    the truth.

    Parameters
    ----------
    forecast, truth : arrays (n,) or (n, d)
    context : array (m,) or (m, d)
        What the forecaster saw.
    length : int
        By default all of the forecast, at most half of the context.

    Returns
    -------
    float
        0 for a copy, infinite where the truth is in the past already and the forecast is not.

    Examples
    --------
    >>> past = np.sin(np.arange(200) ** 1.5 / 40)
    >>> parroting_index(past[40:60], past, np.ones(20))
    0.0
    """
    p, x, y = (np.atleast_2d(np.asarray(part, dtype=np.float64).T).T for part in (forecast, context, truth))
    if not p.shape[1] == x.shape[1] == y.shape[1]:
        raise RequestError(f"forecast, context and truth have {p.shape[1]}, {x.shape[1]} and {y.shape[1]} columns")
    length = min(len(p), len(y), len(x) // 2) if length is None else length
    if not 1 <= length <= min(len(p), len(y), len(x)):
        raise RequestError(f"length must be between 1 and {min(len(p), len(y), len(x))}, not {length}")
    nearest, of_truth = _nearest(p[:length], x), _nearest(y[:length], x)
    if of_truth == 0:
        return 0.0 if nearest == 0 else float("inf")
    return nearest / of_truth


def _median(values: Array, chosen: NDArray[np.int64]) -> float:
    return float(np.median(values[chosen]))


def _spearman(x: Array, y: Array, chosen: NDArray[np.int64]) -> float:
    return spearman(x[chosen], y[chosen])


def _nearest(stretch: Array, x: Array) -> float:
    windows: Sequence[Array] = np.lib.stride_tricks.sliding_window_view(x, len(stretch), axis=0)  # type: ignore[assignment]
    apart = np.asarray(windows) - stretch.T
    return float(np.sqrt((apart**2).sum(axis=(1, 2)).min()))
