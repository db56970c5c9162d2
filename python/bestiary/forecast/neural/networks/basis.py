"""
Doubly residual stacks: each block explains a part of the past, takes it off, and adds its part of the future.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .base import BlockNetwork
from .layers import Dense, drawn_from, dropout

__all__ = ["DoublyResidual", "Hierarchical"]


def _bases(kind: str, lookback: int, block: int, degree: int, harmonics: int) -> tuple[Any, Any]:
    """Functions of time over the past and over the future, (coefficients, samples) each."""
    past, future = np.arange(lookback) / lookback, np.arange(block) / block
    if kind == "trend":
        powers = np.arange(degree + 1)[:, None]
        return past**powers, future**powers

    def waves(n: int, t: Any) -> Any:
        # As many as the samples can tell apart, at least the constant.
        k = np.arange(max(harmonics * n // 2, 1))[:, None] / harmonics
        return np.concatenate([np.cos(2 * np.pi * k * t), np.sin(2 * np.pi * k * t)[1:]])

    return waves(lookback, past), waves(block, future)


class Block(eqx.Module):
    """Dense layers from the past to coefficients of the functions that make the past and the future."""

    dense: Dense
    kind: str = eqx.field(static=True)


class DoublyResidual(BlockNetwork):
    """Stacks of generic, trend or seasonality blocks; the blocks of an interpretable stack share their weights."""

    stacks: list[list[Block]]
    blocks: int = eqx.field(static=True)
    degree: int = eqx.field(static=True)
    harmonics: int = eqx.field(static=True)

    def __init__(
        self,
        *frame: Any,
        stacks: Sequence[str],
        blocks: int,
        layers: int,
        width: int,
        degree: int,
        harmonics: int,
        key: Any,
    ) -> None:
        super().__init__(*frame)
        self.blocks, self.degree, self.harmonics = blocks, degree, harmonics
        d, generator = self.dimension, drawn_from(key)
        self.stacks = []
        for kind in stacks:
            out = self.lookback + self.block if kind == "generic" else sum(len(basis) for basis in self._bases(kind))
            sizes = [self.lookback * d] + [width] * layers + [out * d]
            count = blocks if kind == "generic" else 1
            self.stacks.append([Block(Dense(sizes, "relu", generator), kind) for _ in range(count)])

    def _bases(self, kind: str) -> tuple[Any, Any]:
        return _bases(kind, self.lookback, self.block, self.degree, self.harmonics)

    def block_of(self, x: Any, key: Any) -> Any:
        rest, sum_ = x, jnp.zeros((self.block, x.shape[1]), x.dtype)
        for stack in self.stacks:
            for number in range(self.blocks):
                block = stack[min(number, len(stack) - 1)]
                theta = block.dense(rest.reshape(-1)).reshape(-1, x.shape[1])
                if block.kind == "generic":
                    back, forward = theta[: self.lookback], theta[self.lookback :]
                else:
                    past, future = (basis.astype(x.dtype) for basis in self._bases(block.kind))
                    back, forward = past.T @ theta[: len(past)], future.T @ theta[len(past) :]
                rest, sum_ = rest - back, sum_ + forward
        return sum_


class Hierarchical(BlockNetwork):
    """Blocks that see the past through max-pooling and give the future by interpolation between a few knots."""

    stacks: list[list[Dense]]
    pooling: tuple[int, ...] = eqx.field(static=True)
    knots: tuple[int, ...] = eqx.field(static=True)
    rate: float = eqx.field(static=True)

    def __init__(
        self,
        *frame: Any,
        pooling: Sequence[int],
        downsampling: Sequence[int],
        blocks: int,
        layers: int,
        width: int,
        rate: float,
        key: Any,
    ) -> None:
        super().__init__(*frame)
        self.rate = rate
        self.pooling = tuple(min(size, self.lookback) for size in pooling)
        self.knots = tuple(max(self.block // r, 1) for r in downsampling)
        d, generator = self.dimension, drawn_from(key)
        self.stacks = []
        for size, knots in zip(self.pooling, self.knots, strict=True):
            sizes = [-(-self.lookback // size) * d] + [width] * layers + [(self.lookback + knots) * d]
            self.stacks.append([Dense(sizes, "relu", generator) for _ in range(blocks)])

    def block_of(self, x: Any, key: Any) -> Any:
        d, rest, sum_ = x.shape[1], x, jnp.zeros((self.block, x.shape[1]), x.dtype)
        for number, (size, knots, stack) in enumerate(zip(self.pooling, self.knots, self.stacks, strict=True)):
            for dense in stack:
                # The last samples fill whole windows of the pooling.
                missing = -self.lookback % size
                padded = jnp.concatenate([jnp.repeat(rest[:1], missing, axis=0), rest])
                pooled = padded.reshape(-1, size, d).max(axis=1)
                pooled = dropout(pooled, self.rate, None if key is None else jax.random.fold_in(key, number))
                theta = dense(pooled.reshape(-1)).reshape(-1, d)
                rest, sum_ = rest - theta[: self.lookback], sum_ + self._spread(theta[self.lookback :], knots)
        return sum_

    def _spread(self, values: Any, knots: int) -> Any:
        """Values (knots, d) at the middles of as many parts of the block, interpolated linearly to its samples."""
        if knots == self.block:
            return values
        at = np.clip((np.arange(self.block) + 0.5) * knots / self.block - 0.5, 0, knots - 1)
        left = np.minimum(at.astype(int), max(knots - 2, 0))
        share = (at - left)[:, None].astype(values.dtype)
        return values[left] * (1 - share) + values[np.minimum(left + 1, knots - 1)] * share
