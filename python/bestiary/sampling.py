"""
Where a run begins and at which times it is sampled: the checks between a person's call and the compiled part.

Nothing here integrates, but for the reference trajectory from which initial states on the attractor are drawn.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from . import _core, memory
from .definition import Array
from .exceptions import RequestError, UnknownName, UnknownParameter

if TYPE_CHECKING:
    from .system import System

PER_PERIOD = 100.0
METHODS = {
    "flow": ("auto", "taylor", "tsit5", "dop853", "rk4", "rodas5p", "symplectic4", "symplectic8"),
    "delay": ("auto", "taylor", "dop853", "tsit5"),
    "stochastic": ("auto", "milstein", "euler_maruyama"),
    "map": ("auto", "map"),
}
ABSOLUTE_TOLERANCE = 1e-12
SMALLEST_RTOL = 1e-16
RELATIVE_TOLERANCE = 1e-12
# The least relative tolerance and the default one.
_PRECISIONS = {"double": (SMALLEST_RTOL, RELATIVE_TOLERANCE), "extended": (1e-30, 1e-30)}

# Initial states: drawn along a reference run of this many periods, sampled this many times a period (iterations of a
# map), moved by this many standard deviations, and left this many periods to settle.
REFERENCE_PERIODS, REFERENCE_PER_PERIOD, REFERENCE_ITERATIONS = 100, 100, 1000
SHIFT, SHIFT_CONSERVATIVE = 1e-3, 1e-9
BURN_IN_PERIODS, BURN_IN_DELAYS, BURN_IN_ITERATIONS = 20, 20, 100
# Random numbers of member i come from paths apart from the noise, which uses path i itself.
_PATHS = 1 << 62

Tolerance: TypeAlias = float | Sequence[float] | Array | Mapping[str, float]


_T = TypeVar("_T")


def _once(function: Callable[[System], _T]) -> Callable[[System], _T]:
    """
    Keep what a function finds out about a system by running it.

    Systems are equal by their equations, but a run follows the period, the tolerance and the tags of the entry as well:
    the answer for one entry must not depend on whether another with the same equations was asked about before.
    """

    @lru_cache(maxsize=64)
    def kept(system: System, entry: str) -> _T:
        return function(system)

    @wraps(function)
    def ask(system: System) -> _T:
        facts = (system.stated_period, system.absolute_tolerance, sorted(system.tags))
        return kept(system, repr(facts))

    return ask


@dataclass(frozen=True)
class Grid:
    """Sample times: `n` of them `dt` apart from 0, or as listed."""

    t: Array
    dt: float | None

    @property
    def n(self) -> int:
        return len(self.t)


def grid(
    system: System,
    n: int | None,
    *,
    per_period: float | None = None,
    per_lyapunov: float | None = None,
    dt: float | None = None,
    times: ArrayLike | None = None,
) -> Grid:
    """
    The sample times that a call asks for.

    Of a map every iteration is sampled, whatever `per_period`, unless `dt` (a whole number) or `times` say otherwise.
    """
    given = {"per_period": per_period, "per_lyapunov": per_lyapunov, "dt": dt, "times": times}
    stated = [name for name, value in given.items() if value is not None]
    if len(stated) > 1:
        raise RequestError(f"{' and '.join(stated)} both say where to sample: give only one of {', '.join(given)}")
    if times is not None:
        return _listed(system, n, times)
    if n is None:
        raise RequestError("the number of samples n is missing: give n, or list the times")
    count = whole("n", n, least=1)
    for name in stated:
        positive(name, given[name])
    is_map = system.kind == "map"
    if dt is None:
        if per_lyapunov is not None:
            if is_map:
                raise RequestError("a map is sampled at whole iterations: use dt= or times= in place of per_lyapunov=")
            dt = system.lyapunov_time / per_lyapunov
        else:
            dt = 1.0 if is_map else system.period / (PER_PERIOD if per_period is None else per_period)
    if is_map and dt != int(dt):
        raise RequestError(f"a map is sampled at whole iterations: dt = {dt:g} is not a whole number")
    memory.require(system, 1, count)
    return Grid(np.arange(count, dtype=np.float64) * np.float64(dt), float(dt))


def _listed(system: System, n: int | None, times: ArrayLike) -> Grid:
    t = np.array(times, dtype=np.float64)
    if t.ndim != 1 or not len(t):
        raise RequestError(f"times must be a list of at least one time, not an array of shape {t.shape}")
    if n is not None and n != len(t):
        raise RequestError(f"n = {n}, but {len(t)} times are listed: leave out one of the two")
    if not np.isfinite(t).all() or (np.diff(t) <= 0).any():
        raise RequestError("times must be finite and increasing")
    if system.kind == "map" and (t != np.rint(t)).any():
        raise RequestError("a map is sampled at whole iterations: times must be whole numbers")
    t.flags.writeable = False
    return Grid(t, None)


def start(system: System, transient: float, first: float) -> float:
    """The time at which a run begins so that `transient` is over at time 0, checked against the first sample."""
    if not isinstance(transient, (int, float, np.number)) or not 0 <= transient < math.inf:
        raise RequestError(f"transient must be a time of at least 0, not {transient!r}")
    if system.kind == "map" and transient != int(transient):
        raise RequestError(f"the transient of a map is a whole number of iterations, not {transient:g}")
    if first < -transient:
        raise RequestError(f"the first of the times, {first:g}, lies before the start of the run at {-transient:g}")
    return -float(transient) if transient else 0.0


def whole(name: str, value: object, *, least: int) -> int:
    """The value as a whole number of at least `least`."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise RequestError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return int(value)


