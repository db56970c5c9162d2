"""
What a user hands to a forecaster, read as a list of plain arrays: one series, several, or the result of a run.

Nothing is repaired here. A series that is too short or has gaps is refused, with the place where it has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..definition import Array
from ..exceptions import RequestError

__all__ = ["Series", "read_context", "read_train"]

Series: TypeAlias = "ArrayLike | Sequence[Any]"

# Sampling intervals of one series may differ by rounding, not by more.
_EVEN = 1e-6


def read_train(train: Any, dt: float | None) -> tuple[list[Array], float, bool]:
    """
    The trajectories as read-only (n, d) copies, the sampling interval, and whether a single series came as (n,).

    Copies, because what was learned must not change when the user's array does; read-only, because a forecaster has no
    business writing into it.
    """
    parts = list(train) if _is_several(train) else [train]
    if not parts:
        raise RequestError("there is no series to learn from: the list is empty")
    found = [_sampling_interval(part) for part in [train, *parts]]
    stated = [interval for interval in found if interval is not None]
    if dt is None:
        dt = stated[0] if stated else 1.0
        if any(abs(other - dt) > _EVEN * dt for other in stated):
            raise RequestError("the trajectories have different sampling intervals: resample them, or fit one")
    if not 0 < dt < np.inf:
        raise RequestError(f"dt must be a positive number, the time between two samples, not {dt!r}")
    several = len(parts) > 1
    series = [
        _checked(part, f"training series {i}" if several else "the training series") for i, part in enumerate(parts)
    ]
    if len(series) == 1 and series[0].ndim == 3:
        several, series = True, list(series[0])
    is_flat = series[0].ndim == 1
    if any(part.ndim > 2 or part.ndim != series[0].ndim for part in series):
        raise RequestError("a series has shape (n,) or (n, d), all trajectories alike")
    series = [part[:, None] if is_flat else part for part in series]
    widths = {part.shape[1] for part in series}
    if len(widths) > 1 or 0 in widths:
        raise RequestError(f"the trajectories must have the same number of columns, at least one, not {sorted(widths)}")
    return series, float(dt), is_flat


def read_context(context: Any, dimension: int) -> tuple[Array, int]:
    """The histories as a read-only (m, n, d) array, and how many axes the user's array had."""
    past = _checked(context, "the context")
    axes = past.ndim
    if axes == 1:
        past = past[None, :, None]
    elif axes == 2:
        past = past[None]
    if past.ndim != 3:
        raise RequestError(f"a context has shape (n,), (n, d) or (m, n, d), not {past.shape}")
    if past.shape[2] != dimension:
        raise RequestError(f"the context has {past.shape[2]} columns, but the training series had {dimension}")
    return past, axes


def _is_several(train: Any) -> bool:
    """A list or tuple of arrays or runs, as against one of numbers or rows."""
    return isinstance(train, (list, tuple)) and (
        not train or all(hasattr(part, "__array__") and np.ndim(part) for part in train)
    )


def _sampling_interval(part: Any) -> float | None:
    """The time between samples of a `Trajectory` or `Ensemble`."""
    times = getattr(part, "t", None)
    if times is None or isinstance(part, np.ndarray) or not hasattr(part, "x") or len(times) < 2:
        return None
    apart = np.diff(times)
    if np.ptp(apart) > _EVEN * abs(apart.mean()):
        raise RequestError("the samples must be evenly spaced in time: sample with dt= or per_period=")
    return float(apart.mean())


def _checked(part: Any, what: str) -> Array:
    values = part.x if hasattr(part, "x") and not isinstance(part, np.ndarray) else part
    try:
        array = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise RequestError(f"{what} must be numbers, of shape (n,) or (n, d)") from None
    if array.ndim == 0 or array.size == 0:
        raise RequestError(f"{what} has no samples: its shape is {array.shape}")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        where = f"sample {place[0]}" + (f", column {place[1]}" if len(place) == 2 else "")
        where = where if len(place) < 3 else f"trajectory {place[0]}, sample {place[1]}, column {place[2]}"
        raise RequestError(f"{what} must be finite, but {where} is {array[place]}: cut or fill it first")
    array.flags.writeable = False
    return array
