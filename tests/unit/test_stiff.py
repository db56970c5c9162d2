"""Stiff flows: published reference solutions, what `auto` does with them, lanes and threads, sparse networks."""

import numpy as np
import pytest

import bestiary as bst

# Reference solutions of the Test Set for Initial Value Problem Solvers (University of Bari, release 2.4), computed
# there by RADAU and RADAU5 with a unit round-off of 1e-19 and tolerances of 1.1e-18.
PROBLEMS = {
    "VanDerPol": (
        "x' = v; v' = mu*(1 - x^2)*v - x",
        {"mu": 1e3},
        [2.0, 0.0],
        2000.0,
        [0.1706167732170469e1, -0.8928097010248125e-3],
    ),
    "Oregonator": (
        "x' = 77.27*(y + x*(1 - 8.375e-6*x - y)); y' = (z - (1 + x)*y)/77.27; z' = 0.161*(x - z)",
        {},
        [1.0, 2.0, 3.0],
        360.0,
        [0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3],
    ),
    "Robertson": (
        "x' = -0.04*x + 1e4*y*z; y' = 0.04*x - 1e4*y*z - 3e7*y^2; z' = 3e7*y^2",
        {},
        [1.0, 0.0, 0.0],
        1e11,
        [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050],
    ),
    "HIRES": (
        """
        a' = -1.71*a + 0.43*b + 8.32*c + 0.0007
        b' = 1.71*a - 8.75*b
        c' = -10.03*c + 0.43*d + 0.035*e
        d' = 8.32*b + 1.71*c - 1.12*d
        e' = -1.745*e + 0.43*f + 0.43*g
        f' = -280*f*h + 0.69*d + 1.71*e - 0.43*f + 0.69*g
        g' = 280*f*h - 1.81*g
        h' = -280*f*h + 1.81*g
        """,
        {},
        [1.0, 0, 0, 0, 0, 0, 0, 0.0057],
        321.8122,
        [
            0.7371312573325668e-3,
            0.1442485726316185e-3,
            0.5888729740967575e-4,
            0.1175651343283149e-2,
            0.2386356198831331e-2,
            0.6238968252742796e-2,
            0.2849998395185769e-2,
            0.2850001604814231e-2,
        ],
    ),
}
# Variables fall far below 1, so the relative tolerance must rule.
ABSOLUTE = {"VanDerPol": 1e-3, "Oregonator": 1e-3, "Robertson": 1e-14, "HIRES": 1e-6}


def problem(name: str) -> tuple[bst.System, float, np.ndarray]:
    text, parameters, initial, end, reference = PROBLEMS[name]
    system = bst.System.from_text(text, parameters=parameters, initial=initial, name=name, period=1.0)
    return system, end, np.array(reference)


