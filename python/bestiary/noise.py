"""
White noise in Ito's sense and in Stratonovich's: passing from one to the other by the drift that it takes.

The derivatives are the compiled part's; here they are put back into the text of the equations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from . import definition
from .exceptions import RequestError

if TYPE_CHECKING:
    from .system import System

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_ZERO = "0.0"


def interpreted(system: System, interpretation: str) -> System:
    """The same process with its noise in another sense; see `System.to_ito`."""
    if system.kind != "stochastic":
        raise RequestError(f"{system.name} is a {system.kind}: it has no noise to be taken in another sense")
    if system.interpretation == interpretation:
        return system
    entry = system.entry
    entry["interpretation"] = interpretation
    sign = "+" if interpretation == "ito" else "-"
    elements = _elements(system)
    texts = {
        name: _NAME.sub(lambda match: elements.get(match[0], match[0]), text)
        for name, text in zip(system.names, system.core.ito_correction(), strict=True)
    }
    for left, body in entry["equations"].items():
        terms = [text if where is None else f"where({where}, {text}, 0)" for where, text in _added(system, left, texts)]
        entry["equations"][left] = body + "".join(f" {sign} ({term})" for term in terms)
    return type(system)(entry, text=definition.compose(entry))


def _elements(system: System) -> dict[str, str]:
    """`x[1]` for x1 and `K[1, 2]` for K1_2, where they are elements of a vector x and a matrix K."""
    table: dict[str, str] = {}
    for name, size in system.shape.items():
        table |= {f"{name}{i}": f"{name}[{i}]" for i in range(1, (size or 0) + 1)}
    for name, value in system.parameters.items():
        for index in np.ndindex(np.shape(value)) if np.ndim(value) else ():
            places = [str(i + 1) for i in index]
            table[name + "_".join(places)] = f"{name}[{', '.join(places)}]"
    return {flat: element for flat, element in table.items() if flat not in (*system.shape, *system.parameters)}


def _added(system: System, left: str, texts: dict[str, str]) -> list[tuple[str | None, str]]:
    """The corrections of an equation that are not zero; for the elements of a vector, with what holds of the index."""
    name, _, index = left.rstrip("]").partition("[")
    found: list[tuple[str | None, str]] = [(None, texts.get(name + index, _ZERO))]
    if index and not index.isdecimal():
        found = [(f"{index} == {i}", texts[f"{name}{i}"]) for i in range(1, (system.shape[name] or 0) + 1)]
    return [(where, text) for where, text in found if text != _ZERO]
