"""
Smooth flows of the catalogue against SciPy's DOP853, and our methods against each other, for five Lyapunov times.

Two correct runs at tolerance e differ by what chaos makes of their local errors. How much that is, is measured: runs
from initial states 1e-9 apart tell by which factor a difference grows from any time s to any later time t. The contract
allows a method ten times its tolerance where nothing grows, so two runs may differ by 2 * 10 * e times the
growth. A method that misses its tolerance, or a wrong sign in the tenth term of an equation, is far outside.
"""

import functools
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bestiary as bst

SMOOTH = [name for name in bst.systems(kind="flow")["name"] if bst.system(name).is_smooth]
# Polynomial, rational, transcendental, driven, with angles, Hamiltonian, a ring, stiff.
SAMPLE = ["Lorenz", "HastingsPowell", "Thomas", "Duffing", "DoublePendulum", "HenonHeiles", "Lorenz96", "JerkCircuit"]
SLOW = [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in SMOOTH]
METHODS = ("taylor", "dop853", "tsit5")
RTOL, SCIPY_RTOL = 1e-12, 1e-13
CONTRACT = 10.0
APART = 1e-9
SAMPLES = 60


def span(system: bst.System) -> float:
    """Five Lyapunov times; five periods where nothing grows."""
    try:
        return 5 * system.lyapunov_time
    except ValueError:
        return 5 * system.period


def difference(system: bst.System, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a - b, of angles modulo their period."""
    apart = a - b
    periods = system.core.periods()
    angles = np.isfinite(periods)
    apart[..., angles] -= periods[angles] * np.rint(apart[..., angles] / periods[angles])
    return apart


@functools.lru_cache(maxsize=128)
def ours(name: str) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Times, a run by each method, the scale of each variable, and the tolerated difference at each time."""
    system = bst.system(name)
    t = np.linspace(0, span(system), SAMPLES)
    runs = {method: system.trajectory(times=t, method=method, rtol=RTOL) for method in METHODS}
    assert {run.outcome for run in runs.values()} == {"ok"}
    x = runs["taylor"].x
    scale = np.abs(x).max(axis=0)
    scale[scale == 0] = 1.0
    directions = np.random.default_rng(1).normal(size=(8, system.dimension))
    twins = system.ensemble(
        initial=np.vstack([x[0], x[0] + APART * scale * directions]), times=t, method="dop853", rtol=RTOL
    )
    apart = np.abs(difference(system, twins.x[1:], twins.x[0]) / scale).max(axis=2)
    # The factor from the most contracted moment so far to now, the worst direction counting.
    growth = (apart / np.minimum.accumulate(apart, axis=1)).max(axis=0)
    tolerance = RTOL + float(np.max(1e-12 / scale))
    allowed = 2 * CONTRACT * tolerance * np.maximum.accumulate(growth)
    return t, {method: run.x for method, run in runs.items()}, scale, allowed


def excess(name: str, a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference in units of the allowed one, while that is below a hundredth of the attractor."""
    t, _, scale, allowed = ours(name)
    apart = np.abs(difference(bst.system(name), a, b) / scale).max(axis=1)
    meaningful = allowed < 0.01
    assert t[meaningful][-1] > t[-1] / 5, "points can be compared for less than one Lyapunov time"
    return float((apart / allowed)[meaningful].max())


def scipy_run(name: str) -> np.ndarray:
    system = bst.system(name)
    t = ours(name)[0]
    core, p = system.core, system.core.parameter_values

    def rhs(time: float, x: np.ndarray) -> np.ndarray:
        return core.rhs(x[None], np.array([time]), p)[0]

    solution = solve_ivp(
        rhs, (0.0, t[-1]), system.initial, method="DOP853", t_eval=t, rtol=SCIPY_RTOL, atol=SCIPY_RTOL * ours(name)[2]
    )
    assert solution.success
    return solution.y.T


@pytest.mark.parametrize(("a", "b"), [("taylor", "dop853"), ("taylor", "tsit5"), ("dop853", "tsit5")])
@pytest.mark.parametrize("name", SLOW)
def test_methods_agree(name: str, a: str, b: str) -> None:
    runs = ours(name)[1]
    assert excess(name, runs[a], runs[b]) < 1


@pytest.mark.parametrize("name", SLOW)
def test_scipy_agrees(name: str) -> None:
    reference = scipy_run(name)
    for method, x in ours(name)[1].items():
        assert excess(name, x, reference) < 1, method


def test_a_small_mistake_would_be_noticed() -> None:
    """The bound is tight enough for a parameter that is wrong in its tenth digit."""
    lorenz = bst.system("Lorenz")
    t, runs, _, _ = ours("Lorenz")
    rho = float(np.asarray(lorenz.parameters["rho"]))
    wrong = lorenz.with_parameters(rho=rho * (1 + 1e-9)).trajectory(times=t, rtol=RTOL)
    assert excess("Lorenz", wrong.x, runs["taylor"]) > 10
    assert math.isclose(t[-1], 5 / 0.9056, rel_tol=0.01)
