"""SciPy: DOP853, or LSODA (faster there than Radau) for stiff systems; right-hand sides are Python functions."""

import numpy as np
import scipy
from scipy.integrate import solve_ivp
from workloads import Array, Run, Unsupported, Workload

NAME = "scipy"
VERSION = scipy.__version__


def prepare(work: Workload, threads: int) -> Run:
    if work.initial.shape[0] > 1:
        raise Unsupported("no ensembles")
    if work.variants > 1:
        raise Unsupported("compiles nothing; see the rows of one trajectory")
    names = ", ".join(work.equations)
    source = f"def rhs(t, state):\n    {names} = state\n    return [{', '.join(work.equations.values())}]\n"

    def run() -> Array:
        space = {"sin": np.sin, "cos": np.cos, "exp": np.exp, "pi": np.pi}
        exec(source, space)
        method = work.method or ("LSODA" if work.stiff else "DOP853")
        span = (0.0, work.times[-1])
        options = {"rtol": work.tolerance, "atol": work.tolerance, "t_eval": work.times}
        result = solve_ivp(space["rhs"], span, work.initial[0], method, **options)
        return result.y.T[None]

    return run
