"""`bestiary doctor`: what is installed, and whether the numbers are right on this machine."""

from __future__ import annotations

import importlib.util
import math
import platform
import sys
import time
from collections.abc import Callable
from importlib import metadata

import numpy as np

from . import _core

EXTRAS = {"plot": "matplotlib", "sympy": "sympy"}

Check = tuple[str, Callable[[], float], float]
"""What is compared, the deviation from the known value, and the largest deviation that is right."""


def doctor() -> bool:
    """Print versions, extras, vector unit and the outcome of the self-check; True if all is well."""
    machine = _core.machine()
    print(f"bestiary {_core.__version__}, Python {platform.python_version()}, {platform.platform()}")
    print(", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "polars")))
    rest = ", ".join(f"{key} {value}" for key, value in machine.items() if key != "version")
    print(f"compiled part: {rest}")
    for extra, package in EXTRAS.items():
        installed = importlib.util.find_spec(package) is not None
        found = metadata.version(package) if installed else f'not installed; pip install "bestiary[{extra}]"'
        print(f"extra {extra}: {package} {found}")
    print()
    well = True
    for name, deviation, bound in CHECKS:
        begun = time.perf_counter()
        try:
            value = deviation()
        except Exception as error:
            print(f"FAILED  {name}: {type(error).__name__}: {error}", file=sys.stderr)
            well = False
            continue
        right = value <= bound
        well &= right
        elapsed = time.perf_counter() - begun
        print(
            f"{'ok    ' if right else 'FAILED'}  {name}: deviation {value:.1e}, at most {bound:.0e} ({elapsed:.2f} s)"
        )
    print("\nall is well" if well else "\nsomething is wrong: please report the lines above")
    return well


def harmonic_oscillator() -> float:
    """Ten periods of x'' = -x from (1, 0) against the cosine."""
    system = _flow("x' = v\nv' = -x", ["x", "v"])
    t = np.linspace(0.0, 20 * math.pi, 101)
    result = _solve(system, [[1.0, 0.0]], times=t, method="taylor", rtol=1e-15, atol=np.full(2, 1e-15))
    return float(np.abs(result.x[0, :, 0] - np.cos(t)).max())


def lorenz_methods_agree() -> float:
    """
    Two independent methods on Lorenz' equations for five Lyapunov times (1 / 0.9056, Sprott 2003).

    Their difference in units of the tolerance times the size of the state, after division by what chaos makes of a
    small difference over the same time.
    """
    times = np.linspace(0.0, 5 / 0.9056, 200)
    small = 1e-7
    state, moved = LORENZ_STATE, [LORENZ_STATE[0] + small, *LORENZ_STATE[1:]]
    taylor, dop853 = (_solve(_lorenz(), [state], times=times, method=name).x[0] for name in ("taylor", "dop853"))
    growth = np.abs(_solve(_lorenz(), [moved], times=times).x[0] - taylor).max() / small
    return float(np.abs(taylor - dop853).max() / (growth * 1e-12 * np.abs(taylor).max()))


def logistic_exponent() -> float:
    """The exponent of the logistic map at r = 4 is ln 2 (Ulam and von Neumann 1947)."""
    system = _core.System.build("map", "next(x) = r*x*(1 - x)", {"r": 4.0}, {}, [("x", None)])
    result = _solve(system, [[0.3]], dt=1.0, n=100_000)
    x = result.x[0, :, 0]
    return float(abs(np.log(np.abs(4 - 8 * x)).mean() - math.log(2)))


def delay_first_interval() -> float:
    """x' = -x(t - 1) with x = 1 before 0: 1 - t on [0, 1], then 1 - t + (t - 1)^2 / 2 on [1, 2]."""
    system = _core.System.build("delay", "x' = -x(t - tau)", {"tau": 1.0}, {}, [("x", None)])
    t = np.linspace(0.0, 2.0, 41)
    result = _solve(system, [[1.0]], times=t)
    exact = np.where(t <= 1, 1 - t, 1 - t + (t - 1) ** 2 / 2)
    return float(np.abs(result.x[0, :, 0] - exact).max())


def threads_agree() -> float:
    """The number of bytes in which 64 trajectories differ between one and two threads, and from one run alone."""
    initial = np.array(LORENZ_STATE) + 1e-3 * _core.normals(0, 0, 3 * 64).reshape(64, 3)
    one, two = (_solve(_lorenz(), initial, dt=0.1, n=200, threads=threads).x for threads in (1, 2))
    alone = _solve(_lorenz(), initial[37:38], dt=0.1, n=200, threads=1).x
    return float((one.view(np.uint8) != two.view(np.uint8)).sum() + (one[37].tobytes() != alone[0].tobytes()))


LORENZ_STATE = [-9.8, -15.0, 20.5]

CHECKS: list[Check] = [
    ("harmonic oscillator, ten periods, taylor", harmonic_oscillator, 1e-13),
    # Each method may err by ten times the tolerance.
    ("Lorenz, five Lyapunov times, taylor against dop853, in tolerances", lorenz_methods_agree, 20.0),
    # 100 000 iterates: five standard errors of a mean whose terms have standard deviation pi / sqrt(12) at most.
    ("logistic map at r = 4, exponent against ln 2", logistic_exponent, 5 * math.pi / math.sqrt(12e5)),
    ("delay equation, first two intervals", delay_first_interval, 1e-11),
    ("bits of 64 trajectories on one and two threads", threads_agree, 0.0),
]


def _flow(text: str, names: list[str]) -> _core.System:
    return _core.System.build("flow", text, {}, {}, [(name, None) for name in names])


def _lorenz() -> _core.System:
    return _core.System.build(
        "flow",
        "x' = sigma*(y - x)\ny' = x*(rho - z) - y\nz' = x*y - beta*z",
        {"sigma": 10.0, "rho": 28.0, "beta": 8 / 3},
        {},
        [("x", None), ("y", None), ("z", None)],
    )


def _solve(system: _core.System, initial: object, **arguments: object) -> _core.Result:
    states = np.array(initial, dtype=np.float64)
    parameters = system.parameter_values[None]
    return _core.solve(system, states, parameters, start=np.zeros(len(states)), **arguments)  # type: ignore[arg-type]
