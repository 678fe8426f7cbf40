"""Approved exceptions that are not used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tenantry.core.findings import Finding
from tenantry.inputs.fleet import Fleet
from tenantry.model.control_exception import ControlException
from tenantry.resolve.instance import Instance


def unused_exceptions(
    fleet: Fleet, instances: Mapping[str, Instance], as_of: str, clusters: Collection[str], used: Collection[str]
) -> Iterator[Finding]:
    """Unused exceptions of tenants whose clusters were all examined; `used` lists those that lift a breach there."""
    for exception in fleet.all(ControlException).values():
        homes = {i.site.cluster.name for i in instances.values() if i.tenant.name == exception.tenant}
        if exception.name in used or exception.expires < as_of or not homes or not homes <= set(clusters):
            continue
        yield Finding(
            "F023", fleet.place(exception, "control"),
            f"unused exception: {exception.tenant} complies with {exception.control}",
            "remove it", tenant=exception.tenant, control=exception.control,
        )  # fmt: skip
