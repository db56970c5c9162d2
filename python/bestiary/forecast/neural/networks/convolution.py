"""
Causal dilated convolutions along time.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .base import BlockNetwork
from .layers import Linear, drawn_from, dropout, uniform

__all__ = ["TemporalConvolution"]


class Convolution(eqx.Module):
    """A causal convolution: what comes out at a sample depends on it and on earlier ones `dilation` apart."""

    weight: Any
    bias: Any
    dilation: int = eqx.field(static=True)

    def __init__(self, inputs: int, outputs: int, size: int, dilation: int, generator: np.random.Generator) -> None:
        bound = (inputs * size) ** -0.5
        self.weight = uniform(generator, bound, size, inputs, outputs)
        self.bias = uniform(generator, bound, outputs)
        self.dilation = dilation

    def __call__(self, x: Any) -> Any:
        """From (n, inputs) to (n, outputs); before the first sample there are zeros."""
        size, n = len(self.weight), len(x)
        padded = jnp.concatenate([jnp.zeros(((size - 1) * self.dilation, x.shape[1]), x.dtype), x])
        shifted = jnp.concatenate([padded[i * self.dilation : i * self.dilation + n] for i in range(size)], axis=1)
        return shifted @ self.weight.reshape(-1, self.weight.shape[2]) + self.bias


class TemporalConvolution(BlockNetwork):
    """
    Residual blocks of two causal convolutions with ReLU and dropout, their dilation doubled from block to block, and a
    linear map to a block of samples. It is trained on what follows on each sample of the second half of the past.
    """

    layers: list[tuple[Convolution, Convolution, Linear]]
    head: Linear
    rate: float = eqx.field(static=True)

    def __init__(
        self, *frame: Any, filters: int, kernel_size: int, levels: int, base: int, rate: float, key: Any
    ) -> None:
        super().__init__(*frame)
        generator = drawn_from(key)
        self.layers = []
        for level in range(levels):
            inputs = filters if level else self.dimension
            self.layers.append(
                (
                    Convolution(inputs, filters, kernel_size, base**level, generator),
                    Convolution(filters, filters, kernel_size, base**level, generator),
                    Linear(inputs, filters, generator),
                )
            )
        self.head = Linear(filters, self.block * self.dimension, generator)
        self.rate = rate

    @property
    def positions(self) -> int:
        return (self.lookback + 1) // 2

    def blocks_of(self, x: Any, key: Any) -> Any:
        for number, (first, second, skip) in enumerate(self.layers):
            keys = [None, None] if key is None else jax.random.split(jax.random.fold_in(key, number))
            y = dropout(jax.nn.relu(first(x)), self.rate, keys[0])
            y = dropout(jax.nn.relu(second(y)), self.rate, keys[1])
            x = jax.nn.relu(y + skip(x))
        return self.head(x[-self.positions :]).reshape(self.positions, self.block, -1)
