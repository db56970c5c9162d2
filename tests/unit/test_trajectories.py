"""Trajectories and ensembles: sampling, initial states, reproducibility, containers, wrong calls."""

import warnings

import numpy as np
import polars as pl
import pytest

import bestiary as bst


@pytest.fixture(scope="module")
def lorenz() -> bst.System:
    return bst.System.from_text(
        "x' = sigma*(y - x); y' = x*(rho - z) - y; z' = x*y - beta*z",
        parameters={"sigma": 10, "rho": 28, "beta": 8 / 3},
        initial=[-9.8, -15.0, 20.5],
        name="Lorenz",
        period=1.5,
        known={"largest_exponent": {"value": 0.9056}},
    )


@pytest.fixture(scope="module")
def henon() -> bst.System:
    return bst.System.from_text(
        "next(x) = 1 - a*x^2 + y; next(y) = b*x", parameters={"a": 1.4, "b": 0.3}, initial=[0.1, 0.1], name="Henon"
    )


@pytest.fixture(scope="module")
def oscillator() -> bst.System:
    return bst.System.from_text("x' = v; v' = -x", initial=[1.0, 0.0], name="oscillator", period=2 * np.pi)


@pytest.fixture(scope="module")
def runaway() -> bst.System:
    return bst.System.from_text("x' = x^2", initial=[1.0], name="runaway", period=1.0)


def test_sampling(lorenz: bst.System) -> None:
    assert lorenz.trajectory(5).t.tolist() == (np.arange(5) * 0.015).tolist()
    assert lorenz.trajectory(5, per_period=30).t.tolist() == (np.arange(5) * 0.05).tolist()
    assert lorenz.trajectory(5, per_lyapunov=10).t[1] == pytest.approx(1 / 9.056)
    assert lorenz.trajectory(5, dt=0.25).t.tolist() == [0, 0.25, 0.5, 0.75, 1.0]
    assert lorenz.trajectory(times=[0.0, 0.1, 1.0]).t.tolist() == [0.0, 0.1, 1.0]


def test_first_sample_is_the_initial_state(lorenz: bst.System, henon: bst.System) -> None:
    for system in (lorenz, henon):
        run = system.trajectory(10)
        assert run.x.shape == (10, system.dimension)
        assert run.x[0].tolist() == system.initial.tolist()
        assert run.outcome == "ok"
        assert np.isnan(run.stop_time)


def test_harmonic_oscillator(oscillator: bst.System) -> None:
    run = oscillator.trajectory(200)
    np.testing.assert_allclose(run["x"], np.cos(run.t), atol=1e-10)
    np.testing.assert_allclose(run["v"], -np.sin(run.t), atol=1e-10)


def test_transient_passes_before_time_zero(oscillator: bst.System, henon: bst.System) -> None:
    run = oscillator.trajectory(50, transient=1.25)
    assert run.t[0] == 0
    np.testing.assert_allclose(run["x"], np.cos(run.t + 1.25), atol=1e-10)
    assert (henon.trajectory(5, transient=7).x == henon.trajectory(12).x[7:]).all()


def test_transient_keeps_the_phase_of_a_driven_system() -> None:
    driven = bst.System.from_text("x' = cos(t)", initial=[0.0], period=2 * np.pi)
    run = driven.trajectory(20, transient=0.75)
    np.testing.assert_allclose(run["x"], np.sin(run.t) - np.sin(-0.75), atol=1e-10)


def test_initial_by_name(oscillator: bst.System) -> None:
    by_name = oscillator.trajectory(5, initial={"v": 2.0, "x": 0.5})
    assert by_name.x[0].tolist() == [0.5, 2.0]


def test_angles_are_wrapped() -> None:
    turning = bst.System.from_text("theta' = 1", initial=[0.0], periods={"theta": "2*pi"}, period=2 * np.pi)
    run = turning.trajectory(300)
    assert run.x.min() >= -np.pi
    assert run.x.max() <= np.pi
    np.testing.assert_allclose(np.exp(1j * run["theta"]), np.exp(1j * run.t), atol=1e-10)


