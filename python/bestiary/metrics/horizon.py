"""Errors as functions of time: how long a forecast can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..exceptions import RequestError
from .arrays import Array, Pair, Value, array, choose, pair, positive, whole

SIZES = ("deviations", "norm", "smape")


def error_curve(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    size: str = "deviations",
    scale: ArrayLike | None = None,
    running: bool = False,
) -> Array:
    """
    The error at each time.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
    size : "deviations", "norm" or "smape"
        "deviations": root mean square over the variables of (y - p) / scale. "norm": |y - p| over the root mean square
        of |y| (Pathak et al. 2018). "smape": mean over the variables of 200 |y - p| / (|y| + |p|).
    scale : array with one number a variable, optional
        Unit of "deviations"; by default the standard deviation of the truth over the forecast. Give that of the
        training series where it is longer.
    running : whether to take the mean of the errors so far

    Returns
    -------
    array of shape (…, time)
        NaN at the times where a number is not finite (and with `running` from there on).

    References
    ----------
    Pathak, J., et al. (2018), Chaos 28, 041101.

    Examples
    --------
    >>> error_curve([0.0, 2.0, 0.0, 2.0], [0.0, 2.0, 1.0, 4.0]).tolist()
    [0.0, 0.0, 1.0, 2.0]
    """
    both = pair(truth, forecast)
    return np.asarray(both.value(_curves(both, size, scale, running)))


def lyapunov_times(n: int, dt: float, exponent: float) -> Array:
    """
    The times dt, 2 dt, …, n dt of n forecast samples in units of the Lyapunov time 1/exponent.

    Examples
    --------
    >>> lyapunov_times(3, 0.5, 0.9).tolist()
    [0.45, 0.9, 1.35]
    """
    times = np.arange(1, whole("n", n) + 1, dtype=np.float64)
    return times * (positive("dt", dt) * positive("exponent", exponent))


def valid_prediction_time(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    threshold: float = 0.4,
    size: str = "deviations",
    scale: ArrayLike | None = None,
    running: bool = False,
    dt: float = 1.0,
    exponent: float | None = None,
) -> Value:
    """
    How long the error stays at or below a threshold: the number of samples before the first above it, times dt.

    Parameters
    ----------
    truth, forecast, size, scale, running : as for `error_curve`
    threshold : in the units of `size`
        Published times depend on it, and on the size: quote both. 0.4 "deviations" are the default here; Zhang & Gilpin
        (2025) ask for a "smape" of 30.
    dt : sampling interval, the first sample being one interval after the last that the forecaster knew
    exponent : largest Lyapunov exponent; the result is then in Lyapunov times

    Returns
    -------
    float, or array of the shape of the leading axes
        n dt if the threshold is never passed. A forecast that is not finite from some time on is not valid from there
        on; NaN only if it is the truth that is not finite before the threshold is passed, or if `scale` is left out
        and the truth is not finite anywhere.

    References
    ----------
    Pathak, J., et al. (2018), Chaos 28, 041101. Zhang, Y. & Gilpin, W. (2025), Zero-shot forecasting of chaotic
    systems, ICLR.

    Examples
    --------
    >>> valid_prediction_time([0.0, 2.0, 0.0, 2.0], [0.0, 2.0, 1.0, 4.0], dt=0.1)
    0.2
    """
    both = pair(truth, forecast)
    if not np.isfinite(threshold) or threshold < 0:
        raise RequestError(f"threshold must be finite and not negative, found {threshold!r}")
    unit = positive("dt", dt) * (1.0 if exponent is None else positive("exponent", exponent))
    curves = _curves(both, size, scale, running)
    counts = _core.samples_within(curves[:, :, None], float(threshold))
    broken = np.logical_not(np.isfinite(both.truth).all(axis=2))
    whole_truth = size == "norm" or (size == "deviations" and scale is None)
    first = np.where(broken.any(axis=1), 0 if whole_truth else broken.argmax(axis=1), broken.shape[1] + 1)
    return both.value(np.where(first <= counts, np.nan, counts * unit))


def horizoned(
    metric: Callable[..., Value],
    truth: ArrayLike,
    forecast: ArrayLike,
    horizons: Sequence[int] | None = None,
    **options: Any,
) -> Array:
    """
    Any metric of the first samples, for several numbers of them.

    Parameters
    ----------
    metric : a function of this module, or any of (truth, forecast)
    truth, forecast : arrays of shape (time,) or (…, time, variable)
    horizons : numbers of samples, by default 1, 2, …, all
    options : given on to the metric

    Returns
    -------
    array of shape (…, horizon)

    Examples
    --------
    >>> from bestiary.metrics import mae
    >>> horizoned(mae, [0.0, 0.0, 0.0], [1.0, 0.0, 2.0]).tolist()
    [1.0, 0.5, 1.0]
    """
    both = pair(truth, forecast)
    n = both.truth.shape[1]
    chosen = range(1, n + 1) if horizons is None else [whole("a horizon", h) for h in horizons]
    if len(chosen) == 0 or max(chosen) > n:
        raise RequestError(f"horizons must be between 1 and the {n} samples given, found {list(chosen)}")
    one = np.ndim(truth) == 1
    y, p = array(truth, "truth"), array(forecast, "forecast")
    values = [
        metric(y[:h], p[:h], **options) if one else metric(y[..., :h, :], p[..., :h, :], **options) for h in chosen
    ]
    return np.stack([np.asarray(value) for value in values], axis=len(both.lead))


def _curves(both: Pair, size: str, scale: ArrayLike | None, running: bool) -> Array:
    choose("size", size, SIZES)
    if scale is None:
        with np.errstate(invalid="ignore"):
            spread = both.truth.std(axis=1, keepdims=True)
            units = np.where(np.ptp(both.truth, axis=1, keepdims=True) == 0, 0.0, spread)
    else:
        given = array(np.atleast_1d(np.asarray(scale)), "scale")
        if not (np.isfinite(given).all() and (given >= 0).all()):
            raise RequestError("scale must be finite and not negative")
        units = both.like(given[..., None, :] if given.ndim > 1 else given[None, :], "scale")
    return _core.error_curves(both.truth, both.forecast, units, size=size, running=running)
