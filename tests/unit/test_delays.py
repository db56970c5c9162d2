"""Delay equations by the method of steps: exact solutions, breakpoints, Jacobians, wrong delays."""

import math

import numpy as np
import pytest

import bestiary as bst

RELAX = bst.System.from_text("x' = -x(t - 1)", initial=[1.0], kind="delay", name="relax", period=4.0)


def relax(t: np.ndarray, delay: float = 1.0) -> np.ndarray:
    """x' = -x(t - delay) with history 1: the sum of (-1)^k (t - (k - 1) delay)^k / k! over (k - 1) delay < t."""
    terms = [
        (-1.0) ** k * np.maximum(t - (k - 1) * delay, 0.0) ** k / math.factorial(k)
        for k in range(2 + int(t.max() / delay))
    ]
    return np.sum([np.ones_like(t), *terms[1:]], axis=0)


def test_exact_on_the_first_intervals() -> None:
    """A polynomial of degree 1, 2, 3 on the first three: a method of order 8 has rounding errors only."""
    t = np.linspace(0, 3, 301)
    run = RELAX.trajectory(times=t)
    assert run.method == "taylor"
    assert np.abs(run.x[:, 0] - relax(t)).max() < 16 * np.finfo(float).eps


def test_within_tolerance_on_many_intervals() -> None:
    """The solution decays in oscillations (roots -0.318 +- 1.337i), so errors do not grow."""
    t = np.linspace(0, 15, 301)
    for rtol in (1e-6, 1e-9, 1e-12):
        run = RELAX.trajectory(times=t, rtol=rtol, atol=rtol)
        assert np.abs(run.x[:, 0] - relax(t)).max() < 10 * 2 * rtol


def test_between_steps() -> None:
    """Samples fall on dense output at irregular times, next to breakpoints and far from them."""
    t = np.sort(np.concatenate([np.random.default_rng(0).uniform(0, 6, 100), [1, 2, 3], np.nextafter([1, 2, 3], 9)]))
    run = RELAX.trajectory(times=t)
    assert np.abs(run.x[:, 0] - relax(t)).max() < 10 * 2e-12


@pytest.mark.parametrize("delay", [0.01, 0.3, 2.5])
def test_the_delay_is_an_expression_of_parameters(delay: float) -> None:
    system = bst.System.from_text(
        "x' = -x(t - 2*tau)", parameters={"tau": delay / 2}, initial=[1.0], kind="delay", period=1.0
    )
    t = np.linspace(0, 5 * delay, 50)
    assert system.core.delays().tolist() == [delay]
    assert np.abs(system.trajectory(times=t).x[:, 0] - relax(t, delay)).max() < 10 * 2e-12


def test_breakpoints_of_two_delays() -> None:
    """The second delay belongs to a variable at rest; the breakpoint of the first at t = 1 shows."""
    system = bst.System.from_text("x' = -x(t - 1) - y(t - 0.7); y' = 0", initial=[1.0, 1.0], kind="delay", period=1.0)
    t = np.linspace(0, 2, 81)
    run = system.trajectory(times=t)
    # y stays 1, so x' = -x(t - 1) - 1: 1 - 2t, and after t = 1 a parabola of slope -(1 - 2(t - 1)) - 1.
    exact = np.where(t <= 1, 1 - 2 * t, -1 - 2 * (t - 1) + (t - 1) ** 2)
    np.testing.assert_allclose(run["x"], exact, rtol=0, atol=1e-13)
    assert (run["y"] == 1).all()


def test_growth_rate() -> None:
    """x' = x(t - 1) settles on exp(s t) with s = exp(-s): W(1) = 0.567143290409783873 (OEIS A030178)."""
    system = bst.System.from_text("x' = x(t - 1)", initial=[1.0], kind="delay", period=1.0)
    t = np.array([20.0, 30.0, 40.0])
    run = system.trajectory(times=t)
    growth = np.diff(np.log(run["x"])) / 10
    np.testing.assert_allclose(growth, 0.567143290409783873, atol=1e-10)


def test_time_and_present_state_enter() -> None:
    """With history 0, x' = x + cos(t) until t = 1."""
    system = bst.System.from_text("x' = x - x(t - 1) + cos(t)", initial=[0.0], kind="delay", period=1.0)
    t = np.linspace(0, 1, 11)
    exact = (np.exp(t) + np.sin(t) - np.cos(t)) / 2
    np.testing.assert_allclose(system.trajectory(times=t)["x"], exact, atol=1e-11)


def test_a_vector_with_delays() -> None:
    ring = bst.System.from_text("x[i]' = -x[i-1](t - 1)", initial=[1.0, 2.0, 3.0], kind="delay", period=1.0)
    t = np.linspace(0, 1, 6)
    np.testing.assert_allclose(ring.trajectory(times=t).x, [1, 2, 3] - np.outer(t, [3, 1, 2]), atol=1e-14)


def test_right_hand_side_and_jacobian_take_the_delayed_values() -> None:
    system = bst.System.from_text("x' = -x*x(t - 1) + y^2; y' = x(t - 2)", initial=[1.0, 1.0], kind="delay", period=1.0)
    x = np.array([[2.0, 3.0]])
    assert system.rhs(x, delayed=[[5.0, 7.0]]).tolist() == [[-1.0, 7.0]]
    assert system.jacobian(x, delayed=[[5.0, 7.0]]).tolist() == [[[-5.0, 6.0], [0.0, 0.0]]]
    assert system.rhs(x).tolist() == [[5.0, 2.0]]


def test_members_have_their_own_delays() -> None:
    system = bst.System.from_text("x' = -x(t - tau)", parameters={"tau": 1.0}, initial=[1.0], kind="delay", period=1.0)
    tau = np.array([0.2, 0.5, 1.0, 1.1, 3.0])
    t = np.linspace(0, 4, 41)
    runs = system.ensemble(initial=[1.0], parameters={"tau": tau}, times=t)
    for delay, run in zip(tau, runs, strict=True):
        # Some of them grow: by at most exp(t) over t = 4.
        assert np.abs(run.x[:, 0] - relax(t, float(delay))).max() < 10 * 2e-12 * math.exp(4)
        assert system.with_parameters(tau=delay).trajectory(times=t).x.tobytes() == run.x.tobytes()


@pytest.mark.parametrize("tau", [0.0, -1.0])
def test_delays_must_be_positive(tau: float) -> None:
    system = bst.System.from_text("x' = -x(t - tau)", parameters={"tau": 1.0}, initial=[1.0], kind="delay", period=1.0)
    with pytest.raises(ValueError, match=r"delay.*positive"):
        system.with_parameters(tau=tau).trajectory(10)


def test_a_flow_has_no_delays() -> None:
    with pytest.raises(ValueError, match="delay"):
        bst.System.from_text("x' = -x(t - 1)", initial=[1.0], kind="flow")


def test_blow_up_is_diverged() -> None:
    """x' = x^2 + x(t - 1)^2 with history 1: tan(t + pi/4) until t = 1, with its pole at pi/4."""
    system = bst.System.from_text("x' = x^2 + x(t - 1)^2", initial=[1.0], kind="delay", period=1.0)
    t = np.linspace(0, 2, 41)
    run = system.trajectory(times=t)
    assert run.outcome == "diverged"
    assert run.stop_time == pytest.approx(math.pi / 4, abs=1e-6)
    np.testing.assert_allclose(run.x[t < 0.75, 0], np.tan(t[t < 0.75] + math.pi / 4), rtol=1e-9)
    assert np.isnan(run.x[t > 0.8]).all()
