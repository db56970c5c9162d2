"""
One cell: one forecaster on one trajectory of one system in one setting. A function of its arguments alone.

Whatever goes wrong in it is its result, with the message.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .. import metrics
from ..definition import Array
from ..exceptions import BestiaryError, RequestError
from ..forecast import Forecaster
from . import attractor
from .entrants import Entrant
from .task import Data, Setting, Task

__all__ = ["Cell", "prepare", "run_cell"]

# Forecasts are kept for pictures and for the parroting index up to this many samples, of the first column.
KEPT = 512
THRESHOLD = 0.4
"""A forecast is valid while its error is below this many standard deviations (Pathak et al. 2018 and after)."""


@dataclass(frozen=True)
class Cell:
    """What is to be done."""

    task: Task
    system: str
    setting: Setting
    entrant: Entrant
    member: int

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.system, self.setting.name, self.entrant.name, self.member


@lru_cache(maxsize=4)
def _data(task: Task, system: str, setting: Setting) -> Data | str:
    try:
        return task.data(system, setting)
    except BestiaryError as error:
        return str(error)


def prepare(cell: Cell) -> None:
    """Make the data of a cell, which are kept for the next cells of the same system."""
    _data(cell.task, cell.system, cell.setting)


def run_cell(cell: Cell) -> dict[str, Any]:
    """The result of a cell as plain numbers, None where there is none; `message` says why it failed."""
    result = empty(cell)
    data = _data(cell.task, cell.system, cell.setting)
    if isinstance(data, str):
        return result | {"outcome": "no data", "message": data}
    result |= {
        "dt": data.dt,
        "period": data.period,
        "exponent": number(data.exponent),
        "columns": len(data.columns),
        "data_sha256": data.sha256,
    }
    peak = _Peak()
    try:
        chosen, result["tune_seconds"] = _tuned(cell.task, cell.system, cell.setting, cell.entrant)
        result["chosen"] = ", ".join(f"{key}={value!r}" for key, value in chosen.items())
        train, truth = data.part(cell.member)
        model = cell.entrant.forecaster.clone().set_params(**chosen)
        _, result["fit_seconds"] = _timed(lambda: model.fit(train, dt=data.dt))
        forecast, result["predict_seconds"] = _timed(lambda: model.predict(cell.setting.horizon))
    except MemoryError as error:
        return result | {"outcome": "failed", "message": f"MemoryError: {error}"}
    except Exception as error:
        return result | {"outcome": "failed", "message": f"{type(error).__name__}: {error}"}
    finally:
        result["peak_bytes"] = peak.bytes()
    return result | _scored(cell, data, train, truth, forecast)


def empty(cell: Cell) -> dict[str, Any]:
    """The result before anything is known."""
    return {
        "system": cell.system,
        "setting": cell.setting.name,
        "forecaster": cell.entrant.name,
        "member": cell.member,
        "outcome": "ok",
        "message": None,
        "chosen": None,
        **dict.fromkeys(cell.task.metrics),
        **dict.fromkeys(attractor.columns(cell.task.invariants, cell.task.floors)),
        "valid_prediction_time": None,
        "samples": cell.task.scored(cell.setting),
        "dt": None,
        "period": None,
        "exponent": None,
        "columns": None,
        "tune_seconds": None,
        "fit_seconds": None,
        "predict_seconds": None,
        "peak_bytes": None,
        "data_sha256": None,
        "curve": None,
        "forecast": None,
    }


def _scored(cell: Cell, data: Data, train: Array, truth: Array, forecast: Array) -> dict[str, Any]:
    n = cell.task.scored(cell.setting)
    y, p = truth[:n], forecast[:n]
    values = metrics.all(y, p, train, metrics=cell.task.metrics)
    scale = train.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    finite = bool(np.isfinite(forecast).all())
    curve = metrics.error_curve(y, p, size="smape")
    valid = metrics.valid_prediction_time(y, p, dt=data.dt, threshold=THRESHOLD, scale=scale)
    return {
        "outcome": "ok" if finite else "escaped",
        "message": None if finite else "the forecast went to infinity",
        **{name: number(float(np.asarray(value))) for name, value in values.items()},
        **_of_attractors(cell, data, p),
        "valid_prediction_time": number(float(np.asarray(valid))),
        "curve": [number(value) for value in np.asarray(curve)[:KEPT].astype(np.float32)],
        "forecast": [number(value) for value in forecast[:KEPT, 0]],
    }


def _of_attractors(cell: Cell, data: Data, forecast: Array) -> dict[str, float | None]:
    """Invariants of the forecast and of the truth, and floors."""
    of_truth, floors = _of_truth(cell.task, cell.system, cell.setting, cell.member)
    found = dict(floors)
    own = attractor.invariants(forecast, data.dt, cell.task.invariants)
    for name in cell.task.invariants:
        found |= dict(zip((f"own_{name}", f"own_{name}_error"), own[name], strict=True))
        found |= dict(zip((f"own_{name}_truth", f"own_{name}_truth_error"), of_truth[name], strict=True))
    return {name: number(value) for name, value in found.items()}


@lru_cache(maxsize=4)
def _of_truth(
    task: Task, system: str, setting: Setting, member: int
) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Invariants of the truth, and floors, once for all forecasters that come after each other."""
    data = _data(task, system, setting)
    assert isinstance(data, Data)
    train, truth = data.part(member)
    truth = truth[: task.scored(setting)]
    return attractor.invariants(truth, data.dt, task.invariants), attractor.floors(truth, train, task.floors)


@lru_cache(maxsize=4)
def _tuned(task: Task, system: str, setting: Setting, entrant: Entrant) -> tuple[dict[str, Any], float]:
    """
    The candidate that forecasts the end of the tuning trajectory best, the first of those that are equal; and the
    seconds that the search took, once for all members that come after each other.
    """
    candidates = task.candidates(entrant.name, setting)
    if len(candidates) < 2:
        return (candidates[0] if candidates else {}), 0.0
    data = _data(task, system, setting)
    assert isinstance(data, Data)
    return _timed(lambda: _best(task, setting, entrant, candidates, data))


def _best(
    task: Task, setting: Setting, entrant: Entrant, candidates: list[dict[str, Any]], data: Data
) -> dict[str, Any]:
    train, truth = data.part(-1)
    metric = task.tuning_metric or "mse"
    errors, messages = [], []
    for candidate in candidates:
        try:
            model: Forecaster = entrant.forecaster.clone().set_params(**candidate).fit(train, dt=data.dt)
            error = float(np.asarray(getattr(metrics, metric)(truth, model.predict(setting.horizon))))
        except Exception as problem:
            error = math.inf
            messages.append(f"{type(problem).__name__}: {problem}")
        errors.append(error if math.isfinite(error) else math.inf)
    if len(messages) == len(candidates):
        raise RequestError(messages[0])
    return candidates[int(np.argmin(errors))]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    value = work()
    return value, time.perf_counter() - begun


def number(value: float) -> float | None:
    """As JSON and Polars hold it: None for what is not finite."""
    return float(value) if math.isfinite(value) else None


class _Peak:
    """The most memory that the process held since this was made; on other systems than Linux, since it began."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
            file.write("5")

    def bytes(self) -> int | None:
        with contextlib.suppress(OSError, StopIteration), open("/proc/self/status") as file:
            return 1024 * int(next(line for line in file if line.startswith("VmHWM")).split()[1])
        try:
            import resource
        except ImportError:
            return None
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)
