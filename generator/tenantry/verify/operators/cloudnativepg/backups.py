"""Backups of CloudNativePG that can't work, and databases with two owners (v1.30.0, plugin-barman-cloud v0.11)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.index import Index
from tenantry.verify.operators.cloudnativepg.rules import GROUP
from tenantry.verify.registration import references_of, rule_for

_BARMAN = "barman-cloud.cloudnative-pg.io"
_HOURLY = re.compile(r"0\s+([1-9]|1[0-9]|2[0-3])\s+\*\s+\*\s+\*\s+\*")


@rule_for(GROUP, "ScheduledBackup")
def padded(manifest: Manifest) -> Iterator[Problem]:
    """The seconds come first: five fields with a 0 before them were meant for once a day."""
    schedule = text(manifest.spec.get("schedule")).strip()
    found = _HOURLY.fullmatch(schedule)
    if found:
        message = f"'{schedule}' runs every hour, {found[1]} minutes past: the seconds come first"
        yield Problem("V041", ("spec", "schedule"), message, f"write '0 0 {found[1]} * * *' for once a day", "warning")


@references_of(GROUP, "Backup", "ScheduledBackup")
def method(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A backup is made by what its Cluster is set up for."""
    spec, namespace = manifest.spec, manifest.identity.namespace
    cluster = index.get(GROUP, "Cluster", namespace, text(mapping(spec.get("cluster")).get("name")))
    if cluster is None:
        return
    way = text(spec.get("method")) or "barmanObjectStore"
    path: Path = ("spec", "method") if "method" in spec else ("spec",)
    name = cluster.identity.name
    plugins = {text(plugin.get("name")) for _, plugin in _enabled(cluster)}
    if way == "plugin":
        wanted = text(mapping(spec.get("pluginConfiguration")).get("name"))
        if wanted and wanted not in plugins:
            message = f"the Cluster '{name}' has no plugin '{wanted}', so every backup fails"
            yield Problem("V056", ("spec", "pluginConfiguration", "name"), message)
    elif way in ("barmanObjectStore", "volumeSnapshot") and not mapping(cluster.spec.get("backup")).get(way):
        message = f"the Cluster '{name}' has no backup.{way}, so every backup fails"
        hint = f"write method: plugin, and pluginConfiguration with the name {_BARMAN}" if _BARMAN in plugins else ""
        yield Problem("V056", path, message, hint)


def _enabled(cluster: Manifest) -> list[tuple[int, Value]]:
    return [(n, plugin) for n, plugin in entries(cluster.spec.get("plugins")) if plugin.get("enabled", True)]


@rule_for(GROUP, "Cluster")
def archive(manifest: Manifest) -> Iterator[Problem]:
    """A Cluster that begins from an archive must write to another: the operator wants to find its own empty.

    Without a serverName the plugin reads and writes the archive of the Cluster's own name (internal/cnpgi/operator/config),
    and the operator itself reads that of the external cluster's name (ExternalCluster.GetServerName).
    """
    bootstrap = mapping(manifest.spec.get("bootstrap"))
    source = text(mapping(bootstrap.get("recovery")).get("source"))
    external = next((e for _, e in entries(manifest.spec.get("externalClusters")) if e.get("name") == source), None)
    if not source or external is None:
        return
    message = (
        "the Cluster archives over the archive that it restores from: 'Expected empty archive', and it never gets ready"
    )
    hint = "give it a serverName of its own"
    read = _plugin_archive(mapping(external.get("plugin")), manifest.identity.name)
    for number, plugin in _enabled(manifest):
        if read and plugin.get("isWALArchiver") and _plugin_archive(plugin, manifest.identity.name) == read:
            yield Problem("V056", ("spec", "plugins", number, "parameters"), message, hint)
    old = _store_archive(mapping(external.get("barmanObjectStore")), source)
    own = mapping(mapping(manifest.spec.get("backup")).get("barmanObjectStore"))
    if old and _store_archive(own, manifest.identity.name) == old:
        yield Problem("V056", ("spec", "backup", "barmanObjectStore"), message, hint)


def _plugin_archive(plugin: Value, server: str) -> tuple[str, str] | None:
    parameters = mapping(plugin.get("parameters"))
    store = text(parameters.get("barmanObjectName"))
    return (store, text(parameters.get("serverName")) or server) if store else None


def _store_archive(store: Value, server: str) -> tuple[str, str, str] | None:
    path = text(store.get("destinationPath")).rstrip("/")
    return (text(store.get("endpointURL")), path, text(store.get("serverName")) or server) if path else None


_Names = dict[tuple[str, str, str, str], Manifest]


def _managed(index: Index) -> _Names:
    """(kind, namespace, Cluster, name) of what is managed -> the first object that does."""
    found: _Names = {}
    for kind in ("Database", "DatabaseRole"):
        for manifest in sorted(index.of(GROUP, kind), key=lambda m: m.identity):
            found.setdefault(_managed_name(manifest), manifest)
    return found


def _managed_name(manifest: Manifest) -> tuple[str, str, str, str]:
    spec, identity = manifest.spec, manifest.identity
    return identity.kind, identity.namespace, text(mapping(spec.get("cluster")).get("name")), text(spec.get("name"))


@references_of(GROUP, "Database", "DatabaseRole")
def one_owner(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """The operator lets one object manage a database or role; the second never gets ready."""
    wanted = _managed_name(manifest)
    first = index.once(_managed)[wanted]
    what = "database" if wanted[0] == "Database" else "role"
    if first.identity != manifest.identity:
        message = f"{first.identity} manages the {what} '{wanted[3]}' already, so this one never gets ready"
        yield Problem("V054", ("spec", "name"), message, f"one object for each {what}")
        return
    cluster = index.get(GROUP, "Cluster", wanted[1], wanted[2])
    roles = entries(mapping(cluster.spec.get("managed")).get("roles")) if cluster is not None else []
    if what == "role" and any(role.get("name") == wanted[3] for _, role in roles):
        message = f"the Cluster '{wanted[2]}' manages the role '{wanted[3]}' too (managed.roles)"
        yield Problem("V054", ("spec", "name"), message, "keep it in one of them")
