"""
Windows of one or several trajectories: those to learn from, and those of the end of each, to validate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...definition import Array

__all__ = ["Windows", "cut"]

# Windows that are looked at after each epoch, evenly spread over all of those to validate.
_VALIDATED = 1024


@dataclass(frozen=True, eq=False)
class Windows:
    """
    Attributes
    ----------
    series : array (N, d), the trajectories one after the other
    starts, held : first samples of the windows to learn from, and of those to validate (there may be none)
    length : samples in a window
    """

    series: NDArray[Any]
    starts: NDArray[np.int64]
    held: NDArray[np.int64]
    length: int

    def take(self, starts: NDArray[np.int64], length: int | None = None) -> NDArray[Any]:
        """The first `length` samples of the windows that begin at `starts` (…), shape (…, length, d)."""
        return np.asarray(self.series[starts[..., None] + np.arange(length or self.length)])


def cut(series: list[Array], length: int, *, foretold: int, validation: float, dtype: str) -> Windows:
    """
    All windows of `length` samples that lie within a trajectory.

    The last `validation` of each trajectory is not learned from: windows to validate have their last `foretold` samples
    in it, those to learn from have none. A trajectory too short for both is learned from as a whole.
    """
    starts, held, offset = [], [], 0
    for x in series:
        n = len(x)
        first = n - round(validation * n)
        if first < length or n - first < foretold:
            first = n
        starts.append(offset + np.arange(first - length + 1))
        held.append(offset + np.arange(first - length + foretold, n - length + 1))
        offset += n
    every = np.concatenate(held)
    if len(every) > _VALIDATED:
        every = every[np.linspace(0, len(every) - 1, _VALIDATED).astype(np.int64)]
    return Windows(np.concatenate(series).astype(dtype), np.concatenate(starts), every, length)
