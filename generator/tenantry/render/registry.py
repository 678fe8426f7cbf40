"""Which template makes which object, in which tree, for whom. A new object kind is one template and one line here.

A line says where the object is kept: in a component (the same for everyone), in the base of its tier (overlays
patch what differs), or in the overlay itself (nothing of it is common). `when` says for whom it exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tenantry.model.platform_components import COMPONENTS as CHARTED

Tree = Literal["infra", "app", "standby", "cell", "delivery", "platform", "argocd", "charts"]
Context = Mapping[str, Any]
Predicate = Callable[[Context], bool]


def always(_: Context) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ObjectTemplate:
    """One template. `keep` is "base" (patched by overlays) or "overlay"; `each` gives one object for each item:
    the file name's suffix, and the names that the template sees besides."""

    name: str
    keep: Literal["base", "overlay"] = "overlay"
    when: Predicate = always
    each: Callable[[Context], Iterable[tuple[str, Context]]] | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """Objects that are the same wherever they are, kept in base/components/<name>."""

    name: str
    when: Predicate = always


# --- for whom


def split(context: Context) -> bool:
    return bool(context["instance"].split)


def own_postgresql(context: Context) -> bool:
    return context["settings"].postgresql is not None


def first_server(context: Context) -> bool:
    """The server that was not restored, of an instance or of a cell, is among those that the trees hold."""
    return context["first_server"] is not None


def own_first_server(context: Context) -> bool:
    return own_postgresql(context) and first_server(context)


def any_own_postgresql(context: Context) -> bool:
    return own_first_server(context) or bool(context["own_database_beside"])


def restored_serves(context: Context) -> bool:
    return bool(context["server"].suffix)


def replicates(context: Context) -> bool:
    """It has failed over once, so the server reads the other place's archive, too."""
    return context["replication"] is not None


def began_here(context: Context) -> bool:
    """The copy of an instance that has failed over, which was once made empty: what it began with is still named."""
    return replicates(context) and not context["server"].copied


def fenced(context: Context) -> bool:
    return replicates(context) and bool(context["replication"].fenced)


def saving(context: Context) -> bool:
    """A backup is taken of what a restore is going to replace."""
    return context["saved_before"] is not None


def own_redis(context: Context) -> bool:
    return bool(context["settings"].own_redis)


def drilled(context: Context) -> bool:
    """Its server is restored for practice."""
    return context["drill"] is not None


def reporting(context: Context) -> bool:
    pooler = context["tier"].postgresql is not None and context["tier"].postgresql.read_only_pooler
    return pooler and context["instance"].environment == "production"


def has_api_clients(context: Context) -> bool:
    return bool(context["tenant"].access.api_clients)


def has_admin_groups(context: Context) -> bool:
    return bool(context["tenant"].access.admin_groups)


def running(context: Context) -> bool:
    return bool(context["instance"].running)


def watched(context: Context) -> bool:
    """Availability is promised for production; what is stopped on purpose burns no budget."""
    return running(context) and context["instance"].environment == "production"


def prober(context: Context) -> bool:
    """Somebody opens the hosts from outside."""
    alerting = context["platform"].alerting
    return watched(context) and alerting is not None and bool(alerting.prober)


def autoscaled(context: Context) -> bool:
    return bool(context["autoscaled"])


def copying(context: Context) -> bool:
    """A Job copies the instance's data to where it moves."""
    return context["instance"].copied_to is not None


def transferring(context: Context) -> bool:
    """A Job brings the instance's data to another cluster, or takes it from there."""
    return context["transfer"] is not None


def moving(context: Context) -> bool:
    return copying(context) or transferring(context)


def reads_copies(context: Context) -> bool:
    """Its Job reads what was copied in another cluster."""
    return transferring(context) and context["transfer"]["does"] == "restore"


def firewalled(context: Context) -> bool:
    return bool(context["tier"].edge.web_application_firewall != "off")


def shared_postgresql(context: Context) -> bool:
    return context["cell"].postgresql is not None


def shared_first_server(context: Context) -> bool:
    return shared_postgresql(context) and first_server(context)


def shared_redis(context: Context) -> bool:
    return context["cell"].redis is not None


def shared_any(context: Context) -> bool:
    return shared_postgresql(context) or shared_redis(context)


def private_repository(context: Context) -> bool:
    return bool(context["platform"].git.credential != "none")


def _installs(field: str) -> Predicate:
    return lambda context: field in context["parts"]


