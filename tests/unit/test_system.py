"""Systems: ways in, ways out, identity, equations as functions, and what is said about a wrong call."""

import pickle

import numpy as np
import pytest

import bestiary as bst

LORENZ = "x' = sigma*(y - x)\ny' = x*(rho - z) - y\nz' = x*y - beta*z"
PARAMETERS = {"sigma": 10, "rho": 28, "beta": 8 / 3}


@pytest.fixture
def lorenz() -> bst.System:
    return bst.System.from_text(LORENZ, parameters=PARAMETERS, initial=[-9.8, -15.0, 20.5], name="Lorenz", period=1.5)


def ring(n: int = 5) -> bst.System:
    return bst.System.from_text(
        "x[i]' = (x[i+1] - x[i-2])*x[i-1] - x[i] + F",
        parameters={"F": 8.0},
        structure={"N": n},
        initial={"x": {"size": "N", "each": "F + where(i == 1, 0.01, 0)"}},
        period=1.0,
    )


def network() -> bst.System:
    return bst.System.from_text(
        "x[i]' = -x[i] + sum(j, K[i, j]*tanh(x[j]))",
        parameters={"K": [[0.5, 2.0], [-1.5, 1.0]]},
        initial=[0.1, 0.2],
        period=2.0,
    )


def test_right_hand_side_is_the_formula(lorenz: bst.System) -> None:
    x = np.random.default_rng(0).normal(size=(4, 5, 3))
    expected = np.stack(
        [
            10 * (x[..., 1] - x[..., 0]),
            x[..., 0] * (28 - x[..., 2]) - x[..., 1],
            x[..., 0] * x[..., 1] - 8 / 3 * x[..., 2],
        ],
        axis=-1,
    )
    np.testing.assert_allclose(lorenz.rhs(x), expected, rtol=1e-14, atol=1e-14)
    assert lorenz.rhs(x[0, 0]).shape == (3,)
    assert lorenz.rhs(np.zeros((0, 3))).shape == (0, 3)


def test_jacobian_and_divergence(lorenz: bst.System) -> None:
    x = np.array([1.0, 2.0, 3.0])
    expected = [[-10, 10, 0], [28 - 3, -1, -1], [2, 1, -8 / 3]]
    np.testing.assert_allclose(lorenz.jacobian(x), expected, atol=1e-7)
    np.testing.assert_allclose(lorenz.divergence([x, 2 * x]), [-(11 + 8 / 3)] * 2, rtol=1e-7)


def test_time_is_an_argument() -> None:
    driven = bst.System.from_text("x' = t*x", initial=[1.0])
    np.testing.assert_allclose(driven.rhs([[1.0], [2.0]], [3.0, 4.0]), [[3.0], [8.0]])
    assert not driven.is_autonomous


def test_evaluate_knows_state_and_parameters(lorenz: bst.System) -> None:
    np.testing.assert_allclose(lorenz.evaluate("x^2 + sigma*t", [[1.0, 0, 0], [2.0, 0, 0]], 0.5), [6.0, 9.0])


def test_observables_give_the_bounded_view() -> None:
    pendulum = bst.System.from_text(
        "theta' = omega; omega' = -sin(theta)", initial=[1.0, 0.0], observables={"height": "-cos(theta)"}
    )
    np.testing.assert_allclose(pendulum.observe([[np.pi, 0.0]]), [[1.0]])
    assert pendulum.observable_names == ("height",)


def test_constant_expressions_are_evaluated() -> None:
    system = bst.System.from_text(
        "x' = a*x", parameters={"a": "2*pi/10", "v": ["1/2", 3]}, initial={"x": "a + 1"}, structure={"N": 3}
    )
    assert system.parameters["a"] == pytest.approx(2 * np.pi / 10, rel=1e-15)
    np.testing.assert_allclose(system.parameters["v"], [0.5, 3.0])
    assert system.initial[0] == pytest.approx(1 + 2 * np.pi / 10)


