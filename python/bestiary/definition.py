"""
The definition of a system as plain data: one table, the same for a file of the catalogue and a user's own text.

This module checks the table, evaluates its constant expressions and composes the text for the compiled part. It does
not read files (see `registry`) and does not run anything (see `system`).
"""

import hashlib
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import _core
from .exceptions import CatalogueError, RequestError, UnknownName

Array: TypeAlias = NDArray[np.float64]
Entry: TypeAlias = dict[str, Any]

KINDS = ("flow", "map", "delay", "stochastic")
INTERPRETATIONS = ("ito", "stratonovich")
KEYS = (
    *(
        "name",
        "aliases",
        "kind",
        "interpretation",
        "about",
        "citation",
        "doi",
        "domain",
        "tags",
        "inputs",
        "parameters",
        "structure",
        "state",
    ),
    *("period", "absolute_tolerance", "note", "definitions", "equations", "noise", "observables", "periods"),
    *("history", "bifurcation", "known", "variants", "measured"),
)
# What the numbers of a system follow from.
DIGITS = (
    *("kind", "parameters", "structure", "state", "period", "absolute_tolerance", "definitions", "equations", "noise"),
    *("observables", "periods", "history", "interpretation"),
)
# What a variant may say, and how: tables whose keys replace those of the entry, and values that replace whole.
_MERGED = ("parameters", "structure", "definitions", "equations", "noise")
_REPLACED = (
    *("kind", "interpretation", "state", "history", "observables", "periods", "period", "note", "tags"),
    *("absolute_tolerance",),
)
_OWN = ("known", "measured")

_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_DERIVATIVE = re.compile(rf"^\s*({_NAME})\s*(?:\[([^\]]*)\])?\s*'\s*=")
_NEXT = re.compile(rf"^\s*next\s*\(\s*({_NAME})\s*(?:\[([^\]]*)\])?\s*\)\s*=")
_NOISE = re.compile(r"^\s*noise\s*\(")


