"""Where a Cluster recovers to, and what it needs of others (validateRecoveryTarget, validateExternalCluster; v1.30.0)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, entries, mapping, text
from tenantry.verify.index import Index
from tenantry.verify.kubernetes.pods import config_map, secret
from tenantry.verify.operators.cloudnativepg.rules import GROUP
from tenantry.verify.registration import references_of, rule_for

_TARGETS = ("targetImmediate", "targetLSN", "targetName", "targetTime", "targetXID")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?\s*(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_LSN = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")


@rule_for(GROUP, "Cluster")
def target(manifest: Manifest) -> Iterator[Problem]:
    path: Path = ("spec", "bootstrap", "recovery", "recoveryTarget")
    recovery = mapping(mapping(manifest.spec.get("bootstrap")).get("recovery"))
    wanted = mapping(recovery.get("recoveryTarget"))
    given = [name for name in _TARGETS if wanted.get(name)]
    if len(given) > 1:
        yield Problem("V040", path, f"{' and '.join(given)} exclude each other", "keep one of them")
    moment, position, number = (
        text(wanted.get("targetTime")),
        text(wanted.get("targetLSN")),
        text(wanted.get("targetXID")),
    )
    if moment and not _TIME.fullmatch(moment):
        yield Problem("V040", (*path, "targetTime"), f"'{moment}' is no time", "write it like 2026-01-31T12:00:00Z")
    if position and not _LSN.fullmatch(position):
        yield Problem(
            "V040", (*path, "targetLSN"), f"'{position}' is no position in the WAL", "write it like 0/3000000"
        )
    if number and not re.fullmatch(r"[0-9]{1,10}", number):
        yield Problem("V040", (*path, "targetXID"), f"'{number}' is no number of a transaction")
    by_label = any(wanted.get(name) for name in ("targetImmediate", "targetName", "targetXID"))
    if by_label and not wanted.get("backupID") and not recovery.get("volumeSnapshots"):
        yield Problem("V040", path, "without a time or position, backupID must say which backup is restored")


@rule_for(GROUP, "Cluster")
def external(manifest: Manifest) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, cluster in entries(manifest.spec.get("externalClusters")):
        path: Path = ("spec", "externalClusters", number)
        name = text(cluster.get("name"))
        if name in seen:
            yield Problem("V040", (*path, "name"), f"the external cluster '{name}' is there twice")
        seen.add(name)
        if not any(cluster.get(way) for way in ("barmanObjectStore", "connectionParameters", "plugin")):
            message = "connectionParameters, plugin or barmanObjectStore must say how it is reached"
            yield Problem("V040", path, message)


@rule_for(GROUP, "Cluster")
def durable(manifest: Manifest) -> Iterator[Problem]:
    """With one standby, and every commit waiting for it, its failure or its drain stops all writes (docs/replication)."""
    spec = manifest.spec
    synchronous = mapping(mapping(spec.get("postgresql")).get("synchronous"))
    number, instances = synchronous.get("number"), spec.get("instances", 1)
    if (
        not isinstance(number, int)
        or not isinstance(instances, int)
        or synchronous.get("standbyNamesPre")
        or synchronous.get("standbyNamesPost")
    ):
        return
    if synchronous.get("dataDurability", "required") == "required" and number == instances - 1 > 0:
        message = (
            f"commits wait for {number} of {instances - 1} standbys: while one of them is down, nothing can be written"
        )
        hint = "run one instance more, or set dataDurability: preferred"
        yield Problem("V053", ("spec", "postgresql", "synchronous"), message, hint, "warning")


@references_of(GROUP, "Cluster")
def queries(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Queries of the exporter, and statements of the first start."""
    namespace, spec = manifest.identity.namespace, manifest.spec
    monitoring = mapping(spec.get("monitoring"))
    for number, reference in entries(monitoring.get("customQueriesConfigMap")):
        path: Path = ("spec", "monitoring", "customQueriesConfigMap", number)
        yield from config_map(index, namespace, reference, path, [text(reference.get("key"))])
    for number, reference in entries(monitoring.get("customQueriesSecret")):
        path = ("spec", "monitoring", "customQueriesSecret", number)
        yield from secret(index, namespace, reference, path, [text(reference.get("key"))])
    initdb = mapping(mapping(spec.get("bootstrap")).get("initdb"))
    for part in ("postInitApplicationSQLRefs", "postInitSQLRefs", "postInitTemplateSQLRefs"):
        where: Path = ("spec", "bootstrap", "initdb", part)
        for number, reference in entries(mapping(initdb.get(part)).get("configMapRefs")):
            yield from config_map(
                index, namespace, reference, (*where, "configMapRefs", number), [text(reference.get("key"))]
            )
        for number, reference in entries(mapping(initdb.get(part)).get("secretRefs")):
            yield from secret(index, namespace, reference, (*where, "secretRefs", number), [text(reference.get("key"))])


@rule_for(GROUP, "Cluster")
def segments(manifest: Manifest) -> Iterator[Problem]:
    """The size of a WAL segment (validateInitDB)."""
    size = mapping(mapping(manifest.spec.get("bootstrap")).get("initdb")).get("walSegmentSize")
    if isinstance(size, int) and size > 0 and size & (size - 1):
        yield Problem("V040", ("spec", "bootstrap", "initdb", "walSegmentSize"), f"{size} is no power of 2")
