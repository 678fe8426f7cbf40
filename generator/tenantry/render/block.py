"""YAML in block style, one value a line, for what people read in a diff."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tenantry.render.environment import yaml_text

_NO_LITERAL = re.compile(r"\A[ \n]|[^\S\n]$|\n\n\Z|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]", re.MULTILINE)
"""What a block scalar does not keep as it is: space before and after, lines that end in space, control characters."""


def block_lines(value: Mapping[str, Any], *, literal: bool = True) -> list[str]:
    """Lines of a mapping. With `literal`, texts of several lines are block scalars."""
    return list(_mapping(value, literal))


def ends_in_text(value: Any) -> bool:
    """Whether the last line is that of a block scalar, which loses its line end with the space that follows."""
    while isinstance(value, (Mapping, list)) and value:
        value = list(value.values() if isinstance(value, Mapping) else value)[-1]
    return _is_literal(value)


def _is_literal(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value and not _NO_LITERAL.search(value)


def _mapping(value: Mapping[str, Any], literal: bool) -> Iterator[str]:
    for key, item in value.items():
        yield from _entry(f"{yaml_text(key)}:", item, literal)


def _entry(start: str, item: Any, literal: bool) -> Iterator[str]:
    if isinstance(item, Mapping) and item:
        yield start
        yield from (f"  {line}" if line else "" for line in _mapping(item, literal))
    elif isinstance(item, list) and item:
        yield start
        yield from (f"  {line}" if line else "" for line in _list(item, literal))
    elif literal and _is_literal(item):
        yield f"{start} {'|' if item.endswith(chr(10)) else '|-'}"
        yield from (f"  {line}" if line else "" for line in item.removesuffix("\n").split("\n"))
    else:
        yield f"{start} {yaml_text(item)}"


def _list(items: list[Any], literal: bool) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping) and item:
            first, *rest = _mapping(item, literal)
            yield f"- {first}"
            yield from (f"  {line}" if line else "" for line in rest)
        else:
            yield f"- {yaml_text(item)}"
