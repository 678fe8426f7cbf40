"""Users -> workers, memory, CPU, connections, storage: the arithmetic of the tiers' `sizing` sections.

The rules come from Odoo's deployment guide (one worker serves about six concurrent users; memory limits are of
virtual size) and from the service catalog. The numbers are in the tier files; only the formulas are here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tenantry.model.tier import OwnPostgresql, Sizing

MEBIBYTE = 1 << 20


class SizeStep(Protocol):
    """An entry of a list of sizes; `up_to_users` is None for the last."""

    @property
    def up_to_users(self) -> int | None: ...


S = TypeVar("S", bound=SizeStep)


def step_for(steps: Sequence[S], users: int) -> S:
    """The first step for this many users; the last one is for any number."""
    return next((step for step in steps if step.up_to_users is not None and users <= step.up_to_users), steps[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSize:
    """Requests and limits of one Odoo Pod."""

    workers: int
    cron_workers: int
    cpu_request_millicores: int
    cpu_limit_millicores: int | None
    memory_request_mib: int
    memory_limit_mib: int
    connections: int
    """Maximum number of PostgreSQL connections of the whole Pod, enforced by the PgBouncer sidecar."""

    @property
    def memory_hard_bytes(self) -> int:
        """Odoo's limit_memory_hard, of virtual size: below the container's limit, so that Odoo ends a worker
        before the kernel ends the Pod; never above Odoo's own default of 2.5 GiB."""
        return min(2560, self.memory_limit_mib - 128) * MEBIBYTE

    @property
    def memory_soft_bytes(self) -> int:
        """Odoo's limit_memory_soft: a worker above it exits after its request."""
        return self.memory_hard_bytes * 4 // 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlSize:
    """A PostgreSQL cluster of one instance."""

    instances: int
    cpu_millicores: int
    memory_mib: int
    storage_gib: int
    wal_gib: int
    max_connections: int

    @property
    def shared_buffers_mib(self) -> int:
        """A quarter of the memory, the PostgreSQL manual's recommended start."""
        return self.memory_mib // 4

    @property
    def max_wal_size_mib(self) -> int:
        """Half of the WAL volume: the operator rejects a value that exceeds it."""
        return self.wal_gib * 512


def concurrent_users(sizing: Sizing, users: int) -> int:
    """Users who work at the same time, rounded up; a float's error in the seventh place does not add one."""
    return math.ceil(round(users * sizing.concurrent_share, 6))


def websockets_in_flight(users: int, in_flight: int) -> int:
    """Websockets that one address may hold: an office behind it, with some tabs each, and twice as many as requests."""
    return max(2 * in_flight, 3 * users)


def pages_at_once(users: int) -> int:
    """Requests that one address may send at once: an office behind it opens its browsers at nine o'clock."""
    return 6 * users


def logins_at_once(users: int) -> int:
    """The same for the login paths. Only the burst: what a guesser gets in the long run stays one a second."""
    return math.ceil(users / 20)


def http_workers(sizing: Sizing, users: int) -> int:
    """HTTP workers of an instance, all Pods together."""
    return max(sizing.min_workers, math.ceil(concurrent_users(sizing, users) / sizing.users_per_worker))


def pod_size(sizing: Sizing, *, workers: int, cron_workers: int, websocket: bool) -> PodSize:
    """Size of a Pod with that many HTTP and cron workers; `websocket` if it also serves websockets."""
    processes = workers + cron_workers
    memory, cpu = sizing.memory, sizing.cpu
    cpu_request = cpu.request_base_millicores + processes * cpu.request_per_worker_millicores
    # The prefork parent has its own connections.
    connections = (processes + 1) * sizing.connections_per_process if processes else 0
    return PodSize(
        workers=workers,
        cron_workers=cron_workers,
        cpu_request_millicores=cpu_request,
        cpu_limit_millicores=None if cpu.limit_factor is None else round(cpu_request * cpu.limit_factor),
        memory_request_mib=memory.request_base_mib + max(processes, 1) * memory.request_per_worker_mib,
        # At least two workers: a Pod with a single worker must leave room for a large report.
        memory_limit_mib=memory.limit_base_mib + max(processes, 2) * memory.limit_per_worker_mib,
        connections=connections + (sizing.connections_websocket if websocket else 0),
    )


def postgresql_size(
    tier: OwnPostgresql, users: int, *, connections: int, share: float, storage_gib: int | None
) -> PostgresqlSize:
    """Size of an instance's own cluster; `share` scales a staging database down, `storage_gib` overrides the formula."""
    step = step_for(tier.sizes, users)
    storage = storage_gib or math.ceil((tier.storage_base_gib + tier.storage_per_user_gib * users) * share)
    storage = max(storage, 5)
    return PostgresqlSize(
        instances=tier.instances,
        cpu_millicores=max(500, round(step.cpu_millicores * share)),
        memory_mib=max(2048, round(step.memory_mib * share)),
        storage_gib=storage,
        wal_gib=max(tier.wal_min_gib, math.ceil(storage * tier.wal_share)),
        max_connections=connections + tier.reserved_connections,
    )
