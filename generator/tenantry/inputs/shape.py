"""What the schema of a kind says about a place in its files: the fields there and their order, type, default and meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.inputs import schema
from tenantry.inputs.source import Path_

Schema = dict[str, Any]
_NOTHING: Schema = {}


@dataclass(frozen=True)
class Shape:
    """A place in the files of a kind. Where the schema says nothing, it is empty."""

    here: Schema
    root: Schema

    @property
    def fields(self) -> Sequence[str]:
        """Names of fields in the order of the schema; empty where names are free."""
        return tuple(self.here.get("properties", ())) or tuple(self.here.get("propertyNames", {}).get("enum", ()))

    @property
    def type(self) -> str:
        """Its type in JSON Schema; empty where it may be anything."""
        values = [*self.here.get("enum", ()), *([self.here["const"]] if "const" in self.here else ())]
        texts = bool(values) and all(isinstance(value, str) for value in values)
        return str(self.here.get("type", "string" if texts else ""))

    def inner(self, step: str | int) -> Shape | None:
        """The place of a field or an item; None when the schema has none of that name."""
        if isinstance(step, int):
            found = self.here.get("items") if self.type == "array" else None
        else:
            found = self.here.get("properties", {}).get(step, self.here.get("additionalProperties"))
            names = self.here.get("propertyNames", {}).get("enum")
            found = None if names is not None and step not in names else found
        return Shape(_inlined(found, self.root), self.root) if isinstance(found, dict) else None

    def at(self, path: Path_) -> Shape | None:
        """The place that a path leads to from here."""
        shape: Shape | None = self
        for step in path:
            shape = shape.inner(step) if shape else None
        return shape


def shape_of(kind: str) -> Shape:
    """The shape of a whole file of the kind; an empty one for an unknown kind."""
    found = schema.load_schema(kind) if kind in schema.KINDS else _NOTHING
    return Shape(found, found)


def _inlined(found: Schema, root: Schema) -> Schema:
    reference = found.get("$ref")
    return {**root["$defs"][reference.rsplit("/", 1)[-1]], **found} if reference else found
