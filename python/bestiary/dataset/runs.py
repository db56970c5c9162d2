"""
The numbers of one shard, and the scales of a system: where datasets meet the integrator.

Everything here is a function of its arguments alone: initial states and noise come from counter-based seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core, sampling
from ..definition import Array
from ..exceptions import DatasetError
from ..history import Past

if TYPE_CHECKING:
    from ..system import System
    from .plan import Continuation, Request, Shard


@dataclass(frozen=True)
class Run:
    """Samples (m, n, columns) at times (n,), and how each trajectory ended."""

    t: Array
    x: Array
    outcomes: list[str]
    stop_times: list[float | None]
    steps: int
    rejected: int
    evaluations: int
    end: Continuation


def run(shard: Shard, threads: int | None = 1, progress: Callable[[int, int], None] | None = None) -> Run:
    """Integrate the trajectories of a shard, keep the columns asked for, and add the noise of observation."""
    from ..running import solve, usual_step
    from .plan import Continuation

    system, request = shard.system, shard.request
    t: Array = np.arange(shard.first_sample, shard.first_sample + shard.samples, dtype=np.float64) * shard.dt
    before = shard.continued
    if before is not None and before.outcome != "ok":
        x = np.full((1, shard.samples, len(shard.columns)), np.nan)
        return Run(t, x, [before.outcome], [before.stop_time], 0, 0, 0, before)
    seed = shard.seed("trajectories")
    if before is None:
        initial = sampling.on_attractor(system, shard.count, seed, shard.first)
        begin = -(sampling.burn_in(system) + transient(system, request))
    else:
        initial = np.array([before.state])
        begin = (shard.first_sample - 1) * shard.dt
    past = None
    if before is not None and before.past is not None:
        past = Past.from_lists(before.past, system.dimension)
        initial = past.at(begin)[None]
    # A trajectory cut into files is one path of noise, in steps of one length.
    is_noisy = system.kind == "stochastic" or any(shard.forcing)
    result = solve(
        system,
        sampling.Grid(t, shard.dt if before is None else None),
        initial,
        system.core.parameter_values[None],
        begin,
        first=shard.first,
        method=request.method,
        rtol=request.rtol,
        atol=request.atol,
        precision="double",
        step=usual_step(system, request.method, shard.dt) if is_noisy else None,
        max_steps=2_000_000 + 1000 * shard.samples,
        forcing=shard.forcing or None,
        seed=seed,
        threads=threads,
        progress=progress or False,
        history=None if past is None else [past.arrays],
    )
    outcomes = list(result.outcomes)
    stop_times = [float(time) if np.isfinite(time) else None for time in result.stop_times]
    state = tuple(float(value) for value in result.x[0, -1])
    return Run(
        t=t,
        x=_observed(shard, view(system, request, result.x, t)),
        outcomes=outcomes,
        stop_times=stop_times,
        steps=int(result.steps.sum()),
        rejected=int(result.rejected.sum()),
        evaluations=int(result.evaluations.sum()),
        end=Continuation(state, outcomes[0], stop_times[0], _remembered(shard, result)),
    )


def _remembered(shard: Shard, result: _core.Result) -> tuple[Any, ...] | None:
    """What the next piece of a long trajectory with delays must know besides the state."""
    if not shard.is_piece or result.past is None or result.outcomes[0] != "ok":
        return None
    return tuple(array.tolist() for array in result.past)


def _observed(shard: Shard, x: Array) -> Array:
    """The samples as a noisy instrument shows them."""
    if not shard.scale:
        return x
    seed = shard.seed(f"noise from sample {shard.first_sample}")
    amplitude = shard.request.noise * np.array(shard.scale)
    noisy = np.empty_like(x)
    for i in range(shard.count):
        normals = _core.normals(seed, shard.first + i, shard.samples * x.shape[2])
        noisy[i] = x[i] + amplitude * normals.reshape(shard.samples, -1)
    return noisy


def columns(system: System, request: Request) -> tuple[str, ...]:
    """The variables of a file: the state, or the bounded view where asked for and there is one."""
    names = system.core.observable_names if request.observables else []
    names = list(names or system.names)
    return tuple(names[:1] if request.univariate else names)


def view(system: System, request: Request, x: Array, t: Array) -> Array:
    """States (m, n, d) at times (n,) as the columns asked for."""
    if request.observables and system.core.observable_names:
        m, n, d = x.shape
        flat = np.ascontiguousarray(x.reshape(m * n, d))
        x = system.core.observe(flat, np.tile(t, m), system.core.parameter_values).reshape(m, n, -1)
    return x[:, :, :1] if request.univariate else x


def interval(system: System, request: Request) -> float:
    """Time between samples; of a map, every iteration."""
    return 1.0 if system.kind == "map" else float(system.period) / request.per_period


def transient(system: System, request: Request) -> float:
    """The time discarded after the burn-in; whole iterations of a map."""
    time = request.transient_periods * float(system.period)
    return float(round(time)) if system.kind == "map" else time


def scale(system: System, request: Request) -> tuple[float, ...]:
    """Standard deviation of each column along the noise-free reference trajectory."""
    x = sampling.reference(system)
    step = 1.0 if system.kind == "map" else float(system.period) / sampling.REFERENCE_PER_PERIOD
    return _deviations(system, view(system, request, x[None], np.arange(len(x), dtype=np.float64) * step)[0])


def forcing(system: System, request: Request) -> tuple[float, ...]:
    """Standard deviation of the white noise put on each variable, per square root of time."""
    deviations = _deviations(system, sampling.reference(system))
    return tuple(request.forcing * value / float(system.period) ** 0.5 for value in deviations)


def _deviations(system: System, x: Array) -> tuple[float, ...]:
    deviations = x.std(axis=0)
    if not np.isfinite(deviations).all():
        raise DatasetError(f"{system.name}: its scale is not finite, so noise cannot be given in units of it")
    return tuple(float(value) for value in deviations)
