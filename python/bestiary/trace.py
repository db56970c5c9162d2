"""
Equations from a plain Python function: call it once with symbols that remember what is done to them.

A symbol knows operators, comparisons, NumPy's mathematical functions and `numpy.where`. A value used more than once
becomes a local definition, so that the text stays as short as the function.
"""

from __future__ import annotations

import inspect
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from .definition import Array
from .exceptions import RequestError

__all__ = ["Symbol", "trace"]

# Binding strength of the outermost operation, weakest first, as in the language: unary minus binds like a term.
_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _POWER, _ATOM = range(8)

_UNARY = {
    **{name: name for name in ("exp", "log", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: name for name in ("sign", "floor")},
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan", "absolute": "abs", "fabs": "abs"},
    **{name: name for name in ("exprel", "sech", "sqrt_plus", "step")},
}
_BINARY = {"arctan2": "atan2", "maximum": "max", "minimum": "min", "fmax": "max", "fmin": "min"}
_OPERATORS = {
    **{
        "add": "+",
        "subtract": "-",
        "multiply": "*",
        "divide": "/",
        "true_divide": "/",
        "power": "^",
        "float_power": "^",
    },
    **{"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="},
    **{"logical_and": "and", "logical_or": "or"},
}
_STRENGTH = {
    **{"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "^": _POWER, "and": _AND, "or": _OR},
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARE),
}


class Symbol:
    """
    An expression under construction.

    `head` is a name, a number, an operator or a function; `arguments` are the symbols it joins.
    """

    __slots__ = ("arguments", "head")
    __hash__ = object.__hash__

    def __init__(self, head: str, *arguments: Symbol) -> None:
        self.head = head
        self.arguments = arguments

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            _refuse(
                f"numpy.{ufunc.__name__}.{method}" if method != "__call__" else f"numpy.{ufunc.__name__} with options"
            )
        if any(isinstance(value, np.ndarray) and value.ndim for value in inputs):
            return ufunc(*(_viewed(_boxed(value)) for value in inputs))
        return apply(ufunc.__name__, *inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.where and len(args) == 3:
            return where(*args)
        if function in (np.clip,) and len(args) == 3:
            return Symbol("min", Symbol("max", symbol(args[0]), symbol(args[1])), symbol(args[2]))
        return _refuse(f"numpy.{function.__name__}")

    def __bool__(self) -> bool:
        raise RequestError(
            "the function asks whether an expression of the state is true (if, and, or, max, min on the state): "
            "the answer changes along a trajectory, so use numpy.where(condition, a, b), numpy.maximum or numpy.minimum"
        )

    def __float__(self) -> float:
        raise RequestError(
            "the function needs the number behind a state variable, as math.sin does: use NumPy's function (numpy.sin)"
        )

    __int__ = __index__ = __float__

    def __getitem__(self, key: object) -> NoReturn:
        raise RequestError(f"{self.head} is a single number and cannot be indexed with [{key}]")

    def __iter__(self) -> NoReturn:
        raise RequestError(f"{self.head} is a single number and cannot be unpacked")

    # NumPy calls these on arrays of objects: np.sin(array) becomes element.sin().
    def __getattr__(self, name: str) -> Callable[..., Symbol]:
        if name in _UNARY:
            return lambda: apply(name, self)
        raise AttributeError(name)

    def __neg__(self) -> Symbol:
        return Symbol("negative", self)

    def __pos__(self) -> Symbol:
        return self

    def __abs__(self) -> Symbol:
        return Symbol("abs", self)

    def __invert__(self) -> Symbol:
        return Symbol("not", self)

    def __floordiv__(self, other: object) -> Symbol:
        return apply("floor", apply("divide", self, other))

    def __rfloordiv__(self, other: object) -> Symbol:
        return apply("floor", apply("divide", other, self))

    def __mod__(self, other: object) -> Symbol:
        return apply("remainder", self, other)

    def __rmod__(self, other: object) -> Symbol:
        return apply("remainder", other, self)


class Symbols(np.ndarray[Any, np.dtype[np.object_]]):
    """An array of symbols. NumPy's own arrays of objects would turn comparisons into plain truth values."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        boxes = [_boxed(value) for value in inputs]
        if ufunc is np.matmul and method == "__call__":
            return _viewed(np.matmul(*boxes))
        if method not in ("__call__", "reduce", "accumulate", "outer") or options.pop("out", None) is not None:
            _refuse(f"numpy.{ufunc.__name__}.{method} or out=")
        each = np.frompyfunc(lambda *values: apply(ufunc.__name__, *values), ufunc.nin, 1)
        options = {key: value for key, value in options.items() if key in ("axis", "keepdims")}
        return _viewed(getattr(each, method)(*boxes, **options))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.where and len(args) == 3:
            return where(*args)
        return super().__array_function__(function, types, args, kwargs)


def _operator(name: str, *, reflected: bool = False) -> Callable[[Symbol, object], Any]:
    def method(self: Symbol, other: object) -> Any:
        if isinstance(other, (np.ndarray, list, tuple)):
            return NotImplemented
        return apply(name, other, self) if reflected else apply(name, self, other)

    return method


for _python, _ufunc in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "power",
}.items():
    setattr(Symbol, f"__{_python}__", _operator(_ufunc))
    setattr(Symbol, f"__r{_python}__", _operator(_ufunc, reflected=True))
for _python, _ufunc in {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}.items():
    setattr(Symbol, f"__{_python}__", _operator(_ufunc))
for _python, _ufunc in {"eq": "equal", "ne": "not_equal", "and": "logical_and", "or": "logical_or"}.items():
    setattr(Symbol, f"__{_python}__", _operator(_ufunc))


def symbol(value: object) -> Symbol:
    """A symbol, or a number as one."""
    if isinstance(value, Symbol):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return symbol(value.item())
    if isinstance(value, (int, float, np.number, np.bool_)):
        number = float(value)
        if not math.isfinite(number):
            raise RequestError(f"the function uses {number}, which has no place in an equation")
        text = str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(abs(number))
        if number < 0:
            return Symbol("negative", Symbol(text.lstrip("-")))
        return Symbol(text)
    raise RequestError(f"the function mixes the state with {value!r}, which is no number")


def apply(name: str, *values: object) -> Symbol:
    """What NumPy's function of this name does to symbols."""
    arguments = [symbol(value) for value in values]
    if name in _OPERATORS:
        return Symbol(_OPERATORS[name], *arguments)
    if name in _UNARY:
        return Symbol(_UNARY[name], *arguments)
    if name in _BINARY:
        return Symbol(_BINARY[name], *arguments)
    one = Symbol("1")
    first = arguments[0]
    composed: dict[str, Callable[[], Symbol]] = {
        "negative": lambda: Symbol("negative", first),
        "positive": lambda: first,
        "square": lambda: Symbol("^", first, Symbol("2")),
        "reciprocal": lambda: Symbol("/", one, first),
        "expm1": lambda: Symbol("*", first, Symbol("exprel", first)),
        "log1p": lambda: Symbol("log", Symbol("+", one, first)),
        "log2": lambda: Symbol("/", Symbol("log", first), Symbol("log", Symbol("2"))),
        "log10": lambda: Symbol("/", Symbol("log", first), Symbol("log", Symbol("10"))),
        "exp2": lambda: Symbol("^", Symbol("2"), first),
        "remainder": lambda: Symbol("mod", *arguments),
        "mod": lambda: Symbol("mod", *arguments),
        "floor_divide": lambda: Symbol("floor", Symbol("/", *arguments)),
        "hypot": lambda: Symbol("sqrt", Symbol("+", *(Symbol("^", value, Symbol("2")) for value in arguments))),
        "heaviside": lambda: Symbol("step", first),
        "deg2rad": lambda: Symbol("/", Symbol("*", first, Symbol("pi")), Symbol("180")),
        "logical_not": lambda: Symbol("not", first),
    }
    return composed[name]() if name in composed else _refuse(f"numpy.{name}")


def where(condition: Any, a: object, b: object) -> Any:
    """`numpy.where` on symbols, single or in arrays."""
    parts = (condition, a, b)
    if any(isinstance(part, (np.ndarray, list, tuple)) and np.ndim(_boxed(part)) for part in parts):
        return _viewed(np.frompyfunc(where, 3, 1)(*(_boxed(part) for part in parts)))
    if isinstance(condition, (bool, np.bool_)):
        return a if condition else b
    return Symbol("where", symbol(condition), symbol(a), symbol(b))


def trace(
    function: Callable[..., object], names: Sequence[str], parameters: Mapping[str, float | Array], *, is_map: bool
) -> str:
    """
    The text of a function's equations.

    Parameters
    ----------
    function : callable
        Its first argument other than `t` is the state, an array of symbols; `t` is time; the others are parameters
        by name, or all of them in one mapping if there is a single further argument that is no parameter.
    names : names of the state variables
    parameters : parameters by name
    is_map : whether the values are the image of a map rather than derivatives

    Returns
    -------
    text : str
        Equations in the language, in the order of the names.
    """
    for name in names:
        if not re.fullmatch(r"[^\W\d]\w*", name):
            raise RequestError(f'"{name}" cannot be the name of a state variable: use letters, digits and underscores')
    state = _viewed(_boxed([Symbol(name) for name in names]))
    values = {name: _parameter(name, value) for name, value in parameters.items()}
    result = function(**_arguments(function, state, values, where_from=getattr(function, "__name__", "the function")))
    flat = list(np.ravel(_boxed(result)))
    if len(flat) != len(names):
        raise RequestError(
            f"the function returns {len(flat)} values for {len(names)} state variables: {', '.join(names)}"
        )
    roots = [symbol(value) for value in flat]
    return _Writer(roots, {*names, *parameters, "t", "pi"}).text(names, is_map=is_map)


def _arguments(
    function: Callable[..., object], state: object, values: Mapping[str, object], *, where_from: str
) -> dict[str, object]:
    """The arguments to call a function with, by name."""
    arguments: dict[str, object] = {}
    has_state = False
    signature = inspect.signature(function).parameters
    for name, parameter in signature.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            arguments.update({key: value for key, value in values.items() if key not in arguments})
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise RequestError(
                f"{where_from} must name its arguments: *{name} and positional-only ones have no meaning here"
            )
        elif name == "t":
            arguments[name] = Symbol("t")
        elif not has_state:
            arguments[name], has_state = state, True
        elif name in values:
            arguments[name] = values[name]
        elif parameter.default is not parameter.empty:
            continue
        elif not set(signature) & set(values):
            arguments[name] = dict(values)
        else:
            known = ", ".join(values) or "none"
            raise RequestError(f"{where_from} has the argument {name}, which is no parameter: there are {known}")
    if not has_state:
        raise RequestError(f"{where_from} must take the state as an argument: f(x), f(x, t) or f(t, x)")
    return arguments


def _parameter(name: str, value: float | Array) -> object:
    """A parameter as a symbol, or an array of symbols with the parameter's shape."""
    if not isinstance(value, np.ndarray):
        return Symbol(name)
    elements = np.empty(value.shape, dtype=object)
    for index in np.ndindex(value.shape):
        elements[index] = Symbol(f"{name}[{', '.join(str(i + 1) for i in index)}]")
    return _viewed(elements)


def _viewed(value: Any) -> Any:
    """An array of objects as one of symbols; a single value as it is."""
    return value.view(Symbols) if isinstance(value, np.ndarray) and value.ndim else value


def _boxed(value: object) -> np.ndarray[Any, np.dtype[np.object_]]:
    """The value as an array of objects, symbols being single objects."""
    if isinstance(value, Symbol):
        box: np.ndarray[Any, np.dtype[np.object_]] = np.empty((), dtype=object)
        box[()] = value
        return box
    if isinstance(value, (list, tuple)):
        rows = [_boxed(item) for item in value]
        return np.stack(rows) if rows else np.empty(0, dtype=object)
    return np.asarray(value, dtype=object).view(np.ndarray)


def _refuse(what: str) -> NoReturn:
    known = sorted({*_UNARY, *_BINARY, "where", "square", "hypot", "remainder", "heaviside"})
    raise RequestError(f"{what} has no place in an equation; there are numpy.{', '.join(known)} and the operators")


class _Writer:
    """Writes symbols as text; those used more than once, unless trivial, as definitions."""

    def __init__(self, roots: Sequence[Symbol], taken: set[str]) -> None:
        self.roots = roots
        self.taken = taken
        self.unique: dict[tuple[object, ...], Symbol] = {}
        self.seen: dict[int, Symbol] = {}
        self.uses: Counter[int] = Counter()
        self.order: list[Symbol] = []
        self.roots = [self._merge(root) for root in roots]
        self.names: dict[int, str] = {}
        self.written: dict[int, tuple[str, int]] = {}

    def _merge(self, root: Symbol) -> Symbol:
        """The same expression with equal parts made identical and their uses counted; without recursion."""
        stack = [root]
        while stack:
            node = stack[-1]
            waiting = [part for part in node.arguments if id(part) not in self.seen]
            if waiting:
                stack += waiting
                continue
            stack.pop()
            if id(node) in self.seen:
                continue
            parts = tuple(self.seen[id(part)] for part in node.arguments)
            key = (node.head, *map(id, parts))
            if key not in self.unique:
                merged = Symbol(node.head, *parts)
                self.unique[key] = merged
                self.order.append(merged)
                for part in parts:
                    self.uses[id(part)] += 1
            self.seen[id(node)] = self.unique[key]
        merged_root = self.seen[id(root)]
        self.uses[id(merged_root)] += 1
        return merged_root

    def text(self, names: Sequence[str], *, is_map: bool) -> str:
        lines: list[str] = []
        for node in self.order:
            self.written[id(node)] = self._write(node)
            is_condition = self.written[id(node)][1] <= _COMPARE
            length = len(self.written[id(node)][0])
            if node.arguments and not is_condition and (self.uses[id(node)] > 1 or length > 2000) and length > 4:
                name = self._fresh(len(lines))
                lines.append(f"{name} = {self.written[id(node)][0]}")
                self.written[id(node)] = (name, _ATOM)
        left = "next({})" if is_map else "{}'"
        for name, root in zip(names, self.roots, strict=True):
            text, _ = _number(self.written[id(root)])
            lines.append(f"{left.format(name)} = {text}")
        return "\n".join(lines)

    def _fresh(self, start: int) -> str:
        number = start + 1
        while f"s{number}" in self.taken:
            number += 1
        self.taken.add(f"s{number}")
        return f"s{number}"

    def _write(self, node: Symbol) -> tuple[str, int]:
        """Text and strength of one operation on what is already written."""
        parts = [self.written[id(part)] for part in node.arguments]
        if not parts:
            return node.head, _ATOM
        asks = {"and": 2, "or": 2, "not": 1, "where": 1}.get(node.head, 0)  # places that hold conditions
        parts[asks:] = [_number(part) for part in parts[asks:]]
        if node.head == "negative":
            return f"-{_held(parts[0], _PRODUCT)}", _SUM
        if node.head == "not":
            return f"not {_held(parts[0], _COMPARE)}", _NOT
        if node.head not in _STRENGTH:
            if node.head == "where" and parts[0][1] > _COMPARE:
                parts[0] = (f"{_held(parts[0], _SUM)} != 0", _COMPARE)
            return f"{node.head}({', '.join(text for text, _ in parts)})", _ATOM
        strength = _STRENGTH[node.head]
        if node.head == "^":
            return f"{_held(parts[0], _ATOM)}^{_held(parts[1], _ATOM)}", _POWER
        right = strength if node.head in ("+", "and", "or") else strength + 1
        space = "" if node.head in ("*", "/") else " "
        # A minus sign binds like a sum, so only the first term may begin with it.
        right = strength + 1 if parts[1][0].startswith("-") else right
        return f"{_held(parts[0], strength)}{space}{node.head}{space}{_held(parts[1], right)}", strength


def _number(part: tuple[str, int]) -> tuple[str, int]:
    """The text as a number: a condition counts 1 where it holds and 0 elsewhere."""
    text, strength = part
    return (f"where({text}, 1, 0)", _ATOM) if strength <= _COMPARE else part


def _held(part: tuple[str, int], least: int) -> str:
    """The text, in parentheses where it binds weaker than its place asks."""
    text, strength = part
    return text if strength >= least else f"({text})"
