"""Surrogates have the properties that they should have, and the dominant period is that of known rhythms."""

import numpy as np
import pytest
from scipy.signal import lfilter

import bestiary as bst
from bestiary.measures import dominant_period, period_from_data, surrogates, typical_scale

MAKERS = [surrogates.fourier, surrogates.aaft, surrogates.iaaft, surrogates.red_noise]


def series(n: int = 512, d: int | None = None) -> np.ndarray:
    random = np.random.default_rng(5)
    x = np.exp(np.sin(0.2 * np.arange(n))[:, None] + 0.3 * random.normal(size=(n, d or 1)))
    return x if d else x[:, 0]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("shape", [(512, None), (511, 3)])
def test_surrogates_are_functions_of_seed_and_number(make, shape) -> None:
    x = series(*shape)
    five = make(x, 5, seed=3)
    assert five.shape == (5, *x.shape)
    assert np.array_equal(make(x, 2, seed=3), five[:2])
    assert not np.array_equal(make(x, 1, seed=4)[0], five[0])
    assert not np.array_equal(five[0], five[1])
    np.testing.assert_allclose(five.mean(axis=1), np.broadcast_to(x.mean(axis=0), five.mean(axis=1).shape))


def test_fourier_keeps_spectra_and_cross_spectra() -> None:
    x = series(300, 2)
    y = surrogates.fourier(x)[0]
    a, b = np.fft.rfft(x, axis=0), np.fft.rfft(y, axis=0)
    np.testing.assert_allclose(np.abs(a), np.abs(b), atol=1e-9)
    np.testing.assert_allclose(a[:, 0] * a[:, 1].conj(), b[:, 0] * b[:, 1].conj(), atol=1e-7)


@pytest.mark.parametrize("make", MAKERS[1:])
def test_the_others_keep_values(make) -> None:
    x = series(256, 2)
    assert np.array_equal(np.sort(make(x, 3, seed=1), axis=1), np.broadcast_to(np.sort(x, axis=0), (3, *x.shape)))


def test_iterating_mends_the_spectrum() -> None:
    """Schreiber & Schmitz: the spectrum of AAFT is too white, that of IAAFT nearly right."""
    x = series(1024)

    def miss(y):
        return np.abs(np.abs(np.fft.rfft(y - y.mean())) - np.abs(np.fft.rfft(x - x.mean()))).sum()

    plain = np.mean([miss(y) for y in surrogates.aaft(x, 5)])
    iterated = np.mean([miss(y) for y in surrogates.iaaft(x, 5)])
    assert iterated < 0.2 * plain


def test_red_noise_has_the_correlation_of_the_series() -> None:
    random = np.random.default_rng(1)
    x = np.zeros(20_000)
    for i in range(1, len(x)):
        x[i] = 0.9 * x[i - 1] + random.normal()
    y = surrogates.red_noise(x)[0]
    lags = np.arange(1, 20)
    correlations = [np.corrcoef(y[:-k], y[k:])[0, 1] for k in lags]
    np.testing.assert_allclose(correlations, 0.9**lags, atol=0.06)


def test_wrong_series() -> None:
    with pytest.raises(ValueError, match="at least 4 samples"):
        surrogates.fourier([1, 2, 3])
    with pytest.raises(ValueError, match="must be finite"):
        surrogates.aaft([1, 2, 3, np.nan])
    with pytest.raises(ValueError, match="n must be a whole number of at least 1"):
        surrogates.iaaft([1, 2, 3, 4], 0)


def test_the_period_of_a_drive() -> None:
    """A driven, damped oscillator answers with the period of the drive, 2 pi / 1.3."""
    system = bst.System.from_text("x' = v; v' = -0.3*v - x + cos(1.3*t)", initial=[1, 0], period=3.0)
    found = dominant_period(system)
    assert found.value == pytest.approx(2 * np.pi / 1.3, rel=2e-3)
    assert found.excess > 10


def test_a_stated_period_that_is_far_off_does_no_harm() -> None:
    system = bst.System.from_text("x' = v; v' = (1 - x^2)*v - x", initial=[2, 0], period=60.0)
    assert dominant_period(system).value == pytest.approx(6.6633, rel=2e-3)  # van der Pol at mu = 1: 6.66329


def test_noise_has_no_period() -> None:
    found = dominant_period(bst.system("OrnsteinUhlenbeck"))
    assert np.isnan(found.value)
    assert found.variable == ""


@pytest.mark.parametrize("n", [1024, 5000])
def test_the_period_of_a_series(n) -> None:
    """Of the stronger of two rhythms in red noise; in units of dt, and whatever the scale of the values."""
    random = np.random.default_rng(2)
    noise = np.convolve(random.normal(size=n + 20), 0.7 ** np.arange(21), mode="valid")
    turn = 2 * np.pi * np.arange(n)
    x = 2 * np.sin(turn / 11.3) + np.sin(turn / 4.1) + 0.5 * noise
    found = period_from_data(x)
    assert found.converged
    assert abs(found.value - 11.3) < 3 * found.error + 0.02
    assert found.error < 0.2
    scaled = period_from_data(1e-3 * x + 5, dt=0.25)
    assert scaled.value == pytest.approx(found.value / 4, rel=1e-9)


def test_the_error_of_a_broad_peak_is_what_its_place_scatters_by() -> None:
    """A damped oscillator kicked by noise, of period 20: about two in three values lie within one error."""
    filter_ = [1, -2 * 0.97 * np.cos(2 * np.pi / 20), 0.97**2]
    kicks = np.random.default_rng(0).normal(size=(24, 9000))
    found = [period_from_data(x) for x in lfilter([1], filter_, kicks)[:, 808:]]
    value, error = (np.array([getattr(one, key) for one in found]) for key in ("value", "error"))
    assert value.mean() == pytest.approx(20, rel=0.02)
    off = np.abs(value - value.mean()) / error
    assert 0.5 <= np.mean(off < 1) <= 0.85
    assert np.mean(off < 2) >= 0.8


def test_white_noise_is_rarely_periodic() -> None:
    """The test has a level of 1 %: of 100 series, 5 or more pass with a probability of 0.4 %."""
    random = np.random.default_rng(8)
    assert sum(period_from_data(random.normal(size=1024)).converged for _ in range(100)) < 5


def test_no_period_of_a_map() -> None:
    with pytest.raises(ValueError, match="Henon is a map"):
        dominant_period(bst.system("Henon"))
    with pytest.raises(ValueError, match="member 0 of system is diverged"):
        typical_scale(bst.System.from_text("next(x) = 4*x*(1 - x) + 1e-3", initial=[0.3]))


def test_scale_of_noise() -> None:
    """An Ornstein-Uhlenbeck process has the mean and variance that its entry states."""
    system = bst.system("OrnsteinUhlenbeck")
    known = system.entry["known"]
    scale = typical_scale(system)
    mean = system.evaluate(known["stationary_mean"]["exact"], system.initial)
    variance = system.evaluate(known["stationary_variance"]["exact"], system.initial)
    assert abs(scale.mean[0] - mean) < 5 * scale.mean_error[0]
    assert abs(scale.standard_deviation[0] - variance**0.5) < 5 * scale.standard_deviation_error[0]
    assert scale.low[0] < mean < scale.high[0]
