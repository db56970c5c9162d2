"""
Error against time: `python3 dev.py work-precision`, or with the peers installed `python tests/bench/work_precision.py`.

Every method integrates the same equations at tolerances from coarse to fine (methods with a fixed step: at steps from
long to short). The error is the largest over variables and samples, in standard deviations of each variable, against
a run in extended precision. The time is processor time, on one thread, without the building and
compiling that some packages do first: those take up to many seconds.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from workloads import HENON_HEILES, LORENZ, Array, Unsupported, Workload

import bestiary as bst
from bench import processor

ROOT = Path(__file__).resolve().parents[2]
TOLERANCES = (1e-3, 1e-5, 1e-7, 1e-9, 1e-11, 1e-13)
STEPS_OF_PERIOD = (10, 20, 50, 100, 200, 500, 1000)
ENOUGH = 0.5
"""Seconds after which a method is not asked for a finer result."""

KEPLER = {"x": "u", "y": "v", "u": "-x/(x**2 + y**2)**1.5", "v": "-y/(x**2 + y**2)**1.5"}
VAN_DER_POL = {"x": "y", "y": "100*(1 - x**2)*y - x"}
NODES = 16
RING = {
    name: right
    for i in range(NODES)
    for name, right in (
        (f"x{i}", f"-y{i} - z{i} + 0.1*(x{(i + 1) % NODES} + x{i - 1 if i else NODES - 1} - 2*x{i})"),
        (f"y{i}", f"x{i} + 0.2*y{i}"),
        (f"z{i}", f"0.2 + z{i}*(x{i} - 5.7)"),
    )
}
"""Rossler systems on a ring, coupled to their neighbours by diffusion of x."""


@dataclass(frozen=True)
class Method:
    """A line of the picture; the colour tells the package, the mark the method."""

    peer: str
    name: str | None
    label: str
    mark: str
    explicit: bool = True
    fixed: bool = False
    separable: bool = False


METHODS = (
    Method("bestiary", "taylor", "bestiary taylor", "o"),
    Method("bestiary", "dop853", "bestiary dop853", "s"),
    Method("bestiary", "tsit5", "bestiary tsit5", "^"),
    Method("bestiary", "rodas5p", "bestiary rodas5p", "D", explicit=False),
    Method("bestiary", "rk4", "bestiary rk4", "v", fixed=True),
    Method("bestiary", "symplectic4", "bestiary symplectic4", "<", fixed=True, separable=True),
    Method("bestiary", "symplectic8", "bestiary symplectic8", ">", fixed=True, separable=True),
    Method("heyoka", None, "heyoka", "o"),
    Method("diffsol", "tsit45", "diffsol tsit45", "^"),
    Method("diffsol", "bdf", "diffsol bdf", "D", explicit=False),
    Method("diffrax", "Dopri8", "diffrax Dopri8", "s"),
    Method("diffrax", "Kvaerno5", "diffrax Kvaerno5", "D", explicit=False),
    Method("scipy", "DOP853", "SciPy DOP853", "s"),
    Method("scipy", "LSODA", "SciPy LSODA", "P", explicit=False),
    Method("scipy", "Radau", "SciPy Radau", "D", explicit=False),
)
COLOURS = {"bestiary": "#c8102e", "heyoka": "#00629b", "diffsol": "#e87722", "diffrax": "#007a53", "scipy": "#777777"}


def workloads() -> list[tuple[Workload, float, bool]]:
    """What is integrated, its period, and whether it is a Hamiltonian system with separate energies."""
    angle = np.arange(NODES)
    ring = np.stack([4 * np.cos(angle), 4 * np.sin(angle), 0.1 + 0 * angle], axis=1).ravel()

    def one(key: str, title: str, equations: dict[str, str], initial: list[float], duration: float) -> Workload:
        return Workload(key, title, equations, np.array([initial]), duration, 200)

    return [
        (one("lorenz", "Lorenz, time 10", LORENZ, [-9.8, -15.0, 20.5], 10.0), 0.75, False),
        (one("henon-heiles", "Hénon-Heiles, time 100", HENON_HEILES, [0.0, -0.25, 0.42081, 0.0], 100.0), 6.3, True),
        (one("kepler", "Kepler, eccentricity 0.6, 10 orbits", KEPLER, [0.4, 0.0, 0.0, 2.0], 62.8), 6.3, True),
        (one("van-der-pol", "van der Pol, μ = 100, time 200", VAN_DER_POL, [2.0, 0.0], 200.0), 0.5, False),
        (one("ring", f"ring of {NODES} Rössler systems, time 20", RING, ring.tolist(), 20.0), 5.9, False),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "work_precision.png")
    parser.add_argument("--only", default="", help="systems whose key contains this")
    parser.add_argument("--peers", default=",".join(COLOURS), help="contenders, comma-separated")
    options = parser.parse_args()
    peers = {}
    for name in options.peers.split(","):
        try:
            peers[name] = importlib.import_module(f"peer_{name}")
        except ImportError as error:
            print(f"missing: {name} ({error})")
    versions = ", ".join(f"{name} {peer.VERSION}" for name, peer in peers.items())
    print(f"{processor()}, one thread; {versions}\n")
    lines: dict[str, dict[str, Array]] = {}
    for work, period, is_separable in workloads():
        if options.only not in work.key:
            continue
        truth = exact(work)
        lines[work.title] = {}
        for method in METHODS:
            if method.peer not in peers or (method.separable and not is_separable):
                continue
            points = list(curve(work, method, peers[method.peer], truth, period))
            if points:
                lines[work.title][method.label] = np.array(points)
                said = "  ".join(f"{error:.0e} {1e3 * seconds:.2f} ms" for error, seconds in points)
                print(f"{work.key:<13} {method.label:<21} {said}", flush=True)
    draw(lines, versions, options.out)
    print(f"\n{options.out}")
    return 0


def exact(work: Workload) -> Array:
    """Samples (n, d) of a run in extended precision."""
    run = _system(work).trajectory(
        initial=work.initial[0], times=work.times, precision="extended", rtol=1e-24, atol=1e-24
    )
    assert run.outcome == "ok", run
    return run.x


def _system(work: Workload) -> bst.System:
    text = "\n".join(f"{name}' = {right}" for name, right in work.equations.items())
    return bst.System.from_text(text, initial=work.initial[0], period=1.0)


def curve(work: Workload, method: Method, peer: object, truth: Array, period: float) -> Iterator[tuple[float, float]]:
    """Error and seconds, from coarse to fine."""
    scale = truth.std(axis=0)
    for setting in STEPS_OF_PERIOD if method.fixed else TOLERANCES:
        try:
            run = prepared(work, method, peer, setting, period)
            result, seconds = timed(run)
        except Unsupported:
            return
        except Exception as error:
            print(f"{work.key:<13} {method.label:<21} at {setting:g}: {type(error).__name__}: {str(error)[:80]}")
            continue
        error = np.abs((result - truth) / scale).max() if result.shape == truth.shape else np.nan
        if 0 < error < 10:
            yield float(error), seconds
        if seconds > ENOUGH:
            return


def prepared(work: Workload, method: Method, peer: object, setting: float, period: float) -> Callable[[], Array]:
    """What is timed."""
    if method.peer == "bestiary":
        system = _system(work)
        options = {"step": period / setting} if method.fixed else {"rtol": setting, "atol": setting}
        options |= {"initial": work.initial[0], "times": work.times, "method": method.name, "threads": 1}
        return lambda: system.trajectory(**options).x[None]
    run: Callable[[], Array] = peer.prepare(  # type: ignore[attr-defined]
        replace(work, tolerance=setting, method=method.name, stiff=not method.explicit), 1
    )
    return run


def timed(run: Callable[[], Array]) -> tuple[Array, float]:
    """
    The result (n, d) and the processor time of a run, leaving out the first, in which some packages compile.

    A mean and not the least: the clock lags behind where a package computes in threads of its own.
    """
    result = run()[0]
    begun, runs = time.process_time(), 0
    while runs == 0 or time.process_time() - begun < 0.1:
        run()
        runs += 1
    return result, (time.process_time() - begun) / runs


def draw(lines: dict[str, dict[str, Array]], versions: str, out: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 9), layout="constrained")
    panels = figure.subplots(2, 3).ravel()
    handles = {}
    marks = {method.label: method for method in METHODS}
    for panel, (title, curves) in zip(panels, lines.items(), strict=False):
        for label, points in curves.items():
            method = marks[label]
            (handles[label],) = panel.loglog(
                points[:, 0], 1e3 * points[:, 1], color=COLOURS[method.peer], marker=method.mark, markersize=5,
                linewidth=1.8 if method.peer == "bestiary" else 1.0,
                linestyle=":" if method.fixed else "-" if method.explicit else "--", label=label,
            )  # fmt: skip
        panel.set_title(title, fontsize=11)
        panel.invert_xaxis()
        panel.grid(True, alpha=0.25)
        panel.set_xlabel("largest error, in standard deviations")
        panel.set_ylabel("processor time in ms")
    for panel in panels[len(lines) :]:
        panel.axis("off")
    order = [handles[method.label] for method in METHODS if method.label in handles]
    title = "lower and further right is better\nsolid: explicit, dashed: implicit, dotted: fixed step"
    panels[-1].legend(handles=order, loc="center", ncols=2, fontsize=9, frameon=False, title=title)
    said = f"200 samples of one trajectory on one thread of {processor()}, building and compiling not counted"
    figure.suptitle(f"{said}\n{versions}", fontsize=9)
    figure.savefig(out, dpi=90)


if __name__ == "__main__":
    sys.exit(main())
