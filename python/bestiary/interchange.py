"""
SymPy expressions from and to the language. Needs the extra `sympy`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .exceptions import MissingExtra, RequestError

if TYPE_CHECKING:
    from .system import System

# SymPy's function -> ours.
_FUNCTIONS = {
    **{name: name for name in ("exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "atan2")},
    **{name: name for name in ("sinh", "cosh", "tanh", "sign", "floor", "sech")},
    **{"Abs": "abs", "Max": "max", "Min": "min", "Mod": "mod"},
}
_RELATIONS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "==", "!=": "!="}


def text_from_sympy(equations: Mapping[Any, Any], *, is_map: bool) -> str:
    """Equations in the language from SymPy right-hand sides by state variable."""
    sympy = _sympy()
    left = "next({})" if is_map else "{}'"
    lines = []
    for variable, expression in equations.items():
        name = str(getattr(variable, "func", variable)) if not getattr(variable, "is_Symbol", False) else variable.name
        lines.append(f"{left.format(name)} = {_written(sympy, sympy.sympify(expression))}")
    return "\n".join(lines)


def sympy_from_system(system: System) -> dict[Any, Any]:
    """Right-hand sides by state symbol; parameters are symbols too, elements of a vector flattened."""
    sympy = _sympy()
    if system.kind == "delay":
        raise RequestError(f"{system.name} has delayed terms, which SymPy expressions do not hold")
    space: dict[str, Any] = {}
    namespace = _Namespace(sympy)
    source = system.core.numpy_source().replace("import numpy as np", "")
    exec(source, {"np": namespace, "numpy": namespace}, space)
    states = [sympy.Symbol(name) for name in system.names]
    parameters = [sympy.Symbol(name) for name in system.core.parameter_names]
    values = space["rhs"](np.array(states, dtype=object), sympy.Symbol("t"), np.array(parameters, dtype=object))
    return {name: sympy.nsimplify(value, rational=True) for name, value in zip(states, values, strict=True)}


def _sympy() -> Any:
    try:
        import sympy
    except ImportError:
        raise MissingExtra("SymPy", "sympy") from None
    return sympy


def _written(sympy: Any, e: Any) -> str:
    """One expression in the language, in parentheses wherever they might be needed."""

    def inner(part: Any) -> str:
        return _written(sympy, part)

    if e.is_Symbol:
        return str(e.name)
    if e.is_Integer:
        return str(e) if e >= 0 else f"(-{-e})"
    if e.is_Rational:
        return f"({e.p}/{e.q})"
    if e is sympy.pi:
        return "pi"
    if e is sympy.E:
        return "exp(1)"
    if e.is_Float or (e.is_number and e.is_real):
        return f"({float(e)!r})"
    if e.is_Add:
        return f"({' + '.join(map(inner, e.args))})"
    if e.is_Mul:
        return f"({'*'.join(map(inner, e.args))})"
    if e.is_Pow:
        base, exponent = e.args
        if exponent == sympy.Rational(1, 2):
            return f"sqrt({inner(base)})"
        if exponent.is_negative:
            return f"(1/{inner(base**-exponent)})"
        return f"({inner(base)})^({inner(exponent)})"
    if isinstance(e, sympy.Heaviside):
        return f"step({inner(e.args[0])})"
    if isinstance(e, sympy.Piecewise):
        text = inner(e.args[-1][0])
        for value, condition in reversed(e.args[:-1]):
            text = f"where({_condition(sympy, condition)}, {inner(value)}, {text})"
        return text
    name = type(e).__name__
    if name in _FUNCTIONS:
        return f"{_FUNCTIONS[name]}({', '.join(map(inner, e.args))})"
    raise RequestError(f"{e} has no counterpart in the language")


def _condition(sympy: Any, e: Any) -> str:
    if isinstance(e, sympy.And):
        return "(" + " and ".join(_condition(sympy, part) for part in e.args) + ")"
    if isinstance(e, sympy.Or):
        return "(" + " or ".join(_condition(sympy, part) for part in e.args) + ")"
    if isinstance(e, sympy.Not):
        return f"not ({_condition(sympy, e.args[0])})"
    if getattr(e, "is_Relational", False):
        symbol = {"Eq": "==", "Ne": "!="}.get(type(e).__name__, getattr(e, "rel_op", ""))
        if symbol in _RELATIONS:
            return f"{_written(sympy, e.lhs)} {symbol} {_written(sympy, e.rhs)}"
    raise RequestError(f"{e} has no counterpart in the language")


class _Namespace:
    """SymPy under the names that NumPy has for the same functions, to run the source of a NumPy function."""

    def __init__(self, sympy: Any) -> None:
        self._sympy = sympy
        self._other: dict[str, Callable[..., Any]] = {
            **{"arcsin": sympy.asin, "arccos": sympy.acos, "arctan": sympy.atan, "arctan2": sympy.atan2},
            **{"abs": sympy.Abs, "absolute": sympy.Abs, "maximum": sympy.Max, "minimum": sympy.Min, "mod": sympy.Mod},
            **{"fmod": sympy.Mod, "power": sympy.Pow, "less": sympy.Lt, "less_equal": sympy.Le, "greater": sympy.Gt},
            **{"greater_equal": sympy.Ge, "equal": sympy.Eq, "not_equal": sympy.Ne, "logical_and": sympy.And},
            **{"logical_or": sympy.Or, "logical_not": sympy.Not, "expm1": lambda x: sympy.exp(x) - 1},
            **{"where": lambda c, a, b: sympy.Piecewise((a, c), (b, True)), "stack": list, "array": list},
            **{"square": lambda x: x**2, "broadcast_arrays": lambda *x: list(x)},
        }
        self.pi = sympy.pi
        self.float64 = float

    def __getattr__(self, name: str) -> Any:
        found = self._other.get(name) or getattr(self._sympy, name, None)
        if found is None:
            raise RequestError(f"the function {name} has no counterpart in SymPy")
        return lambda *arguments, **_: found(*arguments)
