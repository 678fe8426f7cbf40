"""What templates see: contexts of instances, cells, clusters and their reference twins for base/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenantry.core import paths
from tenantry.model import names
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.control_exception import ControlException
from tenantry.model.platform import Platform
from tenantry.model.policy import Policy
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.render.alerts import Alert, availability_alerts, database_alerts, drill_alerts, standby_alerts
from tenantry.render.dashboards import dashboards, records
from tenantry.render.kinds import kinds_of
from tenantry.render.registry import Context
from tenantry.render.routing import inhibitions, routing
from tenantry.render.service_alerts import (
    COMPONENTS,
    delivery_alerts,
    instance_alerts,
    namespace_alerts,
    platform_alerts,
    probes,
)
from tenantry.resolve import on_call, schedule
from tenantry.resolve.drills import cell_drill, instance_drill
from tenantry.resolve.edge import entry_points
from tenantry.resolve.instance import (
    Instance,
    Site,
    attachment_folder,
    copies_folder,
    copy_source_host,
    database_host,
    numbered,
)
from tenantry.resolve.on_call import OnCall
from tenantry.resolve.quota import cell_quota, instance_quota
from tenantry.resolve.servers import ServerGeneration, Servers, cell_servers
from tenantry.resolve.sizing import PostgresqlSize, websockets_in_flight

_NAMESPACE = ("", "Namespace")
_BACKUP = ("postgresql.cnpg.io", "Backup")

PLATFORM_CLUSTER_KINDS = (
    {"group": "cert-manager.io", "kind": "ClusterIssuer"},
    {"group": "policies.kyverno.io", "kind": "ValidatingPolicy"},
    {"group": "postgresql.cnpg.io", "kind": "ClusterImageCatalog"},
    {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "tenantry-support"},
    {"group": "scheduling.k8s.io", "kind": "PriorityClass", "name": "tenantry-*"},
)
"""Cluster-scoped kinds of the platform's Application, by name where only some objects are its own."""


def _infra_kinds(servers: Servers | None = None) -> list[tuple[str, str]]:
    """Namespaces are permitted by name, and a single backup while a restore waits for it."""
    apart = {_NAMESPACE, *([_BACKUP] if servers is None or servers.saving is None else [])}
    return [kind for kind in kinds_of("infra", "standby", "cell") if kind not in apart]


def _platform_kinds() -> list[tuple[str, str]]:
    apart = {(kind["group"], kind["kind"]) for kind in PLATFORM_CLUSTER_KINDS}
    return [kind for kind in kinds_of("platform", "delivery", "argocd", "charts") if kind not in apart]


PATHS = {
    # The database manager and the same service over RPC, with or without a language in front.
    "database": "(?i)^(?:/+[^/]+)?/+(?:web/+database|xmlrpc/+(?:2/+)?db)(?:/|$)",
    # With any first segment: Odoo strips a language there and looks again.
    # What only API clients, administrators, probes or Prometheus may reach, and what tells versions; not
    # /web/webclient/version_info, by which the web client finds out that the server is back.
    "closed": "(?i)^(?:/+[^/]+)?/+(?:xmlrpc|jsonrpc|json|doc(?:-bearer)?|metrics|monitoring|web/+(?:health|become|set_profiling|version)|"
    "websocket/+health|website/+info)(?:/|$)",
    # One segment below it at most: the Pods that serve websockets would answer every other path, too.
    "websocket": "^/websocket(?:/[a-z_]+)?/?$",
    "login": "(?i)^(?:/+[^/]+)?/+web/+(?:login|signup|reset_password|session/+authenticate)(?:/|$)",
    "admin": "^/+web/+(?:become|set_profiling)(?:/|$)",
    # Odoo could take `doc` in /doc/xmlrpc/db for a language, and what follows for the path.
    "after_language": "(?i)^/+[^/]+/+(?:web|website|websocket|metrics|monitoring|xmlrpc)(?:/|$)",
    "api": "^/(?:xmlrpc/(?:2/)?(?:common|object)|jsonrpc|json/[12]|doc|doc-bearer)(?:/|$)",
}
"""Path patterns of the edge (Go regular expressions), from the routes of Odoo 17 to 19."""


