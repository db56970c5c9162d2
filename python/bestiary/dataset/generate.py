"""
`generate`: from a list of systems to a folder of Parquet files with a manifest.

What is made is settled in `plan`, how a file is made in `shards`, who makes it in `schedule`; here finished files are
noted, and an interrupted or damaged dataset is completed.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..exceptions import DatasetError
from . import files, journal, manifest
from .journal import Record
from .plan import GRANULARITIES, SHARD_BYTES, Plan, Request, make_plan
from .progress import duration, size
from .schedule import make_all

if TYPE_CHECKING:
    import polars as pl

    from ..system import System

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
    part: tuple[int, int] | None = None
    """(i, n) where the call made the i-th of n parts; the numbers above are those of the part."""

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
        if self.part:
            lines.append(
                f"part {self.part[0]} of {self.part[1]}; when all are done, the same call without shards "
                "completes the dataset"
            )
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
    format: Literal["parquet", "numpy", "gluonts"] = "parquet",
    dtype: Literal["float64", "float32"] = "float64",
    shard_bytes: int = SHARD_BYTES,
    on_exists: Literal["resume", "error", "replace"] = "resume",
    threads: int | None = None,
    executor: Executor | None = None,
    shards: tuple[int, int] | None = None,
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
    format : "parquet", "numpy" or "gluonts"
        numpy: archives `.npz` with t (n,), x (m, n, columns), trajectory, names and metadata. gluonts: Arrow files
        with a row a trajectory, for `FileDataset`; all begin on 2000-01-01, for want of a date.
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
        Runs the shards elsewhere: processes, Dask, Ray, MPI. `out` must be a folder the workers see, and they must have
        the same build of this package. A script with a pool of processes starts under `if __name__ == "__main__":`.
    shards : (i, n), optional
        Make the i-th of n parts only, i from 1 to n, beside other processes that make the others in the same folder.
        The same call without `shards` then completes the dataset, to the same bytes.
    progress : bool, optional
        Show a bar on standard error; by default on a terminal.

    Returns
    -------
    DatasetSummary

    Raises
    ------
    DatasetError
        If the folder cannot be written, holds another dataset, or is being written by another process. Nothing that was
        there is touched; after a full disk, or when the executor has lost its workers, the same call continues.
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
    part = _part(shards, on_exists)
    plan = replace(make_plan(systems, request), part=part)
    folder = Path(out).absolute()
    _check_is_ours(folder)
    with files.lock(folder, plan.part_name):
        header, kept, damaged = _existing(folder, plan, on_exists)
        total = sum(len(chain) for chain in plan.chains())
        is_complete = (folder / manifest.NAME).exists()
        finished = dict(kept)
        if part and is_complete and len(kept) < total:
            raise DatasetError(f"{folder} was finished and has lost files since; the same call without shards mends it")
        if len(kept) < total or not is_complete:
            notes = journal.Journal(folder, header, list(kept.values()), plan.part_name)
            try:
                (folder / manifest.NAME).unlink(missing_ok=True)
                make_all(plan, folder, finished, notes.append, threads, executor, progress)
            finally:
                notes.close()
            if not part:
                manifest.write(folder, header, finished)
        if not part:
            for path in journal.paths(folder):
                path.unlink()
    return _summary(folder, plan, finished, len(kept), damaged, time.monotonic() - begun)


def _part(shards: Any, on_exists: str) -> tuple[int, int] | None:
    """The argument `shards`, checked."""
    if shards is None:
        return None
    is_pair = isinstance(shards, tuple) and len(shards) == 2
    if not (is_pair and all(isinstance(value, int) and not isinstance(value, bool) for value in shards)):
        raise ValueError(f"shards must be two whole numbers (i, n) for the i-th of n parts, not {shards!r}")
    number, parts = shards
    if not 1 <= number <= parts:
        raise ValueError(f"shards: there is no part {number} of {parts}; parts are counted from 1")
    if on_exists != "resume":
        raise ValueError('a part is made beside the others: with shards, on_exists must be "resume"')
    return number, parts


def _check_is_ours(folder: Path) -> None:
    """Refuse a folder with something else in it, before anything is made there."""
    try:
        names = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return
    except OSError as error:
        raise DatasetError(files.explain(error, folder)) from error
    visible = sorted(name for name in names if not name.startswith("."))
    is_dataset = any(name == manifest.NAME or (name.startswith("journal") and ".jsonl" in name) for name in names)
    if visible and not is_dataset:
        raise DatasetError(f"{folder} holds {visible[0]!r} and no dataset; choose an empty or a new folder")


def _existing(folder: Path, plan: Plan, on_exists: str) -> tuple[dict[str, Any], dict[str, Record], int]:
    """The header of this request, the files of it that are there and whole, and how many are missing or damaged."""
    header: dict[str, Any] = journal.plain(manifest.header(plan))
    found = (manifest.read(folder), *(journal.read(path) for path in journal.paths(folder)))
    states = [state for state in found if state is not None]
    old = {record.file: record for _, records in states for record in records}
    if states and on_exists == "error":
        raise DatasetError(f'{folder} already holds a dataset; on_exists="resume" continues it, "replace" removes it')
    if states and on_exists == "replace":
        _remove(folder, old)
        old = {}
    elif other := next((there for there, _ in states if there != header), None):
        lines = "\n  ".join(manifest.differences(other, header) or ["the rules by which files are made"])
        raise DatasetError(
            f"{folder} holds another dataset, nothing was touched; choose another folder, "
            f'or on_exists="replace":\n  {lines}'
        )
    if plan.part:
        mine = {shard.file for chain in plan.chains() for shard in chain}
        old = {file: record for file, record in old.items() if file in mine}
    else:
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
        for path in (folder / manifest.NAME, *journal.paths(folder)):
            path.unlink(missing_ok=True)
        for parent in {(folder / file).parent for file in records}:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
    except OSError as error:
        raise DatasetError(files.explain(error, folder)) from error


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
        systems=len({record.file.split("/")[0] for record in finished.values()}),
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
        part=plan.part,
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
