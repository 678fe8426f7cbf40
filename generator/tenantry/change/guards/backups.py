"""Backups that are kept for less long are deleted the next time that the retention is applied."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.guards.registration import Comparison, guards
from tenantry.core.findings import Finding
from tenantry.model.cluster import Cluster
from tenantry.model.tier import Tier


@guards
def retention(comparison: Comparison) -> Iterator[Finding]:
    """B011: fewer days of base backups. A warning: contracts end."""
    for earlier, instance in comparison.kept():
        was, will = earlier.settings.backup_retention_days, instance.settings.backup_retention_days
        if will < was and not instance.leaving:
            origin = instance.origin("backup_retention_days")
            place = comparison.after.fleet.origin_place(origin) if origin else None
            message = f"{instance.tenant.name} ({instance.environment}): backups of {will + 1} to {was} days ago would be deleted"
            hint = "keep the retention until nobody can ask for them any more"
            found = comparison.at(instance, ("tier",), "B011", message, hint)
            yield Finding("B011", place or found.place, message, hint, "warning", tenant=instance.tenant.name)


@guards
def lock(comparison: Comparison) -> Iterator[Finding]:
    """B011: a shorter lock lets whoever has the keys delete backups."""
    before, after = comparison.before.fleet, comparison.after.fleet
    for cluster in after.all(Cluster).values():
        earlier = before.find(Cluster, cluster.name)
        if earlier is not None and cluster.object_storage.lock_days < earlier.object_storage.lock_days:
            was, will = earlier.object_storage.lock_days, cluster.object_storage.lock_days
            message = f"backups of cluster '{cluster.name}' would be locked for {will} days, not {was}"
            place = after.place(cluster, "objectStorage", "lockDays")
            yield Finding("B011", place, message, "keep the lock as long as the backups", "warning")
        was, will = (c.object_storage.attachment_versions_days if c is not None else 0 for c in (earlier, cluster))
        if will < was:
            message = f"deleted attachments of cluster '{cluster.name}' would be kept for {will} days, not {was}"
            place = after.place(cluster, "objectStorage", "attachmentVersionsDays")
            yield Finding("B011", place, message, "keep them as long as the backups of their databases", "warning")
    for tier in after.all(Tier).values():
        previous = before.find(Tier, tier.name)
        if previous is not None and tier.backup.lock_days < previous.backup.lock_days:
            message = f"backups of tier '{tier.name}' would be locked for {tier.backup.lock_days} days, not {previous.backup.lock_days}"
            place = after.place(tier, "backup", "lockDays")
            yield Finding("B011", place, message, "keep the lock as long as the backups", "warning")
