"""diffrax: Dopri8 on JAX in float64, vectorised over members and compiled by XLA before the clock starts."""

import functools
from collections.abc import Callable
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
    method = work.method or ("Kvaerno5" if work.stiff else "Dopri8")
    key = (tuple(work.equations.items()), work.n, work.duration, method)

    def run() -> Array:
        function = compiled.__wrapped__(*key) if work.include_build else compiled(*key)
        return np.asarray(function(jnp.asarray(work.initial), work.tolerance))

    return run


@functools.cache
def compiled(equations: tuple[tuple[str, str], ...], n: int, duration: float, method: str) -> Callable[..., jax.Array]:
    """From states (m, d) and a tolerance to samples; one compilation serves all tolerances."""
    functions = {"sin": jnp.sin, "cos": jnp.cos, "exp": jnp.exp, "pi": np.pi}
    times = jnp.arange(n) * (duration / n)

    def rhs(t, state, _):
        known = {**functions, "t": t, **{name: state[i] for i, (name, _) in enumerate(equations)}}
        return jnp.stack([eval(right, {"__builtins__": {}}, known) for _, right in equations])

    def solve(state, tolerance):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(rhs),
            getattr(diffrax, method)(),
            t0=0.0,
            t1=times[-1],
            dt0=None,
            y0=state,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
            max_steps=None,
        ).ys

    return jax.jit(jax.vmap(solve, in_axes=(0, None)))
