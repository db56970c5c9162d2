"""
Write the page of invariants: `python docs/make_invariants.py`.

`docs/invariants.md` has, for every system, what `bestiary annotate` measured beside what the dysts collection stores
(`docs/collection_invariants.json`) and what the literature says (`[known]` of the entries), with the disagreements.
Run it again after `bestiary annotate`.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import bestiary as bst
from bestiary.checks.facts import QUANTITIES

HERE = Path(__file__).parent
PAGE = HERE / "invariants.md"
COLLECTION: dict[str, dict[str, Any]] = json.loads((HERE / "collection_invariants.json").read_text())["flows"]
departure = runpy.run_path(str(HERE / "make_departures.py"))["departure"]
# Disagreement: by more than four of our standard errors, and by more than is worth a remark.
ERRORS, PART = 4.0, 0.05
# The collection's two largest exponents, and the sum of its spectrum, are called off from this part on.
APART = 0.2
SHOWN = 4
SHORT = {"largest_exponent": "λ1", "exponents": "λ", "kaplan_yorke_dimension": "D_KY", "correlation_dimension": "D2"}
KINDS = {"flow": "Flows", "map": "Maps", "delay": "Delay equations", "stochastic": "Stochastic systems"}
Facts = Mapping[str, Any]


def page() -> str:
    """The whole page."""
    frame = bst.systems()
    measured = sum(bst.system(name).entry["measured"].get("exponents") is not None for name in frame["name"])
    lines = [
        "# Invariants: ours, the collection's, the literature's",
        "",
        f"Exponents of {measured} of {len(frame)} systems, per unit of the system's time (per iteration), natural",
        "logarithm, ± standard error; the phase of a drive, whose exponent is 0, is not counted. Ours are made again",
        "by `bestiary annotate --measure spectrum --again NAME`; ~ marks what had not converged. The collection's are",
        "those that dysts 0.96 stores, without errors, for its own parameters; *other* where these are not ours.",
        f"≠ marks what differs from ours by more than {ERRORS:g} standard errors and {PART:.0%}. Of the literature,",
        "values with a source: `tests/conformance/test_published_values.py` computes ours for each, at its own",
        "parameters; *disputed* says where that one does not hold. Made by `python docs/make_invariants.py`: do not",
        "edit it.",
        "",
    ]
    for kind, title in KINDS.items():
        names = frame.filter(kind=kind)["name"].to_list()
        lines += [f"## {title}", "", "| system | ours | collection | literature | remarks |", "|---|---|---|---|---|"]
        lines += [row(name) for name in names]
        lines.append("")
    return "\n".join(lines)


def row(name: str) -> str:
    """A system in one line of a table."""
    system = bst.system(name)
    entry = system.entry
    theirs = COLLECTION.get(name, {}) if system.kind != "map" else {}
    same = bool(theirs) and not departure("flows", name).matters
    cells = [
        f"**{name}**",
        own(entry["measured"]),
        collection(theirs, entry["measured"] if same else None),
        "<br>".join(literature(fact) for fact in stated(entry["known"])),
        "<br>".join(remarks(system, theirs)),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def own(measured: Facts) -> str:
    """Our exponents, dimension and verdict."""
    if "exponents" not in measured:
        return "not measured"
    record = measured["exponents"]
    pairs = list(zip(record["value"], record["error"], strict=True))
    shown = ", ".join(f"{value:.5g} ± {error:.2g}" for value, error in pairs[:SHOWN])
    parts = [f"{'' if record.get('converged', True) else '~ '}λ {shown}{', …' if len(pairs) > SHOWN else ''}"]
    parts += [
        f"{SHORT[key]} {measured[key]['value']:.5g} ± {measured[key]['error']:.2g}"
        for key in ("kaplan_yorke_dimension", "correlation_dimension")
        if key in measured
    ]
    return "; ".join(parts) + f"; {measured['verdict']['value']}"


def collection(theirs: Facts, measured: Facts | None) -> str:
    """The collection's figures, and a mark at those which differ from ours of the same equations and parameters."""
    parts = []
    for key, label in (*SHORT.items(), ("largest_exponent", "λ1 (from two orbits)")):
        if key not in theirs or (key == "largest_exponent" and label == "λ1"):
            continue
        values = np.atleast_1d(theirs[key])
        mark = "≠ " if measured is not None and differs(values, measured.get(key)) else ""
        parts.append(f"{mark}{label} {', '.join(f'{value:.4g}' for value in values[:SHOWN])}")
    if not parts:
        return ""
    return ("" if measured is not None else "*other*: ") + "; ".join(parts)


def differs(values: np.ndarray, record: Facts | None) -> bool:
    """Whether the largest of values is at odds with a record of ours."""
    if record is None or "value" not in record:
        return False
    value, error = (float(np.atleast_1d(record[key])[0]) for key in ("value", "error"))
    return bool(abs(values[0] - value) > max(ERRORS * error, PART * abs(value)))


def stated(known: Facts) -> list[Facts]:
    """What the literature says of a system: values, and exact ones, a table each."""
    single = [{"quantity": key, **known[key]} for key in QUANTITIES if key in known]
    return single + list(known.get("published", []))


def literature(fact: Facts) -> str:
    at = ", ".join(f"{name} = {value:.6g}" for name, value in fact.get("parameters", {}).items())
    label = SHORT.get(fact["quantity"], fact["quantity"]) + (f" at {at}" if at else "")
    if "exact" in fact:
        return f"{label} = {fact['exact']} (exact)"
    values = ", ".join(f"{value:.6g}" for value in np.atleast_1d(fact["value"]))
    text = f"{label} {values} ({short(fact['source'])})"
    return f"{text} *disputed*: {fact['dispute']}" if "dispute" in fact else text


def short(source: str) -> str:
    """First author and year, where a source has them so."""
    head, _, rest = source.partition("(")
    return f"{head.split(',')[0].strip()} {rest[:4]}" if rest[:4].isdigit() else source


def remarks(system: bst.System, theirs: Facts) -> list[str]:
    """What is wrong with figures by themselves: identities that they break."""
    found = []
    spectrum: Sequence[float] = theirs.get("exponents", [])
    if len(spectrum) and "largest_exponent" in theirs:
        pair = sorted(map(abs, (spectrum[0], theirs["largest_exponent"])))
        if pair[1] - pair[0] > APART * pair[1]:
            found.append("the collection's two largest exponents differ by more than 20 %")
    exact = system.entry["known"].get("sum_of_exponents", {}).get("exact")
    try:
        there = bst.system(system.name, variant="dysts")
    except bst.BestiaryError:
        return found
    autonomous = there.is_autonomous and there.dimension == system.dimension == len(spectrum)
    if exact is not None and autonomous and not departure("flows", system.name).matters:
        total = float(there.evaluate(exact, there.initial))
        if abs(sum(spectrum) - total) > APART * max(abs(total), abs(spectrum[0])):
            found.append(f"the collection's spectrum sums to {sum(spectrum):.3g}, the divergence is {total:.4g}")
    if theirs.get("kaplan_yorke_dimension", 0.0) > there.dimension and system.kind == "flow":
        found.append("the collection's Kaplan-Yorke dimension exceeds that of the space")
    return found


def main() -> None:
    text = page()
    PAGE.write_text(text, encoding="utf-8")
    print(f"{PAGE}: {text.count('≠')} figures of the collection at odds with ours, {text.count('*disputed*')} disputed")


if __name__ == "__main__":
    sys.exit(main())
