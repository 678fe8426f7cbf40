"""Changes one value of a document at will: shared by the tests that try any mutation."""

from __future__ import annotations

import json
import os
from typing import Any

TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
"""`make fuzz` asks for more examples."""


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Ways to every value inside of a document."""
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [p for key, inner in value.items() for p in paths(inner, (*path, key))]
    if isinstance(value, list):
        return found + [p for index, inner in enumerate(value) for p in paths(inner, (*path, index))]
    return found


def mutated(document: Any, where: int, other: Any) -> Any:
    """A copy of the document with one of its values, chosen by `where`, replaced."""
    value = json.loads(json.dumps(document))
    ways = paths(value)
    way = ways[where % len(ways)]
    target = value
    for step in way[:-1]:
        target = target[step]
    target[way[-1]] = other
    return value
