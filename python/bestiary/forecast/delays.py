"""
Forecasters that learn the next change of the series from its last few states, and iterate.

Coordinates are standardised. The state at a moment is that sample and the `lags` - 1 before it, `spacing` apart
(Takens 1981, Lecture Notes in Mathematics 898, 366-381), flattened with the oldest first.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import RequestError
from .base import EQUIVARIANT, Forecaster

__all__ = ["DelayForecaster", "Scaler", "default_lags", "delay_pairs", "fraction", "generator_of"]

# A series of one coordinate gets this many lags where none are asked for, one of two coordinates half of it; three
# and more coordinates are taken for the full state. Twice the dimension of a low-dimensional attractor, and a bit.
_LAGS = 6


class Scaler:
    """Standardises each coordinate by the mean and standard deviation of the training series."""

    def __init__(self, series: list[Array]) -> None:
        every = np.concatenate(series)
        self.mean = every.mean(axis=0)
        scale = every.std(axis=0)
        # A constant column is left as it is: the rounding of its mean must not be blown up.
        self.scale = np.where(scale > 1e-13 * np.abs(self.mean), scale, 1.0)

    def to(self, x: Array) -> Array:
        return np.asarray((x - self.mean) / self.scale)

    def back(self, z: Array) -> Array:
        return np.asarray(z * self.scale + self.mean)


def default_lags(lags: int | None, dimension: int) -> int:
    """The number of lags: as asked for, or 6, 3 and 1 for one, two and more coordinates."""
    if lags is None:
        return max(_LAGS // dimension, 1) if dimension < 3 else 1
    return sampling.whole("lags", lags, least=1)


def delay_pairs(series: list[Array], lags: int, spacing: int = 1) -> tuple[Array, Array]:
    """Delay vectors (N, lags d) of all moments that have a successor, and the changes (N, d) that followed."""
    reach = (lags - 1) * spacing
    keys, changes = [], []
    for x in series:
        n = len(x) - 1 - reach
        if n > 0:
            keys.append(np.concatenate([x[lag * spacing : lag * spacing + n] for lag in range(lags)], axis=1))
            changes.append(x[reach + 1 :] - x[reach:-1])
    return np.concatenate(keys), np.concatenate(changes)


def generator_of(seed: int, *path: int) -> np.random.Generator:
    """Random numbers of a forecaster: a function of its seed and of what they are for."""
    return np.random.default_rng([sampling.whole("seed", seed, least=0), *path])


class DelayForecaster(Forecaster):
    """
    Base of those that iterate a learned step: they write `_learn(keys, changes)` and `_step(keys)`.

    `keys` (m, lags d) and `changes` (m, d) are standardised; `_step` gives the changes that follow the keys.
    """

    equivariant = EQUIVARIANT
    lags: int | None = None
    spacing: int = 1

    @abstractmethod
    def _learn(self, keys: Array, changes: Array) -> None:
        """Learn which changes (N, d) follow which keys (N, lags d)."""

    @abstractmethod
    def _step(self, keys: Array) -> Array:
        """The changes (m, d) that follow the keys (m, lags d)."""

    def _draw(self, keys: Array, generator: np.random.Generator) -> Array:
        """Changes (m, d) drawn from their distribution given the keys (m, lags d)."""
        raise NotImplementedError

    def _reach(self, dimension: int) -> int:
        """Samples before the last that a delay vector spans."""
        spacing = sampling.whole("spacing", self.spacing, least=1)
        return (default_lags(self.lags, dimension) - 1) * spacing

    def _shortest(self, dimension: int) -> int:
        return self._reach(dimension) + 3

    def _memory(self) -> tuple[int, int | None]:
        rows = self._reach(self.dimension_) + 1
        return rows, rows

    def _fit(self, series: list[Array]) -> None:
        self.scaler_ = Scaler(series)
        self.lags_ = default_lags(self.lags, self.dimension_)
        keys, changes = delay_pairs([self.scaler_.to(x) for x in series], self.lags_, self.spacing)
        self._learn(keys, changes)

    def _predict(self, past: Array, horizon: int) -> Array:
        return np.asarray(self._iterate(past, horizon, 1, None)[0])

    def _sample(self, past: Array, horizon: int, n: int, generator: np.random.Generator) -> Array:
        return self._iterate(past, horizon, n, generator)

    def _iterate(self, past: Array, horizon: int, n: int, generator: np.random.Generator | None) -> Array:
        """n paths (n, horizon, d), drawn if there is a generator."""
        rows, d = self._reach(self.dimension_) + 1, self.dimension_
        path = np.full((n, rows + horizon, d), np.nan)
        path[:, :rows] = self.scaler_.to(past[-rows:])
        for i in range(rows, rows + horizon):
            keys = path[:, i - rows : i : self.spacing].reshape(n, -1)
            change = self._step(keys) if generator is None else self._draw(keys, generator)
            path[:, i] = path[:, i - 1] + change
            if n == 1 and not np.isfinite(path[0, i]).all():
                break
        return self.scaler_.back(path[:, rows:])


def fraction(name: str, value: float, *, low: float = 0.0, high: float = np.inf) -> float:
    """The value as a number in [low, high]."""
    if not isinstance(value, (int, float, np.number)) or isinstance(value, bool) or not low <= value <= high:
        bounds = f"between {low:g} and {high:g}" if high < np.inf else f"at least {low:g}"
        raise RequestError(f"{name} must be a number {bounds}, not {value!r}")
    return float(value)
