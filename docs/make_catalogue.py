"""
Write the page of the catalogue and its index: `python docs/make_catalogue.py [--again] [NAME ...]`.

`docs/catalogue.md` comes from the entries, all of it; a portrait, `docs/catalogue/NAME.png`, is drawn where it is
missing or the entry's digits have changed (with --again or a name: anyway). Needs the extra `plot`.
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

import bestiary as bst
from bestiary import definition, registry
from bestiary.workers import in_threads

Array = NDArray[np.float64]

PAGE = Path(__file__).with_name("catalogue.md")
PORTRAITS = Path(__file__).with_name("catalogue")
SIZE, MARGIN, COLOURS = 160, 8, 32
PAPER = (13, 15, 20)
HUES = colormaps["plasma"]
# A single vector of more variables than this is drawn as a space-time diagram.
RING = 12
EQUATIONS = 240
KINDS = {"flow": "Flows", "map": "Maps", "delay": "Delay equations", "stochastic": "Stochastic systems"}


def portrait(system: bst.System) -> Array:
    """An image (SIZE, SIZE, 3): brightness is the time spent in a pixel, colour the speed there."""
    if system.kind == "map":
        run = system.trajectory(100_000, transient=1000)
    elif system.dimension == 1 and system.kind == "stochastic":
        run = system.trajectory(SIZE * 20, dt=system.period / 20)
    elif is_ring(system):
        run = system.trajectory(SIZE, per_period=16, transient=50 * system.period)
        return spacetime(run.x)
    else:
        run = system.trajectory(100_000, per_period=400, transient=50 * system.period, rtol=1e-9)
    columns = drawn(system, run)
    return histogram(columns)


def is_ring(system: bst.System) -> bool:
    return len(system.shape) == 1 and system.dimension > RING


def drawn(system: bst.System, run: Any) -> Array:
    """
    Two columns: of a scalar the image or the delayed value against the present one, or the value against time;
    observables called x and y; or those two of the first six variables whose picture fills most pixels.
    """
    if system.dimension == 1:
        x = run.x[:, 0]
        if system.kind == "stochastic":
            return np.stack([run.t, x], axis=1)
        lag = 1
        if system.kind == "delay":
            lag = max(1, round(float(system.core.delays()[0]) / run.t[1]))
        return np.stack([x[:-lag], x[lag:]] if system.kind == "map" else [x[lag:], x[:-lag]], axis=1)
    names = system.observable_names
    if "x" in names and "y" in names:
        view = system.observe(run.x, run.t)
        return np.asarray(view[:, [names.index("x"), names.index("y")]])
    pairs = list(combinations(range(min(system.dimension, 6)), 2))
    filled = [np.count_nonzero(cells(run.x[:, list(pair)], 64)[1]) for pair in pairs]
    return np.asarray(run.x[:, list(pairs[int(np.argmax(filled))])])


def cells(points: Array, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pixel of each point, and the number of points in each pixel (size * size)."""
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.where(high > low, high - low, 1.0)
    place = np.minimum((scaled * size).astype(np.int64), size - 1)
    flat = (size - 1 - place[:, 1]) * size + place[:, 0]
    return flat, np.bincount(flat, minlength=size * size)


def histogram(points: Array) -> Array:
    inner = SIZE - 2 * MARGIN
    flat, count = cells(points, inner)
    span = np.ptp(points, axis=0)
    speed = np.linalg.norm(np.diff(points, axis=0) / np.where(span > 0, span, 1.0), axis=1)
    mean_speed = np.bincount(flat[1:], weights=speed, minlength=inner * inner) / np.maximum(count, 1)
    seen = count > 0
    rank = np.zeros(inner * inner)
    rank[seen] = np.argsort(np.argsort(mean_speed[seen])) / max(int(seen.sum()) - 1, 1)
    colour = HUES(0.2 + 0.8 * rank)[:, :3] * 255
    bright = np.log1p(count) / np.log1p(max(float(np.quantile(count[seen], 0.95)), 1.0))
    opacity = np.where(seen, 0.35 + 0.65 * np.clip(bright, 0.0, 1.0), 0.0)[:, None]
    image = np.full((SIZE, SIZE, 3), PAPER, dtype=np.float64)
    image[MARGIN:-MARGIN, MARGIN:-MARGIN] = (opacity * colour + (1 - opacity) * PAPER).reshape(inner, inner, 3)
    return image


def spacetime(x: Array) -> Array:
    """Sites across, time upwards."""
    scaled = (x - x.min()) / np.ptp(x)
    columns = np.minimum((np.arange(SIZE) * x.shape[1] / SIZE).astype(int), x.shape[1] - 1)
    return np.asarray(colormaps["magma"](scaled[::-1][:, columns])[:, :, :3] * 255)


