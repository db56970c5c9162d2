"""Lyapunov spectra from equations, with standard errors and a verdict on the motion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import RequestError
from .estimate import Estimate
from .tangent import Cloud, Segments

if TYPE_CHECKING:
    from ..system import System

__all__ = ["conditional_exponents", "lyapunov_spectrum"]

MEMBERS = 16
# The first run of each member, in periods or iterations; every further one doubles the total.
# Its eight segments end at phases a golden section apart.
FIRST_PERIODS, FIRST_ITERATIONS, SEGMENTS = 67.05572809000084, 2000, 8
# "relative": this part of an exponent, of the largest one, or of 1 in so many periods, whichever is the largest.
RELATIVE, SLOWEST = 0.01, 50.0
# Halves of a run differ if by more than so many standard errors; an exponent differs from zero likewise.
DRIFT, SIGNIFICANT = 4.0, 3.0
# A deviation that grows by less than e^20 within the run of a member may do so by a power of time.
GROWTH = 20.0
WORK = 1e9

METHOD = "growth of orthonormalised tangent vectors (Benettin et al. 1980); standard error from the members"


def lyapunov_spectrum(
    system: System,
    k: int | None = None,
    *,
    error: float | str = "relative",
    members: int = MEMBERS,
    seed: int = 0,
    initial: object = None,
    transient: float | None = None,
    duration: float | None = None,
    rtol: float | None = None,
    step: float | None = None,
    max_work: float = WORK,
    threads: int | None = None,
) -> Estimate:
    """
    The Lyapunov exponents of a system, largest first, with standard errors and a verdict.

    Members start apart on the attractor. State and `k` tangent vectors are integrated as one system; the vectors are
    orthonormalised, and the logarithms of their lengths averaged over time. Where the right-hand side jumps, the
    vectors are turned by the saltation matrix. Runs are doubled until the error is reached. The standard error is
    the scatter of the members over the root of their number.

    Where the halves of a run disagree, the earlier one is discarded as transient.

    Parameters
    ----------
    system : System
    k : int
        How many exponents. By default all of them; of a delay system, which has infinitely many, the first 8.
    error : float or "relative"
        Standard error to be reached by every exponent, per unit of the system's time. "relative": 1 % of the
        exponent, of the largest exponent, or of one in 50 periods, whichever is largest.
    members : int
        Independent trajectories, at least 2.
    seed : int
        Of the initial states, vectors and noise.
    initial : array-like of shape (d,) or (m, d)
        Initial states in place of ones drawn on the attractor; m is then the number of members.
    transient : float
        Discarded time, by default 50 periods (500 iterations), or 20 delays if that is longer; less where that alone
        would take a quarter of `max_work`.
    duration : float
        A fixed time for each member, in place of a length that reaches `error`.
    rtol : float
        Relative tolerance, by default 1e-8 (1e-10 where volume is conserved).
    step : float
        Of stochastic systems the step, by default 1/1000 of the period; of delay systems the spacing of the
        history, by default 1/32 of the shortest delay or 1/100 of the period.
    max_work : float
        Limit on steps times variables (vectors included), after which the estimate is returned as not converged.
    threads : int
        All available by default. The result does not depend on it.

    Returns
    -------
    Estimate
        `value` and `error` of shape (k,), natural logarithm per unit of the system's time (per iteration).
        The verdict is "chaotic" ("hyperchaotic") where one (more) of the exponents is positive by three standard
        errors and its deviations grow by e^20 in the run of each member; "fixed point", "periodic" or
        "quasi-periodic" where none is, by the number of those that vanish; else "unresolved". For a stochastic
        system, a fixed point is a random one: all trajectories under the same noise meet.

    Raises
    ------
    RequestError
        For a wrong request, and where a member does not reach its end.

    References
    ----------
    Benettin, G., Galgani, L., Giorgilli, A. & Strelcyn, J.-M. (1980), Meccanica 15, 9-20 and 21-30.
    Shimada, I. & Nagashima, T. (1979), Progress of Theoretical Physics 61, 1605-1616.

    Examples
    --------
    >>> from bestiary import system
    >>> found = lyapunov_spectrum(system("Lorenz"))
    >>> found.verdict
    'chaotic'
    >>> bool(abs(found.value.sum() + 10 + 1 + 8 / 3) < 1e-4)
    True
    """
    return _spectrum(system, k, (), error, members, seed, initial, transient, duration, rtol, step, max_work, threads)


def conditional_exponents(
    system: System,
    k: int | None = None,
    *,
    given: str | Sequence[str],
    error: float | str = "relative",
    members: int = MEMBERS,
    seed: int = 0,
    initial: object = None,
    transient: float | None = None,
    duration: float | None = None,
    rtol: float | None = None,
    step: float | None = None,
    max_work: float = WORK,
    threads: int | None = None,
) -> Estimate:
    """
    Exponents of a subsystem that is driven by the other variables: by which rates its copies meet or part.

    The tangent flow of the block of the Jacobian that belongs to the responding variables, along trajectories of the
    whole system. Copies of the response synchronise where all of them are negative. Of a skew product, where the
    `given` variables do not feel the others, they are the part of the spectrum that the response adds.

    Parameters
    ----------
    given : str or sequence of str
        The variables that drive.
    k : int
        How many exponents; all of the responding variables by default.
    others
        As for `lyapunov_spectrum`.

    Returns
    -------
    Estimate
        Largest first. The verdict speaks of the response: "fixed point" where copies of it meet.

    References
    ----------
    Pecora, L. M. & Carroll, T. L. (1990), Physical Review Letters 64, 821-824.

    Examples
    --------
    Driven by y, x and z of the Lorenz system relax each by itself:

    >>> from bestiary import system
    >>> found = conditional_exponents(system("Lorenz"), given="y")
    >>> bool(np.allclose(found.value, [-8 / 3, -10], atol=1e-4))
    True
    """
    names = (given,) if isinstance(given, str) else tuple(given)
    if not names:
        raise RequestError("given must name at least one variable")
    return _spectrum(
        system, k, names, error, members, seed, initial, transient, duration, rtol, step, max_work, threads
    )


def _spectrum(
    system: System,
    k: int | None,
    given: tuple[str, ...],
    error: float | str,
    members: int,
    seed: int,
    initial: object,
    transient: float | None,
    duration: float | None,
    rtol: float | None,
    step: float | None,
    max_work: float,
    threads: int | None,
) -> Estimate:
    if error != "relative":
        if isinstance(error, str):
            raise RequestError(f'error must be a positive number or "relative", not {error!r}')
        sampling.positive("error", error)
    cloud = Cloud(
        system, k, members=members, seed=seed, given=given, initial=initial, rtol=rtol, step=step, threads=threads
    )
    settle = cloud.transient if transient is None else sampling.start(system, transient, 0.0) * -1.0
    settled = _settle(cloud, settle, max_work / 4 if transient is None else math.inf)
    unit = cloud.unit
    if duration is not None:
        length = sampling.positive("duration", duration) / SEGMENTS
        if system.kind == "map":
            length = math.ceil(length)
    else:
        length = (FIRST_ITERATIONS if system.kind == "map" else FIRST_PERIODS * unit) / SEGMENTS
        if settled > 0:
            # No more of it than the limit on work allows.
            length = min(length, max(unit, settled * (max_work / cloud.work - 1) / SEGMENTS))
        if system.kind == "map":
            length = math.ceil(length)
    rounds: list[Segments] = []
    found: Estimate | None = None
    while True:
        before = cloud.work
        try:
            rounds.append(cloud.run(length, SEGMENTS, max_work=max_work))
        except RequestError:
            # A member that ends after a good while, as on transient chaos, does not take back what was found before.
            if found is None:
                raise
            return replace(found, converged=False)
        spent = cloud.work - before
        # A transient that is not over: the part before is discarded, unless what it changes is below what is asked for.
        if len(rounds) > 1 and _drifts(rounds, _target(cloud, _joined(rounds).rates.mean(axis=0), error)):
            rounds = rounds[-1:]
        found = _estimate(system, cloud, rounds, error, given, settled)
        verdict_needed = error == "relative" and _is_open(system, found)
        if duration is not None or (found.converged and not verdict_needed):
            return found
        # The next round is as long as all those before together.
        total = sum(float(each.elapsed.sum(axis=1).max()) for each in rounds)
        next_length = max(length, total / SEGMENTS)
        if cloud.work + spent * next_length / length > max_work:
            return found
        length = math.ceil(next_length) if system.kind == "map" else next_length


def _settle(cloud: Cloud, transient: float, max_work: float) -> float:
    """Run over the transient, in pieces, but for at most this work; what was run over."""
    settled, pieces = 0.0, 5
    while settled < transient and cloud.work <= max_work:
        length = transient / pieces
        piece = math.ceil(length) if cloud.system.kind == "map" else length
        settled += float(cloud.run(piece, 1, max_work=2 * max_work).elapsed.min())
    return settled


def _joined(rounds: list[Segments]) -> Segments:
    return Segments(
        np.concatenate([each.logs for each in rounds], axis=1),
        np.concatenate([each.elapsed for each in rounds], axis=1),
    )


def _drifts(rounds: list[Segments], target: Array) -> bool:
    """Whether the last round and all before it differ by more than their members' scatter, and than the target."""
    difference = rounds[-1].rates - _joined(rounds[:-1]).rates
    return bool((np.abs(difference.mean(axis=0)) > np.maximum(DRIFT * _standard_error(difference), target)).any())


