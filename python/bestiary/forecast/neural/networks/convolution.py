"""
Causal dilated convolutions along time.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from .base import BlockNetwork, dropout

__all__ = ["TemporalConvolution"]


class Convolution(eqx.Module):
    """A causal convolution: what comes out at a sample depends on it and on earlier ones `dilation` apart."""

    weight: Any
    bias: Any
    dilation: int = eqx.field(static=True)

    def __init__(self, inputs: int, outputs: int, size: int, dilation: int, *, key: Any) -> None:
        first, second = jax.random.split(key)
        bound = (inputs * size) ** -0.5
        self.weight = jax.random.uniform(first, (size, inputs, outputs), minval=-bound, maxval=bound)
        self.bias = jax.random.uniform(second, (outputs,), minval=-bound, maxval=bound)
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

    layers: list[tuple[Convolution, Convolution, eqx.nn.Linear]]
    head: eqx.nn.Linear
    rate: float = eqx.field(static=True)

    def __init__(
        self, *frame: Any, filters: int, kernel_size: int, levels: int, base: int, rate: float, key: Any
    ) -> None:
        super().__init__(*frame)
        *keys, last = jax.random.split(key, 3 * levels + 1)
        self.layers = []
        for level in range(levels):
            inputs = filters if level else self.dimension
            first, second, skip = keys[3 * level : 3 * level + 3]
            self.layers.append(
                (
                    Convolution(inputs, filters, kernel_size, base**level, key=first),
                    Convolution(filters, filters, kernel_size, base**level, key=second),
                    eqx.nn.Linear(inputs, filters, key=skip),
                )
            )
        self.head = eqx.nn.Linear(filters, self.block * self.dimension, key=last)
        self.rate = rate

    @property
    def positions(self) -> int:
        return (self.lookback + 1) // 2

    def blocks_of(self, x: Any, key: Any) -> Any:
        for number, (first, second, skip) in enumerate(self.layers):
            keys = [None, None] if key is None else jax.random.split(jax.random.fold_in(key, number))
            y = dropout(jax.nn.relu(first(x)), self.rate, keys[0])
            y = dropout(jax.nn.relu(second(y)), self.rate, keys[1])
            x = jax.nn.relu(y + jax.vmap(skip)(x))
        return jax.vmap(self.head)(x[-self.positions :]).reshape(self.positions, self.block, -1)
