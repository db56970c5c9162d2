"""Symplectic methods: orders, energy over a million periods, reversibility, symplecticity, what separates."""

import numpy as np
import pytest

import bestiary as bst

METHODS = {"symplectic4": 4, "symplectic8": 8}
PENDULUM = bst.System.from_text("q' = p; p' = -sin(q)", initial=[2.0, 0.0], name="pendulum", period=8.3498)
# Two coupled oscillators whose kinetic energy mixes the momenta, and whose potential mixes the positions.
MIXED = bst.System.from_text(
    "x' = 2*u + v/2; y' = v + u/2; u' = -x - 2*x*y - 0.3*y - x^3; v' = -y - x^2 - 0.3*x - y^3",
    initial=[0.3, 0.1, 0.0, 0.2],
    name="mixed",
    period=6.0,
)


def pendulum_energy(x: np.ndarray) -> np.ndarray:
    # 1 - cos q = 2 sin(q/2)^2, without cancellation.
    return x[..., 1] ** 2 / 2 + 2 * np.sin(x[..., 0] / 2) ** 2


def mixed_energy(x: np.ndarray) -> np.ndarray:
    q, w, u, v = np.moveaxis(x, -1, 0)
    return u**2 + v**2 / 2 + u * v / 2 + (q**2 + w**2) / 2 + q**2 * w + 0.3 * q * w + (q**4 + w**4) / 4


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("system", [PENDULUM, MIXED], ids=["pendulum", "mixed"])
@pytest.mark.parametrize("method", METHODS)
def test_orders(method: str, system: bst.System, between: bool) -> None:
    """At the steps, and between them by the interpolants, whose errors have the same order."""
    order = METHODS[method]
    times = np.arange(1, 26) * 0.8 + (0.11 if between else 0.0)
    truth = system.trajectory(times=times, rtol=1e-15, atol=1e-17).x
    steps = 0.4 / 2.0 ** np.arange(2 if order == 8 else 5)[-4:]
    errors = [np.abs(system.trajectory(times=times, method=method, step=h).x - truth).max() for h in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.6)
    fine = system.trajectory(times=times, method=method, step=0.8 / 2 ** (10 if order == 4 else 5)).x
    np.testing.assert_allclose(fine, truth, atol=1e-9 if order == 4 else 1e-13)


@pytest.mark.parametrize(("method", "per_period", "periods"), [("symplectic4", 10, 1e6), ("symplectic8", 6, 1e5)])
def test_energy_over_a_million_periods(method: str, per_period: int, periods: float) -> None:
    """The error in the last hundred of a million periods is that in the first hundred: it swings, and does not grow."""
    period = PENDULUM.period
    early = np.linspace(0, 100, 2001) * period
    times = np.concatenate([early, (periods - 100) * period + early])
    run = PENDULUM.trajectory(times=times, method=method, step=period / per_period)
    assert run.outcome == "ok"
    error = np.abs(pendulum_energy(run.x) - pendulum_energy(run.x[0]))
    first, last = error[:2001].max(), error[2001:].max()
    assert last == pytest.approx(first, rel=0.05)


def test_rounding_errors_do_not_drift() -> None:
    """With small steps only rounding is left; after 5000 periods it is below a hundred units in the last place."""
    times = np.linspace(0, 5000, 3001) * PENDULUM.period
    run = PENDULUM.trajectory(times=times, method="symplectic8", step=PENDULUM.period / 100)
    error = np.abs(pendulum_energy(run.x) - pendulum_energy(run.x[0]))
    assert error.max() < 100 * np.finfo(float).eps * pendulum_energy(run.x[0])


@pytest.mark.parametrize("method", METHODS)
def test_reversibility(method: str) -> None:
    """Momenta turned round after 200 long steps, the way leads back to the start."""
    there = MIXED.trajectory(times=[60.0], method=method, step=0.3)
    back = MIXED.trajectory(times=[60.0], method=method, step=0.3, initial=there.x[-1] * [1, 1, -1, -1])
    np.testing.assert_allclose(back.x[-1] * [1, 1, -1, -1], MIXED.initial, atol=1e-11)


def one_step_map(system: bst.System, method: str, step: float) -> np.ndarray:
    """The Jacobian of a step by differences of order 4, good to about 1e-12."""
    d, h = system.dimension, 1e-3
    offsets = h * np.concatenate([k * np.eye(d) for k in (-2, -1, 1, 2)])
    x = system.ensemble(initial=system.initial + offsets, times=[step], method=method, step=step).x[:, 0]
    a, b, c, e = x.reshape(4, d, d)
    return np.asarray((a - 8 * b + 8 * c - e) / (12 * h)).T


