"""One value of a file changed, added or removed, with every other character as it was."""

from __future__ import annotations

import re
from typing import Any

from tenantry.inputs.nodes import Entry, Node, compose
from tenantry.inputs.scalars import flow_of, text_of
from tenantry.inputs.shape import Shape
from tenantry.inputs.source import Path_, plain_value


class EditError(Exception):
    """The place is not there; `path` leads to the last part that is."""

    def __init__(self, path: Path_) -> None:
        super().__init__(str(path))
        self.path = path


def with_value(text: str, shape: Shape, path: Path_, value: Any) -> str:
    """The text with a value at a path. A missing field is added where the schema has it, with the mappings around it.

    A mapping or a list that is there is changed entry by entry, so that comments in it stay. An index may be one past
    the end of a list. Raises EditError.
    """
    node = compose(text)
    for depth, step in enumerate(path):
        entry = node.entry(step)
        if entry is None:
            for outer in reversed(path[depth + 1 :]):
                value = {outer: value} if isinstance(outer, str) else [value]
            return _added(text, node, shape.at(path[:depth]), path[: depth + 1], value)
        node = entry.value
    data = _data(text, path)
    if isinstance(value, dict) and isinstance(data, dict) and value and data:
        return _merged_mapping(text, shape, path, data, value)
    if isinstance(value, list) and isinstance(data, list) and value and data:
        return _merged_list(text, shape, path, data, value)
    return text if _same(value, data) else _replaced(text, path, value)


def without(text: str, path: Path_) -> str:
    """The text without an entry; its comment goes with it if they share a line. Raises EditError when it is not there."""
    *outer, last = path
    node = _at(text, tuple(outer))
    entry = node.entry(last)
    if entry is None:
        raise EditError(tuple(outer))
    if len(node.entries) == 1:
        return _replaced(text, tuple(outer), {} if node.kind == "mapping" else [])
    number = node.entries.index(entry)
    if node.flow:
        if number:
            return text[: node.entries[number - 1].end] + text[entry.end :]
        return text[: entry.start] + text[node.entries[1].start :]
    line = _line_start(text, entry.start)
    if not text[line : entry.start].strip():
        return text[:line] + text[_behind_comments(text, _next_line(text, entry.end), entry.column) :]
    return text[: entry.start] + text[node.entries[number + 1].start :]  # beside the dash of a list


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one type: true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _at(text: str, path: Path_) -> Node:
    node = compose(text)
    for depth, step in enumerate(path):
        entry = node.entry(step)
        if entry is None:
            raise EditError(path[:depth])
        node = entry.value
    return node


def _data(text: str, path: Path_) -> Any:
    return data_of(_at(text, path))


def data_of(node: Node) -> Any:
    """The plain data of a node."""
    if node.kind == "mapping":
        return {entry.key.value: data_of(entry.value) for entry in node.entries if entry.key}
    if node.kind == "list":
        return [data_of(entry.value) for entry in node.entries]
    return node.value if node.style else plain_value(node.value)


def _merged_mapping(text: str, shape: Shape, path: Path_, data: dict[str, Any], value: dict[str, Any]) -> str:
    for key, one in value.items():
        text = with_value(text, shape, (*path, key), one)
    for key in [key for key in data if key not in value]:
        text = without(text, (*path, key))
    return text


def _merged_list(text: str, shape: Shape, path: Path_, data: list[Any], value: list[Any]) -> str:
    """Items before and after those that differ stay."""
    shorter = min(len(data), len(value))
    start = next((i for i in range(shorter) if not _same(data[i], value[i])), shorter)
    rest = shorter - start
    same = next((i for i in range(rest) if not _same(data[-1 - i], value[-1 - i])), rest)
    old, new = len(data) - same, len(value) - same
    for index in range(start, min(old, new)):
        text = with_value(text, shape, (*path, index), value[index])
    for index in range(old - 1, new - 1, -1):
        text = without(text, (*path, index))
    for index in range(old, new):
        text = _inserted(text, path, index, value[index])
    return text


def _replaced(text: str, path: Path_, value: Any) -> str:
    node = compose(text)
    inside = False
    entry: Entry | None = None
    for step in path:
        inside = inside or node.flow
        entry = node.entry(step)
        assert entry is not None
        node = entry.value
    shown = flow_of(value, inside=inside)
    if entry is None:
        return shown + "\n"
    if node.kind == "scalar" and node.start == node.end:  # nothing stands behind the colon, or the dash
        before = entry.key.end + text[entry.key.end :].index(":") + 1 if entry.key else entry.start + (not inside)
        return f"{text[:before]} {shown}{text[node.end :] if before <= node.end else text[before:]}"
    opening = entry.key.end + text[entry.key.end :].index(":") + 1 if entry.key else entry.start + 1
    if not node.flow and node.kind != "scalar":
        return f"{text[:opening]} {shown}{text[node.end :]}"
    return text[: node.start] + shown + text[node.end :]


def _added(text: str, node: Node, shape: Shape | None, path: Path_, value: Any) -> str:
    step = path[-1]
    empty = node.kind == "scalar" and node.start == node.end
    if isinstance(step, int):
        if node.kind == "list" and step == len(node.entries):
            return _inserted(text, path[:-1], step, value)
        if empty and step == 0:
            return _replaced(text, path[:-1], [value])
        raise EditError(path[:-1])
    if empty or (node.kind == "mapping" and not node.entries):
        return _replaced(text, path[:-1], {step: value})
    if node.kind != "mapping":
        raise EditError(path[:-1])
    places = {name: number for number, name in enumerate(shape.fields if shape else ())}
    mine = places.get(step, len(places))
    before = [e for e in node.entries if e.key and places.get(e.key.value, len(places)) <= mine]
    shown = f"{text_of(step, flow=node.flow)}: {flow_of(value, inside=node.flow)}"
    return _beside(text, node, before[-1] if before else None, shown)


def _inserted(text: str, path: Path_, index: int, value: Any) -> str:
    node = _at(text, path)
    if not node.entries:
        return _replaced(text, path, [value])
    shown = flow_of(value, inside=node.flow)
    return _beside(text, node, node.entries[index - 1] if index else None, shown if node.flow else f"- {shown}")


def _beside(text: str, node: Node, before: Entry | None, shown: str) -> str:
    """The text with an entry behind the one `before`, or in front of all."""
    first = node.entries[0]
    if node.flow:
        if before is None:
            return f"{text[: first.start]}{shown}, {text[first.start :]}"
        return f"{text[: before.end]}, {shown}{text[before.end :]}"
    indent, newline = " " * node.column, "\r\n" if "\r\n" in text else "\n"
    if before is None:
        return f"{text[: first.start]}{shown}{newline}{indent}{text[first.start :]}"
    at = _next_line(text, before.end)
    lead = "" if text[at - 1 : at] == "\n" else newline
    tail = newline if not lead or text.endswith("\n") else ""
    return f"{text[:at]}{lead}{indent}{shown}{tail}{text[at:]}"


def _behind_comments(text: str, offset: int, column: int) -> int:
    """Behind the comments that are indented more than a column: they belong to what stood above them."""
    found = re.compile(rf"(?:\s*\n)*(?: {{{column + 1},}}#[^\n]*(?:\n|\Z))+").match(text, offset)
    return found.end() if found else offset


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _next_line(text: str, offset: int) -> int:
    found = text.find("\n", offset)
    return len(text) if found < 0 else found + 1
