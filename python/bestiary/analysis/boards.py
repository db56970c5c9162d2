"""Who forecasts best: medians with intervals, ranks with the critical difference, wins, cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import RequestError
from .errors import by_system, matrix
from .statistics import bootstrap, chi_square_tail, proportion_interval, ranks, studentized_range

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Ranking", "average_ranks", "best_where", "cost", "leaderboard", "pairwise_wins"]


def leaderboard(
    frame: pl.DataFrame,
    metric: str = "smape",
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pl.DataFrame:
    """
    Forecasters by their median error over the systems, the best first, in each setting.

    Parameters
    ----------
    frame : results of `bestiary.benchmark`
    metric : name of the column, the smaller the better
    confidence : of the intervals, which are percentiles of a bootstrap over the systems
    resamples, seed : of the bootstrap

    Returns
    -------
    polars.DataFrame
        setting, forecaster, systems (how many), median, low, high, lower_quartile, upper_quartile, mean_rank, rank_low,
        rank_high, wins (systems on which it is first, ties shared), missing (systems without a finite forecast)

    Examples
    --------
    >>> import polars as pl
    >>> smape = [1.0, 5.0, 2.0, 9.0]
    >>> rows = pl.DataFrame({"system": ["A", "A", "B", "B"], "forecaster": ["x", "y"] * 2, "smape": smape})
    >>> leaderboard(rows).select("forecaster", "median", "mean_rank").rows()
    [('x', 1.5, 1.0), ('y', 7.0, 2.0)]
    """
    import polars as pl

    parts = []
    for _, errors in by_system(frame, metric).group_by("setting", maintain_order=True):
        systems, names, table = matrix(errors)
        placed = ranks(table)
        first = (table == table.min(axis=1, keepdims=True)).astype(float)
        first /= first.sum(axis=1, keepdims=True)

        def statistic(chosen: np.ndarray, table=table, placed=placed) -> np.ndarray:  # type: ignore[no-untyped-def]
            return np.array([np.median(table[chosen], axis=0), placed[chosen].mean(axis=0)])

        low, high = bootstrap(statistic, len(systems), resamples=resamples, confidence=confidence, seed=seed)
        quartiles = np.quantile(table, [0.25, 0.75], axis=0, method="nearest")
        gone = _missing(frame, errors["setting"][0], metric)
        parts.append(
            pl.DataFrame(
                {
                    "setting": errors["setting"][0],
                    "forecaster": names,
                    "systems": len(systems),
                    "median": np.median(table, axis=0),
                    "low": low[0],
                    "high": high[0],
                    "lower_quartile": quartiles[0],
                    "upper_quartile": quartiles[1],
                    "mean_rank": placed.mean(axis=0),
                    "rank_low": low[1],
                    "rank_high": high[1],
                    "wins": first.sum(axis=0),
                    "missing": [gone.get(name, 0) for name in names],
                }
            )
        )
    return pl.concat(parts).sort("setting", "median", "mean_rank")


def best_where(frame: pl.DataFrame, groups: pl.DataFrame, metric: str = "smape", **options: Any) -> pl.DataFrame:
    """
    Which method is good where: the leaderboard of each group of systems.

    Parameters
    ----------
    frame : results of `bestiary.benchmark`, of one setting
    groups : frame of `system` and `group`, such as the number of variables, the domain, or the clusters of
        `catalogue_map`; systems without a group are left out
    metric, **options : of `leaderboard`

    Returns
    -------
    polars.DataFrame
        As `leaderboard`, with `group` in place of the setting.

    Raises
    ------
    RequestError
        If the results are of several settings.

    Examples
    --------
    >>> import polars as pl
    >>> smape = [1.0, 5.0, 9.0, 2.0]
    >>> rows = pl.DataFrame({"system": ["A", "A", "B", "B"], "forecaster": ["x", "y"] * 2, "smape": smape})
    >>> groups = pl.DataFrame({"system": ["A", "B"], "group": ["smooth", "kinked"]})
    >>> best_where(rows, groups).group_by("group", maintain_order=True).first().select("group", "forecaster").rows()
    [('kinked', 'y'), ('smooth', 'x')]
    """
    import polars as pl

    if "setting" in frame.columns and frame["setting"].n_unique() > 1:
        raise RequestError("these results are of several settings: choose one, frame.filter(setting=...)")
    grouped = frame.drop("setting", strict=False).join(
        groups.select("system", setting=pl.col("group").cast(pl.String)), on="system"
    )
    return leaderboard(grouped, metric, **options).rename({"setting": "group"})


def _missing(frame: pl.DataFrame, setting: str, metric: str) -> dict[str, int]:
    import polars as pl

    if "setting" in frame.columns:
        frame = frame.filter(pl.col("setting") == setting)
    if "outcome" in frame.columns:
        frame = frame.filter(pl.col("outcome") != "no data")
    gone = frame.filter(pl.col(metric).fill_nan(None).is_null()).group_by("forecaster").agg(pl.col("system").n_unique())
    return dict(gone.iter_rows())


@dataclass(frozen=True, eq=False)
class Ranking:
    """
    Attributes
    ----------
    table : frame of forecaster, mean_rank, the best first
    critical_difference : mean ranks that are less apart do not differ (Nemenyi)
    p : of the Friedman test that all are alike
    systems : how many
    groups : forecasters that do not differ among each other, from the best
    """

    table: pl.DataFrame
    critical_difference: float
    p: float
    systems: int
    groups: list[list[str]]

    def __repr__(self) -> str:
        best = self.table["forecaster"][0]
        return (
            f"Ranking of {self.table.height} on {self.systems} systems: {best} first, critical difference "
            f"{self.critical_difference:.2f}, p = {self.p:.2g}"
        )


def average_ranks(frame: pl.DataFrame, metric: str = "smape", *, level: float = 0.05) -> Ranking:
    """
    Mean ranks over the systems, the Friedman test, and Nemenyi's critical difference.

    Parameters
    ----------
    frame, metric : as in `leaderboard`; of one setting
    level : of the test

    References
    ----------
    Demšar, J. (2006), J. Mach. Learn. Res. 7, 1-30.
    """
    import polars as pl

    systems, names, table = matrix(by_system(frame, metric))
    n, k = table.shape
    placed = ranks(table)
    mean = placed.mean(axis=0)
    # With ties: the spread of the ranks that there are (Conover 1999, section 5.8).
    spread = float(((placed - (k + 1) / 2) ** 2).sum())
    statistic = (k - 1) * float(((placed.sum(axis=0) - n * (k + 1) / 2) ** 2).sum()) / spread if spread > 0 else 0.0
    difference = studentized_range(k, 1 - level) / math.sqrt(2) * math.sqrt(k * (k + 1) / (6 * n)) if k > 1 else 0.0
    order = np.argsort(mean, kind="stable")
    sorted_names, sorted_ranks = [names[i] for i in order], mean[order]
    groups: list[list[str]] = []
    reached = 0
    for i in range(k):
        end = int(np.searchsorted(sorted_ranks, sorted_ranks[i] + difference, side="right"))
        if end > reached and end - i > 1:
            groups.append(sorted_names[i:end])
        reached = max(reached, end)
    ranked = pl.DataFrame({"forecaster": sorted_names, "mean_rank": sorted_ranks})
    return Ranking(ranked, difference, chi_square_tail(statistic, k - 1) if k > 1 else 1.0, len(systems), groups)


def pairwise_wins(frame: pl.DataFrame, metric: str = "smape", *, confidence: float = 0.95) -> pl.DataFrame:
    """
    On which share of the systems one forecaster beats another; a tie is half a win.

    Returns
    -------
    polars.DataFrame
        forecaster, other, share, low, high (Wilson), systems
    """
    import polars as pl

    systems, names, table = matrix(by_system(frame, metric))
    n = len(systems)
    rows = []
    for i, name in enumerate(names):
        for j, other in enumerate(names):
            if i != j:
                hits = float((table[:, i] < table[:, j]).sum() + (table[:, i] == table[:, j]).sum() / 2)
                rows.append((name, other, hits / n, *proportion_interval(hits, n, confidence), n))
    return pl.DataFrame(rows, schema=["forecaster", "other", "share", "low", "high", "systems"], orient="row")


def cost(frame: pl.DataFrame, metric: str = "smape", *, resamples: int = 1000, seed: int = 0) -> pl.DataFrame:
    """
    What a forecaster costs and what it gives: seconds of fit and predict, tuning apart, and memory.

    Returns
    -------
    polars.DataFrame
        forecaster, median, low, high (as in `leaderboard`), seconds, seconds_low, seconds_high (medians and quartiles
        over the cells), tune_seconds, peak_bytes (medians)
    """
    import polars as pl

    seconds = pl.col("fit_seconds") + pl.col("predict_seconds")
    spent = frame.group_by("forecaster").agg(
        seconds=seconds.median(),
        seconds_low=seconds.quantile(0.25),
        seconds_high=seconds.quantile(0.75),
        tune_seconds=pl.col("tune_seconds").median(),
        peak_bytes=pl.col("peak_bytes").median(),
    )
    board = leaderboard(frame, metric, resamples=resamples, seed=seed)
    return board.select("forecaster", "median", "low", "high").join(spent, on="forecaster").sort("median")