def positive(name: str, value: object) -> float:
    """The value as a positive finite number."""
    if not isinstance(value, (int, float, np.number)) or isinstance(value, bool) or not 0 < value < math.inf:
        raise RequestError(f"{name} must be a positive number, not {value!r}")
    return float(value)


def crossing(event: object) -> tuple[str, int]:
    """
    The expression whose zero an event is, and the direction: from "z - 27", "z = 27" or ("z = 27", 1).

    The direction is 1 (from below), -1 (from above) or 0 (both).
    """
    expression, direction = event if isinstance(event, tuple) and len(event) == 2 else (event, 0)
    if not isinstance(expression, str) or direction not in (-1, 0, 1) or isinstance(direction, bool):
        raise RequestError(
            'an event is an expression such as "z - 27" or "z = 27", or a pair of one and a direction, 1 (from below), '
            f"-1 (from above) or 0 (both), not {event!r}"
        )
    sides = re.split(r"(?<![<>=!])=(?!=)", expression)
    if len(sides) > 2 or not all(side.strip() for side in sides):
        raise RequestError(f'an event is an expression such as "z - 27" or "z = 27", not "{expression}"')
    return (expression if len(sides) == 1 else f"{sides[0].strip()} - ({sides[1].strip()})"), int(direction)


def method(system: System, name: str) -> str:
    """The method, if there is one of that name for this kind of system."""
    known = METHODS[system.kind]
    if name not in known:
        if any(name in names for names in METHODS.values()):
            use = ", ".join(known)
            raise RequestError(f'method "{name}" is not for a {system.kind} such as {system.name}: use {use}')
        raise UnknownName("method", str(name), known)
    return name


def tolerances(
    system: System, rtol: float | None, atol: Tolerance | None, precision: str = "double"
) -> tuple[float, Array]:
    """
    Relative tolerance, and the absolute one of each variable.

    By default 1e-12, and what the entry states or 1e-12; in extended precision 1e-30, and 1e-18 of these.
    """
    if precision not in _PRECISIONS:
        raise UnknownName("precision", str(precision), _PRECISIONS)
    smallest, usual = _PRECISIONS[precision]
    rtol = usual if rtol is None else rtol
    if not isinstance(rtol, (int, float, np.number)) or not smallest <= rtol < 1:
        raise RequestError(
            f"rtol must be at least {smallest:g}, what {precision} precision resolves, and below 1, not {rtol!r}"
        )
    stated = system.absolute_tolerance if atol is None else atol
    values = np.full(system.dimension, ABSOLUTE_TOLERANCE)
    if isinstance(stated, Mapping):
        for name, value in stated.items():
            values[columns(system, name)] = value
    else:
        given = np.asarray(stated, dtype=np.float64)
        if given.shape not in ((), (system.dimension,)):
            raise RequestError(f"atol has shape {given.shape}, but {variables(system)}")
        values[:] = given
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise RequestError("atol must be finite and not negative")
    if atol is None and precision == "extended":
        values *= usual / RELATIVE_TOLERANCE
    return float(rtol), values


def columns(system: System, name: str) -> list[int]:
    """Positions of a state variable, or of all elements of a vector, in the flattened state."""
    position = 0
    for stem, size in system.shape.items():
        if stem == name:
            return list(range(position, position + (size or 1)))
        position += size or 1
    if name in system.names:
        return [system.names.index(name)]
    raise UnknownName("state variable", name, dict.fromkeys([*system.shape, *system.names]), where=f" of {system.name}")