@dataclass(frozen=True, slots=True)
class PolicyLift:
    """An exception, and the policies that keep its control and so must let its tenant pass."""

    exception: ControlException
    policies: tuple[str, ...]


DELIVERY_WAVES = {"cell": "1", "infra": "2", "app": "3"}
"""Of the Applications, after all other objects of the platform: the sync waits for each cell, whose certificates need the issuers,
and whose Pods need priority classes and the catalogue of images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One Argo CD Application with the AppProject that fences it."""

    name: str
    description: str
    path: str
    kinds: Sequence[tuple[str, str]]
    wave: str = DELIVERY_WAVES["infra"]
    cascade: bool = False
    namespace_kind: bool = False
    namespaces: Sequence[str] = ()
    cluster_kinds: Sequence[Mapping[str, str]] = ()
    windows: Sequence[Mapping[str, Any]] = ()


def labels_of_instance(instance: Instance, site: Site) -> dict[str, str]:
    return {
        "app.kubernetes.io/instance": instance.name,
        "app.kubernetes.io/managed-by": "tenantry",
        "app.kubernetes.io/part-of": "odoo",
        "tenantry.io/cell": site.cell.name,
        "tenantry.io/environment": instance.environment,
        "tenantry.io/tenant": instance.tenant.name,
        "tenantry.io/tier": instance.tier.name,
    }


def labels_of_cell(cell: Cell) -> dict[str, str]:
    """Without `tenantry.io/cell`: by that label the cell's network policies know its instances' namespaces."""
    return {
        "app.kubernetes.io/instance": names.cell_namespace(cell.name),
        "app.kubernetes.io/managed-by": "tenantry",
        "app.kubernetes.io/part-of": "odoo",
        "tenantry.io/cell-services": cell.name,
        "tenantry.io/tier": cell.tier,
    }


def labels_of_platform() -> dict[str, str]:
    return {"app.kubernetes.io/managed-by": "tenantry", "app.kubernetes.io/part-of": "platform"}


