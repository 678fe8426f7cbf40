"""The units of rendering: each an overlay of its own, built, written and judged apart from all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from tenantry.core import paths
from tenantry.inputs.fleet import Fleet
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.common import EnvironmentName
from tenantry.model.control_exception import ControlException
from tenantry.model.platform import Platform
from tenantry.model.platform_components import managed_components
from tenantry.model.policy import Policy
from tenantry.model.tier import Tier
from tenantry.render import contexts
from tenantry.render.argocd import argocd_context
from tenantry.render.charts import charts_context
from tenantry.render.reference_tenant import reference_instance, reference_site
from tenantry.render.registry import Context, Tree
from tenantry.resolve.instance import Instance, Site, with_elsewhere
from tenantry.runtime.cache import digest_of


@dataclass(frozen=True)
class BaseUnit:
    """A folder below base/; `key` changes whenever something that it is made of does."""

    path: str
    tree: Tree
    key: str
    context: Callable[[], Context]


@dataclass(frozen=True)
class Unit:
    """A folder below overlays/ and rendered/. `tenant` is empty for cells and the platform."""

    path: str
    tree: Tree
    base: str
    key: str
    context: Callable[[], Context]
    tenant: str = ""
    group: str = ""
    """What is made for one instance in one cluster, one cell or one cluster's platform; judged together."""

    @property
    def cluster(self) -> str:
        return paths.parse_unit(self.path).cluster


def base_units(fleet: Fleet) -> Iterator[BaseUnit]:
    """One base for each tier, environment and tree, one for each tier's cells, and one for clusters."""
    platform = fleet.platform
    for tier in fleet.all(Tier).values():
        key = digest_of(_digest(fleet, tier), _digest(fleet, platform))
        for environment in tier.environments:
            instance = partial(_reference_context, platform, tier, environment)
            for tree in ("infra", "app"):
                yield BaseUnit(f"tiers/{tier.name}/{environment}/{tree}", tree, key, instance)
        if tier.postgresql and tier.postgresql.replica_in_dr_region:
            context = partial(_reference_context, platform, tier, "production")
            yield BaseUnit(f"tiers/{tier.name}/production/standby", "standby", key, context)
        yield BaseUnit(f"cells/{tier.name}", "cell", key, partial(_reference_cell_context, platform, tier))
    policies = list(fleet.all(Policy).values())
    key = digest_of(_digest(fleet, platform), *(_digest(fleet, policy) for policy in policies))
    yield BaseUnit("platform", "platform", key, partial(_reference_platform_context, platform, policies))


def component_context(platform: Platform) -> Context:
    """All that a component's templates may see."""
    return {"platform": platform}


def units(fleet: Fleet, instances: Mapping[str, Instance]) -> Iterator[Unit]:
    """Every overlay of the fleet, in a fixed order."""
    keys: dict[str, str] = {}
    members: dict[str, list[Instance]] = {}
    guests: dict[str, list[Instance]] = {}
    for name, instance in sorted(instances.items()):
        keys[name] = instance_key(fleet, instance)
        if instance.beside is not None:
            guests.setdefault(instance.beside.site.cell.name, []).append(instance)
        for place in with_elsewhere([instance]):
            members.setdefault(place.site.cell.name, []).append(place)
            yield from _instance_units(fleet, place, keys[name])
    for cell in fleet.all(Cell).values():
        there, moving = members.get(cell.name, []), guests.get(cell.name, [])
        unit = _cell_unit(fleet, cell, there, moving, [keys[member.name] for member in (*there, *moving)])
        if unit:
            yield unit
    for cluster in fleet.all(Cluster).values():
        unit = _platform_unit(fleet, cluster)
        if unit:
            yield unit
            yield _argocd_unit(fleet, cluster)
            if managed_components(fleet.platform):
                yield _charts_unit(fleet, cluster)


def _instance_units(fleet: Fleet, instance: Instance, key: str) -> Iterator[Unit]:
    tenant, environment = instance.tenant.name, instance.environment
    base = f"tiers/{instance.tier.name}/{environment}"
    here = partial(contexts.instance_context, instance, instance.site)
    cluster = instance.site.cluster.name
    group = f"{cluster}/{instance.name}"
    path = paths.instance_path(cluster, environment, tenant, "infra")
    yield Unit(path, "infra", f"{base}/infra", key, here, tenant, group)
    if not instance.leaving:
        path = paths.instance_path(cluster, environment, tenant, "app")
        yield Unit(path, "app", f"{base}/app", key, here, tenant, group)
    yield _delivery_unit(fleet, instance, instance.site, key)
    if instance.standby is not None:
        cluster = instance.standby.cluster.name
        there = partial(contexts.instance_context, instance, instance.standby)
        path = paths.instance_path(cluster, environment, tenant, "standby")
        yield Unit(path, "standby", f"{base}/standby", key, there, tenant, f"{cluster}/{instance.name}")
        yield _delivery_unit(fleet, instance, instance.standby, key)


