"""A file in canonical form: fields in the order of the schema, quotes where they are needed, two spaces of indentation.

What a person chose stays: comments, empty lines, and whether a collection is written on one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tenantry.inputs import source
from tenantry.inputs.comments import Notes, comments_in, comments_of
from tenantry.inputs.nodes import Entry, Node, compose
from tenantry.inputs.scalars import text_of
from tenantry.inputs.shape import Shape, shape_of
from tenantry.inputs.source import plain_value

_KEPT = "\0"
"""An empty line inside of a text; no input holds that character."""


def formatted(file: str, text: str) -> str:
    """The canonical form of a text in which `source.parse` finds nothing. Raises ValueError when it can't be kept."""
    document, _ = source.parse(file, text)
    assert document is not None
    kind = document.data.get("kind") if isinstance(document.data, dict) else None
    text = document.text.replace("\r\n", "\n")
    result = _Formatter(text).text(shape_of(str(kind)))
    again, findings = source.parse(file, result)
    kept = again is not None and again.data == document.data and _comments(result) == _comments(text)
    if findings or not kept:
        raise ValueError(f"{file} can't be brought into canonical form without changing what it says")
    return result


def _comments(text: str) -> list[str]:
    return sorted(comment.text for comment in comments_in(text, compose(text)))


class _Formatter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._root = compose(text)
        self._notes, self._end = comments_of(text, self._root)

    def text(self, shape: Shape) -> str:
        if self._root.kind == "scalar" or not self._root.entries:
            return self._text
        first = self._root.entries[0]
        header = _header(self._notes[first.start])
        body = [*self._collection(self._root, shape, 0), *self._end]
        gap = [""] if header and body[0].startswith("#") else []
        return "\n".join(_squeezed([*header, *gap, *body])).replace(_KEPT, "") + "\n"

    def _collection(self, node: Node, shape: Shape | None, indent: int) -> Iterator[str]:
        """Lines of a block collection; the first has no empty line above it."""
        for number, entry in enumerate(_ordered(node, shape)):
            notes = self._notes[entry.start]
            above = notes.above if number or not indent else _without_blank_start(notes.above)
            yield from (_indented(line, indent) for line in above)
            step = entry.key.value if entry.key else 0
            yield from self._entry(entry, shape.inner(step) if shape else None, indent, notes)

    def _entry(self, entry: Entry, shape: Shape | None, indent: int, notes: Notes) -> Iterator[str]:
        value = entry.value
        start = f"{text_of(entry.key.value)}:" if entry.key else "-"
        if value.kind == "scalar" and value.style in ("|", ">"):
            header, *rest = self._block(value, indent + 2)
            yield _indented(_with(f"{start} {header}", notes.head), indent)
            yield from rest
            yield from (_indented(line, indent) for line in notes.behind)
        elif value.kind == "scalar" or not value.entries or self._stays(value):
            shown = self._inline(value, shape, flow=False)
            *before, last = [*notes.head, *filter(None, notes.foot), *notes.behind] or [""]
            yield from (_indented(line, indent) for line in before)
            yield _indented(_with(f"{start} {shown}".rstrip(), [last] if last else []), indent)
        else:
            yield from self._nested(entry, shape, indent, notes, start)

    def _nested(self, entry: Entry, shape: Shape | None, indent: int, notes: Notes, start: str) -> Iterator[str]:
        """A collection below its key, or beside the dash of its item."""
        inner = [*self._collection(entry.value, shape, indent + 2)]
        if entry.key is None and not notes.head and not inner[0].lstrip().startswith("#"):
            yield _indented(f"{start} {inner.pop(0).lstrip()}", indent)
        else:
            yield _indented(_with(start, notes.head), indent)
        yield from inner
        yield from (_indented(line, indent + 2) for line in (*notes.behind, *notes.foot))

    def _stays(self, value: Node) -> bool:
        return value.flow and "\n" not in self._text[value.start : value.end]

    def _inline(self, value: Node, shape: Shape | None, *, flow: bool) -> str:
        if value.kind == "scalar":
            if not value.style and not isinstance(plain_value(value.value), str):
                return value.value or ("null" if flow else "")
            return text_of(value.value, flow=flow)
        parts = []
        for entry in _ordered(value, shape):
            step = entry.key.value if entry.key else 0
            shown = self._inline(entry.value, shape.inner(step) if shape else None, flow=True)
            parts.append(f"{text_of(entry.key.value, flow=True)}: {shown}" if entry.key else shown)
        return f"{{{', '.join(parts)}}}" if value.kind == "mapping" else f"[{', '.join(parts)}]"

    def _block(self, value: Node, indent: int) -> list[str]:
        """Header and lines of a literal or folded scalar, at a new indentation."""
        header, *lines = self._text[value.start : value.end].split("\n")
        chosen = header.split("#")[0].strip()
        if re.search(r"[0-9+]", chosen) or not lines or value.end == len(self._text):
            return [text_of(value.value)]
        depth = min(len(line) - len(line.lstrip(" ")) for line in lines if line.strip())
        return [chosen, *(_indented(line[depth:], indent) or _KEPT for line in lines)]


def _ordered(node: Node, shape: Shape | None) -> Sequence[Entry]:
    """Entries in the order of the schema; those that it does not name follow in the order of the file."""
    if node.kind != "mapping" or shape is None:
        return node.entries
    places = {name: number for number, name in enumerate(shape.fields)}
    return sorted(node.entries, key=lambda entry: places.get(entry.key.value if entry.key else "", len(places)))


def _header(notes: Notes) -> list[str]:
    """Take from the notes of the first entry what belongs to the file: all up to the last empty line, or all of it."""
    above = notes.above
    split = len(above) - above[::-1].index("") if "" in above else len(above)
    notes.above = above[split:]
    return above[:split]


def _without_blank_start(lines: Sequence[str]) -> Sequence[str]:
    return lines[next((number for number, line in enumerate(lines) if line), len(lines)) :]


def _with(line: str, comments: Sequence[str]) -> str:
    return "  ".join([line, *comments])


def _indented(line: str, indent: int) -> str:
    return " " * indent + line if line else ""


def _squeezed(lines: Sequence[str]) -> Iterator[str]:
    """Without empty lines at the start, at the end and beside each other."""
    waiting, seen = False, False
    for line in lines:
        if not line:
            waiting = seen
            continue
        if waiting:
            yield ""
        waiting, seen = False, True
        yield line
