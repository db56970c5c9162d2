"""
Write the page of the benchmark: `python docs/make_benchmark.py [--take FOLDER ...] [--networks FOLDER] [--measure]`.

`docs/benchmark.md` comes from the results in `docs/benchmark`, the published figures there, and the invariants of the
systems. With --take, the results of `bestiary benchmark` in a folder are put there first, without curves and forecasts,
in place of former rows of the same forecasters; with --networks, those of trained networks on some of the systems.
With --measure, exponents of the forms that the tasks forecast are measured where the catalogue has them for other
parameters only (minutes).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import polars as pl

import bestiary as bst
from bestiary import analysis, registry
from bestiary.analysis.statistics import bootstrap, spearman
from bestiary.benchmark import read, task

PAGE = Path(__file__).with_name("benchmark.md")
FOLDER = Path(__file__).with_name("benchmark")
PUBLISHED = FOLDER / "published.parquet"
MEASURED = FOLDER / "exponents.parquet"
TASKS = ("dysts-2021-fine", "dysts-2021-coarse", "dysts-2023")
SPREAD = "dysts-2021-spread"
NETWORKS = "dysts-2023-networks"
PAIRS = {
    "Mean": "NaiveMean",
    "LastValue": "NaiveSeasonal",
    "Drift": "NaiveDrift",
    "Linear": "LinearRegressionModel",
    "DirectForest": "RandomForest",
    "Fourier": "FFT",
    "EchoState": "ESN",
    "NVAR": "NVAR",
}
"""Ours, and the published model that is meant to be the same, or is the nearest."""
NETWORK_PAIRS = {
    "NBEATS": "NBEATSModel",
    "NHiTS": "NHiTSModel",
    "TCN": "TCNModel",
    "Transformer": "TransformerModel",
    "LSTM": "RNNModel",
    "DLinear": "DLinearModel",
    "NLinear": "NLinearModel",
    "NeuralODE": "NODE",
}
SAME = ("Mean", "LastValue", "Drift", "Linear", "DirectForest")
DRAWS = 2000
DROPPED = ("curve", "forecast", "message", "data_sha256")
SETTINGS = {
    "variables": "number of variables",
    "exponent": "largest exponent",
    "exponent_period": "largest exponent times period",
    "entropy": "sum of positive exponents",
    "kaplan_yorke_dimension": "Kaplan-Yorke dimension",
    "correlation_dimension": "correlation dimension",
    "multiscale_entropy": "multiscale entropy",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", nargs="+", type=Path, default=[], metavar="FOLDER")
    parser.add_argument("--networks", nargs="+", type=Path, default=[], metavar="FOLDER")
    parser.add_argument("--measure", action="store_true")
    options = parser.parse_args()
    for folder in options.take:
        take(folder)
    for folder in options.networks:
        take(folder, NETWORKS)
    if options.measure:
        measure()
    PAGE.write_text(page(), encoding="utf-8")
    return 0


def take(folder: Path, name: str | None = None) -> None:
    """The rows of a folder of results in place of those of the same forecasters."""
    frame = read(folder).drop(DROPPED, strict=False)
    target = FOLDER / f"{name or frame['task'][0]}.parquet"
    if target.exists():
        before = pl.read_parquet(target)
        others = before.filter(~pl.col("forecaster").is_in(frame["forecaster"].unique().to_list()))
        frame = pl.concat([others, frame.select(before.columns)], how="vertical_relaxed")
    frame.write_parquet(target, compression="zstd", compression_level=19)
    print(f"{target}: {frame.height} rows")


def measure() -> None:
    """Exponents of the variants whose parameters or equations are not those of the entry."""
    names = sorted({name for each in TASKS for name in task(each).systems})
    forms = {name: registry.measured_form(name, "dysts") for name in names if has_variant(name)}
    rows = []
    for name, form in forms.items():
        if form.entry.get("measured", {}).get("largest_exponent") or form.kind == "stochastic":
            continue
        count = min(form.dimension, 12) if form.kind != "delay" else None
        try:
            found = bst.lyapunov_spectrum(form, count, max_work=1e7)
        except bst.RequestError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        dimension = bst.kaplan_yorke(found)
        rows.append((name, float(found.value[0]), float(found.error[0]), float(dimension.value), found.verdict))
    columns = ["system", "exponent", "error", "kaplan_yorke_dimension", "verdict"]
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet(MEASURED, compression="zstd")
    print(f"{MEASURED}: {len(rows)} systems")


def has_variant(name: str) -> bool:
    return "dysts" in registry.system(name).entry.get("variants", {}) or f"dysts_{name}" in registry.system(
        name
    ).entry.get("variants", {})


def invariants(names: list[str]) -> pl.DataFrame:
    """What is known of the forms that are forecast; the exponents of regular motion say nothing and are left out."""
    forms = [registry.measured_form(name, "dysts") if has_variant(name) else bst.system(name) for name in names]
    frame = analysis.invariants(forms).with_columns(system=pl.Series(names))
    if MEASURED.exists():
        own = pl.read_parquet(MEASURED).select("system", "exponent", "kaplan_yorke_dimension")
        frame = frame.join(own, on="system", how="left", suffix="_own").with_columns(
            pl.when(pl.col(name).is_nan()).then(pl.col(f"{name}_own")).otherwise(pl.col(name)).alias(name)
            for name in ("exponent", "kaplan_yorke_dimension")
        )
        frame = frame.drop("exponent_own", "kaplan_yorke_dimension_own")
    frame = frame.with_columns(exponent_period=pl.col("exponent") * pl.col("period"))
    regular = pl.col("exponent_period") < analysis.RESOLVED
    return frame.with_columns(
        pl.when(regular).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("exponent", "exponent_period", "entropy", "kaplan_yorke_dimension")
    )


def page() -> str:
    frames = {name: pl.read_parquet(FOLDER / f"{name}.parquet") for name in (*TASKS, SPREAD) if exists(name)}
    published = pl.read_parquet(PUBLISHED)
    parts = [OPENING]
    for name in TASKS:
        if name in frames:
            clean = published.filter((pl.col("task") == name) & (pl.col("noise") == 0))
            parts += [heading(name, frames[name]), beside(frames[name], clean), board(frames[name], clean)]
    if SPREAD in frames:
        parts.append(spread(frames[SPREAD], published.filter((pl.col("task") == TASKS[0]) & (pl.col("noise") == 0))))
    if exists(NETWORKS):
        clean = published.filter((pl.col("task") == TASKS[2]) & (pl.col("noise") == 0))
        parts.append(networks(pl.read_parquet(FOLDER / f"{NETWORKS}.parquet"), frames[TASKS[2]], clean))
    parts += [FINDINGS, against(frames[TASKS[0]], frames.get(TASKS[2]))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def exists(name: str) -> bool:
    return (FOLDER / f"{name}.parquet").exists()


def heading(name: str, frame: pl.DataFrame) -> str:
    seconds = sum(float(frame[column].sum() or 0.0) for column in ("tune_seconds", "fit_seconds", "predict_seconds"))
    lost = frame.filter(pl.col("outcome") == "no data")["system"].unique().sort().to_list()
    late = frame.filter(pl.col("outcome").is_in(["budget", "failed", "crashed"]))
    said = [
        f"{frame['forecaster'].n_unique()} forecasters on {frame['system'].n_unique() - len(lost)} systems, "
        f"{frame.height} cells, {seconds:.0f} s in all for choosing, fitting and predicting, one cell at a time."
    ]
    if lost:
        said.append(f"Without data: {', '.join(lost)}.")
    if late.height:
        counted = late.group_by("forecaster", "outcome").len().sort("forecaster", "outcome")
        counts = ", ".join(f"{who} {n} ({how})" for who, how, n in counted.iter_rows())
        said.append(f"Without a forecast: {counts}.")
    rows = f"[{name}.parquet](benchmark/{name}.parquet)"
    about = f"{task(name).about} Hash `{frame['task_hash'][0]}`, rows: {rows}."
    return f"## `{name}`\n\n{about}\n{' '.join(said)}"


def beside(frame: pl.DataFrame, published: pl.DataFrame) -> str:
    """The forecasters that the papers had too, on the systems that both have."""
    lines = [
        "| ours | published | systems | ours, median sMAPE | published | difference | rank correlation by system |",
        "|---|---|---|---|---|---|---|",
    ]
    errors = analysis.by_system(frame)
    for ours, theirs in PAIRS.items():
        joined = errors.filter(pl.col("forecaster") == ours).join(
            published.filter(pl.col("model") == theirs), on="system"
        )
        if joined.is_empty():
            continue
        a, b = joined["error"].to_numpy(), joined["smape"].to_numpy()

        def statistic(chosen: np.ndarray, a: np.ndarray = a, b: np.ndarray = b) -> np.ndarray:
            return np.array([np.median(a[chosen]), np.median(a[chosen]) - np.median(b[chosen])])

        low, high = bootstrap(statistic, len(a), resamples=1000, confidence=0.95, seed=0)
        same = "" if ours in SAME else " (another method)"
        lines.append(
            f"| {ours} | {theirs}{same} | {len(a)} | {np.median(a):.1f} ({low[0]:.1f} to {high[0]:.1f}) "
            f"| {np.median(b):.1f} | {np.median(a) - np.median(b):+.1f} ({low[1]:.1f} to {high[1]:.1f}) "
            f"| {spearman(a, b):.2f} |"
        )
    return "\n".join(lines)


def board(frame: pl.DataFrame, published: pl.DataFrame) -> str:
    table = analysis.leaderboard(frame)
    lines = [
        "| forecaster | median sMAPE | 95 % interval | mean rank | first on | without a finite forecast |",
        "|---|---|---|---|---|---|",
    ]
    for row in table.iter_rows(named=True):
        wins = f"{row['wins']:.3g}"
        lines.append(
            f"| {row['forecaster']} | {row['median']:.1f} | {row['low']:.1f} to {row['high']:.1f} "
            f"| {row['mean_rank']:.1f} | {wins} | {row['missing']} |"
        )
    ranking = analysis.average_ranks(frame)
    best = published.group_by("model").agg(pl.col("smape").median()).sort("smape").row(0)
    lines.append(
        f"\nFriedman p = {ranking.p:.1g}; mean ranks less than {ranking.critical_difference:.2f} apart do not differ "
        f"(Nemenyi, 5 %). The best published median: {best[0]}, {best[1]:.1f}."
    )
    return "\n".join(lines)


def spread(frame: pl.DataFrame, published: pl.DataFrame) -> str:
    """How the median over the systems varies when each gives one of its ten trajectories."""
    lines = [
        "## How much one trajectory says",
        "",
        SPREAD_TEXT.strip(),
        "",
        "| forecaster | median over systems, one trajectory each: mean ± deviation, range of 95 % | published "
        "| draws that are not above it | mean over systems | published |",
        "|---|---|---|---|---|---|",
    ]
    random = np.random.default_rng(0)
    for ours in [name for name in SAME if name in frame["forecaster"]]:
        part = frame.filter((pl.col("forecaster") == ours) & (pl.col("outcome") != "no data"))
        theirs = published.filter(pl.col("model") == PAIRS[ours]).select("system", "smape")
        wide = part.pivot("member", index="system", values="smape").join(theirs, on="system", suffix="_published")
        values = wide.drop("system", "smape").fill_null(200.0).to_numpy()
        known = wide["smape"].to_numpy()
        draws = random.integers(values.shape[1], size=(DRAWS, len(values)))
        drawn = np.median(values[np.arange(len(values)), draws], axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        place = float((drawn <= np.median(known)).mean())
        lines.append(
            f"| {ours} | {drawn.mean():.1f} ± {drawn.std():.1f}, {low:.1f} to {high:.1f} | {np.median(known):.1f} "
            f"| {100 * place:.0f} % | {values.mean():.1f} | {known.mean():.1f} |"
        )
    return "\n".join(lines)


def networks(frame: pl.DataFrame, others: pl.DataFrame, published: pl.DataFrame) -> str:
    """Trained networks on some systems, beside the published ones and the other forecasters on the same."""
    systems = frame["system"].unique().sort().to_list()
    seconds = {
        who: (own["fit_seconds"].sum() + own["predict_seconds"].sum()) / len(systems)
        for (who,), own in frame.group_by("forecaster")
    }
    errors = analysis.by_system(pl.concat([frame, others.filter(pl.col("system").is_in(systems))], how="diagonal"))
    rows = []
    for (who,), own in errors.group_by("forecaster"):
        values = own["error"].to_numpy()

        def statistic(chosen: np.ndarray, values: np.ndarray = values) -> np.ndarray:
            return np.array([np.median(values[chosen])])

        low, high = bootstrap(statistic, len(values), resamples=1000, confidence=0.95, seed=0)
        theirs = published.filter(
            (pl.col("model") == NETWORK_PAIRS.get(str(who), "")) & pl.col("system").is_in(systems)
        )
        known = "–" if theirs.is_empty() else f"{theirs['model'][0]} {theirs['smape'].median():.1f}"
        took = f"{seconds[who]:.0f}" if who in seconds else "–"
        rows.append((float(np.median(values)), f"{who} | {low[0]:.1f} to {high[0]:.1f} | {known} | {took}"))
    lines = [
        f"## `dysts-2023`, trained networks, {len(systems)} systems",
        "",
        f"{NETWORKS_TEXT.strip()} The systems: {', '.join(systems)}. Rows: "
        f"[{NETWORKS}.parquet](benchmark/{NETWORKS}.parquet).",
        "",
        "| median sMAPE | forecaster | 95 % interval | published, same systems | seconds of training and forecast |",
        "|---|---|---|---|---|",
        *(f"| {middle:.1f} | {text} |" for middle, text in sorted(rows)),
    ]
    return "\n".join(lines)


def against(univariate: pl.DataFrame, multivariate: pl.DataFrame | None) -> str:
    """Errors against what is known of the systems."""
    lines = ["## Which properties of a system decide", "", AGAINST_TEXT.strip(), ""]
    tables = []
    for frame in (univariate, multivariate):
        if frame is None:
            continue
        known = invariants(frame["system"].unique().sort().to_list()).drop("period")
        found = analysis.correlations(frame, known)
        tables.append({(row[0], row[1]): row[2:] for row in found.iter_rows()})
    heads = ["dysts-2021-fine", "dysts-2023"][: len(tables)]
    lines += [
        "| invariant | " + " | ".join(f"{head}, best of all | {head}, Linear" for head in heads) + " |",
        "|---|" + "---|---|" * len(tables),
    ]
    for name, said in SETTINGS.items():
        cells = []
        for table in tables:
            for who in ("best of all", "Linear"):
                found = table.get((who, name))
                cells.append("–" if found is None else "{:.2f} ({:.2f} to {:.2f}), {}".format(*found))
        lines.append(f"| {said} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


OPENING = """
# The benchmark: what was run, beside the published figures

