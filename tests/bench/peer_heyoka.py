"""heyoka: Taylor series compiled by LLVM. Batches of its recommended width for ensembles."""

import heyoka as hy
import numpy as np
from workloads import MANY, Array, Run, Unsupported, Workload

NAME = "heyoka"
VERSION = hy.__version__
hy.llvm_state.set_diskcache_enabled(False)  # rows that count compiling must compile


def prepare(work: Workload, threads: int) -> Run:
    names = list(work.equations)
    variables = hy.make_vars(*names)
    functions = {"sin": hy.sin, "cos": hy.cos, "exp": hy.exp, "pi": np.pi, "t": hy.time}
    known = {**functions, **dict(zip(names, variables, strict=True))}
    width = hy.recommended_simd_size()
    members, d = work.initial.shape
    if work.stiff or work.method:
        raise Unsupported("explicit series only")
    if work.variants > MANY:
        raise Unsupported("compiles each; see the row of fewer")

    def system(k: int) -> list[tuple[hy.expression, hy.expression]]:
        rights = (eval(right, {"__builtins__": {}}, known) for right in work.system(k).values())
        return list(zip(variables, rights, strict=True))

    def one(integrator: hy.taylor_adaptive) -> Array:
        integrator.time = 0.0
        integrator.state[:] = work.initial[0]
        return integrator.propagate_grid(work.times)[-1][None]

    if members == 1:
        if work.include_build:

            def from_text() -> Array:
                hy.llvm_state.clear_memcache()
                systems = (system(k) for k in range(work.variants))
                return np.concatenate(
                    [one(hy.taylor_adaptive(equations, work.initial[0], tol=work.tolerance)) for equations in systems]
                )

            return from_text
        scalar = hy.taylor_adaptive(system(0), work.initial[0], tol=work.tolerance)
        return lambda: one(scalar)

    if members % width:
        raise Unsupported(f"members are not a multiple of the batch of {width}")
    batch = hy.taylor_adaptive_batch(system(0), np.zeros((d, width)), tol=work.tolerance)

    def start(integrator: hy.taylor_adaptive_batch, i: int) -> hy.taylor_adaptive_batch:
        integrator.set_time(0.0)
        integrator.state[:] = work.initial[i * width : (i + 1) * width].T
        return integrator

    def run() -> Array:
        results = hy.ensemble_propagate_grid_batch(batch, work.times, members // width, start, max_workers=threads)
        return np.concatenate([np.moveaxis(result[-1], -1, 0) for result in results])

    return run
