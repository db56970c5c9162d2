"""Entropies of series: of matches (sample, approximate, multiscale) and of orders (permutation)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..definition import Array
from ..exceptions import RequestError
from ..sampling import positive, whole
from .embedding import embed
from .estimate import Estimate
from .scaling import jackknife
from .series import BLOCKS, as_points, as_series, logarithm

__all__ = ["approximate_entropy", "multiscale_entropy", "permutation_entropy", "sample_entropy"]

# Pairs that match at the larger dimension, for a verdict.
_MATCHES = 100


def sample_entropy(
    x: ArrayLike,
    dimension: int = 2,
    radius: float | None = None,
    *,
    delay: int = 1,
    threads: int | None = None,
) -> Estimate:
    """
    Sample entropy: minus the logarithm of the part of matches that still match with one more value.

    A match is a pair of delay vectors whose largest difference is at most the radius. The standard error is from the
    jackknife over 16 stretches of time, each pair belonging to the stretches of both vectors. Converged: at least 100
    pairs match with the further value.

    Parameters
    ----------
    x : array of shape (n,)
    dimension : int
        Length of the vectors, m.
    radius : float, optional
        0.2 standard deviations by default.
    delay : int
    threads : int, optional
        All by default. The result does not depend on it.

    Returns
    -------
    Estimate
        In nats. NaN where no pair matches.

    References
    ----------
    Richman, J. S. & Moorman, J. R. (2000), American Journal of Physiology 278, H2039-H2049.

    Examples
    --------
    >>> found = sample_entropy(np.random.default_rng(0).normal(size=5000))
    >>> bool(abs(found.value + np.log(math.erf(0.1))) < 3 * found.error)  # two values within 0.2 of each other
    True
    """
    series = as_series(x)
    radius = 0.2 * float(series.std()) if radius is None else positive("radius", radius)
    dimension, delay = whole("dimension", dimension, least=1), whole("delay", delay, least=1)
    value, error, matches = _matching(series[:, None], dimension, delay, radius, threads)
    return Estimate(
        value=value,
        error=error,
        converged=matches >= _MATCHES,
        settings={
            "samples": len(series),
            "dimension": dimension,
            "delay": delay,
            "radius": radius,
            "matches": matches,
        },
        method="matches of delay vectors (Richman & Moorman 2000); standard error from stretches of time",
    )


def approximate_entropy(
    x: ArrayLike,
    dimension: int = 2,
    radius: float | None = None,
    *,
    delay: int = 1,
    threads: int | None = None,
) -> Estimate:
    """
    Approximate entropy: as sample entropy, with logarithms of matches averaged over vectors that also match themselves.

    The latter makes it too small for short series; it is here to compare with what was published. Parameters and result
    are those of `sample_entropy`. The standard error is from 16 stretches of time.

    References
    ----------
    Pincus, S. M. (1991), Proceedings of the National Academy of Sciences 88, 2297-2301.

    Examples
    --------
    >>> bool(approximate_entropy(np.sin(0.1 * np.arange(2000))).value < 0.5)
    True
    """
    series = as_series(x)
    radius = 0.2 * float(series.std()) if radius is None else positive("radius", radius)
    dimension, delay = whole("dimension", dimension, least=1), whole("delay", delay, least=1)
    means, parts, fewest = [], [], 0.0
    for m in (dimension, dimension + 1):
        points = embed(series, m, delay)
        counts = _core.neighbour_counts(points, np.array([radius]), norm="maximum", window=0, threads=threads)[:, 0]
        logs = logarithm((counts + 1.0) / len(points))
        each = np.array([piece.mean() for piece in np.array_split(logs, BLOCKS)])
        means.append(float(logs.mean()))
        # A vector counts as a centre and as a neighbour, so the absence of a stretch is felt twice.
        parts.append(means[-1] - 2 * (each - means[-1]) / BLOCKS)
        fewest = float(counts.sum()) / 2
    return Estimate(
        value=means[0] - means[1],
        error=float(jackknife(parts[0] - parts[1])),
        converged=fewest >= len(series),
        settings={"samples": len(series), "dimension": dimension, "delay": delay, "radius": radius, "matches": fewest},
        method="logarithms of matches (Pincus 1991); standard error from stretches of time",
    )


def permutation_entropy(x: ArrayLike, order: int = 3, *, delay: int = 1, normalised: bool = False) -> Estimate:
    """
    The entropy of the orders in which `order` values, `delay` apart, follow one another.

    Equal values are taken to rise. The standard error is from the jackknife over 16 stretches of time. Converged: there
    are at least ten times as many samples as orders.

    Parameters
    ----------
    x : array of shape (n,)
    order : int
        2 to 10.
    delay : int
    normalised : bool
        In units of the largest possible, ln(order!), instead of nats.

    Returns
    -------
    Estimate

    References
    ----------
    Bandt, C. & Pompe, B. (2002), Physical Review Letters 88, 174102.

    Examples
    --------
    >>> found = permutation_entropy(np.random.default_rng(0).normal(size=10_000), 4, normalised=True)
    >>> bool(abs(found.value - 1) < 1e-3)
    True
    """
    order, delay = whole("order", order, least=2), whole("delay", delay, least=1)
    series = as_series(x, least=(order - 1) * delay + BLOCKS, constant=True)
    counts = _core.order_counts(series, order, delay, BLOCKS)
    unit = math.log(math.factorial(order)) if normalised else 1.0
    total = counts.sum(axis=0)
    parts = np.array([_entropy(total - one) for one in counts])
    return Estimate(
        value=_entropy(total) / unit,
        error=float(jackknife(parts)) / unit,
        converged=len(series) >= 10 * math.factorial(order),
        settings={"samples": len(series), "order": order, "delay": delay, "normalised": normalised},
        method="orders of values (Bandt & Pompe 2002); standard error from stretches of time",
    )


def multiscale_entropy(
    x: ArrayLike,
    scales: int = 10,
    dimension: int = 2,
    radius: float = 0.15,
    *,
    delay: int = 1,
    threads: int | None = None,
) -> Estimate:
    """
    Sample entropy of means over 1, 2, …, `scales` samples, of one variable or of several together.

    The radius stays the same at all scales, in units of the standard deviation of each variable. Of several variables,
    vectors are made of `dimension` values of each; they are extended by one value of one variable at a time, and the
    matches of extended vectors are averaged over the variables. (Ahmed and Mandic also describe matches between vectors
    that were extended by different variables. These compare values of different variables; here they do not count.)
    Standard errors are those of `sample_entropy`. Converged: at least 100 pairs match at every scale.

    Parameters
    ----------
    x : array of shape (n,) or (n, d)
    scales : int
    dimension, delay : int
    radius : float

    Returns
    -------
    Estimate
        Of arrays of shape (scales,).

    References
    ----------
    Costa, M., Goldberger, A. L. & Peng, C.-K. (2002), Physical Review Letters 89, 068102.
    Ahmed, M. U. & Mandic, D. P. (2011), Physical Review E 84, 061918.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=5000)
    >>> found = multiscale_entropy(noise, 3).value
    >>> bool(found[0] > found[1] > found[2])  # means of noise vary less and less
    True
    """
    points = as_points(x)
    deviations = points.std(axis=0)
    if not (deviations > 0).all():
        raise RequestError(f"variable {int(np.argmin(deviations))} is constant")
    scales, dimension = whole("scales", scales, least=1), whole("dimension", dimension, least=1)
    radius, delay = positive("radius", radius), whole("delay", delay, least=1)
    if len(points) // scales < dimension * delay + 2 * BLOCKS:
        raise RequestError(f"{len(points)} samples are too few for {scales} scales")
    scaled = (points - points.mean(axis=0)) / deviations
    rows = []
    for scale in range(1, scales + 1):
        length = len(scaled) // scale
        means = scaled[: length * scale].reshape(length, scale, -1).mean(axis=1)
        rows.append(_matching(means, dimension, delay, radius, threads))
    value, error, matches = np.array(rows).T
    return Estimate(
        value=value,
        error=error,
        converged=bool((matches >= _MATCHES).all()),
        settings={
            "samples": len(points),
            "scales": scales,
            "dimension": dimension,
            "delay": delay,
            "radius": radius,
            "matches": matches,
        },
        method="sample entropy of coarse-grained series (Costa et al. 2002; Ahmed & Mandic 2011); standard error from "
        "stretches of time",
    )


def _matching(
    variables: Array, dimension: int, delay: int, radius: float, threads: int | None
) -> tuple[float, float, float]:
    """Sample entropy, its error, and the pairs of extended vectors that match, per variable."""
    extended = embed(variables, dimension + 1, delay)
    d = variables.shape[1]

    def counts(columns: list[int]) -> Array:
        points = np.ascontiguousarray(extended[:, columns])
        found = _core.neighbour_sums(
            points, np.array([radius]), norm="maximum", window=0, blocks=BLOCKS, threads=threads
        )
        return np.asarray(found[:, 0], dtype=np.float64)

    base = list(range(dimension * d))
    short, long = counts(base), sum((counts([*base, dimension * d + k]) for k in range(d)), np.zeros(BLOCKS)) / d
    matches = float(long.sum()) / 2
    if matches == 0:
        return math.nan, math.nan, 0.0
    value = float(logarithm(short.sum() / long.sum()))
    left_short, left_long = short.sum() - 2 * short, long.sum() - 2 * long
    if not ((left_short > 0) & (left_long > 0)).all():
        return value, math.inf, matches
    return value, float(jackknife(logarithm(left_short / left_long))), matches


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p * logarithm(p)).sum()) + 0.0
