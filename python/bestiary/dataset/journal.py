"""
What is finished so far: one line of JSON a file, appended as files are finished, under a header with the whole request.

A line is written after its file has its name. Whatever has no whole line is made again, with the same bytes. Parts of a
dataset that are made independently have a journal each.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..exceptions import DatasetError
from .files import explain, write_atomically
from .plan import Continuation

NAME = "journal.jsonl"


def name(part: str = "") -> str:
    """The journal of a whole dataset, or of a part of it."""
    return f"journal-{part}.jsonl" if part else NAME


def paths(folder: Path) -> list[Path]:
    """All journals of a folder, the one of the whole dataset first."""
    return [path for path in (folder / NAME, *sorted(folder.glob(name("*")))) if path.exists()]


@dataclass(frozen=True)
class Record:
    """A finished file."""

    file: str
    split: str
    first_trajectory: int
    trajectories: int
    first_sample: int
    samples: int
    rows: int
    bytes: int
    sha256: str
    outcomes: dict[str, int]
    stopped: list[dict[str, Any]]
    steps: int
    rejected: int
    evaluations: int
    continued: Continuation | None = None

    def to_json(self) -> dict[str, Any]:
        """As manifest and journal hold it; the end of a piece is there only where another piece follows."""
        content = asdict(self)
        if self.continued is None:
            del content["continued"]
        else:
            content["continued"]["state"] = [_number_or_none(value) for value in self.continued.state]
            if self.continued.past is None:
                del content["continued"]["past"]
        return content

    @staticmethod
    def from_json(content: dict[str, Any]) -> Record:
        continued = content.get("continued")
        if continued is not None:
            state = tuple(float("nan") if value is None else float(value) for value in continued["state"])
            past = continued.get("past")
            continued = Continuation(
                state, continued["outcome"], continued["stop_time"], None if past is None else tuple(past)
            )
        return Record(**{**content, "continued": continued})


class Journal:
    """The journal of a folder, open for appending."""

    def __init__(self, folder: Path, header: dict[str, Any], records: list[Record], part: str = "") -> None:
        self.path = folder / name(part)
        lines = [header, *(record.to_json() for record in records)]
        write_atomically(self.path, b"".join(_line(line) for line in lines))
        self.file: BinaryIO = self.path.open("ab")  # closed by `close`

    def append(self, record: Record) -> None:
        try:
            self.file.write(_line(record.to_json()))
            self.file.flush()
        except OSError as error:
            raise DatasetError(explain(error, self.path)) from error

    def close(self) -> None:
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
        except OSError as error:
            raise DatasetError(explain(error, self.path)) from error


def read(path: Path) -> tuple[dict[str, Any], list[Record]] | None:
    """Header and records of a journal, up to the first line that is not whole; None where there is none."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return None
    content = []
    for line in lines:
        try:
            content.append(json.loads(line))
        except ValueError:
            break
    if not content:
        return None
    return content[0], [Record.from_json(record) for record in content[1:]]


def plain(content: dict[str, Any]) -> dict[str, Any]:
    """The content as it will be read back: tuples become lists, numbers stay to the last bit."""
    result: dict[str, Any] = json.loads(_line(content))
    return result


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def _number_or_none(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None
