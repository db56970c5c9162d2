"""What an entry says in words: the phenomenon, the source, the domain, other forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ..definition import with_variant
from ..system import System
from .subject import Subject

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_YEAR = re.compile(r"\((1[5-9]|20)\d\d[a-z]?\)")
# A full stop after a word of three letters or more, and another sentence after it.
_SENTENCES = re.compile(r"\w{3,}[.!?]\s+[^\W\d_a-z]")


def about(subject: Subject) -> Iterator[str]:
    """`about` is one sentence."""
    text = subject.system.about
    if len(text) <= 20 or not text.endswith("."):
        yield f'about should be a sentence that tells the phenomenon and ends with a full stop, not "{text}"'
    elif _SENTENCES.search(text):
        yield f'about should be one sentence: "{text}"'


def source(subject: Subject) -> Iterator[str]:
    """The citation is complete: author, year in brackets, title, full stop at the end; the DOI has the form of one."""
    entry = subject.system.entry
    text, doi = str(entry.get("citation", "")), entry.get("doi")
    if len(text) <= 30 or not text.endswith(".") or text.endswith(".."):
        yield f'the citation should give authors, year, title and place, and end with a full stop, not "{text}"'
    if not _YEAR.search(text):
        yield "the citation should have its year in brackets, such as (1963)"
    if "http" in text or "doi" in text.lower():
        yield "the citation should have no address in it: a DOI has a key of its own"
    if doi is not None and not _DOI.fullmatch(str(doi)):
        yield f'doi should have the form "10.1175/…", not "{doi}"'


def classified(subject: Subject) -> Iterator[str]:
    """A domain and tags, in lower case; a period."""
    system = subject.system
    if not re.fullmatch(r"[a-z][a-z -]*", system.domain):
        yield f'the domain should be a word in lower case such as "mechanics", not "{system.domain}"'
    wrong = [tag for tag in system.tags if not re.fullmatch(r"[a-z][a-z0-9-]*", tag)]
    if wrong or not system.tags or len(set(system.tags)) < len(system.tags):
        yield f"tags should be different words in lower case, at least one, not {list(system.tags)}"
    if "period" not in system.entry and system.kind != "map":
        yield "the period, the unit of sampling, is not stated"


def variants(subject: Subject) -> Iterator[str]:
    """
    Every variant builds and runs for 50 samples.

    A variant is there to reproduce published figures: it need not be well behaved after its first samples.
    """
    entry = subject.system.entry
    for name in entry["variants"]:
        system = System(with_variant(entry, name))
        if not np.isfinite(system.rhs(system.initial)).all():
            yield f"variant {name}: the right-hand side is not finite at its state"
        elif not np.isfinite(system.trajectory(50).x[:2]).all():
            yield f"variant {name}: the second sample of a run is not finite"
