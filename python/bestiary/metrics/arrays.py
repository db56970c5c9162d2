"""Arrays as the metrics take them: one layout for one series and for many, and one way to refuse what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..exceptions import RequestError

Array: TypeAlias = NDArray[np.float64]
Value: TypeAlias = "float | Array"
"""A number for one pair of series, an array with one number a member for many."""


@dataclass(frozen=True)
class Pair:
    """
    Truth and forecast as the compiled part takes them.

    Attributes
    ----------
    truth, forecast : arrays of shape (members, time, variable)
    lead : the leading axes that the members came from
    """

    truth: Array
    forecast: Array
    lead: tuple[int, ...]

    def value(self, numbers: Array) -> Value:
        """Results of shape (members, …) under the leading axes; a float where nothing is left."""
        shaped = numbers.reshape(self.lead + numbers.shape[1:])
        return float(shaped) if shaped.ndim == 0 else shaped

    def like(self, other: ArrayLike, name: str) -> Array:
        """Another series of the same members and variables, of any length."""
        return _stack(array(other, name), self.lead, self.truth.shape[2], name)


def array(values: ArrayLike, name: str) -> Array:
    """Real numbers with at least one axis and no empty one."""
    given: Any = np.asarray(values)
    if given.dtype.kind not in "biuf":
        raise RequestError(f"{name} must be an array of real numbers, found {given.dtype}")
    result: Array = np.asarray(given, dtype=np.float64)
    if result.ndim == 0:
        raise RequestError(f"{name} must have the shape (time,) or (…, time, variable), found a single number")
    if result.size == 0:
        raise RequestError(f"{name} of shape {result.shape} is empty")
    return result


def pair(
    truth: ArrayLike, forecast: ArrayLike, *, aligned: bool = True, names: tuple[str, str] = ("truth", "forecast")
) -> Pair:
    """Both in one layout; `aligned` asks for as many times."""
    y, p = array(truth, names[0]), array(forecast, names[1])
    if (y.ndim == 1) != (p.ndim == 1):
        raise RequestError(
            f"{names[0]} has shape {y.shape} and {names[1]} {p.shape}: "
            "give both as (time,) or both as (…, time, variable)"
        )
    if y.ndim == 1:
        y, p = y[:, None], p[:, None]
    if y.shape[-1] != p.shape[-1] or (aligned and y.shape[-2] != p.shape[-2]):
        what = "the same numbers of times and variables" if aligned else "as many variables"
        raise RequestError(
            f"{names[0]} and {names[1]} must have {what}, found shapes {np.shape(truth)} and {np.shape(forecast)}"
        )
    try:
        lead = np.broadcast_shapes(y.shape[:-2], p.shape[:-2])
    except ValueError:
        raise RequestError(
            f"the leading axes of {names[0]} {np.shape(truth)} and {names[1]} {np.shape(forecast)} do not fit together"
        ) from None
    return Pair(_stack(y, lead, y.shape[-1], names[0]), _stack(p, lead, y.shape[-1], names[1]), lead)


def _stack(values: Array, lead: tuple[int, ...], d: int, name: str) -> Array:
    if values.ndim == 1 and d == 1:
        values = values[:, None]
    if values.ndim < 2 or values.shape[-1] != d:
        raise RequestError(f"{name} must have {d} variables in its last axis, found shape {values.shape}")
    try:
        spread = np.broadcast_to(values, lead + values.shape[-2:])
    except ValueError:
        raise RequestError(f"{name} of shape {values.shape} does not fit the leading axes {lead}") from None
    return np.ascontiguousarray(spread.reshape((-1, *values.shape[-2:])))


def over_variables(pair: Pair, each: Array, variables: str) -> Value:
    """Results of shape (members, variable): their mean, or all of them."""
    choose("variables", variables, ("mean", "each"))
    return pair.value(each.mean(axis=1) if variables == "mean" else each)


def choose(what: str, found: str, known: tuple[str, ...]) -> None:
    """Refuse an unknown choice."""
    if found not in known:
        raise RequestError(f"{what} must be one of {', '.join(map(repr, known))}, found {found!r}")


def whole(what: str, value: int, least: int = 1) -> int:
    """A whole number that is large enough."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise RequestError(f"{what} must be a whole number of at least {least}, found {value!r}")
    return int(value)


def positive(what: str, value: float) -> float:
    """A finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 < value < np.inf:
        raise RequestError(f"{what} must be positive and finite, found {value!r}")
    return float(value)


def ratio(numerator: Array, denominator: Array) -> Array:
    """The rule of a zero denominator: nothing of nothing is 0, something of nothing infinite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((numerator == 0) & (denominator == 0), 0.0, numerator / denominator)
