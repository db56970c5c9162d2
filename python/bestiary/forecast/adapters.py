"""
Adapters for methods from elsewhere that need no library: a plain function, a regressor with `fit` and `predict`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import RequestError
from .base import Forecaster
from .delays import DelayForecaster

__all__ = ["FromFunction", "FromRegressor"]


class FromFunction(Forecaster):
    """
    A function f(context, horizon) as a forecaster: the way to plug in a pretrained model.

    Parameters
    ----------
    function : callable
        From the history (n, d) and the number of samples to the forecast (horizon, d), or (horizon,) where d = 1.
    least : int
        The fewest samples of history that it takes.
    most : int
        The most that it is given, the latest ones; by default all.

    Examples
    --------
    >>> def as_before(context, horizon):
    ...     return context[-horizon:]
    >>> FromFunction(as_before, least=2).fit([1.0, 2.0, 3.0]).predict(2).tolist()
    [2.0, 3.0]
    """

    equivariant = frozenset()
    skilled = False

    def __init__(self, function: Callable[[Array, int], Any], least: int = 1, most: int | None = None) -> None:
        self.function = function
        self.least = least
        self.most = most

    def _shortest(self, dimension: int) -> int:
        if not callable(self.function):
            raise RequestError(f"function must be callable as f(context, horizon), not {self.function!r}")
        least = sampling.whole("least", self.least, least=1)
        if self.most is not None:
            sampling.whole("most", self.most, least=least)
        return least

    def _memory(self) -> tuple[int, int | None]:
        return self.least, self.most

    def _fit(self, series: list[Array]) -> None:
        """Nothing is learned: the function comes as it is."""

    def _predict(self, past: Array, horizon: int) -> Array:
        # A copy of its own, which it may write into.
        forecast = np.asarray(self.function(past.copy(), horizon), dtype=np.float64)
        return forecast[:, None] if forecast.ndim == 1 and past.shape[1] == 1 else forecast


class FromRegressor(DelayForecaster):
    """
    Any regressor with the habits of scikit-learn, on delay vectors, iterated.

    Parameters
    ----------
    regressor : object with `fit(X, y)` and `predict(X)`
        Learns the next change of the standardised series. It is copied, never changed.
    lags, spacing : int
        By default 6, 3 and 1 states for series of one, two and more coordinates.
    each : bool
        Whether to fit one for each coordinate, as regressors with a single output need.

    Examples
    --------
    >>> class LeastSquares:
    ...     def fit(self, X, y):
    ...         self.coef_ = np.linalg.lstsq(X, y, rcond=None)[0]
    ...         return self
    ...     def predict(self, X):
    ...         return X @ self.coef_
    >>> wave = np.sin(2 * np.pi * np.arange(250) / 25)
    >>> bool(np.abs(FromRegressor(LeastSquares(), lags=2).fit(wave[:200]).predict(50) - wave[200:]).max() < 1e-9)
    True
    """

    # What a regressor makes of the order of its inputs is its own affair.
    equivariant = frozenset({"shift", "scale", "time"})

    def __init__(self, regressor: Any, lags: int | None = None, spacing: int = 1, each: bool = False) -> None:
        self.regressor = regressor
        self.lags = lags
        self.spacing = spacing
        self.each = each

    def _shortest(self, dimension: int) -> int:
        for name in ("fit", "predict"):
            if not callable(getattr(self.regressor, name, None)):
                raise RequestError(
                    f"regressor must have fit(X, y) and predict(X), and {self.regressor!r} has no {name}"
                )
        return super()._shortest(dimension)

    def _learn(self, keys: Array, changes: Array) -> None:
        learn_each = self.each or changes.shape[1] == 1
        targets = list(changes.T) if learn_each else [changes]
        self.fitted_ = [self._made().fit(keys.copy(), np.array(target)) for target in targets]

    def _made(self) -> Any:
        """A regressor that has learned nothing yet."""
        return copy.deepcopy(self.regressor)

    def _step(self, keys: Array) -> Array:
        columns = [np.asarray(one.predict(keys), dtype=np.float64).reshape(len(keys), -1) for one in self.fitted_]
        return np.concatenate(columns, axis=1)
