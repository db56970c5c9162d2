"""
Noise of several processes, Ito's sense and Stratonovich's, paths that refine, orders of convergence.

Strong order: the slope of the log of the mean distance, on the same paths, against the log of the step. Distances of m
paths scatter by about their own size, so that a mean is known to 1/sqrt(m) of itself and, with five halvings, the slope
to about 0.5/sqrt(m); the bounds leave room for the next order of the error at the coarsest step as well.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest

import bestiary as bst

FIVE = 5
M = 2000
STEPS = 2.0 ** -np.arange(4, 10)


def stochastic(text: str, initial: list[float], **options: object) -> bst.System:
    return bst.System.from_text(text, initial=initial, kind="stochastic", period=1.0, **options)  # type: ignore[arg-type]


def ends(
    system: bst.System, step: float, *, m: int = M, t: float = 1.0, seed: int = 1, method: str = "auto"
) -> np.ndarray:
    start = np.tile(system.initial, (m, 1))
    return system.ensemble(initial=start, times=[t], step=step, seed=seed, method=method, threads=1).x[:, 0]


def slope(errors: list[float]) -> float:
    return float(np.polyfit(np.log(STEPS), np.log(errors), 1)[0])


# x with a companion w that is the path itself, so that the exact solution on this path is known.
MU, SIGMA = 0.3, 0.7
GBM = "x' = mu*x; w' = 0; noise(x, W) = sigma*x; noise(w, W) = 1"
VALUES = {"mu": MU, "sigma": SIGMA}


@pytest.mark.parametrize("interpretation", ["ito", "stratonovich"])
def test_geometric_brownian_motion_has_strong_order_one(interpretation: str) -> None:
    """x = exp(mu t + sigma W) in Stratonovich's sense; in Ito's, mu - sigma^2/2 in place of mu."""
    system = stochastic(GBM, [1.0, 0.0], parameters=VALUES, interpretation=interpretation)
    rate = MU - (SIGMA**2 / 2 if interpretation == "ito" else 0.0)
    errors = []
    for step in STEPS:
        x, w = ends(system, step).T
        errors.append(np.abs(x - np.exp(rate + SIGMA * w)).mean())
    assert slope(errors) == pytest.approx(1.0, abs=0.06)
    euler = [np.abs(np.subtract(*_exact(system, step, rate))).mean() for step in STEPS]
    assert slope(euler) == pytest.approx(0.5, abs=0.06)


def _exact(system: bst.System, step: float, rate: float) -> tuple[np.ndarray, np.ndarray]:
    x, w = ends(system, step, method="euler_maruyama").T
    return x, np.exp(rate + SIGMA * w)


def test_commuting_noise_of_two_processes_has_strong_order_one() -> None:
    """Rotation by one process, growth by the other: x + iy = exp((a + ib) t + i s V + r W) in Stratonovich's sense."""
    text = (
        "x' = a*x - b*y; y' = a*y + b*x; v' = 0; w' = 0; noise(v, V) = 1; noise(w, W) = 1;"
        "noise(x, V) = -s*y; noise(y, V) = s*x; noise(x, W) = r*x; noise(y, W) = r*y"
    )
    values = {"a": 0.2, "b": 1.0, "s": 0.6, "r": 0.4}
    system = stochastic(text, [1.0, 0.0, 0.0, 0.0], parameters=values, interpretation="stratonovich")
    errors = []
    for step in STEPS:
        x, y, v, w = ends(system, step).T
        exact = np.exp(0.2 + 1.0j + 0.6j * v + 0.4 * w)
        errors.append(np.abs(x + 1j * y - exact).mean())
    assert system.trajectory(2).method == "milstein"
    assert slope(errors) == pytest.approx(1.0, abs=0.06)


