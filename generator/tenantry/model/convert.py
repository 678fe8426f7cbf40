"""Converts documents to dataclasses; the only place that does."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def to_snake_case(name: str) -> str:
    """`dataSensitivity` -> `data_sensitivity`; a unit stays one word: `memoryMiB` -> `memory_mib`."""
    name = re.sub(r"(Mi|Gi)B", lambda unit: unit.group().capitalize(), name)
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def to_camel_case(name: str) -> str:
    """The inverse: `memory_mib` -> `memoryMiB`."""
    first, *rest = name.split("_")
    return first + "".join({"gib": "GiB", "mib": "MiB"}.get(word, word.capitalize()) for word in rest)


def build(cls: type[T], document: Mapping[str, Any]) -> T:
    """A kind's dataclass from a document that its schema has accepted."""
    return typing.cast(T, _convert(cls, {"name": document["metadata"]["name"], **document["spec"]}))


@cache
def _hints(cls: type) -> dict[str, Any]:
    """Evaluating a class's annotations costs more than converting a file."""
    return typing.get_type_hints(cls)


@cache
def _field_of_key(cls: type, key: str) -> tuple[str, Any]:
    name = to_snake_case(key)
    return name, _hints(cls)[name]


def _convert(kind: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        arguments = {}
        for key, item in value.items():
            name, item_kind = _field_of_key(kind, key)
            arguments[name] = _convert(item_kind, item)
        return kind(**arguments)
    origin = typing.get_origin(kind)
    if origin is tuple:
        item_kind = typing.get_args(kind)[0]
        return tuple(_convert(item_kind, item) for item in value)
    if origin is Mapping:
        item_kind = typing.get_args(kind)[1]
        return {key: _convert(item_kind, item) for key, item in value.items()}
    if origin is types.UnionType or origin is typing.Union:
        return _convert(next(k for k in typing.get_args(kind) if k is not type(None)), value)
    return value
