"""The tester is tested: forecasters with a planted fault each, caught and named; a clean one passes."""

import time
from typing import Any, ClassVar

import numpy as np
import pytest

from bestiary.forecast import NVAR, Forecaster
from bestiary.testing import check_forecaster
from bestiary.testing_forecaster import RULES, ContractViolation


class Reference:
    """A plain class that keeps the contract: linear regression on two states, its own checks of the input."""

    exact = frozenset({"linear", "periodic", "trend"})
    equivariant = frozenset({"permutation", "scale", "shift", "time"})

    def fit(self, train: Any, dt: float | None = None) -> "Reference":
        self.flat_ = np.ndim(train if not isinstance(train, list) else train[0]) == 1
        parts = train if isinstance(train, list) else [train]
        series = [self.table(part, 12) for part in parts]
        self.mean_, self.scale_ = self.standards(series)
        scaled = [(x - self.mean_) / self.scale_ for x in series]
        keys = np.concatenate([self.keys(x[:-1]) for x in scaled])
        changes = np.concatenate([np.diff(x[3:], axis=0) for x in scaled])
        self.weights_ = np.linalg.lstsq(keys, changes, rcond=1e-10)[0]
        self.context_ = series[-1][-4:].copy()
        return self

    def predict(self, horizon: int, context: Any = None) -> Any:
        past = self.context_ if context is None else self.table(context, 4)
        forecast = self.continued(past, horizon)
        is_flat = self.flat_ if context is None else np.ndim(context) == 1
        return forecast[:, 0] if is_flat else forecast

    def continued(self, past: Any, horizon: int) -> Any:
        z = list((past[-4:] - self.mean_) / self.scale_)
        for _ in range(horizon):
            z.append(z[-1] + (self.keys(np.array(z[-4:])) @ self.weights_)[0])
        return np.array(z[4:]) * self.scale_ + self.mean_

    def table(self, x: Any, least: int) -> Any:
        x = np.asarray(x, dtype=float)
        x = x[:, None] if x.ndim == 1 else x
        if len(x) < least or not np.isfinite(x).all():
            raise ValueError(f"at least {least} finite samples are needed")
        return x

    def standards(self, series: list[Any]) -> tuple[Any, Any]:
        every = np.concatenate(series)
        scale = every.std(axis=0)
        return every.mean(axis=0), np.where(scale > 1e-12, scale, 1.0)

    def keys(self, x: Any) -> Any:
        n = len(x) - 3
        return np.concatenate([np.ones((n, 1)), *(x[lag : lag + n] for lag in range(4))], axis=1)


def behind(x: Any) -> Any:
    """The array that x is the first part of."""
    return x if x.base is None or x.base.ndim != x.ndim else x.base


class PeeksOneStep(Reference):
    def fit(self, train: Any, dt: float | None = None) -> Reference:
        super().fit(train, dt)
        self.next_ = None
        if isinstance(train, np.ndarray) and train.ndim == 2 and len(behind(train)) > len(train):
            self.next_ = behind(train)[len(train)].copy()
        return self

    def predict(self, horizon: int, context: Any = None) -> Any:
        forecast = super().predict(horizon, context)
        if context is None and self.next_ is not None:
            forecast[0] = self.next_
        return forecast


class StandardisesOnTheWhole(Reference):
    def standards(self, series: list[Any]) -> tuple[Any, Any]:
        return super().standards([behind(x) if x.base is not None and behind(x).ndim == 2 else x for x in series])


class TunesOnTheTest(Reference):
    def fit(self, train: Any, dt: float | None = None) -> Reference:
        super().fit(train, dt)
        self.shrink_ = 1.0
        if isinstance(train, np.ndarray) and len(behind(train)) > len(train) and train.ndim == 2:
            truth = behind(train)[len(train) : len(train) + 10]
            errors = {f: np.abs(f * self.predict(10) - truth).mean() for f in (1.0, 0.99, 0.9, 0.5, 0.1)}
            self.shrink_ = min(errors, key=errors.__getitem__)
        return self

    def predict(self, horizon: int, context: Any = None) -> Any:
        return getattr(self, "shrink_", 1.0) * super().predict(horizon, context)


