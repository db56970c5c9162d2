"""
Metrics against the formulas of the papers and packages they come from, written out once more with NumPy, and against
trusted packages where those are installed.
"""

import numpy as np
import pytest

from bestiary import metrics

EXACT = dict(rtol=1e-10, atol=1e-12)


def pair(seed, n=120, d=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, n, d)) * [1.0, 30.0, 0.01][:d] + 0.3


# As documented by Darts 0.48: one value a component, then the mean.
DARTS = {
    "smape": lambda y, p: 200 * np.mean(np.abs(y - p) / (np.abs(y) + np.abs(p))),
    "mape": lambda y, p: 100 * np.mean(np.abs((y - p) / y)),
    "wape": lambda y, p: 100 * np.sum(np.abs(y - p)) / np.sum(np.abs(y)),
    "marre": lambda y, p: 100 * np.mean(np.abs((y - p) / (y.max() - y.min()))),
    "ope": lambda y, p: 100 * np.abs((y.sum() - p.sum()) / y.sum()),
    "coefficient_of_variation": lambda y, p: 100 * np.sqrt(np.mean((y - p) ** 2)) / np.abs(np.mean(y)),
}

# As in dysts: all variables at once.
DYSTS = {
    "rmse": lambda y, p: np.sqrt(np.mean((y - p) ** 2)),
    "nrmse": lambda y, p: np.sqrt(np.mean((y - p) ** 2 / y.std(axis=0) ** 2)),
    "wape": lambda y, p: 100 * np.sum(np.abs(y - p)) / np.sum(np.abs(y)),
    "marre": lambda y, p: 100 * np.mean(np.abs(y - p)) / (y.max() - y.min()),
    "smape": lambda y, p: 200 * np.mean(np.abs(y - p) / (np.abs(y) + np.abs(p))),
    "r2": lambda y, p: 1 - np.sum((y - p) ** 2) / np.sum((y - y.mean()) ** 2),
}


@pytest.mark.parametrize("name", DARTS)
@pytest.mark.parametrize("seed", range(3))
def test_darts(name, seed):
    y, p = pair(seed)
    expected = np.mean([DARTS[name](y[:, v], p[:, v]) for v in range(3)])
    np.testing.assert_allclose(getattr(metrics, name)(y, p), expected, **EXACT)


@pytest.mark.parametrize("name", DYSTS)
@pytest.mark.parametrize("seed", range(3))
def test_dysts(name, seed):
    y, p = pair(seed)
    np.testing.assert_allclose(getattr(metrics, name)(y, p, variables="pooled"), DYSTS[name](y, p), **EXACT)


def test_dysts_conventions_by_argument():
    y, p = pair(0)
    own = [a - a.min(axis=0) for a in (y, p)]
    expected = np.mean([np.sqrt(np.mean((np.log1p(own[0][:, v]) - np.log1p(own[1][:, v])) ** 2)) for v in range(3)])
    np.testing.assert_allclose(metrics.rmsle(y, p, shift="own"), expected, **EXACT)
    expected = np.mean(100 * (y - p).std(axis=0) / np.abs(y.mean(axis=0)))
    np.testing.assert_allclose(metrics.coefficient_of_variation(y, p, numerator="std"), expected, **EXACT)
    np.testing.assert_allclose(metrics.smape(y, p, upper=100), metrics.smape(y, p) / 2, **EXACT)
    scale = np.array([2.0, 3.0, 4.0])
    expected = np.sqrt(np.mean(((y - p) / scale) ** 2))
    np.testing.assert_allclose(metrics.nrmse(y, p, scale=scale), expected, **EXACT)
    for name, unit in (("range", np.ptp(y, axis=0)), ("mean", np.abs(y.mean(axis=0)))):
        np.testing.assert_allclose(metrics.nrmse(y, p, scale=name), np.sqrt(np.mean(((y - p) / unit) ** 2)), **EXACT)