@pytest.mark.parametrize("system", [PENDULUM, MIXED], ids=["pendulum", "mixed"])
def test_symplecticity(system: bst.System) -> None:
    """J' Omega J = Omega for a step so long that rk4 breaks it plainly."""
    d = system.dimension // 2
    omega = np.block([[np.zeros((d, d)), np.eye(d)], [-np.eye(d), np.zeros((d, d))]])
    for method in METHODS:
        jacobian = one_step_map(system, method, 0.5)
        np.testing.assert_allclose(jacobian.T @ omega @ jacobian, omega, atol=1e-9)
    jacobian = one_step_map(system, "rk4", 0.5)
    assert np.abs(jacobian.T @ omega @ jacobian - omega).max() > 1e-6


def test_a_driven_pendulum() -> None:
    """Time may move the momenta: the order is kept."""
    driven = bst.System.from_text(
        "q' = p; p' = -sin(q)*(1 + 0.3*cos(2*t)) + 0.1*sin(t)", initial=[1.0, 0.0], period=6.28
    )
    times = np.arange(1, 21) * 0.5
    truth = driven.trajectory(times=times, rtol=1e-15, atol=1e-17).x
    for method, order in METHODS.items():
        errors = [np.abs(driven.trajectory(times=times, method=method, step=h).x - truth).max() for h in (0.25, 0.125)]
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.8)


@pytest.mark.parametrize(
    "text",
    [
        "p' = -sin(q); q' = p",
        "a' = b; c' = d; b' = -a - c; d' = -c - a",
        "a' = b; b' = -a + c; c' = d; d' = -c + a",
        "a' = d; c' = b; b' = -c; d' = -a^3",
    ],
)
def test_the_order_of_the_variables_does_not_matter(text: str) -> None:
    """Positions and momenta are found by what they depend on."""
    names = bst.System.from_text(text).names
    system = bst.System.from_text(text, initial=np.linspace(0.2, 0.5, len(names)), period=6.28)
    run, truth = (system.trajectory(times=[5.0], method=m, step=0.02) for m in ("symplectic8", "taylor"))
    np.testing.assert_allclose(run.x, truth.x, atol=1e-11)


@pytest.mark.parametrize("name", ["HenonHeiles", "FermiPastaUlamTsingou", "NuclearQuadrupole"])
def test_the_catalogue(name: str) -> None:
    system = bst.system(name)
    times = np.linspace(0, 5 * system.period, 20)
    run, truth = (system.trajectory(times=times, method=method) for method in ("symplectic8", "taylor"))
    np.testing.assert_allclose(run.x, truth.x, atol=1e-8)


def test_lanes_and_threads_give_the_same_bits() -> None:
    x0 = MIXED.initial + 0.01 * np.random.default_rng(0).normal(size=(21, 4))
    options = dict(dt=0.7, n=40, method="symplectic8", step=0.1)
    one = MIXED.ensemble(initial=x0, threads=1, **options)
    assert MIXED.ensemble(initial=x0, threads=2, **options).x.tobytes() == one.x.tobytes()
    for i in (0, 9, 20):
        assert MIXED.trajectory(initial=x0[i], **options).x.tobytes() == one.x[i].tobytes()


def test_work_is_counted() -> None:
    run = PENDULUM.trajectory(times=[10.0], method="symplectic8", step=0.1)
    assert run.steps in (100, 101)
    assert run.evaluations == 17 * run.steps


def test_outcomes() -> None:
    escape = bst.System.from_text("q' = p; p' = q^3", initial=[1.0, 1.0], period=1.0)
    run = escape.trajectory(times=np.linspace(0, 10, 11), method="symplectic4", step=0.01)
    assert run.outcome == "diverged"
    assert np.isnan(run.x[-1]).all()
    edge = bst.System.from_text("q' = p; p' = -sqrt(q)", initial=[1.0, -1.0], period=1.0)
    assert edge.trajectory(times=[0, 5.0], method="symplectic8", step=0.01).outcome == "left domain"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x' = v; v' = -x - 0.1*v", "v' depends on v itself"),
        ("x' = v; v' = w; w' = x", "depend on one another through others"),
        ("x' = v; y' = v; v' = -x - y", r"positions \(x, y\) and momenta \(v\) differ in number"),
        ("x' = u; y' = v; u' = -y; v' = x", "not the gradients of one energy"),
        ("x' = v + cos(t); v' = -x + sin(t)", "time moves"),
    ],
)
def test_what_does_not_separate_is_refused(text: str, reason: str) -> None:
    system = bst.System.from_text(text, period=1.0)
    with pytest.raises(ValueError, match=f"an energy T.p. . V.q.: .*{reason}"):
        system.trajectory(3, method="symplectic4")


def test_other_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match='method "symplectic4" is not for a map'):
        bst.system("Henon").trajectory(3, method="symplectic4")
