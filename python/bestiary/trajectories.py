"""
What a run gives: one trajectory or an ensemble of them, with times, samples, outcome and the work done.

Not the run itself: see `running`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from . import sampling
from .definition import Array
from .exceptions import RequestError, UnknownName
from .history import Past

if TYPE_CHECKING:
    import polars as pl

    from .system import System


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
        from .running import run_trajectory

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