class TruthWithNoise(Reference):
    def predict(self, horizon: int, context: Any = None) -> Any:
        if context is None or np.ndim(context) == 1 or len(behind(context)) < len(context) + horizon:
            return super().predict(horizon, context)
        truth = behind(context)[len(context) : len(context) + horizon]
        return truth + 1e-3 * np.random.default_rng(0).standard_normal(truth.shape)


class LeaksThroughACache(Reference):
    longest: ClassVar[dict[int, Any]] = {}

    def fit(self, train: Any, dt: float | None = None) -> Reference:
        if isinstance(train, np.ndarray) and train.ndim == 2:
            known = self.longest.get(train.shape[1])
            is_longer = known is None or len(known) < len(train) or not np.array_equal(known[: len(train)], train)
            self.longest[train.shape[1]] = train.copy() if is_longer else known
        return super().fit(train, dt)

    def predict(self, horizon: int, context: Any = None) -> Any:
        forecast = super().predict(horizon, context)
        known = self.longest.get(len(self.mean_))
        if context is None and known is not None and not self.flat_:
            for i in range(4, len(known) - horizon):
                if np.array_equal(known[i - 4 : i], self.context_):
                    return known[i : i + horizon].copy()
        return forecast


class DropsTheLastPoint(Reference):
    def predict(self, horizon: int, context: Any = None) -> Any:
        # One step more, so that it is not off by one.
        past = self.context_ if context is None else self.table(context, 5)[-5:]
        if len(past) < 5:
            return super().predict(horizon, context)
        forecast = self.continued(past[:-1], horizon + 1)[1:]
        is_flat = self.flat_ if context is None else np.ndim(context) == 1
        return forecast[:, 0] if is_flat else forecast

    def fit(self, train: Any, dt: float | None = None) -> Reference:
        super().fit(train, dt)
        last = train[-1] if isinstance(train, list) else train
        self.context_ = self.table(last, 5)[-5:].copy()
        return self


class OffByOneLate(Reference):
    def continued(self, past: Any, horizon: int) -> Any:
        return np.concatenate([past[-1:], super().continued(past, horizon)])[:horizon]


class OffByOneEarly(Reference):
    def continued(self, past: Any, horizon: int) -> Any:
        return super().continued(past, horizon + 1)[1:]


class SeedsFromTheClock(Reference):
    def continued(self, past: Any, horizon: int) -> Any:
        noise = np.random.default_rng(time.perf_counter_ns()).standard_normal((horizon, past.shape[1]))
        return super().continued(past, horizon) + 1e-9 * noise


class DrawsFromTheGlobalGenerator(Reference):
    def fit(self, train: Any, dt: float | None = None) -> Reference:
        super().fit(train, dt)
        self.weights_ = self.weights_ + 1e-9 * np.random.standard_normal(self.weights_.shape)  # noqa: NPY002
        return self


class IgnoresTheContext(Reference):
    def continued(self, past: Any, horizon: int) -> Any:
        return super().continued(self.context_, horizon)


class ChangesItsInput(Reference):
    def fit(self, train: Any, dt: float | None = None) -> Reference:
        super().fit(train, dt)
        if isinstance(train, np.ndarray) and train.flags.writeable:
            train -= train.mean(axis=0)
        return self


class KeepsTheUsersArray(Reference):
    def fit(self, train: Any, dt: float | None = None) -> Reference:
        super().fit(train, dt)
        self.train_ = train
        return self

    def predict(self, horizon: int, context: Any = None) -> Any:
        self.mean_ = self.standards(
            [self.table(part, 1) for part in (self.train_ if isinstance(self.train_, list) else [self.train_])]
        )[0]
        return super().predict(horizon, context)


class SwallowsNan(Reference):
    def table(self, x: Any, least: int) -> Any:
        x = np.asarray(x, dtype=float)
        x = x[:, None] if x.ndim == 1 else x
        return super().table(np.where(np.isfinite(x), x, 0.0), least)


