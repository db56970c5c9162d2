"""`bestiary.metrics`: worked examples, one layout for one and many, one answer to each bad value, frames."""

import functools
import inspect
import math

import numpy as np
import polars as pl
import pytest

import bestiary as bst
from bestiary import metrics
from bestiary.exceptions import RequestError, UnknownName

POINT = [
    *("mse", "rmse", "mae", "nrmse", "mape", "smape", "wape", "mase", "marre", "ope", "rmsle", "r2"),
    *("coefficient_of_variation", "pearson", "spearman", "kendall"),
]
ATTRACTOR = list(metrics.GROUPS["attractor"])


def samples_of(forecast):
    """Three samples around a forecast, in front of its time axis."""
    p = np.asarray(forecast)
    return p if p.ndim == 0 else np.stack([p - 0.1, p, p + 0.2], axis=0 if p.ndim == 1 else -3)


# Every metric as a function of a truth and a forecast.
PAIRS = {
    **{name: getattr(metrics, name) for name in (*POINT, "mutual_information", "dtw", "valid_prediction_time")},
    **{name: getattr(metrics, name) for name in ATTRACTOR},
    "autocorrelation_distance": functools.partial(metrics.autocorrelation_distance, lags=5),
    "correlation_dimension_error": functools.partial(metrics.correlation_dimension_error, window=1, quantile=0.1),
    "mixture": functools.partial(metrics.state_space_divergence, method="mixture"),
    "msis": lambda y, p: metrics.msis(y, np.asarray(p) - 0.5, np.asarray(p) + 0.5),
    "crps": lambda y, p: metrics.crps(y, samples_of(p)),
    "error_curve": lambda y, p: metrics.error_curve(y, p),
    "horizoned": lambda y, p: metrics.horizoned(metrics.mae, y, p),
}
# What a metric says of values that are not finite is not a single NaN for these, and is tested by itself.
CURVES = ("error_curve", "horizoned", "valid_prediction_time")
SINGLE = [name for name in PAIRS if name not in CURVES]
CALLS = pytest.mark.parametrize("name", PAIRS)


def series(seed, shape=(64, 3)):
    rng = np.random.default_rng(seed)
    return 5 + rng.normal(size=shape).cumsum(axis=-2 if len(shape) > 1 else 0) * 0.3


def test_every_public_metric_is_under_test():
    functions = {name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))}
    helpers = {"all", "score", "lyapunov_times", "power_spectrum", "lyapunov_spectrum_error"}
    assert functions - set(PAIRS) == helpers
    assert set(metrics.all(series(0), series(1))) == {name for group in metrics.GROUPS.values() for name in group}


@pytest.mark.parametrize(
    ("name", "truth", "forecast", "expected"),
    [
        ("mse", [1, 2], [2, 4], 2.5),
        ("rmse", [[0, 0]], [[3, 4]], math.sqrt(12.5)),
        ("nrmse", [0, 2], [1, 3], 1.0),
        ("mape", [2, 4], [1, 5], 37.5),
        ("smape", [1, -1], [3, 1], 150.0),
        ("wape", [2, -2], [3, -2], 25.0),
        ("mase", [0, 2, 4], [1, 3, 3], 0.5),
        ("marre", [0, 5], [1, 4], 20.0),
        ("ope", [1, 3], [3, 3], 50.0),
        ("rmsle", [0, math.e - 1], [0, 0], math.sqrt(0.5)),
        ("r2", [0, 1, 2], [0, 1, 3], 0.5),
        ("coefficient_of_variation", [1, 3], [3, 5], 100.0),
        ("pearson", [1, 2, 3], [3, 2, 1], -1.0),
        ("spearman", [1, 2, 3, 3], [1, 2, 3, 3], 1.0),
        ("kendall", [1, 2, 3], [1, 3, 2], 1 / 3),
        ("dtw", [[0, 0]], [[3, 4]], 5.0),
        ("wasserstein", [0, 0], [1, 2, 3], 2.0),
        ("lyapunov_spectrum_error", [1, 0], [0, 2], math.sqrt(0.5)),
    ],
)
def test_by_hand(name, truth, forecast, expected):
    assert getattr(metrics, name)(truth, forecast) == pytest.approx(expected, rel=1e-14)


