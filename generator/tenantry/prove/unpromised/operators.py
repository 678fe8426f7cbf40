"""BKP-01, BKP-02, BKP-03, OBS-01 and SUP-03 on any tree: what is backed up, who measures whom, and who is exempt."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, dig, entries, items, mapping, text
from tenantry.prove.unpromised.evidence import Evidence, fact
from tenantry.verify.index import Index

_CNPG = "postgresql.cnpg.io"
_MONITORS = ("PodMonitor", "Probe", "ServiceMonitor")


def backups(index: Index) -> Iterator[Evidence]:
    """Databases without an archive or base backups, volumes that no schedule saves, and what schedules hold."""
    servers = index.of(_CNPG, "Cluster")
    facts = [fact(server, what) for server in servers if (what := " and ".join(_unsaved(index, server)))]
    schedules = index.of("velero.io", "Schedule")
    saved = {str(n) for s in schedules for n in items(dig(s.spec, "template", "includedNamespaces")) or ["*"]}
    claims = [*index.of("", "PersistentVolumeClaim"), *_with_claims(index)]
    facts += (
        fact(m, "no Velero Schedule of the tree saves its namespace")
        for m in claims if "*" not in saved and m.identity.namespace not in saved
    )  # fmt: skip
    yield Evidence(
        ("BKP-01",), len(servers) + len(claims), "every database has an archive and base backups, every volume a schedule",
        "databases or volumes are not backed up by objects of the tree", tuple(facts),
    )  # fmt: skip
    several = [fact(s, what) for s in schedules if (what := _holds(s))]
    yield Evidence(
        ("BKP-02",), len(schedules), "each of {all} schedules saves one namespace",
        "schedules save several namespaces together", tuple(several),
    )  # fmt: skip
    restores = index.of("velero.io", "Restore")
    yield Evidence(
        ("BKP-03",), len(schedules) + len(restores), "the tree restores nothing",
        "the tree restores something each time that it is applied", tuple(map(fact, restores)),
    )  # fmt: skip


def _unsaved(index: Index, server: Manifest) -> Iterator[str]:
    spec = server.spec
    plugins = [p for _, p in entries(spec.get("plugins")) if p.get("isWALArchiver") and p.get("enabled", True)]
    if not plugins and not dig(spec, "backup", "barmanObjectStore"):
        yield "archives no WAL"
    own = server.identity
    made = index.of(_CNPG, "ScheduledBackup")
    if not any(
        b.identity.namespace == own.namespace
        and dig(b.spec, "cluster", "name") == own.name
        and not b.spec.get("suspend")
        for b in made
    ):
        yield "no ScheduledBackup takes base backups"


def _with_claims(index: Index) -> list[Manifest]:
    return [m for m in index.of("apps", "StatefulSet") if items(m.spec.get("volumeClaimTemplates"))]


def _holds(schedule: Manifest) -> str:
    named = items(mapping(schedule.spec.get("template")).get("includedNamespaces"))
    if not named or "*" in named:
        return "every namespace"
    return ", ".join(map(str, named)) if len(named) > 1 else ""


def others(index: Index) -> Iterator[Evidence]:
    """OBS-01: monitors that read other namespaces. SUP-03: exceptions from policies."""
    monitors = [m for kind in _MONITORS for m in index.of("monitoring.coreos.com", kind)]
    wide = [fact(m, what) for m in monitors if (what := _reads(m))]
    yield Evidence(
        ("OBS-01",), len(monitors), "each of {all} monitors reads its own namespace; how long what it reads is kept, nobody says here",
        "monitors read other namespaces than their own", tuple(wide),
    )  # fmt: skip
    exceptions = [*index.of("policies.kyverno.io", "PolicyException"), *index.of("kyverno.io", "PolicyException")]
    policies = [
        m
        for kind in ("ValidatingPolicy", "ClusterPolicy", "Policy")
        for g in ("policies.kyverno.io", "kyverno.io")
        for m in index.of(g, kind)
    ]
    yield Evidence(
        ("SUP-03",), len(exceptions) + len(policies), "no exception lifts a policy",
        "exceptions lift policies; who approved them, nobody says here", tuple(map(fact, exceptions)),
    )  # fmt: skip


def _reads(monitor: Manifest) -> str:
    chosen = mapping(monitor.spec.get("namespaceSelector"))
    if chosen.get("any") is True:
        return "every namespace"
    others_ = [text(name) for name in items(chosen.get("matchNames")) if name != monitor.identity.namespace]
    return ", ".join(others_)
