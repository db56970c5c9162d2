"""
Analog forecasts: what followed similar moments of the past.

One forecaster with three knobs (how the past is matched, how the matches are weighed, what is taken from them) and its
presets, which go by many names: nearest neighbours, simplex projection, S-map, context parroting, Hopfield retrieval.
"""

from __future__ import annotations

import numpy as np

from .. import _core, sampling
from ..definition import Array
from ..exceptions import UnknownName
from .base import EQUIVARIANT, Forecaster
from .delays import Scaler, default_lags, delay_pairs, fraction

__all__ = ["Analog", "ContextParroting", "Hopfield", "LocalLinear", "SMap", "Simplex"]

_WEIGHTS = ("nearest", "simplex", "softmax", "smap")


class Analog(Forecaster):
    """
    Forecast by analogs, iterated.

    Parameters
    ----------
    lags, spacing : int
        A moment is matched by its last `lags` states, `spacing` samples apart; by default 6, 3 and 1 for series of
        one, two and more coordinates.
    neighbours : int
        How many of the nearest moments count, for the weights "nearest" and "simplex".
    weights : str
        "nearest": alike; "simplex": exp(-r / r_1), r_1 the least distance; "softmax": exp(-beta r^2) over all
        moments; "smap": exp(-theta r / mean r) over all moments.
    combine : "mean" or "linear"
        The weighted mean of the changes that followed, or their weighted linear fit.
    copy : "step" or "run"
        Take one step and match again, or copy what followed the best match to the end of the series, and then from
        the match on again.
    beta, theta : float
        Of the weights "softmax" and "smap", for standardised coordinates.
    ridge : float
        Penalty of the linear fit on its slopes, relative to the spread of the neighbours.

    References
    ----------
    Lorenz, E. N. (1969), J. Atmos. Sci. 26, 636-646. Farmer, J. D. & Sidorowich, J. J. (1987), Phys. Rev. Lett. 59,
    845-848.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(260) / 25)
    >>> bool(np.abs(Analog().fit(wave[:200]).predict(60) - wave[200:]).max() < 1e-9)
    True
    """

    family = "analog"
    equivariant = EQUIVARIANT
    source = "Lorenz (1969), J. Atmos. Sci. 26, 636-646"
    exact = frozenset({"periodic"})

    def __init__(
        self,
        lags: int | None = None,
        neighbours: int = 12,
        weights: str = "simplex",
        combine: str = "linear",
        copy: str = "step",
        beta: float = 5000.0,
        theta: float = 5.0,
        ridge: float = 1e-6,
        spacing: int = 1,
    ) -> None:
        self.lags = lags
        self.neighbours = neighbours
        self.weights = weights
        self.combine = combine
        self.copy = copy
        self.beta = beta
        self.theta = theta
        self.ridge = ridge
        self.spacing = spacing

    def _reach(self, dimension: int) -> int:
        return (default_lags(self.lags, dimension) - 1) * sampling.whole("spacing", self.spacing, least=1)

    def _shortest(self, dimension: int) -> int:
        for name, value, known in (
            ("weights", self.weights, _WEIGHTS),
            ("combine", self.combine, ("mean", "linear")),
            ("copy", self.copy, ("step", "run")),
        ):
            if value not in known:
                raise UnknownName(name, str(value), known)
        for name, number in (("beta", self.beta), ("theta", self.theta), ("ridge", self.ridge)):
            fraction(name, number)
        sampling.whole("neighbours", self.neighbours, least=1)
        reach = self._reach(dimension)
        return 2 * (reach + 1) + 1 if self.copy == "run" else reach + 2

    def _memory(self) -> tuple[int, int | None]:
        rows = self._reach(self.dimension_) + 1
        return rows, rows

    def _fit(self, series: list[Array]) -> None:
        self.scaler_ = Scaler(series)
        scaled = [self.scaler_.to(x) for x in series]
        reach = self._reach(self.dimension_)
        lags = default_lags(self.lags, self.dimension_)
        if self.copy == "run":
            # The end of a series overlaps itself, and has next to no continuation.
            short = [x[: len(x) - reach] for x in scaled]
            begins = np.cumsum([0, *map(len, series)])
            self.ends_ = np.concatenate([np.full(len(x) - 1 - reach, begins[i + 1]) for i, x in enumerate(short)])
            self.starts_ = np.concatenate([np.arange(reach + 1, len(x)) + begins[i] for i, x in enumerate(short)])
            self.past_ = np.concatenate(series)
            scaled = short
        self.library_ = _core.Library(*delay_pairs(scaled, lags, self.spacing))

    def _predict(self, past: Array, horizon: int) -> Array:
        window = self.scaler_.to(past[-self._reach(self.dimension_) - 1 :])
        if self.copy == "run":
            key = window[:: self.spacing].reshape(1, -1)
            match = int(self.library_.nearest(key, 1)[1][0, 0])
            begin, end = self.starts_[match], self.ends_[match]
            return np.asarray(self.past_[begin + np.arange(horizon) % (end - begin)])
        parameter = {"softmax": self.beta, "smap": self.theta}.get(self.weights, float(self.neighbours))
        path = self.library_.iterate(
            window,
            spacing=self.spacing,
            horizon=horizon,
            weights=self.weights,
            parameter=parameter,
            ridge=self.ridge if self.combine == "linear" else None,
        )
        return self.scaler_.back(path)


