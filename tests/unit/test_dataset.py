"""Datasets on disk: the same bytes whatever happens on the way, and nothing lost when something goes wrong."""

import errno
import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import bestiary as bst
from bestiary.dataset import encodings, files, journal, manifest, runs, schedule
from bestiary.dataset.plan import Request, derived_seed, make_plan
from bestiary.dataset.progress import Progress, duration, size


def lorenz(name="Lorenz"):
    return bst.System.from_text(
        "x' = sigma*(y - x)\ny' = x*(rho - z) - y\nz' = x*y - beta*z",
        parameters={"sigma": 10.0, "rho": 28.0, "beta": 8 / 3},
        initial=[-9.8, -15.0, 20.5],
        period=0.75,
        name=name,
    )


def henon():
    return bst.System.from_text(
        "next(x) = 1 - a*x^2 + y\nnext(y) = b*x",
        parameters={"a": 1.4, "b": 0.3},
        initial=[0.1, 0.1],
        period=1.0,
        name="Henon",
    )


def explosion():
    """x' = x^2 from 1 ends at t = 1 (burn-in included: it has ended before the first sample)."""
    return bst.System.from_text("x' = x^2", initial=[1.0], period=0.1, name="Explosion")


def make(out, systems=None, **arguments):
    options = {"n": 200, "trajectories": {"train": 2, "test": 1}, "rtol": 1e-8, "progress": False, **arguments}
    return bst.generate([lorenz(), henon()] if systems is None else systems, out=out, **options)


