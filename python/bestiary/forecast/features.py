"""
Regression on fixed nonlinear features of the delay vector: radial functions about centres, random functions.
"""

from __future__ import annotations

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import UnknownName
from .delays import DelayForecaster, fraction, generator_of
from .reservoir import readout

__all__ = ["RadialBasis", "RandomFeatures", "k_means", "pairwise_distances"]


def pairwise_distances(x: Array, y: Array) -> Array:
    """Euclidean distances (m, n) of the rows of x from those of y."""
    squares = np.sum(x * x, axis=1)[:, None] + np.sum(y * y, axis=1) - 2 * (x @ y.T)
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def k_means(points: Array, k: int, generator: np.random.Generator, rounds: int = 20) -> Array:
    """
    k centres (k, D) of the points (n, D); fewer where there are not so many different points.

    Lloyd's algorithm from a random start spread out as in k-means++ (Arthur & Vassilvitskii 2007, SODA, 1027-1035).
    """
    centres = points[[generator.integers(len(points))]]
    nearest = pairwise_distances(points, centres)[:, 0] ** 2
    for _ in range(1, k):
        total = np.cumsum(nearest)
        # What rounding leaves of the distance of a point from itself does not make it another point.
        if not total[-1] > 1e-12 * max(float(np.sum(points**2)), 1e-300):
            break
        chosen = points[[min(int(np.searchsorted(total, generator.random() * total[-1])), len(points) - 1)]]
        centres = np.concatenate([centres, chosen])
        nearest = np.minimum(nearest, pairwise_distances(points, chosen)[:, 0] ** 2)
    for _ in range(rounds):
        owner = np.argmin(pairwise_distances(points, centres), axis=1)
        counts = np.bincount(owner, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, owner, points)
        moved = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


class RadialBasis(DelayForecaster):
    """
    Radial functions about k-means centres, with a linear part, by ridge regression.

    Parameters
    ----------
    centres : int
        At most a third of the training samples.
    function : "gaussian", "cubic" or "exponential"
        exp(-(r/width)^2 / 2), r^3, exp(-r/width), of the distance r from the centre.
    width : float
        For standardised coordinates.
    lags, spacing : int
        By default 6, 3 and 1 states for series of one, two and more coordinates.
    ridge : float
        Penalty on the squared coefficients, relative to the mean square of the features.
    seed : int

    References
    ----------
    Broomhead, D. S. & Lowe, D. (1988), Complex Systems 2, 321-355. Casdagli, M. (1989), Physica D 35, 335-356.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(460) / 25.3)
    >>> bool(np.abs(RadialBasis().fit(wave[:400]).predict(60) - wave[400:]).max() < 1e-2)
    True
    """

    family = "regression"
    source = "Broomhead & Lowe (1988), Complex Systems 2, 321-355"
    # The centres of permuted coordinates are found from other random points.
    equivariant = frozenset({"shift", "scale", "time"})

    def __init__(
        self,
        centres: int = 300,
        function: str = "gaussian",
        width: float = 1.0,
        lags: int | None = None,
        ridge: float = 1e-12,
        spacing: int = 1,
        seed: int = 0,
    ) -> None:
        self.centres = centres
        self.function = function
        self.width = width
        self.lags = lags
        self.ridge = ridge
        self.spacing = spacing
        self.seed = seed

    def _shortest(self, dimension: int) -> int:
        if self.function not in ("cubic", "gaussian", "exponential"):
            raise UnknownName("function", str(self.function), ["cubic", "gaussian", "exponential"])
        sampling.whole("centres", self.centres, least=1)
        sampling.positive("width", self.width)
        fraction("ridge", self.ridge)
        return super()._shortest(dimension)

    def _learn(self, keys: Array, changes: Array) -> None:
        most = max(min(self.centres, len(keys) // 3), 1)
        self.centres_ = k_means(keys, most, generator_of(self.seed))
        self.coefficients_ = readout(self._features(keys), changes, self.ridge)

    def _features(self, keys: Array) -> Array:
        r = pairwise_distances(keys, self.centres_)
        if self.function == "cubic":
            radial = r**3
        elif self.function == "gaussian":
            radial = np.exp(-0.5 * (r / self.width) ** 2)
        else:
            radial = np.exp(-r / self.width)
        return np.concatenate([np.ones((len(keys), 1)), keys, radial], axis=1)

    def _step(self, keys: Array) -> Array:
        return self._features(keys) @ self.coefficients_


class RandomFeatures(DelayForecaster):
    """
    A single random layer, of tanh units or of cosines, with a linear part, by ridge regression.

    Parameters
    ----------
    features : int
    function : "tanh" or "cosine"
    scale : float
        Standard deviation of the weights, for standardised coordinates.
    bias : float
        The biases of tanh units are uniform in ±bias; those of cosines in ±π.
    lags, spacing : int
        By default 6, 3 and 1 states for series of one, two and more coordinates.
    ridge : float
        Penalty on the squared coefficients, relative to the mean square of the features.
    seed : int

    References
    ----------
    Rahimi, A. & Recht, B. (2007), NIPS 20 (cosines). Gottwald, G. A. & Reich, S. (2021), Physica D 423, 132911 (tanh).

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(460) / 25.3)
    >>> bool(np.abs(RandomFeatures().fit(wave[:400]).predict(60) - wave[400:]).max() < 1e-3)
    True
    """

    family = "regression"
    source = "Rahimi & Recht (2007), NIPS 20; Gottwald & Reich (2021), Physica D 423, 132911"
    equivariant = frozenset({"shift", "scale", "time"})

    def __init__(
        self,
        features: int = 400,
        function: str = "tanh",
        scale: float = 0.5,
        bias: float = 2.0,
        lags: int | None = None,
        ridge: float = 1e-12,
        spacing: int = 1,
        seed: int = 0,
    ) -> None:
        self.features = features
        self.function = function
        self.scale = scale
        self.bias = bias
        self.lags = lags
        self.ridge = ridge
        self.spacing = spacing
        self.seed = seed

    def _shortest(self, dimension: int) -> int:
        if self.function not in ("tanh", "cosine"):
            raise UnknownName("function", str(self.function), ["tanh", "cosine"])
        sampling.whole("features", self.features, least=1)
        sampling.positive("scale", self.scale)
        fraction("bias", self.bias)
        fraction("ridge", self.ridge)
        return super()._shortest(dimension)

    def _learn(self, keys: Array, changes: Array) -> None:
        generator = generator_of(self.seed)
        inputs = keys.shape[1]
        # A longer delay vector must not saturate the units.
        self.weights_ = self.scale / np.sqrt(self.lags_) * generator.standard_normal((inputs, self.features))
        reach = self.bias if self.function == "tanh" else np.pi
        self.biases_ = reach * generator.uniform(-1, 1, self.features)
        self.coefficients_ = readout(self._features(keys), changes, self.ridge)

    def _features(self, keys: Array) -> Array:
        inner = keys @ self.weights_ + self.biases_
        outer = np.tanh(inner) if self.function == "tanh" else np.cos(inner)
        return np.concatenate([np.ones((len(keys), 1)), keys, outer], axis=1)

    def _step(self, keys: Array) -> Array:
        return self._features(keys) @ self.coefficients_