@pytest.mark.parametrize("season", [1, 4])
def test_scaled_errors(season):
    """MASE (Hyndman & Koehler 2006) and MSIS (M4) of each variable, then the mean."""
    y, p = pair(1)
    train = np.random.default_rng(9).normal(size=(77, 3)).cumsum(axis=0)
    naive = np.mean(np.abs(train[season:] - train[:-season]), axis=0)
    np.testing.assert_allclose(
        metrics.mase(y, p, train, season=season), np.mean(np.mean(np.abs(y - p), axis=0) / naive), **EXACT
    )
    own = np.mean(np.abs(y[season:] - y[:-season]), axis=0)
    np.testing.assert_allclose(
        metrics.mase(y, p, season=season), np.mean(np.mean(np.abs(y - p), axis=0) / own), **EXACT
    )
    low, high, alpha = p - 0.5, p + 0.7, 0.1
    score = high - low + 2 / alpha * (low - y) * (y < low) + 2 / alpha * (y - high) * (y > high)
    value = metrics.msis(y, low, high, train, alpha=alpha, season=season)
    np.testing.assert_allclose(value, np.mean(score.mean(axis=0) / naive), **EXACT)


def test_ten_steps_of_dynamix():
    y, p = pair(2)
    naive = np.mean(np.abs(y[1:] - y[:-1]), axis=0)
    expected = np.mean(np.mean(np.abs(y[:10] - p[:10]), axis=0) / naive)
    np.testing.assert_allclose(metrics.mase(y[:10], p[:10], y), expected, **EXACT)


def divergence(truth, forecast, bins, alpha, convention):
    """The binned form with a full table, following the text of the papers and what their code does at the edges."""
    deviation = truth.std(axis=0, ddof=1)
    low, high = truth.min(axis=0), truth.max(axis=0)
    if convention == "hess2023":
        low, high = low - 0.1 * deviation, high + 0.1 * deviation
    if convention == "brenner2022":
        low, high = -2 * deviation, 2 * deviation
    first = 0 if convention == "hess2023" else 1
    density = []
    for x in (truth, forecast):
        table = np.zeros((bins,) * truth.shape[1])
        for place in np.floor(bins * (x - low) / (high - low)):
            if (place >= first).all() and (place < bins).all():
                table[tuple(place.astype(int))] += 1
        density.append((table + alpha) / (table.sum() + alpha * table.size))
    return np.sum(density[0] * np.log(density[0] / density[1]))


@pytest.mark.parametrize("convention", ["hess2023", "brenner2022", "dynamix2025"])
@pytest.mark.parametrize(("d", "bins"), [(1, 30), (2, 30), (3, 30), (3, 7), (5, 22), (5, 4)])
def test_binned_divergence(convention, d, bins):
    """(5, 22) has more bins than are kept in a table."""
    rng = np.random.default_rng(d * bins)
    y, p = rng.normal(size=(2000, d)), rng.normal(size=(1500, d)) * 1.2
    expected = divergence(y, p, bins, 1e-5, convention)
    value = metrics.state_space_divergence(y, p, method="bins", bins=bins, convention=convention)
    np.testing.assert_allclose(value, expected, **EXACT)


def test_binned_divergence_with_integer_data_on_the_edges():
    y = np.arange(31.0).repeat(3)
    p = np.arange(31.0)
    for convention in ("hess2023", "dynamix2025"):
        expected = divergence(y[:, None], p[:, None], 30, 1e-5, convention)
        np.testing.assert_allclose(metrics.state_space_divergence(y, p, convention=convention), expected, **EXACT)


def test_hellinger_distance():
    gaussian_filter1d = pytest.importorskip("scipy.ndimage").gaussian_filter1d
    rng = np.random.default_rng(4)
    y, p = rng.normal(size=(2, 500, 2)).cumsum(axis=1)

    def spectrum(x):
        power = np.abs(np.fft.rfft((x - x.mean()) / x.std())) ** 2 * 2 / len(x)
        smooth = gaussian_filter1d(power, 20)
        return smooth / smooth.sum()

    pairs = [(spectrum(y[:, v]), spectrum(p[:, v])) for v in range(2)]
    expected = np.mean([np.sqrt(1 - np.sum(np.sqrt(a * b))) for a, b in pairs])
    np.testing.assert_allclose(metrics.hellinger_distance(y, p), expected, **EXACT)
    expected = np.mean([np.sqrt(np.mean((10 * np.log10(a / b)) ** 2)) for a, b in pairs])
    np.testing.assert_allclose(metrics.power_spectrum_distance(y, p), expected, **EXACT)


def test_autocorrelation():
    rng = np.random.default_rng(4)
    y, p = rng.normal(size=300).cumsum(), rng.normal(size=200).cumsum()

    def autocorrelation(x):
        full = np.correlate(x - x.mean(), x - x.mean(), "full")[len(x) - 1 :]
        return full[1:51] / full[0]

    expected = np.sqrt(np.mean((autocorrelation(y) - autocorrelation(p)) ** 2))
    np.testing.assert_allclose(metrics.autocorrelation_distance(y, p, lags=50), expected, **EXACT)


