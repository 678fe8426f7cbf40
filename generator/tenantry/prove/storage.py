"""Where data outside volumes is stored: DATA-08 (own prefix or bucket) and RES-02 (in the tenant's regions)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tenantry.core.manifest import Manifest, Path, dig, entries, items, mapping, text
from tenantry.model import names
from tenantry.model.cluster import Cluster
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.odoo import sections
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.workloads import workloads
from tenantry.resolve.instance import Instance, copies_folder
from tenantry.verify.values import split_url


@dataclass(frozen=True, slots=True)
class StorePlace:
    """One place in object storage that an object names."""

    manifest: Manifest
    path: Path
    purpose: str
    location: str
    """bucket/prefix, without a slash at its end."""
    endpoint: str
    home: Home


def archive_place(manifest: Manifest) -> tuple[str, str]:
    """Location and endpoint of an ObjectStore."""
    configuration = mapping(manifest.spec.get("configuration"))
    location = text(configuration.get("destinationPath")).removeprefix("s3://").rstrip("/")
    return location, text(configuration.get("endpointURL"))


def attachments_place(manifest: Manifest) -> tuple[str, str] | None:
    """Location and endpoint in a ConfigMap of Odoo's settings; None for any other ConfigMap."""
    content = dig(manifest.value, "data", "sections.conf")
    if not isinstance(content, str):
        return None
    storage = sections(content).get("fs_storage.attachments", {})
    endpoint = storage.get("options", "").partition('"endpoint_url": "')[2].partition('"')[0]
    return storage.get("directory_path", "").rstrip("/"), endpoint


def places(state: State) -> Iterator[StorePlace]:
    """Every destination in object storage that a home's objects name."""
    for manifest in state.of("barmancloud.cnpg.io", "ObjectStore"):
        home = state.home(manifest)
        if home is not None:
            location, endpoint = archive_place(manifest)
            purpose = "primary" if manifest.identity.name == "primary" else "backup"
            yield StorePlace(
                manifest,
                ("spec", "configuration", "destinationPath"),
                purpose,
                location,
                endpoint,
                home,
            )
    for manifest in state.of("", "ConfigMap"):
        home = state.home(manifest)
        found = attachments_place(manifest)
        if home is not None and found is not None:
            yield StorePlace(manifest, ("data", "sections.conf"), "attachments", *found, home)
    for work in workloads(state):
        for container in work.containers:
            for variable, (host, purpose) in _DUMPS.items():
                target = container.environment.get(variable)
                if target is not None:
                    endpoint = text(dig(container.environment, host, "value"))
                    given = text(target.get("value"))
                    location = given if purpose == "archive" else given.rpartition("/")[0]
                    yield StorePlace(work.manifest, (*container.path, "env"), purpose, location, endpoint, work.home)


_DUMPS: Mapping[str, tuple[str, str]] = {
    "BACKUP_TARGET": ("BACKUP_ENDPOINT", "dump"), "IMPORT_FOLDER": ("BACKUP_ENDPOINT", "import"), "COPIES_FOLDER": ("COPIES_ENDPOINT", "copies"),
    "ARCHIVE_PLACE": ("ARCHIVE_ENDPOINT", "archive"),
}  # fmt: skip
"""Variable with a place -> variable with its endpoint, and what lies there."""


def _promised(place: StorePlace) -> str:
    home = place.home
    own = home.cluster.object_storage
    if home.instance is None:
        return f"{own.backup_bucket}/{names.cell_secret_path(home.site.cell.name)}"
    called = home.instance.names
    if place.purpose == "attachments":
        if home.tier.isolation.attachments == "bucket":
            return called.own_bucket(own.attachment_bucket)
        return f"{own.attachment_bucket}/{called.object_prefix}"
    if place.purpose == "copies" and home.instance.move is not None:
        return copies_folder(home.instance).rpartition("/")[0]
    if place.purpose == "primary":
        return f"{home.site.partner.object_storage.backup_bucket}/{called.object_prefix}"
    return f"{own.backup_bucket}/{called.object_prefix}"


@proof("DATA-08")
def prefixes(state: State) -> Iterator[Breach]:
    """DATA-08."""
    for place in places(state):
        if not place.endpoint:
            message = f"{place.purpose} of {place.home} name no endpoint, so requests go to Amazon's own, with the tenant's keys"
            hint = "name the endpoint of the cluster's object store"
            yield breach(place.manifest, "DATA-08", place.path, message, hint, tenant=place.home.tenant)
        wanted = _promised(place)
        if place.location != wanted:
            message = (
                f"{place.purpose} of {place.home} would be stored in '{place.location}'; its own location is '{wanted}'"
            )
            yield breach(
                place.manifest,
                "DATA-08",
                place.path,
                message,
                "end the prefix with a slash, so that none is a prefix of another",
                tenant=place.home.tenant,
            )
    yield from _servers(state)
    for manifest in state.of("velero.io", "BackupStorageLocation"):
        storage = mapping(manifest.spec.get("objectStorage"))
        if storage.get("prefix") != state.cluster.name:
            message = f"backups of cluster {state.cluster.name} would be stored below '{storage.get('prefix', '')}'"
            yield breach(
                manifest,
                "DATA-08",
                ("spec", "objectStorage", "prefix"),
                message,
                f"prefix: {state.cluster.name}",
                tenant="",
            )


