"""Dimensions of sets of points other than the correlation dimension, and of the graph of a series."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..definition import Array
from ..exceptions import RequestError
from ..sampling import whole
from .correlation import _given, _radii
from .estimate import Estimate
from .scaling import line
from .series import BLOCKS, as_points, as_series, checked_norm, checked_window, logarithm

__all__ = ["box_counting_dimension", "generalised_dimension", "higuchi_dimension", "local_dimension"]

# Boxes are as small as to hold this many points on average, and at least four to a side.
_PER_BOX, _COARSEST = 4.0, 2
# The finest side is 2**-20 of the extent.
_LEVELS = 21


def box_counting_dimension(x: ArrayLike) -> Estimate:
    """
    The box-counting dimension: how the number of boxes that hold points grows as their sides halve.

    `generalised_dimension` at q = 0, where see. Rarely visited places count as much as others, so that it comes out too
    small for most attractors, and slowly grows with the number of points.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(size=(20_000, 2))
    >>> bool(abs(box_counting_dimension(x).value - 2) < 0.02)
    True
    """
    return generalised_dimension(x, 0.0)


def generalised_dimension(
    x: ArrayLike,
    q: float,
    *,
    radii: ArrayLike | None = None,
    window: int | None = None,
    norm: str = "maximum",
    threads: int | None = None,
) -> Estimate:
    """
    The generalised (Rényi) dimension D_q: 0 that of box counting, 1 that of information, 2 that of correlation.

    For q > 1 from the generalised correlation sum, the mean over points of p^(q - 1), where p is the part of the others
    within a radius. For q ≤ 1, where that diverges at points without neighbours, from the shares of boxes whose sides
    halve, as long as a box holds four points or more. Slopes are read, and standard errors made, as for
    `correlation_dimension`. Converged: the error is less than a tenth of the value.

    Parameters
    ----------
    x : array of shape (n, d), or (n,)
    q : float
    radii, window, norm, threads
        As for `correlation_sum`; for q > 1 only.

    Returns
    -------
    Estimate

    References
    ----------
    Hentschel, H. G. E. & Procaccia, I. (1983), Physica D 8, 435-444.

    Examples
    --------
    >>> x = 0.6180339887498949 * np.arange(5000) % 1.0
    >>> [bool(abs(generalised_dimension(x, q).value - 1) < 0.05) for q in (1.0, 3.0)]
    [True, True]
    """
    points = as_points(x, least=200)
    if not isinstance(q, (int, float, np.number)) or not math.isfinite(q):
        raise RequestError(f"q must be a finite number, not {q!r}")
    q = float(q)
    settings: dict[str, object] = {"points": len(points), "q": q}
    if q > 1:
        window, norm = checked_window(window, points), checked_norm(norm)
        chosen = _radii(points, window, norm, threads) if radii is None else _given(radii)
        scale, curve, parts = _from_neighbours(points, q, chosen, window, norm, threads)
        settings |= {"window": window, "norm": norm}
        found, way = line(scale, curve, parts, width=math.log(2)), "generalised correlation sum"
    else:
        scale, curve, parts = _from_boxes(points, q)
        found, way = line(scale, curve, parts, width=math.log(4), least=4), "shares of boxes"
    if found is None:
        raise RequestError("too few points to read a slope from")
    settings |= {
        "region": (math.exp(scale[found.first]), math.exp(scale[found.last])),
        "statistical": found.statistical,
        "systematic": found.systematic,
    }
    return Estimate(
        value=found.slope,
        error=found.error,
        converged=found.error < 0.1 * abs(found.slope),
        settings=settings,
        method=f"slope of the {way} (Hentschel & Procaccia 1983); standard error from stretches of time and from the "
        "choice of the scaling region",
    )


def _from_neighbours(
    points: Array, q: float, radii: Array, window: int, norm: str, threads: int | None
) -> tuple[Array, Array, Array]:
    counts = _core.neighbour_counts(points, radii, norm=norm, window=window, threads=threads)
    n = len(points)
    block = np.arange(n) * BLOCKS // n
    # Looked up by the number of neighbours. None counts as nothing.
    table = _core.powers(np.arange(int(counts.max()) + 1) / n, q - 1)
    sums = np.stack([table[counts[block == b]].sum(axis=0) for b in range(BLOCKS)])
    total = sums.sum(axis=0)
    # A point is a centre once and a neighbour q - 1 times.
    parts = total - q * sums
    use = (counts.sum(axis=0) >= 400) & (parts > 0).all(axis=0) & (counts.min(axis=0) < n - 2 * window - 1)
    return logarithm(radii[use]), logarithm(total[use]) / (q - 1), logarithm(parts[:, use]) / (q - 1)


def _from_boxes(points: Array, q: float) -> tuple[Array, Array, Array]:
    levels = min(_LEVELS, 128 // points.shape[1])
    if levels <= _COARSEST + 3:
        raise RequestError(f"boxes in {points.shape[1]} dimensions cannot be counted: at most 21 coordinates")
    moments = _core.box_moments(points, q, levels, BLOCKS)
    occupied = moments[:, 0] if q == 0 else _core.box_moments(points, 0.0, levels, 1)[:, 0]
    use = occupied * _PER_BOX <= len(points)
    use[:_COARSEST] = False
    curves = moments[use] if q == 1 else logarithm(moments[use]) / (q - 1)
    extent = math.log(float(np.ptp(points, axis=0).max()))
    scale = np.array([extent - int(level) * math.log(2) for level in np.flatnonzero(use)])
    return np.asarray(scale[::-1]), np.asarray(curves[::-1, 0]), np.ascontiguousarray(curves[::-1, 1:].T)


def higuchi_dimension(x: ArrayLike, largest: int | None = None) -> Estimate:
    """
    The dimension of the graph of a series: 1 for a smooth one, 1.5 for Brownian motion, 2 for white noise.

    The slope of the length of the graph against the step with which it is measured, for steps up to `largest` (a
    hundredth of the samples, at least 8, by default). The standard error has a part from 16 stretches and one from
    thirds of the range of steps. Converged: the error is less than a tenth of the value.

    References
    ----------
    Higuchi, T. (1988), Physica D 31, 277-283.

    Examples
    --------
    >>> found = higuchi_dimension(np.random.default_rng(0).normal(size=10_000))
    >>> bool(abs(found.value - 2) < 3 * found.error)
    True
    """
    series = as_series(x, least=400)
    largest = max(8, len(series) // 100) if largest is None else whole("largest", largest, least=4)
    piece = len(series) // BLOCKS
    if 2 * largest > piece:
        raise RequestError(f"largest must be at most {piece // 2} for {len(series)} samples, not {largest}")
    steps = sorted({round(largest ** (i / 19)) for i in range(20)})
    lengths = _core.graph_lengths(series, steps)
    each = np.stack([_core.graph_lengths(series[b * piece : (b + 1) * piece], steps) for b in range(BLOCKS)])
    if not (lengths > 0).all() or not (each.sum(axis=0) - each > 0).all():
        raise RequestError("the series has stretches of no length at some step")
    scale = -logarithm(np.array(steps, dtype=float))[::-1]
    parts = logarithm(each.sum(axis=0) - each)[:, ::-1]
    found = line(scale, logarithm(lengths)[::-1], parts, width=0.0, whole=True, least=4)
    assert found is not None, "there are at least four steps"
    return Estimate(
        value=found.slope,
        error=found.error,
        converged=found.error < 0.1 * found.slope,
        settings={"samples": len(series), "largest": largest, "steps": len(steps)},
        method="length of the graph (Higuchi 1988); standard error from stretches and from thirds of the steps",
    )


def local_dimension(
    x: ArrayLike,
    *,
    references: int = 500,
    quantile: float = 0.98,
    window: int | None = None,
    threads: int | None = None,
) -> Estimate:
    """
    The dimension at single points, by extreme values: how the nearest of all distances are distributed.

    About a point the excesses of -ln(distance) over a high quantile are exponentially distributed, with the inverse of
    the local dimension as their mean. The standard error of each value is that of such a mean, value / sqrt(excesses).
    The mean over many points is the information dimension.

    Parameters
    ----------
    x : array of shape (n, d), or (n,)
    references : int
        Points at which it is measured, evenly spaced in time.
    quantile : float
    window : int, optional
        Points near in time to the reference are left out; by default those of `theiler_window`.

    Returns
    -------
    Estimate
        Of arrays of shape (references,). `settings["places"]` are the numbers of the points.

    References
    ----------
    Lucarini, V., Faranda, D. & Wouters, J. (2012), Journal of Statistical Physics 147, 63-73.

    Examples
    --------
    >>> turn = 2 * np.pi * np.random.default_rng(0).uniform(size=5000)
    >>> found = local_dimension(np.stack([np.cos(turn), np.sin(turn)], axis=1)).value
    >>> bool(abs(found.mean() - 1) < 0.02)
    True
    """
    points = as_points(x, least=600)
    window = checked_window(window, points)
    if not 0.5 <= quantile < 1:
        raise RequestError(f"quantile must be between 0.5 and 1, not {quantile!r}")
    count = min(whole("references", references, least=1), len(points))
    places = [i * len(points) // count for i in range(count)]
    found = _core.local_dimensions(points, places, quantile=quantile, window=window, threads=threads)
    return Estimate(
        value=found[:, 0],
        error=found[:, 0] / np.sqrt(found[:, 1]),
        converged=bool((found[:, 1] >= 50).all()),
        settings={"points": len(points), "quantile": quantile, "window": window, "places": np.array(places)},
        method="excesses of -ln(distance) (Lucarini et al. 2012); standard error of an exponential mean",
    )
