"""
A neural network as the right-hand side of a differential equation, alone or beside known equations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .base import Fixed, Network, StateNetwork
from .layers import Linear, drawn_from

__all__ = ["Field"]

# Of the last layer at first, where it corrects known equations: the correction begins small.
_SMALL = 0.1


class Known(eqx.Module):
    """Known equations x' = f(x, p) in the units of the network: standardised states, and samples as time."""

    parameters: Fixed
    mean: Fixed
    scale: Fixed
    dt: Fixed
    source: str = eqx.field(static=True)

    def __init__(self, source: str, parameters: Any, mean: Any, scale: Any, dt: float) -> None:
        self.source = source
        self.parameters, self.mean, self.scale, self.dt = (
            Fixed(jnp.asarray(value)) for value in (parameters, mean, scale, dt)
        )

    def __call__(self, z: Any) -> Any:
        x = self.mean.value + self.scale.value * z
        slopes = _compiled(self.source)(jnp.moveaxis(x, -1, 0), 0.0, self.parameters.value)
        return jnp.moveaxis(slopes, 0, -1) * self.dt.value / self.scale.value


@lru_cache(maxsize=64)
def _compiled(source: str) -> Callable[[Any, Any, Any], Any]:
    """The function that `System.to_numpy` writes, with JAX in the place of NumPy."""
    # What JAX lacks of it: the silence around conditions, and the nodes by which `exprel` integrates.
    numpy = SimpleNamespace(**{**vars(jnp), "errstate": np.errstate, "polynomial": np.polynomial})
    space: dict[str, Any] = {"np": numpy, "numpy": numpy}
    exec(source, space)
    function: Callable[[Any, Any, Any], Any] = space["rhs"]
    return function


class Field(StateNetwork):
    """
    z' = known(z) + gain * layers(z), advanced by classical Runge-Kutta steps, so many in a sample.

    Trained on windows each of which begins at a sample (multiple shooting); gradients pass through the steps.
    """

    layers: list[Linear]
    gain: Fixed
    known: Known | None
    substeps: int = eqx.field(static=True)

    def __init__(self, dimension: int, width: int, depth: int, *, substeps: int, known: Known | None, key: Any) -> None:
        generator = drawn_from(key)
        sizes = [dimension, *[width] * depth, dimension]
        self.layers = [Linear(a, b, generator) for a, b in pairwise(sizes)]
        if known is not None:
            last = self.layers[-1]
            self.layers[-1] = eqx.tree_at(
                lambda layer: (layer.weight, layer.bias), last, (_SMALL * last.weight, _SMALL * last.bias)
            )
        self.gain = Fixed(jnp.ones(dimension))
        self.known, self.substeps = known, substeps

    def fitted(self, windows: Any) -> Network:
        gain = np.std(np.diff(windows, axis=1), axis=(0, 1))
        return eqx.tree_at(lambda net: net.gain.value, self, jnp.asarray(gain, self.gain.value.dtype))

    def slope(self, z: Any) -> Any:
        """The right-hand side at standardised states (…, d), per sample."""
        x = z
        for layer in self.layers[:-1]:
            x = jnp.tanh(layer(x))
        slope = self.gain.value * self.layers[-1](x)
        return slope if self.known is None else slope + self.known(z)

    def advanced(self, z: Any) -> Any:
        """States one sample later."""
        h = 1.0 / self.substeps
        for _ in range(self.substeps):
            k1 = self.slope(z)
            k2 = self.slope(z + 0.5 * h * k1)
            k3 = self.slope(z + 0.5 * h * k2)
            k4 = self.slope(z + h * k3)
            z = z + h / 6 * (k1 + 2 * (k2 + k3) + k4)
        return z

    def loss(self, windows: Any, state: Any, key: Any) -> Any:
        def shot(z: Any, sample: Any) -> tuple[Any, Any]:
            z = self.advanced(z)
            return z, jnp.sum((z - sample) ** 2)

        samples = jnp.moveaxis(windows[:, 1:], 1, 0)
        return jax.lax.scan(jax.checkpoint(shot), windows[:, 0], samples)[1].sum() / samples.size

    def start(self, past: Any) -> Any:
        return past[-1]

    def step(self, state: Any) -> tuple[Any, Any]:
        state = self.advanced(state)
        return state, state
