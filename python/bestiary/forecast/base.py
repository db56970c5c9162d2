"""
The contract of a forecaster.

The public methods are final. They read and check what the user gives, and leave to a forecaster what is its own:
`_fit` and `_predict`, and `_sample` where it has a distribution. The habits are those of scikit-learn.
"""

from __future__ import annotations

import copy
import inspect
from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeVar

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import RequestError, UnknownName
from .series import Series, read_context, read_train

__all__ = ["EQUIVARIANT", "Forecaster"]

Self = TypeVar("Self", bound="Forecaster")

# Said by those that standardise each coordinate and treat all alike.
EQUIVARIANT = frozenset({"shift", "scale", "permutation", "time"})

_FINAL = ("fit", "predict", "sample", "interval", "get_params", "set_params", "clone")


class Forecaster(ABC):
    """
    Base of the forecasters: learns from one or several series, continues them.

    A forecaster writes `_fit(series)` and `_predict(past, horizon)`, states in `_shortest` how many samples it needs
    and in `_memory` how much history it looks at, and says in the class attributes what is true of it.

    Attributes
    ----------
    dt_ : time between samples of the training series
    dimension_ : number of columns
    context_ : the end of the training series (of the last one, where there were several)

    Notes
    -----
    A constant series is continued as a constant. A series that is too short, or has a NaN or an infinity, is refused
    with an error that says what is missing or where it is. A forecast that escapes to infinity is a result: full
    shape, NaN from there on.

    Examples
    --------
    All that a method of your own needs:

    >>> class Analogue(Forecaster):
    ...     '''The change that followed the most similar moment of the past, step by step.'''
    ...     def _fit(self, series):
    ...         self.states_ = np.concatenate([x[:-1] for x in series])
    ...         self.changes_ = np.concatenate([np.diff(x, axis=0) for x in series])
    ...     def _predict(self, past, horizon):
    ...         forecast, state = [], past[-1]
    ...         for _ in range(horizon):
    ...             nearest = np.argmin(np.sum((self.states_ - state) ** 2, axis=1))
    ...             state = state + self.changes_[nearest]
    ...             forecast.append(state)
    ...         return np.array(forecast)
    >>> wave = np.array([[np.sin(t), np.cos(t)] for t in np.arange(0, 60, 0.1)])
    >>> Analogue().fit(wave[:500]).predict(100).shape
    (100, 2)
    """

    family: ClassVar[str] = "outside"
    """The kind of method."""
    source: ClassVar[str] = ""
    """The paper or book it comes from."""
    extra: ClassVar[str | None] = None
    """The optional dependencies it needs, as `pip install "bestiary[extra]"` names them."""
    uncertainty: ClassVar[str | None] = None
    """The distribution that `sample` draws from, where there is one."""
    joint: ClassVar[bool] = True
    """Whether coordinates inform each other; if not, each is forecast by itself."""
    exact: ClassVar[frozenset[str]] = frozenset()
    """What is continued exactly, of "trend", "periodic", "linear", "quadratic" (`bestiary.testing` looks)."""
    equivariant: ClassVar[frozenset[str]] = frozenset({"time"})
    """What may be done to all series with no other effect than on the forecast, of "shift", "scale", "permutation"
    of the coordinates, and another unit of "time"."""
    univariate: ClassVar[bool] = True
    """Whether a single coordinate will do; if not, the columns must be the full state."""
    skilled: ClassVar[bool] = True
    """Whether the next sample of a smooth series is foreseen better than by the last one."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in _FINAL:
            if name in vars(cls):
                raise TypeError(
                    f"{cls.__name__}.{name} is final: write _{name} instead"
                    if name in _FINAL[:3]
                    else f"{cls.__name__}.{name} is final"
                )

    # What a forecaster writes

    @abstractmethod
    def _fit(self, series: list[Array]) -> None:
        """Learn from read-only arrays of shape (n, d); `self.dt_` and `self.dimension_` are set."""

    @abstractmethod
    def _predict(self, past: Array, horizon: int) -> Array:
        """Continue the read-only array `past` of shape (n, d) by an array (horizon, d), and change nothing."""

    def _sample(self, past: Array, horizon: int, n: int, generator: np.random.Generator) -> Array:
        """Draw n continuations, shape (n, horizon, d)."""
        raise NotImplementedError

    def _shortest(self, dimension: int) -> int:
        """How many samples each training series must have."""
        return 2

    def _memory(self) -> tuple[int, int | None]:
        """Of a fitted forecaster: the fewest samples of history, and the most that are looked at (None: all)."""
        return 1, None

    # What a user calls

    def fit(self: Self, train: Series, *, dt: float | None = None) -> Self:
        """
        Learn from the past.

        Parameters
        ----------
        train : array of shape (n,) or (n, d), Trajectory, or several of them
            Several trajectories come as a list of arrays (of any lengths), an array (m, n, d), or an Ensemble.
        dt : float
            Time between samples; that of the Trajectory, or 1.

        Returns
        -------
        The forecaster itself.

        Raises
        ------
        ValueError
            If the series is too short, not finite, or not of a shape above.
        """
        series, interval, is_flat = read_train(train, dt)
        self._forget()
        self.dt_, self.dimension_ = interval, series[0].shape[1]
        least = self._shortest(self.dimension_)
        for i, part in enumerate(series):
            if len(part) < least:
                which = f"training series {i}" if len(series) > 1 else "the training series"
                raise RequestError(f"{type(self).__name__} needs at least {least} samples, but {which} has {len(part)}")
        with np.errstate(all="ignore"):
            self._fit(series)
        used = self._memory()[1]
        self.context_ = series[-1] if used is None else series[-1][-used:]
        self._is_flat = is_flat
        return self

    def predict(self, horizon: int, *, context: Series | None = None) -> Array:
        """
        Continue the training series, or another history.

        Parameters
        ----------
        horizon : int
            Number of samples.
        context : array of shape (n,), (n, d) or (m, n, d), or Trajectory
            History to continue instead of the training series (of the last one, where there were several). Of the
            same kind and sampling as the training series. Nothing is learned from it.

        Returns
        -------
        array of shape (horizon,), (horizon, d) or (m, horizon, d)
            With as many axes as the context, or else as the training series had. NaN after an escape to infinity.
        """
        horizon = sampling.whole("horizon", horizon, least=1)
        pasts, axes = self._pasts(context)
        with np.errstate(all="ignore"):
            forecasts = [self._shaped(self._predict(past, horizon), (horizon, self.dimension_)) for past in pasts]
        return _like(np.array(forecasts), axes)

    def sample(self, horizon: int, n: int, *, context: Series | None = None, seed: int = 0) -> Array:
        """
        Draw n possible continuations; arguments as in `predict`.

        Returns
        -------
        array of shape (n, horizon) or (n, horizon, d)
            From (m, n, d) contexts, (m, n, horizon, d). The mean over n is near `predict` at first; on a chaotic
            attractor the two part.

        Raises
        ------
        ValueError
            If the forecaster gives no distribution: its `uncertainty` is None.
        """
        if self.uncertainty is None:
            raise RequestError(
                f"{type(self).__name__} gives no distribution; those that do have one in the column `uncertainty` of "
                "forecasters()"
            )
        horizon, n = sampling.whole("horizon", horizon, least=1), sampling.whole("n", n, least=1)
        generator = np.random.default_rng(sampling.whole("seed", seed, least=0))
        pasts, axes = self._pasts(context)
        draws = []
        with np.errstate(all="ignore"):
            for past in pasts:
                drawn = self._shaped(self._sample(past, horizon, n, generator), (n, horizon, self.dimension_))
                draws.append(drawn)
        return _like(np.array(draws), axes)

    def interval(
        self, horizon: int, level: float = 0.9, *, n: int = 200, context: Series | None = None, seed: int = 0
    ) -> tuple[Array, Array]:
        """
        Lower and upper ends of the central intervals of probability `level`, from n draws; arguments as in `sample`.

        Each has the shape of what `predict` gives.
        """
        if not 0 < level < 1:
            raise RequestError(f"level must be a probability between 0 and 1, not {level!r}")
        draws = self.sample(horizon, n, context=context, seed=seed)
        axis = 0 if context is None or np.ndim(getattr(context, "x", context)) < 3 else 1
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=axis)
        return low, high

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of `__init__` by name; `deep` is for scikit-learn and makes no difference."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self: Self, **values: Any) -> Self:
        """Change arguments of `__init__`; what was learned is kept until the next `fit`."""
        for name, value in values.items():
            if name not in self._parameter_names():
                raise UnknownName("parameter", name, self._parameter_names(), where=f" of {type(self).__name__}")
            setattr(self, name, value)
        return self

    def clone(self: Self) -> Self:
        """A new forecaster with the same arguments that has learned nothing."""
        return type(self)(**{name: copy.deepcopy(value) for name, value in self.get_params().items()})

    # Within

    @classmethod
    def _parameter_names(cls) -> list[str]:
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]

    def _forget(self) -> None:
        """Drop what an earlier `fit` learned."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)

    def _pasts(self, context: Any) -> tuple[Array, int]:
        if "context_" not in vars(self):
            raise RequestError(f"this {type(self).__name__} has learned nothing yet: call fit first")
        if context is None:
            return self.context_[None], 1 if self._is_flat else 2
        pasts, axes = read_context(context, self.dimension_)
        least, used = self._memory()
        if pasts.shape[1] < least:
            raise RequestError(
                f"{type(self).__name__} needs at least {least} samples of history, but the context has {pasts.shape[1]}"
            )
        return pasts if used is None else pasts[:, -used:], axes

    def _shaped(self, forecast: Any, shape: tuple[int, ...]) -> Array:
        """The forecast, NaN after its first sample that is not finite."""
        array = np.array(forecast, dtype=np.float64)
        if array.shape != shape:
            raise TypeError(f"{type(self).__name__} gave a forecast of shape {array.shape}, where {shape} is due")
        if not np.isfinite(array).all():
            lost = np.maximum.accumulate(~np.isfinite(array).all(axis=-1), axis=-1)
            array[lost] = np.nan
        return array

    def __repr__(self) -> str:
        defaults = {name: p.default for name, p in inspect.signature(type(self).__init__).parameters.items()}
        shown = [f"{k}={v!r}" for k, v in self.get_params().items() if not _is_same(v, defaults[k])]
        return f"{type(self).__name__}({', '.join(shown)})"


def _like(forecasts: Array, axes: int) -> Array:
    """From (m, …, d) to as many axes as the history had."""
    if axes == 3:
        return forecasts
    return forecasts[0] if axes == 2 else forecasts[0, ..., 0]


def _is_same(value: object, default: object) -> bool:
    return value is default or (type(value) is type(default) and bool(np.all(value == default)))
