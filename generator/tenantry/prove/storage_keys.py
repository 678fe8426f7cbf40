"""Which key of the object store opens which place: read from the objects that use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from tenantry.core.manifest import Value, dig, mapping, text
from tenantry.prove.cluster_state import State
from tenantry.prove.rotation.sources import sources
from tenantry.prove.storage import archive_place, attachments_place
from tenantry.prove.workloads import Container, Workload, runs_odoo, workloads

Access = Literal["read", "write"]


@dataclass(frozen=True, slots=True, order=True)
class StorageKeyUse:
    """What one use needs. `path` is that of the secret store, `location` a bucket, or a bucket and a folder in it."""

    path: str
    endpoint: str
    location: str
    access: Access
    lists_bucket: bool
    """Whether it must be allowed to list names of the whole bucket. Programs that write and read backups need it: Barman asks
    whether the bucket exists before each copy, for which S3 wants the right to list it, and rclone whether a name is taken,
    which S3 answers by 403 to all others (GetObject, HeadBucket: permissions)."""


@dataclass(frozen=True, slots=True)
class _Variable:
    """How a script gets a place: the key that opens it, and where its endpoint stands."""

    key: str
    endpoint: str
    access: Access = "write"
    whole: bool = True
    """False where the last part of the value names what is written there."""
    lists_bucket: bool = False


_OWN = "AWS_ACCESS_KEY_ID"
_VARIABLES: Mapping[str, _Variable] = {
    "BACKUP_TARGET": _Variable(_OWN, "BACKUP_ENDPOINT", whole=False, lists_bucket=True),
    "IMPORT_FOLDER": _Variable(_OWN, "BACKUP_ENDPOINT", "read", lists_bucket=True),
    "COPIES_FOLDER": _Variable("RCLONE_CONFIG_COPIES_ACCESS_KEY_ID", "COPIES_ENDPOINT", lists_bucket=True),
    "ARCHIVE_PLACE": _Variable(_OWN, "ARCHIVE_ENDPOINT", "read", lists_bucket=True),
    "DRILL_DATABASES": _Variable(_OWN, "ARCHIVE_ENDPOINT", "read"),
    "ATTACHMENT_SOURCE": _Variable(_OWN, "ATTACHMENT_ENDPOINT", "read"),
    "ATTACHMENT_TARGET": _Variable(_OWN, "ATTACHMENT_ENDPOINT"),
}
_BROUGHT_IN = _Variable("RCLONE_CONFIG_TO_ACCESS_KEY_ID", "BACKUP_ENDPOINT")
"""Attachments that another system left: from the backups, which another key opens."""


def storage_keys(state: State) -> set[str]:
    """Paths of the secret store that hold a key of the object store."""
    asked = (pair for source in sources(state).values() for pair in source.asked.values())
    return {path for path, name in asked if name.startswith("access-key-id")}


def storage_key_uses(state: State) -> Iterator[StorageKeyUse]:
    """Every use of a key of the object store in the homes of a cluster."""
    yield from _archives(state)
    for work in workloads(state):
        for container in work.containers:
            yield from _by_scripts(state, work, container)
            if runs_odoo(container):
                yield from _by_odoo(state, work, container)


def _archives(state: State) -> Iterator[StorageKeyUse]:
    for manifest in state.of("barmancloud.cnpg.io", "ObjectStore"):
        location, endpoint = archive_place(manifest)
        access: Access = "read" if manifest.identity.name == "primary" else "write"
        reference = mapping(dig(manifest.spec, "configuration", "s3Credentials", "accessKeyId"))
        for path in _paths(state, manifest.identity.namespace, reference):
            yield StorageKeyUse(path, endpoint, location, access, True)


def _by_scripts(state: State, work: Workload, container: Container) -> Iterator[StorageKeyUse]:
    given = container.environment
    for name, known in _VARIABLES.items():
        value = text(given.get(name, {}).get("value"))
        if not value:
            continue
        variable = _BROUGHT_IN if name == "ATTACHMENT_TARGET" and known.endpoint not in given else known
        places = [entry.partition("=")[2] for entry in value.split()] if name == "DRILL_DATABASES" else [value]
        endpoint = text(given.get(variable.endpoint, {}).get("value"))
        reference = mapping(dig(given.get(variable.key, {}), "valueFrom", "secretKeyRef"))
        for path in _paths(state, work.manifest.identity.namespace, reference):
            for place in places:
                location = place if variable.whole else place.rpartition("/")[0]
                yield StorageKeyUse(path, endpoint, location, variable.access, variable.lists_bucket)


def _by_odoo(state: State, work: Workload, container: Container) -> Iterator[StorageKeyUse]:
    """Odoo reads its place from a file, and its key from the environment."""
    namespace = work.manifest.identity.namespace
    reference = mapping(dig(container.environment.get(_OWN, {}), "valueFrom", "secretKeyRef"))
    for manifest in state.of("", "ConfigMap", namespace):
        found = attachments_place(manifest)
        if found is not None:
            location, endpoint = found
            for path in _paths(state, namespace, reference):
                yield StorageKeyUse(path, endpoint, location, "write", False)


def _paths(state: State, namespace: str, reference: Value) -> list[str]:
    """Paths of the store behind a key of a Secret."""
    source = sources(state).get((namespace, text(reference.get("name"))))
    return sorted({path for path, _ in source.properties(text(reference.get("key")))}) if source else []
