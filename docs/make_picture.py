"""
Draw the contact sheet of the README: `python docs/make_picture.py [file.png]`.

Each panel is a histogram of one long run: brightness is the time spent in a pixel, colour the speed there (flows) or
the length of the jump that leads there (maps). Needs the extra `plot`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

import bestiary as bst

Array = NDArray[np.float64]

COLUMNS, SIZE = 6, 240
PAPER = "#0b0d12"
HUES = colormaps["plasma"]
# System, what is drawn across, what is drawn upwards: expressions in the language of the equations.
PANELS = (
    ("Lorenz", "x", "z"),
    ("Rossler", "x - 0.3*y", "y + 0.6*z"),
    ("Thomas", "x - y", "z - 0.5*(x + y)"),
    ("Halvorsen", "x - y", "z - 0.5*(x + y)"),
    ("Aizawa", "x", "z"),
    ("BurkeShaw", "x", "z"),
    ("Chua", "x", "z"),
    ("RabinovichFabrikant", "x", "z"),
    ("HindmarshRose", "x", "z"),
    ("NoseHoover", "x", "y"),
    ("Chen", "x", "z"),
    ("SprottB", "x", "y"),
    ("SwingingAtwood", "r*sin(th)", "-r*cos(th)"),
    ("Ueda", "x", "y"),
    ("MultiChua", "x", "y"),
    ("YuWang", "x", "z"),
    ("Hopfield", "x[1]", "x[2]"),
    ("VallisElNino", "x", "z"),
    ("DeJong", "x", "y"),
    ("Pickover", "x", "y"),
    ("Ikeda", "x", "y"),
    ("Tinkerbell", "x", "y"),
    ("Henon", "x", "y"),
    ("KaplanYorke", "x", "y"),
)


def points(name: str, across: str, up: str) -> Array:
    """Shape (n, 2): a run on the attractor, projected."""
    system = bst.system(name)
    if system.kind == "map":
        run = system.trajectory(400_000, transient=100)
    else:
        run = system.trajectory(600_000, per_period=2000, transient=50 * system.period, rtol=1e-9)
    if run.outcome != "ok":
        raise SystemExit(f"{name}: {run.outcome} at t = {run.stop_time:g}")
    return np.stack([system.evaluate(across, run.x, run.t), system.evaluate(up, run.x, run.t)], axis=1)


def panel(run: Array) -> Array:
    """An image of shape (SIZE, SIZE, 4): colour from speed, opacity from density."""
    low, high = run.min(axis=0), run.max(axis=0)
    scaled = (run - low) / (high - low) * 0.86 + 0.07
    speed = np.linalg.norm(np.diff(scaled, axis=0), axis=1)
    cells = np.minimum((scaled[1:] * SIZE).astype(np.int64), SIZE - 1)
    flat = (SIZE - 1 - cells[:, 1]) * SIZE + cells[:, 0]
    count = np.bincount(flat, minlength=SIZE * SIZE).astype(np.float64)
    mean_speed = np.bincount(flat, weights=speed, minlength=SIZE * SIZE) / np.maximum(count, 1.0)
    seen = count > 0
    # Ranks of the speed, so that every panel uses all colours.
    rank = np.zeros(SIZE * SIZE)
    rank[seen] = np.argsort(np.argsort(mean_speed[seen])) / max(int(seen.sum()) - 1, 1)
    image = HUES(0.15 + 0.85 * rank)
    bright = np.log1p(count) / np.log1p(np.quantile(count[seen], 0.98))
    image[:, 3] = np.where(seen, 0.3 + 0.7 * np.clip(bright, 0.0, 1.0), 0.0)
    return np.asarray(image.reshape(SIZE, SIZE, 4))


def main(target: Path) -> None:
    rows = -(-len(PANELS) // COLUMNS)
    figure = Figure(figsize=(COLUMNS * SIZE / 100, rows * SIZE * 1.1 / 100), dpi=100, facecolor=PAPER)
    for i, (name, across, up) in enumerate(PANELS):
        row, column = divmod(i, COLUMNS)
        ax = figure.add_axes((column / COLUMNS, 1 - (row + 1) / rows + 0.09 / rows, 1 / COLUMNS, 1 / 1.1 / rows))
        ax.imshow(panel(points(name, across, up)), interpolation="nearest")
        ax.set_axis_off()
        x = (column + 0.5) / COLUMNS
        figure.text(x, 1 - (row + 1) / rows + 0.03 / rows, name, color="#f5d58c", ha="center", fontsize=11)
    figure.savefig(target, facecolor=PAPER)
    # 128 colours are enough, and a third of the bytes.
    with Image.open(target) as full:
        small = full.convert("RGB").quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(target, optimize=True)
    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("portraits.png"))
