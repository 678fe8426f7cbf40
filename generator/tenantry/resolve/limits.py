"""Values of tiers, cells and tenants that are allowed, and that would hurt: users locked out, writes stopped, backups gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tenantry.core.findings import Finding
from tenantry.inputs.fleet import Fleet
from tenantry.model.cell import Cell
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.resolve.sizing import concurrent_users

_Path = tuple[str | int, ...]
_Risk = tuple[_Path, str, str]
"""(path, what would happen, what to do)."""


def check_limits(fleet: Fleet) -> Iterator[Finding]:
    """R007, at the line of the value."""
    for tier in fleet.all(Tier).values():
        yield from _findings(fleet, tier, tier_risks(tier))
    for cell in fleet.all(Cell).values():
        yield from _findings(fleet, cell, cell_risks(cell))
    for tenant in fleet.all(Tenant).values():
        tier_of = fleet.find(Tier, tenant.tier)
        if tier_of is not None:
            yield from _findings(fleet, tenant, tenant_risks(tenant, tier_of))


def _findings(fleet: Fleet, entry: Any, risks: Iterator[_Risk]) -> Iterator[Finding]:
    name = entry.name if isinstance(entry, Tenant) else ""
    for path, message, hint in risks:
        yield Finding("R007", fleet.place(entry, *path), message, hint, "warning", tenant=name)


def tier_risks(tier: Tier) -> Iterator[_Risk]:
    """What a tier would do to every tenant that takes it."""
    yield from _edge(tier)
    yield from _backups(tier)
    yield from _sizes(tier)
    own = tier.postgresql
    if own and own.data_durability == "required" and 0 < own.synchronous_standbys == own.instances - 1:
        message = f"each commit waits for all standbys ({own.synchronous_standbys} of {own.instances - 1}): while one is down, nothing is written"
        yield ("postgresql", "dataDurability"), message, "run one instance more, or write preferred"
    yield from _bounds(tier)


def _edge(tier: Tier) -> Iterator[_Risk]:
    edge = tier.edge
    if edge.burst < edge.requests_per_second:
        message = f"the burst {edge.burst} is below requestsPerSecond {edge.requests_per_second}: a page that loads many files gets errors"
        yield ("edge", "burst"), message, f"allow {edge.requests_per_second} or more"
    if edge.login_burst < edge.login_requests_per_second:
        message = f"the burst {edge.login_burst} is below loginRequestsPerSecond {edge.login_requests_per_second}"
        yield ("edge", "loginBurst"), message, f"allow {edge.login_requests_per_second} or more"
    office = concurrent_users(tier.sizing, tier.sizing.reference_users)
    if edge.in_flight < office:
        message = f"{edge.in_flight} requests and websockets at a time, but {office} users of one office work at once behind one address"
        yield ("edge", "inFlight"), message, f"allow {office} or more"


def _backups(tier: Tier) -> Iterator[_Risk]:
    backup = tier.backup
    kept = (
        ("retentionDays", backup.retention_days, "baseBackupEveryHours", backup.base_backup_every_hours),
        ("veleroRetentionDays", backup.velero_retention_days, "veleroEveryHours", backup.velero_every_hours),
    )
    for field, days, interval, hours in kept:
        if days * 24 <= hours:
            message = f"{field} {days} is no longer than {interval} {hours}: the only backup is removed as the next one is made"
            yield ("backup", field), message, f"keep them for {hours // 24 + 1} days or more"
    if backup.lock_days > backup.retention_days:
        message = f"backups are locked for {backup.lock_days} days, and removed after {backup.retention_days}: removing fails until then"
        yield ("backup", "lockDays"), message, "lock them for as long as they are kept, or less"


def _sizes(tier: Tier) -> Iterator[_Risk]:
    memory = tier.sizing.memory
    pairs = (
        ("limitBaseMiB", memory.limit_base_mib, "requestBaseMiB", memory.request_base_mib),
        ("limitPerWorkerMiB", memory.limit_per_worker_mib, "requestPerWorkerMiB", memory.request_per_worker_mib),
    )
    for field, limit, other, request in pairs:
        if limit < request:
            message = f"{field} {limit} is below {other} {request}: a Pod whose limit is below its request is refused"
            yield ("sizing", "memory", field), message, f"write {request} or more"
    if tier.cost.min_euro > tier.cost.max_euro:
        yield ("cost", "minEuro"), f"minEuro {tier.cost.min_euro} is over maxEuro {tier.cost.max_euro}", "swap them"
    steps = [step.up_to_users for step in tier.sizing.cron_workers]
    yield from _steps(("sizing", "cronWorkers"), steps)
    if tier.postgresql:
        yield from _steps(("postgresql", "sizes"), [step.up_to_users for step in tier.postgresql.sizes])


def _steps(path: _Path, users: list[int | None]) -> Iterator[_Risk]:
    """Steps are looked through in their order, so one that is not above the last never counts."""
    last = 0
    for number, limit in enumerate(users):
        if limit is None and number < len(users) - 1:
            yield (*path, number), "the steps after one without upToUsers never count", "put it last"
            return
        if limit is not None and limit <= last:
            yield (
                (*path, number, "upToUsers"),
                f"{limit} users are covered by the step before, so this one never counts",
                "sort the steps",
            )
        last = max(last, limit or 0)


def _bounds(tier: Tier) -> Iterator[_Risk]:
    """Bounds below the tier's own value: a tenant could only lower it."""
    bounds = tier.overrides
    pairs = (
        ("maxReplicas", bounds.max_replicas, "replicas.webMax", tier.replicas.web_max),
        ("maxLogRetentionDays", bounds.max_log_retention_days, "retention.logsDays", tier.retention.logs_days),
        (
            "maxBackupRetentionDays",
            bounds.max_backup_retention_days,
            "backup.retentionDays",
            tier.backup.retention_days,
        ),
        (
            "maxRequestsPerSecond",
            bounds.max_requests_per_second,
            "edge.requestsPerSecond",
            tier.edge.requests_per_second,
        ),
        ("maxBodyMiB", bounds.max_body_mib, "edge.bodyMiB", tier.edge.body_mib),
    )
    for field, bound, other, value in pairs:
        if bound < value:
            message = f"overrides.{field} {bound} is below {other} {value}, so no tenant may keep what the tier gives"
            yield ("overrides", field), message, f"allow {value} or more"


def cell_risks(cell: Cell) -> Iterator[_Risk]:
    """What a cell would do to the instances that share it."""
    if (
        cell.postgresql
        and cell.postgresql.instances == 1
        and "production" in cell.environments
        and cell.purpose == "service"
    ):
        message = "one PostgreSQL instance for a production cell: draining its node stops every tenant of the cell"
        yield ("postgresql", "instances"), message, "run 2 or more"


def tenant_risks(tenant: Tenant, tier: Tier) -> Iterator[_Risk]:
    """Overrides that contradict what the tier does anyway."""
    kept = tenant.overrides.backup_retention_days
    if kept is not None and kept.value < tier.backup.lock_days:
        message = (
            f"backups are kept for {kept.value} days, but locked for {tier.backup.lock_days}: removing fails until then"
        )
        yield (
            ("overrides", "backupRetentionDays", "value"),
            message,
            f"keep them for {tier.backup.lock_days} days or more",
        )
    replicas = tenant.overrides.max_replicas
    if replicas is not None and replicas.value < tier.replicas.web_min:
        message = f"{replicas.value} replicas at most, but the tier begins with {tier.replicas.web_min}"
        yield ("overrides", "maxReplicas", "value"), message, f"allow {tier.replicas.web_min} or more"
