"""Scores of forecasts that say how sure they are: intervals and samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..exceptions import RequestError
from .arrays import Pair, Value, array, choose, over_variables, pair, ratio, whole


def msis(
    truth: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    train: ArrayLike | None = None,
    *,
    alpha: float = 0.05,
    season: int = 1,
    variables: str = "mean",
) -> Value:
    """
    Mean scaled interval score of the interval [lower, upper] at level 1 - alpha.

    mean(upper - lower + 2/alpha max(lower - y, 0) + 2/alpha max(y - upper, 0)) / mean|x[season:] - x[:-season]|, x
    being the training series, by default the truth.

    Parameters
    ----------
    truth, lower, upper : arrays of shape (time,) or (…, time, variable)
    train : array of shape (time,) or (…, time, variable), of any length
    alpha : part of the truth that should fall outside, between 0 and 1; 0.05 in the M4 competition
    season : steps that the naive forecast looks back
    variables : "mean" or "each"

    References
    ----------
    Gneiting, T. & Raftery, A. E. (2007), Journal of the American Statistical Association 102, 359-378. Makridakis, S.,
    Spiliotis, E. & Assimakopoulos, V. (2020), International Journal of Forecasting 36, 54-74.

    Examples
    --------
    >>> msis([1.0, 2.0], [0.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0], alpha=0.5)  # widths 2 and 1; 4 × 1 for a miss
    3.5
    """
    both = pair(truth, lower, names=("truth", "lower"))
    above = pair(truth, upper, names=("truth", "upper"))
    if both.lead != above.lead:
        raise RequestError(f"lower and upper must have the same leading axes, found {both.lead} and {above.lead}")
    if not 0 < alpha < 1:
        raise RequestError(f"alpha must be between 0 and 1, found {alpha!r}")
    if (both.forecast > above.forecast).any():
        raise RequestError("lower is above upper somewhere")
    scores = _core.interval_scores(both.truth, both.forecast, above.forecast, float(alpha))
    series = both.truth if train is None else both.like(train, "train")
    return over_variables(both, ratio(scores, _core.persistence_error(series, whole("season", season))), variables)


def crps(
    truth: ArrayLike,
    samples: ArrayLike,
    *,
    estimator: str = "ensemble",
    variables: str = "mean",
    threads: int | None = None,
) -> Value:
    """
    Continuous ranked probability score of sampled forecasts: mean|X - y| - mean|X - X'| / 2, averaged over time.

    Parameters
    ----------
    truth : array of shape (time,) or (…, time, variable)
    samples : array with one more axis, in front of time: (sample, time) or (…, sample, time, variable)
    estimator : "ensemble" or "fair"
        Whether the pairs (X, X') include a sample with itself (the default: the exact score of the sampled
        distribution) or not (Ferro 2014: the score that is expected of the distribution the samples came from).
    variables : "mean", "each", or "times" for the score at each time and variable
    threads : at most so many; the result does not depend on it

    Returns
    -------
    float or array
        In units of the data; of one sample it is the absolute error.

    References
    ----------
    Gneiting, T. & Raftery, A. E. (2007), Journal of the American Statistical Association 102, 359-378. Ferro, C. A. T.
    (2014), Quarterly Journal of the Royal Meteorological Society 140, 1917-1923.

    Examples
    --------
    >>> crps([0.0], [[-1.0], [1.0]])  # 1 - 1/2 × (0 + 2 + 2 + 0) / 4
    0.5
    """
    choose("estimator", estimator, ("ensemble", "fair"))
    choose("variables", variables, ("mean", "each", "times"))
    y, x = array(truth, "truth"), array(samples, "samples")
    if (x.ndim != 2) if y.ndim == 1 else (x.ndim < 3):
        raise RequestError(f"samples of truth {y.shape} must have one axis more, in front of time, found {x.shape}")
    if y.ndim == 1:
        y, x = y[:, None], x[..., None]
    if x.shape[-2:] != y.shape[-2:]:
        raise RequestError(
            f"samples {np.shape(samples)} must end in the times and variables of truth {np.shape(truth)}"
        )
    n, d, s = y.shape[-2], y.shape[-1], x.shape[-3]
    both = pair(
        y.reshape((*y.shape[:-2], 1, n * d)),
        x.reshape((*x.shape[:-2], n * d)),
        aligned=False,
        names=("truth", "samples"),
    )
    members = len(both.truth)
    scores = _core.ranked_probability_scores(
        both.truth.reshape(members, n, d),
        both.forecast.reshape(members, s, n * d),
        fair=estimator == "fair",
        threads=threads,
    )
    shaped = Pair(scores, scores, both.lead)
    return shaped.value(scores) if variables == "times" else over_variables(shaped, scores.mean(axis=1), variables)
