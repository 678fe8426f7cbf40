"""Other valid values for each field of an input file, from its schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tenantry.core.manifest import dig
from tenantry.inputs.schema import _validator, load_schema
from tenantry.render.alternatives import InputChange, changes
from tenantry.render.fleet_edits import with_value

Step = str | int
Path = tuple[Step, ...]
SAMPLES: Mapping[str, Any] = {
    "address": "https://other.example:8443", "label": "other", "host": "other.example", "text": "Something else", "version": "0.0.1",
    "cidr": "203.0.113.0/28", "timeZone": "Asia/Tokyo", "image": "registry.example/other/image:9.9.9@sha256:" + "c" * 64,
    "team": "other-team", "teams": ["other-team"], "annotations": {"other.example/other": "yes"},
    "chart": {"repository": "https://other.example", "version": "9.9.9"},
}  # fmt: skip
"""By the name of a definition of the schemas."""
OWN: Mapping[str, Any] = {
    "Channel.waves": [50, 100],
    "ImageContract.odooVersion": "17.0",
    "Release.imageContract": "odoo-19.0-image",
    "Cluster.trustedAuthorities": ["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"],
    "Platform.secretStore.clientIds": {"acme-production": "03f2a1b4-1111-4222-8333-0123456789ab"},
}
"""By field."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind that holds a value, not fields. `path` is counted from the document's root; "*" is any key or index."""

    kind: str
    path: Path
    schema: Mapping[str, Any]
    reference: str = ""

    def __str__(self) -> str:
        return f"{self.kind}.{'.'.join(str(step) for step in self.path[1:])}"


def fields(kind: str) -> Iterator[Field]:
    """Every field of a kind that holds a value."""
    root = load_schema(kind)
    yield from _fields(kind, root, root["properties"]["spec"], ("spec",), "")


@cache
def every_field(kind: str) -> tuple[Field, ...]:
    """The same, worked out once."""
    return tuple(fields(kind))


def _fields(
    kind: str, root: Mapping[str, Any], schema: Mapping[str, Any], path: Path, reference: str
) -> Iterator[Field]:
    if "$ref" in schema:
        reference = schema["$ref"].rpartition("/")[2]
        schema = root["$defs"][reference]
    inner: list[tuple[Step, Mapping[str, Any]]] = list(schema.get("properties", {}).items())
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            inner.append(("*", schema[key]))
    if not any(_holds_fields(root, found) or "properties" in schema for _, found in inner):
        yield Field(kind, path, schema, reference)
        return
    for step, found in inner:
        yield from _fields(kind, root, found, (*path, step), "")


