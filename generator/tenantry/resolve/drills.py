"""Restore drills: which server is restored for practice, how often, by when, and what is looked at afterwards.

A drill belongs to a server, not to a tenant: an archive holds all databases of its server, and only the server's own
namespace may read it. So a tier with servers of its own has one drill a tenant, and one with shared servers one a cell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.model import names
from tenantry.model.cell import Cell
from tenantry.model.tier import RestoreDrill, Tier
from tenantry.resolve.instance import Instance, Site, attachment_folder
from tenantry.resolve.servers import cell_servers

NAME = "restore-drill"
_DAYS = {"week": 7, "month": 31}
_LATE_DAYS = 1
"""How late a drill may be before somebody is informed: it may fail once, and be started again manually."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One drill. `databases` are those that must come back, each with the bucket and folder of its attachments."""

    every_days: int
    cron: str
    """Five fields, in UTC."""
    deadline_seconds: int
    """The promised RTO: a restore that takes longer has failed, however well it ends."""
    archive: str
    folder: str
    """Of the archive, in the cluster's backup bucket."""
    databases: tuple[tuple[str, str], ...]
    storage_gib: int

    @property
    def overdue_seconds(self) -> int:
        """How old the last good drill may be."""
        return (self.every_days + _LATE_DAYS) * 86400

    @property
    def expected(self) -> str:
        """What the script gets to know of the databases."""
        return " ".join(f"{database}={folder}" for database, folder in self.databases)


def instance_drill(instance: Instance, site: Site) -> Drill | None:
    """Of a server of its own, where production is; None for all others, and for one that stands by or is on its way."""
    size = instance.settings.postgresql
    serves = site is instance.site and not instance.waits and not instance.leaving
    if size is None or instance.environment != "production" or not serves:
        return None
    own = instance.names
    return _drill(
        instance.tier, own.instance, instance.servers.serving.archive,
        own.object_prefix,
        ((own.database, attachment_folder(instance)),), size.storage_gib + size.wal_gib,
    )  # fmt: skip


def cell_drill(site: Site, tier: Tier, members: Sequence[Instance]) -> Drill | None:
    """Of a cell's shared server with production on it; None when nobody's database is there."""
    cell: Cell = site.cell
    kept = [m for m in members if not m.waits and not m.erased]
    there = [m for m in kept if m.settings.postgresql is None and m.environment == "production"]
    if cell.postgresql is None or not there:
        return None
    namespace = names.cell_namespace(cell.name)
    databases = sorted((m.names.database, attachment_folder(m)) for m in there)
    return _drill(
        tier, namespace, cell_servers(cell).serving.archive,
        names.cell_secret_path(cell.name),
        tuple(databases), cell.postgresql.storage_gib + cell.postgresql.wal_gib,
    )  # fmt: skip


def _drill(
    tier: Tier, name: str, archive: str, folder: str, databases: tuple[tuple[str, str], ...], storage_gib: int
) -> Drill:
    promised = tier.backup.restore_drill
    return Drill(
        every_days=_DAYS[promised.every], cron=_cron(name, promised), archive=archive, folder=folder, databases=databases,
        deadline_seconds=tier.objectives.rto_minutes * 60, storage_gib=storage_gib,
    )  # fmt: skip


def _cron(name: str, promised: RestoreDrill) -> str:
    """At night on a working day, spread by the name alone; not after the 28th, which each month has."""
    seed = int.from_bytes(hashlib.sha256(f"{NAME} {name}".encode()).digest()[:8], "big")
    at = f"{seed % 60} {seed // 60 % 5}"
    return f"{at} * * {seed // 300 % 4 + 1}" if promised.every == "week" else f"{at} {seed // 300 % 28 + 1} * *"
