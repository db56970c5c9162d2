"""This package."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
from workloads import MANY, Array, Run, Workload

import bestiary as bst

NAME = "bestiary"
VERSION = bst.__version__


def prepare(work: Workload, threads: int) -> Run:
    def build(k: int) -> bst.System:
        text = "\n".join(f"{name}' = {right}" for name, right in work.system(k).items())
        return bst.System.from_text(text, initial=work.initial[0], period=1.0)

    def solve(system: bst.System) -> Array:
        return system.ensemble(
            initial=work.initial,
            n=work.n,
            dt=work.duration / work.n,
            rtol=work.tolerance,
            atol=work.tolerance,
            method=work.method or "auto",
            threads=1 if work.variants > MANY else threads,
        ).x

    if work.variants > MANY:

        def last(k: int) -> Array:
            return solve(build(k))[:, -1:]

        def side_by_side() -> Array:
            with ThreadPoolExecutor(threads) as pool:
                return np.concatenate(list(pool.map(last, range(work.variants))))

        return side_by_side
    if work.include_build:
        return lambda: np.concatenate([solve(build(k)) for k in range(work.variants)])
    system = build(0)
    return lambda: solve(system)


def catalogue(names: list[str]) -> Run:
    """1000 points at 100 per period of each named system, on one thread."""
    systems = [bst.system(name) for name in names]
    return lambda: np.array([system.trajectory(1000, rtol=1e-12, atol=1e-12, threads=1).x[-1, 0] for system in systems])


def flows() -> list[str]:
    return bst.systems(kind="flow")["name"].to_list()


def family(count: int, threads: int) -> Counter[str]:
    """Skew products of two flows of the catalogue, all different, composed and run for 4096 points; how they ended."""
    rows = bst.systems(kind="flow").filter(pl.col("dimension") <= 4)["name"].to_list()
    members = [system for system in map(bst.system, rows) if not any(system.shape.values())]

    def one(k: int) -> str:
        driver, response = np.random.default_rng(k).choice(len(members), 2, replace=False)
        system = bst.skew_product(members[driver], members[response], seed=k)
        return system.trajectory(
            4096, dt=min(members[driver].period, members[response].period) / 100, threads=1
        ).outcome

    with ThreadPoolExecutor(threads) as pool:
        return Counter(pool.map(one, range(count)))
