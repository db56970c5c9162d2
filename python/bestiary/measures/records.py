"""
What stands under `[measured]` of an entry: each measure as a function from a system to records.

The annotation of the catalogue. A record has a value, its standard error, the method, its settings in words, and
whether it converged where that may fail. The measures themselves are in the modules beside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import RequestError
from . import complexity, correlation, dimensions, entropies, exponents, fluctuation, period, scale
from .embedding import embed

if TYPE_CHECKING:
    from ..system import System
    from .estimate import Estimate

__all__ = ["MEASURES", "Record", "rounded"]

Record = dict[str, Any]
"""What stands under one key of `[measured]`: value, error, method, settings, and what else there is to say."""

# Of a system with more variables, only so many exponents are measured.
MOST_EXPONENTS = 12
# Steps times variables: a limit on the work for a system of few variables. Of wide systems, whose statistics are
# poorer, it is that many instructions.
SPECTRUM_WORK, WIDE, WIDE_INSTRUCTIONS = 3e7, 6, 4e8
# Chaos that is known to end is measured for so many periods of each member, after so many to settle.
TRANSIENT_CHAOS, TRANSIENT_SETTLES = 100, 20

# The series from which dimension and complexity are measured: samples, in a period of a flow, discarded periods
# (iterations, ten times as many).
SAMPLES, PER_PERIOD, DISCARDED, SERIES_RTOL = 20_000, 10, 50, 1e-9
# Clouds in more variables are not looked at: so few points resolve no dimension above 2 log10 of their number
# (Eckmann, J.-P. & Ruelle, D. (1992), Physica D 56, 185-187).
WIDEST_CLOUD = 10
# Of a delay system, the past over the longest delay in so many parts.
DELAY_PARTS = 8
# Of the entropy: samples, scales, and variables; of the 0-1 test: samples of a period, and number.
ENTROPY_SAMPLES, ENTROPY_SCALES, ENTROPY_VARIABLES = 10_000, 5, 3
COARSE, TEST_SAMPLES = 3, 5000


def _period(system: System) -> dict[str, Record]:
    """The dominant period; where no peak of a spectrum stands out, method and settings without a value."""
    if system.kind == "map":
        return {}
    facts = {"method": period.METHOD, "settings": period.SETTINGS}
    found = period.dominant_period(system)
    if math.isnan(found.value):
        return {"period": {"significant": False, **facts}}
    value, error = rounded(found.value, found.error)
    excess = float(f"{found.excess:.3g}")
    return {"period": {"value": value, "error": error, "variable": found.variable, "excess": excess, **facts}}


def _scale(system: System) -> dict[str, Record]:
    """Mean, standard deviation and range of every variable; not of what grows without bound."""
    if "unbounded" in system.tags:
        return {}
    facts = {"method": scale.METHOD, "settings": scale.settings(system)}
    found = scale.typical_scale(system)
    records: dict[str, Record] = {}
    for key, values, errors in (
        ("mean", found.mean, found.mean_error),
        ("standard_deviation", found.standard_deviation, found.standard_deviation_error),
    ):
        pairs = [rounded(value, error) for value, error in zip(values, errors, strict=True)]
        value, error = (_by_variable(system, [pair[i] for pair in pairs]) for i in (0, 1))
        records[key] = {"value": value, "error": error, **facts}
    low, high = ([float(f"{each:.6g}") for each in ends] for ends in (found.low, found.high))
    records["range"] = {"low": _by_variable(system, low), "high": _by_variable(system, high), **facts}
    return records


def _spectrum(system: System) -> dict[str, Record]:
    """Lyapunov exponents, and what follows from them; fewer than all where the others are minus infinity."""
    found = _exponents(system)
    settings = found.settings
    said = ", ".join(f"{key} {settings[key]:.6g}" for key in ("members", "duration", "transient", "rtol"))
    facts = {"method": exponents.METHOD, "settings": said, "converged": found.converged}
    pairs = [rounded(value, error) for value, error in zip(found.value, found.error, strict=True)]
    records: dict[str, Record] = {
        "largest_exponent": {"value": pairs[0][0], "error": pairs[0][1], **facts},
        "exponents": {"value": [value for value, _ in pairs], "error": [error for _, error in pairs], **facts},
        "verdict": {"value": found.verdict, **facts},
    }
    for key, method, derived in (
        ("kaplan_yorke_dimension", "Kaplan & Yorke (1979) from the exponents", dimensions.kaplan_yorke(found)),
        ("entropy", "Pesin (1977): sum of the positive exponents", dimensions.pesin_entropy(found)),
    ):
        if math.isfinite(derived.value):
            pair = rounded(derived.value, derived.error)
            records[key] = {"value": pair[0], "error": pair[1], **facts, "method": method}
    return records


def _exponents(system: System) -> Estimate:
    count = min(system.dimension, MOST_EXPONENTS) if system.kind != "delay" else None
    options: dict[str, Any] = {"max_work": SPECTRUM_WORK, "threads": 1}
    if system.dimension > WIDE:
        cost = max(system.core.program_length / system.dimension, 4.0)
        options["max_work"] = WIDE_INSTRUCTIONS / cost
    if "transient" in system.tags:
        options |= {"duration": TRANSIENT_CHAOS * system.period, "transient": TRANSIENT_SETTLES * system.period}
    while True:
        try:
            return exponents.lyapunov_spectrum(system, count, **options)
        except RequestError as refusal:
            if "ended at" in str(refusal) and "initial" not in options:
                # Members start a little beside a run on the attractor; where its basin is thin, on that run itself.
                points = sampling.reference(system)
                options["initial"] = points[:: max(1, len(points) // exponents.MEMBERS)][: exponents.MEMBERS]
            elif "fewer exponents" in str(refusal) and count and count > 1:
                count -= 1
            else:
                raise


def _series(system: System) -> tuple[Array, float] | None:
    """A long run on the attractor, (n, d) in units of the standard deviations, and the time between samples."""
    if {"unbounded", "transient"} & set(system.tags):
        return None
    if system.kind == "map":
        run = system.trajectory(SAMPLES, transient=10 * DISCARDED)
    else:
        transient = DISCARDED * system.period
        run = system.trajectory(SAMPLES, per_period=PER_PERIOD, transient=transient, rtol=SERIES_RTOL, threads=1)
    if run.outcome != "ok":
        raise RequestError(f"the series of {system.name} ends at {run.stop_time:g}: {run.outcome}")
    periods = system.core.periods(system.core.parameter_values)
    columns = []
    for x, turn in zip(run.x.T, periods, strict=True):
        columns += [x] if math.isnan(turn) else [np.cos(2 * np.pi * x / turn), np.sin(2 * np.pi * x / turn)]
    x = np.stack([column for column in columns if column.std() > 0], axis=1)
    return (x - x.mean(axis=0)) / x.std(axis=0), float(run.t[1] - run.t[0])


def _dimension(system: System) -> dict[str, Record]:
    """The correlation dimension; not of what noise drives, and not of clouds in too many variables."""
    series = None if system.kind == "stochastic" or system.dimension > WIDEST_CLOUD else _series(system)
    if series is None:
        return {}
    x, dt = series
    said = f"{_said(system)}, standardised"
    if system.kind == "delay":
        reach = float(system.core.delays(system.core.parameter_values).max())
        step = max(1, round(reach / DELAY_PARTS / dt))
        x = np.concatenate([embed(column, DELAY_PARTS + 1, step) for column in x.T], axis=1)
        said += f", and {DELAY_PARTS} delays of {step * dt:.6g}"
    found = correlation.correlation_dimension(x, threads=1)
    resolved = found.value < 2 * math.log10(len(x))
    return {"correlation_dimension": _record(found, said, converged=found.converged and resolved)}


def _complexity(system: System) -> dict[str, Record]:
    """Multiscale entropy, the 0-1 test and the autocorrelation time of a series."""
    series = _series(system)
    if series is None:
        return {}
    x, dt = series
    variables = x[:ENTROPY_SAMPLES, :ENTROPY_VARIABLES]
    entropy = entropies.multiscale_entropy(variables, ENTROPY_SCALES, threads=1)
    coarse = x[:: 1 if system.kind == "map" else COARSE, 0][:TEST_SAMPLES]
    # Of the autocorrelation that of the slowest variable: it tells how long a run must be.
    times = [fluctuation.autocorrelation_time(column, dt=dt) for column in x.T]
    return {
        "multiscale_entropy": _record(entropy, f"{variables.shape[1]} variables, {_said(system, len(variables))}"),
        "zero_one_test": _record(
            complexity.zero_one_test(coarse, threads=1),
            f"first variable, {_said(system, len(coarse), PER_PERIOD / COARSE)}",
        ),
        "autocorrelation_time": _record(max(times, key=float), f"slowest variable, {_said(system)}"),
    }


def _said(system: System, samples: int = SAMPLES, per_period: float = PER_PERIOD) -> str:
    """The series of a measure, in words."""
    if system.kind == "map":
        return f"{samples} iterations"
    return f"{samples} samples, {per_period:.3g} a period, rtol {SERIES_RTOL:g}"


def _record(found: Estimate, settings: str, *, converged: bool | None = None) -> Record:
    pairs = [rounded(v, e) for v, e in zip(np.atleast_1d(found.value), np.atleast_1d(found.error), strict=True)]
    values, errors = [value for value, _ in pairs], [error for _, error in pairs]
    scalar = np.ndim(found.value) == 0
    return {
        "value": values[0] if scalar else values,
        "error": errors[0] if scalar else errors,
        "method": found.method,
        "settings": settings,
        "converged": found.converged if converged is None else converged,
    }


def rounded(value: float, error: float) -> tuple[float, float]:
    """Value and error to two digits of the error, at most ten digits of the value; plain where the error is 0."""
    if not error > 0 or not math.isfinite(error):
        return float(f"{value:.10g}"), float(error)
    error = float(f"{error:.2g}")
    digits = min(1 - math.floor(math.log10(error)), 9 - math.floor(math.log10(max(abs(value), error))))
    return round(float(value), digits), error


def _by_variable(system: System, values: Sequence[float]) -> dict[str, float | list[float]]:
    """Flat values as a table with a number, or for a vector a list, for each variable as declared."""
    table: dict[str, float | list[float]] = {}
    position = 0
    for name, size in system.shape.items():
        end = position + (size or 1)
        table[name] = float(values[position]) if size is None else [float(value) for value in values[position:end]]
        position = end
    return table


MEASURES: dict[str, Callable[[System], Mapping[str, Record]]] = {
    "period": _period,
    "scale": _scale,
    "spectrum": _spectrum,
    "dimension": _dimension,
    "complexity": _complexity,
}
"""
By name: a function from a system to records, by their keys under `[measured]`. A record has "method" and "settings".

A measure that has nothing to say of a system gives no record.
"""
