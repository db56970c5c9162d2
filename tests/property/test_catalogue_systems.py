"""Every system of the catalogue passes the check of `bestiary.testing`; and the check notices what is wrong."""

import numpy as np
import pytest

import bestiary as bst
from bestiary.testing import check_system

NAMES: list[str] = bst.systems()["name"].to_list()


@pytest.mark.parametrize("name", NAMES)
def test_system(name: str) -> None:
    check_system(bst.system(name))


@pytest.mark.parametrize(
    ("name", "variant"), [(row["name"], variant) for row in bst.systems().to_dicts() for variant in row["variants"]]
)
def test_variant(name: str, variant: str) -> None:
    """A variant is there to reproduce published figures, so it has to run; it need not be well behaved."""
    system = bst.system(name, variant=variant)
    assert system.trajectory(50).x.shape == (50, system.dimension)
    assert np.isfinite(system.trajectory(2).x).all()


def test_the_check_notices_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="diverged"):
        check_system(bst.System.from_text("x' = x^2", initial=[1.0], period=1.0))
    lorenz = bst.system("Lorenz")
    honest = type(lorenz).jacobian
    # A mistake in the sixth digit of one entry.
    factor = np.array([[1, 1, 1], [1, 1, 1], [1, 1 + 1e-5, 1]])
    monkeypatch.setattr(type(lorenz), "jacobian", lambda self, x, t=0.0: honest(self, x, t) * factor)
    with pytest.raises(AssertionError, match=r"d\(z\)/d\(y\) differs"):
        check_system(lorenz)