def contents(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


def column(folder, name="x", system="Lorenz", split="train"):
    return pl.read_parquet(Path(folder) / system / f"{split}-*.parquet")[name].to_numpy()


class TestWhatIsWritten:
    def test_layout(self, tmp_path):
        summary = make(tmp_path)
        assert set(contents(tmp_path)) == {
            "manifest.json",
            *(f"{system}/{split}-00000.parquet" for system in ("Lorenz", "Henon") for split in ("train", "test")),
        }
        frame = pl.read_parquet(tmp_path / "Lorenz" / "train-00000.parquet")
        assert frame.columns == ["system", "trajectory", "split", "time", "x", "y", "z"]
        assert frame["trajectory"].to_list() == [0] * 200 + [1] * 200
        assert frame["time"][1] == 0.75 / 100
        assert np.isfinite(frame["z"].to_numpy()).all()
        assert (summary.systems, summary.trajectories, summary.rows) == (2, 6, 1200)
        assert summary.bytes == sum(path.stat().st_size for path in tmp_path.glob("*/*.parquet"))
        assert summary.outcomes == {"ok": 6}

    def test_is_the_ensemble_of_the_package(self, tmp_path):
        make(tmp_path)
        seed = derived_seed(0, "Lorenz", "train", "trajectories")
        expected = lorenz().ensemble(2, 200, seed=seed, rtol=1e-8)
        assert np.array_equal(column(tmp_path, "y"), expected.x[:, :, 1].ravel())

    def test_manifest(self, tmp_path):
        make(tmp_path)
        content = json.loads((tmp_path / "manifest.json").read_text())
        assert content["arguments"]["seed"] == 0
        assert content["bestiary"] == bst.__version__
        rebuilt = tmp_path / "Lorenz.toml"
        rebuilt.write_text(content["systems"]["Lorenz"]["definition"])
        assert bst.System.from_toml(rebuilt) == lorenz()
        for system in content["systems"].values():
            for file in system["files"]:
                path = tmp_path / file["file"]
                assert file["sha256"] == files.sha256(path)
                assert file["rows"] == len(pl.read_parquet(path))

    def test_file_metadata(self, tmp_path):
        make(tmp_path)
        facts = json.loads(pl.read_parquet_metadata(tmp_path / "Lorenz" / "test-00000.parquet")["bestiary"])
        assert facts["parameters"] == {"sigma": 10.0, "rho": 28.0, "beta": 8 / 3}
        assert facts["outcomes"] == {"ok": 1}

    def test_granularity(self, tmp_path):
        make(tmp_path, granularity="coarse")
        assert column(tmp_path, "time")[1] == 0.75 / 15

    def test_univariate_and_float32(self, tmp_path):
        make(tmp_path, univariate=True, dtype="float32")
        frame = pl.read_parquet(tmp_path / "Lorenz" / "train-00000.parquet")
        assert frame.columns[4:] == ["x"]
        assert frame.dtypes[3:] == [pl.Float64, pl.Float32]

    def test_observables(self, tmp_path):
        pendulum = bst.System.from_text(
            "theta' = omega\nomega' = -sin(theta)",
            initial=[1.0, 0.0],
            period=6.7,
            name="Pendulum",
            observables={"sin_theta": "sin(theta)", "speed": "omega"},
        )
        make(tmp_path / "state", [pendulum])
        make(tmp_path / "view", [pendulum], observables=True)
        angle = column(tmp_path / "state", "theta", "Pendulum")
        assert np.allclose(column(tmp_path / "view", "sin_theta", "Pendulum"), np.sin(angle), rtol=0, atol=1e-15)

    def test_a_stopped_trajectory_is_a_result(self, tmp_path):
        summary = make(tmp_path, [explosion()])
        assert summary.outcomes == {"diverged": 3}
        assert len(summary.stopped) == 3
        assert len(column(tmp_path, "x", "Explosion")) == 400


class TestSeeds:
    def test_seed_matters(self, tmp_path):
        make(tmp_path / "a", seed=1)
        make(tmp_path / "b", seed=2)
        assert not np.isin(column(tmp_path / "a"), column(tmp_path / "b")).any()

    def test_splits_share_no_sample(self, tmp_path):
        make(tmp_path)
        assert not np.isin(column(tmp_path, split="train"), column(tmp_path, split="test")).any()

    def test_a_trajectory_depends_neither_on_the_others_nor_on_the_files(self, tmp_path):
        make(tmp_path / "few")
        make(tmp_path / "many", [lorenz()], trajectories={"test": 3, "train": 5, "validation": 1}, shard_bytes=10_000)
        assert len(list((tmp_path / "many" / "Lorenz").glob("train-*"))) == 3
        many = pl.read_parquet(tmp_path / "many" / "Lorenz" / "train-*.parquet")
        few = pl.read_parquet(tmp_path / "few" / "Lorenz" / "train-*.parquet")
        assert many.filter(pl.col("trajectory") < 2).equals(few)

    def test_noise(self, tmp_path):
        plain, noisy, again = tmp_path / "plain", tmp_path / "noisy", tmp_path / "again"
        make(plain, n=4000)
        make(noisy, n=4000, noise=0.1)
        make(again, n=4000, noise=0.1)
        assert contents(noisy) == contents(again)
        scale = json.loads((noisy / "manifest.json").read_text())["systems"]["Lorenz"]["scale"]
        for name, deviation in zip("xyz", scale, strict=True):
            noise = (column(noisy, name) - column(plain, name)) / deviation
            # 8000 normal numbers: five standard errors of mean and of standard deviation.
            assert abs(noise.mean()) < 5 * 0.1 / 8000**0.5
            assert abs(noise.std() - 0.1) < 5 * 0.1 / 16000**0.5
        trains = (column(noisy) - column(plain)).reshape(2, -1)
        assert abs(np.corrcoef(trains)[0, 1]) < 5 / 4000**0.5

    def test_forcing_acts_on_the_flow(self, tmp_path):
        decay = bst.System.from_text(
            "x' = v\nv' = -x - 0.1*v + cos(t)", initial=[0.0, 10.0], period=2 * np.pi, name="Driven"
        )
        make(tmp_path / "plain", [decay], n=3000)
        make(tmp_path / "forced", [decay], n=3000, forcing=0.05)
        make(tmp_path / "again", [decay], n=3000, forcing=0.05)
        assert contents(tmp_path / "forced") == contents(tmp_path / "again")
        difference = column(tmp_path / "forced", "v", "Driven") - column(tmp_path / "plain", "v", "Driven")
        # White noise of strength s on a damped linear oscillator (damping c) leaves velocity variance s^2 / (2 c), on
        # both variables twice that; both transients have decayed alike. 60 periods hold about 19 independent values.
        strength = 0.05 * 10 / 2**0.5 / (2 * np.pi) ** 0.5
        expected = strength * (2 / 0.2) ** 0.5
        assert 0.3 * expected < difference.std() < 3 * expected


class TestSameBytes:
    def test_threads(self, tmp_path):
        for threads in (1, 2, 7):
            make(tmp_path / str(threads), threads=threads, shard_bytes=2000)
        assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(tmp_path / "7")

    def test_processes(self, tmp_path):
        make(tmp_path / "here")
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
            make(tmp_path / "there", executor=executor)
        assert contents(tmp_path / "here") == contents(tmp_path / "there")

    def test_long_trajectories_are_cut_along_time(self, tmp_path):
        options = {"systems": [lorenz(), explosion()], "n": 1000, "shard_bytes": 24 * 300}
        make(tmp_path / "a", **options)
        make(tmp_path / "b", **options, threads=2)
        assert contents(tmp_path / "a") == contents(tmp_path / "b")
        assert len(list((tmp_path / "a" / "Lorenz").glob("train-*"))) == 8
        one = pl.read_parquet(tmp_path / "a" / "Lorenz" / "train-*.parquet").filter(pl.col("trajectory") == 0)
        assert np.array_equal(one["time"].to_numpy(), np.arange(1000) * (0.75 / 100))
        # Each piece starts where the one before ended: the cut is not seen in the speed.
        steps = np.abs(np.diff(one["x"].to_numpy()))
        assert steps[[299, 599, 899]].max() < steps.max()
        make(tmp_path / "whole", [lorenz()], n=1000)
        # Same until chaos has amplified the tolerance: the first cut is at three Lyapunov times.
        whole = column(tmp_path / "whole")[:350]
        assert np.abs(one["x"].to_numpy()[:350] - whole).max() < 1e-3
        assert np.array_equal(one["x"].to_numpy()[:300], whole[:300])

    def test_a_cut_does_not_change_a_noisy_trajectory(self, tmp_path):
        """The path of the noise is a function of time, whatever the files."""
        noisy = [bst.system("NoisyHopf").with_initial([1.0, 0.1]), bst.system("StochasticLogistic")]
        for name, systems, options in (("noise", noisy, {}), ("forcing", [lorenz()], {"forcing": 0.1})):
            make(tmp_path / name, systems, n=500, trajectories={"train": 1}, **options)
            make(tmp_path / f"{name} cut", systems, n=500, trajectories={"train": 1}, shard_bytes=2000, **options)
            for system in systems:
                whole, cut = (
                    pl.read_parquet(tmp_path / folder / system.name / "*.parquet").drop("split")
                    for folder in (name, f"{name} cut")
                )
                assert len(list((tmp_path / f"{name} cut" / system.name).iterdir())) > 1
                assert whole.sort("time").equals(cut.sort("time"))

    def test_a_killed_run_continues_to_the_same_bytes(self, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(
            textwrap.dedent("""
            import sys
            import bestiary as bst
            from bestiary.dataset import generate, shards
            make = shards.make_shard
            made = 0
            def slowly(*arguments):
                global made
                made += 1
                if sys.argv[2] == "slowly" and made > 3:
                    print("three are made", flush=True)
                    import time; time.sleep(60)
                return make(*arguments)
            import importlib
            importlib.import_module("bestiary.dataset.schedule").make_shard = slowly
            lorenz = bst.System.from_text(
                "x' = 10*(y - x); y' = x*(28 - z) - y; z' = x*y - 8/3*z", initial=[1, 1, 20], period=0.75, name="Lorenz"
            )
            bst.generate([lorenz], n=500, out=sys.argv[1], trajectories={"train": 4, "test": 4}, shard_bytes=6000,
                         rtol=1e-8, threads=1, progress=False)
            """)
        )
        broken, unbroken = tmp_path / "broken", tmp_path / "unbroken"
        with subprocess.Popen([sys.executable, script, broken, "slowly"], stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"three are made\n"
            process.send_signal(signal.SIGKILL)
        assert not (broken / "manifest.json").exists()
        assert (broken / "journal.jsonl").exists()
        (broken / "Lorenz" / "train-00007.parquet.tmp").write_bytes(b"half a file")
        for folder in (broken, unbroken):
            subprocess.run([sys.executable, script, folder, "fast"], check=True)
        assert contents(broken) == contents(unbroken)
        assert len(contents(broken)) > 8


class TestContinuing:
    def test_finished_files_are_kept(self, tmp_path):
        make(tmp_path)
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
        summary = make(tmp_path)
        assert (summary.written, summary.kept) == (0, 4)
        assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}

    @pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
    def test_a_damaged_file_is_made_again(self, tmp_path, harm):
        make(tmp_path, n=500, shard_bytes=6000)
        before = contents(tmp_path)
        path = tmp_path / "Lorenz" / "train-00001.parquet"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        if harm == "remove":
            path.unlink()
        else:
            path.write_bytes(content if harm == "flip" else content[:100])
        summary = make(tmp_path, n=500, shard_bytes=6000)
        assert (summary.written, summary.remade) == (1, 1)
        assert contents(tmp_path) == before

    def test_a_torn_journal_costs_only_its_torn_line(self, tmp_path):
        make(tmp_path)
        before = contents(tmp_path)
        header, records = manifest.read(tmp_path)
        del_files = {
            name: {key: value for key, value in s.items() if key != "files"} for name, s in header["systems"].items()
        }
        journal.Journal(tmp_path, {**header, "systems": del_files}, records[:2]).close()
        with open(tmp_path / journal.NAME, "ab") as file:
            file.write(b'{"file": "Lorenz/tr')
        (tmp_path / manifest.NAME).unlink()
        summary = make(tmp_path)
        assert (summary.kept, summary.written) == (2, 2)
        assert contents(tmp_path) == before

    def test_another_seed_is_refused_and_nothing_touched(self, tmp_path):
        make(tmp_path)
        before = contents(tmp_path)
        with pytest.raises(bst.DatasetError, match="seed: there 0, asked for 1") as error:
            make(tmp_path, seed=1, noise=0.5)
        assert "noise: there 0.0, asked for 0.5" in str(error.value)
        with pytest.raises(bst.DatasetError, match="systems not there: Third"):
            make(tmp_path, [lorenz(), henon(), lorenz("Third")])
        with pytest.raises(bst.DatasetError, match="definition of Lorenz"):
            make(tmp_path, [lorenz().with_parameters(rho=30.0), henon()])
        with pytest.raises(bst.DatasetError, match="already holds a dataset"):
            make(tmp_path, on_exists="error")
        assert contents(tmp_path) == before

    def test_replace_removes_the_dataset_and_nothing_else(self, tmp_path):
        make(tmp_path)
        (tmp_path / "notes.txt").write_text("mine")
        make(tmp_path, [henon()], seed=1, on_exists="replace")
        assert set(contents(tmp_path)) == {
            "notes.txt", "manifest.json", "Henon/test-00000.parquet", "Henon/train-00000.parquet",
        }  # fmt: skip
        assert not (tmp_path / "Lorenz").exists()

    def test_ctrl_c_leaves_a_folder_to_continue(self, tmp_path, monkeypatch):
        original, made = schedule.make_shard, []

        def interrupting(*arguments):
            if len(made) == 3:
                raise KeyboardInterrupt
            made.append(arguments[0].file)
            return original(*arguments)

        monkeypatch.setattr(schedule, "make_shard", interrupting)
        with pytest.raises(KeyboardInterrupt, match="the same call continues"):
            make(tmp_path / "a", threads=1)
        monkeypatch.undo()
        assert make(tmp_path / "a").kept == 3
        make(tmp_path / "b")
        assert contents(tmp_path / "a") == contents(tmp_path / "b")


class TestTheDisk:
    def test_full(self, tmp_path, monkeypatch):
        replaced = os.replace

        def full(source, target):
            if Path(target).name == "test-00000.parquet":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            replaced(source, target)

        monkeypatch.setattr(files.os, "replace", full)
        with pytest.raises(bst.DatasetError, match=r"no space left .* finished files are kept"):
            make(tmp_path / "a", threads=1)
        monkeypatch.undo()
        assert not [name for name in contents(tmp_path / "a") if name.endswith(".tmp")]
        assert make(tmp_path / "a").kept >= 1
        make(tmp_path / "b")
        assert contents(tmp_path / "a") == contents(tmp_path / "b")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_full_for_real(self, tmp_path, monkeypatch):
        monkeypatch.setattr(files, "_temporary", lambda path: path.with_name("x.parquet.tmp"))
        (tmp_path / "x.parquet.tmp").symlink_to("/dev/full")
        with pytest.raises(bst.DatasetError, match="no space left"):
            files.write_atomically(tmp_path / "x.parquet", b"content")
        assert not list(tmp_path.iterdir())

    def test_a_file_where_the_folder_should_be(self, tmp_path):
        (tmp_path / "file").write_text("")
        for out in (tmp_path / "file", tmp_path / "file" / "data"):
            with pytest.raises(bst.DatasetError, match="file, not a folder"):
                make(out)

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="this user may write anywhere")
    def test_unwritable(self, tmp_path):
        tmp_path.chmod(0o500)
        with pytest.raises(bst.DatasetError, match="folder you may write to"):
            make(tmp_path / "data")

    def test_a_folder_of_something_else(self, tmp_path):
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(bst.DatasetError, match=r"holds 'thesis\.tex' and no dataset"):
            make(tmp_path)
        assert set(contents(tmp_path)) == {"thesis.tex"}

    def test_two_writers(self, tmp_path):
        with files.lock(tmp_path), pytest.raises(bst.DatasetError, match="another process is writing"):
            make(tmp_path)
        make(tmp_path)

    def test_many_at_once_hold_the_lock_one_after_the_other(self, tmp_path):
        inside, worst = [], []

        def enter():
            for _ in range(20):
                try:
                    with files.lock(tmp_path):
                        inside.append(1)
                        worst.append(len(inside))
                        time.sleep(0.001)
                        inside.pop()
                except bst.DatasetError:
                    pass

        threads = [threading.Thread(target=enter) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(worst) == 1


class TestWrongCalls:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"n": 0}, "n must be a whole number of at least 1"),
            ({"n": -5}, "n must be"),
            ({"n": 2.5}, "n must be"),
            ({"per_period": 10, "granularity": "fine"}, "give one of them"),
            ({"granularity": "finest"}, "fine, medium, coarse"),
            ({"per_period": 0}, "per_period must be"),
            ({"rtol": 1e-17}, "1e-16"),
            ({"noise": -1}, "noise must be"),
            ({"noise": float("nan")}, "noise must be"),
            ({"seed": -1}, "seed must be"),
            ({"trajectories": {}}, "trajectories"),
            ({"trajectories": {"a/b": 1}}, "letters, digits"),
            ({"trajectories": {"train": 0}}, "asks for none"),
            ({"dtype": "int8"}, "float64, float32"),
            ({"format": "csv"}, "parquet"),
            ({"threads": 0}, "threads must be"),
            ({"on_exists": "overwrite"}, "resume, error, replace"),
        ],
    )
    def test_value(self, tmp_path, arguments, words):
        with pytest.raises(ValueError, match=words):
            make(tmp_path / "data", **arguments)
        assert not (tmp_path / "data").exists()

    def test_systems(self, tmp_path):
        for systems, error in (
            ([], bst.DatasetError),
            ([lorenz(), lorenz()], bst.DatasetError),
            ([lorenz("../up")], bst.DatasetError),
            (["NoSuchSystemAnywhere"], bst.UnknownSystem),
            ([3], TypeError),
            (3, TypeError),
        ):
            with pytest.raises(error):
                make(tmp_path / "data", systems)
        with pytest.raises(bst.DatasetError, match="forcing acts on flows"):
            make(tmp_path / "data", [henon()], forcing=0.1)
        assert not (tmp_path / "data").exists()

    def test_a_variable_with_the_name_of_a_column(self, tmp_path):
        system = bst.System.from_text("time' = 1 - time", initial=[0.5], period=1.0, name="Clock")
        with pytest.raises(bst.DatasetError, match="'time' has the name of a column"):
            make(tmp_path / "data", [system])


