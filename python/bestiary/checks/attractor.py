"""The long run: bounded, of the kind of volume that the tags say, and the stored state among its states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..definition import Array, fingerprint
from ..trajectories import Ensemble
from .subject import MEMBERS, Subject

# The range of a variable in the long run against that in a run of 100 periods: bursts and rare wide swings widen it,
# but a drift or diffusion widens it without limit.
_WIDER = 5.0
# The stored state against its neighbours among the states of the long run: see `state`.
_NEIGHBOURS, _FARTHER = 20, 3.0
_ENOUGH = 1e4
# Standard errors that a mean may be away from 0.
_ERRORS = 5.0
# A period agrees with another measure of it within this factor: what is dominant is a matter of definition.
_FACTOR = 2.5


def bounded(subject: Subject) -> Iterator[str]:
    """
    The long run ends well and stays in range.

    1e5 periods, shared by eight members on the attractor; fewer where these cost more than `subject.BUDGET`, unless
    the run is asked for as a whole. A system with the tag "unbounded" is let go where it wants, even past the range of
    numbers; of one with the tag "transient", whose chaos is known to end, nothing is asked.
    """
    system, long = subject.system, subject.long
    if "transient" in system.tags:
        return
    for i, outcome in enumerate(long.outcomes):
        if outcome != "ok" and not (outcome == "diverged" and "unbounded" in system.tags):
            yield f"member {i} of the long run is {outcome} at t = {long.stop_times[i]:g}"
    if set(long.outcomes) != {"ok"} or "unbounded" in system.tags:
        return
    usual = np.ptp(subject.run.x, axis=0)
    wider = np.ptp(long.x.reshape(-1, system.dimension), axis=0) / np.where(usual > 0, usual, np.inf)
    wider[np.isfinite(subject.angles)] = 1.0
    if wider.max() > _WIDER:
        name = system.names[int(np.argmax(wider))]
        yield f"the range of {name} grows {wider.max():.3g}-fold in a long run: unbounded, or rarely there"


def volume(subject: Subject) -> Iterator[str]:
    """
    The mean divergence (log |determinant| of a map) over the long run: zero if conservative, below if dissipative.

    Differences count from five standard errors on, taken from the eight members. The volume of a map that is not
    invertible tells nothing of its folding, so of a map only the tag "conservative" is checked.
    """
    system, long = subject.system, subject.long
    if system.kind in ("delay", "stochastic") or set(long.outcomes) != {"ok"}:
        return
    times = np.broadcast_to(long.t, long.x.shape[:2])
    if system.kind == "map":
        with np.errstate(divide="ignore"):
            rates = np.linalg.slogdet(system.jacobian(long.x, times))[1]
        scale = 1.0
    else:
        rates = system.divergence(long.x, times)
        scale = float(np.abs(np.diagonal(system.jacobian(long.x[0], long.t), axis1=-2, axis2=-1)).sum(-1).mean())
    means = rates.mean(axis=1)
    mean, error = means.mean(), means.std(ddof=1) / MEMBERS**0.5 if np.isfinite(means).all() else 0.0
    resting = abs(mean) <= _ERRORS * error + 1e-9 * scale
    stated = f"the mean {'log |determinant|' if system.kind == 'map' else 'divergence'} is {mean:.4g} ± {error:.2g}"
    if "conservative" in system.tags and not resting:
        yield f'{stated}, and the tag says "conservative"'
    growing = mean > _ERRORS * error or abs(mean) <= 1e-9 * scale
    if system.kind == "flow" and "dissipative" in system.tags and growing:
        yield f'{stated}, and the tag says "dissipative"'
    if system.kind == "flow" and "dissipative" not in system.tags and mean < 0 and not resting:
        yield f'{stated}, and the tag "dissipative" is missing'


def state(subject: Subject) -> Iterator[str]:
    """
    The stored state lies on the attractor.

    Its distance to the states of seven members of the long run is at most three times the largest such distance of its
    20 nearest states in the eighth: as near as states of the attractor in that place are. States of the same time, at
    which members on a periodic orbit are together, do not count among these. Where a short run
    says otherwise, one of 10 000 periods decides: the place may be rarely visited. Coordinates are scaled to
    unit standard deviation, an angle is taken as cosine and sine, and of a driven system the rates of change are taken
    along, which tell the phase. The present state of a delay or stochastic system, which is not the whole of what
    determines its future, only has to be within the range of the long run. A conservative system has no attractor: its
    state is where it is by choice, and chaos there is for the exponents to tell.
    """
    system, long = subject.system, subject.long
    if set(long.outcomes) != {"ok"} or {"unbounded", "conservative", "transient"} & set(system.tags):
        return
    if system.kind in ("delay", "stochastic"):
        flat = long.x.reshape(-1, system.dimension)
        low, high = flat.min(axis=0), flat.max(axis=0)
        outside = np.isnan(subject.angles) & ~((low <= system.initial) & (system.initial <= high))
        for j in np.flatnonzero(outside):
            span = f"the range [{low[j]:g}, {high[j]:g}] of a long run"
            yield f"{system.names[j]} = {system.initial[j]:g} is outside {span}"
        return
    own, farthest = distances(subject, long)
    if own > _FARTHER * farthest and subject.periods < _ENOUGH:
        own, farthest = distances(subject, Subject(system, _ENOUGH).long)
    if own > _FARTHER * farthest:
        yield (
            f"the state is {own:.3g} standard deviations away from a long run, where neighbouring states of the "
            f"attractor are at most {farthest:.3g} apart"
        )


def distances(subject: Subject, long: Ensemble) -> tuple[float, float]:
    """Distance of the stored state to the long run, and the largest distance of its neighbours to it (see `state`)."""
    times = np.broadcast_to(long.t, long.x.shape[:2])
    points = _coordinates(subject, long.x, times)
    scale = points.reshape(-1, points.shape[-1]).std(axis=0)
    scale[scale == 0] = 1.0
    points = points / scale
    others, member = points[:-1], points[-1]
    place = _coordinates(subject, subject.system.initial[None], np.zeros(1))[0] / scale
    nearest = np.argsort(((member - place) ** 2).sum(axis=1))[:_NEIGHBOURS]
    own = float(((others - place) ** 2).sum(axis=-1).min())
    farthest = 0.0
    for i in nearest:
        squares = ((others - member[i]) ** 2).sum(axis=-1)
        squares[:, i] = np.inf
        farthest = max(farthest, float(squares.min()))
    return own**0.5, farthest**0.5


def _coordinates(subject: Subject, x: Array, t: Array) -> Array:
    system, periods = subject.system, subject.angles
    columns = []
    for j in range(system.dimension):
        if np.isfinite(periods[j]):
            turn = 2 * np.pi * x[..., j] / periods[j]
            columns += [np.cos(turn), np.sin(turn)]
        else:
            columns.append(x[..., j])
    stacked = np.stack(columns, axis=-1)
    return stacked if system.is_autonomous else np.concatenate([stacked, system.rhs(x, t)], axis=-1)


def period(subject: Subject) -> Iterator[str]:
    """
    The stated period agrees with the measured one within a factor of 2.5, unless the note says a word about it.

    Measurements are of the present definition.

    An octave lies between the variables of many systems: x of Lorenz turns over in the time of two swings of z.
    """
    system = subject.system
    stated = system.entry["measured"].get("definition")
    if stated is not None and stated != fingerprint(system.entry):
        yield f"[measured] is of another definition: bestiary annotate {system.name}"
    measured = system.entry["measured"].get("period")
    if not isinstance(measured, Mapping) or "period" in system.note.lower() or "value" not in measured:
        return
    ratio = system.period / measured["value"]
    if not 1 / _FACTOR <= ratio <= _FACTOR:
        yield f"the period is {system.period:g}, the measured one {measured['value']:g}, and the note does not say why"
