"""Wrong requests for systems and trajectories: a clear error before any work, whatever the layer that is called."""

from collections.abc import Callable

import numpy as np
import pytest

import bestiary as bst
from bestiary import _core

PEOPLE: dict[str, tuple[Callable[[bst.System], object], str]] = {
    "unknown system": (lambda s: bst.system("Lorentz"), 'unknown system "Lorentz", did you mean "Lorenz"'),
    "wrong shape": (lambda s: s.trajectory(9, initial=[1, 2]), "2 columns but Lorenz has 3 state variables: x, y, z"),
    "a matrix": (lambda s: s.trajectory(9, initial=np.ones((2, 3))), r"must have shape \(d,\)"),
    "NaN": (lambda s: s.trajectory(9, initial=[1, np.nan, 2]), "must be finite, but y is not"),
    "infinity": (lambda s: s.trajectory(9, initial=[1, 2, np.inf]), "must be finite, but z is not"),
    "words": (lambda s: s.trajectory(9, initial=["a", "b", "c"]), "must be numbers"),
    "negative n": (lambda s: s.trajectory(-9), "n must be a whole number of at least 1, not -9"),
    "no n": (lambda s: s.trajectory(0), "n must be a whole number of at least 1, not 0"),
    "half an n": (lambda s: s.trajectory(9.5), "n must be a whole number"),
    "rtol": (lambda s: s.trajectory(9, rtol=1e-17), "rtol must be at least 1e-16"),
    "rtol not a number": (lambda s: s.trajectory(9, rtol=float("nan")), "rtol must be at least 1e-16"),
    "two samplings": (lambda s: s.trajectory(9, dt=0.1, per_period=9), "per_period and dt both say where to sample"),
    "n and times": (lambda s: s.trajectory(9, times=[1.0, 2.0]), "n = 9, but 2 times are listed"),
    "unknown parameter": (lambda s: s.with_parameters(roh=28), 'unknown parameter "roh" of Lorenz, did you mean "rho"'),
    "unknown method": (lambda s: s.trajectory(9, method="dopri"), 'unknown method "dopri"'),
    "unknown variable": (lambda s: s.trajectory(9, atol={"w": 1e-9}), 'unknown state variable "w" of Lorenz'),
    "backwards": (lambda s: s.trajectory(times=[2.0, 1.0]), "times must be finite and increasing"),
    "memory": (lambda s: s.trajectory(10**15), "allocate|memory"),
}


@pytest.mark.parametrize("case", PEOPLE)
def test_people(case: str) -> None:
    call, message = PEOPLE[case]
    with pytest.raises((ValueError, MemoryError), match=message):
        call(bst.system("Lorenz"))


# What the Python layer would never send.
GOOD = dict(initial=np.ones((2, 3)), parameters=np.array([[10.0, 28.0, 8 / 3]]), start=np.zeros(2), dt=0.1, n=5)
PROGRAMS: dict[str, dict[str, object]] = {
    "columns": dict(initial=np.ones((2, 4))),
    "rows": dict(initial=np.ones((3, 3))),
    "no rows of parameters": dict(parameters=np.ones((0, 3))),
    "rows of parameters": dict(parameters=np.ones((3, 3))),
    "columns of parameters": dict(parameters=np.ones((1, 2))),
    "NaN": dict(initial=np.full((2, 3), np.nan)),
    "NaN in a parameter": dict(parameters=np.full((1, 3), np.nan)),
    "start": dict(start=np.array([0.0, np.inf])),
    "start after the first sample": dict(start=np.array([0.0, 1.0])),
    "dt": dict(dt=-0.1),
    "dt not a number": dict(dt=np.nan),
    "both": dict(times=np.arange(3.0)),
    "times": dict(dt=None, n=None, times=np.array([1.0, 0.5])),
    "times not a number": dict(dt=None, n=None, times=np.array([0.0, np.nan])),
    "method": dict(method="euler"),
    "method of a map": dict(method="map"),
    "rtol": dict(rtol=0.0),
    "negative rtol": dict(rtol=-1e-9),
    "atol": dict(atol=np.array([1e-9])),
    "negative atol": dict(atol=-np.ones(3)),
    "step": dict(method="rk4", step=0.0),
    "threads": dict(threads=0),
    "many threads": dict(threads=10**6),
    "forcing": dict(forcing=np.ones(2), step=0.1),
}


def test_the_good_call_is_good() -> None:
    assert _core.solve(bst.system("Lorenz").core, **GOOD).x.shape == (2, 5, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", PROGRAMS)
def test_programs(case: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        _core.solve(bst.system("Lorenz").core, **{**GOOD, **PROGRAMS[case]})  # type: ignore[arg-type]
    assert len(str(caught.value)) > 15, "the message says nothing"
