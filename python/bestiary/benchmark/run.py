"""
The benchmark: all cells of a task, resumable, with a table of results in Parquet.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import _core, registry, sampling
from ..dataset import files
from ..dataset.progress import Progress
from ..exceptions import DatasetError
from . import attractor
from .cell import Cell
from .entrants import Entrant, entrants
from .pool import in_executor, in_processes, in_this_process
from .task import Task
from .task import task as find_task

if TYPE_CHECKING:
    import polars as pl

__all__ = ["benchmark", "provenance", "read"]

JOURNAL = "journal.jsonl"
RESULTS = "results.parquet"
MEASURED = ("tune_seconds", "fit_seconds", "predict_seconds", "peak_bytes")
"""Columns that are measured and so differ from run to run; all others are the same to the bit."""


def benchmark(
    task: str | Path | Task,
    forecasters: Any = "all",
    systems: str | Sequence[str] = "all",
    *,
    out: str | Path,
    processes: int | None = None,
    executor: Executor | None = None,
    budget: float | None = 60.0,
    on_exists: str = "resume",
    progress: bool | None = None,
) -> pl.DataFrame:
    """
    Run a task: every forecaster on every system, and write the results.

    Parameters
    ----------
    task : name, path of a TOML file, or Task
    forecasters : names, classes, instances, functions of (context, horizon), "module:Class", a mapping of names to
        such, "all": those of the default install that need no arguments, or "learn", "statistics", "neural": those
        of an extra
    systems : names, or "all" of the task
    out : folder
        Receives `results.parquet`, a row a cell, and while the run lasts a journal from which a killed run goes on.
    processes : int
        How many cells at once; by default one for each core. 0 runs them in this process.
    executor : concurrent.futures.Executor
        Of one's own, in place of processes.
    budget : float or None
        Seconds for a cell, once its data are there. One that is not done by then is ended and its outcome is "budget".
    on_exists : "resume", "again" or "replace"
        What to do with results in the folder: "resume" runs what is not there, "again" also what is there but failed,
        "replace" starts anew.
    progress : bool
        Whether to show a bar with an estimate of the time left; by default on a terminal.

    Returns
    -------
    polars.DataFrame
        A row a cell, sorted: task, system, setting, forecaster, member, outcome ("ok", "escaped": the forecast went to
        infinity, "no data", "failed", "crashed", "budget"), message, chosen (arguments by tuning), the metrics of the
        task, its invariants of the forecaster's own attractor and of the truth (`own_…`, `own_…_truth`, with standard
        errors) and the floors of its distances (`…_floor`), valid_prediction_time (in the system's time), seconds and
        bytes, dt, period, exponent, data_sha256, curve (symmetric percentage error at each sample), forecast (first
        column). At most 512 samples of the last two.

    Raises
    ------
    DatasetError
        If the folder holds the results of another task or of forecasters with other arguments.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame = benchmark("dysts-2021-coarse", ["Mean", "Drift"], ["Lorenz"], out=folder, processes=0)
    >>> frame.select("system", "forecaster", "outcome").rows()
    [('Lorenz', 'Drift', 'ok'), ('Lorenz', 'Mean', 'ok')]
    """
    chosen = find_task(task)
    if on_exists not in ("resume", "again", "replace"):
        raise ValueError(f'on_exists must be "resume", "again" or "replace", not {on_exists!r}')
    if budget is not None:
        sampling.positive("budget", budget)
    who = entrants(forecasters)
    names = _systems(chosen, systems)
    cells = [
        Cell(chosen, system, setting, entrant, member)
        for system in names
        for setting in chosen.settings
        for entrant in who
        for member in range(chosen.members)
    ]
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = count if processes is None else sampling.whole("processes", processes, least=0)
    folder = Path(out)
    with files.lock(folder):
        header = _header(chosen, who)
        done = {} if on_exists == "replace" else _done(folder, header)
        kept = {key: row for key, row in done.items() if on_exists != "again" or row["outcome"] in ("ok", "escaped")}
        header["forecasters"] = _known(folder, on_exists) | header["forecasters"]
        _write_journal(folder, header, kept.values())
        missing = [cell for cell in cells if cell.key not in kept]
        if executor is not None:
            results = in_executor(missing, executor, budget)
        elif count == 0:
            results = in_this_process(missing, budget)
        else:
            results = in_processes(missing, count, budget)
        bar = Progress(len(cells), chosen.name, progress)
        bar.update(len(cells) - len(missing))
        try:
            with (folder / JOURNAL).open("ab") as journal:
                for done_now, (cell, row) in enumerate(results, len(cells) - len(missing) + 1):
                    kept[cell.key] = row
                    journal.write(_line(row))
                    journal.flush()
                    bar.update(done_now, f"{cell.system} {cell.entrant.name}")
        finally:
            bar.close()
        frame = _frame(chosen, kept.values())
        files.write_atomically(folder / RESULTS, _encode(frame, header))
    importlib.import_module("bestiary.analysis")  # gives frames their namespace
    return frame


def read(folder: str | Path) -> pl.DataFrame:
    """
    The results in a folder, or in several folders below it, as one frame.

    A run that is under way or was killed is read from its journal.
    """
    import polars as pl

    importlib.import_module("bestiary.analysis")  # gives frames their namespace
    folder = Path(folder)
    if folder.is_file():
        return pl.read_parquet(folder)
    places = sorted({path.parent for name in (RESULTS, JOURNAL) for path in folder.glob(f"**/{name}")})
    if not places:
        raise DatasetError(f"{folder} has no results of a benchmark: no {RESULTS} in it or below")
    return pl.concat([_read_one(place) for place in places], how="diagonal")


def provenance(folder: str | Path) -> dict[str, Any]:
    """What stands in the metadata of the results: versions, the machine, the task's text and the forecasters."""
    import polars as pl

    path = Path(folder)
    path = path / RESULTS if path.is_dir() else path
    found: dict[str, Any] = json.loads(pl.read_parquet_metadata(path)["bestiary"])
    return found


def _read_one(folder: Path) -> pl.DataFrame:
    import polars as pl

    if not (folder / JOURNAL).is_file():
        return pl.read_parquet(folder / RESULTS)
    header, rows = _lines(folder)
    return _frame(Task(header["task"]), rows)


def _systems(chosen: Task, systems: str | Iterable[str]) -> list[str]:
    if systems == "all":
        return chosen.systems
    names = [systems] if isinstance(systems, str) else list(dict.fromkeys(systems))
    for name in names:
        registry.system(name)  # an unknown one is refused, with the nearest
    return names


def _header(chosen: Task, who: Sequence[Entrant]) -> dict[str, Any]:
    import numpy
    import polars

    import bestiary

    versions = {"numpy": numpy.__version__, "polars": polars.__version__, "python": platform.python_version()}
    with contextlib.suppress(PackageNotFoundError):
        versions["scikit-learn"] = version("scikit-learn")
    return {
        "bestiary": bestiary.__version__,
        "catalogue_version": bestiary.catalogue_version,
        "task": chosen.text,
        "task_hash": chosen.hash,
        "forecasters": {one.name: one.arguments for one in who},
        "versions": versions,
        "machine": {**_core.machine(), "processor": platform.machine(), "system": platform.system()},
    }


def _lines(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    content = []
    for line in (folder / JOURNAL).read_bytes().splitlines():
        try:
            content.append(json.loads(line))
        except ValueError:
            break
    if not content:
        raise DatasetError(f"{folder / JOURNAL} is damaged; move it away, or choose another folder")
    return content[0], content[1:]


def _known(folder: Path, on_exists: str) -> dict[str, str]:
    if on_exists == "replace" or not (folder / JOURNAL).is_file():
        return {}
    found: dict[str, str] = _lines(folder)[0]["forecasters"]
    return found


def _done(folder: Path, header: Mapping[str, Any]) -> dict[Any, dict[str, Any]]:
    """What is there already, if it was made by the same call but for the choice of systems and forecasters."""
    if not (folder / JOURNAL).is_file():
        if (folder / RESULTS).exists():
            raise DatasetError(f"{folder} has results without a journal; choose another folder, or replace them")
        return {}
    old, rows = _lines(folder)
    wrong = [
        f"{key}: there {old.get(key)}, now {header[key]}"
        for key in ("task_hash", "bestiary", "catalogue_version", "versions")
        if old.get(key) != header[key]
    ]
    wrong += [
        f"{name}: there {old['forecasters'][name]}, now {arguments}"
        for name, arguments in header["forecasters"].items()
        if old["forecasters"].get(name, arguments) != arguments
    ]
    if wrong:
        raise DatasetError(f"{folder} holds other results ({'; '.join(wrong)}): choose another folder, or replace them")
    return {(row["system"], row["setting"], row["forecaster"], row["member"]): row for row in rows}


def _write_journal(folder: Path, header: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> None:
    files.write_atomically(folder / JOURNAL, b"".join([_line(header), *(_line(row) for row in rows)]))


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _frame(chosen: Task, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    import polars as pl

    schema: dict[str, Any] = {
        "system": pl.String,
        "setting": pl.String,
        "forecaster": pl.String,
        "member": pl.Int64,
        "outcome": pl.String,
        "message": pl.String,
        "chosen": pl.String,
        **dict.fromkeys(chosen.metrics, pl.Float64),
        **dict.fromkeys(attractor.columns(chosen.invariants, chosen.floors), pl.Float64),
        "valid_prediction_time": pl.Float64,
        "samples": pl.Int64,
        "dt": pl.Float64,
        "period": pl.Float64,
        "exponent": pl.Float64,
        "columns": pl.Int64,
        "tune_seconds": pl.Float64,
        "fit_seconds": pl.Float64,
        "predict_seconds": pl.Float64,
        "peak_bytes": pl.Int64,
        "data_sha256": pl.String,
        "curve": pl.List(pl.Float64),
        "forecast": pl.List(pl.Float64),
    }
    frame = pl.DataFrame(list(rows), schema=schema, orient="row")
    named = frame.select(pl.lit(chosen.name).alias("task"), pl.lit(chosen.hash).alias("task_hash"), pl.all())
    return named.sort("system", "setting", "forecaster", "member")


def _encode(frame: pl.DataFrame, header: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    metadata = {"bestiary": json.dumps(header, sort_keys=True, ensure_ascii=False)}
    frame.write_parquet(buffer, compression="zstd", compression_level=9, metadata=metadata)
    return buffer.getvalue()
