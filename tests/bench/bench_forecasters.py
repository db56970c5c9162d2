"""
How long forecasts of Lorenz-63 stay valid, without noise and with it, and how long they take.

    python tests/bench/bench_forecasters.py                    # the table
    python tests/bench/bench_forecasters.py --check            # the table, and whether each promise is kept
    python tests/bench/bench_forecasters.py NVAR WideNetwork   # rows whose name has one of these
    python tests/bench/bench_forecasters.py --systems 20       # the same forecasters on systems of the catalogue

The bed: Lorenz-63 (10, 28, 8/3), 30 samples a period (dt = 0.05), standardised by the training series; 30 starts on the
attractor. The valid prediction time is the first time at which the root mean square
error over the coordinates exceeds 0.4 standard deviations, in Lyapunov times (exponent 0.9056); the median over the
starts. Noise is put on the training series and on the history that is continued, not on the truth: a history with
5 % noise starts off with an error of 5 %, which alone grows to 0.4 within 2.3 Lyapunov times. The data are the same for
all rows; a row with another number of training points learns from the first of the same series.

Times are of this process on this machine, fits and 1000-step forecasts for 10 000 x 3 training points.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from typing import Any

import numpy as np

import bestiary as bst
from bestiary import forecast as bf
from bestiary.forecast import Forecaster

DT, EXPONENT, BOUND, STARTS, HORIZON, HISTORY = 0.05, 0.9056, 0.4, 30, 400, 300
NOISE = 0.05

# Name, forecaster without noise, forecaster with noise (where its penalty should be another), points, promise.
ROWS: list[tuple[str, Forecaster, Forecaster | None, int, float | None]] = [
    ("Mean", bf.Mean(), None, 3000, None),
    ("LastValue", bf.LastValue(), None, 3000, None),
    ("Drift", bf.Drift(), None, 3000, None),
    ("Seasonal", bf.Seasonal(), None, 3000, None),
    ("HankelDMD", bf.HankelDMD(), None, 3000, None),
    ("ResDMD", bf.ResDMD(), None, 3000, None),
    ("ContextParroting, 5 lags", bf.ContextParroting(), None, 3000, 1.5),
    ("ContextParroting, state only", bf.ContextParroting(lags=1), None, 3000, 1.5),
    ("Hopfield, beta 5000", bf.Hopfield(), bf.Hopfield(beta=50.0), 3000, None),
    ("Simplex", bf.Simplex(), None, 3000, None),
    ("LocalLinear, 12 neighbours", bf.LocalLinear(), bf.LocalLinear(neighbours=50, lags=3), 3000, 4.0),
    ("SMap, theta 20", bf.SMap(theta=20.0), None, 3000, None),
    ("NVAR, degree 2", bf.NVAR(), None, 3000, None),
    ("NVAR, degree 5", bf.NVAR(degree=5), bf.NVAR(degree=3, lags=2, ridge=1e-6), 3000, None),
    ("RadialBasis, Gaussian", bf.RadialBasis(), bf.RadialBasis(ridge=1e-6), 3000, None),
    ("RandomFeatures, tanh", bf.RandomFeatures(), bf.RandomFeatures(ridge=1e-6), 3000, None),
    ("KernelRidge, Gaussian", bf.KernelRidge(), bf.KernelRidge(ridge="evidence"), 3000, 8.5),
    ("WideNetwork, erf NTK", bf.WideNetwork(), bf.WideNetwork(ridge="evidence"), 3000, 9.0),
    (
        "WideNetwork, erf NNGP",
        bf.WideNetwork(kernel="nngp"),
        bf.WideNetwork(kernel="nngp", ridge="evidence"),
        3000,
        None,
    ),
    ("WideNetwork, ReLU NNGP, 2 layers", bf.WideNetwork("nngp", "relu", 2), None, 3000, None),
    ("WideNetwork, ReLU NTK, 2 layers", bf.WideNetwork("ntk", "relu", 2), None, 3000, None),
    ("EchoState, 400 units", bf.EchoState(), bf.EchoState(ridge=1e-6), 8000, 6.5),
    ("SINDy, degree 2", bf.SINDy(), None, 3000, None),
    ("HybridEchoState, rho 10 % wrong", bf.HybridEchoState(bst.system("Lorenz", rho=30.8)), None, 3000, None),
]
FAST = ("NVAR, degree 2", "EchoState, 400 units", "LocalLinear, 12 neighbours", "ContextParroting, 5 lags")


def bed(system: bst.System, dt: float, n: int) -> tuple[Any, Any]:
    """A training series (n, d) and test pieces (starts, history + horizon, d), as they are."""
    train = system.trajectory(n, dt=dt, transient=60 * system.period).x
    return train, system.ensemble(STARTS, HISTORY + HORIZON, dt=dt, seed=7).x


def valid_time(forecasts: Any, truths: Any, scale: Any) -> Any:
    """Samples until the error exceeds the bound, for each start."""
    with np.errstate(all="ignore"):
        error = np.sqrt(np.mean(((forecasts - truths) / scale) ** 2, axis=2))
    is_lost = ~(error <= BOUND)
    return np.where(is_lost.any(axis=1), np.argmax(is_lost, axis=1), error.shape[1])


def score(
    model: Forecaster, train: Any, tests: Any, noise: float, dt: float, unit: float
) -> tuple[float, float, float]:
    """Quartiles of the valid prediction time in units of Lyapunov times."""
    mean, scale = train.mean(axis=0), train.std(axis=0)
    generator = np.random.default_rng(0)

    def measured(x: Any) -> Any:
        return x + noise * scale * generator.standard_normal(x.shape)

    history, future = tests[:, :HISTORY], tests[:, HISTORY:]
    seen = measured(train)
    # Equations, known or sought, are of natural units, where they are sparse; the other methods get standardised ones.
    centre, width = (0.0, 1.0) if isinstance(model, (bf.HybridEchoState, bf.SINDy)) else (mean, scale)
    fitted = model.clone().fit((seen - centre) / width, dt=dt)
    forecasts = fitted.predict(HORIZON, context=(measured(history) - centre) / width) * width + centre
    times = valid_time(forecasts, future, scale) * dt * unit
    low, middle, high = np.quantile(times, [0.25, 0.5, 0.75])
    return float(middle), float(low), float(high)


def table(names: list[str], is_checked: bool) -> int:
    train, tests = bed(bst.system("Lorenz"), DT, 8000)
    print(f"Lorenz-63, dt {DT}, {STARTS} starts, valid prediction time in Lyapunov times: median [quartiles]\n")
    print(f"{'forecaster':<34} {'points':>6}  {'no noise':>19}  {f'{NOISE:.0%} noise':>19}   promise")
    broken = 0
    for name, clean, noisy, n, promise in ROWS:
        if names and not any(part.lower() in name.lower() for part in names):
            continue
        cells = []
        for model, noise in ((clean, 0.0), (noisy or clean, NOISE)):
            middle, low, high = score(model, train[:n], tests, noise, DT, EXPONENT)
            cells.append((middle, f"{middle:5.2f} [{low:5.2f},{high:6.2f}]"))
        verdict = ""
        if promise is not None:
            is_kept = cells[0][0] >= promise
            broken += not is_kept
            verdict = f"{'>=' if is_kept else 'BELOW'} {promise}"
        changed = f"   (with noise: {noisy})" if noisy else ""
        print(f"{name:<34} {n:>6}  {cells[0][1]:>19}  {cells[1][1]:>19}   {verdict}{changed}", flush=True)
    return broken if is_checked else 0


def speed(names: list[str], is_checked: bool) -> int:
    x = bst.system("Lorenz").trajectory(10_000, dt=DT, transient=20).x
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "all")
    print(
        f"\n{platform.machine()}, {os.cpu_count()} processors, {threads} threads of BLAS; "
        "best of 5, seconds of processor time"
    )
    print(f"{'forecaster':<34} {'fit 10 000 x 3':>15} {'predict 1000':>15}")
    broken = 0
    for name, model, *_ in ROWS:
        if name not in FAST or (names and not any(part.lower() in name.lower() for part in names)):
            continue
        times = []
        for _ in range(5):
            begun = time.process_time()
            fitted = model.clone().fit(x)
            learned = time.process_time()
            fitted.predict(1000)
            times.append((learned - begun, time.process_time() - learned))
        fit, predict = np.min(times, axis=0)
        is_kept = fit < 1.0 and predict < 0.05
        broken += not is_kept
        print(f"{name:<34} {fit:>15.4f} {predict:>15.4f}   {'ok' if is_kept else 'TOO SLOW'}", flush=True)
    return broken if is_checked else 0


def catalogue(count: int, names: list[str]) -> None:
    """Median over systems of the median valid prediction time: 2000 points, 30 a period, no noise and noise."""
    rows = bst.systems(kind="flow").drop_nulls("largest_exponent")["name"].to_list()
    chosen = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, count).astype(int))]
    picked = [row for row in ROWS if (not names or any(part.lower() in row[0].lower() for part in names))]
    picked = [row for row in picked if "Hybrid" not in row[0]]
    print(f"\n{len(chosen)} flows of the catalogue, 2000 points, 30 a period; medians of the medians, Lyapunov times")
    beds = {}
    for name in chosen:
        system = bst.system(name)
        dt, exponent = system.period / 30, system.largest_exponent
        if exponent > 0:
            train, tests = bed(system, dt, 2000)
            if np.isfinite(train).all() and np.isfinite(tests).all() and (train.std(axis=0) > 0).all():
                beds[name] = (train, tests, dt, exponent)
    print("  " + ", ".join(beds))
    for name, clean, noisy, *_ in picked:
        cells = []
        for model, noise in ((clean, 0.0), (noisy or clean, NOISE)):
            values = [score(model, *parts[:2], noise, *parts[2:])[0] for parts in beds.values()]
            cells.append(
                f"{np.median(values):7.2f} [{np.quantile(values, 0.25):5.2f},{np.quantile(values, 0.75):6.2f}]"
            )
        print(f"{name:<34} {cells[0]:>21} {cells[1]:>21}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="parts of the names of rows")
    parser.add_argument("--check", action="store_true", help="fail if a promise is broken")
    parser.add_argument("--systems", type=int, default=0, help="measure on this many flows of the catalogue instead")
    options = parser.parse_args()
    if options.systems:
        catalogue(options.systems, options.names)
        return 0
    return int(table(options.names, options.check) + speed(options.names, options.check) > 0)


if __name__ == "__main__":
    raise SystemExit(main())