Which methods forecast chaos, and for how long? The tasks of the two founding papers (Gilpin 2021, NeurIPS Datasets
and Benchmarks; Gilpin 2023, Physical Review Research 5, 043252), run with the forecasters of this package on the
collection's own forms of the systems. sMAPE is on the scale of 0 to 200. Intervals are 95 %, by bootstrap over the
systems. Published figures: the result files of the dysts project (Apache-2.0),
[published.parquet](benchmark/published.parquet). `LastValue` repeats the last sample, as the published NaiveSeasonal
did (with a season of one sample); `DirectForest` is a random forest that learns values and not changes, as theirs
did.

This page is made by `python docs/make_benchmark.py`; the rows it is made from by `bestiary benchmark TASK
--forecaster all --forecaster Linear --forecaster DirectForest --out FOLDER` (those two need the extra `learn`).
"""

SPREAD_TEXT = """
The published figure of a method is a median over systems of which each gave a single trajectory of 199 scored
samples, under two Lyapunov times for most. Task `dysts-2021-spread` has ten test trajectories a system; here each
system gives one of them at random, 2000 times. The scatter of the median over such draws is what a single run of the
protocol cannot tell from nothing.
"""

NETWORKS_TEXT = """
Networks of the extra `neural` with their default sizes and settings (no tuning: a network is trained once on the ten
periods), among the forecasters of the default install on the same systems, four which need no delay and no drive.
`ShallowPLRNN` is left out: it reconstructs attractors, and its 5000 epochs are not for a forecast of two periods.
"""

FINDINGS = """
## What agrees, and what does not

