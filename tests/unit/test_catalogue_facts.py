"""The exact facts that the entries of the catalogue state, checked against the compiled equations.

Published exponents are only checked for form here: measuring them is the work of the conformance tests.
"""

from typing import Any

import numpy as np
import pytest

import bestiary as bst

NAMES: list[str] = bst.systems()["name"].to_list()
KEYS = {
    *("sum_of_exponents", "divergence", "determinant", "largest_exponent", "conserved", "symmetries", "fixed_points"),
    *("stationary_mean", "stationary_variance", "correlation_time", "kramers_escape_rate"),
}
# Rounding: a few hundred operations on numbers of the size of the largest term.
ROUNDING = 1e-11


def known(name: str) -> dict[str, Any]:
    return bst.system(name).entry.get("known", {})


def with_fact(key: str) -> list[str]:
    return [name for name in NAMES if known(name).get(key)]


def states(system: bst.System, n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """States in the neighbourhood of the stored one, where every entry is defined, and times."""
    random = np.random.default_rng(20240229)
    shape = (n, system.dimension)
    x = system.initial * (1 + 0.2 * random.uniform(-1, 1, shape)) + 0.02 * random.uniform(-1, 1, shape)
    return x, random.uniform(0, 10, n)


def substituted(system: bst.System, table: dict[str, str], x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Every state variable replaced by its expression in `table`; one expression serves all elements of a vector."""
    columns = []
    for name, size in system.shape.items():
        values = np.broadcast_to(system.evaluate(table[name], x, t), x.shape[:-1])
        columns += [values] * (size or 1)
    return np.stack(columns, axis=-1)


def size(values: np.ndarray) -> float:
    return 1.0 + float(np.max(np.abs(values)))


def test_the_catalogue_holds_every_kind() -> None:
    kinds = {bst.system(name).kind for name in NAMES}
    assert kinds == {"flow", "map", "delay", "stochastic"}
    assert len(NAMES) == len(set(NAMES)) >= 60


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete(name: str) -> None:
    system = bst.system(name)
    entry = system.entry
    assert system.name == name
    assert len(system.about) > 20
    assert system.about.endswith(".")
    assert len(system.citation) > 30
    assert any(f"({year})" in system.citation for year in range(1900, 2030))
    assert entry["domain"]
    assert entry["tags"]
    assert system.period > 0
    assert entry.get("doi", "10.").startswith("10.")
    assert "http" not in entry.get("doi", "")
    assert ("nonsmooth" in system.tags) <= (not system.is_smooth)
    assert ("driven" in system.tags) == (not system.is_autonomous)
    assert ("delay" in system.tags) == (system.kind == "delay")
    assert ("stochastic" in system.tags) == (system.kind == "stochastic")
    assert ("hamiltonian" in system.tags) <= ("conservative" in system.tags)
    assert ("conservative" in system.tags) + ("dissipative" in system.tags) < 2


@pytest.mark.parametrize("name", NAMES)
def test_rhs_is_finite(name: str) -> None:
    system = bst.system(name)
    assert np.isfinite(system.rhs(system.initial)).all()
    assert np.isfinite(system.rhs(*states(system))).all()


@pytest.mark.parametrize("name", NAMES)
def test_variants_build(name: str) -> None:
    for variant in bst.system(name).entry.get("variants", {}):
        other = bst.system(name, variant=variant)
        assert np.isfinite(other.rhs(other.initial)).all()


@pytest.mark.parametrize("name", NAMES)
def test_known_facts_are_well_formed(name: str) -> None:
    system = bst.system(name)
    facts = known(name)
    assert set(facts) <= KEYS
    for key in KEYS - {"conserved", "symmetries", "fixed_points"}:
        if key not in facts:
            continue
        fact = facts[key]
        if "exact" in fact:
            assert np.isfinite(system.evaluate(fact["exact"], system.initial))
        else:
            assert fact["error"] > 0
            assert np.isfinite(fact["value"])
            assert len(fact["source"]) > 10
    if {"sum_of_exponents", "divergence"} <= set(facts):
        total, divergence = (
            system.evaluate(facts[key]["exact"], system.initial) for key in ("sum_of_exponents", "divergence")
        )
        assert total == pytest.approx(divergence, rel=ROUNDING)


@pytest.mark.parametrize("name", with_fact("divergence"))
def test_divergence(name: str) -> None:
    system = bst.system(name)
    x, t = states(system)
    exact = system.evaluate(known(name)["divergence"]["exact"], x, t)
    scale = size(np.trace(np.abs(system.jacobian(x, t)), axis1=-2, axis2=-1))
    np.testing.assert_allclose(system.divergence(x, t), exact, rtol=0, atol=ROUNDING * scale)


@pytest.mark.parametrize("name", with_fact("determinant"))
def test_determinant(name: str) -> None:
    system = bst.system(name)
    x, t = states(system)
    exact = system.evaluate(known(name)["determinant"]["exact"], x, t)
    jacobian = system.jacobian(x, t)
    scale = size(jacobian) ** system.dimension
    np.testing.assert_allclose(np.linalg.det(jacobian), exact, rtol=0, atol=ROUNDING * scale)


@pytest.mark.parametrize("name", with_fact("fixed_points"))
def test_fixed_points(name: str) -> None:
    system = bst.system(name)
    for point in known(name)["fixed_points"]:
        x = substituted(system, point, system.initial[None], np.zeros(1))[0]
        moved = system.rhs(x) - (x if system.kind == "map" else 0.0)
        # A point is known to rounding, which the equations amplify by their slope.
        scale = size(x) * size(system.jacobian(x))
        np.testing.assert_allclose(moved, np.zeros_like(x), rtol=0, atol=ROUNDING * scale)


@pytest.mark.parametrize("name", with_fact("symmetries"))
def test_symmetries(name: str) -> None:
    """S maps solutions to solutions: f(S x, s t) s' = DS f(x, t), and F(S x) = S F(x) for a map. Every S is affine."""
    system = bst.system(name)
    x, t = states(system)
    for symmetry in known(name)["symmetries"]:
        image, velocity = substituted(system, symmetry, x, t), system.rhs(x, t)
        time = symmetry.get("t", "t")
        image_time = np.broadcast_to(system.evaluate(time, x, t), t.shape)
        if system.kind == "map":
            expected = substituted(system, symmetry, velocity, t)
            found = system.rhs(image, image_time)
        else:
            expected = substituted(system, symmetry, x + velocity, t) - image
            direction = np.rint(np.broadcast_to(system.evaluate(time, x, t + 1), t.shape) - image_time)
            found = system.rhs(image, image_time) * direction[:, None]
        np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * size(velocity) * size(x))


@pytest.mark.parametrize("name", with_fact("conserved"))
def test_conserved_quantities(name: str) -> None:
    """Local error 1e-12 a step, accumulating over at most some thousand steps."""
    system = bst.system(name)
    run = system.trajectory(2000, per_period=100, rtol=1e-12)
    assert run.outcome == "ok"
    for expression in known(name)["conserved"].values():
        values = system.evaluate(expression, run.x, run.t)
        assert np.ptp(values) <= 1e-8 * size(values)


@pytest.mark.parametrize("name", ["DoublePendulum", "SwingingAtwood"])
def test_conserved_quantity_is_not_trivial(name: str) -> None:
    """The energy differs between states, so that its being constant along a run says something."""
    system = bst.system(name)
    x, t = states(system)
    assert np.ptp(system.evaluate(known(name)["conserved"]["energy"], x, t)) > 1e-3


def test_the_collections_double_pendulum_loses_energy() -> None:
    """The misprint that the variant keeps shows: the energy of the right equations drifts."""
    system = bst.system("DoublePendulum", variant="dysts")
    energy = known("DoublePendulum")["conserved"]["energy"]
    run = system.trajectory(2000, per_period=100, rtol=1e-12)
    assert np.ptp(system.evaluate(energy, run.x, run.t)) > 1e-3
