"""The methods for flows: order, accuracy against closed forms, the meaning of tolerances, outcomes, interruption."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.linalg import expm

import bestiary as bst

ADAPTIVE = ("taylor", "dop853", "tsit5")
EPS = np.finfo(float).eps

# x = exp(sin t): nonlinear enough to have every order, and never far from 1.
SWING = bst.System.from_text("x' = x*cos(t)", initial=[1.0], name="swing", period=2 * np.pi)
OSCILLATOR = bst.System.from_text("x' = v; v' = -x", initial=[1.0, 0.0], name="oscillator", period=2 * np.pi)
LOGISTIC = bst.System.from_text("x' = x*(1 - x)", initial=[0.1], name="logistic", period=1.0)
ECCENTRICITY = 0.6
KEPLER = bst.System.from_text(
    "x' = u; y' = v; u' = -x/(x^2 + y^2)^1.5; v' = -y/(x^2 + y^2)^1.5",
    initial=[-1 - ECCENTRICITY, 0.0, 0.0, -np.sqrt((1 - ECCENTRICITY) / (1 + ECCENTRICITY))],
    name="Kepler",
    period=2 * np.pi,
)


def kepler(t: np.ndarray) -> np.ndarray:
    """
    Position and velocity on an ellipse of half-axis 1 about the unit mass, from Kepler's equation E - e sin E = t + pi.

    The start is at the far end, where a rounding error of the initial state changes the period by less than itself.
    """
    e = ECCENTRICITY
    mean = (t + np.pi) % (2 * np.pi)
    anomaly = mean + e * np.sin(mean)
    for _ in range(50):
        anomaly -= (anomaly - e * np.sin(anomaly) - mean) / (1 - e * np.cos(anomaly))
    width, rate = np.sqrt(1 - e**2), 1 / (1 - e * np.cos(anomaly))
    position = [np.cos(anomaly) - e, width * np.sin(anomaly)]
    return np.stack([*position, -np.sin(anomaly) * rate, width * np.cos(anomaly) * rate], axis=1)


CLOSED = {
    "swing": (SWING, lambda t: np.exp(np.sin(t))[:, None], 2 * np.pi),
    "oscillator": (OSCILLATOR, lambda t: np.stack([np.cos(t), -np.sin(t)], axis=1), 2 * np.pi),
    "logistic": (LOGISTIC, lambda t: (1 / (1 + 9 * np.exp(-t)))[:, None], 5.0),
    "Kepler": (KEPLER, kepler, np.pi),
}


def slope(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


@pytest.mark.parametrize("between", [False, True])
def test_rk4_has_order_four(between: bool) -> None:
    """At the steps, and between them by the cubic interpolant, whose error has the same order."""
    steps = 0.2 / 2.0 ** np.arange(5)
    times = np.arange(1, 20) * 0.2 + (0.033 if between else 0.0)
    errors = []
    for step in steps:
        run = SWING.trajectory(times=times, method="rk4", step=step)
        errors.append(np.abs(run.x[:, 0] - np.exp(np.sin(times))).max())
    # Two successive orders appear in the error; over this range of steps the higher one bends the line by less.
    assert slope(steps, np.array(errors)) == pytest.approx(4, abs=0.25)


@pytest.mark.parametrize(("method", "order"), [("tsit5", 5), ("dop853", 8)])
def test_adaptive_methods_have_their_order(method: str, order: int) -> None:
    """The error against the number of steps; local extrapolation: the order is that of the solution carried on."""
    errors, steps = [], []
    for rtol in 10.0 ** np.arange(-5, -10.5, -0.5):
        run = OSCILLATOR.trajectory(times=[20 * np.pi], method=method, rtol=rtol, atol=rtol)
        errors.append(np.abs(run.x[-1] - [1, 0]).max())
        steps.append(run.steps)
    assert -slope(np.array(steps), np.array(errors)) == pytest.approx(order, abs=0.6)


@pytest.mark.parametrize("method", ADAPTIVE)
@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8, 1e-10, 1e-12])
@pytest.mark.parametrize("case", CLOSED)
def test_the_contract_on_tolerances(case: str, rtol: float, method: str) -> None:
    """
    At the steps and between them the error stays within ten times the request.

    Kepler's equations make errors grow: there, the request is what an error of one tolerance has become. The factor is
    measured with runs from states 1e-7 apart.
    """
    system, solution, end = CLOSED[case]
    times = np.linspace(0, end, 777)
    run = system.trajectory(times=times, method=method, rtol=rtol, atol=rtol)
    exact = solution(times)
    apart = 1e-7 * np.random.default_rng(0).normal(size=(8, system.dimension))
    twins = system.ensemble(initial=system.initial + apart, times=times, rtol=1e-13)
    sizes = np.abs(twins.x - exact).max(axis=2)
    growth = max(1.0, float((sizes / np.minimum.accumulate(sizes, axis=1)).max())) if case == "Kepler" else 1.0
    error = np.abs(run.x - exact)
    rounding = 4 * EPS * run.steps
    assert run.outcome == "ok"
    assert (error <= 10 * growth * (rtol * np.abs(exact).max(axis=0) + rtol) + rounding).all()


@pytest.mark.parametrize("method", ADAPTIVE)
def test_the_error_is_proportional_to_the_tolerance(method: str) -> None:
    tolerances = 10.0 ** np.arange(-4, -11.5, -0.5)
    times = np.linspace(0, 4 * np.pi, 100)
    errors = [
        np.abs(SWING.trajectory(times=times, method=method, rtol=r, atol=r).x[:, 0] - np.exp(np.sin(times))).max()
        for r in tolerances
    ]
    # Error per step, not per unit of time, is controlled: order p gives the power p/(p + 1), 0.83 for tsit5.
    assert 0.75 < slope(tolerances, np.array(errors)) < 1.15


def test_tolerances_are_per_variable() -> None:
    """A large absolute tolerance on the fast y alone leaves x as it was asked for."""
    pair = bst.System.from_text("x' = -x; y' = 1e3*cos(50*t)", initial=[1.0, 0.0], period=1.0)
    loose = pair.trajectory(times=[1.0], method="dop853", rtol=1e-10, atol={"x": 1e-12, "y": 1.0})
    strict = pair.trajectory(times=[1.0], method="dop853", rtol=1e-10, atol=1e-12)
    assert loose.steps < strict.steps
    assert loose.x[0, 0] == pytest.approx(np.exp(-1), rel=1e-9)


def test_taylor_reaches_1e13_on_the_oscillator() -> None:
    times = np.linspace(0, 20 * np.pi, 1001)
    run = OSCILLATOR.trajectory(times=times, method="taylor", rtol=1e-15, atol=1e-16)
    assert np.abs(run.x - CLOSED["oscillator"][1](times)).max() < 1e-13


def test_taylor_reaches_1e13_on_kepler() -> None:
    """Ten periods at eccentricity 0.6, relative to the half-axis."""
    times = np.linspace(0, 20 * np.pi, 1001)
    run = KEPLER.trajectory(times=times, method="taylor", rtol=1e-16, atol=1e-18)
    assert np.abs(run.x - kepler(times))[:, :2].max() < 1e-13


@pytest.mark.parametrize("method", ADAPTIVE)
@pytest.mark.parametrize("seed", range(4))
def test_linear_flows_follow_the_matrix_exponential(seed: int, method: str) -> None:
    a = np.random.default_rng(seed).normal(size=(5, 5))
    linear = bst.System.from_text("x[i]' = sum(j, A[i, j]*x[j])", parameters={"A": a}, initial=np.ones(5), period=1.0)
    times = np.linspace(0, 2, 9)
    run = linear.trajectory(times=times, method=method)
    exact = np.array([expm(a * t) @ np.ones(5) for t in times])
    growth = max(np.linalg.norm(expm(a * t), 2) for t in times)
    np.testing.assert_allclose(run.x, exact, rtol=0, atol=10 * 1e-12 * growth * (1 + np.abs(exact).max()))
    assert linear.divergence(np.ones(5)) == pytest.approx(np.trace(a), rel=1e-14)


@pytest.mark.parametrize("method", ["dop853", "tsit5"])
def test_a_kink_costs_steps_and_no_accuracy(method: str) -> None:
    """x'' = -sign(x) from x = 1/2, v = 0: arcs of parabolas, of period 4 for this height."""
    bouncing = bst.System.from_text("x' = v; v' = -sign(x)", initial=[0.5, 0.0], period=4.0)
    times = np.linspace(0, 4, 41)
    run = bouncing.trajectory(times=times, method=method, rtol=1e-9, atol=1e-9)
    exact = np.where((times + 1) % 4 < 2, 1.0, -1.0) * (0.5 - ((times + 1) % 2 - 1) ** 2 / 2)
    np.testing.assert_allclose(run["x"], exact, atol=1e-7)


@pytest.mark.parametrize("method", ADAPTIVE)
def test_steep_switches_are_not_stepped_over(method: str) -> None:
    """x' = 1 in the first half of every period and 0 in the second; in between, a tanh that is over in 0.05."""
    blinking = bst.System.from_text("x' = smooth_square(t, 3, 60)", initial=[0.0], period=3.0)
    run = blinking.trajectory(times=[2.25, 5.25, 32.25], method=method)
    # By symmetry a whole period adds exactly 3/2; the start in the middle of a ramp takes off the integral of
    # 1/2 - tanh(k s)/2 over s > 0, log(2)/(2 k) with k = 60 * 2 pi/3; the curvature of sin adds less than 1e-5.
    lost = np.log(2) / (2 * 60 * 2 * np.pi / 3)
    np.testing.assert_allclose(np.diff(run["x"]), [1.5, 13.5], atol=1e-9)
    assert run["x"][0] == pytest.approx(1.5 - lost, abs=1e-5)