def warping(y, p, cost, band):
    """The recursion of Sakoe & Chiba, cell by cell."""
    n, m = len(y), len(p)
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            if band is None or abs(i - j) <= band:
                square = np.sum((y[i - 1] - p[j - 1]) ** 2)
                local = square if cost == "squared" else np.sqrt(square)
                total[i, j] = local + min(total[i - 1, j], total[i, j - 1], total[i - 1, j - 1])
    return np.sqrt(total[n, m]) if cost == "squared" else total[n, m]


@pytest.mark.parametrize("cost", ["euclidean", "squared"])
@pytest.mark.parametrize("band", [None, 0, 1, 2, 5, 30])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 2), (20, 20), (20, 19), (15, 40), (33, 7), (1, 6)])
@pytest.mark.parametrize("d", [1, 3])
def test_warping(cost, band, n, m, d):
    rng = np.random.default_rng(n * m + d)
    y, p = rng.normal(size=(n, d)).cumsum(axis=0), rng.normal(size=(m, d)).cumsum(axis=0)
    if band is not None and band < abs(n - m):
        with pytest.raises(ValueError, match="band must be at least"):
            metrics.dtw(y, p, cost=cost, band=band)
        return
    np.testing.assert_allclose(metrics.dtw(y, p, cost=cost, band=band), warping(y, p, cost, band), **EXACT)


@pytest.mark.parametrize("seed", range(3))
def test_warping_against_tslearn_and_dtaidistance(seed):
    rng = np.random.default_rng(seed)
    y, p = rng.normal(size=(60, 2)).cumsum(axis=0), rng.normal(size=(50, 2)).cumsum(axis=0)
    tslearn = pytest.importorskip("tslearn.metrics", reason="tslearn is not installed")
    np.testing.assert_allclose(metrics.dtw(y, p, cost="squared"), tslearn.dtw(y, p), **EXACT)
    dtw = pytest.importorskip("dtaidistance.dtw", reason="dtaidistance is not installed")
    np.testing.assert_allclose(metrics.dtw(y[:, 0], p[:, 0], cost="squared"), dtw.distance(y[:, 0], p[:, 0]), **EXACT)


def test_crps_against_properscoring():
    scoring = pytest.importorskip("properscoring", reason="properscoring is not installed")
    rng = np.random.default_rng(0)
    truth, samples = rng.normal(size=(40, 3)), rng.normal(size=(25, 40, 3))
    expected = scoring.crps_ensemble(truth, np.moveaxis(samples, 0, -1))
    np.testing.assert_allclose(metrics.crps(truth, samples, variables="times"), expected, **EXACT)


def test_fair_crps():
    rng = np.random.default_rng(0)
    truth, samples = rng.normal(size=10), rng.normal(size=(7, 10))
    gap = np.abs(samples[:, None] - samples[None]).sum(axis=(0, 1)) / (7 * 6)
    expected = np.mean(np.abs(samples - truth).mean(axis=0) - gap / 2)
    np.testing.assert_allclose(metrics.crps(truth, samples, estimator="fair"), expected, **EXACT)


def test_error_curves():
    y, p = pair(3)
    deviations = np.sqrt(np.mean(((y - p) / y.std(axis=0)) ** 2, axis=1))
    norm = np.linalg.norm(y - p, axis=1) / np.sqrt(np.mean(np.sum(y**2, axis=1)))
    smape = 200 * np.mean(np.abs(y - p) / (np.abs(y) + np.abs(p)), axis=1)
    for size, expected in (("deviations", deviations), ("norm", norm), ("smape", smape)):
        np.testing.assert_allclose(metrics.error_curve(y, p, size=size), expected, **EXACT)
        running = np.cumsum(expected) / np.arange(1, len(y) + 1)
        np.testing.assert_allclose(metrics.error_curve(y, p, size=size, running=True), running, **EXACT)
        for threshold in (0.5, 1.0, 150.0):
            bad = np.flatnonzero(expected > threshold)
            valid = bad[0] if len(bad) else len(y)
            found = metrics.valid_prediction_time(y, p, size=size, threshold=threshold, dt=0.5, exponent=2.0)
            assert found == valid
