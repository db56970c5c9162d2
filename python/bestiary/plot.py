"""
Pictures: phase portraits, time series, space-time diagrams; and a picture in braille for the terminal.

Needs the extra `plot` (matplotlib), but for `ascii`. Nothing is computed here beyond what is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .exceptions import MissingExtra, RequestError, UnknownName

if TYPE_CHECKING:
    from .definition import Array
    from .trajectories import Ensemble, Trajectory

KINDS = ("phase", "series", "spacetime")
# Above this dimension a single vector of states (a ring, a lattice) is drawn as a space-time diagram.
_RING = 12
_PANELS = 6
_LIGHT: dict[str, Any] = {
    "paper": "#ffffff",
    "ink": "#22262b",
    "faint": "#d9dde2",
    "colours": "viridis",
    "range": (0.0, 0.9),
}
_DARK: dict[str, Any] = {
    "paper": "#0e1116",
    "ink": "#e6e9ee",
    "faint": "#2b313a",
    "colours": "plasma",
    "range": (0.25, 1.0),
}
# Braille patterns, U+2800: bit of the dot in row r and column c of a cell of 4 x 2.
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


def trajectory(
    run: Trajectory,
    *,
    kind: str | None = None,
    variables: tuple[str, ...] | list[str] | None = None,
    colour: str = "speed",
    dark: bool = False,
    ax: Any = None,
) -> Any:
    """
    Draw a trajectory.

    Parameters
    ----------
    run : Trajectory
    kind : "phase", "series" or "spacetime"
        By default a phase portrait for two or three variables, and for maps; panels of time series for one and for
        more than three; a space-time diagram for a ring of many sites.
    variables : names
        Those to draw, for a phase portrait two or three.
    colour : "speed", "time" or a colour
        What the colour of a phase portrait tells.
    dark : bool
        For a dark slide.
    ax : matplotlib Axes
        To draw on in place of a new figure (three-dimensional for three variables); not for more than one panel.

    Returns
    -------
    matplotlib Axes, or the Figure where there are several panels
    """
    names = list(run.names if variables is None else variables)
    for name in names:
        if name not in run.names:
            raise UnknownName("variable", name, run.names, where=f" of {run.system.name}")
    is_map = run.system.kind == "map"
    if kind is None:
        kind = _kind(run, names)
    if kind not in KINDS:
        raise UnknownName("kind of picture", kind, KINDS)
    theme = _DARK if dark else _LIGHT
    if kind == "series":
        return _series(run, names[:_PANELS], theme, ax)
    if kind == "spacetime":
        return _spacetime(run, theme, ax)
    names = names[:3]
    if len(names) < 2:
        if not is_map:
            raise RequestError(f"a phase portrait needs two or three variables, not {len(names)}")
        x = run[names[0]]
        return _cloud([x[:-1], x[1:]], [f"{names[0]}ₙ", f"{names[0]}ₙ₊₁"], run.system.name, theme, ax)
    columns = [run[name] for name in names]
    if is_map:
        return _cloud(columns[:2], names[:2], run.system.name, theme, ax)
    return _portrait(run, columns, names, colour, theme, ax)


def ensemble(runs: Ensemble, *, variables: tuple[str, ...] | list[str] | None = None, dark: bool = False) -> Any:
    """Draw up to 200 members of an ensemble in one phase portrait, or in time series of up to three variables."""
    plt = _pyplot()
    theme = _DARK if dark else _LIGHT
    names = list(runs.names if variables is None else variables)[:3]
    members = [runs[i : i + 1].x[0] for i in range(min(len(runs), 200))]
    colours = plt.get_cmap(theme["colours"])(np.linspace(theme["range"][0], theme["range"][1], len(members)))
    where = [runs.names.index(name) for name in names]
    is_map = runs.system.kind == "map"
    if len(names) == 1 or len(runs.names) > 3:
        figure, panels = _stack(len(names), theme)
        for panel, name, column in zip(panels, names, where, strict=True):
            for x, each in zip(members, colours, strict=True):
                panel.plot(runs.t, x[:, column], color=each, lw=0.7)
            panel.set_ylabel(name)
        panels[-1].set_xlabel(_clock(is_map))
        panels[0].set_title(runs.system.name)
        return figure
    ax = _axes(len(names), theme)
    for x, each in zip(members, colours, strict=True):
        line = ax.plot(*(x[:, column] for column in where), color=each)[0]
        line.set(**({"ls": "", "marker": ".", "ms": 1.5} if is_map else {"lw": 0.6}))
    _finish(ax, names, runs.system.name, theme)
    return ax


def ascii(x: ArrayLike, y: ArrayLike, width: int = 72, height: int = 24) -> str:
    """
    Points as a picture of `height` lines of `width` braille characters, each of 2 x 4 dots.

    Points that are not finite are left out; the picture fills the range of the others.
    """
    points = np.stack([np.ravel(np.asarray(x, dtype=np.float64)), np.ravel(np.asarray(y, dtype=np.float64))])
    if width < 1 or height < 1:
        raise RequestError(f"a picture of {width} by {height} characters has no room")
    points = points[:, np.isfinite(points).all(axis=0)]
    cells = np.zeros((height, width), dtype=np.int64)
    if points.size:
        low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
        span = np.where(high > low, high - low, 1.0)
        size = np.array([[2 * width - 1], [4 * height - 1]])
        column, row = np.rint((points - low) / span * size).astype(np.int64)
        row = 4 * height - 1 - row
        np.bitwise_or.at(cells, (row // 4, column // 2), _DOTS[row % 4, column % 2])
    return "\n".join("".join(chr(0x2800 + cell) for cell in line) for line in cells.tolist())


def _kind(run: Trajectory, names: list[str]) -> str:
    if run.system.kind == "map":
        return "phase" if len(names) <= 3 else "spacetime" if len(names) > _RING else "series"
    if len(names) in (2, 3):
        return "phase"
    sizes = [size or 1 for size in run.system.shape.values()]
    return "spacetime" if len(names) == len(run.names) > _RING and len(sizes) == 1 else "series"


def _portrait(run: Trajectory, columns: list[Array], names: list[str], colour: str, theme: Any, ax: Any) -> Any:
    """A thin line through state space, coloured by speed or time."""
    plt = _pyplot()
    points = np.stack(columns, axis=1)
    segments = np.stack([points[:-1], points[1:]], axis=1)
    # An angle that is wrapped jumps by a period: no line across the picture.
    periods = np.nan_to_num(run.system.core.periods(run.system.core.parameter_values), nan=np.inf)
    if run.names == run.system.names:
        wrap = np.array([periods[run.names.index(name)] for name in names])
        segments = segments[(np.abs(np.diff(points, axis=0)) < wrap / 2).all(axis=1)]
    segments = segments[np.isfinite(segments).all(axis=(1, 2))]
    ax = _axes(len(names), theme) if ax is None else ax
    if len(names) == 3:
        from mpl_toolkits.mplot3d.art3d import Line3DCollection as Lines
    else:
        from matplotlib.collections import LineCollection as Lines
    width = float(np.clip(60 / np.sqrt(max(len(segments), 1)), 0.35, 1.2))
    lines = Lines(segments, linewidths=width, capstyle="round", joinstyle="round", antialiased=True)
    if colour in ("speed", "time"):
        values = np.arange(len(segments), dtype=np.float64)
        if colour == "speed":
            scale = np.ptp(points[np.isfinite(points).all(axis=1)], axis=0)
            speed = np.linalg.norm(np.diff(segments, axis=1)[:, 0] / np.where(scale > 0, scale, 1.0), axis=1)
            # Ranks, so that the whole range of colours is used however uneven the speeds are.
            values[np.argsort(speed, kind="stable")] = np.arange(len(segments))
        lines.set_color(plt.get_cmap(theme["colours"])(_between(values, *theme["range"])))
    else:
        lines.set_color(colour)
    ax.add_collection(lines)
    _limits(ax, points, margin=0.02 if len(names) == 3 else 0.04)
    _finish(ax, names, run.system.name, theme)
    return ax


def _cloud(columns: list[Array], names: list[str], title: str, theme: Any, ax: Any) -> Any:
    """A scatter of points, as small and as faint as there are many, so that density shows."""
    plt = _pyplot()
    ax = _axes(2, theme) if ax is None else ax
    n = len(columns[0])
    size, opacity = float(np.clip(3e4 / max(n, 1), 0.3, 12.0)), float(np.clip(2e4 / max(n, 1), 0.25, 0.9))
    hue = plt.get_cmap(theme["colours"])(0.6 if theme is _DARK else 0.25)
    ax.scatter(*columns, s=size, color=hue, alpha=opacity, marker="o", linewidths=0, rasterized=n > 20_000)
    _limits(ax, np.stack(columns, axis=1), margin=0.04)
    _finish(ax, names, title, theme)
    return ax


def _series(run: Trajectory, names: list[str], theme: Any, ax: Any) -> Any:
    """A panel of time series for each variable."""
    plt = _pyplot()
    if ax is not None and len(names) > 1:
        raise RequestError(f"ax= holds one panel, and {len(names)} variables are drawn: choose one with variables=")
    figure, panels = (ax.figure, [ax]) if ax is not None else _stack(len(names), theme)
    colours = plt.get_cmap(theme["colours"])(np.linspace(theme["range"][0], theme["range"][1], len(names) + 2))[1:-1]
    is_map = run.system.kind == "map"
    style: dict[str, Any] = {"ls": "", "marker": ".", "ms": 2} if is_map else {"lw": 0.9}
    for panel, name, each in zip(panels, names, colours, strict=True):
        panel.plot(run.t, run[name], color=each, **style)
        panel.set_ylabel(_symbol(name), rotation=0, ha="right", va="center")
        panel.margins(x=0)
        _style(panel, theme)
    panels[-1].set_xlabel(_clock(is_map))
    shown = "" if len(names) == len(run.names) else f" ({len(names)} of {len(run.names)} variables)"
    panels[0].set_title(run.system.name + shown, color=theme["ink"])
    return ax if ax is not None else figure


def _spacetime(run: Trajectory, theme: Any, ax: Any) -> Any:
    """Sites across, time upwards, the state as colour."""
    plt = _pyplot()
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 7), layout="constrained", facecolor=theme["paper"])
    d = run.x.shape[1]
    finite = run.x[np.isfinite(run.x)]
    low, high = np.quantile(finite, [0.005, 0.995]) if len(finite) else (0.0, 1.0)
    extent = (0.5, d + 0.5, run.t[0], run.t[-1])
    colours = "magma" if low * high > 0 else "RdBu_r"
    if low * high < 0:
        low, high = -max(-low, high), max(-low, high)
    picture = ax.imshow(
        run.x, origin="lower", aspect="auto", extent=extent, cmap=colours, vmin=low, vmax=high, interpolation="nearest"
    )
    bar = ax.figure.colorbar(picture, ax=ax, pad=0.02, aspect=35)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=theme["ink"], length=0, labelsize=9)
    bar.set_label(_symbol(next(iter(run.system.shape))), color=theme["ink"])
    _style(ax, theme)
    ax.set(xlabel="site", ylabel=_clock(run.system.kind == "map"))
    ax.set_title(run.system.name, color=theme["ink"])
    return ax


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise MissingExtra("matplotlib", "plot") from None
    return plt


def _axes(dimension: int, theme: Any) -> Any:
    """Fresh axes of two or three dimensions."""
    plt = _pyplot()
    figure = plt.figure(figsize=(7, 6.2) if dimension == 3 else (7, 6), facecolor=theme["paper"])
    if dimension == 3:
        ax = figure.add_axes((0.0, 0.0, 1.0, 0.95), projection="3d", computed_zorder=False)
        ax.view_init(elev=22, azim=-56)
        ax.set_box_aspect((1, 1, 0.85), zoom=1.05)
        return ax
    figure.set_layout_engine("constrained")
    return figure.add_subplot()


def _stack(n: int, theme: Any) -> tuple[Any, Any]:
    """A figure of n panels above each other that share the time axis."""
    plt = _pyplot()
    figure, panels = plt.subplots(
        n, 1, sharex=True, squeeze=False, figsize=(9, 1.2 + 1.25 * n), layout="constrained", facecolor=theme["paper"]
    )
    for panel in panels[:, 0]:
        _style(panel, theme)
    return figure, panels[:, 0]


def _finish(ax: Any, names: list[str], title: str, theme: Any) -> None:
    """Labels, title and quiet axes."""
    ax.set_title(title, color=theme["ink"], fontsize=15, pad=4)
    for axis, name in zip("xyz", names, strict=False):
        getattr(ax, f"set_{axis}label")(_symbol(name), color=theme["ink"], fontsize=12)
    if len(names) == 3 and hasattr(ax, "zaxis"):
        ax.set_facecolor(theme["paper"])
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            axis.set_pane_color((0, 0, 0, 0))
            axis.line.set_color(theme["faint"])
            axis._axinfo["grid"].update(color=theme["faint"], linewidth=0.5)
            axis.set_major_locator(_ticks())
        ax.tick_params(colors=theme["ink"], labelsize=8, pad=1)
    else:
        _style(ax, theme)


def _style(ax: Any, theme: Any) -> None:
    """Flat axes with two thin spines."""
    ax.set_facecolor(theme["paper"])
    ax.tick_params(colors=theme["ink"], labelsize=9, length=3)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=theme["faint"], linewidth=0.8)
    for label in (ax.xaxis.label, ax.yaxis.label, ax.title):
        label.set_color(theme["ink"])


def _ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)


def _limits(ax: Any, points: Array, margin: float) -> None:
    """Axes that hold every finite point."""
    for axis, column in zip("xyz", points.T, strict=False):
        finite = column[np.isfinite(column)]
        if len(finite):
            low, high = finite.min(), finite.max()
            pad = margin * (high - low) or 0.5
            getattr(ax, f"set_{axis}lim")(low - pad, high + pad)


def _between(values: Array, low: float, high: float) -> Array:
    """The values, from 0 to their largest, spread over [low, high]."""
    return low + (high - low) * values / max(float(values.max(initial=0.0)), 1.0)


def _clock(is_map: bool) -> str:
    return "iteration" if is_map else "time"


_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"),
    *("xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
)


def _symbol(name: str) -> str:
    """The name as a formula has it: theta1 becomes θ with a subscript."""
    stem = name.rstrip("0123456789").rstrip("_")
    index = name[len(stem) :].lstrip("_")
    if stem.lower() in _GREEK:
        shown = f"\\{stem}"
    elif len(stem) == 1:
        shown = stem
    else:
        return name
    return f"${shown}_{{{index}}}$" if index else f"${shown}$"