def test_auto_says_what_it_picked() -> None:
    kinked = bst.System.from_text("x' = 1 - abs(x)", initial=[0.5], period=1.0)
    assert SWING.trajectory(3).method == "taylor"
    assert kinked.trajectory(3).method in ("tsit5", "dop853")


def test_work_is_counted() -> None:
    for method in (*ADAPTIVE, "rk4"):
        run = OSCILLATOR.trajectory(200, method=method)
        assert run.steps > 0
        assert run.evaluations >= run.steps + run.rejected
    assert OSCILLATOR.trajectory(times=[1.0], method="rk4", step=0.01).steps in (100, 101)


# Outcomes

ALL = (*ADAPTIVE, "rk4")


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("x0", [0.5, 1.0, 4.0])
def test_blow_up_is_diverged(x0: float, method: str) -> None:
    """x' = x^2 has its pole at t = 1/x0; rk4 with its fixed step passes through the pole and overflows soon after."""
    system = bst.System.from_text("x' = x^2", initial=[x0], period=1.0)
    times = np.linspace(0, 2 / x0, 41)
    step = 1e-3 / x0 if method == "rk4" else None
    run = system.trajectory(times=times, method=method, step=step)
    assert run.outcome == "diverged"
    assert run.stop_time == pytest.approx(1 / x0, rel=1e-6 if step is None else 1e-2)
    assert run.x.shape == (41, 1)
    assert np.isfinite(run.x[times < 0.99 * run.stop_time]).all()
    assert np.isnan(run.x[times > run.stop_time]).all()


