"""
`generate`: from a list of systems to a folder of Parquet files with a manifest.

What is made is settled in `plan`, how a file is made in `shards`; here shards are handed to workers, finished files are
noted, and an interrupted or damaged dataset is completed.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..exceptions import DatasetError
from . import files, journal, manifest
from .journal import Record
from .plan import GRANULARITIES, SHARD_BYTES, Plan, Request, Shard, make_plan
from .progress import Progress, duration, size
from .shards import make_shard

if TYPE_CHECKING:
    import polars as pl

    from ..system import System

BYTES_IN_FLIGHT = 64 << 20
"""Samples held at once by this process. Frame, encoding and compression need up to ten times as much."""

SHARDS_IN_FLIGHT = 1024
"""Shards handed to a foreign executor at once."""

DEFAULT_SPLITS: Mapping[str, int] = {"train": 1, "validation": 1, "test": 1}


@dataclass(frozen=True)
class DatasetSummary:
    """What a call of `generate` left on disk."""

    out: Path
    systems: int
    trajectories: int
    rows: int
    files: int
    written: int
    kept: int
    remade: int
    bytes: int
    seconds: float
    outcomes: Mapping[str, int]
    stopped: tuple[tuple[str, str, int, str, float | None], ...] = field(repr=False)
    """(system, split, trajectory, outcome, time) of each trajectory that did not reach its end."""

    def __str__(self) -> str:
        lines = [
            f"{self.out}: {_count(self.systems, 'system')}, {_count(self.trajectories, 'trajectory', 'trajectories')}, "
            f"{self.rows:,} rows in {_count(self.files, 'file')}, {size(self.bytes)}",
            f"{self.written} written, {self.kept} kept, {self.remade} of the written remade, {duration(self.seconds)}",
        ]
        if self.stopped:
            counts = Counter(outcome for *_, outcome, _ in self.stopped)
            said = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
            names = sorted({system for system, *_ in self.stopped})
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            lines.append(f"stopped before their end (NaN from there on): {said}; in {', '.join(names[:5])}{more}")
        return "\n".join(lines)


def generate(
    systems: str | System | Iterable[str | System] | pl.DataFrame = "all",
    n: int = 10_000,
    *,
    out: str | os.PathLike[str],
    per_period: float | None = None,
    granularity: Literal["fine", "medium", "coarse"] | None = None,
    trajectories: int | Mapping[str, int] = DEFAULT_SPLITS,
    seed: int = 0,
    rtol: float = 1e-12,
    atol: float | None = None,
    method: str = "auto",
    transient_periods: float = 0.0,
    noise: float = 0.0,
    forcing: float = 0.0,
    univariate: bool = False,
    observables: bool = False,
    format: Literal["parquet"] = "parquet",
    dtype: Literal["float64", "float32"] = "float64",
    shard_bytes: int = SHARD_BYTES,
    on_exists: Literal["resume", "error", "replace"] = "resume",
    threads: int | None = None,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> DatasetSummary:
    """
    Write trajectories of many systems to a folder of Parquet files.

    The bytes on disk depend on the arguments up to `shard_bytes` only: not on threads, executor, machine, or on how
    often the call was interrupted. The same call again completes an unfinished folder, and checks a finished one.

    Parameters
    ----------
    systems : "all", a name, a System, a list of these, or a frame with a column `name`, as `bst.systems(...)` gives
    n : int
        Samples of each trajectory.
    out : path
        The folder: `<out>/manifest.json` and `<out>/<system>/<split>-00000.parquet`, with the columns system,
        trajectory, split, time, and one a variable.
    per_period, granularity : float, or "fine" (100, the default), "medium" (30), "coarse" (15)
        Samples per dominant period of each system. Maps are sampled at every iteration.
    trajectories : int or dict
        How many in each split. Splits start from different states of the attractor; trajectory i of a split does not
        depend on how many there are.
    seed : int
    rtol, atol, method
        As for `System.trajectory`; `atol=None` takes what the system's entry says, else 1e-12.
    transient_periods : float
        Discarded after the usual burn-in, in periods.
    noise : float
        Gaussian noise of observation, in units of each column's standard deviation (of the noise-free system).
    forcing : float
        White noise put on a flow, in units of each variable's standard deviation per square root of a period.
    univariate : bool
        Keep the first column only.
    observables : bool
        Write the bounded view of systems that have one (sin of an angle, ...) in place of the state.
    dtype : "float64" or "float32"
        Of the variables; time is always float64.
    shard_bytes : int
        Samples of one file, in bytes of float64 state. Longer trajectories are cut along time, each piece starting from
        the last state of the piece before.
    on_exists : "resume", "error" or "replace"
        What to do with a dataset already in the folder. "replace" removes the files of that dataset, and no others.
    threads : int, optional
        All available by default.
    executor : concurrent.futures.Executor, optional
        Runs the shards elsewhere: processes, Dask, Ray, MPI. `out` must be a folder the workers see.
    progress : bool, optional
        Show a bar on standard error; by default on a terminal.

    Returns
    -------
    DatasetSummary

    Raises
    ------
    DatasetError
        If the folder cannot be written, holds another dataset, or is being written by another process. Nothing that was
        there is touched; after a full disk the same call continues.
    KeyboardInterrupt
        On Ctrl-C; the same call continues.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as out:
    ...     summary = generate(["Lorenz", "Henon"], n=200, out=out, trajectories={"train": 2}, progress=False)
    >>> summary.files, summary.rows
    (2, 800)
    """
    begun = time.monotonic()
    if per_period is not None and granularity is not None:
        raise ValueError("per_period and granularity both say how densely to sample; give one of them")
    if granularity is not None and granularity not in GRANULARITIES:
        raise ValueError(f"unknown granularity {granularity!r}; known: {', '.join(GRANULARITIES)}")
    if on_exists not in ("resume", "error", "replace"):
        raise ValueError(f"unknown on_exists {on_exists!r}; known: resume, error, replace")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads must be a whole number of at least 1, not {threads!r}")
    request = Request(
        n=n,
        per_period=float(per_period if per_period is not None else GRANULARITIES[granularity or "fine"]),
        trajectories={"train": trajectories} if isinstance(trajectories, int) else dict(trajectories),
        seed=seed,
        rtol=rtol,
        atol=atol,
        method=method,
        transient_periods=transient_periods,
        noise=noise,
        forcing=forcing,
        univariate=univariate,
        observables=observables,
        format=format,
        dtype=dtype,
        shard_bytes=shard_bytes,
    )
    plan = make_plan(systems, request)
    folder = Path(out).absolute()
    _check_is_ours(folder)
    with files.lock(folder):
        header, kept, damaged = _existing(folder, plan, on_exists)
        total = sum(len(chain) for chain in plan.chains())
        finished = dict(kept)
        if len(kept) < total or not (folder / manifest.NAME).exists():
            notes = journal.Journal(folder, header, list(kept.values()))
            try:
                (folder / manifest.NAME).unlink(missing_ok=True)
                bar = Progress(plan.rows, "generate", progress)
                for record in _run(plan, folder, finished, threads, executor, bar, total):
                    notes.append(record)
            finally:
                notes.close()
            manifest.write(folder, header, finished)
        (folder / journal.NAME).unlink(missing_ok=True)
    return _summary(folder, plan, finished, len(kept), damaged, time.monotonic() - begun)


def _check_is_ours(folder: Path) -> None:
    """Refuse a folder with something else in it, before anything is made there."""
    try:
        names = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return
    except OSError as error:
        raise DatasetError(files.explain(error, folder)) from error
    visible = sorted(name for name in names if not name.startswith("."))
    if visible and not names & {manifest.NAME, journal.NAME, journal.NAME + files.TEMPORARY}:
        raise DatasetError(f"{folder} holds {visible[0]!r} and no dataset; choose an empty or a new folder")


def _existing(folder: Path, plan: Plan, on_exists: str) -> tuple[dict[str, Any], dict[str, Record], int]:
    """The header of this request, the files of it that are there and whole, and how many are missing or damaged."""
    header: dict[str, Any] = journal.plain(manifest.header(plan))
    states = [state for state in (manifest.read(folder), journal.read(folder)) if state is not None]
    old = {record.file: record for _, records in states for record in records}
    if states and on_exists == "error":
        raise DatasetError(f'{folder} already holds a dataset; on_exists="resume" continues it, "replace" removes it')
    if states and on_exists == "replace":
        _remove(folder, old)
        old = {}
    elif states and states[0][0] != header:
        lines = "\n  ".join(manifest.differences(states[0][0], header) or ["the rules by which files are made"])
        raise DatasetError(
            f"{folder} holds another dataset, nothing was touched; choose another folder, "
            f'or on_exists="replace":\n  {lines}'
        )
    files.remove_leftovers(folder)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        whole = list(pool.map(lambda record: _is_whole(folder, record), old.values()))
    kept = {record.file: record for record, good in zip(old.values(), whole, strict=True) if good}
    return header, kept, len(old) - len(kept)


def _is_whole(folder: Path, record: Record) -> bool:
    try:
        path = folder / record.file
        return path.stat().st_size == record.bytes and files.sha256(path) == record.sha256
    except OSError:
        return False


def _remove(folder: Path, records: Mapping[str, Record]) -> None:
    """Remove the files of a dataset, and folders that are empty then. What is not of the dataset stays."""
    try:
        for record in records.values():
            (folder / record.file).unlink(missing_ok=True)
        files.remove_leftovers(folder)
        for name in (manifest.NAME, journal.NAME):
            (folder / name).unlink(missing_ok=True)
        for parent in {(folder / file).parent for file in records}:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
    except OSError as error:
        raise DatasetError(files.explain(error, folder)) from error


class _Stopped(Exception):
    """Raised inside a shard when the whole call is to end."""


def _run(
    plan: Plan,
    folder: Path,
    finished: dict[str, Record],
    threads: int | None,
    executor: Executor | None,
    bar: Progress,
    total: int,
) -> Iterator[Record]:
    """Make what is not finished, hand out each record as its file is there, and add it to `finished`."""
    rows = sum(record.rows for record in finished.values())
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
                finished[record.file] = record
                rows += record.rows
                yield record
                chain.popleft()
                if chain:
                    available.append(chain)
                bar.update(rows, f"{len(finished)} of {total} files")
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted: {len(finished)} of {total} files are finished in {folder}; the same call continues"
            ) from None
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
    number = int(shard.file[-len("00000.parquet") : -len(".parquet")])
    stem = shard.file[: -len("00000.parquet")]
    return replace(shard, continued=finished[f"{stem}{number - 1:05d}.parquet"].continued)


@contextmanager
def _workers(
    plan: Plan, folder: Path, threads: int | None, executor: Executor | None
) -> Iterator[tuple[Callable[[Shard], Future[Record]], int]]:
    """How a shard is handed to a worker, and how many may be under way."""
    if executor is not None:
        yield lambda shard: executor.submit(make_shard, shard, str(folder)), SHARDS_IN_FLIGHT
        return
    available = threads or _available()
    largest = max(8 * shard.rows * len(shard.system.names) for chain in _first_chains(plan) for shard in chain)
    workers = max(1, min(available, BYTES_IN_FLIGHT // max(largest, 1)))
    stop = threading.Event()

    def heed(_done: int, _total: int) -> None:
        if stop.is_set():
            raise _Stopped

    def work(shard: Shard) -> Record:
        heed(0, 0)
        return make_shard(shard, str(folder), max(1, available // workers), heed)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="bestiary-generate")
    try:
        yield lambda shard: pool.submit(work, shard), 2 * workers
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _first_chains(plan: Plan) -> Iterator[list[Shard]]:
    """One chain of each system: the first is the largest."""
    for system in plan.systems.values():
        yield next(system.chains())


def _available() -> int:
    from .. import _core

    return int(_core.machine()["threads"])


def _summary(
    folder: Path, plan: Plan, finished: Mapping[str, Record], kept: int, damaged: int, seconds: float
) -> DatasetSummary:
    outcomes: Counter[str] = Counter()
    for record in finished.values():
        if record.first_sample + record.samples == plan.request.n:
            outcomes.update(record.outcomes)
    stopped = {
        (record.file.split("/")[0], record.split, stop["trajectory"], stop["outcome"], stop["time"])
        for record in finished.values()
        for stop in record.stopped
    }
    return DatasetSummary(
        out=folder,
        systems=len(plan.systems),
        trajectories=sum(outcomes.values()),
        rows=sum(record.rows for record in finished.values()),
        files=len(finished),
        written=len(finished) - kept,
        kept=kept,
        remade=damaged,
        bytes=sum(record.bytes for record in finished.values()),
        seconds=seconds,
        outcomes=dict(sorted(outcomes.items())),
        stopped=tuple(sorted(stopped, key=lambda stop: stop[:3])),
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