@pytest.mark.parametrize("make", [ring, network], ids=["ring", "network"])
def test_text_and_toml_round_trips(make) -> None:  # type: ignore[no-untyped-def]
    system = make()
    again = bst.System.from_text(
        system.to_text(),
        parameters=system.parameters,
        initial=dict(x=system.initial),
        structure=system.structure,
    )
    assert again == system
    assert again.to_text() == system.to_text()
    assert bst.System.from_toml(system.to_toml()) == system
    assert pickle.loads(pickle.dumps(system)) == system
    assert hash(again) == hash(system)


def test_equality_is_by_definition(lorenz: bst.System) -> None:
    same = bst.System.from_text(LORENZ, parameters=PARAMETERS, initial=[-9.8, -15.0, 20.5], name="another name")
    assert same == lorenz
    assert lorenz.with_parameters(rho=29) != lorenz
    assert lorenz.with_initial([1, 1, 1]) != lorenz
    assert lorenz != "Lorenz"


def test_systems_are_immutable(lorenz: bst.System) -> None:
    changed = lorenz.with_parameters(rho=99.96)
    assert (lorenz.parameters["rho"], changed.parameters["rho"]) == (28.0, 99.96)
    with pytest.raises(TypeError):
        lorenz.parameters["rho"] = 3.0  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        lorenz.initial[0] = 0.0
    lorenz.entry["parameters"]["rho"] = 1.0
    assert lorenz.entry["parameters"]["rho"] == 28


def test_structure_changes_size() -> None:
    assert ring().with_parameters(N=7).dimension == 7
    assert ring().with_parameters(N=7, F=10).initial.tolist() == [10.01, *[10.0] * 6]
    assert ring(4).names == ("x1", "x2", "x3", "x4")


def test_measurements_do_not_outlive_parameters() -> None:
    entry = {
        "name": "S",
        "kind": "flow",
        "parameters": {"a": 1.0},
        "state": {"x": 1.0},
        "equations": {"x": "-a*x"},
        "known": {"largest_exponent": {"value": 0.5}, "divergence": {"exact": "-a"}},
        "measured": {"largest_exponent": {"value": 0.51}},
    }
    system = bst.System(entry)
    assert system.lyapunov_time == pytest.approx(1 / 0.51)
    assert set(system.with_parameters(a=2.0).entry["known"]) == {"divergence"}
    assert system.with_parameters(a=2.0).entry["measured"] == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x' = -x", "flow"),
        ("next(x) = x/2", "map"),
        ("x' = -x; noise(x) = 1", "stochastic"),
        ("x' = -x(t - 1)", "delay"),
        ("f(u) = u; x' = f(t - 1)  # x(t - 1)", "flow"),
        ("x[i]' = x[i - 1](t - 1)", "delay"),
    ],
)
def test_the_form_of_the_equations_tells_the_kind(text: str, kind: str) -> None:
    initial = {"x": [1.0, 2.0, 3.0]} if "[" in text else [1.0]
    assert bst.System.from_text(text, initial=initial).kind == kind


def test_appearance_shows_the_equations(lorenz: bst.System) -> None:
    assert "x' = sigma*(y - x)" in repr(lorenz)
    assert "rho = 28" in repr(lorenz)
    assert lorenz._repr_latex_().startswith("$$\n\\begin{aligned}")
    assert lorenz.to_latex().count("&=") == 3
    assert "<strong>Lorenz</strong>" in lorenz._repr_html_()


def test_numpy_function_equals_the_compiled_one(lorenz: bst.System) -> None:
    x = np.random.default_rng(1).normal(size=(6, 3))
    f = lorenz.to_numpy()
    np.testing.assert_allclose(f(x.T).T, lorenz.rhs(x), rtol=1e-13, atol=1e-13)


def test_sympy_round_trip(lorenz: bst.System) -> None:
    sympy = pytest.importorskip("sympy")
    x, y, a = sympy.symbols("x y a")
    equations = {x: -a * x + y**2 / 3 + sympy.sqrt(y), y: sympy.Piecewise((x, x > 0), (sympy.Abs(y), True)) + 1 / y}
    system = bst.System.from_sympy(equations, parameters={"a": 2.0}, initial=[1.0, 1.0])
    np.testing.assert_allclose(system.rhs([3.0, 4.0]), [-6 + 16 / 3 + 2, 3.25])
    back = lorenz.to_sympy()
    X, Y, Z, sigma = sympy.symbols("x y z sigma")
    assert sympy.simplify(back[X] - sigma * (Y - X)) == 0
    assert set(back) == {X, Y, Z}


