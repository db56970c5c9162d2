"""Many metrics at once: of arrays, and of the rows of a Polars frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..exceptions import RequestError, UnknownName
from . import point
from .arrays import Pair, Value, pair
from .horizon import valid_prediction_time
from .spectrum import (
    autocorrelation_distance,
    correlation_dimension_error,
    hellinger_distance,
    power_spectrum_distance,
)
from .state_space import kl_divergence, mmd, sliced_wasserstein, state_space_divergence, wasserstein
from .warping import dtw

if TYPE_CHECKING:
    import polars as pl

GROUPS: dict[str, tuple[str, ...]] = {
    "point": point.NAMES,
    "matching": ("valid_prediction_time", "mutual_information", "dtw"),
    "attractor": (
        "state_space_divergence",
        "hellinger_distance",
        "power_spectrum_distance",
        "autocorrelation_distance",
        "kl_divergence",
        "wasserstein",
        "sliced_wasserstein",
        "mmd",
        "correlation_dimension_error",
    ),
}
"""Names of the metrics that need a truth and a forecast and nothing else, in groups."""

_OTHERS: dict[str, Callable[..., Value]] = {
    function.__name__: function
    for function in (
        valid_prediction_time,
        point.mutual_information,
        dtw,
        state_space_divergence,
        hellinger_distance,
        power_spectrum_distance,
        autocorrelation_distance,
        kl_divergence,
        wasserstein,
        sliced_wasserstein,
        mmd,
        correlation_dimension_error,
    )
}


def all(
    truth: ArrayLike,
    forecast: ArrayLike,
    train: ArrayLike | None = None,
    *,
    metrics: Sequence[str] | str = ("point", "matching", "attractor"),
) -> dict[str, Value]:
    """
    Every metric that needs a truth and a forecast and nothing else, at its defaults.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
    train : array of shape (time,) or (…, time, variable), of any length, optional
        The training series, by which `mase` scales.
    metrics : names of groups ("point", "matching", "attractor") and of metrics
        The point errors are computed together, in microseconds; dynamic time warping takes a time that grows with the
        square of the length. `valid_prediction_time` is in samples.

    Returns
    -------
    dict of floats, or of arrays of the shape of the leading axes, by name

    Examples
    --------
    >>> values = all([1.0, 2.0, 4.0], [1.0, 3.0, 2.0], metrics=["mae", "smape"])
    >>> values["mae"], round(values["smape"], 6)
    (1.0, 35.555556)
    """
    return _table(pair(truth, forecast), names_of(metrics), train)


def score(
    frame: pl.DataFrame,
    truth: str | Sequence[str] = "truth",
    forecast: str | Sequence[str] = "forecast",
    train: str | None = None,
    *,
    by: str | Sequence[str] | None = None,
    metrics: Sequence[str] | str = "point",
) -> pl.DataFrame:
    """
    The metrics of the forecasts in a Polars frame.

    Two layouts. With a forecast a row, `truth` and `forecast` name columns of lists (or arrays): numbers for one
    variable, rows of numbers for several; the lengths may differ from row to row. With a sample a row, as in the files
    of `bestiary.generate`, `by` names the columns that tell the forecasts apart, and `truth` and `forecast` the
    columns of the variables, in the same order; the rows of a forecast must be in the order of time.

    Parameters
    ----------
    frame : polars.DataFrame
    truth, forecast : names of columns
    train : name of a column of lists, for a forecast a row
    by : names of columns
    metrics : as for `all`

    Returns
    -------
    polars.DataFrame
        The frame with one column more for each metric; with `by`, one row a forecast, in order of first appearance. A
        null among the numbers counts as NaN; where a whole list is null, so are the metrics.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"model": ["a", "b"], "truth": [[1.0, 2.0]] * 2, "forecast": [[1.0, 2.0], [2.0, 2.0]]})
    >>> score(rows, metrics=["mae"])["mae"].to_list()
    [0.0, 0.5]
    >>> samples = rows.explode("truth", "forecast")
    >>> score(samples, "truth", "forecast", by="model", metrics=["mae"]).rows()
    [('a', 0.0), ('b', 0.5)]
    """
    import polars as pl

    names = names_of(metrics)
    if by is not None:
        if train is not None:
            raise RequestError("train is a column of lists, for frames that have a forecast a row; leave it out, or by")
        keys, past, guess = ([name] if isinstance(name, str) else list(name) for name in (by, truth, forecast))
        if len(past) != len(guess):
            raise RequestError(f"truth names {len(past)} columns and forecast {len(guess)}: give as many, in order")
        _check_columns(frame, [*keys, *past, *guess])
        _check_new(keys, names)
        parts = frame.partition_by(keys, maintain_order=True)
        tables = [_table(pair(_matrix(part, past), _matrix(part, guess)), names, None) for part in parts]
        firsts = frame.select(keys).unique(maintain_order=True)
        return firsts.with_columns(_columns(tables, names))
    if not isinstance(truth, str) or not isinstance(forecast, str):
        raise RequestError("several columns of truth and forecast need by=, the columns that tell the forecasts apart")
    _check_columns(frame, [truth, forecast, *([train] if train else [])])
    _check_new(frame.columns, names)
    for name in (truth, forecast, *([train] if train else [])):
        if frame.schema[name].base_type() not in (pl.List, pl.Array):
            raise RequestError(f'column "{name}" holds {frame.schema[name]}, not lists; for a sample a row give by=')
    rows: list[dict[str, Value] | None] = []
    for row in frame.select(truth, forecast, *([train] if train else [])).iter_rows():
        if any(cell is None for cell in row):
            rows.append(None)
        else:
            y, p, *x = (_numbers(cell) for cell in row)
            rows.append(_table(pair(y, p), names, x[0] if x else None))
    return frame.with_columns(_columns(rows, names))


def names_of(metrics: Sequence[str] | str) -> tuple[str, ...]:
    """Names of metrics, groups written out, each once."""
    known = [name for group in GROUPS.values() for name in group]
    names: list[str] = []
    for wanted in [metrics] if isinstance(metrics, str) else metrics:
        if wanted not in GROUPS and wanted not in known:
            raise UnknownName("metric", str(wanted), [*GROUPS, *known])
        names += [name for name in GROUPS.get(wanted, (wanted,)) if name not in names]
    if not names:
        raise RequestError("metrics names none")
    return tuple(names)


def _table(both: Pair, names: tuple[str, ...], train: ArrayLike | None) -> dict[str, Value]:
    points = tuple(name for name in names if name in point.NAMES)
    values: dict[str, Value] = {}
    if points:
        errors = point.table(both, points, train)
        columns = errors[0].tolist() if both.lead == () else [both.value(column) for column in errors.T]
        values = dict(zip(points, columns, strict=True))
    others = {
        name: both.value(np.asarray(_OTHERS[name](both.truth, both.forecast))) for name in names if name in _OTHERS
    }
    values |= others
    return {name: values[name] for name in names} if others else values


def _columns(rows: Sequence[dict[str, Value] | None], names: tuple[str, ...]) -> list[pl.Series]:
    import polars as pl

    return [pl.Series(name, [None if row is None else row[name] for row in rows], dtype=pl.Float64) for name in names]


def _matrix(part: pl.DataFrame, columns: list[str]) -> np.ndarray[Any, Any]:
    import polars as pl

    return part.select(pl.col(columns).cast(pl.Float64).fill_null(float("nan"))).to_numpy()


def _numbers(cell: Any) -> np.ndarray[Any, Any]:
    """A list of numbers or of rows; a null is NaN."""
    try:
        return np.array(cell, dtype=np.float64)
    except (TypeError, ValueError):
        raise RequestError("a list of samples must hold numbers, or rows of as many numbers") from None


def _check_columns(frame: pl.DataFrame, names: list[str]) -> None:
    for name in names:
        if name not in frame.columns:
            raise UnknownName("column", name, frame.columns)


def _check_new(columns: Sequence[str], names: tuple[str, ...]) -> None:
    taken = [name for name in names if name in columns]
    if taken:
        raise RequestError(f"the frame has columns of these names already: {', '.join(taken)}")
