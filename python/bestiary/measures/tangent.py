"""
Members on the attractor with their tangent vectors, run from segment to segment.

What is common to all measures that follow small deviations; the measures themselves are in the modules beside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import _core, sampling
from ..definition import Array
from ..exceptions import RequestError

if TYPE_CHECKING:
    from ..system import System

__all__ = ["Cloud", "Segments"]

RTOL, RTOL_CONSERVATIVE = 1e-8, 1e-10
# Discarded before anything is measured: the vectors find their directions.
TRANSIENT_PERIODS, TRANSIENT_ITERATIONS = 50, 500
# Steps in a period of a stochastic system; in the shortest delay and in a period of a delay system; its exponents.
STOCHASTIC_STEPS, DELAY_STEPS, PERIOD_STEPS, DELAY_EXPONENTS = 1000, 32, 100, 8
# Of a member in one run.
MOST_STEPS = 10**9
# Numbers for the first vectors come from paths apart from those of states and noise.
_PATHS = 3 << 61


@dataclass(frozen=True)
class Segments:
    """Logarithms of growth (m, segments, k) and lengths (m, segments); states and triangular factors where kept."""

    logs: Array
    elapsed: Array
    states: Array | None = None
    triangles: Array | None = None

    @property
    def rates(self) -> Array:
        """Exponents of each member over all of its segments, (m, k)."""
        total: Array = self.logs.sum(axis=1) / self.elapsed.sum(axis=1)[:, None]
        return total


class Cloud:
    """
    Members of a system with `k` tangent vectors each, that can be run on and on.

    `given` names variables that are imposed from outside: deviations are those of the others.
    """

    def __init__(
        self,
        system: System,
        k: int | None,
        *,
        members: int,
        seed: int,
        given: Sequence[str] = (),
        initial: object = None,
        rtol: float | None = None,
        step: float | None = None,
        threads: int | None = None,
        start: float = 0.0,
    ) -> None:
        self.system, self.seed, self.threads = system, seed, threads
        fixed = {column for name in given for column in sampling.columns(system, name)}
        self.response = [i for i in range(system.dimension) if i not in fixed]
        if not self.response:
            raise RequestError(f"nothing is left to respond: {sampling.variables(system)}")
        width = len(self.response)
        if k is None and system.kind == "delay":
            k = DELAY_EXPONENTS
        self.k = width if k is None else sampling.whole("k", k, least=1)
        if self.k > width and system.kind != "delay":
            raise RequestError(f"k = {k}, but there are {width} exponents of {', '.join(self._names())}")
        if initial is None:
            x = sampling.on_attractor(system, sampling.whole("members", members, least=2), seed, 0)
        else:
            x = sampling.states(system, initial)
            x = x[None] if x.ndim == 1 else x
        usual = RTOL_CONSERVATIVE if sampling.is_conservative(system) else RTOL
        self.rtol, self.atol = sampling.tolerances(system, usual if rtol is None else rtol, None)
        self.step = self._step() if step is None else sampling.positive("step", step)
        nodes = self._nodes() if system.kind == "delay" else 1
        count = self.k * width
        vectors = np.array([_core.normals(seed, _PATHS + i, nodes * count) for i in range(len(x))])
        if system.kind == "delay":
            # A constant past, and vectors that lean on no function: values, then slopes, at every node.
            values = np.concatenate(
                [np.repeat(x[:, None], nodes, axis=1), vectors.reshape(len(x), nodes, count)], axis=2
            )
            self.augmented = np.concatenate([values, np.zeros_like(values)], axis=2).reshape(len(x), -1)
        else:
            self.augmented = np.concatenate([x, vectors], axis=1)
        self.width = system.dimension + count
        self.t = np.full(len(x), float(start))
        self.steps = 0

    def _names(self) -> list[str]:
        return [self.system.names[i] for i in self.response]

    def _step(self) -> float | None:
        """The usual step of what has a fixed one."""
        if self.system.kind == "stochastic":
            return self.system.period / STOCHASTIC_STEPS
        if self.system.kind == "delay":
            delays = self.system.core.delays(self.system.core.parameter_values)
            return float(min(delays.min() / DELAY_STEPS, self.system.period / PERIOD_STEPS))
        return None

    def _nodes(self) -> int:
        """Samples of the past of a delay system."""
        delays = self.system.core.delays(self.system.core.parameter_values)
        assert self.step is not None
        if self.step > delays.min():
            raise RequestError(f"step = {self.step:g} is longer than the shortest delay, {delays.min():g}")
        return math.ceil(float(delays.max()) / self.step) + 1

    @property
    def unit(self) -> float:
        """The unit of durations: the period, or one iteration."""
        return 1.0 if self.system.kind == "map" else self.system.period

    @property
    def transient(self) -> float:
        """The usual transient."""
        if self.system.kind == "map":
            return float(TRANSIENT_ITERATIONS)
        return max(TRANSIENT_PERIODS * self.unit, sampling.burn_in(self.system))

    @property
    def work(self) -> float:
        """Steps taken so far, times the number of variables with their vectors."""
        return float(self.steps) * self.width

    def run(self, duration: float, segments: int, *, keep: bool = False, max_work: float = math.inf) -> Segments:
        """
        Run on, by so many segments of this duration each.

        No member may do more than `max_work` by itself: one that escapes may take ever smaller steps.
        """
        try:
            found = _core.tangent_growth(
                self.system.core,
                self.augmented,
                self.system.core.parameter_values[None],
                start=self.t,
                response=self.response,
                vectors=self.k,
                duration=float(duration),
                segments=segments,
                keep=keep,
                rtol=self.rtol,
                atol=self.atol,
                max_steps=int(min(max_work / self.width + 1, MOST_STEPS)),
                step=self.step,
                seed=self.seed,
                threads=self.threads,
            )
        except ValueError as error:
            raise RequestError(f"{self.system.name}: {error}") from None
        self.augmented, self.t = found["augmented"], found["t"]
        self.steps += int(sum(found["steps"]))
        return Segments(found["logs"], found["elapsed"], found.get("states"), found.get("triangles"))
