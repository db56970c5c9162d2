"""
Frozen tasks: what is learned from, what is forecast, what is tuned, how it is scored; each a small text with a hash.

A task holds no data. `Task.data` makes them again from the equations, the same to the bit.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import _core, registry
from ..definition import Array
from ..exceptions import RequestError, UnknownName
from ..system import System
from .attractor import INVARIANTS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Data", "Setting", "Task", "task", "tasks"]

FOLDER = Path(__file__).parent / "tasks"
ALIASES = {"dysts-2021": "dysts-2021-fine"}
_SWEPT = ("train", "noise", "per")
# Noise of the sample with index i of trajectory k is drawn from path k.
_NOISE_SEED = 1 << 32
# So many samples alike to the bit are no chance.
_OVERLAP = 20
# Steps for a sample, at most: a run that creeps, as along a surface on which the equations jump back and forth, is no
# data. A limit on work, so that it is the same everywhere.
_STEPS = 2000


@dataclass(frozen=True)
class Data:
    """
    A trajectory to tune on and those to be scored on.

    Attributes
    ----------
    tuning : array (train + horizon, d)
    test : array (members, train + horizon, d)
    train : how many samples are learned from
    dt : time between samples
    columns : names of the variables
    period, exponent : of the system; exponent as the catalogue has it, NaN where it has none that is positive
    sha256 : of the numbers of `tuning` and `test`
    """

    tuning: Array
    test: Array
    train: int
    dt: float
    columns: tuple[str, ...]
    period: float
    exponent: float
    sha256: str

    def part(self, member: int) -> tuple[Array, Array]:
        """What is learned from, and what is to be forecast; member -1 is the trajectory to tune on."""
        x = self.tuning if member < 0 else self.test[member]
        return x[: self.train], x[self.train :]


@dataclass(frozen=True)
class Setting:
    """One point of a sweep, or the only setting of a task without one."""

    train: int
    horizon: int
    per: float
    noise: float
    lag_scale: float
    name: str


@dataclass(frozen=True)
class Task:
    """
    A frozen task.

    Examples
    --------
    >>> fine = task("dysts-2021-fine")
    >>> fine.settings[0].train, fine.settings[0].horizon, len(fine.systems)
    (1000, 200, 131)
    >>> data = fine.data("Lorenz")
    >>> data.test.shape, data.columns
    ((1, 1200, 1), ('x',))
    """

    text: str

    @cached_property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = tomllib.loads(self.text)
        return found

    @property
    def name(self) -> str:
        return str(self.content["name"])

    @property
    def about(self) -> str:
        return str(self.content["about"])

    @property
    def hash(self) -> str:
        """The first 16 digits of the SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @property
    def systems(self) -> list[str]:
        return str(self.content["systems"]).split()

    @property
    def members(self) -> int:
        return int(self.content["data"]["members"])

    @property
    def metrics(self) -> list[str]:
        return list(self.content["score"]["metrics"])

    @property
    def metric(self) -> str:
        """The metric that leaderboards sort by, the smaller the better."""
        return str(self.content["score"]["metric"])

    @property
    def invariants(self) -> list[str]:
        """What is measured of the truth's and of the forecaster's own attractor."""
        return list(self.content["score"].get("invariants", []))

    @property
    def floors(self) -> list[str]:
        """The metrics of which the value for two stretches of the truth is given too."""
        return list(self.content["score"].get("floors", []))

    def scored(self, setting: Setting) -> int:
        """How many samples of the forecast are scored."""
        return int(self.content["score"]["samples"]) or setting.horizon

    @property
    def tuning_metric(self) -> str | None:
        metric = self.content.get("tuning", {}).get("metric")
        return None if metric is None else str(metric)

    def candidates(self, forecaster: str, setting: Setting) -> list[dict[str, Any]]:
        """The arguments to choose among; none where the forecaster is taken as it is."""
        grid = self.content.get("tuning", {}).get("grids", {}).get(forecaster, {})
        found: list[dict[str, Any]] = [{}] if grid else []
        for name, values in grid.items():
            if name == "lags":
                values = list(dict.fromkeys(max(1, round(value * setting.lag_scale)) for value in values))
            found = [{**before, name: value} for before in found for value in values]
        return found

    @cached_property
    def settings(self) -> list[Setting]:
        data, sweep = self.content["data"], self.content.get("sweep", {})
        if len(sweep) > 1 or any(key not in _SWEPT for key in sweep):
            raise RequestError(f"task {self.name}: sweep takes one of {', '.join(_SWEPT)}, not {', '.join(sweep)}")
        plain = Setting(data["train"], data["horizon"], data["per"], data["noise"], 1.0, "")
        for key, values in sweep.items():
            return [self._swept(plain, key, value) for value in values]
        return [plain]

    @staticmethod
    def _swept(plain: Setting, key: str, value: float) -> Setting:
        name = f"{key}={value:g}"
        if key == "train":
            return Setting(int(value), plain.horizon, plain.per, plain.noise, 1.0, name)
        if key == "noise":
            return Setting(plain.train, plain.horizon, plain.per, float(value), 1.0, name)
        ratio = value / plain.per
        train, horizon = round(plain.train * ratio), round(plain.horizon * ratio)
        return Setting(train, horizon, float(value), plain.noise, ratio, name)

    def density(self, setting: Setting) -> dict[str, Any]:
        """The argument of `System.trajectory` that says how densely to sample."""
        unit = {"period": "per_period", "lyapunov": "per_lyapunov"}[self.content["data"]["sampling"]]
        return {unit: setting.per}

    def form(self, system: str) -> System:
        """The system as it is forecast: the variant of the task, where the entry has it."""
        entry, variant = registry.system(system), self.content["data"]["variant"]
        return registry.system(system, variant=variant) if variant in entry.entry.get("variants", {}) else entry

    def measured_form(self, system: str) -> System:
        """The same equations and parameters, with what is measured of them."""
        entry, variant = registry.system(system), self.content["data"]["variant"]
        return registry.measured_form(system, variant) if variant in entry.entry.get("variants", {}) else entry

    def data(self, system: str, setting: Setting | None = None) -> Data:
        """
        The series of a system, made from its equations: a function of the task and the version of the catalogue.

        Raises
        ------
        RequestError
            If a trajectory stops, or the task counts in Lyapunov times and the system has none.
        """
        setting = setting or self.settings[0]
        data = self.content["data"]
        chosen = self.form(system)
        # A shorter training series ends at the same moment, so all lengths forecast the same truth.
        most = max(s.train for s in self.settings if s.per == setting.per)
        n = most + setting.horizon
        density = self.density(setting)
        runs = chosen.ensemble(1 + self.members, n, seed=data["seed"], threads=1, max_steps=_STEPS * n, **density)
        stopped = [outcome for outcome in runs.outcomes if outcome != "ok"]
        if stopped:
            raise RequestError(f"a trajectory of {system} ended early: {stopped[0]}")
        shown = [runs[i].observed() for i in range(1 + self.members)]
        count = 1 if data["columns"] == "first" else None
        x = np.array([one.x[most - setting.train :, :count] for one in shown])
        if setting.noise:
            for k in range(len(x)):
                normals = _core.normals(int(data["seed"]) + _NOISE_SEED, k, x[k].size).reshape(x[k].shape)
                x[k] += setting.noise * x[k].std(axis=0) * normals
        _refuse_overlap(system, x)
        x.flags.writeable = False
        dt = float(runs.t[1] - runs.t[0])
        names = tuple(shown[0].names[:count])
        known = self.measured_form(system)
        # An estimate may take minutes: only a task that counts in Lyapunov times waits for it.
        exponent = float(chosen.largest_exponent) if data["sampling"] == "lyapunov" else _known_exponent(known)
        digest = hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()
        return Data(x[0], x[1:], setting.train, dt, names, float(chosen.period), exponent, digest)

    def __repr__(self) -> str:
        return f"Task {self.name} ({self.hash}): {self.about}"