def variables(system: System) -> str:
    """How many state variables there are, and which, as part of a sentence."""
    d, names = system.dimension, system.names
    shown = ", ".join(names) if d <= 8 else f"{', '.join(names[:3])}, …, {names[-1]}"
    return f"{system.name} has {d} state variable{'s' if d != 1 else ''}: {shown}"


def state(system: System, initial: object, what: str = "the initial state") -> Array:
    """One state, shape (d,), from a list, an array or a mapping of every variable."""
    if isinstance(initial, Mapping):
        values = np.full(system.dimension, np.nan)
        for name, value in initial.items():
            values[columns(system, name)] = value
        missing = [name for name, value in zip(system.names, values, strict=True) if np.isnan(value)]
        if missing:
            raise RequestError(f"{what} lacks {', '.join(missing)}: {variables(system)}")
        return values
    return states(system, initial, what, ndim=1)


def states(system: System, initial: object, what: str = "the initial states", *, ndim: int | None = None) -> Array:
    """Finite states, shape (…, d)."""
    try:
        x = np.array(initial, dtype=np.float64)
    except (TypeError, ValueError):
        raise RequestError(f"{what} must be numbers, and {variables(system)}") from None
    if x.ndim == 0 or x.shape[-1] != system.dimension:
        size = x.shape[-1] if x.ndim else 1
        found = f"{size} column{'s' if size != 1 else ''}"
        raise RequestError(f"{what} has {found} but {variables(system)}")
    if ndim is not None and x.ndim != ndim:
        wanted = "(d,)" if ndim == 1 else "(m, d)"
        raise RequestError(f"{what} must have shape {wanted}, not {x.shape}; {variables(system)}")
    if not np.isfinite(x).all():
        bad = system.names[int(np.argwhere(~np.isfinite(x))[0][-1])]
        raise RequestError(f"{what} must be finite, but {bad} is not: {x.tolist() if x.ndim == 1 else ''}".rstrip(": "))
    return x


def parameter_sets(system: System, changes: Mapping[str, ArrayLike]) -> tuple[Array, int | None]:
    """
    Flattened parameters (1, k) or (m, k) with some of them replaced.

    Each change has the parameter's own shape (the same for all members) or one value a member in front of it.
    """
    rows: dict[str, Array] = {}
    m: int | None = None
    for name, value in changes.items():
        if name not in system.parameters:
            raise UnknownParameter("parameter", name, system.parameters, where=f" of {system.name}")
        given = np.asarray(value, dtype=np.float64)
        own = np.shape(system.parameters[name])
        if given.shape == own:
            given = given[None]
        elif given.shape[1:] != own or given.ndim != len(own) + 1:
            wanted = " or ".join(str(s).replace("'", "") for s in (own, ("m", *own)))
            raise RequestError(f"parameter {name} of {system.name} must have shape {wanted}, not {given.shape}")
        elif m not in (None, len(given)):
            raise RequestError(f"parameter {name} has {len(given)} values, another has {m}")
        else:
            m = len(given)
        if not np.isfinite(given).all():
            raise RequestError(f"parameter {name} must be finite")
        rows[name] = given.reshape(len(given), -1)
    parts = [
        np.broadcast_to(rows.get(name, np.reshape(value, (1, -1))), (m or 1, np.size(value)))
        for name, value in system.parameters.items()
    ]
    return np.ascontiguousarray(np.concatenate([np.zeros((m or 1, 0)), *parts], axis=1)), m


@_once
def reference(system: System) -> Array:
    """The run from the entry's state along which initial states are drawn, shape (n, d); stops at the first gap."""
    if system.kind == "map":
        run = system.trajectory(REFERENCE_ITERATIONS)
    else:
        run = system.trajectory(REFERENCE_PERIODS * REFERENCE_PER_PERIOD, per_period=REFERENCE_PER_PERIOD)
    good = np.isfinite(run.x).all(axis=1)
    x = run.x if good.all() else run.x[: int(np.argmin(good))]
    if len(x) < 2:
        raise RequestError(f"no initial states can be drawn: {system.name} is {run.outcome} at t = {run.stop_time:g}")
    x.flags.writeable = False
    return x


