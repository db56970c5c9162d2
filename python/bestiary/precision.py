"""
How long a run is to be believed: it is compared with a finer one of the same equations from the same state.

Nothing here integrates; the runs are those of `trajectories`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from . import sampling
from .definition import Array
from .exceptions import RequestError

if TYPE_CHECKING:
    from .system import System
    from .trajectories import Request, Trajectory

# How much finer the tolerance of the second run is, and the finest that still makes a difference in doubles.
_FINER = 1e-3
_FINEST = 1e-15


def horizon(run: Trajectory, threshold: float) -> float:
    """The time at which a run parts from a finer one; see `Trajectory.precision_horizon`."""
    threshold = sampling.positive("threshold", threshold)
    if run._request is None:
        raise RequestError(
            "the precision horizon is that of a whole trajectory as `trajectory` gives it, not of a piece or a member"
        )
    if run.low is not None:
        raise RequestError("the run is in extended precision already: there is none finer to compare with")
    if run.method in ("milstein", "euler_maruyama"):
        raise RequestError("a noisy run has no precision horizon: its path is one of many")
    return departure(run, _finer(run, run._request), threshold)


def _finer(run: Trajectory, request: Request) -> Trajectory:
    """The run again, with an error small against its own."""
    system = run.system
    smooth = bool(system.core.is_smooth)
    if system.kind == "map":
        if smooth:
            return request.run(system, precision="extended")
        return request.run(system, initial=np.nextafter(request.initial, np.inf))
    rtol = _FINER * sampling.tolerances(system, request.options["rtol"], None)[0]
    if run.method in ("rk4", "symplectic4", "symplectic8"):
        rtol = _FINEST
    if rtol < _FINEST and smooth and system.kind == "flow":
        return request.run(system, method="auto", precision="extended", rtol=rtol, atol=None, stop=None)
    return request.run(system, method="auto", rtol=max(rtol, _FINEST), atol=_atol(request, system), stop=None)


def departure(run: Trajectory, other: Trajectory, threshold: float = 0.01) -> float:
    """
    The time at which two runs sampled at the same times differ by more than a threshold; infinity if they never do.

    `threshold` bounds the root mean square over the variables of their differences, in standard deviations of each
    variable along the first run. Angles differ modulo their period. Between samples the logarithm of the difference is
    taken as linear.
    """
    apart = _differences(run, other)
    past = np.flatnonzero(~(apart <= threshold))
    if len(past) == 0:
        return math.inf
    last = int(past[0])
    if last == 0 or not math.isfinite(apart[last]) or apart[last - 1] <= 0:
        return float(run.t[last])
    low, high = np.log(apart[last - 1]), np.log(apart[last])
    part = (math.log(threshold) - low) / (high - low)
    return float(run.t[last - 1] + part * (run.t[last] - run.t[last - 1]))


def _differences(run: Trajectory, other: Trajectory) -> Array:
    """The size of the difference at each sample."""
    apart = run.x - other.x
    periods = run.system.core.periods(run.system.core.parameter_values)
    angles = np.isfinite(periods)
    apart[:, angles] -= periods[angles] * np.round(apart[:, angles] / periods[angles])
    with np.errstate(invalid="ignore"):
        spread = np.nanstd(run.x, axis=0)
    spread[angles] = periods[angles] / math.sqrt(12.0)  # of an angle without preference
    moving = spread > 0
    if not moving.any():
        return np.where(np.abs(apart).max(axis=1) > 0, math.inf, 0.0)
    size: Array = np.sqrt(np.mean((apart[:, moving] / spread[moving]) ** 2, axis=1))
    return size


def _atol(request: Request, system: System) -> Array:
    """The absolute tolerances of the finer run."""
    return _FINER * sampling.tolerances(system, None, request.options["atol"])[1]