def test_more_by_hand():
    # two bins, three of four and one of four against one of two and one of two
    value = metrics.state_space_divergence([0.0, 0.1, 0.2, 1.0], [0.0, 1.0], bins=2, smoothing=0.0)
    assert value == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5), rel=1e-14)
    # kernel exp(-1/2) between two points at distance one, and one between each and itself
    assert metrics.mmd([0.0], [1.0], bandwidth=1.0, squared=True) == pytest.approx(2 - 2 * math.exp(-0.5), rel=1e-14)
    # psi(2) + psi(1) - 2 psi(1) = 1: two points, one neighbour each, none nearer along either axis
    assert metrics.mutual_information([0.0, 1.0], [0.0, 1.0], neighbours=1) == pytest.approx(1.0, rel=1e-14)
    # far/near = 1 for both points, so the logarithm of 2 / (2 - 1) is left
    assert metrics.kl_divergence([0.0, 1.0], [-1.0, 2.0], neighbours=1) == pytest.approx(math.log(2), rel=1e-14)
    assert metrics.lyapunov_spectrum_error([3.0, 4.0], [3.0, 9.0], relative=True) == pytest.approx(1.0)
    np.testing.assert_allclose(metrics.lyapunov_times(2, 0.1, 2.0), [0.2, 0.4])


@CALLS
def test_many_are_each_as_one(name):
    truth, forecast = series(0, (2, 3, 40, 2)), series(1, (2, 3, 40, 2))
    values = np.asarray(PAIRS[name](truth, forecast))
    assert values.shape[:2] == (2, 3)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(values[i], PAIRS[name](truth[i], forecast[i]))


@CALLS
def test_one_truth_stands_against_many_forecasts(name):
    truth, forecast = series(0, (40, 2)), series(1, (3, 40, 2))
    expected = [PAIRS[name](truth, forecast[i]) for i in range(3)]
    np.testing.assert_array_equal(PAIRS[name](truth, forecast), expected)


@CALLS
def test_one_axis_is_one_variable(name):
    truth, forecast = series(0, (40,)), series(1, (40,))
    one = PAIRS[name](truth, forecast)
    if name not in ("error_curve", "horizoned"):
        assert type(one) is float
    np.testing.assert_array_equal(one, PAIRS[name](truth[:, None], forecast[:, None]))


@CALLS
def test_any_array_of_numbers_will_do(name):
    truth, forecast = np.round(series(0) * 4), np.round(series(1) * 4)
    expected = PAIRS[name](truth, forecast)
    padded = np.asfortranarray(np.repeat(truth, 2, axis=0))[::2]
    for given in (truth.tolist(), truth.astype(int), truth.astype(np.float32), padded):
        np.testing.assert_array_equal(PAIRS[name](given, forecast), expected)
    kept = truth.copy(), forecast.copy()
    PAIRS[name](truth, forecast)
    np.testing.assert_array_equal(kept, (truth, forecast))


def test_a_trajectory_is_an_array():
    run = bst.system("Lorenz").trajectory(100)
    assert metrics.mse(run, run.x + 1) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["truth", "forecast"])
@pytest.mark.parametrize("name", SINGLE)
def test_not_finite(name, where, bad):
    arrays = {"truth": series(0, (2, 40, 2)), "forecast": series(1, (2, 40, 2))}
    good = PAIRS[name](*arrays.values())
    arrays[where][0, 17, 1] = bad
    values = PAIRS[name](*arrays.values())
    assert np.isnan(values[0])
    assert values[1] == good[1]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_in_one_variable(bad):
    truth, forecast = series(0), series(1)
    forecast[5, 1] = bad
    for name in (*POINT, "mutual_information", "wasserstein", "hellinger_distance"):
        values = getattr(metrics, name)(truth, forecast, variables="each")
        clean = getattr(metrics, name)(truth, series(1), variables="each")
        assert np.isnan(values[1])
        np.testing.assert_array_equal(values[[0, 2]], clean[[0, 2]])


