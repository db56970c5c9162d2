"""
The language on generated expressions and on the catalogue: printing, evaluation, simplification, derivatives, ways out.

Generated expressions are texts that mean the same in Python (`^` apart), so that Python with numbers of fifty digits
(mpmath) is the direct evaluation. Only expressions whose every part stays below `BOUND` are compared: with at most
eight leaves there are at most four factors of that size between a rounding error and the value, which makes it
16 * 20^4 * 1.1e-16 = 3e-10, and one factor more in a derivative.
"""

import operator
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import bestiary as bst
from bestiary import _core

BOUND = 20
VALUE, DERIVATIVE = 1e-9, 2e-8
NAMES = ("x", "y", "a", "t")
CATALOGUE: list[str] = bst.systems()["name"].to_list()

numbers = st.floats(-2, 2).map(lambda v: round(v, 6) + 0.0)
points = st.fixed_dictionaries(dict.fromkeys(NAMES, numbers))
leaves = st.sampled_from([*NAMES, *NAMES, "0", "1", "2", "0.5", "3e-1", "pi"])
exact_leaves = st.sampled_from(NAMES)


def _extend_smooth(e: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({}{}{})".format, e, st.sampled_from([" + ", " - ", "*", "-", "+"]), e),
        st.builds("{} - ({} - {})".format, e, e, e).map("({})".format),
        st.builds("({}/({} + 1.5 + 0*({})))".format, e, st.just("sin(x)"), e),
        st.builds("(-{})".format, e),
        st.builds("({})^{}".format, e, st.sampled_from(["2", "3", "4", "1", "0"])).map("({})".format),
        st.builds("{}({})".format, st.sampled_from(["sin", "cos", "tanh", "atan", "cbrt_of", "sech", "exprel"]), e),
        st.builds("sqrt(1 + ({})^2)".format, e),
        st.builds("log(2 + cos({}))".format, e),
        st.builds("exp(sin({}))".format, e),
        st.builds("(1 + ({})^2)^(0.5*a)".format, e),
        st.builds("atan2({}, 3 + cos({}))".format, e, e),
    ).map(lambda text: text.replace("cbrt_of", "sinh"))


