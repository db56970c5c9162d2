"""
Reconstruction of Lorenz-63 by the shallow piecewise-linear network: `python tests/bench/bench_reconstruction.py`.

Trained on 100 000 samples, dt = 0.01, standardised, with 5 % of observational noise and without; judged on a clean
run of the same length that was not seen: D_stsp (30 bins a side), D_H (smoothing 20), and the largest exponent of the
fitted map. The first rows are the floor: two true runs. A row a seed, as it is done; then medians.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import bestiary as bst

DT, SAMPLES, EXPONENT = 0.01, 100_000, 0.906


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.05, 0.0])
    parser.add_argument("--alpha", default="arithmetic_mean")
    options = parser.parse_args()
    alpha = float(options.alpha) if options.alpha[0].isdigit() else options.alpha
    runs = bst.system("Lorenz").ensemble(4, SAMPLES, dt=DT, seed=63).x
    train, test = (runs[:2] - runs[0].mean(axis=0)) / runs[0].std(axis=0)
    print(f"shallow PLRNN, 50 hidden units, alpha {alpha}, {options.epochs} epochs of 50 updates, 16 windows of 200")
    for k in (2, 3):
        other = (runs[k] - runs[0].mean(axis=0)) / runs[0].std(axis=0)
        print(f"floor, another true run: {told(*judged(test, other))}", flush=True)
    for noise in options.noise:
        rows = []
        for seed in range(options.seeds):
            given = train + noise * np.random.default_rng(seed).normal(size=train.shape)
            begun = time.process_time()
            model = bst.forecast.ShallowPLRNN(alpha=alpha, epochs=options.epochs, seed=seed).fit(given, dt=DT)
            seconds = time.process_time() - begun
            free = model.simulate(SAMPLES + SAMPLES // 4)[SAMPLES // 4 :]
            found = bst.lyapunov_spectrum(model.to_system(), 1, error=0.005 * DT, max_work=3e8)
            exponent = found.value[0] / DT
            rows.append((*judged(test, free), exponent))
            said = f"exponent {exponent:.3f} ± {found.error[0] / DT:.3f} ({100 * (exponent / EXPONENT - 1):+.0f} %)"
            print(f"noise {noise:g}, seed {seed}: {told(*rows[-1][:2])}, {said}, {seconds:.0f} s", flush=True)
        medians = np.median(rows, axis=0)
        print(f"noise {noise:g}, median: {told(*medians[:2])}, exponent {medians[2]:.3f}", flush=True)


def judged(truth: np.ndarray, free: np.ndarray) -> tuple[float, float]:
    """D_stsp and D_H, by the conventions of Hess et al. (2023)."""
    if not np.isfinite(free).all():
        return float("inf"), 1.0
    divergence = bst.metrics.state_space_divergence(truth, free)
    return float(divergence), float(bst.metrics.hellinger_distance(truth, free, boundary="mirror"))


def told(divergence: float, distance: float) -> str:
    return f"D_stsp {divergence:.3f}, D_H {distance:.3f}"


if __name__ == "__main__":
    main()
