"""The command line: what it prints, where, and with which exit code."""

import os
import subprocess
import sys

import polars as pl
import pytest

import bestiary as bst
from bestiary import cli


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"bestiary {bst.__version__}\n"


def test_list(capsys):
    assert cli.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{len(bst.systems())} systems"
    names = bst.systems()["name"].to_list()
    assert all(any(line.split()[:1] == [name] for line in lines) for name in names)


def test_list_one_kind_sorted(capsys):
    assert cli.main(["list", "--kind", "map", "--sort", "period"]) == 0
    out = capsys.readouterr().out
    assert "Henon" in out
    assert "Rossler" not in out


def test_show(capsys):
    assert cli.main(["show", "Lorenz"]) == 0
    out = capsys.readouterr().out
    for words in ("Lorenz (flow, 3 variables)", "sigma", "x' =", "beta = 2.666666667", "Lorenz, E. N. (1963)"):
        assert words in out
    dots = [character for character in out if "\u2801" <= character <= "\u28ff"]
    assert len(dots) > 100


def test_show_without_picture(capsys):
    assert cli.main(["show", "Henon", "--no-picture"]) == 0
    assert not [character for character in capsys.readouterr().out if "\u2801" <= character <= "\u28ff"]


def test_generate(tmp_path, capsys):
    arguments = ["--out", str(tmp_path), "-n", "50", "--trajectories", "train=2,test=1", "--granularity", "coarse"]
    assert cli.main(["generate", "Lorenz", "Henon", *arguments, "--rtol", "1e-9"]) == 0
    assert "2 systems, 6 trajectories, 300 rows in 4 files" in capsys.readouterr().out
    frame = pl.read_parquet(tmp_path / "Lorenz" / "train-*.parquet")
    assert frame["time"][1] == bst.system("Lorenz").period / 15


def test_every_argument_of_generate_is_an_option():
    import inspect

    from bestiary.dataset import generate

    options = cli._parser().parse_args(["generate", "--out", "data"])
    missing = set(inspect.signature(generate).parameters) - set(vars(options)) - {"executor"}
    assert not missing
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(generate).parameters.items()
        if name not in ("systems", "out", "executor")
    }
    assert {name: getattr(options, name) for name in defaults} == defaults


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "Lorentz"], 'did you mean "Lorenz"?'),
        (["list", "--sort", "colour"], "cannot sort by 'colour'"),
        (["generate", "Lorenz", "--out", "OUT", "-n", "-1"], "n must be"),
        (["generate", "Lorenz", "--out", "OUT", "--kind", "map"], "leave out the names"),
    ],
)
def test_wrong_requests_say_so_without_a_traceback(arguments, words, tmp_path, capsys):
    arguments = [str(tmp_path / "data") if argument == "OUT" else argument for argument in arguments]
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_wrong_options(capsys):
    for arguments in ([], ["generate"], ["generate", "--out", "x", "--trajectories", "train"], ["nonsense"]):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        assert stop.value.code == 2
    assert "is not of the form train=8,test=2" in capsys.readouterr().err


def test_ctrl_c(monkeypatch, tmp_path, capsys):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt("interrupted: 3 of 9 files are finished; the same call continues")

    monkeypatch.setattr("bestiary.dataset.generate", interrupted)
    assert cli.main(["generate", "Lorenz", "--out", str(tmp_path)]) == 130
    assert "3 of 9 files" in capsys.readouterr().err


def test_ctrl_c_that_brings_no_words_is_named(monkeypatch, capsys):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("bestiary.annotate.annotate", interrupted)
    assert cli.main(["annotate", "Lorenz"]) == 130
    assert capsys.readouterr().err == "\nbestiary: interrupted\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes of Unix")
def test_a_reader_that_leaves_early_is_no_error():
    command = [sys.executable, "-m", "bestiary.cli", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
