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
    known = fleet.all(ControlException)
    for exception in known.values():
        mine = [i for i in instances.values() if i.tenant.name == exception.tenant]
        homes = {i.site.cluster.name for i in mine}
        if exception.name in used or exception.expires < as_of or not homes or not homes <= set(clusters):
            continue
        if any(i.state != "active" for i in mine if exception.environment in (None, i.environment)):
            continue  # what is stopped breaches nothing; once it runs again it may
        other = next((known[name] for name in used if name in known and _covers(known[name], exception)), None)
        if other:
            message, hint = (
                f"exception '{other.name}' lifts the same control for the same tenant",
                "keep one of the two",
            )
        else:
            message = f"{exception.tenant} complies with {exception.control}, so nothing needs the exception now"
            hint = "remove it, unless the change that needs it is about to follow"
        yield Finding(
            "F023", fleet.place(exception, "control"), message, hint, "warning",
            tenant=exception.tenant, control=exception.control,
        )  # fmt: skip


def _covers(used: ControlException, exception: ControlException) -> bool:
    same = (used.tenant, used.control) == (exception.tenant, exception.control)
    return same and used.environment in (None, exception.environment)
