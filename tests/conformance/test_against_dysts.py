"""
The variant "dysts" of an entry is the collection's system: its right-hand side, order of variables and initial state.

The collection itself is asked, in an environment of its own (`.dysts`, made when it is first needed).
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bestiary as bst

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VERSION = "0.96"
NAMES: dict[str, list[str]] = json.loads((HERE / "collection_names.json").read_text())
STATES = 20
# Some ten operations in another order.
CLOSE = 1e-12
# A map of the same name as a flow has another one here.
RENAMED = {("map", "Duffing"): "DuffingMap"}
# In the collection's table, but without equations there: nothing to compare with, and EndCap is in no paper either.
WITHOUT_EQUATIONS = {"EndCap", "Zaslavskii", "ZeraouliaSprott"}
# In the collection's code the switch that the state of this object should make never reaches the map.
OTHERWISE = {"BlinkingVortexMap"}
LISTED = [("flow", name) for name in NAMES["flows"]] + [("map", name) for name in NAMES["maps"]]
WRITTEN = [pair for pair in LISTED if pair[1] not in WITHOUT_EQUATIONS]


def ours(kind: str, name: str, variant: str | None = "dysts") -> bst.System:
    return bst.system(RENAMED.get((kind, name), name), variant=variant)


def test_the_list_is_whole() -> None:
    assert len(NAMES["flows"]) == len(set(NAMES["flows"])) == 135
    assert len(NAMES["maps"]) == len(set(NAMES["maps"])) == 26


@pytest.mark.parametrize(("kind", "name"), [pair for pair in LISTED if pair[1] != "EndCap"])
def test_every_name_of_the_collection_is_known(kind: str, name: str) -> None:
    """By its own name, which may be an alias, and in the collection's form."""
    assert (ours(kind, name, None).kind == "map") == (kind == "map")
    if name not in WITHOUT_EQUATIONS:
        assert ":dysts" in ours(kind, name).name


def near(system: bst.System) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """States in the neighbourhood of the collection's own, times, and values of the delayed terms."""
    random = np.random.default_rng(20240229)
    shape = (STATES, system.dimension)
    x = system.initial * (1 + 0.1 * random.uniform(-1, 1, shape)) + 1e-3 * random.uniform(-1, 1, shape)
    t = random.uniform(0, 10, STATES)
    if system.kind != "delay":
        return x, t, None
    past = x[:, :1] * (1 + 0.1 * random.uniform(-1, 1, (STATES, 1)))
    return x, t, np.repeat(past, len(system.core.delayed_terms), axis=1)


@pytest.fixture(scope="module")
def collection() -> Path:
    """The Python of an environment that holds the collection."""
    folder = ROOT / ".dysts"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    probe = [python, "-c", "from importlib.metadata import version; print(version('dysts'))"]
    there = python.exists() and subprocess.run(probe, capture_output=True, text=True, check=False).stdout.strip()
    if there != VERSION:
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", f"dysts=={VERSION}", "numpy", "scipy"]
        for command in ([sys.executable, "-m", "venv", folder], install):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"no environment with dysts {VERSION} could be made: {done.stderr.strip()[-200:]}")
    return python


@pytest.mark.slow
def test_right_hand_sides(collection: Path) -> None:
    """At random states around the collection's own initial state, every component, in the collection's order."""
    systems = {}
    for kind, name in WRITTEN:
        # That all of them are there is another test's.
        with contextlib.suppress(bst.UnknownName):
            systems[kind, name] = ours(kind, name)
    failures: list[str] = []
    for kind in ("flow", "map"):
        chosen = {name: system for (own, name), system in systems.items() if own == kind and name not in OTHERWISE}
        rows: dict[str, Any] = {}
        for name, system in chosen.items():
            x, t, delayed = near(system)
            row = {"kind": system.kind, "states": x.tolist(), "times": t.tolist()}
            rows[name] = {**row, "delayed": None if delayed is None else delayed.tolist()}
        script = [collection, HERE / "collection_rhs.py"]
        done = subprocess.run(script, input=json.dumps(rows), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        theirs = json.loads(done.stdout)
        for name, system in chosen.items():
            failures += [f"{kind} {name}: {what}" for what in differences(system, theirs[name])]
    assert len(systems) > 80
    assert not failures, "\n".join(failures)


def differences(system: bst.System, theirs: dict[str, Any]) -> list[str]:
    """How our system differs from theirs: initial state, shape, right-hand side."""
    if "rhs" not in theirs:
        return ["the collection has no equations"]
    x, t, delayed = near(system)
    own, other = system.rhs(x, t, delayed=delayed), np.array(theirs["rhs"])
    initial = np.array(theirs["initial"])[: system.dimension]
    if own.shape != other.shape:
        return [f"{own.shape[1]} variables, theirs has {other.shape[1]}"]
    found = (
        [] if np.allclose(initial, system.initial, rtol=1e-6, atol=1e-12) else [f"initial state: theirs is {initial}"]
    )
    scale = np.abs(other).max(axis=0)
    for i, name in enumerate(system.names):
        # Where neither is defined there is nothing to compare; the rest has to be there.
        both = np.isfinite(own[:, i]) & np.isfinite(other[:, i])
        if both.sum() < STATES // 2 or (np.isfinite(own[:, i]) != np.isfinite(other[:, i])).any():
            found.append(f"{name}: defined at {both.sum()} of {STATES} states")
        miss = np.abs(own[both, i] - other[both, i]).max(initial=0.0)
        if miss > CLOSE * scale[i]:
            found.append(f"{name}: differs by {miss / scale[i]:.2g}")
    return found
