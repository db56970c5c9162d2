"""The same numbers as nolds and antropy, where they measure the same. Skipped where these are not installed."""

import numpy as np
import pytest

import bestiary as bst
from bestiary import measures as m

SERIES = bst.system("Henon").trajectory(1500, transient=100).x[:, 0].copy()
NOISE = np.random.default_rng(0).normal(size=1500)


def peer(name: str):
    try:
        return __import__(name)
    except (ImportError, TypeError) as error:  # nolds 0.6.3 does not load its data on Python 3.11
        pytest.skip(f"{name}: {error}")


@pytest.mark.parametrize("x", [SERIES, NOISE], ids=["henon", "noise"])
def test_correlation_sum(x) -> None:
    nolds = peer("nolds")
    radii = np.geomspace(0.1, 0.6, 12) * x.std()
    norm = nolds.measures.rowwise_euclidean
    slope, (_, sums, _) = nolds.corr_dim(x, 3, rvals=radii, dist=norm, fit="poly", debug_data=True)
    _, ours = m.correlation_sum(m.embed(x, 3), radii, window=0, norm="euclidean")
    # The diagonal of nolds' matrix of distances is counted as well.
    ours = ours + 1 / (len(x) - 3)
    np.testing.assert_allclose(np.log(ours), sums, rtol=1e-12)
    np.testing.assert_allclose(np.polyfit(np.log(radii), np.log(ours), 1)[0], slope, rtol=1e-9)


@pytest.mark.parametrize("x", [SERIES, NOISE], ids=["henon", "noise"])
def test_divergence_curve(x) -> None:
    nolds = peer("nolds")
    _, (_, curve, _) = nolds.lyap_r(x, emb_dim=3, lag=1, min_tsep=10, trajectory_len=12, fit="poly", debug_data=True)
    np.testing.assert_allclose(m.divergence_curve(m.embed(x, 3), 11, window=10), curve, rtol=1e-9)


@pytest.mark.parametrize("x", [SERIES, NOISE], ids=["henon", "noise"])
def test_sample_entropy(x) -> None:
    ours = m.sample_entropy(x).value
    assert ours == pytest.approx(peer("antropy").sample_entropy(x), rel=1e-9)
    # nolds takes one vector more at the lower dimension.
    theirs = peer("nolds").sampen(x, 2, tolerance=0.2 * x.std(), closed=True)
    assert ours == pytest.approx(theirs, abs=3 / len(x))


@pytest.mark.parametrize("x", [SERIES, NOISE], ids=["henon", "noise"])
def test_other_entropies(x) -> None:
    antropy = peer("antropy")
    assert m.permutation_entropy(x, 4).value / np.log(2) == pytest.approx(antropy.perm_entropy(x, 4), rel=1e-9)
    # antropy's radius is in units of the standard deviation with n - 1.
    radius = 0.2 * x.std(ddof=0)
    assert m.approximate_entropy(x, radius=radius).value == pytest.approx(antropy.app_entropy(x, 2), rel=1e-9)


def test_lempel_ziv() -> None:
    antropy = peer("antropy")
    symbols = (NOISE > 0).astype(int)
    assert m.lempel_ziv(symbols).settings["words"] == antropy.lziv_complexity(symbols.tolist())
