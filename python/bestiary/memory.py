"""How much memory is free, and the refusal of runs whose samples would not fit into it."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .exceptions import RequestError

if TYPE_CHECKING:
    from .system import System

SMALL = 64 << 20
"""Bytes for which nobody looks whether they are there."""


def require(system: System, members: int, samples: int, *, copies: int = 1) -> None:
    """
    Refuse a run whose times and samples, float64, need more memory than is free.

    Raises
    ------
    RequestError
        With the size that it would need and the call that writes to disk instead.
    """
    need = 8 * samples * (copies * members * system.dimension + 1)
    free = available() if need > SMALL else None
    if free is None or need <= free:
        return
    from .dataset.progress import size

    plural = "" if system.dimension == 1 else "s"
    raise RequestError(
        f"{members:,} × {samples:,} samples of {system.dimension} variable{plural} need {size(need)} of memory, and "
        f"{size(free)} are free; ask for less, or have them written to disk piece by piece: "
        f"bestiary.generate({system.name!r}, n={samples}, trajectories={members}, out=...)"
    )


def available() -> int | None:
    """Bytes that this process may still take, by the machine and by the limits of its container or batch job."""
    stated = [value for value in (_of_machine(), *_of_groups(Path("/"))) if value is not None]
    return min(stated, default=None)


def _of_machine() -> int | None:
    if sys.platform == "win32":
        return _of_windows()
    try:
        with open("/proc/meminfo") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _of_groups(root: Path) -> Iterator[int]:
    """What each control group of Linux around this process leaves; the cache of files counts as free."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, limit, used, cache = root / "sys/fs/cgroup", "memory.max", "memory.current", "file"
        elif "memory" in controllers.split(","):
            top, limit, used = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            cache = "total_cache"
        else:
            continue
        here = Path(path.lstrip("/"))
        for group in (here, *here.parents):
            try:
                most = int((top / group / limit).read_text())
                taken = int((top / group / used).read_text())
                stat = dict(row.split() for row in (top / group / "memory.stat").read_text().splitlines())
                yield max(0, most - taken + int(stat.get(cache, 0)))
            except (OSError, ValueError):
                continue  # not there in this container, or "max": no limit


def _of_windows() -> int | None:
    """`ullAvailPhys` of GlobalMemoryStatusEx: the third number after two of 32 bits."""
    fields = (ctypes.c_ulonglong * 8)()
    ctypes.cast(fields, ctypes.POINTER(ctypes.c_ulong))[0] = ctypes.sizeof(fields)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (not there on other systems, so not known to mypy)
    return int(fields[2]) if kernel.GlobalMemoryStatusEx(ctypes.byref(fields)) else None
