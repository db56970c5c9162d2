"""
Attention over patches of the past, and over the coordinates.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .base import BlockNetwork
from .layers import Linear, Norm, drawn_from, dropout

__all__ = ["PatchTransformer"]


class Attention(eqx.Module):
    """Multi-head self-attention among the tokens along the last axis but one."""

    inward: Linear
    outward: Linear
    heads: int = eqx.field(static=True)

    def __init__(self, size: int, heads: int, generator: np.random.Generator) -> None:
        self.inward = Linear(size, 3 * size, generator)
        self.outward = Linear(size, size, generator)
        self.heads = heads

    def __call__(self, x: Any) -> Any:
        query, key, value = jnp.split(self.inward(x), 3, axis=-1)

        def by_head(tokens: Any) -> Any:
            return jnp.moveaxis(tokens.reshape(*tokens.shape[:-1], self.heads, -1), -2, -3)

        query, key, value = by_head(query), by_head(key), by_head(value)
        scores = query @ jnp.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1])
        mixed = jnp.moveaxis(jax.nn.softmax(scores) @ value, -3, -2)
        return self.outward(mixed.reshape(x.shape))


class Layer(eqx.Module):
    """Attention along time, attention across coordinates, a dense layer, each on the normalised tokens and added."""

    along: Attention
    across: Attention | None
    wide: Linear
    narrow: Linear
    norms: list[Norm]
    rate: float = eqx.field(static=True)

    def __init__(
        self, size: int, heads: int, width: int, rate: float, channels: bool, generator: np.random.Generator
    ) -> None:
        self.along = Attention(size, heads, generator)
        self.across = Attention(size, heads, generator) if channels else None
        self.wide = Linear(size, width, generator)
        self.narrow = Linear(width, size, generator)
        self.norms = [Norm(size) for _ in range(3 if channels else 2)]
        self.rate = rate

    def __call__(self, x: Any, key: Any) -> Any:
        """Tokens (d, patches, size) to tokens."""
        keys = [None] * 3 if key is None else list(jax.random.split(key, 3))
        x = x + dropout(self.along(self.norms[0](x)), self.rate, keys[0])
        if self.across is not None:
            mixed = jnp.swapaxes(self.across(jnp.swapaxes(self.norms[2](x), 0, 1)), 0, 1)
            x = x + dropout(mixed, self.rate, keys[1])
        return x + dropout(self.narrow(jax.nn.gelu(self.wide(self.norms[1](x)))), self.rate, keys[2])


class PatchTransformer(BlockNetwork):
    """
    The past of each coordinate is cut into patches, which become tokens; layers of attention; a linear map of all
    tokens of a coordinate to its block.
    """

    embed: Linear
    place: Any
    coordinate: Any
    layers: list[Layer]
    norm: Norm
    head: Linear
    patch: int = eqx.field(static=True)
    stride: int = eqx.field(static=True)
    rate: float = eqx.field(static=True)

    def __init__(
        self,
        *frame: Any,
        patch: int,
        stride: int,
        size: int,
        heads: int,
        layers: int,
        width: int,
        channels: bool,
        rate: float,
        key: Any,
    ) -> None:
        super().__init__(*frame)
        generator = drawn_from(key)
        self.patch, self.stride, self.rate = min(patch, self.lookback), stride, rate
        count = -(-(self.lookback - self.patch) // stride) + 1
        self.embed = Linear(self.patch, size, generator)
        self.place = jnp.asarray(0.02 * generator.standard_normal((count, size)))
        # With attention across coordinates they must be told apart.
        kinds = self.dimension if channels else 1
        self.coordinate = jnp.asarray(0.02 * generator.standard_normal((kinds, 1, size)))
        self.layers = [Layer(size, heads, width, rate, channels, generator) for _ in range(layers)]
        self.norm = Norm(size)
        self.head = Linear(count * size, self.block, generator)

    def block_of(self, x: Any, key: Any) -> Any:
        count = len(self.place)
        missing = (count - 1) * self.stride + self.patch - self.lookback
        padded = jnp.concatenate([jnp.repeat(x[:1], missing, axis=0), x])
        patches = jnp.stack([padded[i * self.stride : i * self.stride + self.patch].T for i in range(count)], axis=1)
        tokens = self.embed(patches) + self.place + self.coordinate
        tokens = dropout(tokens, self.rate, key)
        for number, layer in enumerate(self.layers):
            tokens = layer(tokens, None if key is None else jax.random.fold_in(key, number))
        return self.head(self.norm(tokens).reshape(len(tokens), -1)).T
