"""Measures of data: counts against brute force, exact cases, identities, the same bits for any number of threads."""

import math

import numpy as np
import pytest

import bestiary as bst
from bestiary import _core
from bestiary import measures as m

GOLDEN = 0.6180339887498949
RNG = np.random.default_rng(12)
NOISE = RNG.normal(size=20_000)


@pytest.fixture(scope="module")
def henon():
    return bst.system("Henon").trajectory(20_000, transient=100).x


@pytest.fixture(scope="module")
def logistic():
    return bst.system("Logistic", r=4.0).trajectory(20_000).x


@pytest.fixture(scope="module")
def lorenz():
    return bst.system("Lorenz").trajectory(20_000, dt=0.05, transient=20, rtol=1e-9).x


def within(found: m.Estimate, value: float, errors: float = 3.0) -> bool:
    return bool(abs(found.value - value) <= errors * found.error)


# Neighbours and counts, against all pairs one by one.


@pytest.mark.parametrize("norm", ["maximum", "euclidean"])
@pytest.mark.parametrize("window", [0, 7])
@pytest.mark.parametrize("shape", [(700, 1), (700, 3), (701, 6), (31, 2), (32, 2), (33, 2)])
def test_counts_and_neighbours_are_those_of_brute_force(norm, window, shape) -> None:
    # Whole numbers, so that there are ties and distances on the border.
    x = np.round(4 * np.random.default_rng(3).normal(size=shape))
    n = len(x)
    radii = np.array([0.0, 1.0, 2.0, 3.0, 5.0, 40.0])
    gap = np.abs(x[:, None] - x[None])
    distance = gap.max(-1) if norm == "maximum" else np.sqrt((gap**2).sum(-1))
    steps = np.abs(np.arange(n)[:, None] - np.arange(n)[None])
    pairs = (distance[..., None] <= radii) & (steps > window)[..., None]
    counts = _core.neighbour_counts(x, radii, norm=norm, window=window)
    assert np.array_equal(counts, pairs.sum(1))
    sums = _core.neighbour_sums(x, radii, norm=norm, window=window, blocks=3)
    block = np.arange(n) * 3 // n
    assert np.array_equal(sums, [pairs.sum(1)[block == b].sum(0) for b in range(3)])
    assert np.array_equal(_core.neighbour_sums(x, radii, norm=norm, window=window, blocks=1), [pairs.sum((0, 1))])
    far = np.where(steps > window, distance, np.inf)
    order = np.argsort(far, axis=1, kind="stable")[:, :5]
    distances, numbers = _core.nearest_neighbours(x, norm=norm, k=5, window=window, candidates=n)
    assert np.array_equal(numbers, order)
    np.testing.assert_allclose(distances, np.take_along_axis(far, order, 1), rtol=1e-15)


def test_pairs_with_equal_halves() -> None:
    """A set and its mirror image have the same correlation sum, whatever the order of their points."""
    x = RNG.normal(size=(1000, 2))
    _, sums = m.correlation_sum(x, [0.1, 0.5], window=0)
    assert np.array_equal(m.correlation_sum(-x[::-1], [0.1, 0.5], window=0)[1], sums)
    assert np.array_equal(m.correlation_sum(8 * x[RNG.permutation(1000)], [0.8, 4.0], window=0)[1], sums)


CALLS = {
    "correlation_dimension": lambda x, k: m.correlation_dimension(x, threads=k),
    "takens_dimension": lambda x, k: m.takens_dimension(x, threads=k),
    "correlation_entropy": lambda x, k: m.correlation_entropy(x[:, 0], dimension=3, threads=k),
    "generalised_dimension": lambda x, k: m.generalised_dimension(x, 2.5, threads=k),
    "local_dimension": lambda x, k: m.local_dimension(x, references=50, threads=k),
    "rosenstein": lambda x, k: m.largest_exponent_rosenstein(x, threads=k),
    "kantz": lambda x, k: m.largest_exponent_kantz(x, threads=k),
    "spectrum_from_data": lambda x, k: m.spectrum_from_data(x, threads=k),
    "sample_entropy": lambda x, k: m.sample_entropy(x[:, 0], threads=k),
    "approximate_entropy": lambda x, k: m.approximate_entropy(x[:, 0], threads=k),
    "multiscale_entropy": lambda x, k: m.multiscale_entropy(x, 3, threads=k),
    "zero_one_test": lambda x, k: m.zero_one_test(x[:, 0], angles=20, threads=k),
    "recurrence": lambda x, k: m.recurrence_quantification(x[:800], [0.05, 0.2], threads=k).determinism,
}