def test_noise_that_does_not_commute_has_strong_order_one_half() -> None:
    """dx = dV, dy = dW, dz = x dW - y dV, z being twice Levy's area; against steps a thirty-second of the finest."""
    text = "x' = 0; y' = 0; z' = 0; noise(x, V) = 1; noise(y, W) = 1; noise(z, W) = x; noise(z, V) = -y"
    system = stochastic(text, [0.0, 0.0, 0.0])
    assert system.trajectory(2).method == "euler_maruyama"
    exact = ends(system, STEPS[-1] / 32, m=500)
    errors = [np.abs(ends(system, step, m=500) - exact)[:, 2].mean() for step in STEPS]
    assert slope(errors) == pytest.approx(0.5, abs=0.08)
    with pytest.raises(ValueError, match=r'V and W .* use "euler_maruyama"'):
        system.trajectory(2, method="milstein")


def test_additive_noise_has_strong_order_one() -> None:
    """x' = -x^3 + x, with noise that changes in time; against a run of a thirty-second of the finest step."""
    system = stochastic("x' = x - x^3; noise(x) = 0.5 + 0.3*sin(3*t)", [0.5])
    exact = ends(system, STEPS[-1] / 32, m=500)
    errors = [np.abs(ends(system, step, m=500) - exact).mean() for step in STEPS]
    assert slope(errors) == pytest.approx(1.0, abs=0.08)


def test_weak_orders_of_moments() -> None:
    """
    Mean and second moment, free of sampling error: by the exact averages of one step over the increment.

    Of a linear system one step multiplies the moments by numbers that the mean over paths must approach. The mean of
    geometric Brownian motion is exact to order 4 (its noise has mean zero), the second moment to weak order 1; the
    stationary variance of the Ornstein-Uhlenbeck process to order 2.
    """
    theta, sigma, m = 1.5, 0.8, 40_000
    system = stochastic("x' = -theta*x; noise(x) = sigma", [0.0], parameters={"theta": theta, "sigma": sigma})
    for step in (0.5, 0.25):
        # x -> q (x + k) + k, k half the noise of a step: variance k^2 (1 + q)/(1 - q), with the q of Runge-Kutta.
        z = theta * step
        q = 1 - z + z**2 / 2 - z**3 / 6 + z**4 / 24
        scheme = sigma**2 * step / 4 * (1 + q) / (1 - q)
        found = ends(system, step, m=m, t=8.0).var()
        assert abs(found / scheme - 1) < FIVE * math.sqrt(2 / m)
        assert abs(scheme / (sigma**2 / (2 * theta)) - 1) < 0.12 * z**2
    growth = stochastic("x' = mu*x; noise(x) = sigma*x", [1.0], parameters=VALUES)
    defects = []
    for step in (0.25, 0.125):
        x = ends(growth, step, m=m)[:, 0]
        q = sum((MU * step) ** k / math.factorial(k) for k in range(5))
        mean, square = q, q**2 + SIGMA**2 * step + SIGMA**4 * step**2 / 2
        n = round(1 / step)
        assert abs(x.mean() - mean**n) < FIVE * x.std() / math.sqrt(m)
        assert abs((x**2).mean() - square**n) < FIVE * (x**2).std() / math.sqrt(m)
        defects.append(abs(square**n - math.exp(2 * MU + SIGMA**2)))
        assert mean**n == pytest.approx(math.exp(MU), rel=1e-5)
    assert defects[0] / defects[1] == pytest.approx(2.0, abs=0.3)


