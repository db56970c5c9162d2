"""
Extended dynamic mode decomposition with residuals: which Koopman eigenvalues to believe, and forecasts from those.

Colbrook, M. J. & Townsend, A. (2024), Rigorous data-driven computation of spectral properties of Koopman operators for
dynamical systems, Commun. Pure Appl. Math. 77, 221-283.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations_with_replacement
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import sampling
from ..definition import Array
from ..exceptions import RequestError, UnknownName
from .base import EQUIVARIANT, Forecaster
from .delays import Scaler, fraction, generator_of
from .features import k_means, pairwise_distances
from .series import Series, read_train

__all__ = ["KoopmanModes", "ResDMD", "koopman"]

Complex: TypeAlias = NDArray[np.complex128]
Dictionary: TypeAlias = Callable[[Array], NDArray[Any]]

# Directions of the dictionary below this part of the largest are rounding.
_RANK = 1e-10
_DICTIONARIES = ("delays", "gaussian", "exponential", "monomials")


@dataclass(frozen=True, eq=False)
class KoopmanModes:
    """
    Eigenvalues of a Koopman operator with their residuals.

    Attributes
    ----------
    eigenvalues : complex array (k,), of the map from one snapshot to the next; the surest first
    rates : complex array (k,), log(eigenvalues) / dt
    residuals : array (k,)
        |(K - lambda) phi| / |phi| of each eigenfunction phi: an eigenvalue is as far as that, at most, from the
        spectrum of a normal operator.
    modes : complex array (k, d): what each eigenfunction contributes to the coordinates
    eigenfunctions : complex array (N, k): their coefficients in the dictionary

    Notes
    -----
    A mixing chaotic system has a continuous spectrum and no eigenvalue but 1. Few verified modes, or only that one,
    are then the right answer and not a failure.
    """

    eigenvalues: Complex
    rates: Complex
    residuals: Array
    modes: Complex
    eigenfunctions: Complex
    _gram: Complex
    _cross: Complex

    def verified(self, most: float = 0.1) -> KoopmanModes:
        """Those with a residual of at most `most`."""
        kept = self.residuals <= most
        return KoopmanModes(
            self.eigenvalues[kept],
            self.rates[kept],
            self.residuals[kept],
            self.modes[kept],
            self.eigenfunctions[:, kept],
            self._gram,
            self._cross,
        )

    def pseudospectrum(self, grid: ArrayLike, *, preserves_measure: bool = False) -> Array:
        """
        The least residual of any function of the dictionary at the complex numbers `grid`, of the same shape.

        Where the map preserves the measure, the spectrum lies on the unit circle and the residual is at least the
        distance from it.
        """
        z = np.asarray(grid, dtype=np.complex128)
        identity = np.eye(len(self._gram))
        values = np.empty(z.size)
        for i, point in enumerate(z.ravel()):
            matrix = (
                self._gram - point * self._cross.conj().T - np.conj(point) * self._cross + abs(point) ** 2 * identity
            )
            values[i] = np.sqrt(max(float(np.linalg.eigvalsh(matrix)[0]), 0.0))
        least = values.reshape(z.shape)
        return np.asarray(np.maximum(least, np.abs(1 - np.abs(z))) if preserves_measure else least)

    def __repr__(self) -> str:
        sure = ", ".join(f"{int(np.sum(self.residuals <= most))} below {most:g}" for most in (0.01, 0.1, 0.25))
        return f"{len(self.eigenvalues)} Koopman eigenvalues, residuals: {sure}"


def koopman(
    x: Series,
    dictionary: str | Dictionary = "delays",
    n: int = 100,
    *,
    dt: float | None = None,
    y: ArrayLike | None = None,
    hold_out: float = 0.0,
    seed: int = 0,
) -> KoopmanModes:
    """
    Koopman eigenvalues from snapshots, with residuals.

    Parameters
    ----------
    x : array of shape (n,) or (n, d), Trajectory, or several of them
        Consecutive snapshots; or any states, if `y` has their successors.
    dictionary : "delays", "gaussian", "exponential", "monomials" or callable
        Delays of the coordinates; radial functions about k-means centres, their width the mean distance from the mean;
        products of coordinates; or a function from states (m, d) to features (m, N), which may be complex.
    n : int
        How many functions the dictionary has, about.
    dt : float
        Time between snapshots; that of the Trajectory, or 1.
    y : array of the shape of x
        Successors of the states x.
    hold_out : float
        Part of the snapshots, the last ones, that is kept for the residuals alone.
    seed : int
        Of the k-means centres.

    Returns
    -------
    KoopmanModes

    Examples
    --------
    The circle turned by the angle sqrt(2); its eigenvalues are exp(i k sqrt(2)):

    >>> angle = np.sqrt(2) * np.arange(500)
    >>> modes = koopman(angle, lambda a: np.exp(1j * a * np.arange(-5, 6)))
    >>> bool(modes.residuals.max() < 1e-12), len(modes.verified(1e-12).eigenvalues)
    (True, 11)
    """
    series, interval, _ = read_train(x, dt)
    fraction("hold_out", hold_out, high=0.9)
    scaler = Scaler(series)
    scaled = [scaler.to(part) for part in series]
    features, lags = _dictionary(dictionary, n, scaled, seed, scaler)
    if y is not None:
        if lags > 1:
            raise RequestError("the successors y of single states do not go with delays: choose another dictionary")
        after = read_train(y, None)[0]
        if [part.shape for part in after] != [part.shape for part in series]:
            raise RequestError(f"y must have the shape of x, {series[0].shape}, not {after[0].shape}")
        before, later = np.concatenate(scaled), np.concatenate([scaler.to(part) for part in after])
    else:
        before, later = _snapshots(scaled, lags)
    return _modes(features(before), features(later), before[:, -series[0].shape[1] :], interval, hold_out)


def _snapshots(series: list[Array], lags: int) -> tuple[Array, Array]:
    """Delay vectors of consecutive samples, oldest first, and those one sample later."""
    if min(map(len, series)) < lags + 1:
        raise RequestError(f"{lags} delays need at least {lags + 1} samples in each series")
    vectors = [
        np.moveaxis(np.lib.stride_tricks.sliding_window_view(x, lags, axis=0), -1, 1).reshape(len(x) - lags + 1, -1)
        for x in series
    ]
    return np.concatenate([v[:-1] for v in vectors]), np.concatenate([v[1:] for v in vectors])


def _dictionary(
    dictionary: str | Dictionary, n: int, scaled: list[Array], seed: int, scaler: Scaler
) -> tuple[Dictionary, int]:
    """The features of standardised (delay) vectors, and the delays in one."""
    sampling.whole("n", n, least=1)
    if callable(dictionary):
        return partial(_own_units, dictionary, scaler), 1
    if dictionary not in _DICTIONARIES:
        raise UnknownName("dictionary", str(dictionary), _DICTIONARIES)
    d = scaled[0].shape[1]
    if dictionary == "delays":
        return _with_constant, max(n // d, 1)
    every = np.concatenate(scaled)
    if dictionary == "monomials":
        degree = 0
        terms: list[tuple[int, ...]] = []
        while len(terms) < n:
            terms += list(combinations_with_replacement(range(d), degree))
            degree += 1
        return partial(_monomials, terms), 1
    width = float(np.mean(np.linalg.norm(every - every.mean(axis=0), axis=1))) or 1.0
    centres = k_means(every, min(n, len(every)), generator_of(seed))
    return partial(_radial, centres, width, dictionary == "gaussian"), 1


def _own_units(dictionary: Dictionary, scaler: Scaler, x: Array) -> NDArray[Any]:
    features = np.asarray(dictionary(scaler.back(x)))
    if features.ndim != 2 or len(features) != len(x):
        raise RequestError(
            f"the dictionary made an array {features.shape} of states {x.shape}: it must have a row each"
        )
    return features


def _with_constant(x: Array) -> Array:
    return np.concatenate([np.ones((len(x), 1)), x], axis=1)


def _monomials(terms: list[tuple[int, ...]], x: Array) -> Array:
    return np.stack([np.prod(x[:, list(term)], axis=1) for term in terms], axis=1)


def _radial(centres: Array, width: float, is_gaussian: bool, x: Array) -> Array:
    r = pairwise_distances(x, centres) / width
    return _with_constant(np.exp(-(r**2)) if is_gaussian else np.exp(-r))


def _modes(px: NDArray[Any], py: NDArray[Any], states: Array, dt: float, hold_out: float) -> KoopmanModes:
    m = len(px) - int(hold_out * len(px))
    x, y = px[:m], py[:m]
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    kept = s > _RANK * s[0]
    u, s, v = u[:, kept], s[kept], vh[kept].conj().T
    onto = v / s
    moved = y @ onto
    # u has orthonormal columns: L = C* C and B = Q* C of the residuals.
    gram, cross = moved.conj().T @ moved, u.conj().T @ moved
    eigenvalues, vectors = np.linalg.eig(cross.astype(complex))
    functions = onto @ vectors
    tx, ty = (px[m:], py[m:]) if m < len(px) else (x, y)
    phi = tx @ functions
    size = np.linalg.norm(phi, axis=0)
    residuals = np.linalg.norm(ty @ functions - phi * eigenvalues, axis=0) / np.where(size > 0, size, 1.0)
    residuals = np.where(size > 0, residuals, np.inf)
    order = np.argsort(residuals, kind="stable")
    eigenvalues, functions, residuals = eigenvalues[order].astype(complex), functions[:, order], residuals[order]
    modes = np.linalg.lstsq(x @ functions, states[:m].astype(complex), rcond=_RANK)[0]
    rates = np.asarray(np.log(np.where(eigenvalues == 0, np.finfo(float).tiny, eigenvalues)) / dt, dtype=np.complex128)
    return KoopmanModes(
        eigenvalues, rates, residuals, modes, functions.astype(complex), gram.astype(complex), cross.astype(complex)
    )


class ResDMD(Forecaster):
    """
    Forecast by the Koopman modes whose residual, on snapshots held out, is small.

    Where none but the constant one is verified, which is right for a mixing system, the forecast is the mean.

    Parameters
    ----------
    max_residual : float
    dictionary : "delays", "gaussian", "exponential" or "monomials"
    n : int
        How many functions the dictionary has, about; fewer for a short series.
    hold_out : float
        Part of the training snapshots that is kept for the residuals.
    seed : int

    Attributes
    ----------
    modes_ : KoopmanModes, the verified ones

    References
    ----------
    Colbrook, M. J. & Townsend, A. (2024), Commun. Pure Appl. Math. 77, 221-283.

    Examples
    --------
    >>> t = np.arange(300) * 0.1
    >>> wave = np.cos(2 * t) + 0.5 * np.sin(5 * t)
    >>> bool(np.abs(ResDMD(n=40).fit(wave[:200]).predict(100) - wave[200:]).max() < 1e-6)
    True
    """

    family = "operator"
    equivariant = EQUIVARIANT
    source = "Colbrook & Townsend (2024), Commun. Pure Appl. Math. 77, 221-283"
    exact = frozenset({"linear", "periodic"})
    # The mean, on a mixing system, does not foresee the next sample.
    skilled = False

    def __init__(
        self,
        max_residual: float = 0.2,
        dictionary: str = "delays",
        n: int = 100,
        hold_out: float = 0.3,
        seed: int = 0,
    ) -> None:
        self.max_residual = max_residual
        self.dictionary = dictionary
        self.n = n
        self.hold_out = hold_out
        self.seed = seed

    def _shortest(self, dimension: int) -> int:
        fraction("max_residual", self.max_residual)
        fraction("hold_out", self.hold_out, high=0.9)
        if self.dictionary not in _DICTIONARIES:
            raise UnknownName("dictionary", str(self.dictionary), _DICTIONARIES)
        return 10

    def _memory(self) -> tuple[int, int | None]:
        return self.lags_, self.lags_

    def _fit(self, series: list[Array]) -> None:
        self.scaler_ = Scaler(series)
        scaled = [self.scaler_.to(x) for x in series]
        most = min(self.n, min(map(len, series)) // 4 * (self.dimension_ if self.dictionary == "delays" else 1))
        self.features_, self.lags_ = _dictionary(self.dictionary, max(most, 1), scaled, self.seed, self.scaler_)
        before, later = _snapshots(scaled, self.lags_)
        states = before[:, -self.dimension_ :]
        px, py = self.features_(before), self.features_(later)
        found = _modes(px, py, states, self.dt_, self.hold_out).verified(self.max_residual)
        phi = px @ found.eigenfunctions
        # The coordinates in terms of the verified modes alone, and a constant, whose eigenvalue is known.
        basis = np.concatenate([np.ones((len(phi), 1)), phi], axis=1)
        weights = np.linalg.lstsq(basis, states.astype(complex), rcond=_RANK)[0]
        self.mean_, self.contributions_ = weights[0].real, weights[1:]
        self.modes_ = found

    def _predict(self, past: Array, horizon: int) -> Array:
        key = self.scaler_.to(past[-self.lags_ :]).reshape(1, -1)
        phi = (self.features_(key) @ self.modes_.eigenfunctions)[0]
        # Of |lambda| > 1 within the residual the unit circle is the nearest that does not explode.
        values = self.modes_.eigenvalues
        size = np.abs(values)
        near = (size > 1) & (size < 1 + self.modes_.residuals)
        values = np.where(near, values / np.where(near, size, 1.0), values)
        powers = np.cumprod(np.tile(values, (horizon, 1)), axis=0) if len(values) else np.ones((horizon, 0))
        return self.scaler_.back(self.mean_ + ((powers * phi) @ self.contributions_).real)
