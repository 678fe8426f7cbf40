"""PostgreSQL under CloudNativePG: what restarts, what moves, what is kept for how long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tenantry.change.effects.registration import (
    Scene,
    below,
    changes_of,
    effects_of,
    named,
    said,
    simple,
    some,
)
from tenantry.core.changes import Effect
from tenantry.core.findings import FieldChange, ObjectChange
from tenantry.verify.values import quantity

_SWITCHOVER = "seconds: connections are cut once, when the primary moves"
_RESTARTING = frozenset({
    "archive_mode", "autovacuum_freeze_max_age", "autovacuum_max_workers", "hot_standby", "huge_pages", "listen_addresses",
    "max_connections", "max_files_per_process", "max_locks_per_transaction", "max_pred_locks_per_transaction",
    "max_prepared_transactions", "max_replication_slots", "max_wal_senders", "max_worker_processes", "shared_buffers",
    "shared_memory_type", "shared_preload_libraries", "superuser_reserved_connections", "track_commit_timestamp", "wal_buffers",
    "wal_level", "wal_log_hints",
})  # fmt: skip
"""Parameters that PostgreSQL reads at start only (context `postmaster` in pg_settings, PostgreSQL 17)."""


@changes_of(
    ("postgresql.cnpg.io", "Cluster"),
    added=Effect("availability", "PostgreSQL cluster {name} is added"),
    removed=Effect("data", "PostgreSQL cluster {name} is removed"),
)
def clusters(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    """Each field by what the operator does with it."""
    restarting: list[FieldChange] = []
    for field in change.fields:
        if _restarts(field):
            restarting.append(field)
        else:
            yield _effect(field)
    if restarting:
        why = some(restarting)
        yield Effect("availability", f"PostgreSQL restarts, standbys first ({why})", "postgresql", _SWITCHOVER)


def _restarts(field: FieldChange) -> bool:
    path = field.path.removeprefix("spec.")
    if path.startswith("postgresql.parameters."):
        return path.removeprefix("postgresql.parameters.") in _RESTARTING
    rolled = (
        "resources",
        "affinity",
        "imageName",
        "imagePullSecrets",
        "priorityClassName",
        "plugins",
        "topologySpread",
    )
    return path.startswith(rolled)


def _effect(field: FieldChange) -> Effect:
    path = field.path.removeprefix("spec.")
    if path in ("storage.size", "walStorage.size"):
        shrinks = _less(field.after, field.before)
        what = "shrinks, which no storage can do" if shrinks else "grows while it is in use"
        return Effect("data" if shrinks else "cost", f"PostgreSQL volume {what}: {said(field)}")
    if path.startswith(("imageCatalogRef", "storage.storageClass", "walStorage.storageClass", "bootstrap", "replica")):
        what = (
            "PostgreSQL is upgraded to another major"
            if path == "imageCatalogRef.major"
            else "PostgreSQL cluster changes"
        )
        down = "until pg_upgrade ends: the cluster is down" if path == "imageCatalogRef.major" else ""
        return Effect("data", f"{what}: {said(field)}", "postgresql" if down else "", down)
    if path == "instances" or path.startswith("postgresql.synchronous"):
        return Effect("data", f"how many copies of a write there are changes: {said(field)}")
    if path.startswith("postgresql.pg_hba"):
        return Effect("isolation", f"who may log in to PostgreSQL changes: {said(field)}")
    if path.startswith("postgresql.parameters"):
        return Effect("availability", f"PostgreSQL takes a parameter without a restart: {said(field)}")
    return Effect("availability", f"PostgreSQL cluster changes: {said(field)}")


def _less(value: Any, other: Any) -> bool:
    one, two = quantity(value), quantity(other)
    return one is not None and two is not None and one < two


@changes_of(
    ("postgresql.cnpg.io", "Database"),
    added=Effect("availability", "an empty database is made"),
    removed=Effect("data", "its database is no longer managed"),
)
def databases(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    """A database itself is data, whatever happens to it; its extensions are not."""
    for field in change.fields:
        risk = "availability" if field.path.startswith("spec.extensions") else "data"
        yield Effect(risk, f"the database changes: {said(field)}")  # type: ignore[arg-type]


effects_of(("postgresql.cnpg.io", "DatabaseRole"))(simple("isolation", "what the database role may do changes"))


@changes_of(("postgresql.cnpg.io", "Pooler"))
def poolers(change: ObjectChange, _scene: Scene) -> Iterator[Effect]:
    """The reporting pooler's Pods restart on any change of its spec."""
    if below(change, "spec"):
        yield Effect("availability", f"{named(change)} restarts", change.object.name)


# Backups that end, or are kept for less long, are lost data when they are needed.
effects_of(
    ("barmancloud.cnpg.io", "ObjectStore"), ("postgresql.cnpg.io", "ScheduledBackup"), ("velero.io", "Schedule"),
    ("velero.io", "BackupStorageLocation"),
)(
    simple(
        "data", "what is backed up, when, or for how long changes",
        added=Effect("cost", "{object} is added: more is backed up"),
    )
)  # fmt: skip
effects_of(("", "PersistentVolumeClaim"))(
    simple("data", "the volume changes", added=Effect("cost", "{object} is added"))
)
effects_of(("", "Namespace"))(
    simple("data", "the namespace and all that is in it", added=Effect("availability", "a namespace is made"))
)
