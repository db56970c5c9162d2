"""
What a run gives: one trajectory or an ensemble of them, with times, samples, outcome and the work done.

The checks of a request are in `sampling`; the integration is in the compiled part.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike

from . import _core, memory, sampling
from .definition import Array
from .exceptions import RequestError, UnknownName
from .history import Past, Prepared, end_of, prepare

if TYPE_CHECKING:
    import polars as pl

    from .system import System

Progress: TypeAlias = Callable[[int, int], None]
Stop: TypeAlias = str | tuple[str, int]

# A fixed step is at most this part of a period: a thousandth for noise and for methods of order 4.
_STEPS_PER_PERIOD = 1000
_STEPS_PER_PERIOD_OF = {"rk4": 1000, "symplectic4": 1000, "symplectic8": 200}


@dataclass(frozen=True)
class Request:
    """What a trajectory was asked for, so that it can be asked for again with changes."""

    grid: sampling.Grid
    transient: float
    initial: Array
    options: Mapping[str, Any]

    def run(self, system: System, *, initial: Array | None = None, **changes: Any) -> Trajectory:
        """The trajectory."""
        x0 = self.initial if initial is None else initial
        return run_trajectory(system, self.grid, transient=self.transient, initial=x0, **{**self.options, **changes})


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """
    One trajectory.

    Attributes
    ----------
    t : array of shape (n,)
    x : array of shape (n, d)
        NaN after a stop.
    names : names of the d columns
    outcome : "ok", "diverged", "stalled", "left domain", "out of steps" or "stopped"
    stop_time : time of the stop, NaN where the outcome is "ok"
    steps, rejected, evaluations : work done
    method : the method used, never "auto"; "taylor, then rodas5p" where stiff stretches were handed over
    system : the System that ran
    low : array of shape (n, d)
        What `x` lacks of the states where they were computed in extended precision; None elsewhere.
    past : Past
        Of a delay system: the last stretch of the run, from which it can be continued (`history=`); else None.
    """

    t: Array
    x: Array
    names: tuple[str, ...]
    outcome: str
    stop_time: float
    steps: int
    rejected: int
    evaluations: int
    method: str
    system: System = field(compare=False)
    low: Array | None = None
    _request: Request | None = field(default=None, compare=False)
    past: Past | None = field(default=None, compare=False)

    def __len__(self) -> int:
        return len(self.t)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.x, dtype=dtype) if copy or dtype not in (None, self.x.dtype) else self.x

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: slice) -> Trajectory: ...
    def __getitem__(self, key: str | slice) -> Array | Trajectory:
        """`tr["x"]` is one variable, `tr[100:200]` a piece of the trajectory."""
        if isinstance(key, str):
            if key not in self.names:
                raise UnknownName("variable", key, self.names, where=f" of {self.system.name}")
            return self.x[:, self.names.index(key)]
        if isinstance(key, slice):
            return self._with(self.t[key], self.x[key], low=None if self.low is None else self.low[key])
        raise RequestError(
            f'a trajectory is indexed by a name or a slice, such as tr["{self.names[0]}"] or tr[100:200]'
        )

    def between(self, begin: float, end: float) -> Trajectory:
        """The samples at times in [begin, end)."""
        inside = (self.t >= begin) & (self.t < end)
        return self._with(self.t[inside], self.x[inside], low=None if self.low is None else self.low[inside])

    def observed(self) -> Trajectory:
        """The bounded view: observables of the system in place of its state; the state where none are defined."""
        names = self.system.observable_names
        return self._with(self.t, self.system.observe(self.x, self.t), names) if names else self

    def to_polars(self) -> pl.DataFrame:
        """A frame with the columns time and one for each variable."""
        import polars as pl

        return pl.DataFrame({"time": self.t, **{name: self.x[:, i] for i, name in enumerate(self.names)}})

    def plot(self, **options: Any) -> Any:
        """Draw the trajectory (see `bestiary.plot.trajectory`); needs the extra `plot`."""
        from . import plot

        return plot.trajectory(self, **options)

    def precision_horizon(self, threshold: float = 0.01) -> float:
        """
        The time up to which the samples are those of the equations, and not of the rounding and truncation in the run.

        The run is repeated with a tolerance a thousand times finer, in extended precision where doubles have none (a
        map that is not smooth from a state one rounding error away), and the time is found at which the two part.

        Parameters
        ----------
        threshold : float
            Root mean square over the variables of their differences, in standard deviations of each along the run.

        Returns
        -------
        float
            In units of `t`; infinity where the two do not part within the run.

        Raises
        ------
        RequestError
            For a piece of a trajectory, a noisy one, or one already in extended precision: nothing finer is there.

        Examples
        --------
        >>> from bestiary import system
        >>> bool(25 < system("Lorenz").trajectory(dt=0.1, n=500).precision_horizon() < 35)
        True
        """
        from . import precision

        return precision.horizon(self, threshold)

    def _with(self, t: Array, x: Array, names: tuple[str, ...] | None = None, low: Array | None = None) -> Trajectory:
        work = (self.outcome, self.stop_time, self.steps, self.rejected, self.evaluations, self.method)
        return Trajectory(t, x, names or self.names, *work, self.system, low)

    def __repr__(self) -> str:
        lines = [f"Trajectory of {self.system.name}: {_sampled(self.t, self.system)}"]
        lines.append(f"  {self.method}, {self.steps} steps, outcome: {self.outcome}")
        if self.outcome == "stopped":
            lines[-1] = f"  {self.method}, {self.steps} steps, stopped as asked at t = {self.stop_time:.6g}"
        elif self.outcome != "ok":
            lines[-1] = (
                f"  STOPPED at t = {self.stop_time:.6g}: {self.outcome.upper()} ({self.method}, {self.steps} steps)"
            )
        return "\n".join([*lines, *_ranges(self.x, self.names)])

    def _repr_html_(self) -> str:
        return _as_html(repr(self), self.outcome in ("ok", "stopped"))


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble:
    """
    Many trajectories at the same times.

    Attributes
    ----------
    t : array of shape (n,)
    x : array of shape (m, n, d)
        NaN after a stop.
    names : names of the d columns
    outcomes : m of "ok", "diverged", "stalled", "left domain", "out of steps", "stopped"
    stop_times : array of shape (m,), NaN where the outcome is "ok"
    steps, rejected, evaluations : arrays of shape (m,), work done
    methods : m times the method used, as in a Trajectory
    system : the System that ran
    parameters : parameters that differ between members, by name, first axis m
    """

    t: Array
    x: Array
    names: tuple[str, ...]
    outcomes: tuple[str, ...]
    stop_times: Array
    steps: np.ndarray[Any, np.dtype[np.int64]]
    rejected: np.ndarray[Any, np.dtype[np.int64]]
    evaluations: np.ndarray[Any, np.dtype[np.int64]]
    methods: tuple[str, ...]
    system: System
    parameters: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def method(self) -> str:
        """The method used; the different ones, joined by "; ", where members differ."""
        return "; ".join(dict.fromkeys(self.methods))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.x, dtype=dtype) if copy or dtype not in (None, self.x.dtype) else self.x

    @overload
    def __getitem__(self, key: int) -> Trajectory: ...
    @overload
    def __getitem__(self, key: slice) -> Ensemble: ...
    def __getitem__(self, key: int | slice) -> Trajectory | Ensemble:
        """`en[3]` is a Trajectory (with its own parameters), `en[2:5]` an Ensemble."""
        if isinstance(key, slice):
            swept = {name: values[key] for name, values in self.parameters.items()}
            work = (self.stop_times[key], self.steps[key], self.rejected[key], self.evaluations[key])
            return Ensemble(
                self.t, self.x[key], self.names, self.outcomes[key], *work, self.methods[key], self.system, swept
            )
        if not isinstance(key, (int, np.integer)):
            raise RequestError("an ensemble is indexed by a member's number or a slice, such as en[3] or en[2:5]")
        if not -len(self) <= key < len(self):
            raise IndexError(f"there is no member {key} among {len(self)}")
        own = {name: values[key] for name, values in self.parameters.items()}
        return Trajectory(
            self.t,
            self.x[key],
            self.names,
            self.outcomes[key],
            float(self.stop_times[key]),
            int(self.steps[key]),
            int(self.rejected[key]),
            int(self.evaluations[key]),
            self.methods[key],
            self.system.with_parameters(**own) if own else self.system,
        )

    def __iter__(self) -> Iterator[Trajectory]:
        return (self[i] for i in range(len(self)))

    def to_polars(self) -> pl.DataFrame:
        """A frame with the columns trajectory (its number), time and one for each variable."""
        import polars as pl

        m, n = self.x.shape[:2]
        head = {"trajectory": np.repeat(np.arange(m, dtype=np.int32), n), "time": np.tile(self.t, m)}
        return pl.DataFrame({**head, **{name: self.x[:, :, i].ravel() for i, name in enumerate(self.names)}})

    def plot(self, **options: Any) -> Any:
        """Draw the members in one picture (see `bestiary.plot.ensemble`); needs the extra `plot`."""
        from . import plot

        return plot.ensemble(self, **options)

    def __repr__(self) -> str:
        lines = [f"Ensemble of {len(self)} trajectories of {self.system.name}: {_sampled(self.t, self.system)}"]
        counts = Counter(self.outcomes)
        outcome = ", ".join(
            f"{count} {name}" if name in ("ok", "stopped") else f"{count} {name.upper()}"
            for name, count in counts.items()
        )
        lines.append(f"  {self.method}, {int(self.steps.sum())} steps, outcomes: {outcome}")
        if self.parameters:
            lines.append(f"  with different {', '.join(self.parameters)}")
        return "\n".join([*lines, *_ranges(self.x.reshape(-1, self.x.shape[-1]), self.names)])

    def _repr_html_(self) -> str:
        return _as_html(repr(self), set(self.outcomes) <= {"ok", "stopped"})


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
) -> Members:
    """
    The members that the arguments of `System.ensemble` ask for; `earliest` is the time of the first sample.

    Those whose `samples` do not fit into memory are refused before any is drawn.
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
    memory.require(system, count, samples)
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
    memory.require(system, len(initial), grid.n, copies=2 if precision == "extended" else 1)
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