def both(*predicates: Predicate) -> Predicate:
    return lambda context: all(predicate(context) for predicate in predicates)


def _items(key: str) -> Callable[[Context], Iterable[tuple[str, Context]]]:
    """One object for each of the pairs that the context holds under `key`."""

    def each(context: Context) -> Iterable[tuple[str, Context]]:
        return context[key]  # type: ignore[no-any-return]

    return each


_T = ObjectTemplate

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "isolation": (
        "limitrange",
        "networkpolicy-default-deny",
        "serviceaccount-default",
    ),
    "odoo": (
        "networkpolicy-odoo-egress",
        "networkpolicy-odoo-ingress",
        "role-tenant-admin",
        "rolebinding-support",
    ),
    "own-postgresql": ("podmonitor-postgresql",),
    "own-redis": (
        "redis-networkpolicy",
        "redis-poddisruptionbudget",
        "redis-service",
        "redis-service-nodes",
        "redis-serviceaccount",
    ),
    "migration": ("hook-configmap-scripts",),
    "move": ("hook-configmap-move-scripts",),
    "drill": ("configmap-restore-drill-scripts",),
    "edge": ("middleware-compress", "middleware-redirect-https", "middleware-security-headers"),
}
"""Component -> its templates in templates/components/<component>/."""

TREE_COMPONENTS: Mapping[Tree, tuple[Component, ...]] = {
    "infra": (
        Component("isolation"),
        Component("odoo"),
        Component("own-postgresql", any_own_postgresql),
        Component("own-redis", own_redis),
    ),
    "app": (
        Component("edge"),
        Component("migration", running),
        Component("move", moving),
        Component("drill", drilled),
    ),
    "standby": (Component("isolation"), Component("own-postgresql", lambda context: not restored_serves(context))),
    "cell": (Component("isolation"), Component("drill", drilled)),
    "delivery": (),
    "platform": (),
    "argocd": (),
    "charts": (),
}

_OWN_SERVER = (
    "postgresql-cluster", "postgresql-database", "postgresql-role", "postgresql-scheduledbackup", "networkpolicy-postgresql",
)  # fmt: skip
"""Templates of each PostgreSQL server of an instance."""
_SHARED_SERVER = (
    "postgresql-cluster",
    "postgresql-certificate",
    "postgresql-scheduledbackup",
    "networkpolicy-postgresql",
)
"""Templates of each PostgreSQL server of a cell, but for what its members have on it."""

