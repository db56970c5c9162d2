"""
Forecasters that take the series for periodic: the last period over again, or its strongest frequencies.

The period is found from the data where it is not given. Each coordinate is forecast by itself.
"""

from __future__ import annotations

import numpy as np

from .. import sampling
from ..definition import Array
from .base import EQUIVARIANT, Forecaster

__all__ = ["Fourier", "Seasonal", "period_of"]

# A period must come twice to be seen as one.
_TIMES = 2
# One that is not exact, so often, to be told from chance.
_CHANCE = 10
# Extrema of the correlation below this part of the best one are not the period itself.
_NEARLY_BEST = 0.95
# A series whose autocorrelation gets no higher than this, away from 0, is not periodic.
_PERIODIC = 0.98


def period_of(x: Array) -> int:
    """
    The period of a series (n,) in samples: the first lag at which it repeats itself about as well as at any.

    That is the first local maximum of the autocorrelation within 5 % of the highest, each lag normalised by the
    samples that take part. Where the highest is below 0.98 the series is not periodic, and the highest is taken up to a
    tenth of the series, so that no chance recurrence from far away is. 1 where there is none, as in a constant or an
    ever-growing series.

    Examples
    --------
    >>> period_of(np.sin(2 * np.pi * np.arange(200) / 25))
    25
    """
    n = len(x)
    x = x - x.mean()
    longest = n // _TIMES
    if longest < 3 or not np.any(np.abs(x) > 0):
        return 1
    spectrum = np.fft.rfft(x, 2 * n)
    products = np.fft.irfft(spectrum * spectrum.conj())[: longest + 1]
    squares = np.concatenate([[0.0], np.cumsum(x * x)])
    lags = np.arange(longest + 1)
    norm = np.sqrt((squares[n - lags] - squares[0]) * (squares[n] - squares[lags]))
    correlation = products / np.where(norm > 0, norm, 1.0)
    inner = correlation[1:-1]
    is_peak = (inner >= correlation[:-2]) & (inner > correlation[2:])
    # The last lag counts too: a series may hold its period just twice.
    peaks = np.append(np.flatnonzero(is_peak) + 1, longest if correlation[-1] > correlation[-2] else [])
    peaks = peaks[correlation[peaks.astype(int)] > 0].astype(int)
    if len(peaks) == 0:
        return 1
    heights = correlation[peaks]
    if heights.max() < _PERIODIC:
        near = peaks <= n // _CHANCE
        return int(peaks[near][np.argmax(heights[near])]) if near.any() else 1
    return int(peaks[heights >= _NEARLY_BEST * heights.max()][0])


class Seasonal(Forecaster):
    """
    The last period of the past over and over.

    Parameters
    ----------
    period : int
        In samples; found from the training series by default, for each coordinate (see `period_of`).

    Examples
    --------
    >>> Seasonal(period=2).fit([1.0, 2.0, 1.0, 2.5]).predict(3).tolist()
    [1.0, 2.5, 1.0]
    """

    family = "baseline"
    equivariant = EQUIVARIANT
    source = "Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd ed., section 5.2"
    joint = False
    exact = frozenset({"periodic"})
    # Over a cycle of a chaotic orbit, a period ago is no better than now.
    skilled = False

    def __init__(self, period: int | None = None) -> None:
        self.period = period

    def _shortest(self, dimension: int) -> int:
        return 2 if self.period is None else sampling.whole("period", self.period, least=1)

    def _memory(self) -> tuple[int, int | None]:
        return int(self.periods_.max()), int(self.periods_.max())

    def _fit(self, series: list[Array]) -> None:
        longest = max(series, key=len)
        found = [period_of(x) if self.period is None else self.period for x in longest.T]
        self.periods_ = np.array(found)

    def _predict(self, past: Array, horizon: int) -> Array:
        steps, n = np.arange(horizon), len(past)
        columns = [past[n - period + steps % period, i] for i, period in enumerate(self.periods_)]
        return np.stack(columns, axis=1)


