"""
Forecasters that know no dynamics: the mean of the past, its last value, its drift.

A method that does not beat these has learned nothing. Each coordinate is forecast by itself. With a `context`, the
past is the context alone.
"""

from __future__ import annotations

import numpy as np

from ..definition import Array
from .base import EQUIVARIANT, Forecaster

__all__ = ["Drift", "LastValue", "Mean"]

_BOOK = "Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd ed., section 5.2"


class _Baseline(Forecaster):
    family = "baseline"
    source = _BOOK
    equivariant = EQUIVARIANT
    joint = False
    skilled = False

    def _shortest(self, dimension: int) -> int:
        return 1

    def _fit(self, series: list[Array]) -> None:
        """Nothing is learned: the past itself is kept by the base class."""


class Mean(_Baseline):
    """
    The mean of the past.

    Examples
    --------
    >>> Mean().fit([1.0, 2.0, 6.0]).predict(2).tolist()
    [3.0, 3.0]
    """

    def _predict(self, past: Array, horizon: int) -> Array:
        # About the first sample, so that the mean of a constant is that constant to the bit.
        return np.tile(past[0] + (past - past[0]).mean(axis=0), (horizon, 1))


class LastValue(_Baseline):
    """
    The last value of the past, for ever ("naive", "persistence").

    Examples
    --------
    >>> LastValue().fit([1.0, 2.0, 6.0]).predict(2).tolist()
    [6.0, 6.0]
    """

    def _memory(self) -> tuple[int, int | None]:
        return 1, 1

    def _predict(self, past: Array, horizon: int) -> Array:
        return np.tile(past[-1], (horizon, 1))


class Drift(_Baseline):
    """
    The straight line from the first to the last sample of the past, drawn on.

    Examples
    --------
    >>> Drift().fit([1.0, 2.0, 5.0]).predict(2).tolist()
    [7.0, 9.0]
    """

    exact = frozenset({"trend"})

    def _shortest(self, dimension: int) -> int:
        return 2

    def _memory(self) -> tuple[int, int | None]:
        return 2, None

    def _predict(self, past: Array, horizon: int) -> Array:
        slope = (past[-1] - past[0]) / (len(past) - 1)
        return np.asarray(past[-1] + np.arange(1, horizon + 1)[:, None] * slope)
