"""Slopes of curves that are straight over part of their length: which part, and how sure the slope is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..definition import Array

__all__ = ["Line", "jackknife", "line", "plateau"]

# Points of the shortest window: three in each third.
_LEAST = 9


@dataclass(frozen=True)
class Line:
    """The slope over samples first to last of a curve, its standard error, and the two parts of that."""

    slope: float
    error: float
    statistical: float
    systematic: float
    first: int
    last: int


def jackknife(parts: Array) -> Array:
    """Standard error of a quantity from its values with each of n blocks left out, (n, …)."""
    n = len(parts)
    spread: Array = ((parts - parts.mean(axis=0)) ** 2).sum(axis=0)
    return np.asarray(np.sqrt((n - 1) / n * spread))


def line(x: Array, y: Array, parts: Array, *, width: float, whole: bool = False, least: int = _LEAST) -> Line | None:
    """
    The slope of y against x where the curve is straight, over all windows that may be called so.

    For every window of at least `least` samples and at least `width` in x, the slope by least squares has two
    uncertainties. One is statistical, by the jackknife over `parts`, the curves without one stretch of the data each.
    The other is half of the range of the slopes of the lower, middle and upper third of the window: how far the answer
    depends on where it is read. The value is the mean over windows, weighted by the square of the width over the
    uncertainty, so that wide and straight ones count. Its standard error has the weighted mean of the squared
    statistical errors and the weighted variance of the slopes over windows, which is the price of not knowing which
    window is right. The region is the window of the largest weight. None where no window is wide enough.

    The weighting of many windows follows Deshmukh, V., et al. (2021), Chaos 31, 123102, in idea.

    With `whole`, the window is the whole curve, and half of the range of its thirds, less what is due to chance, is the
    other part of the error.
    """
    n = len(x)
    curves = np.concatenate([y[None], parts])
    firsts, lasts = np.triu_indices(n, least - 1)
    if whole:
        firsts, lasts = np.array([0]), np.array([n - 1])
    wide = (x[lasts] - x[firsts] >= width) & (lasts - firsts >= least - 1)
    firsts, lasts = firsts[wide], lasts[wide]
    if not len(firsts):
        return None
    slopes = _slopes(x, curves, firsts, lasts)
    third = (lasts - firsts) // 3
    borders = (firsts, firsts + third, lasts - third, lasts)
    thirds = np.stack([_slopes(x, curves, borders[k], borders[k + 1]) for k in range(3)])
    range_of_thirds = np.ptp(thirds[:, 0], axis=0) / 2
    statistical = jackknife(slopes[1:])
    weights = (x[lasts] - x[firsts]) ** 2 / (range_of_thirds**2 + statistical**2 + np.finfo(float).tiny)
    best = int(np.argmax(weights))
    weights /= weights.sum()
    slope = float((weights * slopes[0]).sum())
    variance = float((weights * (slopes[0] - slope) ** 2).sum())
    if whole:
        # Thirds differ by chance as well.
        by_chance = float(np.mean([jackknife(slopes_of_third[1:])[0] ** 2 for slopes_of_third in thirds]))
        variance = max(float(range_of_thirds[0]) ** 2 - by_chance, 0.0)
    chance = float((weights * statistical**2).sum())
    return Line(
        slope, (variance + chance) ** 0.5, chance**0.5, float(variance) ** 0.5, int(firsts[best]), int(lasts[best])
    )


def plateau(x: Array, y: Array, parts: Array, *, width: float) -> Line | None:
    """The mean of y over a window, chosen likewise: that is, the slope of its integral."""
    steps = np.diff(x)

    def integral(values: Array) -> Array:
        areas = (values[..., 1:] + values[..., :-1]) / 2 * steps
        return np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(areas, axis=-1)], axis=-1)

    return line(x, integral(y), integral(parts), width=width)


def _slopes(x: Array, curves: Array, firsts: np.ndarray, lasts: np.ndarray) -> Array:
    """Slopes by least squares over samples firsts to lasts, (curves, windows)."""
    u = x - x.mean()
    v = curves - curves.mean(axis=1, keepdims=True)

    def total(values: Array) -> Array:
        sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
        return np.asarray(sums[..., lasts + 1] - sums[..., firsts])

    n = lasts - firsts + 1
    return np.asarray((n * total(u * v) - total(u) * total(v)) / (n * total(u * u) - total(u) ** 2))
