"""Recurrence quantification: the lines of a recurrence plot, for many thresholds at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..definition import Array
from ..exceptions import RequestError
from ..sampling import whole
from .estimate import Estimate
from .series import as_points, checked_norm, logarithm

__all__ = ["Recurrence", "recurrence_quantification"]

# Stretches whose scatter is the standard error.
_STRETCHES = 8
_NAMES = ("rate", "determinism", "mean_line", "longest_line", "line_entropy", "laminarity", "trapping_time")


@dataclass(frozen=True)
class Recurrence:
    """
    What the lines of a recurrence plot say, each an Estimate of arrays of shape (thresholds,).

    `rate`: the part of pairs that recur. `determinism`: the part of recurrent pairs on diagonal lines, and `mean_line`,
    `longest_line`, `line_entropy` (nats): the lengths of these. `laminarity`: the part on vertical lines, and
    `trapping_time`: their mean length. Lines count from the least length on. NaN where there is none.
    """

    thresholds: Array
    rate: Estimate
    determinism: Estimate
    mean_line: Estimate
    longest_line: Estimate
    line_entropy: Estimate
    laminarity: Estimate
    trapping_time: Estimate


def recurrence_quantification(
    x: ArrayLike,
    thresholds: ArrayLike,
    *,
    least: int = 2,
    window: int = 0,
    norm: str = "maximum",
    threads: int | None = None,
) -> Recurrence:
    """
    Recurrence quantification for many thresholds in one pass; the plot itself is never made.

    Pairs at most `window` steps apart are left out: by default those of a point with itself. Standard errors are the
    scatter of the values of eight stretches of time, over the root of eight; of `longest_line`, which grows with the
    length of the series, none is given. Converged: at every threshold there are at least 100 recurrent pairs.

    Parameters
    ----------
    x : array of shape (n, d), or (n,)
        Points in order of time. The work grows as n²: up to some 10⁴ points are reasonable.
    thresholds : array of shape (k,)
        Increasing. A pair recurs if its distance is at most the threshold.
    least : int
        The length of the shortest line.
    window : int
    norm : "maximum" or "euclidean"

    Returns
    -------
    Recurrence

    References
    ----------
    Marwan, N., Romano, M. C., Thiel, M. & Kurths, J. (2007), Physics Reports 438, 237-329.

    Examples
    --------
    >>> turn = 2 * np.pi * np.arange(1000) / 20
    >>> found = recurrence_quantification(np.stack([np.cos(turn), np.sin(turn)], axis=1), [0.01, 0.1])
    >>> found.rate.value.round(2).tolist(), found.determinism.value.round(2).tolist()
    ([0.05, 0.05], [1.0, 1.0])
    """
    points = as_points(x)
    least, window = whole("least", least, least=2), whole("window", window, least=0)
    chosen = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if chosen.ndim != 1 or not len(chosen) or not (chosen > 0).all() or not (np.diff(chosen) > 0).all():
        raise RequestError("thresholds must be positive and increasing, of shape (k,)")
    if len(points) // _STRETCHES <= window + 2 * least:
        raise RequestError(f"{len(points)} points are too few for a window of {window} steps")
    norm = checked_norm(norm)
    whole_run, pairs = _values(points, chosen, least, window, norm, threads)
    parts = np.stack(
        [
            _values(np.ascontiguousarray(part), chosen, least, window, norm, threads)[0]
            for part in np.array_split(points, _STRETCHES)
        ]
    )
    error = parts.std(axis=0, ddof=1) / math.sqrt(_STRETCHES)
    error[_NAMES.index("longest_line")] = np.nan
    estimates = [
        Estimate(
            value=value,
            error=one,
            converged=bool((pairs >= 100).all()),
            settings={"points": len(points), "least": least, "window": window, "norm": norm},
            method="lines of the recurrence plot (Marwan et al. 2007); standard error from eight stretches of time",
        )
        for value, one in zip(whole_run, error, strict=True)
    ]
    return Recurrence(chosen, *estimates)


def _values(
    points: Array, thresholds: Array, least: int, window: int, norm: str, threads: int | None
) -> tuple[Array, Array]:
    """The quantities, (7, thresholds), and how many pairs recur."""
    n = len(points)
    diagonal, vertical = (
        lines.astype(np.float64)
        for lines in _core.recurrence_lines(points, thresholds, norm=norm, window=window, threads=threads)
    )
    length = np.arange(n + 1.0)
    pairs, everywhere = (diagonal * length).sum(1), (vertical * length).sum(1)
    longest = np.array([float(np.max(np.flatnonzero(row), initial=0)) for row in diagonal])
    diagonal, vertical, length = diagonal[:, least:], vertical[:, least:], length[least:]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = diagonal / diagonal.sum(1, keepdims=True)
        terms = share * np.where(share > 0, logarithm(np.where(share > 0, share, 1.0)), 0.0)
        values = np.stack(
            [
                pairs / ((n - window) * (n - window - 1) / 2),
                (diagonal * length).sum(1) / pairs,
                (diagonal * length).sum(1) / diagonal.sum(1),
                longest,
                -terms.sum(1) + 0.0,
                (vertical * length).sum(1) / everywhere,
                (vertical * length).sum(1) / vertical.sum(1),
            ]
        )
    return values, pairs
