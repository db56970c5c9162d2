"""
Metrics against the clock: `python3 dev.py bench --only metrics`, or `python tests/bench/bench_metrics.py`.

Each row has a target in milliseconds. Peers, where installed, do the same work in turn with us, and their result is
compared with ours; the best of several repetitions counts.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bestiary import metrics

Work = Callable[[], Any]


def rows() -> list[tuple[str, float | None, Work, dict[str, Work]]]:
    """Title, target in milliseconds, our work, that of peers."""
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(2, 1000, 3)).cumsum(axis=1)
    a, b = rng.normal(size=(2, 5000, 1)).cumsum(axis=1)
    c, d = rng.normal(size=(2, 5000, 3)).cumsum(axis=1)
    x, z = rng.normal(size=(2, 1_000_000, 3))
    stats, learn, selection, series = (
        found(name) for name in ("scipy.stats", "sklearn.metrics", "sklearn.feature_selection", "tslearn.metrics")
    )
    peers: list[dict[str, Work]] = [{} for _ in range(4)]
    if stats and learn:
        peers[0]["scipy, scikit-learn: five of them"] = lambda: (
            learn.mean_squared_error(y, p),
            learn.mean_absolute_error(y, p),
            learn.r2_score(y, p),
            np.mean([stats.spearmanr(y[:, v], p[:, v]).statistic for v in range(3)]),
            np.mean([stats.kendalltau(y[:, v], p[:, v]).statistic for v in range(3)]),
        )
    if selection:
        peers[1]["scikit-learn"] = lambda: np.mean(
            [selection.mutual_info_regression(y[:, v, None], p[:, v], random_state=0)[0] for v in range(3)]
        )
    if series:
        peers[2]["tslearn"] = lambda: series.dtw(a, b)
    peers[3]["numpy.histogramdd"] = lambda: histogram_divergence(x, z)
    few, other = x[:2000], z[:2000]
    return [
        ("16 point errors of (1000, 3)", 0.2, lambda: metrics.all(y, p, metrics="point"), peers[0]),
        ("mutual information of (1000, 3)", None, lambda: metrics.mutual_information(y, p), peers[1]),
        ("warping of 5000 points", 100.0, lambda: metrics.dtw(a, b, cost="squared"), peers[2]),
        ("warping of 5000 points in 3 variables", None, lambda: metrics.dtw(c, d), {}),
        ("D_stsp of 1e6 points", 200.0, lambda: metrics.state_space_divergence(x, z), peers[3]),
        ("D_H of 1e6 points", None, lambda: metrics.hellinger_distance(x, z), {}),
        (
            "Gaussian mixtures of 2000 points",
            None,
            lambda: metrics.state_space_divergence(few, other, method="mixture"),
            {},
        ),
        ("nearest-neighbour KL of 2000 points", None, lambda: metrics.kl_divergence(few, other), {}),
        ("sliced Wasserstein of 2000 points", None, lambda: metrics.sliced_wasserstein(few, other), {}),
        ("MMD of 2000 points", None, lambda: metrics.mmd(few, other), {}),
        ("dimension error of 2000 points", None, lambda: metrics.correlation_dimension_error(few, other), {}),
    ]


def found(name: str) -> Any:
    """The module, or nothing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def histogram_divergence(truth: np.ndarray, forecast: np.ndarray) -> float:
    """What our default does, by a full table."""
    margin = 0.1 * truth.std(axis=0, ddof=1)
    box = list(zip(truth.min(axis=0) - margin, truth.max(axis=0) + margin, strict=True))
    tables = [np.histogramdd(points, bins=30, range=box)[0] + 1e-5 for points in (truth, forecast)]
    p, q = (table / table.sum() for table in tables)
    return float(np.sum(p * np.log(p / q)))


def table(repetitions: int = 5) -> bool:
    """Print the rows; whether every target was met."""
    met = True
    print(f"{'metric':<52} {'who':<34} {'time':>12}")
    for title, target, ours, peers in rows():
        best, results = dict.fromkeys(["bestiary", *peers], float("inf")), {}
        for _ in range(repetitions):
            for name, work in (("bestiary", ours), *peers.items()):
                # short work is repeated for about 20 ms
                taken, begun = [], time.perf_counter()
                while not taken or time.perf_counter() - begun < 0.02:
                    start = time.perf_counter()
                    results[name] = work()
                    taken.append(time.perf_counter() - start)
                best[name] = min(best[name], *taken, float("inf"))
        for name, seconds in best.items():
            note = ""
            if name == "bestiary" and target is not None:
                note = f"target {target:g} ms: {'met' if 1e3 * seconds <= target else 'MISSED'}"
                met &= 1e3 * seconds <= target
            elif name != "bestiary":
                note = f"{seconds / best['bestiary']:.1f}x ours"
                if isinstance(results[name], float):
                    note += f", difference {abs(results[name] - results['bestiary']):.1e}"
            print(f"{title:<52} {name:<34} {1e3 * seconds:9.3f} ms  {note}", flush=True)
    return met


if __name__ == "__main__":
    sys.exit(0 if table() else 1)
