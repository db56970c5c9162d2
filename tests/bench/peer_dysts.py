"""dysts: the reference collection, by its own `make_trajectory` with its own choice of method."""

import inspect
from importlib.metadata import version

import dysts.flows
import numpy as np
from workloads import Run, Unsupported, Workload

NAME = "dysts"
VERSION = version("dysts")


def prepare(work: Workload, threads: int) -> Run:
    raise Unsupported("see the row of the whole catalogue")


def catalogue(names: list[str]) -> Run:
    """1000 points at 100 per period of each named system at the tolerance it uses for its datasets, 1e-12."""
    systems = [getattr(dysts.flows, name)() for name in names]

    def last(system):
        options = {"pts_per_period": 100, "rtol": 1e-12, "atol": 1e-12}
        known = inspect.signature(system.make_trajectory).parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
            options = {key: value for key, value in options.items() if key in known}
        result = system.make_trajectory(1000, **options)
        return np.nan if result is None else float(np.asarray(result).ravel()[-1])

    return lambda: np.array([last(system) for system in systems])


def flows() -> list[str]:
    return [name for name in dir(dysts.flows) if inspect.isclass(getattr(dysts.flows, name))]