def instance_context(instance: Instance, site: Site) -> Context:
    """Context of the trees infra, app and standby at one site."""
    settings, tenant, tier = instance.settings, instance.tenant, instance.tier
    cell_namespace = names.cell_namespace(site.cell.name)
    namespace = instance.names.namespace
    staging = instance.environment == "staging"
    sleeps = staging and tier.staging.stopped_outside_hours and instance.running
    autoscaled = (
        instance.running
        and instance.environment == "production"
        and settings.web_replicas_max > settings.web_replicas_min
    )
    deployments = ["web", "cron", "websocket"] if instance.split else ["web"]
    drill = instance_drill(instance, site)
    workloads = [
        *deployments,
        "migration",
        "backup",
        *(["move"] if instance.copied_to is not None or instance.transfers else []),
    ]
    zone = next((r.time_zone for r in site.platform.regions if r.name == site.region), "UTC")
    labels = labels_of_instance(instance, site)
    alert_labels = {
        "namespace": namespace, "tenant": tenant.name, "team": tenant.owner.team, "route": tier.support.route,
        "scope": "tenant", "tier": tier.name, "cell": site.cell.name, "cluster": site.cluster.name,
    }  # fmt: skip
    return {
        "instance": instance, "site": site, "tenant": tenant, "tier": tier, "names": instance.names, "settings": settings,
        "platform": site.platform, "cluster": site.cluster, "cell": site.cell,
        "namespace": namespace, "state": instance.stands_by, "display_name": tenant.display_name, "owner": tenant.owner.contact,
        "secret_role": instance.names.secret_role, "secret_path": instance.names.secret_path, "drill": drill, "cell_namespace": cell_namespace, "logs_days": settings.logs_days,
        "labels": labels, "quota": instance_quota(instance), "copy_target": _copy_target(instance), "transfer": _transfer(instance),
        "imported": tenant.environments[instance.environment].import_, "attachments": attachment_folder(instance),
        "own_database_beside": list(_own_database_beside(instance, labels)),
        "autoscaled": autoscaled, "sleeps": sleeps,
        "workloads": [(w, {"component": w}) for w in workloads],
        # A drill on restored data must not reach the real systems.
        "integrations": [(i.name, {"integration": i}) for i in tenant.integrations if instance.environment != "recovery"],
        "reporting_role": instance.names.reporting_role if _reports(instance) else "",
        "sleeping_deployments": [(d, {"deployment": f"odoo-{d}", "time_zone": zone}) for d in deployments if sleeps],
        "disruption_budgets": [(d, {"component": d}) for d in deployments],
        "database_host": database_host(instance),
        "redis_host": f"redis.{namespace if settings.own_redis else cell_namespace}.svc",
        "pooled_connections": list(_pooled_connections(instance)),
        "objective_alerts": list(availability_alerts(instance)),
        "database_alerts": _own_database_alerts(instance, site, _shown_server(instance, site)),
        **_other_place(instance, site),
        **_servers(instance.servers), "server": _shown_server(instance, site),
        "later_servers": [(s.suffix[1:], {"server": s, "database_alerts": _own_database_alerts(instance, site, s)}) for s in instance.servers.later],
        "service_alerts": instance_alerts(instance, site), "probes": list(probes(instance)), "records": records(instance.tier),
        "about": {key: alert_labels[key] for key in ("namespace", "tenant", "tier", "cell", "cluster")}, "alert_labels": alert_labels,
        "certificates": [(n, {"secret_name": n, "certificate_host": h}) for n, h in instance.certificates.items()],
        "public_routes": list(_public_routes(instance)),
        "pg_hba": _own_pg_hba(instance),
        "websockets_in_flight": websockets_in_flight(tenant.users, settings.edge.in_flight),
        "host_rule": _host_rule(instance.hosts), "paths": PATHS,
        "entry_points": entry_points(tier, site.cluster), "middlewares": _middlewares(tenant, tier),
    }  # fmt: skip


def _own_database_beside(instance: Instance, labels: Mapping[str, str]) -> Iterator[tuple[str, Context]]:
    """What an instance's own PostgreSQL is rendered from, before the instance has moved to it."""
    other = instance.beside
    if other is not None and other.settings.postgresql is not None:
        context = instance_context(other, other.site)
        yield "target", {**context, "labels": labels}


def _servers(servers: Servers) -> Context:
    """What templates ask of the servers of an instance or a cell."""
    return {
        "first_server": servers.first,
        "saved_before": names.generation_suffix(servers.saving.generation) if servers.saving is not None else None,
    }


def _shown_server(instance: Instance, site: Site) -> ServerGeneration:
    """The server that templates of one server are for: the first one, or the one that serves where there is no other."""
    servers = instance.servers
    return (
        instance.copy_server
        if instance.standby is not None and site is instance.standby
        else servers.first or servers.serving
    )


def _other_place(instance: Instance, site: Site) -> Context:
    """What a server at one of two places knows of the other one; of the tier's reference, that it is the same."""
    copy = instance.standby is not None and site is instance.standby
    other = instance.standby if instance.standby is not None and not copy else instance.site
    away = instance.standby is not None and not copy
    return {
        "replication": instance.replication(site),
        "other_archive": (instance.copy_server if away else instance.servers.serving).archive,
        "other_storage": other.cluster.object_storage,
    }