class Fourier(Forecaster):
    """
    The strongest frequencies of the past, drawn on.

    One frequency after another is taken from what the earlier ones leave: the highest peak of the zero-padded
    spectrum, refined by least squares. All amplitudes are fitted together at last.

    Parameters
    ----------
    frequencies : int
        How many.

    Examples
    --------
    >>> wave = np.cos(0.3 * np.arange(300)) + 0.5 * np.sin(0.7123 * np.arange(300))
    >>> forecast = Fourier(frequencies=2).fit(wave[:200]).predict(100)
    >>> bool(np.abs(forecast - wave[200:]).max() < 1e-6)
    True
    """

    family = "baseline"
    equivariant = EQUIVARIANT
    source = "Quinn & Hannan (2001), The Estimation and Tracking of Frequency, Cambridge University Press"
    joint = False
    exact = frozenset({"periodic"})
    # Where the past is not a sum of few waves, its last sample is missed as much as any other.
    skilled = False

    def __init__(self, frequencies: int = 10) -> None:
        self.frequencies = frequencies

    def _shortest(self, dimension: int) -> int:
        sampling.whole("frequencies", self.frequencies, least=1)
        return 4

    def _memory(self) -> tuple[int, int | None]:
        return 4, None

    def _fit(self, series: list[Array]) -> None:
        """Nothing is learned: the frequencies are those of the past that is continued."""

    def _predict(self, past: Array, horizon: int) -> Array:
        return np.stack([self._continue(x, horizon) for x in past.T], axis=1)

    def _continue(self, x: Array, horizon: int) -> Array:
        n = len(x)
        centre, scale = x[0] + (x - x[0]).mean(), np.ptp(x)
        if not scale > 0:
            return np.full(horizon, x[-1])
        y = (x - centre) / scale
        # Each frequency costs three numbers, and there must be more samples than numbers.
        most = max(min(self.frequencies, (n - 1) // 4), 1)
        t = np.asarray(np.arange(n) - (n - 1) / 2, dtype=np.float64)
        omega = np.zeros(0)
        rest = y
        for _ in range(most):
            if np.abs(rest).max() < 1e-12:
                break
            # Alone first, then with the others, which it has pulled at until now.
            omega = np.append(omega, _refined(np.array([_peak(rest)]), t, rest, 5))
            omega = _refined(omega, t, y, 2)
            rest = y - _waves(omega, t) @ _amplitudes(omega, t, y)
        omega = _refined(omega, t, y, 20)
        later = np.asarray(np.arange(n, n + horizon) - (n - 1) / 2, dtype=np.float64)
        return np.asarray(centre + scale * (_waves(omega, later) @ _amplitudes(omega, t, y)))


def _waves(omega: Array, t: Array) -> Array:
    """A constant, and cosine and sine of each frequency: (n, 1 + 2 k)."""
    waves = np.ones((len(t), 1 + 2 * len(omega)), dtype=np.float64)
    angles = np.outer(t, omega)
    waves[:, 1 : 1 + len(omega)] = np.cos(angles)
    waves[:, 1 + len(omega) :] = np.sin(angles)
    return waves


def _amplitudes(omega: Array, t: Array, y: Array) -> Array:
    return np.asarray(np.linalg.lstsq(_waves(omega, t), y, rcond=1e-10)[0], dtype=np.float64)


def _peak(y: Array) -> float:
    """The frequency, in radians a sample, of the highest peak of the spectrum, the constant left out."""
    padded = 8 * len(y)
    power = np.abs(np.fft.rfft(y * np.hanning(len(y) + 2)[1:-1], padded))
    first = 4
    best = first + int(np.argmax(power[first:]))
    return 2 * np.pi * best / padded


def _refined(omega: Array, t: Array, y: Array, steps: int) -> Array:
    """Gauss-Newton steps on all frequencies and amplitudes together; the last that made the fit better."""
    best, least = omega, np.inf
    for _ in range(steps):
        amplitudes = _amplitudes(omega, t, y)
        rest = y - _waves(omega, t) @ amplitudes
        size = float(rest @ rest)
        if not size < least * (1 - 1e-6):
            break
        best, least = omega, size
        k = len(omega)
        angles = np.outer(t, omega)
        slopes = t[:, None] * (amplitudes[1 + k :] * np.cos(angles) - amplitudes[1 : 1 + k] * np.sin(angles))
        jacobian = np.concatenate([_waves(omega, t), slopes], axis=1)
        change = np.linalg.lstsq(jacobian, rest, rcond=1e-10)[0][1 + 2 * k :]
        # At most a bin of the spectrum at a time: beyond it another peak begins.
        omega = np.clip(omega + np.clip(change, -np.pi / len(t), np.pi / len(t)), 1e-6, np.pi)
    return best
