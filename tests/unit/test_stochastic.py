"""Stochastic systems: moments with their standard errors, strong order, Ito's interpretation, forcing."""

import math

import numpy as np
import pytest

import bestiary as bst

# Deviations are allowed five standard errors: one false alarm in two million.
FIVE = 5
M = 4000
OU = bst.System.from_text(
    "x' = theta*(mu - x); noise(x) = sigma",
    parameters={"theta": 1.5, "mu": 0.5, "sigma": 0.8},
    initial=[2.0],
    kind="stochastic",
    name="OU",
    period=1.0,
)
GBM = bst.System.from_text(
    "x' = mu*x; noise(x) = sigma*x",
    parameters={"mu": 0.3, "sigma": 0.7},
    initial=[1.0],
    kind="stochastic",
    name="GBM",
    period=1.0,
)


def start(system: bst.System, m: int = M) -> np.ndarray:
    return np.tile(system.initial, (m, 1))


def test_ornstein_uhlenbeck_moments() -> None:
    """Mean and variance at finite times (Uhlenbeck & Ornstein 1930); the scheme's bias is O(step^1) of the variance."""
    theta, mu, sigma = 1.5, 0.5, 0.8
    times = np.array([0.3, 1.0, 4.0])
    step = 1e-3
    x = OU.ensemble(initial=start(OU), times=times, seed=1, step=step).x[:, :, 0]
    mean = mu + (2.0 - mu) * np.exp(-theta * times)
    variance = sigma**2 / (2 * theta) * (1 - np.exp(-2 * theta * times))
    assert (np.abs(x.mean(axis=0) - mean) < FIVE * np.sqrt(variance / M)).all()
    bias = theta * step * variance
    assert (np.abs(x.var(axis=0, ddof=1) - variance) < FIVE * variance * math.sqrt(2 / (M - 1)) + bias).all()


def test_ornstein_uhlenbeck_correlation() -> None:
    """In equilibrium, correlation exp(-theta lag); its estimate has the standard error (1 - r^2)/sqrt(m)."""
    x = OU.ensemble(initial=start(OU), times=[6.0, 6.4], seed=2, step=1e-3).x[:, :, 0]
    r = math.exp(-1.5 * 0.4)
    assert abs(np.corrcoef(x.T)[0, 1] - r) < FIVE * (1 - r**2) / math.sqrt(M) + 1e-3


def test_geometric_brownian_motion_is_ito() -> None:
    """log x has mean (mu - sigma^2/2) t and variance sigma^2 t; Stratonovich would have mean mu t."""
    t = 2.0
    logs = np.log(GBM.ensemble(initial=start(GBM), times=[t], seed=3, step=1e-3).x[:, 0, 0])
    variance = 0.49 * t
    assert abs(logs.mean() - (0.3 - 0.245) * t) < FIVE * math.sqrt(variance / M) + 1e-3
    assert abs(logs.var(ddof=1) - variance) < FIVE * variance * math.sqrt(2 / M) + 1e-3


def brownian(m: int, times: np.ndarray, step: float, seed: int, path: int = 0) -> np.ndarray:
    """The Brownian paths on which a system with a single variable runs, from one that only adds them up."""
    plain = bst.System.from_text("w' = 0; noise(w) = 1", initial=[0.0], kind="stochastic", period=1.0)
    return plain.ensemble(initial=np.zeros((m, 1)), times=times, seed=seed, first=path, step=step).x[:, :, 0]


def test_brownian_motion() -> None:
    times = np.array([0.5, 1.0, 2.0])
    w = brownian(M, times, 0.25, 4)
    increments = np.diff(w, axis=1, prepend=0.0)
    widths = np.diff(times, prepend=0.0)
    assert (np.abs(increments.mean(axis=0)) < FIVE * np.sqrt(widths / M)).all()
    assert (np.abs(increments.var(axis=0) / widths - 1) < FIVE * math.sqrt(2 / M)).all()
    assert np.abs(np.corrcoef(increments.T) - np.eye(3)).max() < FIVE / math.sqrt(M)