def test_ornstein_uhlenbeck_in_equilibrium() -> None:
    """
    Mean, variance and autocovariance over a run of many relaxation times.

    A mean over the time T has the variance 2 V tau/T (tau = 1/theta), a variance the relative error sqrt(2 tau/T), and
    the autocovariance no larger one than sqrt(2 tau/T)(1 + lag/tau), by Bartlett's formula.
    """
    theta, mu, sigma, n, dt = 1.0, 0.5, 0.8, 400_000, 0.05
    text = "x' = theta*(mu - x); noise(x) = sigma"
    system = stochastic(text, [0.5], parameters={"theta": theta, "mu": mu, "sigma": sigma})
    x = system.trajectory(n, dt=dt, step=dt, transient=10.0, seed=3)["x"]
    variance, unit = sigma**2 / (2 * theta), math.sqrt(2 / (theta * n * dt))
    bias = (theta * dt) ** 2 / 12 + 1e-3 / n
    assert abs(x.mean() - mu) < FIVE * math.sqrt(variance) * unit
    assert abs(x.var() / variance - 1) < FIVE * unit + bias
    for lag in (10, 20, 40):
        y = x - mu
        covariance = (y[lag:] * y[:-lag]).mean() / variance
        assert abs(covariance - math.exp(-theta * lag * dt)) < FIVE * unit * (1 + lag * dt) + bias


def test_stratonovich_is_ito_with_the_correction() -> None:
    """By the system's own conversion, and by hand; there and back again."""
    text = "x' = a*y - x^3; y' = -x; noise(x, W) = s*y^2; noise(y, W) = s*sin(x); noise(y) = s*y"
    system = stochastic(text, [0.3, 0.4], parameters={"a": 1.0, "s": 0.5}, interpretation="stratonovich")
    by_hand = (
        "x' = a*y - x^3 + s^2*y*sin(x); y' = -x + (s^2*cos(x)*y^2 + s^2*y)/2;"
        "noise(x, W) = s*y^2; noise(y, W) = s*sin(x); noise(y) = s*y"
    )
    ito = stochastic(by_hand, [0.3, 0.4], parameters={"a": 1.0, "s": 0.5})
    points = np.random.default_rng(0).normal(size=(20, 2))
    np.testing.assert_allclose(system.to_ito().rhs(points), ito.rhs(points), rtol=1e-13)
    np.testing.assert_allclose(ito.to_stratonovich().rhs(points), system.rhs(points), rtol=1e-12, atol=1e-13)
    runs = [one.trajectory(60, dt=0.05, step=0.01, seed=4) for one in (system, system.to_ito(), ito)]
    assert runs[0].method == "euler_maruyama"
    for run in runs[1:]:
        np.testing.assert_allclose(run.x, runs[0].x, atol=1e-11)
    assert system.to_ito().to_ito() == system.to_ito()
    assert system != stochastic(text, [0.3, 0.4], parameters={"a": 1.0, "s": 0.5})


def test_conversion_of_vectors() -> None:
    text = "x[i]' = x[i-1] - x[i]; noise(x[i], W) = s[i]*x[i]*x[i+1]; noise(x[i]) = 0.1*x[i]"
    ring = bst.System.from_text(
        text, parameters={"s": [0.1, 0.2, 0.3]}, initial={"x": [1, 2, 3]}, interpretation="stratonovich", period=1.0
    )
    x = np.random.default_rng(1).normal(size=3)
    s = np.array([0.1, 0.2, 0.3])
    # (b . grad) b for b_i = s_i x_i x_{i+1}.
    b = s * x * np.roll(x, -1)
    correction = s * (b * np.roll(x, -1) + x * np.roll(b, -1)) + 0.01 * x
    np.testing.assert_allclose(ring.to_ito().rhs(x) - ring.rhs(x), correction / 2, rtol=1e-12)
    assert ring.processes == ("x1", "x2", "x3", "W")
    np.testing.assert_allclose(ring.diffusion(x), np.column_stack([0.1 * np.diag(x), b]), rtol=1e-14)


