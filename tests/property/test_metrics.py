"""What metrics must obey for all data: zero at equality, symmetry, scale, shift, order of time, growth with noise."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bestiary import metrics

ERRORS = ["mse", "rmse", "mae", "nrmse", "mape", "smape", "wape", "mase", "marre", "ope", "coefficient_of_variation"]
AGREEMENTS = ["r2", "pearson", "spearman", "kendall"]
BINS = functools.partial(metrics.state_space_divergence, method="bins", bins=5)
MIXTURE = functools.partial(metrics.state_space_divergence, method="mixture", samples=200)
AUTOCORRELATION = functools.partial(metrics.autocorrelation_distance, lags=4)
DIMENSION = functools.partial(metrics.correlation_dimension_error, window=1, quantile=0.2)
OTHERS = {
    "dtw": metrics.dtw,
    "bins": BINS,
    "mixture": MIXTURE,
    "hellinger_distance": metrics.hellinger_distance,
    "power_spectrum_distance": metrics.power_spectrum_distance,
    "autocorrelation_distance": AUTOCORRELATION,
    "wasserstein": metrics.wasserstein,
    "sliced_wasserstein": metrics.sliced_wasserstein,
    "mmd": metrics.mmd,
    "correlation_dimension_error": DIMENSION,
    "crps": lambda y, p: metrics.crps(y, p[None]),
}
ALL = {**{name: getattr(metrics, name) for name in ERRORS}, **OTHERS}


@st.composite
def pairs(draw, least=12):
    """Truth and forecast of a few variables, related or not, of any size."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, d = draw(st.integers(least, 60)), draw(st.integers(1, 4))
    size = draw(st.sampled_from([1e-3, 1.0, 1e4]))
    truth = rng.normal(size=(n, d)).cumsum(axis=0)
    forecast = truth * draw(st.sampled_from([0.0, 1.0])) + rng.normal(size=(n, d))
    return size * truth, size * forecast


def close(a, b, digits=9):
    return np.isclose(a, b, rtol=10**-digits, atol=0) or (np.isnan(a) and np.isnan(b))


@pytest.mark.parametrize("name", ALL)
@given(both=pairs())
@settings(max_examples=20)
def test_zero_at_equality_and_never_negative(name, both):
    truth, forecast = both
    assert ALL[name](truth, truth) == 0
    assert not ALL[name](truth, forecast) < -(1.0 if name == "mixture" else 0.0)


@given(both=pairs())
def test_agreement_at_equality_and_its_bounds(both):
    truth, forecast = both
    for name in AGREEMENTS:
        assert getattr(metrics, name)(truth, truth) == pytest.approx(1.0, abs=1e-12)
        assert getattr(metrics, name)(truth, forecast) <= 1
    for name in ("pearson", "spearman", "kendall"):
        assert getattr(metrics, name)(truth, -truth) == pytest.approx(-1.0, abs=1e-12)
        assert getattr(metrics, name)(truth, forecast) >= -1
    assert 0 <= metrics.smape(truth, forecast) <= 200
    assert 0 <= metrics.hellinger_distance(truth, forecast) <= 1
    assert 0 <= metrics.mmd(truth, forecast) <= np.sqrt(2)
    assert metrics.mutual_information(truth, forecast) >= 0


SYMMETRIC = [
    *("mse", "rmse", "mae", "smape", "dtw", "hellinger_distance", "power_spectrum_distance"),
    *("autocorrelation_distance", "wasserstein", "sliced_wasserstein", "correlation_dimension_error", "crps"),
]


@pytest.mark.parametrize("name", SYMMETRIC)
@given(both=pairs())
@settings(max_examples=20)
def test_symmetric(name, both):
    truth, forecast = both
    assert close(ALL[name](truth, forecast), ALL[name](forecast, truth))


@given(both=pairs())
def test_symmetric_agreements(both):
    truth, forecast = both
    for name in ("pearson", "spearman", "kendall"):
        one, other = (getattr(metrics, name)(*pair) for pair in (both, (forecast, truth)))
        assert one == pytest.approx(other, abs=1e-12)
    assert metrics.mmd(truth, forecast, bandwidth=1.0) == pytest.approx(
        metrics.mmd(forecast, truth, bandwidth=1.0), abs=1e-7
    )
    one, other = (metrics.mutual_information(*pair) for pair in (both, (forecast, truth)))
    assert one == pytest.approx(other, abs=1e-9)


LINEAR = ["rmse", "mae", "dtw", "wasserstein", "sliced_wasserstein", "crps"]
FREE_OF_SCALE = [
    *("nrmse", "mape", "smape", "wape", "mase", "marre", "ope", "coefficient_of_variation", "mmd", "bins"),
    *("hellinger_distance", "power_spectrum_distance", "autocorrelation_distance", "correlation_dimension_error"),
]


@pytest.mark.parametrize("name", [*LINEAR, *FREE_OF_SCALE, "mse"])
@given(both=pairs(), power=st.integers(-8, 8))
@settings(max_examples=20)
def test_scale(name, both, power):
    """A power of two changes no digit, so that no point moves to another bin."""
    truth, forecast = both
    factor = 2.0**power
    expected = ALL[name](truth, forecast) * factor ** (2 if name == "mse" else 1 if name in LINEAR else 0)
    assert close(ALL[name](factor * truth, factor * forecast), expected)