def test_geometric_brownian_motion_has_strong_order_one() -> None:
    """
    The mean distance at t = 1 from exp((mu - sigma^2/2) t + sigma w) on the same path halves with the step.

    Its spread over 4000 paths is about its size, so that a mean is known to 2 % and the slope to 0.02.
    """
    steps = 2.0 ** -np.arange(3, 9)
    errors = []
    for step in steps:
        x = GBM.ensemble(initial=start(GBM), times=[1.0], seed=5, step=step).x[:, 0, 0]
        w = brownian(M, np.array([1.0]), step, 5)[:, 0]
        errors.append(np.abs(x - np.exp((0.3 - 0.245) + 0.7 * w)).mean())
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(1.0, abs=0.1)


def test_noise_in_each_variable_is_independent() -> None:
    pair = bst.System.from_text(
        "x' = 0; y' = 0; noise(x) = 1; noise(y) = 2", initial=[0.0, 0.0], kind="stochastic", period=1.0
    )
    x = pair.ensemble(initial=np.zeros((M, 2)), times=[1.0], seed=6, step=0.1).x[:, 0]
    assert abs(np.corrcoef(x.T)[0, 1]) < FIVE / math.sqrt(M)
    np.testing.assert_allclose(x.std(axis=0), [1, 2], rtol=FIVE * math.sqrt(0.5 / M))


def test_without_noise_it_is_the_flow() -> None:
    """Runge-Kutta of order 4 with steps of 0.01: an error of 1e-10 on an oscillator of unit speed."""
    text = "x' = v; v' = -x; noise(v) = s"
    quiet = bst.System.from_text(text, parameters={"s": 0.0}, initial=[1.0, 0.0], kind="stochastic", period=6.28)
    run = quiet.trajectory(times=np.linspace(0, 6, 13), step=0.01)
    assert run.method == "milstein"
    np.testing.assert_allclose(run["x"], np.cos(run.t), atol=1e-9)


def test_forcing_makes_a_flow_stochastic() -> None:
    """x' = -x with white noise of 0.5 per square root of time has the stationary variance 0.125."""
    flow = bst.System.from_text("x' = -x", initial=[0.0], period=1.0)
    x = flow.ensemble(initial=np.zeros((M, 1)), times=[8.0], forcing=0.5, seed=7, step=1e-2).x[:, 0, 0]
    assert abs(x.mean()) < FIVE * math.sqrt(0.125 / M)
    assert abs(x.var() - 0.125) < FIVE * 0.125 * math.sqrt(2 / M) + 0.125 * 1e-2
    assert flow.trajectory(5, forcing=0.0).x.tobytes() == flow.trajectory(5).x.tobytes()


def test_a_sample_does_not_depend_on_the_later_ones() -> None:
    short, long = (OU.trajectory(times=t, seed=1, step=0.01).x for t in ([0.5, 1.0], [0.5, 1.0, 1.5, 7.0]))
    assert short.tobytes() == long[:2].tobytes()


def test_blow_up_is_diverged() -> None:
    system = bst.System.from_text("x' = x^2; noise(x) = 0.01", initial=[1.0], kind="stochastic", period=1.0)
    run = system.trajectory(times=np.linspace(0, 3, 31), step=1e-3)
    assert run.outcome == "diverged"
    assert run.stop_time == pytest.approx(1.0, abs=0.1)
    assert np.isnan(run.x[run.t > 1.2]).all()


WRONG = {
    "forcing of a map": (lambda: bst.system("Henon").trajectory(9, forcing=0.1), "forcing is noise put on a flow"),
    "negative forcing": (lambda: bst.system("Lorenz").trajectory(9, forcing=-0.1), "not negative"),
    "shape of forcing": (lambda: bst.system("Lorenz").trajectory(9, forcing=[0.1, 0.2]), "one for each variable"),
    "step": (lambda: OU.trajectory(9, step=-0.1), "step must be a positive number"),
    "seed": (lambda: OU.trajectory(9, seed=-1), "seed must be a whole number"),
    "method": (lambda: OU.trajectory(9, method="taylor"), "not for a stochastic such as OU"),
    "noise of nothing": (
        lambda: bst.System.from_text("x' = -x; noise(y) = 1", initial=[1.0], kind="stochastic"),
        "y",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls(case: str) -> None:
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call()