TREES: Mapping[Tree, tuple[ObjectTemplate, ...]] = {
    "infra": (
        _T("infra/namespace"),
        _T("infra/resourcequota", "base"),
        _T("infra/serviceaccount-odoo", "base", each=_items("workloads")),
        _T("infra/rolebinding-tenant-admin", when=has_admin_groups),
        _T("infra/networkpolicy-dns"),
        _T("infra/networkpolicy-odoo-database"),
        _T("infra/networkpolicy-odoo-redis"),
        _T("infra/networkpolicy-object-storage"),
        _T("infra/networkpolicy-odoo-mail", when=lambda context: context["instance"].environment == "production"),
        _T("infra/networkpolicy-integration", each=_items("integrations")),
        _T("infra/serviceaccount-secret-reader", "base"),
        _T("infra/secretstore"),
        _T("infra/externalsecret-odoo-secret"),
        _T("infra/externalsecret-database-user"),
        _T("infra/externalsecret-redis-user"),
        _T("infra/externalsecret-object-storage"),
        _T("infra/externalsecret-backup-storage"),
        _T("infra/externalsecret-registry"),
        _T("infra/externalsecret-api-clients-ca", when=has_api_clients),
        _T("infra/certificate-odoo", each=_items("certificates")),
        _T("infra/certificate-internal-client"),
        _T("infra/configmap-trusted-authorities", when=lambda context: bool(context["cluster"].trusted_authorities)),
        _T("infra/prometheusrule-service", when=watched),
        _T("infra/probe", when=prober, each=_items("probes")),
        _T("infra/podmonitor-odoo", "base"),
        _T("infra/prometheusrule", "base", watched),
        _T("infra/prometheusrule-postgresql", when=both(watched, own_first_server)),
        _T("infra/configmap-pgbouncer"),
        _T("infra/postgresql-cluster", "base", own_first_server),
        _T("infra/postgresql-database", "base", own_first_server),
        _T("infra/postgresql-role", "base", own_first_server),
        _T("infra/postgresql-objectstore", "base", own_postgresql),
        _T("standby/postgresql-objectstore-primary", when=replicates),
        _T("infra/postgresql-scheduledbackup", "base", own_first_server),
        _T("infra/networkpolicy-postgresql", when=own_first_server),
        *(_T(f"infra/{name}", each=_items("later_servers")) for name in (*_OWN_SERVER, "podmonitor-postgresql")),
        _T("infra/prometheusrule-postgresql", when=watched, each=_items("later_servers")),
        _T("infra/postgresql-backup", when=saving),
        *(_T(f"infra/{name}", each=_items("own_database_beside")) for name in (*_OWN_SERVER, "postgresql-objectstore")),
        _T("infra/prometheusrule-postgresql", when=watched, each=_items("own_database_beside")),
        _T("infra/networkpolicy-move", "base", copying),
        _T("infra/networkpolicy-transfer", when=reads_copies),
        _T("infra/serviceaccount-restore-drill", when=drilled),
        _T("infra/networkpolicy-restore-drill", when=drilled),
        _T("infra/externalsecret-drill-storage", when=drilled),
        _T("infra/postgresql-role-reporting", "base", reporting),
        _T("infra/externalsecret-reporting-user", when=reporting),
        _T("infra/postgresql-pooler-reporting", "base", reporting),
        _T("infra/networkpolicy-reporting", when=reporting),
        _T("infra/redis-configmap", "base", own_redis),
        _T("infra/redis-statefulset", "base", own_redis),
        _T("infra/redis-certificate", when=own_redis),
        _T("infra/redis-externalsecret-acl", when=own_redis),
    ),
    "app": (
        _T("app/configmap-odoo"),
        _T("app/deployment-odoo-web", "base"),
        _T("app/deployment-odoo-cron", "base", split),
        _T("app/deployment-odoo-websocket", "base", split),
        _T("app/service-odoo-web", "base"),
        _T("app/service-odoo-websocket", "base"),
        _T("app/horizontalpodautoscaler", "base", autoscaled),
        _T("app/scaledobject", "base", each=_items("sleeping_deployments")),
        _T("app/poddisruptionbudget", "base", each=_items("disruption_budgets")),
        _T("app/middleware-rate-limit", "base"),
        _T("app/middleware-login-rate-limit", "base"),
        _T("app/middleware-in-flight", "base"),
        _T("app/middleware-in-flight-websocket", "base"),
        _T("app/middleware-body-size", "base"),
        _T("app/middleware-web-application-firewall", "base", firewalled),
        _T("app/middleware-admin-sources", when=lambda context: bool(context["tenant"].access.admin_sources)),
        _T("app/middleware-client-sources", when=lambda context: bool(context["tenant"].access.sources)),
        _T("app/ingressroute-public", when=running, each=_items("public_routes")),
        _T("app/ingressroute-websocket", when=running),
        _T("app/ingressroute-admin", when=both(running, lambda context: bool(context["tenant"].access.admin_sources))),
        _T("app/ingressroute-api", when=both(running, has_api_clients)),
        _T("app/ingressroute-redirect", when=running),
        _T("app/tlsoption-api-clients", when=both(running, has_api_clients)),
        _T("app/hook-configmap", when=running),
        _T("app/hook-job-backup", "base", running),
        _T("app/hook-job-migration", "base", running),
        _T("app/hook-job-move", "base", copying),
        _T("app/hook-job-transfer", "base", transferring),
        _T("app/configmap-restore-drill-odoo", when=drilled),
        _T("app/cronjob-restore-drill", when=drilled),
    ),
    "standby": (
        _T("infra/namespace"),
        _T("standby/resourcequota", "base"),
        _T("infra/networkpolicy-dns"),
        _T("infra/serviceaccount-secret-reader", "base"),
        _T("infra/secretstore"),
        _T("infra/externalsecret-registry"),
        _T("infra/externalsecret-backup-storage"),
        _T("infra/externalsecret-database-user", when=began_here),
        _T("standby/postgresql-cluster", "base"),
        _T("standby/postgresql-objectstore", "base"),
        _T("standby/postgresql-objectstore-primary", "base"),
        _T("standby/networkpolicy-postgresql"),
        _T("infra/postgresql-scheduledbackup", when=lambda context: not fenced(context)),
        _T("infra/podmonitor-postgresql", when=restored_serves),
        _T("infra/prometheusrule-postgresql", when=both(watched, lambda context: not fenced(context))),
    ),
    "cell": (
        _T("infra/namespace"),
        _T("cell/resourcequota", "base", shared_any),
        _T("infra/networkpolicy-dns"),
        _T("infra/serviceaccount-secret-reader", "base"),
        _T("infra/secretstore", when=shared_any),
        _T("cell/secretstore-member", when=shared_any, each=_items("member_stores")),
        _T("cell/externalsecret-object-storage", when=shared_postgresql),
        _T("cell/externalsecret-registry", when=shared_any),
        _T("cell/postgresql-cluster", "base", shared_first_server),
        _T("cell/postgresql-certificate", when=shared_first_server),
        _T("cell/postgresql-objectstore", "base", shared_postgresql),
        _T("cell/postgresql-scheduledbackup", "base", shared_first_server),
        _T("cell/networkpolicy-postgresql", when=shared_first_server),
        _T("components/own-postgresql/podmonitor-postgresql", "base", shared_first_server),
        *(_T(f"cell/{name}", when=shared_postgresql, each=_items("later_servers")) for name in _SHARED_SERVER),
        _T("infra/podmonitor-postgresql", when=shared_postgresql, each=_items("later_servers")),
        _T("infra/prometheusrule-postgresql", when=shared_postgresql, each=_items("server_beside")),
        _T("infra/postgresql-backup", when=both(shared_postgresql, saving)),
        _T("cell/database", when=shared_postgresql, each=_items("member_databases")),
        _T("cell/databaserole", when=shared_postgresql, each=_items("member_databases")),
        _T("cell/externalsecret-database", when=shared_postgresql, each=_items("members")),
        _T("cell/redis-configmap", "base", shared_redis),
        _T("cell/redis-statefulset", "base", shared_redis),
        _T("components/own-redis/redis-service", "base", shared_redis),
        _T("components/own-redis/redis-service-nodes", "base", shared_redis),
        _T("components/own-redis/redis-poddisruptionbudget", "base", shared_redis),
        _T("components/own-redis/redis-serviceaccount", "base", shared_redis),
        _T("cell/networkpolicy-redis", when=shared_redis),
        _T("cell/redis-certificate", when=shared_redis),
        _T("cell/externalsecret-redis-acl", when=shared_redis),
        _T("cell/prometheusrule", when=shared_postgresql),
        _T("infra/serviceaccount-restore-drill", when=drilled),
        _T("infra/networkpolicy-restore-drill", when=drilled),
        _T("infra/externalsecret-drill-storage", when=drilled),
        _T("cell/cronjob-restore-drill", when=drilled),
        _T("infra/prometheusrule-service"),
    ),
    "delivery": (
        _T("delivery/appproject", each=_items("applications")),
        _T("delivery/application", each=_items("applications")),
        _T("delivery/velero-schedule", each=_items("velero_locations")),
        _T("platform/alertmanagerconfig", when=watched, each=_items("alert_routing")),
        _T("delivery/policyexception", each=_items("policy_exceptions")),
    ),
    "platform": (
        _T("platform/priorityclass-production", "base"),
        _T("platform/priorityclass-nonproduction", "base"),
        _T("platform/clusterrole-support", "base"),
        _T("platform/clusterissuer-public", "base"),
        _T("platform/clusterissuer-internal", "base"),
        _T("platform/clusterimagecatalog", "base"),
        _T("platform/traefik-tlsoption", "base"),
        _T("platform/traefik-tlsstore", "base"),
        _T("platform/traefik-certificate", "base"),
        _T("platform/appproject-default", "base"),
        _T("platform/validatingpolicy", "base", each=_items("policies")),
        _T("platform/traefik-configmap"),
        _T("platform/velero-backupstoragelocation", each=_items("backup_locations")),
        _T("platform/prometheusrule"),
        _T("platform/configmap-dashboard", each=_items("dashboards")),
        _T("platform/alertmanagerconfig", each=_items("alert_routing")),
        _T("platform/podmonitor", "base", each=_items("components")),
        _T("platform/appproject", each=_items("applications")),
        _T("platform/application", each=_items("applications")),
    ),
    "argocd": (
        _T("argocd/configmap-argocd-cm"),
        _T("argocd/configmap-argocd-cmd-params-cm"),
        _T("infra/serviceaccount-secret-reader"),
        _T("infra/secretstore"),
        _T("argocd/externalsecret-cluster"),
        _T("argocd/externalsecret-repository", when=private_repository),
    ),
    "charts": (
        _T("charts/appproject", each=_items("projects")),
        *(_T(f"charts/{c.chart}", when=_installs(c.field)) for c in CHARTED.values()),
    ),
}
