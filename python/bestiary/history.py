"""
What was before the start of a delay equation: a function of time as text or in Python, or an earlier trajectory.

Text is expanded in series by the compiled part, with the parameters of each trajectory. A Python function is sampled
here, before the run, onto polynomials that keep a thousandth of the tolerance; the run itself never calls Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from . import _core, sampling
from .definition import Array, plain, stem
from .exceptions import RequestError, UnknownName

if TYPE_CHECKING:
    from .system import System
    from .trajectories import Trajectory

Text: TypeAlias = "str | float | Mapping[str, str | float] | Sequence[str | float]"
Function: TypeAlias = Callable[[float], ArrayLike]
History: TypeAlias = "Text | Function | Past | Trajectory | Sequence[Function | Past | Trajectory]"

DEGREE = 16
# A polynomial of a sampled function keeps this part of the tolerance, or some roundings of its values.
FINER, ROUNDING = 1e-3, 16 * np.finfo(float).eps
# Polynomials of a sampled function at most; what is narrower than this part of the history surrounds a kink.
MOST_PIECES, KINK = 1024, 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class Past:
    """
    The last stretch of a run with delays, as long as the longest of them, in polynomials.

    A Trajectory carries it in `past`; `history=` takes either. Times are the system's own.

    Attributes
    ----------
    centres : array of shape (k, 2)
        Where the argument of each polynomial is zero, as a sum of two numbers.
    bounds : array of shape (k, 4)
        First and last offset from the centre that a polynomial covers, and those between which it can be trusted.
    coefficients : array of shape (k, d, degree + 1)
        Lowest power first.
    kinks : array of shape (j, 2)
        Times at which the solution is not smooth; how many delays they are from a jump of the first derivative.
    """

    centres: Array
    bounds: Array
    coefficients: Array
    kinks: Array

    @property
    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """As the compiled part takes it."""
        return self.centres, self.bounds, self.coefficients, self.kinks

    @classmethod
    def from_lists(cls, lists: Sequence[Any], dimension: int) -> Past:
        """From `array.tolist()` of each of the arrays."""
        centres, bounds, coefficients, kinks = (np.array(part, dtype=np.float64) for part in lists)
        return cls(centres, bounds, coefficients.reshape(len(centres), dimension, -1), kinks.reshape(-1, 2))

    @property
    def span(self) -> tuple[float, float]:
        """From when to when it reaches."""
        begins, ends = (self.centres.sum(axis=1) + self.bounds[:, i] for i in (0, 1))
        return float(begins[0]), float(ends[-1])

    def at(self, t: float) -> Array:
        """The state at a time within the span, shape (d,)."""
        offsets = (t - self.centres[:, 0]) - self.centres[:, 1]
        k = max(int(np.count_nonzero(self.bounds[:, 0] <= offsets)) - 1, 0)
        tau = float(np.clip(offsets[k], *self.bounds[k, :2]))
        return np.asarray(np.polynomial.polynomial.polyval(tau, self.coefficients[k].T))

    def __repr__(self) -> str:
        k, d = self.coefficients.shape[:2]
        begin, end = self.span
        return f"Past: {k} polynomials of {d} variable{'s' if d != 1 else ''}, t = {begin:g} to {end:g}"


@dataclass(frozen=True)
class Prepared:
    """Histories for the compiled part, one for all trajectories or one for each, and the states at the start."""

    given: list[Any]
    initial: Array
    again: object
    """The history to ask for in the same run again: polynomials in place of a function of Python."""


def end_of(system: System, history: object) -> float | None:
    """The time at which trajectories end that a run is to continue; None for other histories."""
    from .trajectories import Trajectory

    several = history if _is_list_of_runs(history) else [history]
    ends = {float(item.t[-1]) for item in several if isinstance(item, Trajectory)}  # type: ignore[attr-defined]
    if len(ends) > 1:
        raise RequestError(f"the trajectories to continue end at different times, {min(ends):g} to {max(ends):g}")
    return ends.pop() if ends else None


def prepare(
    system: System, history: object, start: float, parameters: Array, rtol: float, atol: Array, members: int
) -> Prepared:
    """The history of a run of `members` trajectories that begins at `start`, checked; parameters are (1 or m, k)."""
    if system.kind != "delay":
        raise RequestError(f"{system.name} is a {system.kind}, which has no history: give the initial state")
    longest = max(float(system.core.delays(row).max()) for row in parameters)
    several = list(history) if _is_list_of_runs(history) else [history]  # type: ignore[call-overload]
    if len(several) not in (1, members):
        raise RequestError(f"{len(several)} histories for {members} trajectories: give one, or one for each")
    given, states, again = [], [], history
    for item in several:
        one, state = _one(system, item, start, longest, parameters, rtol, atol)
        given.append(one)
        states.append(state)
        if callable(item):
            again = Past(*one)
    initial = states[0] if len(several) == 1 else np.concatenate(states)
    if not np.isfinite(initial).all():
        raise RequestError(f"the history is not finite at the start, t = {start:g}")
    return Prepared(given, np.broadcast_to(initial, (members, system.dimension)), again)


def functions(system: System, history: object) -> _core.System:
    """The expressions of a history, compiled as a flow whose right-hand sides they are."""
    names = list(system.shape)
    if isinstance(history, (str, int, float)):
        table: dict[str, Any] = {names[0]: history} if len(names) == 1 else {}
        if not table or system.shape[names[0]] is not None:
            raise RequestError(f"the history must map each variable to an expression of t: {_variables(system)}")
    elif isinstance(history, Mapping):
        table = dict(history)
    else:
        table = dict(zip(names, history, strict=False))  # type: ignore[call-overload]
        if len(history) != len(names):  # type: ignore[arg-type]
            raise RequestError(f"the history has {len(history)} expressions, but {_variables(system)}")  # type: ignore[arg-type]
    for left, right in table.items():
        if stem(left) not in system.shape:
            raise UnknownName("state variable", stem(left), names, where=f" of {system.name} in its history")
        if isinstance(right, bool) or not isinstance(right, (str, int, float, np.number)):
            raise RequestError(f"the history of {left} must be an expression of t in quotes, not {right!r}")
    missing = [name for name in names if name not in {stem(left) for left in table}]
    if missing:
        raise RequestError(f"the history lacks {', '.join(missing)}: {_variables(system)}")
    text = "\n".join(f"{left}' = {right}" for left, right in plain(table).items())
    try:
        parameters, structure = dict(system.parameters), dict(system.structure)
        return _core.System.build("flow", text, parameters, structure, list(system.shape.items()))
    except _core.LanguageError as error:
        raise _core.LanguageError(f"history of {system.name}: {error}") from None


def _one(
    system: System, history: object, start: float, longest: float, parameters: Array, rtol: float, atol: Array
) -> tuple[Any, Array]:
    """One history for the compiled part, and the state at its end, (1 or m, d)."""
    from .trajectories import Trajectory

    if isinstance(history, Trajectory):
        if history.past is None:
            raise RequestError(
                f"this trajectory of {history.system.name} cannot be continued (outcome: {history.outcome}): a run of "
                "a delay system that reached its end carries its past, but not a piece or view of one, nor a member of "
                "an ensemble"
            )
        arrays = history.past
    elif isinstance(history, Past):
        arrays = history
    elif callable(history):
        arrays = sampled(system, history, start, longest, rtol, atol)
    else:
        core = functions(system, history)
        if not core.is_smooth:
            rows = parameters if len(parameters) == 1 or (parameters == parameters[0]).all() else None
            if rows is None:
                raise RequestError("a history with kinks (abs, where, ...) must not differ between trajectories")
            zero = np.zeros((1, system.dimension))
            arrays = sampled(system, lambda t: core.rhs(zero, np.array([t]), rows[:1])[0], start, longest, rtol, atol)
        else:
            m = len(parameters)
            return core, core.rhs(np.zeros((m, system.dimension)), np.full(m, start), parameters)
    if arrays.coefficients.shape[1] != system.dimension:
        raise RequestError(f"the history has {arrays.coefficients.shape[1]} columns, but {_variables(system)}")
    return arrays.arrays, arrays.at(start)[None]


def sampled(system: System, function: Function, start: float, longest: float, rtol: float, atol: Array) -> Past:
    """
    A function of time on [start - longest, start] as polynomials of degree 16 through Chebyshev points.

    Each is compared with the function at further places and halved until it keeps a thousandth of the tolerance there;
    so polynomials crowd round kinks, which are noted.
    """
    from numpy.polynomial import chebyshev

    nodes = chebyshev.chebpts1(DEGREE + 1)
    unit = np.eye(DEGREE + 1)
    between = np.array([-1.0, -0.61803398875, 0.0437, 0.7320508, 1.0])
    transform = np.linalg.inv(chebyshev.chebvander(nodes, DEGREE))
    check = chebyshev.chebvander(between, DEGREE)
    to_powers = np.array([np.pad(chebyshev.cheb2poly(row[: i + 1]), (0, DEGREE - i)) for i, row in enumerate(unit)])

    def value(t: float) -> Array:
        state = np.atleast_1d(np.asarray(function(float(t)), dtype=np.float64))
        if state.shape != (system.dimension,):
            raise RequestError(
                f"the history gives an array of shape {state.shape} at t = {t:g}, but {_variables(system)}"
            )
        if not np.isfinite(state).all():
            raise RequestError(f"the history is not finite at t = {t:g}: {state.tolist()}")
        return state

    pieces: list[tuple[float, float, Array]] = []
    pending = [(start - longest, start)]
    finest = 64 * np.finfo(float).eps * max(abs(start - longest), abs(start), longest)
    while pending:
        first, last = pending.pop()
        centre, half = 0.5 * (first + last), 0.5 * (last - first)
        series = transform @ np.array([value(centre + half * node) for node in nodes])
        exact = np.array([value(centre + half * node) for node in between])
        size = np.abs(exact).max(axis=0)
        allowed = np.maximum(FINER * (rtol * size + atol), ROUNDING * size)
        good = (np.abs(check @ series - exact) <= allowed).all()
        if not good and last - first > finest:
            pending += [(centre, last), (first, centre)]
            if len(pieces) + len(pending) > MOST_PIECES:
                raise RequestError(
                    f"the history needs more than {MOST_PIECES} polynomials for rtol = {rtol:g}, many of them at t = "
                    f"{first:g}: it is noisy or varies too fast; smooth it, or ask for less"
                )
            continue
        if not good:
            series = np.vstack([exact[2:3], np.zeros((DEGREE, system.dimension))])
        # What is below the tolerance would be noise in the highest coefficients.
        series = np.where(np.abs(series) < 0.01 * allowed, 0.0, series)
        pieces.append((centre, half, (series.T @ to_powers) / half ** np.arange(DEGREE + 1)))
    centres = np.array([[centre, 0.0] for centre, _, _ in pieces])
    bounds = np.array([[-half, half, -half, half] for _, half, _ in pieces])
    return Past(centres, bounds, np.array([powers for *_, powers in pieces]), _kinks(pieces, KINK * longest))


def _kinks(pieces: Sequence[tuple[float, float, Array]], narrow: float) -> Array:
    """The centre of the narrowest in every row of narrow polynomials: a kink of the function itself."""
    kinks: list[tuple[float, float]] = []
    row: list[tuple[float, float]] = []
    for centre, half, _ in [*pieces, (0.0, np.inf, np.zeros(0))]:
        if 2 * half < narrow:
            row.append((half, centre))
        elif row:
            kinks.append((min(row)[1], 0.0))
            row = []
    return np.array(kinks).reshape(-1, 2)


def _is_list_of_runs(history: object) -> bool:
    is_list = isinstance(history, (list, tuple)) and len(history) > 0
    return is_list and not all(isinstance(item, (str, int, float, np.number)) for item in history)  # type: ignore[attr-defined]


def _variables(system: System) -> str:
    return sampling.variables(system)