def _swing(joined: Segments) -> Array:
    """
    By how much growth to the ends of segments departs from a steady one, (k,), as twice its root mean square.

    Of regular motion, where members tell little, what depends on the phase at which a run ends.
    """
    departure = np.cumsum(joined.logs, axis=1) - joined.rates[:, None] * np.cumsum(joined.elapsed, axis=1)[..., None]
    swing: Array = 2 * np.sqrt((departure**2).mean(axis=0).mean(axis=0))
    return swing


def _target(cloud: Cloud, value: Array, error: float | str) -> Array:
    """The standard error that each exponent is to reach."""
    if isinstance(error, str):
        return RELATIVE * np.maximum(np.abs(value), max(float(value.max()), 1.0 / (SLOWEST * cloud.unit)))
    return np.full(len(value), float(error))


def _standard_error(rates: Array) -> Array:
    spread: Array = rates.std(axis=0, ddof=1) / len(rates) ** 0.5 if len(rates) > 1 else np.full(rates.shape[1], np.nan)
    return spread


def _estimate(
    system: System,
    cloud: Cloud,
    rounds: list[Segments],
    error: float | str,
    given: tuple[str, ...],
    transient: float,
) -> Estimate:
    joined = _joined(rounds)
    rates = joined.rates
    m, k = rates.shape
    if m == 1:
        # Of one member, from its segments.
        rates = joined.logs[0] / joined.elapsed[0][:, None]
        value = joined.rates[0]
    else:
        value = rates.mean(axis=0)
    order = np.argsort(-value, kind="stable")
    value, rates = value[order], rates[:, order]
    moved = rates - rates.mean(axis=0)
    covariance = np.array([[(moved[:, i] * moved[:, j]).sum() for j in range(k)] for i in range(k)])
    covariance /= len(rates) * (len(rates) - 1)
    # No exponent is known better than the equations are integrated: each step has errors of the tolerance, relative to
    # vectors of which some have shrunk by then. Maps are only rounded.
    largest = float(np.abs(value).max(initial=0.0))
    floor = (1e-12 if system.kind == "map" else 100 * cloud.rtol) * max(largest, 1.0 / cloud.unit)
    covariance[np.diag_indices(k)] += floor**2
    errors = np.sqrt(np.diag(covariance))
    duration = float(joined.elapsed.sum(axis=1).min())
    if not (signs(value, errors, duration) == 1).any():
        covariance[np.diag_indices(k)] += (_swing(joined)[order] / duration) ** 2
        errors = np.sqrt(np.diag(covariance))
    target = _target(cloud, value, error)
    drifts = len(rounds) > 1 and _drifts(rounds, target)
    converged = bool((errors <= target).all()) and not drifts
    settings: dict[str, Any] = {
        "members": m,
        "duration": duration,
        "unit": cloud.unit,
        "transient": transient,
        "rtol": cloud.rtol,
        "seed": cloud.seed,
        "steps": cloud.steps,
        "exponents": None if system.kind == "delay" else len(cloud.response),
    }
    if cloud.step is not None:
        settings["step"] = cloud.step
    if given:
        settings["given"] = list(given)
    verdict = verdict_of(system, value, errors, duration, whole=k == len(cloud.response), driven=bool(given))
    return Estimate(value, errors, converged, verdict, settings, covariance)


