"""Approved exceptions that lift nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tenantry.core.findings import Finding
from tenantry.inputs.fleet import Fleet
from tenantry.model.control_exception import ControlException
from tenantry.resolve.instance import Instance


def unused_exceptions(
    fleet: Fleet, instances: Mapping[str, Instance], as_of: str, clusters: Collection[str], used: Collection[str]
) -> Iterator[Finding]:
    """Of tenants whose clusters were all looked at; `used` names the exceptions that lift something there."""
    for exception in fleet.all(ControlException).values():
        homes = {i.site.cluster.name for i in instances.values() if i.tenant.name == exception.tenant}
        if exception.name in used or exception.expires < as_of or not homes or not homes <= set(clusters):
            continue
        yield Finding(
            "F023", fleet.place(exception, "control"),
            f"the exception lifts nothing: {exception.tenant} keeps {exception.control}",
            "remove it, so that nothing is lifted that need not be", tenant=exception.tenant, control=exception.control,
        )  # fmt: skip