- On the fine data the last value, drift, linear regression and the random forest are within 4 points of the published
  medians. The mean is not, in the median; the table above shows why: a run of the protocol scatters by about four
  points for such methods, since errors lie anywhere between 0 and 200 and the median falls where few of them are. The
  published figure lies within the draws for each of the four methods, and the means over the systems agree within a
  point, except for linear regression (4 points), whose published figure is among the highest of the draws.
- On the coarse data all five are 4 to 5.5 points above the published ones. All methods see the same trajectories, so
  these differences have one cause and count once: a draw that is a standard deviation on the hard side.
- In `dysts-2023` linear regression and the random forest are 5.9 and 5.4 points below the published medians. The
  intervals of both differences, by bootstrap over the systems, hold zero: again one trajectory a system, the same for
  both methods, so that one easy draw explains both.
- `Fourier` is another method than the published FFT, `EchoState` and `NVAR` have other settings than the published ones
  (NVAR of order 1 there, of order 2 here): no difference there is a contradiction.
- With all coordinates the next state is a smooth function of the present one, and methods that fit such functions
  (polynomials, kernels, random features, reservoirs) forecast 200 samples nearly to the end, without noise. `SINDy` is
  first on most systems because it looks for polynomial equations and most systems are such. Without noise, and with all
  coordinates seen, this protocol hardly tells good methods apart.
- `StickSlipOscillator` has no data in the univariate tasks: from some initial states it slides along the surface on
  which its equations jump, and the run exceeds the limit of work.
"""

AGAINST_TEXT = """
Spearman's rank correlation of the error with what is known of each system: value, 95 % interval, number of systems.
Exponents are those of the forms that were forecast, as `bestiary annotate` measured them, or `docs/make_benchmark.py
--measure` where the parameters differ from those of the entry ([exponents.parquet](benchmark/exponents.parquet));
regular motion is left out. The papers report 0.38 to 0.41 between the best error and the largest exponent (2021), and
0.37 to 0.47 (2023). Here the exponent counts for less, and what counts more is how many directions a system moves in,
and how its series looks: correlation dimension and multiscale entropy.
"""


if __name__ == "__main__":
    sys.exit(main())