class ContextParroting(Analog):
    """
    Copy what followed the best match of the last `lags` states.

    Examples
    --------
    >>> ContextParroting(lags=2).fit([1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0]).predict(4).tolist()
    [3.0, 1.0, 2.0, 3.0]
    """

    source = "Zhang & Gilpin (2025), Context parroting, arXiv:2505.11349"

    def __init__(self, lags: int = 5, spacing: int = 1) -> None:
        super().__init__(lags=lags, neighbours=1, weights="nearest", combine="mean", copy="run", spacing=spacing)


class Hopfield(Analog):
    """
    Retrieval of a modern Hopfield network: all moments, weighed by exp(-beta r^2).

    Averaging blurs: at equal data this has not beaten the single nearest neighbour.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(260) / 25)
    >>> bool(np.abs(Hopfield().fit(wave[:200]).predict(60) - wave[200:]).max() < 1e-9)
    True
    """

    source = "Ramsauer et al. (2021), Hopfield networks is all you need, ICLR"
    # Other moments than the one that is met again keep a weight, if a small one.
    exact = frozenset()

    def __init__(self, beta: float = 5000.0, lags: int | None = None, spacing: int = 1) -> None:
        super().__init__(lags=lags, weights="softmax", combine="mean", beta=beta, spacing=spacing)


class Simplex(Analog):
    """
    Simplex projection: one neighbour more than the delay vector has numbers, weighed by exp(-r / r_1), averaged.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(260) / 25)
    >>> bool(np.abs(Simplex().fit(wave[:200]).predict(60) - wave[200:]).max() < 1e-9)
    True
    """

    source = "Sugihara & May (1990), Nature 344, 734-741"

    def __init__(self, lags: int | None = None, spacing: int = 1) -> None:
        super().__init__(lags=lags, combine="mean", spacing=spacing)

    def _fit(self, series: list[Array]) -> None:
        self.neighbours = default_lags(self.lags, self.dimension_) * self.dimension_ + 1
        super()._fit(series)


class LocalLinear(Analog):
    """
    A linear fit to what followed the nearest moments.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(260) / 25)
    >>> bool(np.abs(LocalLinear().fit(wave[:200]).predict(60) - wave[200:]).max() < 1e-9)
    True
    """

    source = "Farmer & Sidorowich (1987), Phys. Rev. Lett. 59, 845-848"

    def __init__(self, neighbours: int = 12, lags: int | None = None, ridge: float = 1e-6, spacing: int = 1) -> None:
        super().__init__(lags=lags, neighbours=neighbours, ridge=ridge, spacing=spacing)


class SMap(Analog):
    """
    Sequential locally weighted global linear map: a linear fit to all moments, weighed by exp(-theta r / mean r).

    theta = 0 is linear vector autoregression; the theta that forecasts best tells how nonlinear the series is.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(260) / 25)
    >>> bool(np.abs(SMap().fit(wave[:200]).predict(60) - wave[200:]).max() < 1e-6)
    True
    """

    source = "Sugihara (1994), Phil. Trans. R. Soc. A 348, 477-495"
    exact = frozenset({"linear", "periodic"})

    def __init__(self, theta: float = 5.0, lags: int | None = None, ridge: float = 1e-12, spacing: int = 1) -> None:
        super().__init__(lags=lags, weights="smap", theta=theta, ridge=ridge, spacing=spacing)
