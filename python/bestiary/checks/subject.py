"""The system that is checked, and the runs that checks share; each is made when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .. import sampling
from ..definition import Array

if TYPE_CHECKING:
    from ..system import System
    from ..trajectories import Ensemble, Trajectory

PERIODS = 1e5
"""Length of the long run by default, in periods, all members together."""

RTOL = 1e-12
"""Relative tolerance of the long run by default, that of all others."""

SAMPLES, PER_PERIOD, POINTS = 10_000, 100, 100
MEMBERS, MEMBER_SAMPLES = 8, 2500
# A Taylor step of order 15 to 20 costs about as much as 15 evaluations of the right-hand side for each instruction.
_TAYLOR, _OVERHEAD = 15, 10
# Instructions of the long run, at most; some ten seconds on a core. What is slower runs for fewer periods, unless asked
# to run for all of them.
BUDGET = 2e9
# Samples further apart than a period are this many periods more than a whole number apart, the golden mean: those of a
# driven system would otherwise all be taken in the same phase, and their mean would be no mean over time.
_GOLDEN = (5**0.5 - 1) / 2
# Steps of a member, at most, in units of what the first 100 periods take.
_STEPS, _STEPS_LEAST = 20, 1_000_000


@dataclass(frozen=True)
class Subject:
    """A system under test."""

    system: System
    periods: float
    whole: bool = False
    rtol: float = RTOL

    @cached_property
    def run(self) -> Trajectory:
        """From the stored state, as a dataset has it: 10 000 samples, 100 a period (10 000 iterations)."""
        if self.system.kind == "map":
            return self.system.trajectory(SAMPLES)
        return self.system.trajectory(SAMPLES, per_period=PER_PERIOD, threads=1)

    @cached_property
    def points(self) -> tuple[Array, Array, Array | None]:
        """
        100 states (n, d) and times (n,) along the run, and the values of the delayed terms (n, z) of a delay system.

        The delayed values are those of the sample nearest to t - tau.
        """
        run, system = self.run, self.system
        if system.kind != "delay":
            at = np.linspace(0, len(run.t) - 1, POINTS).astype(int)
            return run.x[at], run.t[at], None
        delays = system.core.delays(system.core.parameter_values)
        back = [(j, round(float(delays[k]) / run.t[1])) for j, k in system.core.delayed_terms]
        at = np.linspace(min(max(n for _, n in back), len(run.t) - POINTS), len(run.t) - 1, POINTS).astype(int)
        return run.x[at], run.t[at], np.stack([run.x[np.maximum(at - n, 0), j] for j, n in back], axis=1)

    @cached_property
    def neighbours(self) -> tuple[Array, Array]:
        """20 states near the run, each variable moved by up to a tenth of its value, and times."""
        random = np.random.default_rng(20240229)
        x = self.points[0][:: POINTS // 20]
        return x * (1 + 0.1 * random.uniform(-1, 1, x.shape)), random.uniform(0, 10, len(x))

    @property
    def long_periods(self) -> float:
        """Periods (iterations) of the long run: as many as asked for, or as the budget allows."""
        if self.whole:
            return self.periods
        run, system = self.run, self.system
        each = system.core.program_length + system.dimension + _OVERHEAD
        work = run.evaluations * each * (_TAYLOR if run.method == "taylor" else 1)
        made = SAMPLES if system.kind == "map" else SAMPLES / PER_PERIOD
        return min(self.periods, BUDGET * made / work)

    @cached_property
    def long(self) -> Ensemble:
        """
        Eight members on the attractor that share the periods of the long run, 2500 samples each.

        One after the other they are as long as asked for; side by side they cost a quarter of it.
        """
        system = self.system
        apart = self.long_periods / MEMBERS / MEMBER_SAMPLES
        if system.kind == "map":
            dt = max(1.0, float(np.ceil(apart)))
        else:
            dt = system.period * (apart if apart < 1 else float(np.ceil(apart - _GOLDEN)) + _GOLDEN)
        # An orbit that escapes may take ever smaller steps on its way to infinity.
        usual = self.run.steps * self.run.t[-1] ** -1 * (dt * MEMBER_SAMPLES + sampling.burn_in(system))
        steps = int(_STEPS * usual) + _STEPS_LEAST
        return system.ensemble(MEMBERS, MEMBER_SAMPLES, dt=dt, rtol=self.rtol, threads=1, max_steps=steps)

    @cached_property
    def angles(self) -> Array:
        """Period of each variable, NaN where it is no angle, shape (d,)."""
        return self.system.core.periods(self.system.core.parameter_values)


def size(values: Array) -> float:
    """The largest absolute value, at least 1: what rounding errors are relative to."""
    return 1.0 + float(np.max(np.abs(values)))
