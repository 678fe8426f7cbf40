"""What no text of an input file may hold, be it value, key or comment: hidden characters (S012), credentials (S013)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

import yaml

from tenantry.core.findings import Finding, Place
from tenantry.core.hidden_text import called, hidden_in, is_hidden
from tenantry.core.secret_words import user_information

_MOST_LINES = 20
"""More lines with hidden characters are told in one finding."""
_JOINERS = "\u200c\u200d"

Spot = tuple[int, int]
"""Line and column, from 1."""


def hidden_name(path: str) -> Iterator[Finding]:
    """The finding of a file or folder whose own name, the last of its path, holds a hidden character."""
    name = path.rpartition("/")[2]
    found = next((character for character in name if character in "\n\t" or is_hidden(character)), None)
    if found:
        yield Finding("S012", Place(path), f"its name holds {called(found)}, which nobody sees", "rename it")


class TextRules:
    """Sees each scalar while a file is parsed, and the whole text in the end."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._hidden: list[tuple[Spot, Spot, str]] = []
        self._addresses: list[tuple[Spot, Spot]] = []
        """Where scalars with a hidden character, or with credentials, begin and end."""

    def scalar(self, event: yaml.ScalarEvent) -> None:
        """Look at a key or a value as it will be read, escapes of double-quoted text resolved."""
        value = event.value
        if not (value.isascii() and value.isprintable()):
            hidden = next(hidden_in(value), None)
            if hidden:
                self._hidden.append((*_span(event), hidden[1]))
        if "://" in value and any(user_information(value)):
            self._addresses.append(_span(event))

    def findings(self, text: str) -> Iterator[Finding]:
        """All of the file's; `text` is without a byte order mark at its beginning."""
        hidden, credentials = list(hidden_in(text)), list(user_information(text))
        if not (hidden or credentials or self._hidden or self._addresses):
            return
        lines = _Lines(text)
        yield from self._characters([(lines.spot(offset), character) for offset, character in hidden])
        comments = [lines.spot(start) for start, _ in credentials]
        spots = [start for start, _ in self._addresses]
        spots += [spot for spot in comments if not any(start <= spot < end for start, end in self._addresses)]
        for spot in spots:
            message = "an address carries user information: a name, password or token before its '@'"
            hint = "remove it, and change it: it is known now; credentials belong in the secret store"
            yield Finding("S013", Place(self._file, *spot), message, hint)

    def _characters(self, found: list[tuple[Spot, str]]) -> Iterator[Finding]:
        """The first of each line, and of each scalar that makes one by an escape."""
        first: dict[int, tuple[Spot, str]] = {}
        for spot, character in found:
            first.setdefault(spot[0], (spot, character))
        for number, (spot, character) in enumerate(list(first.values())[:_MOST_LINES], start=1):
            rest = len(first) - _MOST_LINES if number == _MOST_LINES else 0
            more = f"; so do {rest} more lines" if rest else ""
            yield self._finding(spot, f"holds {called(character)}, which nobody sees{more}", character)
        for start, end, character in self._hidden[:_MOST_LINES]:
            if not any(start <= spot < end for spot, _ in found):
                yield self._finding(start, f"makes {called(character)}, which nobody sees, by an escape", character)

    def _finding(self, spot: Spot, message: str, character: str) -> Finding:
        hint = "remove it; letters of every script may stand here, characters without a shape may not"
        if character in _JOINERS:
            hint = "remove it: joiners are refused too, since in most scripts they change nothing that can be seen"
        return Finding("S012", Place(self._file, *spot), message, hint)


class _Lines:
    """Offsets of a text as lines and columns."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def spot(self, offset: int) -> Spot:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def _span(event: yaml.ScalarEvent) -> tuple[Spot, Spot]:
    start, end = event.start_mark, event.end_mark
    assert start is not None and end is not None
    return (start.line + 1, start.column + 1), (end.line + 1, end.column + 1)
