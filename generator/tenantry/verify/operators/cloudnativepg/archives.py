"""WAL archives of CloudNativePG that hold nothing, or those of two clusters (v1.30.0, plugin-barman-cloud v0.15.0)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.index import Index
from tenantry.verify.operators.cloudnativepg.rules import GROUP
from tenantry.verify.registration import references_of, rule_for

_BARMAN = "barman-cloud.cloudnative-pg.io"


@rule_for(GROUP, "Cluster")
def without_effect(manifest: Manifest) -> Iterator[Problem]:
    """What the plugin does not read (getRetentionPolicyWarnings), and a plugin that archives nothing."""
    backup = mapping(manifest.spec.get("backup"))
    plugins = [(n, p) for n, p in entries(manifest.spec.get("plugins")) if p.get("enabled", True)]
    barman = [(n, p) for n, p in plugins if p.get("name") == _BARMAN]
    if backup.get("retentionPolicy") and not backup.get("barmanObjectStore"):
        message = "only backup.barmanObjectStore reads it, and there is none, so nothing is ever removed"
        hint = "write spec.retentionPolicy of the ObjectStore"
        yield Problem("V056", ("spec", "backup", "retentionPolicy"), message, hint, "warning")
    for number, plugin in barman:
        path: Path = ("spec", "plugins", number)
        if (
            not plugin.get("isWALArchiver")
            and not any(p.get("isWALArchiver") for _, p in plugins)
            and not backup.get("barmanObjectStore")
        ):
            message = "no plugin archives WAL, so a backup of the running cluster can't be restored"
            yield Problem("V056", path, message, "set isWALArchiver: true", "warning")
        elif plugin.get("isWALArchiver") and not mapping(plugin.get("parameters")).get("barmanObjectName"):
            yield Problem("V056", path, "the plugin needs parameters.barmanObjectName: it archives nothing")


@rule_for(GROUP, "ScheduledBackup")
def each_second(manifest: Manifest) -> Iterator[Problem]:
    """The seconds come first, so a `*` there starts sixty backups."""
    fields = text(manifest.spec.get("schedule")).split()
    if len(fields) != 6:
        return
    path = ("spec", "schedule")
    if fields[0] == "*":
        message = f"'{' '.join(fields)}' runs every second of its minutes: the seconds come first"
        yield Problem("V041", path, message, "write 0 for the seconds", "warning")
    elif (
        fields[0] == "0"
        and re.fullmatch(r"\*/[0-9]+", fields[1])
        and int(fields[1][2:]) in (2, 3, 4, 6, 8, 12)
        and fields[2] == "*"
    ):
        message = f"'{' '.join(fields)}' runs every {fields[1][2:]} minutes: the seconds come first"
        yield Problem(
            "V041", path, message, f"write '0 0 {fields[1]} * * *' for every {fields[1][2:]} hours", "warning"
        )


_Archives = dict[tuple[str, ...], list[Manifest]]


def _archives(index: Index) -> _Archives:
    """Where each Cluster archives to -> the Clusters."""
    found: _Archives = defaultdict(list)
    for cluster in sorted(index.of(GROUP, "Cluster"), key=lambda m: m.identity):
        for place in _places(index, cluster):
            found[place].append(cluster)
    return found


def _places(index: Index, cluster: Manifest) -> Iterator[tuple[str, ...]]:
    name = cluster.identity.name
    own = mapping(mapping(cluster.spec.get("backup")).get("barmanObjectStore"))
    if own.get("destinationPath"):
        yield _place(own, name)
    for _, plugin in entries(cluster.spec.get("plugins")):
        parameters = mapping(plugin.get("parameters"))
        store = index.get(
            "barmancloud.cnpg.io", "ObjectStore", cluster.identity.namespace, text(parameters.get("barmanObjectName"))
        )
        if plugin.get("isWALArchiver") and plugin.get("enabled", True) and store is not None:
            yield _place(mapping(store.spec.get("configuration")), text(parameters.get("serverName")) or name)


def _place(store: Value, server: str) -> tuple[str, ...]:
    path = text(store.get("destinationPath")).rstrip("/")
    return text(store.get("endpointURL")), path, text(store.get("serverName")) or server


@references_of(GROUP, "Cluster")
def own_archive(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Two clusters of one name in one bucket mix their WAL; the second finds the archive not empty (barman-cloud-check-wal-archive)."""
    for place in _places(index, manifest):
        first = next(iter(index.once(_archives).get(place, ())), manifest)
        if first.identity != manifest.identity and place[1]:
            message = f"{first.identity} archives to {place[1]}/{place[2]} too: 'Expected empty archive'"
            yield Problem("V056", ("spec",), message, "give each a serverName or a path of its own")
