"""What the package costs besides its runs: import, memory while it writes, and the time of an exponent of stated error."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

import bestiary as bst

IMPORTS = 15
"""Processes for each contender of the import; the fastest counts."""


def table(quick: bool) -> list[tuple[str, float, float, str]]:
    """Prints and returns work, measurement, target (at most) and unit."""
    rows = 10**7 if quick else 10**9
    lines = [
        ("Lyapunov spectrum of Lorenz to 0.001", spectrum(), 1.0, "s"),
        ("import, above that of numpy and polars", imports(), 20.0, "ms"),
        (f"peak memory of generate, {rows:.0e} rows", memory(rows), 1024.0, "MiB"),
    ]
    for work, measured, _, unit in lines:
        print(f"{work:<66} {measured:9.3g} {unit}")
    print()
    return lines


def spectrum() -> float:
    """Seconds for the three exponents of Lorenz, each with a standard error of at most 0.001."""
    lorenz = bst.system("Lorenz")
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        result = bst.measures.lyapunov_spectrum(lorenz, error=0.001)
        best = min(best, time.perf_counter() - begun)
    assert result.converged
    return best


def imports() -> float:
    """Milliseconds by which the import of the package is slower than that of numpy and polars alone."""
    best = {"numpy, polars": float("inf"), "bestiary": float("inf")}
    for _ in range(IMPORTS):
        for name in best:
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import numpy, polars, {name}"], check=True)
            best[name] = min(best[name], time.perf_counter() - begun)
    return 1e3 * (best["bestiary"] - best["numpy, polars"])


def memory(rows: int) -> float:
    """Peak of the resident memory, in MiB, of a process that writes a dataset of so many rows."""
    script = (
        "import resource, sys, bestiary as bst\n"
        f"bst.generate('Lorenz', n=100_000, trajectories={rows // 100_000}, out=sys.argv[1], progress=False)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    with tempfile.TemporaryDirectory(dir=os.environ.get("BESTIARY_BENCH_SCRATCH")) as folder:
        said = subprocess.check_output([sys.executable, "-c", script, f"{folder}/data"], text=True)
    return int(said) / (2**20 if sys.platform == "darwin" else 2**10)
