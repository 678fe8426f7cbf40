"""What somebody may have meant by a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST = 8
"""Names that a hint lists; nobody reads more."""


def did_you_mean(word: str, known: Iterable[object]) -> str:
    """A question with the closest of the known names; empty if none is close."""
    lowered = {str(name).lower(): str(name) for name in known}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f"did you mean '{lowered[close[0]]}'?" if close else ""


def choices(word: str, known: Iterable[object], what: str = "known") -> str:
    """A hint that suggests the closest name and lists the others: nearest first if one is close, else by name."""
    names = sorted({str(name) for name in known})
    question = did_you_mean(word, names)
    if question:
        names.sort(key=lambda name: -difflib.SequenceMatcher(None, word.lower(), name.lower()).ratio())
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    listed = f"{what}: {', '.join(names[:_MOST]) or 'none'}{more}"
    return f"{question} {listed}" if question else listed


_LONGEST = 80


def near(name: str, known: Iterable[str], likeness: float) -> str:
    """The known name that is meant by a misspelt one; empty for none, and for one that is too long to be a name."""
    found = difflib.get_close_matches(name, list(known), 1, likeness) if len(name) <= _LONGEST else []
    return found[0] if found else ""
