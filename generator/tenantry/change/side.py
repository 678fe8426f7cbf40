"""One state of a fleet: its inputs, its instances, and the units that they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tenantry.change.revisions import Revision
from tenantry.inputs.fleet import Fleet, load
from tenantry.model.control_exception import ControlException
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.render.units import Unit, instance_key, units
from tenantry.resolve.instance import Instance
from tenantry.resolve.instances import resolve
from tenantry.runtime.cache import Store


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

    @cached_property
    def instance_keys(self) -> Mapping[str, str]:
        """By instance: a digest of every input file that its objects can show."""
        return {name: instance_key(self.fleet, instance) for name, instance in self.instances.items()}

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


def read_past(revision: Revision, documents: Store) -> Side:
    """Read and resolve the inputs of a state that is over: entries that contradict themselves are taken as they are."""
    fleet, findings = load(revision.root, documents)
    return Side(revision, Inputs(fleet, resolve(fleet, judge=False), findings))
