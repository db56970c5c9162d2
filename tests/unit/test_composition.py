"""Systems wired into larger ones: the equations are those one would write by hand, and the wiring is checked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bestiary as bst
from bestiary.exceptions import RequestError, UnknownName

LORENZ = bst.system("Lorenz")
ROSSLER = bst.system("Rossler")
FLOWS = ("Lorenz", "Rossler", "DoublePendulum", "Duffing", "Lorenz96", "MultiChua", "InteriorSquirmer", "Chua")


def test_an_open_system_has_an_input_in_place_of_a_variable() -> None:
    opened = LORENZ.open("y")
    assert opened.inputs == ("y",)
    assert opened.names == ("x", "z")
    assert opened.parameters["y"] == LORENZ.initial[1]
    assert opened.to_text() == "x' = sigma*(y - x)\nz' = x*y - beta*z"
    assert bst.System.from_toml(opened.to_toml()) == opened
    assert bst.System.from_toml(opened.to_toml()).inputs == ("y",)


def test_a_driven_copy_follows_its_drive() -> None:
    """Pecora & Carroll (1990): x and z of Lorenz's equations, given y, forget where they began."""
    pair = bst.compose({"drive": LORENZ, "copy": LORENZ.open("y")}, {"copy.y": "drive.y"})
    assert pair.names == ("drive.x", "drive.y", "drive.z", "copy.x", "copy.z")
    run = pair.trajectory(dt=0.1, n=200, initial=[1, 2, 20, -7, 3])
    assert np.abs(run["drive.x"] - run["copy.x"])[-1] < 1e-10
    assert np.abs(run["drive.z"] - run["copy.z"])[-1] < 1e-10


