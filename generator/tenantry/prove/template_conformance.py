"""Objects are exactly what the tier's templates produce from the instance's values.

The other proofs hold objects to promises one by one; this one holds to the templates whatever no promise speaks of: a
probe, a mount, a script, an object that should not be there. What is kept in bases and components, and reviewed once
for everyone, is compared field by field; of what is written for each instance, that it is there.

This is the one proof that knows how objects are rendered: it asks whether base, overlay and Kustomize gave what the
templates say by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest, Path, dig, show_path
from tenantry.model.platform import Platform
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.render.completion import completed
from tenantry.render.kustomizations import (
    Components,
    component_objects,
    object_id,
    objects_of_components,
    other_identities,
    standard_objects,
)
from tenantry.render.patch import operations
from tenantry.render.registry import Context
from tenantry.render.units import Unit, component_context

CONTROL = "SUP-05"
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Conformance:
    """How one unit's objects compare with what its templates say."""

    made: Sequence[ObjectId]
    """What the templates make."""
    wanted: Mapping[ObjectId, Mapping[str, Any]]
    """What the templates say of the objects that differ."""


Find = Callable[[ObjectId], Manifest | None]
"""The object of that identity, if it is there."""


class Templates:
    """What the templates say, of each unit of a fleet."""

    def __init__(self, platform: Platform, all_units: Iterable[Unit]) -> None:
        self._platform = platform
        self._all_units = all_units
        self._seen: dict[str, ObjectId] = {}

    @cached_property
    def units(self) -> Mapping[str, Sequence[Unit]]:
        """By cluster."""
        found: dict[str, list[Unit]] = defaultdict(list)
        for unit in self._all_units:
            found[unit.cluster].append(unit)
        return found

    def only(self, wanted: Callable[[Unit], bool]) -> Templates:
        """Those of some units."""
        chosen = Templates(self._platform, (unit for there in self.units.values() for unit in there if wanted(unit)))
        chosen._components = self._components
        return chosen

    @cached_property
    def _components(self) -> Components:
        return component_objects(component_context(self._platform))

    def compare(self, unit: Unit, find: Find) -> Conformance:
        """Compare a unit's objects, wherever they come from."""
        context = unit.context()
        return self._compare(unit, context, standard_objects(unit.tree, context, self._components), find)

    def compare_built(
        self, unit: Unit, context: Context, standard: Iterable[Mapping[str, Any]], find: Find
    ) -> Conformance:
        """As `compare`, with the `standard` objects of the overlay that a unit was just built from."""
        components = objects_of_components(unit.tree, context, self._components)
        return self._compare(unit, context, chain(components, standard), find)

    def _compare(self, unit: Unit, context: Context, standard: Iterable[Mapping[str, Any]], find: Find) -> Conformance:
        made: list[ObjectId] = []
        different: dict[ObjectId, Mapping[str, Any]] = {}
        for template in standard:
            wanted = completed(template, context["labels"], context.get("namespace"))
            identity = object_id(wanted)
            made.append(identity)
            found = find(identity)
            if found is not None and found.value != wanted:
                different[identity] = wanted
        made += other_identities(unit.tree, context, self._seen)
        return Conformance(made, different)


def all_differences(
    states: Mapping[str, State], templates: Templates, known: Mapping[str, Conformance]
) -> list[tuple[State, Breach]]:
    """The differences of several clusters, each with its cluster's state."""
    return [(state, found) for state in states.values() for found in differences(state, templates, known)]


def differences(state: State, templates: Templates, known: Mapping[str, Conformance]) -> Iterator[Breach]:
    """Objects of a cluster that differ from their templates, are missing, or come from none.

    `known` tells of units, by path, that were compared when they were built.
    """
    expected: set[ObjectId] = set()

    def find(identity: ObjectId) -> Manifest | None:
        return state.get(identity.group, identity.kind, identity.namespace, identity.name)

    for unit in templates.units.get(state.cluster.name, ()):
        compared = known.get(unit.path) or templates.compare(unit, find)
        expected.update(compared.made)
        for identity in compared.made:
            found = find(identity)
            if found is None:
                yield _missing(state, unit, identity)
            elif identity in compared.wanted:
                path, message = _difference(compared.wanted[identity], found.value)
                hint = "change the template or the input that decides it, then 'tenantry render'"
                yield breach(found, CONTROL, path, message, hint, tenant=unit.tenant or None)
    for manifest in state.manifests:
        if manifest.identity not in expected:
            message = f"no template makes this {manifest.identity.kind}, so it has not been reviewed"
            yield breach(manifest, CONTROL, ("metadata", "name"), message, "remove it, or add a template for it")


def _missing(state: State, unit: Unit, identity: ObjectId) -> Breach:
    absent = Manifest(identity, "", {}, file=f"{state.folder}/")
    message = f"{identity.kind} '{identity.name}' is missing; the templates produce it"
    return breach(absent, CONTROL, (), message, "run 'tenantry render'", tenant=unit.tenant or None)


def _difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[Path, str]:
    """Where an object differs first, and a sentence about it. What stands there is not shown: it may be a secret."""
    first = next(operations(found, wanted))
    path = _path(found, first["path"])
    shown = show_path(path)
    if first["op"] == "remove":
        return path, f"{shown} is not in the templates"
    if first["op"] == "add":
        return path, f"{shown} is missing; the templates set it"
    value = first["value"]
    says = f" say {value!r}" if isinstance(value, (str, int, float)) and len(str(value)) <= _LONGEST else " differ"
    return path, f"{shown} was changed; the templates{says}"


def _path(found: Any, pointer: str) -> Path:
    """A JSON pointer into an object as a path."""
    path: list[str | int] = []
    for part in pointer.split("/")[1:]:
        step = int(part) if isinstance(found, list) else part.replace("~1", "/").replace("~0", "~")
        path.append(step)
        found = dig(found, step)
    return tuple(path)
