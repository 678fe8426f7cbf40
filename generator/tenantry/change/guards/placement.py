"""An instance never opens on an empty database, or without its files, while its old ones hold its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tenantry.change.failovers import switches
from tenantry.change.guards.registration import Comparison, guards
from tenantry.change.moves import crosses
from tenantry.change.restores import takes_over
from tenantry.core.findings import Finding, Place
from tenantry.model import names
from tenantry.model.cluster import Cluster
from tenantry.resolve.instance import Instance, Site, attachment_folder, with_elsewhere


def data_places(instance: Instance) -> Mapping[str, str]:
    """Where an instance's data lies, by what it is: what a Pod is connected to, in words that two states can be compared by."""
    site, tier = instance.site, instance.tier
    own = tier.isolation.postgresql != "cell"
    server = instance.names.namespace if own else names.cell_namespace(site.cell.name)
    storage = site.cluster.object_storage
    return {
        "database": f"'{instance.names.database}' on the server in {server}, cluster {site.cluster.name}",
        "attachments": f"{attachment_folder(instance)} at {storage.endpoint}",
        "backups": f"{storage.backup_bucket} at {storage.endpoint}",
    }


@guards
def data_stays(comparison: Comparison) -> Iterator[Finding]:
    """B003: database, attachments and backups stay where they are."""
    for earlier, instance in comparison.kept():
        here, there = data_places(earlier), data_places(instance)
        if switches(earlier, instance):
            continue  # the other place has the copy of its database; guards of failovers look at the steps
        other = earlier.beside if crosses(earlier, instance) or takes_over(earlier, instance) else None
        copied = data_places(other) if other is not None else here
        moved = [what for what, place in here.items() if there[what] not in (place, copied[what])]
        if not moved or instance.leaving:
            continue
        what = moved[0]
        message = (
            f"{instance.tenant.name} ({instance.environment}) would open with {_EMPTY[what]}: its {' and '.join(moved)} "
            f"would be {there[what]}; today: {here[what]}"
        )
        hint = (
            f"put {_cause(earlier, instance)} back: a line in a file moves no data. 'tenantry move' does, step by step; "
            "'tenantry plan' shows what else the change does"
        )
        yield comparison.at(instance, _path(earlier, instance), "B003", message, hint)


_EMPTY = {"database": "an empty database", "attachments": "no attachments", "backups": "no backups"}


def _path(earlier: Instance, instance: Instance) -> tuple[str, ...]:
    if earlier.site.cell.name != instance.site.cell.name:
        return ("environments", instance.environment, "cell")
    return ("tier",) if earlier.tier.name != instance.tier.name else ("environments", instance.environment)


def _cause(earlier: Instance, instance: Instance) -> str:
    before, after = earlier.site, instance.site
    if before.cell.name != after.cell.name:
        return f"'cell: {before.cell.name}'"
    if earlier.tier.name != instance.tier.name:
        return f"'tier: {earlier.tier.name}'"
    if before.cell.cluster != after.cell.cluster:
        return f"'cluster: {before.cell.cluster}' in platform/cells/{before.cell.name}.yaml"
    if earlier.tier.isolation != instance.tier.isolation:
        return f"'isolation' in tiers/{earlier.tier.name}.yaml"
    return f"'objectStorage' in platform/clusters/{before.cluster.name}.yaml"


@guards
def replica_stays(comparison: Comparison) -> Iterator[Finding]:
    """B003: the replica at the DR site is neither lost nor begun anew in passing."""
    for earlier, instance in comparison.kept():
        was, will = earlier.standby, instance.standby
        if crosses(earlier, instance) or switches(earlier, instance):
            continue  # each place of a move to another cluster has its own
        if was is None or instance.leaving or (will is not None and _same(was, will)):
            continue
        where = f"start again in cluster {will.cluster.name}" if will else "be removed"
        message = f"the replica of {instance.tenant.name} at the DR site (cluster {was.cluster.name}) would {where}"
        hint = "keep the DR partner and the tier's 'replicaInDrRegion' until a second replica has caught up"
        yield comparison.at(instance, ("tier",), "B003", message, hint)


def _same(was: Site, will: Site) -> bool:
    return (was.cluster.name, was.cell.name) == (will.cluster.name, will.cell.name)


_FIXED: Mapping[str, str] = {
    "region": "a cluster does not move to another region",
    "networks.pods": "Kubernetes can't change the Pod network of a running cluster",
    "networks.services": "Kubernetes can't change the Service network of a running cluster",
    "storage_classes.database": "volumes keep the class that they were made with",
    "storage_classes.general": "volumes keep the class that they were made with",
}
"""Fields of a cluster that can't be changed while anything lives in it, and why."""
_SPELLED = {"storage_classes": "storageClasses"}


@guards
def clusters_stay(comparison: Comparison) -> Iterator[Finding]:
    """B007: what a cluster is built on does not change under those who live there."""
    living = {i.site.cluster.name for i in with_elsewhere(comparison.before.instances.values())}
    after = comparison.after.fleet
    for earlier in comparison.before.fleet.all(Cluster).values():
        cluster = after.find(Cluster, earlier.name)
        if cluster is None or earlier.name not in living:
            continue
        for field, why in _FIXED.items():
            was, will = _field(earlier, field), _field(cluster, field)
            if was != will:
                path = [_SPELLED.get(part, part) for part in field.split(".")]
                message = f"'{'.'.join(path)}' of cluster '{cluster.name}' would change from {_shown(was)} to {_shown(will)}: {why}"
                yield Finding(
                    "B007", _place(comparison, cluster, path), message, "build a new cluster, and move tenants there"
                )


def _field(entry: object, field: str) -> Any:
    value: Any = entry
    for part in field.split("."):
        value = getattr(value, part)
    return value


def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else f"[{', '.join(value)}]"


def _place(comparison: Comparison, cluster: Cluster, path: list[str]) -> Place:
    return comparison.after.fleet.place(cluster, *path)
