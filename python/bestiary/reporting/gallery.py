"""Forecasts against the truth, made again from the equations, with Lyapunov time and precision horizon."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .. import registry
from ..benchmark import Task
from ..exceptions import BestiaryError
from .page import figure, section
from .svg import COLOURS, Axes

if TYPE_CHECKING:
    import polars as pl

__all__ = ["gallery"]

PAST = 0.5
"""How much of the past is shown, in lengths of the forecast."""


def gallery(task: Task, frame: pl.DataFrame, systems: list[str], forecasters: list[str]) -> str:
    """Small multiples: one system a picture, the first variable."""
    import polars as pl

    pictures = []
    setting = task.settings[0]
    for name in systems:
        rows = frame.filter((pl.col("system") == name) & (pl.col("setting") == setting.name) & (pl.col("member") == 0))
        data = task.data(name, setting)
        train, truth = (part[:, 0] for part in data.part(0))
        n = min(len(truth), 512)
        before = min(int(PAST * n), len(train))
        time = np.arange(1 - before, n + 1) * data.dt
        y = np.concatenate([train[len(train) - before :], truth[:n]])
        room = 0.15 * np.ptp(y) or 1.0
        axes = Axes((float(time[0]), float(time[-1])), (float(y.min() - room), float(y.max() + room)),
                    "time from the end of the past (time unit of the system)", f"{data.columns[0]} (its own unit)",
                    height=230)  # fmt: skip
        trusted = _trusted(task, name) - len(train) * data.dt
        if trusted < time[-1]:
            axes.region(max(trusted, 0.0), float(time[-1]), "the truth itself is no longer exact")
        axes.mark(0.0, "end of the past")
        notes = []
        if math.isfinite(data.exponent):
            if 1 / data.exponent < time[-1]:
                axes.mark(1 / data.exponent, "one Lyapunov time")
                notes.append(f"second dashed line: one Lyapunov time, {1 / data.exponent:.3g}")
            else:
                notes.append(f"Lyapunov time {1 / data.exponent:.3g}, beyond the picture")
        axes.line(time.tolist(), y.tolist(), "currentColor", width=2.0)
        for i, who in enumerate(forecasters):
            row = rows.filter(pl.col("forecaster") == who)
            if row.height and row["forecast"][0] is not None:
                values = [math.nan if v is None else v for v in row["forecast"][0].to_list()[:n]]
                axes.line(time[before:].tolist(), values, COLOURS[i % len(COLOURS)], width=1.3)
        axes.legend(
            [("truth", "currentColor")] + [(who, COLOURS[i % len(COLOURS)]) for i, who in enumerate(forecasters)]
        )
        pictures.append(figure(axes.text(f"forecasts of {name}"), f"{name}. " + "; ".join(notes)))
    text = (
        "The dashed line at 0 is where the past ends. Where the ground is shaded the truth itself can no longer be "
        "trusted: two integrations of different precision, begun together at the first sample that is learned from, have "
        "parted by 1 % of a standard deviation. Where nothing is shaded that moment is beyond the picture."
    )
    return section("Forecasts", text, f'<div class="grid">{"".join(pictures)}</div>')


def _trusted(task: Task, name: str) -> float:
    """The precision horizon of the test trajectory, from its first sample; infinite where it cannot be known."""
    data = task.content["data"]
    system = registry.system(name)
    if data["variant"] in system.entry.get("variants", {}):
        system = registry.system(name, variant=data["variant"])
    setting = task.settings[0]
    start = system.ensemble(2, 1, seed=data["seed"], **task.density(setting)).x[1, 0]
    try:
        run = system.trajectory(setting.train + setting.horizon, initial=start, **task.density(setting))
        return float(run.precision_horizon())
    except BestiaryError:
        return math.inf
