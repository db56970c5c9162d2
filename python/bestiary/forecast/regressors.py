"""
Linear regression and tree ensembles of scikit-learn on delay vectors; they need the extra `learn`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..exceptions import MissingExtra
from .adapters import FromRegressor
from .base import EQUIVARIANT
from .delays import DelayForecaster

__all__ = ["GradientBoosting", "Linear", "RandomForest"]


def _scikit_learn(module: str, name: str) -> Any:
    try:
        return getattr(import_module(f"sklearn.{module}"), name)
    except ImportError:
        raise MissingExtra("scikit-learn", "learn") from None


class _OnDelays(FromRegressor):
    """A forecaster that makes its own regressors when it is fitted."""

    extra = "learn"
    each: bool = False

    def _shortest(self, dimension: int) -> int:
        _scikit_learn("base", "BaseEstimator")
        return DelayForecaster._shortest(self, dimension)


class Linear(_OnDelays):
    """
    Linear regression on delay vectors, ordinary least squares or ridge.

    Parameters
    ----------
    lags, spacing : int
    penalty : float
        Of the ridge; 0 for ordinary least squares.
    """

    family = "regression"
    source = "Hoerl & Kennard (1970), Technometrics 12, 55-67; scikit-learn"
    exact = frozenset({"linear", "periodic", "trend"})
    equivariant = EQUIVARIANT

    def __init__(self, lags: int | None = 10, penalty: float = 0.0, spacing: int = 1) -> None:
        self.lags = lags
        self.penalty = penalty
        self.spacing = spacing

    def _made(self) -> Any:
        if self.penalty == 0:
            return _scikit_learn("linear_model", "LinearRegression")()
        return _scikit_learn("linear_model", "Ridge")(alpha=self.penalty)


class RandomForest(_OnDelays):
    """
    A random forest on delay vectors.

    Parameters
    ----------
    trees : int
    lags, spacing : int
        By default 6, 3 and 1 states for series of one, two and more coordinates.
    seed : int
    """

    family = "trees"
    # Rounding decides between splits that are equally good.
    equivariant = frozenset({"time"})
    source = "Breiman (2001), Machine Learning 45, 5-32; scikit-learn"

    def __init__(self, trees: int = 100, lags: int | None = None, spacing: int = 1, seed: int = 0) -> None:
        self.trees = trees
        self.lags = lags
        self.spacing = spacing
        self.seed = seed

    def _made(self) -> Any:
        return _scikit_learn("ensemble", "RandomForestRegressor")(n_estimators=self.trees, random_state=self.seed)


class GradientBoosting(_OnDelays):
    """
    Gradient boosting of histogram trees on delay vectors, one model for each coordinate.

    Parameters
    ----------
    rounds : int
    rate : float
    lags, spacing : int
        By default 6, 3 and 1 states for series of one, two and more coordinates.
    seed : int
    """

    family = "trees"
    # Rounding decides between splits that are equally good.
    equivariant = frozenset({"time"})
    each = True
    source = "Friedman (2001), Ann. Statist. 29, 1189-1232; scikit-learn"

    def __init__(
        self, rounds: int = 100, rate: float = 0.1, lags: int | None = None, spacing: int = 1, seed: int = 0
    ) -> None:
        self.rounds = rounds
        self.rate = rate
        self.lags = lags
        self.spacing = spacing
        self.seed = seed

    def _made(self) -> Any:
        boosting = _scikit_learn("ensemble", "HistGradientBoostingRegressor")
        return boosting(max_iter=self.rounds, learning_rate=self.rate, random_state=self.seed, early_stopping=False)
