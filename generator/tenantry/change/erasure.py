"""What a tenant leaves behind when it goes: each place, what erases it, until when it can't be, and the commands."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tenantry.model import names
from tenantry.model.tenant import Erased, Offboarding
from tenantry.resolve.instance import Instance, Site, attachment_folder

Command = tuple[str, ...]
LEAVES = (
    "api-clients", "backup-storage", "database", "drill-storage", "object-storage", "odoo", "redis", "registry", "reporting",
)  # fmt: skip
"""Last parts of an instance's paths in the secret store; those that it never had are skipped by whoever deletes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One place, of all instances of a tenant. `kept_days`: for so long after that, copies can't be erased, and expire."""

    place: str
    how: Literal["object", "command", "expiry"]
    what: str
    where: tuple[str, ...]
    commands: tuple[Command, ...] = ()
    kept_days: int = 0
    kept_by: str = ""

    def gone(self, record: Erased) -> str:
        """The day (YYYY-MM-DD) after which nothing is left there."""
        day = datetime.date.fromisoformat(record.date) + datetime.timedelta(days=self.kept_days)
        return day.isoformat()


def erasures(instances: Sequence[Instance]) -> tuple[Erasure, ...]:
    """Places of a tenant's instances that can be erased while its file is there; one that is not there has none."""
    found = (_database, _archive, _dumps, _attachments, _redis, _secrets, _logs, _metrics, _velero)
    return tuple(erasure for place in found if (erasure := place(instances)) is not None)


def last_commands(instances: Sequence[Instance]) -> tuple[Command, ...]:
    """After the file is gone and Argo CD makes nothing again: namespaces, with quota, stores, Redis, volumes and servers."""
    return tuple(
        ("kubectl", "delete", "namespace", instance.names.namespace, "--context", site.cluster.name)
        for instance in instances for site in _sites(instance)
    )  # fmt: skip


def missing(instances: Sequence[Instance], leave: Offboarding) -> list[str]:
    """Places without a record."""
    recorded = {record.place for record in leave.erased}
    return [erasure.place for erasure in erasures(instances) if erasure.place not in recorded]


def said(command: Command) -> str:
    """A command as it is typed."""
    return shlex.join(command)


def _sites(instance: Instance) -> Iterator[Site]:
    yield instance.site
    if instance.standby is not None:
        yield instance.standby


def _purge(folder: str) -> tuple[Command, ...]:
    """And all versions: a bucket with versioning keeps what is deleted."""
    return ("rclone", "purge", f"store:{folder}"), ("rclone", "backend", "cleanup-hidden", f"store:{folder}")


def _purged(folders: Iterable[str]) -> tuple[Command, ...]:
    return tuple(command for folder in folders for command in _purge(folder))


def _database(instances: Sequence[Instance]) -> Erasure | None:
    shared = [instance for instance in instances if instance.settings.postgresql is None]
    if not shared:
        return None
    commands: list[Command] = []
    for instance in shared:
        space, name = names.cell_namespace(instance.site.cell.name), instance.names.database_object
        at = ("--namespace", space, "--context", instance.site.cluster.name)
        database = f"database.postgresql.cnpg.io/{name}"
        commands += [
            ("kubectl", "wait", "--for=jsonpath={.status.applied}=true", database, *at),
            ("kubectl", "cnpg", "psql", instance.database_server.name, *at, "--", "--list"),
            ("kubectl", "delete", database, f"databaserole.postgresql.cnpg.io/{name}", *at),
        ]
    where = tuple(f"{i.names.database} in cell {i.site.cell.name}" for i in shared)
    return Erasure(place="database", how="object", where=where, commands=tuple(commands),
                   what="the operator drops the databases (ensure: absent), and the roles with their objects")  # fmt: skip


