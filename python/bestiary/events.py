"""
Events of a flow: the crossings of a surface along a trajectory, with times, states and directions.

Sections that are maps in their own right are in `sections`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import sampling
from .definition import Array
from .exceptions import RequestError, UnknownName
from .running import before, solve, start_state, stated

if TYPE_CHECKING:
    import polars as pl

    from .system import System

# Steps for each crossing, if the caller sets no limit: a hundred times what slow ones take.
STEPS_PER_EVENT = 10_000
# Further than any run goes.
_FAR = 1e100


@dataclass(frozen=True, eq=False, repr=False)
class Events:
    """
    Crossings of a surface along one trajectory.

    Attributes
    ----------
    t : array of shape (n,)
        Times, increasing.
    x : array of shape (n, d)
        States.
    directions : array of shape (n,)
        1 for a crossing from below, -1 for one from above.
    names : names of the d columns
    event : the expression that is zero, or the equation
    outcome : "ok" where all that was asked for was found, else why the run ended before, as in a Trajectory
    stop_time : time at which the run ended, NaN where the outcome is "ok"
    steps : steps of the run
    method : the method used
    system : the System that ran
    """

    t: Array
    x: Array
    directions: np.ndarray[Any, np.dtype[np.int64]]
    names: tuple[str, ...]
    event: str
    outcome: str
    stop_time: float
    steps: int
    method: str
    system: System

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, name: str) -> Array:
        """One variable, as in `events["x"]`."""
        if name not in self.names:
            raise UnknownName("variable", name, self.names, where=f" of {self.system.name}")
        return self.x[:, self.names.index(name)]

    @property
    def intervals(self) -> Array:
        """Times between successive crossings, shape (n - 1,)."""
        return np.diff(self.t)

    def to_polars(self) -> pl.DataFrame:
        """A frame with the columns time, direction and one for each variable."""
        import polars as pl

        columns = {name: self.x[:, i] for i, name in enumerate(self.names)}
        return pl.DataFrame({"time": self.t, "direction": self.directions, **columns})

    def __repr__(self) -> str:
        ends = f", t = {self.t[0]:g} to {self.t[-1]:g}" if len(self) else ""
        end = "" if self.outcome == "ok" else f", STOPPED at t = {self.stop_time:.6g}: {self.outcome.upper()}"
        return f"Events of {self.system.name}: {len(self)} crossings of {self.event}{ends}{end}"


def run_events(
    system: System,
    event: tuple[str, int],
    *,
    n: int | None,
    duration: float | None,
    transient: float,
    initial: object,
    history: object,
    max_steps: int | None,
    **options: Any,
) -> Events:
    """Crossings along one trajectory; the arguments are those of `System.events`."""
    if n is None and duration is None:
        raise RequestError("say how many events, n=, or up to which time, duration=")
    limit = None if n is None else sampling.whole("n", n, least=1)
    if max_steps is None and limit is not None:
        max_steps = STEPS_PER_EVENT * limit
    end = _FAR if duration is None else sampling.positive("duration", duration)
    parameters = system.core.parameter_values[None]
    grid = sampling.Grid(np.array([end]), None)
    grid, begin, past = before(system, stated(system, history, initial), grid, transient, parameters, 1, options)
    x0 = start_state(system, initial, past)
    result = solve(
        system,
        grid,
        x0[None],
        parameters,
        begin,
        history=None if past is None else past.given,
        first=0,
        precision="double",
        forcing=None,
        seed=0,
        threads=None,
        progress=False,
        max_steps=max_steps,
        stop=event,
        limit=limit,
        **options,
    )
    t, x, directions = result.events[0]
    outcome, stop_time = result.outcomes[0], float(result.stop_times[0])
    if outcome == "stopped":
        outcome, stop_time = "ok", np.nan
    elif outcome == "ok" and limit is not None and len(t) < limit and duration is None:
        outcome, stop_time = "out of steps", end
    return Events(
        t,
        x,
        directions,
        system.names,
        event[0],
        outcome,
        stop_time,
        int(result.steps[0]),
        result.methods[0],
        system,
    )
