"""
What can go wrong with a request, and how it is said.

A trajectory that blows up is not an error but an outcome. Errors in the text of an equation are
`bestiary.LanguageError`, raised by the compiled part.
"""

from collections.abc import Iterable

__all__ = [
    "BestiaryError",
    "CatalogueError",
    "DatasetError",
    "MissingExtra",
    "RequestError",
    "UnknownName",
    "UnknownParameter",
    "UnknownSystem",
]


class BestiaryError(Exception):
    """Base of the errors that this package defines."""


class RequestError(BestiaryError, ValueError):
    """An argument has a wrong value or shape."""


class UnknownName(RequestError, LookupError):
    """A name that is not among the known ones; the message gives the nearest."""

    def __init__(self, what: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        candidates = list(known)
        super().__init__(what, name, candidates, where)
        self.name = name
        self.message = f'unknown {what} "{name}"{where}{suggestion(name, candidates)}'

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        what, name, known, where = self.args
        return _unknown, (type(self), what, name, known, where)


class UnknownSystem(UnknownName):
    """No system of this name in the catalogue."""


class UnknownParameter(UnknownName):
    """The system has no parameter of this name."""


class CatalogueError(BestiaryError, ValueError):
    """An entry of the catalogue, or a user's own entry, is not well formed."""


class DatasetError(BestiaryError):
    """A dataset on disk cannot be written, continued or read."""


class MissingExtra(BestiaryError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f'this needs {package}, which is not installed: pip install "bestiary[{extra}]"')


def suggestion(name: str, known: list[str]) -> str:
    """The nearest known name as the end of a sentence, or the list of names where it is short."""
    from difflib import get_close_matches  # milliseconds that an import without a mistake does not pay

    folded = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f', did you mean "{folded[near[0]]}"?'
    if not known:
        return ": there are none"
    return f": there are {', '.join(known)}" if len(known) <= 12 else ""


def _unknown(kind: type[UnknownName], what: str, name: str, known: list[str], where: str) -> UnknownName:
    return kind(what, name, known, where=where)
