"""Mutants of the example fleet: one change of one rendered object each, the control that it breaks, and for whom.

A mutant is killed when every finding names its control, tenant and object, and there is at least one. `also` lists
controls or codes that one change can't help to break besides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mutation import GONE

A = "euw1-a"
ACME = "acme-production"
CELL = "euw1-shared-a-cell"
KESTREL = "kestrel-insurance-production"
GLOBEX = "globex-eu-production"
COPY = f"Cluster {GLOBEX}/postgresql"
EC = {"tenant": "globex-eu", "cluster": "euc1-globex"}
DIGEST = "@sha256:" + "e" * 64
POD = "spec.template.spec"


@dataclass(frozen=True)
class Mutant:
    """`object` is `Kind namespace/name`; `to` is a value, GONE, or a function of the old value. REMOVED takes the object
    away, and what is reported is told of `told_of`."""

    control: str
    object: str
    path: str
    to: Any
    tenant: str = "acme"
    cluster: str = A
    also: tuple[str, ...] = ()
    told_of: str = ""

    def __str__(self) -> str:
        return f"{self.control} {self.object} {self.path}"[:110]


REMOVED = object()
NEW = object()
"""The object is not there yet; `to` is all of it."""
_M = Mutant


def text(old: str, new: str) -> Callable[[Any], Any]:
    """Replace a part of a text, which must be there."""

    def change(value: str) -> str:
        assert old in value, f"{old!r} is not in it"
        return value.replace(old, new, 1)

    return change


def later(alert: str, lasting: str) -> Callable[[Any], Any]:
    """Have an alert wait for longer."""
    return lambda rules: [{**rule, "for": lasting} if rule["alert"] == alert else rule for rule in rules]


def without(alert: str) -> Callable[[Any], Any]:
    """Take an alert away."""
    return lambda rules: [rule for rule in rules if rule["alert"] != alert]


def then(entry: Any) -> Callable[[Any], Any]:
    """Add an entry to a list."""
    return lambda value: [*(value or []), entry]


def peer(namespace: dict[str, Any] | None = None, pods: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if namespace is not None:
        found["namespaceSelector"] = {"matchLabels": namespace} if namespace else {}
    if pods is not None:
        found["podSelector"] = {"matchLabels": pods} if pods else {}
    return found


def new(kind: str, version: str, name: str, namespace: str = "", **content: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


NAME = "kubernetes.io/metadata.name"
ODOO = {"app.kubernetes.io/name": "odoo"}
WEB = f"Deployment {ACME}/odoo-web"
INGRESS = f"NetworkPolicy {ACME}/odoo-ingress"
EGRESS = f"NetworkPolicy {ACME}/odoo-egress"
DENY = f"NetworkPolicy {ACME}/default-deny"
DATABASE = f"NetworkPolicy {ACME}/odoo-database"
STORAGE = f"NetworkPolicy {ACME}/object-storage"
CELL_DB = f"NetworkPolicy {CELL}/postgresql"
OWN_DB = f"NetworkPolicy {KESTREL}/postgresql"
K = "kestrel-insurance"
SCRIPTS = f"ConfigMap {ACME}/odoo-migration-scripts"
MIGRATE = "data[migrate.py]"

NETWORK = (
    _M("NET-01", DENY, "spec.policyTypes", ["Ingress"]),
    _M("NET-01", DENY, "spec.podSelector", {"matchLabels": ODOO}),
    _M("NET-01", f"NetworkPolicy {CELL}/default-deny", "", REMOVED, "", told_of=f"Namespace {CELL}"),
    _M("NET-02", INGRESS, "spec.ingress[1].from", then(peer({NAME: "acme-corp-production"}, ODOO))),
    _M("NET-02", EGRESS, "spec.egress[0].to", then(peer({NAME: "acme-corp-production"}, ODOO))),
    _M(
        "NET-02",
        DATABASE,
        "spec.egress[0].to[0].namespaceSelector.matchLabels",
        {NAME: "euw1-shared-b-cell"},
        also=("NET-08",),
    ),
    _M("NET-02", INGRESS, "spec.ingress[1].from[1]", peer({}, ODOO)),
    _M(
        "NET-02",
        f"NetworkPolicy {CELL}/redis",
        "spec.ingress[0].from[0].namespaceSelector.matchLabels",
        {"tenantry.io/tier": "shared"},
        "",
    ),
    _M("NET-03", INGRESS, "spec.ingress[1].from[1]", peer({"tenantry.io/tenant": "acme"}, ODOO)),
    _M("NET-03", EGRESS, "spec.egress[0].to", then(peer({NAME: "acme-staging"}, ODOO))),
    _M(
        "NET-03",
        f"NetworkPolicy {KESTREL}/postgresql",
        "spec.ingress[2].from",
        then(peer({NAME: f"{K}-staging"}, ODOO)),
        K,
    ),
    _M("NET-04", INGRESS, "spec.ingress[0].from[0].podSelector", GONE),
    _M("NET-04", INGRESS, "spec.ingress[0].from", GONE),
    _M("NET-04", INGRESS, "spec.ingress[0].from[0].namespaceSelector", {}),
    _M("NET-04", INGRESS, "spec.podSelector", {}),
    _M("NET-04", INGRESS, "spec.ingress[0].ports", then({"port": 22, "protocol": "TCP"})),
    _M("NET-04", INGRESS, "spec.ingress[0].from[0].namespaceSelector", {"matchLabels": {"team": "edge"}}),
    _M("NET-04", f"NetworkPolicy {ACME}/odoo-mail", "spec.egress[0].ports[0].port", 25),
    _M("NET-04", INGRESS, "spec.ingress[0].ports[0].endPort", 8080),
    _M("NET-05", f"NetworkPolicy {ACME}/dns", "spec.egress[0].to", GONE, also=("NET-04",)),
    _M("NET-05", f"NetworkPolicy {ACME}/dns", "spec.egress[0].to[1].ipBlock.cidr", "198.51.100.53/32"),
    _M(
        "NET-05", f"NetworkPolicy {ACME}/dns", "spec.egress[0].ports", [{"port": 53, "protocol": "TCP"}], also=("V055",)
    ),
    _M("NET-06", STORAGE, "spec.egress[0].to[0].ipBlock.cidr", "0.0.0.0/0"),
    _M("NET-06", STORAGE, "spec.egress[0].to", then({"ipBlock": {"cidr": "169.254.169.254/32"}})),
    _M("NET-06", STORAGE, "spec.egress[0].to", then({"ipBlock": {"cidr": "::ffff:a9fe:a9fe/128"}}), also=("V050",)),
    _M("NET-06", STORAGE, "spec.egress[0].to", then({"ipBlock": {"cidr": "::ffff:0:0/96"}}), also=("V050",)),
    _M("NET-06", STORAGE, "spec.egress[0].to", then({"ipBlock": {"cidr": "64:ff9b::a9fe:a9fe/128"}})),
    _M("NET-06", STORAGE, "spec.egress[0].ports", GONE, also=("NET-04",)),
    _M(
        "NET-06",
        "NetworkPolicy smith-advisory-production/integration-bank-feed",
        "spec.egress[0].to[0].ipBlock.cidr",
        "203.0.112.0/20",
        "smith-advisory",
    ),
    _M(
        "NET-07",
        STORAGE,
        "spec.egress",
        then({"to": [{"ipBlock": {"cidr": "10.17.144.0/28"}}], "ports": [{"port": 6443, "protocol": "TCP"}]}),
    ),
    _M(
        "NET-07",
        EGRESS,
        "spec.egress",
        then({"to": [{"ipBlock": {"cidr": "10.17.144.4/32"}}], "ports": [{"port": 6443, "protocol": "TCP"}]}),
    ),
    _M(
        "NET-07",
        EGRESS,
        "spec.egress",
        then({"to": [{"ipBlock": {"cidr": "::ffff:10.17.144.4/128"}}], "ports": [{"port": 6443, "protocol": "TCP"}]}),
        also=("V050",),
    ),
    _M("NET-07", OWN_DB, "spec.egress[1].ports[0].port", 443, K),
    _M("NET-08", CELL_DB, "spec.ingress[2].ports", GONE, ""),
    _M("NET-08", CELL_DB, "spec.ingress[2].from[0].podSelector", {}, ""),
    _M("NET-08", DATABASE, "spec.egress[0].ports[0].port", 5433),
    _M("NET-08", OWN_DB, "spec.ingress[1].ports[0].port", 8000, K),
    _M(
        "NET-08",
        f"NetworkPolicy {GLOBEX}/reporting",
        "spec.ingress[1].from[0].ipBlock.cidr",
        "198.18.0.0/15",
        "globex-eu",
        "euw1-globex",
    ),
    _M("NET-09", WEB, f"{POD}.hostNetwork", True),
    _M("NET-09", WEB, f"{POD}.containers[0].ports[0].hostPort", 8069),
    _M("NET-09", f"StatefulSet {CELL}/redis", f"{POD}.hostPID", True, ""),
    _M("NET-10", f"Service {ACME}/odoo-web", "spec.selector", {"app.kubernetes.io/name": "odoo"}),
    _M("NET-10", f"Service {ACME}/odoo-web", "spec.type", "NodePort"),
    _M("NET-10", f"Service {CELL}/redis", "spec.externalIPs", ["192.0.2.9"], ""),
    _M(
        "NET-10",
        f"EndpointSlice {ACME}/odoo-web-1",
        "",
        new(
            "EndpointSlice",
            "discovery.k8s.io/v1",
            "odoo-web-1",
            ACME,
            addressType="IPv4",
            endpoints=[{"addresses": ["10.16.3.4"]}],
        ),
        "",
        also=("SUP-06",),
    ),
    _M("NET-11", f"Namespace {ACME}", "metadata.labels[tenantry.io/cell]", "euw1-shared-b", also=("NET-08", "NET-02")),
    _M("NET-11", f"Namespace {ACME}", "metadata.labels[tenantry.io/tenant]", "acme-corp"),
    _M("NET-11", WEB, "spec.template.metadata.labels[tenantry.io/tenant]", "acme-corp"),
    _M("NET-11", f"ConfigMap {ACME}/pgbouncer", "metadata.labels[tenantry.io/environment]", "staging"),
    _M(
        "NET-11",
        "Namespace stranger",
        "",
        new("Namespace", "v1", "stranger")
        | {"metadata": {"name": "stranger", "labels": {"tenantry.io/cell": "euw1-shared-a"}}},
        "",
        also=("NET-08",),
    ),
    _M(
        "NET-12",
        "AdminNetworkPolicy allow",
        "",
        new("AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", "allow", spec={}),
        "",
        also=("V010",),
    ),
    _M(
        "NET-12",
        "CiliumNetworkPolicy acme-production/allow",
        "",
        new("CiliumNetworkPolicy", "cilium.io/v2", "allow", ACME, spec={}),
        "",
        also=("V010",),
    ),
    _M(
        "NET-12",
        "GlobalNetworkPolicy allow",
        "",
        new("GlobalNetworkPolicy", "projectcalico.org/v3", "allow", spec={}),
        "",
        also=("V010",),
    ),
)

ROLE = f"Role {ACME}/tenant-admin"
BINDING = f"RoleBinding {ACME}/tenant-admin"
PROJECT_APP = "AppProject argocd/acme-production-app"
PROJECT_INFRA = "AppProject argocd/acme-production-infra"
APP = "Application argocd/acme-production-app"
STORE = f"SecretStore {ACME}/openbao"
USER = f"ExternalSecret {ACME}/database-user"
_RBAC = "rbac.authorization.k8s.io"


def cluster_binding(name: str, subject: dict[str, Any], role: str) -> dict[str, Any]:
    return new("ClusterRoleBinding", f"{_RBAC}/v1", name, subjects=[subject],
               roleRef={"apiGroup": _RBAC, "kind": "ClusterRole", "name": role})  # fmt: skip


ACCESS = (
    _M("IAM-01", WEB, f"{POD}.automountServiceAccountToken", True),
    _M("IAM-01", WEB, f"{POD}.serviceAccountName", "odoo-migration"),
    _M("IAM-01", f"ServiceAccount {ACME}/odoo-web", "automountServiceAccountToken", True),
    _M("IAM-01", f"Job {ACME}/odoo-backup", f"{POD}.serviceAccountName", GONE),
    _M(
        "IAM-02",
        "ClusterRoleBinding acme-view",
        "",
        cluster_binding("acme-view", {"kind": "Group", "name": "acme-admins", "apiGroup": _RBAC}, "tenantry-support"),
    ),
    _M(
        "IAM-02",
        "ClusterRoleBinding everybody",
        "",
        cluster_binding(
            "everybody", {"kind": "Group", "name": "system:authenticated", "apiGroup": _RBAC}, "tenantry-support"
        ),
        "",
    ),
    _M(
        "IAM-02",
        "ClusterRoleBinding odoo",
        "",
        cluster_binding("odoo", {"kind": "ServiceAccount", "name": "odoo-web", "namespace": ACME}, "tenantry-support"),
    ),
    _M("IAM-03", ROLE, "rules[0].verbs", ["*"]),
    _M("IAM-03", ROLE, "rules[0].resources", then("secrets")),
    _M("IAM-03", ROLE, "rules[0].resources", then("pods/exec")),
    _M("IAM-03", ROLE, "rules", then({"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]})),
    _M("IAM-03", "ClusterRole tenantry-support", "rules[0].verbs", then("delete"), ""),
    _M(
        "IAM-03",
        "ClusterRole tenantry-support",
        "aggregationRule",
        {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
        "",
    ),
    _M("IAM-03", BINDING, "roleRef", {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "edit"}, also=("IAM-04",)),
    _M("IAM-04", BINDING, "subjects[0].name", "acme-corp-admins"),
    _M("IAM-04", BINDING, "subjects", then({"kind": "User", "name": "jane", "apiGroup": _RBAC})),
    _M("IAM-04", f"RoleBinding {ACME}/support", "subjects[0].name", "acme-admins"),
    _M("IAM-04", PROJECT_APP, "spec.roles", [{"name": "dev", "groups": ["acme-corp-admins"], "policies": []}]),
    _M("IAM-05", PROJECT_APP, "spec.destinations[0].namespace", "acme-*"),
    _M("IAM-05", PROJECT_APP, "spec.destinations", then({"name": A, "namespace": "acme-corp-production"})),
    _M("IAM-05", PROJECT_INFRA, "spec.clusterResourceWhitelist[0].name", GONE),
    _M("IAM-05", PROJECT_INFRA, "spec.sourceRepos", ["*"]),
    _M("IAM-05", APP, "spec.source.path", "rendered/euw1-a/production/acme-corp/app", also=("V064",)),
    _M("IAM-05", APP, "spec.source.targetRevision", "HEAD"),
    _M("IAM-05", "AppProject argocd/default", "spec.destinations", [{"name": A, "namespace": "*"}], ""),
    _M("IAM-05", PROJECT_APP, "spec.syncWindows", GONE),
    _M(
        "IAM-06",
        PROJECT_APP,
        "spec.namespaceResourceWhitelist",
        then({"group": "networking.k8s.io", "kind": "NetworkPolicy"}),
    ),
    _M(
        "IAM-06",
        PROJECT_APP,
        "spec.namespaceResourceWhitelist",
        then({"group": "rbac.authorization.k8s.io", "kind": "Role"}),
    ),
    _M(
        "IAM-06",
        PROJECT_APP,
        "spec.namespaceResourceWhitelist",
        then({"group": "external-secrets.io", "kind": "ExternalSecret"}),
    ),
    _M("IAM-07", USER, "spec.data[0].remoteRef.key", "tenants/acme-corp/production/database"),
    _M("IAM-07", USER, "spec.data[0].remoteRef.key", "tenants/acme/staging/database"),
    _M("IAM-07", STORE, "spec.provider.vault.auth.kubernetes.role", "acme-corp-production"),
    _M("IAM-07", STORE, "spec.provider.vault.path", "root"),
    _M("IAM-07", USER, "spec.dataFrom", [{"find": {"name": {"regexp": ".*"}}}]),
    _M(
        "IAM-07",
        f"ExternalSecret {CELL}/object-storage",
        "spec.data[0].remoteRef.key",
        "cells/euw1-shared-b/object-storage",
        "",
    ),
    _M(
        "IAM-07",
        "ClusterSecretStore bao",
        "",
        new(
            "ClusterSecretStore",
            "external-secrets.io/v1",
            "bao",
            spec={
                "provider": {
                    "vault": {
                        "server": "https://openbao.provider.example:8200",
                        "path": "secret",
                        "version": "v2",
                        "auth": {
                            "kubernetes": {
                                "mountPath": "k",
                                "role": "all",
                                "serviceAccountRef": {"name": "eso", "namespace": "external-secrets"},
                            }
                        },
                    }
                }
            },
        ),
        "",
    ),
    _M(
        "IAM-08",
        f"Secret {ACME}/plain",
        "",
        new("Secret", "v1", "plain", ACME, type="Opaque", stringData={"password": "swordfish"}),
        "",
    ),
    _M("IAM-08", WEB, f"{POD}.containers[0].env[9]", {"name": "PGPASSWORD", "value": "swordfish"}),
    _M("IAM-08", WEB, f"{POD}.containers[0].env[6]", {"name": "AWS_SECRET_ACCESS_KEY", "value": "swordfish"}),
    _M(
        "IAM-08",
        f"ConfigMap {ACME}/odoo-config",
        "data[options.conf]",
        text("log_level = info", "smtp_password = swordfish"),
    ),
    _M("IAM-08", USER, "spec.target.template.data.password", "swordfish"),
    _M(
        "IAM-09",
        f"ExternalSecret {CELL}/database-{ACME}",
        "spec.data[0].remoteRef.key",
        "tenants/acme-corp/production/database",
    ),
    _M("IAM-09", USER, "spec.data[0].remoteRef.key", "tenants/acme/production/redis"),
    _M("IAM-09", f"DatabaseRole {CELL}/{ACME}", "spec.passwordSecret.name", "database-acme-corp-production"),
    _M(
        "IAM-09",
        f"ExternalSecret {CELL}/redis-acl",
        "spec.target.template.data[users.acl]",
        text("#{{ .acme_production | sha256sum }}", "#{{ .acme_corp_production | sha256sum }}"),
        also=("IAM-10",),
    ),
)

SERVER = f"Cluster {CELL}/postgresql"
OWN_SERVER = f"Cluster {KESTREL}/postgresql"
ACL = f"ExternalSecret {CELL}/redis-acl"
LIST = "spec.target.template.data[users.acl]"
CONFIG = f"ConfigMap {ACME}/odoo-config"
POOL = f"ConfigMap {ACME}/pgbouncer"
HBA = "spec.postgresql.pg_hba"

DATA = (
    _M("DATA-01", f"Database {CELL}/{ACME}", "spec.owner", "acme_corp_production"),
    _M("DATA-01", f"Database {CELL}/{ACME}", "spec.name", "acme_corp_production", "*", told_of=SERVER),
    _M("DATA-01", f"DatabaseRole {CELL}/{ACME}", "", REMOVED, told_of=SERVER, also=("V060",)),
    _M("DATA-01", f"Database {CELL}/{ACME}", "", REMOVED, told_of=SERVER),
    _M(
        "DATA-02",
        SERVER,
        HBA,
        ["host all +tenants all reject", "hostssl sameuser +tenants all scram-sha-256", "host all all all reject"],
        "*",
    ),
    _M("DATA-02", SERVER, HBA, ["hostssl sameuser +tenants all scram-sha-256"], "*"),
    _M("DATA-02", SERVER, f"{HBA}[0]", "host sameuser +tenants all scram-sha-256", "*"),
    _M("DATA-02", SERVER, f"{HBA}[0]", "hostssl all +tenants all scram-sha-256", "*"),
    _M("DATA-02", OWN_SERVER, f"{HBA}[0]", "hostssl sameuser +tenants all trust", K),
    _M("DATA-02", SERVER, f"{HBA}[2]", "host all all all reject\nhost all all all scram-sha-256", "*"),
    _M("DATA-02", SERVER, f"{HBA}[2]", 'host "all" all all reject', "*"),
    _M("DATA-02", f"DatabaseRole {CELL}/{ACME}", "spec.inRoles", [], told_of=SERVER, also=("DATA-04",)),
    _M("DATA-03", SERVER, "spec.bootstrap.initdb.postInitSQL", [], ""),
    _M(
        "DATA-03",
        SERVER,
        "spec.bootstrap.initdb.postInitApplicationSQL[0]",
        "REVOKE CONNECT ON DATABASE platform FROM PUBLIC",
        "",
    ),
    _M(
        "DATA-03", SERVER, "spec.bootstrap.initdb.postInitSQL", then("GRANT CONNECT ON DATABASE postgres TO PUBLIC"), ""
    ),
    _M(
        "DATA-03",
        f"ConfigMap {ACME}/odoo-migration-scripts",
        "data[migrate.py]",
        text('REVOKE CONNECT, TEMPORARY ON DATABASE "{DATABASE}" FROM PUBLIC', "SELECT 1"),
    ),
    _M("DATA-04", f"DatabaseRole {CELL}/{ACME}", "spec.superuser", True),
    _M("DATA-04", f"DatabaseRole {CELL}/{ACME}", "spec.inRoles", then("pg_monitor")),
    _M("DATA-04", SERVER, "spec.enableSuperuserAccess", True, ""),
    _M("DATA-04", f"DatabaseRole {KESTREL}/odoo", "spec.createdb", True, K),
    _M("DATA-05", CONFIG, "data[options.conf]", text("db_name = acme_production", "db_name = acme_corp_production")),
    _M("DATA-05", CONFIG, "data[options.conf]", text("list_db = False", "list_db = True")),
    _M("DATA-05", CONFIG, "data[options.conf]", text("log_level = info", "dbfilter = .*")),
    _M("DATA-05", POOL, "data[web.ini]", text("dbname=acme_production", "dbname=acme_corp_production")),
    _M("DATA-05", POOL, "data[web.ini]", text("server_tls_sslmode = verify-full", "server_tls_sslmode = require")),
    _M("DATA-05", POOL, "data[web.ini]", text("listen_addr = 127.0.0.1", "listen_addr = 0.0.0.0")),
    _M("DATA-05", CONFIG, "data[options.conf]", GONE, also=("RUN-04",)),
    _M("DATA-05", POOL, "data[migration.ini]", GONE),
    _M("DATA-05", WEB, f"{POD}.containers[0].args", then("--database=acme_corp_production")),
    _M("DATA-05", f"Job {ACME}/odoo-backup", f"{POD}.containers[0].env[2].value", "acme_corp_production"),
    _M("DATA-06", ACL, LIST, text("user default off", "user default on nopass ~* &* +@all"), ""),
    _M("DATA-06", ACL, LIST, text("~session::acme-production:*", "~session::acme*")),
    _M(
        "DATA-06",
        ACL,
        LIST,
        text(
            "~session::acme-production:* &acme-production:* -@all +get",
            "~session::acme-production:* &acme-production:* -@all +scan +get",
        ),
    ),
    _M("DATA-06", ACL, LIST, text("&acme-production:*", "&*")),
    _M("DATA-06", ACL, LIST, text("-@all +psync", "-@all +@all +psync"), ""),
    _M("DATA-06", f"ConfigMap {CELL}/redis", "data[valkey.conf]", text("port 0\n", "port 6380\n"), ""),
    _M(
        "DATA-06",
        f"ExternalSecret {ACME}/redis-user",
        "spec.target.template.data.url",
        text("//acme-production:", "//acme-corp-production:"),
    ),
    _M("DATA-06", WEB, f"{POD}.containers[0].env[3].value", "acme-corp-production"),
    _M("DATA-07", f"StatefulSet {CELL}/redis", "spec.volumeClaimTemplates[0].spec.volumeName", "pv-1", ""),
    _M(
        "DATA-07",
        f"StatefulSet {KESTREL}/redis",
        "spec.volumeClaimTemplates[0].spec.dataSource",
        {"kind": "PersistentVolumeClaim", "name": "other"},
        K,
    ),
    _M(
        "DATA-07",
        "PersistentVolume taken",
        "",
        new(
            "PersistentVolume",
            "v1",
            "taken",
            spec={
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "claimRef": {"namespace": ACME, "name": "x"},
                "csi": {"driver": "d", "volumeHandle": "h"},
            },
        ),
        "",
    ),
    _M(
        "DATA-08",
        f"ObjectStore {CELL}/postgresql",
        "spec.configuration.destinationPath",
        "s3://euw1-a-backup/cells/euw1-shared-b",
        "",
        also=("BKP-07",),
    ),
    _M(
        "DATA-08",
        f"ObjectStore {KESTREL}/postgresql",
        "spec.configuration.destinationPath",
        "s3://euw1-a-backup/kestrel",
        K,
        also=("BKP-07",),
    ),
    _M(
        "DATA-08",
        CONFIG,
        "data[sections.conf]",
        text("euw1-a-files/acme/production", "euw1-a-files/acme-corp/production"),
    ),
    _M(
        "DATA-08",
        f"Job {ACME}/odoo-backup",
        f"{POD}.containers[0].env[5].value",
        "euw1-a-backup/acme-corp/production/before-x",
    ),
    _M("DATA-08", CONFIG, "data[sections.conf]", GONE),
    _M(
        "DATA-08",
        OWN_SERVER,
        "spec.plugins[0].parameters.serverName",
        "northwind-partners-production",
        K,
        also=("BKP-07",),
    ),
    _M(
        "DATA-09",
        f"ConfigMap {KESTREL}/pgbouncer",
        "data[web.ini]",
        text("host=postgresql-rw ", "host=postgresql-rw.euw1-shared-a-cell.svc "),
        K,
    ),
    _M(
        "DATA-09",
        f"ExternalSecret {KESTREL}/redis-user",
        "spec.target.template.data.url",
        text(f"redis.{KESTREL}.svc", f"redis.{CELL}.svc"),
        K,
    ),
    _M(
        "DATA-09",
        f"Database {CELL}/kestrel",
        "",
        new(
            "Database",
            "postgresql.cnpg.io/v1",
            "kestrel",
            CELL,
            spec={
                "name": "kestrel_insurance_production",
                "owner": "kestrel_insurance_production",
                "cluster": {"name": "postgresql"},
            },
        )
        | {
            "metadata": {
                "name": "kestrel",
                "namespace": CELL,
                "annotations": {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"},
            }
        },
        K,
        also=("DATA-01", "V060"),
    ),
)

QUOTA = f"ResourceQuota {ACME}/quota"
BUDGET = f"PodDisruptionBudget {ACME}/odoo-web"
KWEB = f"Deployment {KESTREL}/odoo-web"

RUN = (
    _M("RUN-01", WEB, f"{POD}.containers[0].securityContext.privileged", True),
    _M("RUN-01", WEB, f"{POD}.securityContext.runAsNonRoot", False),
    _M(
        "RUN-01",
        WEB,
        f"{POD}.volumes[0]",
        lambda v: {"name": v["name"], "hostPath": {"path": "/var/lib/kubelet"}},
        also=("V066",),
    ),
    _M(
        "RUN-01",
        f"Namespace {ACME}",
        "metadata.labels[pod-security.kubernetes.io/enforce]",
        "baseline",
        also=("NET-11",),
    ),
    _M(
        "RUN-01",
        f"StatefulSet {CELL}/redis",
        f"{POD}.containers[0].securityContext.capabilities",
        {"drop": ["ALL"], "add": ["SYS_PTRACE"]},
        "",
    ),
    _M("RUN-02", WEB, f"{POD}.tolerations", [{"operator": "Exists"}]),
    _M("RUN-02", WEB, f"{POD}.nodeSelector", {"tenantry.io/pool": "segment-a"}),
    _M("RUN-02", KWEB, f"{POD}.nodeSelector", {"tenantry.io/pool": "shared"}, K),
    _M("RUN-02", KWEB, f"{POD}.tolerations[0].operator", "Exists", K),
    _M("RUN-02", OWN_SERVER, "spec.affinity.nodeSelector", {"tenantry.io/pool": "shared-db"}, K),
    _M("RUN-02", WEB, f"{POD}.nodeName", "node-7"),
    _M("RUN-03", QUOTA, "spec.hard[limits.memory]", GONE),
    _M("RUN-03", QUOTA, "spec.hard[requests.cpu]", "64"),
    _M("RUN-03", QUOTA, "spec.hard[services.loadbalancers]", "2"),
    _M("RUN-03", WEB, f"{POD}.containers[0].resources.limits", GONE, told_of=QUOTA),
    _M("RUN-03", WEB, f"{POD}.priorityClassName", "tenantry-nonproduction"),
    _M("RUN-03", "PriorityClass tenantry-production", "preemptionPolicy", "PreemptLowerPriority", ""),
    _M("RUN-03", QUOTA, "", REMOVED, told_of=f"Namespace {ACME}"),
    _M("RUN-04", WEB, f"{POD}.containers[0].args[0]", "--workers=12", told_of=POOL),
    _M("RUN-04", f"DatabaseRole {CELL}/{ACME}", "spec.connectionLimit", -1),
    _M("RUN-04", f"DatabaseRole {CELL}/{ACME}", "spec.connectionLimit", 10),
    _M("RUN-04", SERVER, "spec.postgresql.parameters.max_connections", "200", ""),
    _M("RUN-05", QUOTA, "spec.hard.pods", "3"),
    _M("RUN-05", QUOTA, "spec.hard[requests.memory]", "2Gi"),
    _M("RUN-05", BUDGET, "spec", lambda s: {"minAvailable": 1, "selector": s["selector"]}),
    _M("RUN-05", BUDGET, "spec.maxUnavailable", 0),
    _M(
        "RUN-06",
        "HorizontalPodAutoscaler globex-eu-production/odoo-web",
        "spec.minReplicas",
        1,
        "globex-eu",
        "euw1-globex",
        told_of="Deployment globex-eu-production/odoo-web",
    ),
    _M(
        "RUN-06",
        "Deployment globex-eu-production/odoo-web",
        f"{POD}.topologySpreadConstraints",
        GONE,
        "globex-eu",
        "euw1-globex",
    ),
    _M(
        "RUN-06",
        "Deployment globex-us-production/odoo-websocket",
        "spec.replicas",
        1,
        "globex-us",
        "use1-globex",
        told_of="Deployment globex-us-production/odoo-web",
        also=("RUN-03",),
    ),
)

PUBLIC = f"IngressRoute {ACME}/odoo-public"
SOCKET = f"IngressRoute {ACME}/odoo-websocket"
REDIRECT = f"IngressRoute {ACME}/odoo-redirect"
API = f"IngressRoute {GLOBEX}/odoo-api"
GX = {"tenant": "globex-eu", "cluster": "euw1-globex"}
STATIC = "ConfigMap traefik/traefik-static"
YAML = "data[traefik.yaml]"

EDGE = (
    _M("EDGE-01", PUBLIC, "spec.routes[1].match", text("Host(`erp.acme.example`)", "Host(`erp.acme-corp.example`)")),
    _M("EDGE-01", PUBLIC, "spec.routes[1].match", text("Host(`erp.acme.example`)", "HostRegexp(`.+`)")),
    _M("EDGE-01", SOCKET, "spec.routes[0].match", text("Host(`erp.acme.example`) && ", "")),
    _M("EDGE-01", PUBLIC, "spec.routes[1].priority", 100000, also=("EDGE-04",)),
    _M("EDGE-01", PUBLIC, "spec.routes[1].match", "Host(`erp.acme.example`) && PathRegexp(`(?!x)`)", also=("V023",)),
    _M("EDGE-01", PUBLIC, "spec.routes[1]", GONE),
    _M("EDGE-01", SOCKET, "spec.routes[0].services", []),
    _M("EDGE-01", SOCKET, "spec.routes[0].services[0]", {"name": "odoo-web", "port": "http"}, also=("EDGE-04",)),
    _M("EDGE-01", API, "spec.routes[0]", GONE, **GX),
    _M("EDGE-02", PUBLIC, "spec.routes[1].services[0].namespace", "acme-corp-production"),
    _M("EDGE-02", PUBLIC, "spec.routes[1].services[0]", {"name": "api@internal", "kind": "TraefikService"}),
    _M("EDGE-02", STATIC, YAML, text("allowCrossNamespace: false", "allowCrossNamespace: true"), ""),
    _M("EDGE-02", STATIC, YAML, text("crossProviderNamespaces: []", ""), ""),
    _M(
        "EDGE-03",
        PUBLIC,
        "spec.routes[1].match",
        text("!PathRegexp(`(?i)^(?:/+[^/]+)?/+(?:web/+database|xmlrpc/+(?:2/+)?db)(?:/|$)`) && ", ""),
    ),
    _M("EDGE-03", PUBLIC, "spec.routes[1].match", text("(?:/+[^/]+)?/+(?:web/+database", "/(?:web/database")),
    _M("EDGE-03", SOCKET, "spec.routes[0].match", text("^/websocket(?:/[a-z_]+)?/?$", "^/web(?:socket|/database)")),
    _M("EDGE-03", STATIC, YAML, text("allowEncodedSlash: false", "allowEncodedSlash: true"), ""),
    _M("EDGE-04", PUBLIC, "spec.routes[0].middlewares", lambda m: [x for x in m if x["name"] != "login-rate-limit"]),
    _M("EDGE-04", PUBLIC, "spec.routes[1].middlewares", lambda m: [x for x in m if x["name"] != "rate-limit"]),
    _M("EDGE-04", f"Middleware {ACME}/rate-limit", "spec.rateLimit.average", 2000),
    _M("EDGE-04", f"Middleware {ACME}/security-headers", "spec.headers.customRequestHeaders", GONE),
    _M(
        "EDGE-04",
        f"IngressRoute {GLOBEX}/odoo-admin",
        "spec.routes[0].middlewares",
        lambda m: [x for x in m if x["name"] != "admin-sources"],
        **GX,
    ),
    _M(
        "EDGE-04",
        f"Middleware {GLOBEX}/admin-sources",
        "spec.ipAllowList.sourceRange",
        then("0.0.0.0/0"),
        **GX,
        told_of=f"IngressRoute {GLOBEX}/odoo-admin",
    ),
    _M(
        "EDGE-04",
        f"Middleware {GLOBEX}/admin-sources",
        "spec.ipAllowList.sourceRange",
        ["::ffff:0:0/97", "::ffff:128.0.0.0/97"],
        **GX,
        told_of=f"IngressRoute {GLOBEX}/odoo-admin",
    ),
    _M(
        "EDGE-04",
        f"TLSOption {GLOBEX}/api-clients",
        "spec.clientAuth.clientAuthType",
        "VerifyClientCertIfGiven",
        **GX,
        told_of=API,
        also=("EDGE-05",),
    ),
    _M(
        "EDGE-04",
        STATIC,
        YAML,
        text("core:", "experimental: {plugins: {coraza: {moduleName: a.example/b, version: v0.3.0}}}\ncore:"),
        "",
    ),
    _M(
        "EDGE-04",
        STATIC,
        YAML,
        text("core:", "experimental: {localPlugins: {coraza: {moduleName: a.example/b}}}\ncore:"),
        "",
    ),
    _M("EDGE-05", f"Certificate {GLOBEX}/odoo-api-tls", "spec.dnsNames", ["erp.globex-eu.example"], **GX),
    _M(
        "EDGE-05",
        f"Certificate {GLOBEX}/odoo-tls",
        "spec.dnsNames",
        then("globex-eu.production.api.erp.provider.example"),
        **GX,
    ),
    _M("EDGE-05", f"Certificate {GLOBEX}/odoo-tls", "spec.dnsNames", [], also=("V046", "V021", "V022"), **GX),
    _M("EDGE-05", f"Certificate {ACME}/odoo-tls", "spec.dnsNames", then("erp.acme-corp.example")),
    _M("EDGE-05", PUBLIC, "spec.tls", GONE),
    _M("EDGE-05", REDIRECT, "spec.routes[0].middlewares", GONE),
    _M("EDGE-05", f"TLSOption {GLOBEX}/api-clients", "spec.minVersion", "VersionTLS10", **GX),
    _M("EDGE-05", STATIC, YAML, text("strictTLSOptions: true", "strictTLSOptions: false"), ""),
    _M("EDGE-05", f"Certificate {ACME}/odoo-tls", "spec.issuerRef.name", "internal-ca"),
)

BASES = f"ScheduledBackup {KESTREL}/postgresql"
KEEP = f"ObjectStore {KESTREL}/postgresql"
SCHEDULE = "Schedule velero/acme-production"
RESTORE = new(
    "Restore",
    "velero.io/v1",
    "first",
    "velero",
    spec={"backupName": "b", "namespaceMapping": {ACME: "acme-corp-production"}},
)

BACKUP = (
    _M("BKP-01", OWN_SERVER, "spec.plugins[0].isWALArchiver", False, K, also=("BKP-05", "BKP-07")),
    _M("BKP-01", f"ObjectStore {KESTREL}/postgresql", "spec.instanceSidecarConfiguration.env", [], K),
    _M("BKP-01", BASES, "spec.suspend", True, K, also=("BKP-05",)),
    _M("BKP-01", BASES, "", REMOVED, K, told_of=OWN_SERVER, also=("BKP-05",)),
    _M("BKP-01", SCHEDULE, "", REMOVED, told_of=f"Namespace {ACME}"),
    _M("BKP-01", SCHEDULE, "spec.template.excludedResources", then("secrets")),
    _M("BKP-01", SCHEDULE, "spec.paused", True, also=("BKP-02",)),
    _M("BKP-01", BASES, "spec.schedule", "0 0 3 1 1 *", K, also=("BKP-05",)),
    _M("BKP-01", BASES, "spec.schedule", "0 0 3 31 2 *", K, also=("BKP-05", "V041")),
    _M("BKP-01", SCHEDULE, "spec.schedule", "0 3 * * 0"),
    _M("BKP-01", SCHEDULE, "spec.schedule", "CRON_TZ=Europe/Madrid 30 2 * * 0"),
    _M("BKP-02", SCHEDULE, "spec.template.includedNamespaces", GONE),
    _M("BKP-02", SCHEDULE, "spec.template.includedNamespaces", [ACME, "acme-corp-production"]),
    _M("BKP-02", SCHEDULE, "spec.template.includedNamespaces", ["acme-corp-production"]),
    _M("BKP-03", "Restore velero/first", "", RESTORE, ""),
    _M(
        "BKP-03",
        "Restore velero/second",
        "",
        {**RESTORE, "metadata": {"name": "second", "namespace": "velero"}, "spec": {"backupName": "b"}},
        "",
    ),
    _M("BKP-03", "ValidatingPolicy velero-restore-home", "", REMOVED, "", told_of="*", also=("SUP-02",)),
    _M("BKP-04", KEEP, "spec.retentionPolicy", "3d", K),
    _M("BKP-04", KEEP, "spec.configuration.wal.encryption", GONE, K),
    _M("BKP-04", SCHEDULE, "spec.template.ttl", "24h0m0s"),
    _M("BKP-04", f"Database {CELL}/{ACME}", "spec.databaseReclaimPolicy", "delete"),
    _M("BKP-04", f"Namespace {ACME}", "metadata.annotations[argocd.argoproj.io/sync-options]", GONE),
    _M("BKP-05", OWN_SERVER, "spec.postgresql.parameters.archive_timeout", "1h", K),
    _M("BKP-05", OWN_SERVER, "spec.postgresql.parameters.archive_timeout", "3min", K),
    _M("BKP-05", f"Cluster {GLOBEX}/postgresql", "spec.postgresql.synchronous.failoverQuorum", False, **GX),
    _M("BKP-05", f"Cluster {GLOBEX}/postgresql", "spec.postgresql.synchronous.dataDurability", "preferred", **GX),
    _M("BKP-05", SERVER, "spec.storage.size", "4000Gi", "*", also=("RUN-05", "V052"), told_of="*"),
    _M(
        "BKP-05",
        f"Cluster {GLOBEX}/postgresql",
        "spec.replica",
        GONE,
        "globex-eu",
        "euc1-globex",
        told_of=f"Cluster {GLOBEX}/postgresql",
        also=("DATA-08", "V060", "V040", "BKP-08"),
    ),
    _M("BKP-08", COPY, "spec.replica.enabled", False, **EC, also=("BKP-05",)),
    _M(
        "BKP-08",
        COPY,
        "spec.replica",
        {"primary": "primary", "self": "primary", "source": "primary"},
        **EC,
        also=("BKP-05",),
    ),
    _M(
        "BKP-08",
        f"Cluster {GLOBEX}/postgresql",
        "metadata.annotations[cnpg.io/fencedInstances]",
        '["*"]',
        "globex-eu",
        "euw1-globex",
    ),
    _M(
        "BKP-06",
        COPY,
        "spec.plugins[0].parameters",
        {"barmanObjectName": "primary", "serverName": "globex-eu-production"},
        **EC,
        also=("BKP-01", "DATA-08", "RES-02", "V056"),
    ),
    _M(
        "BKP-06",
        COPY,
        "spec.externalClusters[0].plugin.parameters.barmanObjectName",
        "other",
        **EC,
        also=("V060", "DATA-08", "RES-02"),
    ),
    _M("BKP-06", COPY, "spec.imageCatalogRef.major", 16, **EC, also=("SUP-01",)),
    _M("BKP-06", COPY, "spec.bootstrap.recovery.recoveryTarget", {"targetTime": "2026-11-20T10:15:00Z"}, **EC),
)

OWN_ALERTS = f"PrometheusRule {KESTREL}/postgresql"
LEFT = f"{CELL.replace('shared-a', 'shared-b')}/juniper-clinic-production"
LEAVING = (
    _M("DATA-04", f"DatabaseRole {LEFT}", "spec.login", True, "juniper-clinic"),
    _M("DATA-04", f"DatabaseRole {LEFT}", "spec.login", GONE, "juniper-clinic"),
    _M("BKP-04", f"Database {LEFT}", "spec.ensure", "absent", "juniper-clinic"),
    _M("BKP-04", f"DatabaseRole {LEFT}", "spec.databaseRoleReclaimPolicy", "delete", "juniper-clinic"),
    _M("BKP-04", f"Database {CELL}/{ACME}", "spec.ensure", "absent"),
)
DRILL = f"CronJob {KESTREL}/restore-drill"
CELL_DRILL = f"CronJob {CELL}/restore-drill"
JOB = "spec.jobTemplate.spec"
DRILL_POD = f"{JOB}.template.spec"
STORAGE_ONLY = f"NetworkPolicy {KESTREL}/restore-drill"


def variable(name: str, value: str) -> Callable[[Any], Any]:
    """Give a container's variable another value."""
    return lambda found: [{**entry, "value": value} if entry["name"] == name else entry for entry in found]


