"""The rendered PostgreSQL of a shared cell: its namespace, quota, policies and roles as they are, on smaller volumes."""

from __future__ import annotations

import base64
import copy
import time
from typing import Any

import pytest

from acceptance.harness import fleet
from acceptance.harness.certificates import Authority
from acceptance.harness.process import wait_for
from acceptance.harness.secrets import data_of
from cluster.base import Cluster, Manifest
from cluster.operators import install_cloudnative_pg
from cluster.plugin import Show
from images.builder import ensure

CELL = "euw1-shared-a-cell"
OPERAND = "localhost/tenantry/postgresql:dev"
SMALL = {
    "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
    "storage": {"size": "2Gi"}, "walStorage": {"size": "2Gi"},
}  # fmt: skip
SMALL_PARAMETERS = {
    "shared_buffers": "128MB", "effective_cache_size": "256MB", "max_connections": "300", "max_wal_size": "512MB",
    "max_slot_wal_keep_size": "512MB",
    # The operator's pg_basebackup waits for a checkpoint at PostgreSQL's own pace: up to nine tenths of this, 270 s by default.
    "checkpoint_timeout": "30s",
}  # fmt: skip
"""A size that this machine has: requests, volumes and memory; and a pace of checkpoints that a check can wait for."""
BEFORE = ("Namespace", "LimitRange", "ResourceQuota", "NetworkPolicy", "ServiceAccount")


def smaller(manifest: Manifest) -> Manifest:
    """The Cluster at that size, and without what needs the object store."""
    made = copy.deepcopy(manifest)
    spec = made["spec"]
    for part in ("storage", "walStorage"):
        spec[part] |= SMALL[part]
    spec["resources"] = SMALL["resources"]
    spec["postgresql"]["parameters"] |= SMALL_PARAMETERS
    del spec["plugins"]
    return made


def secret(name: str, data: dict[str, str], kind: str = "Opaque") -> Manifest:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"name": name, "namespace": CELL}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": encoded}


def of_cell(*kinds: str) -> list[Manifest]:
    return [
        item.manifest
        for kind in kinds
        for item in fleet.every(kind, cluster="euw1-a")
        if CELL in (item.namespace, item.name)
    ]


@pytest.fixture(scope="module")
def database(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The cell's PostgreSQL, started; External Secrets, cert-manager and the archive are not there, so their Secrets are made here."""
    install_cloudnative_pg(cluster)
    cluster.load_archive(ensure("postgresql"))
    platform = {
        item.name: item.manifest
        for kind in ("PriorityClass", "ClusterImageCatalog")
        for item in fleet.every(kind, cluster="euw1-a")
    }
    catalog = copy.deepcopy(platform["postgresql"])
    for image in catalog["spec"]["images"]:
        image["image"] = OPERAND
    cluster.apply([platform["tenantry-production"], catalog, *of_cell(*BEFORE)])
    certificate = fleet.one("Certificate", CELL, "postgresql-server-tls", cluster="euw1-a").manifest["spec"]
    authority = Authority(tmp_path_factory.mktemp("authority"), "internal")
    pair = authority.issue("server", tuple(certificate["dnsNames"]))
    tls = {
        "tls.crt": pair.certificate.read_text(),
        "tls.key": pair.key.read_text(),
        "ca.crt": authority.certificate.read_text(),
    }
    cluster.apply([secret(certificate["secretName"], tls, "kubernetes.io/tls")])
    cluster.apply([secret("registry", {".dockerconfigjson": "{}"}, "kubernetes.io/dockerconfigjson")])
    for external in of_cell("ExternalSecret"):
        if external["metadata"]["name"].startswith("database-"):
            target = external["spec"]["target"]
            cluster.apply([secret(target["name"], data_of(external), target["template"]["type"])])
    cluster.apply([smaller(manifest) for manifest in of_cell("Cluster")])
    cluster.apply(of_cell("DatabaseRole", "Database"))
    return cluster


def status(cluster: Cluster) -> dict[str, Any]:
    (found,) = cluster.api.list("postgresql.cnpg.io/v1", "Cluster", CELL)
    return dict(found.get("status", {}))


def healthy(cluster: Cluster) -> bool:
    found = status(cluster)
    assert found.get("phase") == "Cluster in healthy state", f"{found.get('phase')}: {found.get('phaseReason')}"
    return bool(found["readyInstances"] == 3)


def test_three_instances_start_in_three_zones_under_the_rendered_rules(database: Cluster, show: Show) -> None:
    began = time.monotonic()
    database.wait_in(CELL, "three instances", lambda: healthy(database), 240)
    pods = database.api.list("v1", "Pod", CELL)
    nodes = {pod["spec"]["nodeName"] for pod in pods if pod["metadata"]["labels"].get("cnpg.io/podRole") == "instance"}
    assert nodes == {"shared-db-a", "shared-db-b", "shared-db-c"}
    show(f"3 of 3 ready after {time.monotonic() - began:.0f} s, on {', '.join(sorted(nodes))}")
    show("not covered: archive (no object store here); certificates and passwords are made by the check")


def test_databases_and_roles_are_made_for_every_tenant_and_nobody_else_may_connect(
    database: Cluster, show: Show
) -> None:
    wanted = {m["metadata"]["name"] for m in of_cell("Database")}

    def applied() -> bool:
        found = database.api.list("postgresql.cnpg.io/v1", "Database", CELL)
        return {m["metadata"]["name"] for m in found if m.get("status", {}).get("applied")} == wanted

    database.wait_in(CELL, "databases applied", applied, 60)
    primary = status(database)["currentPrimary"]

    def ask(role: str, password: str, name: str) -> str:
        address = f"postgresql://{role}:{password}@postgresql-rw/{name}?sslmode=require&connect_timeout=5"
        return database.inside(
            CELL,
            primary,
            "psql",
            address,
            "-Atc",
            "select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()",
            code=None,
        )

    roles = {m["spec"]["name"]: m["spec"]["passwordSecret"]["name"] for m in of_cell("DatabaseRole")}
    externals = {m["spec"]["target"]["name"]: m for m in of_cell("ExternalSecret")}
    names = {m["spec"]["owner"]: m["spec"]["name"] for m in of_cell("Database")}
    for role, source in roles.items():
        password = data_of(externals[source])["password"]
        wait_for(
            f"{role} may log in",
            lambda role=role, password=password: f"{role}|t" in ask(role, password, names[role]),
            60,
            every=1,
        )
        other = next(name for owner, name in names.items() if owner != role)
        assert "pg_hba.conf rejects" in ask(role, password, other)
    show(f"{len(roles)} roles: own database over TLS answers, a neighbour's is rejected by pg_hba.conf")


def test_a_lost_primary_is_replaced(database: Cluster, show: Show) -> None:
    database.wait_in(CELL, "three instances", lambda: healthy(database), 120)
    before = status(database)["currentPrimary"]
    began = time.monotonic()
    database.kubectl("-n", CELL, "delete", "pod", before, "--wait=false", "--grace-period=1")
    wait_for("another primary", lambda: status(database)["currentPrimary"] != before, 120, every=0.2)
    promoted = time.monotonic() - began
    database.wait_in(CELL, "three instances", lambda: healthy(database), 240)
    show(f"another primary after {promoted:.1f} s, 3 of 3 after {time.monotonic() - began:.0f} s")
