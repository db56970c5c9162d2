"""
What was before the start of a delay equation: text, functions, earlier runs, entries; ensembles, events, refusals.

x' = -x(t - pi/2) keeps cos(t); errors are compared with ten times the request, rtol |x| + atol, as the contract states.
"""

import math
import pickle

import numpy as np
import pytest

import bestiary as bst

COSINE = bst.System.from_text(
    "x' = -x(t - tau)", parameters={"tau": "pi/2"}, initial=[1.0], name="cosine", period=2 * math.pi
)
RELAX = bst.System.from_text("x' = -x(t - 1)", initial=[1.0], name="relax", period=4.0)
SUBLIME = bst.System.from_text(
    "x' = a*x(t - 1) + b*x(t - s)", parameters={"a": -0.7, "b": -0.4, "s": "sqrt(2)"}, initial=[1.0], period=4.0
)
METHODS = ("taylor", "dop853", "tsit5")


def two_delays(t: np.ndarray, a: float, b: float, s: float) -> np.ndarray:
    """
    x' = a x(t - 1) + b x(t - s), x = 1 before 0, by its Laplace transform.

    1 + (a + b) sum_n sum_i C(n, i) a^i b^(n - i) (t - i - (n - i) s)_+^(n + 1) / (n + 1)!
    """
    x = np.ones_like(t)
    for n in range(int(t.max() / min(1.0, s)) + 1):
        for i in range(n + 1):
            base = np.maximum(t - i - (n - i) * s, 0.0)
            x += (a + b) * math.comb(n, i) * a**i * b ** (n - i) * base ** (n + 1) / math.factorial(n + 1)
    return x


@pytest.mark.parametrize("method", METHODS)
def test_two_incommensurate_delays_are_exact_piecewise(method: str) -> None:
    """Kinks at every i + j sqrt(2); roots of the characteristic equation lie to the left, so errors do not grow."""
    t = np.linspace(0, 9, 271)
    exact = two_delays(t, -0.7, -0.4, math.sqrt(2))
    for rtol in (1e-5, 1e-8, 1e-11):
        run = SUBLIME.trajectory(times=t, method=method, rtol=rtol, atol=rtol)
        assert (np.abs(run["x"] - exact) < 10 * rtol * (1 + np.abs(exact))).all()


def test_polynomials_of_the_first_intervals_are_exact() -> None:
    """Up to t = 9 of degree 10 at most, which Taylor series of order 20 reproduce but for rounding."""
    t = np.linspace(0, 9, 271)
    assert np.abs(SUBLIME.trajectory(times=t)["x"] - two_delays(t, -0.7, -0.4, math.sqrt(2))).max() < 1e-13


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("history", ["cos(t)", {"x": "cos(t)"}, ["cos(t)"], np.cos, lambda t: [math.cos(t)]])
def test_a_function_before_the_start_is_continued(method: str, history: object) -> None:
    t = np.linspace(0, 30, 301)
    for rtol in (1e-6, 1e-12):
        run = COSINE.trajectory(times=t, history=history, method=method, rtol=rtol, atol=rtol)
        assert (np.abs(run["x"] - np.cos(t)) < 10 * rtol * (1 + np.abs(np.cos(t)))).all()


def test_a_history_ends_where_the_transient_begins() -> None:
    """It is a function of the system's own time: cos(t) before -7 is continued by cos(t)."""
    run = COSINE.trajectory(100, dt=0.1, transient=7.0, history="cos(t)")
    np.testing.assert_allclose(run["x"], np.cos(run.t), atol=2e-11)


def test_parameters_and_vectors_in_a_history() -> None:
    ring = bst.System.from_text("x[i]' = -a*x[i-1](t - 1)", parameters={"a": 2.0}, initial=[0.0] * 3, period=1.0)
    run = ring.trajectory(11, dt=0.1, history={"x[i]": "i + a*t"})
    # x_i' = -2 ((i - 1) + 2 (t - 1)), cyclic.
    expected = [1, 2, 3] - 2 * (np.outer(run.t, [3, 1, 2]) + (run.t**2 - 2 * run.t)[:, None])
    np.testing.assert_allclose(run.x, expected, atol=1e-13)


@pytest.mark.parametrize("method", ["taylor", "dop853"])
@pytest.mark.parametrize("history", ["abs(t + 0.3)", lambda t: abs(t + 0.3)])
def test_a_kink_of_the_history(history: object, method: str) -> None:
    t = np.linspace(0, 1, 101)
    run = RELAX.trajectory(times=t, history=history, method=method)
    u = t - 0.7
    np.testing.assert_allclose(run["x"], 0.3 - (0.49 + np.sign(u) * u**2) / 2, atol=2e-11)


