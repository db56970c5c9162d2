"""
A map of the catalogue: features of a series of each system, an embedding in the plane, clusters.

The features are few, stable and have a meaning; nothing here is fitted to forecasts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import registry
from ..definition import Array
from ..exceptions import RequestError
from .statistics import ranks

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FEATURES", "catalogue_map", "clusters", "embedding", "features", "series_features"]

FEATURES = (
    "skewness", "kurtosis", "median_over_deviation", "outer_share", "bimodality",
    "autocorrelation_quarter", "autocorrelation_half", "autocorrelation_period", "first_zero", "memory",
    "spectral_entropy", "spectral_centroid", "spectral_spread", "peak_share", "low_share", "high_share",
    "roughness", "speed_kurtosis", "speed_skewness", "time_asymmetry", "crossings", "maxima",
    "permutation_entropy", "nonlinear_residual",
)  # fmt: skip
"""Names of the features of a series, in order."""

# As in the feature analysis of Gilpin (2021): long series, medians over windows.
PER_PERIOD, WINDOWS, WINDOW_PERIODS = 50, 8, 20


def series_features(series: ArrayLike, per_period: int = PER_PERIOD) -> dict[str, float]:
    """
    The features of one series of one variable, standardised first: no feature depends on its unit or its offset.

    Parameters
    ----------
    series : array (n,), at least four periods
    per_period : samples in a period

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(2000) / 50)
    >>> found = series_features(wave, 50)
    >>> round(found["autocorrelation_half"], 2), round(found["crossings"], 1)
    (-1.0, 2.0)
    """
    x = np.asarray(series, dtype=np.float64)
    if x.ndim != 1 or len(x) < 4 * per_period or not np.isfinite(x).all():
        raise RequestError(f"series must be finite numbers (n,) with at least four periods of {per_period} samples")
    spread = x.std()
    if spread == 0:
        raise RequestError("the series is constant: it has no features")
    z = (x - x.mean()) / spread
    n = len(z)
    speed = np.diff(z) * per_period
    speed_spread = speed.std() or 1.0
    skewness, kurtosis = float((z**3).mean()), float((z**4).mean())
    power = np.abs(np.fft.rfft(z * np.hanning(n))) ** 2
    power[0] = 0.0
    power /= power.sum()
    frequency = np.arange(len(power)) * per_period / n
    centroid = float(power @ frequency)
    lags = _autocorrelation(z, 2 * per_period)
    below = np.flatnonzero(lags < 0)
    zero = below[0] / per_period if len(below) else 2.0
    lag = max(per_period // 4, 1)
    change = z[lag:] - z[:-lag]
    change_spread = change.std() or 1.0
    values = (
        skewness,
        kurtosis,
        float(np.median(z)),
        float((np.abs(z) > 1).mean()),
        (skewness**2 + 1) / kurtosis,
        lags[per_period // 4],
        lags[per_period // 2],
        lags[per_period],
        zero,
        float(np.abs(lags).mean()),
        float(-(power[power > 0] * np.log(power[power > 0])).sum() / math.log(len(power))),
        math.log(centroid),
        math.log1p(math.sqrt(float(power @ (frequency - centroid) ** 2))),
        float(np.sort(power)[-5:].sum()),
        float(power[frequency < 0.5].sum()),
        float(power[frequency > 2].sum()),
        math.log(float(np.abs(np.diff(speed)).mean()) * per_period + 1e-12),
        math.log(float((speed**4).mean()) / speed_spread**4),
        float((speed**3).mean()) / speed_spread**3,
        float((change**3).mean()) / change_spread**3,
        float((np.diff(np.signbit(z)) != 0).sum()) * per_period / n,
        float(((speed[:-1] > 0) & (speed[1:] <= 0)).sum()) * per_period / n,
        _permutation_entropy(z, lag),
        _nonlinear_residual(z, lag),
    )
    return dict(zip(FEATURES, map(float, values), strict=True))


def features(systems: Sequence[str] | None = None, *, seed: int = 0) -> pl.DataFrame:
    """
    The features of the first variable of systems: medians over windows of 20 periods.

    Parameters
    ----------
    systems : names; by default all flows
    seed : of the initial state on the attractor

    Returns
    -------
    polars.DataFrame
        system, and a column for each of `FEATURES`. A system whose first variable stands still is left out.
    """
    import polars as pl

    names = list(registry.systems(kind="flow")["name"]) if systems is None else list(systems)
    length = WINDOW_PERIODS * PER_PERIOD
    rows = []
    for name in names:
        run = registry.system(name).ensemble(
            1, WINDOWS * length, per_period=PER_PERIOD, seed=seed, rtol=1e-9, atol=1e-9
        )[0]
        x = run.observed().x[:, 0]
        windows = x.reshape(WINDOWS, length)
        if not np.isfinite(x).all() or (windows.std(axis=1) <= 1e-12 * np.abs(windows).max()).any():
            continue
        found = [series_features(window) for window in windows]
        rows.append({"system": name} | {key: float(np.median([one[key] for one in found])) for key in FEATURES})
    return pl.DataFrame(rows, schema={"system": pl.String, **dict.fromkeys(FEATURES, pl.Float64)})


def embedding(table: ArrayLike, *, perplexity: float = 12.0, steps: int = 600) -> Array:
    """
    Rows of features as points of the plane: t-distributed neighbour embedding, begun at the principal components.

    Features enter as standardised ranks, so that none outweighs the others. No random numbers are used.

    Parameters
    ----------
    table : array (m, features), m > 3
    perplexity : effective number of neighbours
    steps : of gradient descent

    Returns
    -------
    array (m, 2)

    References
    ----------
    van der Maaten, L. & Hinton, G. (2008), J. Mach. Learn. Res. 9, 2579-2605; Kobak, D. & Berens, P. (2019), Nature
    Communications 10, 5416 (principal components as the start).
    """
    z = _standard(table)
    m = len(z)
    u, s, vt = np.linalg.svd(z, full_matrices=False)
    # The sign of a component is a convention: its largest loading is positive.
    sign = np.sign(vt[np.arange(len(vt)), np.abs(vt).argmax(axis=1)])
    y = (u * s * sign)[:, :2]
    y = 1e-2 * y / y[:, 0].std()
    p = _neighbourhoods(((z[:, None] - z[None]) ** 2).sum(axis=-1), min(perplexity, (m - 1) / 3))
    moved, gain = np.zeros_like(y), np.ones_like(y)
    for step in range(steps):
        near = 1 / (1 + ((y[:, None] - y[None]) ** 2).sum(axis=-1))
        np.fill_diagonal(near, 0)
        pull = (p * (12 if step < 150 else 1) - near / near.sum()) * near
        gradient = 4 * (pull.sum(axis=1)[:, None] * y - pull @ y)
        gain = np.maximum(np.where(np.sign(gradient) == np.sign(moved), gain * 0.8, gain + 0.2), 0.01)
        moved = (0.5 if step < 150 else 0.8) * moved - max(m / 12, 20) * gain * gradient
        y = y + moved
        y -= y.mean(axis=0)
    return np.asarray(y)


def clusters(table: ArrayLike, *, most: int = 10) -> tuple[NDArray[np.int64], float]:
    """
    Groups of rows by average linkage of the features; as many as have the best mean silhouette.

    Returns
    -------
    labels : int array (m,)
        0 for the largest group.
    silhouette : float
        Between -1 and 1; above 0.5 the groups stand apart, below 0.25 they are a convenience of speech (Kaufman &
        Rousseeuw 1990).
    """
    z = _standard(table)
    apart = np.sqrt(((z[:, None] - z[None]) ** 2).sum(axis=-1))
    groups: list[list[int]] = [[i] for i in range(len(z))]
    between = apart.copy()
    np.fill_diagonal(between, np.inf)
    best, chosen = -2.0, np.zeros(len(z), dtype=np.int64)
    while len(groups) > 2:
        i, j = sorted(int(k) for k in np.unravel_index(np.argmin(between), between.shape))
        a, b = len(groups[i]), len(groups[j])
        row = (a * between[i] + b * between[j]) / (a + b)
        between[i], between[:, i] = row, row
        between[i, i] = np.inf
        between = np.delete(np.delete(between, j, axis=0), j, axis=1)
        groups[i] += groups.pop(j)
        if len(groups) <= most:
            labels = np.empty(len(z), dtype=np.int64)
            for number, group in enumerate(sorted(groups, key=lambda g: (-len(g), min(g)))):
                labels[group] = number
            score = _silhouette(apart, labels)
            if score > best:
                best, chosen = score, labels
    return chosen, best


def catalogue_map(systems: Sequence[str] | None = None) -> pl.DataFrame:
    """
    The map of the catalogue.

    Returns
    -------
    polars.DataFrame
        system, x, y, cluster, silhouette (of the whole clustering), and the features
    """
    import polars as pl

    found = features(systems)
    table = found.drop("system").to_numpy()
    plane = embedding(table)
    labels, silhouette = clusters(table)
    return found.select(
        "system", pl.Series("x", plane[:, 0]), pl.Series("y", plane[:, 1]), pl.Series("cluster", labels),
        pl.lit(silhouette).alias("silhouette"), pl.exclude("system"),
    )  # fmt: skip


def _standard(table: ArrayLike) -> Array:
    x = np.asarray(table, dtype=np.float64)
    if x.ndim != 2 or len(x) < 4 or not np.isfinite(x).all():
        raise RequestError("the features must be finite numbers (m, k) of at least four systems")
    placed = ranks(x.T).T
    spread = placed.std(axis=0)
    return np.asarray((placed - placed.mean(axis=0))[:, spread > 0] / spread[spread > 0])


def _neighbourhoods(squares: Array, perplexity: float) -> Array:
    """Symmetric probabilities of being neighbours, each row with the perplexity."""
    m = len(squares)
    p = np.zeros((m, m))
    for i in range(m):
        others = np.delete(squares[i], i)
        others = others - others.min()
        low, high = 0.0, 1e6
        for _ in range(100):
            rate = (low + high) / 2 if high < 1e6 else max(2 * low, 1e-3)
            weight = np.exp(-rate * others)
            weight /= weight.sum()
            entropy = -float((weight[weight > 0] * np.log(weight[weight > 0])).sum())
            if entropy > math.log(perplexity):
                low = rate
            else:
                high = rate
        p[i, np.arange(m) != i] = weight
    return np.asarray((p + p.T) / (2 * m))


def _silhouette(apart: Array, labels: NDArray[np.int64]) -> float:
    count = int(labels.max()) + 1
    member = np.array([labels == k for k in range(count)], dtype=np.float64)
    size = member.sum(axis=1)
    total = apart @ member.T
    own = size[labels]
    inside = total[np.arange(len(labels)), labels] / np.maximum(own - 1, 1)
    outside = total / size
    outside[np.arange(len(labels)), labels] = np.inf
    nearest = outside.min(axis=1)
    values = np.where(own > 1, (nearest - inside) / np.maximum(nearest, inside), 0.0)
    return float(values.mean())


def _autocorrelation(z: Array, most: int) -> Array:
    n = len(z)
    spectrum = np.abs(np.fft.rfft(z, 2 * n)) ** 2
    sums = np.fft.irfft(spectrum)[: most + 1]
    return np.asarray(sums / sums[0] * n / (n - np.arange(most + 1)))


def _permutation_entropy(z: Array, lag: int, order: int = 4) -> float:
    """Bandt & Pompe (2002), Phys. Rev. Lett. 88, 174102; from 0 to 1."""
    words = np.lib.stride_tricks.sliding_window_view(z, (order - 1) * lag + 1)[:, ::lag].argsort(axis=1)
    counts = np.unique(words @ (order ** np.arange(order)), return_counts=True)[1] / len(words)
    return float(-(counts * np.log(counts)).sum() / math.log(math.factorial(order)))


def _nonlinear_residual(z: Array, lag: int) -> float:
    """How much of what a linear map of four delays leaves open a quadratic one explains."""
    keys = np.lib.stride_tricks.sliding_window_view(z[:-lag], 3 * lag + 1)[:, ::lag]
    target = z[4 * lag :]
    keys = keys[: len(target)]
    pairs = [keys[:, i] * keys[:, j] for i in range(4) for j in range(i, 4)]
    linear = np.column_stack([np.ones(len(keys)), keys])
    left = [
        float(((target - a @ np.linalg.lstsq(a, target, rcond=1e-8)[0]) ** 2).sum())
        for a in (linear, np.column_stack([linear, *pairs]))
    ]
    return 1 - left[1] / left[0] if left[0] > 1e-12 * len(target) else 0.0
