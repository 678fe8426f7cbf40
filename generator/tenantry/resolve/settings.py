"""Tenant + tier + site -> instance: tier defaults, sizes by users, overrides within limits, and the origin of each value."""

from __future__ import annotations

import dataclasses
import math
import sys
from dataclasses import dataclass, field

from tenantry.model.common import ENVIRONMENTS, EnvironmentName, Override, State, Window
from tenantry.model.convert import to_camel_case
from tenantry.model.names import InstanceNames
from tenantry.model.origin import Origin
from tenantry.model.release import Release
from tenantry.model.tenant import Tenant
from tenantry.model.tier import EdgeLimits, Tier
from tenantry.resolve import sizing
from tenantry.resolve.instance import Instance, Settings, Site
from tenantry.resolve.schedule import BackupTimes, backup_times
from tenantry.resolve.servers import databases_of
from tenantry.resolve.sizing import PostgresqlSize


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """A problem of a tenant's field; `path` starts at its spec."""

    code: str
    path: tuple[str | int, ...]
    message: str
    hint: str


class DoesNotFitError(ValueError):
    """The tenant is too large for its tier."""

    def __init__(self, problem: SettingProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def resolve_instance(
    tenant: Tenant, environment: EnvironmentName, tier: Tier, site: Site, release: Release, standby: Site | None = None
) -> tuple[Instance, list[SettingProblem]]:
    """Resolve one instance. Raises DoesNotFitError when its users need more than the tier offers."""
    resolver = _Resolver(tenant, environment, tier, site, release)
    resolver.note_placement()
    instance = Instance(
        tenant=tenant, environment=environment, state=resolver.state(), tier=tier, release=release, site=site, standby=standby,
        names=resolver.names, hosts=resolver.hosts(), api_host=resolver.names.api_host(site.platform.domain),
        settings=resolver.settings(), origins=resolver.origins,
    )  # fmt: skip
    return instance, resolver.problems


@dataclass(frozen=True, slots=True)
class _Layout:
    """How many workers in how many web Pods."""

    workers: int
    per_pod: int
    cron_workers: int
    replicas: int
    ceiling: int
    words: str


@dataclass
class _Resolver:
    """Resolves one instance. The `note` methods record the origin of each value."""

    tenant: Tenant
    environment: EnvironmentName
    tier: Tier
    site: Site
    release: Release
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[SettingProblem] = field(default_factory=list)

    @property
    def names(self) -> InstanceNames:
        placed = self.tenant.environments.get(self.environment)
        return InstanceNames(
            self.tenant.name, self.environment, databases_of(placed.restores if placed else ()).serving
        )

    @property
    def staging(self) -> bool:
        return self.environment == "staging"

    @property
    def production(self) -> bool:
        return self.environment == "production"

    # --- origins

    def note(self, value: str, kind: str, name: str, path: tuple[str | int, ...], how: str) -> None:
        self.origins[value] = Origin(kind, name, path, how)

    def tenant_note(self, value: str, *path: str | int, how: str) -> None:
        self.note(value, "Tenant", self.tenant.name, path, how)

    def tier_note(self, value: str, *path: str, how: str = "tier default") -> None:
        self.note(value, "Tier", self.tier.name, path, how)

    def note_placement(self) -> None:
        self.tenant_note("cell", "environments", self.environment, "cell", how="set explicitly")
        self.note("cluster", "Cell", self.site.cell.name, ("cluster",), "cluster of the cell")
        path = ("releases", self.environment)
        self.note("release", "Channel", self.tenant.channel, path, f"channel {self.tenant.channel}")

    # --- values

    def state(self) -> State:
        own = self.tenant.environments[self.environment].state
        path = ("environments", self.environment, "state") if own else ("state",)
        self.tenant_note("state", *path, how="set for this environment" if own else "set for the tenant")
        return own or self.tenant.state

    def hosts(self) -> tuple[str, ...]:
        own = self.tenant.environments[self.environment].hosts
        if own:
            self.tenant_note("hosts", "environments", self.environment, "hosts", how="set explicitly")
            return own
        self.note("hosts", "Platform", "platform", ("domain",), "derived from tenant, environment and domain")
        return (self.names.host(self.site.platform.domain),)

    def settings(self) -> Settings:
        tier, size = self.tier, self.tier.sizing
        layout = self.layout()
        split = tier.topology == "split"
        web = sizing.pod_size(
            size, workers=layout.per_pod, cron_workers=0 if split else layout.cron_workers, websocket=not split
        )
        cron = sizing.pod_size(size, workers=0, cron_workers=layout.cron_workers, websocket=False)
        websocket = sizing.pod_size(size, workers=0, cron_workers=0, websocket=True)
        migration = sizing.pod_size(size, workers=1, cron_workers=0, websocket=False)
        cron_replicas = self.replicas_of("cron", tier.replicas.cron) if split else 0
        websocket_replicas = self.replicas_of("websocket", tier.replicas.websocket) if split else 0
        # A rolling update briefly runs one extra Pod of each Deployment.
        connections = (layout.ceiling + 1) * web.connections + migration.connections + 2
        if split:
            connections += (cron_replicas + 1) * cron.connections + (websocket_replicas + 1) * websocket.connections
        self.note_sizes(layout)
        windows = self.windows()
        return Settings(
            concurrent_users=sizing.concurrent_users(size, self.tenant.users),
            web=web, cron=cron, websocket=websocket, migration=migration,
            web_replicas_min=layout.replicas, web_replicas_max=layout.ceiling,
            cron_replicas=cron_replicas, websocket_replicas=websocket_replicas,
            connection_limit=connections, postgresql=self.postgresql(connections),
            own_redis=self.own_redis(), redis_memory_mib=tier.redis.memory_mib,
            redis_replicas=tier.redis.replicas if self.production else 0,
            edge=self.edge(),
            logs_days=self.bounded("log_retention_days", "logs_days", tier.retention.logs_days, tier.overrides.max_log_retention_days, "retention", "logsDays"),
            backup_retention_days=self.bounded("backup_retention_days", "backup_retention_days", tier.backup.retention_days, tier.overrides.max_backup_retention_days, "backup", "retentionDays"),
            windows=windows, backups=self.backups(windows),
        )  # fmt: skip

    def layout(self) -> _Layout:
        tier, size, users = self.tier, self.tier.sizing, self.tenant.users
        workers = sizing.http_workers(size, users)
        most = self.bounded(
            "max_replicas", "web_replicas_max", tier.replicas.web_max, tier.overrides.max_replicas, "replicas", "webMax"
        )
        replicas = max(tier.replicas.web_min, math.ceil(workers / size.max_workers_per_pod))
        if replicas > most:
            message = f"{users} users need {workers} workers, but tier '{tier.name}' allows at most {most * size.max_workers_per_pod}"
            hint = f"choose a larger tier, or raise overrides.maxReplicas (at most {tier.overrides.max_replicas})"
            raise DoesNotFitError(SettingProblem("R004", ("users",), message, hint))
        per_pod = math.ceil(workers / replicas)
        words = f"{workers} workers for {sizing.concurrent_users(size, users)} concurrent users"
        if self.staging:
            replicas, words = 1, "one Pod of production's size"
        ceiling = min(most, max(replicas + 1, replicas * 2)) if self.production else replicas
        cron_workers = sizing.step_for(size.cron_workers, users).workers
        return _Layout(workers, per_pod, cron_workers, replicas, ceiling, words)

    def note_sizes(self, layout: _Layout) -> None:
        size = self.tier.sizing
        self.tenant_note("concurrent_users", "users", how=f"{self.tenant.users} users x {size.concurrent_share}")
        self.tenant_note("web", "users", how=f"{layout.words}, {layout.per_pod} per Pod")
        self.tenant_note("web_replicas_min", "users", how=f"{layout.words}, at most {size.max_workers_per_pod} per Pod")
        self.tenant_note("cron", "users", how=f"{layout.cron_workers} cron workers")
        self.tenant_note("websocket", "users", how="one gevent process")
        self.tenant_note("migration", "users", how="one process")
        how = "maximum Pods, plus one of each Deployment, x connections per Pod, + migration + 2"
        self.tenant_note("connection_limit", "users", how=how)
        for role in ("web", "cron", "websocket", "migration"):
            for value in ("memory_request_mib", "memory_limit_mib"):
                self.tier_note(f"{role}.{value}", "sizing", "memory", how="base + workers x amount per worker")
            for value in ("cpu_request_millicores", "cpu_limit_millicores"):
                self.tier_note(f"{role}.{value}", "sizing", "cpu", how="base + workers x amount per worker")
            self.tier_note(
                f"{role}.connections", "sizing", "connectionsPerProcess", how="processes x connections per process"
            )

    def replicas_of(self, role: str, production: int | None) -> int:
        self.tier_note(f"{role}_replicas", "replicas", role)
        return 1 if self.staging else production or 1

    def bounded(self, name: str, value: str, default: int, bound: int, *tier_path: str) -> int:
        """The override's value if the tenant has one, else the tier's."""
        override: Override | None = getattr(self.tenant.overrides, name)
        if override is None:
            self.tier_note(value, *tier_path)
            return default
        key = to_camel_case(name)
        self.tenant_note(value, "overrides", key, "value", how=f"override: {override.reason}")
        first = min(self.tenant.environments, key=ENVIRONMENTS.index)
        if override.value > bound and self.environment == first:
            message = f"override {key} is {override.value}, but tier '{self.tier.name}' allows at most {bound}"
            self.problems.append(
                SettingProblem(
                    "R002",
                    ("overrides", key, "value"),
                    message,
                    "stay within the limit, or choose a tier that allows more",
                )
            )
        return override.value

    def own_redis(self) -> bool:
        if self.tier.isolation.redis != "own" and self.release.session_store_needs_scan:
            how = "its session store can't share a server"
            self.note("own_redis", "Release", self.release.name, ("sessionStoreNeedsScan",), how)
        else:
            self.tier_note("own_redis", "isolation", "redis")
        self.tier_note("redis_memory_mib", "redis", "memoryMiB")
        self.tier_note("redis_replicas", "redis", "replicas")
        return self.tier.isolation.redis == "own" or self.release.session_store_needs_scan

    def postgresql(self, connections: int) -> PostgresqlSize | None:
        own = self.tier.postgresql
        if own is None or self.tier.isolation.postgresql != "own":
            self.tier_note("postgresql", "isolation", "postgresql", how="the cell's cluster")
            return None
        storage: int | None = None
        how = f"own cluster, sized for {self.tenant.users} users"
        if self.tenant.overrides.database_storage_gib is not None and not self.staging:
            bound = self.tier.overrides.max_database_storage_gib
            storage = self.bounded("database_storage_gib", "postgresql", 0, bound)
        else:
            self.tenant_note("postgresql", "users", how=how)
        share = self.tier.staging.database_share if self.staging else 1.0
        size = sizing.postgresql_size(own, self.tenant.users, connections=connections, share=share, storage_gib=storage)
        # A staging database has one instance: everything in it can be copied from production again.
        return dataclasses.replace(size, instances=1) if self.staging else size

    def edge(self) -> EdgeLimits:
        edge, bounds = self.tier.edge, self.tier.overrides
        self.tier_note("edge", "edge")
        rate = self.bounded(
            "requests_per_second",
            "edge.requests_per_second",
            edge.requests_per_second,
            bounds.max_requests_per_second,
            "edge",
            "requestsPerSecond",
        )
        body = self.bounded("body_mib", "edge.body_mib", edge.body_mib, bounds.max_body_mib, "edge", "bodyMiB")
        # The tier has no limit for this: the schema does, and exceeding the tier's rate needs an exception.
        login = self.bounded(
            "login_requests_per_second", "edge.login_requests_per_second", edge.login_requests_per_second, sys.maxsize,
            "edge", "loginRequestsPerSecond",
        )  # fmt: skip
        login_burst = max(edge.login_burst, 5 * (login - 1), sizing.logins_at_once(self.tenant.users))
        return dataclasses.replace(
            edge, requests_per_second=rate, burst=max(edge.burst, rate, sizing.pages_at_once(self.tenant.users)), body_mib=body,
            login_requests_per_second=login, login_burst=login_burst,
        )  # fmt: skip

    def windows(self) -> tuple[Window, ...]:
        platform = self.site.platform
        zone = next((r.time_zone for r in platform.regions if r.name == self.site.region), "UTC")
        if self.tenant.maintenance:
            self.tenant_note("windows", "maintenance", how="set explicitly")
        else:
            self.note("windows", "Platform", "platform", ("maintenance", "default"), "the platform's window")
        chosen = self.tenant.maintenance or (platform.maintenance.default,)
        return tuple(dataclasses.replace(w, time_zone=w.time_zone or zone) for w in chosen)

    def backups(self, windows: tuple[Window, ...]) -> BackupTimes:
        backup = self.tier.backup
        self.tier_note("backups", "backup", how="spread by the instance's name, outside its windows")
        return backup_times(self.names.instance, backup.base_backup_every_hours, backup.velero_every_hours, windows)