def test_a_jump_of_the_history() -> None:
    """x = 1 until -0.4, then 0: x = -t until 0.6, then -0.6, until t = 1 from where it follows the integral of that."""
    t = np.linspace(0, 2, 201)
    run = RELAX.trajectory(times=t, history=lambda t: float(t < -0.4))
    v = np.minimum(np.maximum(t - 1, 0), 0.6)
    exact = -np.minimum(t, 0.6) + v**2 / 2 + 0.6 * np.maximum(t - 1.6, 0)
    np.testing.assert_allclose(run["x"], exact, atol=2e-11)


def test_the_initial_state_may_differ_from_the_history() -> None:
    run = RELAX.trajectory(11, dt=0.1, initial=[1.0], history="3")
    np.testing.assert_allclose(run["x"], 1 - 3 * run.t, atol=1e-14)


# Continuing


def test_a_trajectory_is_continued() -> None:
    """Three runs in a row are one, also where time enters, kinks have not died out and the methods differ."""
    system = bst.System.from_text(
        "x' = -x(t - 1) - x(t - s)/3 + cos(2*t)", parameters={"s": "sqrt(2)"}, initial=[1.0], period=4.0
    )
    whole = system.trajectory(601, dt=0.01, rtol=1e-14, atol=1e-14)
    for methods in (("taylor", "taylor"), ("dop853", "taylor"), ("taylor", "dop853")):
        first = system.trajectory(201, dt=0.01, method=methods[0])
        second = system.trajectory(201, dt=0.01, method=methods[1], history=first)
        third = system.trajectory(times=np.linspace(4, 6, 201), history=second, method=methods[1])
        assert (first.t[-1], second.t[-1], third.t[-1]) == (2.0, 4.0, 6.0)
        for run in (first, second, third):
            at = np.rint(run.t / 0.01).astype(int)
            assert (np.abs(run.x - whole.x[at]) < 10e-12 * (1 + np.abs(whole.x[at]))).all()


def test_a_run_with_other_parameters_goes_on_from_a_trajectory() -> None:
    """From cos(t) until 5 pi/2, with half the delay: x' = -cos(t - pi/4) for as long as that."""
    first = COSINE.trajectory(times=[0.0, 2.5 * math.pi], history="cos(t)")
    longer = bst.System.from_text("x' = -x(t - 20)", initial=[0.0], period=1.0)
    with pytest.raises(ValueError, match=r"reaches from t = .* with a delay of 20 needs it from t = "):
        longer.trajectory(10, history=first)
    shorter = bst.System.from_text("x' = -x(t - pi/4)", initial=[0.0], period=1.0)
    run = shorter.trajectory(8, dt=0.1, history=first)
    begin = first.t[-1]
    exact = np.cos(begin) - np.sin(run.t - math.pi / 4) + np.sin(begin - math.pi / 4)
    np.testing.assert_allclose(run["x"], exact, atol=2e-11)


def test_memory_is_as_long_as_the_longest_delay() -> None:
    past = COSINE.trajectory(3, dt=1000.0, history="cos(t)").past
    assert past is not None
    begin, end = past.span
    assert begin <= 2000 - math.pi / 2
    assert end >= 2000
    assert end - begin < 4 * math.pi
    assert abs(past.at(2000.0)[0] - math.cos(2000.0)) < 1e-9


def test_a_trajectory_with_its_history_can_be_sent_elsewhere() -> None:
    run = RELAX.trajectory(20, history=lambda t: t)
    copy = pickle.loads(pickle.dumps(run))
    assert RELAX.trajectory(5, history=copy).x.tobytes() == RELAX.trajectory(5, history=run).x.tobytes()
    assert copy.precision_horizon() == run.precision_horizon() == math.inf


# Ensembles


def test_members_with_their_own_delays_are_single_runs() -> None:
    """40 members in lanes, two delays each, history with their own parameters: single runs, whatever the threads."""
    tau = np.linspace(0.2, 3.0, 40)
    options = {"history": "exp(-t/s)", "n": 30, "dt": 0.3}
    runs = SUBLIME.ensemble(parameters={"s": tau}, **options, threads=1)  # type: ignore[arg-type]
    seven = SUBLIME.ensemble(parameters={"s": tau}, **options, threads=7)  # type: ignore[arg-type]
    assert runs.x.tobytes() == seven.x.tobytes()
    assert runs.method == "taylor"
    for i in (0, 13, 39):
        alone = SUBLIME.with_parameters(s=tau[i]).trajectory(30, dt=0.3, history="exp(-t/s)")
        assert alone.x.tobytes() == runs.x[i].tobytes()


def test_members_with_their_own_histories() -> None:
    runs = COSINE.ensemble(history=[np.cos, lambda t: 2 * math.cos(t), COSINE.trajectory(2, dt=1e-9).past], n=5, dt=0.5)
    assert runs.x.shape == (3, 5, 1)
    np.testing.assert_allclose(runs.x[1], 2 * runs.x[0], atol=1e-11)
    assert runs.x[0].tobytes() == COSINE.trajectory(5, dt=0.5, history=np.cos).x.tobytes()
    with pytest.raises(ValueError, match="2 histories for 3 trajectories"):
        COSINE.ensemble(3, history=[np.cos, np.sin], n=5)


