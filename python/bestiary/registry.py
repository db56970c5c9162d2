"""
Systems by name: the catalogue that comes with the package, and folders or files of the user's own.

Files are read when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import definition, index
from .definition import Entry
from .exceptions import CatalogueError, RequestError, UnknownName, UnknownSystem
from .system import System

if TYPE_CHECKING:
    import polars as pl

CATALOGUE = Path(__file__).parent / "catalogue"
INDEX = CATALOGUE / "index.json"
CATALOGUE_VERSION = "1"
"""Of the digits of the catalogue: those of a released version never change, only entries are added."""

_folders: list[Path] = [CATALOGUE]
_loaded: dict[str, Entry] = {}


def system(name: str, *, variant: str | None = None, **parameters: object) -> System:
    """
    A system of the catalogue by its name or an alias.

    Parameters
    ----------
    name : str
    variant : str
        A named variant of the entry, such as "dysts" for the form in the dysts collection.
    **parameters
        Parameters to change, as in `System.with_parameters`.

    Raises
    ------
    UnknownSystem
        With the nearest name.

    Examples
    --------
    >>> system("Lorenz", rho=99.96).parameters["rho"]
    99.96
    """
    found = _system(name, variant, tuple(_folders))
    return found.with_parameters(**parameters) if parameters else found


def measured_form(name: str, variant: str) -> System:
    """
    The entry where its variant has the same equations and parameters, so that what is measured of it holds; or else
    the variant itself. The two may differ in their initial states.

    Examples
    --------
    >>> measured_form("Rossler", "dysts") == system("Rossler")
    True
    """
    form, entry = system(name, variant=variant), system(name)
    return entry if _equations(form) == _equations(entry) else form


def _equations(system: System) -> tuple[Any, ...]:
    parameters = {name: np.asarray(value).tolist() for name, value in system.parameters.items()}
    return system.to_text(), parameters


def systems(
    *,
    kind: str | None = None,
    tag: str | None = None,
    domain: str | None = None,
    dimension: int | None = None,
    smooth: bool | None = None,
) -> pl.DataFrame:
    """
    The catalogue as a frame, one row a system, sorted by name; arguments narrow it down.

    Columns
    -------
    name, kind, dimension, domain, tags, smooth, period, measured_period, largest_exponent, kaplan_yorke_dimension,
    verdict, about, citation, doi, aliases, variants. `period` is the stated one, the unit of sampling,
    `measured_period` that of the highest peak of a spectrum, null where none stands out. `largest_exponent` is as
    measured, or published where it has not been measured; null where neither is known. `kaplan_yorke_dimension` and
    `verdict` ("chaotic", "periodic", …) are as measured.
    """
    import polars as pl

    if kind is not None and kind not in definition.KINDS:
        raise UnknownName("kind", kind, definition.KINDS)
    schema: dict[str, Any] = {
        "name": pl.String,
        "kind": pl.String,
        "dimension": pl.Int64,
        "domain": pl.String,
        "tags": pl.List(pl.String),
        "smooth": pl.Boolean,
        "period": pl.Float64,
        "measured_period": pl.Float64,
        "largest_exponent": pl.Float64,
        "kaplan_yorke_dimension": pl.Float64,
        "verdict": pl.String,
        "about": pl.String,
        "citation": pl.String,
        "doi": pl.String,
        "aliases": pl.List(pl.String),
        "variants": pl.List(pl.String),
    }
    rows = list(_rows(tuple(_folders)).values()) + [index.row(entry) for entry in _loaded.values()]
    # Lists are written as one string and split by Polars, which is slow to take in many short ones.
    lists = [column for column, of in schema.items() if of == pl.List(pl.String)]
    columns = {column: [row[column] for row in rows] for column in schema}
    joined = {column: ["".join(f"{item}\n" for item in items) for items in columns[column]] for column in lists}
    frame = pl.DataFrame({**columns, **joined}, schema={**schema, **dict.fromkeys(lists, pl.String)}).sort("name")
    split = [pl.col(column).str.split("\n").list.head(pl.col(column).str.count_matches("\n")) for column in lists]
    frame = frame.with_columns(split)
    if tag is not None:
        known = sorted({name for row in rows for name in row["tags"]})
        if tag not in known:
            raise UnknownName("tag", tag, known)
        frame = frame.filter(pl.col("tags").list.contains(tag))
    for column, value in (("kind", kind), ("domain", domain), ("dimension", dimension), ("smooth", smooth)):
        if value is not None:
            frame = frame.filter(pl.col(column) == value)
    return frame


def load(path: str | Path) -> System:
    """Read a TOML entry of one's own and make it known by its name; gives the system."""
    path = Path(path)
    made = System.from_toml(path)
    if made.name in _paths(tuple(_folders)):
        raise CatalogueError(f"{path}: there is a system {made.name} already; give this one another name")
    _loaded[made.name] = made.entry
    _system.cache_clear()
    return made