def parse(text: str, where: str) -> Entry:
    """A TOML document as a table; errors say where."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        table: Entry = tomllib.loads(text)
        return table
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{where}: {error}") from None


def checked(entry: Mapping[str, Any], where: str) -> Entry:
    """A deep copy of an entry in plain values, its keys and kinds of values verified; `where` begins the messages."""
    result: Entry = plain(entry)
    for key in result:
        if key not in KEYS:
            raise CatalogueError(f"{where}: {UnknownName('key', key, KEYS)}")
    for key in ("name", "kind", "equations", "state"):
        if key not in result:
            raise CatalogueError(f'{where}: the key "{key}" is missing')
    if result["kind"] not in KINDS:
        raise CatalogueError(f"{where}: {UnknownName('kind', str(result['kind']), KINDS)}")
    if result.get("interpretation", "ito") not in INTERPRETATIONS:
        raise CatalogueError(
            f"{where}: {UnknownName('interpretation', str(result['interpretation']), INTERPRETATIONS)}"
        )
    if result.get("interpretation") == "ito":
        del result["interpretation"]
    for key in (*_MERGED, "state", "history", "observables", "periods", "bifurcation", "known", "variants", "measured"):
        if not isinstance(result.setdefault(key, {}), dict):
            raise CatalogueError(f'{where}: "{key}" must be a table')
    if result["history"] and result["kind"] != "delay":
        raise CatalogueError(f'{where}: a {result["kind"]} has no "history"')
    for key in ("definitions", "equations", "noise", "history", "observables", "periods"):
        for name, expression in result[key].items():
            if isinstance(expression, (int, float)) and not isinstance(expression, bool):
                result[key][name] = repr(expression)
            elif not isinstance(expression, str):
                raise CatalogueError(f'{where}: {key} "{name}" must be an expression in quotes')
    for name, size in result["structure"].items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise CatalogueError(f'{where}: structure "{name}" must be a whole number of at least 1, not {size!r}')
    if result.get("period") is not None and not number(result["period"], {}, {}, f"{where}: period") > 0:
        raise CatalogueError(f"{where}: period must be a positive number, not {result['period']!r}")
    _check_bifurcation(result, where)
    return result


def _check_bifurcation(entry: Entry, where: str) -> None:
    """The table `bifurcation` names a scalar parameter and the range in which the behaviour changes."""
    table = entry["bifurcation"]
    if not table:
        return
    parameter, span = table.get("parameter"), table.get("range")
    if parameter not in entry["parameters"]:
        raise CatalogueError(f"{where}: {UnknownName('parameter', str(parameter), entry['parameters'])} (bifurcation)")
    numbers = isinstance(span, list) and len(span) == 2 and all(isinstance(end, (int, float)) for end in span)
    if not (numbers and span[0] < span[1]):
        raise CatalogueError(f"{where}: the range of bifurcation must be two increasing numbers, not {span!r}")


def with_variant(entry: Entry, variant: str) -> Entry:
    """
    The entry as one of its variants has it.

    Tables of parameters, structure, definitions, equations and noise are merged key by key; everything else that a
    variant states replaces the entry's. Equations and noise of variables that the variant's state lacks fall away.
    Known facts and measurements are those that the variant states itself: the entry's need not hold for it.
    """
    variants = entry["variants"]
    if variant not in variants:
        raise UnknownName("variant", variant, variants, where=f" of {entry['name']}")
    changes = variants[variant]
    result = plain({key: value for key, value in entry.items() if key not in ("variants", *_OWN)})
    for key, value in plain(changes).items():
        if key in _MERGED:
            result[key] = {**result[key], **value}
        elif key in _REPLACED or key in _OWN:
            result[key] = value
        else:
            known = (*_MERGED, *_REPLACED, *_OWN)
            raise CatalogueError(f"{entry['name']}, variant {variant}: {UnknownName('key', key, known)}")
    for key in ("equations", "noise"):
        result[key] = {left: right for left, right in result[key].items() if stem(left) in result["state"]}
    result["name"] = f"{entry['name']}:{variant}"
    return checked(result, result["name"])


def compose(entry: Entry) -> str:
    """The equations of an entry as one text in the language."""
    left = "next({})" if entry["kind"] == "map" else "{}'"
    lines = [f"{name} = {body}" for name, body in entry["definitions"].items()]
    lines += [f"{left.format(name)} = {body}" for name, body in entry["equations"].items()]
    lines += [f"noise({name}) = {body}" for name, body in entry["noise"].items()]
    return "\n".join(lines)


def decompose(text: str) -> dict[str, dict[str, str]]:
    """The tables `definitions`, `equations` and `noise` of a text printed with a statement a line."""
    tables: dict[str, dict[str, str]] = {"definitions": {}, "equations": {}, "noise": {}}
    for line in text.splitlines():
        left, _, right = line.partition(" = ")
        if not right:
            continue
        if left.endswith("'"):
            tables["equations"][left[:-1]] = right
        elif _NEXT.match(line):
            tables["equations"][left.strip()[len("next(") : -1]] = right
        elif _NOISE.match(line):
            tables["noise"][left.strip()[len("noise(") : -1]] = right
        else:
            tables["definitions"][left] = right
    return tables


def statements(text: str) -> list[str]:
    """Statements of a text as a user writes it, comments removed. Only good for looking at left-hand sides."""
    return [part for line in text.splitlines() for part in line.split("#")[0].split(";") if part.strip()]


def state_names(text: str) -> dict[str, bool]:
    """State variables of a text in order of appearance, and whether each is a vector."""
    names: dict[str, bool] = {}
    for statement in statements(text):
        match = _DERIVATIVE.match(statement) or _NEXT.match(statement)
        if match:
            names[match.group(1)] = match.group(2) is not None
    return names


def inferred_kind(text: str) -> str:
    """The kind that the form of the equations tells: `next(x)`, `noise(x)`, `x(t - tau)` or none of them."""
    parts = statements(text)
    if any(_NEXT.match(part) for part in parts):
        return "map"
    if any(_NOISE.match(part) for part in parts):
        return "stochastic"
    delayed = "|".join(re.escape(name) for name in state_names(text))
    if delayed and re.search(rf"(?<!\w)(?:{delayed})\s*(?:\[[^\]]*\])?\s*\(\s*t\s*-", "\n".join(parts)):
        return "delay"
    return "flow"


def number(
    expression: object, structure: Mapping[str, int], parameters: Mapping[str, float | Array], what: str
) -> float:
    """The value of a number or of a constant expression."""
    if isinstance(expression, str):
        text = f"next(entry_value) = {expression}"
        try:
            core = _core.System.build("map", text, parameters, structure, [("entry_value", None)])
        except ValueError as error:
            raise type(error)(f"{what}: {error}") from None
        value = float(core.rhs(np.zeros((1, 1)), np.zeros(1), core.parameter_values)[0, 0])
    elif isinstance(expression, (int, float, np.integer, np.floating)) and not isinstance(expression, bool):
        value = float(expression)
    else:
        raise RequestError(f"{what} must be a number or an expression in quotes, not {expression!r}")
    if not math.isfinite(value):
        raise RequestError(f"{what} must be finite, not {value}")
    return value


def array(
    value: object, structure: Mapping[str, int], parameters: Mapping[str, float | Array], what: str
) -> float | Array:
    """
    A number, vector or matrix from a number, an expression, lists of these or `{size = "N", each = "…"}`.

    In `each` the index `i` runs from 1.
    """
    result: Array
    if isinstance(value, Mapping):
        if set(value) != {"size", "each"}:
            raise RequestError(f'{what}: a table must have the keys "size" and "each", not {sorted(value)}')
        size = number(value["size"], structure, parameters, f"the size of {what}")
        if size != int(size) or size < 1:
            raise RequestError(f"the size of {what} must be a whole number of at least 1, not {size:g}")
        text = f"next(entry_value[i]) = {value['each']}"
        try:
            core = _core.System.build("map", text, parameters, structure, [("entry_value", int(size))])
        except ValueError as error:
            raise type(error)(f"{what}: {error}") from None
        result = core.rhs(np.zeros((1, int(size))), np.zeros(1), core.parameter_values)[0]
    elif isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        result = np.array(value, dtype=np.float64)
    elif isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str):
        rows = [item if type(item) is float else array(item, structure, parameters, what) for item in value]
        if len({() if type(row) is float else np.shape(row) for row in rows}) != 1:
            raise RequestError(f"{what}: the rows differ in length" if rows else f"{what} is empty")
        result = np.array(rows, dtype=np.float64)
    else:
        return number(value, structure, parameters, what)
    if result.ndim == 0:
        return float(result)
    if result.ndim > 2:
        raise RequestError(f"{what} must be a number, a vector or a matrix, not an array of {result.ndim} dimensions")
    if not np.isfinite(result).all():
        raise RequestError(f"{what} must be finite, not {result.tolist()}")
    result.flags.writeable = False
    return result


def plain(value: object) -> Any:
    """The value with arrays and NumPy numbers as lists and Python numbers, as TOML and JSON know them."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, (list, tuple)):
        return [item if type(item) is float else plain(item) for item in value]
    return value


