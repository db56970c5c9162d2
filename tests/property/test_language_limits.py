"""Texts that no person would write: each gives an error, quickly, and never a panic or a hang."""

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bestiary as bst

# What a laptop needs for a text of a million characters is some milliseconds.
QUICK = 1.0

TOO_MUCH = {
    "a million characters": ("x' = " + "+".join(["x"] * 500_000), "characters"),
    "a name of a million characters": ("x' = " + "q" * 1_000_001, "characters"),
    "a thousand parentheses": ("x' = " + "(" * 1000 + "x" + ")" * 1000, "nest|deep"),
    "a thousand powers": ("x' = " + "^".join(["x"] * 1001), "nest|deep"),
    "a thousand minus signs": ("x' = " + "-" * 1000 + "x", "nest|deep|minus"),
    "a thousand calls": ("x' = " + "sin(" * 1000 + "x" + ")" * 1000, "nest|deep"),
    "a cycle of two": ("x' = a; a = b + 1; b = a*2", "a|b"),
    "a cycle of one": ("x' = a; a = a + 1", "itself|cycl|circ"),
    "a function of itself": ("x' = f(x); f(u) = f(u - 1)", "itself|cycl|circ"),
    "a cycle of functions": ("x' = f(x); f(u) = g(u); g(u) = f(u)", "itself|cycl|circ"),
    "a parenthesis never closed": ("x' = (x + 1", "never closed"),
    "a parenthesis never opened": ("x' = x + 1)", "line 1, column 11"),
    "a power of one half": ("x' = x^1/2", "1/2"),
    "a number too large": ("x' = 1e999*x", "line 1"),
    "an unknown function": ("x' = sni(x)", '"?sin"?'),
    "an unknown name": ("y0 = 1; x' = yo", "y0|yo"),
    "too many arguments": ("x' = sin(x, 2)", "sin"),
    "no operator": ("x' = 2 x", "line 1, column 8"),
    "twice": ("x' = x; x' = -x", "x"),
    "an empty right side": ("x' = ", "line 1"),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_refused_quickly(case: str) -> None:
    text, message = TOO_MUCH[case]
    began = time.perf_counter()
    with pytest.raises(bst.LanguageError, match=message) as caught:
        bst._core.System.build("flow", text, {}, {}, [("x", None)])
    assert time.perf_counter() - began < QUICK
    assert len(str(caught.value)) < 1000, "the message repeats the text"


def test_errors_point_at_the_character() -> None:
    with pytest.raises(bst.LanguageError) as caught:
        bst.System.from_text("x' = y\ny' = -x + * 2", initial=[1, 1])
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("line 2, column 11: ")
    assert lines[2].index("^") - 2 == "y' = -x + * 2".index("*")
    assert "y' = -x + * 2" in lines[1]


GROWING = {
    "definitions": "x' = d40; d0 = x; " + "; ".join(f"d{i + 1} = sin(d{i})*cos(d{i})" for i in range(40)),
    "functions": "x' = f30(x); f0(u) = u*u + 1; " + "; ".join(f"f{i + 1}(u) = f{i}(f{i}(u))" for i in range(30)),
    "sums": "x' = " + "".join(f"sum(i{k} = 1..1000, " for k in range(5)) + "x" + ")" * 5,
}
USE = """
import bestiary as bst
try:
    system = bst._core.System.build("flow", {text!r}, {{}}, {{}}, [("x", None)])
    system.derivative_text("x"), system.numpy_source(), system.latex(), system.text
    print("done")
except ValueError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("case", GROWING)
def test_short_texts_of_enormous_meaning(case: str) -> None:
    """A definition used twice, forty times over, means 2^40 terms: shared or refused, but not written out."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
    code = limit + USE.format(text=GROWING[case])
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=10)
    assert answer.stdout.startswith(("done", "refused")), answer.stderr[-500:]


MARKS = ["+", "-", "*", "/", "^", "**", "(", ")", "[", "]", ",", ";", "=", "<", "<=", "==", "'", ".", "#", '"', "…"]
STEMS = ["x", "y", "x'", "next(x)", "noise(x)", "a", "K[1,2]", "t", "pi", "i", "f(u)", "λ", "é", "x(t-1)"]
OPENING = ["sum(i,", "where(", "sin(", "min(", "exprel(", "and", "or", "not"]
NUMBERS = ["1", "2.5", "1e", "1e-3", "1..N"]
words = st.sampled_from([*MARKS, *STEMS, *OPENING, *NUMBERS, " = ", " ", "\t", "\n", "\u0000"])
texts = st.one_of(st.lists(words, max_size=40).map("".join), st.text(max_size=60))


@given(texts, st.sampled_from(["flow", "map", "delay"]))
@settings(max_examples=1000, deadline=2000)
def test_any_text_is_a_system_or_an_error(text: str, kind: str) -> None:
    try:
        system = bst._core.System.build(kind, text, {"a": 1.0}, {"N": 3}, [("x", None)])
    except ValueError:
        return
    again = bst._core.System.build(kind, system.text, {"a": 1.0}, {"N": 3}, [("x", None)])
    assert again.text == system.text
