"""The input of a fleet rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenantry.core.findings import Finding
from tenantry.inputs.fleet import Fleet
from tenantry.model.tenant import Tenant
from tenantry.resolve.instance import Instance


@dataclass(frozen=True)
class Scope:
    """The fleet, its resolved instances by name, and the date for checking expiries."""

    fleet: Fleet
    instances: Mapping[str, Instance]
    as_of: str

    def at(
        self, tenant: Tenant, path: tuple[str | int, ...], code: str, message: str, hint: str, *, key: bool = False
    ) -> Finding:
        """A finding at a field of a tenant's file; `path` starts at its spec."""
        return Finding(code, self.fleet.place(tenant, *path, key=key), message, hint, tenant=tenant.name)

    def by_tenant(self) -> dict[str, list[Instance]]:
        """Instances by the name of their tenant; tenants without a resolved instance are missing."""
        grouped: dict[str, list[Instance]] = {}
        for instance in self.instances.values():
            grouped.setdefault(instance.tenant.name, []).append(instance)
        return grouped
