"""
Which code makes the numbers: a hash of the sources of this package, compiled and not.

The sources and not the compiled file, so that all machines agree on it; and not the version number alone, which stays
the same while a package is worked on.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from .. import _core


@cache
def fingerprint() -> str:
    """16 hexadecimal digits; different as soon as a line of the package is."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(str(_core.machine()["source"]).encode())
    for path in sorted(package.rglob("*.py")):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]
