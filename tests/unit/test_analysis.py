"""The tables: exact small cases, and agreement with SciPy where it is there."""

import numpy as np
import polars as pl
import pytest

import bestiary as bst
from bestiary import analysis
from bestiary.analysis import statistics


def rows(table: dict[str, list[float]]) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame({"system": [f"s{i}" for i in range(len(errors))], "forecaster": name, "smape": errors})
        for name, errors in table.items()
    )


def test_statistics_agree_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(1)
    x, y = generator.integers(0, 8, 40).astype(float), generator.standard_normal(40)
    assert np.array_equal(statistics.ranks(x), stats.rankdata(x))
    assert statistics.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    for value, degrees in ((0.3, 1), (5.0, 4), (40.0, 20), (200.0, 20)):
        assert statistics.chi_square_tail(value, degrees) == pytest.approx(stats.chi2.sf(value, degrees), rel=1e-9)
    for k in (2, 5, 20):
        assert statistics.studentized_range(k) == pytest.approx(stats.studentized_range.ppf(0.95, k, np.inf), abs=2e-4)
    low, high = statistics.proportion_interval(7, 20, 0.95)
    exact = stats.binomtest(7, 20).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_friedman_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    table = np.round(np.random.default_rng(2).uniform(0, 5, (30, 4)))  # with ties
    found = analysis.average_ranks(rows({name: table[:, i].tolist() for i, name in enumerate("abcd")}))
    assert found.p == pytest.approx(stats.friedmanchisquare(*table.T).pvalue, rel=1e-9)
    # Demsar (2006), table 5: q = 2.569 for four.
    assert found.critical_difference == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 30)), rel=1e-3)


def test_leaderboard_counts_what_is_missing_as_the_worst() -> None:
    board = analysis.leaderboard(rows({"good": [1.0, 2.0, 3.0], "bad": [None, float("nan"), 0.5]}))
    assert board.select("forecaster", "median", "wins", "missing").rows() == [
        ("good", 2.0, 2.0, 0),
        ("bad", 200.0, 1.0, 2),
    ]


def test_bootstrap_intervals_cover_the_median() -> None:
    generator = np.random.default_rng(3)
    inside = 0
    for _ in range(100):
        row = analysis.leaderboard(rows({"a": (50 + 10 * generator.standard_normal(60)).tolist()}), resamples=300)
        inside += row["low"][0] <= 50 <= row["high"][0]
    # 95 of 100 with a standard deviation of 2.2; the percentile interval of a median is a little short.
    assert 87 <= inside <= 100


def test_a_planted_correlation_is_found_and_none_where_there_is_none() -> None:
    generator = np.random.default_rng(4)
    exponent = generator.uniform(0, 1, 80)
    frame = rows({"a": (exponent + 0.2 * generator.standard_normal(80)).tolist()})
    facts = pl.DataFrame(
        {"system": [f"s{i}" for i in range(80)], "exponent": exponent, "other": generator.uniform(0, 1, 80)}
    )
    found = {row["invariant"]: row for row in analysis.correlations(frame, facts).iter_rows(named=True)}
    assert found["exponent"]["low"] > 0.5
    assert found["other"]["low"] < 0 < found["other"]["high"]


def test_parroting_is_told_from_forecasting() -> None:
    x = bst.system("Lorenz").trajectory(3000, per_period=30).x
    past, truth = x[:2000], x[2000:2060]
    copy = bst.forecast.ContextParroting().fit(past).predict(60)
    fair = bst.forecast.LocalLinear().fit(past).predict(60)
    assert analysis.parroting_index(copy, past, truth) < 1e-9
    assert analysis.parroting_index(fair, past, truth) > 0.1
    assert analysis.parroting_index(truth, past, truth) == 1.0
    with pytest.raises(bst.RequestError, match="columns"):
        analysis.parroting_index(copy[:, 0], past, truth)


def test_features_do_not_depend_on_unit_or_offset() -> None:
    x = bst.system("Rossler").trajectory(1000, per_period=50).x[:, 0]
    one, other = analysis.series_features(x), analysis.series_features(3.5 * x - 200)
    assert one == pytest.approx(other, rel=1e-6, abs=1e-9)


def test_planted_groups_are_found_and_kept_together_on_the_map() -> None:
    generator = np.random.default_rng(5)
    centres = np.tile(6.0 * np.eye(3), 4)  # equally far from each other
    table = np.concatenate([centre + 0.3 * generator.standard_normal((12, 12)) for centre in centres])
    labels, silhouette = analysis.clusters(table)
    truth = np.repeat([0, 1, 2], 12)
    assert all(len(set(labels[truth == k])) == 1 for k in range(3))
    assert len(set(labels)) == 3
    assert silhouette > 0.25
    plane = analysis.embedding(table)
    apart = ((plane[:, None] - plane[None]) ** 2).sum(axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert (truth[apart.argmin(axis=1)] == truth).mean() > 0.9
    assert np.array_equal(plane, analysis.embedding(table))


def test_wrong_frames_are_refused() -> None:
    with pytest.raises(bst.RequestError, match='unknown column "smap"'):
        analysis.leaderboard(rows({"a": [1.0]}), "smap")
    with pytest.raises(bst.RequestError, match="no system has results of all"):
        analysis.leaderboard(pl.concat([rows({"a": [1.0]}), rows({"b": [1.0, 2.0]}).filter(system="s1")]))


def test_free_runs_are_set_beside_the_truth_and_its_floors() -> None:
    frame = pl.DataFrame(
        {
            "system": ["A", "B", "C"] * 2,
            "forecaster": ["near"] * 3 + ["gone"] * 3,
            "outcome": ["ok"] * 3 + ["escaped"] * 3,
            "hellinger_distance": [0.2, 0.3, 0.4, None, None, None],
            "hellinger_distance_floor": [0.1] * 6,
            "own_largest_exponent": [0.9, 2.2, 7.0, None, None, None],
            "own_largest_exponent_truth": [1.0, 2.0, 0.01] * 2,
            "own_largest_exponent_truth_error": [0.1] * 6,
        }
    )
    found = {(row[0], row[1]): row[2:] for row in frame.bestiary.attractors().iter_rows()}  # type: ignore[attr-defined]
    exponent, distance = "largest_exponent, relative difference", "hellinger_distance, above its floor"
    assert found["near", distance][0] == pytest.approx(0.2)
    assert found["near", exponent][0] == pytest.approx(0.1)
    assert found["near", exponent][3] == 2  # the third system has no exponent that is told from zero
    assert found["gone", exponent][0] == found["gone", distance][0] == np.inf
    with pytest.raises(bst.RequestError, match="reconstruction"):
        analysis.attractors(rows({"a": [1.0]}))


def test_which_method_is_good_where() -> None:
    frame = rows({"a": [1.0, 1.0, 9.0, 9.0], "b": [5.0] * 4})
    groups = pl.DataFrame({"system": ["s0", "s1", "s2"], "group": [2, 2, 3]})
    found = analysis.best_where(frame, groups).select("group", "forecaster", "median", "systems").rows()
    assert found == [("2", "a", 1.0, 2), ("2", "b", 5.0, 2), ("3", "b", 5.0, 1), ("3", "a", 9.0, 1)]
    twice = pl.concat([frame.with_columns(setting=pl.lit(name)) for name in "xy"])
    with pytest.raises(bst.RequestError, match="several settings"):
        analysis.best_where(twice, groups)