def test_not_finite_training_series():
    truth, forecast, train = series(0), series(1), series(2)
    train[3, 0] = np.nan
    assert math.isnan(metrics.mase(truth, forecast, train))
    assert math.isnan(metrics.msis(truth, forecast, forecast + 1, train))


def test_not_finite_along_a_forecast():
    truth = series(0)
    forecast = truth.copy()
    forecast[30:] = np.nan
    assert np.isnan(metrics.error_curve(truth, forecast)[30:]).all()
    assert (metrics.error_curve(truth, forecast)[:30] == 0).all()
    assert metrics.valid_prediction_time(truth, forecast, dt=0.5) == 15.0
    broken = truth.copy()
    broken[20, 0] = np.inf
    scale = truth.std(axis=0)
    assert math.isnan(metrics.valid_prediction_time(broken, truth, scale=scale))
    assert math.isnan(metrics.valid_prediction_time(broken, truth))
    assert math.isnan(metrics.valid_prediction_time(broken, truth, size="norm"))
    early = truth + np.where(np.arange(64) >= 10, 1e9, 0)[:, None]
    assert metrics.valid_prediction_time(broken, early, scale=scale) == 10.0
    values = metrics.horizoned(metrics.mae, truth, forecast)
    assert (values[:30] == 0).all()
    assert np.isnan(values[30:]).all()


@CALLS
def test_empty(name):
    for shape in ((0,), (0, 3), (10, 0), (0, 10, 3)):
        with pytest.raises(RequestError, match="empty"):
            PAIRS[name](np.empty(shape), np.empty(shape))


@CALLS
def test_wrong_shapes(name):
    y = series(0)
    for truth, forecast in (
        (y, y[:, :2]),
        (y, y[:, 0]),
        (y[:, 0], y),
        (1.0, 1.0),
        (np.stack([y] * 2), np.stack([y] * 3)),
        (y.astype(str), y),
        (y, y + 1j),
    ):
        with pytest.raises(RequestError):
            PAIRS[name](truth, forecast)


@CALLS
def test_lengths(name):
    """Only metrics of clouds of points, of warping and of autocorrelations take series of different lengths."""
    free = {"dtw", "mixture", "autocorrelation_distance", *ATTRACTOR} - {
        "hellinger_distance",
        "power_spectrum_distance",
    }
    if name in free:
        assert np.isfinite(PAIRS[name](series(0), series(1)[:50]))
    else:
        with pytest.raises(RequestError):
            PAIRS[name](series(0), series(1)[:50])


TOO_SHORT = {
    "mase",
    "msis",
    "pearson",
    "spearman",
    "kendall",
    "mutual_information",
    "hellinger_distance",
    "power_spectrum_distance",
    "autocorrelation_distance",
    "state_space_divergence",
    "kl_divergence",
    "mmd",
    "correlation_dimension_error",
}


@CALLS
def test_one_sample(name):
    """Too short is NaN; what has a meaning for one sample has a value: here a unit error where the truth is 1."""
    value = PAIRS[name]([1.0], [2.0])
    assert np.isnan(value).all() == (name in TOO_SHORT)


@CALLS
def test_constant(name):
    """A constant truth and a varying forecast, and the reverse."""
    varying = series(1, (60, 2))
    constant = np.tile(varying[30], (60, 1))
    spread = TOO_SHORT - {"mase", "msis"}
    value = PAIRS[name](constant, varying)
    assert np.isnan(value).all() == (name in spread)
    other = PAIRS[name](varying, constant)
    both_ways = spread - {"state_space_divergence", "kl_divergence", "mmd"}
    assert np.isnan(other).all() == (name in both_ways)


