"""The page of the catalogue is that of the entries: every system, its text and its portrait."""

import re
import runpy
from pathlib import Path

import pytest
from PIL import Image

import bestiary as bst
from bestiary import definition

pytest.importorskip("matplotlib")
DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "catalogue.md").read_text(encoding="utf-8")
AGAIN = "run python docs/make_catalogue.py"


def test_every_system_is_on_the_page() -> None:
    shown = re.findall(r"!\[(\w+)\]\(catalogue/\1\.png\)", PAGE)
    assert sorted(shown) == bst.systems()["name"].to_list(), AGAIN
    assert {path.stem for path in (DOCS / "catalogue").glob("*.png")} == set(shown), AGAIN


def test_the_page_is_up_to_date() -> None:
    made = runpy.run_path(str(DOCS / "make_catalogue.py"))["page"]()
    assert made == PAGE, AGAIN


def test_portraits_are_of_the_present_equations() -> None:
    for name in bst.systems()["name"]:
        with Image.open(DOCS / "catalogue" / f"{name}.png") as portrait:
            assert portrait.info["definition"] == definition.fingerprint(bst.system(name).entry), f"{name}: {AGAIN}"
            # More than one colour: something is drawn.
            assert len(portrait.convert("RGB").getcolors(1 << 16)) > 4


def test_the_page_is_small_enough_to_keep() -> None:
    assert sum(path.stat().st_size for path in (DOCS / "catalogue").glob("*.png")) < 3_000_000
