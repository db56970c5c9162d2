"""Each example runs from an empty folder, without a warning, and leaves what it says; so does the README's picture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bestiary

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
# What an example says, and which files it leaves.
PROMISES = {
    "01_first_trajectory.py": (["10.0 Lyapunov times"], ["lorenz.parquet", "lorenz.png"]),
    "02_your_own_system.py": (
        ["the same after writing and reading: True", r"\dot{\theta} &= \omega", "y' = sin(x\n          ^"],
        ["pendulum.toml"],
    ),
    "03_ensemble_and_sweep.py": (["outcomes: 500 ok"], ["bifurcation.png"]),
    "04_dataset.py": (["the damaged file is whole again: True"], ["dataset/manifest.json"]),
    "05_first_return.py": (["20000 samples, iterations 0 to 19999"], ["first_return.png"]),
    "06_coupled_systems.py": (["distance of the copy: 21.5 at the start"], ["coupled_systems.png"]),
}


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(PROMISES)


def run(script: Path, folder: Path, *arguments: str) -> str:
    """What a script prints, run in a folder with the package that is tested; any warning is an error."""
    pytest.importorskip("matplotlib")
    package = str(Path(bestiary.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-W", "error", script, *arguments],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONUTF8": "1", "PYTHONPATH": package},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", PROMISES)
def test_example(name: str, tmp_path: Path) -> None:
    says, leaves = PROMISES[name]
    said = run(EXAMPLES / name, tmp_path)
    assert all(phrase in said for phrase in says), said
    assert all((tmp_path / file).stat().st_size > 0 for file in leaves)


@pytest.mark.slow
def test_picture_of_the_readme(tmp_path: Path) -> None:
    target = tmp_path / "portraits.png"
    run(ROOT / "docs" / "make_picture.py", tmp_path, str(target))
    assert target.read_bytes().startswith(b"\x89PNG")