@pytest.mark.parametrize("name", ["mape", "smape", "wape", "ope", "coefficient_of_variation"])
def test_zero_truth(name):
    metric, zero = getattr(metrics, name), np.zeros(5)
    assert metric(zero, zero) == 0
    assert metric(zero, zero + 1) == (200 if name == "smape" else np.inf)


@pytest.mark.parametrize("name", ["nrmse", "mase", "marre", "msis"])
def test_zero_spread(name):
    constant = np.full(5, 0.1)
    metric = PAIRS[name] if name != "msis" else lambda y, p: metrics.msis(y, p, p)
    assert metric(constant, constant) == 0
    assert metric(constant, constant + 1) == np.inf


def test_zero_spread_of_r2_and_of_a_given_scale():
    constant = np.full(5, 0.1)
    assert metrics.r2(constant, constant) == 1
    assert metrics.r2(constant, constant + 1) == -np.inf
    assert metrics.nrmse([1.0, 2.0], [1.0, 2.0], scale=[0.0]) == 0
    assert metrics.nrmse([1.0, 2.0], [1.0, 3.0], scale=[0.0]) == np.inf
    for scale in ("range", "mean"):
        assert metrics.nrmse(np.zeros(3), np.zeros(3), scale=scale) == 0
        assert metrics.nrmse(np.zeros(3), np.ones(3), scale=scale) == np.inf
    np.testing.assert_array_equal(metrics.error_curve(constant, [0.1, 0.1, 0.1, 0.1, 1.0]), [0, 0, 0, 0, np.inf])


def test_outside_the_box():
    y = series(0, (500, 2))
    assert math.isnan(metrics.state_space_divergence(y, y + 1e6))
    some = y.copy()
    some[:250] += 1e6
    assert np.isfinite(metrics.state_space_divergence(y, some))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mse", dict(variables="none")),
        ("smape", dict(upper=50)),
        ("mase", dict(season=0)),
        ("mase", dict(season=1.5)),
        ("mase", dict(train=np.ones((9, 2)))),
        ("nrmse", dict(scale="iqr")),
        ("nrmse", dict(scale=[1.0, 2.0])),
        ("nrmse", dict(scale=[1.0, -2.0, 1.0])),
        ("rmsle", dict(shift="mine")),
        ("coefficient_of_variation", dict(numerator="mae")),
        ("mutual_information", dict(neighbours=0)),
        ("dtw", dict(cost="taxi")),
        ("dtw", dict(band=-1)),
        ("state_space_divergence", dict(bins=0)),
        ("state_space_divergence", dict(smoothing=-1.0)),
        ("state_space_divergence", dict(convention="mine")),
        ("state_space_divergence", dict(method="guess")),
        ("state_space_divergence", dict(symmetric=True)),
        ("state_space_divergence", dict(method="mixture", variance=0.0)),
        ("state_space_divergence", dict(method="mixture", samples=0)),
        ("state_space_divergence", dict(threads=0)),
        ("hellinger_distance", dict(smoothing=-1.0)),
        ("hellinger_distance", dict(smoothing=float("nan"))),
        ("hellinger_distance", dict(boundary="wrap")),
        ("autocorrelation_distance", dict(lags=0)),
        ("kl_divergence", dict(neighbours=0)),
        ("wasserstein", dict(order=0.5)),
        ("sliced_wasserstein", dict(directions=0)),
        ("mmd", dict(bandwidth=0.0)),
        ("correlation_dimension_error", dict(quantile=1.0)),
        ("correlation_dimension_error", dict(window=0)),
        ("error_curve", dict(size="big")),
        ("error_curve", dict(scale=[1.0])),
        ("valid_prediction_time", dict(threshold=float("nan"))),
        ("valid_prediction_time", dict(dt=0.0)),
        ("valid_prediction_time", dict(exponent=-1.0)),
    ],
)
def test_wrong_options(name, options):
    with pytest.raises(ValueError, match=r"must|does not|only the|one of"):
        getattr(metrics, name)(series(0), series(1), **options)


