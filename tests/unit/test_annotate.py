"""Measurements are written into an entry's file and nowhere else; what is there is not measured again."""

from pathlib import Path
from typing import Any

import pytest

import bestiary as bst
from bestiary import annotate, cli, definition, registry
from bestiary.annotate import measured_text
from bestiary.checks import problems
from bestiary.measures.records import rounded
from bestiary.registry import CATALOGUE

LOGISTIC = measured_text((CATALOGUE / "maps" / "Logistic.toml").read_text(), {}, "Logistic")
"""An entry nothing has been measured of."""


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    path = tmp_path / "Own.toml"
    path.write_text(LOGISTIC.replace('name = "Logistic"', 'name = "Own"'))
    return path


@pytest.mark.parametrize("name", ["Lorenz", "Logistic", "Kuramoto", "NoisyLorenz"])
def test_everything_else_stays_byte_for_byte(name: str) -> None:
    text = registry.path(name).read_text()
    records = {"mean": {"value": {"x": 0.5}, "error": {"x": 1e-3}, "method": 'a "quoted" one', "settings": ""}}
    once = measured_text(text, records, name)
    assert definition.parse(once, name)["measured"] == records
    twice = measured_text(once, {**records, "n": 1}, name)
    assert measured_text(twice, records, name) == once
    assert outside(once) == outside(text)


def outside(text: str) -> list[str]:
    """The lines that are not of the section [measured], blank ones aside."""
    kept, inside = [], False
    for line in text.splitlines():
        if line.startswith("["):
            inside = line == "[measured]"
        if line and not inside:
            kept.append(line)
    return kept


def test_a_document_that_would_change_is_refused() -> None:
    with pytest.raises(bst.CatalogueError, match="without changing the rest"):
        measured_text("name = 'x'\n[measured]\nold = 1\n[measured.deep]\na = 1\n", {"n": 1}, "x")


def test_a_file_of_ones_own(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    honest = annotate.MEASURES["scale"]
    monkeypatch.setitem(annotate.MEASURES, "scale", lambda system: calls.append(system.name) or honest(system))
    before = entry.read_text()
    assert annotate.annotate([entry]) == {"Own": "measured"}
    system = bst.System.from_toml(entry)
    measured = system.entry["measured"]
    assert measured["measures"] == sorted(annotate.MEASURES)
    assert "period" not in measured
    assert (
        abs(measured["mean"]["value"]["x"] - system.trajectory(100_000).x.mean()) < 10 * measured["mean"]["error"]["x"]
    )
    assert problems(system, "entry", 100) == []
    assert bst.System.from_toml(before) == system

    assert annotate.annotate([str(entry)]) == {"Own": "already measured"}
    assert calls == ["Own"]
    after = entry.read_text()
    assert annotate.annotate([entry], again=True) == {"Own": "measured"}
    assert entry.read_text() == after

    entry.write_text(after.replace("{ r = 3.9", "{ r = 3.8"))
    assert "[measured] is of another definition" in str(problems(bst.System.from_toml(entry), "entry", 100))
    entry.write_text(after.replace("state = { x = 0.", "state = { x = 0.0"))
    assert annotate.annotate([entry], measures=["scale"]) == {"Own": "measured"}
    assert bst.System.from_toml(entry).entry["measured"]["measures"] == ["scale"]


def test_what_cannot_be_measured_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "Bad.toml"
    path.write_text('name = "Bad"\nkind = "map"\nstate = { x = 2.0 }\n[equations]\nx = "x^2"\n')
    before = path.read_bytes()
    assert annotate.annotate([path])["Bad"].startswith("failed: ")
    assert path.read_bytes() == before
    assert cli.main(["annotate", str(path), "--no-progress"]) == 1


def test_wrong_requests(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, says in (
        (["Lorent"], 'did you mean "Lorenz"?'),
        (["none.toml"], "there is no file none.toml"),
        (["Lorenz", "--measure", "scala"], 'did you mean "scale"?'),
    ):
        assert cli.main(["annotate", *arguments]) == 2
        assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "shown"),
    [((1.23456, 0.0123), (1.235, 0.012)), ((123456.0, 120.0), (123460.0, 120.0)), ((0.0, 0.0), (0.0, 0.0)),
     ((2 / 3, 1e-20), (0.6666666667, 1e-20)), ((1e-7, 2e-9), (1e-7, 2e-9)), ((float("1e9"), 0.0), (1e9, 0.0))],
)  # fmt: skip
def test_rounding(given: tuple[float, float], shown: tuple[float, float]) -> None:
    assert rounded(*given) == pytest.approx(shown, rel=1e-12)


ANNOTATED: list[dict[str, Any]] = [row for row in bst.systems().to_dicts() if row["measured_period"]]


def test_the_table_shows_measured_periods() -> None:
    for row in ANNOTATED[:5]:
        assert bst.system(row["name"]).entry["measured"]["period"]["value"] == row["measured_period"]
