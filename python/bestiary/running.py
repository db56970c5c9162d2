"""
The run of a trajectory or an ensemble: where its members start, and the one call of the compiled part.

The checks of a request are in `sampling`, what a run gives is in `trajectories`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from . import _core, memory, sampling
from .definition import Array
from .exceptions import RequestError
from .history import Past, Prepared, end_of, prepare
from .trajectories import Ensemble, Request, Trajectory

if TYPE_CHECKING:
    from .system import System

Progress: TypeAlias = Callable[[int, int], None]
Stop: TypeAlias = str | tuple[str, int]

# A fixed step is at most this part of a period: a thousandth for noise and for methods of order 4.
_STEPS_PER_PERIOD = 1000
_STEPS_PER_PERIOD_OF = {"rk4": 1000, "symplectic4": 1000, "symplectic8": 200}


def run_trajectory(
    system: System,
    grid: sampling.Grid,
    *,
    transient: float,
    initial: object,
    history: object = None,
    **options: Any,
) -> Trajectory:
    """One trajectory; the arguments are those of `System.trajectory`."""
    parameters = system.core.parameter_values[None]
    history = stated(system, history, initial)
    asked = grid
    grid, begin, past = before(system, history, grid, transient, parameters, 1, options)
    given = None if past is None else past.given
    x0 = start_state(system, initial, past)
    result = solve(system, grid, x0[None], parameters, begin, first=0, history=given, **options)
    ended = result.past is not None and result.outcomes[0] == "ok"
    return Trajectory(
        grid.t,
        result.x[0],
        system.names,
        result.outcomes[0],
        float(result.stop_times[0]),
        int(result.steps[0]),
        int(result.rejected[0]),
        int(result.evaluations[0]),
        result.methods[0],
        system,
        None if result.low is None else result.low[0],
        Request(asked, transient, x0, {**options, "history": history if past is None else past.again}),
        Past(*result.past) if ended and result.past else None,
    )


def stated(system: System, history: object, initial: object) -> object:
    """The history asked for; where neither it nor an initial state is, that of the entry, if it states one."""
    if history is None and initial is None and system.kind == "delay":
        return system.entry["history"] or None
    return history


def start_state(system: System, initial: object, past: Prepared | None) -> Array:
    """The state asked for, or that at the end of the history, or that of the entry."""
    if initial is None and past is not None:
        return np.asarray(past.initial[0])
    return sampling.state(system, system.initial if initial is None else initial)


def before(
    system: System,
    history: object,
    grid: sampling.Grid,
    transient: float,
    parameters: Array,
    members: int,
    options: Mapping[str, Any],
) -> tuple[sampling.Grid, float, Prepared | None]:
    """
    The times of a run, its beginning and what was before it.

    A run that continues a trajectory begins where that ended, and counts its samples from there.
    """
    if history is None:
        return grid, sampling.start(system, transient, float(grid.t[0])), None
    begin = end_of(system, history)
    if begin is None:
        begin = sampling.start(system, transient, float(grid.t[0]))
    elif grid.dt is not None:
        grid = sampling.Grid(begin - sampling.start(system, transient, math.inf) + grid.t, None)
    elif transient or grid.t[0] < begin:
        raise RequestError(
            f"the trajectory to continue ends at t = {begin:g}: list times from there on, and no transient"
        )
    rtol, atol = sampling.tolerances(system, options["rtol"], options["atol"], options.get("precision", "double"))
    return grid, begin, prepare(system, history, begin, parameters, rtol, atol, members)


@dataclass(frozen=True)
class Members:
    """Where the members of an ensemble start, and how their parameters differ."""

    initial: Array
    parameters: Array
    begin: float
    swept: dict[str, Array]


def members(
    system: System,
    earliest: float,
    *,
    m: int | None,
    first: int,
    initial: ArrayLike | None,
    parameters: Mapping[str, ArrayLike],
    transient: float | None,
    seed: int,
    samples: int = 1,
    copies: int = 1,
) -> Members:
    """
    The members that the arguments of `System.ensemble` ask for; `earliest` is the time of the first sample.

    Those whose `samples`, `copies` of each, do not fit into memory are refused before any is drawn.
    """
    sampling.whole("first", first, least=0)
    sampling.whole("seed", seed, least=0)
    rows, members = sampling.parameter_sets(system, parameters)
    sizes = {"m": None if m is None else sampling.whole("m", m, least=1), "parameters": members}
    x0 = None
    if initial is not None:
        x0 = sampling.states(system, initial)
        if x0.ndim > 2:
            raise RequestError(
                f"the initial states must have shape (m, d), not {x0.shape}; {sampling.variables(system)}"
            )
        sizes["initial"] = len(x0) if x0.ndim == 2 else None
    stated = {name: size for name, size in sizes.items() if size is not None}
    if not stated:
        raise RequestError(
            "the number of members is missing: give m, initial of shape (m, d), or parameters of shape (m,)"
        )
    if len(set(stated.values())) > 1:
        raise RequestError("the number of members differs: " + ", ".join(f"{k} has {v}" for k, v in stated.items()))
    count = next(iter(stated.values()))
    memory.require(system, count, samples, copies=copies)
    if transient is None:
        transient = 0.0 if x0 is not None else sampling.burn_in(system)
    begin = sampling.start(system, transient, earliest)
    if x0 is None:
        x0 = sampling.on_attractor(system, count, seed, first)
    x0 = np.ascontiguousarray(np.broadcast_to(x0, (count, system.dimension)))
    swept = {
        name: np.array(values, dtype=np.float64)
        if np.ndim(values) > np.ndim(system.parameters[name])
        else np.broadcast_to(np.asarray(values, dtype=np.float64), (count, *np.shape(values)))
        for name, values in parameters.items()
    }
    return Members(x0, rows, begin, swept)


def run_ensemble(
    system: System,
    grid: sampling.Grid,
    *,
    m: int | None,
    first: int,
    initial: ArrayLike | None,
    parameters: Mapping[str, ArrayLike],
    transient: float | None,
    seed: int,
    history: object = None,
    **options: Any,
) -> Ensemble:
    """Many trajectories; the arguments are those of `System.ensemble`."""
    drawn = initial is None and history is None
    if history is not None and transient is None:
        transient = 0.0
    which = members(
        system,
        float(grid.t[0]),
        m=m if not isinstance(history, (list, tuple)) or m is not None else len(history),
        first=first,
        initial=initial if drawn or initial is not None else system.initial,
        parameters=parameters,
        transient=transient,
        seed=seed,
        samples=grid.n,
        copies=_copies(options["precision"]),
    )
    given = None
    if history is not None:
        count = len(which.initial)
        grid, begin, past = before(system, history, grid, transient or 0.0, which.parameters, count, options)
        if past is not None:
            given = past.given
            which = replace(which, begin=begin, initial=which.initial if initial is not None else past.initial)
    result = solve(
        system, grid, which.initial, which.parameters, which.begin, first=first, seed=seed, history=given, **options
    )
    return Ensemble(
        grid.t,
        result.x,
        system.names,
        tuple(result.outcomes),
        result.stop_times,
        result.steps,
        result.rejected,
        result.evaluations,
        tuple(result.methods),
        system,
        which.swept,
    )


def solve(
    system: System,
    grid: sampling.Grid,
    initial: Array,
    parameters: Array,
    begin: float,
    *,
    first: int,
    method: str,
    rtol: float | None,
    atol: sampling.Tolerance | None,
    precision: str = "double",
    step: float | None,
    max_steps: int | None,
    forcing: float | ArrayLike | None,
    seed: int,
    threads: int | None,
    progress: bool | Progress,
    stop: Stop | None = None,
    limit: int | None = 1,
    history: list[Any] | None = None,
) -> _core.Result:
    """The call of the compiled part. `stop` is an event, `limit` how many of it end the run."""
    sampling.whole("seed", seed, least=0)
    if threads is not None:
        sampling.whole("threads", threads, least=1)
    sampling.method(system, method)
    rtol, tolerance = sampling.tolerances(system, rtol, atol, precision)
    amplitude = None
    if forcing is not None:
        if system.kind != "flow":
            raise RequestError(f"forcing is noise put on a flow, and {system.name} is a {system.kind}")
        given = np.asarray(forcing, dtype=np.float64)
        if given.shape not in ((), (system.dimension,)) or not (np.isfinite(given).all() and (given >= 0).all()):
            raise RequestError(
                f"forcing must be a number, or one for each variable, not negative; {sampling.variables(system)}"
            )
        amplitude = np.full(system.dimension, 1.0) * given
    is_stochastic = system.kind == "stochastic" or (amplitude is not None and bool(amplitude.any()))
    if step is not None:
        step = sampling.positive("step", step)
    elif is_stochastic or method in _STEPS_PER_PERIOD_OF:
        step = usual_step(system, method, grid.dt)
    memory.require(system, len(initial), grid.n, copies=_copies(precision))
    most = {} if max_steps is None else {"max_steps": sampling.whole("max_steps", max_steps, least=1)}
    core, events = system.core, None
    if stop is not None:
        if system.kind not in ("flow", "delay") or is_stochastic:
            raise RequestError(
                f"events are found in flows without noise and in delay systems, not in a {system.kind} "
                f"such as {system.name}"
            )
        if precision != "double":
            raise RequestError("events are found in double precision only")
        expression, direction = sampling.crossing(stop)
        core, events = system.with_expression(expression), [(direction, limit)]
    report, close = _reporter(progress, system.name)
    try:
        return _core.solve(
            core,
            initial,
            parameters,
            start=np.full(len(initial), begin),
            dt=grid.dt,
            n=None if grid.dt is None else grid.n,
            times=grid.t if grid.dt is None else None,
            method=method,
            rtol=rtol,
            atol=tolerance,
            step=step,
            seed=seed,
            first_path=first,
            forcing=amplitude if is_stochastic else None,
            extended=precision == "extended",
            threads=threads,
            progress=report,
            events=events,
            history=history,
            **most,
        )
    finally:
        close()


def _copies(precision: str) -> int:
    """Float64 numbers in a sample of a variable."""
    return 2 if precision == "extended" else 1


def usual_step(system: System, method: str, dt: float | None) -> float:
    """The step of a method with a fixed step, for samples `dt` apart."""
    longest = float(system.period) / _STEPS_PER_PERIOD_OF.get(method, _STEPS_PER_PERIOD)
    return longest if dt is None else dt / math.ceil(dt / longest)


def _reporter(progress: bool | Progress, label: str) -> tuple[Progress | None, Callable[[], None]]:
    """The callback for `progress=`, and what to call when the run is over."""
    if callable(progress):
        return progress, lambda: None
    if not progress:
        return None, lambda: None

    def draw(done: int, total: int) -> None:
        filled = 24 * done // max(total, 1)
        sys.stderr.write(f"\r{label} {'█' * filled}{'░' * (24 - filled)} {100 * done // max(total, 1):3d} %")
        sys.stderr.flush()

    return draw, lambda: print(file=sys.stderr)
