"""Other values that one place of an input file could hold, for experiments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.manifest import Path, dig

_MOST = 4
"""Values of other entries that are tried at one place."""


NAME: Path = ("metadata", "name")


@dataclass(frozen=True, slots=True)
class InputChange:
    """One place of an input document, counted from its root, with another value there."""

    kind: str
    name: str
    path: Path
    value: Any
    before: Any = None
    """What stands there; None for a field that is not written."""


def changes(kind: str, name: str, document: Any, others: Iterable[Any]) -> Iterator[InputChange]:
    """Another name, and changes inside, inner places first: what other entries of the kind hold there, then invented
    values."""
    yield InputChange(kind, name, NAME, f"{name}x", name)
    siblings = list(others)
    places = _places({key: document[key] for key in ("metadata", "spec")}, ())
    for path, value in ((path, value) for path, value in places if path[:2] != NAME):
        held = _held(siblings, path)
        if isinstance(value, Mapping):
            yield from _added(kind, name, path, value, held)
        else:
            for other in [*_distinct(held, value)[:_MOST], *_invented(value)]:
                yield InputChange(kind, name, path, other, value)


def _places(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    for step, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(item, (*path, step))
    yield path, value


def _added(kind: str, name: str, path: Path, value: Mapping[str, Any], held: Iterable[Any]) -> Iterator[InputChange]:
    """Fields that other entries have here and this one leaves to its default."""
    missing: dict[str, list[Any]] = {}
    for other in held:
        if isinstance(other, Mapping):
            for key in other.keys() - value.keys():
                missing.setdefault(key, []).append(other[key])
    for key in sorted(missing):
        for other in _distinct(missing[key], None)[:_MOST]:
            yield InputChange(kind, name, (*path, key), other)


def _held(siblings: Iterable[Any], path: Path) -> list[Any]:
    """What other documents hold at a path, whatever the index in a list or the environment."""
    found = siblings
    for step in path:
        if isinstance(step, int):
            found = [item for value in found if isinstance(value, list) for item in value]
        else:
            found = [dig(value, step) for value in found if isinstance(value, dict) and step in value]
    return list(found)


def _distinct(values: Iterable[Any], present: Any) -> list[Any]:
    """Those that differ from each other and from what is there."""
    found: list[Any] = []
    for value in values:
        if value != present and value not in found:
            found.append(value)
    return found


def _invented(value: Any) -> list[Any]:
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, value * 3, max(value - 1, 0)]
        case float():
            return [value * 1.5 + 0.1]
        case str():
            return [*_next_number(value), f"{value}x"]
        case [_, *_]:
            return [value[:-1]]
    return []


def _next_number(text: str) -> list[str]:
    """The text with its last digit changed: `22:00` stays a time, a range stays a range."""
    found = re.search(r"\d(?=\D*\Z)", text)
    return [text[: found.start()] + str((int(found[0]) + 1) % 10) + text[found.end() :]] if found else []
