"""
`annotate`: measure the systems of the catalogue and write the results into their files, under `[measured]`.

Only that section of a file is touched; everything else in it stays byte for byte. What has been measured of the same
equations, parameters and initial state is not measured again, so an interrupted call continues.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import __version__, definition, registry
from .dataset.files import write_atomically
from .exceptions import CatalogueError, RequestError, UnknownName
from .measures import dimensions, exponents, period, scale
from .system import System
from .workers import in_threads

__all__ = ["MEASURES", "annotate", "measured_text"]

Record = dict[str, Any]
"""What stands under one key of `[measured]`: value, error, method, settings, and what else there is to say."""


def _period(system: System) -> dict[str, Record]:
    """The dominant period; where no peak of a spectrum stands out, method and settings without a value."""
    if system.kind == "map":
        return {}
    facts = {"method": period.METHOD, "settings": period.SETTINGS}
    found = period.dominant_period(system)
    if math.isnan(found.value):
        return {"period": {"significant": False, **facts}}
    value, error = rounded(found.value, found.error)
    excess = float(f"{found.excess:.3g}")
    return {"period": {"value": value, "error": error, "variable": found.variable, "excess": excess, **facts}}


def _scale(system: System) -> dict[str, Record]:
    """Mean, standard deviation and range of every variable; not of what grows without bound."""
    if "unbounded" in system.tags:
        return {}
    facts = {"method": scale.METHOD, "settings": scale.settings(system)}
    found = scale.typical_scale(system)
    records: dict[str, Record] = {}
    for key, values, errors in (
        ("mean", found.mean, found.mean_error),
        ("standard_deviation", found.standard_deviation, found.standard_deviation_error),
    ):
        pairs = [rounded(value, error) for value, error in zip(values, errors, strict=True)]
        value, error = (_by_variable(system, [pair[i] for pair in pairs]) for i in (0, 1))
        records[key] = {"value": value, "error": error, **facts}
    low, high = ([float(f"{each:.6g}") for each in ends] for ends in (found.low, found.high))
    records["range"] = {"low": _by_variable(system, low), "high": _by_variable(system, high), **facts}
    return records


def _spectrum(system: System) -> dict[str, Record]:
    """Lyapunov exponents, and what follows from them; fewer than all where the others are minus infinity."""
    found = None
    count = min(system.dimension, MOST_EXPONENTS) if system.kind != "delay" else None
    while found is None:
        try:
            found = exponents.lyapunov_spectrum(system, count, max_work=SPECTRUM_WORK, threads=1)
        except RequestError as refusal:
            if "fewer exponents" not in str(refusal) or not count or count == 1:
                raise
            count -= 1
    settings = found.settings
    said = ", ".join(f"{key} {settings[key]:.6g}" for key in ("members", "duration", "transient", "rtol"))
    facts = {"method": exponents.METHOD, "settings": said, "converged": found.converged}
    pairs = [rounded(value, error) for value, error in zip(found.value, found.error, strict=True)]
    records: dict[str, Record] = {
        "largest_exponent": {"value": pairs[0][0], "error": pairs[0][1], **facts},
        "exponents": {"value": [value for value, _ in pairs], "error": [error for _, error in pairs], **facts},
        "verdict": {"value": found.verdict, **facts},
    }
    for key, method, derived in (
        ("kaplan_yorke_dimension", "Kaplan & Yorke (1979) from the exponents", dimensions.kaplan_yorke(found)),
        ("entropy", "Pesin (1977): sum of the positive exponents", dimensions.pesin_entropy(found)),
    ):
        if math.isfinite(derived.value):
            pair = rounded(derived.value, derived.error)
            records[key] = {"value": pair[0], "error": pair[1], **facts, "method": method}
    return records


# Of a system with more variables, only so many exponents are measured.
MOST_EXPONENTS = 12
# Steps times variables: a limit on the work for one system.
SPECTRUM_WORK = 1e7

MEASURES: dict[str, Callable[[System], Mapping[str, Record]]] = {
    "period": _period,
    "scale": _scale,
    "spectrum": _spectrum,
}
"""
By name: a function from a system to records, by their keys under `[measured]`. A record has "method" and "settings".

A measure that has nothing to say of a system gives no record.
"""


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
    old, new = registry.parse(text, where), registry.parse(result, where)
    if new != {**old, "measured": dict(records)}:
        raise CatalogueError(f"{where}: the section [measured] cannot be written without changing the rest")
    return result


def rounded(value: float, error: float) -> tuple[float, float]:
    """Value and error to two digits of the error, at most ten digits of the value; plain where the error is 0."""
    if not error > 0 or not math.isfinite(error):
        return float(f"{value:.10g}"), float(error)
    error = float(f"{error:.2g}")
    digits = min(1 - math.floor(math.log10(error)), 9 - math.floor(math.log10(max(abs(value), error))))
    return round(float(value), digits), error


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


def _by_variable(system: System, values: Sequence[float]) -> dict[str, float | list[float]]:
    """Flat values as a table with a number, or for a vector a list, for each variable as declared."""
    table: dict[str, float | list[float]] = {}
    position = 0
    for name, size in system.shape.items():
        end = position + (size or 1)
        table[name] = float(values[position]) if size is None else [float(value) for value in values[position:end]]
        position = end
    return table
