"""Which template makes which object of a unit, and what the object is in other contexts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenantry.core.findings import ObjectId
from tenantry.render.alternatives import InputChange
from tenantry.render.files import expand, parse_object, render_text
from tenantry.render.kustomizations import object_id
from tenantry.render.registry import COMPONENTS, TREE_COMPONENTS, TREES, Context, ObjectTemplate
from tenantry.render.units import Unit


@dataclass(frozen=True, slots=True)
class MadeObject:
    """An object of a unit: its template, and which of the template's objects it is, by file name or by number."""

    entry: ObjectTemplate
    file: str
    index: int
    count: int

    def context(self, context: Context, change: InputChange | None = None) -> Context | None:
        """What its template sees in a unit's context; None when that has no such object.

        A `change` of an input may rename the object's file.
        """
        here = list(expand(self.entry, context))
        files = {self.file, _after(self.file, change)}
        found = next((more for file, more in here if file in files), None)
        return here[self.index][1] if found is None and len(here) == self.count else found

    def text(self, context: Context) -> str:
        """Its text, with what its template sees."""
        return render_text(self.entry.name, context)

    def parsed(self, text: str) -> Mapping[str, Any]:
        """The object of a text as its template wrote it."""
        return parse_object(text, self.entry.name)


def made_objects(unit: Unit) -> Mapping[ObjectId, MadeObject]:
    """Each object of a unit, by its identity without a namespace: overlays add that."""
    context = unit.context()
    found: dict[ObjectId, MadeObject] = {}
    for entry in _entries(unit):
        here = list(expand(entry, context))
        for index, (file, more) in enumerate(here):
            value = parse_object(render_text(entry.name, more), entry.name)
            found[bare(object_id(value))] = MadeObject(entry, file, index, len(here))
    return found


def bare(identity: ObjectId) -> ObjectId:
    """The identity as templates write it; overlays add the namespace."""
    return dataclasses.replace(identity, namespace="")


def _entries(unit: Unit) -> Iterator[ObjectTemplate]:
    for component in TREE_COMPONENTS[unit.tree]:
        for stem in COMPONENTS[component.name]:
            yield ObjectTemplate(f"components/{component.name}/{stem}", when=component.when)
    yield from TREES[unit.tree]


def _after(file: str, change: InputChange | None) -> str:
    if change and isinstance(change.before, str) and isinstance(change.value, str):
        return file.replace(change.before, change.value)
    return file
