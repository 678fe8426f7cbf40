"""References that operators follow: certificates, databases, routes, secret stores, backups."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, dig, entries, mapping, text
from tenantry.verify.references.index import Index, missing, not_in_cluster
from tenantry.verify.references.pods import secret

_CNPG = "postgresql.cnpg.io"


def certificate(manifest: Manifest, index: Index) -> Iterator[Problem]:
    reference = mapping(manifest.spec.get("issuerRef"))
    if text(reference.get("group")) not in ("", "cert-manager.io"):
        return
    kind, name = text(reference.get("kind")) or "Issuer", text(reference.get("name"))
    namespace = manifest.identity.namespace if kind == "Issuer" else ""
    if name and not index.has("cert-manager.io", kind, namespace, name):
        known = index.of("cert-manager.io", kind) or index.partial or (namespace and index.makes_namespace(namespace))
        yield not_in_cluster(bool(known), ("spec", "issuerRef", "name"), f"{kind} '{name}'")


def external_secret(manifest: Manifest, index: Index) -> Iterator[Problem]:
    yield from _store(manifest, index, ("spec", "secretStoreRef"))
    for number, _ in entries(manifest.spec.get("data")):
        yield from _store(manifest, index, ("spec", "data", number, "sourceRef", "storeRef"))


def _store(manifest: Manifest, index: Index, where: Path) -> Iterator[Problem]:
    namespace = manifest.identity.namespace
    reference = mapping(dig(manifest.value, *where))
    kind, name = text(reference.get("kind")) or "SecretStore", text(reference.get("name"))
    path: Path = (*where, "name")
    if not name:
        return
    if kind == "SecretStore":
        if not index.has("external-secrets.io", kind, namespace, name):
            yield missing(index, namespace, path, f"SecretStore '{name}' in '{namespace}'")
    elif not index.has("external-secrets.io", kind, "", name):
        known = bool(index.of("external-secrets.io", kind)) or index.partial
        yield not_in_cluster(known, path, f"{kind} '{name}'")


_LOGINS: tuple[Path, ...] = (
    ("vault", "auth", "kubernetes", "serviceAccountRef"),
    ("aws", "auth", "jwt", "serviceAccountRef"),
    ("gcpsm", "auth", "workloadIdentity", "serviceAccountRef"),
    ("azurekv", "serviceAccountRef"),
    ("kubernetes", "auth", "serviceAccount"),
)
"""Where the providers of a store name the ServiceAccount by which they log in."""


def secret_store(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """The ServiceAccount by which a store logs in."""
    namespace = manifest.identity.namespace
    for login in _LOGINS:
        path: Path = ("spec", "provider", *login)
        reference = mapping(dig(manifest.value, *path))
        name, space = text(reference.get("name")), text(reference.get("namespace")) or namespace
        if name and space and not index.has("", "ServiceAccount", space, name):
            yield missing(index, space, (*path, "name"), f"ServiceAccount '{name}' in '{space}'")


def of_cluster(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """ScheduledBackup, Backup, Pooler, Database and DatabaseRole name their Cluster."""
    namespace = manifest.identity.namespace
    name = text(mapping(manifest.spec.get("cluster")).get("name"))
    if name and not index.has(_CNPG, "Cluster", namespace, name):
        yield missing(index, namespace, ("spec", "cluster", "name"), f"Cluster '{name}' in '{namespace}'")
    reference = mapping(manifest.spec.get("passwordSecret"))
    yield from secret(index, namespace, reference, ("spec", "passwordSecret"), ["username", "password"])
    owner, database = text(manifest.spec.get("owner")), manifest.identity.kind == "Database"
    cluster = index.get(_CNPG, "Cluster", namespace, name)
    if database and owner and cluster is not None and not index.partial:
        yield from _owner(index, cluster, owner)


def _owner(index: Index, cluster: Manifest, owner: str) -> Iterator[Problem]:
    managed = {text(role.get("name")) for _, role in entries(mapping(cluster.spec.get("managed")).get("roles"))}
    declared = {
        text(role.spec.get("name")) for role in index.of(_CNPG, "DatabaseRole")
        if role.identity.namespace == cluster.identity.namespace
        and mapping(role.spec.get("cluster")).get("name") == cluster.identity.name
    }  # fmt: skip
    first = mapping(mapping(cluster.spec.get("bootstrap")).get("initdb")).get("owner", "app")
    if owner not in managed | declared | {str(first), "postgres"}:
        severe = bool(managed or declared)
        message = f"no DatabaseRole or managed role makes '{owner}' in the Cluster '{cluster.identity.name}'"
        yield Problem("V060" if severe else "V067", ("spec", "owner"), message, "", "error" if severe else "warning")


def cluster(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A PostgreSQL cluster's image catalogue, passwords, certificates and object stores."""
    namespace, spec = manifest.identity.namespace, manifest.spec
    catalog = mapping(spec.get("imageCatalogRef"))
    kind, name = text(catalog.get("kind")), text(catalog.get("name"))
    if name:
        space = "" if kind == "ClusterImageCatalog" else namespace
        found = index.get(_CNPG, kind, space, name)
        path: Path = ("spec", "imageCatalogRef")
        if found is not None:
            majors = [image.get("major") for _, image in entries(found.spec.get("images"))]
            if catalog.get("major") not in majors:
                yield Problem(
                    "V061", (*path, "major"), f"{kind} '{name}' has no image of PostgreSQL {catalog.get('major')}"
                )
        elif not index.has(_CNPG, kind, space, name):
            known = bool(index.of(_CNPG, kind)) or index.partial or bool(space and index.makes_namespace(space))
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


