"""Dynamic time warping: errors that forgive a forecast for being early or late."""

from __future__ import annotations

from numpy.typing import ArrayLike

from .. import _core
from .arrays import Value, choose, pair, whole


def dtw(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    cost: str = "euclidean",
    band: int | None = None,
    threads: int | None = None,
) -> Value:
    """
    Dynamic time warping distance: the least total cost of matching all samples of both series in order.

    Exact; time grows with the product of the lengths, memory with their sum.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
        The lengths may differ. The variables are matched together.
    cost : "euclidean" or "squared"
        "euclidean" (the default; Sakoe & Chiba 1978): the sum of the distances of matched samples. "squared" (tslearn,
        dtaidistance): the root of the sum of their squares.
    band : whole number, optional
        Match only samples at most so many steps apart (Sakoe-Chiba band), at least the difference of the lengths.
    threads : at most so many, for several members; the result does not depend on it

    Returns
    -------
    float, or array of the shape of the leading axes
        In units of the data; 0 for equal series.

    References
    ----------
    Sakoe, H. & Chiba, S. (1978), IEEE Transactions on Acoustics, Speech, and Signal Processing 26, 43-49.

    Examples
    --------
    >>> dtw([0.0, 0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 2.0])
    0.0
    >>> dtw([0.0, 0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 2.0], band=0)
    2.0
    """
    both = pair(truth, forecast, aligned=False)
    choose("cost", cost, ("euclidean", "squared"))
    width = None if band is None else whole("band", band, 0)
    return both.value(_core.warping_distance(both.truth, both.forecast, cost=cost, band=width, threads=threads))
