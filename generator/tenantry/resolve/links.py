"""Dangling references between entries of the platform, and fields of a tier that require each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from tenantry.core.findings import Finding
from tenantry.core.suggestions import choices
from tenantry.inputs.fleet import Fleet
from tenantry.model.cell import Cell
from tenantry.model.channel import Channel
from tenantry.model.cluster import Cluster
from tenantry.model.common import ENVIRONMENTS
from tenantry.model.image_contract import ImageContract
from tenantry.model.release import Release
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier


def check_links(fleet: Fleet) -> Iterator[Finding]:
    """R001, R005 and R006 of clusters, cells, channels, releases and tiers; tenants are checked when they are resolved."""
    for cluster in fleet.all(Cluster).values():
        yield from link(fleet, cluster, Cluster, cluster.partner, "drPartner")
    for cell in fleet.all(Cell).values():
        yield from link(fleet, cell, Cluster, cell.cluster, "cluster")
        yield from link(fleet, cell, Tier, cell.tier, "tier")
        yield from _pools(fleet, cell)
        yield from _cell_shape(fleet, cell)
    for channel in fleet.all(Channel).values():
        for environment in ENVIRONMENTS:
            yield from link(fleet, channel, Release, getattr(channel.releases, environment), "releases", environment)
        if channel.rollout is not None:
            yield from link(fleet, channel, Release, channel.rollout.release, "rollout", "release")
    for release in fleet.all(Release).values():
        if release.image_contract:
            yield from link(fleet, release, ImageContract, release.image_contract, "imageContract")
    for tier in fleet.all(Tier).values():
        for index, name in enumerate(tier.channels):
            yield from link(fleet, tier, Channel, name, "channels", index)
        yield from _tier_shape(fleet, tier)


def link(
    fleet: Fleet,
    entry: Any,
    cls: type,
    name: str,
    *path: str | int,
    fitting: Callable[[], Collection[str]] = tuple,
) -> Iterator[Finding]:
    """A finding when `entry` references a missing entry. An invalid file has its own findings.

    The hint lists the `fitting` entries, if there are any, instead of all; they are only looked for then.
    """
    if fleet.find(cls, name) is None and not fleet.is_broken(cls, name):
        yield _unknown(fleet, entry, path, _words(cls), name, fitting() or fleet.all(cls))


def _words(cls: type) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower()


def cells_for(fleet: Fleet, tenant: Tenant, environment: str) -> list[Cell]:
    """Cells that an instance could be placed in: of its tier and environment, open, in an allowed region, not a standby,
    and not in the cluster of another customer's dedicated tenant."""
    tier = fleet.find(Tier, tenant.tier)
    if tier is None:
        return []
    taken = _others_clusters(fleet, tenant)
    found = []
    for cell in fleet.all(Cell).values():
        cluster = fleet.find(Cluster, cell.cluster)
        fits = cell.tier == tier.name and environment in cell.environments and cell.purpose == "service"
        if fits and cell.state != "decommissioned" and cluster and cluster.region in tenant.residency:
            found += [cell] if cluster.name not in taken else []
    return found


def _others_clusters(fleet: Fleet, tenant: Tenant) -> set[str]:
    """Clusters of other customers whose tier has clusters of its own."""
    clusters = set()
    for other in fleet.all(Tenant).values():
        tier = fleet.find(Tier, other.tier)
        same = (other.customer or other.name) == (tenant.customer or tenant.name)
        if tier is not None and tier.isolation.nodes == "cluster" and not same:
            cells = (fleet.find(Cell, placed.cell) for placed in other.environments.values())
            clusters |= {cell.cluster for cell in cells if cell is not None}
    return clusters


def _unknown(
    fleet: Fleet, entry: Any, path: tuple[str | int, ...], what: str, name: str, known: Collection[str]
) -> Finding:
    hint = choices(name, known)
    tenant = entry.name if isinstance(entry, Tenant) else ""
    return Finding("R001", fleet.place(entry, *path), f"there is no {what} '{name}'", hint, tenant=tenant)


