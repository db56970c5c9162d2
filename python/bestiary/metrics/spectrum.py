"""How alike two attractors are in time, and in what does not depend on coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..exceptions import RequestError
from .arrays import Array, Value, array, choose, over_variables, pair, ratio, whole

BOUNDARIES = ("reflect", "mirror")


def power_spectrum(series: ArrayLike, *, smoothing: float = 20.0, boundary: str = "reflect") -> Array:
    """
    The smoothed power spectrum that `hellinger_distance` compares: of each standardised variable, summing to one.

    Parameters
    ----------
    series : array of shape (time,) or (…, time, variable)
    smoothing, boundary : as for `hellinger_distance`

    Returns
    -------
    array of shape (…, time // 2 + 1, variable), without the last axis for a series of shape (time,)
        At the frequencies 0, 1/n, 2/n, … per sample.

    Examples
    --------
    >>> import numpy as np
    >>> spectrum = power_spectrum(np.sin(np.arange(256) * 2 * np.pi / 8), smoothing=0)  # one cycle in 8 samples
    >>> int(spectrum.argmax()), round(float(spectrum.max()), 12)
    (32, 1.0)
    """
    x = array(series, "series")
    choose("boundary", boundary, BOUNDARIES)
    stacked = x[None, :, None] if x.ndim == 1 else x.reshape((-1, *x.shape[-2:]))
    spectra = _core.power_spectra(np.ascontiguousarray(stacked), smoothing=float(smoothing), boundary=boundary)
    result: Array = spectra[0, :, 0] if x.ndim == 1 else spectra.reshape((*x.shape[:-2], -1, x.shape[-1]))
    return result


def hellinger_distance(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    smoothing: float = 20.0,
    boundary: str = "reflect",
    variables: str = "mean",
    threads: int | None = None,
) -> Value:
    """
    D_H: Hellinger distance of the smoothed power spectra, between 0 and 1; the mean over the variables.

    Each series is standardised by itself, so neither mean nor scale matter. The square of the magnitude of its
    transform is smoothed by a Gaussian and divided by its sum. The authors run a model for 1.25 times the length of
    the truth and drop the first fifth.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
    smoothing : standard deviation of the Gaussian in bins, cut at four of them; 20 in the papers
        Its effect depends on the length of the series: a bin is one cycle in that length. 0 for none.
    boundary : "reflect" or "mirror"
        What lies past the ends of the spectrum: d c b a | a b c d (SciPy's "reflect"; the code of DynaMix 2025), or
        d c b | a b c d ("reflect" in Julia's ImageFiltering; the code of Hess et al. 2023). dysts compares the first
        100 bins unsmoothed, mean included, which is another number.
    variables : "mean" or "each"
    threads : at most so many; the result does not depend on it

    References
    ----------
    Hess, F., et al. (2023), Generalized teacher forcing for learning chaotic dynamics, ICML. Hemmer, C. J. &
    Durstewitz, D. (2025), True zero-shot inference of dynamical systems preserving long-term statistics (DynaMix).

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(1000.0)
    >>> round(hellinger_distance(np.sin(0.1 * t), 5 + 2 * np.sin(0.1 * t)), 6)  # shift and scale do not matter
    0.0
    >>> hellinger_distance(np.sin(0.1 * t), np.sin(0.9 * t)) > 0.9
    True
    """
    return _spectral(truth, forecast, smoothing, boundary, "hellinger", variables, threads)


def power_spectrum_distance(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    smoothing: float = 20.0,
    boundary: str = "reflect",
    variables: str = "mean",
    threads: int | None = None,
) -> Value:
    """
    Log-spectral distance: the root mean square difference of the smoothed power spectra in decibels.

    All frequencies weigh the same, the weak ones too, where `hellinger_distance` looks at the strong ones.

    Parameters are those of `hellinger_distance`.

    References
    ----------
    Gray, A. H. & Markel, J. D. (1976), IEEE Transactions on Acoustics, Speech, and Signal Processing 24, 380-391.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(size=1000)
    >>> power_spectrum_distance(noise, noise)
    0.0
    """
    return _spectral(truth, forecast, smoothing, boundary, "decibel", variables, threads)


def autocorrelation_distance(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    lags: int = 100,
    variables: str = "mean",
    threads: int | None = None,
) -> Value:
    """
    Root mean square difference of the autocorrelations at lags 1, …, `lags`.

    The autocorrelation at lag k is sum over t of (x_t - m)(x_{t+k} - m) over sum of (x_t - m)².

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
        The lengths may differ; NaN if one is not longer than `lags`.
    lags : in samples
    variables : "mean" or "each"
    threads : at most so many; the result does not depend on it

    Examples
    --------
    >>> round(autocorrelation_distance([1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0], lags=1), 12)  # -3/4 and 1/4
    1.0
    """
    both = pair(truth, forecast, aligned=False)
    count = whole("lags", lags)
    values = _core.autocorrelation_distances(both.truth, both.forecast, lags=count, threads=threads)
    return over_variables(both, values, variables)


def correlation_dimension_error(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    quantile: float = 0.01,
    window: int = 50,
    max_points: int = 2000,
    threads: int | None = None,
) -> Value:
    """
    |difference| of the correlation dimensions of truth and forecast.

    Both dimensions by Takens's maximum-likelihood estimator: -1 / mean of log(r / r0) over all pairs of samples nearer
    than r0. Biased alike for both, so that the difference says more than the dimensions do.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
        The lengths may differ.
    quantile : of the distances, that is r0, of each series its own
    window : pairs of samples less than so many steps apart are left out
    max_points : of longer series so many samples are taken, evenly spread
    threads : at most so many; the result does not depend on it

    Returns
    -------
    float, or array of the shape of the leading axes
        A pure number; NaN if no pair of samples is near enough, yet not in the window.

    References
    ----------
    Takens, F. (1985), Lecture Notes in Mathematics 1125, 99-106. Theiler, J. (1986), Physical Review A 34, 2427-2432.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> plane, line = rng.uniform(size=(2000, 2)), np.outer(rng.uniform(size=2000), [1.0, 1.0])
    >>> round(correlation_dimension_error(plane, line))
    1
    """
    both = pair(truth, forecast, aligned=False)
    if not 0 < quantile < 1:
        raise RequestError(f"quantile must be between 0 and 1, found {quantile!r}")
    steps, points = whole("window", window), whole("max_points", max_points, 2)
    y, p = (
        _core.takens_dimension(x, quantile=float(quantile), window=steps, points=points, threads=threads)
        for x in (both.truth, both.forecast)
    )
    return both.value(np.abs(y - p))


def lyapunov_spectrum_error(truth: ArrayLike, forecast: ArrayLike, *, relative: bool = False) -> Value:
    """
    Root mean square difference of two Lyapunov spectra, the largest exponents paired, and so on.

    Parameters
    ----------
    truth, forecast : arrays of shape (exponent,) or (…, exponent), in any order
    relative : whether to divide by the root mean square of the truth

    Returns
    -------
    float, or array of the shape of the leading axes
        In units of the exponents.

    Examples
    --------
    >>> lyapunov_spectrum_error([0.9, 0.0, -14.6], [-14.6, 1.2, 0.4])  # differences 0.3, 0.4, 0
    0.28867513459481287
    """
    y, p = (np.sort(array(x, name), axis=-1) for x, name in ((truth, "truth"), (forecast, "forecast")))
    if y.shape[-1] != p.shape[-1]:
        raise RequestError(f"truth and forecast must have as many exponents, found {y.shape[-1]} and {p.shape[-1]}")
    both = pair(y[..., None], p[..., None])
    values = _core.point_errors(both.truth, both.forecast, None, ["rmse"])[:, 0, -1]
    if relative:
        values = ratio(values, np.sqrt((both.truth**2).mean(axis=(1, 2))))
    return both.value(values)


def _spectral(
    truth: ArrayLike,
    forecast: ArrayLike,
    smoothing: float,
    boundary: str,
    comparison: str,
    variables: str,
    threads: int | None,
) -> Value:
    both = pair(truth, forecast)
    choose("boundary", boundary, BOUNDARIES)
    values = _core.spectral_distance(
        both.truth, both.forecast, smoothing=float(smoothing), boundary=boundary, comparison=comparison, threads=threads
    )
    return over_variables(both, values, variables)
