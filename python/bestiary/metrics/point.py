"""Errors of a forecast point by point. One reading of the data gives them all: see `all` for many at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..exceptions import RequestError
from .arrays import Array, Pair, Value, array, choose, over_variables, pair, ratio, whole

POOLED_BY_DEFAULT = ("rmse", "nrmse")
NAMES = (
    "mse",
    "rmse",
    "mae",
    "nrmse",
    "mape",
    "smape",
    "wape",
    "mase",
    "marre",
    "ope",
    "rmsle",
    "r2",
    "coefficient_of_variation",
    "pearson",
    "spearman",
    "kendall",
)


def mse(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Mean squared error: mean of (y - p)².

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
    variables : "mean", "pooled" or "each"
        Each variable by itself and then the mean; all variables as one series; or one value a variable.

    Returns
    -------
    float, or array of the shape of the leading axes (with "each", and one axis for the variables)
        In squared units of the data; 0 is perfect.

    Examples
    --------
    >>> mse([1.0, 2.0, 4.0], [1.0, 3.0, 2.0])  # (0 + 1 + 4) / 3
    1.6666666666666667
    """
    return _point("mse", truth, forecast, variables)


def rmse(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "pooled") -> Value:
    """
    Root mean squared error.

    Two conventions for several variables: the root of the mean over times and variables (`variables="pooled"`, the
    default; dysts, Gilpin 2023) and the mean of the variables' roots (`"mean"`; scikit-learn, Darts).

    Parameters and returns as for `mse`; in units of the data.

    Examples
    --------
    >>> rmse([[0.0, 0.0], [0.0, 0.0]], [[3.0, 4.0], [3.0, 4.0]], variables="mean")
    3.5
    """
    return _point("rmse", truth, forecast, variables)