def test_more_wrong_options():
    y = series(0)
    for call in (
        lambda: metrics.msis(y, y, y, alpha=1.5),
        lambda: metrics.msis(y, y + 1, y),
        lambda: metrics.crps(y, y),
        lambda: metrics.crps(y, samples_of(y)[:, :9]),
        lambda: metrics.crps(y, samples_of(y), estimator="best"),
        lambda: metrics.horizoned(metrics.mae, y, y, [65]),
        lambda: metrics.horizoned(metrics.mae, y, y, [0]),
        lambda: metrics.lyapunov_times(0, 1.0, 1.0),
        lambda: metrics.lyapunov_spectrum_error([1.0], [1.0, 2.0]),
        lambda: metrics.all(y, y, metrics=[]),
        lambda: metrics.state_space_divergence(np.eye(30), np.eye(30), method="bins"),
    ):
        with pytest.raises(ValueError, match=r"must|above|between|none|more than"):
            call()
    with pytest.raises(UnknownName, match='did you mean "smape"'):
        metrics.all(y, y, metrics=["smapes"])


@pytest.mark.parametrize(
    "name", [name for name, f in PAIRS.items() if name in ATTRACTOR or name in ("mixture", "dtw", "mutual_information")]
)
def test_bits_do_not_depend_on_threads(name):
    truth, forecast = series(0, (3, 2500, 3)), series(1, (3, 2500, 3))
    if name == "dtw":
        truth, forecast = truth[:, :700], forecast[:, :700]
    values = [PAIRS[name](truth, forecast, threads=threads) for threads in (1, 2, 7)]
    np.testing.assert_array_equal(values[0], values[1])
    np.testing.assert_array_equal(values[0], values[2])
    alone = [PAIRS[name](truth[i], forecast[i], threads=7) for i in range(3)]
    np.testing.assert_array_equal(values[0], alone)


def test_all_is_what_the_functions_say():
    truth, forecast, train = series(0, (2, 150, 3)), series(1, (2, 150, 3)), series(2, (2, 90, 3))
    values = metrics.all(truth, forecast, train)
    for name, value in values.items():
        extra = (train,) if name == "mase" else ()
        np.testing.assert_array_equal(value, getattr(metrics, name)(truth, forecast, *extra), err_msg=name)
    assert list(metrics.all(truth, forecast, metrics="point")) == POINT
    assert list(metrics.all(truth, forecast, metrics=["dtw", "mse", "dtw"])) == ["dtw", "mse"]


def test_horizons():
    truth, forecast = series(0, (2, 20, 3)), series(1, (2, 20, 3))
    values = metrics.horizoned(metrics.smape, truth, forecast, [1, 5, 20], upper=100)
    assert values.shape == (2, 3)
    np.testing.assert_array_equal(values[:, 1], metrics.smape(truth[:, :5], forecast[:, :5], upper=100))


def test_a_forecast_a_row():
    one = [[1.0, 2.0, 4.0], [1.0, 3.0, 2.0]]
    two = [series(0).tolist(), series(1).tolist()]
    frame = pl.DataFrame({"model": ["a", "b"], "truth": [one[0], [1.0]], "forecast": [one[1], [3.0]]})
    scored = metrics.score(frame)
    assert scored.columns == ["model", "truth", "forecast", *POINT]
    assert scored["mae"].to_list() == [1.0, 2.0]
    assert scored["smape"][0] == metrics.smape(*one)
    nested = pl.DataFrame({"y": [two[0], None], "p": [two[1], two[1]], "past": [two[1], two[1]]})
    scored = metrics.score(nested, "y", "p", "past", metrics=["mase", "dtw"])
    assert scored["mase"].to_list() == [metrics.mase(*two, two[1]), None]
    assert scored["dtw"].to_list() == [metrics.dtw(*two), None]
    holes = pl.DataFrame({"truth": [[1.0, 2.0]], "forecast": [[1.0, None]]})
    assert math.isnan(metrics.score(holes, metrics="mae")["mae"][0])
    fixed = nested[:1].select(pl.col("y", "p").list.to_array(64))
    assert metrics.score(fixed, "y", "p", metrics="mae")["mae"][0] == metrics.mae(*two)


