"""
Measures of data beside nolds, on the same data with the same radii, steps and tolerances: `python bench_measures.py`.

nolds 0.6.1 and SciPy must be installed; without them only our times are shown. Repetitions alternate, the best of each
counts, and results are compared before times are.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import bestiary as bst
from bestiary import _core
from bestiary import measures as m

try:
    import nolds
except (ImportError, TypeError):
    nolds = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=5000, help="samples for the comparison")
    parser.add_argument("--large", type=int, default=100_000, help="points of the correlation sum")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    print(_core.machine(), f"nolds {getattr(nolds, '__version__', 'present' if nolds else 'missing')}\n")

    states = bst.system("Lorenz").trajectory(options.large, dt=0.05, transient=20, rtol=1e-9).x
    radii = np.geomspace(0.01, 50, 40)
    print(f"correlation sum of {options.large} points of Lorenz, Theiler window 50, 3 coordinates")
    for label, given in (("radii by default (40)", None), ("40 radii from 0.01 to 50: all pairs", radii)):
        wall, cpu = timed(lambda given=given: m.correlation_sum(states, given, window=50), options.repetitions)
        print(f"  {label:<40} {wall:8.3f} s on the clock {cpu:8.3f} s of processor time, all threads")
    wall, cpu = timed(lambda: m.correlation_dimension(states, window=50), options.repetitions)
    print(f"  {'correlation_dimension with its error':<40} {wall:8.3f} s on the clock {cpu:8.3f} s of processor time\n")

    if nolds is None:
        return
    x = states[: options.n, 0]
    scale = np.geomspace(0.1, 0.5, 20) * x.std()
    embedded = m.embed(x, 3)
    rows: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        (
            "correlation sum, 20 radii",
            # nolds counts the diagonal of its matrix of distances as well.
            lambda: np.log(
                m.correlation_sum(embedded, scale, window=0, norm="euclidean", threads=1)[1] + 1 / (len(embedded) - 1)
            ),
            lambda: nolds.corr_dim(
                x, 3, rvals=scale, dist=nolds.measures.rowwise_euclidean, fit="poly", debug_data=True
            )[1][1],
        ),
        (
            "divergence of nearest neighbours, 20 steps",
            lambda: m.divergence_curve(embedded, 20, window=20, threads=1),
            lambda: nolds.lyap_r(x, 3, lag=1, min_tsep=20, trajectory_len=21, fit="poly", debug_data=True)[1][1],
        ),
        (
            "sample entropy",
            lambda: m.sample_entropy(x, threads=1).value,
            lambda: nolds.sampen(x, 2, tolerance=0.2 * x.std(), closed=True),
        ),
    ]
    print(f"{options.n} samples of x of Lorenz, processor time, ours on one thread")
    for name, ours, theirs in rows:
        difference = float(np.max(np.abs(np.asarray(ours()) - np.asarray(theirs()))))
        (_, own), (_, other) = timed(ours, options.repetitions), timed(theirs, 1)
        print(f"  {name:<44} {own:9.4f} s   nolds {other:8.3f} s   {other / own:7.0f} x   difference {difference:.1e}")


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
