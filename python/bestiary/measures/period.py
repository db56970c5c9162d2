"""The dominant period of a system or a series: the highest peak of its spectra that red noise does not explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..definition import Array
from ..exceptions import RequestError
from ..sampling import positive
from . import surrogates
from .estimate import Estimate
from .series import as_series

if TYPE_CHECKING:
    from ..system import System

__all__ = ["DominantPeriod", "dominant_period", "period_from_data"]

MEMBERS, PERIODS, PER_PERIOD, SEGMENT = 8, 256, 16, 64
WINDOW = SEGMENT * PER_PERIOD
# One more than the surrogates: to exceed all of 99 by chance has a probability of 1 %.
SURROGATES = 99
# Times that the members are drawn anew, with replacement, for the standard error (Efron 1979).
RESAMPLED = 200
# Where more variables are measured than this, these many of them, evenly spaced.
VARIABLES = 8
RTOL = 1e-9
# The lobe of a line under a Hann window reaches this many frequencies to either side.
_LOBE = 2
# The spectrum is taken anew, in units of what was found, where that is further off than this.
_NEAR, _ROUNDS = 2.5, 5

METHOD = (
    "highest peak of the Welch spectrum that exceeds red-noise surrogates (99 % of their maxima); "
    "standard error from members drawn anew"
)
SETTINGS = (
    f"{MEMBERS} members of {PERIODS} periods, {PER_PERIOD} samples each, Hann windows of {SEGMENT} periods, "
    f"{SURROGATES} surrogates, rtol {RTOL:g}"
)


@dataclass(frozen=True)
class DominantPeriod:
    """
    A period with its standard error, in the system's own unit of time, and the variable that has it.

    `value` and `error` are NaN, and `variable` is empty, where no peak stands out. `excess` is the height of the peak,
    relative to the mean of the surrogates there, in units of the largest such ratio that any surrogate reaches.
    """

    value: float
    error: float
    variable: str
    excess: float


def dominant_period(system: System, *, seed: int = 0) -> DominantPeriod:
    """
    The dominant period of a flow, delay or stochastic system, from its spectrum.

    Eight members on the attractor, 256 periods each in units of the stated period, 16 samples a period. The spectrum
    of each variable (of an angle: of its cosine and sine) is the mean of periodograms over Hann windows of 64 periods
    that overlap by half (Welch 1967). A peak counts where the ratio of the spectrum to the mean spectrum of 99
    red-noise surrogates exceeds the largest ratio that any surrogate has at any frequency: a test at 1 % for all
    frequencies together. Surrogates that keep the spectrum (Fourier, AAFT) cannot test a peak of that spectrum, since
    they have it as well; against shuffled values every slow variable is significant. Of the peaks that count in a
    variable the highest is taken, and of the variables that whose peak exceeds its limit most. The standard error is
    that of the centre of the peak over members drawn anew with replacement (Efron 1979), where it also begins and ends
    elsewhere. Where the result is far from the unit, the measurement is made again with it as the unit.

    Parameters
    ----------
    system : System
        Not a map.
    seed : int
        Of initial states and surrogates.

    Returns
    -------
    DominantPeriod

    Raises
    ------
    RequestError
        For a map, and where a run stops early.

    References
    ----------
    Welch, P. D. (1967), IEEE Transactions on Audio and Electroacoustics 15, 70-73.
    Allen, M. R. & Smith, L. A. (1996), Journal of Climate 9, 3373-3404.
    Efron, B. (1979), Annals of Statistics 7, 1-26.

    Examples
    --------
    >>> from bestiary import system
    >>> found = dominant_period(system("Rossler"))
    >>> bool(abs(found.value - 5.86) < 0.05)
    True
    """
    if system.kind == "map":
        raise RequestError(f"{system.name} is a map: it has no spectrum in time")
    unit, found = system.period, DominantPeriod(np.nan, np.nan, "", 0.0)
    for _ in range(_ROUNDS):
        found = _measured(system, unit, seed)
        if not np.isfinite(found.value) or 1 / _NEAR <= found.value / unit <= _NEAR:
            return found
        unit = found.value
    return found


def period_from_data(x: ArrayLike, *, dt: float = 1.0, seed: int = 0) -> Estimate:
    """
    The dominant period of a series, by the test of `dominant_period`.

    The series is cut into eight stretches of equal length, which are its members. Each has a Welch spectrum with Hann
    windows that overlap by half, as long as the largest power of two within half of a stretch, so that periods of up to
    a thirty-second of the series can be found.

    Parameters
    ----------
    x : array of shape (n,)
        At least 1024 samples.
    dt : float
        Time between samples.
    seed : int
        Of the surrogates.

    Returns
    -------
    Estimate
        In units of `dt`. NaN, and not converged, where no peak stands out from red noise. `settings["excess"]` is that
        of `DominantPeriod`.

    References
    ----------
    As for `dominant_period`.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=8192)
    >>> found = period_from_data(np.sin(2 * np.pi * np.arange(8192) / 20.5) + noise)
    >>> bool(found.converged and abs(found.value - 20.5) < 3 * found.error)
    True
    >>> period_from_data(noise).converged
    False
    """
    series, dt = as_series(x, least=1024), positive("dt", dt)
    length = len(series) // MEMBERS
    window = 1 << (length // 2).bit_length() - 1
    found = _peak(series[: MEMBERS * length].reshape(MEMBERS, length), seed, window)
    value = error = np.nan
    if found is not None:
        value, error = window * dt / found[0], window * dt * found[1] / found[0] ** 2
    return Estimate(
        value=value,
        error=error,
        converged=found is not None,
        settings={
            "samples": len(series),
            "dt": dt,
            "window": window,
            "surrogates": SURROGATES,
            "seed": seed,
            "excess": found[2] if found else 0.0,
        },
        method="highest peak of the Welch spectrum that exceeds red-noise surrogates (99 % of their maxima); standard "
        "error from stretches of time drawn anew",
    )


def _measured(system: System, unit: float, seed: int) -> DominantPeriod:
    runs = system.ensemble(
        MEMBERS, PERIODS * PER_PERIOD, dt=unit / PER_PERIOD, seed=seed, rtol=RTOL, threads=1, max_steps=10**9
    )
    stopped = [i for i, outcome in enumerate(runs.outcomes) if outcome != "ok"]
    if stopped:
        raise RequestError(f"member {stopped[0]} of {system.name} is {runs.outcomes[stopped[0]]}")
    best = DominantPeriod(np.nan, np.nan, "", 0.0)
    for name, x in _variables(system, runs.x):
        found = _peak(x, seed, WINDOW)
        if found is not None and found[2] > best.excess:
            turns, error, excess = found
            best = DominantPeriod(unit * SEGMENT / turns, unit * SEGMENT * error / turns**2, name, excess)
    return best


def _variables(system: System, x: Array) -> list[tuple[str, Array]]:
    """What spectra are taken of: variables that move, angles as cosine and sine; (name, (members, samples)) each."""
    periods = system.core.periods(system.core.parameter_values)
    moving = [j for j in range(system.dimension) if np.ptp(x[..., j]) > 0]
    chosen = [moving[i] for i in np.unique(np.linspace(0, len(moving) - 1, min(VARIABLES, len(moving))).astype(int))]
    series: list[tuple[str, Array]] = []
    for j in chosen:
        if np.isfinite(periods[j]):
            turn = 2 * np.pi * x[..., j] / periods[j]
            series += [(f"cos {system.names[j]}", np.cos(turn)), (f"sin {system.names[j]}", np.sin(turn))]
        else:
            series.append((system.names[j], x[..., j]))
    return series


def _peak(x: Array, seed: int, length: int) -> tuple[float, float, float] | None:
    """Turns per window of `length` samples, their standard error, and the excess, of the highest peak that counts."""
    each = spectra(x, length)
    spectrum = each.mean(axis=0)
    noise = [spectra(_red(x, seed + 1 + i), length).mean(axis=0) for i in range(SURROGATES)]
    background = np.mean(noise, axis=0)
    # The lowest frequencies hold what is left of trends within a window.
    inner = slice(2, -1)
    limit = max(float((one / background)[inner].max()) for one in noise)
    ratio = spectrum / background
    is_peak = (spectrum[1:-1] > spectrum[:-2]) & (spectrum[1:-1] >= spectrum[2:]) & (ratio[1:-1] > limit)
    peaks = np.flatnonzero(is_peak) + 1
    peaks = peaks[peaks >= 2]
    if not len(peaks):
        return None
    top = int(peaks[np.argmax(spectrum[peaks])])
    centre, band = _centre(spectrum, top)
    # The peak of other members might have been as broad as this one and stood anywhere in it.
    rng = np.random.default_rng(seed)
    again = [each[rng.integers(len(each), size=len(each))].mean(axis=0) for _ in range(RESAMPLED)]
    centres = [_centre(one, int(band[np.argmax(one[band])]))[0] for one in again]
    error = float(np.std(centres)) * (len(each) / (len(each) - 1)) ** 0.5
    return centre, error, float(ratio[top]) / limit


def _centre(spectrum: Array, top: int) -> tuple[float, NDArray[np.int64]]:
    """The centre of what stands above half of a peak, at least of the lobe of a line, and these frequencies."""
    low, high = top, top
    while low > 1 and spectrum[low - 1] > spectrum[top] / 2:
        low -= 1
    while high < len(spectrum) - 1 and spectrum[high + 1] > spectrum[top] / 2:
        high += 1
    band = np.arange(max(1, min(low, top - _LOBE)), min(len(spectrum), max(high, top + _LOBE) + 1))
    return float((spectrum[band] * band).sum() / spectrum[band].sum()), band


def spectra(x: Array, length: int) -> Array:
    """Welch spectra of the members, (members, frequencies); frequency k is k turns per window of `length` samples."""
    window = np.hanning(length + 1)[:-1]
    pieces = np.lib.stride_tricks.sliding_window_view(x, length, axis=1)[:, :: length // 2]
    pieces = pieces - pieces.mean(axis=2, keepdims=True)
    power: Array = np.abs(np.fft.rfft(pieces * window, axis=2)) ** 2
    return np.asarray(power.mean(axis=1), dtype=np.float64)


def _red(x: Array, seed: int) -> Array:
    """One surrogate of all members."""
    made: Array = surrogates.red_noise(x.reshape(-1), seed=seed)[0]
    return made.reshape(x.shape)
