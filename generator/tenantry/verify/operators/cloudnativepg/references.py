"""References of databases, roles, poolers and backups to their Cluster, and of a Cluster to what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.index import Index, missing, not_in_cluster
from tenantry.verify.kubernetes.pods import secret, storage_class
from tenantry.verify.operators.cloudnativepg.rules import GROUP
from tenantry.verify.registration import references_of


@references_of(GROUP, "Backup", "Database", "DatabaseRole", "Pooler", "ScheduledBackup")
def of_cluster(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """ScheduledBackup, Backup, Pooler, Database and DatabaseRole name their Cluster."""
    namespace = manifest.identity.namespace
    name = text(mapping(manifest.spec.get("cluster")).get("name"))
    if name and not index.has(GROUP, "Cluster", namespace, name):
        yield missing(index, namespace, ("spec", "cluster", "name"), f"Cluster '{name}' in '{namespace}'")
    reference = mapping(manifest.spec.get("passwordSecret"))
    yield from secret(index, namespace, reference, ("spec", "passwordSecret"), ["username", "password"])
    owner, database = text(manifest.spec.get("owner")), manifest.identity.kind == "Database"
    cluster = index.get(GROUP, "Cluster", namespace, name)
    if database and owner and cluster is not None and not index.partial:
        yield from _owner(index, cluster, owner)


def _owner(index: Index, cluster: Manifest, owner: str) -> Iterator[Problem]:
    managed = {text(role.get("name")) for _, role in entries(mapping(cluster.spec.get("managed")).get("roles"))}
    declared = {
        text(role.spec.get("name")) for role in index.of(GROUP, "DatabaseRole")
        if role.identity.namespace == cluster.identity.namespace
        and mapping(role.spec.get("cluster")).get("name") == cluster.identity.name
    }  # fmt: skip
    first = mapping(mapping(cluster.spec.get("bootstrap")).get("initdb")).get("owner", "app")
    if owner not in managed | declared | {str(first), "postgres"}:
        severe = bool(managed or declared)
        message = f"no DatabaseRole or managed role makes '{owner}' in the Cluster '{cluster.identity.name}'"
        yield Problem("V060" if severe else "V067", ("spec", "owner"), message, "", "error" if severe else "warning")


@references_of(GROUP, "Cluster")
def cluster(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A PostgreSQL cluster's image catalogue, passwords, certificates and object stores."""
    namespace, spec = manifest.identity.namespace, manifest.spec
    for part in ("storage", "walStorage"):
        yield from storage_class(index, ("spec", part, "storageClass"), mapping(spec.get(part)).get("storageClass"))
    catalog = mapping(spec.get("imageCatalogRef"))
    kind, name = text(catalog.get("kind")), text(catalog.get("name"))
    if name:
        space = "" if kind == "ClusterImageCatalog" else namespace
        found = index.get(GROUP, kind, space, name)
        path: Path = ("spec", "imageCatalogRef")
        if found is not None:
            majors = [image.get("major") for _, image in entries(found.spec.get("images"))]
            if catalog.get("major") not in majors:
                yield Problem(
                    "V061", (*path, "major"), f"{kind} '{name}' has no image of PostgreSQL {catalog.get('major')}"
                )
        elif not index.has(GROUP, kind, space, name):
            known = bool(index.of(GROUP, kind)) or index.partial or bool(space and index.makes_namespace(space))
            yield not_in_cluster(known, (*path, "name"), f"{kind} '{name}'")
    for number, role in entries(mapping(spec.get("managed")).get("roles")):
        where = ("spec", "managed", "roles", number, "passwordSecret")
        yield from secret(index, namespace, mapping(role.get("passwordSecret")), where, ["username", "password"])
    yield from _cluster_secrets(manifest, index)
    certificates = mapping(spec.get("certificates"))
    for field in ("serverTLSSecret", "serverCASecret", "clientCASecret", "replicationTLSSecret"):
        yield from secret(index, namespace, {"name": certificates.get(field)}, ("spec", "certificates", field))
    for number, plugin in entries(spec.get("plugins")):
        yield from _object_store(index, namespace, plugin, ("spec", "plugins", number))
    for number, external in entries(spec.get("externalClusters")):
        own = ("spec", "externalClusters", number, "plugin")
        yield from _object_store(index, namespace, mapping(external.get("plugin")), own)


def _cluster_secrets(manifest: Manifest, index: Index) -> Iterator[Problem]:
    namespace, spec = manifest.identity.namespace, manifest.spec
    for way in ("initdb", "recovery", "pg_basebackup"):
        reference = mapping(mapping(mapping(spec.get("bootstrap")).get(way)).get("secret"))
        yield from secret(index, namespace, reference, ("spec", "bootstrap", way, "secret"), ["username", "password"])
    yield from secret(index, namespace, mapping(spec.get("superuserSecret")), ("spec", "superuserSecret"))
    for number, pulled in entries(spec.get("imagePullSecrets")):
        yield from secret(index, namespace, pulled, ("spec", "imagePullSecrets", number))
    for number, external in entries(spec.get("externalClusters")):
        for field in ("password", "sslCert", "sslKey", "sslRootCert"):
            wanted = mapping(external.get(field))
            where: Path = ("spec", "externalClusters", number, field)
            yield from secret(index, namespace, wanted, where, [text(wanted.get("key"))])


def _object_store(index: Index, namespace: str, plugin: Value, path: Path) -> Iterator[Problem]:
    name = text(mapping(plugin.get("parameters")).get("barmanObjectName"))
    if name and not index.has("barmancloud.cnpg.io", "ObjectStore", namespace, name):
        where = (*path, "parameters", "barmanObjectName")
        yield missing(index, namespace, where, f"ObjectStore '{name}' in '{namespace}'")


@references_of("barmancloud.cnpg.io", "ObjectStore")
def object_store(manifest: Manifest, index: Index) -> Iterator[Problem]:
    credentials = mapping(mapping(manifest.spec.get("configuration")).get("s3Credentials"))
    for field in ("accessKeyId", "secretAccessKey", "sessionToken", "region"):
        reference = mapping(credentials.get(field))
        path = ("spec", "configuration", "s3Credentials", field)
        yield from secret(index, manifest.identity.namespace, reference, path, [text(reference.get("key"))])
