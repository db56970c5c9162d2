"""
Statistical models of statsforecast and statsmodels, one for each coordinate; they need the extra `statistics`.

A `context` is put through the model as it was fitted; TBATS, which cannot do that, is fitted to the context anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import BestiaryError, MissingExtra, RequestError
from .base import Forecaster

__all__ = ["ARIMA", "TBATS", "AutoARIMA", "ExponentialSmoothing", "Kalman", "OptimizedTheta", "Theta"]


def _library(module: str, name: str, package: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except ImportError:
        raise MissingExtra(package, "statistics") from None


class _Statistical(Forecaster):
    """Fits to the last training series: these models are of one series."""

    family = "statistical"
    extra = "statistics"
    joint = False
    # The optimisers stop at tolerances in the units of the data.
    equivariant = frozenset()
    skilled = False

    season: int | None = None

    def _model(self, season: int) -> Any:
        """The library's model, not fitted."""
        raise NotImplementedError

    def _season(self) -> int:
        return 1 if self.season is None else sampling.whole("season", self.season, least=1)

    def _shortest(self, dimension: int) -> int:
        self._model(self._season())
        return max(20, 2 * self._season() + 2)

    def _memory(self) -> tuple[int, int | None]:
        return max(20, 2 * self._season() + 2), None

    def _fit(self, series: list[Array]) -> None:
        self.models_ = [self._guarded(self._fitted, x) for x in series[-1].T]

    def _guarded(self, call: Callable[..., Any], x: Array, *arguments: Any) -> Any:
        """What the call gives for a column; a failure within the library as an error that says what it is about."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return call(np.array(x), *arguments)
            except BestiaryError:
                raise
            except Exception as error:
                raise RequestError(
                    f"the library could not fit {self!r} to a column: {error}. A model of noise has no likelihood "
                    "where there is none, as in a sum of sines"
                ) from error

    def _fitted(self, x: Array) -> Any:
        """A fitted model; none for a constant, of which there is nothing to fit."""
        if not np.ptp(x) > 0:
            return None
        return self._model(self._season()).fit(x)

    def _predict(self, past: Array, horizon: int) -> Array:
        pairs = zip(self.models_, past.T, strict=True)
        return np.stack([self._guarded(self._continued, x, model, horizon) for model, x in pairs], axis=1)

    def _continued(self, x: Array, model: Any, horizon: int) -> Array:
        if not np.ptp(x) > 0:
            return np.full(horizon, x[-1])
        if model is None or not hasattr(model, "forward"):
            return np.asarray(self._model(self._season()).forecast(y=x, h=horizon)["mean"])
        return np.asarray(model.forward(y=x, h=horizon)["mean"])


class ARIMA(_Statistical):
    """
    Autoregressive integrated moving average of given order (p, d, q).

    Parameters
    ----------
    order : (p, d, q)
    season : int
        Samples in a season, with a seasonal autoregression of order 1; none by default.
    """

    source = "Box & Jenkins (1970), Time Series Analysis; statsforecast"

    def __init__(self, order: tuple[int, int, int] = (5, 0, 0), season: int | None = None) -> None:
        self.order = order
        self.season = season

    def _model(self, season: int) -> Any:
        if np.shape(self.order) != (3,):
            raise RequestError(f"order must be three whole numbers (p, d, q), not {self.order!r}")
        p, d, q = (sampling.whole("order", value, least=0) for value in self.order)
        seasonal = (1, 0, 0) if season > 1 else (0, 0, 0)
        model = _library("statsforecast.models", "ARIMA", "statsforecast")
        return model(order=(p, d, q), season_length=season, seasonal_order=seasonal)


class AutoARIMA(_Statistical):
    """
    ARIMA whose order is chosen by the corrected Akaike criterion.

    Parameters
    ----------
    season : int
        Samples in a season; none by default. Seasons of many samples take very long.
    """

    source = "Hyndman & Khandakar (2008), J. Stat. Softw. 27(3); statsforecast"

    def __init__(self, season: int | None = None) -> None:
        self.season = season

    def _model(self, season: int) -> Any:
        return _library("statsforecast.models", "AutoARIMA", "statsforecast")(season_length=season)


class ExponentialSmoothing(_Statistical):
    """
    Exponential smoothing, its form chosen by the corrected Akaike criterion.

    Parameters
    ----------
    season : int
        Samples in a season; none by default.
    """

    source = "Hyndman, Koehler, Snyder & Grose (2002), Int. J. Forecasting 18, 439-454; statsforecast"

    def __init__(self, season: int | None = None) -> None:
        self.season = season

    def _model(self, season: int) -> Any:
        return _library("statsforecast.models", "AutoETS", "statsforecast")(season_length=season)


class Theta(_Statistical):
    """
    The theta method.

    Parameters
    ----------
    season : int
        Samples in a season, taken off additively; none by default.
    """

    source = "Assimakopoulos & Nikolopoulos (2000), Int. J. Forecasting 16, 521-530; statsforecast"

    def __init__(self, season: int | None = None) -> None:
        self.season = season

    def _model(self, season: int) -> Any:
        model = _library("statsforecast.models", "Theta", "statsforecast")
        return model(season_length=season, decomposition_type="additive")


class OptimizedTheta(_Statistical):
    """
    The theta method with the weight of its lines optimised.

    Parameters
    ----------
    season : int
        Samples in a season, taken off additively; none by default.
    """

    source = (
        "Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler (2016), Int. J. Forecasting 32, 1151-1161; statsforecast"
    )

    def __init__(self, season: int | None = None) -> None:
        self.season = season

    def _model(self, season: int) -> Any:
        model = _library("statsforecast.models", "OptimizedTheta", "statsforecast")
        return model(season_length=season, decomposition_type="additive")


class TBATS(_Statistical):
    """
    Trigonometric seasons and trend in an exponential smoothing state space, without Box-Cox transform.

    Parameters
    ----------
    season : int
        Samples in a season; 1 by default.
    arma : bool
        Whether to model the errors as ARMA, which takes very long.
    """

    source = "De Livera, Hyndman & Snyder (2011), J. Am. Stat. Assoc. 106, 1513-1527; statsforecast"

    def __init__(self, season: int | None = None, arma: bool = False) -> None:
        self.season = season
        self.arma = arma

    def _model(self, season: int) -> Any:
        model = _library("statsforecast.models", "AutoTBATS", "statsforecast")
        return model(season_length=season, use_boxcox=False, use_arma_errors=self.arma)


class Kalman(_Statistical):
    """
    A local level with an autoregression in state space form, by the Kalman filter and maximum likelihood.

    Parameters
    ----------
    order : int
        Of the autoregression.
    """

    source = "Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter; statsmodels"

    def __init__(self, order: int = 4) -> None:
        self.order = order

    def _model(self, season: int) -> Any:
        sampling.whole("order", self.order, least=1)
        return _library("statsmodels.tsa.statespace.structural", "UnobservedComponents", "statsmodels")

    def _fitted(self, x: Array) -> Any:
        scale = float(np.std(x))
        if not scale > 0:
            return None
        centre = float(np.mean(x))
        model = self._model(1)((x - centre) / scale, level="llevel", autoregressive=self.order)
        return model.fit(disp=False), centre, scale

    def _continued(self, x: Array, model: Any, horizon: int) -> Array:
        if model is None or not np.ptp(x) > 0:
            return np.full(horizon, x[-1])
        fitted, centre, scale = model
        forecast = np.asarray(fitted.apply((x - centre) / scale).forecast(horizon))
        return np.asarray(centre + scale * forecast)