def _copy_target(instance: Instance) -> Context | None:
    """Where a Job of this instance copies its data to."""
    other = instance.copied_to
    if other is None:
        return None
    here, there = attachment_folder(instance), attachment_folder(other)
    source = instance.filled_from
    return {
        "step": instance.move.step if instance.move else "restore", "host": database_host(other), "source_host": copy_source_host(instance),
        "database": other.names.database if source else "",
        "own": other.settings.postgresql is not None, "cluster": (source or other.database_server).name, "ca": other.database_ca, "cell_namespace": names.cell_namespace(other.site.cell.name),
        "attachments": [here, there] if here != there else [], "endpoint": instance.site.cluster.object_storage.endpoint,
    }  # fmt: skip


def _transfer(instance: Instance) -> Context | None:
    """What a Job of this instance does in a move to another cluster, and where the copies lie."""
    if instance.move is None or not instance.transfers:
        return None
    source, target = (instance.move.other, instance) if instance.waits else (instance, instance.move.other)
    storage = source.site.cluster.object_storage
    return {
        "does": instance.transfers, "step": instance.move.step, "folder": copies_folder(instance), "endpoint": storage.endpoint,
        "attachments": [attachment_folder(source), attachment_folder(target)], "cidrs": storage.cidrs,
    }  # fmt: skip


def _own_database_alerts(instance: Instance, site: Site, server: ServerGeneration) -> list[Alert]:
    size, namespace = instance.settings.postgresql, instance.names.namespace
    if size is None:
        return []
    if instance.standby is not None and site is instance.standby:
        return standby_alerts(namespace, server, size, instance.tier)
    found = database_alerts(namespace, server, size, instance.tier, pages=server.serves)
    drill = instance_drill(instance, site)
    return [*found, *drill_alerts(namespace, drill)] if drill is not None and server.serves else found


def _pooled_connections(instance: Instance) -> Iterator[tuple[str, int]]:
    settings = instance.settings
    yield "web", settings.web.connections
    if instance.split:
        yield "cron", settings.cron.connections
        yield "websocket", settings.websocket.connections
    yield "migration", settings.migration.connections


def _public_routes(instance: Instance) -> Iterator[tuple[str, Context]]:
    """One for each host: a route names one Secret, and Traefik knows only the certificates that a route names."""
    for index, host in enumerate(instance.hosts):
        end = numbered(index)
        yield (
            f"public{end}",
            {"route_name": f"odoo-public{end}", "secret_name": f"odoo-tls{end}", "own_host_rule": _host_rule((host,))},
        )


def _own_pg_hba(instance: Instance) -> list[str]:
    """Rules of an own cluster: each login role in its own database, then nobody anywhere.

    CloudNativePG puts its own rules before these and ends with one that allows everybody; the last line here
    comes before that one.
    """
    rules = ["hostssl sameuser +tenants all scram-sha-256"]
    if _reports(instance):
        rules.append(f"hostssl {instance.names.database} {instance.names.reporting_role} all scram-sha-256")
    return [*rules, "host all +tenants all reject", "host all all all reject"]


def _reports(instance: Instance) -> bool:
    own = instance.tier.postgresql
    return own is not None and own.read_only_pooler and instance.environment == "production"


def _host_rule(hosts: Sequence[str]) -> str:
    rules = [f"Host(`{host}`)" for host in hosts]
    return rules[0] if len(rules) == 1 else f"({' || '.join(rules)})"


def _middlewares(tenant: Tenant, tier: Tier) -> dict[str, list[dict[str, str]]]:
    """References by use: `first` on every route but the bus, which has `websocket`, `login` on login paths, `http` on pages."""
    first = ["client-sources"] if tenant.access.sources else []
    limits = ["rate-limit", "security-headers"]
    http = ["body-size", "compress"]
    if tier.edge.web_application_firewall != "off":
        http.insert(0, "web-application-firewall")
    groups = {
        "first": [*first, "in-flight", *limits],
        "websocket": [*first, "in-flight-websocket", *limits],
        "login": ["login-rate-limit"],
        "http": http,
    }
    return {use: [{"name": name} for name in group] for use, group in groups.items()}


