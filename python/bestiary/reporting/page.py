"""The parts of the page, each from frames: a heading, what it says, a picture or a table."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import analysis
from .svg import COLOURS, Axes

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "attractors",
    "cost",
    "curves",
    "leaderboard",
    "map_of",
    "outcomes",
    "ranking",
    "scatter",
    "section",
    "where",
    "wins",
]

UNITS = {"smape": "%, 0 to 200", "mae": "units of the variable", "rmse": "units of the variable"}
NAMES = {"smape": "sMAPE", "nrmse": "NRMSE", "state_space_divergence": "D_stsp", "hellinger_distance": "D_H"}


def named(metric: str) -> str:
    """A metric with its unit."""
    return f"{NAMES.get(metric, metric)} ({UNITS.get(metric, 'no unit')})"


def section(title: str, text: str, *content: str) -> str:
    """A part of the page; text is HTML."""
    return f"<section><h2>{escape(title)}</h2><p>{text}</p>{''.join(content)}</section>"


def leaderboard(board: pl.DataFrame, metric: str) -> tuple[str, str]:
    """The table and the picture of the medians."""
    head = ("forecaster", f"median {NAMES.get(metric, metric)}", "95 % interval", "quartiles", "mean rank",
            "95 % interval", "first on", "missing")  # fmt: skip
    rows = [
        (
            row["forecaster"], _value(row["median"]), f"{_value(row['low'])} to {_value(row['high'])}",
            f"{_value(row['lower_quartile'])} to {_value(row['upper_quartile'])}", f"{row['mean_rank']:.1f}",
            f"{row['rank_low']:.1f} to {row['rank_high']:.1f}", f"{row['wins']:.3g} of {row['systems']}",
            str(row["missing"]),
        )
        for row in board.iter_rows(named=True)
    ]  # fmt: skip
    finite = board.filter(board["median"].is_finite())
    top = max([*finite["high"].replace(math.inf, None).drop_nulls(), *finite["median"], 1e-9])
    picture = dots(
        finite["forecaster"].to_list(), finite["median"].to_list(),
        list(zip(finite["low"], finite["high"], strict=True)), (0.0, top * 1.03), f"median {named(metric)}",
    )  # fmt: skip
    return table(head, rows, sortable=True), picture


def dots(names: list[str], values: list[float], ranges: list[tuple[float, float]], x: tuple[float, float], label: str) -> str:  # fmt: skip
    """One row a name: a point with its interval."""
    k = len(names)
    axes = Axes(x, (-0.7, k - 0.3), label, "", height=60 + 18 * k, rows=names)
    for i, (name, value, (low, high)) in enumerate(zip(names, values, ranges, strict=True)):
        note = f"{name}: {_value(value)} ({_value(low)} to {_value(high)})"
        axes.point(value, k - 1 - i, COLOURS[0], note, x_range=(low, high))
    return figure(axes.text(label), "Bars: 95 % intervals, bootstrap over the systems.")


def ranking(found: analysis.Ranking, board: pl.DataFrame) -> str:
    """Mean ranks with the critical difference."""
    order = found.table["forecaster"].to_list()
    rows = {row["forecaster"]: row for row in board.iter_rows(named=True)}
    picture = dots(
        order, found.table["mean_rank"].to_list(), [(rows[n]["rank_low"], rows[n]["rank_high"]) for n in order],
        (1.0 - 0.3, len(order) + 0.3), "mean rank over the systems (1 is best)",
    )  # fmt: skip
    same = "; ".join(" – ".join((group[0], group[-1])) for group in found.groups) or "none"
    p = f"p = {found.p:.2g}" if found.p > 1e-15 else "p &lt; 10⁻¹⁵"
    text = (
        f"{found.systems} systems. Friedman test that all are alike: {p}. Mean ranks less than "
        f"{found.critical_difference:.2f} apart do not differ at 5 % (Nemenyi). Stretches that do not differ: {escape(same)}."
    )
    return section("Ranks", text, picture)


def curves(frame: pl.DataFrame, shown: list[str], unit: str) -> str:
    """The error against time ahead."""
    found = analysis.horizon_curves(frame.filter(frame["forecaster"].is_in(shown)), unit=unit, step=0.1)
    label = "Lyapunov times" if unit == "lyapunov" else "periods"
    axes = Axes((0, float(found["time"].max()) + 0.05), (0, 200), f"time ahead ({label})", named("smape"))  # type: ignore[arg-type]
    for i, name in enumerate(shown):
        part = found.filter(found["forecaster"] == name)
        x = part["time"].to_list()
        axes.band(x, part["low"].to_list(), part["high"].to_list(), COLOURS[i % len(COLOURS)])
        axes.line(x, part["median"].to_list(), COLOURS[i % len(COLOURS)])
    axes.legend([(name, COLOURS[i % len(COLOURS)]) for i, name in enumerate(shown)])
    low, high = int(found["systems"].min()), int(found["systems"].max())  # type: ignore[arg-type]
    note = f"Median over {low if low == high else f'{low} to {high}'} systems in each bin of 0.1; band: 95 % interval, bootstrap over systems."
    return figure(axes.text(f"error against {label}"), note)


def scatter(frame: pl.DataFrame, metric: str, known: pl.DataFrame) -> str:
    """The least error of each system against its exponent, and correlations with all that is known of the systems."""
    import polars as pl

    errors = analysis.by_system(frame, metric)
    best = errors.group_by("system").agg(pl.col("error").min())
    winners = errors.sort("error").group_by("system", maintain_order=True).first().select("system", "forecaster")
    members = (
        frame.join(winners, on=["system", "forecaster"])
        .group_by("system")
        .agg(pl.col(metric).min().alias("low"), pl.col(metric).max().alias("high"), pl.len().alias("members"))
    )
    best = best.join(members, on="system")
    several = int(best["members"].max()) > 1  # type: ignore[arg-type]
    joined = best.join(known.select("system", "exponent", "exponent_error"), on="system").filter(
        pl.col("exponent").is_not_null() & pl.col("error").is_finite()
    )
    joined = joined.sort("system")
    if joined.height < 3:
        return ""
    correlations = analysis.correlations(frame, known.drop("exponent_error"), metric).filter(forecaster="best of all")
    row = correlations.filter(invariant="exponent").row(0, named=True)
    x = joined["exponent"].to_numpy()
    top = max(float(joined["error"].max()), 1e-9)  # type: ignore[arg-type]
    axes = Axes((x.min() * 0.8, x.max() * 1.25), (0, top * 1.05), "largest Lyapunov exponent (1 / time unit of the system)",
                f"least {named(metric)}", log_x=True)  # fmt: skip
    for one in joined.iter_rows(named=True):
        error = f" ± {one['exponent_error']:.1g}" if one["exponent_error"] else ""
        note = f"{one['system']}: exponent {one['exponent']:.3g}{error}, {_value(one['error'])}"
        spread = 2 * (one["exponent_error"] or 0.0)
        across = (max(one["exponent"] - spread, 1e-300), one["exponent"] + spread)
        axes.point(one["exponent"], one["error"], COLOURS[0], note, x_range=across,
                   y_range=(one["low"], one["high"]) if several else None)  # fmt: skip
    for one in joined.sort("error", descending=True).head(12).iter_rows(named=True):
        axes.label(one["exponent"], one["error"], one["system"])
    lines = [
        (
            "exponent × period" if r["invariant"] == "exponent_period" else r["invariant"].replace("_", " "),
            f"{r['correlation']:.2f}",
            _interval(r),
            str(r["systems"]),
        )
        for r in correlations.iter_rows(named=True)
        if math.isfinite(r["correlation"])  # all alike: no ranks
    ]
    text = (
        f"The least error of any forecaster on a system against its exponent: Spearman "
        f"{row['correlation']:.2f} ({_interval(row)}) over {row['systems']} systems. Systems whose "
        f"exponent is below {analysis.RESOLVED:.3f} for each period are left out: it is not told from 0."
    )
    shown = table(("invariant", "Spearman correlation", "95 % interval", "systems"), lines)
    said = (
        "Horizontal bars: two standard errors of the exponent. "
        + ("Vertical bars: least and largest error over the members of the best forecaster. " if several
           else "Each error is of a single trajectory: it has no interval of its own. ")
        + "Point at a dot for its name."
    )  # fmt: skip
    return section("What decides the error", text, figure(axes.text("error against exponent"), said), shown)


def attractors(frame: pl.DataFrame) -> str:
    """Free runs beside the truth, where the results have them."""
    found = analysis.attractors(frame)
    parts = []
    for quantity in found["quantity"].unique(maintain_order=True):
        rows = found.filter(found["quantity"] == quantity)
        said = quantity.replace("_", " ")
        lines = [
            (r["forecaster"], _value(r["median"]), f"{_value(r['low'])} to {_value(r['high'])}", str(r["systems"]))
            for r in rows.iter_rows(named=True)
        ]
        parts.append(f"<h3>{escape(said[0].upper() + said[1:])}</h3>")
        parts.append(table(("forecaster", "median", "95 % interval", "systems"), lines, sortable=True))
    text = (
        "What the free run of a forecaster has in common with the system: how far distances are above those of two "
        "stretches of the truth (0 is as near as can be told), and by how much invariants differ from those of the "
        "truth by the same estimator. ∞: half of the runs or more have none, as they rest or went to infinity."
    )
    return section("Own attractors", text, *parts)


def where(frame: pl.DataFrame, metric: str, groups: pl.DataFrame) -> str:
    """Which method is good in which group of systems: the first three of each."""
    import polars as pl

    found = analysis.best_where(frame, groups, metric).sort(pl.col("group").cast(pl.Int64), "median", "mean_rank")
    lines = [
        (
            group, str(row["systems"]), row["forecaster"], _value(row["median"]),
            f"{_value(row['low'])} to {_value(row['high'])}", f"{row['wins']:.3g}",
        )
        for (group,), rows in found.group_by("group", maintain_order=True)
        for row in rows.head(3).iter_rows(named=True)
    ]  # fmt: skip
    head = (
        "number of variables",
        "systems",
        "forecaster",
        f"median {NAMES.get(metric, metric)}",
        "95 % interval",
        "first on",
    )
    text = (
        "The first three by median error among systems with as many variables. Intervals: bootstrap over the systems."
    )
    return section("Which method where", text, table(head, lines))


def cost(frame: pl.DataFrame, metric: str) -> str:
    """Seconds against error."""
    found = analysis.cost(frame, metric)
    found = found.filter(found["median"].is_finite() & found["seconds"].is_not_null())
    if found.is_empty():
        return ""
    low = 10 ** math.floor(math.log10(max(float(found["seconds_low"].min()), 1e-6)))  # type: ignore[arg-type]
    high = 10 ** math.ceil(math.log10(float(found["seconds_high"].max()) * 1.01))  # type: ignore[arg-type]
    top = max(float(v) for v in found["high"] if math.isfinite(v))
    axes = Axes(
        (low, high),
        (0, top * 1.03),
        "fit and predict (s, one thread)",
        f"median {named(metric)}",
        log_x=True,
        height=380,
    )
    rows = list(found.iter_rows(named=True))
    for row in rows:
        note = f"{row['forecaster']}: {row['seconds']:.2g} s, {_value(row['median'])}"
        axes.point(row["seconds"], row["median"], COLOURS[0], note,
                   x_range=(row["seconds_low"], row["seconds_high"]), y_range=(row["low"], row["high"]))  # fmt: skip
    for row in rows:
        axes.label(row["seconds"], row["median"], row["forecaster"])
    lines = [
        (r["forecaster"], f"{r['seconds']:.2g} s", f"{r['seconds_low']:.2g} to {r['seconds_high']:.2g} s",
         f"{r['tune_seconds']:.2g} s" if (r["tune_seconds"] or 0) > 1e-4 else "not tuned", f"{(r['peak_bytes'] or 0) / 1e6:.0f} MB")
        for r in rows
    ]  # fmt: skip
    head = ("forecaster", "fit and predict", "quartiles", "tuning", "peak memory of the process")
    note = "Horizontal bars: quartiles over the cells; vertical bars: 95 % intervals. Names are left out where they would overlap."
    return section("Cost", "Medians over the cells.", figure(axes.text("cost against error"), note), table(head, lines, sortable=True))  # fmt: skip


def wins(frame: pl.DataFrame, metric: str, order: list[str]) -> str:
    """Who beats whom."""
    found = {(a, b): (s, lo, hi) for a, b, s, lo, hi, _ in analysis.pairwise_wins(frame, metric).iter_rows()}
    body = ""
    for a in order:
        cells = ""
        for b in order:
            if a == b:
                cells += "<td></td>"
                continue
            share, low, high = found[a, b]
            tone = f"rgba(0,114,178,{0.55 * max(share - 0.5, 0) * 2:.2f})"
            cells += (
                f'<td style="background:{tone}" title="{escape(a)} beats {escape(b)} on {100 * share:.0f} % '
                f'({100 * low:.0f} to {100 * high:.0f} %)">{100 * share:.0f}</td>'
            )
        body += f"<tr><th>{escape(a)}</th>{cells}</tr>"
    head = "".join(f'<th class="turned"><span>{escape(b)}</span></th>' for b in order)
    half = max((hi - lo) / 2 for _, lo, hi in found.values()) * 100
    text = (
        "On how many systems in a hundred the forecaster of the row beats that of the column; a tie is half a win. "
        f"95 % intervals (Wilson) are at most ±{half:.0f}; point at a number for its own."
    )
    return section("Who beats whom", text, f'<div class="wide"><table class="wins"><tr><th></th>{head}</tr>{body}</table></div>')  # fmt: skip


def map_of(found: pl.DataFrame) -> str:
    """The catalogue in the plane."""
    x, y = found["x"].to_numpy(), found["y"].to_numpy()
    grow = 0.06 * max(np.ptp(x), np.ptp(y))
    axes = Axes((x.min() - grow, x.max() + grow), (y.min() - grow, y.max() + grow),
                "first coordinate of the embedding (no unit)", "second coordinate (no unit)", width=760, height=620)  # fmt: skip
    for row in found.iter_rows(named=True):
        colour = COLOURS[row["cluster"] % len(COLOURS)]
        axes.point(row["x"], row["y"], colour, f"{row['system']}, group {row['cluster'] + 1}")
    named_count = sum(axes.label(row["x"], row["y"], row["system"]) for row in found.iter_rows(named=True))
    sizes = found.group_by("cluster").len().sort("cluster")
    axes.legend([(f"group {k + 1}: {n} systems", COLOURS[k % len(COLOURS)]) for k, n in sizes.iter_rows()])
    text = (
        f"{found.height} systems by {len(analysis.FEATURES)} features of the first variable; neighbours on the map are alike. "
        f"Mean silhouette of the groups {found['silhouette'][0]:.2f}: below 0.25 they are a convenience of speech. "
        "Distances between far points mean nothing."
    )
    note = f"{named_count} of {found.height} names have room; point at a dot for its name."
    return section("Map of the systems", text, figure(axes.text("map of the systems"), note, large=True))


def outcomes(frame: pl.DataFrame) -> str:
    """What did not come to a finite forecast, and why."""
    import polars as pl

    bad = frame.filter(pl.col("outcome") != "ok")
    counts = frame.group_by("outcome").len().sort("len", descending=True)
    said = ", ".join(f"{n} {o}" for o, n in counts.iter_rows())
    rows = [
        (r["forecaster"], r["outcome"], str(r["len"]), r["message"] or "", ", ".join(r["systems"][:6]) + (" …" if len(r["systems"]) > 6 else ""))
        for r in bad.group_by("forecaster", "outcome", "message")
        .agg(pl.len(), pl.col("system").unique().sort().alias("systems")).sort("forecaster", "outcome", "message")
        .iter_rows(named=True)
    ]  # fmt: skip
    text = f"Of {frame.height} forecasts: {escape(said)}. What is not there counts as the worst error there is."
    head = ("forecaster", "outcome", "how often", "message", "systems")
    return section("Outcomes", text, table(head, rows) if rows else "")


def figure(svg: str, note: str, *, large: bool = False) -> str:
    """A picture with what it says under it; on a phone it keeps its size and is moved sideways, a large one too."""
    kind = ' class="large"' if large else ""
    return f"<figure{kind}>{svg}<figcaption>{escape(note)}</figcaption></figure>"


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]], sortable: bool = False) -> str:
    top = "".join(f"<th>{escape(str(cell))}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    kind = ' class="sortable"' if sortable else ""
    return f'<div class="wide"><table{kind}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _interval(row: dict[str, Any]) -> str:
    """Of a correlation; so few systems may be drawn again that all are alike."""
    ends = row["low"], row["high"]
    return "{:.2f} to {:.2f}".format(*ends) if all(map(math.isfinite, ends)) else "too few systems for an interval"


def _value(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "none" if value is None else "∞"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
