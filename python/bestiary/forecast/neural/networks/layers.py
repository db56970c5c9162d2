"""
Layers: they act on the last axis of arrays with any axes before it.

First weights are drawn with NumPy, because JAX compiles its random numbers anew for each shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["ACTIVATIONS", "Dense", "Linear", "Norm", "drawn_from", "dropout", "uniform"]

# By name, because these functions cannot be pickled.
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": jax.nn.relu,
    "gelu": jax.nn.gelu,
    "tanh": jnp.tanh,
    "silu": jax.nn.silu,
}


def drawn_from(key: Any) -> np.random.Generator:
    """A generator of first weights, a function of the key."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def uniform(generator: np.random.Generator, bound: float, *shape: int) -> Any:
    return jnp.asarray(generator.uniform(-bound, bound, shape))


def dropout(x: Any, rate: float, key: Any) -> Any:
    """x with a fraction `rate` of its numbers dropped and the rest scaled up; as it is where there is no key."""
    if key is None or rate == 0:
        return x
    kept = jax.random.bernoulli(key, 1 - rate, x.shape)
    return jnp.where(kept, x / (1 - rate), 0.0)


class Linear(eqx.Module):
    """An affine map, its weights uniform in ±1/√inputs at first (LeCun et al. 1998, Efficient BackProp)."""

    weight: Any
    bias: Any

    def __init__(self, inputs: int, outputs: int, generator: np.random.Generator) -> None:
        bound = inputs**-0.5
        self.weight = uniform(generator, bound, inputs, outputs)
        self.bias = uniform(generator, bound, outputs)

    def __call__(self, x: Any) -> Any:
        return x @ self.weight + self.bias


class Norm(eqx.Module):
    """Layer normalisation (Ba, Kiros & Hinton 2016, arXiv:1607.06450)."""

    scale: Any
    shift: Any

    def __init__(self, size: int) -> None:
        self.scale, self.shift = jnp.ones(size), jnp.zeros(size)

    def __call__(self, x: Any) -> Any:
        centred = x - jnp.mean(x, axis=-1, keepdims=True)
        spread = jnp.sqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
        return centred / spread * self.scale + self.shift


class Dense(eqx.Module):
    """Layers of units, each but the last with the activation."""

    layers: list[Linear]
    activation: str = eqx.field(static=True)

    def __init__(self, sizes: Sequence[int], activation: str, generator: np.random.Generator) -> None:
        self.layers = [Linear(m, n, generator) for m, n in pairwise(sizes)]
        self.activation = activation

    def __call__(self, x: Any) -> Any:
        for layer in self.layers[:-1]:
            x = ACTIVATIONS[self.activation](layer(x))
        return self.layers[-1](x)
