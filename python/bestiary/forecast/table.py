"""
The forecasters as a frame, and by name.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..exceptions import UnknownName
from .base import Forecaster

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FAMILIES", "forecaster", "forecasters"]

# The module of each family, and its members. An extra is imported when a member is fitted, not before.
FAMILIES: dict[str, tuple[str, ...]] = {
    "baselines": ("Drift", "LastValue", "Mean"),
    "seasonal": ("Fourier", "Seasonal"),
    "nvar": ("NVAR",),
    "analog": ("Analog", "ContextParroting", "Hopfield", "LocalLinear", "SMap", "Simplex"),
    "kernel_ridge": ("KernelRidge", "WideNetwork"),
    "features": ("RadialBasis", "RandomFeatures"),
    "reservoir": ("EchoState", "HybridEchoState"),
    "dmd": ("HankelDMD",),
    "resdmd": ("ResDMD",),
    "sindy": ("SINDy",),
    "statistical": ("ARIMA", "AutoARIMA", "ExponentialSmoothing", "Kalman", "OptimizedTheta", "TBATS", "Theta"),
    "regressors": ("GradientBoosting", "Linear", "RandomForest"),
    "adapters": ("FromFunction", "FromRegressor"),
    "neural.attention": ("Transformer",),
    "neural.basis": ("NBEATS", "NHiTS"),
    "neural.convolution": ("TCN",),
    "neural.dense": ("MLP", "TiDE"),
    "neural.linear": ("DLinear", "NLinear"),
    "neural.liquid": ("CfC",),
    "neural.ode": ("NeuralODE",),
    "neural.plrnn": ("ShallowPLRNN",),
    "neural.recurrent": ("GRU", "LSTM"),
    "libraries": ("FromAeon", "FromDarts", "FromGluonTS", "FromNixtla", "FromSktime"),
}


def _classes() -> dict[str, type[Forecaster]]:
    return {
        name: getattr(import_module(f".{module}", __package__), name)
        for module, names in FAMILIES.items()
        for name in names
    }


def forecasters() -> pl.DataFrame:
    """
    The forecasters as a frame, one row each.

    Columns
    -------
    name, family, extra (null: part of the default install), uncertainty (the distribution that `sample` draws from;
    null: none), univariate (whether a single coordinate will do), multivariate (whether coordinates inform each other;
    if not, each is forecast by itself), needs (arguments without a default), source.

    Examples
    --------
    >>> frame = forecasters()
    >>> frame.filter(name="NVAR").row(0)[:3]
    ('NVAR', 'regression', None)
    """
    import polars as pl

    rows = [
        {
            "name": name,
            "family": cls.family,
            "extra": cls.extra,
            "uncertainty": cls.uncertainty,
            "univariate": cls.univariate,
            "multivariate": cls.joint,
            "needs": [
                p.name
                for p in list(inspect.signature(cls.__init__).parameters.values())[1:]
                if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
            ],
            "source": cls.source,
        }
        for name, cls in _classes().items()
    ]
    schema: dict[str, Any] = {
        "name": pl.String,
        "family": pl.String,
        "extra": pl.String,
        "uncertainty": pl.String,
        "univariate": pl.Boolean,
        "multivariate": pl.Boolean,
        "needs": pl.List(pl.String),
        "source": pl.String,
    }
    return pl.DataFrame(rows, schema=schema)


def forecaster(name: str, **parameters: Any) -> Forecaster:
    """
    A forecaster by its name, as the frame has it.

    Examples
    --------
    >>> forecaster("NVAR", degree=3)
    NVAR(degree=3)
    """
    known = _classes()
    if name not in known:
        raise UnknownName("forecaster", str(name), known)
    return known[name](**parameters)