@pytest.mark.parametrize("name", CALLS)
def test_threads_do_not_matter(name, henon) -> None:
    one, seven = (CALLS[name](henon[:3000], threads) for threads in (1, 7))
    assert np.array_equal(one.value, seven.value)
    assert np.array_equal(one.error, seven.error)


# Dimensions of sets whose dimension is known.


def circle() -> np.ndarray:
    turn = 2 * np.pi * GOLDEN * np.arange(20_000)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def cantor(probability: float = 0.5) -> np.ndarray:
    return 2 * (np.random.default_rng(1).uniform(size=(50_000, 30)) < probability) @ 3.0 ** -np.arange(1, 31)


def test_circle() -> None:
    for found in (m.correlation_dimension(circle()), m.box_counting_dimension(circle())):
        assert within(found, 1.0)
        assert found.error < 0.05
    assert m.local_dimension(circle()).value.mean() == pytest.approx(1.0, abs=0.02)


def test_square() -> None:
    """Points near the edge have fewer neighbours: a little less than 2, by about the largest radius that counts."""
    x = np.random.default_rng(2).uniform(size=(20_000, 2))
    for found in (m.correlation_dimension(x), m.takens_dimension(x), m.generalised_dimension(x, 3.0)):
        assert within(found, 2.0, 4.0)
        assert found.error < 0.06
    assert m.box_counting_dimension(x).value == pytest.approx(2.0, abs=1e-3)
    assert m.generalised_dimension(x, 1.0).value == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("q", [0.0, 1.0, 1.5, 2.0, 3.0])
def test_cantor_set_with_unequal_shares(q) -> None:
    """A third with probability p, a third with 1 - p: D_q = ln(p^q + (1 - p)^q) / ((1 - q) ln 3)."""
    p = 0.3
    if q == 1:
        exact = -(p * math.log(p) + (1 - p) * math.log(1 - p)) / math.log(3)
    else:
        exact = math.log(p**q + (1 - p) ** q) / ((1 - q) * math.log(3))
    found = m.generalised_dimension(cantor(p), q)
    assert within(found, exact)
    assert found.error < 0.03


def test_correlation_dimension_of_the_cantor_set() -> None:
    found = m.correlation_dimension(cantor())
    assert within(found, math.log(2) / math.log(3))
    assert found.error < 0.005
    assert found.converged


def test_dimension_does_not_depend_on_the_frame(henon) -> None:
    """Scaling is exact up to the rounding of radii; a turn and a permutation of coordinates keep the dimension."""
    found = m.correlation_dimension(henon)
    assert m.correlation_dimension(4 * henon).value == pytest.approx(found.value, rel=1e-9)
    assert m.correlation_dimension(henon[:, ::-1]).value == pytest.approx(found.value, rel=1e-12)
    angle = 0.7
    turned = henon @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert abs(m.correlation_dimension(turned).value - found.value) < 3 * found.error


def test_published_dimensions(henon, lorenz) -> None:
    """Hénon 1.220 ± 0.036 and Lorenz 2.068 ± 0.086: Sprott (2003), Chaos and Time-Series Analysis, appendix A."""
    for x, value, error in ((henon, 1.220, 0.036), (lorenz, 2.068, 0.086)):
        found = m.correlation_dimension(x)
        assert abs(found.value - value) < 2 * math.hypot(error, found.error)


def test_takens_interval() -> None:
    found = m.takens_dimension(np.random.default_rng(3).uniform(size=5000), 0.01)
    low, high = found.settings["interval"]
    assert low < 1 < high
    assert found.error < 0.1


