"""Lyapunov exponents from data: how fast neighbours part, and the spectrum of fitted tangent maps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..definition import Array
from ..exceptions import RequestError
from ..sampling import positive, whole
from .estimate import Estimate
from .scaling import line
from .series import BLOCKS, as_points, checked_norm, checked_window

__all__ = ["divergence_curve", "largest_exponent_kantz", "largest_exponent_rosenstein", "spectrum_from_data"]

# Neighbours part exponentially until they are this part of the way, in the logarithm, to being unrelated.
_UNSATURATED = 0.5
# Neighbours that do not part more than tenfold are not heading for being unrelated.
_PARTING = math.log(10)
# A slope is read over at least this part of what is not saturated.
_WIDTH = 1 / 3


def divergence_curve(
    x: ArrayLike,
    steps: int | None = None,
    *,
    radius: float | None = None,
    neighbours: int = 1,
    window: int | None = None,
    norm: str = "euclidean",
    threads: int | None = None,
) -> Array:
    """
    The mean logarithm of the distance of neighbours 0, 1, …, `steps` steps later.

    Without `radius`, of each point and its nearest neighbour. With it, of the mean distance of each point from all
    neighbours nearer than the radius, where there are at least `neighbours`.

    Parameters
    ----------
    x : array of shape (n, d), or (n,)
        Points in order of time, such as states, or a series embedded by `embed`.
    steps : int, optional
        By default thirty times the window, at least 20 and at most a tenth of the points.
    window : int, optional
        Points at most this many steps apart are no neighbours; by default that of `theiler_window`.
    norm : "euclidean" or "maximum"

    Returns
    -------
    array of shape (steps + 1,)

    Examples
    --------
    >>> from bestiary import system
    >>> curve = divergence_curve(system("Logistic", r=4.0).trajectory(5000).x, 8)
    >>> bool(abs(np.diff(curve)[1:6].mean() - np.log(2)) < 0.06)
    True
    """
    points = as_points(x)
    window = checked_window(window, points)
    sums, counts = _sums(points, _steps(points, steps, window), radius, neighbours, window, norm, threads)
    return np.asarray(sums.sum(axis=0) / counts.sum(axis=0))


def largest_exponent_rosenstein(
    x: ArrayLike,
    *,
    dt: float = 1.0,
    steps: int | None = None,
    window: int | None = None,
    norm: str = "euclidean",
    threads: int | None = None,
) -> Estimate:
    """
    The largest Lyapunov exponent: how fast each point and its nearest neighbour part.

    The slope of `divergence_curve` where it is straight, before distances are half of the way, in the logarithm, to
    those of unrelated points: where directions part at different rates, the fastest pairs are stopped well before the
    mean is, and the slope sinks. Of few data the value remains too small for flows such as Lorenz's. Windows of at
    least a third of that part are weighted as for `correlation_dimension`. The standard error has a part from 16
    stretches of time and one from the choice of the window. Converged: the error is less than a fifth of the value, or
    of one over the time that neighbours are followed.

    Parameters
    ----------
    x, steps, window, norm, threads
        As for `divergence_curve`.
    dt : float
        Time between samples.

    Returns
    -------
    Estimate
        Natural logarithm, per unit of time.

    References
    ----------
    Rosenstein, M. T., Collins, J. J. & De Luca, C. J. (1993), Physica D 65, 117-134.

    Examples
    --------
    >>> from bestiary import system
    >>> found = largest_exponent_rosenstein(system("Logistic", r=4.0).trajectory(10_000).x)
    >>> bool(abs(found.value - np.log(2)) < 3 * found.error)
    True
    """
    return _largest(x, dt, steps, None, 1, window, norm, threads, "nearest neighbours (Rosenstein et al. 1993)")


def largest_exponent_kantz(
    x: ArrayLike,
    *,
    dt: float = 1.0,
    radius: float | None = None,
    neighbours: int = 5,
    steps: int | None = None,
    window: int | None = None,
    norm: str = "euclidean",
    threads: int | None = None,
) -> Estimate:
    """
    The largest Lyapunov exponent: how fast each point and all of its near neighbours part, on average.

    As `largest_exponent_rosenstein`, with the mean distance of all neighbours nearer than `radius`, where there are at
    least `neighbours`. The radius is by default the median distance of the tenth nearest neighbour.

    References
    ----------
    Kantz, H. (1994), Physics Letters A 185, 77-87.

    Examples
    --------
    >>> from bestiary import system
    >>> found = largest_exponent_kantz(system("Henon").trajectory(10_000, transient=100).x)
    >>> bool(abs(found.value - 0.4192) < 3 * found.error)
    True
    """
    points = as_points(x)
    if radius is None:
        distances, _ = _core.nearest_neighbours(
            points,
            norm=checked_norm(norm),
            k=10,
            window=checked_window(window, points),
            candidates=len(points),
            threads=threads,
        )
        radius = float(np.nanmedian(distances[:, -1]))
        if not radius > 0:
            raise RequestError("most points have ten neighbours at no distance: give a radius")
    radius, neighbours = positive("radius", radius), whole("neighbours", neighbours, least=1)
    return _largest(points, dt, steps, radius, neighbours, window, norm, threads, "near neighbours (Kantz 1994)")


def spectrum_from_data(
    x: ArrayLike,
    *,
    dt: float = 1.0,
    neighbours: int | None = None,
    step: int = 1,
    window: int | None = None,
    threads: int | None = None,
) -> Estimate:
    """
    All Lyapunov exponents of the space of the data, from tangent maps fitted to neighbours.

    About each point the map over `step` steps is fitted by a quadratic polynomial to the nearest points, and the
    product of the derivatives is followed by QR. The number of exponents is the number of coordinates: where that is
    more than the dynamics have, the further ones mean nothing. Of noisy or few data only the largest are to be
    trusted; strongly negative ones are hard, since the data hardly extend along their directions. The standard error
    has a part from 16 stretches of time, and the difference to what affine fits give (with twice the coordinates and
    5 more neighbours), which bounds the effect of curvature from above. Converged: the error of the largest is less
    than a fifth of it, or of one over the length of the data.

    Parameters
    ----------
    x : array of shape (n, d), or (n,)
        Points in order of time, such as states, or a series embedded by `embed`.
    dt : float
        Time between samples.
    neighbours : int, optional
        By default twice the number of terms of the polynomial and 5 more.
    step : int
    window : int, optional
        Points at most this many steps apart are no neighbours; by default that of `theiler_window`.

    Returns
    -------
    Estimate
        Of d exponents, largest first, natural logarithm, per unit of time.

    References
    ----------
    Sano, M. & Sawada, Y. (1985), Physical Review Letters 55, 1082-1085.
    Eckmann, J.-P., Kamphorst, S. O., Ruelle, D. & Ciliberto, S. (1986), Physical Review A 34, 4971-4979.
    Brown, R., Bryant, P. & Abarbanel, H. D. I. (1991), Physical Review A 43, 2787-2806 (polynomials).

    Examples
    --------
    >>> from bestiary import system
    >>> found = spectrum_from_data(system("Henon").trajectory(10_000, transient=100).x)
    >>> bool((abs(found.value - [0.4192, -1.6229]) < 3 * found.error).all())
    True
    """
    points = as_points(x)
    d, dt, step = points.shape[1], positive("dt", dt), whole("step", step, least=1)
    window = checked_window(window, points)
    terms = d + d * (d + 1) // 2
    neighbours = 2 * terms + 5 if neighbours is None else whole("neighbours", neighbours, least=terms + 1)
    found, coarser = (
        _core.fitted_exponents(
            points, quadratic=degree == 2, neighbours=k, window=window, step=step, blocks=BLOCKS, threads=threads
        )
        for degree, k in ((2, neighbours), (1, 2 * d + 5))
    )
    found, coarser = (np.sort(each, axis=1)[:, ::-1] / (step * dt) for each in (found, coarser))
    value = found.mean(axis=0)
    statistical = found.std(axis=0, ddof=1) / math.sqrt(BLOCKS)
    systematic = np.abs(value - coarser.mean(axis=0))
    error = np.sqrt(statistical**2 + systematic**2)
    return Estimate(
        value=value,
        error=error,
        converged=bool(error[0] < 0.2 * max(abs(value[0]), 1 / (len(points) * dt))),
        settings={
            "points": len(points),
            "dt": dt,
            "neighbours": neighbours,
            "step": step,
            "window": window,
            "statistical": statistical,
            "systematic": systematic,
        },
        method="QR of fitted tangent maps (Sano & Sawada 1985, Eckmann et al. 1986), quadratic (Brown et al. 1991); "
        "standard error from stretches of time and from affine fits",
    )


def _steps(points: Array, steps: int | None, window: int) -> int:
    if steps is not None:
        return whole("steps", steps, least=1)
    return min(max(20, 30 * window), len(points) // 10)


def _sums(
    points: Array, steps: int, radius: float | None, neighbours: int, window: int, norm: str, threads: int | None
) -> tuple[Array, Array]:
    if len(points) - steps <= 2 * window + 1:
        raise RequestError(f"{len(points)} points are too few to be followed for {steps} steps")
    sums, counts = _core.divergence_sums(
        points,
        norm=checked_norm(norm),
        steps=steps,
        window=window,
        blocks=BLOCKS,
        radius=radius,
        least=neighbours,
        threads=threads,
    )
    if (counts.sum(axis=0) - counts <= 0).any():
        raise RequestError("too few points have neighbours: a larger radius or fewer neighbours are needed")
    return sums, counts


def _largest(
    x: ArrayLike,
    dt: float,
    steps: int | None,
    radius: float | None,
    neighbours: int,
    window: int | None,
    norm: str,
    threads: int | None,
    method: str,
) -> Estimate:
    points, dt = as_points(x), positive("dt", dt)
    window = checked_window(window, points)
    steps = _steps(points, steps, window)
    sums, counts = _sums(points, steps, radius, neighbours, window, norm, threads)
    total, weight = sums.sum(axis=0), counts.sum(axis=0)
    curve, parts = total / weight, (total - sums) / (weight - counts)
    rise = float(curve.max() - curve[0])
    limit = curve[0] + _UNSATURATED * rise if rise > _PARTING else math.inf
    above = np.flatnonzero(curve > limit)
    end = int(above[0]) if len(above) else len(curve)
    if end < 5:
        raise RequestError(f"neighbours are unrelated after {end} steps: more points or a shorter dt are needed")
    time: Array = dt * np.arange(end, dtype=np.float64)
    found = line(time, curve[:end], parts[:, :end], width=_WIDTH * (end - 1) * dt, least=4)
    assert found is not None, "the whole curve is wide enough"
    settings: dict[str, object] = {"points": len(points), "dt": dt, "steps": steps, "window": window, "norm": norm}
    if radius is not None:
        settings |= {"radius": radius, "neighbours": neighbours}
    settings |= {
        "region": (found.first * dt, found.last * dt),
        "statistical": found.statistical,
        "systematic": found.systematic,
    }
    return Estimate(
        value=found.slope,
        error=found.error,
        converged=found.error < 0.2 * max(abs(found.slope), 1 / float(time[-1])),
        settings=settings,
        method=f"divergence of {method}; standard error from stretches of time and from the choice of the window",
    )
