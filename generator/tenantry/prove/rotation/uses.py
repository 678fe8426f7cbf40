"""Uses of Secrets, in Pods and in fields that operators read, and how each follows a new content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tenantry.core.manifest import Manifest, Path, Value, dig, entries, items, mapping, text
from tenantry.prove.cluster_state import State
from tenantry.prove.rotation.generations import generations
from tenantry.prove.rotation.sources import EXTERNAL, RELOAD, sources
from tenantry.prove.workloads import Container, Workload, runs_odoo, workloads

Way = Literal["watches", "reads again", "starts again", "new Pods", "never"]


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a Secret is used. `key` is empty where all keys, or any, are meant."""

    manifest: Manifest
    path: Path
    secret: str
    key: str
    who: str
    way: Way
    how: str


PGBOUNCER = ["/bin/bash", "/etc/pgbouncer/pgbouncer.sh"]
RELOADER = ["/bin/sh", "/etc/valkey/reload.sh"]
_VALKEY = ["/bin/sh", "/etc/valkey/start.sh"]
_ONCE = frozenset({("batch", "Job"), ("batch", "CronJob")})
_START = "is read when the container starts, and nothing starts it again"


def uses(state: State) -> list[Use]:
    """All uses of Secrets in the homes of a cluster, and of those that cluster-wide operators read there."""
    found: list[Use] | None = state.memory.get("rotation uses")
    if found is None:
        found = [use for work in workloads(state) for use in _of_pod(work)]
        found += [use for manifest in state.manifests for use in _of_fields(state, manifest)]
        state.memory["rotation uses"] = found
    return found


# --- Pods


def _of_pod(work: Workload) -> Iterator[Use]:
    who = f"{work.manifest.identity.kind} {work.name}"
    for number, entry in entries(work.spec.get("imagePullSecrets")):
        path: Path = (*work.path, "imagePullSecrets", number)
        yield Use(work.manifest, path, text(entry.get("name")), "", who, "reads again", _PULLS)
    for container in work.containers:
        yield from _of_environment(work, container, who)
        yield from _of_mounts(work, container, who)


def _of_environment(work: Workload, container: Container, who: str) -> Iterator[Use]:
    for number, entry in entries(container.value.get("env")):
        reference = mapping(dig(entry, "valueFrom", "secretKeyRef"))
        if reference:
            path = (*container.path, "env", number)
            secret, key = text(reference.get("name")), text(reference.get("key"))
            way, how = _started(work, secret, key, "the environment")
            yield Use(work.manifest, path, secret, key, f"{who}, {text(entry.get('name'))}", way, how)
    for number, entry in entries(container.value.get("envFrom")):
        name = text(dig(entry, "secretRef", "name"))
        if name:
            way, how = _started(work, name, "", "the environment")
            yield Use(work.manifest, (*container.path, "envFrom", number), name, "", who, way, how)


def _started(work: Workload, secret: str, key: str, what: str) -> tuple[Way, str]:
    """How what is read when a container starts follows: in a Job, by the next one; else by a key of another name."""
    if work.manifest.kind in _ONCE:
        return "starts again", "each Job reads it when it starts"
    generation = generations(work.home.instance).get((secret, key)) if work.home.instance else None
    if generation is not None and generation.used:
        return "new Pods", f"by {generation.field}, which names the key"
    return "never", f"{what} {_START}"


def _of_mounts(work: Workload, container: Container, who: str) -> Iterator[Use]:
    volumes = {text(volume.get("name")): volume for _, volume in entries(work.spec.get("volumes"))}
    for number, mount in entries(container.value.get("volumeMounts")):
        path = (*container.path, "volumeMounts", number)
        for secret, keys in _mounted(volumes.get(text(mount.get("name")), {})):
            for key in keys:
                way, how = _file(work, container, mount, (secret, key))
                named = f"{who}, {container.name}"
                yield Use(work.manifest, path, secret, key, named, way, how)


def _mounted(volume: Value) -> Iterator[tuple[str, Sequence[str]]]:
    """(Secret, keys) of a volume; an empty key stands for all."""
    parts = [(mapping(volume.get("secret")), "secretName")]
    parts += [(mapping(source.get("secret")), "name") for _, source in entries(dig(volume, "projected", "sources"))]
    for part, field in parts:
        if part:
            yield text(part.get(field)), [text(item.get("key")) for _, item in entries(part.get("items"))] or [""]


