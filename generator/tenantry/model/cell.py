"""The kind Cell: platform/cells/*.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tenantry.model.common import EnvironmentName
from tenantry.model.restore import Restore


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Limits of the cell."""

    instances: int
    users: int
    cpu_millicores: int
    memory_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPostgresql:
    """Shared PostgreSQL cluster; absent where tenants have their own."""

    major: int
    instances: int
    cpu_millicores: int
    memory_mib: int
    storage_gib: int
    wal_gib: int
    max_connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRedis:
    """Shared Redis; absent where tenants have their own."""

    memory_mib: int
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A slice of a cluster that instances share; its capacity limits how many tenants one failure can affect."""

    name: str
    cluster: str
    tier: str
    environments: tuple[EnvironmentName, ...]
    capacity: Capacity
    node_pool: str
    database_node_pool: str
    state: Literal["open", "closed", "decommissioned"] = "open"
    purpose: Literal["service", "standby"] = "service"
    postgresql: CellPostgresql | None = None
    postgresql_major: int | None = None
    redis: CellRedis | None = None
    restores: tuple[Restore, ...] = ()
    """Restores of the shared PostgreSQL, in their order; none is ever taken away."""