class TestDelays:
    """A long trajectory with delays is cut along time: each file knows what the one before it remembers."""

    def systems(self):
        # Driven, two delays, stable: errors do not grow. The second is an angle that turns, a little chaotic.
        driven = bst.System.from_text(
            "x' = -x(t - 1)/2 - x(t - sqrt(2))/5 + cos(2*t)", initial=[1.0], period=4.0, name="Driven"
        )
        turning = bst.System.from_text(
            "x' = 1 + sin(x(t - 3))/4", initial=[1.0], period=6.0, periods={"x": "2*pi"}, name="Turning"
        )
        return [driven, turning]

    def test_pieces_are_the_whole(self, tmp_path):
        for name, room in (("whole", 1 << 20), ("cut", 1600)):
            make(tmp_path / name, self.systems(), n=900, shard_bytes=room, trajectories={"train": 2})
        assert len(list((tmp_path / "cut" / "Driven").iterdir())) == 2 * 5
        for system in ("Driven", "Turning"):
            whole, cut = (column(tmp_path / name, system=system) for name in ("whole", "cut"))
            apart, size = np.abs(whole - cut), np.abs(whole)
            if system == "Turning":
                # Not wrapped during the run, the angle grows by at most 5/4 a unit of time, from 120 before time 0 on.
                apart, size = np.minimum(apart, 2 * np.pi - apart), 1.25 * (120 + 0.06 * 900)
            assert (apart <= 10 * 1e-8 * (1 + size)).all()

    def test_a_missing_piece_is_made_again_to_the_bit(self, tmp_path):
        make(tmp_path, self.systems(), n=900, shard_bytes=1600)
        before = contents(tmp_path)
        (tmp_path / "Turning" / "train-00003.parquet").unlink()
        make(tmp_path, self.systems(), n=900, shard_bytes=1600)
        assert contents(tmp_path) == before


