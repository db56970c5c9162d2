"""
Forecasters, from the mean of the past to equations found in the data, with the habits of scikit-learn.

>>> import numpy as np
>>> import bestiary as bst
>>> series = bst.system("Lorenz").trajectory(3000, per_period=30)
>>> model = bst.forecast.WideNetwork(most=1000).fit(series[:2900])
>>> model.predict(100).shape
(100, 3)

`forecasters()` lists them. A method of your own derives from `Forecaster`; `bestiary.testing.check_forecaster` tells
whether it keeps the contract.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .base import Forecaster
from .table import FAMILIES, forecaster, forecasters

if TYPE_CHECKING:
    from .adapters import FromFunction, FromRegressor
    from .analog import Analog, ContextParroting, Hopfield, LocalLinear, Simplex, SMap
    from .baselines import Drift, LastValue, Mean
    from .dmd import HankelDMD
    from .features import RadialBasis, RandomFeatures
    from .kernel_ridge import KernelRidge, WideNetwork
    from .libraries import FromAeon, FromDarts, FromGluonTS, FromNixtla, FromSktime
    from .neural.attention import Transformer
    from .neural.base import BlockForecaster, NeuralForecaster, StateForecaster, load
    from .neural.basis import NBEATS, NHiTS
    from .neural.convolution import TCN
    from .neural.dense import MLP, TiDE
    from .neural.linear import DLinear, NLinear
    from .neural.liquid import CfC
    from .neural.ode import NeuralODE
    from .neural.plrnn import ShallowPLRNN
    from .neural.recurrent import GRU, LSTM
    from .nvar import NVAR
    from .regressors import GradientBoosting, Linear, RandomForest
    from .resdmd import KoopmanModes, ResDMD, koopman
    from .reservoir import EchoState, HybridEchoState
    from .seasonal import Fourier, Seasonal, period_of
    from .sindy import SINDy
    from .statistical import ARIMA, TBATS, AutoARIMA, ExponentialSmoothing, Kalman, OptimizedTheta, Theta
    from .tuning import Tuning, tune

_LATER = {name: module for module, names in FAMILIES.items() for name in names} | {
    "BlockForecaster": "neural.base",
    "KoopmanModes": "resdmd",
    "NeuralForecaster": "neural.base",
    "StateForecaster": "neural.base",
    "Tuning": "tuning",
    "koopman": "resdmd",
    "load": "neural.base",
    "period_of": "seasonal",
    "tune": "tuning",
}

__all__ = [
    "ARIMA",
    "GRU",
    "LSTM",
    "MLP",
    "NBEATS",
    "NVAR",
    "TBATS",
    "TCN",
    "Analog",
    "AutoARIMA",
    "BlockForecaster",
    "CfC",
    "ContextParroting",
    "DLinear",
    "Drift",
    "EchoState",
    "ExponentialSmoothing",
    "Forecaster",
    "Fourier",
    "FromAeon",
    "FromDarts",
    "FromFunction",
    "FromGluonTS",
    "FromNixtla",
    "FromRegressor",
    "FromSktime",
    "GradientBoosting",
    "HankelDMD",
    "Hopfield",
    "HybridEchoState",
    "Kalman",
    "KernelRidge",
    "KoopmanModes",
    "LastValue",
    "Linear",
    "LocalLinear",
    "Mean",
    "NHiTS",
    "NLinear",
    "NeuralForecaster",
    "NeuralODE",
    "OptimizedTheta",
    "RadialBasis",
    "RandomFeatures",
    "RandomForest",
    "ResDMD",
    "SINDy",
    "SMap",
    "Seasonal",
    "ShallowPLRNN",
    "Simplex",
    "StateForecaster",
    "Theta",
    "TiDE",
    "Transformer",
    "Tuning",
    "WideNetwork",
    "forecaster",
    "forecasters",
    "koopman",
    "load",
    "period_of",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        value = getattr(import_module(f".{_LATER[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
