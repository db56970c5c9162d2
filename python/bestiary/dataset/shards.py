"""One shard, one file: integrate, encode, write. A function of the shard alone: any process may run it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import runs
from .encodings import ENCODERS
from .files import write_atomically
from .journal import Record
from .plan import Shard


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
    content = ENCODERS[shard.request.format](shard, run, metadata(shard, outcomes, stopped))
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


def metadata(shard: Shard, outcomes: dict[str, int], stopped: list[dict[str, Any]]) -> str:
    """What a file says about itself, in JSON."""
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