def fingerprint(entry: Mapping[str, Any]) -> str:
    """A hash of all that the numbers of a system follow from: not of words, known facts, measurements and variants."""
    digits = [
        (key, list(entry[key].items()) if isinstance(entry[key], Mapping) else entry[key])
        for key in DIGITS
        if entry.get(key)
    ]
    return hashlib.blake2b(json.dumps(plain(digits)).encode(), digest_size=8).hexdigest()


def to_toml(entry: Mapping[str, Any]) -> str:
    """The entry as a TOML document that reads back equal."""
    heads = [f"{_key(key)} = {inline(value)}" for key, value in entry.items() if not _is_section(key) and value != {}]
    sections = []
    for key, table in entry.items():
        if not _is_section(key) or not table:
            continue
        if key == "variants":
            for name, variant in table.items():
                lines = [f"{_key(item)} = {inline(value)}" for item, value in variant.items()]
                sections.append("\n".join([f"[variants.{_key(name)}]", *lines]))
        else:
            lines = [f"{_key(name)} = {inline(value)}" for name, value in table.items()]
            sections.append("\n".join([f"[{key}]", *lines]))
    return "\n\n".join(["\n".join(heads), *sections]) + "\n"


def _is_section(key: str) -> bool:
    sections = (
        "definitions",
        "equations",
        "noise",
        "history",
        "observables",
        "periods",
        "bifurcation",
        "known",
        "measured",
    )
    return key in (*sections, "variants")


def stem(left: str) -> str:
    """The name of the variable in `x`, `x[i]`, `x[1]` or, of noise by a process W, `x, W`."""
    return re.split(r"[\[,]", left)[0].strip()


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _string(name)


def _string(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def inline(value: object) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return _string(str(value))
