"""This package."""

import numpy as np
from workloads import Array, Run, Workload

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
            threads=threads,
        ).x

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
