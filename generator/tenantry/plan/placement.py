"""Each instance is in a cell of its tier and environment, in an allowed region, and not next to anyone it must not share with."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tenantry.core.findings import Finding
from tenantry.core.suggestions import choices
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.tier import Tier
from tenantry.plan.scope import Scope
from tenantry.resolve.instance import Instance
from tenantry.resolve.links import cells_for


def cell_fits_instance(scope: Scope) -> Iterator[Finding]:
    """F004 and F005: tier, environment, purpose and state of the cell suit the instance."""
    for instance in scope.instances.values():
        cell = instance.site.cell
        path = ("environments", instance.environment, "cell")
        if cell.tier != instance.tier.name:
            message = f"cell '{cell.name}' is of tier '{cell.tier}', but the tenant is of tier '{instance.tier.name}'"
            yield scope.at(instance.tenant, path, "F004", message, _suitable(scope, instance))
        elif instance.environment not in cell.environments:
            message = f"cell '{cell.name}' accepts {' and '.join(cell.environments)}, not {instance.environment}"
            yield scope.at(instance.tenant, path, "F005", message, _suitable(scope, instance))
        elif cell.purpose == "standby" and not instance.failed_over:
            message = f"cell '{cell.name}' is a standby: it is reserved for failover of the DR partner's tenants"
            yield scope.at(instance.tenant, path, "F005", message, _suitable(scope, instance))
        elif cell.state == "decommissioned":
            message = f"cell '{cell.name}' is decommissioned"
            yield scope.at(instance.tenant, path, "F005", message, _suitable(scope, instance))


def _suitable(scope: Scope, instance: Instance) -> str:
    """The hint that names the other cells that it could be in."""
    cells = cells_for(scope.fleet, instance.tenant, instance.environment)
    fitting = [cell.name for cell in cells if cell is not instance.site.cell]
    return f"suitable cells: {', '.join(fitting) or 'none yet'}"


def residency(scope: Scope) -> Iterator[Finding]:
    """Data, and each copy that the tier makes, stays in the tenant's regions."""
    known = {region.name for region in scope.fleet.platform.regions}
    for name, instances in scope.by_tenant().items():
        tenant = scope.fleet.entries["Tenant"][name]
        for index, region in enumerate(tenant.residency):
            if region not in known:
                hint = choices(region, known, "known regions")
                yield scope.at(tenant, ("residency", index), "F007", f"there is no region '{region}'", hint)
        if known.issuperset(tenant.residency):  # a region that does not exist is reported; what follows from it is not
            for instance in instances:
                yield from _residency(scope, instance, known)


def _residency(scope: Scope, instance: Instance, known: Collection[str]) -> Iterator[Finding]:
    def forbidden(region: str) -> bool:
        return region in known and region not in allowed  # a cluster's wrong region is reported there, once

    allowed = instance.tenant.residency
    site, backup = instance.site, instance.tier.backup
    path = ("environments", instance.environment, "cell")
    if forbidden(site.region):
        message = f"cell '{site.cell.name}' is in region '{site.region}', but data may only be in {', '.join(allowed)}"
        yield scope.at(
            instance.tenant,
            path,
            "F006",
            message,
            f"choose a cell in an allowed region, {_or_allow(scope, instance, site.region)}",
        )
    copied = backup.copy_in_dr_region or backup.velero_in_dr_region or instance.standby is not None
    if copied and forbidden(site.partner.region):
        message = f"tier '{instance.tier.name}' keeps copies at the DR site in '{site.partner.region}', but data may only be in {', '.join(allowed)}"
        yield scope.at(
            instance.tenant,
            path,
            "F006",
            message,
            f"choose a cell whose DR partner is in an allowed region, {_or_allow(scope, instance, site.partner.region)}",
        )
        return
    replication = site.cluster.object_storage.replication
    if replication and forbidden(replication.region):
        message = f"cluster '{site.cluster.name}' replicates its buckets to '{replication.region}', but data may only be in {', '.join(allowed)}"
        hint = f"add {replication.region}, or choose a cell of a cluster that replicates to an allowed region"
        yield scope.at(instance.tenant, ("residency",), "F006", message, hint)


def _or_allow(scope: Scope, instance: Instance, region: str) -> str:
    """The other line that can be changed: nobody knows which of both was."""
    return f"or add {region} at {scope.fleet.place(instance.tenant, 'residency')}"


