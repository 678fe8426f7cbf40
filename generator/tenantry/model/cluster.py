"""The kind Cluster: platform/clusters/*.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """Address ranges; they never overlap between clusters, so that clusters can be peered."""

    pods: tuple[str, ...]
    services: tuple[str, ...]
    nodes: tuple[str, ...]
    api_server: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePool:
    """A node pool."""

    name: str
    purpose: Literal["app", "database", "system"]
    cpu: int
    memory_gib: int
    max_nodes: int
    price_euro: float
    taint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageClasses:
    """Storage classes."""

    database: str
    general: str

    @property
    def names(self) -> frozenset[str]:
        return frozenset((self.database, self.general))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """Replication of the buckets to another region."""

    region: str
    max_delay_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStorage:
    """Object storage of the cluster's region."""

    endpoint: str
    cidrs: tuple[str, ...]
    backup_bucket: str
    attachment_bucket: str
    velero_bucket: str
    lock_days: int
    attachment_versions_days: int = 0
    replication: Replication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateConnectivity:
    """Private link to the customer's network."""

    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoints:
    """The edge."""

    public_entry_point: str
    private_entry_point: str | None = None
    balancer_cidrs: tuple[str, ...] = ()
    balancer_annotations: Mapping[str, str] = field(default_factory=dict)
    private_balancer_annotations: Mapping[str, str] = field(default_factory=dict)
    replicas: int = 3
    firewall_module: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One Kubernetes cluster in one region."""

    name: str
    region: str
    zones: tuple[str, ...]
    kubernetes_version: str
    networks: Networks
    node_pools: tuple[NodePool, ...]
    storage_classes: StorageClasses
    object_storage: ObjectStorage
    traefik: EntryPoints
    dr_partner: str = ""
    api_server_port: int = 6443
    admission_policies: Literal["audit", "enforce"] = "audit"
    node_local_dns: str | None = None
    extended_support: str = ""
    """Last day (YYYY-MM-DD) of support beyond upstream's; empty where none is bought."""
    single_process_oom_kill: bool = False
    user_namespaces: bool = False
    private_connectivity: PrivateConnectivity | None = None
    trusted_authorities: tuple[str, ...] = ()
    """Certificates, PEM, while one internal authority takes the place of another."""

    @property
    def pair(self) -> tuple[str, ...]:
        """The names of this cluster and its DR partner, sorted."""
        return tuple(sorted({self.name, self.partner}))

    @property
    def partner(self) -> str:
        """The DR partner; the cluster itself if it has none, which only tiers without copies at a DR site allow."""
        return self.dr_partner or self.name