def add_folder(path: str | Path) -> None:
    """Make every TOML entry in a folder (and the folders in it) known by its name."""
    folder = Path(path).resolve()
    if not folder.is_dir():
        raise RequestError(f"{path} is no folder")
    if folder in _folders:
        return
    known = _paths(tuple(_folders))
    new = _paths((folder,))
    twice = sorted(set(known) & set(new))
    if twice:
        raise CatalogueError(f"{new[twice[0]]}: there is a system {twice[0]} already, in {known[twice[0]]}")
    _folders.append(folder)


def path(name: str) -> Path:
    """The file of a system, by its name or an alias."""
    folders = tuple(_folders)
    paths = _paths(folders)
    owner = name if name in paths else _aliases(folders).get(name.lower())
    if owner is None:
        raise UnknownSystem("system", name, [*paths, *_alias_names(folders)])
    return paths[owner]


def write_index() -> None:
    """Bring the index of the catalogue up to date with its files."""
    from .dataset.files import write_atomically

    write_atomically(INDEX, index.text(_paths((CATALOGUE,)).values()).encode())


def forget() -> None:
    """Read the files anew when they are next asked for."""
    for function in (_paths, _rows, _system):
        function.cache_clear()


@lru_cache(maxsize=512)
def _system(name: str, variant: str | None, folders: tuple[Path, ...]) -> System:
    if not isinstance(name, str):
        raise RequestError(f"a system is asked for by its name, not by {name!r}")
    if name in _loaded:
        entry = _loaded[name]
        return System(definition.with_variant(entry, variant) if variant else entry)
    paths = _paths(folders)
    if name in paths:
        return System._from_catalogue(paths[name], variant)
    owner = _aliases(folders).get(name.lower())
    if owner is None:
        raise UnknownSystem("system", name, [*paths, *_loaded, *_alias_names(folders)])
    return System._from_catalogue(paths[owner], _of_alias(name, variant, _rows(folders)[owner]))


def _of_alias(name: str, variant: str | None, row: Mapping[str, Any]) -> str | None:
    """
    The variant that an alias stands for.

    Where an entry holds a near-duplicate known by a name of its own, its variant `Hadley` is what the alias "Hadley"
    means, and the variant `dysts_Hadley` is the variant "dysts" of "Hadley".
    """
    spelled = next((alias for alias in row["aliases"] if alias.lower() == name.lower()), name)
    own = spelled if variant is None else f"{variant}_{spelled}"
    return own if own in row["variants"] else variant


@lru_cache(maxsize=8)
def _paths(folders: tuple[Path, ...]) -> dict[str, Path]:
    """The file of each system: it has the system's name."""
    return {path.stem: path for folder in folders for path in sorted(folder.rglob("*.toml"))}


@lru_cache(maxsize=8)
def _rows(folders: tuple[Path, ...]) -> dict[str, index.Row]:
    """The row of each system in the table."""
    return index.rows(_paths(folders), INDEX)


def _aliases(folders: tuple[Path, ...]) -> dict[str, str]:
    """Names in lower case, and aliases, that lead to a system."""
    lowered = {name.lower(): name for name in _paths(folders)}
    return {alias.lower(): name for name, row in _rows(folders).items() for alias in row["aliases"]} | lowered


def _alias_names(folders: tuple[Path, ...]) -> list[str]:
    return [alias for row in _rows(folders).values() for alias in row["aliases"]]
