"""Lyapunov spectra: exact cases, identities, published values, errors of requests."""

import numpy as np
import pytest

import bestiary as bst
from bestiary import Estimate, System, measures
from bestiary.measures.exponents import verdict_of

LN2 = np.log(2.0)


def within(found: Estimate, truth: object, sigmas: float = 5.0, floor: float = 1e-6) -> None:
    """Every value is within so many standard errors of the truth."""
    allowed = sigmas * np.asarray(found.error) + floor
    assert (np.abs(np.asarray(found.value) - np.asarray(truth)) <= allowed).all(), (found, truth)


# Exact cases


def test_the_logistic_map_at_four_has_the_exponent_log_two() -> None:
    found = bst.lyapunov_spectrum(bst.system("Logistic", r=4.0))
    within(found, [LN2])
    assert found.verdict == "chaotic"
    assert found.converged
    within(bst.pesin_entropy(found), LN2)


def test_maps_of_constant_slope_have_no_scatter() -> None:
    tent = System.from_text("next(x) = where(x < 1/2, s*x, s*(1 - x))", parameters={"s": 1.9}, initial=[0.3])
    within(bst.lyapunov_spectrum(tent), [np.log(1.9)], floor=1e-9)
    golden = np.log((3 + 5**0.5) / 2)
    within(bst.lyapunov_spectrum(bst.system("ArnoldCat")), [golden, -golden], floor=1e-9)
    assert bst.kaplan_yorke(bst.lyapunov_spectrum(bst.system("ArnoldCat"))).value == 2.0


def test_the_skinny_baker_map() -> None:
    """
    Exponents by the measure of the strips (Farmer, Ott & Yorke 1983, Physica D 7, 153-180).
    """
    a, left, right = 0.3, 0.25, 0.4
    baker = System.from_text(
        "next(x) = where(y < a, left*x, 1/2 + right*x); next(y) = where(y < a, y/a, (y - a)/(1 - a))",
        parameters={"a": a, "left": left, "right": right},
        initial=[0.3, 0.6],
    )
    found = bst.lyapunov_spectrum(baker, duration=4000)
    expanding = -a * np.log(a) - (1 - a) * np.log(1 - a)
    contracting = a * np.log(left) + (1 - a) * np.log(right)
    within(found, [expanding, contracting])
    within(bst.kaplan_yorke(found), 1 + expanding / -contracting)


def test_linear_flows_have_the_real_parts_of_their_eigenvalues() -> None:
    flow = System.from_text("x' = -x + 3*y; y' = -2*y + z; z' = -0.5*z", initial=[1, 1, 1], period=1.0)
    found = bst.lyapunov_spectrum(flow, initial=np.eye(3) + 1.0, duration=200.0, transient=50.0)
    assert np.allclose(found.value, [-0.5, -1.0, -2.0], atol=1e-6)
    assert found.verdict == "fixed point"
    assert bst.kaplan_yorke(found).value == 0.0


def test_the_lorenz_system_below_the_hopf_point_rests() -> None:
    """At rho = 14 the fixed points attract: the real parts of their eigenvalues."""
    system = bst.system("Lorenz", rho=14.0)
    height = (8 / 3 * 13) ** 0.5
    exact = np.sort(np.linalg.eigvals(system.jacobian([height, height, 13.0])).real)[::-1]
    found = bst.lyapunov_spectrum(system, error=1e-3)
    assert np.allclose(found.value, exact, atol=5e-3)
    assert abs(found.value.sum() - exact.sum()) < found.error.sum()
    assert found.verdict == "fixed point"


def test_a_flow_on_a_torus_has_only_zeros() -> None:
    torus = System.from_text(
        "a' = 1; b' = sqrt(2)", initial=[0.1, 0.2], periods={"a": "2*pi", "b": "2*pi"}, period=2 * np.pi
    )
    found = bst.lyapunov_spectrum(torus)
    assert (np.abs(found.value) < 1e-9).all()
    assert found.verdict == "quasi-periodic"
    assert bst.kaplan_yorke(found).value == 2.0


def test_a_limit_cycle_by_its_floquet_exponent() -> None:
    """r' = r (1 - r^2) around the circle: exponents 0 and -2 exactly."""
    cycle = System.from_text(
        "x' = x - y - x*(x^2 + y^2); y' = x + y - y*(x^2 + y^2)", initial=[1.0, 0.0], period=2 * np.pi
    )
    found = bst.lyapunov_spectrum(cycle)
    assert np.allclose(found.value, [0.0, -2.0], atol=1e-6)
    assert found.verdict == "periodic"
    assert bst.kaplan_yorke(found).value == 1.0


