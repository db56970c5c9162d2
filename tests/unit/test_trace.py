"""Equations from Python functions: the traced system computes what the function computes."""

import math

import numpy as np
import pytest

import bestiary as bst


def lorenz(x, t, sigma, rho=28.0, beta=8 / 3):
    return sigma * (x[1] - x[0]), x[0] * (rho - x[2]) - x[1], x[0] * x[1] - beta * x[2]


def everything(x):
    return [
        -(x[0] ** 2),
        (-x[0]) ** 2,
        2 ** -x[1],
        x[0] - (x[1] + x[2]),
        x[0] / (x[1] / x[2]),
        (x[0] * x[1]) ** -2,
        np.log1p(x[0]) + np.hypot(x[0], x[1]),
        np.dot(x, x) + np.sum(x) / 3 + np.prod(x[:3]),
        np.where(x[0] > x[1], np.sin(x[0]), np.arctan2(x[0], x[1])),
        np.where((x[0] < 1) & (x[1] < 1), 1.0, -x[2]),
        np.maximum(x[0], np.minimum(x[1], 0.7)) + x[2] % 0.3 + x[0] // 0.25,
        abs(x[0] - x[3]) * np.sign(x[1] - 1) - np.tanh(-x[2]) - (x[0] > 0.5) * 1.0,
        np.square(x[0]) + np.exp(-(x[1] ** 2)) - np.expm1(x[2]) + np.clip(x[4], 0.3, 0.5),
        x[0] - (-x[1]) * (-x[2]) - -x[3],
    ]


def network(t, x, p):
    return -x + p["K"] @ np.tanh(x) + np.where(x > 0, x, -(x**2)) + np.sin(t)


def test_lorenz_reads_as_one_writes_it() -> None:
    system = bst.System.from_function(
        lorenz, names=["x", "y", "z"], parameters={"sigma": 10, "rho": 28, "beta": 8 / 3}, initial=[1, 1, 1]
    )
    written = "x' = sigma*(y - x)\ny' = x*(rho - z) - y\nz' = x*y - beta*z"
    expected = bst.System.from_text(written, parameters=system.parameters, initial=[1, 1, 1])
    assert system == expected
    assert system.name == "lorenz"


def test_defaults_are_constants() -> None:
    system = bst.System.from_function(lorenz, names=["x", "y", "z"], parameters={"sigma": 10}, initial=[1, 1, 1])
    assert list(system.parameters) == ["sigma"]
    assert "28" in system.to_text()


def test_operators_and_functions() -> None:
    x = np.linspace(0.2, 1.7, 14)
    system = bst.System.from_function(everything, initial=x)
    for factor in (0.5, 1.0, 1.9):
        np.testing.assert_allclose(
            system.rhs(factor * x), np.array(everything(factor * x), float), rtol=1e-12, atol=1e-14
        )


def test_matrices_time_and_arrays() -> None:
    K = np.array([[1.0, 2.0], [3.0, -4.0]])
    x = np.array([1.0, -0.5])
    system = bst.System.from_function(network, parameters={"K": K}, initial=x)
    np.testing.assert_allclose(system.rhs(x, 0.3), network(0.3, x, {"K": K}), rtol=1e-14)


def test_maps() -> None:
    henon = bst.System.from_function(
        lambda x, a: (1 - a * x[0] ** 2 + x[1], 0.3 * x[0]), kind="map", parameters={"a": 1.4}, initial=[0.1, 0.1]
    )
    assert henon.kind == "map"
    np.testing.assert_allclose(henon.rhs([0.5, 0.2]), [1 - 1.4 * 0.25 + 0.2, 0.15])


def test_shared_parts_are_written_once() -> None:
    """Sixty squarings would be 2^60 terms if written out."""

    def nested(x):
        a = x[0]
        for _ in range(60):
            a = np.sin(a * a + x[1]) * a
        return [a, x[0]]

    system = bst.System.from_function(nested, initial=[0.9, 0.5])
    assert len(system.to_text()) < 60 * 80
    np.testing.assert_allclose(system.rhs([0.9, 0.5]), nested([0.9, 0.5]), rtol=1e-10)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: (math.sin(x[0]),), "numpy.sin"),
        (lambda x: (x[0] if x[0] > 0 else 1,), "numpy.where"),
        (lambda x: (max(x[0], 1),), "numpy.maximum"),
        (lambda x: (x[0], 2), "returns 2 values for 1 state variables"),
        (lambda x, q, r: x, "argument q, which is no parameter: there are r"),
        (lambda x: ("a",), "which is no number"),
        (lambda x: (np.inf * x[0],), "uses inf"),
        (lambda x: (np.arcsinh(x[0]),), "numpy.arcsinh has no place"),
        (lambda t: (t,), "must take the state"),
    ],
)
def test_what_cannot_be_traced_is_explained(function, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bst.System.from_function(function, initial=[1.0], parameters={"r": 2.0})