def draw(name: str, again: bool) -> bool:
    """Draw a portrait unless it is there already."""
    path, system = PORTRAITS / f"{name}.png", bst.system(name)
    own = definition.fingerprint(system.entry)
    if not again and path.exists():
        with Image.open(path) as there:
            if there.info.get("definition") == own:
                return False
    image = Image.fromarray(portrait(system).astype(np.uint8))
    small = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    note = PngImagePlugin.PngInfo()
    note.add_text("definition", own)
    path.parent.mkdir(exist_ok=True)
    small.save(path, optimize=True, pnginfo=note)
    return True


def page() -> str:
    """The whole page."""
    frame = bst.systems()
    lines = [
        "# The catalogue",
        "",
        f"{len(frame)} systems, version {bst.catalogue_version}. Made by `python docs/make_catalogue.py`:",
        "do not edit it. A portrait shows a run on the attractor: brightness is the time spent in a place, colour the",
        "speed there; a scalar is drawn against its next or its delayed value, a ring with sites across, time up.",
        "",
        " · ".join(f"[{title}](#{title.lower().replace(' ', '-')})" for title in KINDS.values()),
    ]
    for kind, title in KINDS.items():
        rows = frame.filter(kind=kind).to_dicts()
        lines += ["", f"## {title}", "", "| | |", "|---|---|"]
        lines += [f"| ![{row['name']}](catalogue/{row['name']}.png) | {cell(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(row: dict[str, Any]) -> str:
    """All about a system in one cell of a table."""
    system = bst.system(row["name"])
    aliases = f", also {', '.join(row['aliases'])}" if row["aliases"] else ""
    size = "1 variable" if row["dimension"] == 1 else f"{row['dimension']} variables"
    text = "; ".join(system.to_text().splitlines())
    text = text if len(text) <= EQUATIONS else text[:EQUATIONS].rsplit(";", 1)[0] + "; …"
    parts = [
        f"**{row['name']}**{aliases}: {row['domain']}, {size}; {', '.join(row['tags'])}",
        row["about"],
        f"`{text}`",
        numbers(system, row),
        row["citation"] + (f" [doi:{row['doi']}](https://doi.org/{link(row['doi'])})" if row["doi"] else ""),
    ]
    parts += [system.note] if system.note else []
    for variant in row["variants"]:
        note = system.entry["variants"][variant].get("note", "")
        same = "as here, from the collection's own state" if variant.startswith("dysts") else ""
        parts.append(f"Variant *{variant}*: {note or same}".rstrip(": "))
    return "<br>".join(part.replace("|", "\\|") for part in parts)


def numbers(system: bst.System, row: dict[str, Any]) -> str:
    """Period and largest exponent, with what is known of their errors and of the collection's."""
    parts = []
    if system.kind != "map":
        measured = system.entry["measured"].get("period", {})
        shown = f"period {row['period']:.6g}"
        if "value" in measured:
            shown += f" (measured in {measured['variable']}: {measured['value']:g} ± {measured['error']:g}"
            shown += (
                f"; collection: {bst.system(system.name, variant='dysts').period:.6g})"
                if "dysts" in row["variants"]
                else ")"
            )
        elif measured:
            shown += " (no peak stands out of red noise)"
        parts.append(shown)
    for key in ("measured", "known"):
        fact = system.entry[key].get("largest_exponent", {})
        if row["largest_exponent"] is not None and fact:
            error = f" ± {fact['error']:g}" if "error" in fact else ""
            parts.append(f"largest exponent {row['largest_exponent']:.5g}{error}")
            break
    if row["verdict"]:
        parts.append(f"{row['verdict']} as measured")
    return ", ".join(parts)


def link(doi: str) -> str:
    return doi.replace("<", "%3C").replace(">", "%3E").replace("(", "%28").replace(")", "%29")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="portraits to draw anew")
    parser.add_argument("--again", action="store_true", help="draw all portraits anew")
    options = parser.parse_args()
    names = options.names or bst.systems()["name"].to_list()
    again = options.again or bool(options.names)
    made = sum(drew for _, drew in in_threads(lambda name: draw(name, again), names, label="portraits"))
    for path in PORTRAITS.glob("*.png"):
        if path.stem not in registry._paths(tuple(registry._folders)):
            path.unlink()
    registry.write_index()
    PAGE.write_text(page(), encoding="utf-8")
    total = sum(path.stat().st_size for path in PORTRAITS.glob("*.png"))
    print(f"{PAGE}: {len(bst.systems())} systems, {made} portraits drawn, {total / 1000:.0f} kB in all")


if __name__ == "__main__":
    sys.exit(main())