TEXTS = [
    "x' = -x\nnoise(x) = s",
    "x' = -x\ny' = x\nnoise(x, W) = s*y\nnoise(y, W) = -s*x\nnoise(y, V) = 1",
    "x[i]' = -x[i]\nnoise(x[i], W[i]) = s\nnoise(x[1], V) = 1\nnoise(x[i]) = s*x[i]",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("interpretation", ["ito", "stratonovich"])
def test_round_trip(text: str, interpretation: str) -> None:
    initial = {"x": [1.0, 2.0, 3.0]} if "[" in text else [1.0] * text.count("'")
    system = bst.System.from_text(
        text, parameters={"s": 0.5}, initial=initial, kind="stochastic", interpretation=interpretation, period=1.0
    )
    assert system.to_text() == text
    again = bst.System.from_toml(system.to_toml())
    assert (again, again.interpretation, again.processes) == (system, interpretation, system.processes)
    assert again.trajectory(5, step=0.1).x.tobytes() == system.trajectory(5, step=0.1).x.tobytes()
    assert ("(Stratonovich)" in repr(system)) == (interpretation == "stratonovich")
    assert ("\\circ dW" in system.to_latex()) == (interpretation == "stratonovich")
    assert "dW" in system.to_latex()


def test_a_finer_run_sees_the_same_path() -> None:
    """To rounding, on every level, in the middle of it, and between the points of the coarser grid as well."""
    walk = stochastic("x' = 0; y' = 0; noise(x) = 1; noise(y, W) = 2", [0.0, 0.0])
    times = np.arange(1, 41) * 0.3
    coarse = walk.trajectory(times=times, step=0.3, seed=8).x
    for halvings in (1, 2, 5):
        fine = walk.trajectory(times=times, step=0.3 / 2**halvings, seed=8).x
        # Rounding errors of so many sums, none of which is above 10.
        np.testing.assert_allclose(fine, coarse, rtol=0, atol=40 * 2**halvings * 1.2e-15)
    odd = np.sort(np.random.default_rng(0).uniform(0, 12, 50))
    between = [walk.trajectory(times=odd, step=0.3 / 2**k, seed=8).x for k in (0, 1, 4)]
    for fine in between[1:]:
        # The time is known to 1e-15, so the path between to the root of it.
        np.testing.assert_allclose(fine, between[0], rtol=0, atol=FIVE * 2 * math.sqrt(2e-15))


def test_a_path_is_entered_in_the_middle() -> None:
    """A run from a state on the way goes on to the same bits."""
    system = stochastic("x' = x - x^3; noise(x) = 0.3 + 0.1*x", [0.1])
    whole = system.trajectory(41, dt=0.25, step=0.125, seed=5)
    core, p = system.core, system.core.parameter_values[None]
    rest = bst._core.solve(
        core, whole.x[20:21], p, start=np.array([whole.t[20]]), times=whole.t[20:], step=0.125, seed=5, first_path=0
    )
    assert rest.x[0].tobytes() == whole.x[20:].tobytes()


def test_threads_lanes_and_samples_do_not_matter() -> None:
    text = "x' = y; y' = -x; noise(x, W) = 0.3*y; noise(y, W) = 0.2*x^2; noise(y) = 0.1*y"
    system = stochastic(text, [1.0, 0.0])
    start = np.random.default_rng(0).normal(size=(37, 2))
    one, seven = (system.ensemble(initial=start, n=30, dt=0.1, step=0.05, seed=2, threads=k) for k in (1, 7))
    assert one.x.tobytes() == seven.x.tobytes()
    alone = system.ensemble(initial=start[5:6], n=30, dt=0.1, step=0.05, seed=2, first=5)
    assert alone.x[0].tobytes() == one.x[5].tobytes()
    few = system.ensemble(initial=start, times=one.t[3::7], step=0.05, seed=2)
    assert few.x.tobytes() == one.x[:, 3::7].tobytes()
    odd = system.ensemble(initial=start, times=np.sort(np.append(one.t[3::7], [0.33, 1.7007])), step=0.05, seed=2)
    assert np.delete(odd.x, np.flatnonzero(np.isin(odd.t, [0.33, 1.7007])), axis=1).tobytes() == few.x.tobytes()


def test_shared_noise_that_turns_keeps_the_radius() -> None:
    """Kubo's oscillator, in Stratonovich's sense: the phase diffuses, the radius stays to the order of the method."""
    text = "x' = -w*y; y' = w*x; noise(x, W) = -s*y; noise(y, W) = s*x"
    kubo = stochastic(text, [1.0, 0.0], parameters={"w": 2.0, "s": 0.5}, interpretation="stratonovich")
    off = [np.abs(np.hypot(*ends(kubo, step, m=500).T) - 1).mean() for step in STEPS]
    assert slope(off) == pytest.approx(1.0, abs=0.06)
    # <x> = cos(w t) exp(-s^2 t/2); the variance of x is at most 1.
    x, y = ends(kubo, STEPS[-1]).T
    decay = math.exp(-0.125)
    assert abs(x.mean() - math.cos(2.0) * decay) < FIVE / math.sqrt(M)
    assert abs(y.mean() - math.sin(2.0) * decay) < FIVE / math.sqrt(M)


def test_isotropic_noise_has_no_direction() -> None:
    """Turning the start of a rotation-invariant system turns the moments: two processes, radial and tangential."""
    text = "x' = -x; y' = -y; noise(x, R) = s*x; noise(y, R) = s*y; noise(x, T) = -s*y; noise(y, T) = s*x"
    system = stochastic(text, [1.0, 0.0], parameters={"s": 0.4})
    x, y = ends(system, 2.0**-6, m=4000).T
    turned = system.with_initial([math.cos(1.0), math.sin(1.0)])
    u, v = ends(turned, 2.0**-6, m=4000).T
    # The same paths: the whole solution turns with its start.
    np.testing.assert_allclose(u + 1j * v, (x + 1j * y) * np.exp(1j), atol=1e-14)
    spread = np.hypot(x, y).std() / math.sqrt(4000)
    assert abs(x.mean() - math.exp(-1.0)) < FIVE * spread
    assert abs(y.mean()) < FIVE * y.std() / math.sqrt(4000)


@pytest.mark.parametrize("noise", ["s", "s*x", "s*y"])
def test_without_noise_the_order_is_four(noise: str) -> None:
    system = stochastic(f"x' = y; y' = -x; noise(x) = {noise}; noise(y, W) = s", [1.0, 0.0], parameters={"s": 0.0})
    steps = 2.0 ** -np.arange(2, 6)
    exact = [math.cos(3.0), -math.sin(3.0)]
    errors = [np.hypot(*(system.trajectory(times=[3.0], step=step).x[0] - exact)) for step in steps]
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(4.0, abs=0.1)


def test_forcing_sees_the_same_path_at_every_step() -> None:
    flow = bst.System.from_text("x' = -x", initial=[0.0], period=1.0)
    exact = flow.trajectory(times=[1.0], forcing=0.5, step=2.0**-14, seed=3).x
    errors = [abs(flow.trajectory(times=[1.0], forcing=0.5, step=step, seed=3).x - exact).item() for step in STEPS]
    assert errors[-1] < 0.1 * errors[0] < 0.01


@pytest.mark.parametrize("interpretation", ["ito", "stratonovich"])
def test_exponents_of_multiplicative_noise(interpretation: str) -> None:
    """Of x' = -x + s x dW the exponent is -1 - s^2/2 in Ito's sense and -1 in Stratonovich's, +- s/sqrt(T)."""
    system = stochastic("x' = -x; noise(x) = s*x", [1.0], parameters={"s": 0.5}, interpretation=interpretation)
    found = bst.lyapunov_spectrum(system, duration=400.0, transient=0.0, members=4)
    exact = -1.0 - (0.125 if interpretation == "ito" else 0.0)
    assert abs(found.value[0] - exact) < FIVE * 0.5 / math.sqrt(4 * 400.0) + 1e-3


def test_exponents_under_shared_noise() -> None:
    """The plane turned by one process and stretched by another has twice the exponent of the stretching."""
    text = "x' = a*x; y' = a*y; noise(x, V) = -y; noise(y, V) = x; noise(x, W) = r*x; noise(y, W) = r*y"
    system = stochastic(
        text, [1.0, 0.0], parameters={"a": -0.3, "r": 0.4}, interpretation="stratonovich", tags=["unbounded"]
    )
    found = bst.lyapunov_spectrum(system, duration=200.0, transient=0.0, members=4, initial=np.tile([1.0, 0.0], (4, 1)))
    assert (np.abs(found.value + 0.3) < FIVE * 0.4 / math.sqrt(4 * 200.0) + 5e-3).all()


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "process named as a variable": (
        lambda: stochastic("x' = -x; y' = 0; noise(x, y) = 1", [1.0, 1.0]),
        "`y` is a state variable and cannot name a Wiener process",
    ),
    "process named as a parameter": (
        lambda: stochastic("x' = -x; noise(x, s) = 1", [1.0], parameters={"s": 1.0}),
        "`s` is a parameter and cannot name",
    ),
    "process named as a function": (lambda: stochastic("x' = -x; noise(x, sin) = 1", [1.0]), "sin"),
    "unknown variable": (
        lambda: stochastic("xa' = -xa; noise(xb, W) = 1", [1.0]),
        "noise of `xb`, which is not a state variable, did you mean `xa`",
    ),
    "twice": (
        lambda: stochastic("x' = -x; noise(x, W) = 1; noise(x, W) = x", [1.0]),
        "second noise of `x` by `W`: add the two amplitudes up",
    ),
    "index of the process": (
        lambda: bst.System.from_text("x[i]' = -x[i]; noise(x[i], W[j]) = 1", initial={"x": [1.0, 1.0]}),
        "the index `j` of the process `W` does not stand with the variable",
    ),
    "process in an equation": (lambda: stochastic("x' = W; noise(x, W) = 1", [1.0]), "W"),
    "two processes": (lambda: stochastic("x' = -x; noise(x, W, V) = 1", [1.0]), "expected `\\)` or `\\[`"),
    "interpretation": (
        lambda: stochastic("x' = -x; noise(x) = x", [1.0], interpretation="stratanovich"),
        'did you mean "stratonovich"',
    ),
    "of a map": (
        lambda: bst.System.from_text("next(x) = x", initial=[1.0], kind="map", interpretation="stratonovich"),
        "a map system has none: leave it out",
    ),
    "noise of a map": (
        lambda: bst.System.from_text("next(x) = x; noise(x) = 1", initial=[1.0], kind="map"),
        "noise belongs to a stochastic system",
    ),
    "kinks": (
        lambda: stochastic("x' = -x; noise(x) = abs(x)", [1.0]).trajectory(5, method="milstein"),
        'kinks or jumps .* use "euler_maruyama"',
    ),
    "conversion of a flow": (lambda: bst.system("Lorenz").to_ito(), "Lorenz is a flow: it has no noise"),
    "senses that do not mix": (
        lambda: bst.compose(
            {
                "a": stochastic("x' = -x; noise(x) = x", [1.0]),
                "b": stochastic("x' = -x; noise(x) = x", [1.0], interpretation="stratonovich"),
            }
        ),
        "do not mix: take members with to_ito",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls(case: str) -> None:
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call()


def test_noise_with_kinks_is_left_to_euler() -> None:
    assert stochastic("x' = -x; noise(x) = abs(x)", [1.0]).trajectory(5).method == "euler_maruyama"
    assert stochastic("x' = 1 - x; noise(x) = 0.3*sqrt_plus(x)", [1.0]).trajectory(5).method == "milstein"


def test_members_of_a_composite_have_processes_of_their_own() -> None:
    one = stochastic("x' = -x; y' = -y; noise(x, W) = 1; noise(y, W) = 1", [0.0, 0.0], interpretation="stratonovich")
    pair = bst.compose({"a": one, "b": one})
    assert (pair.processes, pair.interpretation) == (("a.W", "b.W"), "stratonovich")
    run = pair.trajectory(20, dt=0.1)
    assert run["a.x"].tobytes() == run["a.y"].tobytes() != run["b.x"].tobytes()
