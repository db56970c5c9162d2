"""
Nonlinear vector autoregression: the next change as a polynomial of the last few states, by ridge regression.

Gauthier, Bollt, Griffith & Barbosa (2021), Nature Communications 12, 5564, call it next-generation reservoir computing.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import comb

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import RequestError
from .delays import DelayForecaster, default_lags, fraction

__all__ = ["NVAR"]

_MOST_FEATURES = 20_000


class NVAR(DelayForecaster):
    """
    Nonlinear vector autoregression.

    Parameters
    ----------
    lags : int
        Number of states; by default 6, 3 and 1 for series of one, two and more coordinates.
    spacing : int
        Samples from one state to the one before.
    degree : int
        Of the polynomial; 1 is linear vector autoregression.
    ridge : float
        Penalty on the squared coefficients, relative to the mean square of the features.

    Attributes
    ----------
    coefficients_ : array of shape (features, d)
    exponents_ : list of tuples: which coordinates of the delay vector a feature multiplies

    References
    ----------
    Gauthier, D. J., et al. (2021), Nature Communications 12, 5564.

    Examples
    --------
    >>> from bestiary import system
    >>> series = system("Henon").trajectory(220).x
    >>> forecast = NVAR(lags=1, degree=2, ridge=0).fit(series[:200]).predict(20)
    >>> bool(np.abs(forecast - series[200:]).max() < 1e-8)    # the map itself is found
    True
    """

    family = "regression"
    source = "Gauthier, Bollt, Griffith & Barbosa (2021), Nature Communications 12, 5564"
    exact = frozenset({"linear", "quadratic", "periodic", "trend"})

    def __init__(self, lags: int | None = None, degree: int = 2, ridge: float = 1e-10, spacing: int = 1) -> None:
        self.lags = lags
        self.degree = degree
        self.ridge = ridge
        self.spacing = spacing

    def _shortest(self, dimension: int) -> int:
        degree = sampling.whole("degree", self.degree, least=1)
        fraction("ridge", self.ridge)
        inputs = default_lags(self.lags, dimension) * dimension
        features = comb(inputs + degree, degree)
        if features > _MOST_FEATURES:
            raise RequestError(
                f"a polynomial of degree {degree} in {inputs} numbers has {features} terms: take fewer lags"
            )
        return super()._shortest(dimension)

    def _learn(self, keys: Array, changes: Array) -> None:
        # The constant stands first in the extended key, so that lower powers are products with it.
        inputs = keys.shape[1]
        self.exponents_ = list(combinations_with_replacement(range(inputs + 1), self.degree))
        self._index_ = np.array(self.exponents_)
        self.coefficients_ = ridge_regression(self._features(keys), changes, self.ridge)

    def _features(self, keys: Array) -> Array:
        extended = np.concatenate([np.ones((len(keys), 1)), keys], axis=1)
        features = extended[:, self._index_[:, 0]]
        for power in range(1, self.degree):
            features = features * extended[:, self._index_[:, power]]
        return features

    def _step(self, keys: Array) -> Array:
        return self._features(keys) @ self.coefficients_


def ridge_regression(features: Array, targets: Array, ridge: float) -> Array:
    """Coefficients (p, d) of least squares with the penalty ridge x mean square x n x |coefficients|^2, by the SVD."""
    u, s, vt = np.linalg.svd(features, full_matrices=False)
    penalty = ridge * float(np.mean(features**2)) * len(features)
    # What lies below rounding of the largest direction is not in the data.
    kept = s > np.finfo(float).eps * max(features.shape) * (s[0] if len(s) else 0.0)
    shrink = np.zeros_like(s)
    shrink[kept] = s[kept] / (s[kept] ** 2 + penalty)
    return np.asarray(vt.T @ (shrink[:, None] * (u.T @ targets)))
