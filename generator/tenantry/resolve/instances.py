"""Fleet -> instances: references followed, values resolved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from tenantry.core.findings import Finding
from tenantry.inputs.fleet import Fleet
from tenantry.model.cell import Cell
from tenantry.model.channel import Channel
from tenantry.model.cluster import Cluster
from tenantry.model.common import ENVIRONMENTS, EnvironmentName
from tenantry.model.migration import AT_TARGET, COPYING
from tenantry.model.release import Release
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.resolve.instance import Instance, Move, Site
from tenantry.resolve.limits import check_limits
from tenantry.resolve.links import cells_for, check_links, link, tier_faults
from tenantry.resolve.settings import DoesNotFitError, SettingProblem, resolve_instance
from tenantry.resolve.topology import serving_place


@dataclass(frozen=True)
class Resolution:
    """Instances by name, and findings. An instance that could not be resolved is omitted."""

    instances: Mapping[str, Instance]
    findings: tuple[Finding, ...]


def resolve(fleet: Fleet, *, judge: bool = True, only: Collection[str] | None = None) -> Resolution:
    """Resolve every instance of the fleet, or of some tenants `only`.

    Without `judge`, entries that contradict themselves are taken as they are.
    """
    findings = [*check_links(fleet), *check_limits(fleet)] if judge else []
    instances: dict[str, Instance] = {}
    if fleet.has_platform:
        for tenant in fleet.all(Tenant).values():
            if only is not None and tenant.name not in only:
                continue
            found = list(_tenant_links(fleet, tenant))
            findings += found
            if not found:
                for instance in _instances(fleet, tenant, findings, judge):
                    instances[instance.name] = instance
    return Resolution(instances, tuple(findings))


def _tenant_links(fleet: Fleet, tenant: Tenant) -> Iterator[Finding]:
    yield from link(fleet, tenant, Tier, tenant.tier, "tier")
    yield from link(fleet, tenant, Channel, tenant.channel, "channel")
    for environment, placed in tenant.environments.items():
        fitting = partial(_fitting, fleet, tenant, environment)
        yield from link(fleet, tenant, Cell, placed.cell, "environments", environment, "cell", fitting=fitting)
    for key, placement in (("from", tenant.migration.from_), ("to", tenant.migration.to)) if tenant.migration else ():
        yield from link(fleet, tenant, Tier, placement.tier, "migration", key, "tier")
        for environment, name in placement.cells.items():
            yield from link(fleet, tenant, Cell, name, "migration", key, "cells", environment)


def _fitting(fleet: Fleet, tenant: Tenant, environment: str) -> list[str]:
    return [cell.name for cell in cells_for(fleet, tenant, environment)]


def _instances(fleet: Fleet, tenant: Tenant, findings: list[Finding], judge: bool) -> Iterator[Instance]:
    for environment in (name for name in ENVIRONMENTS if name in tenant.environments):
        instance, problems = _placed(
            fleet, tenant, environment, tenant.tier, tenant.environments[environment].cell, judge
        )
        if instance is not None:
            move, more = _move(fleet, instance, judge)
            problems += more
            yield replace(instance, move=move)
        findings += [
            Finding(p.code, fleet.place(tenant, *p.path), p.message, p.hint, tenant=tenant.name) for p in problems
        ]


def _placed(
    fleet: Fleet, tenant: Tenant, environment: EnvironmentName, tier_name: str, cell_name: str, judge: bool
) -> tuple[Instance | None, list[SettingProblem]]:
    """An instance in a tier and a cell; None for problems, those that are reported at another entry left out."""
    found = _follow(fleet, tenant, environment, tier_name, cell_name, judge)
    if found is None:
        return None, []
    tier, site, release = found
    standby, problems = _standby(fleet, tier, site, environment)
    away = (
        standby is not None
        and serving_place(tenant.environments[environment].failovers, site.cluster.name) == standby.cluster.name
    )
    if away and standby is not None:
        site, standby = standby, site
    try:
        instance, more = resolve_instance(tenant, environment, tier, site, release, standby)
    except DoesNotFitError as error:
        return None, [*problems, error.problem]
    return replace(instance, failed_over=away), problems + more


def _move(fleet: Fleet, instance: Instance, judge: bool) -> tuple[Move | None, list[SettingProblem]]:
    """The move that an instance is in; what is kept at the source is no longer judged."""
    migration, environment = instance.tenant.migration, instance.environment
    if migration is None or environment not in migration.waiting.cells:
        return None, []
    placement = migration.waiting
    other, problems = _placed(fleet, instance.tenant, environment, placement.tier, placement.cells[environment], judge)
    if other is None:
        return None, problems
    across = other.site.cluster.name != instance.site.cluster.name
    there = replace(other, retired=migration.step not in COPYING)
    if across:
        back = Move(step=migration.step, other=instance, across=True, attempt=migration.attempt)
        there = replace(there, move=back, waits=True)
    move = Move(step=migration.step, other=there, across=across, attempt=migration.attempt)
    return move, [] if migration.step in AT_TARGET else problems


def _follow(
    fleet: Fleet, tenant: Tenant, environment: EnvironmentName, tier_name: str, cell_name: str, judge: bool
) -> tuple[Tier, Site, Release] | None:
    tier = fleet.find(Tier, tier_name)
    channel = fleet.find(Channel, tenant.channel)
    cell = fleet.find(Cell, cell_name)
    cluster = fleet.find(Cluster, cell.cluster) if cell else None
    partner = fleet.find(Cluster, cluster.partner) if cluster else None
    release = fleet.find(Release, channel.release_of(environment, tenant.name)) if channel else None
    if tier is None or cell is None or cluster is None or partner is None or release is None:
        return None
    pools = {pool.name for pool in cluster.node_pools}
    usable = {cell.node_pool, cell.database_node_pool} <= pools and not (judge and any(tier_faults(tier)))
    return (
        (tier, Site(platform=fleet.platform, cluster=cluster, cell=cell, partner=partner), release) if usable else None
    )


def _standby(
    fleet: Fleet, tier: Tier, site: Site, environment: EnvironmentName
) -> tuple[Site | None, list[SettingProblem]]:
    """The DR site of a production instance, when the tier keeps a replica there."""
    if environment != "production" or not (tier.postgresql and tier.postgresql.replica_in_dr_region):
        return None, []
    partner = site.partner
    cells = [
        c
        for c in fleet.all(Cell).values()
        if c.cluster == partner.name and c.purpose == "standby" and c.tier == tier.name
    ]
    back = fleet.find(Cluster, partner.partner)
    if not cells or back is None:
        message = f"tier '{tier.name}' keeps a replica at the DR site, but cluster '{partner.name}' has no standby cell of this tier"
        hint = f"add a cell with 'cluster: {partner.name}' and 'purpose: standby'"
        return None, [SettingProblem("R003", ("environments", environment, "cell"), message, hint)]
    cell = min(cells, key=lambda c: c.name)
    return Site(platform=site.platform, cluster=partner, cell=cell, partner=back), []