def _extend_kinked(e: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Kinks anywhere; jumps only of leaves, whose values are exact."""
    condition = st.builds("{} {} {}".format, exact_leaves, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers)
    joined = st.one_of(condition, st.builds("({}) {} {}".format, condition, st.sampled_from(["and", "or"]), condition))
    return st.one_of(
        _extend_smooth(e),
        st.builds("abs({})".format, e),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), e, e),
        st.builds("max({}, {}, {})".format, e, e, e),
        st.builds("where({}, {}, {})".format, joined, e, e),
        st.builds("where(not ({}), {}, {})".format, condition, e, e),
        st.builds("{}({})".format, st.sampled_from(["step", "sign", "floor"]), exact_leaves),
        st.builds("mod({}, 1.5)".format, exact_leaves),
        st.builds("sqrt_plus({})".format, e),
    )


smooth = st.recursive(leaves, _extend_smooth, max_leaves=8)
kinked = st.recursive(leaves, _extend_kinked, max_leaves=8)


class Part:
    """A number of fifty digits that remembers the largest part of the expression it came from."""

    largest: float = 0.0

    def __init__(self, value: Any) -> None:
        self.value = mpmath.mpf(value)
        Part.largest = max(Part.largest, float(abs(self.value)))


def _lifted(function: Any) -> Any:
    return lambda *parts: Part(function(*(p.value if isinstance(p, Part) else mpmath.mpf(p) for p in parts)))


def _compared(compare: Any) -> Any:
    return lambda a, b: compare(a.value, b.value if isinstance(b, Part) else mpmath.mpf(b))


for _name in ("add", "sub", "mul", "truediv", "pow"):
    _forward = _lifted(getattr(operator, _name))
    setattr(Part, f"__{_name}__", _forward)
    setattr(Part, f"__r{_name}__", lambda a, b, f=_forward: f(b, a))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Part, f"__{_name}__", _compared(getattr(operator, _name)))
Part.__neg__ = _lifted(operator.neg)  # type: ignore[attr-defined]

FUNCTIONS: dict[str, Any] = {
    **{name: _lifted(getattr(mpmath, name)) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "atan", "atan2")},
    **{name: _lifted(getattr(mpmath, name)) for name in ("sinh", "sech", "sign", "floor")},
    "abs": _lifted(abs),
    "min": _lifted(min),
    "max": _lifted(max),
    "mod": _lifted(lambda a, m: a - m * mpmath.floor(a / m)),
    "step": _lifted(lambda a: mpmath.mpf(a > 0)),
    "sqrt_plus": _lifted(lambda a: mpmath.sqrt(max(a, 0))),
    "exprel": _lifted(lambda a: mpmath.expm1(a) / a if a else mpmath.mpf(1)),
    "where": lambda condition, a, b: a if condition else b,
}


def direct(text: str, point: dict[str, Any]) -> mpmath.mpf:
    """The value by Python; discards examples with a part beyond the bound."""
    Part.largest = 0.0
    names = {name: Part(value) for name, value in point.items()}
    result = eval(text.replace("^", "**"), {"__builtins__": {}}, {**FUNCTIONS, **names, "pi": Part(mpmath.pi)})
    assume(Part.largest <= BOUND)
    return mpmath.mpf(result.value if isinstance(result, Part) else result)


def built(expression: str) -> _core.System:
    return _core.System.build("flow", f"x' = {expression}; y' = 0*x", {"a": 1.0}, {}, [("x", None), ("y", None)])


def arguments(point: dict[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array([[point["x"], point["y"]]]), np.array([point["t"]]), np.array([point["a"]])


@given(kinked, points)
@settings(max_examples=400, deadline=None)
@example("x^2^3", {"x": 1.1, "y": 0.0, "a": 0.0, "t": 0.0})
@example("-x^2", {"x": 1.1, "y": 0.0, "a": 0.0, "t": 0.0})
@example("2^-x", {"x": 1.1, "y": 0.0, "a": 0.0, "t": 0.0})
@example("x - y - a/x/y*t", {"x": 1.1, "y": 0.7, "a": 1.3, "t": 0.9})
def test_program_equals_direct_evaluation(expression: str, point: dict[str, float]) -> None:
    """Also: simplification keeps values, for the program is made from the simplified expression."""
    with mpmath.workdps(50):
        exact = direct(expression, point)
        found = built(expression).rhs(*arguments(point))[0, 0]
        assert abs(found - exact) <= VALUE * (1 + abs(exact))


@given(kinked, points)
@settings(max_examples=300, deadline=None)
def test_parse_of_print_is_the_identity(expression: str, point: dict[str, float]) -> None:
    system = built(expression)
    again = _core.System.build("flow", system.text, {"a": 1.0}, {}, [("x", None), ("y", None)])
    assert again.text == system.text
    assert again.rhs(*arguments(point)).tobytes() == system.rhs(*arguments(point)).tobytes()
    assert again.program_length == system.program_length


@given(smooth, points)
@settings(max_examples=300, deadline=None)
def test_derivative_equals_central_difference(expression: str, point: dict[str, float]) -> None:
    """In fifty digits, with a step of 1e-18, the central difference is right to 1e-30."""
    jacobian = built(expression).jacobian(*arguments(point))[0, 0]
    with mpmath.workdps(50):
        h = mpmath.mpf(10) ** -18
        for name, found in zip(("x", "y"), jacobian, strict=True):
            value = mpmath.mpf(point[name])
            high, low = (direct(expression, {**point, name: value + s * h}) for s in (1, -1))
            exact = (high - low) / (2 * h)
            assert abs(found - exact) <= DERIVATIVE * (1 + abs(exact)), name


@given(smooth, points)
@settings(max_examples=150, deadline=None)
def test_text_of_the_derivative_is_in_the_language(expression: str, point: dict[str, float]) -> None:
    assume("exprel" not in expression)
    system = built(expression)
    text = system.derivative_text("x")[0]
    found = built(text).rhs(*arguments(point))[0, 0]
    expected = system.jacobian(*arguments(point))[0, 0, 0]
    with mpmath.workdps(50):
        direct(expression, point)
    assert abs(found - expected) <= DERIVATIVE * (1 + abs(expected))


@given(kinked, points)
@settings(max_examples=150, deadline=None)
def test_numpy_source_equals_the_program(expression: str, point: dict[str, float]) -> None:
    assume("exprel" not in expression)
    with mpmath.workdps(50):
        direct(expression, point)
    system = built(expression)
    space: dict[str, Any] = {"np": np}
    exec(system.numpy_source(), space)
    x, t, p = arguments(point)
    expected = system.rhs(x, t, p)[0]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(space["rhs"](x[0], t[0], p), expected, rtol=VALUE, atol=VALUE)


# One use of each function of the language at x = 0.7, y = 1.3, and its value by Python.
EACH = {
    "exp(x)": "mpmath.exp(x)",
    "log(x)": "mpmath.log(x)",
    "sqrt(x)": "mpmath.sqrt(x)",
    "cbrt(x)": "mpmath.cbrt(x)",
    "sin(x)": "mpmath.sin(x)",
    "cos(x)": "mpmath.cos(x)",
    "tan(x)": "mpmath.tan(x)",
    "asin(x)": "mpmath.asin(x)",
    "acos(x)": "mpmath.acos(x)",
    "atan(x)": "mpmath.atan(x)",
    "atan2(x, y)": "mpmath.atan2(x, y)",
    "sinh(x)": "mpmath.sinh(x)",
    "cosh(x)": "mpmath.cosh(x)",
    "tanh(x)": "mpmath.tanh(x)",
    "sech(x)": "mpmath.sech(x)",
    "exprel(x)": "mpmath.expm1(x)/x",
    "exprel(x - 0.7)": "1 + (x - mpmath.mpf('0.7'))/2",
    "smooth_square(x, 2, y)": "mpmath.mpf(1)/2 + mpmath.tanh(y*mpmath.sin(mpmath.pi*x))/2",
    "abs(x - 1)": "1 - x",
    "sign(x - 1)": "-mpmath.mpf(1)",
    "floor(10*x + 0.5)": "mpmath.mpf(7)",
    "mod(10*y, 3)": "10*y - 12",
    "min(x, y, 2)": "x",
    "max(x, y, 1)": "y",
    "step(x)": "mpmath.mpf(1)",
    "step(x - 1)": "mpmath.mpf(0)",
    "sqrt_plus(x)": "mpmath.sqrt(x)",
    "sqrt_plus(x - 1)": "mpmath.mpf(0)",
    "power_plus(x, 1.5)": "x**1.5",
    "power_plus(x - 1, 1.5)": "mpmath.mpf(0)",
    "where(x < y and not x > 1 or x == 3, x*y, 0)": "x*y",
    "x^y": "x**y",
    "x^-2": "x**-2",
    "x**2": "x**2",
}
# A few units in the last place for a few operations; the central difference in fifty digits is exact.
ROUNDING = 1e-14
AT = {"x": 0.7, "y": 1.3, "a": 1.0, "t": 0.0}


def _by_python(formula: str, x: Any, y: Any) -> mpmath.mpf:
    return mpmath.mpf(eval(formula, {"mpmath": mpmath, "x": x, "y": y}))


@pytest.mark.parametrize("use", EACH)
def test_each_function(use: str) -> None:
    with mpmath.workdps(50):
        x, y, h = mpmath.mpf("0.7"), mpmath.mpf("1.3"), mpmath.mpf(10) ** -18
        system = built(use)
        assert abs(system.rhs(*arguments(AT))[0, 0] - _by_python(EACH[use], x, y)) <= 10 * ROUNDING
        by_x = (_by_python(EACH[use], x + h, y) - _by_python(EACH[use], x - h, y)) / (2 * h)
        by_y = (_by_python(EACH[use], x, y + h) - _by_python(EACH[use], x, y - h)) / (2 * h)
        np.testing.assert_allclose(
            system.jacobian(*arguments(AT))[0, 0], [float(by_x), float(by_y)], rtol=10 * ROUNDING, atol=10 * ROUNDING
        )


@pytest.mark.parametrize("use", EACH)
def test_each_function_in_numpy(use: str) -> None:
    system = bst.System.from_text(f"x' = {use}; y' = x", initial=[0.7, 1.3])
    many = np.array([[0.7, 0.7], [1.3, 1.3]])
    # NumPy evaluates both branches of a choice and warns about the one that is not taken.
    with np.errstate(invalid="ignore"):
        one, two = system.to_numpy()([0.7, 1.3]), system.to_numpy()(many)
    np.testing.assert_allclose(one, system.rhs([0.7, 1.3]), rtol=ROUNDING, atol=ROUNDING)
    np.testing.assert_allclose(two, system.rhs(many.T).T, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("use", EACH)
def test_each_derivative_as_text(use: str) -> None:
    system = built(use)
    expected = system.jacobian(*arguments(AT))[0, 0]
    for name, value in zip(("x", "y"), expected, strict=True):
        text = system.derivative_text(name)[0]
        assert built(text).rhs(*arguments(AT))[0, 0] == pytest.approx(value, rel=ROUNDING, abs=ROUNDING), text


# Left and right are the same number for every finite x and y, to the bit where only whole numbers occur.
IDENTITIES = [
    ("x + 0", "x"),
    ("0*x + y", "y"),
    ("1*x/1", "x"),
    ("x - x", "0"),
    ("-(-x)", "x"),
    ("x^1", "x"),
    ("x^0", "1"),
    ("2*3 + x", "x + 6"),
    ("x*2 - 2*x", "0"),
    ("sin(0) + cos(0)*x", "x"),
    ("where(1 < 2, x, y)", "x"),
    ("min(x, x)", "x"),
]


@pytest.mark.parametrize(("left", "right"), IDENTITIES)
def test_simplification_keeps_values(left: str, right: str) -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    t, p = np.zeros(50), np.ones(1)
    assert (built(left).rhs(x, t, p)[:, 0] == built(right).rhs(x, t, p)[:, 0]).all()


def test_simplification_keeps_what_is_undefined() -> None:
    """x/x is 1 wherever it is anything; it may be simplified to 1 or kept, but never become another number."""
    x, t, p = np.array([[0.0, 1.0], [2.0, 1.0]]), np.zeros(2), np.ones(1)
    quotient = built("x/x").rhs(x, t, p)[:, 0]
    assert quotient[1] == 1
    assert quotient[0] == 1 or np.isnan(quotient[0])
    assert built("log(x - 3)").rhs(x, t, p)[1, 0] != built("0").rhs(x, t, p)[1, 0]


@pytest.mark.parametrize("name", CATALOGUE)
def test_catalogue_prints_and_parses(name: str) -> None:
    system = bst.system(name)
    again = bst.System.from_toml(system.to_toml())
    assert again == system
    assert again.to_text() == system.to_text()
    x = system.initial * (1 + 0.01 * np.random.default_rng(0).normal(size=(5, system.dimension)))
    assert again.rhs(x).tobytes() == system.rhs(x).tobytes()


@pytest.mark.parametrize("name", [name for name in CATALOGUE if bst.system(name).kind != "delay"])
def test_catalogue_in_numpy(name: str) -> None:
    """Both evaluations round; what that can do is measured at states that differ in the last place."""
    system = bst.system(name)
    x = system.initial * (1 + 0.01 * np.random.default_rng(0).normal(size=(5, system.dimension)))
    f, g = system.rhs(x, 0.3), system.to_numpy()(x.T, 0.3).T
    slope = np.abs(system.jacobian(x, 0.3)) @ np.abs(x)[..., None]
    np.testing.assert_array_less(np.abs(f - g), 1e-13 * (np.abs(f) + slope[..., 0]) + 1e-300)