def cell_postgresql_size(cell: Cell) -> PostgresqlSize | None:
    own = cell.postgresql
    if own is None:
        return None
    return PostgresqlSize(
        instances=own.instances, cpu_millicores=own.cpu_millicores, memory_mib=own.memory_mib,
        storage_gib=own.storage_gib, wal_gib=own.wal_gib, max_connections=own.max_connections,
    )  # fmt: skip


def cell_context(site: Site, tier: Tier, members: Sequence[Instance], moving: Sequence[Instance] = ()) -> Context:
    """Context of a cell's tree; `members` are its instances, `moving` those that come or have left, sorted by name."""
    cell, platform = site.cell, site.platform
    namespace = names.cell_namespace(cell.name)
    size, servers = cell_postgresql_size(cell), cell_servers(cell)
    production = "production" in cell.environments
    backup = tier.backup
    default = platform.maintenance.default
    own_stores = platform.secret_store.provider == "kubernetes"
    beside = [m.beside for m in moving if m.beside is not None and m.beside.settings.postgresql is None]
    served = {member.name for member in members}
    drill = cell_drill(site, tier, members)
    with_database = [*(m for m in members if m.settings.postgresql is None), *beside]
    return {
        "site": site, "cell": cell, "cluster": site.cluster, "platform": platform, "tier": tier,
        "namespace": namespace, "state": cell.state, "drill": drill, "display_name": f"Cell {cell.name}", "owner": platform.issuers.acme_contact,
        "logs_days": tier.retention.logs_days, "own_stores": own_stores, "secret_role": namespace, "secret_path": names.cell_secret_path(cell.name), "labels": labels_of_cell(cell),
        "quota": cell_quota(cell, size, drilled=drill is not None), "postgresql_size": size,
        "priority": "tenantry-production" if production else "tenantry-nonproduction",
        **_servers(servers), "server": servers.first or servers.serving, "later_servers": [(s.suffix[1:], {"server": s, "certificate_hosts": _certificate_hosts(s, namespace)}) for s in servers.later],
        "server_beside": [(s.suffix[1:] or "first", {"server": s, "database_alerts": database_alerts(namespace, s, size, tier, pages=False)})
                          for s in servers.all if size and not s.serves],
        "records": {}, "about": {}, "service_alerts": _cell_alerts(platform, namespace, names.cell_application(cell.name), pages=production),
        "alert_labels": {
            "namespace": namespace, "route": "cell", "scope": "cell", "tier": tier.name, "cell": cell.name, "cluster": site.cluster.name,
        },
        "members": [(m.names.database_object, {"member": m}) for m in sorted(with_database, key=lambda m: m.names.database_object)],
        "member_databases": [
            (f"{m.names.database_object}{s.suffix}", {"member": m, "server": s})
            for m in sorted(with_database, key=lambda m: m.names.database_object) for s in servers.all
        ],
        "filling": [m.names.namespace for m in members if m.filled_from is not None],
        "member_stores": [(m.name, {"member": m}) for m in (*members, *(b for b in beside if b.name not in served)) if own_stores and _is_served(m)],
        "copying": [m.names.namespace for m in moving if m.move is not None and m.copied_to is not None and m.copied_to.settings.postgresql is None],
        "redis_users": [m for m in members if not m.settings.own_redis],
        "backup_retention_days": backup.retention_days,
        "backups": schedule.backup_times(namespace, backup.base_backup_every_hours, backup.velero_every_hours, (default,)),
        "certificate_hosts": _certificate_hosts(servers.first or servers.serving, namespace),
        "pg_hba": ["hostssl sameuser +tenants all scram-sha-256", "host all +tenants all reject", "host all all all reject"],
        "alerts": [
            *(database_alerts(namespace, servers.serving, size, tier, pages=production) if size else []),
            *(drill_alerts(namespace, drill) if drill is not None else []),
        ],
    }  # fmt: skip