# Identities


@pytest.mark.parametrize("name", ["Lorenz", "Rossler", "HyperRossler", "Halvorsen", "Duffing"])
def test_exponents_sum_to_the_mean_divergence(name: str) -> None:
    system = bst.system(name)
    found = bst.lyapunov_spectrum(system, duration=100 * system.period)
    x = system.ensemble(8, 4000, per_period=20, seed=3).x
    divergence = system.core.divergence(
        x.reshape(-1, system.dimension), np.zeros(x.shape[0] * x.shape[1]), system.core.parameter_values[None]
    ).reshape(8, -1)
    means = divergence.mean(axis=1)
    assert found.covariance is not None
    error = (max(found.covariance.sum(), 0.0) + means.var(ddof=1) / 8) ** 0.5
    assert abs(found.value.sum() - means.mean()) < 5 * error + 1e-5


@pytest.mark.parametrize("name", ["Lorenz", "Rossler", "Halvorsen"])
def test_an_autonomous_flow_has_an_exponent_zero(name: str) -> None:
    found = bst.lyapunov_spectrum(bst.system(name))
    nearest = int(np.argmin(np.abs(found.value)))
    assert abs(found.value[nearest]) < 5 * found.error[nearest] + 1e-5


def test_hamiltonian_exponents_come_in_pairs() -> None:
    found = bst.lyapunov_spectrum(bst.system("HenonHeiles"), duration=2000.0)
    assert np.allclose(found.value, -found.value[::-1], atol=1e-6)
    assert bst.kaplan_yorke(found).value == 4.0


@pytest.mark.parametrize(("name", "parameters"), [("Henon", {}), ("Rossler", {}), ("Lorenz", {"rho": 15.0})])
def test_the_covariance_holds_the_whole_error(name: str, parameters: dict[str, float]) -> None:
    """Also what members do not scatter by: the errors of each step, and of regular motion its phase at the end."""
    found = bst.lyapunov_spectrum(bst.system(name, **parameters), duration=200.0)
    assert found.covariance is not None
    assert np.diag(found.covariance) == pytest.approx(found.error**2, rel=1e-12)


def test_a_dimension_without_scatter_has_the_error_of_its_exponents() -> None:
    """Stretched twofold and shrunk threefold everywhere: 1 + ln 2/ln 3, known as well as the two exponents are."""
    system = System.from_text("next(x) = mod(2*x + 0.1, 1)\nnext(y) = y/3", initial=[0.3, 0.2])
    spectrum = bst.lyapunov_spectrum(system, duration=200.0)
    found = bst.kaplan_yorke(spectrum)
    within(found, 1 + LN2 / np.log(3), floor=1e-9)
    first, second = spectrum.error
    whole = np.hypot(first / np.log(3), second * LN2 / np.log(3) ** 2)
    assert found.error == pytest.approx(whole, rel=1e-3)
    assert bst.pesin_entropy(spectrum).error == pytest.approx(first, rel=1e-12)


def test_dimension_is_at_most_that_of_the_space() -> None:
    for name in ("Henon", "Lorenz", "Chirikov"):
        system = bst.system(name)
        found = bst.kaplan_yorke(bst.lyapunov_spectrum(system, duration=200.0))
        assert 0 <= found.value <= system.dimension


def test_the_lyapunov_time_is_that_of_the_largest_exponent() -> None:
    logistic = bst.measures.lyapunov_time(bst.system("Logistic", r=4.0))
    within(logistic, 1 / LN2)
    spectrum = bst.lyapunov_spectrum(bst.system("Lorenz"), duration=100.0)
    found = bst.measures.lyapunov_time(spectrum)
    assert found.value == 1 / spectrum.value[0]
    assert found.error / found.value == pytest.approx(spectrum.error[0] / spectrum.value[0])
    resting = bst.measures.lyapunov_time(bst.system("Lorenz", rho=15.0), duration=100.0)
    assert np.isnan(resting.value)
    assert not resting.converged


