"""An instance: one tenant in one environment, with every value resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster, NodePool
from tenantry.model.common import EnvironmentName, State, Window
from tenantry.model.credential import Credentials
from tenantry.model.failover import Failover
from tenantry.model.migration import AT_TARGET, COPYING, MoveStep
from tenantry.model.names import InstanceNames, cell_namespace
from tenantry.model.origin import Origin
from tenantry.model.platform import Platform
from tenantry.model.release import Release
from tenantry.model.tenant import Tenant
from tenantry.model.tier import EdgeLimits, Tier
from tenantry.resolve.schedule import BackupTimes
from tenantry.resolve.servers import Databases, ServerGeneration, Servers, cell_servers, databases_of, servers_of
from tenantry.resolve.sizing import PodSize, PostgresqlSize
from tenantry.resolve.topology import ReplicaRole, copy_at, replication


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one instance that follow from tier, users and overrides."""

    concurrent_users: int
    web: PodSize
    cron: PodSize
    websocket: PodSize
    migration: PodSize
    web_replicas_min: int
    web_replicas_max: int
    cron_replicas: int
    websocket_replicas: int
    connection_limit: int
    postgresql: PostgresqlSize | None
    own_redis: bool
    redis_memory_mib: int
    redis_replicas: int
    edge: EdgeLimits
    logs_days: int
    backup_retention_days: int
    windows: tuple[Window, ...]
    backups: BackupTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an instance's objects run. A dedicated tenant has two: its cluster and the DR partner."""

    platform: Platform
    cluster: Cluster
    cell: Cell
    partner: Cluster

    @property
    def region(self) -> str:
        return self.cluster.region

    @property
    def node_pool(self) -> NodePool:
        return _pool(self.cluster, self.cell.node_pool)

    @property
    def database_node_pool(self) -> NodePool:
        return _pool(self.cluster, self.cell.database_node_pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The step of a move that an instance is in, and the instance as it will be, or was, at the other place."""

    step: MoveStep
    other: Instance
    across: bool = False
    """Whether the other place is in another cluster: a whole instance there, not only a database."""
    attempt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One tenant in one environment: everything that templates can access."""

    tenant: Tenant
    environment: EnvironmentName
    state: State
    tier: Tier
    release: Release
    site: Site
    standby: Site | None
    names: InstanceNames
    hosts: tuple[str, ...]
    api_host: str
    settings: Settings
    move: Move | None = None
    retired: bool = False
    """The other place of a move, while nothing is copied: what is there is kept, and nobody may log in."""
    failed_over: bool = False
    """Whether its DR site serves, and its home has the copy."""
    waits: bool = False
    """The other place of a move in another cluster: all of the instance is there, and Odoo is stopped."""
    origins: Mapping[str, Origin] = field(repr=False, compare=False)

    def origin(self, name: str) -> Origin | None:
        """What decided a setting (`web.workers`), or the closest group that it belongs to."""
        while name:
            if name in self.origins:
                return self.origins[name]
            name = name.rpartition(".")[0]
        return None

    @property
    def name(self) -> str:
        return self.names.instance

    @property
    def split(self) -> bool:
        return self.tier.topology == "split"

    @property
    def running(self) -> bool:
        """False when the instance's Pods are stopped: suspended, frozen for its last copy, at a place of a move that does not
        serve, a recovery environment between drills, or while its database is replaced."""
        frozen = self.move is not None and self.move.step == "freeze"
        demoted = self.failover is not None and self.failover.step == "demote"
        return self.database_runs and not (frozen or demoted or self.waits or self.database_servers.stopped)

    @property
    def database_runs(self) -> bool:
        """False when its own PostgreSQL servers are stopped, too. Work on the data needs them, with Odoo stopped beside them."""
        return self.state == "active" and self.environment != "recovery"

    @property
    def servers(self) -> Servers:
        """Its own PostgreSQL servers; those of a tier without any are the cell's."""
        placed = self.tenant.environments.get(self.environment)
        found = servers_of(self.name, placed.restores if placed is not None and self.settings.postgresql else ())
        return replace(found, serving=self._at(found.serving, self.site, away=self.failed_over))

    @property
    def failovers(self) -> tuple[Failover, ...]:
        """Changes of the place that serves, in their order."""
        placed = self.tenant.environments.get(self.environment)
        return placed.failovers if placed is not None else ()

    @property
    def credentials(self) -> Credentials:
        """Which values of its credentials are used."""
        placed = self.tenant.environments.get(self.environment)
        return placed.credentials if placed is not None else Credentials()

    @property
    def failover(self) -> Failover | None:
        """The failover that is not over."""
        last = self.failovers[-1] if self.failovers else None
        return last if last is not None and last.step != "done" else None

    @property
    def copy_server(self) -> ServerGeneration:
        """The server at the place that does not serve, which follows the one that does."""
        assert self.standby is not None
        placed = self.tenant.environments[self.environment]
        return self._at(servers_of(self.name, placed.restores).serving, self.standby, away=not self.failed_over)

    @property
    def exposed(self) -> bool:
        """Whether its other place was lost, and has no new copy yet: what was promised about its loss can't be kept."""
        copy = self.replication(self.standby) if self.standby is not None else None
        return copy is not None and copy.fenced

    def _at(self, server: ServerGeneration, site: Site, *, away: bool) -> ServerGeneration:
        copy = copy_at(self.failovers, site.cluster.name)
        return replace(server, away=away, copy=copy, alone=server.alone and not copy)

    def replication(self, site: Site) -> ReplicaRole | None:
        """How its own server at one of its two places takes part; None before the first failover."""
        serves = site is not self.standby
        other = self.standby if serves else self.site
        if other is None or self.standby is None:
            return None
        server = self.servers.serving if serves else self.copy_server
        name = (
            "primary" if server.away and not server.copy else other.cluster.name
        )  # how it was called when it was made
        return replication(self.failovers, site.cluster.name, name, serves=serves)

    @property
    def database_servers(self) -> Servers:
        """The PostgreSQL servers, its own or its cell's, that its database is on."""
        return self.servers if self.settings.postgresql is not None else cell_servers(self.site.cell)

    @property
    def database_server(self) -> ServerGeneration:
        """The PostgreSQL server, its own or its cell's, that Odoo works on."""
        return self.database_servers.serving

    @property
    def database_ca(self) -> str:
        """The Secret with the certificate by which its Pods know that server: the operator's own, or the internal CA's."""
        return f"{self.database_server.name}-ca" if self.settings.postgresql is not None else "internal-client"

    @property
    def beside(self) -> Instance | None:
        """The instance at the other place of a move in this cluster, or with the other database of a restore, while that is
        in the trees, too."""
        if self.move is None:
            return self._other_database
        return self.move.other if not self.move.across and self.move.step != "remove" else None

    @property
    def elsewhere(self) -> Instance | None:
        """The instance at the other place of a move to another cluster, while it is in the trees, too."""
        there = self.move is not None and self.move.across and self.move.step != "remove" and not self.waits
        return self.move.other if self.move is not None and there else None

    @property
    def databases(self) -> Databases:
        """Its databases on a shared server."""
        return databases_of(
            self.tenant.environments[self.environment].restores if self.settings.postgresql is None else ()
        )

    @property
    def _other_database(self) -> Instance | None:
        found = self.databases if self.environment in self.tenant.environments else Databases()
        if found.beside is None:
            return None
        return replace(self, names=replace(self.names, database_generation=found.beside), retired=not found.filling)

    @property
    def filled_from(self) -> ServerGeneration | None:
        """The restored server that a Job of this instance takes one database out of."""
        mine = self.names.database_generation == self.databases.serving
        return self.database_servers.beside if self.move is None and mine and self.databases.filling else None

    @property
    def copied_to(self) -> Instance | None:
        """The instance in this cluster whose database is written by a Job of this one."""
        if self.move is None:
            return self._other_database if self.databases.filling else None
        return self.move.other if not self.move.across and self.move.step in COPYING else None

    @property
    def transfers(self) -> Literal["", "dump", "restore", "compare"]:
        """What a Job of it does in a move to another cluster."""
        if self.move is None or not self.move.across or self.move.step not in COPYING:
            return ""
        if self.move.step == "compare":
            return "compare" if self.waits else ""
        return "restore" if self.waits else "dump"

    @property
    def stands_by(self) -> str:
        """What its namespace says of itself: its state, or what it is to a move to another cluster."""
        if not self.waits:
            return self.state
        return "kept" if self.moved else "prepared"

    @property
    def moved(self) -> bool:
        """Whether it serves what a move or a restore has copied; it must never begin with an empty database then."""
        restored = self.databases.beside is not None and not self.databases.filling
        return self.move.step in AT_TARGET if self.move is not None else restored

    @property
    def move_ends(self) -> tuple[Instance, Instance]:
        """The instance at the source and at the target of its move; itself twice when it does not move."""
        if self.move is None:
            return self, self
        return (self.move.other, self) if self.moved else (self, self.move.other)

    @property
    def certificates(self) -> Mapping[str, str]:
        """Secret -> host. One certificate each, so that a name that can't be issued keeps no other from being."""
        found = {f"odoo-tls{numbered(index)}": host for index, host in enumerate(self.hosts)}
        return {**found, "odoo-api-tls": self.api_host} if self.tenant.access.api_clients else found

    @property
    def challenge_records(self) -> Mapping[str, str]:
        """Own domain of the customer -> the DNS record that the customer adds, before a certificate can be issued."""
        platform = self.site.platform
        zone = platform.issuers.dns_solver.challenge_zone
        own = (host for host in self.certificates.values() if not host.endswith(f".{platform.domain}"))
        return {host: f"_acme-challenge.{host} CNAME {host}.{zone}" for host in own}

    @property
    def leaving(self) -> bool:
        return self.state == "offboarding"

    @property
    def erased(self) -> bool:
        """Whether its data on a shared server is dropped."""
        approved = self.tenant.offboarding
        return self.leaving and approved is not None and approved.step == "erase"


def database_host(instance: Instance) -> str:
    """The server that its Pods are connected to, as they call it."""
    own = instance.settings.postgresql is not None
    service = f"{instance.database_server.name}-rw"
    return service if own else f"{service}.{cell_namespace(instance.site.cell.name)}.svc"


def copy_source_host(instance: Instance) -> str:
    """The server that a Job of this instance copies from: the one it uses, or a restored one beside that."""
    source = instance.filled_from
    return f"{source.name}-rw.{cell_namespace(instance.site.cell.name)}.svc" if source else database_host(instance)


def with_elsewhere(instances: Iterable[Instance]) -> Iterator[Instance]:
    """Instances, and those at the other place of a move to another cluster."""
    for instance in instances:
        yield instance
        if instance.elsewhere is not None:
            yield instance.elsewhere


def copies_folder(instance: Instance) -> str:
    """Bucket and folder of what is copied to another cluster: in the backups of the place that it leaves."""
    assert instance.move is not None
    source = instance.move.other if instance.waits else instance
    storage = source.site.cluster.object_storage
    return f"{storage.backup_bucket}/{instance.names.object_prefix}/move-{instance.move.attempt}"


def attachment_folder(instance: Instance) -> str:
    """Bucket, and the folder in it unless the bucket is its own, where its attachments lie."""
    bucket = instance.site.cluster.object_storage.attachment_bucket
    if instance.tier.isolation.attachments == "bucket":
        return instance.names.own_bucket(bucket)
    return f"{bucket}/{instance.names.object_prefix}"


def numbered(index: int) -> str:
    """How the objects of an instance's hosts are called apart: the first has the bare name."""
    return f"-{index + 1}" if index else ""


def _pool(cluster: Cluster, name: str) -> NodePool:
    return next(pool for pool in cluster.node_pools if pool.name == name)
