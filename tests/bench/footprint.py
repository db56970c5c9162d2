"""What the package costs besides its runs: import, memory while it writes, and an exponent of stated error."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

import bestiary as bst

IMPORTS = 15
"""Processes for the import; the fastest counts."""


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
    """Milliseconds that the import of the package takes where numpy and polars are imported already."""
    script = (
        "import time, numpy, polars\nbegun = time.perf_counter()\nimport bestiary\nprint(time.perf_counter() - begun)"
    )
    return 1e3 * min(float(subprocess.check_output([sys.executable, "-c", script])) for _ in range(IMPORTS))


def memory(rows: int) -> float:
    """Peak of the resident memory, in MiB, of a process that writes a dataset of so many rows. Needs /proc."""
    script = (
        "import sys, bestiary as bst\n"
        f"bst.generate('Lorenz', n=100_000, trajectories={rows // 100_000}, out=sys.argv[1], progress=False)\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    with tempfile.TemporaryDirectory(dir=os.environ.get("BESTIARY_BENCH_SCRATCH")) as folder:
        said = subprocess.check_output([sys.executable, "-c", script, f"{folder}/data"], text=True)
    return int(said) / 1024
