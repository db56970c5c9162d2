"""
Choosing the arguments of a forecaster by rolling-origin validation, on the training series alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import BestiaryError, RequestError
from .base import Forecaster
from .delays import generator_of
from .series import Series, read_train

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Tuning", "tune"]

# Validation forecasts start in the last part of each series.
_VALIDATED = 1 / 3


@dataclass(frozen=True, eq=False)
class Tuning:
    """
    Attributes
    ----------
    forecaster : the best one, fitted to the whole training series
    parameters : what was chosen
    score : its error
    table : Polars frame, a row a candidate: its arguments as text, score (null: not tried), error
    """

    forecaster: Forecaster
    parameters: dict[str, Any]
    score: float
    table: pl.DataFrame

    def __repr__(self) -> str:
        return f"Tuning of {self.table.height} candidates: {self.forecaster!r}, error {self.score:.4g}"


def tune(
    forecaster: Forecaster,
    grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    train: Series,
    *,
    dt: float | None = None,
    horizon: int | None = None,
    origins: int = 3,
    score: Callable[[Array, Array], float] | None = None,
    candidates: int | None = None,
    budget: float | None = None,
    threads: int | None = None,
    seed: int = 0,
) -> Tuning:
    """
    The arguments that forecast the training series best from its own past.

    Each candidate is fitted to the samples before an origin and scored on the `horizon` samples after it, for several
    origins spread over the last third of the training series. The best is then fitted to all of it.

    Parameters
    ----------
    forecaster : Forecaster
        Its other arguments stay as they are. It is not changed.
    grid : mapping of lists, or list of mappings
        All combinations of the listed arguments, or just the listed ones.
    train, dt
        As in `fit`. Of several trajectories, each is forecast with the others in the training set.
    horizon : int
        Samples forecast from an origin; a tenth of the shortest series by default.
    origins : int
    score : callable
        Error of (truth, forecast), both (horizon, d), the smaller the better. By default the root mean square error in
        units of the standard deviation of each coordinate; a forecast that is not finite counts as infinitely wrong.
    candidates : int
        Try this many, drawn at random, if the grid has more.
    budget : float
        Seconds after which no further candidate is begun; at least one is tried. The choice then depends on the
        machine; `candidates` limits the work in a way that does not.
    threads : int
        How many candidates at once; the result does not depend on it.
    seed : int
        Of the drawn candidates.

    Returns
    -------
    Tuning

    Raises
    ------
    ValueError
        If the series is too short for the origins, or no candidate could be fitted; the message has the reason.

    Examples
    --------
    >>> from bestiary import system
    >>> from bestiary.forecast import NVAR
    >>> found = tune(NVAR(lags=1), {"degree": [1, 2, 3]}, system("Henon").trajectory(300), horizon=5)
    >>> found.parameters
    {'degree': 2}
    """
    import polars as pl

    series, interval, is_flat = read_train(train, dt)
    trials = _listed(grid)
    if candidates is not None and sampling.whole("candidates", candidates, least=1) < len(trials):
        chosen = np.sort(generator_of(seed).choice(len(trials), candidates, replace=False))
        trials = [trials[i] for i in chosen]
    if budget is not None:
        sampling.positive("budget", budget)
    shortest = min(map(len, series))
    horizon = max(shortest // 10, 1) if horizon is None else sampling.whole("horizon", horizon, least=1)
    cuts = _origins(shortest, horizon, sampling.whole("origins", origins, least=1))
    scale = np.concatenate(series).std(axis=0)
    error_of = score or _scaled_error(np.where(scale > 0, scale, 1.0))
    deadline = None if budget is None else time.monotonic() + budget

    def trial(number: int) -> tuple[float | None, str | None]:
        if deadline is not None and number > 0 and time.monotonic() > deadline:
            return None, None
        errors = []
        try:
            for k, x in enumerate(series):
                for cut in cuts:
                    begin = len(x) - shortest + cut
                    others = [part for i, part in enumerate(series) if i != k]
                    candidate = forecaster.clone().set_params(**trials[number])
                    candidate.fit([*others, x[:begin]], dt=interval)
                    errors.append(float(error_of(x[begin : begin + horizon], candidate.predict(horizon))))
        except (BestiaryError, np.linalg.LinAlgError) as error:
            return None, str(error)
        value = float(np.mean(errors))
        return (value if np.isfinite(value) else np.inf), None

    with ThreadPoolExecutor(max_workers=threads) as pool:
        results = list(pool.map(trial, range(len(trials))))
    scored = [(value, i) for i, (value, _) in enumerate(results) if value is not None]
    if not scored:
        raise RequestError(f"no candidate could be tried; the first one: {results[0][1]}")
    best, number = min(scored)
    table = pl.DataFrame(
        {
            "parameters": [", ".join(f"{k}={v!r}" for k, v in each.items()) for each in trials],
            "score": [value for value, _ in results],
            "error": [message for _, message in results],
        },
        schema={"parameters": pl.String, "score": pl.Float64, "error": pl.String},
    )
    whole = [x[:, 0] for x in series] if is_flat else series
    chosen_one = forecaster.clone().set_params(**trials[number])
    chosen_one.fit(whole if len(whole) > 1 else whole[0], dt=interval)
    return Tuning(chosen_one, trials[number], best, table)


def _listed(grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(grid, Mapping):
        trials = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    else:
        trials = [dict(each) for each in grid]
    if not trials:
        raise RequestError("the grid is empty: there is nothing to choose from")
    return trials


def _origins(n: int, horizon: int, count: int) -> list[int]:
    """Where the forecasts start, in a series of n samples; the last one ends with the series."""
    last = n - horizon
    first = max(min(int(n * (1 - _VALIDATED)), last), 1)
    if last < 1 or last - first < count - 1:
        raise RequestError(f"{count} origins with a horizon of {horizon} do not fit in the last third of {n} samples")
    return sorted({int(cut) for cut in np.linspace(first, last, count)}) if count > 1 else [last]


def _scaled_error(scale: Array) -> Callable[[Array, Array], float]:
    def error(truth: Array, forecast: Array) -> float:
        with np.errstate(all="ignore"):
            return float(np.sqrt(np.mean(((forecast - truth) / scale) ** 2)))

    return error
