"""The correlation sum, and the dimension and entropy that it has."""

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
from .scaling import jackknife, line, plateau
from .series import BLOCKS, as_points, as_series, checked_norm, checked_window, logarithm

__all__ = ["correlation_dimension", "correlation_entropy", "correlation_sum", "takens_dimension"]

# Of the radii by default, and the fewest pairs at a radius that is looked at.
_RADII, _PAIRS = 40, 200
# The least scaling region, as a factor between radii: that of a decade for a verdict, less to say anything at all.
_LEAST_FACTOR, _FACTOR = 2.0, 10.0


def correlation_sum(
    x: ArrayLike,
    radii: ArrayLike | None = None,
    *,
    window: int | None = None,
    norm: str = "maximum",
    threads: int | None = None,
) -> tuple[Array, Array]:
    """
    The part of all pairs of points that are at most a radius apart, for each radius.

    Pairs at most `window` steps apart in time are left out, from the sum and from the number of pairs. The pairs are
    counted exactly, with a tree: only those near the border of a radius are looked at one by one.

    Parameters
    ----------
    x : array of shape (n, d), or (n,)
        Points in order of time, such as states, or a series embedded by `embed`.
    radii : array of shape (k,), optional
        Increasing. By default 40 from half of the typical distance of nearest neighbours to a quarter of the extent.
    window : int, optional
        By default that of `theiler_window`.
    norm : "maximum" or "euclidean"
    threads : int, optional
        All by default. The result does not depend on it.

    Returns
    -------
    radii, sums : arrays of shape (k,)

    References
    ----------
    Grassberger, P. & Procaccia, I. (1983), Physica D 9, 189-208.
    Theiler, J. (1986), Physical Review A 34, 2427-2432.

    Examples
    --------
    >>> turn = 2 * np.pi * 0.6180339887498949 * np.arange(5000)
    >>> radii, sums = correlation_sum(np.stack([np.cos(turn), np.sin(turn)], axis=1), [0.1, 1.0], norm="euclidean")
    >>> (3 * np.pi / 2 * sums).round(2).tolist()  # chords of 60 degrees and less: a third of all
    [0.15, 1.57]
    """
    points = as_points(x, least=10)
    window, norm = checked_window(window, points), checked_norm(norm)
    chosen = _radii(points, window, norm, threads) if radii is None else _given(radii)
    counts = _core.neighbour_sums(points, chosen, norm=norm, window=window, blocks=1, threads=threads)[0]
    return chosen, counts / _pairs(len(points), window)


def correlation_dimension(
    x: ArrayLike,
    radii: ArrayLike | None = None,
    *,
    window: int | None = None,
    norm: str = "maximum",
    threads: int | None = None,
) -> Estimate:
    """
    The correlation dimension: the slope of the logarithm of the correlation sum in its scaling region.

    Slopes are read over all windows of radii at least a factor of two wide, and count by their width and straightness.
    The standard error has a statistical part, by the jackknife over 16 stretches of time (each pair belongs to the
    stretches of both of its points, so that the dependence of pairs is accounted for), and a systematic part: how much
    the slopes differ from window to window. It knows nothing of radii smaller than the data resolve. Converged: the
    region of the largest weight spans a decade or more, and the error is less than a tenth of the value.

    Parameters
    ----------
    x, radii, window, norm, threads
        As for `correlation_sum`.

    Returns
    -------
    Estimate
        `settings["region"]` has the radii of the window of the largest weight.

    Raises
    ------
    RequestError
        For wrong arguments, and where there are too few pairs to read a slope from.

    References
    ----------
    Grassberger, P. & Procaccia, I. (1983), Physical Review Letters 50, 346-349.

    Examples
    --------
    >>> from bestiary import system
    >>> found = correlation_dimension(system("Henon").trajectory(20_000, transient=100).x)
    >>> bool(abs(found.value - 1.22) < 3 * found.error)
    True
    """
    points = as_points(x, least=200)
    window, norm = checked_window(window, points), checked_norm(norm)
    chosen = _radii(points, window, norm, threads) if radii is None else _given(radii)
    counts = _core.neighbour_sums(points, chosen, norm=norm, window=window, blocks=BLOCKS, threads=threads)
    use, total, without = _usable(counts, _pairs(len(points), window), len(points))
    scale = logarithm(chosen[use])
    found = line(scale, logarithm(total[use]), logarithm(without[:, use]), width=math.log(_LEAST_FACTOR))
    if found is None:
        raise RequestError("too few pairs of points at these radii: more points or larger radii are needed")
    region = (float(chosen[use][found.first]), float(chosen[use][found.last]))
    return Estimate(
        value=found.slope,
        error=found.error,
        converged=region[1] >= _FACTOR * region[0] * (1 - 1e-12) and found.error < 0.1 * abs(found.slope),
        settings={
            "points": len(points),
            "window": window,
            "norm": norm,
            "radii": (float(chosen[0]), float(chosen[-1]), len(chosen)),
            "region": region,
            "statistical": found.statistical,
            "systematic": found.systematic,
        },
        method="slope of the correlation sum (Grassberger & Procaccia 1983); standard error from stretches of time "
        "and from the choice of the scaling region",
    )


