"""Schemas and dataclasses say the same, and the schemas say enough."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tenantry.inputs.fleet import CLASSES
from tenantry.inputs.schema import KINDS, load_schema
from tenantry.model.convert import to_snake_case


def inline(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return {**root["$defs"][reference.rsplit("/", 1)[-1]], **schema} if reference else schema


def pairs(
    schema: dict[str, Any], cls: type, root: dict[str, Any], where: str
) -> Iterator[tuple[str, dict[str, Any], type]]:
    """Each object schema with the dataclass that holds it."""
    yield where, schema, cls
    hints = typing.get_type_hints(cls)
    for name, raw in schema["properties"].items():
        inner = inline(raw, root)
        hint = hints[to_snake_case(name)]
        if inner.get("type") == "array":
            inner, hint = inline(inner["items"], root), typing.get_args(hint)[0]
        elif isinstance(inner.get("additionalProperties"), dict):
            inner, hint = inline(inner["additionalProperties"], root), typing.get_args(hint)[1]
        classes = [h for h in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(h)]
        if "properties" in inner:
            assert classes, f"{where}.{name} has no dataclass"
            yield from pairs(inner, classes[0], root, f"{where}.{name}")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_fields_and_needs_of_schema_and_dataclass_are_the_same(kind: str) -> None:
    root = load_schema(kind)
    for where, schema, cls in pairs(root["properties"]["spec"], CLASSES[kind], root, kind):
        fields = {field.name: field for field in dataclasses.fields(cls)}
        fields.pop("name") if where == kind else None
        assert {to_snake_case(name) for name in schema["properties"]} == set(fields), where
        needed = {
            name
            for name, field in fields.items()
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }
        assert {to_snake_case(name) for name in schema.get("required", ())} == needed, where


def every_schema(schema: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            yield f"{where}.{name}", inner
            yield from every_schema(inner, f"{where}.{name}")
        for key in ("items", "additionalProperties"):
            yield from every_schema(schema.get(key), f"{where}[]")


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_description_and_refuses_unknown_neighbours(kind: str) -> None:
    root = load_schema(kind)
    Draft202012Validator.check_schema(root)
    for where, schema in every_schema(root, kind):
        assert schema.get("description"), f"{where} has no description"
        inner = inline(schema, root)
        if inner.get("type") == "object":
            assert "additionalProperties" in inner, where


@pytest.mark.parametrize("kind", KINDS)
def test_every_pattern_refuses_a_trailing_newline(kind: str) -> None:
    root = load_schema(kind)

    def patterns(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("pattern"), str):
                yield value["pattern"]
            for inner in value.values():
                yield from patterns(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from patterns(inner)

    assert all(pattern.endswith("$(?!\\n)") for pattern in patterns(root))


def test_the_examples_of_the_schemas_are_valid() -> None:
    for kind in KINDS:
        schema = load_schema(kind)
        for example in schema.get("examples", ()):
            assert not list(Draft202012Validator(schema).iter_errors(example))
