"""A fleet with some of its documents changed, without a file of it: for experiments.

Nothing is judged: a changed fleet may be one that the checks would refuse.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from tenantry.core.manifest import Path, dig, mapping
from tenantry.inputs.fleet import CLASSES, Fleet
from tenantry.inputs.source import Document
from tenantry.model import convert
from tenantry.model.policy import CONTROL, Policy
from tenantry.render.alternatives import NAME, InputChange

Key = tuple[str, str]
"""Kind and name of an input document."""

_ANY = "*"
_REFERENCES: tuple[tuple[str, Path, str], ...] = (
    ("Tenant", ("spec", "tier"), "Tier"),
    ("Tenant", ("spec", "channel"), "Channel"),
    ("Tenant", ("spec", "environments", _ANY, "cell"), "Cell"),
    ("Tenant", ("spec", "migration", "from", "tier"), "Tier"),
    ("Tenant", ("spec", "migration", "from", "cells", _ANY), "Cell"),
    ("Tenant", ("spec", "migration", "to", "tier"), "Tier"),
    ("Tenant", ("spec", "migration", "to", "cells", _ANY), "Cell"),
    ("Cell", ("spec", "cluster"), "Cluster"),
    ("Cell", ("spec", "tier"), "Tier"),
    ("Cluster", ("spec", "drPartner"), "Cluster"),
    ("Channel", ("spec", "releases", _ANY), "Release"),
    ("Release", ("spec", "imageContract"), "ImageContract"),
    ("Exception", ("spec", "tenant"), "Tenant"),
)
"""Kind, field, and the kind of the entry that it names."""


def edited(fleet: Fleet, change: InputChange) -> Fleet:
    """The fleet with one place of a document changed. A reference to what is not there finds a copy of what it named."""
    key = (change.kind, change.name)
    return replaced(_with_copy(fleet, change), {key: with_value(fleet.documents[key].data, change.path, change.value)})


def renamed(fleet: Fleet, change: InputChange) -> Fleet:
    """The fleet with another name for an entry, there and wherever it is named."""
    own = (change.kind, change.name)
    data = {own: with_value(fleet.documents[own].data, NAME, change.value)}
    for kind, field, target in _REFERENCES:
        for key in [(kind, name) for name in fleet.entries[kind]] if target == change.kind else ():
            document = data.get(key) or fleet.documents[key].data
            for path in _found(document, field):
                if dig(document, *path) == change.before:
                    data[key] = document = with_value(document, path, change.value)
    return replaced(fleet, data)


def without(fleet: Fleet, key: Key) -> Fleet:
    """The fleet without an entry."""
    kind, name = key
    entries = {other: entry for other, entry in fleet.entries[kind].items() if other != name}
    return dataclasses.replace(fleet, entries={**fleet.entries, kind: entries})


def with_tenants(fleet: Fleet, keys: Iterable[Key], environment: str = "") -> Fleet:
    """The fleet with few tenants, and those in one environment only, so that a trial takes as long in any fleet."""
    kept = {name for kind, name in keys if kind == "Tenant"}
    tenants = {name: entry for name, entry in fleet.entries["Tenant"].items() if name in kept}
    documents = {key: value for key, value in fleet.documents.items() if key[0] != "Tenant" or key[1] in kept}
    fleet = dataclasses.replace(fleet, entries={**fleet.entries, "Tenant": tenants}, documents=documents)
    if not environment:
        return fleet
    data = {("Tenant", name): fleet.documents["Tenant", name].data for name in tenants}
    only = {key: {environment: value["spec"]["environments"][environment]} for key, value in data.items()}
    return replaced(fleet, {key: with_value(value, ("spec", "environments"), only[key]) for key, value in data.items()})


def replaced(fleet: Fleet, changed: Mapping[Key, Any]) -> Fleet:
    """The fleet with other documents; an entry goes by the name that its document now has."""
    entries = {kind: dict(found) for kind, found in fleet.entries.items()}
    documents = dict(fleet.documents)
    for (kind, name), data in changed.items():
        old = documents.pop((kind, name))
        del entries[kind][name]
        new = data["metadata"]["name"]
        documents[kind, new] = Document(old.file, old.text, data)
        entries[kind][new] = _policy(new, data) if kind == "Policy" else convert.build(CLASSES[kind], data)
    ordered = {kind: dict(sorted(found.items())) for kind, found in entries.items()}
    return dataclasses.replace(fleet, entries=ordered, documents=documents)


def _policy(name: str, data: Any) -> Policy:
    annotations = mapping(mapping(data.get("metadata")).get("annotations"))
    return Policy(name=name, control=str(annotations.get(CONTROL)), annotations=annotations, spec=data["spec"])


def with_value(data: Any, path: Path, value: Any) -> Any:
    """A copy with another value at a path, which may be new in the innermost mapping."""
    if not path:
        return value
    step, *rest = path
    result = data.copy()
    result[step] = with_value(data[step] if rest else None, tuple(rest), value)
    return result


def _found(document: Any, field: Path) -> list[Path]:
    """Where a document has a field; _ANY stands for each key."""
    found: list[Path] = [()]
    for step in field:
        found = [(*p, key) for p in found for key in (mapping(dig(document, *p)) if step == _ANY else [step])]
    return [path for path in found if dig(document, *path) is not None]


def _matches(field: Path, path: Path) -> bool:
    return len(field) == len(path) and all(a in (_ANY, b) for a, b in zip(field, path, strict=True))


def _with_copy(fleet: Fleet, change: InputChange) -> Fleet:
    for kind, field, target in _REFERENCES:
        named = kind == change.kind and _matches(field, change.path) and change.before is not None
        if named and change.value not in fleet.entries[target]:
            original = fleet.documents[target, change.before]
            copy = dataclasses.replace(original, data=with_value(original.data, NAME, change.value))
            documents = {**fleet.documents, (target, change.value): copy}
            made = {**fleet.entries[target], change.value: convert.build(CLASSES[target], copy.data)}
            entries = {**fleet.entries, target: dict(sorted(made.items()))}
            return dataclasses.replace(fleet, entries=entries, documents=documents)
    return fleet