def _delivery_unit(fleet: Fleet, instance: Instance, site: Site, key: str) -> Unit:
    lifts = [] if site is instance.standby else _policy_lifts(fleet, instance)
    if lifts:
        key = digest_of(
            key, *(_digest(fleet, lift.exception) for lift in lifts), *(n for lift in lifts for n in lift.policies)
        )
    context = partial(_without_namespace, contexts.delivery_context, instance, site, lifts)
    path = paths.platform_path(site.cluster.name, instance.name)
    group = f"{site.cluster.name}/{instance.name}"
    return Unit(path, "delivery", "", key, context, instance.tenant.name, group)


def _policy_lifts(fleet: Fleet, instance: Instance) -> list[contexts.PolicyLift]:
    """Exceptions of the instance whose control some policy keeps; Kyverno needs to know of no others."""
    lifts = []
    for exception in fleet.all(ControlException).values():
        if exception.tenant == instance.tenant.name and exception.environment in (None, instance.environment):
            policies = tuple(p.name for p in fleet.all(Policy).values() if p.control == exception.control)
            if policies:
                lifts.append(contexts.PolicyLift(exception, policies))
    return lifts


def _cell_unit(
    fleet: Fleet, cell: Cell, members: list[Instance], moving: list[Instance], keys: Iterable[str]
) -> Unit | None:
    cluster, tier = fleet.find(Cluster, cell.cluster), fleet.find(Tier, cell.tier)
    partner = fleet.find(Cluster, cluster.partner) if cluster else None
    if cluster is None or tier is None or partner is None:
        return None
    site = Site(platform=fleet.platform, cluster=cluster, cell=cell, partner=partner)
    key = digest_of(_site_key(fleet, site), _digest(fleet, tier), *keys)
    context = partial(contexts.cell_context, site, tier, members, moving)
    path = paths.cell_path(cluster.name, cell.name)
    return Unit(path, "cell", f"cells/{tier.name}", key, context, group=path)


def _platform_unit(fleet: Fleet, cluster: Cluster) -> Unit | None:
    partner = fleet.find(Cluster, cluster.partner)
    if partner is None:
        return None
    cells = [cell for cell in fleet.all(Cell).values() if cell.cluster == cluster.name]
    policies = list(fleet.all(Policy).values())
    key = digest_of(*(_digest(fleet, entry) for entry in (fleet.platform, cluster, partner, *cells, *policies)))
    context = partial(_without_namespace, contexts.platform_context, fleet.platform, cluster, cells, partner, policies)
    path = paths.platform_path(cluster.name, "common")
    return Unit(path, "platform", "platform", key, context, group=path)


def _argocd_unit(fleet: Fleet, cluster: Cluster) -> Unit:
    """Apart from the common part: these settings are applied by hand before Argo CD can deliver anything."""
    key = digest_of(_digest(fleet, fleet.platform), _digest(fleet, cluster))
    context = partial(argocd_context, fleet.platform, cluster)
    path = paths.platform_path(cluster.name, "argocd")
    return Unit(path, "argocd", "", key, context, group=path)


def _charts_unit(fleet: Fleet, cluster: Cluster) -> Unit:
    """Apart from the common part: what these install must be there before anything of that part can be applied."""
    policies = list(fleet.all(Policy).values())
    key = digest_of(*(_digest(fleet, entry) for entry in (fleet.platform, cluster, *policies)))
    context = partial(charts_context, fleet.platform, cluster, policies)
    path = paths.platform_path(cluster.name, "charts")
    return Unit(path, "charts", "", key, context, group=path)


def instance_key(fleet: Fleet, instance: Instance) -> str:
    """Digest of every input file that an instance's context can show."""
    places = (instance, *([instance.move.other] if instance.move is not None else []))
    known = (site for place in places for site in (place.site, place.standby))
    sites = [_site_key(fleet, site) for site in known if site is not None]
    entries = (instance.tenant, instance.release, *(place.tier for place in places))
    return digest_of(*sites, *(_digest(fleet, entry) for entry in entries), instance.environment)


def _site_key(fleet: Fleet, site: Site) -> str:
    return digest_of(*(_digest(fleet, entry) for entry in (site.platform, site.cluster, site.cell, site.partner)))


def _digest(fleet: Fleet, entry: object) -> str:
    return fleet.document(entry).digest


def _without_namespace(make: Callable[..., Context], *arguments: object) -> Context:
    """These objects stand in several namespaces, which their templates name."""
    return {**make(*arguments), "namespace": None}


def _reference_context(platform: Platform, tier: Tier, environment: EnvironmentName) -> Context:
    instance = reference_instance(platform, tier, environment)
    return contexts.instance_context(instance, instance.site)


def _reference_cell_context(platform: Platform, tier: Tier) -> Context:
    return contexts.cell_context(reference_site(platform, tier), tier, [])


def _reference_platform_context(platform: Platform, policies: list[Policy]) -> Context:
    policy_items, components = contexts.policy_items(policies, "enforce"), contexts.component_items(platform)
    return {"platform": platform, "labels": {}, "policies": policy_items, "components": components}
