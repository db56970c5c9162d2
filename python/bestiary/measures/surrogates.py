"""
Surrogates: random series that share some properties with a given one and are otherwise featureless.

What a measure gives on them is what it gives under the null hypothesis that these properties are all there is. Random
phases are functions of (seed, number of the surrogate), so more surrogates do not change the earlier ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..definition import Array
from ..exceptions import RequestError
from ..sampling import whole

__all__ = ["aaft", "fourier", "iaaft", "red_noise"]


def fourier(x: ArrayLike, n: int = 1, *, seed: int = 0) -> Array:
    """
    Fourier surrogates: the same spectrum, random phases.

    The null hypothesis is a stationary linear Gaussian process. All variables get the same phases, which keeps their
    cross-spectra (Prichard & Theiler 1994).

    Parameters
    ----------
    x : array of shape (samples,) or (samples, d)
    n : int
        Number of surrogates.
    seed : int

    Returns
    -------
    array of shape (n, samples) or (n, samples, d)

    References
    ----------
    Theiler, J., Eubank, S., Longtin, A., Galdrikian, B. & Farmer, J. D. (1992), Physica D 58, 77-94.
    Prichard, D. & Theiler, J. (1994), Physical Review Letters 73, 951-954.

    Examples
    --------
    >>> x = np.sin(np.arange(64.0)) + 0.1 * np.arange(64.0)
    >>> y = fourier(x, 3)
    >>> y.shape
    (3, 64)
    >>> bool(np.allclose(abs(np.fft.rfft(y[0])), abs(np.fft.rfft(x))))
    True
    """
    series = _series(x)
    made = np.stack([_turned(np.fft.rfft(series, axis=0), len(series), seed, i) for i in range(_count(n))])
    return made.reshape(len(made), *np.shape(x))


def aaft(x: ArrayLike, n: int = 1, *, seed: int = 0) -> Array:
    """
    Amplitude-adjusted Fourier surrogates: the same values in another order, nearly the same spectrum.

    The null hypothesis is a stationary linear Gaussian process seen through a monotonic function. The spectrum comes
    out somewhat whiter; `iaaft` mends that. Parameters and result are those of `fourier`; variables are treated one by
    one.

    References
    ----------
    Theiler, J., et al. (1992), Physica D 58, 77-94.

    Examples
    --------
    >>> x = np.exp(np.sin(np.arange(64.0)))
    >>> bool((np.sort(aaft(x)[0]) == np.sort(x)).all())
    True
    """
    series = _series(x)
    made = np.empty((_count(n), *series.shape))
    for i in range(n):
        normals = _core.normals(seed, 2 * i, len(series))
        gaussian = _ranked(np.broadcast_to(normals[:, None], series.shape), series)
        made[i] = _ranked(series, _turned(np.fft.rfft(gaussian, axis=0), len(series), seed, i))
    return made.reshape(len(made), *np.shape(x))


def iaaft(x: ArrayLike, n: int = 1, *, seed: int = 0, iterations: int = 100) -> Array:
    """
    Iterated amplitude-adjusted Fourier surrogates: the same values, and the same spectrum as nearly as can be.

    Spectrum and values are imposed in turn until the order of the values no longer changes, at most `iterations` times.
    The null hypothesis is that of `aaft`, as are parameters and result.

    References
    ----------
    Schreiber, T. & Schmitz, A. (1996), Physical Review Letters 77, 635-638.

    Examples
    --------
    >>> x = np.exp(np.sin(np.arange(64.0)))
    >>> bool((np.sort(iaaft(x)[0]) == np.sort(x)).all())
    True
    """
    series = _series(x)
    whole("iterations", iterations, least=1)
    amplitudes = np.abs(np.fft.rfft(series, axis=0))
    made = np.empty((_count(n), *series.shape))
    for i in range(n):
        order = np.argsort(_core.uniforms(seed, 2 * i, len(series)))
        surrogate = series[order]
        for _ in range(iterations):
            transform = np.fft.rfft(surrogate, axis=0)
            size = np.abs(transform)
            phases = np.divide(transform, size, out=np.ones_like(transform), where=size > 0)
            changed = _ranked(series, np.fft.irfft(amplitudes * phases, len(series), axis=0))
            if np.array_equal(changed, surrogate):
                break
            surrogate = changed
        made[i] = surrogate
    return made.reshape(len(made), *np.shape(x))


def red_noise(x: ArrayLike, n: int = 1, *, seed: int = 0) -> Array:
    """
    Surrogates with the same values and the spectrum of red noise of the same correlation from sample to sample.

    The null hypothesis is a memory that fades, without any rhythm: an autoregressive process of order 1, seen through a
    monotonic function. This is the null for peaks of a spectrum: the surrogates above keep the spectrum, and with it
    the peak that is to be tested. Parameters and result are those of `fourier`; variables are treated one by one.

    References
    ----------
    Allen, M. R. & Smith, L. A. (1996), Journal of Climate 9, 3373-3404 (red noise as the null).

    Examples
    --------
    >>> x = np.sin(0.3 * np.arange(256.0))
    >>> bool((np.sort(red_noise(x)[0]) == np.sort(x)).all())
    True
    """
    series = _series(x)
    moved = series - series.mean(axis=0)
    variance = (moved**2).sum(axis=0)
    correlation = np.divide(
        (moved[1:] * moved[:-1]).sum(axis=0), variance, out=np.zeros_like(variance), where=variance > 0
    )
    correlation = np.clip(correlation, 0.0, 1.0 - 1.0 / len(series))
    angle = 2 * np.pi * np.fft.rfftfreq(len(series))[:, None]
    amplitudes = 1.0 / np.sqrt(1 - 2 * correlation * np.cos(angle) + correlation**2)
    values = np.sort(series, axis=0)
    made = np.empty((_count(n), *series.shape))
    for i in range(n):
        normals = _core.normals(seed, i, 2 * amplitudes.size).reshape(2, *amplitudes.shape)
        noise = np.fft.irfft(amplitudes * (normals[0] + 1j * normals[1]), len(series), axis=0)
        # Noise has no ties, so the order is the same by every way of sorting.
        np.put_along_axis(made[i], np.argsort(noise, axis=0), values, axis=0)
    return made.reshape(len(made), *np.shape(x))


def _series(x: ArrayLike) -> Array:
    """As (samples, d), finite."""
    series = np.asarray(x, dtype=np.float64)
    if series.ndim not in (1, 2) or len(series) < 4:
        raise RequestError(f"a series has shape (samples,) or (samples, d) with at least 4 samples, not {series.shape}")
    if not np.isfinite(series).all():
        raise RequestError("a series must be finite")
    return series.reshape(len(series), -1)


def _count(n: int) -> int:
    return whole("n", n, least=1)


def _turned(transform: np.ndarray, samples: int, seed: int, number: int) -> Array:
    """The series of a transform with its phases turned at random; mean and, if there is one, Nyquist term stay."""
    turns = np.exp(2j * np.pi * _core.uniforms(seed, 2 * number + 1, len(transform)))
    turns[0] = 1.0
    if samples % 2 == 0:
        turns[-1] = 1.0
    return np.asarray(np.fft.irfft(transform * turns[:, None], samples, axis=0))


def _ranked(values: Array, like: Array) -> Array:
    """The values of each column in the order that the column of `like` has."""
    made = np.empty_like(values)
    np.put_along_axis(made, np.argsort(like, axis=0, kind="stable"), np.sort(values, axis=0), axis=0)
    return made