def test_a_driven_flow_has_the_exponents_of_its_map() -> None:
    """Linear between kicks of the phase: x' = -x + cos t has -1; its stroboscopic map has -2 pi per turn."""
    driven = System.from_text("x' = -x + cos(t)", initial=[0.0], period=2 * np.pi)
    found = bst.lyapunov_spectrum(driven)
    assert found.value[0] == pytest.approx(-1.0, abs=1e-6)
    assert found.verdict == "periodic"
    duffing = bst.system("Duffing")
    direct = bst.lyapunov_spectrum(duffing, duration=3000.0)
    # With the phase as a variable the same exponents and a zero.
    text = duffing.to_text()
    phase = System.from_text(
        "x' = -2*x + y; y' = -y + cos(p); p' = 1", initial=[0, 0, 0], periods={"p": "2*pi"}, period=2 * np.pi
    )
    within(bst.lyapunov_spectrum(phase), [0, -1, -2])
    assert "t" in text
    assert direct.value.sum() == pytest.approx(-duffing.parameters["delta"], abs=1e-5)


def test_the_result_does_not_depend_on_threads() -> None:
    runs = [bst.lyapunov_spectrum(bst.system("Rossler"), threads=threads, duration=300.0) for threads in (1, 7)]
    assert runs[0].value.tobytes() == runs[1].value.tobytes()
    assert runs[0].error.tobytes() == runs[1].error.tobytes()


def test_fewer_exponents_are_the_first_of_all() -> None:
    lorenz = bst.system("Lorenz")
    first = bst.lyapunov_spectrum(lorenz, 1, duration=200.0)
    assert first.value.shape == (1,)
    assert first.verdict == "chaotic"
    within(first, [0.9056], floor=1e-3)


# Jumps, noise, delays


def test_jumps_turn_the_vectors() -> None:
    """
    On a circle x' is 1 on one half and 2 on the other: a passage stretches dx twofold, or halves it.

    Over a turn that cancels: exponents 0 and -1. Without saltation the vector would not change at all, which comes to
    the same; so a single passage is tested too.
    """
    text = "x' = where(sin(x) > 0, 2, 1); y' = -y"
    system = System.from_text(text, initial=[-0.5, 1.0], periods={"x": "2*pi"}, period=3.0)
    found = bst.lyapunov_spectrum(system, duration=300.0, initial=[[-0.5, 1.0], [0.7, 1.0]], transient=20.0)
    assert np.allclose(found.value, [0.0, -1.0], atol=1e-2)
    once = bst._core.tangent_growth(
        system.core, np.array([[-0.5, 1.0, 1.0, 0.0]]), np.zeros((1, 0)), start=np.zeros(1), response=[0, 1], vectors=1,
        duration=1.0, segments=1,
    )  # fmt: skip
    assert once["logs"][0, 0, 0] == pytest.approx(LN2, abs=1e-6)


def test_kinks_do_not() -> None:
    system = System.from_text("x' = where(x > 0, -x, -3*x) + 1 - abs(x)", initial=[-0.5], period=1.0)
    found = bst.lyapunov_spectrum(system, duration=50.0)
    # At rest where -x + 1 - x = 0: slope -2.
    assert found.value[0] == pytest.approx(-2.0, abs=1e-6)


def test_geometric_brownian_motion_has_drift_less_half_the_variance() -> None:
    """d log x = (mu - s^2 / 2) dt + s dW."""
    system = System.from_text("x' = mu*x; noise(x) = s*x", parameters={"mu": -0.1, "s": 0.4}, initial=[1.0], period=1.0)
    found = bst.lyapunov_spectrum(system, duration=50.0, initial=np.ones((16, 1)), transient=0.5, step=0.01)
    within(found, [-0.1 - 0.08])


def test_additive_noise_leaves_linear_exponents_alone() -> None:
    system = System.from_text("x' = -2*x; noise(x) = 0.5", initial=[0.1], period=1.0)
    found = bst.lyapunov_spectrum(system, duration=20.0, step=0.01)
    assert found.value[0] == pytest.approx(-2.0, abs=1e-6)
    assert found.verdict == "fixed point"


def test_a_linear_delay_equation_has_the_roots_of_its_characteristic_equation() -> None:
    """x' = a x + b x(t - 1) with s = a + b exp(-s); here s = -1/2 by choice of a, the next pair by Newton's method."""
    b = 0.5
    a = -0.5 - b * np.exp(0.5)
    root = complex(-2.2, 4.5)
    for _ in range(50):
        root -= (root - a - b * np.exp(-root)) / (1 + b * np.exp(-root))
    assert root.imag > 1
    system = System.from_text("x' = a*x + b*x(t - 1)", parameters={"a": a, "b": b}, initial=[1.0], period=2.0)
    found = bst.lyapunov_spectrum(system, 3, duration=200.0, transient=50.0, members=4)
    assert found.value[0] == pytest.approx(-0.5, abs=1e-4)
    assert found.value[1:].mean() == pytest.approx(root.real, abs=1e-3)