def overdue(expression: Callable[[str], str]) -> Callable[[Any], Any]:
    """Change the alert on a drill that is late."""
    return lambda rules: [
        {**rule, "expr": expression(rule["expr"])} if rule["alert"] == "RestoreDrillOverdue" else rule for rule in rules
    ]


DRILLS = (
    _M("BKP-07", DRILL, "", REMOVED, K, told_of=f"Namespace {KESTREL}", also=("SUP-05", "RUN-03", "V063", "V066")),
    _M("BKP-07", CELL_DRILL, "", REMOVED, "", told_of=f"Namespace {CELL}", also=("SUP-05", "RUN-03", "V063", "V066")),
    _M("BKP-07", DRILL, "spec.suspend", True, K),
    _M("BKP-07", DRILL, "spec.schedule", "7 2 1 1 *", K),
    _M("BKP-07", DRILL, "spec.schedule", "7 2 31 2 *", K, also=("V041",)),
    _M("BKP-07", DRILL, f"{JOB}.activeDeadlineSeconds", 14401, K),
    _M("BKP-07", DRILL, f"{JOB}.activeDeadlineSeconds", GONE, K),
    _M("BKP-07", DRILL, f"{JOB}.backoffLimit", 3, K),
    _M("BKP-07", DRILL, f"{DRILL_POD}.initContainers", lambda steps: steps[:2], K, also=("RUN-03",)),
    _M("BKP-07", DRILL, f"{DRILL_POD}.containers[0].command", ["/bin/bash", "-c", "true"], K),
    _M("BKP-07", CELL_DRILL, f"{DRILL_POD}.initContainers[0].env", variable("ARCHIVE_SERVER", "euw1-shared-b-cell"), ""),
    _M("BKP-07", DRILL, f"{DRILL_POD}.initContainers[0].env", variable("ARCHIVE_PLACE", "euw1-a-backup/acme/production"), K,
       also=("DATA-08",)),
    _M("BKP-07", DRILL, f"{DRILL_POD}.containers[0].env", variable("ARCHIVE_ENDPOINT", "https://elsewhere.example"), K, also=("RES-02",)),
    _M("BKP-07", CELL_DRILL, f"{DRILL_POD}.containers[0].env", variable("DRILL_DATABASES", "acme_production=euw1-a-files/acme/production"), ""),
    _M("BKP-07", DRILL, f"{DRILL_POD}.initContainers[0].env",
       then({"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "database-user", "key": "password"}}}), K),
    _M("BKP-07", DRILL, f"{DRILL_POD}.volumes", then({"name": "more", "secret": {"secretName": "backup-storage"}}), K),
    _M("BKP-07", OWN_ALERTS, "spec.groups[0].rules", without("RestoreDrillOverdue"), K),
    _M("BKP-07", OWN_ALERTS, "spec.groups[0].rules", overdue(text("> 2764800", "> 9999999")), K),
    _M("BKP-07", OWN_ALERTS, "spec.groups[0].rules", overdue(lambda said: said.partition(" or absent")[0]), K),
    _M("BKP-07", OWN_ALERTS, "spec.groups[0].rules", overdue(lambda said: said.replace(KESTREL, ACME)), K, also=("OBS-02",)),
    _M("IAM-09", f"ExternalSecret {KESTREL}/drill-storage", "spec.data[0].remoteRef.key", text("/drill-storage", "/backup-storage"), K),
    _M("DATA-07", DRILL, f"{DRILL_POD}.volumes[0].ephemeral.volumeClaimTemplate.spec.volumeName", "somebody-elses", K),
    _M("NET-08", STORAGE_ONLY, "spec.egress", then(
       {"to": [{"podSelector": {"matchLabels": {"cnpg.io/cluster": "postgresql"}}}], "ports": [{"protocol": "TCP", "port": 5432}]}), K),
    _M("NET-06", STORAGE_ONLY, "spec.egress", then(
       {"to": [{"ipBlock": {"cidr": "203.0.113.0/27"}}], "ports": [{"protocol": "TCP", "port": 443}]}), K),
)  # fmt: skip

MONITOR = f"PodMonitor {ACME}/odoo"
ALERTS = f"PrometheusRule {ACME}/objectives"
SERVICE_ALERTS = f"PrometheusRule {ACME}/service"
CELL_SERVICE_ALERTS = f"PrometheusRule {CELL}/service"
PLATFORM_ALERTS = "PrometheusRule monitoring/platform"
ROUTING = "AlertmanagerConfig monitoring/acme-production"
OWN_ROUTING = f"AlertmanagerConfig monitoring/{KESTREL}"
CELL_ROUTING = f"AlertmanagerConfig monitoring/{CELL}"
PLATFORM_ROUTING = "AlertmanagerConfig monitoring/platform"
INHIBITED = "spec.inhibitRules"
TRAEFIK_MONITOR = "PodMonitor monitoring/traefik"
COPY_ALERTS = f"PrometheusRule {GLOBEX}/postgresql"
EXCEPTION = "PolicyException kyverno/iberia-travel-production.iberia-travel-login-rate"
IBERIA = "iberia-travel"

HARMLESS = (
    _M("", WEB, "metadata.annotations", {"note": "by hand"}),
    _M("", "Application argocd/acme-production-app", "spec.revisionHistoryLimit", 50),
    _M("", "AppProject argocd/acme-production-app", "spec.description", "another"),
    _M("", "BackupStorageLocation velero/dr", "spec.accessMode", GONE, ""),
    _M("", f"ConfigMap {ACME}/odoo-migration-scripts", "data[migrate.py]", lambda script: f"{script}# a comment\n"),
)  # fmt: skip
"""Changes that nothing but the comparison with the templates finds, and that do no harm."""
FORMERLY_UNNAMED = (
    _M("RUN-08", WEB, f"{POD}.containers[0].startupProbe", GONE),
    _M("DATA-05", WEB, f"{POD}.containers[0].env[0].value", "/etc/odoo/odoo.conf"),
    _M("DATA-05", WEB, f"{POD}.containers[0].env", lambda env: [e for e in env if e["name"] != "ODOO_RC"]),
    _M("IAM-09", SCRIPTS, MIGRATE, text("    refuse_default_password(cursor)\n", "")),
    _M("DATA-03", SCRIPTS, MIGRATE, text("    grant(cursor)\n", "")),
    _M("RUN-07", SCRIPTS, MIGRATE, text("    refuse_what_a_move_left(state)\n", "")),
    _M("RUN-07", SCRIPTS, MIGRATE, text("    refuse_empty_when_imported(cursor, state)\n", "")),
    _M("RUN-07", SCRIPTS, MIGRATE, text("    lock(cursor)\n", "")),
    _M("RUN-07", SCRIPTS, MIGRATE, text("        bring_modules(cursor)\n", "        pass\n")),
    _M("SUP-06", "Application argocd/acme-production-app", "spec.syncPolicy.automated.selfHeal", False),
    _M("SUP-06", "Application argocd/acme-production-infra", "spec.syncPolicy.automated.prune", GONE),
    _M("IAM-05", "AppProject argocd/acme-production-app", "metadata.labels[tenantry.io/tenant]", "acme-corp", "*"),
    _M("BKP-01", "BackupStorageLocation velero/dr", "spec.accessMode", "ReadOnly", ""),
    _M("IAM-04", f"RoleBinding {ACME}/support", "", REMOVED, told_of=f"Namespace {ACME}"),
    _M("EDGE-05", f"IngressRoute {ACME}/odoo-redirect", "", REMOVED, told_of=f"Namespace {ACME}"),
    _M("EDGE-05", f"IngressRoute {ACME}/odoo-redirect", "spec.entryPoints", ["websecure"], also=("EDGE-03", "EDGE-04")),
    _M(
        "SUP-02",
        "MutatingWebhookConfiguration sidecar",
        "",
        new("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "sidecar", webhooks=[]),
        "*",
    ),
)
"""Faults that nothing but the comparison with the templates found, until a proof of their own did."""
SUPPLY = (
    _M("OBS-02", COPY_ALERTS, "spec.groups[0].rules", later("PostgresqlStandbyLag", "5m"), **EC),
    _M("OBS-02", COPY_ALERTS, "spec.groups[0].rules", without("PostgresqlStandbyLag"), **EC),
    _M("OBS-01", MONITOR, "spec.namespaceSelector", {"any": True}),
    _M("OBS-01", f"Namespace {ACME}", "metadata.annotations[tenantry.io/log-retention]", "3d"),
    _M("OBS-01", f"Namespace {KESTREL}", "metadata.annotations[tenantry.io/log-masking]", "off", K),
    _M(
        "OBS-01",
        OWN_SERVER,
        "spec.monitoring",
        {"customQueriesConfigMap": [{"name": "q", "key": "q"}]},
        K,
        also=("V060",),
    ),
    _M("OBS-02", ALERTS, "spec.groups[0].rules", lambda r: r[1:]),
    _M("OBS-02", ALERTS, "spec.groups[0].rules[0].expr", text("[5m:1m]", "[1h:1m]")),
    _M(
        "OBS-02",
        ALERTS,
        "spec.groups[0].rules[0].expr",
        text('namespace="acme-production"', 'namespace="acme-corp-production"'),
    ),
    _M("OBS-02", ALERTS, "", REMOVED, told_of=f"Namespace {ACME}"),
    _M("OBS-02", OWN_ALERTS, "", REMOVED, K, told_of=f"Namespace {KESTREL}", also=("BKP-07",)),
    *(
        _M("OBS-02", OWN_ALERTS, "spec.groups[0].rules", without(alert), K)
        for alert in (
            "PostgresqlDown",
            "PostgresqlVolumeFull",
            "PostgresqlConnectionsHigh",
            "PostgresqlArchivingFails",
            "PostgresqlReplicationLag",
            "PostgresqlBackupTooOld",
            "PostgresqlTransactionIdsRunOut",
        )
    ),
    _M("OBS-02", OWN_ALERTS, "spec.groups[0].rules[0].expr", text(" or vector(0)", ""), K),
    _M("OBS-02", OWN_ALERTS, "spec.groups[0].rules[0].expr", text(KESTREL, ACME), K),
    _M("OBS-02", OWN_ALERTS, "spec.groups[0].rules[4].expr", text("> 120 ", "> 900 "), K),
    _M("OBS-02", OWN_ALERTS, "spec.groups[0].rules[4].for", "10m", K),
    _M("OBS-02", OWN_ALERTS, "spec.groups[0].rules[4].expr", text(" < 0", " < -2"), K),
    *(
        _M("OBS-02", SERVICE_ALERTS, "spec.groups[0].rules", without(alert))
        for alert in (
            "RequestBudgetBurns1H",
            "RequestBudgetBurns3D",
            "RequestsSlow",
            "SecretNotSynced",
            "QuotaNearlyFull",
            "SyncFailed",
            "OutOfSync",
            "ApplicationUnhealthy",
            "ObjectBackupTooOld",
        )
    ),
    _M("OBS-02", SERVICE_ALERTS, "", REMOVED, told_of=f"Namespace {ACME}"),
    _M(
        "OBS-02",
        SERVICE_ALERTS,
        "spec.groups[0].rules",
        lambda rules: [r for r in rules if "certmanager" not in r["expr"]],
    ),
    _M("OBS-02", SERVICE_ALERTS, "spec.groups[0].rules[0].expr", text(',code=~"5.."}[1h]', "}[1h]")),
    _M("OBS-02", SERVICE_ALERTS, "spec.groups[0].rules[0].expr", text('job="monitoring/traefik",', "")),
    _M("OBS-02", SERVICE_ALERTS, "spec.groups[0].rules[0].expr", text("14.4 * 0.005", "14.4 * 0.05")),
    _M("OBS-02", SERVICE_ALERTS, "spec.groups[0].rules[13].expr", text("> 172800", "> 272800")),
    _M("OBS-02", SERVICE_ALERTS, "spec.groups[0].rules[13].expr", text(" or absent(", " or (")),
    _M("OBS-02", SERVICE_ALERTS, "spec.groups[0].rules[13].expr", text('"acme-production"', '"acme-corp-production"')),
    _M("OBS-02", f"Probe {ACME}/login", "", REMOVED, told_of=f"Probe {ACME}/websocket"),
    _M("OBS-02", f"Probe {ACME}/websocket", "spec.module", "odoo-login"),
    _M("OBS-02", f"Probe {ACME}/websocket", "spec.prober.url", "probes.other.example:9115"),
    _M(
        "OBS-02", f"Probe {ACME}/login", "spec.targets.staticConfig.static", ["https://erp.acme-corp.example/web/login"]
    ),
    _M(
        "OBS-02",
        SERVICE_ALERTS,
        "spec.groups[0].rules",
        lambda rules: [r for r in rules if "probe_success" not in r["expr"]],
    ),
    _M(
        "OBS-02",
        "PrometheusRule fjord-design-production/service",
        "spec.groups[0].rules",
        lambda rules: [r for r in rules if "odoo_attachments_unreadable" not in r["expr"]],
        "fjord-design",
    ),
    _M("OBS-02", CELL_SERVICE_ALERTS, "spec.groups[0].rules", without("SecretNotSynced"), ""),
    _M("OBS-02", PLATFORM_ALERTS, "spec.groups[0].rules", without("EdgeDown"), ""),
    _M("OBS-02", PLATFORM_ALERTS, "spec.groups[0].rules[4].expr", text(" or vector(0)", ""), ""),
    _M("OBS-02", TRAEFIK_MONITOR, "spec.podMetricsEndpoints[0].honorLabels", False, ""),
    _M("OBS-02", TRAEFIK_MONITOR, "spec.namespaceSelector", {"any": True}, ""),
    _M("OBS-03", SERVICE_ALERTS, "spec.groups[0].rules[3].labels.severity", "critical"),
    _M("OBS-03", SERVICE_ALERTS, "spec.groups[0].rules[0].labels.cluster", GONE),
    _M("OBS-03", SERVICE_ALERTS, "spec.groups[0].rules[0].labels.cell", "euw1-shared-b"),
    _M("OBS-03", SERVICE_ALERTS, "spec.groups[0].rules[0].labels.tenant", "acme-corp"),
    _M("OBS-03", SERVICE_ALERTS, "spec.groups[0].rules[0].labels.scope", "platform"),
    _M("OBS-03", CELL_SERVICE_ALERTS, "spec.groups[0].rules[0].labels.cell", GONE, ""),
    _M("OBS-03", PLATFORM_ALERTS, "spec.groups[0].rules[0].labels.scope", "tenant", ""),
    _M("OBS-03", ROUTING, "spec.route.matchers[0].value", "acme-corp-production"),
    _M("OBS-03", ROUTING, "spec.route.matchers", []),
    _M(
        "OBS-03",
        "AlertmanagerConfig monitoring/own",
        "",
        new(
            "AlertmanagerConfig",
            "monitoring.coreos.com/v1alpha1",
            "own",
            "monitoring",
            spec={"receivers": [{"name": "a"}], "route": {"receiver": "a"}},
        ),
        "",
    ),
    _M("OBS-03", ROUTING, "spec.route.routes[0].matchers[0].value", "pages"),
    _M("OBS-03", ROUTING, "spec.route.routes[0].receiver", "operations-queue"),
    _M("OBS-03", ROUTING, "spec.route.routes[0].continue", GONE),
    _M("OBS-03", ROUTING, "spec.route.routes[3].muteTimeIntervals", ["support-hours", "maintenance"]),
    _M("OBS-03", ROUTING, "spec.muteTimeIntervals[0].timeIntervals[0].weekdays", ["monday"]),
    _M(
        "OBS-03",
        ROUTING,
        "spec.muteTimeIntervals[1].timeIntervals[0].times",
        [{"startTime": "00:00", "endTime": "24:00"}],
    ),
    _M("OBS-03", ROUTING, "spec.receivers[0].name", "somebody", also=("V090",)),
    _M("OBS-03", ROUTING, "spec.receivers[0].pagerdutyConfigs", GONE),
    _M("OBS-03", OWN_ROUTING, "spec.route.routes[1].receiver", "operations-queue", K, also=("V090",)),
    _M("OBS-03", CELL_ROUTING, "spec.route.routes[0].receiver", "operations-queue", ""),
    _M("OBS-03", ROUTING, INHIBITED, [{"sourceMatch": [{"name": "scope", "value": "tenant"}]}]),
    _M("OBS-03", PLATFORM_ROUTING, f"{INHIBITED}[0].equal", [], ""),
    _M("OBS-03", PLATFORM_ROUTING, f"{INHIBITED}[1].equal", ["cluster"], ""),
    _M("OBS-03", PLATFORM_ROUTING, f"{INHIBITED}[2].equal", ["cluster", "cell"], ""),
    _M(
        "OBS-03",
        PLATFORM_ROUTING,
        f"{INHIBITED}[0].targetMatch",
        [{"name": "scope", "matchType": "=", "value": "tenant"}],
        "",
    ),
    _M("OBS-03", PLATFORM_ROUTING, INHIBITED, lambda rules: rules[:1], ""),
    _M("OBS-03", PLATFORM_ROUTING, "spec.route.matchers[0].value", "cell", "", told_of=PLATFORM_ALERTS),
    _M("OBS-03", ROUTING, "", REMOVED, told_of=f"PrometheusRule {ACME}/objectives"),
    _M("SUP-01", WEB, f"{POD}.containers[0].image", "registry.provider.example/odoo/odoo:18.0-20261012"),
    _M("SUP-01", WEB, f"{POD}.containers[0].image", f"registry.provider.example/odoo/odoo:18.0-20261012{DIGEST}"),
    _M("SUP-01", WEB, f"{POD}.initContainers[1].image", f"docker.example/pgbouncer:1.24.1{DIGEST}"),
    _M(
        "SUP-01",
        "ClusterImageCatalog postgresql",
        "spec.images[1].image",
        f"registry.provider.example/platform/postgresql:17.6{DIGEST}",
        "",
    ),
    _M("SUP-02", "ValidatingPolicy images-by-digest", "spec.validationActions", ["Audit"], ""),
    _M("SUP-02", "ValidatingPolicy images-by-digest", "spec.failurePolicy", "Ignore", ""),
    _M("SUP-02", "ValidatingPolicy images-by-digest", "spec.validations", lambda v: v[:1], ""),
    _M("SUP-02", "ValidatingPolicy images-by-digest", "", REMOVED, "", told_of="*"),
    _M(
        "SUP-02",
        "ValidatingPolicy images-by-digest",
        "spec.matchConstraints.namespaceSelector",
        lambda s: {
            "matchExpressions": [
                *s["matchExpressions"],
                {"key": "tenantry.io/tenant", "operator": "NotIn", "values": ["acme"]},
            ]
        },
        "",
    ),
    _M("SUP-03", EXCEPTION, "spec.expiresAt", "2099-12-31T23:59:59Z", IBERIA),
    _M("SUP-03", EXCEPTION, "spec.matchConditions", GONE, IBERIA),
    _M("SUP-03", EXCEPTION, "spec.policyRefs", then({"kind": "ValidatingPolicy", "name": "images-by-digest"}), IBERIA),
    _M(
        "SUP-03",
        "PolicyException kyverno/own",
        "",
        new(
            "PolicyException",
            "policies.kyverno.io/v1",
            "own",
            "kyverno",
            spec={
                "policyRefs": [{"kind": "ValidatingPolicy", "name": "images-by-digest"}],
                "expiresAt": "2027-01-01T00:00:00Z",
            },
        )
        | {
            "metadata": {
                "name": "own",
                "namespace": "kyverno",
                "annotations": {
                    "tenantry.io/control": "SUP-01",
                    "tenantry.io/owner": "a@b",
                    "tenantry.io/approver": "c@d",
                    "tenantry.io/reason": "r",
                },
            }
        },
        "",
    ),
    _M(
        "SUP-04",
        f"StatefulSet {CELL}/redis",
        f"{POD}.containers[0].image",
        f"registry.provider.example/platform/valkey:7.2.5{DIGEST}",
        "",
        also=("SUP-01",),
    ),
    _M(
        "SUP-04",
        WEB,
        f"{POD}.initContainers[1].image",
        f"registry.provider.example/platform/pgbouncer:1.18.0{DIGEST}",
        also=("SUP-01",),
    ),
    _M(
        "SUP-04",
        "ClusterImageCatalog postgresql",
        "spec.images[0].image",
        f"registry.provider.example/platform/postgresql:16.1{DIGEST}",
        "",
        also=("SUP-01",),
    ),
    *(dataclasses.replace(mutant, control="SUP-05", tenant="*") for mutant in HARMLESS),
)

CATCHES = f"{POD}.containers[0]"
PROBES = (
    _M("RUN-08", WEB, f"{CATCHES}.livenessProbe.failureThreshold", 4),
    _M("RUN-08", WEB, f"{CATCHES}.livenessProbe.terminationGracePeriodSeconds", GONE),
    _M("RUN-08", WEB, f"{CATCHES}.readinessProbe.exec.command", ["python3", "/etc/odoo-config/ready.py", "8069"]),
    _M("RUN-08", WEB, f"{CATCHES}.readinessProbe", {"httpGet": {"path": "/web/login", "port": "http"}}),
    _M("RUN-08", WEB, f"{CATCHES}.volumeMounts", lambda m: [x for x in m if x["name"] != "odoo-config"]),
    _M("RUN-08", f"Deployment {KESTREL}/odoo-websocket", f"{CATCHES}.readinessProbe.httpGet.path", "/web/health", K),
    _M("RUN-04", CONFIG, "data[options.conf]", text("db_maxconn_gevent = 32", "db_maxconn_gevent = 8")),
    _M("RUN-04", CONFIG, "data[options.conf]", text("db_maxconn_gevent = 32\n", "")),
    _M("DATA-05", CONFIG, "data[options.conf]", text("addons_path = ", "; addons_path = ")),
    _M("DATA-05", CONFIG, "data[options.conf]", text("session_redis,", "")),
    _M("RUN-08", WEB, f"{CATCHES}.startupProbe.failureThreshold", 3),
    _M("RUN-08", WEB, f"{CATCHES}.livenessProbe.timeoutSeconds", GONE),
    _M("RUN-08", WEB, f"{CATCHES}.readinessProbe.timeoutSeconds", GONE),
    _M(
        "RUN-08",
        f"Job {ACME}/odoo-migration",
        f"{CATCHES}.env",
        lambda e: [x | {"value": "http://127.0.0.1:8069"} if x["name"] == "MIGRATION_REPORT_URL" else x for x in e],
    ),
    _M("RUN-08", WEB, f"{CATCHES}.readinessProbe.failureThreshold", 1),
)

QUOTA = f"ResourceQuota {ACME}/quota"
DISK = (
    _M("RUN-03", WEB, f"{POD}.initContainers[0].resources.limits[ephemeral-storage]", GONE),
    _M("RUN-03", f"Job {ACME}/odoo-migration", f"{POD}.initContainers[0].resources.requests[ephemeral-storage]", GONE),
    _M("RUN-03", QUOTA, "spec.hard[limits.ephemeral-storage]", GONE),
    _M("RUN-03", QUOTA, "spec.hard[requests.ephemeral-storage]", "900Gi"),
    _M("RUN-05", QUOTA, "spec.hard[limits.ephemeral-storage]", "6Gi"),
    _M("RUN-03", f"LimitRange {ACME}/defaults", "spec.limits[0].default[ephemeral-storage]", GONE),
    _M("RUN-03", f"LimitRange {ACME}/defaults", "spec.limits[0].defaultRequest[memory]", GONE),
    _M("RUN-03", f"LimitRange {ACME}/defaults", "spec.limits[0].type", "Pod"),
    _M("RUN-03", WEB, f"{POD}.volumes", lambda v: [x | {"emptyDir": {}} if x["name"] == "tmp" else x for x in v]),
    _M("RUN-03", WEB, f"{CATCHES}.args", lambda a: [x for x in a if "memory-hard" not in x]),
    _M("RUN-03", WEB, f"{CATCHES}.args", lambda a: [x for x in a if "memory-soft" not in x]),
    _M("RUN-03", WEB, f"{CATCHES}.args", lambda a: [x.replace("memory-hard", "memory-soft") for x in a] + a[3:4]),
    _M(
        "RUN-03",
        f"Deployment {KESTREL}/odoo-cron",
        f"{CATCHES}.args",
        lambda a: [*a, "--limit-memory-hard=99999999999"],
        K,
    ),
)

LOGS = (
    _M(
        "OBS-01",
        f"Namespace {GLOBEX}",
        "metadata.annotations[tenantry.io/log-tenant]",
        "platform",
        "globex-eu",
        "euw1-globex",
    ),
)

FLIGHT = f"Middleware {ACME}/in-flight"
CONNECTIONS = (
    _M("EDGE-04", FLIGHT, "spec.inFlightReq.sourceCriterion", GONE),
    _M("EDGE-04", FLIGHT, "spec.inFlightReq.sourceCriterion", {"requestHost": True}),
    _M("EDGE-04", FLIGHT, "spec.inFlightReq.sourceCriterion.ipStrategy.depth", 1),
    _M(
        "EDGE-04",
        f"Middleware {ACME}/rate-limit",
        "spec.rateLimit.sourceCriterion",
        {"requestHeaderName": "X-Forwarded-For"},
    ),
    _M("EDGE-04", f"Middleware {ACME}/in-flight-websocket", "spec.inFlightReq.amount", 5000),
    _M(
        "EDGE-04",
        f"IngressRoute {ACME}/odoo-websocket",
        "spec.routes[0].middlewares",
        lambda m: [x | {"name": x["name"].removesuffix("-websocket")} for x in m],
    ),
    _M(
        "EDGE-04",
        PUBLIC,
        "spec.routes[1].middlewares",
        lambda m: [x | {"name": "in-flight-websocket"} if x["name"] == "in-flight" else x for x in m],
    ),
    _M("DATA-08", CONFIG, "data[sections.conf]", text('"endpoint_url": ', '"url": ')),
    _M("EDGE-01", PUBLIC, "spec.routes[1].match", text("web/+(?:health|", "web/+(?:webclient/+version_info|health|")),
    _M("EDGE-04", STATIC, YAML, text('trustedIPs: ["192.0.2.32/28"]', "insecure: true"), ""),
    _M("EDGE-04", STATIC, YAML, text('trustedIPs: ["192.0.2.32/28"]', 'trustedIPs: ["0.0.0.0/0"]'), ""),
    _M(
        "EDGE-04",
        STATIC,
        YAML,
        text("proxyProtocol: {", "forwardedHeaders: {insecure: true}\n    proxyProtocol: {"),
        "",
    ),
    _M("EDGE-04", STATIC, YAML, text("readTimeout: 300s", "readTimeout: 60s"), ""),
    _M("EDGE-04", STATIC, YAML, text("graceTimeOut: 300s", "graceTimeOut: 10s"), ""),
)

_JOB = f"Job {ACME}/odoo-migration"
GATE = (
    _M(
        "RUN-07",
        _JOB,
        f"{CATCHES}.env",
        lambda e: [x | {"value": "base"} if x["name"] == "MIGRATION_MODULES" else x for x in e],
    ),
    _M("RUN-07", _JOB, f"{CATCHES}.env", lambda e: [x for x in e if x["name"] != "MIGRATION_STORAGE_MODULES"]),
    _M("RUN-07", WEB, f"{CATCHES}.command", ["odoo"]),
    _M("RUN-07", WEB, f"{POD}.initContainers", lambda c: [x for x in c if x["name"] != "gate"]),
    _M("RUN-07", WEB, f"{POD}.initContainers[2].restartPolicy", "Always", also=("RUN-03", "RUN-05")),
    _M("RUN-07", WEB, f"{POD}.initContainers[2].command", ["true"]),
    _M("RUN-07", WEB, f"{POD}.initContainers[2].env[1].value", "odoo-18.0-20260101-000000000000"),
    _M("RUN-07", WEB, f"{POD}.initContainers[2].env[0].value", "acme_corp_production"),
    _M("RUN-07", WEB, f"{POD}.initContainers", lambda c: [c[2], c[0], c[1]]),
    _M(
        "RUN-07", f"Deployment {GLOBEX}/odoo-cron", f"{POD}.initContainers", lambda c: c[:2], "globex-eu", "euw1-globex"
    ),
    _M("RUN-07", f"Job {ACME}/odoo-backup", "metadata.annotations[argocd.argoproj.io/sync-wave]", "-1"),
    _M(
        "RUN-07",
        f"Job {ACME}/odoo-migration",
        "metadata.annotations[argocd.argoproj.io/hook]",
        "PostSync",
        also=("SUP-05",),
    ),
    _M(
        "RUN-07",
        f"Job {ACME}/odoo-migration",
        f"{POD}.containers[0].env",
        lambda e: [x for x in e if x["name"] != "MIGRATION_RELEASE"],
    ),
)

PLACES = (
    _M(
        "RES-01",
        "ConfigMap globex-us-production/stray",
        "",
        new("ConfigMap", "v1", "stray", "globex-us-production", data={"a": "b"}),
        "globex-us",
    ),
    _M("RES-01", "Namespace globex-us-production", "", new("Namespace", "v1", "globex-us-production"), "globex-us"),
    _M(
        "RES-01",
        "PersistentVolumeClaim globex-us-production/copy",
        "",
        new(
            "PersistentVolumeClaim",
            "v1",
            "copy",
            "globex-us-production",
            spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        ),
        "globex-us",
    ),
    _M(
        "RES-02",
        f"ObjectStore {KESTREL}/postgresql",
        "spec.configuration.destinationPath",
        "s3://use1-globex-backup/kestrel-insurance/production",
        K,
        also=("DATA-08", "BKP-07"),
    ),
    _M(
        "RES-02",
        f"ObjectStore {KESTREL}/postgresql",
        "spec.configuration.endpointURL",
        "https://objects.us-east.provider.example",
        K,
        also=("BKP-07",),
    ),
    _M("RES-02", "BackupStorageLocation velero/dr", "spec.config.region", "us-east", "*", told_of="*"),
    _M("RES-02", CONFIG, "data[sections.conf]", text("https://objects.eu-west", "https://objects.us-east")),
)

ARGOCD = "ConfigMap argocd/argocd-cm"
_HEALTH = "data[resource.customizations.health"
_PROJECT = "AppProject argocd/euw1-a-platform"
_APPLICATION = f"Application argocd/{ACME}-app"
_ISSUER = "ClusterIssuer public-acme"
_SOLVER = "spec.acme.solvers[0]"
ISSUERS = (
    _M("EDGE-05", _ISSUER, f"{_SOLVER}.dns01.cnameStrategy", GONE, ""),
    _M("EDGE-05", _ISSUER, f"{_SOLVER}.dns01.webhook.solverName", "other", ""),
    _M("EDGE-05", _ISSUER, f"{_SOLVER}.selector", {"dnsZones": ["erp.provider.example"]}, "", also=("V046",)),
    _M("EDGE-05", _ISSUER, _SOLVER, {"http01": {"ingress": {"ingressClassName": "traefik"}}}, "", also=("V055",)),
    _M("EDGE-05", _ISSUER, "spec.acme.solvers",
       then({"selector": {"dnsZones": ["example"]}, "http01": {"ingress": {"ingressClassName": "traefik"}}}), ""),
)  # fmt: skip
USERS = tuple(
    _M("RUN-09", one, f"{POD}.hostUsers", False, tenant)
    for one, tenant in ((WEB, "acme"), (f"Job {ACME}/odoo-migration", "acme"), (f"StatefulSet {CELL}/redis", ""))
)
DELIVERY = (
    _M("SUP-06", ARGOCD, f"{_HEALTH}.argoproj.io_Application]", GONE, ""),
    _M("SUP-06", ARGOCD, f"{_HEALTH}.argoproj.io_Application]", 'return {status = "Healthy"}', ""),
    _M("SUP-06", ARGOCD, f"{_HEALTH}.postgresql.cnpg.io_Database]", GONE, ""),
    _M("SUP-06", ARGOCD, f"{_HEALTH}.postgresql.cnpg.io_DatabaseRole]", text("status.observedGeneration", "status.generation"), ""),
    _M("SUP-06", ARGOCD, "data[resource.exclusions]", text("[Lease]", "[Lease]}\n- {kinds: [NetworkPolicy]"), ""),
    _M("SUP-06", ARGOCD, "data[resource.exclusions]", text("[coordination.k8s.io], kinds: [Lease]", '["*.k8s.io"], kinds: ["*"]'), ""),
    _M("SUP-06", "Application argocd/euw1-shared-a-cell", "metadata.annotations[argocd.argoproj.io/sync-wave]", "-1", ""),
    _M("SUP-06", f"Schedule velero/{ACME}", "metadata.annotations[argocd.argoproj.io/sync-wave]", "0", ""),
    _M("SUP-06", ARGOCD, "data[resource.exclusions]", "[a", ""),
    _M("SUP-06", ARGOCD, "data[resource.inclusions]", "- {kinds: [Deployment]}\n", ""),
    _M("SUP-06", ARGOCD, "data[application.resourceTrackingMethod]", "label", ""),
    _M("SUP-06", ARGOCD, "data[helm.enable]", GONE, ""),
    _M("SUP-06", ARGOCD, "metadata.labels[app.kubernetes.io/part-of]", "platform", ""),
    _M("SUP-06", ARGOCD, "", REMOVED, "", told_of=_PROJECT),
    _M("SUP-06", WEB, "spec.replicas", 2, also=("V053",)),
    _M("SUP-06", "Deployment northwind-partners-staging/odoo-web", "spec.replicas", 1, "northwind-partners", also=("V053",)),
    _M("SUP-06", _APPLICATION, "metadata.annotations[argocd.argoproj.io/compare-options]", GONE),
    _M("SUP-06", _APPLICATION, "spec.syncPolicy.syncOptions", ["PruneLast=true", "ApplyOutOfSyncOnly=true"]),
    _M("SUP-06", _APPLICATION, "spec.ignoreDifferences", [{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/template"]}]),
    _M("SUP-06", "ConfigMap argocd/argocd-cmd-params-cm", "data[controller.sync.timeout.seconds]", "35999", ""),
    _M("SUP-06", "ConfigMap argocd/argocd-cmd-params-cm", "data[controller.sync.timeout.seconds]", GONE, ""),
    _M("SUP-06", "ConfigMap argocd/argocd-cmd-params-cm", "data[application.namespaces]", "*", ""),
    _M("SUP-06", "ExternalSecret argocd/cluster", "spec.target.template.data.server", "https://192.0.2.1", ""),
    _M("SUP-06", "ExternalSecret argocd/repository", "spec.target.template.data.url", "https://git.example/other.git", ""),
    _M("SUP-06", "ExternalSecret argocd/repository", "spec.target.template.metadata", GONE, "", told_of=_PROJECT),
    _M("SUP-06", "ExternalSecret argocd/repository",
       "spec.target.template.metadata.labels[argocd.argoproj.io/secret-type]", "repo-creds", "", told_of="*"),
    _M("IAM-07", "ExternalSecret argocd/repository", "spec.data[0].remoteRef.key", "tenants/acme/production/odoo", ""),
    _M("IAM-07", "SecretStore argocd/openbao", "spec.provider.vault.auth.kubernetes.role", "acme-production", ""),
    _M("IAM-09", "ExternalSecret argocd/repository", "spec.data[0].remoteRef.key", "platform/euw1-a/argocd/cluster", ""),
)  # fmt: skip

COST = (
    _M(
        "CST-01",
        WEB,
        f"{POD}.containers[0].resources.requests.cpu",
        "32",
        also=("RUN-05", "RUN-03", "V033", "V052"),
        told_of="*",
    ),
    _M("CST-01", OWN_SERVER, "spec.storage.size", "9000Gi", K, also=("RUN-05", "BKP-05", "V052"), told_of="*"),
    _M(
        "CST-01",
        WEB,
        f"{POD}.containers[0].resources.requests.memory",
        "400Gi",
        also=("RUN-05", "RUN-03", "V033", "V052"),
        told_of="*",
    ),
)

_VALUES = "spec.source.helm.valuesObject"


def chart(name: str) -> str:
    """The Application of a platform component."""
    return f"Application argocd/{name}-chart"


def _value(name: str, path: str, to: Any, control: str = "SUP-07") -> Mutant:
    return _M(control, chart(name), f"{_VALUES}.{path}", to, "")


EDGE_CHART, POLICY_CHART = chart("traefik"), chart("kyverno")
CHARTS = (
    _value("kyverno", "admissionController.replicas", 1),
    _value("kyverno", "admissionController.replicas", GONE),
    _value("kyverno", "admissionController.priorityClassName", GONE),
    _value("kyverno", "features.forceFailurePolicyIgnore.enabled", True),
    _value("kyverno", "features.policyExceptions.namespace", "*"),
    _value("kyverno", "features.policyExceptions.enabled", GONE),
    _value("kyverno", "reportsController.rbac", GONE),
    _value("cloudnative-pg", "serviceAccount.name", "cloudnative-pg"),
    _value("cloudnative-pg", "config.clusterWide", False),
    _value("cloudnative-pg", "webhook.validating.failurePolicy", "Ignore"),
    _value("cloudnative-pg", "image.tag", "1.29.1"),
    _value("cloudnative-pg", "nameOverride", "postgres"),
    _value("plugin-barman-cloud", "serviceAccount", GONE),
    _value("plugin-barman-cloud", "sidecarImage", GONE),
    _value("velero", "serviceAccount.server.name", GONE),
    _value("velero", "deployNodeAgent", False),
    _value("velero", "configuration.features", GONE),
    _value("velero", "backupsEnabled", GONE),
    _value("cert-manager", "webhook.replicaCount", 1),
    _value("cert-manager", "clusterResourceNamespace", "kube-system"),
    _value("cert-manager", "crds", GONE),
    _value("external-secrets", "processClusterStore", GONE),
    _value("external-secrets", "scopedNamespace", "acme-production"),
    _value("external-secrets", "webhook.replicaCount", "3"),
    _value("keda", "permissions.operator.restrict.secret", GONE),
    _value("keda", "watchNamespace", "keda"),
    _value("metrics-server", "replicas", 1),
    _value("metrics-server", "apiService.create", False),
    _value("kube-prometheus-stack", "prometheus.prometheusSpec.podMonitorSelectorNilUsesHelmValues", GONE),
    _value("kube-prometheus-stack", "prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues", True),
    _value("kube-prometheus-stack", "alertmanager.enabled", False),
    _value("kube-prometheus-stack", "prometheus.prometheusSpec.probeSelectorNilUsesHelmValues", GONE),
    _value("kube-prometheus-stack", "alertmanager.alertmanagerSpec.alertmanagerConfigSelector", GONE),
    _value("kube-prometheus-stack", "alertmanager.alertmanagerSpec.alertmanagerConfigMatcherStrategy", GONE),
    _value("kube-prometheus-stack", "kubelet.enabled", False),
    _value("traefik", "volumes", GONE),
    _value("traefik", "volumes", lambda v: [*v, {"name": "more", "mountPath": "/etc/traefik/more", "type": "secret"}]),
    _value("traefik", "image.tag", "v3.6.0"),
    _value("traefik", "deployment.replicas", 1),
    _value("traefik", "deployment.terminationGracePeriodSeconds", 60),
    _value("traefik", "deployment.podAnnotations", GONE),
    _value("traefik", "podDisruptionBudget.enabled", False),
    _value("traefik", "service.spec.externalTrafficPolicy", "Cluster"),
    _value("traefik", "providers.kubernetesCRD.allowCrossNamespace", True),
    _value("traefik", "additionalArguments", ["--api.insecure=true"]),
    _value("traefik", "hostNetwork", True),
    _value("traefik", "ports.websecure.port", 9443),
    _value("traefik", "ports.web", GONE),
    _value("traefik", "ports.metrics.expose.default", True),
    _value("traefik", "ports.web.hostPort", 80),
    _value("traefik", "ports.traefik", {"port": 8080, "expose": {"default": True}}),
    _M("SUP-07", EDGE_CHART, f"{_VALUES}.ports.private.expose.default", True, "", "euw1-globex"),
    _M(
        "SUP-07",
        EDGE_CHART,
        f"{_VALUES}.service.additionalServices.private.spec.externalTrafficPolicy",
        GONE,
        "",
        "euw1-globex",
    ),
    _M("SUP-07", POLICY_CHART, "spec.source.targetRevision", "3.x", "", also=("V078",)),
    _M("SUP-07", POLICY_CHART, "spec.source.targetRevision", "3.8.0", ""),
    _M("SUP-07", POLICY_CHART, "spec.source.chart", "kyverno-policies", ""),
    _M(
        "SUP-07",
        POLICY_CHART,
        "spec.source.helm.parameters",
        [{"name": "admissionController.replicas", "value": "1"}],
        "",
    ),
    _M("SUP-07", POLICY_CHART, "spec.source.helm.releaseName", "policies", ""),
    _M("SUP-07", POLICY_CHART, "spec.source.path", "charts/kyverno", ""),
    _M("SUP-07", POLICY_CHART, "spec.destination.namespace", "monitoring", "", also=("V064",)),
    _M("SUP-07", POLICY_CHART, "", REMOVED, "", told_of="AppProject argocd/euw1-a-platform"),
    _M("SUP-06", POLICY_CHART, "spec.syncPolicy.automated.selfHeal", False, ""),
    _M("SUP-06", "Application argocd/acme-production-app", "spec.source.directory", GONE),
    _M("SUP-06", "ConfigMap argocd/argocd-cm", "data[helm.enable]", "false", ""),
    _M("IAM-05", POLICY_CHART, "spec.project", "keda-chart", "", also=("V064",)),
    _M("IAM-05", "AppProject argocd/kyverno-chart", "spec.sourceRepos", then("https://charts.example/other"), ""),
    _M(
        "IAM-05",
        "AppProject argocd/kyverno-chart",
        "spec.destinations[0].namespace",
        "acme-production",
        "",
        also=("V064",),
    ),
    _M(
        "IAM-05",
        "AppProject argocd/kyverno-chart",
        "spec.destinations[0].server",
        "https://192.0.2.1",
        "",
        also=("V064",),
    ),
    _M(
        "IAM-05",
        "AppProject argocd/kyverno-chart",
        "spec.clusterResourceWhitelist",
        then({"group": "", "kind": "Namespace"}),
        "",
    ),
    _M(
        "IAM-05",
        "AppProject argocd/kyverno-chart",
        "spec.clusterResourceWhitelist",
        then({"group": "policies.kyverno.io", "kind": "ValidatingPolicy"}),
        "",
    ),
    _M(
        "IAM-05",
        "AppProject argocd/kyverno-chart",
        "spec.namespaceResourceWhitelist",
        then({"group": "argoproj.io", "kind": "Application"}),
        "",
    ),
    _M("IAM-05", "AppProject argocd/kyverno-chart", "spec.namespaceResourceWhitelist", GONE, ""),
    _M(
        "IAM-05",
        "AppProject argocd/kyverno-chart",
        "",
        REMOVED,
        "",
        told_of="AppProject argocd/euw1-a-platform",
        also=("V060", "V064"),
    ),
)

FOUND_BY_FUZZING = (
    _M("NET-11", f"ServiceAccount {ACME}/odoo-web", "metadata.labels[tenantry.io/environment]", GONE),
    _M("DATA-06", WEB, f"{POD}.containers[0].env[2].name", "ODOO_SESSION_REDISX"),
    _M(
        "DATA-06",
        WEB,
        f"{POD}.containers[0].env[4].valueFrom.secretKeyRef.name",
        "database-user",
        also=("V061", "IAM-10"),
    ),
    _M("BKP-01", f"ObjectStore {CELL}/postgresql", "spec.configuration.s3Credentials", GONE, ""),
    _M("OBS-02", f"PrometheusRule {CELL}/cell", "spec", {"groups": []}, "", also=("BKP-07",)),
)

VALKEY = f"StatefulSet {CELL}/redis"
# fmt: off
ROTATION = (
    _M("IAM-10", WEB, f"{POD}.containers[0].env[9]",
       {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "database-user", "key": "password"}}}),
    _M("IAM-10", WEB, f"{POD}.initContainers[1].command", ["pgbouncer"]),
    _M("IAM-10", WEB, f"{POD}.initContainers[1].volumeMounts[1].subPath", "userlist.txt"),
    _M("IAM-10", WEB, f"{POD}.initContainers[0].envFrom", [{"secretRef": {"name": "odoo-secret"}}]),
    _M("IAM-10", VALKEY, f"{POD}.containers[1].command", ["/bin/sh", "-c", "sleep inf"], ""),
    _M("IAM-10", VALKEY, f"{POD}.containers[1].volumeMounts[2]", GONE, ""),
    _M("IAM-10", f"Certificate {CELL}/postgresql-server-tls", "spec.secretTemplate", GONE, "", told_of=SERVER),
    _M("IAM-10", f"ExternalSecret {CELL}/database-{ACME}", "spec.target.template.metadata", GONE, "", told_of=f"DatabaseRole {CELL}/{ACME}"),
    _M("IAM-10", f"ExternalSecret {CELL}/database-{ACME}", "spec.refreshPolicy", GONE, ""),
    _M("IAM-10", f"ExternalSecret {ACME}/database-user", "spec.refreshPolicy", "CreatedOnce"),
    _M("IAM-10", f"ExternalSecret {ACME}/object-storage", "spec.refreshPolicy", "Periodic"),
    _M("IAM-10", f"ExternalSecret {ACME}/backup-storage", "spec.refreshInterval", "0s"),
    _M("IAM-10", f"ExternalSecret {ACME}/registry", "spec.target.immutable", True),
    _M("IAM-10", f"ExternalSecret {ACME}/object-storage", "spec.data[1].remoteRef.property", "secret-access-key-2"),
    _M("IAM-10", ACL, "spec.data[3].remoteRef.property", "password-2"),
)
# fmt: on

MUTANTS: tuple[Mutant, ...] = (
    *NETWORK, *ACCESS, *DATA, *RUN, *EDGE, *BACKUP, *LEAVING, *DRILLS, *SUPPLY, *GATE, *PROBES, *DISK, *LOGS, *CONNECTIONS, *PLACES, *DELIVERY, *USERS, *ISSUERS, *COST, *FOUND_BY_FUZZING,
    *FORMERLY_UNNAMED, *CHARTS, *ROTATION,
)  # fmt: skip