def test_higuchi() -> None:
    assert within(m.higuchi_dimension(NOISE), 2.0)
    assert within(m.higuchi_dimension(np.cumsum(NOISE)), 1.5)
    assert m.higuchi_dimension(np.arange(1000.0)).value == pytest.approx(1.0, abs=1e-12)


# Exponents.


def test_exponents_of_the_logistic_map(logistic) -> None:
    for measure in (m.largest_exponent_rosenstein, m.largest_exponent_kantz):
        found = measure(logistic)
        assert within(found, math.log(2))
        assert found.error < 0.02
    found = m.spectrum_from_data(logistic)
    assert abs(found.value[0] - math.log(2)) < 3 * found.error[0] < 0.01


def test_exponents_of_the_henon_map(henon) -> None:
    """The sum is ln 0.3, exactly, and a quadratic fit to a quadratic map finds its derivative; 0.4192 is published."""
    found = m.spectrum_from_data(henon)
    assert found.value.sum() == pytest.approx(math.log(0.3), abs=1e-8)
    assert abs(found.value[0] - 0.4192) < 3 * found.error[0]
    assert within(m.largest_exponent_rosenstein(henon), 0.4192)
    assert within(m.largest_exponent_kantz(henon), 0.4192)


def test_exponents_of_lorenz(lorenz) -> None:
    found = m.spectrum_from_data(lorenz, dt=0.05)
    assert abs(found.value[0] - 0.9056) < 3 * found.error[0]
    assert abs(found.value[1]) < 3 * found.error[1]
    assert found.converged


def test_exponents_of_a_rotation_are_zero() -> None:
    x = circle()[:5000]
    found = m.largest_exponent_rosenstein(x)
    assert abs(found.value) < 1e-6
    assert found.converged
    found = m.spectrum_from_data(x)
    assert (np.abs(found.value) < 3 * found.error).all()
    assert found.error.max() < 1e-4


def test_exponents_scale_with_time_only(henon) -> None:
    found = m.largest_exponent_rosenstein(henon)
    assert m.largest_exponent_rosenstein(henon, dt=0.5).value == pytest.approx(2 * found.value, rel=1e-9)
    assert m.largest_exponent_rosenstein(4 * henon).value == pytest.approx(found.value, rel=1e-9)


# Embedding.


def test_mutual_information_of_a_gaussian_pair() -> None:
    """-ln(1 - c^2) / 2 for the correlation c of neighbouring values of an autoregressive process."""
    x = np.zeros(100_000)
    for i, z in enumerate(np.random.default_rng(4).normal(size=len(x) - 1)):
        x[i + 1] = 0.8 * x[i] + z
    found = m.mutual_information(x, 2, bins=24)
    assert found[1] == pytest.approx(-0.5 * math.log(1 - 0.64), abs=0.03)
    assert found[2] == pytest.approx(-0.5 * math.log(1 - 0.64**2), abs=0.02)


def test_dimension_of_an_embedding(lorenz, henon) -> None:
    assert m.false_neighbours(lorenz[:5000, 0], 4, 3)[2] < 0.01
    e1, e2 = m.cao(NOISE[:3000], 6)
    assert np.abs(e2 - 1).max() < 0.1
    assert m.cao(henon[:3000, 0], 6)[0][4] > 0.9
    assert e1.shape == (6,)


# Entropies.


def test_sample_entropy_of_white_noise() -> None:
    """Two independent normal values are within r with probability erf(r / 2), whatever came before."""
    for r in (0.2, 0.5):
        found = m.sample_entropy(NOISE[:5000], radius=r)
        assert within(found, -math.log(math.erf(r / 2)))
        assert found.error < 0.05
        assert found.converged


def test_entropies_of_a_period() -> None:
    x = np.tile([0.1, 0.7, 0.4, 0.9], 500)
    assert m.sample_entropy(x, radius=0.01).value == pytest.approx(0.0, abs=1e-2)
    assert m.approximate_entropy(x, radius=0.01).value == pytest.approx(0.0, abs=1e-2)
    # Four orders of three values, equally often.
    assert m.permutation_entropy(x, 3).value == pytest.approx(math.log(4), abs=1e-3)
    assert m.permutation_entropy(np.arange(100.0), 4).value == 0.0