def takens_dimension(
    x: ArrayLike,
    radius: float | None = None,
    *,
    window: int | None = None,
    norm: str = "maximum",
    threads: int | None = None,
) -> Estimate:
    """
    The correlation dimension as the estimate of greatest likelihood from all distances below a radius.

    Where the correlation sum is a power of the radius up to `radius`, the logarithms of distances are exponentially
    distributed, and the dimension is minus the inverse of the mean of ln(distance / radius). Pairs share points, so the
    standard error is not that of independent distances but by the jackknife over 16 stretches of time. Half of the
    difference between the estimates with the radius and with half of it is its systematic part: the choice of the
    radius. Converged: the error is less than a tenth of the value.

    Parameters
    ----------
    x, window, norm, threads
        As for `correlation_sum`.
    radius : float, optional
        By default the geometric mean of the radii that `correlation_sum` has by default.

    Returns
    -------
    Estimate
        `settings["interval"]` is the value two standard errors to either side.

    References
    ----------
    Takens, F. (1985), in Dynamical Systems and Bifurcations, Lecture Notes in Mathematics 1125, 99-106.

    Examples
    --------
    >>> turn = 0.6180339887498949 * np.arange(5000) % 1.0
    >>> found = takens_dimension(turn, 0.01)
    >>> bool(abs(found.value - 1) < 0.05)
    True
    """
    points = as_points(x, least=200)
    window, norm = checked_window(window, points), checked_norm(norm)
    if radius is None:
        radii = _radii(points, window, norm, threads)
        radius = math.sqrt(radii[0] * radii[-1])
    radius = positive("radius", radius)
    values, errors, pairs = [], [], 0
    for reach in (radius, radius / 2):
        sums = _core.distance_logarithms(points, reach, norm=norm, window=window, blocks=BLOCKS, threads=threads)
        total = sums.sum(axis=0)
        without = total - 2 * sums
        if not (without[:, 0] > 0).all() or total[0] < 2 * _PAIRS:
            raise RequestError(f"only {int(total[0]) // 2} pairs are nearer than {reach:g}: a larger radius is needed")
        values.append(-total[0] / total[1])
        errors.append(float(jackknife(-without[:, 0] / without[:, 1])))
        pairs = pairs or int(total[0]) // 2
    value, systematic = float(values[0]), abs(float(values[0] - values[1])) / 2
    error = math.hypot(errors[0], systematic)
    return Estimate(
        value=value,
        error=error,
        converged=error < 0.1 * value,
        settings={
            "points": len(points),
            "window": window,
            "norm": norm,
            "radius": radius,
            "pairs": pairs,
            "interval": (value - 2 * error, value + 2 * error),
            "statistical": errors[0],
            "systematic": systematic,
        },
        method="maximum likelihood from distances (Takens 1985); standard error from stretches of time and from half "
        "the radius",
    )


