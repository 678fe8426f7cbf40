"""Objects are what the tier's templates make of the instance's own values.

The other proofs hold objects to promises one by one; this one holds to the templates whatever no promise speaks of: a
probe, a mount, a script, an object that should not be there. What is kept in bases and components, and reviewed once
for everyone, is compared field by field; of what is written for each instance, that it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest, Path, dig, show_path
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Promises
from tenantry.render.kustomizations import component_objects, object_id, other_identities, standard_objects
from tenantry.render.patch import operations
from tenantry.render.units import Unit, component_context
from tenantry.runtime.processes import LARGE, beside

CONTROL = "SUP-05"
_LONGEST = 60
_WITH_PODS = ("Deployment", "StatefulSet", "Job")
"""Kinds whose Pods' labels Kustomize completes too."""


def begin(promises: Promises, states: Mapping[str, State]) -> Callable[[], list[tuple[State, Breach]]]:
    """Begin to look at all clusters, beside other work when there is much to look at; what comes back waits for it.

    To be called while there is one thread only.
    """

    def work() -> list[tuple[str, Breach]]:
        return [
            (name, found) for name, state in states.items() for found in differences(state, promises.units_of[name])
        ]

    if sum(len(state.manifests) for state in states.values()) < LARGE:
        return lambda: [(states[name], found) for name, found in work()]
    finish = beside(work)

    def with_own_objects() -> list[tuple[State, Breach]]:
        """A child's objects are copies; ours are needed."""
        found = []
        for name, (manifest, problem) in finish():
            found.append((states[name], (_get(states[name], manifest.identity) or manifest, problem)))
        return found

    return with_own_objects


def differences(state: State, there: Iterable[Unit]) -> Iterator[Breach]:
    """Objects of a cluster that differ from their templates, are missing, or come from none; `there` are its units."""
    components = component_objects(component_context(state.promises.platform))
    seen: dict[str, ObjectId] = {}
    made: set[ObjectId] = set()
    for unit in there:
        context = unit.context()
        namespace = context.get("namespace")
        for template in standard_objects(unit.tree, context, components):
            wanted = _with_labels(template, context["labels"], namespace)
            identity = object_id(wanted)
            made.add(identity)
            found = _get(state, identity)
            if found is None:
                yield _missing(state, unit, identity)
            elif found.value != wanted:
                path, message = _difference(wanted, found.value)
                hint = "change the template or the input that decides it, then 'tenantry render'"
                yield breach(found, CONTROL, path, message, hint, tenant=unit.tenant or None)
        for identity in other_identities(unit.tree, context, seen):
            made.add(identity)
            if _get(state, identity) is None:
                yield _missing(state, unit, identity)
    for manifest in state.manifests:
        if manifest.identity not in made:
            message = f"no template makes this {manifest.identity.kind}, so nobody has reviewed what it does"
            yield breach(manifest, CONTROL, ("metadata", "name"), message, "remove it, or make a template of it")


def _get(state: State, identity: ObjectId) -> Manifest | None:
    return state.get(identity.group, identity.kind, identity.namespace, identity.name)


def _with_labels(value: Mapping[str, Any], labels: Mapping[str, str], namespace: str | None) -> dict[str, Any]:
    """The template's object as an overlay completes it."""
    metadata = {**value["metadata"], "labels": {**value["metadata"].get("labels", {}), **labels}}
    if namespace and value["kind"] != "Namespace":
        metadata["namespace"] = namespace
    result = {**value, "metadata": metadata}
    template = dig(value, "spec", "template")
    if value["kind"] in _WITH_PODS:
        meta = template.get("metadata", {})
        meta = {**meta, "labels": {**meta.get("labels", {}), **labels}}
        result["spec"] = {**value["spec"], "template": {**template, "metadata": meta}}
    return result


def _missing(state: State, unit: Unit, identity: ObjectId) -> Breach:
    absent = Manifest(identity, "", {}, file=f"{state.folder}/")
    message = f"{identity.kind} '{identity.name}' is missing; the templates make it"
    return breach(absent, CONTROL, (), message, "'tenantry render' makes it again", tenant=unit.tenant or None)


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
