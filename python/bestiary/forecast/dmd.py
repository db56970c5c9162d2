"""
Dynamic mode decomposition with delays: the series as a sum of exponentials, by a linear map on delay vectors.
"""

from __future__ import annotations

import numpy as np

from .. import sampling
from ..definition import Array
from .base import EQUIVARIANT, Forecaster
from .delays import Scaler, fraction

__all__ = ["HankelDMD"]


class HankelDMD(Forecaster):
    """
    Dynamic mode decomposition on delay vectors.

    The delay vector and the constant 1 are advanced by a linear map of low rank, found from the singular value
    decomposition of the Hankel matrix.

    Parameters
    ----------
    lags : int
        States in a delay vector; by default as many as make 40 numbers, and at most a quarter of the shortest
        training series.
    rank : int
        Kept singular values; by default all above `tolerance` times the largest.
    tolerance : float

    Attributes
    ----------
    eigenvalues_ : complex array (rank,), of the map from sample to sample
    rates_ : complex array (rank,), log(eigenvalues) / dt: growth rates and angular frequencies

    References
    ----------
    Schmid, P. J. (2010), J. Fluid Mech. 656, 5-28. Arbabi, H. & Mezić, I. (2017), SIAM J. Appl. Dyn. Syst. 16,
    2096-2126.

    Examples
    --------
    >>> t = np.arange(300) * 0.1
    >>> wave = np.exp(-0.1 * t) * np.cos(2 * t) + 0.5 * np.sin(5 * t)
    >>> model = HankelDMD().fit(wave[:200], dt=0.1)
    >>> bool(np.abs(model.predict(100) - wave[200:]).max() < 1e-8)
    True
    >>> [f"{rate:.3f}" for rate in np.sort_complex(model.rates_ + 1e-9) if rate.imag > 0.1]
    ['-0.100+2.000j', '0.000+5.000j']
    """

    family = "operator"
    equivariant = EQUIVARIANT
    source = "Schmid (2010), J. Fluid Mech. 656, 5-28; Arbabi & Mezić (2017), SIAM J. Appl. Dyn. Syst. 16, 2096-2126"
    exact = frozenset({"linear", "periodic", "trend"})

    def __init__(self, lags: int | None = None, rank: int | None = None, tolerance: float = 1e-10) -> None:
        self.lags = lags
        self.rank = rank
        self.tolerance = tolerance

    def _shortest(self, dimension: int) -> int:
        if self.rank is not None:
            sampling.whole("rank", self.rank, least=1)
        fraction("tolerance", self.tolerance, high=1.0)
        return 4 if self.lags is None else sampling.whole("lags", self.lags, least=1) + 2

    def _memory(self) -> tuple[int, int | None]:
        return self.lags_, self.lags_

    def _fit(self, series: list[Array]) -> None:
        d, shortest = self.dimension_, min(map(len, series))
        self.lags_ = self.lags or max(min(-(-40 // d), shortest // 4), 1)
        self.scaler_ = Scaler(series)
        keys, later = [], []
        for x in series:
            vectors = np.lib.stride_tricks.sliding_window_view(self.scaler_.to(x), self.lags_, axis=0)
            vectors = np.moveaxis(vectors, -1, 1).reshape(-1, self.lags_ * d)
            keys.append(vectors[:-1])
            later.append(vectors[1:])
        x, y = (self._extended(np.concatenate(part)) for part in (keys, later))
        u, s, vt = np.linalg.svd(x, full_matrices=False)
        kept = max(int(np.sum(s > self.tolerance * s[0])), 1)
        kept = min(kept, self.rank or kept)
        self.basis_ = vt[:kept]
        # Row vectors: coordinates c = x V of a delay vector become c M with M = S^-1 U^T Y V.
        self.map_ = (u[:, :kept] / s[:kept]).T @ y @ self.basis_.T
        self.eigenvalues_ = np.linalg.eigvals(self.map_).astype(complex)
        self.rates_ = np.log(self.eigenvalues_) / self.dt_

    def _extended(self, keys: Array) -> Array:
        return np.concatenate([keys, np.ones((len(keys), 1))], axis=1)

    def _predict(self, past: Array, horizon: int) -> Array:
        d = self.dimension_
        key = self._extended(self.scaler_.to(past[-self.lags_ :]).reshape(1, -1))
        state = (key @ self.basis_.T)[0]
        newest = self.basis_[:, -1 - d : -1]
        path = np.empty((horizon, d))
        for i in range(horizon):
            state = state @ self.map_
            path[i] = state @ newest
        return self.scaler_.back(path)
