"""The equations against themselves: text, runs, Jacobian, angles, and the tags that follow from them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..definition import Array
from ..system import System
from .subject import Subject, size

# Steps of the central differences, in units of the size of a variable. The best of them must be near the derivative:
# of the long ones the truncation is visible, of the short ones the rounding, in steep equations only the latter.
_STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
# A central difference at its best step is good to about eps^(2/3) = 4e-11 of the scale of the equation.
_NEAR = 1e-7
_NEAR_KINKS = 2
_BALANCED = 1e-6
# Rounding: a few hundred operations on numbers of the size of the largest term.
ROUNDING = 1e-11


def round_trip(subject: Subject) -> Iterator[str]:
    """The TOML document and the text lead back to the same system."""
    system = subject.system
    again = System.from_toml(system.to_toml())
    if again != system:
        yield "the TOML document does not lead back to the system"
    elif again.to_text() != system.to_text():
        yield "the text changes when it is read again"


def runs(subject: Subject) -> Iterator[str]:
    """10 000 samples at 100 per period, default method, rtol 1e-12: outcome ok, states and observables finite."""
    run = subject.run
    if run.outcome != "ok":
        yield f"the run is {run.outcome} at t = {run.stop_time:g}"
    elif not np.isfinite(run.x).all():
        yield "a state is not finite"
    elif not np.isfinite(subject.system.observe(run.x, run.t)).all():
        yield "an observable is not finite"


def jacobian(subject: Subject) -> Iterator[str]:
    """
    The Jacobian equals central differences at 100 points of the run.

    Of a delay system it is that of the present state: the delayed terms keep the values that they have in the run.
    Where there are kinks, up to two points may lie within a step of one.
    """
    system = subject.system
    x, t, delayed = subject.points
    f, matrix = system.rhs(x, t, delayed=delayed), system.jacobian(x, t, delayed=delayed)
    if not np.isfinite(f).all() or not np.isfinite(matrix).all():
        yield f"the {'Jacobian' if np.isfinite(f).all() else 'right-hand side'} is not finite"
        return
    scale = np.abs(x).max(axis=0)
    scale[scale == 0] = 1.0
    for j, variable in enumerate(system.names):
        found: list[Array] = []
        for step in _STEPS:
            shift = np.zeros(system.dimension)
            shift[j] = step * scale[j]
            high, low = x + shift, x - shift
            width = (high - low)[:, j, None]
            found.append((system.rhs(high, t, delayed=delayed) - system.rhs(low, t, delayed=delayed)) / width)
        # Two steps together cancel the leading error of truncation (Richardson), which steep equations need.
        found += [(100 * fine - coarse) / 99 for coarse, fine in pairwise(found)]
        amount = np.abs(matrix[:, :, j]) + np.abs(f) / scale[j]
        # Where an equation balances out, rounding is relative to what it is made of elsewhere.
        amount += _BALANCED * amount.max(axis=0)
        misses = np.abs(np.array(found) - matrix[:, :, j])
        wrong = misses.min(axis=0) > _NEAR * (amount + np.finfo(float).tiny)
        if (wrong.sum(axis=0) > (0 if system.is_smooth else _NEAR_KINKS)).any():
            equation = system.names[int(np.argmax(wrong.sum(axis=0)))]
            yield f"d({equation})/d({variable}) differs from its central difference"


def angles(subject: Subject) -> Iterator[str]:
    """
    Where a variable is an angle, nothing changes when it grows by its period.

    The equations give the same (the image of a map up to whole periods), and so do the observables: the bounded
    view has no jump where the angle is wrapped.
    """
    system, periods = subject.system, subject.angles
    x, t, delayed = subject.points
    f = system.rhs(x, t, delayed=delayed)
    for j in np.flatnonzero(np.isfinite(periods)):
        moved = x.copy()
        moved[:, j] += periods[j]
        changed = system.rhs(moved, t, delayed=delayed) - f
        if system.kind == "map":
            changed = to_whole_periods(changed, periods)
        # An angle of a few periods is known to some units of rounding, which the slope of the equation amplifies.
        slope = size(system.jacobian(x, t, delayed=delayed)) * size(moved)
        if np.abs(changed).max() > ROUNDING * slope * size(f):
            yield f"the equations change when the angle {system.names[j]} grows by its period {periods[j]:.6g}"
        if system.observable_names:
            view, other = system.observe(x, t), system.observe(moved, t)
            if np.abs(other - view).max() > ROUNDING * slope * size(view):
                wrong = system.observable_names[int(np.argmax(np.abs(other - view).max(axis=0)))]
                yield f"the observable {wrong} changes when the angle {system.names[j]} grows by its period"


def to_whole_periods(x: Array, periods: Array) -> Array:
    """Differences (…, d) less the whole periods in them, where a variable is an angle."""
    whole = np.where(np.isfinite(periods), periods, np.inf)
    turns = np.where(np.isfinite(periods), np.rint(x / whole), 0.0)
    return np.asarray(x - turns * np.where(np.isfinite(periods), periods, 0.0))


def bifurcation(subject: Subject) -> Iterator[str]:
    """The range of the bifurcation parameter holds the entry's own value, and the system runs all along it."""
    system = subject.system
    table = system.entry["bifurcation"]
    if not table:
        return
    name, (low, high) = table["parameter"], table["range"]
    value = system.parameters[name]
    if not isinstance(value, float):
        yield f"the bifurcation parameter {name} is not a number but an array"
        return
    if not low <= value <= high:
        yield f"the range [{low:g}, {high:g}] of the bifurcation parameter {name} does not hold its value {value:g}"
    values = np.linspace(low, high, 8)
    dt = 1.0 if system.kind == "map" else system.period / 10
    runs = system.ensemble(n=201, dt=dt, initial=system.initial, parameters={name: values}, threads=1)
    for i, outcome in enumerate(runs.outcomes):
        if outcome != "ok":
            yield f"at {name} = {values[i]:g}, in the range of bifurcation, the run is {outcome}"


def tags(subject: Subject) -> Iterator[str]:
    """
    The tags that follow from the equations.

    driven: t appears; nonsmooth: kinks or jumps; delay, stochastic: the kind; hamiltonian implies conservative, which
    excludes dissipative; reversible: a symmetry with t = "-t" is stated (of a flow).
    """
    system = subject.system
    said = set(system.tags)
    known = system.entry["known"].get("symmetries", [])
    reversing = [symmetry for symmetry in known if symmetry.get("t", "").strip().startswith("-")]
    computed = {
        "driven": not system.is_autonomous,
        "nonsmooth": not system.is_smooth,
        "delay": system.kind == "delay",
        "stochastic": system.kind == "stochastic",
        # The reversor of a map need not be stated; where it is, the tag has to be there.
        "reversible": bool(reversing) or (system.kind == "map" and "reversible" in said),
    }
    for tag, holds in computed.items():
        if holds != (tag in said):
            yield f'the tag "{tag}" should {"be there" if holds else "not be there"}' + (
                ', or a symmetry with t = "-t" is to be stated' if tag == "reversible" and not holds else ""
            )
    if "hamiltonian" in said and "conservative" not in said:
        yield 'the tag "hamiltonian" implies "conservative"'
    if {"conservative", "dissipative"} <= said:
        yield 'the tags "conservative" and "dissipative" exclude each other'