def object_store(manifest: Manifest, index: Index) -> Iterator[Problem]:
    credentials = mapping(mapping(manifest.spec.get("configuration")).get("s3Credentials"))
    for field in ("accessKeyId", "secretAccessKey", "sessionToken", "region"):
        reference = mapping(credentials.get(field))
        path = ("spec", "configuration", "s3Credentials", field)
        yield from secret(index, manifest.identity.namespace, reference, path, [text(reference.get("key"))])


def route(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """IngressRoute: middlewares, Services and their ports, TLSOption, certificate."""
    namespace = manifest.identity.namespace
    for number, content in entries(manifest.spec.get("routes")):
        path: Path = ("spec", "routes", number)
        for place, reference in entries(content.get("middlewares")):
            yield from _traefik(index, namespace, "Middleware", reference, (*path, "middlewares", place))
        for place, reference in entries(content.get("services")):
            yield from _route_service(index, namespace, reference, (*path, "services", place))
    tls = mapping(manifest.spec.get("tls"))
    yield from _traefik(index, namespace, "TLSOption", mapping(tls.get("options")), ("spec", "tls", "options"))
    yield from secret(
        index, namespace, {"name": tls.get("secretName")}, ("spec", "tls", "secretName"), ["tls.crt", "tls.key"]
    )


def _traefik(index: Index, namespace: str, kind: str, reference: Value, path: Path) -> Iterator[Problem]:
    name, space = text(reference.get("name")), text(reference.get("namespace")) or namespace
    if name and "@" not in name and not index.has("traefik.io", kind, space, name):
        yield missing(index, space, (*path, "name"), f"{kind} '{name}' in '{space}'", "Traefik drops the route")


def _route_service(index: Index, namespace: str, reference: Value, path: Path) -> Iterator[Problem]:
    name, space = text(reference.get("name")), text(reference.get("namespace")) or namespace
    if not name or "@" in name:
        return
    if text(reference.get("kind")) == "TraefikService":
        yield from _traefik(index, namespace, "TraefikService", reference, path)
        return
    if (space, name) not in index.services:
        if not index.has("", "Service", space, name):
            yield missing(index, space, (*path, "name"), f"Service '{name}' in '{space}'", "Traefik drops the route")
        return
    ports, port = index.services[space, name], reference.get("port")
    if ports is not None and isinstance(port, (str, int)) and port not in ports:
        yield Problem(
            "V062",
            (*path, "port"),
            f"the Service '{name}' has no port '{port}'",
            f"it has {', '.join(map(str, sorted(ports, key=str)))}",
        )
    transport = text(reference.get("serversTransport"))
    if transport:
        yield from _traefik(index, namespace, "ServersTransport", {"name": transport}, (*path, "serversTransport"))


def middleware(manifest: Manifest, index: Index) -> Iterator[Problem]:
    namespace, spec = manifest.identity.namespace, manifest.spec
    for number, reference in entries(mapping(spec.get("chain")).get("middlewares")):
        yield from _traefik(index, namespace, "Middleware", reference, ("spec", "chain", "middlewares", number))
    for kind in ("basicAuth", "digestAuth"):
        yield from secret(index, namespace, {"name": mapping(spec.get(kind)).get("secret")}, ("spec", kind, "secret"))
    service = mapping(mapping(spec.get("errors")).get("service"))
    if service:
        yield from _route_service(index, namespace, service, ("spec", "errors", "service"))


def tls_option(manifest: Manifest, index: Index) -> Iterator[Problem]:
    names = mapping(manifest.spec.get("clientAuth")).get("secretNames")
    for number, name in enumerate(names if isinstance(names, list) else []):
        path = ("spec", "clientAuth", "secretNames", number)
        yield from secret(index, manifest.identity.namespace, {"name": name}, path)


def tls_store(manifest: Manifest, index: Index) -> Iterator[Problem]:
    name = mapping(manifest.spec.get("defaultCertificate")).get("secretName")
    yield from secret(index, manifest.identity.namespace, {"name": name}, ("spec", "defaultCertificate", "secretName"))


def backup_schedule(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A Velero Schedule: its storage location, and the namespaces that it saves."""
    template = mapping(manifest.spec.get("template"))
    namespace = manifest.identity.namespace
    location = text(template.get("storageLocation"))
    known = index.of("velero.io", "BackupStorageLocation") or index.partial
    if location and known and not index.has("velero.io", "BackupStorageLocation", namespace, location):
        yield Problem(
            "V060",
            ("spec", "template", "storageLocation"),
            f"there is no BackupStorageLocation '{location}' in '{namespace}'",
        )
    names = template.get("includedNamespaces")
    for number, name in enumerate(names if isinstance(names, list) else []):
        made = index.of("", "Namespace") or index.partial
        if isinstance(name, str) and "*" not in name and made and not index.makes_namespace(name):
            path = ("spec", "template", "includedNamespaces", number)
            yield Problem("V060", path, f"the tree makes no namespace '{name}', so nothing would be saved")
