"""What checks found, kept in a JSON file: a run over the whole catalogue takes hours and may be cut off."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from .._core import LanguageError
from ..dataset.files import write_atomically
from ..definition import fingerprint
from ..exceptions import CatalogueError, RequestError
from . import Problem, check_named, find


class Record:
    """
    Checks that are made once for each definition and way to check.

    Parameters
    ----------
    path : JSON file, made when there is none
    variant, periods, whole, rtol
        As for `check_named`.
    """

    def __init__(self, path: str | Path, *, variant: str | None, periods: float, whole: bool, rtol: float) -> None:
        self.path, self.variant = Path(path), variant
        self.how: dict[str, Any] = {"periods": periods, "whole": whole, "rtol": rtol}
        self._lock = threading.Lock()
        try:
            self.results: dict[str, Any] = json.loads(self.path.read_text()) if self.path.exists() else {}
        except ValueError as error:
            raise RequestError(f"{self.path} is no record of checks: {error}") from None

    def of(self, name: str) -> list[Problem]:
        """What is wrong with a system, as recorded or found now."""
        try:
            system = find(name, self.variant)
        except (CatalogueError, LanguageError):
            return check_named(name, variant=self.variant, **self.how)
        head = {"definition": fingerprint(system.entry), **self.how}
        there = self.results.get(system.name, {})
        if {key: there.get(key) for key in head} != head:
            found = check_named(name, variant=self.variant, **self.how)
            there = {**head, "problems": [[problem.check, problem.what] for problem in found]}
            with self._lock:
                self.results[system.name] = there
                lines = [f"{json.dumps(key)}: {json.dumps(self.results[key])}" for key in sorted(self.results)]
                write_atomically(self.path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())
        return [Problem(system.name, check, what) for check, what in there["problems"]]
