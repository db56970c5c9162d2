"""One self-contained HTML file from the results of a benchmark."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import analysis
from ..benchmark import Task, provenance, read
from ..benchmark.run import RESULTS
from ..dataset import files
from ..exceptions import DatasetError
from . import page
from .facts import facts, with_exponents
from .gallery import gallery

if TYPE_CHECKING:
    import polars as pl

__all__ = ["report"]

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 0 1rem 3rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .3rem; }
figure { margin: 1rem 0; max-width: 46rem; } figcaption { font-size: .85rem; opacity: .8; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; overflow: visible; }
svg text { fill: currentColor; } svg .small { font-size: 11px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: .5rem 1.5rem; }
svg .grid { stroke: currentColor; stroke-opacity: .12; } svg .axis { stroke: currentColor; fill: none; }
svg .mark { stroke: currentColor; stroke-dasharray: 4 3; stroke-opacity: .7; }
svg .shade { fill: currentColor; fill-opacity: .1; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: left; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
.sortable th { cursor: pointer; } .wins td { text-align: right; padding: .1rem .35rem; } .wins th { padding: .1rem .35rem; }
.turned { vertical-align: bottom; } .turned span { writing-mode: vertical-rl; transform: rotate(180deg); }
pre { white-space: pre-wrap; font-size: .8rem; }
@media screen and (max-width: 40rem) { figure { overflow-x: auto; } figure > svg { min-width: 30rem; } figure.large > svg { min-width: 47rem; } }
@media print { .filter { display: none; } body { max-width: none; font-size: 11px; } section, figure { break-inside: avoid; } .wide { overflow: visible; } }
"""

SCRIPT = """
document.querySelectorAll('table.sortable').forEach(table => table.querySelectorAll('th').forEach((head, column) => {
  let up = false;
  head.addEventListener('click', () => {
    up = !up;
    const value = row => { const text = row.cells[column].textContent; const n = parseFloat(text); return isNaN(n) ? text : n; };
    const rows = [...table.tBodies[0].rows].sort((a, b) => (value(a) > value(b) ? 1 : value(a) < value(b) ? -1 : 0) * (up ? 1 : -1));
    rows.forEach(row => table.tBodies[0].appendChild(row));
  });
}));
const box = document.getElementById('filter');
box.parentElement.hidden = false;
box.addEventListener('input', () => {
  const words = box.value.toLowerCase().split(/[ ,]+/).filter(Boolean);
  const fits = text => !words.length || words.some(word => text.toLowerCase().includes(word));
  document.querySelectorAll('table.sortable tbody tr').forEach(row => row.hidden = !fits(row.cells[0].textContent));
  document.querySelectorAll('svg g > title').forEach(title => title.parentElement.style.opacity = fits(title.textContent.split(/[:,]/)[0]) ? 1 : 0.08);
  document.querySelectorAll('.grid figure').forEach(figure => figure.hidden = !fits(figure.querySelector('figcaption').textContent.split('.')[0]));
});
"""


FILTER = (
    '<p class="filter" hidden><label for="filter">Show only </label><input id="filter" type="search" '
    'placeholder="Lorenz, KernelRidge" size="28"> <small>forecasters or systems whose name has one of these words: rows, '
    "dots and pictures of others are hidden or faint.</small></p>"
)
"""Hidden until the script runs: the page is whole without it."""


