"""The digits of a released version of the catalogue never change."""

import importlib.util
import json
from pathlib import Path

import pytest

import bestiary as bst
from bestiary import registry

SPEC = importlib.util.spec_from_file_location("freeze_catalogue", Path(__file__).with_name("freeze_catalogue.py"))
assert SPEC is not None
assert SPEC.loader is not None
freeze = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(freeze)


def test_digits_of_the_released_version() -> None:
    frozen = json.loads(freeze.FILE.read_text())
    assert frozen["digits"], "run python tests/golden/freeze_catalogue.py"
    if frozen["version"] != bst.catalogue_version:
        pytest.fail(f"the catalogue is version {bst.catalogue_version}: run python tests/golden/freeze_catalogue.py")
    if frozen["released"]:
        changed = freeze.changes(frozen["digits"], freeze.digits())
        assert not changed, (
            f"version {frozen['version']} of the catalogue is released, and users quote its digits. "
            "Raise CATALOGUE_VERSION in bestiary/registry.py and run python tests/golden/freeze_catalogue.py. "
            "Changed: " + "; ".join(changed)
        )


def test_every_digit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers, their order and equations count; words, facts and measurements do not; new entries are welcome."""
    text = (registry.CATALOGUE / "flows" / "Lorenz.toml").read_text()
    path = tmp_path / "Lorenz.toml"
    path.write_text(text)
    monkeypatch.setattr(registry, "CATALOGUE", tmp_path)
    frozen = freeze.digits()
    assert list(frozen) == ["Lorenz", "Lorenz:dysts"]

    def after(old: str, new: str) -> list[str]:
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return freeze.changes(frozen, freeze.digits())

    assert after('about = "', 'about = "Well. ') == []
    assert after("largest_exponent = { value = 0.9056", "largest_exponent = { value = 0.9057") == []
    (tmp_path / "New.toml").write_text(text.replace('name = "Lorenz"', 'name = "New"'))
    both = ["Lorenz has other digits", "Lorenz:dysts has other digits"]
    assert after("sigma = 10.0, rho = 28.0", "sigma = 10.000000000000002, rho = 28.0") == both
    assert after("sigma = 10.0, rho = 28.0", "rho = 28.0, sigma = 10.0") == both
    assert after("sigma*(y - x)", "sigma*y - sigma*x") == both
    assert after("x = -9.7869288", "x = -9.7869289") == ["Lorenz:dysts has other digits"]
    assert after("[variants.dysts]", "[variants.other]") == ["Lorenz:dysts is gone"]


def test_the_version_is_stated() -> None:
    assert bst.catalogue_version == registry.CATALOGUE_VERSION
