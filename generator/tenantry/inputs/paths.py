"""Paths of fields as people write them: `spec.environments.production.hosts[0]`, `spec.images["a.b"]`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tenantry.core.findings import UsageError
from tenantry.core.suggestions import did_you_mean
from tenantry.inputs.scalars import flow_of
from tenantry.inputs.shape import Shape
from tenantry.inputs.source import Path_

_STEP = re.compile(r"""(?:^|\.)(?P<name>[^.\[\]"=]+)|\[(?P<index>[0-9]{1,6})\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]""")
HOW = 'write it like spec.users, spec.residency[0] or spec.postgresqlImages["17"]'


def parse(text: str) -> Path_:
    """Steps of a written path. Raises UsageError."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (at == 0 and not found["name"]):
            raise UsageError(f"'{text}' is not the path of a field", HOW)
        quoted, index = found["quoted"], found["index"]
        steps.append(json.loads(quoted) if quoted else int(index) if index else found["name"])
        at = found.end()
    return tuple(steps)


def shown(path: Path_) -> str:
    """A path as `parse` takes it."""
    parts = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            plain = re.fullmatch(r'[^.\[\]"=]+', step)
            parts.append(f".{step}" if plain else f"[{json.dumps(step, ensure_ascii=False)}]")
    return "".join(parts).removeprefix(".")


def must_exist(shape: Shape, path: Path_) -> Shape:
    """The place of a path in a kind's files. Raises UsageError for a field that the schema does not have."""
    here = shape
    for depth, step in enumerate(path):
        inner = here.inner(step)
        if inner is None:
            raise _unknown(shape, here, path, depth)
        here = inner
    return here


def _unknown(root: Shape, here: Shape, path: Path_, depth: int) -> UsageError:
    step, where = path[depth], shown(path[:depth])
    said = f"'{where}' has no field '{step}'" if where else f"there is no field '{step}'"
    if isinstance(step, int):
        return UsageError(f"'{where}' is not a list", HOW)
    if here.type == "array":
        return UsageError(f"'{where}' is a list", f"name an item: {where}[0]")
    if not here.fields:
        return UsageError(said, f"'{where}' is a single value" if where else HOW)
    if not depth and root.at(("spec", *path)):
        return UsageError(said, f"did you mean 'spec.{shown(path)}'?")
    return UsageError(said, did_you_mean(step, here.fields) or f"fields there: {', '.join(here.fields)}")


def leaves(data: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Each field that holds no other one; a list without mappings counts as one value."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list) and any(isinstance(item, (dict, list)) for item in data):
        for index, item in enumerate(data):
            yield from leaves(item, (*path, index))
    else:
        yield path, data


def value_text(value: Any) -> str:
    """A value as text: as it is, others as YAML on one line."""
    return value if isinstance(value, str) else flow_of(value)
