"""What does not fit into memory is refused before it is begun, with the size and the call that does it on disk."""

import subprocess
import sys
from pathlib import Path

import pytest

import bestiary as bst
from bestiary import memory


@pytest.fixture
def gigabyte(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10**9)


def test_an_ensemble_larger_than_this_machine_is_refused_at_once():
    members = 4 * memory.available() // (8 * 3 * 1000)
    with pytest.raises(bst.RequestError, match=rf"bestiary.generate\('Lorenz', n=1000, trajectories={members}, out="):
        bst.system("Lorenz").ensemble(members, 1000)
    with pytest.raises(bst.RequestError, match=r"1,000,000 × 1,000,000 samples of 3 variables need 24\.0 TB of memory"):
        bst.system("Lorenz").ensemble(10**6, 10**6)


@pytest.mark.usefixtures("gigabyte")
def test_the_limit_is_the_size_of_times_and_samples():
    lorenz = bst.system("Lorenz")
    fits = (10**9 // 8 - 10_000) // (3 * 10_000)
    memory.require(lorenz, fits, 10_000)
    with pytest.raises(bst.RequestError, match=r"need 1\.0 GB of memory, and 1\.0 GB are free"):
        memory.require(lorenz, fits + 1, 10_000)
    with pytest.raises(bst.RequestError, match=r"need 2\.0 GB"):
        memory.require(lorenz, fits, 10_000, copies=2)


@pytest.mark.usefixtures("gigabyte")
def test_one_trajectory_too():
    with pytest.raises(bst.RequestError, match="trajectories=1, out="):
        bst.system("Henon").trajectory(10**9)
    assert len(bst.system("Henon").trajectory(1000)) == 1000


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="needs /proc/meminfo")
def test_what_is_free_is_less_than_what_is_there():
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total = 1024 * int(lines["MemTotal"].split()[0])
    assert 2**20 < memory.available() < total


@pytest.mark.skipif(sys.platform == "win32", reason="control groups are of Linux")
def test_the_limit_of_a_container_or_a_job(tmp_path):
    assert list(memory._of_groups(tmp_path)) == []
    cgroup = tmp_path / "proc" / "self" / "cgroup"
    cgroup.parent.mkdir(parents=True)
    cgroup.write_text("5:cpu:/else\n4:memory:/old\n0::/job/step\n")
    old, job, step = (tmp_path / "sys/fs/cgroup" / name for name in ("memory/old", "job", "job/step"))
    for folder in (old, job, step):
        folder.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("5000\n")
    (old / "memory.usage_in_bytes").write_text("1000\n")
    (old / "memory.stat").write_text("cache 1\ntotal_cache 300\n")
    for folder, limit in ((job, "4000"), (step, "max")):
        (folder / "memory.max").write_text(limit + "\n")
        (folder / "memory.current").write_text("3000\n")
        (folder / "memory.stat").write_text("anon 2500\nfile 500\n")
    assert sorted(memory._of_groups(tmp_path)) == [4000 - 3000 + 500, 5000 - 1000 + 300]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_many_members_need_the_memory_of_their_samples():
    """100 000 members of 10 samples, 16 MB: what deals them to the threads must not hold them many times over."""
    script = """
import bestiary as bst
bst.system("Henon").ensemble(1, 10)
peak = lambda: int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
before = peak()
bst.system("Henon").ensemble(100_000, 10)
print((peak() - before) / 1024)
"""
    assert float(subprocess.check_output([sys.executable, "-c", script], text=True)) < 160


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs the module resource")
def test_a_dataset_larger_than_its_memory(tmp_path):
    """At its peak the process holds less than half of the samples that it writes."""
    script = """
import resource, sys
import bestiary as bst
summary = bst.generate("Lorenz", n=100_000, trajectories={"train": 600}, out=sys.argv[1], progress=False)
print(8 * 4 * summary.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    said = subprocess.check_output([sys.executable, "-c", script, tmp_path], text=True)
    written, peak = map(int, said.split())
    peak *= 1 if sys.platform == "darwin" else 1024
    assert peak < min(2**30, written / 2)
