"""Units in which exactly the same changes, but for the names of their own instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from itertools import groupby

from tenantry.core.findings import ObjectChange
from tenantry.core.paths import parse_unit
from tenantry.model.common import ENVIRONMENTS
from tenantry.model.names import InstanceNames
from tenantry.model.own_names import OwnNames, own_names


def same_changes(changes: Iterable[ObjectChange]) -> tuple[tuple[str, ...], ...]:
    """Groups of two and more units, in the order of the first. What is added or removed is never folded away."""
    groups: dict[Hashable, list[str]] = defaultdict(list)
    for unit, members in groupby(changes, key=lambda change: change.unit):
        there, path = list(members), parse_unit(unit)
        environment = next((name for name in ENVIRONMENTS if name == path.environment), None)
        if environment is not None and all(change.action == "changed" for change in there):
            own = own_names(InstanceNames(path.tenant, environment))
            groups[environment, tuple(_content(change, own) for change in there)].append(unit)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _content(change: ObjectChange, own: OwnNames) -> Hashable:
    fields = own.neutral(change).fields
    identity = change.object
    name = (identity.group, identity.kind, own.taken_out(identity.namespace), own.taken_out(identity.name))
    return change.tree, name, tuple((field.path, repr(field.before), repr(field.after)) for field in fields)
