"""Facts about the forecasters that are dynamical systems themselves: what they learn, and the systems they become."""

from pathlib import Path

import numpy as np
import pytest

import bestiary as bst
from bestiary import forecast as bf
from bestiary.exceptions import RequestError, UnknownName
from bestiary.testing import check_forecaster

pytest.importorskip("jax")

SMALL = {
    "ShallowPLRNN": bf.ShallowPLRNN(hidden=8, window=20, batches=20, epochs=4),
    "CfC": bf.CfC(hidden=6, backbone=8, window=12, epochs=2),
    "NeuralODE": bf.NeuralODE(width=8, depth=1, window=4, epochs=2),
}


@pytest.fixture(scope="module")
def lorenz() -> bst.Trajectory:
    return bst.system("Lorenz").trajectory(400, dt=0.05, transient=20)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_the_contract_of_a_forecaster(name: str) -> None:
    more = {
        "ShallowPLRNN": {"hidden": 24, "epochs": 60, "batches": 40, "learning_rate": 0.01, "alpha": 0.3},
        "CfC": {"hidden": 16, "backbone": 32, "epochs": 20, "batch_size": 16},
        "NeuralODE": {"width": 24, "epochs": 80, "batch_size": 16},
    }
    check_forecaster(SMALL[name].clone().set_params(**more[name]))


@pytest.mark.parametrize("name", SMALL)
def test_seeds_files_and_interruptions(name: str, lorenz: bst.Trajectory, tmp_path: Path) -> None:
    model = SMALL[name]
    whole = model.clone().fit(lorenz)
    expected = whole.predict(30)
    assert not np.array_equal(model.clone().set_params(seed=1).fit(lorenz).predict(30), expected)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.clone().set_params(checkpoint=tmp_path, progress=interrupt).fit(lorenz)
    resumed = model.clone().set_params(checkpoint=tmp_path).fit(lorenz)
    np.testing.assert_array_equal(resumed.predict(30), expected)
    whole.save(tmp_path / "model")
    np.testing.assert_array_equal(bf.load(tmp_path / "model").predict(30), expected)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (
            "ShallowPLRNN",
            {"hidden": 60, "window": 6, "alpha": 0.5, "penalty": 0.0, "epochs": 120, "learning_rate": 0.01},
        ),
        ("CfC", {"hidden": 32, "backbone": 32, "window": 12, "epochs": 500, "noise": 0.0, "learning_rate": 0.01}),
        ("NeuralODE", {"width": 32, "window": 1, "epochs": 600, "learning_rate": 0.01}),
    ],
)
def test_twenty_windows_are_learned_by_heart(name: str, arguments: dict[str, object], lorenz: bst.Trajectory) -> None:
    model = SMALL[name].clone().set_params(**arguments, validation=0.0, batch_size=20)
    model.fit(lorenz.x[: 19 + model._span()[0]])
    assert model.history_["loss"][-1] < 1e-3


# The piecewise-linear map


def test_a_fitted_map_becomes_a_system_with_the_same_orbit(lorenz: bst.Trajectory) -> None:
    model = SMALL["ShallowPLRNN"].clone().set_params(precision="float64").fit(lorenz)
    system = model.to_system()
    assert (system.kind, system.dimension) == ("map", 3)
    np.testing.assert_allclose(system.trajectory(21).x[1:], model.simulate(20), rtol=1e-9)
    start = lorenz.x[100]
    np.testing.assert_allclose(system.trajectory(6, initial=start).x[1:], model.simulate(5, initial=start), rtol=1e-9)


