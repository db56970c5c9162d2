"""
How long forecasts of Lorenz-63 by trained networks stay valid, without noise and with it.

    python tests/bench/bench_neural.py                              # all of the extra `neural`
    python tests/bench/bench_neural.py NBEATS "LSTM(block=4)"       # these, with arguments
    python tests/bench/bench_neural.py --budget 60 --seeds 3 --processes 2
    python tests/bench/bench_neural.py 'Known("Lorenz", rho=25.2)' 'NeuralODE(known="Lorenz", rho=25.2)'

The last line is of equations that are wrong, by themselves and with a network that learns what they lack.

The bed is that of bench_forecasters.py, with 10 000 training points: Lorenz-63 (10, 28, 8/3), 30 samples a period
(dt = 0.05), standardised, 30 starts; the first time at which the root mean square error exceeds 0.4 standard
deviations, in Lyapunov times (exponent 0.9056), as the median [quartiles] over the starts. Noise is put on the training
series and on the history that is continued, not on the truth. With several seeds, all starts of all of them count.

The budget is processor time for one training, on one thread; the epochs are as many as fit into it by a trial of a few,
at most those of the forecaster. The seconds are those of training and forecasting, compilation included.
"""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from bench_forecasters import DT, EXPONENT, HISTORY, HORIZON, NOISE, STARTS, bed, valid_time

import bestiary as bst
from bestiary import forecast as bf


class Known(bf.Forecaster):
    """Equations, right or wrong, from the last sample on; there is nothing to learn."""

    def __init__(self, known: Any = None) -> None:
        self.known = known

    def _fit(self, series: list[Any]) -> None:
        pass

    def _memory(self) -> tuple[int, int | None]:
        return 1, 1

    def _predict(self, past: Any, horizon: int) -> Any:
        return self.known.trajectory(horizon + 1, dt=self.dt_, initial=past[-1]).x[1:]


def read(text: str) -> Any:
    """The forecaster of `Name` or `Name(argument=literal, …)`; with `known`, the rest are parameters of that system."""
    call = ast.parse(text, mode="eval").body
    if not isinstance(call, ast.Call):
        return bf.forecaster(text)
    name = ast.unparse(call.func)
    arguments = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    known = ast.literal_eval(call.args[0]) if call.args else arguments.pop("known", None)
    if known is None:
        return bf.forecaster(name, **arguments)
    system = bst.system(known, **arguments)
    return Known(system) if name == "Known" else bf.forecaster(name, known=system)


def epochs_within(model: Any, x: Any, budget: float) -> int:
    """How many epochs a training may have."""
    if isinstance(model, Known):
        return 0
    times = []
    for epochs in (1, 1, 3):
        begun = time.process_time()
        model.clone().set_params(epochs=epochs).fit(x, dt=DT)
        times.append(time.process_time() - begun)
    # The first run compiles.
    each = max((times[2] - times[1]) / 2, 1e-4)
    return int(np.clip((budget - times[0]) / each, 1, model.epochs))


def row(text: str, n: int, budget: float, seeds: int) -> str:
    model = read(text)
    train, tests = bed(bst.system("Lorenz"), DT, n)
    scale = train.std(axis=0)
    history, future = tests[:, :HISTORY], tests[:, HISTORY:]
    epochs = epochs_within(model, train, budget)
    cells = []
    for noise in (0.0, NOISE):
        times, seconds = [], []
        for seed in range(seeds):
            generator = np.random.default_rng(seed)
            seen = train + noise * scale * generator.standard_normal(train.shape)
            context = history + noise * scale * generator.standard_normal(history.shape)
            begun = time.process_time()
            fresh = model.clone().set_params(epochs=epochs, seed=seed) if epochs else model.clone()
            forecasts = fresh.fit(seen, dt=DT).predict(HORIZON, context=context)
            seconds.append(time.process_time() - begun)
            times.append(valid_time(forecasts, future, scale) * DT * EXPONENT)
        low, middle, high = np.quantile(times, [0.25, 0.5, 0.75])
        cells.append(f"{middle:5.2f} [{low:5.2f}, {high:5.2f}] | {np.mean(seconds):4.0f}")
    shown = text if "(" in text else repr(model)
    return f"| `{shown}` | {epochs:3d} | {cells[0]} | {cells[1]} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="names, or names with arguments; by default all of the extra")
    parser.add_argument("--budget", type=float, default=600.0, help="seconds of processor time for a training")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--points", type=int, default=10_000, help="of the training series")
    parser.add_argument("--processes", type=int, default=1, help="models at once")
    options = parser.parse_args()
    frame = bf.forecasters().filter(extra="neural")
    models = options.models or frame.filter(frame["needs"].list.len() == 0)["name"].to_list()
    for text in models:
        read(text)  # a mistake shall show at once
    print(f"{platform.machine()}, {options.points} training points, {STARTS} starts, {options.seeds} seed(s)\n")
    print(f"| forecaster | epochs | no noise | s | {NOISE:.0%} noise | s |\n|---|---|---|---|---|---|", flush=True)
    # One thread for each process, which reads this when it begins.
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=spawn) as pool:
        done = [pool.submit(row, text, options.points, options.budget, options.seeds) for text in models]
        for one in done:
            print(one.result(), flush=True)


if __name__ == "__main__":
    main()