def _archive(instances: Sequence[Instance]) -> Erasure:
    where, commands, days, reasons = list[str](), list[Command](), 0, set[str]()
    for instance in instances:
        storage, lock = instance.site.cluster.object_storage, instance.site.cluster.object_storage.lock_days
        if instance.settings.postgresql is None:
            kept = instance.tier.backup.retention_days
            where.append(
                f"{storage.backup_bucket}/{names.cell_secret_path(instance.site.cell.name)}, which holds all of the cell"
            )
            reasons.add("a shared server's backups can't be taken apart; the last that hold the tenant expire")
        else:
            kept = lock if instance.tier.backup.lock_days else 0
            where += [
                f"{site.cluster.object_storage.backup_bucket}/{instance.names.object_prefix}"
                for site in _sites(instance)
            ]
            folders = (
                f"{site.cluster.object_storage.backup_bucket}/{instance.names.object_prefix}"
                for site in _sites(instance)
            )
            commands += _purged(f"{folder}/{instance.servers.serving.archive}" for folder in folders)
            if kept:
                reasons.add("the bucket's object lock")
        days = max(days, kept)
    return Erasure(place="archive", how="command" if commands else "expiry", what="base backups and WAL", where=tuple(where), commands=tuple(commands),
                   kept_days=days, kept_by="; ".join(sorted(reasons)))  # fmt: skip


def _dumps(instances: Sequence[Instance]) -> Erasure:
    folders = [f"{i.site.cluster.object_storage.backup_bucket}/{i.names.object_prefix}" for i in instances]
    days = max((i.site.cluster.object_storage.lock_days if i.tier.backup.lock_days else 0) for i in instances)
    return Erasure(place="dumps", how="command", what="dumps before upgrades, copies of moves and imports", where=tuple(folders),
                   commands=_purged(folders), kept_days=days, kept_by="the bucket's object lock" if days else "")  # fmt: skip


def _attachments(instances: Sequence[Instance]) -> Erasure:
    folders = [attachment_folder(instance) for instance in instances]
    return Erasure(place="attachments", how="command", what="files, with their versions", where=tuple(folders),
                   commands=_purged(folders))  # fmt: skip


def _redis(instances: Sequence[Instance]) -> Erasure | None:
    shared = [i for i in instances if not i.settings.own_redis]
    if not shared:
        return None
    where = tuple(f"{i.names.redis_key_pattern} in cell {i.site.cell.name}" for i in shared)
    return Erasure(place="redis", how="expiry", what="sessions, which the server expires when they are not used; the user leaves the list with the file", where=where,
                   kept_days=7, kept_by="the lifetime of a session")  # fmt: skip


def _secrets(instances: Sequence[Instance]) -> Erasure:
    store = instances[0].site.platform.secret_store
    keys = [store.key(f"{instance.names.secret_path}/{leaf}") for instance in instances for leaf in LEAVES]
    tools = {"openbao": ("bao", "kv", "metadata", "delete"), "vault": ("vault", "kv", "metadata", "delete")}
    tool = tools.get(store.provider)
    commands = tuple((*tool, f"-mount={store.mount}", key) for key in keys) if tool else ()
    what = "passwords and keys, with their versions; storage keys are revoked where they were issued"
    return Erasure(place="secrets", how="command", what=what, where=tuple(map(store.place, keys)), commands=commands)


def _logs(instances: Sequence[Instance]) -> Erasure:
    days = max(instance.settings.logs_days for instance in instances)
    return Erasure(
        place="logs",
        how="expiry",
        what="logs of its Pods",
        where=_namespaces(instances),
        kept_days=days,
        kept_by="the promised retention of logs",
    )


def _metrics(instances: Sequence[Instance]) -> Erasure:
    days = max(instance.tier.retention.metrics_days for instance in instances)
    return Erasure(place="metrics", how="expiry", what="series of its Pods", where=_namespaces(instances), kept_days=days,
                   kept_by="the promised retention of metrics")  # fmt: skip


def _velero(instances: Sequence[Instance]) -> Erasure:
    space = instances[0].site.platform.namespaces.velero
    schedules = [
        (i, f"{i.names.instance}{end}") for i in instances for end in ("", *(["-dr"] if i.tier.backup.velero_in_dr_region else []))
    ]  # fmt: skip
    commands = tuple(
        ("velero", "backup", "delete", "--confirm", "--selector", f"velero.io/schedule-name={name}", "--namespace", space, "--kubecontext", i.site.cluster.name)
        for i, name in schedules
    )  # fmt: skip
    days = max((i.site.cluster.object_storage.lock_days if i.tier.backup.lock_days else 0) for i in instances)
    return Erasure(place="velero", how="command", what="objects and volumes of its namespaces", where=tuple(name for _, name in schedules),
                   commands=commands, kept_days=days, kept_by="the bucket's object lock" if days else "")  # fmt: skip


def _namespaces(instances: Sequence[Instance]) -> tuple[str, ...]:
    return tuple(f"{site.cluster.name}/{i.names.namespace}" for i in instances for site in _sites(i))
