"""
The benchmark: frozen tasks, a resumable runner, results as a table.

    task      what is learned from, what is forecast, how it is scored: small texts with a hash
    entrants  who takes part
    cell      one forecaster on one trajectory: a function of its arguments alone
    attractor what a long free run says of the forecaster's own attractor
    pool      cells side by side in processes that may be ended
    run       puts the above together

`bestiary.analysis` makes tables of the results, `bestiary.report` a page.

The module may be called: `bestiary.benchmark("dysts-2021", …)` is `bestiary.benchmark.benchmark("dysts-2021", …)`.
"""

import sys
from types import ModuleType
from typing import Any

from .entrants import DirectForest
from .run import benchmark, provenance, read
from .task import Task, task, tasks

__all__ = ["DirectForest", "Task", "benchmark", "provenance", "read", "task", "tasks"]


class _Callable(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return benchmark(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