class WrongUnitOfTime(Reference):
    def fit(self, train: Any, dt: float | None = None) -> Reference:
        self.dt_ = 1.0 if dt is None else dt
        return super().fit(train, dt)

    def continued(self, past: Any, horizon: int) -> Any:
        # Takes the horizon for a time.
        steps = np.minimum(np.arange(1, horizon + 1) / self.dt_, 1000).astype(int)
        return super().continued(past, int(steps.max()))[steps - 1]


class ForgetsNothing(Reference):
    def standards(self, series: list[Any]) -> tuple[Any, Any]:
        self.seen = [*getattr(self, "seen", []), *series]
        return super().standards([x for x in self.seen if x.shape[1] == series[0].shape[1]])


class PredictMovesOn(Reference):
    def predict(self, horizon: int, context: Any = None) -> Any:
        forecast = super().predict(horizon, context)
        if context is not None:
            self.context_ = self.table(context, 4)[-4:].copy()
        return forecast


class ForecastsDependOnTheHorizon(Reference):
    def continued(self, past: Any, horizon: int) -> Any:
        forecast = super().continued(past, horizon)
        return forecast + 1e-3 * (forecast.mean(axis=0) - past[-1])


class SpansTheGap(Reference):
    def fit(self, train: Any, dt: float | None = None) -> Reference:
        return super().fit(np.concatenate(train) if isinstance(train, list) else train, dt)


class CannotBePickled(Reference):
    def fit(self, train: Any, dt: float | None = None) -> Reference:
        self.forecast_ = lambda past: past
        return super().fit(train, dt)


class StandardisesParameters(NVAR):
    def __init__(self, degree: int = 2) -> None:
        super().__init__()
        self.degree = int(degree) + 0 if degree == 2 else 2


class Explodes(Reference):
    def continued(self, past: Any, horizon: int) -> Any:
        return super().continued(past, horizon) + (np.arange(horizon) > 2)[:, None]


PLANTED = {
    PeeksOneStep: "look-ahead",
    StandardisesOnTheWhole: "look-ahead",
    TunesOnTheTest: "look-ahead",
    TruthWithNoise: "look-ahead",
    LeaksThroughACache: "leakage",
    DropsTheLastPoint: "last sample",
    OffByOneLate: "off by one",
    OffByOneEarly: "off by one",
    SeedsFromTheClock: "repeatable",
    DrawsFromTheGlobalGenerator: "repeatable",
    IgnoresTheContext: "context",
    ChangesItsInput: "input",
    KeepsTheUsersArray: "input",
    SwallowsNan: "not finite",
    WrongUnitOfTime: "unit of time",
    ForgetsNothing: "refit",
    PredictMovesOn: "state",
    ForecastsDependOnTheHorizon: "horizon",
    SpansTheGap: "trajectories",
    CannotBePickled: "pickle",
    Explodes: "exact",
}


def test_the_reference_passes() -> None:
    check_forecaster(Reference())


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_caught_and_named(fault: type) -> None:
    with pytest.raises(ContractViolation) as caught:
        check_forecaster(fault())
    assert caught.value.rule == PLANTED[fault]
    assert str(caught.value).startswith(caught.value.rule + ": ")


def test_an_argument_that_is_not_stored_is_caught() -> None:
    given = StandardisesParameters(3)
    given.degree = 5
    with pytest.raises(ContractViolation, match="parameters: __init__ must store its argument degree"):
        check_forecaster(given)


def test_what_is_caught_has_a_name_in_the_list() -> None:
    assert set(PLANTED.values()) <= set(RULES)
    assert len(PLANTED) >= 12
    assert len(set(RULES)) == len(RULES)


def test_public_methods_are_final() -> None:
    for name in ("fit", "predict", "sample", "get_params"):
        with pytest.raises(TypeError, match=f"{name} is final"):
            type("Mine", (Forecaster,), {name: lambda self: None})


def test_a_forecaster_of_the_base_class_cannot_write_into_what_it_is_given() -> None:
    class Writes(Forecaster):
        def _fit(self, series: list[Any]) -> None:
            series[0][0] = 0

        def _predict(self, past: Any, horizon: int) -> Any:
            return past[:horizon]

    with pytest.raises(ValueError, match="read-only"):
        Writes().fit(np.ones(10))
