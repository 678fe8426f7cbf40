"""Nothing that holds data is removed, unless the state that the change starts from says that it may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.change.erasure import missing
from tenantry.change.guards.registration import Comparison, guards
from tenantry.core.findings import Finding, Place
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.tenant import Tenant
from tenantry.resolve.instance import Instance, with_elsewhere

_SHARE = 20
"""One in this many tenants may leave in one change, and always one."""


@guards
def instances(comparison: Comparison) -> Iterator[Finding]:
    """B001: an instance leaves only when it was offboarding before, its day has come, and somebody approved."""
    for name, instance in comparison.before.instances.items():
        file = f"tenants/{instance.tenant.name}.yaml"
        if name in comparison.after.instances or file in comparison.after.fleet.broken:
            continue
        others = [
            i for i in comparison.before.instances.values() if i.tenant.name == instance.tenant.name and i.leaving
        ]
        why = _not_yet(instance, others, comparison.as_of)
        if why:
            message = f"{instance.tenant.name} ({instance.environment}) would be removed with its data: {why}"
            hint = _renamed(comparison, instance) or (
                "keep it; to let it go, merge 'state: offboarding' with 'offboarding: {deleteAfter, approver, reason}' first, "
                "and delete the file in a later change"
            )
            known = comparison.after.fleet.find(Tenant, instance.tenant.name)
            place = comparison.after.fleet.place(known, "environments") if known else Place(file)
            yield Finding("B001", place, message, hint, tenant=instance.tenant.name)


def _not_yet(instance: Instance, leaving: Sequence[Instance], as_of: str) -> str:
    """Why an instance may not leave; empty if it may."""
    if not instance.leaving:
        return f"before this change it is {instance.state}, not offboarding"
    leave = instance.tenant.offboarding
    if leave is None:
        return "nobody approved its deletion (no 'offboarding' in its file before this change)"
    if leave.delete_after >= as_of:
        return f"its data is kept until {leave.delete_after}"
    left = missing(leaving, leave)
    return f"nobody recorded that it was erased ({', '.join(left)}; see 'tenantry erase')" if left else ""


def _renamed(comparison: Comparison, gone: Instance) -> str:
    """What to do when a tenant seems to have got another name."""
    for instance in comparison.added():
        alike = set(instance.hosts) & set(gone.hosts) or instance.tenant.display_name == gone.tenant.display_name
        if alike and instance.tenant.name != gone.tenant.name:
            return (
                f"'{instance.tenant.name}' looks like its new name: a name is in databases, buckets and secrets, so a renamed "
                "tenant would start empty; keep the name, and change 'displayName' or hosts"
            )
    return ""


@guards
def cells(comparison: Comparison) -> Iterator[Finding]:
    """B001: a cell leaves only when it was decommissioned and empty before; a cluster only when it had no cells."""
    before, after = comparison.before, comparison.after
    for cell in before.fleet.all(Cell).values():
        file = f"platform/cells/{cell.name}.yaml"
        members = [
            instance.name
            for instance in with_elsewhere(before.instances.values())
            if cell.name in (instance.site.cell.name, instance.beside.site.cell.name if instance.beside else "")
        ]
        if cell.name in after.fleet.entries["Cell"] or file in after.fleet.broken:
            continue
        if cell.state != "decommissioned" or members:
            why = f"{len(members)} instances live in it" if members else f"before this change it is {cell.state}"
            hint = "restore the file, merge 'state: decommissioned' with the cell empty first, and delete it in a later change"
            yield Finding("B001", Place(file), f"cell '{cell.name}' would be removed with its databases: {why}", hint)
    for cluster in before.fleet.all(Cluster).values():
        file = f"platform/clusters/{cluster.name}.yaml"
        left = [cell.name for cell in before.fleet.all(Cell).values() if cell.cluster == cluster.name]
        if left and cluster.name not in after.fleet.entries["Cluster"] and file not in after.fleet.broken:
            message = f"cluster '{cluster.name}' would be removed with its cells ({', '.join(sorted(left)[:3])})"
            yield Finding("B001", Place(file), message, "restore the file, and remove its cells first")


@guards
def at_once(comparison: Comparison) -> Iterator[Finding]:
    """B002: a change in which many tenants leave is a mistake, even if each of them may."""
    before, after = comparison.before.fleet, comparison.after.fleet
    gone = sorted(set(before.entries["Tenant"]) - set(after.entries["Tenant"]))
    gone = [name for name in gone if f"tenants/{name}.yaml" not in after.broken]
    most = max(1, len(before.entries["Tenant"]) // _SHARE)
    if len(gone) > most:
        message = f"{len(gone)} tenants would leave at once ({', '.join(gone[:5])}{', ...' if len(gone) > 5 else ''})"
        yield Finding(
            "B002", Place("tenants"), message, f"at most {most} in one change: split it, so that each is looked at"
        )
