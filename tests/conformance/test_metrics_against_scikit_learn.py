"""Metrics against scikit-learn's, and mutual information against its estimator, to 1e-10."""

import numpy as np
import pytest

import bestiary as bst

learn = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
EXACT = dict(rtol=1e-10, atol=1e-12)


def pair(seed, n=200, d=3, positive=False):
    rng = np.random.default_rng(seed)
    y, p = rng.normal(size=(2, n, d)) * [1.0, 30.0, 0.01][:d] + 0.3
    return (np.abs(y), np.abs(p)) if positive else (y, p)


@pytest.mark.parametrize("seed", range(5))
def test_errors(seed):
    y, p = pair(seed)
    metrics = bst.metrics
    np.testing.assert_allclose(metrics.mse(y, p), learn.mean_squared_error(y, p), **EXACT)
    np.testing.assert_allclose(metrics.rmse(y, p, variables="mean"), learn.root_mean_squared_error(y, p), **EXACT)
    np.testing.assert_allclose(metrics.mae(y, p), learn.mean_absolute_error(y, p), **EXACT)
    np.testing.assert_allclose(metrics.mape(y, p), 100 * learn.mean_absolute_percentage_error(y, p), **EXACT)
    np.testing.assert_allclose(metrics.r2(y, p), learn.r2_score(y, p), **EXACT)
    np.testing.assert_allclose(
        metrics.r2(y, p, variables="each"), learn.r2_score(y, p, multioutput="raw_values"), **EXACT
    )
    np.testing.assert_allclose(metrics.r2(y, p, variables="pooled"), learn.r2_score(y.ravel(), p.ravel()), **EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_logarithmic_error(seed):
    y, p = pair(seed, positive=True)
    expected = learn.root_mean_squared_log_error(y, p)
    np.testing.assert_allclose(bst.metrics.rmsle(y, p), expected, **EXACT)


@pytest.mark.parametrize("neighbours", [1, 3, 10])
@pytest.mark.parametrize("seed", range(3))
def test_mutual_information(seed, neighbours):
    regression = pytest.importorskip("sklearn.feature_selection").mutual_info_regression
    rng = np.random.default_rng(seed)
    y = rng.normal(size=500)
    for p in (y + rng.normal(size=500), np.sin(3 * y) + 0.1 * rng.normal(size=500), rng.normal(size=500)):
        expected = regression(y[:, None], p, n_neighbors=neighbours, random_state=0)[0]
        np.testing.assert_allclose(bst.metrics.mutual_information(y, p, neighbours=neighbours), expected, **EXACT)


def test_the_divergence_uses_the_nearest_neighbours():
    """The k-th neighbours of our tree are those of scikit-learn, seen through the divergence that is made of them."""
    neighbors = pytest.importorskip("sklearn.neighbors")
    rng = np.random.default_rng(0)
    for d in (1, 2, 3, 7):
        p, q = rng.normal(size=(400, d)), rng.normal(size=(300, d)) + 0.2
        for k in (1, 5):
            own = neighbors.NearestNeighbors().fit(p).kneighbors(p, k + 1)[0][:, k]
            other = neighbors.NearestNeighbors().fit(q).kneighbors(p, k)[0][:, k - 1]
            expected = d * np.mean(np.log(other / own)) + np.log(300 / 399)
            np.testing.assert_allclose(bst.metrics.kl_divergence(p, q, neighbours=k), expected, rtol=1e-10)


def test_discrepancy():
    kernel = pytest.importorskip("sklearn.metrics.pairwise").rbf_kernel
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(150, 3)), rng.normal(size=(120, 3)) + 0.5
    gamma = 1 / (2 * 0.8**2)
    expected = kernel(x, x, gamma).mean() + kernel(y, y, gamma).mean() - 2 * kernel(x, y, gamma).mean()
    np.testing.assert_allclose(bst.metrics.mmd(x, y, bandwidth=0.8, squared=True), expected, rtol=1e-10)
