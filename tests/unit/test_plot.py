"""Pictures: the right kind for each system, on the axes asked for; braille for the terminal."""

import builtins
from typing import Any

import numpy as np
import pytest

import bestiary as bst
from bestiary import plot

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def closed() -> Any:
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def linear(d: int) -> bst.System:
    return bst.System.from_text(
        "x[i]' = x[i+1] - x[i-1]", initial={"x": list(np.sin(np.arange(d)))}, period=3.0, name="ring"
    )


def oscillator() -> bst.System:
    return bst.System.from_text("x' = v; v' = -x", initial=[1.0, 0.0], period=6.0, name="oscillator")


def test_a_phase_portrait_holds_every_point() -> None:
    run = oscillator().trajectory(200)
    ax = run.plot()
    (lines,) = ax.collections
    assert len(lines.get_segments()) == 199
    assert ax.get_title() == "oscillator"
    assert ax.get_xlim()[0] < run["x"].min() < run["x"].max() < ax.get_xlim()[1]
    ax.figure.canvas.draw()


def test_three_variables_are_drawn_in_space() -> None:
    ax = linear(3).trajectory(50).plot(dark=True, colour="time")
    assert ax.name == "3d"
    ax.figure.canvas.draw()


def test_many_variables_are_panels_and_rings_are_space_time_diagrams() -> None:
    figure = linear(5).trajectory(50).plot()
    assert len(figure.axes) == 5
    ax = linear(40).trajectory(30).plot()
    assert ax.images[0].get_array().shape == (30, 40)


def test_maps_are_clouds() -> None:
    henon = bst.System.from_text("next(x) = 1 - 1.4*x^2 + y; next(y) = 0.3*x", initial=[0.1, 0.1])
    ax = henon.trajectory(300).plot()
    assert len(ax.collections[0].get_offsets()) == 300
    logistic = bst.System.from_text("next(x) = 3.9*x*(1 - x)", initial=[0.3])
    run = logistic.trajectory(100)
    points = run.plot().collections[0].get_offsets()
    np.testing.assert_allclose(points[:, 1], 3.9 * points[:, 0] * (1 - points[:, 0]), rtol=1e-12)


def test_a_wrapped_angle_draws_no_line_across() -> None:
    turning = bst.System.from_text(
        "theta' = 1; v' = 0*v", initial=[0.0, 1.0], periods={"theta": "2*pi"}, period=2 * np.pi
    )
    run = turning.trajectory(401)
    segments = np.array(run.plot().collections[0].get_segments())
    assert np.abs(np.diff(segments[:, :, 0], axis=1)).max() < 0.1
    assert len(segments) < 400


def test_on_given_axes_and_ensembles() -> None:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert oscillator().trajectory(50).plot(ax=ax) is ax
    drawn = oscillator().ensemble(n=20, initial=[[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]).plot()
    assert len(drawn.lines) == 3


def test_a_stopped_trajectory_is_drawn_up_to_the_stop() -> None:
    runaway = bst.System.from_text("x' = x^2; y' = 1", initial=[1.0, 0.0], period=1.0)
    run = runaway.trajectory(times=np.linspace(0, 2, 41))
    run.plot().figure.canvas.draw()


def test_wrong_pictures() -> None:
    run = oscillator().trajectory(10)
    with pytest.raises(ValueError, match='unknown variable "w"'):
        run.plot(variables=["x", "w"])
    with pytest.raises(ValueError, match='unknown kind of picture "fase"'):
        run.plot(kind="fase")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    run = oscillator().trajectory(10)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(bst.MissingExtra, match=r'pip install "bestiary\[plot\]"'):
        run.plot()


def test_braille() -> None:
    assert plot.ascii([0, 1], [0, 1], 1, 1) == chr(0x2800 + 0x40 + 0x08)
    picture = plot.ascii(np.cos(np.linspace(0, 6.3, 400)), np.sin(np.linspace(0, 6.3, 400)), 40, 12).splitlines()
    assert [len(line) for line in picture] == [40] * 12
    assert picture[6][20] == chr(0x2800)
    assert picture[0][20] != chr(0x2800)
    assert plot.ascii([np.nan], [1.0], 3, 1) == chr(0x2800) * 3
    assert plot.ascii([2.0, 2.0], [1.0, 1.0], 2, 1) != chr(0x2800) * 2
