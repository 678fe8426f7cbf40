"""Instances for which exactly the same changes, but for their own names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from tenantry.core.changes import Effect, Subject, SubjectChange
from tenantry.core.findings import ObjectChange
from tenantry.model.own_names import OwnNames


def alike(keyed: Iterable[tuple[SubjectChange, Hashable]]) -> tuple[tuple[Subject, ...], ...]:
    """Groups of two and more with equal keys, in the order of the first.

    Additions and removals are never alike: an added instance has its own hosts and sizes.
    """
    groups: dict[Hashable, list[Subject]] = defaultdict(list)
    for change, key in keyed:
        if change.subject.kind == "instance" and change.action == "changed":
            groups[key].append(change.subject)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def content(
    change: SubjectChange, effects: Sequence[Effect], objects: Sequence[ObjectChange], own: OwnNames
) -> Hashable:
    """Everything that must be equal for two changes to be the same; `effects` and `objects` are without own names."""
    return (
        change.subject.environment, tuple(effects), tuple(sorted((_object(one, own) for one in objects), key=repr)),
        change.contents, change.controls, tuple((o.objective, o.before, o.after) for o in change.objectives),
        tuple(by.pipeline for by in change.synced_by),
    )  # fmt: skip


def _object(change: ObjectChange, own: OwnNames) -> Hashable:
    identity = change.object
    name = (identity.group, identity.kind, own.taken_out(identity.namespace), own.taken_out(identity.name))
    return change.action, name, change.tree, tuple((f.path, repr(f.before), repr(f.after)) for f in change.fields)
