"""
Networks of dense layers on the flattened past.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from .base import BlockNetwork, Dense, dropout

__all__ = ["DenseEncoder", "Perceptron"]


class Perceptron(BlockNetwork):
    """Dense layers from the flattened past to the flattened future."""

    dense: Dense

    def __init__(self, *frame: Any, widths: Sequence[int], activation: str, key: Any) -> None:
        super().__init__(*frame)
        sizes = [self.lookback * self.dimension, *widths, self.block * self.dimension]
        self.dense = Dense(sizes, activation, key=key)

    def block_of(self, x: Any, key: Any) -> Any:
        return self.dense(x.reshape(-1)).reshape(self.block, -1)


class Residual(eqx.Module):
    """A hidden layer with ReLU and dropout beside a linear skip, then layer normalisation."""

    hidden: eqx.nn.Linear
    out: eqx.nn.Linear
    skip: eqx.nn.Linear
    norm: eqx.nn.LayerNorm | None
    rate: float = eqx.field(static=True)

    def __init__(self, size: int, width: int, new: int, rate: float, layer_norm: bool, *, key: Any) -> None:
        first, second, third = jax.random.split(key, 3)
        self.hidden = eqx.nn.Linear(size, width, key=first)
        self.out = eqx.nn.Linear(width, new, key=second)
        self.skip = eqx.nn.Linear(size, new, key=third)
        self.norm = eqx.nn.LayerNorm(new) if layer_norm else None
        self.rate = rate

    def __call__(self, x: Any, key: Any) -> Any:
        y = dropout(self.out(jax.nn.relu(self.hidden(x))), self.rate, key) + self.skip(x)
        return y if self.norm is None else self.norm(y)


class DenseEncoder(BlockNetwork):
    """
    Residual blocks that encode the past into a vector and decode it into one vector for each sample to come, of which
    a further block makes the sample; a linear map of the past beside all that.
    """

    encoder: list[Residual]
    decoder: list[Residual]
    temporal: Residual
    skip: eqx.nn.Linear
    size: int = eqx.field(static=True)

    def __init__(
        self,
        *frame: Any,
        width: int,
        encoders: int,
        decoders: int,
        size: int,
        temporal: int,
        rate: float,
        layer_norm: bool,
        key: Any,
    ) -> None:
        super().__init__(*frame)
        d, keys = self.dimension, iter(jax.random.split(key, encoders + decoders + 2))
        sizes = [self.lookback * d] + [width] * encoders
        common: Any = (rate, layer_norm)
        self.encoder = [Residual(m, width, width, *common, key=next(keys)) for m in sizes[:-1]]
        news = [width] * (decoders - 1) + [size * self.block]
        self.decoder = [Residual(width, width, new, *common, key=next(keys)) for new in news]
        self.temporal = Residual(size, temporal, d, rate, False, key=next(keys))
        self.skip = eqx.nn.Linear(self.lookback, self.block, key=next(keys))
        self.size = size

    def block_of(self, x: Any, key: Any) -> Any:
        count = len(self.encoder) + len(self.decoder)
        keys = [None] * (count + self.block) if key is None else list(jax.random.split(key, count + self.block))
        y = x.reshape(-1)
        for layer, k in zip([*self.encoder, *self.decoder], keys, strict=False):
            y = layer(y, k)
        vectors = y.reshape(self.block, self.size)
        made = jnp.stack([self.temporal(v, k) for v, k in zip(vectors, keys[count:], strict=True)])
        return made + jax.vmap(self.skip, in_axes=1, out_axes=1)(x)