# Entries


def test_an_entry_states_its_history() -> None:
    system = bst.System.from_text("x' = -x(t - pi/2)", initial=[1.0], period=6.0, name="wave", history={"x": "cos(t)"})
    t = np.linspace(0, 20, 50)
    np.testing.assert_allclose(system.trajectory(times=t)["x"], np.cos(t), atol=2e-11)
    text = system.to_toml()
    assert '[history]\nx = "cos(t)"' in text
    again = bst.System.from_toml(text)
    assert again == system
    assert again.trajectory(times=t).x.tobytes() == system.trajectory(times=t).x.tobytes()
    constant = system.with_initial([1.0])
    assert constant != system
    assert constant.trajectory(times=t).x.tobytes() == system.trajectory(times=t, initial=[1.0]).x.tobytes()
    with pytest.raises(ValueError, match='a flow has no "history"'):
        bst.System.from_text("x' = -x", initial=[1.0], history={"x": "cos(t)"})


# Events


@pytest.mark.parametrize("method", METHODS)
def test_events_of_a_delay_equation(method: str) -> None:
    """cos(t) vanishes at odd multiples of pi/2, and is -1/2 for the first time at 2 pi/3."""
    events = COSINE.events("x", n=6, history="cos(t)", method=method)
    np.testing.assert_allclose(events.t, (np.arange(6) + 0.5) * math.pi, atol=2e-11)
    assert events.directions.tolist() == [-1, 1] * 3
    run = COSINE.trajectory(100, dt=0.1, stop="x = -1/2", history="cos(t)", method=method)
    assert run.outcome == "stopped"
    assert run.stop_time == pytest.approx(2 * math.pi / 3, abs=2e-11)
    assert run.past is None


# Refusals


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (lambda t: [1.0, 2.0], r"shape \(2,\) at t = .*1 state variable: x"),
        (lambda t: math.nan, "not finite at t = "),
        (lambda t: math.sin(1e9 * t), "more than 1024 polynomials"),
        ("log(t)", "not finite at the start"),
        ("sqrt(-1 - t)", "not finite at the start"),
        ("sqrt(t + 1)", "history of x is NaN or has no series at t = -1.57"),
        ("x", "made of t and parameters alone"),
        ("cos(", "never closed"),
        ({"y": "1"}, 'unknown state variable "y"'),
        ({}, "the history lacks x"),
        ([1, 2], "2 expressions, but cosine has 1 state variable"),
        ({"x": True}, "must be an expression of t in quotes, not True"),
        (bst.system("Lorenz").trajectory(5), "cannot be continued"),
        (RELAX.trajectory(100, dt=0.1)[10:20], "cannot be continued"),
    ],
)
def test_wrong_histories(history: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        COSINE.trajectory(10, history=history)


def test_wrong_calls() -> None:
    with pytest.raises(ValueError, match="Lorenz is a flow, which has no history"):
        bst.system("Lorenz").trajectory(10, history="cos(t)")
    with pytest.raises(ValueError, match="extended precision is for flows and maps, not a delay system"):
        COSINE.trajectory(10, precision="extended")
    with pytest.raises(ValueError, match="without delayed terms"):
        COSINE.events("x - x(t - 1)", n=1)
    two = bst.System.from_text("x' = -y(t - 1); y' = x", initial=[1.0, 0.0], period=1.0)
    with pytest.raises(ValueError, match="must map each variable to an expression of t"):
        two.trajectory(10, history="cos(t)")
    with pytest.raises(ValueError, match=r"has 1 columns, but .* 2 state variables: x, y"):
        two.trajectory(10, history=RELAX.trajectory(100, dt=0.1))
    with pytest.raises(ValueError, match=r"ends at t = 9.9: list times from there on"):
        RELAX.trajectory(times=[1.0, 2.0], history=RELAX.trajectory(100, dt=0.1))


def test_kinks_and_jumps_are_left_to_runge_kutta() -> None:
    """x' = -sign(x(t - 1)) from 1/2 is a zigzag: -t + 1/2 until 1.5, where the past changed sign, and so on."""
    system = bst.System.from_text("x' = -sign(x(t - 1))", initial=[0.5], period=4.0)
    run = system.trajectory(times=[0.0, 1.0, 1.5, 2.0, 3.5])
    assert run.method == "dop853"
    np.testing.assert_allclose(run["x"], [0.5, -0.5, -1.0, -0.5, 1.0], atol=2e-11)
    with pytest.raises(ValueError, match='method "taylor" does not apply'):
        system.trajectory(10, method="taylor")
