"""The page on many machines: what runs here runs, and what it says of the command line holds."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from bestiary.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scale-out.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_python_is_python() -> None:
    programs = [body for language, body in BLOCKS if language == "python"]
    assert len(programs) == 4
    for program in programs:
        compile(program, "scale-out.md", "exec")


def test_processes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(BLOCKS[0][1], encoding="utf-8")
    said = subprocess.run([sys.executable, script], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert "2 systems, 6 trajectories, 6,000 rows in 6 files" in said


def test_a_batch_queue(tmp_path: Path) -> None:
    lines = [line for language, body in BLOCKS if language == "sh" for line in body.splitlines()]
    job, last = [line for line in lines if line.startswith("bestiary")]
    small = {"all": "Lorenz Rossler", "10000": "200", "/shared/data": str(tmp_path / "data"), "/100": "/2"}

    def run(command: str) -> int:
        for there, here in small.items():
            command = command.replace(there, here)
        return main(shlex.split(command)[1:])

    for number in ("1", "2"):
        assert run(job.replace("$SLURM_ARRAY_TASK_ID", number)) == 0
    assert not (tmp_path / "data" / "manifest.json").exists()
    assert run(last) == 0
    assert (tmp_path / "data" / "manifest.json").exists()
