"""What CloudNativePG makes: Pods, Services, Secrets and ServiceAccounts (pkg/specs of v1.30.0)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, mapping, text
from tenantry.verify.operators.cloudnativepg.rules import GROUP
from tenantry.verify.registration import (
    Keys,
    MadePods,
    Ports,
    makes_accounts,
    makes_pods,
    makes_secrets,
    makes_services,
)

makes_accounts(GROUP, "Cluster")


@makes_pods(GROUP, "Cluster")
def pods(manifest: Manifest) -> Iterator[MadePods]:
    """Instances, and the Jobs that set them up."""
    namespace, name = manifest.identity.namespace, manifest.identity.name
    inherited = mapping(mapping(manifest.spec.get("inheritedMetadata")).get("labels"))
    database: frozenset[str | int] = frozenset({"postgresql", "metrics", "status", 5432, 9187, 8000})
    own = {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance", "app.kubernetes.io/name": "postgresql"}
    for role in ("primary", "replica"):
        labels = {**inherited, **own, "cnpg.io/instanceRole": role, "role": role}
        yield MadePods(namespace, labels, database, manifest)
    for job in ("initdb", "join", "full-recovery", "pgbasebackup", "snapshot-recovery", "import"):
        yield MadePods(namespace, {**inherited, "cnpg.io/cluster": name, "cnpg.io/jobRole": job}, frozenset(), manifest)


@makes_pods(GROUP, "Pooler")
def pooler_pods(manifest: Manifest) -> Iterator[MadePods]:
    """PgBouncer."""
    namespace, name = manifest.identity.namespace, manifest.identity.name
    template = mapping(mapping(manifest.spec.get("template")).get("metadata"))
    cluster = text(mapping(manifest.spec.get("cluster")).get("name"))
    labels = {
        **mapping(template.get("labels")), "cnpg.io/poolerName": name, "cnpg.io/podRole": "pooler",
        "cnpg.io/cluster": cluster,
    }  # fmt: skip
    yield MadePods(namespace, labels, frozenset({"pgbouncer", "metrics", 5432, 9127}), manifest)


@makes_services(GROUP, "Cluster")
def services(manifest: Manifest) -> Iterator[tuple[str, Ports]]:
    """The primary, the replicas, and any instance."""
    for ending in ("rw", "ro", "r"):
        yield f"{manifest.identity.name}-{ending}", frozenset({5432, "postgres"})


@makes_services(GROUP, "Pooler")
def pooler_service(manifest: Manifest) -> Iterator[tuple[str, Ports]]:
    """PgBouncer's."""
    yield manifest.identity.name, frozenset({5432, "pgbouncer"})


@makes_secrets(GROUP, "Cluster")
def secrets(manifest: Manifest) -> Iterator[tuple[str, Keys]]:
    """Certificates and the passwords of the first roles."""
    for ending in ("ca", "server", "replication", "app", "superuser"):
        yield f"{manifest.identity.name}-{ending}", None


@makes_secrets(GROUP, "DatabaseRole")
def client_certificate(manifest: Manifest) -> Iterator[tuple[str, Keys]]:
    """A role's client certificate, where it asks for one."""
    if mapping(manifest.spec.get("clientCertificate")).get("enabled"):
        yield f"{manifest.identity.name}-client-cert", None
