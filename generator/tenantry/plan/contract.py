"""A tenant only uses what its tier offers."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.controls import CONTROLS_BY_ID, demanded
from tenantry.core.findings import Finding
from tenantry.model.channel import Channel
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.plan.scope import Scope


def _with_tier(scope: Scope) -> Iterator[tuple[Tenant, Tier]]:
    for tenant in scope.fleet.all(Tenant).values():
        tier = scope.fleet.find(Tier, tenant.tier)
        if tier is not None:
            yield tenant, tier


def classification(scope: Scope) -> Iterator[Finding]:
    """F011: the tier accepts each value of a tenant's classification."""
    fields = ("data_sensitivity", "customization", "integration", "availability")
    keys = ("dataSensitivity", "customization", "integration", "availability")
    for tenant, tier in _with_tier(scope):
        for field, key in zip(fields, keys, strict=True):
            value, allowed = getattr(tenant.classification, field), getattr(tier.classification, field)
            if value not in allowed:
                message = f"tier '{tier.name}' does not accept {key} '{value}'; it accepts {', '.join(allowed)}"
                yield scope.at(tenant, ("classification", key), "F011", message, _fitting_tiers(scope, field, value))
        for index, obligation in enumerate(tenant.classification.obligations):
            if obligation not in tier.classification.obligations:
                message = f"tier '{tier.name}' does not meet the obligation '{obligation}'"
                yield scope.at(
                    tenant,
                    ("classification", "obligations", index),
                    "F011",
                    message,
                    _fitting_tiers(scope, "obligations", obligation),
                )


def integrated(scope: Scope) -> Iterator[Finding]:
    """F030: a tenant that declares an integration or a client of its API is not classified as having none."""
    for tenant in scope.fleet.all(Tenant).values():
        declared = [one.name for one in tenant.integrations] + [one.name for one in tenant.access.api_clients]
        if tenant.classification.integration == "none" and declared:
            message = f"integration is 'none', but the file declares {', '.join(declared)}"
            hint = "classify it as low, moderate or heavy, or remove what is not used"
            yield scope.at(tenant, ("classification", "integration"), "F030", message, hint)


def _fitting_tiers(scope: Scope, field: str, value: str) -> str:
    fitting = [tier.name for tier in scope.fleet.all(Tier).values() if value in getattr(tier.classification, field)]
    return f"tiers that accept it: {', '.join(fitting) or 'none'}"


def demanded_controls(scope: Scope) -> Iterator[Finding]:
    """The tier must provide the controls that a classification requires, if it accepts the classification at all."""
    for tenant, tier in _with_tier(scope):
        classification = scope.fleet.document(tenant).data["spec"]["classification"]
        offers = scope.fleet.document(tier).data["spec"]["classification"]
        for control, why in demanded(classification).items():
            field, value = why.split(" ")
            if control in tier.controls_not_kept and value in offers[field]:
                keeping = [t.name for t in scope.fleet.all(Tier).values() if control not in t.controls_not_kept]
                rule = CONTROLS_BY_ID[control].rule.rstrip(".")
                message = f"{field} '{value}' requires {control} ({rule}), which tier '{tier.name}' does not provide"
                yield scope.at(
                    tenant, ("classification", field), "F022", message, f"tiers that do: {', '.join(keeping) or 'none'}"
                )


def offered(scope: Scope) -> Iterator[Finding]:
    """F012: environments and channel are ones that the tier offers."""
    for tenant, tier in _with_tier(scope):
        for environment in tenant.environments:
            if environment not in tier.environments:
                message = f"tier '{tier.name}' has no environment '{environment}'"
                hint = f"it has {', '.join(tier.environments)}"
                yield scope.at(tenant, ("environments", environment), "F012", message, hint, key=True)
        if tenant.channel not in tier.channels and scope.fleet.find(Channel, tenant.channel) is not None:
            message = f"tier '{tier.name}' does not follow channel '{tenant.channel}'"
            yield scope.at(tenant, ("channel",), "F012", message, f"it follows {', '.join(tier.channels)}")


def bounds(scope: Scope) -> Iterator[Finding]:
    """F013: users, integrations, hosts and overrides are within the tier's limits."""
    for tenant, tier in _with_tier(scope):
        if not tier.users.min <= tenant.users <= tier.users.max:
            message = (
                f"{tenant.users} users do not fit tier '{tier.name}', which is for {tier.users.min} to {tier.users.max}"
            )
            fitting = [t.name for t in scope.fleet.all(Tier).values() if t.users.min <= tenant.users <= t.users.max]
            yield scope.at(tenant, ("users",), "F013", message, f"tiers for that many: {', '.join(fitting) or 'none'}")
        if len(tenant.integrations) > tier.overrides.max_integrations:
            message = (
                f"{len(tenant.integrations)} integrations; tier '{tier.name}' allows {tier.overrides.max_integrations}"
            )
            yield scope.at(tenant, ("integrations",), "F013", message, "remove one, or choose a larger tier", key=True)
        for environment, placed in tenant.environments.items():
            if len(placed.hosts) > tier.overrides.max_hosts:
                message = f"{len(placed.hosts)} hosts; tier '{tier.name}' allows {tier.overrides.max_hosts}"
                yield scope.at(
                    tenant,
                    ("environments", environment, "hosts"),
                    "F013",
                    message,
                    "remove one, or choose a larger tier",
                )
        yield from _own_database_overrides(scope, tenant, tier)


def _own_database_overrides(scope: Scope, tenant: Tenant, tier: Tier) -> Iterator[Finding]:
    given = {
        "databaseStorageGiB": tenant.overrides.database_storage_gib,
        "backupRetentionDays": tenant.overrides.backup_retention_days,
    }
    for key, override in given.items():
        if override is not None and tier.isolation.postgresql != "own":
            message = f"override {key} has no effect: tenants of tier '{tier.name}' share their cell's PostgreSQL"
            yield scope.at(
                tenant,
                ("overrides", key),
                "F013",
                message,
                "remove it, or choose a tier with its own PostgreSQL",
                key=True,
            )
