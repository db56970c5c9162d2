"""
A hundred thousand periods of every system are on record, and it is the present equations that they were run for.

`docs/long_runs.json` is written by `bestiary check NAME ... --whole --record docs/long_runs.json`, with `--rtol 1e-6`
(1e-9 if conservative) for those that would take longer than a minute at 1e-12. A run is made again where the digits of
an entry have changed.
"""

import json
from pathlib import Path

import bestiary as bst
from bestiary import definition

RECORD = json.loads((Path(__file__).resolve().parents[2] / "docs" / "long_runs.json").read_text(encoding="utf-8"))
LOOSEST = 1e-6


def test_every_system_has_run_for_long() -> None:
    assert sorted(RECORD) == bst.systems()["name"].to_list()
    for name, run in RECORD.items():
        assert (run["periods"], run["whole"]) == (1e5, True), name
        assert run["rtol"] <= LOOSEST, name


def test_the_runs_are_of_the_present_equations() -> None:
    for name, run in RECORD.items():
        assert run["definition"] == definition.fingerprint(bst.system(name).entry), name


def test_nothing_was_found_wrong() -> None:
    assert {name: run["problems"] for name, run in RECORD.items() if run["problems"]} == {}
