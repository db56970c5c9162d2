"""
Right-hand sides of the dysts collection at given states: a JSON table in, one out. Runs where dysts is installed.

Only the equations are wanted. Packages that dysts draws in for other ends (storage, plotting, statistics) need not be
there: whatever cannot be found is replaced by a stand-in that takes everything and does nothing.
"""

import importlib
import importlib.abc
import importlib.machinery
import json
import sys
import warnings
from unittest.mock import MagicMock

import numpy as np


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """For the packages named in `absent`."""

    absent: set[str] = set()  # noqa: RUF012

    def find_spec(self, name, path=None, target=None):
        return (
            importlib.machinery.ModuleSpec(name, self, is_package=True) if name.split(".")[0] in self.absent else None
        )

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__spec__, module.__path__, module.__name__ = spec, [], spec.name
        return module

    def exec_module(self, module):
        pass


def evaluate(model, kind, row):
    states, times = np.array(row["states"]), np.array(row["times"])
    if kind == "map":
        return np.array([np.ravel(model._rhs(*x, *model.param_list)) for x in states])
    if kind == "delay":
        pairs = zip(states[:, 0], np.array(row["delayed"])[:, 0], times, strict=True)
        return np.array([[model._rhs(x, past, t, *model.param_list)] for x, past, t in pairs])
    return np.array([np.ravel(model.rhs(x, t)) for x, t in zip(states, times, strict=True)])


def collection():
    """The package, with stand-ins for what its import misses."""
    sys.meta_path.append(StandIns())
    while True:
        try:
            importlib.import_module("dysts.flows")
            importlib.import_module("dysts.maps")
            return sys.modules["dysts"]
        except ModuleNotFoundError as error:
            package = (error.name or "").split(".")[0]
            if package in ("", "dysts", *StandIns.absent):
                raise
            StandIns.absent.add(package)
            for name in [name for name in sys.modules if name.split(".")[0] == "dysts"]:
                del sys.modules[name]


def main():
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    dysts = collection()

    results = {}
    for name, row in json.load(sys.stdin).items():
        home = dysts.maps if row["kind"] == "map" else dysts.flows
        if not hasattr(home, name):
            results[name] = {"missing": True}
            continue
        model = getattr(home, name)()
        values = evaluate(model, row["kind"], row)
        results[name] = {"rhs": [[float(value) for value in each] for each in values]}
        results[name]["initial"] = np.atleast_2d(np.asarray(model.ic, dtype=float))[0].tolist()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