def _cell_alerts(platform: Platform, namespace: str, application: str, *, pages: bool) -> list[Alert]:
    """Of what a cell has besides PostgreSQL."""
    found = [*namespace_alerts(namespace), *delivery_alerts(platform, [application], "2h")]
    return found if pages else [replace(alert, severity="ticket") for alert in found]


def _certificate_hosts(server: ServerGeneration, namespace: str) -> list[str]:
    return [
        f"{server.name}-{service}{suffix}"
        for service in ("rw", "r", "ro")
        for suffix in ("", f".{namespace}", f".{namespace}.svc", f".{namespace}.svc.cluster.local")
    ]


def _is_served(member: Instance) -> bool:
    """Whether the cell's PostgreSQL or Redis must know one of the instance's passwords."""
    return member.settings.postgresql is None or not member.settings.own_redis


def delivery_context(instance: Instance, site: Site, exceptions: Sequence[PolicyLift] = ()) -> Context:
    """Context of an instance's Argo CD and Velero objects on one cluster."""
    base = instance_context(instance, site)
    standby = instance.standby is not None and site is instance.standby
    applications = _standby_applications(instance, site) if standby else _applications(instance, site)
    locations = [] if standby else ["default", *(["dr"] if instance.tier.backup.velero_in_dr_region else [])]
    return {
        **base,
        "labels": labels_of_instance(instance, site),
        "applications": [(part.name.rsplit("-", 1)[-1], {"part": part}) for part in applications],
        "velero_locations": [(name, {"location": name, "last_wave": DELIVERY_WAVES["app"]}) for name in locations],
        "alert_routing": _routing(
            instance.name, {"namespace": instance.names.namespace}, on_call.of_instance(instance, site)
        ),
        "policy_exceptions": [(lift.exception.name, {"lift": lift}) for lift in exceptions],
    }


def _applications(instance: Instance, site: Site) -> list[Application]:
    def path(tree: str) -> str:
        return paths.rendered_folder(
            paths.instance_path(site.cluster.name, instance.environment, instance.tenant.name, tree)
        )

    windows = _sync_windows(instance)
    about = f"{instance.tenant.display_name}, {instance.environment}"
    infra = Application(
        name=instance.names.infra_application, description=f"{about}: namespace, database, access", path=path("infra"),
        kinds=_infra_kinds(instance.servers), namespace_kind=True, windows=windows,
    )  # fmt: skip
    app = Application(
        name=instance.names.app_application, description=f"{about}: Odoo and its routes", path=path("app"),
        kinds=kinds_of("app"), wave=DELIVERY_WAVES["app"], cascade=True, windows=windows,
    )  # fmt: skip
    return [infra] if instance.leaving else [infra, app]


def _standby_applications(instance: Instance, site: Site) -> list[Application]:
    path = paths.instance_path(site.cluster.name, instance.environment, instance.tenant.name, "standby")
    about = f"{instance.tenant.display_name}, {instance.environment}: replica at the DR site"
    return [
        Application(
            name=instance.names.standby_application, description=about, path=f"rendered/{path}", kinds=_infra_kinds(),
            namespace_kind=True,
        )
    ]  # fmt: skip


def _sync_windows(instance: Instance) -> list[dict[str, Any]]:
    """Production changes in its windows (or by hand), never in a freeze; other environments at any time, and so does what
    fails over."""
    if instance.environment != "production" or instance.failover is not None:
        return []
    allowed = [
        {
            "kind": "allow", "schedule": schedule.window_cron(window), "duration": f"{window.hours}h",
            "timeZone": window.time_zone, "applications": ["*"], "manualSync": True,
        }
        for window in instance.settings.windows
    ]  # fmt: skip
    zone = instance.settings.windows[0].time_zone
    frozen = [
        {
            "kind": "deny", "schedule": f"0 0 {freeze.day} {','.join(map(str, freeze.month))} *", "duration": f"{freeze.days * 24}h",
            "timeZone": zone, "applications": ["*"], "manualSync": False,
        }
        for freeze in instance.tenant.freezes
    ]  # fmt: skip
    return allowed + frozen


