"""
Attention over patches of the past, and over the coordinates.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from .base import BlockNetwork, dropout

__all__ = ["PatchTransformer"]


class Attention(eqx.Module):
    """Multi-head self-attention."""

    inward: eqx.nn.Linear
    outward: eqx.nn.Linear
    heads: int = eqx.field(static=True)

    def __init__(self, size: int, heads: int, *, key: Any) -> None:
        first, second = jax.random.split(key)
        self.inward = eqx.nn.Linear(size, 3 * size, key=first)
        self.outward = eqx.nn.Linear(size, size, key=second)
        self.heads = heads

    def __call__(self, x: Any) -> Any:
        """Tokens (n, size) to tokens."""
        query, key, value = jnp.moveaxis(jax.vmap(self.inward)(x).reshape(len(x), 3, self.heads, -1), 1, 0)
        scores = jnp.einsum("ihk,jhk->hij", query, key) / jnp.sqrt(jnp.asarray(query.shape[-1], x.dtype))
        mixed = jnp.einsum("hij,jhk->ihk", jax.nn.softmax(scores), value)
        return jax.vmap(self.outward)(mixed.reshape(len(x), -1))


class Layer(eqx.Module):
    """Attention along time, attention across coordinates, a dense layer, each on the normalised tokens and added."""

    along: Attention
    across: Attention | None
    wide: eqx.nn.Linear
    narrow: eqx.nn.Linear
    norms: list[eqx.nn.LayerNorm]
    rate: float = eqx.field(static=True)

    def __init__(self, size: int, heads: int, width: int, rate: float, channels: bool, *, key: Any) -> None:
        first, second, third, fourth = jax.random.split(key, 4)
        self.along = Attention(size, heads, key=first)
        self.across = Attention(size, heads, key=second) if channels else None
        self.wide = eqx.nn.Linear(size, width, key=third)
        self.narrow = eqx.nn.Linear(width, size, key=fourth)
        self.norms = [eqx.nn.LayerNorm(size) for _ in range(3 if channels else 2)]
        self.rate = rate

    def __call__(self, x: Any, key: Any) -> Any:
        """Tokens (d, patches, size) to tokens."""
        keys = [None] * 3 if key is None else list(jax.random.split(key, 3))

        def normalised(norm: Any) -> Any:
            return jax.vmap(jax.vmap(norm))(x)

        x = x + dropout(jax.vmap(self.along)(normalised(self.norms[0])), self.rate, keys[0])
        if self.across is not None:
            mixed = jax.vmap(self.across, in_axes=1, out_axes=1)(normalised(self.norms[2]))
            x = x + dropout(mixed, self.rate, keys[1])
        dense = jax.vmap(jax.vmap(lambda token: self.narrow(jax.nn.gelu(self.wide(token)))))(normalised(self.norms[1]))
        return x + dropout(dense, self.rate, keys[2])


class PatchTransformer(BlockNetwork):
    """
    The past of each coordinate is cut into patches, which become tokens; layers of attention; a linear map of all
    tokens of a coordinate to its block.
    """

    embed: eqx.nn.Linear
    place: Any
    coordinate: Any
    layers: list[Layer]
    norm: eqx.nn.LayerNorm
    head: eqx.nn.Linear
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
        first, second, third, fourth, *keys = jax.random.split(key, 4 + layers)
        self.patch, self.stride, self.rate = min(patch, self.lookback), stride, rate
        count = -(-(self.lookback - self.patch) // stride) + 1
        self.embed = eqx.nn.Linear(self.patch, size, key=first)
        self.place = 0.02 * jax.random.normal(second, (count, size))
        # With attention across coordinates they must be told apart.
        self.coordinate = 0.02 * jax.random.normal(third, (self.dimension if channels else 1, 1, size))
        self.layers = [Layer(size, heads, width, rate, channels, key=k) for k in keys]
        self.norm = eqx.nn.LayerNorm(size)
        self.head = eqx.nn.Linear(count * size, self.block, key=fourth)

    def block_of(self, x: Any, key: Any) -> Any:
        count = len(self.place)
        missing = (count - 1) * self.stride + self.patch - self.lookback
        padded = jnp.concatenate([jnp.repeat(x[:1], missing, axis=0), x])
        patches = jnp.stack([padded[i * self.stride : i * self.stride + self.patch].T for i in range(count)], axis=1)
        tokens = jax.vmap(jax.vmap(self.embed))(patches) + self.place + self.coordinate
        tokens = dropout(tokens, self.rate, key)
        for number, layer in enumerate(self.layers):
            tokens = layer(tokens, None if key is None else jax.random.fold_in(key, number))
        tokens = jax.vmap(jax.vmap(self.norm))(tokens)
        return jax.vmap(self.head)(tokens.reshape(len(tokens), -1)).T
