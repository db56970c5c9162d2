"""
Recurrent networks that read the past sample by sample.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from .base import BlockNetwork, dropout

__all__ = ["Recurrent"]


class Recurrent(BlockNetwork):
    """
    Layers of LSTM or GRU cells, from a hidden state of zero, and a linear map of the last hidden state to a block.

    It is trained on what follows on each sample of the second half of the past.
    """

    cells: list[Any]
    head: eqx.nn.Linear
    rate: float = eqx.field(static=True)

    def __init__(self, *frame: Any, cell: str, hidden: int, layers: int, rate: float, key: Any) -> None:
        super().__init__(*frame)
        *keys, last = jax.random.split(key, layers + 1)
        make = eqx.nn.LSTMCell if cell == "lstm" else eqx.nn.GRUCell
        sizes = [self.dimension] + [hidden] * (layers - 1)
        self.cells = [make(size, hidden, key=k) for size, k in zip(sizes, keys, strict=True)]
        self.head = eqx.nn.Linear(hidden, self.block * self.dimension, key=last)
        self.rate = rate

    @property
    def positions(self) -> int:
        return (self.lookback + 1) // 2

    def blocks_of(self, x: Any, key: Any) -> Any:
        for number, cell in enumerate(self.cells):
            zero = jnp.zeros(cell.hidden_size, x.dtype)
            is_pair = isinstance(cell, eqx.nn.LSTMCell)

            def step(state: Any, sample: Any, cell: Any = cell, is_pair: bool = is_pair) -> tuple[Any, Any]:
                new = cell(sample, state)
                return new, new[0] if is_pair else new

            x = jax.lax.scan(step, (zero, zero) if is_pair else zero, x)[1]
            if number < len(self.cells) - 1:
                x = dropout(x, self.rate, None if key is None else jax.random.fold_in(key, number))
        return jax.vmap(self.head)(x[-self.positions :]).reshape(self.positions, self.block, -1)
