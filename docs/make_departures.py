"""
Write the table of departures from the dysts collection: `python docs/make_departures.py`.

`docs/departures.md` comes from the entries, all of it: each entry is compared with its variant "dysts", the
collection's form, and says in its own words, and the variant's, why they differ.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import bestiary as bst

PAGE = Path(__file__).with_name("departures.md")
NAMES: dict[str, list[str]] = json.loads(
    (PAGE.parents[1] / "tests" / "conformance" / "collection_names.json").read_text(encoding="utf-8")
)
# A map of the same name as a flow has another one here.
RENAMED = {("maps", "Duffing"): "DuffingMap"}
# A number that differs by less than this part of it was rounded.
ROUNDED = 1e-3


@dataclass(frozen=True)
class Departure:
    """What differs between the collection's system of a name and the entry, and why; nothing where it is as here."""

    name: str
    entry: str
    differences: tuple[str, ...]
    reason: str
    source: str

    @property
    def matters(self) -> bool:
        """Whether more than digits, the initial state or the period differs."""
        return any(not each.startswith(("rounded", "initial state", "period")) for each in self.differences)


def departure(kind: str, name: str) -> Departure:
    """The comparison for a name of the collection."""
    own = RENAMED.get((kind, name), name)
    here, there = bst.system(own), bst.system(own, variant="dysts")
    entry = here.entry
    reasons = list(dict.fromkeys(text for text in (here.note, there.note) if text))
    return Departure(
        name, here.name, tuple(differences(here, there)), " ".join(reasons), source(entry["citation"], entry.get("doi"))
    )


def differences(here: bst.System, there: bst.System) -> list[str]:
    """What differs, a phrase each."""
    found = []
    if here.to_text() != there.to_text():
        longer = there.dimension > here.dimension and "driven" in here.tags
        found.append("the phase of the drive is a variable" if longer else "equations")
    changed, rounded = [], []
    for key, value in here.parameters.items():
        other = there.parameters.get(key)
        if other is None or np.shape(other) != np.shape(value) or np.array_equal(value, other):
            continue
        if np.allclose(value, other, rtol=ROUNDED, atol=0.0):
            rounded.append(f"{key}")
        else:
            changed.append(f"{key} = {number(other)}, here {number(value)}")
    found += changed
    if rounded:
        found.append(f"rounded: {', '.join(rounded)}")
    if here.dimension != there.dimension or not np.array_equal(here.initial, there.initial):
        found.append("initial state")
    if here.kind != "map" and here.period != there.period:
        found.append(f"period {there.period:.5g}, here {here.period:.5g}")
    return found


def number(value: object) -> str:
    return f"{float(value):.6g}" if np.ndim(value) == 0 else "another array"  # type: ignore[arg-type]


def source(citation: str, doi: str | None) -> str:
    """Authors and year of the first citation, with its DOI."""
    short = citation.split("). ")[0] + ")" if "). " in citation else citation
    if doi is None:
        return short
    safe = doi.replace("<", "%3C").replace(">", "%3E").replace("(", "%28").replace(")", "%29")
    return f"{short} [doi:{doi}](https://doi.org/{safe})"


def page() -> str:
    """The whole page."""
    rows = [departure(kind, name) for kind in ("flows", "maps") for name in NAMES[kind]]
    strong = [row for row in rows if row.matters]
    weak = [row for row in rows if not row.matters]
    lines = [
        "# Departures from the dysts collection",
        "",
        f"All {len(rows)} systems of the collection are here under their names ({len(NAMES['flows'])} flows and",
        f"{len(NAMES['maps'])} maps). Where equations or parameters differ, the collection's form is a variant:",
        '`bst.system(name, variant="dysts")` has its right-hand side, its parameters and its initial state, which',
        "`tests/conformance/test_against_dysts.py` holds against the installed package. Made by",
        "`python docs/make_departures.py` from the entries: do not edit it.",
        "",
        f"## Equations or parameters: {len(strong)}",
        "",
        "| collection | entry | in the collection | why | source |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.name} | {row.entry} | {'; '.join(row.differences)} | {row.reason} | {row.source} |".replace("\n", " ")
        for row in strong
    ]
    lines += [
        "",
        f"## Digits, initial state or period only: {len(weak)}",
        "",
        "Constants that the collection rounds are exact here. The initial state is a point on the attractor, its",
        "transient removed; the period is that of the highest significant peak of the spectrum, or near it.",
        "",
        "| collection | entry | in the collection | remark |",
        "|---|---|---|---|",
    ]
    lines += [f"| {row.name} | {row.entry} | {'; '.join(row.differences)} | {row.reason} |" for row in weak]
    return "\n".join(lines) + "\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {page().count(chr(10))} lines")


if __name__ == "__main__":
    sys.exit(main())
