"""
Kernels on delay vectors: Gaussian, and those of infinitely wide networks with erf or ReLU units.

The wide-network kernels are the covariance of the random network (NNGP) and the tangent kernel of the trained one
(NTK).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..definition import Array

__all__ = ["Gaussian", "Kernel", "WideNetworkKernel", "arc_sine"]


class Kernel(Protocol):
    """A positive definite function of two rows of numbers."""

    def matrix(self, x: Array, y: Array) -> Array:
        """The kernel of all rows of x (m, D) with all of y (n, D), shape (m, n)."""

    def diagonal(self, x: Array) -> Array:
        """The kernel of each row with itself, shape (m,)."""


def _squared_distances(x: Array, y: Array) -> Array:
    if len(x) == 1:
        # The difference itself is exact where the points are near; its cost matters only for many.
        return np.asarray(np.sum((y - x) ** 2, axis=1)[None])
    squares = np.sum(x * x, axis=1)[:, None] + np.sum(y * y, axis=1) - 2 * (x @ y.T)
    return np.asarray(np.maximum(squares, 0.0))


@dataclass(frozen=True)
class Gaussian:
    """exp(-|x - y|^2 / (2 width^2))."""

    width: float

    def matrix(self, x: Array, y: Array) -> Array:
        return np.asarray(np.exp(_squared_distances(x, y) * (-0.5 / self.width**2)))

    def diagonal(self, x: Array) -> Array:
        return np.ones(len(x))


@dataclass(frozen=True)
class WideNetworkKernel:
    """
    The kernel of a fully connected network of infinite width.

    Parameters
    ----------
    limit : "nngp" or "ntk"
    activation : "erf" or "relu"
    depth : number of hidden layers
    C_w, C_b : variances of weights (times the width) and biases

    References
    ----------
    Williams, C. K. I. (1997), NIPS 9, 295-301 (erf). Cho, Y. & Saul, L. K. (2009), NIPS 22, 342-350 (ReLU). Lee, J., et
    al. (2018), ICLR (NNGP). Jacot, A., Gabriel, F. & Hongler, C. (2018), NeurIPS 31 (NTK).
    """

    limit: str
    activation: str
    depth: int
    C_w: float
    C_b: float

    def matrix(self, x: Array, y: Array) -> Array:
        a, b = self._first(x), self._first(y)
        k = self.C_w * (x @ y.T) / x.shape[1] + self.C_b
        tangent = k if self.limit == "ntk" else None
        for _ in range(self.depth):
            k, slope, a, b = self._layer(k, a, b, tangent is not None)
            if tangent is not None:
                tangent = k + tangent * slope
        return np.asarray(k if tangent is None else tangent)

    def diagonal(self, x: Array) -> Array:
        k = self._first(x)
        tangent = k
        for _ in range(self.depth):
            after = self._own(k)
            slope = self.C_w * ((4 / np.pi) / np.sqrt((1 + 2 * k) ** 2 - 4 * k**2) if self.activation == "erf" else 0.5)
            k, tangent = after, after + tangent * slope
        return np.asarray(tangent if self.limit == "ntk" else k)

    def _first(self, x: Array) -> Array:
        return np.asarray(self.C_w * np.mean(x * x, axis=1) + self.C_b)

    def _own(self, k: Array) -> Array:
        """The variance after a layer, from that before it."""
        if self.activation == "erf":
            return np.asarray(self.C_w * (2 / np.pi) * np.arcsin(2 * k / (1 + 2 * k)) + self.C_b)
        return np.asarray(self.C_w * k / 2 + self.C_b)

    def _layer(self, k: Array, a: Array, b: Array, is_tangent: bool) -> tuple[Array, Array, Array, Array]:
        """Covariance, mean product of slopes, and variances after a layer, from those before it."""
        slope = np.zeros(0)
        if self.activation == "erf":
            outer = (1 + 2 * a)[:, None] * (1 + 2 * b)
            after = (self.C_w * 2 / np.pi) * arc_sine(2 * k / np.sqrt(outer)) + self.C_b
            if is_tangent:
                slope = (self.C_w * 4 / np.pi) / np.sqrt(outer - 4 * k * k)
        else:
            size = np.sqrt(a[:, None] * b)
            cosine = np.clip(k / size, -1.0, 1.0)
            angle = np.arccos(cosine)
            after = self.C_w * size * (np.sqrt(1 - cosine**2) + (np.pi - angle) * cosine) / (2 * np.pi) + self.C_b
            if is_tangent:
                slope = self.C_w * (np.pi - angle) / (2 * np.pi)
        return after, slope, self._own(a), self._own(b)


def arc_sine(x: Array) -> Array:
    """The arc sine; arguments beyond 1 by rounding are 1."""
    return np.asarray(np.arcsin(np.clip(x, -1.0, 1.0)))