def policy_items(policies: Sequence[Policy], mode: str) -> list[tuple[str, Context]]:
    """One object for each policy: refused where the cluster enforces, reported only where it audits."""
    actions = ["Deny"] if mode == "enforce" else ["Audit"]
    return [
        (policy.name, {"policy": policy, "spec": {**policy.spec, "validationActions": actions}}) for policy in policies
    ]


def _routing(name: str, where: Mapping[str, str], call: OnCall | None) -> list[tuple[str, Context]]:
    return [(name, {"routing_name": name, "routing": routing(where, call)})] if call is not None else []


def _platform_routing(platform: Platform, cells: Sequence[Cell]) -> list[tuple[str, Context]]:
    """Of the cluster's own alerts and those of its cells; with it, what makes alerts superfluous."""
    call = on_call.of_platform(platform)
    if call is None:
        return []
    own = {
        "routing_name": "platform",
        "routing": {**routing({"scope": "platform"}, call), "inhibitRules": inhibitions()},
    }
    found: list[tuple[str, Context]] = [("platform", own)]
    for cell in cells:
        space = names.cell_namespace(cell.name)
        found += _routing(space, {"namespace": space}, on_call.of_cell(platform))
    return found


def component_items(platform: Platform) -> list[tuple[str, Context]]:
    """What measures each platform component."""
    return [
        (name, {"component": name, "component_namespace": getattr(platform.namespaces, field), "component_labels": dict(labels), "component_port": port})
        for name, (field, labels, port) in COMPONENTS.items()
    ]  # fmt: skip


def platform_context(
    platform: Platform, cluster: Cluster, cells: Sequence[Cell], partner: Cluster, policies: Sequence[Policy]
) -> Context:
    """Context of a cluster's common platform tree."""
    spaces = platform.namespaces
    platform_part = Application(
        name=names.platform_application(cluster.name), description=f"Platform of cluster {cluster.name}", wave="-2",
        path=f"rendered/{cluster.name}/platform", kinds=_platform_kinds(), cluster_kinds=PLATFORM_CLUSTER_KINDS,
        namespaces=[spaces.argocd, spaces.kyverno, spaces.monitoring, spaces.traefik, spaces.velero],
    )  # fmt: skip
    cell_parts = [
        Application(
            name=names.cell_application(cell.name), description=f"Services of cell {cell.name}", wave=DELIVERY_WAVES["cell"],
            path=paths.rendered_folder(paths.cell_path(cluster.name, cell.name)), kinds=_infra_kinds(cell_servers(cell)),
            namespaces=[names.cell_namespace(cell.name)],
            cluster_kinds=[{"group": "", "kind": "Namespace", "name": names.cell_namespace(cell.name)}],
        )
        for cell in cells
    ]  # fmt: skip
    locations = [
        {
            "name": name,
            "bucket": at.object_storage.velero_bucket,
            "region": at.region,
            "endpoint": at.object_storage.endpoint,
        }
        for name, at in (("default", cluster), ("dr", partner))
    ]
    return {
        "platform": platform, "cluster": cluster, "labels": labels_of_platform(),
        "applications": [(part.name, {"part": part}) for part in (platform_part, *cell_parts)],
        "platform_alerts": list(platform_alerts(platform, platform_part.name)),
        "alert_labels": {"namespace": spaces.monitoring, "route": "platform", "scope": "platform", "cluster": cluster.name},
        "dashboards": [(one.name, {"dashboard": one}) for one in dashboards(platform, cluster)],
        "components": component_items(platform), "alert_routing": _platform_routing(platform, cells),
        "backup_locations": [(location["name"], {"location": location}) for location in locations],
        "policies": policy_items(policies, cluster.admission_policies),
    }  # fmt: skip
