"""
The command line: `bestiary list | show | check | annotate | generate | benchmark | report | doctor`.

It mirrors the Python functions and adds nothing.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from typing import Any

from .exceptions import BestiaryError

INTERRUPTED = 130
WRONG_REQUEST = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns 0, 1 (a check failed), 2 (a wrong request) or 130 (Ctrl-C)."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (BestiaryError, ValueError, TypeError) as error:
        print(f"bestiary: {error}", file=sys.stderr)
        return WRONG_REQUEST
    except KeyboardInterrupt as error:
        print(f"\nbestiary: {str(error) or 'interrupted'}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bestiary", description="A catalogue of chaotic systems.")
    parser.add_argument(
        "--version", action=_Version, nargs=0, default=argparse.SUPPRESS, help="show the version and stop"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("list", help="the systems of the catalogue")
    command.add_argument("--kind", choices=("flow", "map", "delay", "stochastic"))
    command.add_argument("--tag", help="only systems with this tag, such as hamiltonian")
    command.add_argument("--sort", default="name", metavar="COLUMN", help="column to sort by (default: name)")
    command.set_defaults(run=_list)

    command = commands.add_parser("show", help="equations, parameters, facts, citation and a picture of a system")
    command.add_argument("name")
    command.add_argument("--variant", help="another published or collected form of the system, such as dysts")
    command.add_argument("--picture", action=argparse.BooleanOptionalAction, default=True, help="draw it")
    command.set_defaults(run=_show)

    command = commands.add_parser("doctor", help="what is installed, and a self-check against known values")
    command.set_defaults(run=_doctor)

    _add_check(commands.add_parser("check", help="hold systems to the contract of an entry", formatter_class=_Defaults))
    _add_annotate(commands.add_parser("annotate", help="measure systems and write [measured] into their files"))
    _add_generate(commands.add_parser("generate", help="write a dataset", formatter_class=_Defaults))
    _add_benchmark(commands.add_parser("benchmark", help="run forecasters on a task", formatter_class=_Defaults))
    _add_report(commands.add_parser("report", help="make a page of the results of a benchmark"))
    return parser


class _Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults where there is a help text and a default worth showing."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False) else super()._get_help_string(action)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from . import __version__

        print(f"bestiary {__version__}")
        parser.exit()


def _list(options: argparse.Namespace) -> int:
    import polars as pl

    from . import registry

    filters = {key: value for key, value in (("kind", options.kind), ("tag", options.tag)) if value is not None}
    frame = registry.systems(**filters)
    if options.sort not in frame.columns:
        raise ValueError(f"cannot sort by {options.sort!r}; columns: {', '.join(frame.columns)}")
    shown = [name for name in ("name", "kind", "dimension", "domain", "period", "about") if name in frame.columns]
    if options.sort not in shown:
        shown.insert(1, options.sort)
    frame = frame.sort(options.sort, nulls_last=True).select(shown)
    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, tbl_formatting="NOTHING", fmt_str_lengths=100, tbl_width_chars=160,
        tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True, tbl_cell_alignment="LEFT",
    ):  # fmt: skip
        print(frame)
    print(f"{len(frame)} systems")
    return 0


def _show(options: argparse.Namespace) -> int:
    from . import registry

    system = registry.system(options.name, variant=options.variant)
    entry = system.entry
    print(f"{system.name} ({system.kind}, {system.dimension} variables)")
    print(f"{system.about}\n" if system.about else "")
    print("\n".join(f"    {line}" for line in system.to_text().splitlines()))
    facts = [
        ("parameters", ", ".join(f"{name} = {_value(value)}" for name, value in system.parameters.items())),
        ("state", ", ".join(f"{n} = {v:.6g}" for n, v in zip(system.names[:12], system.initial, strict=False))),
        ("period", f"{system.period:.6g}" if entry.get("period") else ""),
        ("tags", ", ".join(system.tags)),
        ("variants", ", ".join(entry.get("variants", {}))),
        ("note", entry.get("note", "")),
        ("source", entry.get("citation", "")),
        ("doi", f"https://doi.org/{entry['doi']}" if entry.get("doi") else ""),
    ]
    print()
    for name, text in facts:
        if text:
            print(f"{name:>10}  {text}")
    for name, fact in entry.get("known", {}).items():
        print(f"{name.replace('_', ' ')}: {_fact(fact)}")
    if options.picture:
        print(_picture(system))
    return 0


def _value(value: Any) -> str:
    shape = getattr(value, "shape", ())
    return f"{float(value):.10g}" if not shape else f"[{' x '.join(str(size) for size in shape)}]"


def _fact(fact: Any) -> str:
    if isinstance(fact, dict) and "exact" in fact:
        return f"{fact['exact']} (exact)"
    if isinstance(fact, dict) and "value" in fact:
        error = f" ± {fact['error']}" if "error" in fact else ""
        text = f"{fact['value']}{error}" + (f" ({fact['source']})" if "source" in fact else "")
        if "quantity" in fact:
            at = ", ".join(f"{name} = {value}" for name, value in fact.get("parameters", {}).items())
            text = f"{fact['quantity'].replace('_', ' ')}{f' at {at}' if at else ''} {text}"
        return text + (f": {fact['dispute']}" if "dispute" in fact else "")
    if isinstance(fact, dict):
        return ", ".join(f"{key}: {value}" if isinstance(value, str) else f"{key}" for key, value in fact.items())
    if isinstance(fact, list):
        return "; ".join(_fact(item) for item in fact)
    return str(fact)


def _picture(system: Any) -> str:
    """The first and last variable of a run on the attractor, in braille dots."""
    from . import plot

    run = system.trajectory(5000, transient=10 * system.period if system.kind != "map" else 100)
    if system.dimension > 1:
        across, up = run.x[:, 0], run.x[:, -1]
        label = f"{system.names[-1]} against {system.names[0]}"
    elif system.kind == "map":
        across, up = run.x[:-1, 0], run.x[1:, 0]
        label = f"the next {system.names[0]} against {system.names[0]}"
    else:
        across, up = run.t[:1000], run.x[:1000, 0]
        label = f"{system.names[0]} against time"
    return f"\n{plot.ascii(across, up, 72, 24)}\n{label}"


def _doctor(_options: argparse.Namespace) -> int:
    from .doctor import doctor

    return 0 if doctor() else 1


def _add_check(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("names", nargs="*", metavar="NAME", help="names, or paths of TOML files (default: all systems)")
    add("--variant", help="check this variant in place of the entry; without names, of all systems that have it")
    add("--periods", type=float, default=1e5, help="length of the long run")
    add("--whole", action="store_true", help="run for all these periods, even where they take hours")
    add("--rtol", type=float, default=1e-12, help="relative tolerance of the long run")
    add("--record", metavar="FILE", help="write results into this JSON file, and leave out what it says already")
    add("--threads", type=int, help="all available by default")
    add("--progress", action=argparse.BooleanOptionalAction, default=None, help="bar on standard error")
    command.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    from . import checks
    from .checks.record import Record
    from .workers import in_threads

    names = options.names or _names(options.variant)
    how = {"variant": options.variant, "periods": options.periods, "whole": options.whole, "rtol": options.rtol}
    work: Any = functools.partial(checks.check_named, **how)
    if options.record:
        work = Record(options.record, **how).of
    found = dict(in_threads(work, names, threads=options.threads, label="check", show=options.progress))
    failed = {name: wrong for name, wrong in sorted(found.items()) if wrong}
    width = max((len(name) for name in failed), default=0)
    for name, wrong in failed.items():
        for problem in wrong:
            print(f"{name:<{width}}  {problem.check}: {problem.what}")
    print(f"{len(found) - len(failed)} of {len(found)} systems hold to the contract")
    return 1 if failed else 0


def _names(variant: str | None) -> list[str]:
    """All systems, or those with a variant of this name."""
    from . import registry
    from .exceptions import UnknownName

    rows = registry.systems().select("name", "variants").rows()
    names = [name for name, variants in rows if variant is None or variant in variants]
    if not names:
        raise UnknownName("variant", str(variant), sorted({each for _, variants in rows for each in variants}))
    return names


def _add_annotate(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("names", nargs="*", metavar="NAME", help="names, or paths of TOML files (default: all systems)")
    add("--measure", action="append", dest="measures", metavar="MEASURE", help="only this one; may be repeated")
    add("--again", action="store_true", help="measure even what is already there")
    add("--threads", type=int, help="all available by default")
    add("--progress", action=argparse.BooleanOptionalAction, default=None, help="bar on standard error")
    command.set_defaults(run=_annotate)


def _annotate(options: argparse.Namespace) -> int:
    from .annotate import annotate

    arguments = {key: value for key, value in vars(options).items() if key not in ("run", "names")}
    said = annotate(options.names or None, **arguments)
    width = max(map(len, said), default=0)
    for name, outcome in said.items():
        print(f"{name:<{width}}  {outcome}")
    return 1 if any(outcome.startswith("failed") for outcome in said.values()) else 0


def _add_generate(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("systems", nargs="*", default=["all"], metavar="SYSTEM", help='names, or "all"')
    add("--kind", choices=("flow", "map", "delay", "stochastic"), help="with all: only this kind")
    add("--tag", help="with all: only systems with this tag")
    add("--out", required=True, help="the folder to write to")
    add("-n", type=int, default=10_000, help="samples of each trajectory")
    density = command.add_mutually_exclusive_group()
    density.add_argument("--per-period", type=float, help="samples per dominant period (default: 100)")
    density.add_argument("--granularity", choices=("fine", "medium", "coarse"), help="100, 30 or 15 samples per period")
    add("--trajectories", type=_splits, default="train=1,validation=1,test=1", metavar="SPLIT=NUMBER,...",
        help="how many trajectories in each split")  # fmt: skip
    add("--seed", type=int, default=0, help="of initial states and noise")
    add("--rtol", type=float, default=1e-12, help="relative tolerance")
    add("--atol", type=float, help="absolute tolerance (default: what the system's entry says, else 1e-12)")
    add("--method", default="auto", help="of integration")
    add("--transient-periods", type=float, default=0.0, help="discarded after the usual burn-in")
    add("--noise", type=float, default=0.0, help="noise of observation, in standard deviations of each column")
    add("--forcing", type=float, default=0.0, help="white noise on flows, in standard deviations per root period")
    add("--univariate", action="store_true", help="keep the first column only")
    add("--observables", action="store_true", help="write the bounded view of systems that have one")
    add("--format", choices=("parquet", "numpy", "gluonts"), default="parquet", help="of the files")
    add("--dtype", choices=("float64", "float32"), default="float64", help="of the variables")
    add("--shard-bytes", type=int, default=16 << 20, help="samples of one file, in bytes")
    add("--on-exists", choices=("resume", "error", "replace"), default="resume", help="a dataset in the folder")
    add("--threads", type=int, help="all available by default")
    add(
        "--shards",
        type=_part,
        metavar="I/N",
        help="make part I of N only, beside other jobs; the same call without this then completes the dataset",
    )
    add("--progress", action=argparse.BooleanOptionalAction, default=None, help="bar on standard error")
    command.set_defaults(run=_generate)


def _splits(text: str) -> dict[str, int]:
    try:
        pairs = [part.split("=") for part in text.split(",")]
        return {split.strip(): int(number) for split, number in pairs}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form train=8,test=2") from None


def _part(text: str) -> tuple[int, int]:
    try:
        number, parts = map(int, text.split("/"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form 3/10") from None
    return number, parts


def _generate(options: argparse.Namespace) -> int:
    from . import registry
    from .dataset import generate

    arguments = {key: value for key, value in vars(options).items() if key not in ("run", "systems", "kind", "tag")}
    filters = {key: value for key, value in (("kind", options.kind), ("tag", options.tag)) if value is not None}
    if filters and options.systems != ["all"]:
        raise ValueError("--kind and --tag choose among all systems; leave out the names")
    systems = "all" if options.systems == ["all"] else options.systems
    print(generate(registry.systems(**filters) if filters else systems, **arguments))
    return 0


def _add_benchmark(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("task", help="name of a task, or path of a TOML file")
    add("--forecaster", action="append", dest="forecasters", metavar="NAME", default=None,
        help='a name, "all", "neural" or another extra, or module:Class; may be repeated (default: all of the default '
        "install)")  # fmt: skip
    add("--system", action="append", dest="systems", metavar="NAME", default=None, help="may be repeated")
    add("--out", required=True, help="the folder of the results")
    add("--processes", type=int, help="cells at once, one for each core by default")
    add("--budget", type=float, default=60.0, help="seconds for a cell")
    add("--on-exists", choices=("resume", "again", "replace"), default="resume", help="results in the folder")
    add("--progress", action=argparse.BooleanOptionalAction, default=None, help="bar on standard error")
    command.set_defaults(run=_benchmark)


def _benchmark(options: argparse.Namespace) -> int:
    from .analysis import leaderboard
    from .benchmark import benchmark, task

    arguments = {key: value for key, value in vars(options).items() if key != "run" and value is not None}
    frame = benchmark(arguments.pop("task"), arguments.pop("forecasters", "all"), **arguments)
    metric = task(options.task).metric
    for row in leaderboard(frame, metric).iter_rows(named=True):
        interval = f"{row['median']:9.4g}  ({row['low']:.4g} to {row['high']:.4g})"
        name = f"{row['setting']} {row['forecaster']}".strip()
        print(f"{name:<18} {interval}  rank {row['mean_rank']:.1f}")
    print(f"median {metric} with 95 % intervals, {frame['system'].n_unique()} systems; results in {options.out}")
    return 0


def _add_report(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("results", help="the folder of a benchmark")
    add("out", nargs="?", default="report.html", help="path of the page")
    add("--metric", help="to rank by (default: that of the task)")
    add("--catalogue", action=argparse.BooleanOptionalAction, default=True, help="draw the map of the systems")
    add("--pictures", type=int, default=8, help="systems shown with their forecasts")
    command.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from .reporting import report

    print(report(options.results, **{k: v for k, v in vars(options).items() if k not in ("run", "results")}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
