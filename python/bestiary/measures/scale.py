"""The typical scale of the variables of a system: mean, standard deviation and range on the attractor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..definition import Array
from ..exceptions import RequestError

if TYPE_CHECKING:
    from ..system import System

__all__ = ["Scale", "typical_scale"]

MEMBERS, PERIODS, PER_PERIOD, ITERATIONS = 8, 256, 16, 20_000
RTOL = 1e-9

METHOD = "average over time; standard error from the members"


@dataclass(frozen=True)
class Scale:
    """Arrays of shape (d,), one value a state variable; standard errors come from independent members."""

    mean: Array
    mean_error: Array
    standard_deviation: Array
    standard_deviation_error: Array
    low: Array
    high: Array


def settings(system: System) -> str:
    """The settings of a measurement, in words."""
    if system.kind == "map":
        return f"{MEMBERS} members of {ITERATIONS} iterations"
    return f"{MEMBERS} members of {PERIODS} periods, {PER_PERIOD} samples each, rtol {RTOL:g}"


def typical_scale(system: System, *, seed: int = 0) -> Scale:
    """
    Mean, standard deviation and range of the state variables on the attractor, with standard errors.

    Eight members start on the attractor, far apart, and run for 256 periods (20 000 iterations of a map) each. The
    standard error of a mean is the scatter of the members' means over the square root of eight; that of the standard
    deviation likewise. An angle is taken as wrapped, where its mean says little.

    Raises
    ------
    RequestError
        Where a run stops early.

    Examples
    --------
    >>> from bestiary import system
    >>> scale = typical_scale(system("Logistic", r=4.0))
    >>> bool(abs(scale.mean[0] - 0.5) < 5 * scale.mean_error[0])
    True
    """
    if system.kind == "map":
        runs = system.ensemble(MEMBERS, ITERATIONS, seed=seed, threads=1)
    else:
        dt = system.period / PER_PERIOD
        runs = system.ensemble(MEMBERS, PERIODS * PER_PERIOD, dt=dt, seed=seed, rtol=RTOL, threads=1, max_steps=10**9)
    stopped = [i for i, outcome in enumerate(runs.outcomes) if outcome != "ok"]
    if stopped:
        raise RequestError(f"member {stopped[0]} of {system.name} is {runs.outcomes[stopped[0]]}")
    means, deviations = runs.x.mean(axis=1), runs.x.std(axis=1)
    flat = runs.x.reshape(-1, system.dimension)
    root = MEMBERS**0.5
    return Scale(
        mean=flat.mean(axis=0),
        mean_error=means.std(axis=0, ddof=1) / root,
        standard_deviation=flat.std(axis=0),
        standard_deviation_error=deviations.std(axis=0, ddof=1) / root,
        low=flat.min(axis=0),
        high=flat.max(axis=0),
    )
