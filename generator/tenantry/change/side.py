"""One state of a fleet: its inputs, its instances, and the units that they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tenantry.change.revisions import Revision, Texts
from tenantry.inputs.fleet import Fleet, with_texts
from tenantry.model.control_exception import ControlException
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.render.units import Unit, instance_key, units
from tenantry.resolve.instance import Instance
from tenantry.resolve.instances import resolve
from tenantry.runtime.cache import Store

_TENANTS = "tenants/"


@dataclass(frozen=True)
class Side:
    """A revision with its inputs resolved."""

    revision: Revision
    inputs: Inputs

    @property
    def fleet(self) -> Fleet:
        return self.inputs.fleet

    @property
    def instances(self) -> Mapping[str, Instance]:
        return self.inputs.resolution.instances

    @cached_property
    def units(self) -> Mapping[str, Unit]:
        """Units by path; none without a usable platform.yaml."""
        if not self.fleet.has_platform:
            return {}
        return {unit.path: unit for unit in units(self.fleet, self.instances)}

    def instance_key(self, instance: Instance) -> str:
        """A digest of every input file that the instance's objects can show."""
        return instance_key(self.fleet, instance)

    def exceptions(self, instance: Instance) -> Mapping[str, ControlException]:
        """The exceptions that lift a control of the instance, by name."""
        return {
            name: exception
            for name, exception in self.fleet.all(ControlException).items()
            if exception.tenant == instance.tenant.name and exception.environment in (None, instance.environment)
        }


def read_side(revision: Revision, as_of: str, documents: Store) -> Side:
    """Read, check and resolve a revision's inputs; `documents` remembers files that were parsed before."""
    return Side(revision, read_inputs(revision.root, as_of, documents))


def read_past(title: str, after: Side, texts: Texts, documents: Store) -> Side:
    """The state before another: the same but for some files. Entries that contradict themselves are taken as they are.

    Where only files of tenants differ, all other tenants' instances are the same values.
    """
    fleet, findings = with_texts(after.fleet, texts, documents)
    only = {file.removeprefix(_TENANTS).removesuffix(".yaml") for file in texts if file.startswith(_TENANTS)}
    some = len(only) == len(texts)
    resolution = resolve(fleet, judge=False, only=only if some else None)
    if some:
        kept = {name: i for name, i in after.instances.items() if i.tenant.name not in only}
        resolution = replace(resolution, instances={**kept, **resolution.instances})
    return Side(Revision(title, after.revision.root), Inputs(fleet, resolution, findings))
