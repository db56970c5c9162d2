"""
Linear maps from the last samples to the next ones.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .base import BlockNetwork, Network
from .layers import drawn_from, uniform

__all__ = ["DecomposedLinear", "NormalisedLinear"]


class Along(eqx.Module):
    """A linear map along time: the same for all coordinates, or one for each."""

    weight: Any
    bias: Any

    def __init__(self, size: int, new: int, copies: int, generator: np.random.Generator) -> None:
        bound = size**-0.5
        self.weight = uniform(generator, bound, copies, new, size)
        self.bias = uniform(generator, bound, copies, new)

    def __call__(self, x: Any) -> Any:
        """From (size, d) to (new, d)."""
        d = x.shape[1]
        weight = jnp.broadcast_to(self.weight, (d, *self.weight.shape[1:]))
        return jnp.einsum("dji,id->jd", weight, x) + jnp.broadcast_to(self.bias, (d, self.bias.shape[1])).T


class _Linear(BlockNetwork):
    individual: bool = eqx.field(static=True)

    def fitted(self, windows: Any) -> Network:
        network = super().fitted(windows)
        if self.individual:
            return network
        # A map that is the same for all coordinates needs a unit that is.
        gain = network.gain.value
        common = jnp.sqrt(jnp.sum(gain**2, axis=1, keepdims=True) / jnp.maximum(jnp.sum(gain > 0, axis=1)[:, None], 1))
        return eqx.tree_at(lambda network: network.gain.value, network, jnp.where(gain > 0, common, 0.0))


class NormalisedLinear(_Linear):
    """The last sample is taken off before a linear map along time, and put on again after it."""

    along: Along

    def __init__(self, *frame: Any, individual: bool, key: Any) -> None:
        super().__init__(*frame)
        self.individual = individual
        self.along = Along(self.lookback, self.block, frame[-1] if individual else 1, drawn_from(key))

    def block_of(self, x: Any, key: Any) -> Any:
        change = self.along(x - x[-1])
        return change if self.increments else change + x[-1]


class DecomposedLinear(_Linear):
    """Moving average and remainder are each continued by a linear map along time."""

    kernel_size: int = eqx.field(static=True)
    trend: Along
    remainder: Along

    def __init__(self, *frame: Any, individual: bool, kernel_size: int, key: Any) -> None:
        super().__init__(*frame)
        self.individual, self.kernel_size = individual, kernel_size
        generator = drawn_from(key)
        copies = frame[-1] if individual else 1
        self.trend = Along(self.lookback, self.block, copies, generator)
        self.remainder = Along(self.lookback, self.block, copies, generator)

    def block_of(self, x: Any, key: Any) -> Any:
        before = (self.kernel_size - 1) // 2
        after = self.kernel_size - 1 - before
        padded = jnp.concatenate([jnp.repeat(x[:1], before, axis=0), x, jnp.repeat(x[-1:], after, axis=0)])
        average = sum(padded[i : i + len(x)] for i in range(self.kernel_size)) / self.kernel_size
        return self.trend(average) + self.remainder(x - average)
