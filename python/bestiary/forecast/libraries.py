"""
Adapters for the models of other forecasting libraries; the library is that of the model which is handed in.

The model is copied, never changed. One that forecasts a single series gets a copy for each coordinate. Where a library
has no way to continue another history with what was learned, the model is fitted to the `context` anew, and its
docstring says so.
"""

from __future__ import annotations

import copy
import warnings
from importlib import import_module
from typing import Any

import numpy as np

from ..definition import Array
from ..exceptions import MissingExtra, RequestError
from .base import Forecaster

__all__ = ["FromAeon", "FromDarts", "FromGluonTS", "FromNixtla", "FromSktime"]


def _library(name: str, package: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtra(package, "adapters") from None


class _FromLibrary(Forecaster):
    """Adapters that fit a copy of the model, of all coordinates or of each."""

    extra = "adapters"
    equivariant = frozenset()
    skilled = False
    # What the model must have.
    methods: tuple[str, ...] = ("fit", "predict")
    least = 2

    def __init__(self, model: Any) -> None:
        self.model = model

    def _shortest(self, dimension: int) -> int:
        for name in self.methods:
            if not callable(getattr(self.model, name, None)):
                raise RequestError(f"{type(self).__name__} takes a model with a method {name}, not {self.model!r}")
        return self.least

    def _memory(self) -> tuple[int, int | None]:
        return self.least, None

    def _copy(self) -> Any:
        return copy.deepcopy(self.model)


class FromDarts(_FromLibrary):
    """
    A model of Darts.

    Global models learn from all training series and continue any context; local models are fitted to the context anew.

    Parameters
    ----------
    model : darts model

    Examples
    --------
    >>> from darts.models import LinearRegressionModel                      # doctest: +SKIP
    >>> FromDarts(LinearRegressionModel(lags=25)).fit(series).predict(100)  # doctest: +SKIP
    """

    source = "Herzen et al. (2022), J. Mach. Learn. Res. 23(124)"

    def _fit(self, series: list[Array]) -> None:
        # A global model takes several series, and says so by what its `predict` takes.
        self.is_global_ = bool(getattr(self.model, "supports_transferable_series_prediction", False))
        self.is_joint_ = bool(getattr(self.model, "supports_multivariate", True)) or self.dimension_ == 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.models_ = [
                self._copy().fit(
                    [self._series(x[:, part]) for x in series] if self.is_global_ else self._series(series[-1][:, part])
                )
                for part in self._parts()
            ]

    def _parts(self) -> list[slice]:
        d = self.dimension_
        return [slice(0, d)] if self.is_joint_ else [slice(i, i + 1) for i in range(d)]

    def _series(self, x: Array) -> Any:
        return _library("darts", "darts").TimeSeries.from_values(np.array(x))

    def _predict(self, past: Array, horizon: int) -> Array:
        columns = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for model, part in zip(self.models_, self._parts(), strict=True):
                own = self._series(past[:, part])
                if self.is_global_:
                    forecast = model.predict(horizon, series=own)
                elif past is self.context_ or np.array_equal(past, self.context_):
                    forecast = copy.deepcopy(model).predict(horizon)
                else:
                    forecast = self._copy().fit(own).predict(horizon)
                columns.append(forecast.values())
        return np.concatenate(columns, axis=1)


class FromSktime(_FromLibrary):
    """
    A forecaster of sktime. It is fitted to a `context` anew.

    Parameters
    ----------
    model : sktime forecaster

    Examples
    --------
    >>> from sktime.forecasting.naive import NaiveForecaster                            # doctest: +SKIP
    >>> FromSktime(NaiveForecaster(strategy="drift")).fit(series).predict(100)          # doctest: +SKIP
    """

    source = "Löning et al. (2019), arXiv:1909.07872"

    def _fit(self, series: list[Array]) -> None:
        # Some forecasters of sktime learn only once they know the horizon.
        self.table_ = _library("pandas", "sktime").DataFrame

    def _predict(self, past: Array, horizon: int) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = self.table_(np.array(past))
            forecast = self._copy().fit(y=table, fh=np.arange(1, horizon + 1)).predict()
        return np.asarray(forecast, dtype=np.float64).reshape(horizon, -1)


class FromAeon(_FromLibrary):
    """
    A forecaster of aeon, iterated, one copy for each coordinate. It is fitted to a `context` anew.

    Parameters
    ----------
    model : aeon forecaster with `iterative_forecast`
    """

    source = "Middlehurst et al. (2024), J. Mach. Learn. Res. 25(289)"
    joint = False
    methods = ("fit", "iterative_forecast")
    least = 10

    def _fit(self, series: list[Array]) -> None:
        """Forecasters of aeon learn from the series that they continue."""

    def _predict(self, past: Array, horizon: int) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            columns = [np.ravel(self._copy().iterative_forecast(np.array(x), horizon)) for x in past.T]
        return np.stack(columns, axis=1)


class FromNixtla(_FromLibrary):
    """
    A model of statsforecast, or an MLForecast or NeuralForecast object.

    Those of statsforecast are put through a `context` as they were fitted where they can (`forward`), else fitted to it
    anew. MLForecast and NeuralForecast learn from all coordinates of all training series as so many series, and
    continue any context.

    Parameters
    ----------
    model : model, MLForecast with freq=1, or NeuralForecast with freq=1
    """

    source = "Garza et al. (2022), StatsForecast, PyCon"
    joint = False

    def _fit(self, series: list[Array]) -> None:
        self.is_frame_ = "preprocess" in dir(self.model) or "models" in vars(self.model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.is_frame_:
                self.models_ = [self._copy()]
                self.models_[0].fit(df=self._frame(series))
            else:
                self.models_ = [self._copy().fit(np.array(x)) for x in series[-1].T]

    def _frame(self, series: list[Array]) -> Any:
        columns = [x for part in series for x in part.T]
        return _library("pandas", "mlforecast").DataFrame(
            {
                "unique_id": np.repeat(np.arange(len(columns)), [len(x) for x in columns]),
                "ds": np.concatenate([np.arange(1, len(x) + 1) for x in columns]),
                "y": np.concatenate(columns),
            }
        )

    def _predict(self, past: Array, horizon: int) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.is_frame_:
                return self._framed(past, horizon)
            columns = []
            for model, x in zip(self.models_, past.T, strict=True):
                forecast = model.forward if hasattr(model, "forward") else self._copy().forecast
                columns.append(np.asarray(forecast(y=np.array(x), h=horizon)["mean"]))
        return np.stack(columns, axis=1)

    def _framed(self, past: Array, horizon: int) -> Array:
        # A copy forecasts: the models keep the series that they saw last.
        model, frame = copy.deepcopy(self.models_[0]), self._frame([past])
        is_neural = type(model).__name__ == "NeuralForecast"
        forecast = model.predict(df=frame) if is_neural else model.predict(h=horizon, new_df=frame)
        (name, *others) = [name for name in forecast.columns if name not in ("unique_id", "ds")]
        if others:
            raise RequestError(f"the object holds several models, {name} and {', '.join(others)}: hand in one")
        values = forecast.sort_values(["unique_id", "ds"])[name].to_numpy().reshape(past.shape[1], -1).T
        if len(values) < horizon:
            raise RequestError(f"the model forecasts {len(values)} samples: make it with a horizon of {horizon}")
        return np.asarray(values[:horizon])


class FromGluonTS(_FromLibrary):
    """
    A trained predictor of GluonTS, one coordinate at a time; the mean of its forecast.

    Nothing is learned: a predictor comes trained. Longer horizons than its own are reached by continuing the forecast.

    Parameters
    ----------
    model : gluonts predictor
    frequency : str
        The pandas frequency that the samples are said to have.
    """

    source = "Alexandrov et al. (2020), J. Mach. Learn. Res. 21(116)"
    joint = False
    methods = ("predict",)
    least = 1

    def __init__(self, model: Any, frequency: str = "h") -> None:
        super().__init__(model)
        self.frequency = frequency

    def _fit(self, series: list[Array]) -> None:
        self.start_ = _library("pandas", "gluonts").Period("2000-01-01", freq=self.frequency)

    def _predict(self, past: Array, horizon: int) -> Array:
        series, n = past.copy(), len(past)
        while len(series) < n + horizon:
            entries = [{"start": self.start_, "target": np.array(x), "item_id": str(i)} for i, x in enumerate(series.T)]
            forecasts = [np.asarray(found.mean, dtype=np.float64) for found in self.model.predict(entries)]
            series = np.concatenate([series, np.stack(forecasts, axis=1)])
        return np.asarray(series[n : n + horizon])
