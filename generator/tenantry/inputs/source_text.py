"""Checks all text of an input file (values, keys and comments) for hidden characters (S012) and credentials (S013)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

import yaml

from tenantry.core.findings import Finding, Place
from tenantry.core.hidden_text import called, hidden_in, is_hidden
from tenantry.core.secret_words import user_information

_MOST_LINES = 20
"""Further lines with hidden characters are reported in one finding."""
_JOINERS = "\u200c\u200d"

Spot = tuple[int, int]
"""Line and column, 1-based."""


def hidden_name(path: str) -> Iterator[Finding]:
    """The finding for a file or folder whose own name (the last of its path) contains a hidden character."""
    name = path.rpartition("/")[2]
    found = next((character for character in name if character in "\n\t" or is_hidden(character)), None)
    if found:
        yield Finding("S012", Place(path), f"its name contains {called(found)}, which is invisible", "rename it")


class TextRules:
    """Inspects each scalar while a file is parsed, and the whole text at the end."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._hidden: list[tuple[Spot, Spot, str]] = []
        self._addresses: list[tuple[Spot, Spot]] = []
        """Start and end of scalars with a hidden character or credentials."""

    def scalar(self, event: yaml.ScalarEvent) -> None:
        """Inspect a key or a value after the escapes of double-quoted text are resolved."""
        value = event.value
        if not (value.isascii() and value.isprintable()):
            hidden = next(hidden_in(value), None)
            if hidden:
                self._hidden.append((*_span(event), hidden[1]))
        if "://" in value and any(user_information(value)):
            self._addresses.append(_span(event))

    def findings(self, text: str) -> Iterator[Finding]:
        """All findings of the file; `text` excludes a leading byte order mark."""
        hidden, credentials = list(hidden_in(text)), list(user_information(text))
        if not (hidden or credentials or self._hidden or self._addresses):
            return
        lines = _Lines(text)
        yield from self._characters([(lines.spot(offset), character) for offset, character in hidden])
        comments = [lines.spot(start) for start, _ in credentials]
        spots = [start for start, _ in self._addresses]
        spots += [spot for spot in comments if not any(start <= spot < end for start, end in self._addresses)]
        for spot in spots:
            message = "a URL contains user information: a name, password or token before the '@'"
            hint = "remove and rotate it, since it is no longer secret; credentials belong in the secret store"
            yield Finding("S013", Place(self._file, *spot), message, hint)

    def _characters(self, found: list[tuple[Spot, str]]) -> Iterator[Finding]:
        """The first of each line, and of each scalar that produces one by an escape."""
        first: dict[int, tuple[Spot, str]] = {}
        for spot, character in found:
            first.setdefault(spot[0], (spot, character))
        for number, (spot, character) in enumerate(list(first.values())[:_MOST_LINES], start=1):
            rest = len(first) - _MOST_LINES if number == _MOST_LINES else 0
            more = f"; so do {rest} more lines" if rest else ""
            yield self._finding(spot, f"contains {called(character)}, which is invisible{more}", character)
        for start, end, character in self._hidden[:_MOST_LINES]:
            if not any(start <= spot < end for spot, _ in found):
                yield self._finding(start, f"produces {called(character)}, which is invisible, by an escape", character)

    def _finding(self, spot: Spot, message: str, character: str) -> Finding:
        hint = "remove it; letters of every script are allowed, invisible characters are not"
        if character in _JOINERS:
            hint = "remove it: joiners are rejected too, since they are invisible in most scripts"
        return Finding("S012", Place(self._file, *spot), message, hint)


class _Lines:
    """Converts offsets in a text to lines and columns."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def spot(self, offset: int) -> Spot:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def _span(event: yaml.ScalarEvent) -> tuple[Spot, Spot]:
    start, end = event.start_mark, event.end_mark
    assert start is not None and end is not None
    return (start.line + 1, start.column + 1), (end.line + 1, end.column + 1)
