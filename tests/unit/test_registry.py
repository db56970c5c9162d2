"""The catalogue by name, the table of systems, and a user's own entries."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import bestiary as bst
from bestiary import index, registry

ENTRY = """
name = "{name}"
kind = "flow"
about = "Decay."
citation = "Nobody (2000)"
tags = ["dissipative"]
parameters = {{ a = 1.0, b = "1/3" }}
state = {{ x = 1.0, y = [1, 2] }}
period = 2.0
[equations]
x = "-a*x"
"y[i]" = "-b*y[i]"
[known]
largest_exponent = {{ exact = "-b" }}
[variants.fast]
parameters = {{ a = 10.0 }}
state = {{ x = 2.0 }}
"""


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test loads is gone after it."""
    monkeypatch.setattr(registry, "_folders", [*registry._folders])
    monkeypatch.setattr(registry, "_loaded", {**registry._loaded})
    yield
    registry._system.cache_clear()


def test_every_system_has_a_row() -> None:
    frame = bst.systems()
    assert frame.height >= 40
    assert frame["name"].is_unique().all()
    assert frame["name"].to_list() == sorted(frame["name"])
    for column in ("name", "kind", "dimension", "about", "citation"):
        assert frame[column].null_count() == 0
    assert set(frame["kind"]) == {"flow", "map", "delay", "stochastic"}


def test_rows_agree_with_systems() -> None:
    for row in bst.systems().iter_rows(named=True):
        system = bst.system(row["name"])
        assert (system.dimension, system.kind) == (row["dimension"], row["kind"])
        assert list(system.tags) == row["tags"]
        assert system.is_smooth == row["smooth"], f"{row['name']}: the tag nonsmooth and the equations disagree"
        for variant in row["variants"]:
            assert bst.system(row["name"], variant=variant).name == f"{row['name']}:{variant}"


def test_the_index_is_up_to_date() -> None:
    paths = registry._paths((registry.CATALOGUE,))
    made = index.text(paths.values())
    assert registry.INDEX.read_text(encoding="utf-8") == made, "run python docs/make_catalogue.py"


def test_rows_are_of_the_present_files(tmp_path: Path) -> None:
    """An entry that has changed since the index was made, or came later, is read itself."""
    paths = {name: tmp_path / f"{name}.toml" for name in ("First", "Second")}
    for name, path in paths.items():
        path.write_text(ENTRY.format(name=name))
    kept = tmp_path / "index.json"
    kept.write_text(index.text([paths["First"]]).replace("Decay.", "From the index."))
    found = index.rows(paths, kept)
    assert {name: row["about"] for name, row in found.items()} == {"First": "From the index.", "Second": "Decay."}
    assert {**found["First"], "name": "", "about": ""} == {**found["Second"], "name": "", "about": ""}
    paths["First"].write_text(ENTRY.format(name="First").replace("2.0", "3.0"))
    assert index.rows(paths, kept)["First"]["period"] == 3.0
    paths["First"].write_text(ENTRY.format(name="First").replace('{ exact = "-b" }', "0.5"))
    assert index.rows(paths, kept)["First"]["largest_exponent"] is None  # a fact without a form says nothing
    paths["First"].write_bytes("name = 'Rössler'".encode("latin-1"))
    with pytest.raises(bst.CatalogueError, match=r"First\.toml: the file should be text in UTF-8"):
        index.rows(paths, kept)
    paths["First"].write_text(ENTRY.format(name="Else"))
    with pytest.raises(bst.CatalogueError, match=r'should have the name of its system, "Else\.toml"'):
        index.rows(paths, kept)


def test_narrowing_down() -> None:
    maps = bst.systems(kind="map")
    assert set(maps["kind"]) == {"map"}
    tagged = bst.systems(tag="hamiltonian")
    assert tagged["tags"].list.contains("hamiltonian").all()
    assert bst.systems(dimension=3, smooth=True).filter(pl.col("dimension") != 3).is_empty()
    with pytest.raises(ValueError, match='did you mean "hamiltonian"'):
        bst.systems(tag="hamiltonien")
    with pytest.raises(ValueError, match='unknown kind "maps", did you mean "map"'):
        bst.systems(kind="maps")


