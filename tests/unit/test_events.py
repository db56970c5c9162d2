"""Events: exact times and states, seams and touches, driven and kinked flows, stopping, sections as maps."""

import numpy as np
import pytest

import bestiary as bst

METHODS = ("taylor", "dop853", "tsit5", "rodas5p")
OSCILLATOR = bst.System.from_text("x' = v; v' = -x", initial=[0.0, 1.0], name="oscillator", period=2 * np.pi)
LORENZ = bst.system("Lorenz")


@pytest.mark.parametrize("method", METHODS)
def test_times_and_states_of_an_oscillator(method: str) -> None:
    """sin t is zero at whole multiples of pi; the state lies on the surface to round-off."""
    rtol = 1e-10 if method in ("rodas5p", "tsit5") else 1e-13
    events = OSCILLATOR.events("x", n=40, method=method, rtol=rtol, atol=rtol)
    assert events.outcome == "ok"
    assert events.method == method
    np.testing.assert_allclose(events.t, np.pi * np.arange(1, 41), rtol=0, atol=400 * rtol)
    assert np.abs(events["x"]).max() < 1e-15
    np.testing.assert_array_equal(events.directions, np.tile([-1, 1], 20))
    np.testing.assert_allclose(events["v"], np.tile([-1, 1], 20), atol=400 * rtol)


@pytest.mark.parametrize(("direction", "first"), [(1, 2), (-1, 1), (0, 1)])
def test_directions(direction: int, first: int) -> None:
    events = OSCILLATOR.events("x = 0", direction=direction, n=5)
    step = 1 if direction == 0 else 2
    np.testing.assert_allclose(events.t / np.pi, first + step * np.arange(5), atol=1e-11)
    np.testing.assert_allclose(events.intervals, step * np.pi, atol=1e-11)