def own_cluster(scope: Scope) -> Iterator[Finding]:
    """A cluster of a dedicated tenant hosts no other customer."""
    first: dict[str, Instance] = {}
    for instance in scope.instances.values():
        for site in (instance.site, instance.standby):
            if site is None:
                continue
            other = first.setdefault(site.cluster.name, instance)
            alone = "cluster" in (instance.tier.isolation.nodes, other.tier.isolation.nodes)
            if alone and _customer(instance) != _customer(other):
                message = f"cluster '{site.cluster.name}' is dedicated to {_customer(other)}, but would also host {_customer(instance)}"
                path = ("environments", instance.environment, "cell")
                yield scope.at(instance.tenant, path, "F008", message, "dedicated tenants do not share clusters")


def _customer(instance: Instance) -> str:
    return instance.tenant.customer or instance.tenant.name


def pools(scope: Scope) -> Iterator[Finding]:
    """F034: Pods and databases of a cell are on pools that are meant for them."""
    for cell in scope.fleet.all(Cell).values():
        cluster = scope.fleet.find(Cluster, cell.cluster)
        purposes = {pool.name: pool.purpose for pool in cluster.node_pools} if cluster else {}
        for name, field, wanted in (
            (cell.node_pool, "nodePool", "app"),
            (cell.database_node_pool, "databaseNodePool", "database"),
        ):
            if purposes.get(name, wanted) != wanted:
                message = f"node pool '{name}' is for '{purposes[name]}', but {field} is for '{wanted}'"
                fitting = ", ".join(sorted(pool for pool, purpose in purposes.items() if purpose == wanted)) or "none"
                yield Finding("F034", scope.fleet.place(cell, field), message, f"pools for '{wanted}': {fitting}")


def environments_apart(scope: Scope) -> Iterator[Finding]:
    """If tenants share cells, production does not share one with staging or recovery."""
    tiers = scope.fleet.entries["Tier"]
    for cell in scope.fleet.all(Cell).values():
        tier = tiers.get(cell.tier)
        if (
            tier
            and tier.isolation.nodes != "cluster"
            and "production" in cell.environments
            and len(cell.environments) > 1
        ):
            place = scope.fleet.place(cell, "environments")
            yield Finding(
                "F009",
                place,
                f"cell '{cell.name}' mixes production with other environments",
                "give them a separate cell",
            )


def regions(scope: Scope) -> Iterator[Finding]:
    """Clusters are in known regions; DR partners name each other and are in partner regions."""
    partners = {region.name: region.dr_partner for region in scope.fleet.platform.regions}
    for index, region in enumerate(scope.fleet.platform.regions):
        if region.dr_partner not in partners or region.dr_partner == region.name:
            place = scope.fleet.place(scope.fleet.platform, "regions", index, "drPartner")
            yield Finding(
                "F010",
                place,
                f"region '{region.dr_partner}' can't be the DR partner of '{region.name}'",
                choices(region.dr_partner, partners, "known regions"),
            )
    for cluster in scope.fleet.all(Cluster).values():
        if cluster.region not in partners:
            place = scope.fleet.place(cluster, "region")
            hint = choices(cluster.region, partners, "known regions")
            yield Finding("F010", place, f"there is no region '{cluster.region}'", hint)
            continue
        if not cluster.dr_partner:
            yield from _needs_partner(scope, cluster)
            continue
        partner = scope.fleet.find(Cluster, cluster.dr_partner)
        if (
            partner
            and partner.region in partners
            and (partner.dr_partner != cluster.name or partner.region != partners[cluster.region])
        ):
            place = scope.fleet.place(cluster, "drPartner")
            message = f"cluster '{partner.name}' can't be the DR partner of '{cluster.name}': partners must name each other, and its region must be '{partners[cluster.region]}'"
            yield Finding("F010", place, message, "fix drPartner in both files")


def _needs_partner(scope: Scope, cluster: Cluster) -> Iterator[Finding]:
    """F010: a cluster without a DR partner hosts no tier that promises copies at one."""
    for cell in scope.fleet.all(Cell).values():
        tier = scope.fleet.find(Tier, cell.tier) if cell.cluster == cluster.name else None
        if tier and (
            tier.backup.copy_in_dr_region
            or tier.backup.velero_in_dr_region
            or (tier.postgresql and tier.postgresql.replica_in_dr_region)
        ):
            message = f"cell '{cell.name}' is of tier '{tier.name}', which keeps copies at the DR site, but cluster '{cluster.name}' has none"
            hint = f"name a drPartner in platform/clusters/{cluster.name}.yaml, or place the cell on another cluster"
            yield Finding("F010", scope.fleet.place(cell, "cluster"), message, hint)
