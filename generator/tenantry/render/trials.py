"""The fleet with one input value changed, and what that makes of one unit.

Each trial goes the whole way from the document on: model, resolve, units, context. So what a trial shows is what an
edit of that line would do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from tenantry.core.findings import Place, TenantryError
from tenantry.core.paths import parse_unit
from tenantry.inputs.fleet import CLASSES, Fleet
from tenantry.model.common import ENVIRONMENTS
from tenantry.model.tenant import Tenant
from tenantry.render.alternatives import NAME, InputChange, changes
from tenantry.render.contexts import PolicyLift
from tenantry.render.fleet_edits import Key, edited, renamed, replaced, with_tenants, with_value, without
from tenantry.render.registry import Context
from tenantry.render.units import Unit, units
from tenantry.resolve.instance import Instance
from tenantry.resolve.instances import resolve

IMPOSSIBLE = (
    TenantryError, ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, StopIteration,
    TypeError, ValueError,
)  # fmt: skip
"""What a trial may raise: a fleet that can't be breaks code anywhere, and says nothing."""
_OWNERS = {"cell": "Cell", "platform": "Cluster", "argocd": "Cluster", "charts": "Cluster"}
_DROPPED = {"cell": ("Tenant",), "platform": ("Policy", "Cell"), "delivery": ("Exception",)}
"""Kinds of which a unit of a tree may see many, each for a small part; those without a difference are not tried."""
_ORDER = ("Tenant", "Exception", "Cell", "Channel", "Release", "ImageContract", "Tier", "Policy", "Cluster", "Platform")
"""In which order documents are tried: what speaks of the unit alone comes first."""


@dataclasses.dataclass(frozen=True, slots=True)
class UnitOwner:
    """Whose unit it is: an instance (tenant and environment), a cell or a cluster. `ordinal` counts its units of a tree."""

    tree: str
    name: str
    environment: str = ""
    ordinal: int = 0

    @property
    def instance(self) -> str:
        return f"{self.name}-{self.environment}"


class Trials:
    """Trials for one unit of a fleet. `unchanged` says of a context whether what is looked at is as it was."""

    def __init__(self, fleet: Fleet, unit: Unit, unchanged: Callable[[Context], bool]) -> None:
        self._all = fleet
        self._owner = _owner(fleet, unit)
        keys = sorted(_documents(fleet, unit), key=lambda key: (_ORDER.index(key[0]), key))
        self._fleet = with_tenants(fleet, keys, self._owner.environment)
        self._instances = _resolve(self._fleet)
        self.keys = list(keys)
        for key in keys:
            if key[0] in _DROPPED.get(unit.tree, ()) and self._idle(key, unchanged):
                self.keys.remove(key)
                # Each may be idle beside the others, and the object be there for the last of them.
                if unit.tree == "cell":
                    self._drop(key)
        if unit.tree == "cell":
            self._fleet = with_tenants(fleet, self.keys)
            self._instances = _resolve(self._fleet)

    def changes(self) -> Iterator[InputChange]:
        """Every change worth a try: the instance's environment, then each place of each document."""
        owner = self._owner
        for other in ENVIRONMENTS if owner.environment else ():
            if other != owner.environment:
                path = ("spec", "environments", owner.environment)
                yield InputChange("Tenant", owner.name, path, other, owner.environment)
        for kind, name in self.keys:
            others = (d.data for (k, n), d in self._all.documents.items() if k == kind and n != name)
            yield from changes(kind, name, self._fleet.documents[kind, name].data, others)

    def place(self, change: InputChange) -> Place:
        """Where the change would be made; for a field that is not written, the mapping that lacks it."""
        environment = isinstance(change.value, str) and change.path == ("spec", "environments", self._owner.environment)
        return self._all.documents[change.kind, change.name].place(change.path, key=environment)

    def context(self, change: InputChange) -> Context | None:
        """The unit's context after a change; None when there is no such unit any more."""
        key, owner = (change.kind, change.name), self._owner
        if change.path == NAME:
            mine = change.kind == _OWNERS.get(owner.tree, "Tenant") and change.name == owner.name
            here = dataclasses.replace(owner, name=change.value) if mine else owner
            return _context(renamed(self._fleet, change), here)
        if change.path == ("spec", "environments", owner.environment):
            data = self._fleet.documents[key].data
            moved = {change.value: data["spec"]["environments"][owner.environment]}
            fleet = replaced(self._fleet, {key: with_value(data, change.path[:-1], moved)})
            return _context(fleet, dataclasses.replace(owner, environment=change.value))
        fleet = edited(self._fleet, change)
        if change.kind != "Tenant":
            return _context(fleet, owner)
        alone = _resolve(with_tenants(fleet, [key]))
        others = {name: value for name, value in self._instances.items() if value.tenant.name != change.name}
        return _context(fleet, owner, dict(sorted({**others, **alone}.items())))

    def _instances_without(self, key: Key) -> dict[str, Instance]:
        kind, name = key
        return {n: one for n, one in self._instances.items() if (kind, one.tenant.name) != ("Tenant", name)}

    def _drop(self, key: Key) -> None:
        self._instances = self._instances_without(key)
        self._fleet = without(self._fleet, key)

    def _idle(self, key: Key, unchanged: Callable[[Context], bool]) -> bool:
        """Whether it makes no difference that there is such a document."""
        try:
            context = _context(without(self._fleet, key), self._owner, self._instances_without(key))
            return context is not None and unchanged(context)
        except IMPOSSIBLE:
            return False


