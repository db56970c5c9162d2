"""Every entry of the catalogue holds to the contract of `bestiary.testing`, and so do its variants."""

import numpy as np
import pytest

import bestiary as bst
from bestiary import checks
from bestiary.testing import check_entry

ROWS = bst.systems().to_dicts()
NAMES: list[str] = [row["name"] for row in ROWS]
# Periods of the long run, all members together; with --slow as many as the contract says.
SHORT = 200.0


def test_the_catalogue_holds_every_kind() -> None:
    assert {row["kind"] for row in ROWS} == {"flow", "map", "delay", "stochastic"}
    assert len(NAMES) == len(set(NAMES)) >= 100


@pytest.mark.parametrize("name", NAMES)
def test_entry(name: str) -> None:
    check_entry(name, periods=SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_entry_in_the_long_run(name: str) -> None:
    found = checks.problems(bst.system(name), "entry", checks.PERIODS)
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize(("name", "variant"), [(row["name"], variant) for row in ROWS for variant in row["variants"]])
def test_variant(name: str, variant: str) -> None:
    """A variant is there to reproduce published figures, so it has to run; it need not be well behaved."""
    system = bst.system(name, variant=variant)
    assert system.trajectory(50).x.shape == (50, system.dimension)
    assert np.isfinite(system.trajectory(2).x).all()


def test_the_collections_double_pendulum_loses_energy() -> None:
    """The misprint that the variant keeps shows: the energy of the right equations drifts."""
    system = bst.system("DoublePendulum", variant="dysts")
    energy = bst.system("DoublePendulum").entry["known"]["conserved"]["energy"]
    run = system.trajectory(2000, per_period=100, rtol=1e-12)
    assert np.ptp(system.evaluate(energy, run.x, run.t)) > 1e-3
