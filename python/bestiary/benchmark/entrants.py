"""
Who takes part: forecasters of the package by name, and those of a user, as classes, instances or `module:Class`.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..definition import Array
from ..exceptions import RequestError
from ..forecast import Forecaster, forecaster, forecasters
from ..forecast.adapters import FromFunction
from ..forecast.regressors import RandomForest

__all__ = ["DirectForest", "Entrant", "entrants"]


class DirectForest(RandomForest):
    """
    A random forest that learns the next value and not the change, as the published benchmarks had it.

    Parameters
    ----------
    trees, lags, spacing, seed : as of `RandomForest`
    """

    def _learn(self, keys: Array, changes: Array) -> None:
        super()._learn(keys, changes + keys[:, -changes.shape[1] :])

    def _step(self, keys: Array) -> Array:
        # What `predict` of the forest does, tree by tree in the same order, without its cost for each call.
        rows = np.ascontiguousarray(keys, dtype=np.float32)
        columns = []
        for forest in self.fitted_:
            values = np.zeros((len(rows), self.dimension_ if len(self.fitted_) == 1 else 1))
            for tree in forest.estimators_:
                values += tree.tree_.predict(rows).reshape(values.shape)
            columns.append(values / len(forest.estimators_))
        return np.asarray(np.concatenate(columns, axis=1) - keys[:, -self.dimension_ :])


_GROUPS = ("all", "learn", "statistics", "neural")
_OWN: dict[str, type[Forecaster]] = {"DirectForest": DirectForest}


@dataclass(frozen=True, eq=False)
class Entrant:
    """A forecaster that has learned nothing, under the name that stands in the results; equal by name and arguments."""

    name: str
    forecaster: Forecaster

    @property
    def arguments(self) -> str:
        return repr(self.forecaster)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entrant) and (self.name, self.arguments) == (other.name, other.arguments)

    def __hash__(self) -> int:
        return hash((self.name, self.arguments))


def entrants(
    asked: str | Forecaster | type[Forecaster] | Iterable[Any] | Mapping[str, Any],
) -> list[Entrant]:
    """
    The forecasters of a call.

    "all" are those of the default install that need no arguments, "learn", "statistics" and "neural" those that come
    with the extra of this name. A mapping gives names of one's own.

    Examples
    --------
    >>> [one.name for one in entrants(["Mean", "Drift"])]
    ['Mean', 'Drift']
    """
    if isinstance(asked, Mapping):
        found = [Entrant(str(name), _made(value)) for name, value in asked.items()]
    elif isinstance(asked, (str, Forecaster, type)) or callable(asked):
        found = _read(asked)
    else:
        found = [entrant for one in asked for entrant in _read(one)]
    if not found:
        raise RequestError('forecasters names none: give names, instances, "module:Class", or "all"')
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RequestError(f"several forecasters are named {', '.join(twice)}: give names by a mapping")
    for one in found:
        try:
            pickle.dumps(one.forecaster)
        except Exception as error:
            raise RequestError(
                f"{one.name} cannot be sent to another process ({error}): define it in a module that can be imported"
            ) from None
    return found


def _read(one: Any) -> list[Entrant]:
    if one in _GROUPS:
        table = forecasters()
        is_in = table["extra"].is_null() if one == "all" else table["extra"] == one
        rows = table.filter(is_in & (table["needs"].list.len() == 0))
        return [Entrant(name, forecaster(name)) for name in rows["name"]]
    made = _made(one)
    if isinstance(one, str):
        return [Entrant(one.rpartition(":")[2], made)]
    if isinstance(one, type):
        return [Entrant(one.__name__, made)]
    plain = type(made)() if not _needs(type(made)) else None
    label = type(made).__name__ if plain is not None and repr(plain) == repr(made) else repr(made)
    return [Entrant(getattr(one, "__name__", label), made)]


def _needs(cls: type[Forecaster]) -> bool:
    try:
        cls()
    except TypeError:
        return True
    return False


def _made(one: Any) -> Forecaster:
    if isinstance(one, str):
        one = _imported(one) if ":" in one else _OWN[one]() if one in _OWN else forecaster(one)
    if isinstance(one, type):
        if _needs(one):
            raise RequestError(f"{one.__name__} needs arguments: give an instance of it")
        one = one()
    if isinstance(one, Forecaster):
        return one.clone()
    if callable(one):
        return FromFunction(one)
    raise RequestError(f"{one!r} is no forecaster: neither a Forecaster nor a function of (context, horizon)")


def _imported(path: str) -> type[Forecaster] | Callable[..., Any]:
    module, _, name = path.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise RequestError(f"{path} cannot be imported: {error}; it must be of the form module:Class") from None
    return found  # type: ignore[no-any-return]
