"""What follows from a Lyapunov spectrum: Kaplan-Yorke dimension, entropy by Pesin's formula, and Lyapunov time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..definition import Array
from ..exceptions import RequestError
from .estimate import Estimate
from .exponents import SIGNIFICANT, lyapunov_spectrum, signs, slow_or_told

if TYPE_CHECKING:
    from ..system import System

__all__ = ["kaplan_yorke", "lyapunov_time", "pesin_entropy"]


def kaplan_yorke(spectrum: Estimate | System, **options: Any) -> Estimate:
    """
    The Kaplan-Yorke (Lyapunov) dimension.

    It is j + (l_1 + ... + l_j) / |l_(j+1)|, with j the most for which the sum is not negative.

    Exponents that vanish within their errors count as zero. The standard error is propagated with the covariances of
    the exponents.

    Parameters
    ----------
    spectrum : Estimate or System
        From `lyapunov_spectrum`, or a system to measure.
    **options
        Of `lyapunov_spectrum`, for a system.

    Returns
    -------
    Estimate
        A number. NaN, and not converged, where the exponents known do not suffice: they never sum to less than zero,
        and are not all that there are.

    References
    ----------
    Kaplan, J. L. & Yorke, J. A. (1979), Lecture Notes in Mathematics 730, 204-227.
    Frederickson, P., Kaplan, J. L., Yorke, E. D. & Yorke, J. A. (1983), Journal of Differential Equations 49, 185-207.

    Examples
    --------
    >>> from bestiary import system
    >>> found = kaplan_yorke(system("Henon"))
    >>> bool(abs(found.value - 1.258) < 0.005)
    True
    """
    found, dimension = _spectrum_of(spectrum, options)
    value, covariance, _ = _settled(found)
    k = len(value)
    sums = np.cumsum(value)
    # Where a sum vanishes within its error the dimension hardly depends on its sign, but for the first exponents, as
    # of a limit cycle; and where all of them sum to zero volume is kept.
    errors = np.sqrt(np.maximum([covariance[: j + 1, : j + 1].sum() for j in range(k)], 0.0))
    allowed = SIGNIFICANT * np.maximum(errors, found.error)
    lenient = np.cumprod(np.abs(sums) <= allowed).astype(bool)
    lenient[-1] |= k == dimension
    kept = sums >= np.where(lenient, -allowed, 0.0)
    j = k if kept.all() else int(np.argmin(kept))
    if j == k:
        full = dimension == k
        return Estimate(
            float(k) if full else np.nan, 0.0 if full else np.nan, found.converged and full, settings=found.settings
        )
    total = float(sums[j - 1]) if j else 0.0
    next_one = float(value[j])
    gradient = np.zeros(k)
    gradient[:j] = 1 / abs(next_one)
    gradient[j] = total / next_one**2
    error = float(np.sqrt(np.maximum(gradient @ covariance @ gradient, 0.0)))
    result = j + max(total, 0.0) / abs(next_one)
    return Estimate(result, error, found.converged, settings=found.settings)


def pesin_entropy(spectrum: Estimate | System, **options: Any) -> Estimate:
    """
    The sum of the positive exponents: by Pesin's formula the Kolmogorov-Sinai entropy, of smooth (SRB) measures.

    In general it is an upper bound (Ruelle's inequality). Arguments are those of `kaplan_yorke`; the result is in
    nats per unit of time.

    References
    ----------
    Pesin, Ya. B. (1977), Russian Mathematical Surveys 32 (4), 55-114.

    Examples
    --------
    >>> from bestiary import system
    >>> found = pesin_entropy(system("Logistic", r=4.0))
    >>> bool(abs(found.value - np.log(2)) < 0.01)
    True
    """
    found, dimension = _spectrum_of(spectrum, options)
    value, covariance, told = _settled(found)
    positive = told == 1
    if positive.all() and dimension != len(value):
        return Estimate(np.nan, np.nan, False, settings=found.settings)
    error = float(np.sqrt(np.maximum(covariance[np.ix_(positive, positive)].sum(), 0.0)))
    return Estimate(float(value[positive].sum()), error, found.converged, settings=found.settings)


def lyapunov_time(spectrum: Estimate | System, **options: Any) -> Estimate:
    """
    The time in which a small error grows e-fold: one over the largest exponent, with its propagated error.

    Arguments are those of `kaplan_yorke`; of a system, only the largest exponent is measured unless `k` is given. NaN,
    and not converged, where the largest exponent is not told to be positive: there is no such time then.

    Examples
    --------
    >>> from bestiary import system
    >>> found = lyapunov_time(system("Logistic", r=4.0))
    >>> bool(abs(found.value - 1 / np.log(2)) < 4 * found.error)
    True
    """
    found, _ = _spectrum_of(spectrum, options if isinstance(spectrum, Estimate) else {"k": 1, **options})
    if signs(found.value, found.error, found.settings["duration"])[0] != 1:
        return Estimate(np.nan, np.nan, False, settings=found.settings)
    value, error = float(found.value[0]), float(found.error[0])
    return Estimate(1 / value, error / value**2, found.converged, settings=found.settings)


def _spectrum_of(spectrum: Estimate | System, options: dict[str, Any]) -> tuple[Estimate, int | None]:
    """The spectrum, and how many exponents there are in all (None: infinitely many)."""
    if isinstance(spectrum, Estimate):
        if options:
            raise RequestError(f"{', '.join(options)}: options are for a system; this spectrum is measured already")
        found = spectrum
    else:
        found = lyapunov_spectrum(spectrum, **options)
    if found.covariance is None or np.ndim(found.value) != 1:
        raise RequestError("an estimate from lyapunov_spectrum is needed")
    return found, found.settings.get("exponents")


def _settled(found: Estimate) -> tuple[Array, Array, Array]:
    """
    Values with those that vanish set to zero, their covariance and their signs; of a run too short to tell zeros from
    others, the values as they are, and the signs that their errors allow.
    """
    told = slow_or_told(found.value, found.error, found.settings["duration"], found.settings["unit"])
    told = np.where((told == 2) & (np.abs(found.value) > SIGNIFICANT * found.error), np.sign(found.value), told)
    zero = told == 0
    value = np.where(zero, 0.0, found.value)
    covariance = np.array(found.covariance)
    covariance[zero] = 0.0
    covariance[:, zero] = 0.0
    return value, covariance, told