FREE_OF_SHIFT = [
    *("mse", "rmse", "mae", "nrmse", "mase", "marre", "dtw", "mmd", "wasserstein", "sliced_wasserstein", "crps"),
    *("hellinger_distance", "power_spectrum_distance", "autocorrelation_distance", "correlation_dimension_error"),
]


@pytest.mark.parametrize("name", FREE_OF_SHIFT)
@given(both=pairs(), shift=st.integers(-50, 50))
@settings(max_examples=20)
def test_shift(name, both, shift):
    truth, forecast = both
    moved = shift * np.abs(truth).max()
    value = ALL[name](truth, forecast)
    shifted = ALL[name](truth + moved, forecast + moved)
    # a shift by fifty takes two digits, and the square of what is shifted four
    assert close(shifted, value, digits=6)


@given(both=pairs())
def test_ranks_do_not_change_under_increasing_functions(both):
    truth, forecast = both
    curved = np.sign(forecast) * np.sqrt(np.abs(forecast))
    for name in ("spearman", "kendall"):
        value = getattr(metrics, name)(truth, forecast)
        assert getattr(metrics, name)(truth, curved) == pytest.approx(value, abs=1e-12)


FREE_OF_ORDER = ["mse", "rmse", "mae", "nrmse", "mape", "smape", "wape", "marre", "ope", "coefficient_of_variation"]
CLOUDS = ["bins", "wasserstein", "sliced_wasserstein", "mmd", "correlation_dimension_error"]


@given(both=pairs(), seed=st.integers(0, 1000))
def test_order_of_time(both, seed):
    truth, forecast = both
    rng = np.random.default_rng(seed)
    order, other = rng.permutation(len(truth)), rng.permutation(len(truth))
    for name in [*FREE_OF_ORDER, *AGREEMENTS]:  # the same order for both
        metric = getattr(metrics, name)
        assert metric(truth[order], forecast[order]) == pytest.approx(metric(truth, forecast), rel=1e-9, abs=1e-9)
    for name in CLOUDS:  # an order for each
        metric = OTHERS[name]
        assert metric(truth[order], forecast[other]) == pytest.approx(
            metric(truth, forecast), rel=1e-6, abs=1e-6, nan_ok=True
        )


def test_order_of_time_matters_where_it_should():
    rng = np.random.default_rng(0)
    truth, forecast = rng.normal(size=(2, 400, 2)).cumsum(axis=1)
    order = rng.permutation(400)
    # an order for each, so that nothing is left of what they share
    other = rng.permutation(400)
    for name in ("mase", "dtw", "hellinger_distance", "power_spectrum_distance", "autocorrelation_distance"):
        metric = ALL[name]
        assert abs(metric(truth[order], forecast[other]) / metric(truth, forecast) - 1) > 0.02


NOISE = (0.01, 0.1, 0.5, 2.0)


@pytest.mark.parametrize("name", [*ALL, *AGREEMENTS, "mutual_information", "kl_divergence", "valid_prediction_time"])
def test_grows_with_noise_on_average(name):
    """The mean over twenty draws of noise; agreements and valid times fall."""
    rng = np.random.default_rng(7)
    time = np.arange(300) * 0.2
    truth = 3 + np.stack([np.sin(time), np.cos(1.7 * time)], axis=1)
    metric = ALL.get(name) or getattr(metrics, name)
    falls = name in (*AGREEMENTS, "mutual_information", "valid_prediction_time")
    if name in ("ope", "mmd", "bins", "correlation_dimension_error", "kl_divergence", "mixture"):
        levels = NOISE[1:]  # below, what tells apart is smaller than the scatter of the estimate
    else:
        levels = NOISE
    noise = rng.normal(size=(20, *truth.shape))
    means = [np.mean([metric(truth, truth + level * one) for one in noise]) for level in levels]
    steps = np.diff(means)
    assert (steps < 0).all() if falls else (steps > 0).all(), means


@given(both=pairs())
def test_warping(both):
    """Wider bands cost less, from no warping at all, which is the sum of the distances."""
    truth, forecast = both
    costs = [metrics.dtw(truth, forecast, band=band) for band in (0, 1, 3, 100)]
    assert costs[0] == pytest.approx(np.linalg.norm(truth - forecast, axis=1).sum(), rel=1e-12)
    assert all(narrow >= wide for narrow, wide in itertools.pairwise(costs))
    assert costs[-1] == metrics.dtw(truth, forecast)


@given(both=pairs())
def test_horizons(both):
    truth, forecast = both
    curve = metrics.error_curve(truth, forecast)
    times = [metrics.valid_prediction_time(truth, forecast, threshold=threshold) for threshold in (0.1, 0.5, 2.0, 1e6)]
    assert times == sorted(times)
    assert times[-1] == len(truth)
    assert metrics.nrmse(truth, forecast) == pytest.approx(np.sqrt(np.mean(curve**2)), rel=1e-12)


@given(both=pairs(), wide=st.floats(0.0, 3.0))
def test_intervals(both, wide):
    """A score is least for the interval that holds the truth and is no wider than it must be."""
    truth, forecast = both
    perfect = metrics.msis(truth, truth, truth)
    assert perfect == 0
    size = wide * np.abs(truth).max()
    assert metrics.msis(truth, truth - size, truth + size) >= 0
    spread = np.stack([forecast - size, forecast, forecast + size])
    bound = metrics.mae(truth, forecast) + size
    assert 0 <= metrics.crps(truth, spread) <= bound * (1 + 1e-12)
