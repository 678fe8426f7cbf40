"""A file's text as nodes with their exact extent, for commands that edit it.

Offsets count characters of the text, so that an edit is a slice, and what is outside of it stays as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from tenantry.inputs.source import LOADER

Kind = Literal["scalar", "mapping", "list"]


@dataclass(frozen=True, slots=True)
class Node:
    """A value (or a key) and where it stands; `end` is behind its last character, never behind comments or white space."""

    kind: Kind
    start: int
    end: int
    column: int
    """Of its first character, from 0."""
    style: str = ""
    """Of a scalar: its quote, `|` or `>`, or nothing; of a collection: `flow` or nothing."""
    value: str = ""
    entries: tuple[Entry, ...] = ()

    @property
    def flow(self) -> bool:
        return self.style == "flow"

    def entry(self, step: str | int) -> Entry | None:
        """The entry of a mapping with that key, or of a list at that index."""
        if self.kind == "mapping":
            return next((entry for entry in self.entries if entry.key and entry.key.value == step), None)
        if self.kind == "list" and isinstance(step, int) and step < len(self.entries):
            return self.entries[step]
        return None


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value, or an item of a list; `start` is where the key, or the dash of the item, stands."""

    key: Node | None
    value: Node
    start: int
    column: int

    @property
    def end(self) -> int:
        """Behind the last character of key and value."""
        return max(self.value.end, self.key.end if self.key else 0)


def compose(text: str) -> Node:
    """The root of a text that `source.parse` accepts."""
    return _Composer(text).root()


class _Composer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=LOADER)

    def root(self) -> Node:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                return self._node(next(self._events))
        raise ValueError("no document")

    def _offset(self, mark: Any) -> int:
        return int(self._starts[mark.line] + mark.column)

    def _column(self, offset: int) -> int:
        return offset - self._starts[bisect_right(self._starts, offset) - 1]

    def _node(self, event: yaml.Event) -> Node:
        assert event.start_mark is not None
        start = self._offset(event.start_mark)
        if isinstance(event, yaml.MappingStartEvent):
            return self._collection("mapping", event, start)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._collection("list", event, start)
        assert isinstance(event, yaml.ScalarEvent) and event.end_mark is not None
        end = self._offset(event.end_mark)
        if event.style in ("|", ">"):
            end = start + len(self._text[start:end].rstrip())
        return Node("scalar", start, end, self._column(start), event.style or "", event.value)

    def _collection(self, kind: Kind, event: yaml.CollectionStartEvent, start: int) -> Node:
        entries: list[Entry] = []
        seen = start
        for inner in self._events:
            if isinstance(inner, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                break
            entries.append(self._entry(kind, inner, seen, flow=bool(event.flow_style)))
            seen = entries[-1].end
        if event.flow_style:
            assert inner.end_mark is not None
            return Node(kind, start, self._offset(inner.end_mark), self._column(start), "flow", "", tuple(entries))
        return Node(kind, entries[0].start, seen, entries[0].column, "", "", tuple(entries))

    def _entry(self, kind: Kind, event: yaml.Event, seen: int, *, flow: bool) -> Entry:
        first = self._node(event)
        if kind == "mapping":
            value = self._node(next(self._events))
            return Entry(first, value, first.start, first.column)
        start = first.start if flow else self._dash(seen)
        return Entry(None, first, start, self._column(start))

    def _dash(self, seen: int) -> int:
        """Where the dash of an item stands: behind the item before, white space and comments."""
        found = _TO_DASH.match(self._text, seen)
        assert found is not None
        return found.end() - 1


_TO_DASH = re.compile(r"(?:\s+(?:#[^\n]*)?)*-")