def tasks() -> list[str]:
    """Names of the tasks that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def task(name: str | Path | Task) -> Task:
    """
    A task by its name, or from a TOML file of one's own.

    Examples
    --------
    >>> task("dysts-2021") == task("dysts-2021-fine")
    True
    """
    if isinstance(name, Task):
        return name
    path = Path(name)
    if path.suffix != ".toml":
        known = [*tasks(), *ALIASES]
        if str(name) not in known:
            raise UnknownName("task", str(name), known)
        path = FOLDER / f"{ALIASES.get(str(name), name)}.toml"
    return _checked(Task(path.read_text(encoding="utf-8")), path)


def _checked(found: Task, path: Path) -> Task:
    try:
        missing = [
            f"[{section}] {key}"
            for section, keys in (
                ("data", ("variant", "sampling", "per", "train", "horizon", "members", "columns", "noise", "seed")),
                ("score", ("samples", "metric", "metrics")),
            )
            for key in keys
            if key not in found.content.get(section, {})
        ]
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{path} is no TOML: {error}") from None
    missing += [key for key in ("name", "about", "systems") if key not in found.content]
    if missing:
        raise RequestError(f"{path} says nothing of {', '.join(missing)}")
    if found.metric not in found.metrics:
        raise RequestError(f"{path}: the metric {found.metric} is not among the metrics that are computed")
    for name in found.invariants:
        if name not in INVARIANTS:
            raise UnknownName("invariant", name, INVARIANTS)
    for name in found.floors:
        if name not in found.metrics:
            raise UnknownName("metric with a floor", name, found.metrics)
    for section, key, known in (("data", "sampling", ("period", "lyapunov")), ("data", "columns", ("first", "all"))):
        value = found.content[section][key]
        if value not in known:
            raise UnknownName(key, str(value), known)
    return found


def _refuse_overlap(system: str, x: Array) -> None:
    """A truth that stands, to the bit, in what a forecaster learned or tuned on would be no test."""
    for i, j in ((i, j) for i in range(len(x)) for j in range(len(x)) if i != j):
        start = x[j, :_OVERLAP]
        if np.ptp(start[:, 0]) > 0 and start.tobytes() in x[i].tobytes():
            raise RequestError(f"{system}: trajectory {j} begins within trajectory {i}, so a forecast could be copied")


def _known_exponent(system: Any) -> float:
    """The largest exponent as measured or published, NaN where there is none, or it is not positive."""
    if not any("largest_exponent" in system.entry.get(source, {}) for source in ("measured", "known")):
        return float("nan")
    value = float(system.largest_exponent)
    return value if value > 0 else float("nan")
