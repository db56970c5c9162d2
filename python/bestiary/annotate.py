"""
`annotate`: measure the systems of the catalogue and write the results into their files, under `[measured]`.

Only that section of a file is touched; everything else in it stays byte for byte. What has been measured of the same
equations, parameters and initial state is not measured again, so an interrupted call continues.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import __version__, definition, registry
from .dataset.files import write_atomically
from .exceptions import CatalogueError, RequestError, UnknownName
from .measures.records import MEASURES, Record
from .system import System
from .workers import in_threads

__all__ = ["annotate", "measured_text"]


def annotate(
    names: Iterable[str | Path] | None = None,
    *,
    measures: Sequence[str] | None = None,
    again: bool = False,
    threads: int | None = None,
    progress: bool | None = None,
) -> dict[str, str]:
    """
    Measure systems and write the results into their files.

    Parameters
    ----------
    names : names of systems, or paths of TOML files
        All systems of the catalogue by default.
    measures : names among `MEASURES`
        All by default.
    again : bool
        Measure even what is already there.
    threads : int
        Systems measured at once; all available by default.
    progress : bool
        A bar on standard error; by default on a terminal only.

    Returns
    -------
    dict
        By system: "measured", "already measured", or what went wrong.

    Raises
    ------
    RequestError
        For names that are not known.
    """
    chosen = list(MEASURES if measures is None else measures)
    for each in chosen:
        if each not in MEASURES:
            raise UnknownName("measure", each, MEASURES)
    paths = [_path(name) for name in (registry.systems()["name"] if names is None else names)]

    def work(path: Path) -> str:
        try:
            return _annotate_file(path, chosen, again)
        except (RequestError, CatalogueError, OSError) as error:
            return f"failed: {error}"

    done = in_threads(work, paths, threads=threads, label="annotate", show=progress)
    registry.forget()
    if any(path.resolve().is_relative_to(registry.CATALOGUE.resolve()) for path in paths):
        registry.write_index()
    return {path.stem: said for path, said in sorted(done)}


def measured_text(text: str, records: Mapping[str, Any], where: str) -> str:
    """
    The document of an entry with these records as its section `[measured]`; all else stays as it is.

    Raises
    ------
    CatalogueError
        If the new document does not read back as the old one with the records in it.
    """
    body = "".join(f"{key} = {definition.inline(record)}\n" for key, record in records.items())
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    heads = [i for i, line in enumerate(lines) if line.startswith("[")]
    own = [i for i in heads if lines[i].split("#")[0].strip() == "[measured]"]
    if own:
        end = next((i for i in heads if i > own[0]), len(lines))
        gap = "\n" if end < len(lines) else ""
        made = [*lines[: own[0]], "[measured]\n", body, gap, *lines[end:]]
    else:
        end = next((i for i in heads if lines[i].startswith("[variants.")), len(lines))
        before, after = ("", "\n") if end < len(lines) else ("\n", "")
        made = [*lines[:end], before, "[measured]\n", body, after, *lines[end:]]
    result = "".join(made)
    old, new = definition.parse(text, where), definition.parse(result, where)
    if new != {**old, "measured": dict(records)}:
        raise CatalogueError(f"{where}: the section [measured] cannot be written without changing the rest")
    return result


def _annotate_file(path: Path, measures: Sequence[str], again: bool) -> str:
    system = System.from_toml(path)
    there = system.entry["measured"]
    own = definition.fingerprint(system.entry)
    current = there.get("definition") == own
    records: Record = dict(there) if current else {}
    made = False
    for name in measures:
        if current and not again and name in there.get("measures", []):
            continue
        found = MEASURES[name](system)
        # What has been measured is noted by name, as a measure may have nothing to say of a system.
        records["measures"] = sorted({*records.get("measures", []), name})
        records.update({key: dict(record) for key, record in found.items()})
        made = True
    if not made:
        return "already measured"
    head = {"definition": own, "bestiary": __version__, "measures": records.pop("measures")}
    ordered = {**head, **{key: record for key, record in records.items() if key not in head}}
    write_atomically(path, measured_text(path.read_text(encoding="utf-8"), ordered, str(path)).encode())
    return "measured"


def _path(name: str | Path) -> Path:
    if isinstance(name, Path) or name.endswith(".toml"):
        if not Path(name).is_file():
            raise RequestError(f"there is no file {name}")
        return Path(name)
    return registry.path(name)
