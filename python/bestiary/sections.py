"""
Sections of a flow as maps in their own right: Poincaré sections (crossings of a surface) and stroboscopic ones.

A section is a map from a point to the next one; it is iterated by following the flow, so `n` points cost one run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from . import definition, sampling
from .definition import Array
from .events import _FAR, STEPS_PER_EVENT
from .exceptions import RequestError
from .running import members, solve
from .trajectories import Ensemble, Trajectory

if TYPE_CHECKING:
    from . import _core
    from .system import System

__all__ = ["Returns", "ReturnsEnsemble", "Section", "poincare", "stroboscopic"]


@dataclass(frozen=True, eq=False, repr=False)
class Returns(Trajectory):
    """
    Successive points of a section: a Trajectory whose `t` counts them.

    Attributes
    ----------
    times : array of shape (n,)
        Times of the flow at the points, NaN after a stop.
    """

    times: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def return_times(self) -> Array:
        """Times from each point to the next, shape (n - 1,)."""
        return np.diff(self.times)

    def _with(self, t: Array, x: Array, names: tuple[str, ...] | None = None, low: Array | None = None) -> Trajectory:
        if names is not None or len(t) == len(self.t):
            return Returns(**{**self.__dict__, "t": t, "x": x, "names": names or self.names})
        return Returns(**{**self.__dict__, "t": t, "x": x, "times": self.times[np.searchsorted(self.t, t)]})


@dataclass(frozen=True, eq=False, repr=False)
class ReturnsEnsemble(Ensemble):
    """
    Successive points of a section from many starts: an Ensemble whose `t` counts them.

    Attributes
    ----------
    times : array of shape (m, n)
        Times of the flow at the points, NaN after a stop.
    """

    times: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def return_times(self) -> Array:
        """Times from each point to the next, shape (m, n - 1)."""
        return np.diff(self.times, axis=1)

    def __getitem__(self, key: int | slice) -> Any:
        part: Any = super().__getitem__(key)
        kind = Returns if isinstance(part, Trajectory) else ReturnsEnsemble
        return kind(**part.__dict__, times=self.times[key])


class Section:
    """
    A map on the points at which a flow comes back. Made by `poincare` and `stroboscopic`.

    Its state is the whole state of the flow at these points, so it has as many variables.

    Attributes
    ----------
    flow : System
    event : str
        The surface, as an expression that is zero on it; empty for a stroboscopic section.
    direction : 1, -1 or 0
    period, phase : float
        Of a stroboscopic section, else NaN.
    """

    kind = "map"

    def __init__(self, flow: System, event: str, direction: int, period: float = math.nan, phase: float = 0.0) -> None:
        self.flow = flow
        self.event = event
        self.direction = direction
        self.period = period
        self.phase = phase if event == "" else math.nan

    @property
    def name(self) -> str:
        return f"{'section' if self.event else 'stroboscopic section'} of {self.flow.name}"

    @property
    def names(self) -> tuple[str, ...]:
        return self.flow.names

    @property
    def dimension(self) -> int:
        """Number of state variables, those of the flow."""
        return self.flow.dimension

    @property
    def parameters(self) -> Mapping[str, float | Array]:
        return self.flow.parameters

    @property
    def initial(self) -> Array:
        return self.flow.initial

    @property
    def observable_names(self) -> tuple[str, ...]:
        return self.flow.observable_names

    def observe(self, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
        """The bounded view of points, as in `System.observe`."""
        return self.flow.observe(x, t)

    def with_parameters(self, **values: object) -> Section:
        """The same section of the flow with other parameters."""
        return Section(self.flow.with_parameters(**values), self.event, self.direction, self.period, self.phase)

    def trajectory(
        self,
        n: int,
        *,
        transient: int = 0,
        initial: object = None,
        method: str = "auto",
        rtol: float | None = None,
        atol: sampling.Tolerance | None = None,
        step: float | None = None,
        max_steps: int | None = None,
    ) -> Returns:
        """
        n successive points.

        Parameters
        ----------
        n : int
            Number of points.
        transient : int
            Points left out before the first.
        initial : sequence or mapping
            State of the flow at time 0 from which it goes to the first point; by default the system's. Of a Poincaré
            section, a point on the surface is left behind: what follows begins with the next one.
        method, rtol, atol, step
            As in `System.trajectory`.
        max_steps : int
            Limit on the steps of the flow; by default 10 000 for each point.

        Returns
        -------
        Returns
            Its `t` counts the points, `times` are those of the flow. NaN after a stop.
        """
        options = dict(method=method, rtol=rtol, atol=atol, step=step, threads=None)
        x0 = sampling.state(self.flow, self.flow.initial if initial is None else initial)
        rows = self.flow.core.parameter_values[None]
        result, x, times, outcomes = self._run(n, transient, x0[None], rows, max_steps, options)
        return Returns(
            np.arange(n, dtype=np.float64),
            x[0],
            self.names,
            outcomes[0],
            float(result.stop_times[0]) if outcomes[0] != "ok" else math.nan,
            int(result.steps[0]),
            int(result.rejected[0]),
            int(result.evaluations[0]),
            result.methods[0],
            self,  # type: ignore[arg-type]
            times=times[0],
        )

    def ensemble(
        self,
        m: int | None = None,
        n: int | None = None,
        *,
        transient: int = 0,
        seed: int = 0,
        first: int = 0,
        initial: ArrayLike | None = None,
        parameters: Mapping[str, ArrayLike] | None = None,
        method: str = "auto",
        rtol: float | None = None,
        atol: sampling.Tolerance | None = None,
        step: float | None = None,
        max_steps: int | None = None,
        threads: int | None = None,
    ) -> ReturnsEnsemble:
        """
        n successive points from many starts, shape (m, n, d).

        Members are chosen as in `System.ensemble`: drawn on the attractor by `seed`, or given by `initial` and
        `parameters`. The other arguments are those of `trajectory`.
        """
        count = sampling.whole("n", 0 if n is None else n, least=1)
        which = members(
            self.flow,
            0.0,
            m=m,
            first=first,
            initial=initial,
            parameters=parameters or {},
            transient=0.0 if initial is not None else None,
            seed=seed,
        )
        options = dict(method=method, rtol=rtol, atol=atol, step=step, threads=threads)
        begin = which.begin
        result, x, times, outcomes = self._run(
            count, transient, which.initial, which.parameters, max_steps, options, begin
        )
        ended = np.where(np.array(outcomes) == "ok", np.nan, result.stop_times)
        work = (result.steps, result.rejected, result.evaluations, tuple(result.methods))
        labels = np.arange(count, dtype=np.float64)
        return ReturnsEnsemble(
            labels,
            x,
            self.names,
            tuple(outcomes),
            ended,
            *work,
            self,  # type: ignore[arg-type]
            which.swept,
            times=times,
        )

    def _run(
        self,
        n: int,
        transient: int,
        initial: Array,
        rows: Array,
        max_steps: int | None,
        options: dict[str, Any],
        begin: float = 0.0,
    ) -> tuple[_core.Result, Array, Array, list[str]]:
        """Points (m, n, d), their times (m, n) and outcomes."""
        sampling.whole("n", n, least=1)
        total = n + sampling.whole("transient", transient, least=0)
        options = dict(options, first=0, precision="double", forcing=None, seed=0, progress=False)
        options["max_steps"] = STEPS_PER_EVENT * total if max_steps is None else max_steps
        if not self.event:
            times = self.phase + self.period * np.arange(transient, total, dtype=np.float64)
            result = solve(self.flow, sampling.Grid(times, None), initial, rows, begin, **options)
            return result, result.x, np.where(np.isnan(result.x[..., 0]), np.nan, times), result.outcomes
        grid = sampling.Grid(np.array([_FAR]), None)
        event = (self.event, self.direction)
        result = solve(self.flow, grid, initial, rows, begin, stop=event, limit=total, **options)
        x = np.full((len(initial), n, self.dimension), np.nan)
        when = np.full((len(initial), n), np.nan)
        for i, (t, points, _) in enumerate(result.events):
            found = max(0, len(t) - transient)
            when[i, :found], x[i, :found] = t[transient:], points[transient:]
        names = {"stopped": "ok", "ok": "out of steps"}
        return result, x, when, [names.get(outcome, outcome) for outcome in result.outcomes]

    def __repr__(self) -> str:
        where = {1: ", from below", -1: ", from above", 0: ""}[self.direction]
        surface = f"{self.event}{where}" if self.event else f"t = {self.phase:g} + k {self.period:g}"
        return f"{self.name[0].upper()}{self.name[1:]}: {surface}, {self.dimension} state variables"


def poincare(system: System, event: str, *, direction: int = 1) -> Section:
    """
    The Poincaré section of a flow: the map from one crossing of a surface to the next.

    Parameters
    ----------
    system : System
        A flow.
    event : str
        The surface, as an expression that is zero on it ("z - 27") or an equation ("z = rho - 1").
    direction : 1, -1 or 0
        Crossings from below, from above, or both.

    Returns
    -------
    Section

    Raises
    ------
    ValueError
        If the system is no flow, or the expression cannot be understood.

    Examples
    --------
    >>> import bestiary as bst
    >>> points = bst.poincare(bst.system("Lorenz"), "z = rho - 1").trajectory(100, transient=10)
    >>> points.x.shape, bool(abs(points["z"] - 27).max() < 1e-12)
    ((100, 3), True)
    """
    _flow(system)
    expression, direction = sampling.crossing((event, direction))
    system.with_expression(expression)
    return Section(system, event, direction)


def stroboscopic(system: System, *, period: float | str, phase: float = 0.0) -> Section:
    """
    The stroboscopic section of a flow: the map over one period, as of its drive.

    Parameters
    ----------
    system : System
        A flow.
    period : float or str
        The time between points: a number, or an expression of the parameters such as "2*pi/omega".
    phase : float
        Time of the first point, at least 0.

    Returns
    -------
    Section

    Examples
    --------
    >>> import bestiary as bst
    >>> drive = bst.stroboscopic(bst.system("ForcedVanDerPol"), period=10.0)
    >>> drive.trajectory(50, transient=5).x.shape
    (50, 2)
    """
    _flow(system)
    if isinstance(period, str):
        period = definition.number(period, dict(system.structure), dict(system.parameters), "period")
    if not isinstance(phase, (int, float)) or not 0 <= phase < math.inf:
        raise RequestError(f"phase must be a time of at least 0, not {phase!r}")
    return Section(system, "", 0, sampling.positive("period", period), float(phase))


def _flow(system: System) -> None:
    if system.kind != "flow":
        raise RequestError(f"a section is one of a flow, and {system.name} is a {system.kind}")
