"""
The side-by-side table: `python3 dev.py bench`, or with the peers installed `python tests/bench/bench.py`.

All rows are measured in the same run. Repetitions of the contenders alternate, the best of each counts, and what a
repetition returns is compared with ours for as long as chaos lets it (to five time units).
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import bench_metrics
import footprint
from workloads import Unsupported, Workload, workloads

PEERS = ("bestiary", "heyoka", "tsdynamics", "diffrax", "diffsol", "scipy", "dysts")
COMPARED_TIME = 5.0
CATALOGUE_SYSTEMS = 12
"""Of the common flows, evenly spaced: dysts takes seconds for each."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rows whose key contains this")
    parser.add_argument("--peers", default=",".join(PEERS), help="contenders, comma-separated")
    parser.add_argument("--threads", type=int, default=2, help="for ensembles")
    parser.add_argument("--repetitions", type=int, help="of each contender, as far as the budget goes; 5, quick 2")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds for one contender in one row")
    parser.add_argument("--quick", action="store_true", help="smaller ensembles, two repetitions")
    options = parser.parse_args()
    options.repetitions = options.repetitions or (2 if options.quick else 5)
    peers = load(options.peers.split(","))
    print(f"{processor()}, {platform.platform()}, Python {platform.python_version()}, {options.threads} threads")
    print(", ".join(f"{name} {peer.VERSION}" for name, peer in peers.items()), "\n")
    print(f"{'work':<52} {'who':<11} {'time':>11} {'of ours':>9}  largest difference from ours, t <= 5")
    for work in workloads(options.quick):
        if options.only in work.key:
            row(work, peers, options)
    if options.only in "catalogue":
        catalogue(peers, options)
    if options.only in "family":
        family(peers, options)
    if options.only in "metrics":
        bench_metrics.table(options.repetitions)
    if options.only in "footprint" and "bestiary" in peers:
        for work, measured, target, unit in footprint.table(options.quick):
            aim(work, measured, target, unit, at_most=True)
    print_targets()
    return 0


TARGETS: list[tuple[str, float, float, str, bool]] = []
"""What was aimed at: the work, what was measured, the aim, its unit, and whether less is better."""


def aim(work: str, measured: float, target: float, unit: str = "x", *, at_most: bool = False) -> None:
    """Notes a measurement that has a target."""
    TARGETS.append((work, measured, target, unit, at_most))


def aims(title: str, best: dict[str, float], targets: dict[str, float]) -> None:
    """Notes how many times our time each contender with a target took, of those that did the work."""
    for name, target in targets.items():
        if name in best and "bestiary" in best:
            aim(f"{title}: {name}", best[name] / best["bestiary"], target)


def print_targets() -> None:
    """The measurements of this run beside their targets."""
    for work, measured, target, unit, at_most in TARGETS:
        met = measured <= target if at_most else measured >= target
        sign = "<=" if at_most else ">="
        print(f"{'met   ' if met else 'missed'}  {work:<66} {measured:9.3g} {unit:<4} {sign} {target:g} {unit}")


def load(names: list[str]) -> dict[str, ModuleType]:
    """The contenders that are installed. The others are said to be missing."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.import_module(f"peer_{name}")
        except ImportError as error:
            print(f"missing: {name} ({error})")
    return found


def row(work: Workload, peers: dict[str, ModuleType], options: argparse.Namespace) -> None:
    runs, refused = {}, {}
    for name, peer in peers.items():
        try:
            if work.methods and name not in work.methods:
                raise Unsupported("has no method of this kind, or none in this table")
            runs[name] = peer.prepare(replace(work, method=work.methods.get(name)), options.threads)
        except Unsupported as reason:
            refused[name] = str(reason)
    best, results = measure(runs, refused, options)
    early = int((work.times <= COMPARED_TIME).sum())
    reference = "bestiary" if "bestiary" in results else next(iter(results), "")
    ours = results.get(reference)
    lines = []
    for name in best:
        note = ""
        if ours is not None and name != reference:
            theirs = results[name]
            same = theirs.shape[2:] == ours.shape[2:] and theirs.shape[1] >= early
            note = f"{np.abs(theirs[:, :early] - ours[:, :early]).max():.1e}" if same else f"shape {theirs.shape}"
        lines.append((name, best[name], note))
    show(work.title, lines, refused, per=work.variants)
    aims(work.title, best, work.targets)


def catalogue(peers: dict[str, ModuleType], options: argparse.Namespace) -> None:
    """Every flow of the catalogue that dysts has as well: all by us, some by dysts, shown per system."""
    able = {name: peer for name, peer in peers.items() if hasattr(peer, "catalogue")}
    if set(able) != {"bestiary", "dysts"}:
        print("catalogue row: needs both bestiary and dysts")
        return
    common = sorted(set(able["bestiary"].flows()) & set(able["dysts"].flows()))
    some = common[:: max(1, len(common) // CATALOGUE_SYSTEMS)][:CATALOGUE_SYSTEMS]
    refused: dict[str, str] = {}
    runs = {name: peer.catalogue(some) for name, peer in able.items()}
    best, _ = measure(runs, refused, options)
    title = f"1000 points of {len(some)} of {len(common)} common flows, 1 thread"
    show(title, [(name, best[name], "") for name in best], refused, per=len(some))
    aims(title, best, {"dysts": 2000.0})


def family(peers: dict[str, ModuleType], options: argparse.Namespace) -> None:
    """Ours alone, once: composition and integration of as many different systems."""
    if "bestiary" not in peers:
        return
    count = 200 if options.quick else 20_000
    begun = time.perf_counter()
    ends = peers["bestiary"].family(count, options.threads)
    said = ", ".join(f"{number} {outcome}" for outcome, number in ends.most_common())
    show(
        f"{count} skew products of two flows, 4096 points", [("bestiary", time.perf_counter() - begun, said)], {}, count
    )


def measure(
    runs: dict[str, Callable[[], np.ndarray]], refused: dict[str, str], options: argparse.Namespace
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Best times in seconds. The first repetition (caches, compilers) counts only where no other fits the budget."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    results: dict[str, np.ndarray] = {}
    for _ in range(options.repetitions + 1):
        for name, run in runs.items():
            if name in refused or sum(times[name]) > options.budget:
                continue
            begun = time.perf_counter()
            try:
                result = run()
            except Exception as error:
                refused[name] = f"failed: {type(error).__name__}: {str(error).splitlines()[0][:80]}"
                continue
            times[name].append(time.perf_counter() - begun)
            results.setdefault(name, result)
    best = {name: min(taken[1:] or taken) for name, taken in times.items() if name not in refused}
    return best, results


def show(title: str, lines: list[tuple[str, float, str]], refused: dict[str, str], per: int) -> None:
    ours = next((seconds for name, seconds, _ in lines if name == "bestiary"), float("nan"))
    for name, seconds, note in lines:
        each = f"{1e3 * seconds / per:9.3f} ms"
        print(f"{title:<52} {name:<11} {each:>11} {seconds / ours:8.2f}x  {note}", flush=True)
    for name, reason in refused.items():
        print(f"{title:<52} {name:<11} {'–':>11} {'':>9}  {reason}", flush=True)
    print()


def processor() -> str:
    """The name of the processor, where the system tells it."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