def mae(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Mean absolute error: mean of |y - p|. Parameters and returns as for `mse`; in units of the data.

    Examples
    --------
    >>> mae([1.0, 2.0, 4.0], [1.0, 3.0, 2.0])
    1.0
    """
    return _point("mae", truth, forecast, variables)


def nrmse(truth: ArrayLike, forecast: ArrayLike, *, scale: str | ArrayLike = "std", variables: str = "pooled") -> Value:
    """
    Normalised root mean squared error: the root mean square of (y - p) / scale.

    Parameters
    ----------
    truth, forecast, variables : as for `mse`
        "pooled", the default, takes the root last: sqrt(mean over times and variables of ((y - p) / scale)²), as dysts
        (Gilpin 2023) does, which adds 1e-8 or, in other versions, 1e-10 to the variance; "mean" is the mean of the
        variables' own values.
    scale : "std", "range", "mean", or an array that has one number a variable
        Of the truth: its standard deviation (n in the denominator), its range, the magnitude of its mean. Give
        `train.std(axis=0)` to use what was known before the forecast.

    References
    ----------
    Gilpin, W. (2023), Physical Review Research 5, 043252.

    Examples
    --------
    >>> nrmse([0.0, 2.0], [1.0, 3.0])  # the truth has a standard deviation of 1
    1.0
    """
    if isinstance(scale, str) and scale == "std":
        return _point("nrmse", truth, forecast, variables)
    both = pair(truth, forecast)
    choose("variables", variables, ("mean", "pooled", "each"))
    if isinstance(scale, str):
        choose("scale", scale, ("std", "range", "mean"))
        units = np.ptp(both.truth, axis=1) if scale == "range" else np.abs(both.truth.mean(axis=1))
    else:
        given = array(np.atleast_1d(np.asarray(scale)), "scale")
        if not (np.isfinite(given).all() and (given >= 0).all()):
            raise RequestError("scale must be finite and not negative")
        units = both.like(given[..., None, :] if given.ndim > 1 else given[None, :], "scale")[:, 0]
    squares = _core.point_errors(both.truth, both.forecast, None, ["mse"])[:, 0, :-1]
    relative = ratio(squares, units**2)
    if variables == "pooled":
        return both.value(np.sqrt(relative.mean(axis=1)))
    return over_variables(both, np.sqrt(relative), variables)


def mape(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Mean absolute percentage error: 100 mean(|y - p| / |y|).

    Infinite where the truth is exactly zero and the forecast is not; large wherever the truth passes through zero,
    which makes it a poor choice for chaotic series. scikit-learn's has no factor of 100.

    Parameters and returns as for `mse`; in per cent.

    Examples
    --------
    >>> mape([1.0, 2.0], [1.5, 2.0])
    25.0
    """
    return _point("mape", truth, forecast, variables)


def smape(truth: ArrayLike, forecast: ArrayLike, *, upper: float = 200.0, variables: str = "mean") -> Value:
    """
    Symmetric mean absolute percentage error: upper × mean(|y - p| / (|y| + |p|)), between 0 and `upper`.

    A term whose two numbers are both zero counts as no error.

    Parameters
    ----------
    truth, forecast, variables : as for `mse`
    upper : 200, 100, 2 or 1
        200 (the default): Makridakis (1993), the M competitions, Darts, and the tables of Gilpin (2021) and (2023). 2:
        the symbolic-regression and importance-sampling parts of Gilpin (2021). 100: `dysts.metrics.smape` since April
        2025.

    References
    ----------
    Makridakis, S. (1993), International Journal of Forecasting 9, 527-529. Gilpin, W. (2021), Chaos as an interpretable
    benchmark for forecasting and data-driven modelling, NeurIPS Datasets and Benchmarks.

    Examples
    --------
    >>> smape([1.0, 2.0], [3.0, 2.0])  # terms 2/4 and 0
    50.0
    >>> smape([1.0, 2.0], [3.0, 2.0], upper=100)
    25.0
    """
    if upper not in (200, 100, 2, 1):
        raise RequestError(f"upper must be 200, 100, 2 or 1, found {upper!r}")
    value = _point("smape", truth, forecast, variables)
    return value * (float(upper) / 200.0)


def wape(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Weighted absolute percentage error: 100 sum|y - p| / sum|y|.

    Of several variables, Darts takes the mean of their values (the default), dysts pools the sums
    (`variables="pooled"`).

    Parameters and returns as for `mse`; in per cent.

    Examples
    --------
    >>> wape([1.0, 3.0], [2.0, 3.0])
    25.0
    """
    return _point("wape", truth, forecast, variables)


def mase(
    truth: ArrayLike,
    forecast: ArrayLike,
    train: ArrayLike | None = None,
    *,
    season: int = 1,
    variables: str = "mean",
) -> Value:
    """
    Mean absolute scaled error: mean|y - p| / mean|x[season:] - x[:-season]|, x being the training series.

    Parameters
    ----------
    truth, forecast, variables : as for `mse`
    train : array of shape (time,) or (…, time, variable), of any length; by default the truth
        Hyndman & Koehler (2006) and Darts scale by the training series; the files of Gilpin (2021), dysts and DynaMix
        (2025) by the truth. DynaMix's ten steps are `mase(truth[:10], forecast[:10], truth)`, up to the 1e-8 that it
        adds to the denominator.
    season : steps that the naive forecast looks back

    References
    ----------
    Hyndman, R. J. & Koehler, A. B. (2006), International Journal of Forecasting 22, 679-688.

    Examples
    --------
    >>> mase([4.0, 5.0], [5.0, 6.0], [0.0, 2.0, 4.0])  # persistence errs by 2
    0.5
    """
    return _point("mase", truth, forecast, variables, train=train, season=whole("season", season))


def marre(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Mean absolute ranged relative error: 100 mean|y - p| / (max y - min y).

    Each variable's own range (the default; Darts), or with `variables="pooled"` one range for all (dysts).

    Parameters and returns as for `mse`; in per cent.

    Examples
    --------
    >>> marre([0.0, 4.0], [1.0, 4.0])
    12.5
    """
    return _point("marre", truth, forecast, variables)


def ope(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Overall percentage error: 100 |sum y - sum p| / |sum y|, as in Darts.

    Parameters and returns as for `mse`; in per cent. Errors of both signs cancel: it says nothing about the order of
    time.

    Examples
    --------
    >>> ope([1.0, 3.0], [2.0, 3.0])
    25.0
    """
    return _point("ope", truth, forecast, variables)


def rmsle(truth: ArrayLike, forecast: ArrayLike, *, shift: str = "none", variables: str = "mean") -> Value:
    """
    Root mean squared logarithmic error: the root mean square of log(1 + y) - log(1 + p).

    Parameters
    ----------
    truth, forecast, variables : as for `mse`
    shift : "none" or "own"
        "none" (the default; scikit-learn, Darts): NaN where a number is -1 or less, as in most chaotic series. "own"
        (dysts): from both series their own minimum is subtracted first, so that an error which is the same at all
        times vanishes.

    Examples
    --------
    >>> rmsle([0.0, 0.0], [1.0, 1.0])  # log 2
    0.6931471805599453
    """
    choose("shift", shift, ("none", "own"))
    if shift == "own":
        both = pair(truth, forecast)
        y, p = (x - x.min(axis=1, keepdims=True) for x in (both.truth, both.forecast))
        return _of_pair("rmsle", Pair(y, p, both.lead), variables)
    return _point("rmsle", truth, forecast, variables)


def r2(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Coefficient of determination: 1 - sum(y - p)² / sum(y - mean y)².

    1 is perfect, 0 as good as the mean of the truth, and there is no lower bound. For a constant truth it is 1 if the
    forecast is perfect and minus infinity if not (scikit-learn's `force_finite` would say 0). Each variable's own mean
    (the default; scikit-learn, Darts), or with `variables="pooled"` one mean for all (dysts).

    Parameters and returns as for `mse`; a pure number.

    Examples
    --------
    >>> r2([0.0, 2.0], [0.0, 1.0])
    0.5
    """
    return _point("r2", truth, forecast, variables)


def coefficient_of_variation(
    truth: ArrayLike, forecast: ArrayLike, *, numerator: str = "rmse", variables: str = "mean"
) -> Value:
    """
    Coefficient of variation: 100 × root mean squared error / |mean of the truth|.

    Parameters
    ----------
    truth, forecast, variables : as for `mse`
    numerator : "rmse" or "std"
        "rmse" (the default; Darts, Gilpin 2021), or the standard deviation of the error, which forgives a bias (dysts;
        each variable by itself).

    Examples
    --------
    >>> coefficient_of_variation([1.0, 3.0], [2.0, 4.0])
    50.0
    """
    choose("numerator", numerator, ("rmse", "std"))
    if numerator == "std":
        both = pair(truth, forecast)
        choose("variables", variables, ("mean", "each"))
        with np.errstate(invalid="ignore"):
            error = both.truth - both.forecast
            spread = np.where(np.ptp(error, axis=1) == 0, 0.0, error.std(axis=1))
            return over_variables(both, 100 * ratio(spread, np.abs(both.truth.mean(axis=1))), variables)
    return _point("coefficient_of_variation", truth, forecast, variables)


def pearson(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Pearson's correlation coefficient, -1 to 1. NaN if either series is constant.

    Parameters and returns as for `mse`; a pure number.

    Examples
    --------
    >>> round(pearson([1.0, 2.0, 4.0], [3.0, 5.0, 9.0]), 12)
    1.0
    """
    return _point("pearson", truth, forecast, variables)


def spearman(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Spearman's correlation of ranks, -1 to 1; equal numbers share the mean of their ranks. NaN if either is constant.

    Parameters and returns as for `mse`; a pure number.

    Examples
    --------
    >>> round(spearman([1.0, 2.0, 4.0], [1.0, 8.0, 64.0]), 12)
    1.0
    """
    return _point("spearman", truth, forecast, variables)


def kendall(truth: ArrayLike, forecast: ArrayLike, *, variables: str = "mean") -> Value:
    """
    Kendall's tau-b, -1 to 1: how many more pairs of times are in the same order than are not. NaN if either is
    constant.

    Parameters and returns as for `mse`; a pure number.

    References
    ----------
    Kendall, M. G. (1945), Biometrika 33, 239-251. Knight, W. R. (1966), Journal of the American Statistical
    Association 61, 436-439.

    Examples
    --------
    >>> round(kendall([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]), 12)  # five pairs of six agree
    0.666666666667
    """
    return _point("kendall", truth, forecast, variables)


def mutual_information(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    neighbours: int = 3,
    variables: str = "mean",
    threads: int | None = None,
) -> Value:
    """
    Mutual information of truth and forecast in nats, each variable by itself, from the distances to nearest neighbours.

    The first estimator of Kraskov et al., of series in units of their standard deviations, and not below zero: what
    scikit-learn's `mutual_info_regression` computes but for the noise of 1e-10 which that adds, and what dysts reports.

    Parameters
    ----------
    truth, forecast : as for `mse`
    neighbours : how many
    variables : "mean" or "each"
    threads : at most so many; the result does not depend on it

    References
    ----------
    Kraskov, A., Stögbauer, H. & Grassberger, P. (2004), Physical Review E 69, 066138.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=1000)
    >>> noise = np.random.default_rng(1).normal(size=1000)
    >>> value = mutual_information(x, x + noise)  # for a Gaussian of correlation 1/sqrt(2): log(2) / 2 = 0.347
    >>> bool(abs(value - np.log(2) / 2) < 0.1)
    True
    """
    both = pair(truth, forecast)
    count = whole("neighbours", neighbours)
    values = _core.mutual_informations(both.truth, both.forecast, neighbours=count, threads=threads)
    return over_variables(both, values, variables)


def table(both: Pair, names: tuple[str, ...], train: ArrayLike | None) -> Array:
    """Many errors at their defaults from one call, of shape (members, names)."""
    reference = None if train is None else both.like(train, "train")
    values = _core.point_errors(both.truth, both.forecast, reference, list(names))
    result: Array = values[:, :, :-1].mean(axis=2)
    for name in POOLED_BY_DEFAULT:
        if name in names:
            result[:, names.index(name)] = values[:, names.index(name), -1]
    return result


def _point(
    name: str,
    truth: ArrayLike,
    forecast: ArrayLike,
    variables: str,
    train: ArrayLike | None = None,
    season: int = 1,
) -> Value:
    return _of_pair(name, pair(truth, forecast), variables, train, season)


def _of_pair(name: str, both: Pair, variables: str, train: ArrayLike | None = None, season: int = 1) -> Value:
    choose("variables", variables, ("mean", "pooled", "each"))
    reference = None if train is None else both.like(train, "train")
    pooled = variables == "pooled"
    values = _core.point_errors(both.truth, both.forecast, reference, [name], season=season, pool_ranks=pooled)[:, 0]
    return both.value(values[:, -1]) if pooled else over_variables(both, values[:, :-1], variables)
