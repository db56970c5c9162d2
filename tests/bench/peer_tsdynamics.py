"""TSDynamics: its own collection, Rust interpreter and compiler; DOP853 is its most precise explicit method."""

from importlib.metadata import version

import numpy as np
import tsdynamics as ts
from workloads import Array, Run, Unsupported, Workload

NAME = "tsdynamics"
VERSION = version("tsdynamics")


def prepare(work: Workload, threads: int) -> Run:
    if work.builtin is None:
        raise Unsupported("not in its collection in this form")
    system = getattr(ts.systems, work.builtin)()
    options = {
        "final_time": work.duration,
        "dt": work.duration / work.n,
        "solver": work.method or "DOP853",
        "rtol": work.tolerance,
        "atol": work.tolerance,
    }

    def run() -> Array:
        if len(work.initial) == 1:
            return np.asarray(system.run(ic=work.initial[0], **options).y)[None]
        batch = system.ensemble(work.initial).run(**options)
        return np.array([np.asarray(trajectory.y) for trajectory in batch])

    return run
