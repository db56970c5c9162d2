"""
Write down the digits of the catalogue: `python tests/golden/freeze_catalogue.py [--release]`.

For every entry and variant a hash of what its numbers follow from (equations, parameters, initial state, period). With
--release the version is out, and from then on `test_catalogue_digits` lets none of them change: a changed digit needs a
new `CATALOGUE_VERSION` in `bestiary/registry.py`, and this command again. New entries may be added at any time.
"""

import json
import sys
from pathlib import Path

import bestiary as bst
from bestiary import definition, registry

FILE = Path(__file__).with_name("catalogue_digits.json")


def digits() -> dict[str, str]:
    """The hash of every entry, "Lorenz", and variant, "Lorenz:dysts"."""
    table = {}
    for path in registry.CATALOGUE.rglob("*.toml"):
        entry = definition.checked(definition.parse(path.read_text(encoding="utf-8"), str(path)), str(path))
        table[entry["name"]] = definition.fingerprint(entry)
        for variant in entry["variants"]:
            table[f"{entry['name']}:{variant}"] = definition.fingerprint(definition.with_variant(entry, variant))
    return dict(sorted(table.items()))


def changes(frozen: dict[str, str], now: dict[str, str]) -> list[str]:
    """What is no longer as it was, a sentence each; new entries are none."""
    gone = [f"{name} is gone" for name in frozen if name not in now]
    return gone + [f"{name} has other digits" for name in frozen if name in now and now[name] != frozen[name]]


def main() -> None:
    content = {
        "version": bst.catalogue_version,
        "released": "--release" in sys.argv[1:],
        "digits": digits(),
    }
    FILE.write_text(json.dumps(content, indent=1) + "\n")
    print(f"{FILE.name}: {len(content['digits'])} definitions of version {content['version']}")


if __name__ == "__main__":
    main()
