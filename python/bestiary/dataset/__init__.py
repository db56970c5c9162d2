"""
Datasets on disk: trajectories of many systems as Parquet files with a manifest.

    plan      what a call asks for, cut into shards
    runs      one shard's numbers: a function of the shard alone
    shards    one shard's file
    encodings numbers to bytes
    files     atomic writing, hashing, the lock of a folder
    journal   what is finished so far
    manifest  what is finished in the end, and what differs from another call
    build     which code makes the numbers
    schedule  shards to threads of this process, or to an executor
    progress  the bar
    generate  puts the above together

Reading needs no code of ours: `polars.scan_parquet("data/Lorenz/*.parquet")`.
"""

from .generate import DatasetSummary, generate

__all__ = ["DatasetSummary", "generate"]
