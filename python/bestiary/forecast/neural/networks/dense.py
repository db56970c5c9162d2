"""
Networks of dense layers on the flattened past.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from .base import BlockNetwork
from .layers import Dense, Linear, Norm, drawn_from, dropout

__all__ = ["DenseEncoder", "Perceptron"]


class Perceptron(BlockNetwork):
    """Dense layers from the flattened past to the flattened future."""

    dense: Dense

    def __init__(self, *frame: Any, widths: Sequence[int], activation: str, key: Any) -> None:
        super().__init__(*frame)
        sizes = [self.lookback * self.dimension, *widths, self.block * self.dimension]
        self.dense = Dense(sizes, activation, drawn_from(key))

    def block_of(self, x: Any, key: Any) -> Any:
        return self.dense(x.reshape(-1)).reshape(self.block, -1)


class Residual(eqx.Module):
    """A hidden layer with ReLU and dropout beside a linear skip, then layer normalisation."""

    hidden: Linear
    out: Linear
    skip: Linear
    norm: Norm | None
    rate: float = eqx.field(static=True)

    def __init__(
        self, size: int, width: int, new: int, rate: float, layer_norm: bool, generator: np.random.Generator
    ) -> None:
        self.hidden = Linear(size, width, generator)
        self.out = Linear(width, new, generator)
        self.skip = Linear(size, new, generator)
        self.norm = Norm(new) if layer_norm else None
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
    skip: Linear
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
        d, generator = self.dimension, drawn_from(key)
        sizes = [self.lookback * d] + [width] * encoders
        self.encoder = [Residual(m, width, width, rate, layer_norm, generator) for m in sizes[:-1]]
        news = [width] * (decoders - 1) + [size * self.block]
        self.decoder = [Residual(width, width, new, rate, layer_norm, generator) for new in news]
        self.temporal = Residual(size, temporal, d, rate, False, generator)
        self.skip = Linear(self.lookback, self.block, generator)
        self.size = size

    def block_of(self, x: Any, key: Any) -> Any:
        layers = [*self.encoder, *self.decoder]
        keys = [None] * (len(layers) + 1) if key is None else list(jax.random.split(key, len(layers) + 1))
        y = x.reshape(-1)
        for layer, k in zip(layers, keys, strict=False):
            y = layer(y, k)
        return self.temporal(y.reshape(self.block, self.size), keys[-1]) + self.skip(x.T).T
