"""The facts that an entry states under `[known]`, against the compiled equations. Exponents are measured elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..definition import Array
from ..exceptions import UnknownName
from .equations import ROUNDING, to_whole_periods
from .subject import Subject, size

if TYPE_CHECKING:
    from ..system import System

KEYS = (
    *("sum_of_exponents", "divergence", "determinant", "largest_exponent", "conserved", "symmetries", "fixed_points"),
    *("stationary_mean", "stationary_variance", "correlation_time", "kramers_escape_rate", "kaplan_yorke_dimension"),
    *("correlation_dimension", "entropy", "exponents", "stationary_density", "published"),
)
QUANTITIES = ("largest_exponent", "exponents", "kaplan_yorke_dimension", "correlation_dimension", "entropy")
"""What the list `published` may give values of; `tests/conformance/test_published_values.py` holds ours to them."""
_FORMS = ({"exact"}, {"exact", "source"}, {"value", "error", "source"})
_INDEX = re.compile(r"\bi\b")
_STRUCTURED = ("conserved", "symmetries", "fixed_points", "published")
_PUBLISHED = {"quantity", "value", "error", "source"}
# Local errors of 1e-12 a step add up over at most some ten thousand steps.
_KEPT = 1e-8
# Steps of 1e-4 of a variable leave errors of 1e-8 in differences of a density as wide as the variable, more in those
# of a narrower one.
_DENSITY_STEP, _DENSITY_NEAR = 1e-4, 1e-5
# A quantity that varies by less from state to state, relative to its size, says nothing by being constant.
_TRIVIAL = 1e-9


def well_formed(subject: Subject) -> Iterator[str]:
    """Facts have known names; each is exact, or has a value, an error and a source."""
    system = subject.system
    known = system.entry["known"]
    for key, fact in known.items():
        if key not in KEYS:
            yield str(UnknownName("fact", key, KEYS))
        elif key in _STRUCTURED:
            continue
        elif not isinstance(fact, Mapping) or set(fact) not in _FORMS:
            yield f"{key} should be {{ exact = … }} or {{ value = …, error = …, source = … }}, not {fact}"
        elif "exact" in fact:
            if not np.isfinite(system.evaluate(fact["exact"], system.initial)):
                yield f"{key} is not finite"
        elif not (np.isfinite(fact["value"]).all() and np.greater(fact["error"], 0).all() and len(fact["source"]) > 10):
            yield f"{key} needs a finite value, an error above 0 and a source"
    if {"sum_of_exponents", "divergence"} <= set(known):
        total, flow = (_exact(system, key, system.initial[None])[0] for key in ("sum_of_exponents", "divergence"))
        # A divergence that varies in state space has the sum as its mean only.
        if _is_constant(subject) and abs(total - flow) > ROUNDING * (1 + abs(flow)):
            yield f"sum_of_exponents is {total:g}, the divergence {flow:g}"


def published(subject: Subject) -> Iterator[str]:
    """
    A published value has quantity, value, error and source.

    Where it is not of the entry's own parameters it has theirs, and where it is wrong or at odds with ours, `dispute`
    says who is right, and why.
    """
    system = subject.system
    for fact in system.entry["known"].get("published", []):
        if not _PUBLISHED <= set(fact) <= _PUBLISHED | {"parameters", "dispute"}:
            yield f"a published value has the keys {', '.join(sorted(_PUBLISHED))}, not {', '.join(sorted(fact))}"
            continue
        what = f"{fact['quantity']} = {fact['value']}"
        if fact["quantity"] not in QUANTITIES:
            yield str(UnknownName("quantity", fact["quantity"], QUANTITIES))
        elif not (np.isfinite(fact["value"]).all() and np.greater(fact["error"], 0).all() and len(fact["source"]) > 10):
            yield f"published: {what} needs a finite value, an error above 0 and a source"
        elif np.shape(fact["value"]) != np.shape(fact["error"]):
            yield f"published: {what} needs as many errors as values"
        elif not np.isfinite(system.with_parameters(**fact.get("parameters", {})).rhs(system.initial)).all():
            yield f"published: the parameters of {what} give no finite right-hand side"


def _is_constant(subject: Subject) -> bool:
    """Whether the stated divergence is the same everywhere."""
    values = _exact(subject.system, "divergence", subject.neighbours[0])
    return bool(np.ptp(values) <= ROUNDING * size(values))


def divergence(subject: Subject) -> Iterator[str]:
    """The stated divergence is the trace of the Jacobian."""
    system = subject.system
    if "divergence" not in system.entry["known"]:
        return
    x, t = subject.neighbours
    miss = np.abs(system.divergence(x, t) - _exact(system, "divergence", x, t)).max()
    if not miss <= ROUNDING * size(np.trace(np.abs(system.jacobian(x, t)), axis1=-2, axis2=-1)):
        yield f"the divergence differs from the stated one by up to {miss:.2g}"


def determinant(subject: Subject) -> Iterator[str]:
    """The stated determinant is that of the Jacobian of the map."""
    system = subject.system
    if "determinant" not in system.entry["known"]:
        return
    x, t = subject.neighbours
    matrix = system.jacobian(x, t)
    miss = np.abs(np.linalg.det(matrix) - _exact(system, "determinant", x, t)).max()
    if not miss <= ROUNDING * size(matrix) ** system.dimension:
        yield f"the determinant differs from the stated one by up to {miss:.2g}"


def fixed_points(subject: Subject) -> Iterator[str]:
    """At a stated fixed point nothing moves, to rounding amplified by the slope of the equations."""
    system = subject.system
    for point in system.entry["known"].get("fixed_points", []):
        x = _substituted(system, point, system.initial[None], np.zeros(1))[0]
        moved = system.rhs(x) - (x if system.kind == "map" else 0.0)
        if not np.abs(moved).max() <= ROUNDING * size(x) * size(system.jacobian(x)):
            yield f"{_written(point)} is no fixed point: the equations give {np.round(moved, 12).tolist()}"


def symmetries(subject: Subject) -> Iterator[str]:
    """
    S maps solutions to solutions: f(S x, s t) s' = DS f(x, t) for an affine S, F(S x) = S F(x) for a map.

    With t = "-t" a map is reversed: F(S F(x)) = S x.
    """
    system = subject.system
    x, t = subject.neighbours
    velocity = system.rhs(x, t)
    for symmetry in system.entry["known"].get("symmetries", []):
        image = _substituted(system, symmetry, x, t)
        time = symmetry.get("t", "t")
        image_time = np.broadcast_to(system.evaluate(time, x, t), t.shape)
        direction = np.rint(np.broadcast_to(system.evaluate(time, x, t + 1), t.shape) - image_time)
        if system.kind != "map":
            expected = _substituted(system, symmetry, x + velocity, t) - image
            found = system.rhs(image, image_time) * direction[:, None]
        elif direction[0] < 0:
            expected, found = image, system.rhs(_substituted(system, symmetry, velocity, t), t)
        else:
            expected, found = _substituted(system, symmetry, velocity, t), system.rhs(image, image_time)
        miss = to_whole_periods(found - expected, subject.angles) if system.kind == "map" else found - expected
        if not np.abs(miss).max() <= ROUNDING * size(velocity) * size(x):
            yield f"{_written(symmetry)} is no symmetry"


def conserved(subject: Subject) -> Iterator[str]:
    """A conserved quantity is kept along the run at rtol 1e-12, and differs between neighbouring states."""
    system, run = subject.system, subject.run
    x, t = subject.neighbours
    for name, expression in system.entry["known"].get("conserved", {}).items():
        values = system.evaluate(expression, run.x, run.t)
        if not np.ptp(values) <= _KEPT * size(values):
            yield f"{name} is not conserved: it varies by {np.ptp(values):.2g} around {values.mean():.6g}"
        elif not np.ptp(system.evaluate(expression, x, t)) > _TRIVIAL * size(values):
            yield f"{name} is the same for all states"


def stationary_density(subject: Subject) -> Iterator[str]:
    """
    The stated density p, up to a factor, is stationary: -div(f p) + (1/2) sum_ik d^2((g g^T)_ik p)/dx_i dx_k = 0.

    Derivatives of the Fokker-Planck equation are central differences; f is the drift in Ito's sense, g the matrix of
    the noise.
    """
    if "stationary_density" not in subject.system.entry["known"]:
        return
    system = subject.system.to_ito()
    x, t = subject.neighbours
    widths = np.abs(x).max(axis=0)
    steps = _DENSITY_STEP * widths
    d = system.dimension

    def at(*shifts: tuple[int, float]) -> tuple[Array, Array]:
        """f p and (1/2) g g^T p, some variables moved by so many steps."""
        y = x.copy()
        for i, shift in shifts:
            y[:, i] += shift * steps[i]
        density = _exact(system, "stationary_density", y, t)
        noise = system.diffusion(y, t)
        return system.rhs(y, t) * density[:, None], noise @ noise.swapaxes(1, 2) * density[:, None, None] / 2

    total, largest = np.zeros(len(x)), np.zeros(len(x))
    current, spread = at()
    for i in range(d):
        (before, narrow), (after, wide) = at((i, -1.0)), at((i, 1.0))
        curved = narrow[:, i, i] - 2 * spread[:, i, i] + wide[:, i, i]
        terms = [(before - after)[:, i] / (2 * steps[i]), curved / steps[i] ** 2]
        for k in range(i):
            if np.any(spread[:, i, k]):
                corners = {(a, b): at((i, a), (k, b))[1][:, i, k] for a in (-1.0, 1.0) for b in (-1.0, 1.0)}
                # Both orders of the mixed derivative.
                terms.append(2 * sum(a * b * value for (a, b), value in corners.items()) / (4 * steps[i] * steps[k]))
        for term in terms:
            total += term
            largest += np.abs(term)
        largest += np.abs(current[:, i]) / widths[i] + spread[:, i, i] / widths[i] ** 2
    miss = np.max(np.abs(total) / largest)
    if not miss < _DENSITY_NEAR:
        yield f"the stated density is not stationary: terms that should cancel leave {miss:.2g} of them"


def _exact(system: System, key: str, x: Array, t: Array | float = 0.0) -> Array:
    return system.evaluate(str(system.entry["known"][key]["exact"]), x, t)


def _substituted(system: System, table: Mapping[str, str], x: Array, t: Array) -> Array:
    """
    Every state variable replaced by its expression in `table`; a variable that is not in it stays.

    Of a vector the expression is that of element i, and so is a vector without an index: `u = "-u"` turns all signs,
    `u = "u[N + 1 - i]"` mirrors a chain.
    """
    vectors = "|".join(re.escape(name) for name, length in system.shape.items() if length is not None)
    columns = []
    for name, length in system.shape.items():
        expression = str(table.get(name, name))
        if length is not None:
            expression = re.sub(rf"\b({vectors})\b(?!\s*\[)", r"\1[i]", expression)
        for i in range(length or 1):
            own = expression if length is None else _INDEX.sub(str(i + 1), expression)
            columns.append(np.broadcast_to(system.evaluate(own, x, t), x.shape[:-1]))
    return np.stack(columns, axis=-1)


def _written(table: Mapping[str, str]) -> str:
    return "(" + ", ".join(f"{name} = {value}" for name, value in table.items()) + ")"