WRONG = {
    "unknown parameter": (lambda s: s.with_parameters(roh=1), 'unknown parameter "roh" of Lorenz, did you mean "rho"'),
    "shape of a parameter": (lambda s: s.with_parameters(rho=[1, 2]), "parameter rho of Lorenz is a number"),
    "parameter not finite": (lambda s: s.with_parameters(rho=float("nan")), "must be finite"),
    "columns of x": (lambda s: s.rhs([1, 2]), "x has 2 columns but Lorenz has 3 state variables: x, y, z"),
    "number for x": (lambda s: s.rhs(3.0), "Lorenz has 3 state variables"),
    "initial state": (lambda s: s.with_initial([1, 2]), "2 columns but Lorenz has 3 state variables: x, y, z"),
    "missing variable": (lambda s: s.with_initial({"x": 1, "y": 2}), "lacks z"),
    "unknown variable": (lambda s: s.with_initial({"x": 1, "y": 2, "w": 3}), 'unknown state variable "w"'),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls(lorenz: bst.System, case: str) -> None:
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call(lorenz)


def test_wrong_texts() -> None:
    with pytest.raises(bst.LanguageError, match="no equation"):
        bst.System.from_text("hello")
    with pytest.raises(bst.LanguageError, match="line 1"):
        bst.System.from_text("x' = -q", initial=[1])
    with pytest.raises(ValueError, match="2 columns but system has 1 state variable: x"):
        bst.System.from_text("x' = -x", initial=[1, 2])
    with pytest.raises(ValueError, match="x is a vector"):
        bst.System.from_text("x[i]' = -x[i]")
    with pytest.raises(ValueError, match="kind must be one of flow, map, delay, stochastic"):
        bst.System.from_text("x' = -x", kind="ode")
    with pytest.raises(bst.CatalogueError, match='unknown key "equation", did you mean "equations"'):
        bst.System({"name": "S", "kind": "flow", "state": {"x": 1}, "equation": {}})
    with pytest.raises(bst.CatalogueError, match="TOML"):
        bst.System.from_toml("name = \n")


def test_what_is_found_by_running_depends_on_the_period() -> None:
    """Equal equations with another period have another reference run, whichever is asked about first."""
    text, options = "x' = 10*(y - x); y' = x*(28 - z) - y; z' = x*y - 8/3*z", {"initial": [1.0, 1.0, 1.0]}
    short, long = (bst.System.from_text(text, period=period, **options) for period in (0.25, 0.75))
    assert short == long
    apart = short.ensemble(2, 3, dt=0.1, seed=0).x, long.ensemble(2, 3, dt=0.1, seed=0).x
    assert (apart[0] != apart[1]).any()


def test_a_period_may_be_an_expression() -> None:
    system = bst.System.from_text("x' = y; y' = -x", initial=[1, 0], period="2*pi")
    assert system.period == 2 * np.pi
    assert bst.System.from_toml(system.to_toml()).period == 2 * np.pi
    for wrong, says in (("2*omega", "unknown name"), ("-1", "must be a positive number"), (True, "must be a number")):
        with pytest.raises(ValueError, match=says):
            bst.System.from_text("x' = y; y' = -x", initial=[1, 0], period=wrong)


def test_elements_of_a_vector_by_their_flat_names() -> None:
    system = bst.system("FermiPastaUlamTsingou")
    both = system.evaluate("q1 + 2*p8", system.initial)
    assert both == system.evaluate("q[1] + 2*p[8]", system.initial) == system.initial[0] + 2 * system.initial[-1]
    with pytest.raises(ValueError, match="unknown name `q9`"):
        system.evaluate("q9", system.initial)
    own = bst.System.from_text("x[i]' = -x1*x[i]", parameters={"x1": 3.0}, initial=[1, 2])
    assert own.evaluate("x1 + x2", own.initial) == 3.0 + 2.0