def signs(value: Array, error: Array, duration: float) -> Array:
    """
    For each exponent 1, 0 or -1: positive, zero or negative; 2 where the numbers do not tell.

    An exponent vanishes where it is smaller than three standard errors, or where growth in the run is less than
    e^20 and not above what a power of time gives, and where its error leaves no room for growth by e^20.
    """
    size = np.abs(value)
    significant = size > SIGNIFICANT * error
    fast = size * duration > GROWTH
    told = np.where(significant & fast, np.sign(value), 0.0)
    # Neither small enough to vanish nor significant.
    vague = ~(significant & fast) & (size + SIGNIFICANT * error > 2 * GROWTH / duration)
    return np.where(vague, 2.0, told)


def verdict_of(
    system: System, value: Array, error: Array, duration: float, *, whole: bool = True, driven: bool = False
) -> str:
    """The kind of motion, from exponents with their errors."""
    told = slow_or_told(value, error, duration, _unit(system))
    positive = int((told == 1).sum())
    if positive:
        return "hyperchaotic" if positive > 1 else "chaotic"
    if (told == 2).any() and not (told[0] == 0 and _needs_no_more(told)):
        return "unresolved"
    zeros = int((told == 0).sum())
    if zeros == len(told) and not whole:
        return "unresolved"
    if driven or system.kind == "stochastic":
        return "fixed point" if zeros == 0 else "unresolved"
    if system.kind == "map":
        return "periodic" if zeros == 0 else "quasi-periodic"
    if not system.is_autonomous:
        return "periodic" if zeros == 0 else "quasi-periodic"
    return ("fixed point", "periodic")[zeros] if zeros < 2 else "quasi-periodic"


def _unit(system: System) -> float:
    """The time in which motion is fast or slow."""
    return 1.0 if system.kind == "map" else system.period


def slow_or_told(value: Array, error: Array, duration: float, unit: float) -> Array:
    """
    The signs; what is called zero must also be slower than one in 50 units of time, periods or iterations, or a short
    run would tell it.
    """
    told = signs(value, error, duration)
    told[(told == 0) & (np.abs(value) + SIGNIFICANT * error > 1.0 / (SLOWEST * unit))] = 2.0
    return told


def _is_open(system: System, found: Estimate) -> bool:
    """Whether the kind of motion is not told yet: also where it is chaotic, and a further exponent may be positive."""
    told = slow_or_told(found.value, found.error, found.settings["duration"], _unit(system))
    return found.verdict == "unresolved" or bool(((told == 2) & (found.value > SIGNIFICANT * found.error)).any())


def _needs_no_more(told: Array) -> bool:
    """Whether what is not told lies below an exponent that is negative, where it changes nothing."""
    first = int(np.argmax(told == 2))
    return bool((told[:first] == -1).any())