def _holds_fields(root: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    nested = [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    return "properties" in schema or any(_holds_fields(root, found) for found in nested)


def trials(field: Field, documents: Mapping[str, Any]) -> Iterator[InputChange]:
    """Valid changes of a field in the entries of its kind, those that have it first: what others hold there, and made-up values."""
    changes_of_places = [
        _changes(field, name, path, data, documents)
        for name, data in documents.items()
        for path in _places(data, field.path)
    ]
    missing = [
        _changes(field, name, (*path, field.path[-1]), data, documents)
        for name, data in documents.items()
        for path in _places(data, field.path[:-1])
        if isinstance(there := dig(data, *path), Mapping) and field.path[-1] not in (*there, "*")
    ]
    yield from _in_turn(changes_of_places)
    yield from _in_turn(missing)


def _in_turn(each: list[Iterator[InputChange]]) -> Iterator[InputChange]:
    """The first change of each place, then the second of each."""
    while each:
        for one in list(each):
            change = next(one, None)
            if change is None:
                each.remove(one)
            else:
                yield change


def _changes(field: Field, name: str, path: Path, data: Any, documents: Mapping[str, Any]) -> Iterator[InputChange]:
    before = dig(data, *path)
    for value in _others(field, field.schema.get("default") if before is None else before, documents.values()):
        if _takes(field, value) and _is_valid(field.kind, with_value(data, path, value)):
            yield InputChange(field.kind, name, path, value, before)


def _places(data: Any, path: Path) -> list[Path]:
    found: list[Path] = [()]
    for step in path:
        longer: list[Path] = []
        for place in found:
            value = dig(data, *place)
            if step != "*":
                longer += [(*place, step)] if isinstance(value, Mapping) and step in value else []
            elif isinstance(value, (Mapping, list)):
                longer += [(*place, key) for key in (value if isinstance(value, Mapping) else range(len(value)))]
        found = longer
    return found


def _others(field: Field, value: Any, documents: Iterable[Any]) -> Iterator[Any]:
    """Values that differ from what is there, each once."""
    seen: list[Any] = [value]
    for other in (*_made_up(field, value), *(dig(d, *path) for d in documents for path in _places(d, field.path))):
        if other not in seen:
            seen.append(other)
            yield other


def _made_up(field: Field, value: Any) -> Iterator[Any]:
    schema = field.schema
    if str(field) in OWN:
        yield OWN[str(field)]
    if field.reference in SAMPLES:
        yield SAMPLES[field.reference]
    yield from reversed(schema.get("enum", ()))
    yield from _near(schema, value)
    yield from _samples(schema)
    if schema.get("type") == "array":
        yield from ([sample] for sample in (*_samples(schema.get("items", {})), *TEXTS))
    yield from TEXTS


def _near(schema: Mapping[str, Any], value: Any) -> Iterator[Any]:
    """Values like the one that is there, or the least that a number may be."""
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
            yield from (schema[bound] for bound in ("minimum", "maximum") if bound in schema)
            yield from (value * 1000, value - 1, 1, value * 2)
        case str():
            yield from _texts(value)
        case [_, *_]:
            yield from ([*value, sample] for sample in _samples(schema.get("items", {})))
            yield value[:-1]
            yield from ([*value, sample] for sample in TEXTS)
        case dict() if value:
            first = next(iter(value))
            yield from (
                {**value, first: other}
                for other in (*_texts(str(value[first])), *_samples(schema.get("additionalProperties", {})))
            )
        case _ if schema.get("type") in ("integer", "number"):
            yield from (schema.get("minimum", 0) + 1, schema.get("maximum", 1), schema.get("minimum", 0))
        case _ if schema.get("type") == "boolean":
            yield from (True, False)


def _texts(value: str) -> Iterator[str]:
    for change in changes("", "", {"metadata": {}, "spec": {"x": value}}, ()):
        if change.path == ("spec", "x"):
            yield change.value


def _samples(schema: Mapping[str, Any]) -> list[Any]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    return [SAMPLES[reference]] if reference in SAMPLES else list(schema.get("enum", ()))[::-1]


TEXTS = (
    "other", "Something else", "other.example", "https://other.example", "203.0.113.0/28", "9.9.9", "2026-12-24", "03:00", "someone@other.example",
    "Europe/Madrid", "2026-11-01", "10.20.4.0/29", "123456789012", "eu-north-1", "0f" * 16, "sha256:" + "d" * 64, "github.com/other/other", "other-project", "03f2a1b4-1111-4222-8333-0123456789ab",
    "1.35", "169.254.20.11", "2026-11-20T10:00:00Z", "20261120T013000", "other_module", "/opt/other", "apps", "Deployment", "0a1b2c3d",
    "0f" * 32,
)  # fmt: skip
"""Texts that may be valid where nothing is known of a field but its pattern."""


def _takes(field: Field, value: Any) -> bool:
    """Whether the field alone takes it, which costs less to say than whether the document does."""
    return _own_validator(field.kind, field.path).is_valid(value)


@cache
def _own_validator(kind: str, path: Path) -> Draft202012Validator:
    schema = next(field.schema for field in every_field(kind) if field.path == path)
    whole = {**schema, "$defs": load_schema(kind).get("$defs", {})}
    return Draft202012Validator(whole, format_checker=_validator(kind).format_checker)


def _is_valid(kind: str, data: Any) -> bool:
    return _validator(kind).is_valid(data)
