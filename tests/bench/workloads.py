"""What is measured: the same equations, states, times and tolerance for everyone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Run = Callable[[], Array]
"""One repetition: samples of shape (members, n, d)."""


MANY = 1000
"""More systems than that are run side by side, and only the last sample of each is kept."""


class Unsupported(Exception):
    """A peer does not do this work; the message says why."""


@dataclass(frozen=True)
class Workload:
    """
    Trajectories of one flow.

    Attributes
    ----------
    equations : right-hand sides by variable, in syntax that Python and bestiary both read
    initial : array of shape (members, d)
    include_build : whether a repetition starts from the text, compiling included
    stiff : whether peers should use an implicit method
    builtin : name in collections that have the system ready-made at the same parameters
    method : a method by the name that the contender gives it, in place of the one usual there
    methods : that method by contender; who is not named has none of this kind
    """

    key: str
    title: str
    equations: dict[str, str]
    initial: Array
    duration: float
    n: int
    tolerance: float = 1e-12
    include_build: bool = False
    stiff: bool = False
    builtin: str | None = None
    method: str | None = None
    methods: dict[str, str] = field(default_factory=dict)
    targets: dict[str, float] = field(default_factory=dict)
    """How many times our time a contender should take, at least."""
    variants: int = 1
    """How many different systems: in equation k of them, `VARIANT` stands for k."""

    @property
    def times(self) -> Array:
        return np.arange(self.n) * (self.duration / self.n)

    def system(self, k: int) -> dict[str, str]:
        """Equations of the k-th system."""
        return {name: right.replace("VARIANT", str(k)) for name, right in self.equations.items()}


LORENZ = {"x": "10*(y - x)", "y": "x*(28 - z) - y", "z": "x*y - 8/3*z"}
THOMAS = {"x": "-0.185*x + sin(y)", "y": "-0.185*y + sin(z)", "z": "-0.185*z + sin(x)"}
HENON_HEILES = {"x": "u", "y": "v", "u": "-x - 2*x*y", "v": "-y - x**2 + y**2"}
VAN_DER_POL = {"x": "y", "y": "8.53*(1 - x**2)*y - x + 1.2*sin(2*pi/10*t)"}
OREGONATOR = {
    "x": "77.27*(y - x*y + x - 8.375e-6*x**2)",
    "y": "(-y - x*y + z)/77.27",
    "z": "0.161*(x - z)",
}
"""Field, R. J. and Noyes, R. M. (1974), J. Chem. Phys. 60, 1877; constants of Hairer and Wanner, Stiff ODEs, IV.10."""
COUPLED = {
    "x": "10*(y - x)", "y": "x*(28 - z) - y", "z": "x*y - 8/3*z",
    "u": "-v - w + 0.01*VARIANT*x", "v": "u + 0.2*v", "w": "0.2 + w*(u - 5.7) + 0.001*VARIANT*sin(x)",
}  # fmt: skip


def near(state: list[float], members: int) -> Array:
    """States around one on the attractor, different for each member."""
    moves = np.random.default_rng(0).normal(size=(members, len(state)))
    moves[0] = 0.0
    return np.array(state) + 1e-2 * moves


def workloads(quick: bool) -> list[Workload]:
    """The rows of the table; `quick` shortens the long ones for a look at whether all is well."""
    lorenz = [-9.8, -15.0, 20.5]
    many, different = (256, 200) if quick else (4096, 20_000)
    order8 = {"bestiary": "dop853", "scipy": "DOP853", "diffrax": "Dopri8", "tsdynamics": "DOP853"}
    order5 = {"bestiary": "tsit5", "diffrax": "Tsit5", "diffsol": "tsit45"}
    implicit = {"bestiary": "rodas5p", "scipy": "Radau", "diffrax": "Kvaerno5", "diffsol": "bdf"}
    thomas, energetic = [0.1, 1.5, -0.5], [0.0, -0.25, 0.42081, 0.0]
    single = near(lorenz, 1)
    return [
        Workload("lorenz", "Lorenz, time 1000, 100 000 points", LORENZ, single, 1000.0, 100_000, builtin="Lorenz",
                 targets={"heyoka": 1.0, "tsdynamics": 7.0}),
        Workload(
            "lorenz-from-text", "the same from the text, compiling included", LORENZ, single, 1000.0, 100_000,
            include_build=True, targets={"heyoka": 10.0},
        ),
        Workload("lorenz-256", "256 Lorenz, time 100", LORENZ, near(lorenz, 256), 100.0, 10_000, builtin="Lorenz",
                 targets={"heyoka": 1.5, "tsdynamics": 15.0}),
        Workload(f"lorenz-{many}+", f"{many} Lorenz, time 100", LORENZ, near(lorenz, many), 100.0, 10_000,
                 targets={"heyoka": 1.5}),
        Workload("thomas-256", "256 Thomas (sines), time 1000", THOMAS, near(thomas, 256), 1000.0, 10_000,
                 targets={"heyoka": 1.2}),
        Workload("henon-heiles-256", "256 Henon-Heiles (4-D), time 1000", HENON_HEILES, 0.1 * near(energetic, 256),
                 1000.0, 10_000, targets={"heyoka": 1.2}),
        Workload("coupled", "50 different coupled systems (6-D), 4096 points", COUPLED,
                 near([*lorenz, 1.0, 1.0, 0.1], 1), 40.96, 4096, include_build=True, variants=50,
                 targets={"heyoka": 10.0}),
        Workload(f"coupled-{different}+", f"{different} different coupled systems (6-D), 4096 points", COUPLED,
                 near([*lorenz, 1.0, 1.0, 0.1], 1), 40.96, 4096, include_build=True, variants=different),
        Workload("lorenz-dop853", "Lorenz, time 1000, order 8 Runge-Kutta", LORENZ, single, 1000.0, 100_000,
                 builtin="Lorenz", methods=order8),
        Workload("lorenz-tsit5", "Lorenz, time 1000, order 5 Runge-Kutta, 1e-9", LORENZ, single, 1000.0, 100_000,
                 tolerance=1e-9, methods=order5),
        Workload("van-der-pol", "forced van der Pol, time 1000, 1e-9", VAN_DER_POL, near([1.0, 0.0], 1), 1000.0, 10_000,
                 tolerance=1e-9, stiff=True, targets={"scipy": 20.0, "diffsol": 2.0}),
        Workload("van-der-pol-implicit", "the same, implicit Runge-Kutta or BDF", VAN_DER_POL, near([1.0, 0.0], 1),
                 1000.0, 10_000, tolerance=1e-9, stiff=True, methods=implicit),
        Workload("oregonator", "Oregonator, time 360, 1e-9", OREGONATOR, np.array([[1.0, 2.0, 3.0]]), 360.0, 1000,
                 tolerance=1e-9, stiff=True, targets={"scipy": 20.0, "diffsol": 2.0}),
        Workload("oregonator-implicit", "the same, implicit Runge-Kutta or BDF", OREGONATOR,
                 np.array([[1.0, 2.0, 3.0]]), 360.0, 1000, tolerance=1e-9, stiff=True, methods=implicit),
    ]  # fmt: skip