def test_names_and_aliases() -> None:
    assert bst.system("Lorenz") == bst.system("lorenz")
    for row in bst.systems().iter_rows(named=True):
        for alias in row["aliases"]:
            # A near-duplicate known by a name of its own is a variant of that name.
            expected = f"{row['name']}:{alias}" if alias in row["variants"] else row["name"]
            assert bst.system(alias).name == expected
    assert bst.system("Lorenz", rho=99.96).parameters["rho"] == 99.96


def test_unknown_system_names_the_nearest() -> None:
    with pytest.raises(bst.UnknownSystem, match='unknown system "Lorentz", did you mean "Lorenz"') as caught:
        bst.system("Lorentz")
    assert isinstance(caught.value, LookupError)
    with pytest.raises(ValueError, match='unknown variant "dyst" of Lorenz, did you mean "dysts"'):
        bst.system("Lorenz", variant="dyst")


def test_own_files_and_folders(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(ENTRY.format(name="OwnDecay"))
    assert bst.load(path).parameters["b"] == pytest.approx(1 / 3)
    assert bst.system("OwnDecay").dimension == 3
    fast = bst.System.from_toml(path, variant="fast")
    assert fast.names == ("x",)
    assert fast.parameters["a"] == 10.0

    folder = tmp_path / "zoo" / "flows"
    folder.mkdir(parents=True)
    (folder / "ZooDecay.toml").write_text(ENTRY.format(name="ZooDecay"))
    bst.add_folder(tmp_path / "zoo")
    assert bst.system("ZooDecay", variant="fast").initial.tolist() == [2.0]
    row = bst.systems().filter(pl.col("name") == "ZooDecay").row(0, named=True)
    assert row["variants"] == ["fast"]
    assert row["largest_exponent"] == pytest.approx(-1 / 3)


def test_wrong_files(tmp_path: Path) -> None:
    path = tmp_path / "Lorenz.toml"
    path.write_text(ENTRY.format(name="Lorenz"))
    with pytest.raises(bst.CatalogueError, match="already"):
        bst.load(path)
    with pytest.raises(bst.CatalogueError, match="already"):
        bst.add_folder(tmp_path)
    path.write_text("name = 'A'\nkind = 'flow'\n[equations]\n")
    with pytest.raises(bst.CatalogueError, match=r'Lorenz\.toml: the key "state" is missing'):
        bst.load(path)
    path.write_text("name = ")
    with pytest.raises(bst.CatalogueError, match=r"Lorenz\.toml: "):
        bst.load(path)
    with pytest.raises(ValueError, match="is no folder"):
        bst.add_folder(tmp_path / "nowhere")


def test_import_is_light() -> None:
    code = "import sys, bestiary; print([m for m in ('polars', 'matplotlib', 'sympy', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_alias_may_stand_for_a_variant(tmp_path: Path) -> None:
    """A near-duplicate under a name of its own: its form, and its form in a collection."""
    entry = ENTRY.format(name="Slow").replace('kind = "flow"', 'kind = "flow"\naliases = ["Quick", "Idle"]')
    entry += "[variants.Quick]\nparameters = { a = 5.0 }\n[variants.dysts_Quick]\nparameters = { a = 6.0 }\n"
    (tmp_path / "Slow.toml").write_text(entry)
    registry.add_folder(tmp_path)
    assert bst.system("Idle") == bst.system("Slow")
    assert bst.system("Quick").parameters["a"] == bst.system("quick").parameters["a"] == 5.0
    assert bst.system("Quick", variant="dysts").parameters["a"] == 6.0
    assert bst.system("Quick", variant="fast").parameters["a"] == 10.0
