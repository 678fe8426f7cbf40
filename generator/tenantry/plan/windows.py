"""Change windows are those that the tier allows, and no base backup runs in them."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.plan.scope import Scope
from tenantry.resolve.schedule import BASE_MINUTES, VELERO_MINUTES, collides, overlap


def chosen(scope: Scope) -> Iterator[Finding]:
    """F014: windows are ones that the tier allows, and don't overlap."""
    slots = scope.fleet.platform.maintenance.slots
    offered = {(frozenset(slot.days), slot.start, slot.hours) for slot in slots}
    for tenant in scope.fleet.all(Tenant).values():
        tier = scope.fleet.find(Tier, tenant.tier)
        if tier is None or not tenant.maintenance:
            continue
        if tier.windows == "platform":
            message = f"tenants of tier '{tier.name}' use the platform's window"
            yield scope.at(
                tenant, ("maintenance",), "F014", message, "remove 'maintenance', or choose a larger tier", key=True
            )
        for index, window in enumerate(tenant.maintenance):
            if tier.windows == "slots" and (frozenset(window.days), window.start, window.hours) not in offered:
                words = "; ".join(f"{','.join(slot.days)} {slot.start} for {slot.hours} h" for slot in slots)
                yield scope.at(
                    tenant,
                    ("maintenance", index),
                    "F014",
                    "this window is not one of the platform's slots",
                    f"slots: {words}",
                )
            for earlier in range(index):
                if overlap(window, tenant.maintenance[earlier]):
                    message = f"this window overlaps with window {earlier + 1} of the list"
                    yield scope.at(tenant, ("maintenance", index), "F014", message, "merge them, or move one")


def clear_of_backups(scope: Scope) -> Iterator[Finding]:
    """F015: backups of a production instance have a time outside its windows."""
    for instance in scope.instances.values():
        times, windows = instance.settings.backups, instance.settings.windows
        for what, every, runs in (("base", times.base, BASE_MINUTES), ("Velero", times.velero, VELERO_MINUTES)):
            if instance.environment == "production" and collides(every, runs, windows):
                path: tuple[str, ...] = ("maintenance",) if instance.tenant.maintenance else ("tier",)
                message = f"a {what} backup every {every.hours} h always collides with the maintenance windows"
                hint = "make the windows shorter or fewer, so that a backup fits between them"
                yield scope.at(instance.tenant, path, "F015", message, hint, key=True)
