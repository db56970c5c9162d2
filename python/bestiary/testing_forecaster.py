"""
Tiny tasks that tell whether a forecaster keeps the contract: no look into the future, nothing remembered, nothing off
by one. Reached as `bestiary.testing.check_forecaster`; for the forecasters of this package and those of others.

Each rule has a name, and a failure says which was broken. The tasks are small, so that a check takes seconds; they say
nothing about how well a method forecasts.
"""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .definition import Array

__all__ = ["RULES", "ContractViolation", "check_forecaster"]

_N, _HORIZON = 500, 20
# Two computations of the same forecast that may round differently.
_ROUNDING = 1e-8
# A forecast that is exact but for rounding, grown over the horizon, and a tiny ridge.
_EXACT = 1e-4


class ContractViolation(AssertionError):
    """A broken rule; `rule` is its name."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(rule, message)
        self.rule, self.message = rule, message

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


@dataclass(frozen=True)
class _Case:
    """A forecaster under test with what is said of it."""

    forecaster: Any
    exact: frozenset[str]
    equivariant: frozenset[str]
    is_skilled: bool
    is_univariate: bool
    has_samples: bool

    def fresh(self) -> Any:
        if hasattr(self.forecaster, "clone"):
            return self.forecaster.clone()
        return copy.deepcopy(self.forecaster)

    def series(self) -> Array:
        """A smooth series (n, d) of what the forecaster is for, longer than needed for training."""
        return _orbit() if not self.is_univariate else _waves()[:, None]

    def worlds(self) -> list[Array]:
        """The series of several kinds that it can take."""
        return [_waves()[:, None], _orbit()] if self.is_univariate else [_orbit()]


@lru_cache(maxsize=1)
def _orbit() -> Array:
    """Lorenz-63, 30 samples a period."""
    from .registry import system

    x = system("Lorenz").trajectory(_N + 100, per_period=30).x
    x.flags.writeable = False
    return x


@lru_cache(maxsize=1)
def _waves() -> Array:
    """Two incommensurate sines."""
    t = np.arange(_N + 100)
    x = np.asarray(np.sin(2 * np.pi * t / 40.0) + 0.5 * np.sin(2 * np.pi * t / (40.0 * np.sqrt(3)) + 1))
    x.flags.writeable = False
    return x


def _demand(holds: object, rule: str, message: str) -> None:
    if not holds:
        raise ContractViolation(rule, message)


def _same(a: Array, b: Array) -> bool:
    return np.shape(a) == np.shape(b) and np.asarray(a).tobytes() == np.asarray(b).tobytes()


def _near(a: Array, b: Array, tolerance: float, scale: float | None = None) -> bool:
    if np.shape(a) != np.shape(b) or not (np.isfinite(a) == np.isfinite(b)).all():
        return False
    size = scale or float(np.nanmax(np.abs(b), initial=1e-300))
    return bool(np.nanmax(np.abs(np.asarray(a) - b), initial=0.0) <= tolerance * size)


# The rules, in the order in which they are looked at


def _is_an_interface(case: _Case) -> None:
    rule = "interface"
    for name in ("fit", "predict"):
        _demand(callable(getattr(case.forecaster, name, None)), rule, f"there is no method {name}")
    model = case.fresh()
    _demand(model.fit(case.series()[:_N]) is model, rule, "fit must return the forecaster itself")
    try:
        case.fresh().predict(3)
    except Exception:
        return
    _demand(False, rule, "predict before fit must raise an error")


def _keeps_its_parameters(case: _Case) -> None:
    rule = "parameters"
    if not hasattr(case.forecaster, "get_params"):
        return
    given = case.forecaster.get_params()
    twin = type(case.forecaster)(**given)
    again = twin.get_params()
    _demand(list(again) == list(given), rule, "get_params names other arguments after cloning")
    for name, value in given.items():
        _demand(again[name] is value, rule, f"__init__ must store its argument {name} as it is, nothing else")
    twin.fit(case.series()[:_N])
    for name, value in given.items():
        _demand(
            twin.get_params()[name] is value or name in _found_at_fit(case),
            rule,
            f"fit must not change the argument {name}",
        )
    learned = [name for name in vars(case.fresh()) if name.endswith("_") and not name.startswith("_")]
    _demand(not learned, rule, f"a clone must have learned nothing, but has {', '.join(learned)}")


def _found_at_fit(case: _Case) -> Collection[str]:
    return getattr(case.forecaster, "found_at_fit", ())


def _has_the_right_shape(case: _Case) -> None:
    rule = "shape"
    for x in case.worlds():
        model, d = case.fresh().fit(x[:_N]), x.shape[1]
        shape = model.predict(_HORIZON).shape
        _demand(shape == (_HORIZON, d), rule, f"predict({_HORIZON}) of a series with {d} columns has shape {shape}")
        shape = model.predict(1, context=x[: _N - 5]).shape
        _demand(shape == (1, d), rule, f"predict(1, context=…) of a series with {d} columns has shape {shape}")
        _demand(model.predict(3).dtype == np.float64, rule, "a forecast must be of float64")
    if case.is_univariate:
        shape = case.fresh().fit(_waves()[:_N]).predict(7).shape
        _demand(shape == (7,), rule, f"a series of shape (n,) must give a forecast of shape (7,), not {shape}")


def _does_not_look_ahead(case: _Case) -> None:
    """The arrays handed over are the first part of longer ones, in which the future lies: it must not matter."""
    rule = "look-ahead"
    generator = np.random.default_rng(5)
    for x in case.worlds():
        truth = x[_N : _N + _HORIZON]
        real, other = x.copy(), x.copy()
        other[_N:] = x.mean(axis=0) + 3 * x.std(axis=0) * generator.standard_normal(x[_N:].shape)
        forecasts = [case.fresh().fit(whole[:_N]).predict(_HORIZON) for whole in (real, other)]
        if not _same(*forecasts):
            spread = x.std(axis=0)
            known = float(np.mean(np.abs(forecasts[1] - other[_N : _N + _HORIZON]) / spread)) < 1.0
            known = known and float(np.mean(np.abs(forecasts[0] - truth) / spread)) < 1.0
            _demand(
                False,
                rule,
                "the forecast follows the future that lies behind the training series"
                if known
                else "the forecast changes when the future behind the training series does",
            )
        model = case.fresh().fit(x[: _N - 100].copy())
        forecasts = [model.predict(_HORIZON, context=whole[:_N]) for whole in (real, other)]
        _demand(_same(*forecasts), rule, "the forecast changes when the future behind the context does")


def _is_repeatable(case: _Case) -> None:
    rule = "repeatable"
    x = case.series()
    state = np.random.get_state()  # noqa: NPY002
    try:
        forecasts = []
        for seed in (1, 2):
            np.random.seed(seed)  # noqa: NPY002
            forecasts.append(case.fresh().fit(x[:_N]).predict(_HORIZON))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    _demand(_same(*forecasts), rule, "the same fit gives another forecast: take all randomness from an argument seed")


def _remembers_nothing(case: _Case) -> None:
    x = case.series()
    first = case.fresh().fit(x[:_N]).predict(_HORIZON)
    case.fresh().fit(x)
    again = case.fresh().fit(x[:_N]).predict(_HORIZON)
    _demand(
        _same(first, again),
        "leakage",
        "what one forecaster has seen changes the forecast of another: something is global",
    )
    model = case.fresh().fit(x[::-1].copy())
    again = model.fit(x[:_N]).predict(_HORIZON)
    _demand(_same(first, again), "refit", "a second fit must forget the first one")


def _leaves_its_input_alone(case: _Case) -> None:
    rule = "input"
    x = case.series()
    train, context = x[:_N].copy(), x[: _N - 30].copy()
    model = case.fresh().fit(train)
    _demand(_same(train, x[:_N]), rule, "fit changes the training series")
    before = model.predict(_HORIZON, context=context)
    _demand(_same(context, x[: _N - 30]), rule, "predict changes the context")
    train[:] = 0
    context[:] = 0
    after = model.predict(_HORIZON, context=x[: _N - 30])
    _demand(_same(before, after), rule, "the forecast changes when the user's training array does: keep a copy")


def _predict_changes_nothing(case: _Case) -> None:
    rule = "state"
    x = case.series()
    model = case.fresh().fit(x[:_N])
    first = model.predict(_HORIZON)
    model.predict(_HORIZON, context=x[: _N - 50])
    _demand(_same(first, model.predict(_HORIZON)), rule, "predict changes what the next predict gives")


def _horizons_agree(case: _Case) -> None:
    for x in case.worlds():
        model = case.fresh().fit(x[:_N])
        short, long = model.predict(_HORIZON // 2), model.predict(_HORIZON)
        _demand(
            _near(short, long[: _HORIZON // 2], _ROUNDING, float(np.abs(x).max())),
            "horizon",
            f"predict({_HORIZON})[:{_HORIZON // 2}] differs from predict({_HORIZON // 2})",
        )


def _continues_the_context(case: _Case) -> None:
    for x in case.worlds():
        model, scale = case.fresh().fit(x[:_N]), float(np.abs(x).max())
        own, given = model.predict(_HORIZON), model.predict(_HORIZON, context=x[:_N])
        _demand(
            _near(own, given, _ROUNDING, scale),
            "context",
            "predict with the training series as its context differs from predict",
        )
        elsewhere = model.predict(_HORIZON, context=x[: _N - 37])
        _demand(not _near(own, elsewhere, _ROUNDING, scale), "context", "the context is ignored")
        changed = []
        for place in (100, 200, 300):
            context = x[: _N - 37].copy()
            context[-1] = x[place]
            # Long enough that what repeats the past comes to its last sample.
            as_it_was, as_it_is = (model.predict(_N // 2, context=past) for past in (x[: _N - 37], context))
            changed.append(not _near(as_it_was, as_it_is, 1e-12, scale))
        _demand(any(changed), "last sample", "the last sample of the context does not matter: it is dropped")


def _continues_a_constant(case: _Case) -> None:
    for x in case.worlds():
        level = x[_N // 2]
        constant = np.tile(level, (_N, 1))
        forecast = case.fresh().fit(constant).predict(_HORIZON)
        _demand(
            _near(forecast, constant[:_HORIZON], _ROUNDING),
            "constant",
            "a constant series is not continued as a constant",
        )


def _refuses_what_is_not_finite(case: _Case) -> None:
    rule = "not finite"
    x = case.series()
    model = case.fresh().fit(x[:_N])
    for bad in (np.nan, np.inf):
        broken = x[:_N].copy()
        broken[_N - 3, 0] = bad
        for what in ("the training series", "the context"):
            try:
                if what == "the context":
                    model.predict(3, context=broken)
                else:
                    case.fresh().fit(broken).predict(3)
            except ValueError:
                continue
            _demand(False, rule, f"{bad} in {what} must raise a ValueError, not be passed over")


def _says_when_it_is_too_short(case: _Case) -> None:
    rule = "short"
    x = case.series()
    for n in (1, 2, 5):
        try:
            forecast = case.fresh().fit(x[:n]).predict(4)
        except ValueError as error:
            _demand(str(error), rule, "an error must say what is wrong")
            continue
        except Exception as error:
            raise ContractViolation(rule, f"{n} samples must be refused with a ValueError, not {error!r}") from error
        _demand(forecast.shape == (4, x.shape[1]), rule, f"the forecast from {n} samples has shape {forecast.shape}")
    model = case.fresh().fit(x[:_N])
    try:
        model.predict(4, context=x[:1])
    except ValueError:
        pass
    except Exception as error:
        raise ContractViolation(
            rule, f"a context of 1 sample must be refused with a ValueError, not {error!r}"
        ) from error


def _counts_in_samples(case: _Case) -> None:
    if "time" not in case.equivariant:
        return
    x = case.series()
    coarse, fine = (case.fresh().fit(x[:_N], dt=dt).predict(_HORIZON) for dt in (1.0, 0.05))
    _demand(
        _near(coarse, fine, 1e-4),
        "unit of time",
        "the forecast depends on dt: horizons are in samples, and dt is for what is learned of the rates",
    )


def _is_equivariant(case: _Case) -> None:
    for x in case.worlds():
        d = x.shape[1]
        expected = case.fresh().fit(x[:_N]).predict(5)
        # x -> x[:, order] * scale + shift, and back.
        for name, order, scale, shift in (
            ("shift", np.arange(d), np.ones(d), 3.0),
            ("scale", np.arange(d), np.linspace(0.5, 40, d), 0.0),
            ("permutation", np.roll(np.arange(d), 1), np.ones(d), 0.0),
        ):
            if name not in case.equivariant:
                continue
            changed = np.ascontiguousarray(x[:_N][:, order] * scale + shift)
            found = ((case.fresh().fit(changed).predict(5) - shift) / scale)[:, np.argsort(order)]
            _demand(
                _near(found, expected, 1e-4, float(np.abs(x).max())),
                name,
                f"a {name} of the series does more to the forecast",
            )


def _aligned(forecasts: list[Array], truths: list[Array], what: str) -> None:
    """Each truth has two samples more than its forecast: the last sample of the past, and one after the forecast."""
    misses = [
        sum(float(np.abs(forecast - truth[shift : shift + len(forecast)]).max()) for forecast, truth in pairs)
        for shift in (1, 0, 2)
        for pairs in [list(zip(forecasts, truths, strict=True))]
    ]
    if np.isfinite(misses[0]) and min(misses[1:]) < 0.1 * misses[0]:
        way = "late: it begins with the last sample" if misses[1] < misses[2] else "early: it leaves out the next one"
        raise ContractViolation("off by one", f"on {what}, the forecast is one sample too {way}")


def _is_exact_where_it_says(case: _Case) -> None:
    t = np.arange(301.0 + _HORIZON)
    turn = np.array([[np.cos(0.2), -np.sin(0.2), 0], [np.sin(0.2), np.cos(0.2), 0], [0, 0, 0.995]])
    linear = [np.array([1.0, 0.0, 2.0])]
    square = [np.array([0.1, 0.2])]
    for _ in range(len(t) - 1):
        linear.append(turn @ linear[-1])
        x, y = square[-1]
        square.append(np.array([1 - 1.4 * x * x + y, 0.3 * x]))
    wave = np.sin(2 * np.pi * t / 25) + 0.3 * np.cos(4 * np.pi * t / 25)
    tasks = {
        "trend": 2.0 + 0.5 * t[:, None],
        "periodic": wave[:, None],
        "linear": np.array(linear),
        "quadratic": np.array(square),
    }
    for name, x in tasks.items():
        if name not in case.exact:
            continue
        n = 300
        horizon = 5 if name == "quadratic" else _HORIZON
        model = case.fresh().fit(x[:n])
        truth, forecast = x[n : n + horizon], model.predict(horizon)
        miss = float(np.abs(forecast - truth).max()) / float(np.ptp(x))
        if not miss < _EXACT:
            _aligned([forecast], [x[n - 1 : n + horizon + 1]], f"a {name} series")
            _demand(
                False, "exact", f"a {name} series should be continued exactly, and is missed by {miss:.2g} of its range"
            )
        # Two pieces of the series: what spans the gap between them must not be learned.
        if name in ("periodic", "linear"):
            both = case.fresh().fit([x[:120].copy(), x[137:300].copy()]).predict(horizon)
            miss = float(np.abs(both - truth).max()) / float(np.ptp(x))
            _demand(
                miss < _EXACT, "trajectories", f"a {name} series in two pieces is missed by {miss:.2g} of its range"
            )


def _foresees_the_next_sample(case: _Case) -> None:
    if not case.is_skilled:
        return
    for x in case.worlds():
        starts = range(_N - 30, _N, 6)
        model = case.fresh().fit(x[: _N - 40])
        forecasts = [model.predict(3, context=x[:start]) for start in starts]
        _aligned(forecasts, [x[start - 1 : start + 4] for start in starts], "a smooth series")
        errors = [np.abs(forecast[0] - x[start]) for forecast, start in zip(forecasts, starts, strict=True)]
        unchanged = [np.abs(x[start] - x[start - 1]) for start in starts]
        ratio = float(np.mean(errors) / np.mean(unchanged))
        _demand(ratio < 0.5, "skill", f"the next sample of a smooth series is missed by {ratio:.2g} of its change")


def _survives_pickling(case: _Case) -> None:
    kind = type(case.forecaster)
    if getattr(sys.modules.get(kind.__module__), kind.__qualname__.split(".")[0], None) is None:
        # A class that no module has cannot be found again, whatever it holds.
        return
    model = case.fresh().fit(case.series()[:_N])
    try:
        twin = pickle.loads(pickle.dumps(model))
    except Exception as error:
        raise ContractViolation("pickle", f"a fitted forecaster must be picklable: {error!r}") from error
    _demand(_same(model.predict(_HORIZON), twin.predict(_HORIZON)), "pickle", "its pickle forecasts something else")


def _draws_around_the_forecast(case: _Case) -> None:
    if not case.has_samples:
        return
    rule = "sample"
    x = case.series()
    noise = np.random.default_rng(3).standard_normal(x.shape)
    noisy = x + 0.05 * x.std(axis=0) * noise
    model = case.fresh().fit(noisy[:_N])
    n = 200
    draws, forecast = model.sample(3, n, seed=4), model.predict(3)
    _demand(draws.shape == (n, 3, x.shape[1]), rule, f"sample(3, {n}) has shape {draws.shape}")
    _demand(_same(draws, model.sample(3, n, seed=4)), rule, "the same seed draws something else")
    _demand(not _same(draws, model.sample(3, n, seed=5)), rule, "another seed draws the same")
    spread = draws[:, 0].std(axis=0)
    _demand((spread > 0).all(), rule, "the draws are all the same")
    away = np.abs(draws[:, 0].mean(axis=0) - forecast[0])
    _demand(
        (away < 5 * spread / np.sqrt(n)).all(), rule, "the mean of the first sample of the draws is not the forecast"
    )


_CHECKS: tuple[Callable[[_Case], None], ...] = (
    _is_an_interface,
    _keeps_its_parameters,
    _has_the_right_shape,
    _is_repeatable,
    _does_not_look_ahead,
    _remembers_nothing,
    _leaves_its_input_alone,
    _predict_changes_nothing,
    _horizons_agree,
    _is_exact_where_it_says,
    _continues_the_context,
    _refuses_what_is_not_finite,
    _says_when_it_is_too_short,
    _continues_a_constant,
    _counts_in_samples,
    _is_equivariant,
    _foresees_the_next_sample,
    _survives_pickling,
    _draws_around_the_forecast,
)

RULES = (
    "interface",
    "parameters",
    "shape",
    "look-ahead",
    "repeatable",
    "leakage",
    "refit",
    "input",
    "state",
    "horizon",
    "context",
    "last sample",
    "not finite",
    "short",
    "constant",
    "unit of time",
    "shift",
    "scale",
    "permutation",
    "exact",
    "off by one",
    "trajectories",
    "skill",
    "pickle",
    "sample",
)
"""Names of what can be broken."""


def check_forecaster(
    forecaster: Any,
    *,
    exact: Collection[str] | None = None,
    equivariant: Collection[str] | None = None,
    skilled: bool | None = None,
    univariate: bool | None = None,
) -> None:
    """
    Check that a forecaster keeps the contract.

    Parameters
    ----------
    forecaster : Forecaster, or any object with `fit(train, dt=…)` and `predict(horizon, context=…)`
        It is cloned (or copied, if it has no `clone`), never fitted itself.
    exact : names among "trend", "periodic", "linear", "quadratic"
        What it should continue exactly; by default what its attribute `exact` says, or nothing.
    equivariant : names among "shift", "scale", "permutation", "time"
        What may be done to the series with no other effect than on the forecast; by default its attribute, or nothing.
    skilled : bool
        Whether to demand that it foresees the next sample of a smooth series better than the last one does; by default
        its attribute, or true.
    univariate : bool
        Whether it takes a single coordinate; by default its attribute, or true.

    Raises
    ------
    ContractViolation
        An AssertionError; its attribute `rule` names what was broken (one of `RULES`).

    Examples
    --------
    >>> from bestiary.forecast import NVAR
    >>> check_forecaster(NVAR())
    """

    def said(value: Any, name: str, default: Any) -> Any:
        return getattr(forecaster, name, default) if value is None else value

    case = _Case(
        forecaster,
        frozenset(said(exact, "exact", ())),
        frozenset(said(equivariant, "equivariant", ())),
        bool(said(skilled, "skilled", True)),
        bool(said(univariate, "univariate", True)),
        bool(getattr(forecaster, "uncertainty", None)),
    )
    for check in _CHECKS:
        check(case)