def correlation_entropy(
    x: ArrayLike,
    *,
    dimension: int = 8,
    delay: int = 1,
    dt: float = 1.0,
    radii: ArrayLike | None = None,
    window: int | None = None,
    norm: str = "maximum",
    threads: int | None = None,
) -> Estimate:
    """
    The correlation entropy K2 of a series: how much rarer near pairs get for each further coordinate of its embedding.

    K2 = ln(C_m(r) / C_(m+1)(r)) / (delay dt), with m = `dimension`, where it does not depend on r: over windows of
    radii that are at least a factor of two wide, weighted as for `correlation_dimension`. The standard error is made as
    there, with the difference to the value at m - 2 as a further part, since K2 is the limit of large m. It is a lower
    bound of the entropy of Kolmogorov and Sinai, and so of the sum of the positive exponents. Converged: the error is
    less than a fifth of the value.

    Parameters
    ----------
    x : array of shape (n,)
    dimension, delay : int
        Of the embedding.
    dt : float
        Time between samples.
    radii, window, norm, threads
        As for `correlation_sum`.

    Returns
    -------
    Estimate
        Natural logarithm, per unit of time.

    References
    ----------
    Grassberger, P. & Procaccia, I. (1983), Physical Review A 28, 2591-2593.

    Examples
    --------
    >>> from bestiary import system
    >>> found = correlation_entropy(system("Logistic", r=4.0).trajectory(10_000).x[:, 0])
    >>> bool(abs(found.value - np.log(2)) < 3 * found.error)
    True
    """
    series = as_series(x)
    dimension, delay, dt = whole("dimension", dimension, least=3), whole("delay", delay, least=1), positive("dt", dt)
    norm = checked_norm(norm)
    largest = embed(series, dimension + 1, delay)
    window = checked_window(window, largest)
    chosen = _radii(largest, window, norm, threads) if radii is None else _given(radii)
    # The same points at every dimension, so that the ratio is that of the same pairs.
    curves = [
        _core.neighbour_sums(
            np.ascontiguousarray(largest[:, :m]), chosen, norm=norm, window=window, blocks=BLOCKS, threads=threads
        )
        for m in (dimension - 2, dimension - 1, dimension, dimension + 1)
    ]
    use, last, last_without = _usable(curves[3], 1.0, len(largest))
    logs = [(logarithm(c.sum(0)[use]), logarithm((c.sum(0) - 2 * c)[:, use])) for c in curves[:3]]
    logs.append((logarithm(last[use]), logarithm(last_without[:, use])))
    scale, step = logarithm(chosen[use]), delay * dt
    rate = plateau(
        scale, (logs[2][0] - logs[3][0]) / step, (logs[2][1] - logs[3][1]) / step, width=math.log(_LEAST_FACTOR)
    )
    if rate is None:
        raise RequestError("too few pairs of points at these radii: more points or a smaller dimension are needed")
    inside = slice(rate.first, rate.last + 1)
    before, at = (float((logs[k][0] - logs[k + 1][0])[inside].mean()) / step for k in (0, 2))
    error = math.hypot(rate.error, before - at)
    return Estimate(
        value=rate.slope,
        error=error,
        converged=error < 0.2 * abs(rate.slope),
        settings={
            "points": len(largest),
            "dimension": dimension,
            "delay": delay,
            "dt": dt,
            "window": window,
            "norm": norm,
            "region": (float(chosen[use][rate.first]), float(chosen[use][rate.last])),
        },
        method="ratio of correlation sums at consecutive dimensions (Grassberger & Procaccia 1983); standard error "
        "from stretches of time, windows of radii and the dimension two below",
    )


def _radii(points: Array, window: int, norm: str, threads: int | None) -> Array:
    """From half of the median distance of nearest neighbours to a quarter of the extent."""
    distances, _ = _core.nearest_neighbours(
        points, norm=norm, k=1, window=window, candidates=len(points), threads=threads
    )
    extent = float(np.ptp(points, axis=0).max())
    near = distances[distances > 0]
    low = 0.5 * float(np.median(near)) if len(near) else 0.0
    low = min(max(low, 1e-12 * extent), 0.025 * extent)
    steps = np.arange(_RADII) / (_RADII - 1)
    radii: Array = low * np.array([(0.25 * extent / low) ** float(step) for step in steps])
    return radii


def _given(radii: ArrayLike) -> Array:
    chosen = np.atleast_1d(np.asarray(radii, dtype=np.float64))
    if chosen.ndim != 1 or not np.isfinite(chosen).all() or (chosen <= 0).any() or (np.diff(chosen) <= 0).any():
        raise RequestError("radii must be positive and increasing, of shape (k,)")
    return chosen


def _pairs(n: int, window: int) -> float:
    """Ordered pairs more than a window apart."""
    return float((n - window) * (n - window - 1))


def _usable(counts: np.ndarray, pairs: float, points: int) -> tuple[np.ndarray, Array, Array]:
    """Where there are pairs enough and not all; the sums, and those without the pairs of each block."""
    total = counts.sum(axis=0)
    without = total - 2 * counts
    use = (total >= 2 * _PAIRS) & (without > 0).all(axis=0) & (total < points * (points - 1))
    return use, total / pairs, without / pairs