def _servers(state: State) -> Iterator[Breach]:
    """The name under which a database archives: that of another would mix two histories, or restore the wrong one."""
    for manifest in state.of("postgresql.cnpg.io", "Cluster"):
        home = state.home(manifest)
        if home is None:
            continue
        server = home.server(manifest.identity.name) or home.servers.serving
        replication, own = home.replication, server.archive
        other = home.role == "standby" or server.copied
        read = home.other_archive if other else server.source_archive
        named = {"source": server.source_archive} if server.restore and not server.copied else {}
        if replication is not None:
            named.update({replication.here: own, replication.other: home.other_archive})
        for number, plugin in entries(manifest.spec.get("plugins")):
            path: Path = ("spec", "plugins", number, "parameters", "serverName")
            given = dig(plugin, "parameters", "serverName")
            if given != own:
                message = f"archives as '{given}'; its own name is '{own}'"
                yield breach(manifest, "DATA-08", path, message, f"serverName: {own}", tenant=home.tenant)
        for number, source in entries(manifest.spec.get("externalClusters")):
            path = ("spec", "externalClusters", number, "plugin", "parameters", "serverName")
            given = dig(source, "plugin", "parameters", "serverName")
            wanted = named.get(text(source.get("name")), read)
            if given != wanted:
                whose = "primary" if home.role == "standby" else "source"
                message = f"copies '{given}'; its {whose} is '{wanted}'"
                yield breach(manifest, "DATA-08", path, message, f"serverName: {wanted}", tenant=home.tenant)


# --- residency


def _clusters_by_bucket(state: State) -> dict[str, Cluster]:
    found = {}
    for cluster in state.promises.clusters.values():
        storage = cluster.object_storage
        for bucket in (storage.backup_bucket, storage.attachment_bucket, storage.velero_bucket):
            found[bucket] = cluster
    return found


def residents(home: Home) -> list[Instance]:
    """Instances whose data lies in a home."""
    return [home.instance] if home.instance else list(home.known)


@proof("RES-02")
def residency(state: State) -> Iterator[Breach]:
    """RES-02: every copy is stored in a region that the tenant allows."""
    buckets = _clusters_by_bucket(state)
    for place in places(state):
        bucket = place.location.partition("/")[0].partition("--")[0]
        cluster = buckets.get(bucket)
        if cluster is None:
            message = f"the region of the bucket '{bucket}' is unknown"
            yield breach(
                place.manifest,
                "RES-02",
                place.path,
                message,
                "use a bucket of platform/clusters/",
                tenant=place.home.tenant,
            )
            continue
        yield from _in_region(place.manifest, place.path, place.purpose, cluster.region, place.home)
        if place.endpoint and split_url(place.endpoint).hostname != split_url(cluster.object_storage.endpoint).hostname:
            message = f"the endpoint {place.endpoint} is not that of the bucket '{bucket}' ({cluster.object_storage.endpoint})"
            yield breach(
                place.manifest,
                "RES-02",
                place.path,
                message,
                "use the endpoint of the bucket's region",
                tenant=place.home.tenant,
            )
        copy = cluster.object_storage.replication
        if copy is not None:
            yield from _in_region(place.manifest, place.path, f"the copy of {place.purpose}", copy.region, place.home)
    yield from _velero(state)


def _in_region(manifest: Manifest, path: Path, what: str, region: str, home: Home) -> Iterator[Breach]:
    for instance in residents(home):
        if region not in instance.tenant.residency:
            message = f"{what} of {instance.name} would be stored in {region}; its data may be stored in {', '.join(instance.tenant.residency)} only"
            yield breach(
                manifest,
                "RES-02",
                path,
                message,
                "place the tenant elsewhere, or change its residency",
                tenant=instance.tenant.name,
            )


def _velero(state: State) -> Iterator[Breach]:
    buckets = _clusters_by_bucket(state)
    space = state.promises.platform.namespaces.velero
    for manifest in state.of("velero.io", "BackupStorageLocation"):
        bucket = text(dig(manifest.spec, "objectStorage", "bucket"))
        cluster = buckets.get(bucket)
        region, url = dig(manifest.spec, "config", "region"), text(dig(manifest.spec, "config", "s3Url"))
        if cluster is None or cluster.region != region or url != cluster.object_storage.endpoint:
            where = f"the bucket '{bucket}' is declared in {region} at {url}"
            message = (
                f"{where}; it lies in {cluster.region} at {cluster.object_storage.endpoint}"
                if cluster
                else f"{where}, and is nobody's"
            )
            yield breach(
                manifest,
                "RES-02",
                ("spec", "objectStorage", "bucket"),
                message,
                "use a bucket of platform/clusters/",
                tenant="",
            )
    for manifest in state.of("velero.io", "Schedule"):
        location = text(dig(manifest.spec, "template", "storageLocation"))
        found = state.get("velero.io", "BackupStorageLocation", space, location)
        region = text(dig(found.spec, "config", "region")) if found else ""
        for namespace in items(dig(manifest.spec, "template", "includedNamespaces")):
            home = state.homes.get(text(namespace))
            if home is not None and region:
                yield from _in_region(manifest, ("spec", "template", "storageLocation"), "the backup", region, home)
