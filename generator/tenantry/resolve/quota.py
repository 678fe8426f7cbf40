"""Quota of a namespace: exactly the sum of what its objects may request at the same time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tenantry.model.cell import Cell
from tenantry.resolve.drills import instance_drill
from tenantry.resolve.instance import Instance
from tenantry.resolve.servers import cell_servers
from tenantry.resolve.sizing import PodSize, PostgresqlSize


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """ResourceQuota of a namespace, or the share of an instance in its cell's capacity."""

    cpu_millicores: int
    memory_request_mib: int
    memory_limit_mib: int
    scratch_request_mib: int
    scratch_limit_mib: int
    storage_gib: int
    volumes: int
    pods: int


@dataclass(frozen=True, slots=True)
class _Pods:
    count: int
    cpu: int
    request: int
    limit: int
    scratch: tuple[int, int]
    """MiB of the node's disk: requested, and at most."""


# The PgBouncer sidecar and the init container that joins odoo.conf (templates/macros/odoo.j2).
_SIDECARS = (50, 64, 128)
_BACKUP_JOB = _Pods(1, 250, 320, 640, (80, 2176))
_MOVE_JOB = _Pods(1, 200, 256, 512, (64, 2048))
_DRILL_JOB = _Pods(1, 500, 512, 1024, (128, 1024))
"""A cell's (templates/macros/drill.j2): restoring, then its server and the checks together."""
_DRILL_SERVER = (250, 384, 768, (64, 512))
_BARMAN_SIDECAR = (100, 128, 512)
_POOLERS = _Pods(3, 100, 64, 128, (32, 256))
_ODOO_SCRATCH, _POSTGRESQL_SCRATCH, _REDIS_SCRATCH = (528, 5248), (320, 3072), (80, 640)


def instance_quota(instance: Instance) -> Quota:
    """Room for a rolling update at the autoscaler's maximum, and both hook Jobs.

    A quota counts old Pods until their last request is answered (terminationGracePeriodSeconds, ten minutes), while new
    ones already start. A rejected Pod is retried with growing delays, until the rollout misses its deadline.
    """
    return _instance(instance, lambda replicas: max(2 * replicas, replicas + 1))


def instance_peak(instance: Instance) -> Quota:
    """The share of an instance in its cell's capacity: the autoscaler's maximum, one surge Pod each, and the Jobs."""
    return _instance(instance, lambda replicas: replicas + 1)


def _instance(instance: Instance, during_update: Callable[[int], int]) -> Quota:
    settings = instance.settings
    pods = [_odoo(settings.web, during_update(settings.web_replicas_max)), _odoo(settings.migration, 1), _BACKUP_JOB]
    if instance.split:
        pods.append(_odoo(settings.cron, during_update(settings.cron_replicas)))
        pods.append(_odoo(settings.websocket, during_update(settings.websocket_replicas)))
    storage = volumes = 0
    if instance.copied_to is not None or instance.transfers:
        pods.append(_MOVE_JOB)
    beside = instance.beside.settings.postgresql if instance.beside is not None else None
    restored = settings.postgresql if instance.servers.beside is not None else None
    for server in (settings.postgresql, beside, restored):
        if server is None:
            continue
        pods.append(_postgresql(server))
        # One more instance: the operator creates the replacement first.
        volumes += 2 * (server.instances + 1)
        storage += (server.storage_gib + server.wal_gib) * (server.instances + 1)
    if settings.postgresql is not None and instance_drill(instance, instance.site) is not None:
        pods.append(_drill(settings.migration))
        volumes += 1
        storage += settings.postgresql.storage_gib + settings.postgresql.wal_gib
    if settings.postgresql is not None:
        reports = instance.tier.postgresql and instance.tier.postgresql.read_only_pooler
        if reports and instance.environment == "production":
            pods.append(_POOLERS)
    if settings.own_redis:
        pods.append(_redis(settings.redis_memory_mib, settings.redis_replicas))
        volumes += settings.redis_replicas + 1
        storage += (settings.redis_memory_mib // 256 + 1) * (settings.redis_replicas + 1)
    return _sum(pods, storage, volumes)


def cell_quota(cell: Cell, postgresql: PostgresqlSize | None, *, drilled: bool) -> Quota:
    """Quota of a cell's own namespace: its shared PostgreSQL and Redis."""
    pods: list[_Pods] = []
    storage = volumes = 0
    for _ in cell_servers(cell).all if postgresql is not None else ():
        assert postgresql is not None
        pods.append(_postgresql(postgresql))
        volumes += 2 * (postgresql.instances + 1)
        storage += (postgresql.storage_gib + postgresql.wal_gib) * (postgresql.instances + 1)
    if drilled and postgresql is not None:
        pods.append(_DRILL_JOB)
        volumes += 1
        storage += postgresql.storage_gib + postgresql.wal_gib
    if cell.redis is not None:
        pods.append(_redis(cell.redis.memory_mib, cell.redis.replicas))
        volumes += cell.redis.replicas + 1
        storage += (cell.redis.memory_mib // 256 + 1) * (cell.redis.replicas + 1)
    return _sum(pods, storage, volumes)


def _odoo(size: PodSize, count: int) -> _Pods:
    cpu, request, limit = _SIDECARS
    return _Pods(
        count,
        size.cpu_request_millicores + cpu,
        size.memory_request_mib + request,
        size.memory_limit_mib + limit,
        _ODOO_SCRATCH,
    )


def _postgresql(size: PostgresqlSize) -> _Pods:
    cpu, request, limit = _BARMAN_SIDECAR
    return _Pods(
        size.instances + 1,
        size.cpu_millicores + cpu,
        size.memory_mib + request,
        size.memory_mib + limit,
        _POSTGRESQL_SCRATCH,
    )


def _drill(odoo: PodSize) -> _Pods:
    """Odoo of a drill beside its server, or the restore before both."""
    cpu, request, limit, scratch = _DRILL_SERVER
    return _Pods(
        1, max(cpu + odoo.cpu_request_millicores, _DRILL_JOB.cpu), max(request + odoo.memory_request_mib, _DRILL_JOB.request),
        max(limit + odoo.memory_limit_mib, _DRILL_JOB.limit), (scratch[0] + 512, scratch[1] + 5120),
    )  # fmt: skip


def _redis(memory_mib: int, replicas: int) -> _Pods:
    """Requests and limits as in templates/macros/redis.j2, its reload container included."""
    return _Pods(replicas + 1, 110, memory_mib * 3 // 2 + 80, memory_mib * 2 + 160, _REDIS_SCRATCH)


def _sum(pods: list[_Pods], storage_gib: int, volumes: int) -> Quota:

    return Quota(
        cpu_millicores=sum(p.count * p.cpu for p in pods),
        memory_request_mib=sum(p.count * p.request for p in pods),
        memory_limit_mib=sum(p.count * p.limit for p in pods),
        scratch_request_mib=sum(p.count * p.scratch[0] for p in pods),
        scratch_limit_mib=sum(p.count * p.scratch[1] for p in pods),
        storage_gib=storage_gib,
        volumes=volumes,
        pods=sum(p.count for p in pods),
    )
