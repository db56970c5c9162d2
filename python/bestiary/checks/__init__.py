"""
What every entry of the catalogue is held to, a check a function.

A check is a function of a `Subject` (a system and the runs that checks share) which gives a sentence for each thing
that is wrong. `bestiary.testing` and `bestiary check` run them; what a check looks at is said in its docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .._core import LanguageError
from ..exceptions import BestiaryError, RequestError, UnknownName
from . import attractor, equations, facts, form
from .subject import PERIODS, RTOL, Subject

if TYPE_CHECKING:
    from ..system import System

__all__ = ["CHECKS", "PERIODS", "RTOL", "Problem", "check_named", "find", "problems"]

Check: TypeAlias = Callable[[Subject], Iterator[str]]

# Checks that any system should pass, those for the facts that an entry states, and those of an entry of the catalogue.
_SYSTEM: tuple[Check, ...] = (equations.round_trip, equations.runs, equations.jacobian)
_FACTS: tuple[Check, ...] = (
    *(facts.well_formed, facts.divergence, facts.determinant, facts.fixed_points, facts.symmetries, facts.conserved),
    *(facts.stationary_density, facts.published, equations.angles, equations.bifurcation),
)
_ENTRY: tuple[Check, ...] = (
    *(form.about, form.source, form.classified, form.variants),
    *(equations.tags, attractor.bounded, attractor.volume, attractor.state, attractor.period),
)
CHECKS: dict[str, tuple[Check, ...]] = {
    "system": _SYSTEM,
    "variant": (*_SYSTEM, *_FACTS),
    "entry": (*_SYSTEM, *_FACTS, *_ENTRY),
}
"""By level: a system of anybody's own, a variant of an entry, an entry of the catalogue."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the system, the check that found it, and a sentence."""

    system: str
    check: str
    what: str

    def __str__(self) -> str:
        return f"{self.system}, {self.check}: {self.what}"


def find(name: System | str | Path, variant: str | None = None) -> System:
    """The system itself, that of a TOML file, or that of a name."""
    from ..registry import system
    from ..system import System

    if isinstance(name, System):
        return name
    if isinstance(name, Path) or name.endswith(".toml"):
        return System.from_toml(Path(name), variant=variant)
    return system(name, variant=variant)


def check_named(
    name: str, *, variant: str | None = None, periods: float = PERIODS, whole: bool = False, rtol: float = RTOL
) -> list[Problem]:
    """
    What is wrong with the entry of a name or a file, or with a variant of it.

    A file that cannot be read as an entry is a problem like others; a name that is not known is a wrong request.
    """
    if name.endswith(".toml") and not Path(name).is_file():
        raise RequestError(f"there is no file {name}")
    try:
        system = find(name, variant)
    except UnknownName:
        raise
    except (BestiaryError, LanguageError) as error:
        return [Problem(name, "form", str(error))]
    return problems(system, "variant" if variant else "entry", periods, whole=whole, rtol=rtol)


def problems(
    system: System, level: str = "entry", periods: float = PERIODS, *, whole: bool = False, rtol: float = RTOL
) -> list[Problem]:
    """
    What is wrong with a system.

    Parameters
    ----------
    system : System
    level : "system", "variant" or "entry"
        Which of `CHECKS` to make.
    periods : float
        Length of the long run, all members together.
    whole : bool
        Run for all of these periods, whatever it costs; else for fewer where they cost more than some ten seconds.
    rtol : float
        Of the long run. That an attractor is bounded shows with a loose tolerance as well; a conserved energy, which
        keeps a conservative system in its place, drifts with it.
    """
    subject, found = Subject(system, periods, whole, rtol), []
    for check in CHECKS[level]:
        try:
            found += [Problem(system.name, check.__name__, what) for what in check(subject)]
        except (BestiaryError, ValueError, TypeError, KeyError, AttributeError) as error:
            # A malformed entry: the other checks still have something to say.
            found.append(Problem(system.name, check.__name__, f"{type(error).__name__}: {error}"))
        if found and check is equations.runs:
            break
    return found
