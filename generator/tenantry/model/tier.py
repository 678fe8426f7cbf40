"""The kind Tier: tiers/*.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tenantry.model.common import Availability, Degree, EnvironmentName, Obligation, Sensitivity


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedClassification:
    """Classifications that the tier accepts."""

    data_sensitivity: tuple[Sensitivity, ...]
    customization: tuple[Degree, ...]
    integration: tuple[Degree, ...]
    availability: tuple[Availability, ...]
    obligations: tuple[Obligation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What a tenant does not share with others."""

    nodes: Literal["cell-shared", "cell-segment", "cluster"]
    postgresql: Literal["cell", "own"]
    redis: Literal["cell", "own"]
    attachments: Literal["prefix", "bucket"]
    traefik: Literal["platform", "own"]
    user_namespaces: Literal["never", "available", "required"] = "available"

    def remaps_users(self, available: bool) -> bool:
        """Whether Pods get user IDs of their own on the node, where the cluster has user namespaces or not."""
        return available and self.user_namespaces != "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRange:
    """Number of users that the tier is sized for."""

    min: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CronWorkersStep:
    """One step."""

    workers: int
    up_to_users: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySizing:
    """Memory of an Odoo Pod."""

    request_base_mib: int
    request_per_worker_mib: int
    limit_base_mib: int
    limit_per_worker_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuSizing:
    """CPU of an Odoo Pod."""

    request_base_millicores: int
    request_per_worker_millicores: int
    limit_factor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """How users become workers, memory, CPU and connections."""

    reference_users: int
    concurrent_share: float
    users_per_worker: int
    min_workers: int
    max_workers_per_pod: int
    cron_workers: tuple[CronWorkersStep, ...]
    connections_per_process: int
    connections_websocket: int
    memory: MemorySizing
    cpu: CpuSizing


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """Replicas in production."""

    web_min: int
    web_max: int
    cron: int | None = None
    websocket: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlSizeStep:
    """One step."""

    cpu_millicores: int
    memory_mib: int
    up_to_users: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPostgresql:
    """The tenant's own PostgreSQL cluster; omitted in tiers with isolation.postgresql: cell."""

    instances: int
    synchronous_standbys: int
    data_durability: Literal["required", "preferred"]
    spread_over_zones: bool
    sizes: tuple[PostgresqlSizeStep, ...]
    storage_base_gib: float
    storage_per_user_gib: float
    wal_share: float
    wal_min_gib: int
    reserved_connections: int
    read_only_pooler: bool
    replica_in_dr_region: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRedis:
    """The instance's own Redis, for tiers with isolation.redis: own and releases whose session store can't share one."""

    replicas: int
    memory_mib: int
    spread_over_zones: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """Measurable promises."""

    availability_percent: float
    rpo_minutes: int
    rpo_region_loss_minutes: int
    rto_minutes: int

    @property
    def archive_rpo_minutes(self) -> int:
        """The RPO that the WAL archive must keep: the shortest but 0, which only a synchronous standby keeps."""
        return min(filter(None, (self.rpo_minutes, self.rpo_region_loss_minutes)), default=1)

    @property
    def archive_minutes(self) -> int:
        """After how many minutes PostgreSQL archives what it has: as seldom as is enough, and time is left to write it."""
        return 5 if self.archive_rpo_minutes >= 10 else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreDrill:
    """Practised restores."""

    scope: Literal["cell", "tenant"]
    every: Literal["week", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Backups and drills."""

    base_backup_every_hours: int
    retention_days: int
    lock_days: int
    copy_in_dr_region: bool
    velero_every_hours: int
    velero_retention_days: int
    velero_in_dr_region: bool
    restore_drill: RestoreDrill


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Logs and metrics."""

    logs_days: int
    metrics_days: int
    log_masking: bool
    own_log_tenant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLimits:
    """Limits at the edge."""

    requests_per_second: int
    burst: int
    in_flight: int
    body_mib: int
    login_requests_per_second: int
    login_burst: int
    web_application_firewall: Literal["off", "detect", "block"]
    private_entry_point: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingTerms:
    """Settings of staging."""

    stopped_outside_hours: bool
    database_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportModel:
    """Support model."""

    hours: Literal["office", "12x5", "24x7"]
    first_answer_minutes: int
    named_engineer: bool
    route: Literal["cell", "team", "tenant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEnvelope:
    """Cost envelope of a tenant's instances."""

    min_euro: int
    max_euro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideBounds:
    """Limits of what a tenant may override."""

    max_hosts: int
    max_integrations: int
    max_replicas: int
    max_database_storage_gib: int
    max_log_retention_days: int
    max_backup_retention_days: int
    max_requests_per_second: int
    max_body_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """An entry of the service catalog: isolation, sizes, objectives, backup, limits, support and cost."""

    name: str
    display_name: str
    sold_to: str
    rationale: str
    classification: AllowedClassification
    isolation: Isolation
    topology: Literal["combined", "split"]
    environments: tuple[EnvironmentName, ...]
    channels: tuple[str, ...]
    users: UserRange
    sizing: Sizing
    replicas: Replicas
    redis: OwnRedis
    objectives: Objectives
    backup: Backup
    retention: Retention
    edge: EdgeLimits
    windows: Literal["platform", "slots", "own"]
    staging: StagingTerms
    support: SupportModel
    cost: CostEnvelope
    overrides: OverrideBounds
    postgresql: OwnPostgresql | None = None
    controls_not_kept: tuple[str, ...] = ()
