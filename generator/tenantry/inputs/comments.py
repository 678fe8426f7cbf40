"""Comments of a file, and the entries that they speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tenantry.inputs.nodes import Entry, Node

_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)
_BLOCK_HEADER = re.compile(r"[|>][^\n#]*(#[^\n]*)")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, from its sign to the end of its line."""

    start: int
    column: int
    text: str
    alone: bool
    """It has a line to itself."""
    after_blank: bool


@dataclass
class Notes:
    """Lines above an entry (comments and empty lines), behind its key, behind its end, and at the foot of its value."""

    above: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    foot: list[str] = field(default_factory=list)


def comments_of(text: str, root: Node) -> tuple[dict[int, Notes], list[str]]:
    """Notes by the start of their entry, and the lines after the last one of the file."""
    return _Attacher(text, root).attach()


class _Attacher:
    """Walks entries and comments side by side, in the order of the text."""

    def __init__(self, text: str, root: Node) -> None:
        self._text = text
        self._root = root
        self._waiting = list(comments_in(text, root))[::-1]
        self._notes: dict[int, Notes] = {}

    def attach(self) -> tuple[dict[int, Notes], list[str]]:
        foot = self._collection(self._root, len(self._text), -1)
        return self._notes, _lines(foot + self._take(len(self._text) + 1))

    def _take(self, before: int, column: int = 0) -> list[Comment]:
        """The next comments that start before an offset, and not left of a column."""
        taken: list[Comment] = []
        while self._waiting and self._waiting[-1].start < before and self._waiting[-1].column >= column:
            taken.append(self._waiting.pop())
        return taken

    def _behind(self, end: int) -> list[str]:
        """The comment on the line on which something ends, with nothing but punctuation between."""
        if self._waiting and not self._waiting[-1].alone:
            between = self._text[end : self._waiting[-1].start]
            if end <= self._waiting[-1].start and re.fullmatch(r"[ \t,:]*", between):
                return [self._waiting.pop().text]
        return []

    def _collection(self, node: Node, limit: int, next_column: int) -> list[Comment]:
        """Attach what is inside a collection, and return what is at its foot; `limit` is where the next entry starts."""
        for number, entry in enumerate(node.entries):
            following = node.entries[number + 1] if number + 1 < len(node.entries) else None
            self._entry(
                entry, following.start if following else limit, following.column if following else next_column,
                flow=node.flow,
            )  # fmt: skip
        if node.flow:
            return self._take(node.end)
        return self._take(limit, node.column) if node.column > next_column else []

    def _entry(self, entry: Entry, limit: int, next_column: int, *, flow: bool) -> None:
        notes = self._notes.setdefault(entry.start, Notes())
        notes.above = _lines(self._take(entry.start))
        if _blank_above(self._text, entry.start):
            notes.above.append("")
        value = entry.value
        if value.kind == "scalar":
            header = _BLOCK_HEADER.match(self._text, value.start) if value.style in ("|", ">") else None
            notes.head = [header.group(1).rstrip()] if header else []
        else:
            opened = value.start + 1 if value.flow else (entry.key.end if entry.key else entry.start + 1)
            notes.head = self._behind(opened)
            notes.foot = _lines(self._collection(value, value.end if flow else limit, next_column))
        notes.behind = self._behind(entry.end)


def comments_in(text: str, root: Node) -> Iterator[Comment]:
    """Every comment outside of a scalar, in the order of the text."""
    at = 0
    for start, end in [*_scalars(root), (len(text), len(text))]:
        for found in _COMMENT.finditer(text, at, start):
            line = text.rfind("\n", 0, found.start()) + 1
            alone = not text[line : found.start()].strip()
            yield Comment(
                found.start(), found.start() - line, found.group().rstrip(), alone, alone and _blank_above(text, line)
            )
        at = max(at, end)


def _scalars(node: Node) -> Iterator[tuple[int, int]]:
    if node.kind == "scalar":
        yield node.start, node.end
    for entry in node.entries:
        if entry.key:
            yield entry.key.start, entry.key.end
        yield from _scalars(entry.value)


def _blank_above(text: str, offset: int) -> bool:
    """Whether the line above the one of an offset is empty, and nothing stands before the offset on its own."""
    line = text.rfind("\n", 0, offset) + 1
    above = text.rfind("\n", 0, max(line - 1, 0)) + 1
    return line > 0 and not text[line:offset].strip() and not text[above : line - 1].strip()


def _lines(comments: Sequence[Comment]) -> list[str]:
    return [line for comment in comments for line in (("", comment.text) if comment.after_blank else (comment.text,))]
