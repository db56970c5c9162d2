"""The same numbers in every format, and each readable by whom it is for."""

import hashlib
import json

import numpy as np
import polars as pl
import pytest

import bestiary as bst

OPTIONS = {"n": 300, "trajectories": {"train": 5}, "rtol": 1e-8, "progress": False}


def expected(out, name):
    """Samples (m, n, d) as the Parquet files hold them."""
    table = pl.read_parquet(out / name / "*.parquet").sort("trajectory", "time")
    return table.drop("system", "trajectory", "split", "time").to_numpy().reshape(5, 300, -1)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    out = tmp_path_factory.mktemp("parquet")
    bst.generate(["Lorenz", "Logistic"], out=out, **OPTIONS)
    return out


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numpy(tmp_path, parquet, dtype):
    bst.generate(["Lorenz", "Logistic"], out=tmp_path, format="numpy", dtype=dtype, shard_bytes=20_000, **OPTIONS)
    for name in ("Lorenz", "Logistic"):
        parts = [np.load(path) for path in sorted((tmp_path / name).glob("train-*.npz"))]
        assert {str(part["x"].dtype) for part in parts} == {dtype}
        assert np.array_equal(np.concatenate([part["x"] for part in parts]), expected(parquet, name).astype(dtype))
        assert np.concatenate([part["trajectory"] for part in parts]).tolist() == [0, 1, 2, 3, 4]
    assert len(list((tmp_path / "Lorenz").iterdir())) == 3
    assert part_of("Lorenz", tmp_path)["names"].tolist() == ["x", "y", "z"]
    facts = json.loads(str(part_of("Lorenz", tmp_path)["metadata"]))
    assert part_of("Lorenz", tmp_path)["t"][1] == facts["dt"]


def part_of(name, out):
    return np.load(out / name / "train-00000.npz")


def test_numpy_along_time(tmp_path):
    options = {**OPTIONS, "trajectories": {"train": 1}, "n": 1000, "shard_bytes": 24 * 300}
    bst.generate("Lorenz", out=tmp_path / "p", **options)
    bst.generate("Lorenz", out=tmp_path / "n", format="numpy", **options)
    parts = [np.load(path)["x"][0] for path in sorted((tmp_path / "n" / "Lorenz").glob("*.npz"))]
    table = pl.read_parquet(tmp_path / "p" / "Lorenz" / "*.parquet").sort("time")
    assert np.array_equal(np.concatenate(parts), table.select("x", "y", "z").to_numpy())


@pytest.mark.parametrize("name", ["Lorenz", "Logistic"])
def test_gluonts_columns(tmp_path, parquet, name):
    bst.generate(name, out=tmp_path, format="gluonts", shard_bytes=20_000, **OPTIONS)
    table = pl.concat([pl.read_ipc(path) for path in sorted((tmp_path / name).glob("train-*.arrow"))])
    assert table["item_id"].to_list() == [f"{name}/train/{i}" for i in range(5)]
    samples = expected(parquet, name)
    targets = np.array(table["target"].to_list()).reshape(5, -1, 300)
    assert np.array_equal(targets.transpose(0, 2, 1), samples)
    assert ("target._np_shape" in table.columns) == (samples.shape[2] > 1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["Lorenz", "Logistic"])
def test_gluonts_reads_it(tmp_path, parquet, name):
    pytest.importorskip("pyarrow", reason="needs pyarrow and gluonts")
    common = pytest.importorskip("gluonts.dataset.common", reason="needs pyarrow and gluonts")
    bst.generate(name, out=tmp_path, format="gluonts", **OPTIONS)
    samples = expected(parquet, name)
    several = samples.shape[2] > 1
    dataset = common.FileDataset(tmp_path / name, freq="h", one_dim_target=not several, pattern="*.arrow")
    entries = list(dataset)
    assert len(entries) == 5
    for entry, trajectory in zip(entries, samples, strict=True):
        wanted = trajectory.T if several else trajectory[:, 0]
        assert entry["target"].shape == wanted.shape
        assert np.array_equal(entry["target"], wanted.astype(entry["target"].dtype))


@pytest.mark.parametrize("format", ["numpy", "gluonts"])
def test_the_same_bytes_for_any_threads_and_when_mended(tmp_path, format):
    def contents(folder):
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*") if path.is_file()
        }  # fmt: skip

    for threads in (1, 3):
        bst.generate(
            ["Lorenz"], out=tmp_path / str(threads), format=format, threads=threads, shard_bytes=8000, **OPTIONS
        )
    assert contents(tmp_path / "1") == contents(tmp_path / "3")
    next((tmp_path / "3" / "Lorenz").glob("train-00001.*")).unlink()
    assert bst.generate(["Lorenz"], out=tmp_path / "3", format=format, shard_bytes=8000, **OPTIONS).written == 1
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


def test_a_row_of_gluonts_is_not_cut(tmp_path):
    with pytest.raises(bst.DatasetError, match="a trajectory is one row, so at most 100 samples fit"):
        bst.generate("Lorenz", out=tmp_path / "data", format="gluonts", shard_bytes=2400, **OPTIONS)
    assert not (tmp_path / "data").exists()
