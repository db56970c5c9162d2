"""Series and points as the measures take them: checked, with the time within which neighbours do not count."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..definition import Array
from ..exceptions import RequestError, UnknownName
from ..sampling import whole

__all__ = ["NORMS", "as_points", "as_series", "autocorrelation", "checked_norm", "logarithm", "theiler_window"]

NORMS = ("maximum", "euclidean")
# Stretches of time that are left out one by one for a standard error.
BLOCKS = 16


def as_points(x: ArrayLike, *, least: int = 100) -> Array:
    """Points (n, d), finite; a series (n,) is taken as points of one coordinate."""
    points = np.asarray(x, dtype=np.float64)
    if points.ndim not in (1, 2) or points.size == 0:
        raise RequestError(f"points have shape (n,) or (n, d), not {points.shape}")
    points = np.ascontiguousarray(points.reshape(len(points), -1))
    if len(points) < least:
        raise RequestError(f"at least {least} points are needed, not {len(points)}")
    if not np.isfinite(points).all():
        raise RequestError("points must be finite")
    if not np.ptp(points, axis=0).max() > 0:
        raise RequestError("the points are all the same")
    return points


def as_series(x: ArrayLike, *, least: int = 100, constant: bool = False) -> Array:
    """A series (n,), finite, and not constant unless that is allowed."""
    series = np.ascontiguousarray(np.asarray(x, dtype=np.float64))
    if series.ndim != 1:
        raise RequestError(f"a series has shape (n,), not {series.shape}: choose one variable")
    if len(series) < least:
        raise RequestError(f"at least {least} samples are needed, not {len(series)}")
    if not np.isfinite(series).all():
        raise RequestError("a series must be finite")
    if not constant and not np.ptp(series) > 0:
        raise RequestError("the series is constant")
    return series


def checked_norm(norm: str) -> str:
    """The norm, if there is one of that name."""
    if norm not in NORMS:
        raise UnknownName("norm", str(norm), NORMS)
    return norm


def logarithm(x: ArrayLike) -> Array:
    """Natural logarithms, the same bits on every machine."""
    values = np.asarray(x, dtype=np.float64)
    return _core.logarithms(values.ravel()).reshape(values.shape)


def autocorrelation(x: ArrayLike, lags: int | None = None) -> Array:
    """
    The autocorrelation of a series at lags 0, 1, …, `lags` (half of its length by default).

    Sums of products over the whole series, divided by the one at lag 0: the estimate that is positive definite.

    Examples
    --------
    >>> autocorrelation(np.tile([1.0, -1.0], 100), 2).round(2).tolist()
    [1.0, -1.0, 0.99]
    """
    series = as_series(x, least=4)
    n = len(series)
    lags = n // 2 if lags is None else whole("lags", lags, least=1)
    if lags >= n:
        raise RequestError(f"lags must be less than the {n} samples, not {lags}")
    moved = series - series.mean()
    size = 1 << (n + lags).bit_length()
    transform = np.fft.rfft(moved, size)
    products = np.fft.irfft(transform.real**2 + transform.imag**2, size)[: lags + 1]
    result: Array = products / products[0]
    return result


def theiler_window(x: ArrayLike) -> int:
    """
    Steps within which points are near because they follow one another: twice the longest time of decorrelation.

    The time of decorrelation of a coordinate is the first lag at which its autocorrelation is below 1/e. At most a
    twentieth of the points.

    References
    ----------
    Theiler, J. (1986), Physical Review A 34, 2427-2432 (why they must not count).

    Examples
    --------
    >>> theiler_window(np.sin(0.05 * np.arange(4000.0)))
    48
    """
    points = as_points(x, least=4)
    longest, most = 0, max(len(points) // 20, 1)
    for column in points.T:
        if np.ptp(column) > 0:
            below = np.flatnonzero(autocorrelation(column, most) < math.exp(-1))
            longest = max(longest, int(below[0]) if len(below) else most)
    return min(2 * longest, most)


def checked_window(window: int | None, points: Array) -> int:
    """The window, by default that of `theiler_window`."""
    chosen = theiler_window(points) if window is None else whole("window", window, least=0)
    if 2 * chosen + 1 >= len(points):
        raise RequestError(f"a window of {chosen} steps leaves no pairs among {len(points)} points")
    return chosen
