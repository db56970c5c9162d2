"""
What a call of `generate` asks for: arguments checked, systems looked up, work cut into shards.

Nothing here touches the disk or depends on the machine. A shard is plain data and knows all that its file depends on.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..exceptions import DatasetError

if TYPE_CHECKING:
    import polars as pl

    from ..system import System

GRANULARITIES = {"fine": 100, "medium": 30, "coarse": 15}
"""Samples per period; the names and numbers of the dysts benchmark datasets (Gilpin 2021)."""

FORMATS = {"parquet": "parquet", "numpy": "npz", "gluonts": "arrow"}
"""How the names of files end."""

DTYPES = ("float64", "float32")
RESERVED = ("system", "trajectory", "split", "time")
"""Columns that every file has besides the variables."""

SHARD_BYTES = 16 << 20


@dataclass(frozen=True)
class Request:
    """The arguments that the bytes of a dataset depend on, besides the systems."""

    n: int
    per_period: float
    trajectories: Mapping[str, int]
    seed: int
    rtol: float
    atol: float | None
    method: str
    transient_periods: float
    noise: float
    forcing: float
    univariate: bool
    observables: bool
    format: str
    dtype: str
    shard_bytes: int

    def __post_init__(self) -> None:
        _whole("n", self.n, 1)
        _whole("seed", self.seed, 0)
        _whole("shard_bytes", self.shard_bytes, 1024)
        if self.seed >= 2**63:
            raise ValueError(f"seed must be below 2^63, not {self.seed}")
        for name in ("per_period", "rtol"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} must be a positive number, not {getattr(self, name)!r}")
        for name in ("transient_periods", "noise", "forcing", *(("atol",) if self.atol is not None else ())):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ValueError(f"{name} must be zero or positive, not {getattr(self, name)!r}")
        if self.rtol < 1e-16:
            raise ValueError(f"rtol = {self.rtol:g} is below what float64 resolves; the least is 1e-16")
        if self.format not in FORMATS:
            raise ValueError(f"unknown format {self.format!r}; known: {', '.join(FORMATS)}")
        if self.dtype not in DTYPES:
            raise ValueError(f"unknown dtype {self.dtype!r}; known: {', '.join(DTYPES)}")
        if not isinstance(self.trajectories, Mapping) or not self.trajectories:
            raise ValueError('trajectories must map splits to numbers, such as {"train": 1, "test": 1}')
        for split, count in self.trajectories.items():
            if not _is_safe(split):
                raise ValueError(f"split {split!r}: use letters, digits and underscores")
            _whole(f"trajectories[{split!r}]", count, 0)
        if sum(self.trajectories.values()) == 0:
            raise ValueError("trajectories asks for none")

    def to_json(self) -> dict[str, Any]:
        """The arguments as the manifest holds them."""
        return asdict(self)


@dataclass(frozen=True)
class Continuation:
    """Where the samples before a shard ended, for a trajectory cut along time."""

    state: tuple[float, ...]
    outcome: str
    stop_time: float | None
    past: tuple[Any, ...] | None = None
    """Of a delay equation the arrays of `bestiary.history.Past`, as nested lists."""


@dataclass(frozen=True)
class Shard:
    """One file: `count` whole trajectories, or samples `first_sample` onwards of one long trajectory."""

    system: System
    request: Request
    split: str
    file: str
    first: int
    count: int
    first_sample: int
    samples: int
    dt: float
    columns: tuple[str, ...]
    scale: tuple[float, ...] = ()
    forcing: tuple[float, ...] = ()
    continued: Continuation | None = None

    @property
    def rows(self) -> int:
        return self.count * self.samples

    @property
    def is_piece(self) -> bool:
        """Part of a trajectory that goes on in other files."""
        return self.samples < self.request.n

    @property
    def before(self) -> str:
        """The name of the file with the samples before those of this one."""
        stem, number, ending = re.fullmatch(r"(.*-)(\d+)(\.\w+)", self.file).groups()  # type: ignore[union-attr]
        return f"{stem}{int(number) - 1:05d}{ending}"

    def seed(self, purpose: str) -> int:
        """A seed of its own for each system, split and purpose, whatever else the dataset holds."""
        return derived_seed(self.request.seed, self.system.name, self.split, purpose)


@dataclass(frozen=True)
class SystemPlan:
    """One system of a dataset."""

    system: System
    request: Request
    dt: float
    columns: tuple[str, ...]
    scale: tuple[float, ...] = ()
    forcing: tuple[float, ...] = ()

    @property
    def folder(self) -> str:
        """The name of the system's folder; a variant `Lorenz:dysts` is in `Lorenz-dysts`."""
        return self.system.name.replace(":", "-")

    def chains(self) -> Iterator[list[Shard]]:
        """
        The files of this system. Shards of one list follow each other in time; lists are independent.

        Raises
        ------
        DatasetError
            If a trajectory is too long for one file in the format of GluonTS.
        """
        samples_per_file = max(1, self.request.shard_bytes // (8 * len(self.system.names)))
        n = self.request.n
        members = max(1, samples_per_file // n)
        pieces = -(-n // samples_per_file)
        if pieces > 1 and self.request.format == "gluonts":
            raise DatasetError(
                f"{self.system.name}: in the format of GluonTS a trajectory is one row, so at most {samples_per_file} "
                "samples fit; ask for more trajectories, or a larger shard_bytes"
            )
        for split, count in self.request.trajectories.items():
            for group, first in enumerate(range(0, count, members)):
                yield [
                    Shard(
                        system=self.system,
                        request=self.request,
                        split=split,
                        file=f"{self.folder}/{split}-{group * pieces + piece:05d}.{FORMATS[self.request.format]}",
                        first=first,
                        count=min(members, count - first),
                        first_sample=piece * samples_per_file,
                        samples=min(samples_per_file, n - piece * samples_per_file) if pieces > 1 else n,
                        dt=self.dt,
                        columns=self.columns,
                        scale=self.scale,
                        forcing=self.forcing,
                    )
                    for piece in range(pieces)
                ]


@dataclass(frozen=True)
class Plan:
    """
    All systems of a dataset, and the arguments they share.

    `part` (i, n) with i from 1 to n leaves the i-th of n parts of the work: every n-th list of files, so that systems
    that take long are spread.
    """

    request: Request
    systems: Mapping[str, SystemPlan] = field(default_factory=dict)
    part: tuple[int, int] | None = None

    def chains(self) -> Iterator[list[Shard]]:
        number, parts = self.part or (1, 1)
        every = (chain for system in self.systems.values() for chain in system.chains())
        return islice(every, number - 1, None, parts)

    @property
    def rows(self) -> int:
        return sum(shard.rows for chain in self.chains() for shard in chain)

    @property
    def part_name(self) -> str:
        """As files are named after it; empty for the whole."""
        return f"{self.part[0]}-of-{self.part[1]}" if self.part else ""


def derived_seed(seed: int, *words: str) -> int:
    """A seed in [0, 2^63) from another and some words (BLAKE2b)."""
    digest = hashlib.blake2b("\0".join((str(seed), *words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def make_plan(systems: str | System | Iterable[str | System] | pl.DataFrame, request: Request) -> Plan:
    """
    Look up the systems and settle what each file will hold.

    Raises
    ------
    UnknownSystem
        For a name that is not in the catalogue.
    DatasetError
        For systems the request cannot be carried out on.
    """
    from . import runs

    found: dict[str, SystemPlan] = {}
    for system in _look_up(systems):
        name = system.name
        if name in found:
            raise DatasetError(f"two systems are called {name}; give one of them another name")
        if not _is_safe(name.replace(":", "-")):
            raise DatasetError(f"system name {name!r} cannot name a folder; use letters, digits and _")
        if request.forcing > 0 and system.kind != "flow":
            raise DatasetError(
                f"forcing acts on flows, and {name} is a {system.kind}; "
                'choose systems, for example bst.systems(kind="flow")'
            )
        columns = runs.columns(system, request)
        clash = [column for column in columns if column in RESERVED]
        if clash:
            raise DatasetError(f"{name}: the variable {clash[0]!r} has the name of a column every file has; rename it")
        scale = runs.scale(system, request) if request.noise > 0 else ()
        forcing = runs.forcing(system, request) if request.forcing > 0 else ()
        dt = runs.interval(system, request)
        found[name] = SystemPlan(system, request, dt, columns, scale, forcing)
        next(found[name].chains())
    if not found:
        raise DatasetError("no systems: the list is empty")
    return Plan(request, found)


def _look_up(systems: Any) -> Iterator[System]:
    from .. import registry
    from ..system import System

    names: Sequence[Any]
    if isinstance(systems, str):
        names = list(registry.systems()["name"]) if systems == "all" else [systems]
    elif isinstance(systems, System):
        names = [systems]
    elif hasattr(systems, "columns") and hasattr(systems, "get_column"):
        if "name" not in systems.columns:
            raise ValueError('a frame of systems needs a column "name", as bst.systems() has')
        names = systems.get_column("name").to_list()
    elif isinstance(systems, Iterable):
        names = list(systems)
    else:
        raise TypeError(f"systems must be names, systems or a frame of them, not {type(systems).__name__}")
    for name in names:
        if not isinstance(name, str | System):
            raise TypeError(f"systems must hold names or systems, not {type(name).__name__}")
        yield registry.system(name) if isinstance(name, str) else name


def _is_safe(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"\w[\w-]*", name) is not None


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