def test_permutation_entropy() -> None:
    """White noise has all orders alike; the logistic map at 4 never falls twice in a row (Bandt & Pompe)."""
    found = m.permutation_entropy(NOISE, 4)
    assert abs(found.value - math.log(24)) < 24 / len(NOISE) + 3 * found.error
    counts = _core.order_counts(bst.system("Logistic", r=4.0).trajectory(5000).x, 3, 1, 1)[0]
    assert (counts == 0).sum() == 1
    small = _core.order_counts(np.array([4.0, 7, 9, 10, 6, 11, 3]), 2, 1, 1)[0]
    assert sorted(small.tolist()) == [2, 4]  # the example of the paper


def test_correlation_entropy(logistic) -> None:
    found = m.correlation_entropy(logistic[:, 0])
    assert within(found, math.log(2))
    assert found.error < 0.05
    assert m.correlation_entropy(logistic[:, 0], dt=0.5).value == pytest.approx(2 * found.value, rel=1e-9)


def test_multiscale_entropy() -> None:
    """Means of k normal values have a standard deviation of 1 / sqrt(k): -ln(erf(r sqrt(k) / 2))."""
    found = m.multiscale_entropy(NOISE, 4, radius=0.2)
    exact = [-math.log(math.erf(0.1 * math.sqrt(k))) for k in range(1, 5)]
    assert (np.abs(found.value - exact) < 4 * found.error).all()
    pair = m.multiscale_entropy(NOISE.reshape(-1, 2), 2, radius=0.4)
    exact = [-math.log(math.erf(0.2 * math.sqrt(k))) for k in range(1, 3)]
    assert (np.abs(pair.value - exact) < 4 * pair.error).all()


# Complexity, fluctuation, recurrence.


def words_by_hand(sequence: str) -> int:
    count = i = 0
    while i < len(sequence):
        length = 1
        while i + length <= len(sequence) and sequence[i : i + length] in sequence[: i + length - 1]:
            length += 1
        count, i = count + 1, i + length
    return count


def test_lempel_ziv_words() -> None:
    assert _core.lempel_ziv_words([int(c) for c in "0001101001000101"]) == 6  # Lempel & Ziv's example
    random = np.random.default_rng(5)
    for length in (1, 2, 5, 40, 200):
        for letters in (1, 2, 3):
            sequence = random.integers(0, letters, length).tolist()
            assert _core.lempel_ziv_words(sequence) == words_by_hand("".join(map(str, sequence)))


def test_lempel_ziv_of_noise_and_of_a_period() -> None:
    assert 1.0 < m.lempel_ziv(NOISE).value < 1.06
    assert m.lempel_ziv(np.tile([0.1, 0.7, 0.4, 0.9, 0.2], 2000)).value < 0.01


def test_zero_one(logistic) -> None:
    assert m.zero_one_test(logistic[:2000, 0]).value > 0.95
    assert abs(m.zero_one_test(np.sin(2.0 * np.arange(2000))).value) < 0.05


def test_fluctuation() -> None:
    assert within(m.detrended_fluctuation(NOISE), 0.5)
    assert within(m.detrended_fluctuation(np.cumsum(NOISE)), 1.5)
    assert within(m.hurst_exponent(NOISE), 0.5)


def test_autocorrelation_time() -> None:
    x = np.zeros(100_000)
    for i, z in enumerate(np.random.default_rng(6).normal(size=len(x) - 1)):
        x[i + 1] = 0.9 * x[i] + z
    found = m.autocorrelation_time(x, dt=0.1)
    assert within(found, 1.9)
    assert found.error < 0.2
    assert found.converged
    np.testing.assert_allclose(m.autocorrelation(x, 3), 0.9 ** np.arange(4), atol=0.02)