def _documents(fleet: Fleet, unit: Unit) -> set[Key]:
    """Documents that the arguments of a unit's context were made of."""
    found: set[Key] = set()
    kinds = {cls: kind for kind, cls in CLASSES.items()}

    def collect(value: Any) -> None:
        if type(value) in kinds:
            found.add((kinds[type(value)], value.name))
            if isinstance(value, Tenant):
                found.add(("Channel", value.channel))
        elif isinstance(value, PolicyLift):
            found.update(("Policy", name) for name in value.policies)
            collect(value.exception)
        elif isinstance(value, (list, tuple)):
            for item in value:
                collect(item)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            for field in dataclasses.fields(value):
                collect(getattr(value, field.name))

    assert isinstance(unit.context, partial)
    collect(unit.context.args)
    return found & fleet.documents.keys()


def _owner(fleet: Fleet, unit: Unit) -> UnitOwner:
    if not unit.tenant:
        return UnitOwner(unit.tree, _part(unit))
    owner = UnitOwner(unit.tree, unit.tenant, environment=unit.group.rsplit("-", 1)[-1])
    instances = _resolve(with_tenants(fleet, [("Tenant", unit.tenant)]))
    return dataclasses.replace(owner, ordinal=[u.path for u in _units(fleet, owner, instances)].index(unit.path))


def _units(fleet: Fleet, owner: UnitOwner, instances: Mapping[str, Instance]) -> Iterator[Unit]:
    """The owner's units of its tree, in a fixed order."""
    if owner.environment:
        instances = {name: value for name, value in instances.items() if name == owner.instance}
    for unit in units(fleet, instances):
        if owner.environment and not unit.tenant:
            return
        if unit.tree == owner.tree and (owner.environment or owner.name == _part(unit)):
            yield unit


def _part(unit: Unit) -> str:
    """The cell or the cluster that a unit of no tenant belongs to."""
    return parse_unit(unit.path).cell or unit.cluster


def _context(fleet: Fleet, owner: UnitOwner, instances: Mapping[str, Instance] | None = None) -> Context | None:
    """What the owner's unit is made of in a fleet, whose instances may be known."""
    found = _units(fleet, owner, _resolve(fleet) if instances is None else instances)
    unit = next((unit for index, unit in enumerate(found) if index == owner.ordinal), None)
    return unit.context() if unit else None


def _resolve(fleet: Fleet) -> Mapping[str, Instance]:
    return resolve(fleet, judge=False).instances
