"""
What the training loop asks of a network, and the networks that give a block of samples at once.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["BlockNetwork", "Fixed", "Network", "StateNetwork", "continued", "ran", "started"]


class Fixed(eqx.Module):
    """An array of a network that is not trained."""

    value: Any


class Network(eqx.Module):
    """
    What is trained. All inexact arrays of the module are weights, except those in `Fixed`.

    Everything else in it (numbers, names) must be static and hashable: two networks that differ only in their arrays
    share what was compiled.
    """

    def loss(self, windows: Any, state: Any, key: Any) -> Any:
        """
        The mean loss over standardised windows (batch, length, d).

        `state` is what training carries along beside the weights; `key` is for random numbers, and None where there
        shall be none (validation).
        """
        raise NotImplementedError

    def validation(self, window: Any, state: Any) -> Any:
        """The loss of one window (length, d) that was not learned from."""
        return self.loss(window[None], state, None)

    def fitted(self, windows: Any) -> Network:
        """Before training: the network with what it takes from the training windows (m, length, d), such as scales."""
        return self

    def begin(self) -> Any:
        """The state at the begin of training, a tree of arrays."""
        return ()

    def advance(self, state: Any, windows: Any, step: Any) -> Any:
        """The state after update number `step` (from 0), which was made on these windows."""
        return state


class BlockNetwork(Network):
    """
    Gives the `block` samples that follow on `lookback` samples.

    Subclasses write `block_of(x, key)`: from (lookback, d) to (block, d). With `increments` that is the change from the
    last sample in units of its standard deviation, else the sample itself; a coordinate that was constant in training
    stays as it is. Causal networks, which give a block after each sample, write `blocks_of` and say in `positions`
    after how many of the last samples it is trained.
    """

    lookback: int = eqx.field(static=True)
    block: int = eqx.field(static=True)
    increments: bool = eqx.field(static=True)
    noise: float = eqx.field(static=True)
    gain: Fixed

    def __init__(self, lookback: int, block: int, increments: bool, noise: float, dimension: int) -> None:
        self.lookback, self.block, self.increments, self.noise = lookback, block, increments, noise
        self.gain = Fixed(jnp.ones((block, dimension)))

    @property
    def dimension(self) -> int:
        return self.gain.value.shape[1]

    @property
    def positions(self) -> int:
        return 1

    def block_of(self, x: Any, key: Any) -> Any:
        """What follows on x, (block, d)."""
        return self.blocks_of(x, key)[-1]

    def blocks_of(self, x: Any, key: Any) -> Any:
        """What follows on each of the last `positions` samples, (positions, block, d)."""
        return self.block_of(x, key)[None]

    def fitted(self, windows: Any) -> Network:
        last, future = windows[:, self.lookback - 1, None], windows[:, self.lookback :]
        varies = np.ptp(windows, axis=(0, 1)) > 0
        gain = np.std(future - last, axis=0) if self.increments else np.ones(future.shape[1:])
        gain = np.where(varies, gain, 0.0)
        return eqx.tree_at(lambda network: network.gain.value, self, jnp.asarray(gain, self.gain.value.dtype))

    def __call__(self, x: Any) -> Any:
        """The samples (block, d) after x (lookback, d), standardised."""
        base = x[-1] if self.increments else jnp.zeros_like(x[-1])
        return base + self.gain.value * self.block_of(x, None)

    def loss(self, windows: Any, state: Any, key: Any) -> Any:
        past, last = windows[:, : self.lookback], self.lookback - self.positions + np.arange(self.positions)
        # (batch, positions, block, d)
        future = windows[:, last[:, None] + 1 + np.arange(self.block)]
        base = windows[:, last, None] if self.increments else 0.0
        if key is None:
            given = jax.vmap(lambda x: self.blocks_of(x, None))(past)
        else:
            key, other = jax.random.split(key)
            if self.noise > 0:
                past = past + self.noise * jax.random.normal(other, past.shape, past.dtype)
            given = jax.vmap(self.blocks_of)(past, jax.random.split(key, len(past)))
        gain = self.gain.value
        wanted = (future - base) / jnp.where(gain > 0, gain, 1.0)
        return jnp.mean(jnp.where(gain > 0, given - wanted, 0.0) ** 2)

    def forecast(self, past: Any, blocks: int, used: int) -> Any:
        """Continue past (lookback, d) by `blocks` blocks, of each of which `used` samples are kept."""

        def step(x: Any, _: None) -> tuple[Any, Any]:
            new = self(x)[:used]
            return jnp.concatenate([x, new])[-self.lookback :], new

        return jax.lax.scan(step, past, None, length=blocks)[1].reshape(blocks * used, -1)


@eqx.filter_jit
def continued(network: BlockNetwork, past: Any, blocks: int, used: int) -> Any:
    """`network.forecast`, compiled once for all networks of the same shape."""
    return network.forecast(past, blocks, used)


class StateNetwork(Network):
    """A dynamical system of its own: a state that a past leads to, and that gives one sample after the other."""

    def start(self, past: Any) -> Any:
        """The state after the samples `past` (n, d)."""
        raise NotImplementedError

    def step(self, state: Any) -> tuple[Any, Any]:
        """The next state, and the sample (d,) that it gives."""
        raise NotImplementedError


@eqx.filter_jit
def started(network: StateNetwork, past: Any) -> Any:
    """`network.start`, compiled once for all networks of the same shape."""
    return network.start(past)


@eqx.filter_jit
def ran(network: StateNetwork, state: Any, samples: int) -> tuple[Any, Any]:
    """The state so many samples later, and the samples (samples, d)."""
    return jax.lax.scan(lambda state, _: network.step(state), state, None, length=samples)
