"""
Recurrent networks that read the past sample by sample.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .base import BlockNetwork
from .layers import Linear, drawn_from, dropout, uniform

__all__ = ["Recurrent"]


class _Cell(eqx.Module):
    """What the gates hear of the sample is computed for all samples at once; what of the hidden state, in turn."""

    inward: Linear
    recurrent: Any
    hidden: int = eqx.field(static=True)

    def __init__(self, inputs: int, hidden: int, gates: int, generator: np.random.Generator) -> None:
        self.inward = Linear(inputs, gates * hidden, generator)
        self.recurrent = uniform(generator, hidden**-0.5, hidden, gates * hidden)
        self.hidden = hidden

    def begin(self, like: Any) -> Any:
        return jnp.zeros(self.hidden, like.dtype)

    def step(self, state: Any, heard: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def __call__(self, x: Any) -> Any:
        """Hidden states (n, hidden) after each of the samples (n, inputs)."""
        return jax.lax.scan(lambda state, heard: self.step(state, heard), self.begin(x), self.inward(x))[1]


class LongShortTermMemory(_Cell):
    def __init__(self, inputs: int, hidden: int, generator: np.random.Generator) -> None:
        super().__init__(inputs, hidden, 4, generator)

    def begin(self, like: Any) -> Any:
        return super().begin(like), super().begin(like)

    def step(self, state: Any, heard: Any) -> tuple[Any, Any]:
        cell, hidden = state
        gates = heard + hidden @ self.recurrent
        enter, forget, new, leave = jnp.split(gates, 4)
        cell = jax.nn.sigmoid(forget) * cell + jax.nn.sigmoid(enter) * jnp.tanh(new)
        hidden = jax.nn.sigmoid(leave) * jnp.tanh(cell)
        return (cell, hidden), hidden


class GatedUnit(_Cell):
    bias: Any

    def __init__(self, inputs: int, hidden: int, generator: np.random.Generator) -> None:
        super().__init__(inputs, hidden, 3, generator)
        self.bias = uniform(generator, hidden**-0.5, hidden)

    def step(self, state: Any, heard: Any) -> tuple[Any, Any]:
        echo = state @ self.recurrent
        n = self.hidden
        reset, keep = jnp.split(jax.nn.sigmoid(heard[: 2 * n] + echo[: 2 * n]), 2)
        new = jnp.tanh(heard[2 * n :] + reset * (echo[2 * n :] + self.bias))
        hidden = new + keep * (state - new)
        return hidden, hidden


class Recurrent(BlockNetwork):
    """
    Layers of LSTM or GRU cells, from a hidden state of zero, and a linear map of the last hidden state to a block.

    It is trained on what follows on each sample of the second half of the past.
    """

    cells: list[_Cell]
    head: Linear
    rate: float = eqx.field(static=True)

    def __init__(self, *frame: Any, cell: str, hidden: int, layers: int, rate: float, key: Any) -> None:
        super().__init__(*frame)
        generator = drawn_from(key)
        kind = {"lstm": LongShortTermMemory, "gru": GatedUnit}[cell]
        self.cells = [kind(hidden if layer else self.dimension, hidden, generator) for layer in range(layers)]
        self.head = Linear(hidden, self.block * self.dimension, generator)
        self.rate = rate

    @property
    def positions(self) -> int:
        return (self.lookback + 1) // 2

    def blocks_of(self, x: Any, key: Any) -> Any:
        for number, cell in enumerate(self.cells):
            if number > 0:
                x = dropout(x, self.rate, None if key is None else jax.random.fold_in(key, number))
            x = cell(x)
        return self.head(x[-self.positions :]).reshape(self.positions, self.block, -1)
