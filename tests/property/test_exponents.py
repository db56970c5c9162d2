"""Exponents belong to the motion: not to its coordinates, its unit of time, or the order of the equations."""

import functools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bestiary as bst
from bestiary import Estimate, System
from bestiary.definition import Array

FEW = settings(max_examples=6, derandomize=True, deadline=None)
NAMES = ["Lorenz", "Rossler", "Thomas", "Henon"]
STANDARD_ERRORS = 5.0


@functools.cache
def spectrum(name: str) -> Estimate:
    return bst.lyapunov_spectrum(bst.system(name))


def transformed(system: System, matrix: Array, speed: float = 1.0) -> System:
    """The system in the variables u = matrix x, run through `speed` times as fast."""
    inverse, names = np.linalg.inv(matrix), system.names
    lines = [f"{name} = {row(inverse[i])}" for i, name in enumerate(names)]
    for line in system.to_text().splitlines():
        left, _, right = line.partition("=")
        found = re.fullmatch(r"(?:next\((\w+)\)|(\w+)') ", left)
        lines.append(f"rate_{found.group(1) or found.group(2)} = {right}" if found else line)
    for i in range(len(names)):
        left = f"next(u{i + 1})" if system.kind == "map" else f"u{i + 1}'"
        rates = " + ".join(
            f"({float(speed * value)!r})*rate_{name}" for value, name in zip(matrix[i], names, strict=True)
        )
        lines.append(f"{left} = {rates}")
    return System.from_text(
        "\n".join(lines),
        parameters=system.parameters,
        initial=(matrix @ system.initial).tolist(),
        period=None if system.kind == "map" else system.period / speed,
    )


def row(values: Array) -> str:
    return " + ".join(f"({value!r})*u{j + 1}" for j, value in enumerate(values.tolist()))


def agree(found: Estimate, expected: Array, error: Array) -> None:
    allowed = STANDARD_ERRORS * np.hypot(found.error, error) + 1e-6 * np.abs(expected).max()
    assert (np.abs(found.value - expected) <= allowed).all(), (found, expected)


@FEW
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**16))
def test_a_linear_change_of_variables_changes_nothing(name: str, seed: int) -> None:
    system, generator = bst.system(name), np.random.default_rng(seed)
    turns = [np.linalg.qr(generator.normal(size=(system.dimension,) * 2))[0] for _ in range(2)]
    matrix = turns[0] @ np.diag(generator.uniform(0.5, 2.0, system.dimension)) @ turns[1]
    found = bst.lyapunov_spectrum(transformed(system, matrix))
    agree(found, spectrum(name).value, spectrum(name).error)
    assert found.verdict == spectrum(name).verdict


@FEW
@given(name=st.sampled_from(NAMES), data=st.data())
def test_the_order_of_the_equations_changes_nothing(name: str, data: st.DataObject) -> None:
    system = bst.system(name)
    order = data.draw(st.permutations(range(system.dimension)))
    found = bst.lyapunov_spectrum(transformed(system, np.eye(system.dimension)[list(order)]))
    agree(found, spectrum(name).value, spectrum(name).error)


@FEW
@given(name=st.sampled_from(NAMES[:3]), speed=st.floats(0.01, 100.0))
def test_exponents_are_rates(name: str, speed: float) -> None:
    found = bst.lyapunov_spectrum(transformed(bst.system(name), np.eye(3), speed))
    agree(found, speed * spectrum(name).value, speed * spectrum(name).error)


@pytest.mark.parametrize("name", ["Rossler", "Halvorsen", "GenesioTesi", "RabinovichFabrikant", "Ikeda", "Tinkerbell"])
def test_they_sum_to_the_mean_rate_at_which_volumes_change(name: str) -> None:
    """Measured on other trajectories, by the divergence (or the logarithm of the determinant)."""
    system = bst.system(name)
    found = bst.lyapunov_spectrum(system)
    if system.kind == "map":
        x = system.ensemble(16, 20_000, seed=7).x
        rates = np.linalg.slogdet(system.jacobian(x))[1].mean(axis=1)
    else:
        rates = system.divergence(system.ensemble(16, 10_000, per_period=20, seed=7, rtol=1e-9).x).mean(axis=1)
    # The errors of exponents are not independent: that of their sum follows from the covariance.
    assert found.covariance is not None
    error = np.hypot(np.sqrt(max(found.covariance.sum(), 0.0)), rates.std(ddof=1) / 4)
    assert abs(found.value.sum() - rates.mean()) < STANDARD_ERRORS * error + 1e-5 * np.abs(found.value).max()


@pytest.mark.parametrize("name", bst.systems(kind="map", tag="conservative")["name"].to_list())
def test_conservative_maps_keep_volumes(name: str) -> None:
    """Also where a single iteration stretches by many orders of magnitude, as that of FermiUlam does."""
    found = bst.lyapunov_spectrum(bst.system(name), duration=5000)
    assert abs(found.value.sum()) < 1e-8 * (1 + found.value[0])


@pytest.mark.parametrize("name", ["Rossler", "Thomas", "SprottA", "Chua", "HyperRossler", "HindmarshRose"])
def test_along_the_orbit_nothing_grows(name: str) -> None:
    found = bst.lyapunov_spectrum(bst.system(name), max_work=3e6)
    nearest = int(np.argmin(np.abs(found.value)))
    assert abs(found.value[nearest]) < STANDARD_ERRORS * found.error[nearest] + 0.01 * found.value[0]


@pytest.mark.parametrize("name", ["HenonHeiles", "DoublePendulum", "ElasticPendulum", "NuclearQuadrupole"])
def test_hamiltonian_exponents_are_paired(name: str) -> None:
    found = bst.lyapunov_spectrum(bst.system(name), max_work=3e6)
    pairs = found.value + found.value[::-1]
    assert np.abs(pairs).max() < STANDARD_ERRORS * found.error.max() * 0.1 + 1e-6 * found.value[0]


@given(
    value=st.lists(st.floats(-50, 50), min_size=1, max_size=8),
    error=st.floats(1e-6, 1e-2),
)
def test_no_dimension_exceeds_that_of_the_space(value: list[float], error: float) -> None:
    exponents = np.sort(value)[::-1]
    found = Estimate(
        exponents,
        np.full(len(value), error),
        True,
        settings={"duration": 1e4, "unit": 1.0, "exponents": len(value)},
        covariance=error**2 * np.eye(len(value)),
    )
    dimension = bst.kaplan_yorke(found)
    assert 0 <= dimension.value <= len(value)


@pytest.mark.parametrize("name", ["Logistic", "Henon", "Lorenz"])
def test_information_is_not_made_faster_than_volumes_stretch(name: str) -> None:
    """K2 is at most the sum of the positive exponents (Grassberger & Procaccia 1983)."""
    system = bst.system(name)
    density = {} if system.kind == "map" else {"dt": 0.05, "transient": 20.0}
    run = system.trajectory(10_000, **density)  # type: ignore[arg-type]
    entropy = bst.measures.correlation_entropy(run.x[:, 0], dt=1.0 if system.kind == "map" else 0.05)
    bound = bst.pesin_entropy(spectrum(name))
    assert 0 < entropy.value < bound.value + 3 * np.hypot(entropy.error, bound.error)