def request(**arguments):
    defaults = {
        "n": 100, "per_period": 100.0, "trajectories": {"train": 1}, "seed": 0, "rtol": 1e-8, "atol": None,
        "method": "auto", "transient_periods": 0.0, "noise": 0.0, "forcing": 0.0, "univariate": False,
        "observables": False, "format": "parquet", "dtype": "float64", "shard_bytes": 1 << 20,
    }  # fmt: skip
    return Request(**{**defaults, **arguments})


def test_a_shard_is_plain_data():
    (chain,) = make_plan([lorenz()], request()).chains()
    shard = pickle.loads(pickle.dumps(chain[0]))
    assert np.array_equal(runs.run(shard).x, runs.run(chain[0]).x)
    assert encodings.frame(shard, runs.run(shard)).height == 100


def test_shards_cover_every_sample_once():
    for n, members, shard_bytes in ((100, 7, 5000), (1000, 3, 2400), (1, 1, 1024), (10_000, 1, 24 * 1000)):
        plan = make_plan([lorenz()], request(n=n, trajectories={"train": members}, shard_bytes=shard_bytes))
        cells = [
            (member, sample)
            for chain in plan.chains()
            for shard in chain
            for member in range(shard.first, shard.first + shard.count)
            for sample in range(shard.first_sample, shard.first_sample + shard.samples)
        ]
        assert sorted(cells) == [(member, sample) for member in range(members) for sample in range(n)]
        assert all(shard.rows * 24 <= max(shard_bytes, 24) for chain in plan.chains() for shard in chain)
        names = [shard.file for chain in plan.chains() for shard in chain]
        assert len(set(names)) == len(names)


def test_progress_goes_to_the_stream_it_is_given(capsys):
    for show in (True, None):
        bar = Progress(10, "label", show)
        bar.update(0)
        bar.update(10, "all files")
        bar.close()
        assert ("100 %" in capsys.readouterr().err) == bool(show)


def test_words_for_sizes():
    assert [duration(value) for value in (0.42, 12, 200, 7500)] == ["0.4 s", "12 s", "3 min 20 s", "2 h 5 min"]
    assert [size(value) for value in (312, 4_500_000, 1.2e9)] == ["312 B", "4.5 MB", "1.2 GB"]