@pytest.mark.parametrize("edge", [0.0, 0.5])
@pytest.mark.parametrize("method", ALL)
def test_leaving_the_domain_of_a_root(method: str, edge: float) -> None:
    """With u = sqrt(x - edge), x' = -u - 1 comes to u = 0, with slope -1, at t = 2 u0 - 2 log(1 + u0)."""
    system = bst.System.from_text("x' = -sqrt(x - c) - 1", parameters={"c": edge}, initial=[1 + edge], period=1.0)
    end = 2 - 2 * np.log(2)
    times = np.linspace(0, 1, 51)
    # No method needs more than some thousand steps to come as near to the edge as a double can.
    run = system.trajectory(times=times, method=method, step=1e-4 if method == "rk4" else None, max_steps=100_000)
    assert run.outcome == "left domain"
    assert run.stop_time == pytest.approx(end, abs=1e-3)
    assert np.isfinite(run.x[times < end - 1e-3]).all()
    assert np.isnan(run.x[times > end + 1e-3]).all()


@pytest.mark.parametrize("method", ALL)
def test_starting_outside_the_domain(method: str) -> None:
    system = bst.System.from_text("x' = sqrt(x)", initial=[-1.0], period=1.0)
    run = system.trajectory(times=[0.0, 1.0], method=method)
    assert run.outcome == "left domain"
    assert run.stop_time == 0
    assert np.isnan(run.x[1, 0])


