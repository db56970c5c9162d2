"""Finite-time exponents, covariant vectors and alignment indices against exact cases."""

import numpy as np
import pytest

import bestiary as bst
from bestiary import System, measures

GOLDEN = float(np.log((3 + 5**0.5) / 2))


def test_covariant_vectors_of_a_linear_map_are_its_eigenvectors() -> None:
    shear = System.from_text("next(x) = mod(2*x + y, 1); next(y) = y/2", initial=[0.3, 0.4])
    found = measures.covariant_vectors(shear, 50)
    # Eigenvectors (1, 0) of 2 and (-2/3, 1) of 1/2.
    assert np.allclose(np.abs(found.vectors[..., 0]), [1, 0], atol=1e-9)
    assert np.allclose(found.angles(0, 1), np.arctan2(1, 2 / 3), atol=1e-9)
    assert np.allclose(found.exponents, [np.log(2), -np.log(2)], atol=1e-9)


def test_the_flow_direction_is_a_covariant_vector() -> None:
    lorenz = bst.system("Lorenz")
    found = measures.covariant_vectors(lorenz, 200, settle=2000)
    speed = lorenz.rhs(found.x)
    speed /= np.linalg.norm(speed, axis=-1, keepdims=True)
    along = np.abs((speed * found.vectors[..., 1]).sum(axis=-1))
    assert np.median(1 - along) < 1e-6
    assert (found.angles_between((0, 1), (2,)) > 0.01).all()


def test_finite_time_exponents_average_to_the_exponents() -> None:
    found = measures.finite_time_exponents(bst.system("Henon"), 10, spans=500)
    mean = (found.values * found.elapsed[..., None]).sum(axis=(0, 1)) / found.elapsed.sum()
    assert mean.sum() == pytest.approx(np.log(0.3), abs=1e-9)
    assert mean[0] == pytest.approx(0.4192, abs=0.02)
    density, edges = found.histogram()
    assert (density * np.diff(edges)).sum() == pytest.approx(1.0)
    assert (np.diff(found.quantiles()[:, 0]) > 0).all()


def test_alignment_tells_chaotic_from_regular_motion() -> None:
    henon_heiles = bst.system("HenonHeiles")
    found = measures.alignment(henon_heiles, 200, initial=[[0.0, -0.25, 0.42, 0.0], [0.0, 0.1, 0.35, 0.02]])
    assert found.gali.shape == (2, 200, 3)
    assert (found.gali <= 1 + 1e-12).all()
    assert (found.sali > 0).all()
    cat = measures.alignment(bst.system("ArnoldCat"), 20)
    rate = np.log(cat.sali[0, 19] / cat.sali[0, 9]) / 10
    assert rate == pytest.approx(-2 * GOLDEN, abs=1e-3)
    turn = System.from_text("a' = 1; b' = sqrt(2)", initial=[0.1, 0.2], period=6.0)
    assert np.allclose(measures.alignment(turn, 50).gali, 1.0, atol=1e-6)


def test_wrong_requests() -> None:
    with pytest.raises(bst.RequestError, match="flows and maps only"):
        measures.covariant_vectors(bst.system("MackeyGlass"))
    with pytest.raises(bst.RequestError, match="at least two"):
        measures.alignment(bst.system("Logistic"), k=1)
    with pytest.raises(bst.RequestError, match="span must be"):
        measures.finite_time_exponents(bst.system("Lorenz"), -1.0)
