"""Delay embedding: states from one series, and how to choose delay and dimension."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..definition import Array
from ..exceptions import RequestError
from ..sampling import positive, whole
from .series import as_series, autocorrelation, checked_window, logarithm

__all__ = ["cao", "delay_by_autocorrelation", "delay_by_information", "embed", "false_neighbours", "mutual_information"]


def embed(x: ArrayLike, dimension: int, delay: int = 1) -> Array:
    """
    Delay vectors (x[i], x[i + delay], …, x[i + (dimension - 1) delay]).

    Parameters
    ----------
    x : array of shape (n,) or (n, d)
        Of several variables the delay vectors are put side by side.
    dimension, delay : int

    Returns
    -------
    array of shape (n - (dimension - 1) delay, dimension d)

    References
    ----------
    Takens, F. (1981), in Dynamical Systems and Turbulence, Lecture Notes in Mathematics 898, 366-381.

    Examples
    --------
    >>> embed([1.0, 2.0, 3.0, 4.0, 5.0], 2, delay=3)
    array([[1., 4.],
           [2., 5.]])
    """
    series = np.asarray(x, dtype=np.float64)
    if series.ndim not in (1, 2):
        raise RequestError(f"a series has shape (n,) or (n, d), not {series.shape}")
    dimension, delay = whole("dimension", dimension, least=1), whole("delay", delay, least=1)
    length = len(series) - (dimension - 1) * delay
    if length < 1:
        raise RequestError(f"{len(series)} samples are too few for dimension {dimension} at delay {delay}")
    return np.column_stack([series[k * delay : k * delay + length] for k in range(dimension)])


def mutual_information(x: ArrayLike, lags: int, *, bins: int | None = None) -> Array:
    """
    The mutual information of a series with itself 0, 1, …, `lags` steps later, in nats.

    From a histogram of `bins` × `bins` cells that hold equally many values of the series along either axis. By default
    as many, 4 to 64, as leave ten samples to a cell on average.

    Returns
    -------
    array of shape (lags + 1,)

    References
    ----------
    Fraser, A. M. & Swinney, H. L. (1986), Physical Review A 33, 1134-1140.

    Examples
    --------
    >>> information = mutual_information(np.random.default_rng(0).normal(size=20_000), 1, bins=8)
    >>> bool(abs(information[0] - np.log(8)) < 1e-3), bool(information[1] < 0.003)
    (True, True)
    """
    series = as_series(x)
    lags = whole("lags", lags, least=1)
    n = len(series)
    if n - lags < 50:
        raise RequestError(f"lags must leave 50 samples of {n}, not {lags}")
    bins = min(max(4, int((n / 10) ** 0.5)), 64) if bins is None else whole("bins", bins, least=2)
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(series, kind="stable")] = np.arange(n)
    cell = rank * bins // n
    result = np.empty(lags + 1)
    for lag in range(lags + 1):
        now, later = cell[: n - lag], cell[lag:]
        joint = np.bincount(now * bins + later, minlength=bins * bins).reshape(bins, bins) / (n - lag)
        product = joint.sum(axis=1)[:, None] * joint.sum(axis=0)[None]
        some = joint > 0
        result[lag] = (joint[some] * logarithm(joint[some] / product[some])).sum()
    return result


def delay_by_information(x: ArrayLike, lags: int | None = None, *, bins: int | None = None) -> int:
    """
    The delay at the first minimum of the mutual information (Fraser & Swinney 1986).

    Where it has none up to `lags` (a tenth of the samples, at most 500, by default), the first lag at which it has
    fallen to 1/e of its value at lag 0; 1 for a series without memory.

    Examples
    --------
    >>> from bestiary import system
    >>> delay_by_information(system("Lorenz").trajectory(10_000, dt=0.02, transient=10).x[:, 0])
    8
    """
    series = as_series(x)
    lags = min(len(series) // 10, 500) if lags is None else lags
    information = mutual_information(series, lags, bins=bins)
    inner = np.flatnonzero((information[1:-1] < information[:-2]) & (information[1:-1] <= information[2:]))
    if len(inner):
        return int(inner[0]) + 1
    below = np.flatnonzero(information < information[0] * np.exp(-1))
    return int(below[0]) if len(below) else lags


def delay_by_autocorrelation(x: ArrayLike) -> int:
    """
    The first lag at which the autocorrelation is below 1/e; half of the samples where there is none.

    Examples
    --------
    >>> delay_by_autocorrelation(np.sin(0.05 * np.arange(4000.0)))
    24
    """
    below = np.flatnonzero(autocorrelation(x) < np.exp(-1))
    return int(below[0]) if len(below) else len(np.asarray(x)) // 2


def false_neighbours(
    x: ArrayLike,
    dimensions: int = 10,
    delay: int = 1,
    *,
    ratio: float = 10.0,
    size: float = 2.0,
    window: int | None = None,
    threads: int | None = None,
) -> Array:
    """
    The part of nearest neighbours that a further coordinate shows to be false, for dimensions 1, 2, …, `dimensions`.

    A neighbour is false where the further coordinate is more than `ratio` times as far apart as the points were, or
    where the points are then more than `size` standard deviations apart.

    Returns
    -------
    array of shape (dimensions,)

    References
    ----------
    Kennel, M. B., Brown, R. & Abarbanel, H. D. I. (1992), Physical Review A 45, 3403-3411 (both tests, and the 2 of
    the second; thresholds of the first of 10 and more give the same result there).

    Examples
    --------
    >>> from bestiary import system
    >>> part = false_neighbours(system("Henon").trajectory(3000, transient=100).x[:, 0], 3)
    >>> bool(part[0] > 0.2), bool(part[1] < 0.01)
    (True, True)
    """
    series = as_series(x)
    ratio, size = positive("ratio", ratio), positive("size", size)
    deviation = float(series.std())
    part = np.empty(whole("dimensions", dimensions, least=1))
    for m, near, gap, _ in _neighbours(series, len(part), whole("delay", delay, least=1), "euclidean", window, threads):
        false = (gap > ratio * near) | (near**2 + gap**2 > (size * deviation) ** 2)
        part[m - 1] = false.mean()
    return part


def cao(
    x: ArrayLike, dimensions: int = 10, delay: int = 1, *, window: int | None = None, threads: int | None = None
) -> tuple[Array, Array]:
    """
    Cao's two ratios for dimensions 1, 2, …, `dimensions`.

    E1(m) rises to 1 where m is enough to embed the series. E2(m) is 1 for every m where the series is random, and
    differs from 1 at some m where it is deterministic.

    Returns
    -------
    E1, E2 : arrays of shape (dimensions,)

    References
    ----------
    Cao, L. (1997), Physica D 110, 43-50.

    Examples
    --------
    >>> from bestiary import system
    >>> e1, e2 = cao(system("Henon").trajectory(3000, transient=100).x[:, 0], 5)
    >>> bool(e1[0] < 0.1), bool(e1[3] > 0.9), bool(abs(e2 - 1).max() > 0.3)
    (True, True, True)
    """
    series = as_series(x)
    dimensions = whole("dimensions", dimensions, least=1)
    expansion, gaps = np.empty(dimensions + 1), np.empty(dimensions + 1)
    for m, near, gap, _ in _neighbours(
        series, dimensions + 1, whole("delay", delay, least=1), "maximum", window, threads
    ):
        some = near > 0
        expansion[m - 1] = (np.maximum(near, gap)[some] / near[some]).mean()
        gaps[m - 1] = gap.mean()
    return expansion[1:] / expansion[:-1], gaps[1:] / gaps[:-1]


def _neighbours(series: Array, dimensions: int, delay: int, norm: str, window: int | None, threads: int | None):  # type: ignore[no-untyped-def]
    """At each dimension: it, distances of nearest neighbours, of their next coordinates, and which they are."""
    for m in range(1, dimensions + 1):
        points = embed(series, m + 1, delay)
        near_in_time = checked_window(window, points)
        distances, found = _core.nearest_neighbours(
            np.ascontiguousarray(points[:, :m]),
            norm=norm,
            k=1,
            window=near_in_time,
            candidates=len(points),
            threads=threads,
        )
        gap = np.abs(points[:, m] - points[found[:, 0], m])
        yield m, distances[:, 0], gap, found[:, 0]
