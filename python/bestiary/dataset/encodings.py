"""
The numbers of a shard as the bytes of a file: Parquet, NumPy, or Arrow as GluonTS reads it.

The bytes are a function of the numbers: no times of day, no operating system, no number of threads in them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from .plan import Shard
    from .runs import Run

ROW_GROUP = 1 << 18
COMPRESSION_LEVEL = 1
"""The digits of a chaotic trajectory hardly compress; higher levels cost time and gain a per cent."""

START = datetime(2000, 1, 1)
"""GluonTS wants a date for the first sample; time in a dynamical system has none."""


def frame(shard: Shard, run: Run) -> pl.DataFrame:
    """The columns of a Parquet file: system, trajectory, split, time, and the variables."""
    trajectory = np.repeat(np.arange(shard.first, shard.first + shard.count, dtype=np.int32), shard.samples)
    columns = [
        pl.repeat(shard.system.name, shard.rows, dtype=pl.String, eager=True).alias("system"),
        pl.Series("trajectory", trajectory),
        pl.repeat(shard.split, shard.rows, dtype=pl.String, eager=True).alias("split"),
        pl.Series("time", np.tile(run.t, shard.count)),
    ]
    for i, name in enumerate(shard.columns):
        columns.append(pl.Series(name, run.x[:, :, i].ravel().astype(shard.request.dtype, copy=False)))
    return pl.DataFrame(columns)


def parquet(shard: Shard, run: Run, metadata: str) -> bytes:
    """A row a sample; `metadata` is in the file's own key-value metadata, under the key `bestiary`."""
    buffer = io.BytesIO()
    frame(shard, run).write_parquet(
        buffer,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        row_group_size=ROW_GROUP,
        metadata={"bestiary": metadata},
    )
    return buffer.getvalue()


def numpy(shard: Shard, run: Run, metadata: str) -> bytes:
    """An archive for `numpy.load`: t (n,), x (m, n, columns), trajectory (m,), names, metadata."""
    arrays = {
        "t": run.t,
        "x": run.x.astype(shard.request.dtype, copy=False),
        "trajectory": np.arange(shard.first, shard.first + shard.count, dtype=np.int32),
        "names": np.array(shard.columns),
        "metadata": np.array(metadata),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            member.create_system = 3  # whatever the system
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def gluonts(shard: Shard, run: Run, metadata: str) -> bytes:
    """
    A row a trajectory for `gluonts.dataset.common.FileDataset`: item_id, start, and target, of shape (columns, n) where
    there is more than one column.
    """
    targets = run.x.transpose(0, 2, 1).astype(shard.request.dtype, copy=False)
    flat = pl.Series("target", targets.reshape(shard.count, -1))
    name = f"{shard.system.name}/{shard.split}"
    columns = {
        "item_id": [f"{name}/{i}" for i in range(shard.first, shard.first + shard.count)],
        "start": [START] * shard.count,
        "target": flat.cast(pl.List(flat.dtype.inner)),  # type: ignore[attr-defined]
    }
    if len(shard.columns) > 1:
        columns["target._np_shape"] = [[len(shard.columns), shard.samples]] * shard.count
    columns["metadata"] = [metadata] * shard.count
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_ipc(buffer, compression="uncompressed", compat_level=pl.CompatLevel.oldest())
    return buffer.getvalue()


ENCODERS: Mapping[str, Callable[[Shard, Run, str], bytes]] = {"parquet": parquet, "numpy": numpy, "gluonts": gluonts}