def test_a_stop_is_an_outcome(runaway: bst.System) -> None:
    """x = 1/(1 - t) leaves every bound at t = 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = runaway.trajectory(times=np.linspace(0, 2, 21))
    assert run.x.shape == (21, 1)
    assert run.outcome != "ok"
    assert run.stop_time == pytest.approx(1.0, abs=1e-3)
    before = run.t < 0.95
    np.testing.assert_allclose(run["x"][before], 1 / (1 - run.t[before]), rtol=1e-8)
    assert np.isnan(run.x[run.t > 1.01]).all()
    assert "STOPPED" in repr(run)


def test_members_are_functions_of_seed_and_number(lorenz: bst.System) -> None:
    five = lorenz.ensemble(5, 20, seed=3)
    assert five.x.shape == (5, 20, 3)
    assert (lorenz.ensemble(2, 20, seed=3).x == five.x[:2]).all()
    assert (lorenz.ensemble(2, 20, seed=3, first=3).x == five.x[3:]).all()
    assert not (lorenz.ensemble(2, 20, seed=4).x == five.x[:2]).any()
    assert len(np.unique(five.x[:, 0, 0])) == 5


def test_drawn_states_lie_on_the_attractor(lorenz: bst.System) -> None:
    """Lorenz (1963): trajectories enter the ball x^2 + y^2 + (z - rho - sigma)^2 < const; z stays positive."""
    states = lorenz.sample_initial(16, seed=1)
    assert states.shape == (16, 3)
    assert (np.abs(states[:, 0]) < 20).all()
    assert ((states[:, 2] > 0) & (states[:, 2] < 50)).all()


def test_drawn_states_of_a_conservative_system_keep_the_energy(oscillator: bst.System) -> None:
    states = oscillator.sample_initial(8)
    np.testing.assert_allclose((states**2).sum(axis=1), 1.0, atol=1e-6)
    assert np.ptp(np.arctan2(states[:, 1], states[:, 0])) > 1


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_do_not_matter(lorenz: bst.System, threads: int) -> None:
    expected = lorenz.ensemble(9, 50, seed=0)
    assert (lorenz.ensemble(9, 50, seed=0, threads=threads).x == expected.x).all()


def test_a_member_equals_a_single_run(lorenz: bst.System) -> None:
    initial = np.random.default_rng(0).normal(loc=[0, 0, 25], size=(4, 3))
    rho = np.array([20.0, 24.0, 28.0, 35.0])
    runs = lorenz.ensemble(n=40, initial=initial, parameters={"rho": rho})
    for i, run in enumerate(runs):
        alone = lorenz.with_parameters(rho=rho[i]).trajectory(40, initial=initial[i])
        assert (alone.x == run.x).all()
        assert run.system.parameters["rho"] == rho[i]
        assert run.steps == alone.steps


def test_vector_parameters_differ_between_members() -> None:
    system = bst.System.from_text("x[i]' = a[i]", parameters={"a": [1.0, 2.0]}, initial=[0.0, 0.0], period=1.0)
    a = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    runs = system.ensemble(times=[0.0, 1.0], initial=[0.0, 0.0], parameters={"a": a})
    np.testing.assert_allclose(runs.x[:, 1], a, rtol=1e-12)


def test_a_trajectory_as_a_container(lorenz: bst.System) -> None:
    run = lorenz.trajectory(100)
    assert len(run) == 100
    assert np.asarray(run).shape == (100, 3)
    assert run[10:20].t.tolist() == run.t[10:20].tolist()
    assert (run.between(0.3, 0.6).t == run.t[(run.t >= 0.3) & (run.t < 0.6)]).all()
    frame = run.to_polars()
    assert frame.columns == ["time", "x", "y", "z"]
    assert frame.schema["x"] == pl.Float64
    assert frame["z"].to_numpy().tolist() == run["z"].tolist()
    assert run.observed() is run
    assert "Lorenz" in repr(run)
    assert "<pre" in run._repr_html_()
    with pytest.raises(LookupError, match='unknown variable "w" of Lorenz'):
        run["w"]


def test_an_ensemble_as_a_container(lorenz: bst.System) -> None:
    runs = lorenz.ensemble(4, 10)
    assert len(runs) == 4
    assert runs.outcomes == ("ok",) * 4
    assert runs[1:3].x.shape == (2, 10, 3)
    assert (runs[-1].x == runs.x[3]).all()
    frame = runs.to_polars()
    assert frame.columns == ["trajectory", "time", "x", "y", "z"]
    assert frame.height == 40
    assert frame.filter(pl.col("trajectory") == 2)["y"].to_list() == runs.x[2, :, 1].tolist()
    with pytest.raises(IndexError, match="no member 4"):
        runs[4]


def test_observed_gives_the_bounded_view() -> None:
    system = bst.System.from_text("theta' = 1", initial=[0.0], period=1.0, observables={"s": "sin(theta)"})
    run = system.trajectory(30)
    assert run.observed().names == ("s",)
    np.testing.assert_allclose(run.observed()["s"], np.sin(run.t), atol=1e-12)


def test_progress_is_reported(lorenz: bst.System, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[tuple[int, int]] = []
    lorenz.ensemble(8, 200, progress=lambda done, total: calls.append((done, total)))
    assert all(0 <= done <= total for done, total in calls)
    lorenz.trajectory(10, progress=True)
    assert capsys.readouterr().out == ""


def test_a_period_is_estimated_where_none_is_given(oscillator: bst.System) -> None:
    unknown = bst.System.from_text("x' = 3*v; v' = -3*x", initial=[1.0, 0.0])
    assert unknown.period == pytest.approx(2 * np.pi / 3, rel=0.02)
    with pytest.raises(ValueError, match="period="):
        bst.System.from_text("x' = -x", initial=[0.0]).period


WRONG = {
    "negative n": (dict(n=-1), "n must be a whole number of at least 1, not -1"),
    "no n": (dict(), "n is missing"),
    "n no number": (dict(n="ten"), "n must be a whole number"),
    "two samplings": (dict(n=10, dt=1.0, per_period=3), "per_period and dt both say where to sample"),
    "dt not positive": (dict(n=10, dt=0.0), "dt must be a positive number"),
    "dt not a number": (dict(n=10, dt=float("nan")), "dt must be a positive number"),
    "times not increasing": (dict(times=[1.0, 0.5]), "increasing"),
    "times before the start": (dict(times=[-1.0, 0.5]), "before the start"),
    "columns": (dict(n=10, initial=[1, 2]), "2 columns but Lorenz has 3 state variables: x, y, z"),
    "NaN": (dict(n=10, initial=[1, 2, np.nan]), "must be finite, but z is not"),
    "two states": (dict(n=10, initial=[[1, 2, 3]]), r"must have shape \(d,\)"),
    "rtol": (dict(n=10, rtol=1e-17), "rtol must be at least 1e-16"),
    "atol": (dict(n=10, atol=-1.0), "atol must be finite and not negative"),
    "shape of atol": (dict(n=10, atol=[1e-9, 1e-9]), r"atol has shape \(2,\)"),
    "unknown method": (dict(n=10, method="taylr"), 'unknown method "taylr", did you mean "taylor"'),
    "method of another kind": (dict(n=10, method="milstein"), "not for a flow"),
    "negative transient": (dict(n=10, transient=-1.0), "transient must be a time of at least 0"),
    "threads": (dict(n=10, threads=0), "threads must be a whole number of at least 1"),
    "seed": (dict(n=10, seed=-1), "seed must be a whole number of at least 0"),
    "step": (dict(n=10, method="rk4", step=0.0), "step must be a positive number"),
    "max_steps": (dict(n=10, max_steps=0), "max_steps must be a whole number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_trajectories(lorenz: bst.System, case: str) -> None:
    arguments, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        lorenz.trajectory(**arguments)


WRONG_ENSEMBLES = {
    "no members": (dict(n=10), "number of members is missing"),
    "two numbers of members": (dict(m=3, n=10, initial=np.ones((2, 3))), "m has 3, initial has 2"),
    "unknown parameter": (dict(m=2, n=10, parameters={"roh": [1, 2]}), 'unknown parameter "roh" of Lorenz'),
    "shape of a parameter": (dict(n=10, parameters={"rho": np.ones((2, 2))}), "must have shape"),
    "columns": (dict(n=10, initial=np.ones((4, 2))), "2 columns but Lorenz has 3"),
    "NaN": (dict(n=10, initial=np.full((4, 3), np.nan)), "must be finite"),
}


@pytest.mark.parametrize("case", WRONG_ENSEMBLES)
def test_wrong_ensembles(lorenz: bst.System, case: str) -> None:
    arguments, message = WRONG_ENSEMBLES[case]
    with pytest.raises(ValueError, match=message):
        lorenz.ensemble(**arguments)


def test_wrong_maps(henon: bst.System) -> None:
    with pytest.raises(ValueError, match="whole iterations"):
        henon.trajectory(10, dt=0.5)
    with pytest.raises(ValueError, match="whole number of iterations"):
        henon.trajectory(10, transient=0.5)
    assert henon.trajectory(4, dt=3).t.tolist() == [0, 3, 6, 9]


def test_taylor_refuses_kinks() -> None:
    kinked = bst.System.from_text("x' = -abs(x) + 1", initial=[0.5], period=1.0)
    assert not kinked.is_smooth
    with pytest.raises(ValueError, match="taylor"):
        kinked.trajectory(10, method="taylor")
