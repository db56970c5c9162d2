"""The tables of departures and of invariants are those of the entries."""

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", ["departures", "invariants"])
def test_the_page_is_up_to_date(name: str) -> None:
    made = runpy.run_path(str(DOCS / f"make_{name}.py"))["page"]()
    assert made == (DOCS / f"{name}.md").read_text(encoding="utf-8"), f"run python docs/make_{name}.py"


def test_every_departure_has_a_reason_and_a_source() -> None:
    module = runpy.run_path(str(DOCS / "make_departures.py"))
    rows = [module["departure"](kind, name) for kind, names in module["NAMES"].items() for name in names]
    assert len(rows) == 161
    strong = [row for row in rows if row.matters]
    assert 30 < len(strong) < 80
    for row in strong:
        assert len(row.reason) > 20, f"{row.name}: no word on why {', '.join(row.differences)}"
        assert len(row.source) > 10, row.name
    by_name = {row.name: row for row in rows}
    assert "equations" in by_name["BurkeShaw"].differences
    assert "tau = 16, here 17" in by_name["MackeyGlass"].differences
    assert not by_name["Lorenz"].matters


def test_marks_of_the_table_of_invariants() -> None:
    """Figures at odds are marked, equal ones are not, and broken identities are named."""
    module = runpy.run_path(str(DOCS / "make_invariants.py"))
    measured = {"value": [0.9, 0.0, -14.5], "error": [0.005, 0.001, 0.004]}
    assert not module["differs"]([0.92, 0.0, -14.0], measured)
    assert module["differs"]([1.09, 0.0, -14.9], measured)
    assert not module["differs"]([0.95], {"value": 0.9, "error": 0.1})
    rows = {line.split("**")[1]: line for line in module["page"]().splitlines() if line.startswith("| **")}
    assert "exceeds that of the space" in rows["ArnoldWeb"]
    assert "differ by more than 20 %" in rows["Rossler"]
    assert "log(2*mu) (exact)" in rows["Tent"]
    assert "*disputed*" in rows["DoubleScroll"]
