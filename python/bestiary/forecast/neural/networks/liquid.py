"""
The closed-form continuous-time (liquid) recurrent network.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .base import Fixed, Network, StateNetwork
from .layers import Linear, drawn_from

__all__ = ["Liquid"]

# The activation of the backbone, 1.7159 tanh(2 x / 3), in the rounding of its authors (LeCun et al. 1998).
_HEIGHT, _SLOPE = 1.7159, 0.666


class Liquid(StateNetwork):
    """
    A cell whose hidden state relaxes in closed form between two targets, at a rate of its own, over the elapsed time.

    The output is the change of the sample, linear in the hidden state. Time counts in samples.
    """

    backbone: Linear
    first: Linear
    second: Linear
    rate: Linear
    shift: Linear
    head: Linear
    gain: Fixed
    hidden: int = eqx.field(static=True)
    noise: float = eqx.field(static=True)
    warm: int = eqx.field(static=True)

    def __init__(self, dimension: int, hidden: int, backbone: int, *, noise: float, warm: int, key: Any) -> None:
        generator = drawn_from(key)
        self.backbone = Linear(dimension + hidden, backbone, generator)
        self.first, self.second, self.rate, self.shift = (Linear(backbone, hidden, generator) for _ in range(4))
        self.head = Linear(hidden, dimension, generator)
        self.gain = Fixed(jnp.ones(dimension))
        self.hidden, self.noise, self.warm = hidden, noise, warm

    def cell(self, hidden: Any, sample: Any, elapsed: Any = 1.0) -> Any:
        """The hidden state (…, hidden) after a sample (…, d) that came `elapsed` after the one before."""
        heard = _HEIGHT * jnp.tanh(_SLOPE * self.backbone(jnp.concatenate([sample, hidden], axis=-1)))
        gate = jax.nn.sigmoid(self.rate(heard) * elapsed + self.shift(heard))
        return jnp.tanh(self.first(heard)) * (1 - gate) + gate * jnp.tanh(self.second(heard))

    def fitted(self, windows: Any) -> Network:
        gain = np.std(np.diff(windows, axis=1), axis=(0, 1))
        return eqx.tree_at(lambda net: net.gain.value, self, jnp.asarray(gain, self.gain.value.dtype))

    def loss(self, windows: Any, state: Any, key: Any) -> Any:
        given = windows[:, :-1]
        if key is not None and self.noise > 0:
            given = given + self.noise * jax.random.normal(key, given.shape, given.dtype)

        def read(hidden: Any, sample: Any) -> tuple[Any, Any]:
            hidden = self.cell(hidden, sample)
            return hidden, hidden

        begin = jnp.zeros((len(windows), self.hidden), windows.dtype)
        hidden = jax.lax.scan(read, begin, jnp.moveaxis(given, 1, 0), unroll=2)[1]
        told = jnp.moveaxis(self.head(hidden), 0, 1)
        wanted = (windows[:, 1:] - given) / jnp.where(self.gain.value > 0, self.gain.value, 1.0)
        return jnp.mean(jnp.where(self.gain.value > 0, told - wanted, 0.0)[:, self.warm :] ** 2)

    def start(self, past: Any) -> Any:
        def read(hidden: Any, sample: Any) -> tuple[Any, None]:
            return self.cell(hidden, sample), None

        return past[-1], jax.lax.scan(read, jnp.zeros(self.hidden, past.dtype), past)[0]

    def step(self, state: Any) -> tuple[Any, Any]:
        sample, hidden = state
        sample = sample + self.gain.value * self.head(hidden)
        return (sample, self.cell(hidden, sample)), sample
