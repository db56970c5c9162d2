"""diffrax: Dopri8 on JAX in float64, vectorised over members and compiled by XLA before the clock starts."""

from importlib.metadata import version

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from workloads import Array, Run, Unsupported, Workload

NAME = "diffrax"
VERSION = version("diffrax")
jax.config.update("jax_enable_x64", True)


def prepare(work: Workload, threads: int) -> Run:
    if work.variants > 1:
        raise Unsupported("compiles for seconds a system")
    functions = {"sin": jnp.sin, "cos": jnp.cos, "exp": jnp.exp, "pi": np.pi}

    def rhs(t, state, _):
        known = {**functions, "t": t, **{name: state[i] for i, name in enumerate(work.equations)}}
        return jnp.stack([eval(right, {"__builtins__": {}}, known) for right in work.equations.values()])

    solver = diffrax.Kvaerno5() if work.stiff else diffrax.Dopri8()

    def solve(state):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(rhs),
            solver,
            t0=0.0,
            t1=float(work.times[-1]),
            dt0=None,
            y0=state,
            saveat=diffrax.SaveAt(ts=jnp.asarray(work.times)),
            stepsize_controller=diffrax.PIDController(rtol=work.tolerance, atol=work.tolerance),
            max_steps=None,
        ).ys

    def run() -> Array:
        function = jax.jit(jax.vmap(solve)) if work.include_build else compiled
        return np.asarray(function(jnp.asarray(work.initial)))

    compiled = jax.jit(jax.vmap(solve))
    return run