def test_a_sample_a_row():
    truth, forecast = series(0, (4, 30, 2)), series(1, (4, 30, 2))
    frame = pl.DataFrame(
        {
            "system": np.repeat(["B", "B", "A", "A"], 30),
            "trajectory": np.repeat([0, 1, 0, 1], 30),
            "time": np.tile(np.arange(30.0), 4),
            **{name: truth[..., v].ravel() for v, name in enumerate("xy")},
            **{f"{name}_forecast": forecast[..., v].ravel() for v, name in enumerate("xy")},
        }
    )
    scored = metrics.score(
        frame, ["x", "y"], ["x_forecast", "y_forecast"], by=["system", "trajectory"], metrics=["point", "dtw"]
    )
    assert scored.columns == ["system", "trajectory", *POINT, "dtw"]
    assert scored["system"].to_list() == ["B", "B", "A", "A"]
    np.testing.assert_array_equal(scored["rmse"], metrics.rmse(truth, forecast))
    np.testing.assert_array_equal(scored["dtw"], metrics.dtw(truth, forecast))


def test_wrong_frames():
    frame = pl.DataFrame({"truth": [1.0], "forecast": [1.0], "key": [1]})
    with pytest.raises(RequestError, match="not lists"):
        metrics.score(frame)
    with pytest.raises(UnknownName, match='unknown column "thruth", did you mean "truth"'):
        metrics.score(frame, "thruth")
    with pytest.raises(RequestError, match="need by="):
        metrics.score(frame, ["truth"], ["forecast"])
    with pytest.raises(RequestError, match="give as many"):
        metrics.score(frame, ["truth", "key"], "forecast", by="key")
    with pytest.raises(RequestError, match="leave it out"):
        metrics.score(frame, train="truth", by="key")
    lists = pl.DataFrame({"truth": [[1.0]], "forecast": [[1.0]], "mae": [1.0]})
    with pytest.raises(RequestError, match="already: mae"):
        metrics.score(lists, metrics="mae")
    ragged = pl.DataFrame({"truth": [[[1.0], [2.0, 3.0]]], "forecast": [[[1.0], [2.0]]]})
    with pytest.raises(RequestError, match="rows of as many numbers"):
        metrics.score(ragged)


@functools.cache
def attractors():
    """Two independent runs of Lorenz and one of Rössler, in units of the first run's standard deviations."""
    first, second = bst.system("Lorenz").ensemble(2, 100_000, per_period=30, seed=1).x
    other = bst.system("Rossler").ensemble(1, 100_000, per_period=30, seed=1).x[0]
    return [(x - x.mean(axis=0)) / x.std(axis=0) for x in (first, second, other)]


# Floor: what two runs of one system may be apart. Between: what two systems are apart at the least.
APART = {
    "state_space_divergence": (0.1, 5.0),
    "mixture": (0.02, 0.1),
    "hellinger_distance": (0.1, 0.5),
    "power_spectrum_distance": (4.0, 10.0),  # the weak high frequencies hold what leaks from the ends of a run
    "autocorrelation_distance": (0.05, 0.3),
    "kl_divergence": (0.1, 1.0),
    "wasserstein": (0.05, 0.1),
    "sliced_wasserstein": (0.05, 0.1),
    "mmd": (0.05, 0.1),
    "correlation_dimension_error": (0.1, 0.15),
}


@pytest.mark.parametrize("name", APART)
def test_two_runs_of_one_attractor_are_near_and_two_attractors_are_not(name):
    first, second, other = attractors()
    metric = (
        getattr(metrics, name)
        if name != "mixture"
        else functools.partial(metrics.state_space_divergence, method="mixture")
    )
    if name in ("kl_divergence", "mixture"):
        # independent samples, as the estimator takes them to be: one in three periods
        first, second, other = first[::20], second[::20], other[::20]
    floor, between = APART[name]
    assert abs(metric(first, second)) < floor
    assert metric(first, other) > between