def test_a_start_on_the_surface_is_no_crossing() -> None:
    """Also where rounding has put it a little to the wrong side, as a point of a section is."""
    for x0 in (0.0, 1e-16, -1e-16):
        events = OSCILLATOR.events("x", n=2, initial=[x0, 1.0])
        np.testing.assert_allclose(events.t / np.pi, [1, 2], atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_no_crossing_is_lost_or_doubled_at_the_seams(method: str) -> None:
    """The ends of the steps of a run are taken as surfaces in time: each must be crossed once."""
    times = np.linspace(0, 20, 333)[1:-1]
    for t in times.tolist()[:: 1 if method == "taylor" else 8]:
        events = OSCILLATOR.events(f"t - {t!r}", duration=20, method=method, rtol=1e-9, atol=1e-9)
        assert events.t.tolist() == pytest.approx([t], abs=1e-14)


def test_steps_that_end_on_the_surface() -> None:
    """With rk4 and a step of 1/8 the clock x' = 1 stands on whole numbers at the end of every eighth step, exactly."""
    clock = bst.System.from_text("x' = 1", initial=[0.0], period=1.0)
    events = clock.events("sin(pi*x)", duration=10.5, method="rk4", step=0.125)
    np.testing.assert_allclose(events.t, np.arange(1, 11), atol=1e-14)
    for level in (1.0, 3.0, 4.5):
        assert clock.events(f"x - {level}", duration=10, method="rk4", step=0.125).t.tolist() == [level]


def test_touches_and_near_misses() -> None:
    """sin t comes within 1e-10 of a level twice a period, in a time of 2 sqrt(2e-10); or it does not."""
    above = OSCILLATOR.events("x = 1 - 1e-10", duration=10)
    half = np.arccos(1 - 1e-10)
    expected = np.array([np.pi / 2 - half, np.pi / 2 + half, 5 * np.pi / 2 - half, 5 * np.pi / 2 + half])
    np.testing.assert_allclose(above.t, expected, atol=1e-7)
    assert len(OSCILLATOR.events("x = 1 + 1e-10", duration=100)) == 0


@pytest.mark.parametrize("frequency", [1, 7, 50, 301])
def test_many_crossings_in_one_step(frequency: int) -> None:
    """The steps of the Taylor method are about 2 long; sin(k t) crosses up to 200 times in each."""
    events = OSCILLATOR.events(f"sin({frequency}*t)", duration=10)
    np.testing.assert_allclose(events.t, np.arange(1, int(10 * frequency / np.pi) + 1) * np.pi / frequency, atol=1e-13)


def test_a_driven_flow() -> None:
    """x = t - sin t crosses t - 1/2 where sin t = 1/2."""
    driven = bst.System.from_text("x' = 1 - cos(t)", initial=[0.0], period=6.28)
    events = driven.events("x - t + 1/2", duration=13, rtol=1e-13, atol=1e-13)
    expected = np.array([np.pi / 6, 5 * np.pi / 6, 13 * np.pi / 6, 17 * np.pi / 6])
    np.testing.assert_allclose(events.t, expected, atol=1e-12)


def test_a_kinked_flow_and_a_kinked_surface() -> None:
    """x'' = -sign(x) from x = 1/2: arcs of parabolas, zero at 1, 3, 5, …, |x| = 3/8 half a unit before and after."""
    bouncing = bst.System.from_text("x' = v; v' = -sign(x)", initial=[0.5, 0.0], period=4.0)
    np.testing.assert_allclose(bouncing.events("x", n=10).t, 1 + 2 * np.arange(10), atol=1e-9)
    events = bouncing.events("abs(x) - 3/8", direction=-1, n=6)
    np.testing.assert_allclose(events.t, 0.5 + 2 * np.arange(6), atol=1e-9)


def test_angles() -> None:
    """The wrap of an angle is no crossing; the value in the middle of its range is crossed once a turn."""
    turning = bst.System.from_text("theta' = 1", initial=[0.5], periods={"theta": "2*pi"}, period=6.28)
    np.testing.assert_allclose(turning.events("theta", n=4).t, 2 * np.pi * np.arange(1, 5) - 0.5, atol=1e-12)
    np.testing.assert_allclose(turning.events("sin(theta)", n=4).t, np.pi * np.arange(1, 5) - 0.5, atol=1e-12)


def test_the_transient_does_not_count() -> None:
    late = LORENZ.events("z = 27", direction=1, n=20, transient=10)
    early = LORENZ.events("z = 27", direction=1, duration=40)
    assert (late.t >= 0).all()
    after = early.t[early.t >= 10]
    # The same trajectory, but its clock is another one, and rounding errors grow with exp(0.9 t).
    np.testing.assert_allclose(late.t[:5], after[:5] - 10, atol=1e-5)


def test_where_nothing_more_comes() -> None:
    fall = bst.System.from_text("x' = -x", initial=[1.0], period=1.0)
    events = fall.events("x - 1/2", n=3, max_steps=2000)
    assert (events.outcome, len(events)) == ("out of steps", 1)
    assert events.t[0] == pytest.approx(np.log(2), abs=1e-14)
    assert "OUT OF STEPS" in repr(events)
    burst = bst.System.from_text("x' = x^2", initial=[1.0], period=1.0)
    events = burst.events("x - 2", n=3)
    assert (events.outcome, len(events)) == ("diverged", 1)
    assert events.stop_time == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_stopping(method: str) -> None:
    rtol = 1e-9
    run = OSCILLATOR.trajectory(times=np.linspace(0, 6, 61), stop="x = 1/2", method=method, rtol=rtol, atol=rtol)
    assert run.outcome == "stopped"
    assert run.stop_time == pytest.approx(np.pi / 6, abs=1e-8)
    assert "stopped as asked" in repr(run)
    before = run.t < np.pi / 6
    np.testing.assert_allclose(run["x"][before], np.sin(run.t[before]), atol=1e-8)
    assert np.isnan(run.x[~before]).all()
    never = OSCILLATOR.trajectory(times=[1.0, 6.0], stop=("x = 2", 1), method=method)
    assert never.outcome == "ok"
    falling = OSCILLATOR.trajectory(times=[0.0, 6.0], stop=("x = 1/2", -1), method=method, rtol=rtol, atol=rtol)
    assert falling.stop_time == pytest.approx(5 * np.pi / 6, abs=1e-8)


def test_events_do_not_disturb_a_run() -> None:
    plain, watched = LORENZ.trajectory(500), LORENZ.trajectory(500, stop="z = 1000")
    assert plain.x.tobytes() == watched.x.tobytes()


@pytest.mark.parametrize("method", ["auto", "dop853", "rodas5p"])
def test_ensembles(method: str) -> None:
    options = dict(dt=0.01, n=300, stop=("x = 12", 1), method=method, rtol=1e-8)
    x0 = LORENZ.sample_initial(21, seed=3)
    one = LORENZ.ensemble(initial=x0, threads=1, **options)
    two = LORENZ.ensemble(initial=x0, threads=2, **options)
    assert one.x.tobytes() == two.x.tobytes()
    np.testing.assert_array_equal(one.stop_times, two.stop_times)
    assert set(one.outcomes) <= {"stopped", "ok"}
    assert "stopped" in one.outcomes
    for i in (0, 7, 20):
        alone = LORENZ.trajectory(initial=x0[i], **options)
        assert alone.x.tobytes() == one.x[i].tobytes()
        assert (alone.outcome, str(alone.stop_time)) == (one.outcomes[i], str(one.stop_times[i]))


# Sections


def test_a_poincare_section_is_a_map() -> None:
    """The map from one point leads to the next, whatever came before."""
    section = bst.poincare(LORENZ, "z = rho - 1", direction=-1)
    assert (section.kind, section.dimension, section.names) == ("map", 3, ("x", "y", "z"))
    run = section.trajectory(6, transient=10)
    assert run.outcome == "ok"
    assert np.abs(run["z"] - 27).max() < 1e-13
    np.testing.assert_array_equal(run.t, np.arange(6))
    np.testing.assert_allclose(run.return_times, np.diff(run.times))
    following = section.trajectory(2, initial=run.x[1])
    # An error of 1e-12 grows e-fold in a time of 1.1.
    np.testing.assert_allclose(following.x, run.x[2:4], atol=1e-9)
    np.testing.assert_allclose(following.times, run.times[2:4] - run.times[1], atol=1e-9)
    piece = run[2:4]
    np.testing.assert_array_equal(piece.times, run.times[2:4])
    assert section.with_parameters(rho=24).trajectory(3).x[0, 2] == pytest.approx(23)


def test_an_ensemble_of_sections() -> None:
    section = bst.poincare(LORENZ, "z = 27")
    many = section.ensemble(5, 7, seed=1, threads=2)
    assert many.x.shape == (5, 7, 3)
    assert many.times.shape == (5, 7)
    assert np.abs(many.x[..., 2] - 27).max() < 1e-13
    assert section.ensemble(5, 7, seed=1, threads=1).x.tobytes() == many.x.tobytes()
    assert many[3].times.tobytes() == many.times[3].tobytes()
    assert many[1:3].times.shape == (2, 7)
    swept = section.ensemble(n=3, initial=[1.0, 1.0, 27.0], parameters={"rho": [28.0, 30.0]})
    assert swept.outcomes == ("ok", "ok")
    alone = section.with_parameters(rho=30.0).trajectory(3, initial=[1.0, 1.0, 27.0])
    assert alone.x.tobytes() == swept.x[1].tobytes()


def test_a_stroboscopic_section() -> None:
    """x' = -x + cos t has a periodic solution, to which the map over a period contracts by exp(-2 pi)."""
    damped = bst.System.from_text("x' = -x + cos(w*t)", parameters={"w": 1.0}, initial=[2.0], period=6.28)
    section = bst.stroboscopic(damped, period="2*pi/w")
    run = section.trajectory(5)
    assert run.x[0, 0] == 2.0
    np.testing.assert_allclose(run["x"] - 0.5, 1.5 * np.exp(-2 * np.pi * np.arange(5)), atol=1e-11)
    np.testing.assert_allclose(run.times, 2 * np.pi * np.arange(5))
    late = bst.stroboscopic(damped, period=2 * np.pi, phase=np.pi / 2).trajectory(3, transient=10)
    np.testing.assert_allclose(late["x"], 0.5, atol=1e-11)
    assert section.ensemble(4, 3, seed=0).x.shape == (4, 3, 1)


def test_a_section_that_is_left() -> None:
    """Points after the last crossing are NaN and the outcome tells why."""
    fall = bst.System.from_text("x' = v; v' = -x - v", initial=[1.0, 0.0], period=6.28)
    run = bst.poincare(fall, "x - 0.1", direction=-1).trajectory(5, max_steps=3000)
    assert run.outcome == "out of steps"
    assert np.isfinite(run.x[0]).all()
    assert np.isnan(run.x[1:]).all()
    assert np.isnan(run.times[1:]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LORENZ.events("z -", n=1), "end of the text"),
        (lambda: LORENZ.events("w - 1", n=1), "unknown name `w`"),
        (lambda: LORENZ.events("z = 1 = 2", n=1), 'such as "z - 27"'),
        (lambda: LORENZ.events("z", n=1, direction=2), "direction"),
        (lambda: LORENZ.events("z"), "how many events"),
        (lambda: LORENZ.events("z", n=0), "n must be a whole number"),
        (lambda: bst.system("Henon").events("x", n=1), "flows without noise"),
        (lambda: bst.poincare(bst.system("MackeyGlass"), "x - 1"), "a section is one of a flow"),
        (lambda: LORENZ.trajectory(10, stop=3), 'such as "z - 27"'),
        (lambda: LORENZ.trajectory(10, forcing=0.1, stop="z"), "flows without noise"),
        (lambda: bst.stroboscopic(LORENZ, period=-1), "period must be a positive number"),
        (lambda: bst.stroboscopic(LORENZ, period="tau"), "unknown name `tau`"),
    ],
)
def test_wrong_requests(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