def _pools(fleet: Fleet, cell: Cell) -> Iterator[Finding]:
    cluster = fleet.find(Cluster, cell.cluster)
    if cluster is None:
        return
    pools = {pool.name: pool for pool in cluster.node_pools}
    for name, key in ((cell.node_pool, "nodePool"), (cell.database_node_pool, "databaseNodePool")):
        if name not in pools:
            yield _unknown(fleet, cell, (key,), f"node pool in cluster '{cluster.name}' named", name, pools)


def _cell_shape(fleet: Fleet, cell: Cell) -> Iterator[Finding]:
    """A cell has what its tier's instances share, and states the PostgreSQL version of clusters that they own."""
    tier = fleet.find(Tier, cell.tier)
    if tier is None:
        return
    needs = (
        (tier.isolation.postgresql == "cell" and cell.postgresql is None, "postgresql"),
        (tier.isolation.redis == "cell" and cell.redis is None, "redis"),
        (tier.isolation.postgresql == "own" and cell.postgresql_major is None, "postgresqlMajor"),
    )
    for missing, key in needs:
        if missing:
            place = fleet.place(cell, "tier")
            yield Finding("R006", place, f"a cell of tier '{tier.name}' needs the field '{key}'", f"add spec.{key}")


def _tier_shape(fleet: Fleet, tier: Tier) -> Iterator[Finding]:
    for path, message in tier_faults(tier):
        yield Finding("R005", fleet.place(tier, *path), message, "add or correct the field")


def tier_faults(tier: Tier) -> Iterator[tuple[tuple[str, ...], str]]:
    """Fields that require each other, which a schema can't express: (path, problem)."""
    if tier.isolation.postgresql == "own" and tier.postgresql is None:
        yield ("isolation", "postgresql"), "isolation.postgresql is 'own', but the section 'postgresql' is missing"
    yield from _isolation_faults(tier)
    for role, replicas in (("cron", tier.replicas.cron), ("websocket", tier.replicas.websocket)):
        if tier.topology == "split" and replicas is None:
            yield ("topology",), f"topology is 'split', but replicas.{role} is missing"
    if tier.replicas.web_min > tier.replicas.web_max:
        yield ("replicas", "webMin"), "replicas.webMin exceeds replicas.webMax"
    if tier.users.min > tier.users.max:
        yield ("users", "min"), "users.min exceeds users.max"
    if not tier.users.min <= tier.sizing.reference_users <= tier.users.max:
        yield ("sizing", "referenceUsers"), "sizing.referenceUsers is not between users.min and users.max"
    if tier.postgresql and tier.postgresql.synchronous_standbys >= tier.postgresql.instances:
        yield ("postgresql", "synchronousStandbys"), "postgresql.synchronousStandbys must be below postgresql.instances"
    if tier.postgresql and tier.postgresql.replica_in_dr_region and tier.isolation.nodes != "cluster":
        yield ("postgresql", "replicaInDrRegion"), "postgresql.replicaInDrRegion needs isolation.nodes 'cluster'"


def _isolation_faults(tier: Tier) -> Iterator[tuple[tuple[str, ...], str]]:
    """What follows from what a tenant does not share."""
    edge = "own" if tier.isolation.nodes == "cluster" else "platform"
    if tier.isolation.traefik != edge:
        message = f"isolation.traefik is not '{edge}', but each cluster has one Traefik, and isolation.nodes is '{tier.isolation.nodes}'"
        yield ("isolation", "traefik"), message
    scope = "tenant" if tier.isolation.postgresql == "own" else "cell"
    if tier.backup.restore_drill.scope != scope:
        message = f"backup.restoreDrill.scope is not '{scope}', but what is restored is a server, and isolation.postgresql is '{tier.isolation.postgresql}'"
        yield ("backup", "restoreDrill", "scope"), message