def report(
    results: str | Path,
    out: str | Path = "report.html",
    *,
    metric: str | None = None,
    catalogue: bool = True,
    pictures: int = 8,
) -> Path:
    """
    Make a page of the results of a benchmark: one HTML file with everything in it.

    Parameters
    ----------
    results : folder that `bestiary.benchmark` has written
    out : path of the file
    metric : what to rank by; by default that of the task
    catalogue : whether to draw the map of the systems, which integrates each for 160 periods
    pictures : how many systems to show with their forecasts

    Returns
    -------
    Path of the file.

    Raises
    ------
    DatasetError
        If the folder has no results, or those of several tasks.
    """
    import polars as pl

    folder = Path(results)
    if not (folder / RESULTS).is_file():
        raise DatasetError(f"{folder} has no {RESULTS}: give the folder of one finished benchmark")
    frame, made = read(folder / RESULTS), provenance(folder)
    task = Task(made["task"])
    metric = metric or task.metric
    settings = [setting.name for setting in task.settings]
    parts = []
    if len(settings) > 1:
        parts.append(_sweep(frame, task, metric))
    # The sections that follow are of the first setting of a sweep.
    one = frame.filter(pl.col("setting") == settings[0])
    known = facts(task, one)
    one = with_exponents(one, known)
    board = analysis.leaderboard(one, metric)
    order = board["forecaster"].to_list()
    table, picture = page.leaderboard(board, metric)
    text = (
        f"Error: {escape(page.named(metric))}, the smaller the better; the median over the members of a system, then "
        "over systems. Click on a head to sort."
    )
    parts.append(page.section("Leaderboard", text, picture, table))
    if len(order) > 1:
        parts.append(page.ranking(analysis.average_ranks(one, metric), board))
    shown = order[:5] + [name for name in ("Mean", "LastValue") if name in order[5:]][:1]
    if one["curve"].drop_nulls().len():
        pieces = [page.curves(one, shown, "period")]
        if one["exponent"].drop_nulls().len():
            pieces.insert(0, page.curves(one, shown, "lyapunov"))
        said = "The five with the least median error, and the mean of the past for comparison. Systems leave the median at the end of their forecast."
        parts.append(page.section("Error against time ahead", said, *pieces))
    if task.invariants or task.floors:
        parts.append(page.attractors(one))
    parts.append(page.scatter(one, metric, known))
    if len(order) > 1:
        parts.append(page.where(one, metric, known.select("system", group=pl.col("variables").cast(pl.Int64))))
    parts.append(page.cost(one, metric))
    if len(order) > 1:
        parts.append(page.wins(one, metric, order))
    errors = analysis.by_system(one, metric).group_by("system").agg(pl.col("error").min()).sort("error", "system")
    names = errors["system"].to_list()
    chosen = [names[round(i * (len(names) - 1) / max(pictures - 1, 1))] for i in range(min(pictures, len(names)))]
    if chosen:
        parts.append(gallery(task, one, list(dict.fromkeys(chosen)), order[:3]))
    if catalogue and len(names) > 3:
        parts.append(page.map_of(analysis.catalogue_map(_of_flows(names))))
    parts.append(page.outcomes(frame))
    parts.append(_made(made))
    body = "".join(parts)
    title = f"{task.name}: {one['forecaster'].n_unique()} forecasters on {one['system'].n_unique()} systems"
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"<p>{escape(task.about)} After: {escape(str(task.content.get('source', '')))}.</p>{FILTER}{body}"
        f"<script>{SCRIPT}</script></body></html>\n"
    )
    path = Path(out)
    files.write_atomically(path, text.encode())
    return path


def _of_flows(names: list[str]) -> list[str]:
    from ..registry import systems

    flows = set(systems(kind="flow")["name"])
    return [name for name in names if name in flows]


def _sweep(frame: pl.DataFrame, task: Task, metric: str) -> str:
    """The error along the sweep of a task."""
    import polars as pl

    from .svg import COLOURS, Axes

    board = analysis.leaderboard(frame, metric)
    at = {s.name: float(s.name.partition("=")[2]) for s in task.settings}
    unit = {"train": "samples to learn from", "noise": "noise (standard deviations)", "per": "samples a period"}
    key = task.settings[0].name.partition("=")[0]
    best = (
        board.filter(pl.col("median").is_finite()).group_by("forecaster").agg(pl.col("median").mean())
        .sort("median")["forecaster"].to_list()[:6]
    )  # fmt: skip
    values = list(at.values())
    top = float(board.filter(pl.col("forecaster").is_in(best) & pl.col("high").is_finite())["high"].max())  # type: ignore[arg-type]
    axes = Axes((min(values), max(values)), (0, top * 1.03), unit[key], f"median {page.named(metric)}")
    for i, name in enumerate(best):
        rows = sorted(
            (at[r["setting"]], r["median"], r["low"], r["high"])
            for r in board.filter(forecaster=name).iter_rows(named=True)
        )
        x, y, low, high = (list(column) for column in zip(*rows, strict=True))
        axes.band(x, low, high, COLOURS[i])
        axes.line(x, y, COLOURS[i])
    axes.legend([(name, COLOURS[i]) for i, name in enumerate(best)])
    note = "Band: 95 % interval, bootstrap over systems. The six with the least mean of medians."
    text = f"What follows below is at {escape(task.settings[0].name)}."
    return page.section("Along the sweep", text, page.figure(axes.text("sweep"), note))


def _made(made: dict[str, Any]) -> str:
    """How to make it again."""
    lines = {key: value for key, value in made.items() if key != "task"}
    text = json.dumps(lines, indent=1, ensure_ascii=False)
    return (
        "<section><h2>How it was made</h2><details><summary>Versions, machine, forecasters</summary>"
        f"<pre>{escape(text)}</pre></details><details><summary>The task</summary><pre>{escape(made['task'])}</pre>"
        "</details></section>"
    )
