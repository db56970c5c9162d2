"""Correlations, transport, spectra and dimensions against SciPy, to 1e-10."""

import numpy as np
import pytest

import bestiary as bst
from bestiary import metrics

stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed")
EXACT = dict(rtol=1e-10, atol=1e-12)


def samples(kind, seed, n=300):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    p = 0.5 * y + rng.normal(size=n)
    if kind == "ties":
        return np.round(2 * y), np.round(2 * p)
    if kind == "near ties":  # differ only in the last digits of the number
        return 1 + y * 1e-15, 1 + p * 1e-15
    if kind == "signed zeros":
        return np.where(y > 0, 0.0, -0.0) + (y > 1), np.round(p)
    return y, p


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["plain", "ties", "near ties", "signed zeros"])
def test_correlations(kind, seed):
    y, p = samples(kind, seed)
    np.testing.assert_allclose(metrics.spearman(y, p), stats.spearmanr(y, p).statistic, **EXACT)
    np.testing.assert_allclose(metrics.kendall(y, p), stats.kendalltau(y, p).statistic, **EXACT)
    if kind != "near ties":
        np.testing.assert_allclose(metrics.pearson(y, p), stats.pearsonr(y, p).statistic, **EXACT)


def test_correlations_of_several_variables_pooled():
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(2, 100, 3)) + np.array([0.0, 2.0, 5.0])
    for ours, theirs in (
        (metrics.pearson, stats.pearsonr),
        (metrics.spearman, stats.spearmanr),
        (metrics.kendall, stats.kendalltau),
    ):
        expected = theirs(y.ravel(), p.ravel()).statistic
        np.testing.assert_allclose(ours(y, p, variables="pooled"), expected, **EXACT)


@pytest.mark.parametrize(("n", "m"), [(50, 50), (50, 73), (200, 1), (1, 1)])
def test_wasserstein(n, m):
    rng = np.random.default_rng(n + m)
    y, p = rng.normal(size=n), rng.normal(size=m) * 2 + 1
    np.testing.assert_allclose(metrics.wasserstein(y, p), stats.wasserstein_distance(y, p), **EXACT)


@pytest.mark.parametrize("order", [1.0, 2.0, 3.5])
def test_transport_in_one_dimension_is_an_assignment(order):
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(3)
    y, p = rng.normal(size=(2, 40))
    costs = np.abs(y[:, None] - p[None, :]) ** order
    expected = costs[linear_sum_assignment(costs)].mean() ** (1 / order)
    np.testing.assert_allclose(metrics.wasserstein(y, p, order=order), expected, **EXACT)
    np.testing.assert_allclose(metrics.sliced_wasserstein(y, p, order=order), expected, **EXACT)


def test_the_sliced_distance_approaches_its_mean():
    """Of one cloud moved by a in d dimensions, W2 along a line is a |cos|, and the mean of cos² is 1/d."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 4))
    apart = x + np.eye(4)[0] * 3
    value = metrics.sliced_wasserstein(x, apart, directions=4000)
    # cos² has variance 2 (d - 1) / (d² (d + 2)); four standard errors of the mean of 4000
    spread = 4 * 9 * np.sqrt(2 * 3 / (16 * 6) / 4000)
    assert abs(value**2 - 9 / 4) < spread


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 30, 97, 128, 600, 1001])
@pytest.mark.parametrize(
    ("smoothing", "boundary"), [(0.0, "reflect"), (2.5, "reflect"), (20.0, "reflect"), (20.0, "mirror")]
)
def test_power_spectrum(n, smoothing, boundary):
    from scipy.ndimage import gaussian_filter1d

    x = np.random.default_rng(n).normal(size=(n, 2)).cumsum(axis=0)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    power = np.abs(np.fft.rfft(z, axis=0)) ** 2
    if smoothing:
        power = gaussian_filter1d(power, smoothing, axis=0, mode=boundary)
    # the transform's own error, relative to the whole
    np.testing.assert_allclose(
        metrics.power_spectrum(x, smoothing=smoothing, boundary=boundary),
        power / power.sum(axis=0),
        rtol=1e-10,
        atol=1e-13,
    )


def test_crps_is_the_distance_of_distributions():
    """The score of an ensemble is the integral of (F - step)²: half the energy distance squared, from SciPy."""
    rng = np.random.default_rng(5)
    samples, truth = rng.normal(size=(25, 6)), rng.normal(size=6)
    expected = [stats.energy_distance(samples[:, t], [truth[t]]) ** 2 / 2 for t in range(6)]
    np.testing.assert_allclose(metrics.crps(truth, samples, variables="times")[:, 0], expected, **EXACT)


def test_crps_of_a_gaussian():
    """Gneiting & Raftery 2007: of N(0, 1) at y it is y (2 Phi(y) - 1) + 2 phi(y) - 1/sqrt(pi)."""
    n, y = 4000, 0.7
    samples = stats.norm.ppf((np.arange(n) + 0.5) / n)[:, None]
    expected = y * (2 * stats.norm.cdf(y) - 1) + 2 * stats.norm.pdf(y) - 1 / np.sqrt(np.pi)
    # midpoints of n equal parts leave an error of order 1/n at the tails
    assert abs(metrics.crps([y], samples) - expected) < 5 / n


def test_dimension_distances():
    from scipy.spatial.distance import pdist

    x = np.random.default_rng(0).uniform(size=(300, 2))
    line = np.outer(np.random.default_rng(1).uniform(size=300), [1.0, 2.0])

    def takens(points):
        r = np.sort(pdist(points))
        cut = int((len(r) - 1) * 0.05)
        return -1 / np.mean(np.log(r[:cut] / r[cut]))

    value = metrics.correlation_dimension_error(x, line, quantile=0.05, window=1)
    np.testing.assert_allclose(value, abs(takens(x) - takens(line)), rtol=1e-9)


def test_mixture_divergence_against_the_densities():
    """Of two Gaussians a apart with variance s, D = a² / (2 s); the mean over draws has a known standard error."""
    a, s, n = 1.5, 0.5, 20_000
    zero, moved = np.zeros((1, 6)), np.eye(6)[:1] * a
    value = metrics.state_space_divergence(zero, moved, method="mixture", variance=s, samples=n)
    # the logarithm of the ratio is Gaussian with mean a²/2s and variance a²/s
    assert abs(value - a**2 / (2 * s)) < 5 * np.sqrt(a**2 / s / n)
    assert bst.metrics.state_space_divergence(zero, moved, variance=s, samples=n) == value
