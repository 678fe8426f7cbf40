"""The kind Tenant: tenants/*.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tenantry.model.common import Availability, Degree, Obligation, Override, Sensitivity, State, Window
from tenantry.model.credential import Credentials
from tenantry.model.failover import Failover
from tenantry.model.migration import Migration
from tenantry.model.restore import Restore


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who is responsible for this tenant at the provider."""

    team: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """Classification of the tenant; the tier must accept each value."""

    data_sensitivity: Sensitivity
    customization: Degree
    integration: Degree
    availability: Availability
    obligations: tuple[Obligation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedDump:
    """What another system has left, in the instance's own prefix of the backup bucket; brought in while the database is empty."""

    folder: str
    sha256: str
    """Of dump.sql.gz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One instance of Odoo: this tenant in this environment."""

    cell: str
    hosts: tuple[str, ...] = ()
    state: State | None = None
    import_: ImportedDump | None = None
    restores: tuple[Restore, ...] = ()
    """Restores of its own PostgreSQL, in their order; none is ever taken away."""
    failovers: tuple[Failover, ...] = ()
    """Changes of the place that serves, in their order."""
    credentials: Credentials = field(default_factory=Credentials)
    """Which values of its credentials are used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """A place from which the tenant's data was erased: the day (YYYY-MM-DD), and who did it."""

    place: str
    date: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the law keeps after the tenant is gone, until a day (YYYY-MM-DD)."""

    what: str
    until: str
    law: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offboarding:
    """When the tenant's data may be deleted (YYYY-MM-DD), who approved that, and why; then what was erased."""

    delete_after: str
    approver: str
    reason: str
    step: Literal["keep", "erase"] = "keep"
    erased: tuple[Erased, ...] = ()
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A yearly period without changes."""

    name: str
    month: tuple[int, ...]
    day: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """An external system that Odoo calls."""

    name: str
    host: str
    cidrs: tuple[str, ...]
    port: int
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiClient:
    """A program that calls Odoo's API."""

    name: str
    mtls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who can reach the tenant's instance, and from where."""

    admin_groups: tuple[str, ...] = ()
    admin_sources: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    api_clients: tuple[ApiClient, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Values that differ from the tier, each with a reason and within the tier's limits."""

    max_replicas: Override | None = None
    database_storage_gib: Override | None = None
    log_retention_days: Override | None = None
    backup_retention_days: Override | None = None
    requests_per_second: Override | None = None
    login_requests_per_second: Override | None = None
    body_mib: Override | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One customer of the service: tier, placement, hosts, people, integrations, and what differs from the tier."""

    name: str
    display_name: str
    tier: str
    owner: Owner
    classification: Classification
    residency: tuple[str, ...]
    users: int
    channel: str
    environments: Mapping[str, Environment]
    customer: str | None = None
    state: State = "active"
    offboarding: Offboarding | None = None
    migration: Migration | None = None
    maintenance: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    integrations: tuple[Integration, ...] = ()
    access: Access = field(default_factory=Access)
    overrides: Overrides = field(default_factory=Overrides)
