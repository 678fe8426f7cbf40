"""What the inputs promise, in the form that proofs need: who owns a namespace, and what it may contain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tenantry.inputs.fleet import Fleet
from tenantry.model import names
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.control_exception import ControlException
from tenantry.model.platform import Platform
from tenantry.model.secret_store import SecretStore
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.resolve.drills import Drill, cell_drill, instance_drill
from tenantry.resolve.instance import Instance, Site, with_elsewhere
from tenantry.resolve.servers import ServerGeneration, Servers, cell_servers
from tenantry.resolve.topology import ReplicaRole


@dataclass(frozen=True)
class Home:
    """A namespace that somebody is promised: an instance, its replica at the DR site, or the services of a cell."""

    namespace: str
    role: Literal["instance", "standby", "cell"]
    site: Site
    tier: Tier
    instance: Instance | None = None
    members: tuple[Instance, ...] = ()
    """Instances of a cell."""
    guests: tuple[Instance, ...] = ()
    """Instances that move, and have a database on the cell's server although another place serves them."""

    @property
    def tenant(self) -> str:
        """Empty for a cell."""
        return self.instance.tenant.name if self.instance else ""

    @property
    def cluster(self) -> Cluster:
        return self.site.cluster

    @property
    def own_postgresql(self) -> bool:
        return self.instance is not None and self.instance.settings.postgresql is not None

    @property
    def database_site(self) -> Site:
        """Where PostgreSQL of this namespace runs: where the instance is, or where it moves to."""
        beside = self.instance.beside if self.instance is not None else None
        return self.site if beside is None or self.own_postgresql else beside.site

    @property
    def servers(self) -> Servers:
        """PostgreSQL servers that there are in this namespace; meaningless where it has none."""
        if self.instance is not None and self.role == "standby":
            return Servers(serving=self.instance.copy_server)
        return self.instance.servers if self.instance is not None else cell_servers(self.site.cell)

    @property
    def drill(self) -> Drill | None:
        """How its server is restored for practice."""
        if self.role == "cell":
            return cell_drill(self.site, self.tier, self.members)
        return instance_drill(self.instance, self.site) if self.instance is not None else None

    def server(self, name: str) -> ServerGeneration | None:
        """The server whose Cluster has that name; None if nothing in the inputs explains it. A DR site has one only."""
        return next((server for server in self.servers.all if server.name == name), None)

    @property
    def replication(self) -> ReplicaRole | None:
        """How its own server takes part; None before the first failover."""
        return self.instance.replication(self.site) if self.instance is not None else None

    @property
    def fenced(self) -> bool:
        """Whether it was lost while it served, and must not run again."""
        return self.replication is not None and self.replication.fenced

    @property
    def other_archive(self) -> str:
        """The archive that it reads of its other place; empty where it has none."""
        if self.instance is None or self.instance.standby is None:
            return ""
        standby = self.role == "standby"
        return (self.instance.servers.serving if standby else self.instance.copy_server).archive

    @property
    def with_database(self) -> tuple[Instance, ...]:
        """Instances that a cell's server has a database of."""
        return (*(m for m in self.members if m.settings.postgresql is None), *self.guests)

    @property
    def known(self) -> tuple[Instance, ...]:
        """Members and guests of a cell."""
        return (*self.members, *self.guests)

    @property
    def own_redis(self) -> bool:
        return self.instance is not None and self.role == "instance" and self.instance.settings.own_redis

    @property
    def secret_store(self) -> SecretStore:
        return self.site.platform.secret_store

    @property
    def secret_identity(self) -> str:
        """As whom the namespace reads the secret store."""
        return self.namespace

    @property
    def secret_path(self) -> str:
        return self.instance.names.secret_path if self.instance else names.cell_secret_path(self.site.cell.name)

    def __str__(self) -> str:
        return f"cell {self.site.cell.name}" if self.instance is None else f"{self.tenant}, {self.instance.environment}"


@dataclass(frozen=True, slots=True)
class PlatformReader:
    """A platform component that reads the secret store: Argo CD, for its cluster and its repository."""

    namespace: str
    cluster: str
    secret_store: SecretStore
    role: Literal["platform"] = "platform"
    tenant: str = ""
    members: tuple[Instance, ...] = ()
    guests: tuple[Instance, ...] = ()
    known: tuple[Instance, ...] = ()

    @property
    def secret_identity(self) -> str:
        return names.platform_identity(self.cluster, self.namespace)

    @property
    def secret_path(self) -> str:
        return names.platform_secret_path(self.cluster, self.namespace)

    def __str__(self) -> str:
        return f"Argo CD of {self.cluster}"


SecretReader = Home | PlatformReader
"""Who reads the secret store through a store of its own."""
Homes = Mapping[str, Home]
"""Homes of one cluster by namespace."""


@dataclass(frozen=True)
class Promises:
    """Everything that the proofs check the objects against."""

    fleet: Fleet
    instances: Mapping[str, Instance]
    as_of: str
    homes: Mapping[str, Homes] = field(default_factory=dict)
    """By cluster."""

    @property
    def platform(self) -> Platform:
        return self.fleet.platform

    @property
    def clusters(self) -> Mapping[str, Cluster]:
        return self.fleet.all(Cluster)

    @property
    def exceptions(self) -> Sequence[ControlException]:
        return tuple(self.fleet.all(ControlException).values())

    def tenant(self, name: str) -> Tenant | None:
        """The tenant of that name, if the fleet has it."""
        return self.fleet.find(Tenant, name)

    def homes_of(self, cluster: str) -> Homes:
        """Homes of a cluster by namespace; empty for an unknown cluster."""
        return self.homes.get(cluster, {})


def promises(fleet: Fleet, instances: Mapping[str, Instance], as_of: str) -> Promises:
    """The promises of a fleet with valid inputs."""
    homes: dict[str, dict[str, Home]] = {name: {} for name in fleet.all(Cluster)}
    for home in (*_instance_homes(instances), *_cell_homes(fleet, instances)):
        homes[home.cluster.name][home.namespace] = home
    return Promises(fleet, instances, as_of, homes)


def _instance_homes(instances: Mapping[str, Instance]) -> Iterator[Home]:
    for instance in with_elsewhere(instances.values()):
        namespace = instance.names.namespace
        yield Home(namespace, "instance", instance.site, instance.tier, instance)
        if instance.standby is not None:
            yield Home(namespace, "standby", instance.standby, instance.tier, instance)


def _cell_homes(fleet: Fleet, instances: Mapping[str, Instance]) -> Iterator[Home]:
    members: dict[str, list[Instance]] = {}
    guests: dict[str, list[Instance]] = {}
    for instance in with_elsewhere(instances.values()):
        members.setdefault(instance.site.cell.name, []).append(instance)
        beside = instance.beside
        if beside is not None and beside.settings.postgresql is None:
            guests.setdefault(beside.site.cell.name, []).append(beside)
    for cell in fleet.all(Cell).values():
        cluster, tier = fleet.find(Cluster, cell.cluster), fleet.find(Tier, cell.tier)
        partner = fleet.find(Cluster, cluster.partner) if cluster else None
        if cluster is None or tier is None or partner is None:
            continue
        site = Site(platform=fleet.platform, cluster=cluster, cell=cell, partner=partner)
        there = tuple(members.get(cell.name, ()))
        moving = tuple(guests.get(cell.name, ()))
        yield Home(names.cell_namespace(cell.name), "cell", site, tier, None, there, moving)
