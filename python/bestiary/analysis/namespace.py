"""The tables as methods of any frame of results: `frame.bestiary.leaderboard()`."""

from __future__ import annotations

from typing import Any

import polars as pl

from .. import metrics
from . import boards, errors, free_runs, relations

__all__ = ["Namespace"]


@pl.api.register_dataframe_namespace("bestiary")
class Namespace:
    """
    The functions of `bestiary.analysis` on this frame; arguments as there.

    Examples
    --------
    >>> import polars as pl
    >>> smape = [1.0, 2.0, 3.0, 4.0]
    >>> rows = pl.DataFrame({"system": ["A", "B"] * 2, "forecaster": ["x", "x", "y", "y"], "smape": smape})
    >>> rows.bestiary.pairwise_wins().row(0)[:3]
    ('x', 'y', 1.0)
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def leaderboard(self, metric: str = "smape", **options: Any) -> pl.DataFrame:
        """See `bestiary.analysis.leaderboard`."""
        return boards.leaderboard(self._frame, metric, **options)

    def by_system(self, metric: str = "smape") -> pl.DataFrame:
        """See `bestiary.analysis.by_system`."""
        return errors.by_system(self._frame, metric)

    def best_where(self, groups: pl.DataFrame, metric: str = "smape", **options: Any) -> pl.DataFrame:
        """See `bestiary.analysis.best_where`."""
        return boards.best_where(self._frame, groups, metric, **options)

    def attractors(self, **options: Any) -> pl.DataFrame:
        """See `bestiary.analysis.attractors`."""
        return free_runs.attractors(self._frame, **options)

    def average_ranks(self, metric: str = "smape", **options: Any) -> boards.Ranking:
        """See `bestiary.analysis.average_ranks`."""
        return boards.average_ranks(self._frame, metric, **options)

    def pairwise_wins(self, metric: str = "smape", **options: Any) -> pl.DataFrame:
        """See `bestiary.analysis.pairwise_wins`."""
        return boards.pairwise_wins(self._frame, metric, **options)

    def cost(self, metric: str = "smape", **options: Any) -> pl.DataFrame:
        """See `bestiary.analysis.cost`."""
        return boards.cost(self._frame, metric, **options)

    def horizon_curves(self, **options: Any) -> pl.DataFrame:
        """See `bestiary.analysis.horizon_curves`."""
        return relations.horizon_curves(self._frame, **options)

    def correlations(
        self, invariants: pl.DataFrame | None = None, metric: str = "smape", **options: Any
    ) -> pl.DataFrame:
        """See `bestiary.analysis.correlations`."""
        return relations.correlations(self._frame, invariants, metric, **options)

    def score(self, *arguments: Any, **options: Any) -> pl.DataFrame:
        """See `bestiary.metrics.score`."""
        return metrics.score(self._frame, *arguments, **options)
