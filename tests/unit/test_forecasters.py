"""Facts about the forecasters: what is exact, what is found, what the whole zoo has in common."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest

import bestiary as bst
from bestiary import forecast as bf
from bestiary.exceptions import MissingExtra, RequestError, UnknownName
from bestiary.forecast.kernel_ridge import _RIDGES
from bestiary.forecast.kernels import Gaussian, WideNetworkKernel
from bestiary.testing import check_forecaster

FRAME = bf.forecasters()
OWN = FRAME.filter(pl.col("extra").is_null() & (pl.col("needs").list.len() == 0))["name"].to_list()


def wave(n: int) -> Any:
    t = np.arange(n)
    return np.sin(2 * np.pi * t / 25) + 0.3 * np.cos(4 * np.pi * t / 25)


def repeat(context: Any, horizon: int) -> Any:
    return np.tile(context[-1], (horizon, 1))


# The contract


@pytest.mark.parametrize("name", OWN)
def test_keeps_the_contract(name: str) -> None:
    check_forecaster(bf.forecaster(name))


def test_those_with_arguments_keep_the_contract() -> None:
    check_forecaster(bf.HybridEchoState(bst.system("Lorenz", rho=30), units=50), univariate=False)
    check_forecaster(bf.KernelRidge(ridge="evidence", prior=(2.0, 1.0)))
    check_forecaster(bf.WideNetwork(kernel="nngp", activation="relu", depth=2))
    check_forecaster(bf.Analog(weights="nearest", combine="mean", neighbours=1))
    check_forecaster(bf.RadialBasis(function="cubic"))
    check_forecaster(bf.FromFunction(repeat), skilled=False)


def test_the_table() -> None:
    assert FRAME.columns == ["name", "family", "extra", "uncertainty", "univariate", "multivariate", "needs", "source"]
    assert FRAME["name"].is_unique().all()
    assert set(FRAME["name"]) <= set(bf.__all__)
    assert all(FRAME.filter(pl.col("family") != "outside")["source"].str.len_chars() > 20)
    assert len(OWN) >= 20
    with pytest.raises(UnknownName, match='unknown forecaster "NVRA", did you mean "NVAR"'):
        bf.forecaster("NVRA")


def test_an_import_brings_no_extra() -> None:
    script = (
        "import sys, bestiary as bst\n"
        "assert 'bestiary.forecast' not in sys.modules\n"
        "bst.forecast.forecasters()\n"
        "bad = {'sklearn', 'statsforecast', 'statsmodels', 'pandas', 'darts', 'sktime', 'gluonts', 'scipy', 'torch'}\n"
        "assert not bad & set(sys.modules), bad & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("name", FRAME.filter(pl.col("extra").is_in(["learn", "statistics"]))["name"].to_list())
def test_a_missing_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("sklearn", "statsforecast", "statsmodels"):
        for module in [m for m in sys.modules if m.split(".")[0] == package]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, package, None)
    extra = FRAME.row(by_predicate=pl.col("name") == name, named=True)["extra"]
    with pytest.raises(MissingExtra, match=rf"bestiary\[{extra}\]"):
        bf.forecaster(name).fit(wave(100))


# What a user may do wrong


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bf.NVAR().fit([]), "no series to learn from"),
        (lambda: bf.NVAR().fit(np.zeros((0, 3))), "no samples"),
        (lambda: bf.NVAR().fit(["a", "b"]), "must be numbers"),
        (lambda: bf.NVAR().fit([1.0, 2.0, np.nan]), "sample 2, column 0 is nan|sample 2 is nan"),
        (lambda: bf.NVAR().fit(np.zeros(4)), "NVAR needs at least 8 samples, but the training series has 4"),
        (lambda: bf.NVAR().fit([np.zeros((50, 3)), np.zeros((50, 2))]), "same number of columns"),
        (lambda: bf.NVAR().fit(wave(50), dt=0), "dt must be a positive number"),
        (lambda: bf.NVAR().predict(3), "call fit first"),
        (lambda: bf.NVAR().fit(wave(50)).predict(0), "horizon must be a whole number of at least 1"),
        (
            lambda: bf.NVAR().fit(wave(50)).predict(3, context=np.zeros((9, 2))),
            "2 columns, but the training series had 1",
        ),
        (lambda: bf.NVAR().fit(wave(50)).predict(3, context=[1.0]), "at least 6 samples of history"),
        (lambda: bf.NVAR().fit(wave(50)).sample(3, 2), "gives no distribution"),
        (lambda: bf.NVAR().set_params(order=3), 'unknown parameter "order" of NVAR'),
        (lambda: bf.NVAR(degree=0).fit(wave(50)), "degree must be a whole number"),
        (lambda: bf.NVAR(lags=40, degree=4).fit(wave(500)), "take fewer lags"),
        (lambda: bf.Analog(weights="gauss").fit(wave(50)), 'unknown weights "gauss"'),
        (lambda: bf.WideNetwork(ridge="best").fit(wave(50)), 'unknown ridge "best"'),
        (lambda: bf.WideNetwork(prior=(0, 1)).fit(wave(50)), "inverse-gamma"),
        (lambda: bf.EchoState(leak=2).fit(wave(50)), "leak must be a number between 0 and 1"),
        (lambda: bf.HybridEchoState(bst.system("Lorenz")).fit(wave(50)), "has 3 state variables, but the series 1"),
        (lambda: bf.SINDy(names=["x"]).fit(np.zeros((50, 2))), "1 names, but 2 columns"),
        (lambda: bf.koopman(wave(9), n=50), "50 delays need at least 51 samples"),
        (lambda: bf.FromFunction(3).fit(wave(9)), "must be callable"),  # type: ignore[arg-type]
        (lambda: bf.FromRegressor(3).fit(wave(50)), "has no fit"),
        (lambda: bf.tune(bf.NVAR(), {}, wave(50), horizon=60), "do not fit"),
        (lambda: bf.tune(bf.NVAR(), [], wave(50)), "grid is empty"),
        (lambda: bf.tune(bf.NVAR(), {"degree": [0]}, wave(50)), "no candidate could be tried; .*degree"),
    ],
)
def test_wrong_calls(call: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        call()


def test_a_forecast_that_escapes_is_a_result() -> None:
    forecast = (
        bf.NVAR(lags=1, degree=2, ridge=0).fit(bst.system("Henon").trajectory(200).x).predict(60, context=[[9.0, 9.0]])
    )
    assert forecast.shape == (60, 2)
    assert np.isfinite(forecast[0]).all()
    assert np.isnan(forecast[-1]).all()


def test_trajectories_know_their_time_step() -> None:
    run = bst.system("Lorenz").trajectory(300, dt=0.02)
    model = bf.LocalLinear().fit(run)
    assert model.dt_ == pytest.approx(0.02)
    many = bst.system("Lorenz").ensemble(3, 300, dt=0.02)
    model = bf.LocalLinear().fit(many)
    assert model.dt_ == pytest.approx(0.02)
    assert model.predict(7, context=many.x).shape == (3, 7, 3)
    np.testing.assert_array_equal(model.predict(7, context=many.x)[2], model.predict(7))
    uneven = bst.system("Lorenz").trajectory(times=[0, 1, 3, 4])
    with pytest.raises(RequestError, match="evenly spaced"):
        bf.LocalLinear().fit(uneven)


def test_parameters_and_copies() -> None:
    model = bf.NVAR(degree=3)
    assert repr(model) == "NVAR(degree=3)"
    assert model.get_params() == {"lags": None, "degree": 3, "ridge": 1e-10, "spacing": 1}
    twin = model.fit(wave(99)).clone()
    assert "context_" not in vars(twin)
    assert twin.set_params(degree=1).degree == 1
    assert model.degree == 3
    for name in ("EchoState", "Analog"):
        fitted = bf.forecaster(name).fit(wave(200))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(9), fitted.predict(9))


# What is exact


@pytest.mark.parametrize(
    "model",
    [
        bf.Seasonal(),
        bf.Fourier(),
        *(
            bf.Analog(weights=w, combine=c)
            for w in ("nearest", "simplex")
            for c in ("mean", "linear")
            if w == "simplex"
        ),
        bf.Analog(weights="nearest", neighbours=1, combine="mean"),
        bf.ContextParroting(),
        bf.Hopfield(beta=1e6),
        bf.LocalLinear(),
        bf.Simplex(),
        bf.SMap(),
        bf.HankelDMD(),
        bf.ResDMD(),
        bf.NVAR(degree=1, ridge=0),
    ],
    ids=repr,
)
def test_a_periodic_series_is_continued_exactly(model: Any) -> None:
    x = wave(500)
    np.testing.assert_allclose(model.fit(x[:300]).predict(200), x[300:], atol=1e-7)


@pytest.mark.parametrize("model", [bf.NVAR(degree=1, ridge=0), bf.HankelDMD(lags=1), bf.ResDMD(n=3)], ids=repr)
def test_a_linear_system_is_continued_exactly(model: Any) -> None:
    generator = np.random.default_rng(2)
    matrix = np.linalg.qr(generator.standard_normal((4, 4)))[0] * 0.999
    x = [generator.standard_normal(4)]
    for _ in range(300):
        x.append(matrix @ x[-1] + 0.1)
    truth = np.array(x)
    np.testing.assert_allclose(model.fit(truth[:200]).predict(101), truth[200:], atol=1e-8)


@pytest.mark.parametrize("degree", [2, 3, 4])
def test_a_polynomial_map_is_found_by_the_regression_of_its_degree(degree: int) -> None:
    """x' = 0.9 T_k(x) + 0.1 y, y' = x, with the Chebyshev polynomial T_k; a lower degree misses it."""
    chebyshev = {2: lambda u: 2 * u**2 - 1, 3: lambda u: 4 * u**3 - 3 * u, 4: lambda u: 8 * u**4 - 8 * u**2 + 1}[degree]
    x = [np.array([0.1, 0.1])]
    for _ in range(400):
        u, v = x[-1]
        x.append(np.array([0.9 * chebyshev(u) + 0.1 * v, u]))
    truth = np.array(x)
    misses = []
    for order in (degree, degree - 1):
        model = bf.NVAR(lags=1, degree=order, ridge=0).fit(truth[:300])
        steps = np.array([model.predict(1, context=truth[i : i + 1])[0] for i in range(300, 400)])
        misses.append(np.abs(steps - truth[301:401]).max())
    assert misses[0] < 1e-10
    assert misses[1] > 1e-3


def test_drift_and_mean() -> None:
    assert bf.Drift().fit([0.0, 1.0, 5.0, 6.0]).predict(2).tolist() == [8.0, 10.0]
    assert bf.Mean().fit([0.0, 1.0, 5.0, 6.0]).predict(1, context=[1.0, 3.0]).tolist() == [2.0]


def test_the_period_is_found() -> None:
    generator = np.random.default_rng(0)
    for period in (7, 24, 60):
        x = np.tile(generator.standard_normal(period), 6)
        assert bf.period_of(x) == period
        assert bf.period_of(x + 0.05 * generator.standard_normal(len(x))) == period
    assert bf.period_of(np.ones(50)) == 1


# What is found


def test_sindy_finds_the_equations_of_lorenz() -> None:
    run = bst.system("Lorenz").trajectory(3000, dt=0.01, transient=20)
    model = bf.SINDy(names=["x", "y", "z"]).fit(run)
    found = {
        (term, equation): value
        for term, row in zip(model.terms_, model.coefficients_, strict=True)
        for equation, value in zip("xyz", row, strict=True)
        if value != 0
    }
    expected = {
        ("x", "x"): -10.0, ("y", "x"): 10.0, ("x", "y"): 28.0, ("y", "y"): -1.0, ("x*z", "y"): -1.0,
        ("z", "z"): -8 / 3, ("x*y", "z"): 1.0,
    }  # fmt: skip
    assert set(found) == set(expected)
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, rel=5e-4), key
    assert isinstance(model.system_, bst.System)
    assert model.system_.names == ("x", "y", "z")
    truth = bst.system("Lorenz").trajectory(101, dt=0.01, initial=run.x[-1]).x[1:]
    assert np.abs(model.predict(100) - truth).max() < 1e-2
    assert model.system_.largest_exponent == pytest.approx(0.906, abs=0.1)


def test_sindy_finds_a_map() -> None:
    model = bf.SINDy(kind="map", names=["x", "y"]).fit(bst.system("Henon").trajectory(300))
    assert model.system_.kind == "map"
    assert model.coefficients_[model.terms_.index("x*x"), 0] == pytest.approx(-1.4, abs=1e-9)


def test_koopman_of_a_linear_map_has_the_products_of_its_eigenvalues() -> None:
    values = np.array([0.9, -0.7])
    states = np.random.default_rng(1).standard_normal((300, 2))

    def monomials(x: Any) -> Any:
        return np.stack([x[:, 0] ** i * x[:, 1] ** j for i in range(4) for j in range(4 - i)], axis=1)

    modes = bf.koopman(states, monomials, y=states * values)
    products = [values[0] ** i * values[1] ** j for i in range(4) for j in range(4 - i)]
    assert modes.residuals.max() < 1e-12
    np.testing.assert_allclose(np.sort(modes.eigenvalues.real), np.sort(products), atol=1e-12)
    assert modes.pseudospectrum([0.9, 2.0])[0] < 1e-6 < modes.pseudospectrum(2.0)


def test_few_koopman_eigenvalues_of_a_chaotic_system_are_verified() -> None:
    """Undamped Duffing, exponential radial functions: most eigenvalues are wrong, and the residuals say so."""
    duffing = bst.System.from_text("x' = v; v' = x - x^3", initial=[1, 0], period=6)
    begin = np.random.default_rng(0).uniform(-2, 2, (400, 2))
    x = duffing.ensemble(n=25, initial=begin, dt=0.25, rtol=1e-8).x
    modes = bf.koopman(list(x), "exponential", n=60, dt=0.25)
    assert 1 <= len(modes.verified(0.1).eigenvalues) <= 0.2 * len(modes.eigenvalues)
    # The map preserves the measure: res^2 = 1 - |lambda|^2 for the projection onto the dictionary.
    gap = modes.residuals**2 - (1 - np.abs(modes.eigenvalues) ** 2)
    assert np.median(np.abs(gap)) < 0.05
    held_out = bf.koopman(list(x), "exponential", n=60, dt=0.25, hold_out=0.3)
    assert abs(np.median(held_out.residuals) / np.median(modes.residuals) - 1) < 0.1


def test_neighbours_are_the_nearest() -> None:
    generator = np.random.default_rng(3)
    for d in (1, 3, 9):
        points, queries = generator.standard_normal((700, d)), generator.standard_normal((40, d))
        points[100:110] = points[0]
        library = bst._core.Library(points, np.zeros((700, 1)))
        distances, indices = library.nearest(queries, 12)
        every = np.linalg.norm(points - queries[:, None], axis=2)
        expected = np.argsort(every, axis=1, kind="stable")[:, :12]
        np.testing.assert_array_equal(indices, expected)
        np.testing.assert_allclose(distances, np.take_along_axis(every, expected, axis=1), rtol=1e-12)


def test_hopfield_retrieval() -> None:
    """Patterns on the sphere of radius sqrt(d - 1) with noise 0.1 are retrieved in one step (Ramsauer et al. 2021)."""
    generator = np.random.default_rng(0)
    for d, n, most in ((20, 1000, 2e-2), (40, 10_000, 1e-5)):
        patterns = generator.standard_normal((n, d))
        patterns *= np.sqrt(d - 1) / np.linalg.norm(patterns, axis=1, keepdims=True)
        library = bst._core.Library(patterns, patterns)
        errors = []
        for i in range(30):
            query = patterns[i] + 0.1 * generator.standard_normal(d)
            # softmax(beta <q, k>) is softmax(-beta/2 |q - k|^2) for keys of equal length.
            step = library.iterate(query[None], spacing=1, horizon=1, weights="softmax", parameter=0.5)[0] - query
            errors.append(np.linalg.norm(step - patterns[i]) / np.linalg.norm(patterns[i]))
        assert np.median(errors) < most


# Kernels and their distributions


@pytest.mark.parametrize("limit", ["nngp", "ntk"])
@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_the_diagonal_of_a_kernel(limit: str, activation: str) -> None:
    x = np.random.default_rng(0).standard_normal((20, 3))
    kernel = WideNetworkKernel(limit, activation, 3, 1.3, 0.2)
    matrix = kernel.matrix(x, x)
    np.testing.assert_allclose(np.diagonal(matrix), kernel.diagonal(x), rtol=1e-6)
    assert np.linalg.eigvalsh(matrix).min() > -1e-10


def test_a_wide_random_network_has_the_kernel_of_the_limit() -> None:
    """Error of the empirical covariance of a ReLU layer falls as width^(-1/2)."""
    generator = np.random.default_rng(1)
    x = generator.standard_normal((6, 4))
    exact = WideNetworkKernel("nngp", "relu", 1, 1.5, 0.1).matrix(x, x)
    errors = []
    for width in (200, 800, 3200, 12_800):
        one = []
        for _ in range(20):
            hidden = x @ generator.standard_normal((4, width)) * np.sqrt(1.5 / 4) + np.sqrt(
                0.1
            ) * generator.standard_normal(width)
            hidden = np.maximum(hidden, 0)
            one.append(np.linalg.norm(1.5 * hidden @ hidden.T / width + 0.1 - exact) / np.linalg.norm(exact))
        errors.append(np.mean(one))
    slope = np.polyfit(np.log([200, 800, 3200, 12_800]), np.log(errors), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


def test_the_tangent_kernel_is_the_product_of_gradients() -> None:
    """Of one hidden layer of erf units, by the definition: sum over parameters of the products of derivatives."""
    from math import erf, exp, pi, sqrt

    generator = np.random.default_rng(4)
    x, width, C_w, C_b = generator.standard_normal((2, 3)), 200_000, 1.2, 0.3
    w, b = generator.standard_normal((3, width)), generator.standard_normal(width)
    v = generator.standard_normal(width)
    inner = x @ w * sqrt(C_w / 3) + sqrt(C_b) * b
    outer = np.vectorize(erf)(inner)
    slope = np.vectorize(lambda u: 2 / sqrt(pi) * exp(-u * u))(inner)
    # d out/dv = sqrt(C_w/width) erf, d out/d bias = sqrt(C_b), d out/d(w, b) through the hidden layer.
    last = C_w * outer[0] @ outer[1] / width + C_b
    first = C_w / width * np.sum(v**2 * slope[0] * slope[1]) * (C_w * x[0] @ x[1] / 3 + C_b)
    assert WideNetworkKernel("ntk", "erf", 1, C_w, C_b).matrix(x, x)[0, 1] == pytest.approx(last + first, rel=2e-2)


def test_a_sharp_prior_gives_the_gaussian_process() -> None:
    """With a, b to infinity at a fixed ratio the Student t becomes the Gaussian of that scale."""
    x = wave(120) + 0.05 * np.random.default_rng(0).standard_normal(120)
    models = [bf.KernelRidge(ridge=1e-2, prior=prior).fit(x) for prior in (None, (1e9, 1e9), (2.0, 1.0))]
    key = models[0].keys_[:1] + 0.1
    results = []
    for model in models:
        gram = model.kernel_.matrix(model.keys_, model.keys_) + model.noise_ * np.eye(len(model.keys_))
        results.append(model._distribution(key, np.linalg.inv(np.linalg.cholesky(gram))))
    (location, scale, freedom), (other, sharp, many), (third, wide, few) = results
    np.testing.assert_allclose(location, other)
    np.testing.assert_allclose(location, third)
    n = len(models[0].keys_)
    assert freedom == np.inf
    assert many > 1e9
    assert few == 4 + n
    # The variance of output 1 that the sharp prior states, in place of y' C^-1 y / n.
    np.testing.assert_allclose(sharp, scale / np.sqrt(models[0].quadratic_ / n), rtol=1e-6)
    np.testing.assert_allclose(wide, scale * np.sqrt((2 + models[0].quadratic_) / (4 + n) / (models[0].quadratic_ / n)))


def test_the_evidence_finds_the_noise() -> None:
    """Outputs drawn from the prior with noise of a known part of its variance."""
    from bestiary.forecast.kernel_ridge import _best_ridge

    generator = np.random.default_rng(0)
    x = generator.uniform(-3, 3, (300, 1))
    gram = Gaussian(1.0).matrix(x, x)
    for ridge in (1e-4, 1e-1):
        factor = np.linalg.cholesky(gram + ridge * np.eye(300))
        found = [_best_ridge(gram, factor @ generator.standard_normal((300, 1)), 1.0) for _ in range(5)]
        assert abs(np.log10(np.median(found) / ridge)) <= np.log10(_RIDGES[1] / _RIDGES[0])


def test_intervals_cover_what_they_say() -> None:
    generator = np.random.default_rng(0)
    x = np.zeros(1500)
    for i in range(1, 1500):
        x[i] = 0.8 * x[i - 1] + generator.standard_normal()
    model = bf.KernelRidge(lags=1, width=3.0, ridge="evidence", prior=(2.0, 1.0)).fit(x[:300])
    inside = []
    for i in range(400, 1500, 11):
        low, high = model.interval(1, 0.8, context=x[:i], n=300)
        inside.append(bool(low[0] <= x[i] <= high[0]))
    # 100 trials: three standard errors of a proportion of 0.8.
    assert abs(np.mean(inside) - 0.8) < 0.12


# Reservoirs and tuning


def test_a_reservoir_follows_its_equation() -> None:
    generator = np.random.default_rng(0)
    matrix = generator.standard_normal((5, 5)) * (generator.random((5, 5)) < 0.6)
    inputs, bias = generator.standard_normal((5, 2)), generator.standard_normal(5)
    rows, columns = np.nonzero(matrix)
    offsets = np.searchsorted(rows, np.arange(6))
    reservoir = bst._core.Reservoir(offsets, columns, matrix[rows, columns], inputs, bias, 0.3)
    u, r = generator.standard_normal((20, 2)), np.zeros(5)
    states = []
    for value in u:
        r = 0.7 * r + 0.3 * np.tanh(matrix @ r + inputs @ value + bias)
        states.append(r)
    np.testing.assert_allclose(reservoir.drive(np.zeros(5), u), states, rtol=1e-12)
    readout = generator.standard_normal((2, 8)) * 0.1
    path, now = [], u[-1]
    for _ in range(10):
        now = now + readout @ np.concatenate([[1.0], now, r])
        path.append(now)
        r = 0.7 * r + 0.3 * np.tanh(matrix @ r + inputs @ now + bias)
    np.testing.assert_allclose(reservoir.run(np.array(states[-1]), u[-1], readout, 10), path, rtol=1e-9)


def test_the_hybrid_beats_its_wrong_model_and_the_plain_network() -> None:
    """Lorenz with rho wrong by 10 %; median over starts of the first time the error exceeds 0.4 standard deviations."""
    lorenz = bst.system("Lorenz")
    series = lorenz.trajectory(1500, dt=0.05, transient=20).x
    tests = lorenz.ensemble(9, 320, dt=0.05, seed=3).x
    wrong = lorenz.with_parameters(rho=28 * 1.1)
    scale = series.std(axis=0)

    def valid(forecasts: Any) -> float:
        error = np.sqrt(np.mean(((forecasts - tests[:, 120:]) / scale) ** 2, axis=2))
        return float(np.median([np.argmax(~(row <= 0.4)) for row in error]))

    units = dict(units=50, washout=50)
    hybrid = bf.HybridEchoState(wrong, **units).fit(series, dt=0.05).predict(200, context=tests[:, :120])
    plain = bf.EchoState(**units).fit(series, dt=0.05).predict(200, context=tests[:, :120])
    alone = wrong.ensemble(n=201, initial=tests[:, 119], dt=0.05).x[:, 1:]
    assert valid(hybrid) > 1.5 * max(valid(plain), valid(alone))


def test_tuning_sees_the_training_series_only() -> None:
    whole = bst.system("Henon").trajectory(400).x
    other = whole.copy()
    other[300:] = 77.0
    grid = {"degree": [1, 2, 3], "lags": [1, 2]}
    found = [bf.tune(bf.NVAR(), grid, x[:300], horizon=5, threads=threads) for x, threads in ((whole, 1), (other, 2))]
    assert found[0].parameters == found[1].parameters
    assert found[0].parameters["degree"] == 2
    assert found[0].table.equals(found[1].table)
    np.testing.assert_array_equal(found[0].forecaster.predict(20), found[1].forecaster.predict(20))
    assert found[0].table.height == 6
    few = bf.tune(bf.NVAR(), grid, whole[:300], horizon=5, candidates=2)
    assert few.table.height == 2
    stopped = bf.tune(bf.NVAR(), grid, whole[:300], horizon=5, budget=1e-9, threads=1)
    assert stopped.table["score"].is_null().sum() == 5


@pytest.mark.slow
def test_the_promises_of_the_bench_are_kept() -> None:
    """Valid prediction times on Lorenz-63 of the methods with a promise; the speed is measured by the bench itself."""
    import importlib.util
    from pathlib import Path

    path = Path(__file__).parents[1] / "bench" / "bench_forecasters.py"
    spec = importlib.util.spec_from_file_location("bench_forecasters", path)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    train, tests = bench.bed(bst.system("Lorenz"), bench.DT, 8000)
    promised = [row for row in bench.ROWS if row[4] is not None]
    assert len(promised) >= 6
    for name, model, _, n, promise in promised:
        assert bench.score(model, train[:n], tests, 0.0, bench.DT, bench.EXPONENT)[0] >= promise, name
