"""What an installed wheel must do, run where no source is in sight."""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import bestiary as bst

assert "site-packages" in bst.__file__, f"imported from {bst.__file__}, not from the wheel"
run = bst.system("Lorenz").trajectory(1000)
assert run.x.shape == (1000, 3)
assert np.isfinite(run.x).all()
with tempfile.TemporaryDirectory() as out:
    summary = bst.generate(["Lorenz", "Henon"], n=500, out=out, progress=False)
    back = pl.read_parquet(Path(out) / "Lorenz" / "*.parquet")
    assert summary.files == 6, summary
    assert back.shape == (1500, 7), back.shape
    assert back["split"].unique().sort().to_list() == ["test", "train", "validation"]
    print(summary)
print("1 passed, 0 failed")
