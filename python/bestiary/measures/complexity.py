"""Lempel-Ziv complexity, and the 0-1 test for chaos."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..exceptions import RequestError
from ..sampling import whole
from .estimate import Estimate
from .series import as_series

__all__ = ["lempel_ziv", "zero_one_test"]

# Stretches whose scatter is the standard error of a complexity.
_STRETCHES = 8


def lempel_ziv(x: ArrayLike, symbols: int = 2) -> Estimate:
    """
    Lempel-Ziv complexity: words per sample of a series, relative to those of as many random symbols.

    The values are sorted into `symbols` bins that hold equally many (two: above the median or not); integers are taken
    as symbols as they are. The sequence is then read as the fewest words of which each is new. The number of words, c,
    is multiplied by log(n) / n in base `symbols`: 1 for random and 0 for periodic sequences, for many samples. It
    converges slowly: for random symbols it is 1.05 or so for thousands of samples. The standard error is from the
    scatter of eight stretches, and does not know of that. Converged: there are at least 1000 samples.

    Parameters
    ----------
    x : array of shape (n,)
        Numbers, or symbols 0, 1, … as integers.
    symbols : int

    Returns
    -------
    Estimate
        `settings["words"]` is c.

    References
    ----------
    Lempel, A. & Ziv, J. (1976), IEEE Transactions on Information Theory 22, 75-81.
    Kaspar, F. & Schuster, H. G. (1987), Physical Review A 36, 842-848.

    Examples
    --------
    >>> lempel_ziv([0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1] * 4).settings["words"]  # 6 in the first sixteen
    7
    """
    symbols = whole("symbols", symbols, least=2)
    given = np.asarray(x)
    series = as_series(x, least=4 * _STRETCHES, constant=True)
    if given.dtype.kind in "iub":
        if series.min() < 0 or series.max() >= symbols:
            raise RequestError(f"integers must be symbols 0 to {symbols - 1}; give numbers to be sorted into bins")
        sequence = series.astype(np.int64)
    else:
        ordered = np.sort(series)
        borders = [ordered[len(series) * k // symbols] for k in range(1, symbols)]
        sequence = np.searchsorted(np.array(borders), series, side="right")

    def rate(part: np.ndarray) -> tuple[int, float]:
        words = _core.lempel_ziv_words(part.tolist())
        return words, words * math.log(len(part)) / math.log(symbols) / len(part)

    words, value = rate(sequence)
    each = np.array([rate(part)[1] for part in np.array_split(sequence, _STRETCHES)])
    return Estimate(
        value=value,
        error=float(each.std(ddof=1)) / math.sqrt(_STRETCHES),
        converged=len(series) >= 1000,
        settings={"samples": len(series), "symbols": symbols, "words": words},
        method="words of the exhaustive history (Lempel & Ziv 1976); standard error from eight stretches",
    )


def zero_one_test(x: ArrayLike, *, angles: int = 100, seed: int = 0, threads: int | None = None) -> Estimate:
    """
    The 0-1 test: K near 0 for regular and near 1 for chaotic dynamics.

    The series drives a rotation by a fixed angle a step; its mean square displacement stays bounded, or grows with
    time. K is the median, over random angles, of the correlation of displacement and time. A flow must be sampled
    coarsely, or K is near 0 whatever it is: about a tenth of its period and more between samples. Noise gives 1 as
    well. The standard error is that of a median, from the scatter over angles; it does not cover the bias of a short
    series. Converged: K is below 0.2 or above 0.8.

    Parameters
    ----------
    x : array of shape (n,)
    angles : int
        Drawn between π/5 and 4π/5, away from resonances.
    seed : int
        Of the angles.

    Returns
    -------
    Estimate

    References
    ----------
    Gottwald, G. A. & Melbourne, I. (2009), SIAM Journal on Applied Dynamical Systems 8, 129-145.

    Examples
    --------
    >>> from bestiary import system
    >>> tests = [zero_one_test(system("Logistic", r=r).trajectory(2000, transient=500).x[:, 0]) for r in (3.55, 3.97)]
    >>> bool(tests[0].value < 0.05), bool(tests[1].value > 0.95)
    (True, True)
    """
    series = as_series(x, least=200)
    count = whole("angles", angles, least=2)
    c = np.pi / 5 + _core.uniforms(seed, 0, count) * 3 * np.pi / 5
    k = np.sort(_core.zero_one_correlations(series, c, threads=threads))
    # The order statistics one standard deviation of a binomial from the median have it between them 68 times of 100.
    reach = math.sqrt(count) / 2
    low, high = max(int(count / 2 - reach), 0), min(math.ceil(count / 2 + reach), count - 1)
    value = float(np.median(k))
    return Estimate(
        value=value,
        error=float(k[high] - k[low]) / 2,
        converged=not 0.2 <= value <= 0.8,
        settings={"samples": len(series), "angles": count, "seed": seed},
        method="0-1 test by correlation (Gottwald & Melbourne 2009); standard error of the median over angles",
    )
