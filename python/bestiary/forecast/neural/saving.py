"""
Arrays with a header in JSON as one file without pickle: fitted models, and trainings that are not finished.

The file is an `.npz` of NumPy: `header` holds the text, `0`, `1`, … the arrays.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.files import write_atomically
from ...exceptions import RequestError

__all__ = ["decoded", "encoded", "read", "write"]

_FORMAT = 1


def write(path: str | Path, kind: str, header: dict[str, Any], arrays: Sequence[Any]) -> None:
    """Write the whole file or, where that cannot be, none."""
    content = io.BytesIO()
    text = json.dumps({"bestiary": kind, "format": _FORMAT} | header)
    named: dict[str, Any] = {str(i): np.asarray(array) for i, array in enumerate(arrays)}
    np.savez(content, header=np.array(text), **named)
    write_atomically(Path(path), content.getvalue())


def read(path: str | Path, kind: str) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """The header and the arrays of a file of this kind."""
    try:
        with open(path, "rb") as content, np.load(content, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            arrays = [file[str(i)] for i in range(len(file.files) - 1)]
        found, number = header["bestiary"], header["format"]
    except FileNotFoundError:
        raise RequestError(f"there is no file {path}") from None
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, EOFError, OSError) as error:
        raise RequestError(f"{path} is no {kind} of bestiary, or is damaged: {error}") from None
    if found != kind:
        raise RequestError(f"{path} holds a {found}, where a {kind} is due")
    if number > _FORMAT:
        raise RequestError(f"{path} has format {number}, this version of bestiary reads up to {_FORMAT}: update it")
    return header, arrays


def encoded(value: Any) -> Any:
    """An argument of a forecaster as JSON; tuples and systems are marked, so that `decoded` gives them back."""
    from ...system import System

    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return encoded(value.item())
    if isinstance(value, (list, tuple)):
        items = [encoded(item) for item in value]
        return {"tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, System):
        return {"system": value.to_toml()}
    raise RequestError(f"an argument of type {type(value).__name__} cannot be written to a file: {value!r}")


def decoded(value: Any) -> Any:
    from ...system import System

    if isinstance(value, list):
        return [decoded(item) for item in value]
    if isinstance(value, dict):
        return System.from_toml(value["system"]) if "system" in value else tuple(decoded(v) for v in value["tuple"])
    return value
