"""One shard, one file: integrate, lay out as columns, write. A function of the shard alone: any process may run it."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from . import runs
from .files import write_atomically
from .journal import Record
from .plan import Shard

ROW_GROUP = 1 << 18
COMPRESSION_LEVEL = 1
"""The digits of a chaotic trajectory hardly compress; higher levels cost time and gain a per cent."""


def make_shard(
    shard: Shard, out: str, threads: int | None = 1, progress: Callable[[int, int], None] | None = None
) -> Record:
    """
    Make the file of a shard under the folder `out` and say what is in it.

    What `progress(done, total)` raises ends the work; after its last call the file gets its name.

    Raises
    ------
    DatasetError
        If the file cannot be written.
    """
    run = runs.run(shard, threads=threads, progress=progress)
    stopped = [
        {"trajectory": shard.first + i, "outcome": outcome, "time": run.stop_times[i]}
        for i, outcome in enumerate(run.outcomes)
        if outcome != "ok"
    ]
    outcomes = dict(sorted(Counter(run.outcomes).items()))
    content = encode(frame(shard, run), metadata(shard, outcomes, stopped))
    if progress is not None:
        progress(shard.count, shard.count)  # the last moment at which the call may be over
    write_atomically(Path(out) / shard.file, content)
    return Record(
        file=shard.file,
        split=shard.split,
        first_trajectory=shard.first,
        trajectories=shard.count,
        first_sample=shard.first_sample,
        samples=shard.samples,
        rows=shard.rows,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        outcomes=outcomes,
        stopped=stopped,
        steps=run.steps,
        rejected=run.rejected,
        evaluations=run.evaluations,
        continued=run.end if shard.is_piece else None,
    )


def frame(shard: Shard, run: runs.Run) -> pl.DataFrame:
    """The columns of a file: system, trajectory, split, time, and the variables."""
    dtype = pl.Float64 if shard.request.dtype == "float64" else pl.Float32
    trajectory = np.repeat(np.arange(shard.first, shard.first + shard.count, dtype=np.int32), shard.samples)
    columns = [
        pl.repeat(shard.system.name, shard.rows, dtype=pl.String, eager=True).alias("system"),
        pl.Series("trajectory", trajectory),
        pl.repeat(shard.split, shard.rows, dtype=pl.String, eager=True).alias("split"),
        pl.Series("time", np.tile(run.t, shard.count)),
    ]
    for i, name in enumerate(shard.columns):
        columns.append(pl.Series(name, run.x[:, :, i].ravel()).cast(dtype))
    return pl.DataFrame(columns)


def metadata(shard: Shard, outcomes: dict[str, int], stopped: list[dict[str, Any]]) -> str:
    """What stands in the Parquet file's own key-value metadata, under the key `bestiary`."""
    parameters = {name: np.asarray(value).tolist() for name, value in shard.system.parameters.items()}
    content = {
        "system": shard.system.name,
        "kind": shard.system.kind,
        "split": shard.split,
        "parameters": parameters,
        "period": shard.system.period,
        "dt": shard.dt,
        "seed": shard.request.seed,
        "noise": shard.request.noise,
        "forcing": shard.request.forcing,
        "first_trajectory": shard.first,
        "trajectories": shard.count,
        "first_sample": shard.first_sample,
        "samples": shard.samples,
        "outcomes": outcomes,
        "stopped": stopped,
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def encode(table: pl.DataFrame, metadata: str) -> bytes:
    """The bytes of a Parquet file; the same for any number of threads."""
    buffer = io.BytesIO()
    table.write_parquet(
        buffer,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        row_group_size=ROW_GROUP,
        metadata={"bestiary": metadata},
    )
    return buffer.getvalue()
