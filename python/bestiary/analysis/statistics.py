"""The statistics that the tables need: ranks, bootstrap, correlation, and two distributions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..definition import Array

__all__ = ["bootstrap", "chi_square_tail", "proportion_interval", "ranks", "spearman", "studentized_range"]


def ranks(values: Array) -> Array:
    """
    Ranks 1, 2, … along the last axis; equal values share the mean of their ranks.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    below = (values[..., None, :] < values[..., :, None]).sum(axis=-1)
    equal = (values[..., None, :] == values[..., :, None]).sum(axis=-1)
    return np.asarray(below + (equal + 1) / 2)


def spearman(x: Array, y: Array) -> float:
    """Rank correlation; NaN where one is constant or there are fewer than three."""
    if len(x) < 3:
        return math.nan
    a, b = ranks(x), ranks(y)
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else math.nan


def bootstrap(
    statistic: Callable[[NDArray[np.int64]], Any], rows: int, *, resamples: int, confidence: float, seed: int
) -> tuple[Array, Array]:
    """Ends of percentile intervals of `statistic(indices)`, rows drawn with replacement (Efron & Tibshirani 1993)."""
    generator = np.random.default_rng(seed)
    draws = np.array([statistic(generator.integers(0, rows, rows)) for _ in range(resamples)])
    # An infinite error is larger than all finite ones: no interpolation between them.
    draws = np.sort(draws, axis=0)
    low = draws[math.floor((1 - confidence) / 2 * (resamples - 1))]
    high = draws[math.ceil((1 + confidence) / 2 * (resamples - 1))]
    return np.asarray(low), np.asarray(high)


def proportion_interval(hits: float, n: int, confidence: float) -> tuple[float, float]:
    """The interval of a share of n (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212)."""
    z = _normal_quantile((1 + confidence) / 2)
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def chi_square_tail(value: float, degrees: int) -> float:
    """
    The probability of more than `value`, by the series and the continued fraction of the incomplete gamma function
    (Abramowitz & Stegun 1964, 6.5.29 and 6.5.31).

    >>> round(chi_square_tail(3.841459, 1), 6)
    0.05
    """
    a, x = degrees / 2, value / 2
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while term > total * 1e-16:
            n += 1
            term *= x / n
            total += term
        return 1 - front * total
    fraction = 0.0
    for n in range(500, 0, -1):
        fraction = n * (n - a) / (x + 2 * n + 1 - a - fraction)
    return front / (x + 1 - a - fraction)


def studentized_range(k: int, probability: float = 0.95) -> float:
    """
    The quantile of the range of k independent standard normal numbers.

    >>> round(studentized_range(10) / 2**0.5, 3)
    3.164
    """
    z = np.linspace(-8, 8, 2001)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    grid = np.linspace(-20, 8, 28001)
    table = np.array([0.5 * math.erfc(-point / math.sqrt(2)) for point in grid])
    below = np.interp(z, grid, table)

    def reached(q: float) -> float:
        inside = below - np.interp(z - q, grid, table)
        return float(k * (density * inside ** (k - 1)).sum() * (z[1] - z[0]))

    low, high = 0.0, 12.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) < probability else (low, middle)
    return (low + high) / 2


def _normal_quantile(probability: float) -> float:
    low, high = -10.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if 0.5 * math.erfc(-middle / math.sqrt(2)) < probability else (low, middle)
    return (low + high) / 2
