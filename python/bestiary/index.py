"""
The row of each entry in the table of systems, kept ready for the catalogue in its file `index.json`.

Reading every entry as TOML takes a second. A row of the index holds for as long as the file it was made from has the
same bytes; an entry that has changed, or is not in the index, is read itself.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import definition
from .definition import Entry
from .exceptions import CatalogueError

Row = dict[str, Any]


def rows(paths: Mapping[str, Path], index: Path) -> dict[str, Row]:
    """The row of each system, from the index or else from its file, which must have the system's name."""
    ready: dict[str, list[Any]] = json.loads(index.read_bytes()) if index.is_file() else {}
    found = {}
    for name, path in paths.items():
        content = path.read_bytes()
        checksum, kept = ready.get(name, (None, {}))
        made = kept if checksum == zlib.crc32(content) else _row_of(content, path)
        if made["name"] != name:
            raise CatalogueError(f'{path}: the file should have the name of its system, "{made["name"]}.toml"')
        found[name] = made
    return found


def text(paths: Iterable[Path]) -> str:
    """The index of these files: a line for each, with the checksum of its bytes."""
    lines = []
    for path in sorted(paths, key=lambda path: path.stem):
        content = path.read_bytes()
        made = [zlib.crc32(content), _row_of(content, path)]
        lines.append(f"{json.dumps(path.stem)}: {json.dumps(made, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _row_of(content: bytes, path: Path) -> Row:
    try:
        return row(definition.parse(content.decode(), str(path)))
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path}: the file should be text in UTF-8 ({error})") from None


def row(entry: Entry) -> Row:
    """What the table of systems says of an entry."""
    measured, known = entry.get("measured", {}), entry.get("known", {})
    facts = [source.get("largest_exponent") for source in (measured, known)]
    exponents = [_exponent(fact, entry) for fact in facts if isinstance(fact, Mapping)]
    period = entry.get("period", 1.0 if entry.get("kind") == "map" else None)
    return {
        **{key: entry.get(key) for key in ("name", "kind", "domain", "about", "citation", "doi")},
        "dimension": _dimension(entry),
        "tags": entry.get("tags", []),
        "smooth": "nonsmooth" not in entry.get("tags", []),
        "period": None if period is None else definition.number(period, {}, {}, f"period of {entry.get('name')}"),
        "measured_period": measured.get("period", {}).get("value"),
        "largest_exponent": exponents[0] if exponents else None,
        "kaplan_yorke_dimension": measured.get("kaplan_yorke_dimension", {}).get("value"),
        "verdict": measured.get("verdict", {}).get("value"),
        "aliases": entry.get("aliases", []),
        "variants": list(entry.get("variants", {})),
    }


def _exponent(fact: Mapping[str, Any], entry: Entry) -> float:
    """A measured or published value, which may be an expression in the parameters."""
    structure = entry.get("structure", {})
    value = fact.get("value", fact.get("exact"))
    parameters = (
        {name: definition.array(item, structure, {}, name) for name, item in entry.get("parameters", {}).items()}
        if isinstance(value, str)
        else {}
    )
    return definition.number(value, structure, parameters, f"largest_exponent of {entry.get('name')}")


def _dimension(entry: Entry) -> int:
    """Number of state variables, from the sizes of the initial values."""
    structure = entry.get("structure", {})
    total = 0
    for value in entry.get("state", {}).values():
        if isinstance(value, Mapping):
            size = value.get("size", 1)
            total += structure[size] if size in structure else int(definition.number(size, structure, {}, "size"))
        else:
            total += len(value) if isinstance(value, list) else 1
    return total
