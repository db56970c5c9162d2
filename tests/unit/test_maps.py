"""Maps: exact iterates, the logistic map at 4 and its conjugacy, exponents, outcomes."""

import math
from fractions import Fraction

import numpy as np
import pytest

import bestiary as bst
from bestiary import _core

EPS = np.finfo(float).eps
LOGISTIC = bst.System.from_text("next(x) = r*x*(1 - x)", parameters={"r": 4.0}, initial=[0.1234], name="Logistic")
HENON = bst.System.from_text(
    "next(x) = 1 - a*x^2 + y; next(y) = b*x", parameters={"a": 1.4, "b": 0.3}, initial=[0.1, 0.1], name="Henon"
)


def exponents(system: bst.System, initial: np.ndarray, duration: float) -> np.ndarray:
    p = system.core.parameter_values[None]
    return _core.largest_exponent(
        system.core, initial, p, start=0.0, transient=100.0, duration=duration, segments=1, interval=1.0
    )[:, 0]


def test_the_logistic_map_at_four_is_an_angle_doubled() -> None:
    """x = sin^2(phi) goes to sin^2(2 phi); a rounding error doubles along with the angle."""
    x0 = np.random.default_rng(0).uniform(0.05, 0.95, size=32)
    n = 30
    runs = LOGISTIC.ensemble(initial=x0[:, None], n=n)
    phi = np.arcsin(np.sqrt(x0))[:, None] * 2.0 ** np.arange(n)
    allowed = 16 * EPS * 2.0 ** np.arange(n) * np.arange(1, n + 1)
    assert (np.abs(runs.x[:, :, 0] - np.sin(phi) ** 2) <= allowed).all()


def test_the_logistic_map_at_four_has_the_exponent_log_two() -> None:
    """
    log|4 - 8x| = log 2 + (a coboundary of variance pi^2/12), so a mean over n iterates strays by O(1/n) only.

    Over m members the mean has the standard error of the sample, of which five are allowed.
    """
    x0 = np.random.default_rng(1).uniform(0.05, 0.95, size=(64, 1))
    found = exponents(LOGISTIC, x0, 2000.0)
    error = found.std(ddof=1) / math.sqrt(len(found))
    assert error < 1e-3
    assert abs(found.mean() - math.log(2)) < 5 * error


def test_the_invariant_density_of_the_logistic_map() -> None:
    """1/(pi sqrt(x (1 - x))): mean 1/2, variance 1/8 (Ulam & von Neumann 1947), iterates uncorrelated."""
    runs = LOGISTIC.ensemble(64, 2000, seed=0)
    means = runs.x[:, :, 0].mean(axis=1)
    assert abs(means.mean() - 0.5) < 5 * math.sqrt(1 / 8 / runs.x.size)
    variance = runs.x[:, :, 0].var()
    # (x - 1/2)^2 = 1/8 + cos(4 phi)/8 has the variance 1/128.
    assert abs(variance - 1 / 8) < 5 * math.sqrt(1 / 128 / runs.x.size) * 2


def test_henon_follows_rational_arithmetic() -> None:
    """Rounding errors grow by at most the norm of the Jacobian, below 4.2 on the attractor, at every iterate."""
    x, y = Fraction(0.1), Fraction(0.1)
    a, b = Fraction(1.4), Fraction(0.3)
    run = HENON.trajectory(12)
    for i, found in enumerate(run.x):
        assert abs(float(Fraction(float(found[0])) - x)) <= 4 * EPS * 4.2**i
        assert abs(float(Fraction(float(found[1])) - y)) <= 4 * EPS * 4.2**i
        x, y = 1 - a * x**2 + y, b * x


def test_henon_contracts_areas() -> None:
    states = HENON.trajectory(50).x
    np.testing.assert_allclose(np.linalg.det(HENON.jacobian(states)), -0.3, rtol=1e-14)


def test_the_tent_map_has_a_constant_exponent() -> None:
    """Slope +-s everywhere: the exponent is log s exactly, whatever the orbit."""
    tent = bst.System.from_text("next(x) = where(x < 1/2, s*x, s*(1 - x))", parameters={"s": 1.7}, initial=[0.3])
    found = exponents(tent, np.array([[0.3], [0.41]]), 500.0)
    np.testing.assert_allclose(found, math.log(1.7), rtol=1e-12)


def test_a_map_with_floor() -> None:
    """The Renyi map x -> beta x mod 1, on numbers that stay exact in binary."""
    system = bst.System.from_text("next(x) = 2*x - floor(2*x)", initial=[5 / 64])
    assert system.trajectory(8).x[:, 0].tolist() == [5 / 64, 10 / 64, 20 / 64, 40 / 64, 16 / 64, 32 / 64, 0.0, 0.0]
    assert not system.is_smooth


def test_the_iteration_number_is_the_time() -> None:
    system = bst.System.from_text("next(x) = x + t", initial=[0.0])
    assert system.trajectory(6).x[:, 0].tolist() == [0, 0, 1, 3, 6, 10]
    assert system.trajectory(3, dt=2).x[:, 0].tolist() == [0, 1, 6]


def test_all_variables_move_at_once() -> None:
    swap = bst.System.from_text("next(x) = y; next(y) = x", initial=[1.0, 2.0])
    assert swap.trajectory(3).x.tolist() == [[1, 2], [2, 1], [1, 2]]


def test_a_map_of_a_ring() -> None:
    shift = bst.System.from_text("next(x[i]) = x[i-1]", initial=[1.0, 2.0, 3.0])
    assert shift.trajectory(4).x.tolist() == [[1, 2, 3], [3, 1, 2], [2, 3, 1], [1, 2, 3]]


def test_escape_is_diverged_and_leaves_others_alone() -> None:
    x0 = np.where(np.arange(20) % 3 == 0, 1.5, 0.2 + 0.01 * np.arange(20))[:, None]
    runs = LOGISTIC.ensemble(initial=x0, n=60)
    for i, run in enumerate(runs):
        alone = LOGISTIC.trajectory(60, initial=x0[i])
        assert alone.x.tobytes() == run.x.tobytes()
        assert run.outcome == ("diverged" if i % 3 == 0 else "ok")
        if i % 3 == 0:
            assert np.isnan(run.x[run.t > run.stop_time]).all()
            assert np.isfinite(run.x[run.t < run.stop_time]).all()


def test_leaving_the_domain() -> None:
    system = bst.System.from_text("next(x) = log(x)", initial=[2.0])
    run = system.trajectory(6)
    assert run.outcome == "left domain"
    assert run.x.shape == (6, 1)
    assert np.isnan(run.x[-1, 0])


def test_out_of_steps() -> None:
    run = LOGISTIC.trajectory(1000, max_steps=10)
    assert run.outcome == "out of steps"
    assert np.isfinite(run.x[:10]).all()
    assert np.isnan(run.x[12:]).all()


@pytest.mark.parametrize("method", ["taylor", "dop853", "milstein"])
def test_wrong_methods(method: str) -> None:
    with pytest.raises(ValueError, match="not for a map such as Henon"):
        HENON.trajectory(10, method=method)
