"""
Do standard errors mean what they say? `python tests/bench/bench_coverage.py [--repetitions 200]`.

Exponents are measured many times, each time with another seed and a fixed length; counted is how often the long-run
value lies within one stated standard error, and within two. A normal error covers 68 % and 95 %; of 200 repetitions,
60 to 76 % do not contradict that. The long-run value comes from 512 times as much, with a seed of its own.
"""

from __future__ import annotations

import argparse

import numpy as np

import bestiary as bst

# Name, and the length of a member, in periods or iterations.
SYSTEMS = {"Henon": 500, "Lorenz": 60, "Rossler": 60}
LONGER = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    print(
        "| system | exponent | long-run value | mean stated error | scatter of the values | within 1 error | within 2 |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, length in SYSTEMS.items():
        system = bst.system(name)
        duration = length * (1.0 if system.kind == "map" else system.period)
        truth = bst.lyapunov_spectrum(
            system, members=16 * 8, duration=LONGER * duration, seed=10**6, threads=options.threads
        )
        found = [
            bst.lyapunov_spectrum(system, duration=duration, seed=seed, threads=options.threads)
            for seed in range(options.repetitions)
        ]
        for i in range(system.dimension):
            if system.kind == "flow" and i == 1:
                continue
            values = np.array([each.value[i] for each in found])
            errors = np.array([each.error[i] for each in found])
            away = np.abs(values - truth.value[i])
            shares = [f"{100 * np.mean(away < k * errors):.0f} %" for k in (1, 2)]
            print(
                f"| {name} | {i + 1} | {truth.value[i]:.5f} ± {truth.error[i]:.1g} | {errors.mean():.2g} "
                f"| {values.std():.2g} | {shares[0]} | {shares[1]} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
