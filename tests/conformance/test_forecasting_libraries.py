"""
The forecasters by other libraries, and the adapters, with the libraries themselves.

    pip install ".[learn,statistics,adapters]"
    pytest tests/conformance/test_forecasting_libraries.py --slow

What is not installed is skipped.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bestiary as bst
from bestiary import forecast as bf
from bestiary.testing import check_forecaster

LORENZ = bst.system("Lorenz").trajectory(700, per_period=30).x
ORBIT, FUTURE = LORENZ[:600], LORENZ[600:]


@pytest.fixture(autouse=True)
def _libraries_may_warn() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def agrees(model: Any, horizon: int = 20, rtol: float = 1e-6) -> None:
    """Continues its own training series like a context, a flat series like a column, and finitely."""
    fitted = model.clone().fit(ORBIT)
    forecast = fitted.predict(horizon)
    assert forecast.shape == (horizon, 3)
    assert np.isfinite(forecast).all()
    np.testing.assert_allclose(fitted.predict(horizon, context=ORBIT), forecast, rtol=rtol, atol=rtol)
    assert not np.allclose(fitted.predict(horizon, context=ORBIT[:-17]), forecast)
    assert model.clone().fit(ORBIT[:, 0]).predict(horizon).shape == (horizon,)


# scikit-learn


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [bf.Linear(), bf.Linear(penalty=1e-3), bf.RandomForest(trees=5), bf.GradientBoosting(rounds=20)], ids=repr
)
def test_scikit_learn(model: Any) -> None:
    pytest.importorskip("sklearn")
    check_forecaster(model, exact=None if model.get_params().get("penalty", 1) == 0 else ())


def test_linear_regression_is_that_of_our_own() -> None:
    pytest.importorskip("sklearn")
    ours = bf.NVAR(degree=1, lags=3, ridge=0).fit(ORBIT).predict(20)
    np.testing.assert_allclose(bf.Linear(lags=3).fit(ORBIT).predict(20), ours, rtol=1e-6)


def test_any_regressor_of_scikit_learn() -> None:
    neighbours = pytest.importorskip("sklearn.neighbors")
    base = pytest.importorskip("sklearn.base")
    model = bf.FromRegressor(neighbours.KNeighborsRegressor(n_neighbors=1))
    check_forecaster(model, exact=("periodic",))
    # One neighbour, its change alike: our own analog.
    ours = bf.Analog(neighbours=1, weights="nearest", combine="mean").fit(ORBIT).predict(30)
    np.testing.assert_allclose(model.fit(ORBIT).predict(30), ours, rtol=1e-9)
    assert base.clone(bf.NVAR(degree=3)).get_params()["degree"] == 3


# statsforecast and statsmodels


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [bf.ARIMA(), bf.ExponentialSmoothing(), bf.Theta(), bf.OptimizedTheta(), bf.Kalman()],
    ids=repr,
)
def test_statistical_models_keep_the_contract(model: Any) -> None:
    pytest.importorskip("statsforecast")
    check_forecaster(model, univariate=type(model).__name__ not in ("ARIMA", "Kalman"))


@pytest.mark.parametrize(
    "model",
    [bf.ARIMA(), bf.AutoARIMA(), bf.ExponentialSmoothing(), bf.Theta(), bf.OptimizedTheta(), bf.TBATS(), bf.Kalman()],
    ids=repr,
)
def test_statistical_models_forecast(model: Any) -> None:
    pytest.importorskip("statsforecast")
    agrees(model)


def test_an_autoregression_is_found() -> None:
    pytest.importorskip("statsforecast")
    x = np.zeros(1000)
    noise = np.random.default_rng(0).standard_normal(1000)
    for i in range(1, 1000):
        x[i] = 0.8 * x[i - 1] + noise[i]
    for model in (bf.ARIMA(order=(1, 0, 0)), bf.Kalman(order=1)):
        forecast = model.fit(x).predict(3, context=np.append(x[:900], 10.0))
        np.testing.assert_allclose(forecast, 10 * 0.8 ** np.arange(1, 4), atol=0.6)


def test_a_series_without_noise_may_be_refused_with_a_reason() -> None:
    pytest.importorskip("statsforecast")
    with pytest.raises(bst.RequestError, match="could not fit ARIMA"):
        bf.ARIMA().fit(np.sin(np.arange(40) / 6.0) + np.sin(np.arange(40) / 9.0))


# Adapters


def test_darts() -> None:
    models = pytest.importorskip("darts.models")
    agrees(bf.FromDarts(models.LinearRegressionModel(lags=10)))
    agrees(bf.FromDarts(models.NaiveDrift()))
    agrees(bf.FromDarts(models.ExponentialSmoothing()))
    x = np.arange(40.0)
    np.testing.assert_allclose(bf.FromDarts(models.NaiveDrift()).fit(x).predict(3), [40, 41, 42])
    several = bf.FromDarts(models.LinearRegressionModel(lags=10)).fit([ORBIT[:300], ORBIT[300:]])
    assert np.isfinite(several.predict(5)).all()


def test_sktime() -> None:
    naive = pytest.importorskip("sktime.forecasting.naive")
    agrees(bf.FromSktime(naive.NaiveForecaster(strategy="drift")))
    np.testing.assert_allclose(
        bf.FromSktime(naive.NaiveForecaster(strategy="drift")).fit(np.arange(40.0)).predict(3), [40, 41, 42]
    )
    np.testing.assert_allclose(bf.FromSktime(naive.NaiveForecaster()).fit(ORBIT).predict(2), ORBIT[[-1, -1]])


def test_aeon() -> None:
    forecasting = pytest.importorskip("aeon.forecasting")
    model = bf.FromAeon(forecasting.RegressionForecaster(window=10))
    agrees(model)
    wave = np.sin(2 * np.pi * np.arange(250) / 25)
    np.testing.assert_allclose(model.fit(wave[:200]).predict(50), wave[200:], atol=1e-6)


def test_nixtla() -> None:
    models = pytest.importorskip("statsforecast.models")
    agrees(bf.FromNixtla(models.Theta()))
    agrees(bf.FromNixtla(models.RandomWalkWithDrift()))
    np.testing.assert_allclose(bf.FromNixtla(models.Naive()).fit(ORBIT).predict(2), ORBIT[[-1, -1]])


def test_nixtla_mlforecast() -> None:
    mlforecast = pytest.importorskip("mlforecast")
    linear = pytest.importorskip("sklearn.linear_model")
    model = bf.FromNixtla(mlforecast.MLForecast(models=[linear.LinearRegression()], freq=1, lags=list(range(1, 11))))
    agrees(model)
    wave = np.sin(2 * np.pi * np.arange(250) / 25)
    fitted = model.fit(wave[:200])
    np.testing.assert_allclose(fitted.predict(50), wave[200:], atol=1e-6)
    np.testing.assert_allclose(fitted.predict(50, context=wave[:140]), wave[140:190], atol=1e-6)


def test_gluonts() -> None:
    predictors = pytest.importorskip("gluonts.model.seasonal_naive")
    model = bf.FromGluonTS(predictors.SeasonalNaivePredictor(prediction_length=7, season_length=25))
    agrees(model, rtol=1e-4)
    wave = np.sin(2 * np.pi * np.arange(250) / 25)
    # Longer than the seven samples that the predictor gives at once.
    np.testing.assert_allclose(model.fit(wave[:200]).predict(50), wave[200:], atol=1e-4)
