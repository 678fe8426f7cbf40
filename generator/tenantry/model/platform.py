"""The kind Platform: platform/platform.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tenantry.model.alerting import Alerting
from tenantry.model.common import Day, Window
from tenantry.model.secret_store import SecretStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region."""

    name: str
    dr_partner: str
    time_zone: str


RepositoryCredential = Literal["token", "sshKey", "githubApp", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GitSource:
    """Where Argo CD finds rendered/, and how it logs in there."""

    repository: str
    revision: str
    credential: RepositoryCredential = "token"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceExclusion:
    """Kinds that Argo CD does not watch."""

    api_groups: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoCdSettings:
    """Settings of each cluster's Argo CD."""

    exclusions: tuple[ResourceExclusion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformNamespaces:
    """Namespaces in which platform components run, on every cluster."""

    argocd: str
    cert_manager: str
    cloudnative_pg: str
    external_secrets: str
    kyverno: str
    mail: str
    monitoring: str
    traefik: str
    velero: str
    keda: str = "keda"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operators:
    """ServiceAccounts of operators that act in tenants' namespaces."""

    barman_cloud_plugin: str
    cloudnative_pg: str
    velero: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsSolver:
    """cert-manager's webhook for the provider's DNS."""

    group: str
    name: str
    challenge_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuers:
    """Issuers of certificates."""

    public: str
    internal: str
    acme_server: str
    acme_contact: str
    dns_solver: DnsSolver


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRelay:
    """The mail relay inside each cluster."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSlot:
    """A window that tenants may choose, in a time zone of theirs."""

    days: tuple[Day, ...]
    start: str
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindows:
    """Change windows."""

    default: Window
    slots: tuple[WindowSlot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportStaff:
    """The provider's support staff."""

    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentImages:
    """Images of components that run next to Odoo, by digest."""

    pgbouncer: str
    valkey: str
    backup: str
    traefik: str = ""
    velero_aws: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentVersions:
    """Versions of platform components."""

    argocd: str
    barman_cloud_plugin: str
    cert_manager: str
    cloudnative_pg: str
    external_secrets: str
    keda: str
    kyverno: str
    traefik: str
    velero: str
    metrics_server: str = ""
    prometheus_operator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A Helm chart by which Argo CD installs a component; if not `managed`, somebody else installs it."""

    repository: str
    version: str
    managed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Charts:
    """Charts of the platform components. What is left out is installed by others."""

    barman_cloud_plugin: Chart | None = None
    cert_manager: Chart | None = None
    cloudnative_pg: Chart | None = None
    external_secrets: Chart | None = None
    keda: Chart | None = None
    kyverno: Chart | None = None
    metrics_server: Chart | None = None
    prometheus_operator: Chart | None = None
    traefik: Chart | None = None
    velero: Chart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Recovery rates measured in the last drills."""

    detect_minutes: float
    decide_minutes: float
    start_minutes: float
    dns_minutes: float
    restore_gib_per_hour: float
    replay_gib_per_hour: float
    write_gib_per_hour: float
    single_pod_availability_percent: float
    edge_availability_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Unit prices of the cost model; example values."""

    cpu_core: float
    memory_gib: float
    block_storage_gib: float
    object_storage_gib: float
    object_storage_locked_gib: float
    region_transfer_gib: float
    load_balancer: float
    private_link: float
    log_gib: float
    log_gib_per_user_shared: float
    log_gib_per_user: float
    dedicated_cluster: float
    reserved_discount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvers:
    """Teams that must agree to a change, by its risk."""

    data: tuple[str, ...] = ()
    isolation: tuple[str, ...] = ()
    availability: tuple[str, ...] = ()
    cost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialAge:
    """How old credentials in the secret store may be."""

    max_age_days: int = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Settings of the whole fleet: domain, regions, registry, secret store, prices, images."""

    name: str
    display_name: str
    domain: str
    regions: tuple[Region, ...]
    git: GitSource
    namespaces: PlatformNamespaces
    operators: Operators
    secret_store: SecretStore
    issuers: Issuers
    mail: MailRelay
    maintenance: MaintenanceWindows
    support: SupportStaff
    images: ComponentImages
    postgresql_images: Mapping[str, str]
    components: ComponentVersions
    recovery: Recovery
    prices: Prices
    argocd: ArgoCdSettings = field(default_factory=ArgoCdSettings)
    charts: Charts = field(default_factory=Charts)
    approvers: Approvers = field(default_factory=Approvers)
    alerting: Alerting | None = None
    credentials: CredentialAge = field(default_factory=CredentialAge)
    example: bool = False
