"""
Measures beside nolds and dysts, on the same data with the same radii, steps and tolerances: `python bench_measures.py`.

nolds 0.6.1, dysts 0.96 and SciPy must be installed; the rows of one that is missing are left out. The best repetition
of each counts, and results are compared before times are.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np

import bestiary as bst
from bestiary import _core
from bestiary import measures as m

try:
    import nolds
except (ImportError, TypeError):
    nolds = None
try:
    import dysts.analysis as dysts
except ImportError:
    dysts = None

# Estimate, ours for a number of threads, the other's.
Row = tuple[str, Callable[[int | None], object], Callable[[], object]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=5000, help="samples for the comparison")
    parser.add_argument("--large", type=int, default=100_000, help="points of the correlation sum")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    missing = [name for name, module in (("nolds", nolds), ("dysts", dysts)) if module is None]
    print(_core.machine(), *(f"{name} is missing" for name in missing), "\n")
    lorenz = bst.system("Lorenz")
    wall, cpu = timed(lambda: bst.lyapunov_spectrum(lorenz, error=0.001, threads=2), options.repetitions)
    found = bst.lyapunov_spectrum(lorenz, error=0.001, threads=2)
    print(
        f"spectrum of Lorenz to 0.001, two threads: {wall:.3f} s on the clock, {cpu:.3f} s of processor time: {found}\n"
    )

    states = bst.system("Lorenz").trajectory(options.large, dt=0.05, transient=20, rtol=1e-9).x
    radii = np.geomspace(0.01, 50, 40)
    print(f"correlation sum of {options.large} points of Lorenz, Theiler window 50, 3 coordinates")
    for label, given in (("radii by default (40)", None), ("40 radii from 0.01 to 50: all pairs", radii)):
        wall, cpu = timed(lambda given=given: m.correlation_sum(states, given, window=50), options.repetitions)
        print(f"  {label:<40} {wall:8.3f} s on the clock {cpu:8.3f} s of processor time, all threads")
    wall, cpu = timed(lambda: m.correlation_dimension(states, window=50), options.repetitions)
    print(f"  {'correlation_dimension with its error':<40} {wall:8.3f} s on the clock {cpu:8.3f} s of processor time\n")

    x = states[: options.n, 0]
    print(f"{options.n} samples of Lorenz (x beside nolds, states beside dysts), times of nolds and dysts over ours")
    for peer, rows in (("nolds", beside_nolds(x)), ("dysts", beside_dysts(states[: options.n]))):
        for name, ours, theirs in rows:
            difference = float(np.max(np.abs(np.asarray(ours(1)) - np.asarray(theirs()))))
            one, own = (timed(partial(ours, threads), 10 * options.repetitions) for threads in (1, None))
            wall, cpu = timed(theirs, options.repetitions)
            print(
                f"  {name:<44} {peer} {wall:6.3f} s on the clock, {wall / own[0]:4.0f} x with all threads; "
                f"{cpu:6.3f} s of processor time, {cpu / one[1]:4.0f} x with one; difference {difference:.1e}"
            )


def beside_nolds(x: np.ndarray) -> list[Row]:
    if nolds is None:
        return []
    scale = np.geomspace(0.1, 0.5, 20) * x.std()
    embedded = m.embed(x, 3)
    return [
        (
            "correlation sum, 20 radii",
            # nolds counts the diagonal of its matrix of distances as well.
            lambda threads: np.log(
                m.correlation_sum(embedded, scale, window=0, norm="euclidean", threads=threads)[1]
                + 1 / (len(embedded) - 1)
            ),
            lambda: nolds.corr_dim(
                x, 3, rvals=scale, dist=nolds.measures.rowwise_euclidean, fit="poly", debug_data=True
            )[1][1],
        ),
        (
            "divergence of nearest neighbours, 20 steps",
            lambda threads: m.divergence_curve(embedded, 20, window=20, threads=threads),
            lambda: nolds.lyap_r(x, 3, lag=1, min_tsep=20, trajectory_len=21, fit="poly", debug_data=True)[1][1],
        ),
        (
            "sample entropy",
            lambda threads: m.sample_entropy(x, threads=threads).value,
            lambda: nolds.sampen(x, 2, tolerance=0.2 * x.std(), closed=True),
        ),
    ]


def beside_dysts(points: np.ndarray) -> list[Row]:
    if dysts is None:
        return []
    return [
        (
            # In single precision there, which is what the difference comes from.
            "largest exponent of Rosenstein, 20 steps",
            lambda threads: np.polyfit(np.arange(20), m.divergence_curve(points, 19, window=20, threads=threads), 1)[0],
            lambda: dysts.max_lyapunov_exponent_rosenstein(points, lag=1, min_tsep=20, trajectory_len=20),
        ),
    ]


def timed(call: Callable[[], object], repetitions: int) -> tuple[float, float]:
    """The shortest time on the clock, and the least processor time of all threads."""
    walls, cpus = [], []
    for _ in range(repetitions):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


if __name__ == "__main__":
    main()