def lines_by_hand(plot: np.ndarray) -> np.ndarray:
    """Numbers of runs of each length in the rows."""
    counts = np.zeros(len(plot) + 1, dtype=int)
    for row in plot:
        length = 0
        for cell in [*row, False]:
            if cell:
                length += 1
            elif length:
                counts[length] += 1
                length = 0
    return counts


@pytest.mark.parametrize("window", [0, 2])
def test_recurrence_lines(window) -> None:
    x = np.random.default_rng(7).uniform(size=(60, 2))
    thresholds = np.array([0.1, 0.3, 0.6])
    diagonal, vertical = _core.recurrence_lines(x, thresholds, norm="maximum", window=window)
    distance = np.abs(x[:, None] - x[None]).max(-1)
    far = np.abs(np.arange(60)[:, None] - np.arange(60)[None]) > window
    for k, threshold in enumerate(thresholds):
        plot = (distance <= threshold) & far
        assert np.array_equal(vertical[k], lines_by_hand(plot))
        rows = np.zeros((60, 60), dtype=bool)
        for lag in range(1, 60):
            rows[lag, : 60 - lag] = np.diagonal(plot, lag)
        assert np.array_equal(diagonal[k], lines_by_hand(rows))


def test_recurrence_of_a_rotation() -> None:
    turn = 2 * np.pi * np.arange(1000) / 20
    found = m.recurrence_quantification(np.stack([np.cos(turn), np.sin(turn)], axis=1), [0.01, 0.1])
    np.testing.assert_allclose(found.determinism.value, 1.0)
    np.testing.assert_allclose(found.longest_line.value, 980)
    np.testing.assert_allclose(found.rate.value, sum(1000 - 20 * k for k in range(1, 50)) / (1000 * 999 / 2))


# Wrong calls.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: m.correlation_dimension(np.zeros((500, 2))), "all the same"),
        (lambda: m.correlation_dimension(np.full((500, 2), np.nan)), "finite"),
        (lambda: m.correlation_dimension(NOISE[:50]), "at least 200 points"),
        (lambda: m.correlation_dimension(NOISE[:500], [0.2, 0.1]), "positive and increasing"),
        (lambda: m.correlation_dimension(NOISE[:500], norm="manhattan"), 'unknown norm "manhattan"'),
        (lambda: m.correlation_dimension(NOISE[:500], [1e-9, 2e-9]), "too few pairs"),
        (lambda: m.correlation_sum(NOISE[:500], window=400), "leaves no pairs"),
        (lambda: m.takens_dimension(NOISE[:500], 1e-9), "larger radius"),
        (lambda: m.embed(NOISE[:5], 3, 3), "5 samples are too few"),
        (lambda: m.sample_entropy(NOISE.reshape(-1, 2)), "choose one variable"),
        (lambda: m.sample_entropy(np.ones(200)), "constant"),
        (lambda: m.permutation_entropy(NOISE, 11), "order must be between 2 and 10"),
        (lambda: m.lempel_ziv([0, 1, 2, 1] * 20), "symbols 0 to 1"),
        (lambda: m.largest_exponent_rosenstein(NOISE[:200], steps=197), "too few to be followed"),
        (lambda: m.generalised_dimension(NOISE[:500], math.inf), "q must be a finite number"),
        (lambda: m.local_dimension(NOISE[:700], quantile=2), "quantile"),
        (lambda: m.recurrence_quantification(NOISE[:200], [0.0]), "thresholds must be positive"),
        (lambda: m.multiscale_entropy(NOISE[:200], 20), "too few for 20 scales"),
        (lambda: m.detrended_fluctuation(NOISE[:200], largest=15), "twice the smallest"),
        (lambda: m.higuchi_dimension(NOISE[:400], largest=100), "largest must be at most"),
        (lambda: m.spectrum_from_data(NOISE[:200], neighbours=1), "neighbours must be"),
        (lambda: m.sample_entropy(NOISE[:200], threads=0), "threads must be"),
    ],
)
def test_wrong_calls(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_an_estimate_is_a_number() -> None:
    found = m.sample_entropy(NOISE[:1000])
    assert float(found) == found.value
    assert "±" in repr(found)