@pytest.mark.parametrize("method", ALL)
def test_out_of_steps(method: str) -> None:
    run = OSCILLATOR.trajectory(1000, method=method, max_steps=7)
    assert run.outcome == "out of steps"
    assert run.steps + run.rejected <= 7
    assert run.x.shape == (1000, 2)
    assert np.isfinite(run.x[run.t < run.stop_time]).all()
    assert np.isnan(run.x[run.t > run.stop_time]).all()


@pytest.mark.parametrize("method", ALL)
def test_a_stop_leaves_other_lanes_unharmed(method: str) -> None:
    """Members 0, 3, 6, … blow up, members 1, 4, 7, … leave the domain; the rest are as if alone, to the bit."""
    text = "x' = a*x^2 - 1 - sqrt(x - b)"
    system = bst.System.from_text(text, initial=[1.0], parameters={"a": 0.0, "b": 0.0}, period=1.0)
    a = np.tile([5.0, 0.0, 0.0], 7)
    b = np.tile([0.0, 0.5, -50.0], 7)
    x0 = 1 + 0.01 * np.arange(21)[:, None]
    times = np.linspace(0, 1, 30)
    options = dict(times=times, method=method, max_steps=20_000)
    runs = system.ensemble(initial=x0, parameters={"a": a, "b": b}, **options)
    for i, run in enumerate(runs):
        alone = system.with_parameters(a=a[i], b=b[i]).trajectory(initial=x0[i], **options)
        assert alone.x.tobytes() == run.x.tobytes()
        assert (alone.outcome, alone.steps) == (run.outcome, run.steps)
    assert runs.outcomes[2::3] == ("ok",) * 7
    assert set(runs.outcomes[0::3]) == {"diverged"}
    assert "ok" not in runs.outcomes[1::3]


# Interruption and progress

LONG = {
    "a long flow": "bst.system('Lorenz').trajectory(times=[1e8])",
    "few samples far apart": "bst.system('Lorenz').trajectory(3, dt=1e8)",
    "many samples": "bst.system('Lorenz').trajectory(3_000_000, per_period=100, rtol=1e-14)",
    "a long transient": "bst.system('Lorenz').trajectory(10, transient=1e8)",
    "an ensemble": "bst.system('Lorenz').ensemble(64, 3, dt=1e7, transient=0.0)",
    "a kinked flow": "bst.system('Chua').trajectory(times=[1e8])",
    "a map": "bst.system('Henon').trajectory(times=[10**12])",
    "a delay": "bst.system('MackeyGlass').trajectory(times=[1e8])",
    "a stochastic system": "bst.system('NoisyLorenz').trajectory(times=[1e8])",
    "exponents": "bst._core.largest_exponent(s.core, s.initial[None], s.core.parameter_values[None], start=0.0, "
    "transient=0.0, duration=1e7, segments=1, interval=1.0)",
}
INTERRUPTED = """
import time
import bestiary as bst
s = bst.system("Lorenz")
print("ready", flush=True)
try:
    {call}
except KeyboardInterrupt:
    print(time.time(), flush=True)
"""


@pytest.mark.parametrize("case", LONG)
def test_ctrl_c_is_heard(case: str) -> None:
    """Within 100 ms by contract; the rest of half a second is the scheduler's."""
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED.format(call=LONG[case])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.3)
        sent = time.time()
        child.send_signal(signal.SIGINT)
        heard, complaint = child.communicate(timeout=5)
        assert heard, f"no KeyboardInterrupt: {complaint}"
        assert float(heard) - sent < 0.5
    finally:
        child.kill()
        child.communicate()


def test_progress_is_called() -> None:
    calls: list[tuple[int, int]] = []
    began = time.monotonic()
    bst.system("Lorenz").trajectory(300_000, rtol=1e-14, progress=lambda done, total: calls.append((done, total)))
    took = time.monotonic() - began
    assert calls[-1] == (300_000, 300_000)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert len(calls) <= 2 + 10 * took


def test_an_error_in_the_progress_callback_stops_the_run() -> None:
    def enough(done: int, total: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        bst.system("Lorenz").trajectory(times=[1e6], progress=enough)
