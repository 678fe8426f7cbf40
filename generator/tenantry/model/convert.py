"""Converts documents to dataclasses; the only place that does."""

from __future__ import annotations

import dataclasses
import keyword
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def to_snake_case(name: str) -> str:
    """`dataSensitivity` -> `data_sensitivity`; a unit stays one word: `memoryMiB` -> `memory_mib`; `from` -> `from_`."""
    name = re.sub(r"(Mi|Gi)B", lambda unit: unit.group().capitalize(), name)
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    return f"{name}_" if keyword.iskeyword(name) else name


def to_camel_case(name: str) -> str:
    """The inverse: `memory_mib` -> `memoryMiB`."""
    first, *rest = name.removesuffix("_").split("_")
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
    convert = _converter(kind)
    return value if convert is None else convert(value)


@cache
def _converter(kind: Any) -> Callable[[Any], Any] | None:
    """How values of a kind are converted; None for those that are taken as they are. Looked up once: annotations are slow."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return lambda value: kind(**{name: _convert(item, v) for (name, item), v in _fields(kind, value)})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        one = _converter(arguments[0])
        return tuple if one is None else lambda value: tuple(map(one, value))
    if origin is Mapping:
        each = _converter(arguments[1])
        return dict if each is None else lambda value: {key: each(item) for key, item in value.items()}
    if origin is types.UnionType or origin is typing.Union:
        return _converter(next(k for k in arguments if k is not type(None)))
    return None


def _fields(cls: type, value: Mapping[str, Any]) -> Iterator[tuple[tuple[str, Any], Any]]:
    return ((_field_of_key(cls, key), item) for key, item in value.items())
