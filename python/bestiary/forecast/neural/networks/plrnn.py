"""
The shallow piecewise-linear recurrent network, trained by generalised teacher forcing.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .base import Fixed, Network, StateNetwork
from .layers import drawn_from, uniform

__all__ = ["PiecewiseLinear"]

# Updates between two looks at the Jacobians, and by what the forcing forgets when it may become weaker.
_EVERY, _MEMORY = 5, 0.999


class PiecewiseLinear(StateNetwork):
    """
    z -> A z + W1 (relu(W2 z + h2) - relu(W2 z)) + h1 with a diagonal A: orbits are bounded if |A| < 1.

    A coordinate that was constant in training stays as it is.

    Training carries the strength of the forcing along: the state that is iterated is (1 - alpha) z + alpha x.
    """

    diagonal: Any
    outward: Any
    inward: Any
    offset: Any
    threshold: Any
    moves: Fixed
    alpha: str | float = eqx.field(static=True)
    penalty: float = eqx.field(static=True)
    noise: float = eqx.field(static=True)

    def __init__(
        self, dimension: int, hidden: int, *, alpha: str | float, penalty: float, noise: float, key: Any
    ) -> None:
        generator = drawn_from(key)
        normal = generator.normal(size=(dimension, dimension))
        positive = normal.T @ normal / dimension + np.eye(dimension)
        self.diagonal = jnp.asarray(np.diag(positive) / np.linalg.eigvalsh(positive).max())
        self.outward = uniform(generator, hidden**-0.5, dimension, hidden)
        self.inward = uniform(generator, dimension**-0.5, hidden, dimension)
        self.offset = jnp.zeros(dimension)
        self.threshold = uniform(generator, dimension**-0.5, hidden)
        self.moves = Fixed(jnp.ones(dimension, bool))
        self.alpha, self.penalty, self.noise = alpha, penalty, noise

    def fitted(self, windows: Any) -> Network:
        moves = jnp.asarray(np.ptp(windows, axis=(0, 1)) > 0)
        return eqx.tree_at(lambda net: net.moves.value, self, moves)

    def __call__(self, z: Any) -> Any:
        """The next state, of states (…, d)."""
        heard = z @ self.inward.T
        bent = jax.nn.relu(heard + self.threshold) - jax.nn.relu(heard)
        return jnp.where(self.moves.value, self.diagonal * z + bent @ self.outward.T + self.offset, z)

    def start(self, past: Any) -> Any:
        return past[-1]

    def step(self, state: Any) -> tuple[Any, Any]:
        state = self(state)
        return state, state

    def loss(self, windows: Any, state: Any, key: Any) -> Any:
        given = windows
        if key is not None and self.noise > 0:
            given = windows + self.noise * jax.random.normal(key, windows.shape, windows.dtype)

        def forced(z: Any, sample: Any) -> tuple[Any, Any]:
            seen, wanted = sample
            z = self(z)
            return (1 - state) * z + state * seen, jnp.sum((z - wanted) ** 2)

        samples = jnp.moveaxis(given[:, 1:], 1, 0), jnp.moveaxis(windows[:, 1:], 1, 0)
        errors = jax.lax.scan(forced, given[:, 0], samples, unroll=4)[1]
        loss = errors.sum() / samples[0].size
        if key is None:
            return loss
        parts = (1 - self.diagonal, self.outward, self.inward, self.offset, self.threshold)
        return loss + self.penalty * sum(jnp.sum(part**2) for part in parts)

    def begin(self) -> Any:
        return jnp.asarray(1.0 if isinstance(self.alpha, str) else self.alpha, self.diagonal.dtype)

    def advance(self, state: Any, windows: Any, step: Any) -> Any:
        if not isinstance(self.alpha, str):
            return state

        def renewed() -> Any:
            least = jnp.maximum(0.0, 1.0 - 1.0 / self._size(windows))
            return jnp.maximum(least, _MEMORY * state + (1 - _MEMORY) * least)

        return jax.lax.cond(step % _EVERY == 0, renewed, lambda: state)

    def _size(self, windows: Any) -> Any:
        """How much Jacobians stretch in the worst window: norm of their mean, or geometric mean of their norms."""
        heard = windows @ self.inward.T
        # Where the two units differ, the slope is 1 (only the first is bent), or -1, or 0.
        slopes = (heard > -self.threshold).astype(windows.dtype) - (heard > 0).astype(windows.dtype)
        if self.alpha == "arithmetic_mean":
            return jnp.max(_norm(self._jacobian(slopes.mean(axis=1))))
        return jnp.exp(jnp.max(jnp.mean(jnp.log(_norm(self._jacobian(slopes)) + 1e-12), axis=1)))

    def _jacobian(self, slopes: Any) -> Any:
        """(…, d, d) from the slopes (…, hidden) of the bends."""
        return jnp.diag(self.diagonal) + jnp.einsum("ih,...h,hj->...ij", self.outward, slopes, self.inward)


def _norm(matrices: Any) -> Any:
    """Spectral norms of matrices (…, d, d)."""
    return jnp.sqrt(jnp.linalg.eigvalsh(jnp.swapaxes(matrices, -1, -2) @ matrices)[..., -1])
