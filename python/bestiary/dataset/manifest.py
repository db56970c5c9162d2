"""
The manifest: all that is needed to rebuild a dataset bit for bit, and a hash of every file.

It is written last, so a folder that has one is complete. It holds no times of day and no facts about the machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..exceptions import DatasetError
from . import build
from .files import write_atomically
from .journal import Record
from .plan import Plan

NAME = "manifest.json"
LAYOUT = 1

INITIAL_STATES = (
    "member i of a split: sampling.on_attractor with seed BLAKE2b-64(seed, name, split, 'trajectories') / 2; "
    "the burn-in and then transient_periods are discarded"
)
NOISE = (
    "noise of observation: noise * scale * normals, path = trajectory, "
    "seed BLAKE2b-64(seed, name, split, 'noise from sample …') / 2; "
    "scale: standard deviation of each column along the noise-free reference trajectory"
)


def header(plan: Plan) -> dict[str, Any]:
    """What a dataset is determined by: versions, arguments, and each system with its definition."""
    import polars

    import bestiary

    systems: dict[str, Any] = {}
    for name, system in plan.systems.items():
        systems[name] = {
            "folder": system.folder,
            "kind": system.system.kind,
            "definition": system.system.to_toml(),
            "parameters": {key: _plain(value) for key, value in system.system.parameters.items()},
            "period": system.system.period,
            "dt": system.dt,
            "columns": list(system.columns),
            "scale": list(system.scale),
            "forcing": list(system.forcing),
        }
    definitions = "\0".join(systems[name]["definition"] for name in sorted(systems))
    return {
        "layout": LAYOUT,
        "bestiary": bestiary.__version__,
        "build": build.fingerprint(),
        "polars": polars.__version__,
        "catalogue_version": bestiary.catalogue_version,
        "catalogue": hashlib.sha256(definitions.encode()).hexdigest(),
        "arguments": plan.request.to_json(),
        "initial_states": INITIAL_STATES,
        "noise": NOISE,
        "systems": systems,
    }


def write(folder: Path, header: Mapping[str, Any], records: Mapping[str, Record]) -> None:
    """Write the manifest of a finished dataset."""
    systems: dict[str, Any] = {name: {**system, "files": []} for name, system in header["systems"].items()}
    names = {system["folder"]: name for name, system in systems.items()}
    for file in sorted(records):
        systems[names[file.split("/")[0]]]["files"].append(records[file].to_json())
    content = {**header, "systems": systems}
    text = json.dumps(content, sort_keys=True, allow_nan=False, ensure_ascii=False, indent=1)
    write_atomically(folder / NAME, text.encode() + b"\n")


def read(folder: Path) -> tuple[dict[str, Any], list[Record]] | None:
    """
    Header and records of a finished dataset; None where there is no manifest.

    Raises
    ------
    DatasetError
        If the manifest cannot be understood.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_bytes())
        records = [Record.from_json(record) for system in content["systems"].values() for record in system.pop("files")]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path} is damaged ({error}); move it away, or choose another folder") from error
    return content, records


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What another call asked for, a line each: `seed: there 0, asked for 1`."""
    lines = [
        f"{key}: there {old.get(key)}, asked for {new.get(key)}"
        for key in ("layout", "bestiary", "build", "polars", "catalogue_version")
        if old.get(key) != new.get(key)
    ]
    there, asked = old.get("arguments", {}), new["arguments"]
    lines += [
        f"{key}: there {there.get(key)!r}, asked for {asked.get(key)!r}"
        for key in sorted({*there, *asked})
        if there.get(key) != asked.get(key)
    ]
    before, after = old.get("systems", {}), new["systems"]
    for word, names in (("only there", before.keys() - after.keys()), ("not there", after.keys() - before.keys())):
        if names:
            shown = ", ".join(sorted(names)[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            lines.append(f"systems {word}: {shown}")
    changed = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    if changed and not any(line.split(":")[0] in asked for line in lines):
        keys = sorted(key for key in after[changed[0]] if before[changed[0]].get(key) != after[changed[0]][key])
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        lines.append(f"definition of {changed[0]}{more}: {', '.join(keys)} changed")
    return lines


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
