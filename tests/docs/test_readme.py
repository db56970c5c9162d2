"""The README is right: its Python runs, its commands work, its files exist, its excerpts are in the sources."""

import re
import runpy
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bestiary import cli, registry

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[str]:
    return [body for name, body in FENCE.findall(README) if name == language]


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert {name for name, _ in FENCE.findall(README)} == {"python", "sh", "text", "toml", "rust"}
    assert README.count("```") == 2 * len(FENCE.findall(README))


def test_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_loaded", {**registry._loaded})
    (entry,) = blocks("toml")
    (tmp_path / "MyRossler.toml").write_text(entry, encoding="utf-8")
    space: dict[str, Any] = {"__name__": "readme"}
    try:
        for block in blocks("python"):
            exec(compile(block, "README.md", "exec"), space)
    finally:
        plt.close("all")
        registry._system.cache_clear()
    assert space["run"].x.shape == (10_000, 3)
    assert space["many"].x.shape == (256, 1000, 3)
    assert space["swept"].x.shape == (3, 1000, 3)
    # Over a tenth of a period, to know the past is better than to say that nothing will change.
    series = space["series"]
    unchanged = np.linalg.norm(series[5000:] - series[4999], axis=1) / np.linalg.norm(series.std(axis=0))
    assert (space["error"][:10] < unchanged[:10]).all()
    assert space["forecast"].shape == (100, 3)


def test_the_quoted_message_is_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    quoted = re.search(r"# (unknown system .*)", README)
    assert quoted
    assert cli.main(["show", "Lorentz"]) != 0
    assert quoted[1] in capsys.readouterr().err


COMMANDS = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("bestiary ")])
def test_command_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", [line for line in COMMANDS if not line.startswith("bestiary ")])
def test_development_command_is_known(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python, script, *arguments = shlex.split(command)
    assert python == "python3"
    monkeypatch.setattr(sys, "argv", [script, *arguments, "--help"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / script), run_name="__main__")
    assert stop.value.code == 0
    assert "usage" in capsys.readouterr().out


def test_the_map_shows_what_is_there() -> None:
    (tree,) = blocks("text")
    folder = ROOT
    for line in tree.splitlines():
        name = line.split()[0]
        path = (folder if line.startswith(" ") else ROOT) / name
        if not line.startswith(" "):
            folder = path
        assert path.is_dir() if name.endswith("/") else path.is_file(), f"the map shows {path.relative_to(ROOT)}"


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def test_the_excerpt_stands_in_the_source() -> None:
    source = (ROOT / "src" / "expr" / "functions.rs").read_text(encoding="utf-8")
    for block in blocks("rust"):
        assert block.strip() in source


def test_the_picture_is_small_enough_to_load() -> None:
    assert (ROOT / "docs" / "portraits.png").stat().st_size < 400_000
