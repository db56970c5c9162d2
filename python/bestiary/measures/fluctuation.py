"""Memory of series: how long it lasts (autocorrelation time), and how it scales (detrended fluctuations, Hurst)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..definition import Array
from ..exceptions import RequestError
from ..sampling import positive, whole
from .estimate import Estimate
from .scaling import line
from .series import BLOCKS, as_series, autocorrelation, logarithm

__all__ = ["autocorrelation_time", "detrended_fluctuation", "hurst_exponent"]

# The window of the sum, in units of the time that it gives (Sokal 1997 takes 4 to 10).
_WINDOW = 5.0


def autocorrelation_time(x: ArrayLike, *, dt: float = 1.0) -> Estimate:
    """
    The integrated autocorrelation time: the mean of n samples is as uncertain as that of n dt / time independent ones.

    The sum of the autocorrelation over all lags, to both sides, up to the first lag that is five times the half of this
    sum. Its standard error follows from the lengths of window and series. Converged: the series is a thousand times as
    long. A rhythm makes it small: the time within which a series forgets is another matter.

    Parameters
    ----------
    x : array of shape (n,)
    dt : float
        Time between samples.

    Returns
    -------
    Estimate

    References
    ----------
    Madras, N. & Sokal, A. D. (1988), Journal of Statistical Physics 50, 109-186 (window, standard error).

    Examples
    --------
    >>> from bestiary import _core
    >>> x = np.zeros(50_000)
    >>> for i, z in enumerate(_core.normals(0, 0, 50_000)[1:]):
    ...     x[i + 1] = 0.5 * x[i] + z
    >>> found = autocorrelation_time(x)
    >>> bool(abs(found.value - 3) < 3 * found.error)  # (1 + 0.5) / (1 - 0.5)
    True
    """
    series, dt = as_series(x), positive("dt", dt)
    correlation = autocorrelation(series)
    half = np.cumsum(correlation) - 0.5
    enough = np.flatnonzero(np.arange(len(half)) >= _WINDOW * half)
    cut = int(enough[0]) if len(enough) else len(half) - 1
    value = 2 * max(float(half[cut]), 0.0)
    return Estimate(
        value=value * dt,
        error=max(value, 1.0) * math.sqrt(2 * (2 * cut + 1) / len(series)) * dt,
        converged=len(enough) > 0 and len(series) >= 1000 * max(value, 1.0),
        settings={"samples": len(series), "dt": dt, "window": cut},
        method="sum of the autocorrelation in a self-consistent window, and its standard error (Madras & Sokal 1988)",
    )


def detrended_fluctuation(
    x: ArrayLike, *, degree: int = 1, smallest: int | None = None, largest: int | None = None
) -> Estimate:
    """
    The exponent of detrended fluctuation analysis: 0.5 for white noise, 1 for 1/f noise, 1.5 for Brownian motion.

    The slope of the root mean square residual of the summed series, from polynomials in windows, against the length of
    the windows: 20 lengths in geometric progression from `smallest` (10 by default, more for higher degrees) to
    `largest` (a tenth of the samples). The standard error has a part from 16 stretches of time, and half of the range
    of the slopes of the thirds of the lengths. Converged: the error is less than 0.1.

    Parameters
    ----------
    x : array of shape (n,)
    degree : int
        Of the polynomials.
    smallest, largest : int, optional

    Returns
    -------
    Estimate

    References
    ----------
    Peng, C.-K., et al. (1994), Physical Review E 49, 1685-1689.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=10_000)
    >>> found = detrended_fluctuation(noise)
    >>> bool(abs(found.value - 0.5) < 3 * found.error)
    True
    """
    series, degree = as_series(x), whole("degree", degree, least=0)
    sizes = _sizes(len(series), max(10, 4 * (degree + 2)) if smallest is None else smallest, largest, degree + 2)
    found = _core.detrended_fluctuations(series, sizes, degree, BLOCKS).reshape(len(sizes), BLOCKS, 2)
    # The logarithm of the root mean square is half of that of the mean square.
    return _exponent(
        0.5,
        found,
        sizes,
        {"samples": len(series), "degree": degree},
        "detrended fluctuations (Peng et al. 1994); standard error from stretches of time and thirds of the lengths",
    )


def hurst_exponent(x: ArrayLike, *, smallest: int | None = None, largest: int | None = None) -> Estimate:
    """
    The Hurst exponent by the rescaled range, corrected for what independent values give in windows of finite length.

    The slope of the logarithm of R/S, less that of its expectation for independent normal values, plus 1/2, against
    that of the length of the windows. Without the correction, white noise seems persistent. Windows and standard error
    are as for `detrended_fluctuation`.

    References
    ----------
    Hurst, H. E. (1951), Transactions of the American Society of Civil Engineers 116, 770-799.
    Anis, A. A. & Lloyd, E. H. (1976), Biometrika 63, 111-116 (the expectation).

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=10_000)
    >>> found = hurst_exponent(noise)
    >>> bool(abs(found.value - 0.5) < 3 * found.error)
    True
    """
    series = as_series(x)
    sizes = _sizes(len(series), 10 if smallest is None else smallest, largest, 4)
    found = _core.rescaled_ranges(series, sizes, BLOCKS).reshape(len(sizes), BLOCKS, 2)
    expected = np.array([_independent(size) / math.sqrt(size) for size in sizes])
    found[:, :, 0] /= expected[:, None]
    return _exponent(
        1.0,
        found,
        sizes,
        {"samples": len(series)},
        "rescaled range (Hurst 1951) over that of independent values (Anis & Lloyd 1976); standard error from "
        "stretches of time and thirds of the lengths",
    )


def _independent(n: int) -> float:
    """The expectation of R/S of n independent normal values."""
    gammas = math.exp(math.lgamma((n - 1) / 2) - math.lgamma(n / 2)) / math.sqrt(math.pi)
    return gammas * math.fsum(math.sqrt((n - i) / i) for i in range(1, n))


def _sizes(n: int, smallest: int, largest: int | None, least: int) -> list[int]:
    low = whole("smallest", smallest, least=least)
    high = n // 10 if largest is None else whole("largest", largest, least=least)
    if not 2 * low <= high <= n // 2:
        raise RequestError(
            f"windows from {low} to {high} of {n} samples: the largest is to be twice the smallest, at most half of all"
        )
    return sorted({round(low * (high / low) ** (i / 19)) for i in range(20)})


def _exponent(power: float, found: Array, sizes: list[int], settings: dict[str, object], method: str) -> Estimate:
    sums, windows = found[..., 0].T, found[..., 1].T
    left, count = sums.sum(axis=0) - sums, windows.sum(axis=0) - windows
    if not ((left > 0) & (count > 0)).all():
        raise RequestError("the series does not fluctuate at some length of windows")
    curve, parts = power * logarithm(sums.sum(0) / windows.sum(0)), power * logarithm(left / count)
    scale = logarithm(np.array(sizes, dtype=float))
    line_found = line(scale, curve, parts, width=0.0, whole=True, least=4)
    if line_found is None:
        raise RequestError("windows of at least four lengths are needed")
    return Estimate(
        value=line_found.slope,
        error=line_found.error,
        converged=line_found.error < 0.1,
        settings={**settings, "windows": (sizes[0], sizes[-1], len(sizes))},
        method=method,
    )
