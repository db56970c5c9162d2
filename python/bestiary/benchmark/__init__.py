"""
The benchmark: frozen tasks, a resumable runner, results as a table.

    task      what is learned from, what is forecast, how it is scored: small texts with a hash
    entrants  who takes part
    cell      one forecaster on one trajectory: a function of its arguments alone
    pool      cells side by side in processes that may be ended
    run       puts the above together

`bestiary.analysis` makes tables of the results, `bestiary.report` a page.
"""

from .entrants import DirectForest
from .run import benchmark, provenance, read
from .task import Task, task, tasks

__all__ = ["DirectForest", "Task", "benchmark", "provenance", "read", "task", "tasks"]