# Conditional exponents


def test_responses_of_the_lorenz_system() -> None:
    """Pecora & Carroll 1990: driven by y, x and z relax by themselves; driven by z, a linear flow keeps its size."""
    lorenz = bst.system("Lorenz")
    given_y = bst.conditional_exponents(lorenz, given="y", duration=200.0)
    assert np.allclose(given_y.value, [-8 / 3, -10.0], atol=1e-4)
    assert given_y.verdict == "fixed point"
    given_z = bst.conditional_exponents(lorenz, given="z", duration=400.0)
    assert np.allclose(given_z.value, [0.0, -11.0], atol=2e-2)
    assert given_z.value.sum() == pytest.approx(-11.0, abs=1e-5)
    given_x = bst.conditional_exponents(lorenz, given="x", duration=200.0)
    assert given_x.value.sum() == pytest.approx(-11 / 3, abs=1e-5)


def test_the_spectrum_of_a_skew_product_is_a_union() -> None:
    pair = bst.skew_product(bst.system("Rossler"), bst.system("Lorenz"), strength=1.0)
    driver = [name for name in pair.names if name.startswith("drive")] or list(pair.names[:3])
    whole = bst.lyapunov_spectrum(pair, duration=600.0)
    response = bst.conditional_exponents(pair, given=driver, duration=600.0)
    rest = [name for name in pair.names if name not in driver]
    drive = bst.conditional_exponents(pair, given=rest, duration=600.0)
    union = np.sort(np.concatenate([response.value, drive.value]))[::-1]
    assert (np.abs(whole.value - union) < 6 * whole.error + 1e-2 * np.abs(whole.value) + 1e-3).all()


# Verdicts and requests


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ([0.9, 0.0, -14.0], "chaotic"),
        ([0.1, 0.05, 0.0, -20.0], "hyperchaotic"),
        ([0.0, 0.0, -1.0], "quasi-periodic"),
        ([0.0, -0.5, -1.0], "periodic"),
        ([-0.4, -0.5, -1.0], "fixed point"),
    ],
)
def test_verdicts_from_numbers(value: list[float], verdict: str) -> None:
    error = np.full(len(value), 1e-4)
    assert verdict_of(bst.system("Lorenz"), np.array(value), error, 1e4) == verdict
    if verdict != "unresolved":
        assert verdict_of(bst.system("Lorenz"), np.array(value), np.full(len(value), 0.5), 10.0) != "hyperchaotic"


def test_large_errors_leave_the_verdict_open() -> None:
    assert verdict_of(bst.system("Lorenz"), np.array([0.9, 0.0, -14.0]), np.full(3, 0.8), 1e4) == "unresolved"


def test_wrong_requests_say_what_is_wrong() -> None:
    lorenz = bst.system("Lorenz")
    with pytest.raises(bst.RequestError, match="k = 4, but there are 3"):
        bst.lyapunov_spectrum(lorenz, 4)
    with pytest.raises(bst.RequestError, match='positive number or "relative"'):
        bst.lyapunov_spectrum(lorenz, error="absolute")
    with pytest.raises(bst.RequestError, match="members must be"):
        bst.lyapunov_spectrum(lorenz, members=1)
    with pytest.raises(bst.RequestError, match="nothing is left"):
        bst.conditional_exponents(lorenz, given=["x", "y", "z"])
    with pytest.raises(bst.UnknownName):
        bst.conditional_exponents(lorenz, given="w")
    with pytest.raises(bst.RequestError, match="measured already"):
        bst.kaplan_yorke(bst.lyapunov_spectrum(lorenz, duration=50.0), members=3)
    escaping = System.from_text("x' = x^2", initial=[1.0], period=0.1)
    with pytest.raises(bst.RequestError, match="ended at"):
        bst.lyapunov_spectrum(escaping, initial=[[1.0], [1.1]], duration=5.0)


def test_an_estimate_prints_itself() -> None:
    assert repr(Estimate(np.array([0.5]), np.array([0.01]), False, "chaotic")) == (
        "Estimate(0.5 ± 0.01, chaotic, not converged)"
    )
    assert measures.Estimate is Estimate