@pytest.mark.parametrize("method", ["rodas5p", "auto"])
@pytest.mark.parametrize("rtol", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("name", PROBLEMS)
def test_published_solutions(name: str, rtol: float, method: str) -> None:
    """To ten tolerances, and for the shortest steps the rounding errors of some ten thousand of them."""
    system, end, reference = problem(name)
    run = system.trajectory(times=[end], method=method, rtol=rtol, atol=rtol * ABSOLUTE[name])
    assert run.outcome == "ok"
    np.testing.assert_allclose(run.x[-1], reference, rtol=10 * rtol)


@pytest.mark.parametrize("name", PROBLEMS)
def test_auto_says_that_it_switched(name: str) -> None:
    system, end, _ = problem(name)
    run = system.trajectory(times=[end], rtol=1e-9, atol=1e-9 * ABSOLUTE[name])
    assert run.method == "taylor, then rodas5p"
    assert "taylor, then rodas5p" in repr(run)
    # It costs no more than the stiff method alone; the explicit one would need a million steps and more.
    alone = system.trajectory(times=[end], rtol=1e-9, atol=1e-9 * ABSOLUTE[name], method="rodas5p")
    assert run.steps + run.rejected < 1.1 * (alone.steps + alone.rejected) + 100


@pytest.mark.parametrize("name", ["Lorenz", "ForcedVanDerPol", "DoublePendulum", "Rossler", "HastingsPowell"])
def test_auto_keeps_what_is_not_stiff(name: str) -> None:
    """And computes it as if there were nothing to switch to."""
    system = bst.system(name)
    run, taylor = system.trajectory(500), system.trajectory(500, method="taylor")
    assert run.method == "taylor"
    assert run.x.tobytes() == taylor.x.tobytes()


def test_a_kinked_stiff_flow() -> None:
    """dop853 hands over as well. x follows |sin t| to within 1/k, y = x at double the speed."""
    stiff = bst.System.from_text("x' = -1e5*(x - abs(sin(t))); y' = x", initial=[0.0, 0.0], period=1.0)
    run = stiff.trajectory(times=[np.pi, 2 * np.pi, 10.5 * np.pi], rtol=1e-8, atol=1e-8)
    assert run.method == "dop853, then rodas5p"
    # Over a half turn y grows by 2 less the change of x, over 1e5.
    np.testing.assert_allclose(run["y"] + 1e-5 * run["x"], [2.0, 4.0, 21.0], atol=1e-6)
    assert run.steps < 30_000


def test_samples_between_steps() -> None:
    """x' = -k (x - cos t) has the solution (k^2 cos t + k sin t)/(1 + k^2) once the start is forgotten."""
    k = 1e4
    system = bst.System.from_text("x' = -k*(x - cos(t))", parameters={"k": k}, initial=[0.0], period=1.0)
    times = np.linspace(1, 10, 2000)
    exact = (k**2 * np.cos(times) + k * np.sin(times)) / (1 + k**2)
    for rtol in (1e-5, 1e-8, 1e-11):
        run = system.trajectory(times=times, rtol=rtol, atol=rtol, method="rodas5p")
        assert np.abs(run["x"] - exact).max() < 10 * rtol * 2


@pytest.mark.parametrize("method", ["rodas5p", "auto"])
def test_lanes_and_threads_give_the_same_bits(method: str) -> None:
    """Members differ in stiffness, so that both methods are at work side by side, for stretches of their own."""
    system, _, _ = problem("VanDerPol")
    mu = np.geomspace(0.5, 2e3, 21)
    times = np.linspace(0, 40, 50)
    options = dict(times=times, rtol=1e-8, atol=1e-10, method=method)
    one = system.ensemble(initial=[2.0, 0.0], parameters={"mu": mu}, threads=1, **options)
    two = system.ensemble(initial=[2.0, 0.0], parameters={"mu": mu}, threads=2, **options)
    assert one.x.tobytes() == two.x.tobytes()
    if method == "auto":
        assert set(one.methods) == {"taylor", "taylor, then rodas5p"}
        assert one.method == "taylor; taylor, then rodas5p"
        assert one[2:5].methods == one.methods[2:5]
    for i in range(0, 21, 4):
        alone = system.with_parameters(mu=mu[i]).trajectory(initial=[2.0, 0.0], **options)
        assert alone.x.tobytes() == one.x[i].tobytes()
        assert (alone.steps, alone.rejected, alone.evaluations) == (one[i].steps, one[i].rejected, one[i].evaluations)
        assert alone.method == one.methods[i] == one[i].method


def test_a_network_of_stiff_reactions() -> None:
    """
    The Brusselator on a line of 50 cells (Hairer & Wanner 1996, IV.10), whose Jacobian has eight entries a cell.

    Compared with SciPy's Radau at a tighter tolerance.
    """
    from scipy.integrate import solve_ivp
    from scipy.sparse import diags

    n, alpha = 50, 0.02 * 51**2
    system = bst.System.from_text(
        """
        u[i]' = 1 + u[i]^2*v[i] - 4*u[i] + a*(where(i < 2, 1, u[i - 1]) - 2*u[i] + where(i > n - 1, 1, u[i + 1]))
        v[i]' = 3*u[i] - u[i]^2*v[i] + a*(where(i < 2, 3, v[i - 1]) - 2*v[i] + where(i > n - 1, 3, v[i + 1]))
        """,
        parameters={"a": alpha},
        structure={"n": n},
        initial={
            "u": (1 + np.sin(2 * np.pi * np.arange(1, n + 1) / (n + 1))).tolist(),
            "v": [3.0] * n,
        },
        period=1.0,
    )
    run = system.trajectory(times=[10.0], rtol=1e-8, atol=1e-8)
    assert run.method.endswith("then rodas5p")

    bands = np.ones((2 * n, 2 * n))
    near = diags([1.0, 1.0, 1.0], [-1, 0, 1], shape=(n, n)).toarray()
    bands = np.block([[near, np.eye(n)], [np.eye(n), near]])

    def rhs(t: float, state: np.ndarray) -> np.ndarray:
        u, v = state[:n], state[n:]
        wide, tall = np.concatenate([[1], u, [1]]), np.concatenate([[3], v, [3]])
        return np.concatenate(
            [
                1 + u**2 * v - 4 * u + alpha * (wide[:-2] - 2 * u + wide[2:]),
                3 * u - u**2 * v + alpha * (tall[:-2] - 2 * v + tall[2:]),
            ]
        )

    peer = solve_ivp(rhs, (0, 10), system.initial, "Radau", rtol=1e-10, atol=1e-10, jac_sparsity=bands)
    np.testing.assert_allclose(run.x[-1], peer.y[:, -1], atol=1e-6)


def test_outcomes_of_the_stiff_method() -> None:
    burst = bst.System.from_text("x' = x^2", initial=[1.0], period=1.0)
    run = burst.trajectory(times=np.linspace(0, 2, 21), method="rodas5p", rtol=1e-8)
    assert run.outcome == "diverged"
    assert run.stop_time == pytest.approx(1.0, rel=1e-6)
    root = bst.System.from_text("x' = -sqrt(x) - 1", initial=[1.0], period=1.0)
    run = root.trajectory(times=np.linspace(0, 1, 11), method="rodas5p", rtol=1e-8)
    assert run.outcome == "left domain"
    assert run.stop_time == pytest.approx(2 - 2 * np.log(2), abs=1e-3)