@_once
def is_conservative(system: System) -> bool:
    """Whether volume in state space is kept: by its tags, or because the Jacobian says so at 16 states of a run."""
    if {"conservative", "hamiltonian"} & set(system.tags):
        return True
    if system.kind not in ("flow", "map"):
        return False
    x = reference(system)
    jacobian = system.jacobian(x[:: max(1, len(x) // 16)])
    if system.kind == "map":
        return bool(np.allclose(np.abs(np.linalg.det(jacobian)), 1.0, rtol=1e-9))
    diagonal = np.diagonal(jacobian, axis1=-2, axis2=-1)
    return bool((np.abs(diagonal.sum(-1)) <= 1e-12 * np.abs(diagonal).sum(-1)).all())


def on_attractor(system: System, m: int, seed: int, first: int) -> Array:
    """
    Starting states (m, d) of members first, first + 1, …, each a function of (seed, member) alone.

    A point of the reference run drawn at random, moved a little and kept within the range of that run (so that what
    is positive stays positive). A burn-in brings it back to the attractor. Of a delay system, whose history is constant
    at first, the point is one with every variable between its quartiles.
    """
    x = reference(system)
    if system.kind == "delay":
        # A state that is held for a whole delay is far from the attractor where it is extreme, and may escape.
        middle = (np.quantile(x, 0.25, axis=0) <= x) & (x <= np.quantile(x, 0.75, axis=0))
        x = x[middle.all(axis=1)] if middle.all(axis=1).any() else x
    shift = (SHIFT_CONSERVATIVE if is_conservative(system) else SHIFT) * x.std(axis=0)
    low, high = x.min(axis=0), x.max(axis=0)
    path, d = _PATHS + 2 * first, system.dimension
    places = (_core.uniforms(seed, path, 1, stride=2, count=m) * len(x)).astype(np.int64)
    normals = _core.normals(seed, path + 1, d, stride=2, count=m).reshape(m, d)
    drawn: Array = np.clip(x[places] + shift * normals, low, high)
    return drawn


def burn_in(system: System) -> float:
    """How long a run from a drawn initial state settles: 20 periods, 20 delays if longer, or 100 iterations."""
    if system.kind == "map":
        return float(BURN_IN_ITERATIONS)
    settled = BURN_IN_PERIODS * system.period
    if system.kind == "delay":
        delays = system.core.delays(system.core.parameter_values)
        settled = max(settled, BURN_IN_DELAYS * float(np.max(delays, initial=0.0)))
    return settled


@_once
def mean_period(system: System) -> float:
    """
    The mean period 2 pi std(x) / std(dx/dt), median over the variables, for a system that states none.

    Found by runs of about a hundred periods, each scaled by the estimate from the one before.
    """
    advice = f"give {system.name} a period, period=, or sample with dt="
    rates = np.abs(np.linalg.eigvals(np.nan_to_num(system.jacobian(system.initial))))
    period = 2 * np.pi / (rates.max() if system.kind != "delay" and rates.max() > 0 else 1.0)
    for _ in range(12):
        run = system.trajectory(2000, dt=period / 20, transient=20 * period, rtol=1e-6, atol=1e-9)
        x = run.x[np.isfinite(run.x).all(axis=1)]
        if len(x) < 100:
            raise RequestError(f"the run that looks for a period is {run.outcome} at t = {run.stop_time:g}: {advice}")
        speed = np.gradient(x, run.t[: len(x)], axis=0) if system.kind == "delay" else system.rhs(x, run.t[: len(x)])
        moving = (x.std(axis=0) > 1e-9 * (1e-9 + np.abs(x).max(axis=0))) & (speed.std(axis=0) > 0)
        if not moving.any():
            raise RequestError(f"the run that looks for a period comes to rest: {advice}")
        estimate = float(np.median(2 * np.pi * x.std(axis=0)[moving] / speed.std(axis=0)[moving]))
        if abs(estimate - period) < 0.05 * period:
            return estimate
        period = estimate
    return period


@_once
def estimated_exponent(system: System) -> float:
    """A quick estimate of the largest Lyapunov exponent: eight members, 200 periods (2000 iterations) each."""
    if system.kind not in ("flow", "map"):
        raise RequestError(
            f"no Lyapunov time is known for {system.name}, a {system.kind}: sample by dt= or per_period="
        )
    settled, length = burn_in(system), 2000.0 if system.kind == "map" else 200 * system.period
    exponents = _core.largest_exponent(
        system.core,
        on_attractor(system, 8, 0, 0),
        system.core.parameter_values[None],
        start=-settled,
        transient=settled,
        duration=length,
        segments=1,
    )
    return float(np.mean(exponents))
