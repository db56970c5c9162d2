"""
Checks that every system should pass, for the tests of this package and of packages that bring systems of their own.

A check raises AssertionError with what is wrong. Facts about one system (exponents, symmetries) are not checked here.
"""

from __future__ import annotations

import numpy as np

from .definition import Array
from .system import System

__all__ = ["check_system"]

_PERIODS, _PER_PERIOD, _ITERATIONS, _POINTS = 20, 50, 1000, 8
# Steps of the central differences, in units of the size of a variable. The best of them must be near the derivative:
# of the long ones the truncation is visible, of the short ones the rounding, in steep equations only the latter.
_STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
# A central difference at its best step is good to about eps^(2/3) = 4e-11 of the scale of the equation.
_NEAR = 1e-7


def check_system(system: System) -> None:
    """
    Check that a system is well formed and runs.

    Its text and its TOML lead back to the same system; it runs for 20 periods (1000 iterations of a map) and stays
    finite; on the way, right-hand side and Jacobian are finite and the Jacobian equals central differences. The
    differences are not taken of delay systems.

    Raises
    ------
    AssertionError
        With what is wrong.

    Examples
    --------
    >>> from bestiary import system
    >>> check_system(system("Lorenz"))
    """
    _check_round_trip(system)
    x, t = _check_run(system)
    _check_jacobian(system, x, t)


def _check_round_trip(system: System) -> None:
    again = System.from_toml(system.to_toml())
    assert again == system, f"{system.name}: the TOML document does not lead back to the system"
    assert again.to_text() == system.to_text(), f"{system.name}: the text changes when it is read again"


def _check_run(system: System) -> tuple[Array, Array]:
    """A few states and times along a run."""
    if system.kind == "map":
        run = system.trajectory(_ITERATIONS)
    else:
        run = system.trajectory(_PERIODS * _PER_PERIOD, per_period=_PER_PERIOD)
    assert run.outcome == "ok", f"{system.name} is {run.outcome} at t = {run.stop_time:g}"
    assert np.isfinite(run.x).all(), f"{system.name}: a state is not finite"
    assert np.isfinite(system.observe(run.x, run.t)).all(), f"{system.name}: an observable is not finite"
    points = np.linspace(0, len(run.t) - 1, _POINTS).astype(int)
    return run.x[points], run.t[points]


def _check_jacobian(system: System, x: Array, t: Array) -> None:
    f, jacobian = system.rhs(x, t), system.jacobian(x, t)
    assert np.isfinite(f).all(), f"{system.name}: the right-hand side is not finite"
    assert np.isfinite(jacobian).all(), f"{system.name}: the Jacobian is not finite"
    if system.kind == "delay":
        # The delayed terms would move along with the state, and the Jacobian is that of the present state.
        return
    scale = np.abs(x).max(axis=0)
    scale[scale == 0] = 1.0
    for j, variable in enumerate(system.names):
        misses = []
        for step in _STEPS:
            shift = np.zeros(system.dimension)
            shift[j] = step * scale[j]
            high, low = x + shift, x - shift
            width = (high - low)[:, j, None]
            difference = (system.rhs(high, t) - system.rhs(low, t)) / width
            misses.append(np.abs(difference - jacobian[:, :, j]))
        size = np.abs(jacobian[:, :, j]) + np.abs(f) / scale[j]
        wrong = np.min(misses, axis=0) > _NEAR * (size + np.finfo(float).tiny)
        if wrong.any():
            equation = system.names[int(np.argwhere(wrong)[0][1])]
            raise AssertionError(f"{system.name}: d({equation})/d({variable}) differs from its central difference")