@given(st.sampled_from(FLOWS), st.sampled_from(FLOWS), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_unwired_members_keep_their_equations(first: str, second: str, seed: int) -> None:
    a, b = bst.system(first), bst.system(second)
    both = bst.compose({"a": a, "b": b})
    rng = np.random.default_rng(seed)
    x, y = (s.initial * rng.uniform(0.9, 1.1, s.dimension) for s in (a, b))
    t = rng.uniform(0, 3)
    joined = both.rhs(np.concatenate([x, y]), t)
    assert (joined == np.concatenate([a.rhs(x, t), b.rhs(y, t)])).all()
    jacobian = both.jacobian(np.concatenate([x, y]), t)
    assert (jacobian[: a.dimension, : a.dimension] == a.jacobian(x, t)).all()
    assert not jacobian[: a.dimension, a.dimension :].any()


@pytest.mark.parametrize("name", [*FLOWS, "MackeyGlass", "DoubleWell", "Henon", "CoupledLogistic"])
def test_a_composite_is_a_system_like_any_other(name: str) -> None:
    system = bst.system(name)
    pair = bst.compose({"u": system, "v": system})
    assert pair.kind == system.kind
    again = bst.System.from_toml(pair.to_toml())
    assert again == pair
    assert again.to_text() == pair.to_text()
    run = pair.trajectory(50)
    assert run.outcome == "ok"
    assert np.isfinite(pair.observe(run.x, run.t)).all()
    assert len(pair.observable_names) == 2 * len(system.observable_names)


def test_nested_and_flat_are_the_same() -> None:
    wires = {"b.a": "0.2 + 0.01*a.x"}
    nested = bst.compose(
        {"p": bst.compose({"a": LORENZ, "b": ROSSLER}, wires), "q": ROSSLER}, {"q.c": "5.7 + p.b.x/100"}
    )
    flat = bst.compose(
        {"p.a": LORENZ, "p.b": ROSSLER, "q": ROSSLER}, {"p.b.a": "0.2 + 0.01*p.a.x", "q.c": "5.7 + p.b.x/100"}
    )
    assert nested.to_text() == flat.to_text()
    assert nested == flat
    assert (nested.trajectory(500).x == flat.trajectory(500).x).all()


def test_a_wire_is_substitution() -> None:
    wired = bst.compose({"a": LORENZ, "b": ROSSLER}, {"b.a": "0.1 + a.z/1000*sin(t)", "a.rho": 30})
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    t = 0.7
    by_hand = [
        LORENZ.with_parameters(rho=30).rhs(x[:3]),
        ROSSLER.with_parameters(a=0.1 + 3.0 / 1000 * np.sin(t)).rhs(x[3:]),
    ]
    assert np.allclose(wired.rhs(x, t), np.concatenate(by_hand), rtol=1e-14)
    assert "b.a" not in wired.parameters
    assert "a.rho" not in wired.parameters


def test_forms_of_a_composite() -> None:
    pair = bst.compose({"a": LORENZ, "b": ROSSLER}, {"b.a": "0.2 + 0.01*a.x"})
    x = np.arange(1.0, 7.0)
    assert np.allclose(pair.to_numpy()(x, 0.0), pair.rhs(x), rtol=1e-14)
    assert r"x_{\mathrm{a}}" in pair.to_latex()
    assert pair.trajectory(10).to_polars().columns == ["time", "a.x", "a.y", "a.z", "b.x", "b.y", "b.z"]
    assert pair.with_parameters(**{"a.sigma": 11.0}).parameters["a.sigma"] == 11.0


def test_a_composite_to_sympy() -> None:
    pytest.importorskip("sympy")
    pair = bst.compose({"a": LORENZ, "b": ROSSLER}, {"b.a": "0.2 + 0.01*a.x"})
    assert bst.System.from_sympy(
        pair.to_sympy(), parameters=dict(pair.parameters), initial=dict(zip(pair.names, pair.initial, strict=True))
    ).rhs(np.arange(1.0, 7.0)) == pytest.approx(pair.rhs(np.arange(1.0, 7.0)), rel=1e-13)


def test_a_skew_product_drives_one_way() -> None:
    product = bst.skew_product(LORENZ, ROSSLER, strength=0.3, seed=5)
    assert (product.trajectory(300).x[:, :3] == product.with_parameters(strength=0.0).trajectory(300).x[:, :3]).all()
    x = np.arange(1.0, 7.0)
    jacobian = product.jacobian(x)
    assert not jacobian[:3, 3:].any()
    assert jacobian[3:, :3].any()
    speed = product.parameters["response.speed"]
    alone = product.with_parameters(strength=0.0)
    assert np.allclose(alone.rhs(x)[3:], ROSSLER.rhs(x[3:]) / speed, rtol=1e-14)
    run = ROSSLER.trajectory(20_000, per_period=20, transient=200.0)
    assert speed == pytest.approx(np.sqrt((ROSSLER.rhs(run.x) ** 2).sum(axis=1).mean()), rel=0.1)
    pushed = (product.rhs(x) - alone.rhs(x))[3:] / 0.3 * product.parameters["drive.speed"]
    assert np.isclose(pushed[:, None], LORENZ.rhs(x[:3]), rtol=1e-10).any(axis=1).all()
    unscaled = bst.skew_product(LORENZ, ROSSLER, scale=None)
    assert unscaled.parameters["drive.speed"] == unscaled.parameters["response.speed"] == 1.0


def test_a_network_is_its_equations() -> None:
    rng = np.random.default_rng(3)
    weights = rng.integers(0, 3, (4, 4)) * (1 - np.eye(4, dtype=int))
    net = bst.network(ROSSLER, weights, on="y", strength=0.2, parameters={"a": [0.1, 0.15, 0.2, 0.25]})
    x = rng.uniform(-1, 1, (4, 3))
    expected = np.array(
        [ROSSLER.with_parameters(a=a).rhs(row) for a, row in zip([0.1, 0.15, 0.2, 0.25], x, strict=True)]
    )
    expected[:, 1] += 0.2 * (weights @ x[:, 1] - weights.sum(axis=1) * x[:, 1])
    assert np.allclose(net.rhs(x.ravel()), expected.ravel(), rtol=1e-13)
    phases = bst.network(ROSSLER, weights, on=["x", "y"], coupling="sin(source - target)", strength=2.0)
    expected = np.array([ROSSLER.rhs(row) for row in x])
    for column in (0, 1):
        expected[:, column] += 2.0 * (weights * np.sin(x[None, :, column] - x[:, None, column])).sum(axis=1)
    assert np.allclose(phases.rhs(x.ravel()), expected.ravel(), rtol=1e-13)
    assert bst.network(bst.system("Henon"), weights, coupling="additive", strength=0.01).kind == "map"


def test_a_network_of_strangers_is_its_members() -> None:
    net = bst.network(ROSSLER, np.zeros((2, 2)), strength=5.0)
    run = net.trajectory(200)
    alone = ROSSLER.trajectory(200, initial=net.initial[:3])
    assert np.allclose(run.x[:, :3], alone.x, atol=1e-8)


def test_what_is_refused() -> None:
    opened = LORENZ.open("x")
    with pytest.raises(RequestError, match=r"not wired: b\.x"):
        bst.compose({"a": LORENZ, "b": opened})
    with pytest.raises(UnknownName, match=r"b\.sigm"):
        bst.compose({"a": LORENZ, "b": opened}, {"b.sigm": "a.x"})
    with pytest.raises(bst.LanguageError, match=r"a\.w"):
        bst.compose({"a": LORENZ, "b": opened}, {"b.x": "a.w"})
    with pytest.raises(RequestError, match="open it"):
        bst.compose({"a": LORENZ, "b": LORENZ}, {"b.x": "a.x"})
    with pytest.raises(RequestError, match="maps and flows"):
        bst.compose({"a": LORENZ, "b": bst.system("Henon")})
    with pytest.raises(RequestError, match="noisy delay"):
        bst.compose({"a": bst.system("MackeyGlass"), "b": bst.system("DoubleWell")})
    with pytest.raises(RequestError, match="a word"):
        bst.compose({"a b": LORENZ})
    with pytest.raises(bst.LanguageError):
        bst.compose({"a": opened, "b": opened}, {"a.x": "b.x", "b.x": "a.x"})
    with pytest.raises(UnknownName, match="state variable"):
        LORENZ.open("w")
    with pytest.raises(RequestError, match="no state left"):
        LORENZ.open("x", "y", "z")
    with pytest.raises(RequestError, match="square"):
        bst.network(LORENZ, np.ones((2, 3)))
    with pytest.raises(RequestError, match="two flows"):
        bst.skew_product(LORENZ, bst.system("Henon"))
    with pytest.raises(RequestError, match="one value for each"):
        bst.network(ROSSLER, np.ones((2, 2)), parameters={"a": [0.1]})


def test_the_shortest_period_is_that_of_the_whole() -> None:
    """Whether it is stated as a number or as an expression."""
    clock = bst.System.from_text("x' = y; y' = -x", initial={"x": 1.0, "y": 0.0}, period="2*pi")
    slow = bst.System.from_text("z' = -z", initial={"z": 1.0}, period=7.0)
    assert bst.compose({"a": clock, "b": slow}).period == pytest.approx(2 * np.pi)
    assert bst.compose({"a": slow}).period == 7.0
