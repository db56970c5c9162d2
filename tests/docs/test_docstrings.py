"""The examples in the docstrings run, in every module of the package."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import bestiary

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
MODULES = ["bestiary", *(found.name for found in pkgutil.walk_packages(bestiary.__path__, "bestiary."))]


def examples(module: ModuleType) -> list[doctest.DocTest]:
    return [test for test in doctest.DocTestFinder(exclude_empty=True).find(module) if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    said: list[str] = []
    for test in examples(module):
        runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_what_a_newcomer_meets_first_has_examples() -> None:
    """Also a guard of the test above: the examples are found."""
    with_examples = {test.name for name in MODULES for test in examples(importlib.import_module(name))}
    assert {"bestiary", "bestiary.system.System", "bestiary.dataset.generate.generate"} <= with_examples
