"""
Checks that every system should pass, for the tests of this package and of packages that bring systems of their own.

A check raises AssertionError with what is wrong. What is looked at is said in `bestiary.checks`.
"""

from __future__ import annotations

from pathlib import Path

from .checks import PERIODS, find, problems
from .system import System
from .testing_forecaster import check_forecaster

__all__ = ["check_entry", "check_forecaster", "check_system"]


def check_system(system: System) -> None:
    """
    Check that a system is well formed and runs.

    Its text and its TOML lead back to the same system; it gives 10 000 samples, 100 a period (10 000 iterations of a
    map), which are finite; at 100 of them the Jacobian equals central differences.

    Raises
    ------
    AssertionError
        With what is wrong.

    Examples
    --------
    >>> from bestiary import system
    >>> check_system(system("Lorenz"))
    """
    _raise(system, "system", 0.0)


def check_entry(entry: System | str | Path, *, variant: str | None = None, periods: float = PERIODS) -> None:
    """
    Check a system as an entry of the catalogue: the executable contract of a TOML file.

    On top of `check_system`: the facts under `[known]` hold; tags follow from the equations; the system stays bounded
    in a long run, and its state lies on the attractor; about, citation, DOI, domain and variants are in order.

    Parameters
    ----------
    entry : System, name, or path of a TOML file
    variant : str
        Check this variant in place of the entry: what `check_system` does, and the facts that it states.
    periods : float
        Length of the long run, in periods (iterations of a map), shared by eight members.

    Raises
    ------
    AssertionError
        With what is wrong.

    Examples
    --------
    >>> check_entry("Rossler", periods=200)
    """
    system = find(entry, variant)
    _raise(system, "variant" if variant else "entry", periods)


def _raise(system: System, level: str, periods: float) -> None:
    found = problems(system, level, periods)
    assert not found, "\n".join(map(str, found))
