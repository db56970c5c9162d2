"""The benchmark: frozen tasks, cells that fail as results, resuming, executors, and the command line."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import bestiary as bst
from bestiary import cli
from bestiary.benchmark import benchmark, provenance, read, task, tasks
from bestiary.benchmark.entrants import DirectForest, entrants
from bestiary.benchmark.run import JOURNAL, MEASURED, RESULTS
from bestiary.forecast import Forecaster, LastValue, RandomForest

SYSTEMS = ["Lorenz", "Rossler"]
NAMES = ["Drift", "LastValue", "Mean"]


class Fails(LastValue):
    def _predict(self, past, horizon):
        raise ArithmeticError("on purpose")


class Sleeps(LastValue):
    def _predict(self, past, horizon):
        time.sleep(60)


class Dies(LastValue):
    def _predict(self, past, horizon):
        import os

        os._exit(7)


class Escapes(LastValue):
    def _predict(self, past, horizon):
        return np.full((horizon, past.shape[1]), np.inf)


def repeats(context, horizon):
    return np.resize(context[-50:], (horizon, context.shape[1]))


def same(a: pl.DataFrame, b: pl.DataFrame) -> None:
    assert_frame_equal(a.drop(MEASURED), b.drop(MEASURED), check_exact=True)


def test_texts_are_frozen() -> None:
    assert {name: task(name).hash for name in tasks()} == json.loads(
        (Path(__file__).parents[1] / "golden" / "task_hashes.json").read_text()
    )


def test_data_are_made_again_to_the_bit_and_differ_where_they_should() -> None:
    fine = task("dysts-2021-fine")
    a, b = fine.data("Lorenz"), fine.data("Lorenz")
    assert a.sha256 == b.sha256
    assert np.array_equal(a.test, b.test)
    assert a.sha256 != fine.data("Rossler").sha256
    assert not np.array_equal(a.tuning, a.test[0])
    train, truth = a.part(0)
    run = bst.system("Lorenz", variant="dysts").ensemble(2, 1200, per_period=100, seed=2021)[1]
    assert np.array_equal(np.concatenate([train, truth])[:, 0], run.x[:, 0])
    assert np.isnan(a.exponent)  # the form of the collection has another beta, of which nothing is measured


def test_exponents_of_an_entry_hold_for_a_form_with_the_same_equations_and_parameters() -> None:
    assert task("dysts-2021-fine").data("Rossler").exponent == bst.system("Rossler").largest_exponent


def test_a_shorter_training_series_forecasts_the_same_truth() -> None:
    limited = task("data-limited")
    long, short = limited.settings[0], limited.settings[-1]
    assert (long.train, short.train) == (1000, 101)
    one, other = limited.data("Rossler", long), limited.data("Rossler", short)
    assert np.array_equal(one.part(0)[1], other.part(0)[1])
    assert np.array_equal(one.part(0)[0][-101:], other.part(0)[0])


def test_noise_has_the_size_that_the_setting_says() -> None:
    noise = task("noise")
    clean, noisy = (noise.data("Lorenz", noise.settings[i]).test[0] for i in (0, 9))
    assert np.std(noisy - clean) == pytest.approx(5 * clean.std(), rel=0.1)


def test_lags_go_with_the_granularity() -> None:
    sweep = task("granularity")
    assert sweep.candidates("Linear", sweep.settings[-1])[0] == {"lags": 9}
    assert sweep.candidates("Linear", sweep.settings[0]) == [{"lags": 1}]
    assert [s.horizon for s in sweep.settings][:2] == [10, 16]


def test_lyapunov_sampling_counts_in_lyapunov_times() -> None:
    data = task("lyapunov").data("Lorenz")
    assert data.test.shape == (20, 812, 3)
    assert data.dt * 30 * data.exponent == pytest.approx(1.0)


def test_failures_are_results(tmp_path: Path) -> None:
    frame = benchmark("dysts-2021-coarse", [Fails, Escapes, "Mean"], "Lorenz", out=tmp_path, processes=0)
    said = {
        name: (outcome, message) for name, outcome, message in frame.select("forecaster", "outcome", "message").rows()
    }
    assert said["Fails"] == ("failed", "ArithmeticError: on purpose")
    assert said["Escapes"] == ("escaped", "the forecast went to infinity")
    assert said["Mean"] == ("ok", None)
    board = frame.bestiary.leaderboard()
    assert board.filter(forecaster="Fails").select("median", "missing").row(0) == (200.0, 1)


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="the test module is imported by name")
def test_a_cell_that_hangs_or_dies_costs_itself_only(tmp_path: Path) -> None:
    where = Path(__file__).parent
    import sys

    sys.path.insert(0, str(where))
    try:
        who = ["test_benchmark:Sleeps", "test_benchmark:Dies", "Mean"]
        frame = benchmark("dysts-2021-coarse", who, "Rossler", out=tmp_path, processes=1, budget=8.0)
    finally:
        sys.path.remove(str(where))
    said = dict(frame.select("forecaster", "outcome").rows())
    assert said == {"Sleeps": "budget", "Dies": "crashed", "Mean": "ok"}
    assert frame.filter(forecaster="Dies")["message"][0] == "its process ended with code 7"


def test_a_killed_run_that_is_resumed_equals_an_unbroken_one(tmp_path: Path) -> None:
    whole = benchmark("dysts-2021-coarse", NAMES, SYSTEMS, out=tmp_path / "a", processes=0)
    benchmark("dysts-2021-coarse", NAMES, SYSTEMS, out=tmp_path / "b", processes=0)
    path = tmp_path / "b" / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 7
    path.write_bytes(b"".join(lines[:4]) + lines[4][:30])  # killed while it wrote the fourth result
    (tmp_path / "b" / RESULTS).unlink()
    assert read(tmp_path / "b").height == 3
    same(benchmark("dysts-2021-coarse", NAMES, SYSTEMS, out=tmp_path / "b", processes=0), whole)
    same(read(tmp_path / "b"), whole)
    same(pl.read_parquet(tmp_path / "b" / RESULTS), whole)


def test_processes_executors_and_this_process_give_the_same(tmp_path: Path) -> None:
    here = benchmark("dysts-2021-coarse", NAMES, SYSTEMS, out=tmp_path / "a", processes=0)
    same(benchmark("dysts-2021-coarse", NAMES, SYSTEMS, out=tmp_path / "b", processes=2), here)
    with ThreadPoolExecutor(2) as executor:
        same(benchmark("dysts-2021-coarse", NAMES, SYSTEMS, out=tmp_path / "c", executor=executor), here)


def test_more_forecasters_join_later_and_others_are_refused(tmp_path: Path) -> None:
    benchmark("dysts-2021-coarse", ["Mean"], ["Lorenz"], out=tmp_path, processes=0)
    frame = benchmark("dysts-2021-coarse", {"again": repeats}, ["Lorenz"], out=tmp_path, processes=0)
    assert frame["forecaster"].to_list() == ["Mean", "again"]
    assert set(provenance(tmp_path)["forecasters"]) == {"Mean", "again"}
    with pytest.raises(bst.DatasetError, match="task_hash"):
        benchmark("dysts-2021-fine", ["Mean"], ["Lorenz"], out=tmp_path, processes=0)
    with pytest.raises(bst.DatasetError, match="again: there"):
        benchmark("dysts-2021-coarse", {"again": LastValue}, ["Lorenz"], out=tmp_path, processes=0)


def test_tuning_sees_the_tuning_trajectory_only(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    frame = benchmark("dysts-2021-coarse", ["Linear"], ["Lorenz"], out=tmp_path, processes=0)
    data = task("dysts-2021-coarse").data("Lorenz")
    train, truth = data.part(-1)
    errors = {
        lags: float(np.mean((bst.forecast.forecaster("Linear", lags=lags).fit(train).predict(30) - truth) ** 2))
        for lags in (3, 5, 10)
    }
    assert frame["chosen"][0] == f"lags={min(errors, key=errors.get)}"


def test_direct_forest_learns_values(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    x = bst.system("Rossler").trajectory(400, per_period=30).x
    fast = DirectForest(trees=5, lags=3).fit(x)

    class Plain(DirectForest):
        def _step(self, keys):
            return RandomForest._step(self, keys) - keys[:, -3:]

    assert np.array_equal(fast.predict(30), Plain(trees=5, lags=3).fit(x).predict(30))
    # Means of values seen: never outside the range of the past, as sums of changes may be.
    assert (fast.predict(100) <= x.max(axis=0) + 1e-9).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "dyst-2021"}, 'did you mean "dysts-2021'),
        ({"forecasters": ["NVARR"]}, "NVAR"),
        ({"forecasters": []}, "names none"),
        ({"forecasters": ["no_such_module:Model"]}, "cannot be imported"),
        ({"forecasters": ["Mean", "Mean"]}, "several forecasters are named Mean"),
        ({"forecasters": {"a": lambda context, horizon: context}}, "another process"),
        ({"forecasters": [3]}, "no forecaster"),
        ({"systems": ["Lorentz"]}, 'did you mean "Lorenz"'),
        ({"processes": -1}, "processes"),
        ({"on_exists": "append"}, "on_exists"),
    ],
)
def test_wrong_requests(tmp_path: Path, arguments: dict, message: str) -> None:
    request = {"task": "dysts-2021-coarse", "forecasters": ["Mean"], "systems": ["Lorenz"], "processes": 0} | arguments
    with pytest.raises(ValueError, match=message):
        benchmark(**request, out=tmp_path)


def test_all_are_those_of_the_default_install() -> None:
    found = entrants("all")
    assert {"Mean", "NVAR", "EchoState"} <= {one.name for one in found}
    assert all(isinstance(one.forecaster, Forecaster) and one.forecaster.extra is None for one in found)


def test_the_systems_of_a_task_and_their_aliases_are_known(tmp_path: Path) -> None:
    frame = benchmark("dysts-2021-coarse", "Mean", ["Bouali2"], out=tmp_path, processes=0)
    assert frame["system"].to_list() == ["Bouali2"]
    assert {name for chosen in tasks() for name in task(chosen).systems if not bst.system(name)} == set()


def test_overlapping_trajectories_are_refused() -> None:
    from bestiary.benchmark.task import _refuse_overlap

    x = np.random.default_rng(0).standard_normal((400, 1))
    with pytest.raises(bst.RequestError, match="could be copied"):
        _refuse_overlap("planted", np.array([x[:300], x[100:]]))
    _refuse_overlap("clean", np.array([x[:200], x[200:]]))


def test_the_command_line_and_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ["benchmark", "dysts-2021-coarse", "--forecaster", "Mean", "--forecaster", "LastValue", "--processes", "0"]
    for name in (*SYSTEMS, "Chua", "SprottA"):
        run += ["--system", name]
    assert cli.main([*run, "--out", str(tmp_path)]) == 0
    assert "median smape with 95 % intervals, 4 systems" in capsys.readouterr().out
    page = tmp_path / "page.html"
    assert cli.main(["report", str(tmp_path), str(page), "--pictures", "2"]) == 0
    text = page.read_text(encoding="utf-8")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "nan" not in "".join(part.split("</svg>")[0] for part in text.split("<svg")[1:])
    for title in (
        "Leaderboard",
        "Ranks",
        "Error against time ahead",
        "Cost",
        "Forecasts",
        "Map of the systems",
        "Outcomes",
    ):
        assert f"<h2>{title}</h2>" in text
    assert cli.main(["report", str(tmp_path / "nothing"), str(page)]) == 2


def test_free_runs_are_measured_beside_the_truth(tmp_path: Path) -> None:
    text = task("reconstruction").text.replace("10000", "3000")
    path = tmp_path / "short.toml"
    path.write_text(text)
    frame = benchmark(path, ["LocalLinear", "Mean"], ["Rossler"], out=tmp_path / "out", processes=0)
    own, rest = frame.sort("forecaster").iter_rows(named=True)
    for name in ("largest_exponent", "correlation_dimension"):
        apart = abs(own[f"own_{name}"] - own[f"own_{name}_truth"])
        assert apart < 4 * np.hypot(own[f"own_{name}_error"], own[f"own_{name}_truth_error"])
        assert rest[f"own_{name}"] is None  # a point has neither
        assert rest[f"own_{name}_truth"] == own[f"own_{name}_truth"]
    train, truth = task(path).data("Rossler").part(0)
    assert own["hellinger_distance_floor"] == bst.metrics.hellinger_distance(truth, train)
    page = tmp_path / "page.html"
    assert cli.main(["report", str(tmp_path / "out"), str(page), "--pictures", "0"]) == 0
    assert "<h2>Own attractors</h2>" in page.read_text(encoding="utf-8")
    for old, new, message in (
        ('["largest_exponent",', '["largest_exponents",', 'did you mean "largest_exponent"'),
        ('floors = ["state_space_divergence"', 'floors = ["smape"', "metric with a floor"),
    ):
        path.write_text(text.replace(old, new))
        with pytest.raises(bst.RequestError, match=message):
            task(path)
