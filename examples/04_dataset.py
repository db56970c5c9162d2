"""A dataset on disk: written, read back, and completed after damage."""

from pathlib import Path

import polars as pl

import bestiary as bst

FOLDER = Path("dataset")
SYSTEMS = ["Lorenz", "Rossler", "MackeyGlass", "Henon"]


def write() -> None:
    """Two trajectories to learn from and one to test on, 30 samples a period, with a little noise of observation."""
    summary = bst.generate(
        SYSTEMS,
        n=1000,
        out=FOLDER,
        granularity="medium",
        trajectories={"train": 2, "test": 1},
        noise=0.01,
        seed=1,
        progress=False,
    )
    print(summary)


def main() -> None:
    write()

    # One system, all its splits, as a lazy frame.
    lorenz = pl.scan_parquet(FOLDER / "Lorenz" / "*.parquet")
    print(lorenz.head(3).collect())
    print(
        lorenz.group_by("split", "trajectory")
        .agg(pl.len().alias("samples"), pl.col("x", "y", "z").std().round(3))
        .sort("split", "trajectory")
        .collect()
    )

    # As an array for a forecaster, shape (samples, variables).
    train = lorenz.filter(split="train", trajectory=0).select("x", "y", "z").collect().to_numpy()
    print(f"array for training: {train.shape}\n")

    # The same call again checks every file by its hash, and makes only what is missing or damaged: the same bytes.
    file = next(FOLDER.glob("Henon/test*.parquet"))
    before = file.read_bytes()
    file.write_bytes(before[:100])
    write()
    print(f"the damaged file is whole again: {file.read_bytes() == before}")


if __name__ == "__main__":
    main()
