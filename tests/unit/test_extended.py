"""Runs in numbers of two doubles, against forty digits of mpmath, and the horizon of precision that they prove."""

import numpy as np
import pytest

import bestiary as bst
from bestiary.exceptions import RequestError
from bestiary.precision import departure

mp = pytest.importorskip("mpmath")
mp.mp.dps = 45

# A few rounding errors of 2^-104, and what the conditioning of a function at the points below adds to them.
CLOSE = mp.mpf(2) ** -99

FUNCTIONS = {
    "exp": (mp.exp, -30, 30),
    "log": (mp.log, 1e-3, 50),
    "sqrt": (mp.sqrt, 1e-3, 50),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), -20, 20),
    "sin": (mp.sin, -100, 100),
    "cos": (mp.cos, -100, 100),
    "tan": (mp.tan, -1.5, 1.5),
    "asin": (mp.asin, -0.99, 0.99),
    "acos": (mp.acos, -0.99, 0.99),
    "atan": (mp.atan, -20, 20),
    "sinh": (mp.sinh, -10, 10),
    "cosh": (mp.cosh, -10, 10),
    "tanh": (mp.tanh, -10, 10),
    "exprel": (lambda x: mp.expm1(x) / x, -5, 5),
}


def whole(run: bst.Trajectory, row: int, column: int = 0) -> "mp.mpf":
    """A sample with all its digits."""
    assert run.low is not None
    return mp.mpf(float(run.x[row, column])) + mp.mpf(float(run.low[row, column]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_thirty_digits(name: str) -> None:
    exact, low, high = FUNCTIONS[name]
    system = bst.System.from_text(f"next(x) = {name}(x)", initial=[1.0])
    points = [*np.random.default_rng(1).uniform(low, high, 40), *(np.array([1e-9, 0.01]) + max(low, 0.0))]
    for x in points:
        run = system.trajectory(2, initial=[x], precision="extended")
        value = exact(mp.mpf(float(x)))
        assert abs(whole(run, 1) - value) <= CLOSE * max(abs(value), mp.mpf(2) ** -60), x


@pytest.mark.parametrize("text", ["atan2(x, 0.7)", "atan2(x, -0.7)", "(x^2 + 1)^x", "1/(x + 3)", "x^5 - 2*x^2"])
def test_functions_of_two_arguments_and_arithmetic(text: str) -> None:
    exact = {
        "atan2(x, 0.7)": lambda x: mp.atan2(x, mp.mpf(0.7)),
        "atan2(x, -0.7)": lambda x: mp.atan2(x, mp.mpf(-0.7)),
        "(x^2 + 1)^x": lambda x: (x**2 + 1) ** x,
        "1/(x + 3)": lambda x: 1 / (x + 3),
        "x^5 - 2*x^2": lambda x: x**5 - 2 * x**2,
    }[text]
    system = bst.System.from_text(f"next(x) = {text}", initial=[1.0])
    for x in np.random.default_rng(2).uniform(-2, 2, 20):
        value = exact(mp.mpf(float(x)))
        run = system.trajectory(2, initial=[x], precision="extended")
        assert abs(whole(run, 1) - value) <= 64 * CLOSE * max(abs(value), 1)


def test_an_oscillator_keeps_thirty_digits() -> None:
    system = bst.System.from_text("x' = y; y' = -x", initial=[0.3, 0.7])
    run = system.trajectory(dt=25.0, n=2, precision="extended")
    exact = mp.mpf(0.3) * mp.cos(25) + mp.mpf(0.7) * mp.sin(25)
    assert abs(whole(run, 1) - exact) < mp.mpf(10) ** -29
    assert run.method == "taylor"
    assert run.outcome == "ok"


def test_every_instruction_of_the_series_agrees_with_doubles() -> None:
    """A right-hand side with every kind of operation, where doubles and extended numbers see the same flow."""
    text = """
    x' = a*x*y - x/(2 + y^2) + (3 - x)*b + sin(x + t) - 1/(a + 4)
    y' = -y + a/(3 + x^2) + exp(-x^2)*y - b*x - atan2(x, 3 + y) + (2 + x^2)^(b*y) - a
    """
    system = bst.System.from_text(text, parameters={"a": 0.7, "b": 0.2}, initial=[0.4, -0.3])
    double = system.trajectory(dt=0.25, n=13, rtol=1e-14)
    extended = system.trajectory(dt=0.25, n=13, precision="extended")
    assert np.abs(double.x - extended.x).max() < 1e-12
    finer = system.trajectory(dt=0.25, n=13, precision="extended", rtol=1e-24)
    assert finer.low is not None
    assert extended.low is not None
    difference = (finer.x - extended.x) + (finer.low - extended.low)
    assert 0 < np.abs(difference).max() < 1e-22


def test_lorenz_agrees_with_itself_twice_as_long_as_doubles_can() -> None:
    lorenz = bst.system("Lorenz")
    truth = lorenz.trajectory(dt=0.1, n=700, precision="extended")
    coarser = lorenz.trajectory(dt=0.1, n=700, precision="extended", rtol=1e-28)
    double = lorenz.trajectory(dt=0.1, n=700)
    assert departure(coarser, truth) > 1.9 * departure(double, truth)


def test_angles_and_stops() -> None:
    pendulum = bst.System.from_text("a' = w; w' = -sin(a)", initial=[3.0, 1.0], periods={"a": "2*pi"})
    run = pendulum.trajectory(dt=1.0, n=40, precision="extended")
    assert (np.abs(run.x[:, 0]) <= np.pi).all()
    assert np.allclose(run.x, pendulum.trajectory(dt=1.0, n=40).x, atol=1e-9)
    pole = bst.System.from_text("x' = x^2", initial=[1.0])
    stopped = pole.trajectory(dt=0.3, n=6, precision="extended")
    assert stopped.outcome in ("diverged", "stalled")
    assert abs(stopped.stop_time - 1.0) < 1e-5
    assert np.isfinite(stopped.x[:4]).all()
    assert np.isnan(stopped.x[4:]).all()
    assert pole.trajectory(dt=0.1, n=9, precision="extended", max_steps=2).outcome == "out of steps"


def test_members_are_the_same_alone_and_together() -> None:
    lorenz = bst.system("Lorenz")
    states = lorenz.sample_initial(3)
    together = lorenz.ensemble(initial=states, n=20, precision="extended", threads=2)
    for i, state in enumerate(states):
        assert (together.x[i] == lorenz.trajectory(20, initial=state, precision="extended").x).all()


def test_what_it_is_not_for() -> None:
    with pytest.raises(ValueError, match="smooth"):
        bst.system("Chua").trajectory(10, precision="extended")
    with pytest.raises(ValueError, match="flows and maps"):
        bst.system("MackeyGlass").trajectory(10, precision="extended")
    with pytest.raises(ValueError, match="taylor"):
        bst.system("Lorenz").trajectory(10, precision="extended", method="dop853")
    with pytest.raises(ValueError, match='did you mean "extended"'):
        bst.system("Lorenz").trajectory(10, precision="extendd")
    with pytest.raises(RequestError, match="1e-30"):
        bst.system("Lorenz").trajectory(10, precision="extended", rtol=1e-31)


def test_horizons_of_other_methods_and_maps() -> None:
    chua = bst.system("Chua")
    coarse, fine = (chua.trajectory(3000, rtol=rtol).precision_horizon() for rtol in (1e-6, 1e-10))
    assert coarse < fine < np.inf
    assert bst.system("Tent").trajectory(200).precision_horizon() < 60
    assert bst.system("Lorenz").trajectory(20).precision_horizon() == np.inf
    euler = bst.system("Lorenz").trajectory(dt=0.01, n=3000, method="rk4", step=0.01)
    assert euler.precision_horizon() < bst.system("Lorenz").trajectory(dt=0.01, n=3000).precision_horizon()


def test_a_horizon_needs_a_whole_run() -> None:
    run = bst.system("Lorenz").trajectory(100)
    with pytest.raises(RequestError, match="whole trajectory"):
        run[10:].precision_horizon()
    with pytest.raises(RequestError, match="none finer"):
        bst.system("Lorenz").trajectory(10, precision="extended").precision_horizon()
    with pytest.raises(RequestError, match="noisy"):
        bst.system("DoubleWell").trajectory(10).precision_horizon()


TWENTY = [
    *("Aizawa", "Arneodo", "BurkeShaw", "Chen", "Dadras", "DoublePendulum", "Duffing", "GenesioTesi", "Halvorsen"),
    *("HyperRossler", "Lorenz", "Lorenz96", "LorenzStenflo", "NoseHoover", "RabinovichFabrikant", "Rossler"),
    *("SprottB", "SprottK", "Thomas", "VallisElNino"),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", TWENTY)
def test_the_horizon_is_where_the_truth_departs(name: str) -> None:
    """The stated horizon is within 20 % of the time at which the run leaves the solution in extended precision."""
    system = bst.system(name)
    n = 4000
    while True:
        run = system.trajectory(n, per_period=20)
        stated = run.precision_horizon()
        if np.isfinite(stated):
            break
        n *= 2
    n = int(1.3 * stated / run.t[1]) + 2
    truth = system.trajectory(n, per_period=20, precision="extended", rtol=1e-25)
    measured = departure(system.trajectory(n, per_period=20), truth)
    assert abs(stated - measured) <= 0.2 * measured