def _file(work: Workload, container: Container, mount: Value, wanted: tuple[str, str]) -> tuple[Way, str]:
    """How a program in a container follows a file that the kubelet replaces."""
    if work.manifest.kind in _ONCE:
        return _started(work, *wanted, "the file")
    if mount.get("subPath") or mount.get("subPathExpr"):
        return "never", "a file that is mounted by subPath is never replaced"
    if container.first and not container.sidecar:
        return _started(work, *wanted, "the file")
    command = [text(part) for part in items(container.value.get("command"))]
    if command == PGBOUNCER:
        return "reads again", "PgBouncer gets a signal when its users change, and reads authorities for each connection"
    if command == RELOADER:
        return "reads again", "reads the files every 15 s"
    if command == _VALKEY and any(_reloads(other, mount) for other in work.containers):
        return "reads again", "its container reload has the server read them"
    if runs_odoo(container) and wanted[1] == "ca.crt":
        return "reads again", "authorities are read for each connection to Redis"
    return _started(work, *wanted, "the file")


def _reloads(container: Container, mount: Value) -> bool:
    mine = (mount.get("name"), mount.get("mountPath"))
    mounts = [(m.get("name"), m.get("mountPath")) for _, m in entries(container.value.get("volumeMounts"))]
    return [text(part) for part in items(container.value.get("command"))] == RELOADER and mine in mounts


# --- fields of operators

_CNPG = "postgresql.cnpg.io"
_PLUGIN = "the plugin reads it for each archive, backup and restore"
_ARGO_CD = "argocd.argoproj.io/secret-type"
_PULLS = "the kubelet reads it for each image that it pulls"
_TRAEFIK = "Traefik watches it"


def _of_fields(state: State, manifest: Manifest) -> Iterator[Use]:
    who = f"{manifest.identity.kind} {manifest.identity.name}"
    if manifest.identity.group == _CNPG:
        for path in _database_fields(manifest):
            yield from _reloaded(state, manifest, path, who)
    elif manifest.kind == ("barmancloud.cnpg.io", "ObjectStore"):
        yield from _of_archive(manifest, who)
    elif manifest.kind == EXTERNAL and _ARGO_CD in mapping(
        dig(manifest.spec, "target", "template", "metadata", "labels")
    ):
        name = text(dig(manifest.spec, "target", "name")) or manifest.identity.name
        yield Use(manifest, (), name, "", "Argo CD", "watches", f"Argo CD watches Secrets with the label {_ARGO_CD}")
    elif manifest.identity.group == "traefik.io":
        yield from _of_traefik(manifest, who)
    yield from _of_pulls(manifest)


def _database_fields(manifest: Manifest) -> Iterator[Path]:
    yield "spec", "passwordSecret", "name"
    for number, _ in entries(dig(manifest.spec, "managed", "roles")):
        yield "spec", "managed", "roles", number, "passwordSecret", "name"
    for field in ("serverTLSSecret", "serverCASecret", "clientCASecret", "replicationTLSSecret"):
        yield "spec", "certificates", field


def _of_archive(manifest: Manifest, who: str) -> Iterator[Use]:
    for field, reference in mapping(dig(manifest.spec, "configuration", "s3Credentials")).items():
        path: Path = ("spec", "configuration", "s3Credentials", field)
        name, key = text(mapping(reference).get("name")), text(mapping(reference).get("key"))
        if name:
            yield Use(manifest, path, name, key, who, "reads again", _PLUGIN)


def _of_pulls(manifest: Manifest) -> Iterator[Use]:
    """Keys of the registry, of a Pod's account or of what an operator makes."""
    where, field = (manifest.spec, ("spec",)) if manifest.identity.group == _CNPG else (manifest.value, ())
    if manifest.identity.group != _CNPG and manifest.kind != ("", "ServiceAccount"):
        return
    for number, entry in entries(where.get("imagePullSecrets")):
        who = f"{manifest.identity.kind} {manifest.identity.name}"
        path = (*field, "imagePullSecrets", number, "name")
        yield Use(manifest, path, text(entry.get("name")), "", who, "reads again", _PULLS)


def _of_traefik(manifest: Manifest, who: str) -> Iterator[Use]:
    places: list[Path] = [("spec", "tls", "secretName"), ("spec", "defaultCertificate", "secretName")]
    places += [
        ("spec", "clientAuth", "secretNames", number)
        for number, _ in enumerate(items(dig(manifest.spec, "clientAuth", "secretNames")))
    ]
    for path in places:
        name = text(dig(manifest.value, *path))
        if name:
            yield Use(manifest, path, name, "", who, "watches", _TRAEFIK)


def _reloaded(state: State, manifest: Manifest, path: Path, who: str) -> Iterator[Use]:
    """CloudNativePG reads a Secret again when it is labelled so (cloudnative-pg.io, labels and annotations)."""
    name = text(dig(manifest.value, *path))
    if not name:
        return
    source = sources(state).get((manifest.identity.namespace, name))
    if source is None or source.labels.get(RELOAD) == "true":
        yield Use(manifest, path, name, "", who, "watches", f"CloudNativePG watches it, by the label {RELOAD}")
    else:
        yield Use(manifest, path, name, "", who, "never", f"CloudNativePG does not watch a Secret without {RELOAD}")
