"""
Echo state networks: a fixed random network that the series drives, and a linear readout, the only part that learns.

The hybrid also hears what a known, imperfect model says, and corrects it.
"""

from __future__ import annotations

import numpy as np

from .. import _core, sampling
from ..definition import Array
from ..exceptions import RequestError
from ..system import System
from .base import Forecaster
from .delays import Scaler, fraction, generator_of
from .nvar import ridge_regression

__all__ = ["EchoState", "HybridEchoState"]


class EchoState(Forecaster):
    """
    Echo state network.

    The readout gives the next change of the (standardised) series from the constant 1, the present sample and the
    units, r' = (1 - leak) r + leak tanh(W r + V u + b).

    Parameters
    ----------
    units : int
    radius : float
        Spectral radius of W.
    leak : float
        Between 0 and 1.
    input_scale, bias : float
        V is uniform in ±input_scale, b in ±bias.
    degree : int
        Mean number of connections into a unit.
    ridge : float
        Penalty on the squared readout, relative to the mean square of what is read.
    washout : int
        Samples that bring the units in step with the series: not learned from, and all of a history that counts. At
        most half of the shortest training series.
    seed : int

    References
    ----------
    Jaeger, H. & Haas, H. (2004), Science 304, 78-80.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(460) / 25)
    >>> bool(np.abs(EchoState(units=100).fit(wave[:400]).predict(60) - wave[400:]).max() < 1e-3)
    True
    """

    family = "reservoir"
    source = "Jaeger & Haas (2004), Science 304, 78-80"
    # Each coordinate meets random weights of its own.
    equivariant = frozenset({"shift", "scale", "time"})

    def __init__(
        self,
        units: int = 400,
        radius: float = 0.4,
        leak: float = 1.0,
        input_scale: float = 0.4,
        bias: float = 0.5,
        degree: int = 6,
        ridge: float = 1e-10,
        washout: int = 100,
        seed: int = 0,
    ) -> None:
        self.units = units
        self.radius = radius
        self.leak = leak
        self.input_scale = input_scale
        self.bias = bias
        self.degree = degree
        self.ridge = ridge
        self.washout = washout
        self.seed = seed

    def _shortest(self, dimension: int) -> int:
        sampling.whole("units", self.units, least=1)
        sampling.whole("degree", self.degree, least=1)
        sampling.whole("washout", self.washout, least=1)
        for name in ("radius", "input_scale", "bias", "ridge"):
            fraction(name, getattr(self, name))
        fraction("leak", self.leak, low=0.0, high=1.0)
        return 10

    def _memory(self) -> tuple[int, int | None]:
        return 1, self.washout_

    def _fit(self, series: list[Array]) -> None:
        self.scaler_ = Scaler(series)
        self.washout_ = min(self.washout, min(map(len, series)) // 2)
        extra = self._guidance(series[0][:2])
        self.reservoir_ = self._made(self.dimension_ + extra.shape[1])
        features, targets = [], []
        for x in series:
            z = self.scaler_.to(x)
            guidance = self._guidance(x)
            states = self.reservoir_.drive(np.zeros(self.units), np.concatenate([z, guidance], axis=1))
            used = slice(self.washout_ - 1, len(x) - 1)
            features.append(self._features(z[used], guidance[used], states[used]))
            targets.append(z[self.washout_ :] - z[self.washout_ - 1 : -1])
        self.readout_ = readout(np.concatenate(features), np.concatenate(targets), self.ridge)

    def _made(self, inputs: int) -> _core.Reservoir:
        """The random network, scaled to its spectral radius."""
        generator = generator_of(self.seed)
        n = self.units
        matrix = generator.uniform(-1, 1, (n, n)) * (generator.random((n, n)) < min(self.degree / n, 1.0))
        own = float(np.abs(np.linalg.eigvals(matrix)).max())
        matrix *= self.radius / own if own > 0 else 0.0
        weights = self.input_scale * generator.uniform(-1, 1, (n, inputs))
        bias = self.bias * generator.uniform(-1, 1, n)
        rows, columns = np.nonzero(matrix)
        offsets = np.searchsorted(rows, np.arange(n + 1))
        return _core.Reservoir(
            offsets.astype(np.int64), columns.astype(np.int64), matrix[rows, columns], weights, bias, float(self.leak)
        )

    def _guidance(self, x: Array) -> Array:
        """Further inputs (n, k), in standardised units, for the samples x (n, d)."""
        return np.empty((len(x), 0))

    def _features(self, z: Array, guidance: Array, states: Array) -> Array:
        return np.concatenate([np.ones((len(z), 1)), z, guidance, states], axis=1)

    def _predict(self, past: Array, horizon: int) -> Array:
        z = self.scaler_.to(past)
        state = self.reservoir_.drive(np.zeros(self.units), z)[-1]
        return self.scaler_.back(self.reservoir_.run(state, z[-1], self.readout_.T.copy(), horizon))


class HybridEchoState(EchoState):
    """
    Echo state network that hears a known model.

    The model's own next state, from the present sample, is a further input and a further feature of the readout.

    Parameters
    ----------
    model : System
        A flow or map with one state variable for each column, its parameters possibly wrong. Its unit of time is that
        of `dt` at `fit`.
    units, radius, leak, input_scale, bias, degree, ridge, washout, seed
        As in `EchoState`.

    References
    ----------
    Pathak, J., et al. (2018), Chaos 28, 041101.

    Examples
    --------
    >>> from bestiary import system
    >>> series = system("Lorenz").trajectory(2100, dt=0.05)
    >>> wrong = system("Lorenz", rho=30)
    >>> forecast = HybridEchoState(wrong, units=50).fit(series[:2000]).predict(20)
    >>> bool(np.abs(forecast - series.x[2000:2020]).max() < 1.0)
    True
    """

    source = "Pathak, Wikner, Fussell, Chandra, Hunt, Girvan & Ott (2018), Chaos 28, 041101"
    equivariant = frozenset()

    def __init__(
        self,
        model: System,
        units: int = 400,
        radius: float = 0.4,
        leak: float = 1.0,
        input_scale: float = 0.4,
        bias: float = 0.5,
        degree: int = 6,
        ridge: float = 1e-10,
        washout: int = 100,
        seed: int = 0,
    ) -> None:
        super().__init__(units, radius, leak, input_scale, bias, degree, ridge, washout, seed)
        self.model = model

    def _shortest(self, dimension: int) -> int:
        if not isinstance(self.model, System) or self.model.kind not in ("flow", "map"):
            raise RequestError(f"model must be a System that is a flow or a map, not {self.model!r}")
        if self.model.dimension != dimension:
            raise RequestError(
                f"{self.model.name} has {self.model.dimension} state variables, but the series {dimension} columns"
            )
        if self.model.kind == "map" and self.dt_ != round(self.dt_):
            raise RequestError(f"{self.model.name} is a map: dt must be a whole number of iterations, not {self.dt_}")
        return super()._shortest(dimension)

    def _guidance(self, x: Array) -> Array:
        run = self.model.ensemble(n=2, initial=x, dt=self.dt_, rtol=1e-9, threads=1)
        # Where the model escapes it has nothing to say: no change.
        guess = np.where(np.isfinite(run.x[:, 1]), run.x[:, 1], x)
        return (guess - x) / self.scaler_.scale

    def _predict(self, past: Array, horizon: int) -> Array:
        z, guidance = self.scaler_.to(past), self._guidance(past)
        state = self.reservoir_.drive(np.zeros(self.units), np.concatenate([z, guidance], axis=1))[-1]
        z, guidance = z[-1:], guidance[-1:]
        path = np.full((horizon, self.dimension_), np.nan)
        for i in range(horizon):
            z = z + self._features(z, guidance, state[None]) @ self.readout_
            path[i] = self.scaler_.back(z)[0]
            if not np.isfinite(path[i]).all():
                break
            guidance = self._guidance(path[i : i + 1])
            state = self.reservoir_.drive(state, np.concatenate([z, guidance], axis=1))[-1]
        return path


def readout(features: Array, targets: Array, ridge: float) -> Array:
    """Ridge regression (p, d): by the normal equations if the penalty outweighs their rounding."""
    p = features.shape[1]
    if ridge < 1e-13:
        return ridge_regression(features, targets, ridge)
    gram = features.T @ features
    gram[np.diag_indices_from(gram)] += ridge * np.trace(gram) / p
    return np.asarray(np.linalg.solve(gram, features.T @ targets))
