"""Changes one value of a document: at will, or at a path; shared by the tests that try mutations and mutants."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tenantry.core.manifest import parse_path

GONE = object()
"""Stands for no value: what is at the path is taken out."""

FileMutant = tuple[str, str, Any, str, str]
"""File below a folder, path, new value, control and words of the breach."""

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


def changed_at(document: Mapping[str, Any], path: str, to: Any) -> dict[str, Any]:
    """A copy with one value set, or taken out where it is GONE; one past the end of a list is appended."""
    value: Any = copy.deepcopy(dict(document))
    target = value
    *way, last = parse_path(path)
    for step in way:
        target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
    if to is GONE:
        del target[last]
    elif isinstance(target, list) and last == len(target):
        target.append(to)
    else:
        target[last] = to
    return value  # type: ignore[no-any-return]


def missed(
    root: Path, mutants: Mapping[str, FileMutant], verify: Callable[[], Sequence[Mapping[str, Any]]]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Mutants of the files below `root` that are not found, each with what was said instead.

    Those of different files and controls are tried together: no breach of one can be taken for another's.
    """
    left, wrong = dict(mutants), []
    while left:
        tried: dict[str, FileMutant] = {}
        for name, mutant in left.items():
            if all(mutant[0] != other[0] and mutant[3] != other[3] for other in tried.values()):
                tried[name] = mutant
        before = {mutant[0]: (root / mutant[0]).read_text() for mutant in tried.values()}
        for file, path, to, *_ in tried.values():
            (root / file).write_text(yaml.safe_dump(changed_at(yaml.safe_load(before[file]), path, to)))
        said = [(finding["control"], finding["message"]) for finding in verify()]
        for file, text in before.items():
            (root / file).write_text(text)
        for name, (*_, control, words) in tried.items():
            del left[name]
            if not any(found == control and words in message for found, message in said):
                wrong.append((name, said))
    return wrong
