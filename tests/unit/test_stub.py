"""`_core.pyi` says what the compiled module has: no name more or less, and the same arguments."""

import ast
import inspect
from pathlib import Path

import pytest

import bestiary
from bestiary import _core

STUB = ast.parse((Path(bestiary.__file__).parent / "_core.pyi").read_text())
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
VALUES = {node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign)}


def members(node):
    return {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}


def decorated(node, name):
    return any(isinstance(item, ast.Name) and item.id == name for item in node.decorator_list)


def stated(node):
    """Positional names, keyword-only names, and which of both have defaults."""
    arguments = node.args
    positional = [argument.arg for argument in arguments.posonlyargs + arguments.args if argument.arg != "self"]
    defaulted = set(positional[len(positional) - len(arguments.defaults) :]) if arguments.defaults else set()
    keyword = [argument.arg for argument in arguments.kwonlyargs]
    defaulted |= {name for name, default in zip(keyword, arguments.kw_defaults, strict=True) if default is not None}
    return positional, sorted(keyword), defaulted


def compiled(function):
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name not in ("self", "$self")]
    positional = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    keyword = sorted(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    return positional, keyword, {p.name for p in parameters if p.default is not p.empty}


def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


def test_names():
    assert public(_core) == {name for name in (*FUNCTIONS, *CLASSES) if not name.startswith("_")}
    assert all(hasattr(_core, name) for name in VALUES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name):
    assert compiled(getattr(_core, name)) == stated(FUNCTIONS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_class(name):
    cls, node = getattr(_core, name), CLASSES[name]
    if issubclass(cls, Exception):
        assert [base.id for base in node.bases] == [base.__name__ for base in cls.__bases__]
        return
    assert public(cls) == {member for member in members(node) if not member.startswith("_")}
    for member, definition in members(node).items():
        if decorated(definition, "property"):
            assert inspect.isgetsetdescriptor(getattr(cls, member)), member
        else:
            target = cls if member == "__init__" else getattr(cls, member)
            assert compiled(target) == stated(definition), member
