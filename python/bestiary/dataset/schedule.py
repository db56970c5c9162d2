"""
Shards to workers: threads of this process, or any executor in the manner of `concurrent.futures`.

A worker gets a shard, which is plain data, and runs a function of this module; only the parent keeps the journal. The
bytes of a file depend on its shard alone, so it does not matter who makes it, when, or how often.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..exceptions import BestiaryError, DatasetError
from ..interrupt import undisturbed
from . import build, files
from .journal import Record
from .plan import Plan, Shard
from .progress import Progress
from .shards import make_shard

BYTES_IN_FLIGHT = 64 << 20
"""Samples held at once by this process. Frame, encoding and compression need up to ten times as much."""

SHARDS_IN_FLIGHT = 1024
"""Shards handed to a foreign executor at once."""

LOOK_EVERY = 1.0
"""Seconds between two looks of a distant worker at whether the call that it works for is still under way."""


class Stopped(Exception):
    """Raised inside a shard when the whole call is to end."""


def make_all(
    plan: Plan,
    folder: Path,
    finished: dict[str, Record],
    note: Callable[[Record], None],
    threads: int | None,
    executor: Executor | None,
    progress: bool | None,
) -> None:
    """
    Make what is not finished. Each record is noted and added to `finished` when its file is there.

    Raises
    ------
    DatasetError
        If a file cannot be written, or the executor loses a worker and does not replace it.
    KeyboardInterrupt
        On Ctrl-C. Distant workers give up what they have begun within about a second.
    """
    total = sum(len(chain) for chain in plan.chains())
    rows = sum(record.rows for record in finished.values())
    bar = Progress(plan.rows, "generate", progress)
    bar.update(rows, f"{len(finished)} of {total} files")
    waiting = _open_chains(plan, finished)
    available: deque[deque[Shard]] = deque()
    flying: dict[Future[Record], deque[Shard]] = {}
    done: queue.SimpleQueue[Future[Record]] = queue.SimpleQueue()
    with _workers(plan, folder, threads, executor) as (submit, limit):
        try:
            while True:
                while len(flying) < limit:
                    chain = available.popleft() if available else next(waiting, None)
                    if chain is None:
                        break
                    with undisturbed():
                        future = submit(_next_shard(chain, finished))
                        flying[future] = chain
                        future.add_done_callback(done.put)
                if not flying:
                    break
                try:
                    future = done.get(timeout=0.1)
                except queue.Empty:
                    bar.update(rows, f"{len(finished)} of {total} files")
                    continue
                chain = flying.pop(future)
                record = future.result()
                note(record)
                finished[record.file] = record
                rows += record.rows
                chain.popleft()
                if chain:
                    available.append(chain)
                bar.update(rows, f"{len(finished)} of {total} files")
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted: {len(finished)} of {total} files are finished in {folder}; the same call continues"
            ) from None
        except BestiaryError:
            raise
        except Exception as error:
            if executor is None:
                raise
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise DatasetError(
                f"the executor failed ({what}); {len(finished)} of {total} files are finished in {folder}; "
                "the same call with an executor that works continues"
            ) from error
        finally:
            bar.close()
            for future in flying:
                future.cancel()


def _open_chains(plan: Plan, finished: Mapping[str, Record]) -> Iterator[deque[Shard]]:
    for chain in plan.chains():
        left = deque(shard for shard in chain if shard.file not in finished)
        if left:
            yield left


def _next_shard(chain: deque[Shard], finished: Mapping[str, Record]) -> Shard:
    """The first shard of a chain, with the state that the piece before it ended at."""
    shard = chain[0]
    if shard.first_sample == 0:
        return shard
    return replace(shard, continued=finished[shard.before].continued)


@contextmanager
def _workers(
    plan: Plan, folder: Path, threads: int | None, executor: Executor | None
) -> Iterator[tuple[Callable[[Shard], Future[Record]], int]]:
    """How a shard is handed to a worker, and how many may be under way."""
    if executor is not None:
        with files.alive(folder) as sign:
            yield lambda shard: executor.submit(work, shard, str(folder), sign, build.fingerprint()), SHARDS_IN_FLIGHT
        return
    available = threads or _available()
    chains, largest = 0, 1
    for chain in plan.chains():
        chains += 1
        largest = max(largest, *(8 * shard.rows * len(shard.system.names) for shard in chain))
    # Where there are fewer shards than threads, each gets several.
    workers = max(1, min(available, chains, BYTES_IN_FLIGHT // largest))
    stop = threading.Event()

    def heed(_done: int, _total: int) -> None:
        if stop.is_set():
            raise Stopped

    def work_here(shard: Shard) -> Record:
        heed(0, 0)
        return make_shard(shard, str(folder), max(1, available // workers), heed)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="bestiary-generate")
    try:
        yield lambda shard: pool.submit(work_here, shard), 2 * workers
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def work(shard: Shard, out: str, sign: str, fingerprint: str) -> Record:
    """
    What runs in a worker of an executor, perhaps on another machine.

    Parameters
    ----------
    shard : what to make
    out : the folder of the dataset
    sign : name of a file in it that is there as long as the call is under way
    fingerprint : of the code in the process that calls

    Raises
    ------
    DatasetError
        If the worker runs other code, does not see the folder, or cannot write to it.
    """
    host = socket.gethostname()
    if fingerprint != build.fingerprint():
        raise DatasetError(
            f"the worker on {host} runs another build of bestiary ({build.fingerprint()}) than the call "
            f"({fingerprint}); install the same on both"
        )
    path = Path(out) / sign
    if not path.exists():
        raise DatasetError(
            f"the worker on {host} does not see what is in {out}, or the call is over; "
            "choose a folder that all workers share"
        )
    looked = time.monotonic()

    def heed(done: int, total: int) -> None:
        nonlocal looked
        if done == total or time.monotonic() > looked + LOOK_EVERY:
            looked = time.monotonic()
            if not path.exists():
                raise Stopped

    return make_shard(shard, out, 1, heed)


def _available() -> int:
    from .. import _core

    return int(_core.machine()["threads"])
