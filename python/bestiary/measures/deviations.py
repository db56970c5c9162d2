"""Small deviations in detail: finite-time exponents, covariant Lyapunov vectors, and alignment indices (SALI, GALI)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import _core, sampling
from ..definition import Array
from ..exceptions import RequestError
from .tangent import Cloud, Segments

if TYPE_CHECKING:
    from ..system import System

__all__ = [
    "Alignment",
    "CovariantVectors",
    "FiniteTimeExponents",
    "alignment",
    "covariant_vectors",
    "finite_time_exponents",
]


@dataclass(frozen=True)
class FiniteTimeExponents:
    """
    Exponents over short spans of time, one after the other along the attractor.

    `values` has shape (members, spans, k), `elapsed` (members, spans): the length of each span.
    """

    values: Array
    elapsed: Array

    def quantiles(self, probabilities: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> Array:
        """Quantiles over all members and spans, (probabilities, k)."""
        return np.asarray(np.quantile(self.values.reshape(-1, self.values.shape[-1]), probabilities, axis=0))

    def histogram(self, index: int = 0, bins: int = 50) -> tuple[Array, Array]:
        """Probability density of exponent `index` and the edges of its bins."""
        density, edges = np.histogram(self.values[..., index], bins=bins, density=True)
        return density, edges


def finite_time_exponents(
    system: System,
    span: float,
    *,
    k: int | None = None,
    spans: int = 1000,
    members: int = 8,
    seed: int = 0,
    threads: int | None = None,
) -> FiniteTimeExponents:
    """
    Finite-time (for a short span: local) Lyapunov exponents, of vectors that have found their directions.

    Parameters
    ----------
    system : System
    span : float
        Length of each span, in the system's own time.
    k : int
        How many exponents; all by default.
    spans, members : int
        Spans of each member, one after the other.
    seed, threads : int

    Examples
    --------
    >>> from bestiary import system
    >>> found = finite_time_exponents(system("Logistic", r=4.0), 1)
    >>> found.values.shape
    (8, 1000, 1)
    """
    cloud = Cloud(system, k, members=members, seed=seed, threads=threads)
    cloud.run(cloud.transient, 1)
    found = cloud.run(sampling.positive("span", span), sampling.whole("spans", spans, least=1))
    return FiniteTimeExponents(found.logs / found.elapsed[..., None], found.elapsed)


@dataclass(frozen=True)
class CovariantVectors:
    """
    Covariant Lyapunov vectors along trajectories.

    `t` (members, n), `x` (members, n, d), `vectors` (members, n, d, k): column j is the unit vector that grows with
    exponent j in both directions of time. `exponents` (members, k), by the growth of the vectors themselves.
    """

    t: Array
    x: Array
    vectors: Array
    exponents: Array

    def angles(self, first: int, second: int) -> Array:
        """Angles between two of the vectors, as lines: from 0 (tangent) to pi/2, (members, n)."""
        return self.angles_between((first,), (second,))

    def angles_between(self, first: tuple[int, ...], second: tuple[int, ...]) -> Array:
        """Smallest principal angle between the spaces that two groups of vectors span, (members, n)."""
        bases = [np.linalg.qr(self.vectors[..., list(group)])[0] for group in (first, second)]
        cosines = np.linalg.svd(np.swapaxes(bases[0], -1, -2) @ bases[1], compute_uv=False)
        return np.asarray(np.arccos(np.clip(cosines.max(axis=-1), 0.0, 1.0)))


def covariant_vectors(
    system: System,
    n: int = 1000,
    *,
    interval: float | None = None,
    k: int | None = None,
    members: int = 2,
    settle: int = 500,
    seed: int = 0,
    threads: int | None = None,
) -> CovariantVectors:
    """
    Covariant Lyapunov vectors by the forward and backward method of Ginelli et al.

    Parameters
    ----------
    system : flow or map
    n : int
        Number of points at which the vectors are given.
    interval : float
        Time between points: by default a fiftieth of the period, or one iteration.
    k : int
        How many vectors; all by default.
    members : int
    settle : int
        Further points run over at the end, from which the vectors settle backwards.
    seed, threads : int

    References
    ----------
    Ginelli, F., et al. (2007), Physical Review Letters 99, 130601.

    Examples
    --------
    The cat map has the same two directions everywhere, at right angles:

    >>> from bestiary import system
    >>> found = covariant_vectors(system("ArnoldCat"), 10)
    >>> bool(np.allclose(found.angles(0, 1), np.pi / 2))
    True
    """
    cloud, found = _kept(system, k, members, seed, threads, interval, n + settle)
    assert found.states is not None
    assert found.triangles is not None
    d, k, m = system.dimension, cloud.k, len(found.logs)
    ends = np.cumsum(found.elapsed, axis=1)
    # Coefficients of the covariant vectors in the orthonormal ones, upper triangular, from the end backwards.
    c = np.stack([np.triu(_core.normals(seed, (7 << 60) + i, k * k).reshape(k, k)) for i in range(m)])
    c = c + 3 * np.eye(k)
    c /= np.sqrt((c**2).sum(axis=1, keepdims=True))
    vectors = np.empty((m, n, d, k))
    growth = np.zeros((m, k))
    for step in range(n + settle - 1, -1, -1):
        if step < n:
            basis = np.swapaxes(found.states[:, step, d:].reshape(m, k, d), 1, 2)
            vectors[:, step] = basis @ c
        c = _solved(found.triangles[:, step], c)
        sizes = np.sqrt((c**2).sum(axis=1, keepdims=True))
        if step < n:
            growth -= np.log(sizes[:, 0])
        c = c / sizes
    return CovariantVectors(
        t=ends[:, :n], x=found.states[:, :n, :d], vectors=vectors, exponents=growth / ends[:, n - 1, None]
    )


@dataclass(frozen=True)
class Alignment:
    """
    How deviations align with time.

    `t` (members, n), `sali` (members, n), `gali` (members, n, k - 1).

    `gali[..., j]` is the volume of the parallelepiped of the first j + 2 unit deviations. Where motion is chaotic it
    falls exponentially, by the differences of the exponents; where it is regular it stays, or falls by a power of time.
    """

    t: Array
    sali: Array
    gali: Array


def alignment(
    system: System,
    n: int = 500,
    *,
    interval: float | None = None,
    k: int | None = None,
    initial: object = None,
    members: int = 2,
    seed: int = 0,
    threads: int | None = None,
) -> Alignment:
    """
    Smaller and generalised alignment indices (SALI, GALI) of deviations that are orthonormal at first.

    Parameters
    ----------
    system : flow or map
    n : int
        Number of times.
    interval : float
        Time between them: by default half of the period, or one iteration.
    k : int
        Number of deviations, at least 2; all by default.
    initial : array-like of shape (d,) or (m, d)
        Initial states; by default drawn on the attractor.
    members, seed, threads : int

    References
    ----------
    Skokos, Ch. (2001), Journal of Physics A 34, 10029-10043.
    Skokos, Ch., Bountis, T. C. & Antonopoulos, Ch. (2007), Physica D 231, 30-54.

    Examples
    --------
    The cat map: two deviations align by the difference of the exponents.

    >>> from bestiary import system
    >>> found = alignment(system("ArnoldCat"), 20)
    >>> rate = np.log(found.gali[0, 19, 0] / found.gali[0, 9, 0]) / 10
    >>> bool(abs(rate + 2 * np.log((3 + 5**0.5) / 2)) < 1e-3)
    True
    """
    usual = 1.0 if system.kind == "map" else system.period / 2
    cloud, found = _kept(system, k, members, seed, threads, interval or usual, n, initial=initial, settle=False)
    assert found.triangles is not None
    m, k = len(found.logs), cloud.k
    if k < 2:
        raise RequestError("alignment takes at least two deviations")
    columns = np.broadcast_to(np.eye(k), (m, k, k)).copy()
    sali, gali = np.empty((m, n)), np.empty((m, n, k - 1))
    for step in range(n):
        columns = found.triangles[:, step] @ columns if step else np.broadcast_to(np.eye(k), (m, k, k)).copy()
        columns = columns / np.sqrt((columns**2).sum(axis=1, keepdims=True))
        volume = np.cumprod(np.abs(np.diagonal(columns, axis1=1, axis2=2)), axis=1)
        gali[:, step] = volume[:, 1:]
        along, across = np.abs(columns[:, 0, 1]), columns[:, 1, 1]
        # 1 - |a| without its cancellation.
        sali[:, step] = np.sqrt((across**2 / (1 + along)) ** 2 + across**2)
    return Alignment(t=np.cumsum(found.elapsed, axis=1) - found.elapsed[:, :1], sali=sali, gali=gali)


def _kept(
    system: System,
    k: int | None,
    members: int,
    seed: int,
    threads: int | None,
    interval: float | None,
    points: int,
    *,
    initial: object = None,
    settle: bool = True,
) -> tuple[Cloud, Segments]:
    """A run that keeps states, vectors and triangular factors."""
    if system.kind not in ("flow", "map"):
        raise RequestError(f"{system.name} is a {system.kind}: its deviations are followed for flows and maps only")
    cloud = Cloud(system, k, members=members, seed=seed, threads=threads, initial=initial)
    if settle:
        cloud.run(cloud.transient, 1)
    between = cloud.unit / (1 if system.kind == "map" else 50) if interval is None else interval
    points = sampling.whole("n", points, least=1)
    return cloud, cloud.run(sampling.positive("interval", between), points, keep=True)


def _solved(triangles: Array, right: Array) -> Array:
    """Upper triangular systems solved by substitution, (m, k, k) and (m, k, k)."""
    k = triangles.shape[-1]
    solution = np.zeros_like(right)
    for i in range(k - 1, -1, -1):
        rest = right[:, i].copy()
        for j in range(i + 1, k):
            rest -= triangles[:, i, j, None] * solution[:, j]
        solution[:, i] = rest / triangles[:, i, i, None]
    return solution
