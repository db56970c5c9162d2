"""Datasets made by many processes: the same bytes as by one, whoever dies on the way."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import bestiary as bst
from bestiary.cli import main
from bestiary.dataset import build, encodings, files, journal, manifest, schedule
from bestiary.dataset.plan import Request, make_plan

OPTIONS = {"n": 500, "trajectories": {"train": 8, "test": 4}, "rtol": 1e-8, "shard_bytes": 6000, "progress": False}


def lorenz():
    return bst.System.from_text(
        "x' = 10*(y - x)\ny' = x*(28 - z) - y\nz' = x*y - 8/3*z", initial=[1.0, 1.0, 20.0], period=0.75, name="Lorenz"
    )


def henon():
    return bst.System.from_text(
        "next(x) = 1 - 1.4*x^2 + y\nnext(y) = 0.3*x", initial=[0.1, 0.1], period=1.0, name="Henon"
    )


def make(out, systems=None, **arguments):
    return bst.generate([lorenz(), henon()] if systems is None else systems, out=out, **{**OPTIONS, **arguments})


def contents(folder):
    """Every file but locks of the operating system, which have no content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The dataset as one process on one thread makes it."""
    folder = tmp_path_factory.mktemp("expected")
    make(folder, threads=1)
    return contents(folder)


class Immediately(Executor):
    """Runs what it is given at once, and does what it is told before the k-th."""

    def __init__(self, before=lambda k: None):
        self.before, self.count = before, 0

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            self.before(self.count)
            self.count += 1
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class TestExecutors:
    def test_threads(self, tmp_path, expected):
        with ThreadPoolExecutor(3) as executor:
            make(tmp_path, executor=executor)
        assert contents(tmp_path) == expected

    def test_spawned_processes(self, tmp_path, expected):
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
            summary = make(tmp_path, executor=executor)
        assert summary.written == len(expected) - 1
        assert contents(tmp_path) == expected

    def test_a_killed_process_is_told_and_the_same_call_continues(self, tmp_path, expected):
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
            assassin = Killing(executor, after=5)
            with pytest.raises(bst.DatasetError, match=r"executor failed \(BrokenProcessPool.*same call") as error:
                make(tmp_path, executor=assassin)
            assert isinstance(error.value.__cause__, BrokenExecutor)
        assert not (tmp_path / manifest.NAME).exists()
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
            assert make(tmp_path, executor=executor).kept >= 1
        assert contents(tmp_path) == expected

    def test_an_interrupt_leaves_a_folder_that_others_continue(self, tmp_path, expected):
        def interrupt(k):
            if k == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt, match=r"4 of .* the same call continues"):
            make(tmp_path, executor=Immediately(interrupt))
        assert make(tmp_path).kept == 4
        assert contents(tmp_path) == expected

    def test_a_full_disk_at_a_worker_is_said_as_it_is(self, tmp_path):
        def fill(k):
            if k == 2:
                raise bst.DatasetError("no space left for it")

        with pytest.raises(bst.DatasetError, match=r"^no space left for it$"):
            make(tmp_path, executor=Immediately(fill))

    def test_nothing_is_left_but_the_dataset(self, tmp_path, expected):
        make(tmp_path, executor=Immediately())
        assert contents(tmp_path) == expected

    def test_ctrl_c_is_heard_while_processes_work(self, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(
            textwrap.dedent("""
            import sys
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context
            import bestiary as bst

            def main():
                system = bst.System.from_text(
                    "x' = 1e4*y; y' = -1e4*x", initial=[1.0, 0.0], period=6e-4, name="Rotation"
                )
                with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
                    print("begun", flush=True)
                    bst.generate(system, n=4000, trajectories={"train": 100_000}, out=sys.argv[1],
                                 shard_bytes=1 << 16, executor=executor, progress=False)

            if __name__ == "__main__":
                main()
            """)
        )
        out = tmp_path / "data"
        process = subprocess.Popen(
            [sys.executable, script, out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        with process:
            assert process.stdout.readline() == "begun\n"
            wait_for(lambda: len(list(out.glob("*/*.parquet"))) > 3)
            process.send_signal(signal.SIGINT)
            begun = time.monotonic()
            try:
                _, said = process.communicate(timeout=30)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        assert time.monotonic() - begun < 15
        assert process.returncode != 0
        assert "the same call continues" in said
        assert journal.read(out / journal.NAME)[1]
        assert not list(out.glob(f"{files.ALIVE}*"))


class Disturbed(Executor):
    """Ctrl-C falls into the submission of every task."""

    def __init__(self, pool):
        self.pool, self.submitted = pool, 0

    def submit(self, *task):
        signal.raise_signal(signal.SIGINT)
        self.submitted += 1
        return self.pool.submit(*task)


def test_ctrl_c_does_not_tear_a_submission(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        executor = Disturbed(pool)
        with pytest.raises(KeyboardInterrupt, match="the same call continues"):
            bst.generate("Lorenz", n=100, trajectories=3, out=tmp_path / "data", executor=executor, progress=False)
        assert executor.submitted == 1


class Killing(Executor):
    """A pool of processes, one of which is killed when some files are made."""

    def __init__(self, pool, after):
        self.pool, self.after, self.made = pool, after, 0

    def submit(self, fn, /, *args, **kwargs):
        future = self.pool.submit(fn, *args, **kwargs)
        future.add_done_callback(self.count)
        return future

    def count(self, _future):
        self.made += 1
        if self.made == self.after:
            os.kill(next(iter(self.pool._processes)), signal.SIGKILL)


class TestWorkers:
    def shard(self):
        request = Request(
            n=100, per_period=100.0, trajectories={"train": 1}, seed=0, rtol=1e-8, atol=None, method="auto",
            transient_periods=0.0, noise=0.0, forcing=0.0, univariate=False, observables=False, format="parquet",
            dtype="float64", shard_bytes=1 << 20,
        )  # fmt: skip
        ((shard,),) = make_plan([lorenz()], request).chains()
        return shard

    def test_another_build_is_refused(self, tmp_path):
        with (
            files.alive(tmp_path) as sign,
            pytest.raises(bst.DatasetError, match=r"runs another build .* \(0123\); install the same on both"),
        ):
            schedule.work(self.shard(), str(tmp_path), sign, "0123")

    def test_a_folder_that_is_not_shared_is_refused(self, tmp_path):
        with files.alive(tmp_path) as sign, pytest.raises(bst.DatasetError, match="folder that all workers share"):
            schedule.work(self.shard(), str(tmp_path / "local"), sign, build.fingerprint())
        assert not (tmp_path / "local").exists()

    def test_a_worker_that_outlives_the_call_writes_nothing(self, tmp_path, monkeypatch):
        encode = encodings.ENCODERS["parquet"]
        with files.alive(tmp_path) as sign:

            def slowly(*arguments):
                (tmp_path / sign).unlink()
                return encode(*arguments)

            monkeypatch.setitem(encodings.ENCODERS, "parquet", slowly)
            with pytest.raises(schedule.Stopped):
                schedule.work(self.shard(), str(tmp_path), sign, build.fingerprint())
        assert not contents(tmp_path)

    def test_two_writers_of_one_file_do_not_disturb_each_other(self, tmp_path):
        content = [bytes([k]) * 300_000 for k in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda k: files.write_atomically(tmp_path / "x", content[k % 8]), range(64)))
        assert (tmp_path / "x").read_bytes() in content
        assert [path.name for path in tmp_path.iterdir()] == ["x"]


class TestParts:
    def test_parts_in_any_order_and_the_call_that_completes(self, tmp_path, expected):
        made = 0
        for number in (3, 1, 4, 2):
            summary = make(tmp_path, shards=(number, 4))
            assert f"part {number} of 4" in str(summary)
            made += summary.written
            assert not (tmp_path / manifest.NAME).exists()
        assert made == len(expected) - 1
        summary = make(tmp_path)
        assert (summary.written, summary.kept) == (0, made)
        assert contents(tmp_path) == expected

    def test_missing_parts_are_made_by_the_last_call(self, tmp_path, expected):
        kept = sum(make(tmp_path, shards=(number, 5)).files for number in (2, 5))
        assert make(tmp_path).kept == kept
        assert contents(tmp_path) == expected

    def test_parts_of_other_numbers_add_up(self, tmp_path, expected):
        make(tmp_path, shards=(1, 2))
        assert make(tmp_path, shards=(3, 3)).written > 0
        make(tmp_path)
        assert contents(tmp_path) == expected

    def test_more_parts_than_work(self, tmp_path, expected):
        summary = make(tmp_path, shards=(1000, 1000))
        assert (summary.files, summary.rows) == (0, 0)
        make(tmp_path)
        assert contents(tmp_path) == expected

    def test_a_part_again(self, tmp_path):
        first = make(tmp_path, shards=(1, 3))
        again = make(tmp_path, shards=(1, 3))
        assert (again.written, again.kept) == (0, first.written)

    def test_a_part_of_a_finished_dataset(self, tmp_path, expected):
        make(tmp_path)
        assert make(tmp_path, shards=(2, 3)).written == 0
        assert contents(tmp_path) == expected
        (tmp_path / "Lorenz" / "train-00000.parquet").unlink()
        with pytest.raises(bst.DatasetError, match="same call without shards mends"):
            make(tmp_path, shards=(1, 3))
        make(tmp_path)
        assert contents(tmp_path) == expected

    def test_a_part_of_another_dataset_is_refused(self, tmp_path):
        make(tmp_path, shards=(1, 3))
        before = contents(tmp_path)
        for arguments in ({"shards": (2, 3)}, {}):
            with pytest.raises(bst.DatasetError, match="seed: there 0, asked for 1"):
                make(tmp_path, seed=1, **arguments)
        assert contents(tmp_path) == before
        make(tmp_path, [henon()], seed=1, on_exists="replace")
        assert not (tmp_path / "Lorenz").exists()
        assert not list(tmp_path.glob("journal*"))

    def test_jobs_side_by_side(self, tmp_path, expected):
        with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
            for future in [pool.submit(make, tmp_path, shards=(number, 3)) for number in (1, 2, 3)]:
                future.result()
        make(tmp_path)
        assert contents(tmp_path) == expected

    def test_a_part_is_locked_and_keeps_the_whole_from_being_completed(self, tmp_path):
        with files.lock(tmp_path, "1-of-2"):
            with pytest.raises(bst.DatasetError, match="another process is writing"), files.lock(tmp_path):
                pass
            with pytest.raises(bst.DatasetError, match="another process is writing"), files.lock(tmp_path, "1-of-2"):
                pass
            with files.lock(tmp_path, "2-of-2"):
                pass
        with files.lock(tmp_path):
            assert {path.name for path in tmp_path.iterdir()} == {files.LOCK}
        assert not list(tmp_path.iterdir())

    def test_a_part_waits_for_its_turn_but_not_for_ever(self, tmp_path, monkeypatch):
        monkeypatch.setattr(files, "PATIENCE", 0.2)
        with files.lock(tmp_path):
            begun = time.monotonic()
            with pytest.raises(bst.DatasetError, match="another process"), files.lock(tmp_path, "1-of-2"):
                pass
            assert time.monotonic() - begun >= 0.2

    @pytest.mark.parametrize("shards", [(0, 3), (4, 3), (1, 0), 3, "1/3", (1.0, 3), (1, 2, 3), (True, 3)])
    def test_wrong_parts(self, tmp_path, shards):
        with pytest.raises(ValueError, match="shards"):
            make(tmp_path / "data", shards=shards)
        with pytest.raises(ValueError, match='must be "resume"'):
            make(tmp_path / "data", shards=(1, 3), on_exists="replace")
        assert not (tmp_path / "data").exists()

    def test_command_line(self, tmp_path, capsys):
        def command(out, *more):
            return main(["generate", "Lorenz", "Henon", "-n", "300", "--rtol", "1e-8", "--out", str(out), *more])

        for number in (2, 1):
            assert command(tmp_path / "jobs", "--shards", f"{number}/2") == 0
            assert f"part {number} of 2; when all are done, the same call without" in capsys.readouterr().out
        assert command(tmp_path / "jobs") == 0
        assert "0 written, 6 kept" in capsys.readouterr().out
        assert command(tmp_path / "whole") == 0
        assert contents(tmp_path / "jobs") == contents(tmp_path / "whole")
        assert command(tmp_path / "jobs", "--shards", "3/2") == 2
        assert "no part 3 of 2" in capsys.readouterr().err
        with pytest.raises(SystemExit):
            command(tmp_path / "jobs", "--shards", "half")
        assert "'half' is not of the form 3/10" in capsys.readouterr().err


class TestBuilds:
    def test_the_manifest_names_the_build(self, tmp_path):
        make(tmp_path)
        assert json.loads((tmp_path / "manifest.json").read_text())["build"] == build.fingerprint()

    @pytest.mark.parametrize("state", ["finished", "unfinished"])
    def test_another_build_of_the_same_version_does_not_continue(self, tmp_path, monkeypatch, state):
        make(tmp_path, **({} if state == "finished" else {"shards": (1, 2)}))
        before = contents(tmp_path)
        monkeypatch.setattr(build, "fingerprint", lambda: "0123456789abcdef")
        with pytest.raises(bst.DatasetError, match=r"build: there [0-9a-f]{16}, asked for 0123456789abcdef"):
            make(tmp_path)
        assert contents(tmp_path) == before

    def test_the_fingerprint_is_that_of_the_sources(self, tmp_path):
        package = Path(bst.__file__).parent
        copy = tmp_path / "bestiary"
        command = [sys.executable, "-c", "from bestiary.dataset import build; print(build.fingerprint())"]

        def fingerprint():
            return subprocess.check_output(command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, text=True).strip()

        for path in package.rglob("*"):
            if path.suffix in (".py", ".so", ".pyd", ".toml"):
                (copy / path.relative_to(package)).parent.mkdir(parents=True, exist_ok=True)
                (copy / path.relative_to(package)).write_bytes(path.read_bytes())
        assert fingerprint() == build.fingerprint()
        source = copy / "sampling.py"
        source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
        assert fingerprint() == build.fingerprint()
        source.write_bytes(source.read_bytes() + b"# changed\r\n")
        assert fingerprint() != build.fingerprint()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills processes")
class TestDask:
    """A scheduler and two workers, each a process of its own, on this machine."""

    @pytest.fixture
    def cluster(self, tmp_path):
        distributed = pytest.importorskip("distributed", reason="needs dask: pip install distributed")
        env = {**os.environ, "PYTHONPATH": str(Path(bst.__file__).parents[1])}
        with contextlib.ExitStack() as stack:

            def start(module, *arguments):
                command = [sys.executable, "-m", "distributed.cli." + module, *arguments]
                log = stack.enter_context(open(tmp_path / f"{module}.log", "ab"))
                process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path, env=env))
                stack.callback(process.kill)
                return process

            address = tmp_path / "scheduler.json"
            there = ("--scheduler-file", str(address), "--no-dashboard")
            start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", *there)
            wait_for(address.exists)
            alone = ("--nthreads", "1", "--no-nanny", "--local-directory", str(tmp_path))
            workers = [start("dask_worker", *there, *alone) for _ in range(2)]
            client = stack.enter_context(distributed.Client(scheduler_file=str(address)))
            client.wait_for_workers(2, timeout=120)
            yield client, workers

    @pytest.mark.filterwarnings("ignore")
    def test_a_worker_killed_in_the_middle(self, tmp_path, expected, cluster):
        client, workers = cluster
        out = tmp_path / "data"
        killed = []

        class Watched(Executor):
            def __init__(self, executor):
                self.executor, self.made = executor, 0

            def submit(self, fn, /, *args, **kwargs):
                future = self.executor.submit(fn, *args, **kwargs)
                future.add_done_callback(self.count)
                return future

            def count(self, _future):
                self.made += 1
                if self.made == 4:
                    workers[0].send_signal(signal.SIGKILL)
                    killed.append(self.made)

        summary = make(out, executor=Watched(client.get_executor()))
        assert killed == [4]
        assert workers[0].wait(10) == -signal.SIGKILL
        assert summary.written == len(expected) - 1
        assert contents(out) == expected

    @pytest.mark.filterwarnings("ignore")
    def test_made_again_although_the_cluster_remembers_the_call(self, tmp_path, expected, cluster):
        client, _ = cluster
        executor = client.get_executor()
        make(tmp_path / "data", executor=executor)
        (tmp_path / "data" / "Henon" / "test-00000.parquet").unlink()
        assert make(tmp_path / "data", executor=executor).written == 1
        assert contents(tmp_path / "data") == expected


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