def _sampled(t: Array, system: System) -> str:
    """How many samples, over which time, how far apart."""
    if len(t) < 2:
        return f"{len(t)} sample" + ("" if len(t) == 1 else "s")
    apart = np.diff(t)
    even = np.ptp(apart) <= 1e-9 * apart.mean()
    spacing = f", dt = {apart.mean():.6g}" if even and system.kind != "map" else ""
    unit = "iterations" if system.kind == "map" else "t ="
    return f"{len(t)} samples, {unit} {t[0]:g} to {t[-1]:g}{spacing}"


def _ranges(x: Array, names: tuple[str, ...]) -> list[str]:
    """A line for each variable (the first few): its range and mean."""
    width = max(map(len, names))
    lines = []
    for i, name in enumerate(names[:6]):
        good = x[np.isfinite(x[:, i]), i]
        shown = (
            f"{good.min():10.4g} to {good.max():10.4g}, mean {good.mean():10.4g}" if len(good) else "no finite sample"
        )
        lines.append(f"  {name:<{width}}  {shown}")
    return lines + ([f"  … and {len(names) - 6} more"] if len(names) > 6 else [])


def _as_html(text: str, is_ok: bool) -> str:
    import html

    colour = "inherit" if is_ok else "#b3261e"
    return f'<pre style="color: {colour}">{html.escape(text)}</pre>'