def test_forcing_bounds_the_gradient_as_its_rule_says() -> None:
    """With alpha = 1 - 1/|J| the product of forced Jacobians of a linear map does not grow."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from bestiary.forecast.neural.networks.plrnn import PiecewiseLinear

    windows = jnp.asarray(np.random.default_rng(0).normal(size=(4, 7, 2)))
    for alpha in ("product_bound", "arithmetic_mean"):
        network = PiecewiseLinear(2, 3, alpha=alpha, penalty=0.0, noise=0.0, key=jax.random.key(0))
        doubling = jax.tree.map(jnp.zeros_like, network)
        forced = eqx.tree_at(lambda net: net.diagonal, doubling, jnp.array([2.0, 0.5]))
        state = jnp.asarray(0.0)
        assert float(forced.advance(state, windows, jnp.asarray(0))) == pytest.approx(0.5, abs=1e-6)
        assert float(forced.advance(state, windows, jnp.asarray(1))) == 0.0
        # It falls slowly.
        assert float(forced.advance(jnp.asarray(1.0), windows, jnp.asarray(5))) == pytest.approx(0.9995, abs=1e-6)


def test_jacobians_of_the_network_are_those_of_the_map() -> None:
    import jax

    from bestiary.forecast.neural.networks.plrnn import PiecewiseLinear

    network = PiecewiseLinear(3, 10, alpha=0.1, penalty=0.0, noise=0.0, key=jax.random.key(1))
    z = np.random.default_rng(1).normal(size=(20, 3)).astype("f4")
    heard = z @ network.inward.T
    slopes = (heard > -network.threshold).astype("f4") - (heard > 0).astype("f4")
    np.testing.assert_allclose(network._jacobian(slopes), jax.vmap(jax.jacobian(network))(z), atol=1e-6)


def test_a_piecewise_linear_map_is_learned_with_its_exponent() -> None:
    """The Lozi map bends once: its published exponent is found in the system that a fitted network becomes."""
    lozi = bst.system("Lozi")
    model = bf.ShallowPLRNN(hidden=20, window=10, batches=50, epochs=120, alpha=0.5, learning_rate=1e-2)
    model.fit(lozi.trajectory(3000, transient=100))
    own, learned = (bst.lyapunov_spectrum(system, error=0.005).value for system in (lozi, model.to_system()))
    assert abs(learned[0] - own[0]) < 0.15 * own[0]


# The neural differential equation


def test_a_fitted_flow_becomes_a_system_with_the_same_orbit(lorenz: bst.Trajectory) -> None:
    model = SMALL["NeuralODE"].clone().set_params(precision="float64", substeps=20).fit(lorenz)
    system = model.to_system()
    assert (system.kind, system.dimension) == ("flow", 3)
    run = system.trajectory(11, dt=0.05)
    np.testing.assert_allclose(run.x[1:], model.predict(10), rtol=1e-5)


def test_gradients_through_the_solver_are_central_differences() -> None:
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from bestiary.forecast.neural.networks.ode import Field
    from bestiary.forecast.neural.training import precision

    with precision(True):
        field = Field(2, 5, 2, substeps=3, known=None, key=jax.random.key(0, impl="threefry2x32"))
        windows = jnp.asarray(np.random.default_rng(0).normal(size=(3, 9, 2)))
        weights, rest = eqx.partition(field, eqx.is_inexact_array)
        leaves, structure = jax.tree.flatten(weights)

        def loss(flat: list[np.ndarray]) -> float:
            return eqx.combine(jax.tree.unflatten(structure, flat), rest).loss(windows, (), None)

        slopes = jax.grad(loss)(leaves)
        generator = np.random.default_rng(1)
        for _ in range(10):
            directions = [generator.normal(size=leaf.shape) for leaf in leaves]
            h = 1e-5
            ahead, behind = (
                float(loss([leaf + sign * h * v for leaf, v in zip(leaves, directions, strict=True)]))
                for sign in (1, -1)
            )
            expected = sum(float(jnp.sum(s * v)) for s, v in zip(slopes, directions, strict=True))
            assert (ahead - behind) / (2 * h) == pytest.approx(expected, rel=1e-4)


def test_known_equations_are_kept_and_what_they_lack_is_learned() -> None:
    """A pendulum known without its damping: the hybrid ends nearer to the truth than what was known."""
    truth = bst.System.from_text("q' = v; v' = -sin(q) - 0.2*v", initial=[1.5, 0.0])
    known = bst.System.from_text("q' = v; v' = -sin(q)", initial=[1.5, 0.0])
    starts = np.random.default_rng(0).uniform(-1.5, 1.5, (8, 2))
    train = truth.ensemble(initial=starts, n=60, dt=0.2).x
    model = bf.NeuralODE(known=known, width=16, depth=1, window=4, epochs=25, validation=0.0).fit(train, dt=0.2)
    test = truth.trajectory(41, dt=0.2).x
    forecast = model.predict(40, context=test[:1])
    wrong = known.trajectory(41, dt=0.2).x[1:]
    assert np.abs(forecast - test[1:]).max() < 0.25 * np.abs(wrong - test[1:]).max()
    system = model.to_system()
    assert list(system.names) == ["q", "v"]
    np.testing.assert_allclose(system.trajectory(11, dt=0.2, initial=test[0]).x[1:], forecast[:10], atol=1e-3)


def test_known_equations_of_every_form_stay_corrected_as_a_system() -> None:
    """Conditions, functions that JAX has by another name, and the dotted states of a composition."""
    bent = bst.System.from_text("x' = v; v' = -max(0, x) - exprel(-x^2)*x", initial=[1.0, 0.3])
    pair = bst.compose({"a": bst.system("Rossler"), "b": bst.System.from_text("w' = -w", initial=[1.0])})
    for known in (bent, pair):
        run = known.trajectory(40, dt=0.1)
        model = bf.NeuralODE(known=known, width=4, depth=1, window=4, epochs=1, precision="float64", substeps=10)
        model.fit(run)
        system = model.to_system()
        assert system.names == known.names
        forecast = model.predict(5)
        np.testing.assert_allclose(system.trajectory(6, dt=0.1).x[1:], forecast, rtol=0, atol=1e-6)
        # An orbit of the known equations alone lies much further away than that.
        assert np.abs(known.trajectory(6, dt=0.1, initial=run.x[-1]).x[1:] - forecast).max() > 1e-4


# The liquid network


def test_a_liquid_cell_in_no_time_and_in_infinite_time() -> None:
    """The gate is open for one target or the other: where the rate is positive, long times lead to the second one."""
    import jax
    import jax.numpy as jnp

    from bestiary.forecast.neural.networks.liquid import Liquid

    network = Liquid(2, 4, 6, noise=0.0, warm=0, key=jax.random.key(0))
    hidden, sample = jnp.ones(4) * 0.3, jnp.array([0.5, -0.2])
    heard = 1.7159 * jnp.tanh(0.666 * network.backbone(jnp.concatenate([sample, hidden])))
    targets = jnp.tanh(network.first(heard)), jnp.tanh(network.second(heard))
    late = network.cell(hidden, sample, 1e9)
    np.testing.assert_allclose(late, jnp.where(network.rate(heard) > 0, targets[1], targets[0]), atol=1e-5)


def test_a_wave_is_learned() -> None:
    x = np.sin(0.5 * np.arange(300))
    model = bf.CfC(hidden=12, backbone=24, window=20, epochs=40, validation=0.0).fit(x[:260])
    assert np.abs(model.predict(20, context=x[200:260]) - x[260:280]).max() < 0.2


# Wrong arguments


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (bf.ShallowPLRNN(alpha="mean"), "arithmetic_mean"),
        (bf.ShallowPLRNN(alpha=1.5), "between 0 and 1"),
        (bf.NeuralODE(known=bst.system("Rossler").open("z")), "state variables"),
        (bf.NeuralODE(known=bst.system("Henon")), "kind flow"),
        (bf.NeuralODE(known=bst.system("Lorenz84").with_parameters(), window=0), "window"),
        (bf.CfC(hidden=0), "hidden"),
    ],
)
def test_wrong_arguments(model: bf.Forecaster, says: str, lorenz: bst.Trajectory) -> None:
    with pytest.raises((RequestError, UnknownName), match=says):
        model.fit(lorenz)


def test_nothing_learned_no_system() -> None:
    for name in ("ShallowPLRNN", "NeuralODE"):
        with pytest.raises(RequestError, match="call fit first"):
            SMALL[name].clone().to_system()
