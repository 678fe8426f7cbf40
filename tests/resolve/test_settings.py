"""An instance's settings: tier, users and overrides decide them, and each records what decided it."""

from __future__ import annotations

import dataclasses
import datetime
from functools import cache
from typing import Any

import pytest

from conftest import REPOSITORY
from tenantry.model.common import ENVIRONMENTS, EnvironmentName, Override, Window
from tenantry.model.tenant import Environment, Overrides, Tenant
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.resolve.instance import Instance
from tenantry.resolve.settings import DoesNotFitError, SettingProblem, resolve_instance
from tenantry.runtime.cache import Store

SHARED, OWN, SPLIT = "smith-advisory-production", "meridian-engineering-production", "globex-eu-production"
"""Instances of the example fleet: in a cell's PostgreSQL, with one of its own, and with Pods for each role."""


@cache
def inputs() -> Inputs:
    return read_inputs(REPOSITORY, datetime.date.today().isoformat(), Store())


def settled(
    of: str, environment: EnvironmentName = "production", *, tier: dict[str, Any] | None = None, store: bool = False, **changes: Any
) -> tuple[Instance, list[SettingProblem]]:  # fmt: skip
    """The instance again, with fields of its tenant and its tier changed; `store`: a release that needs a Redis of its own."""
    old = inputs().resolution.instances[of]
    tenant: Tenant = dataclasses.replace(old.tenant, **changes)
    if environment not in tenant.environments:
        placed = {**tenant.environments, environment: Environment(cell=old.site.cell.name)}
        tenant = dataclasses.replace(tenant, environments=placed)
    release = dataclasses.replace(old.release, session_store_needs_scan=store)
    return resolve_instance(tenant, environment, dataclasses.replace(old.tier, **(tier or {})), old.site, release)


def instance(of: str, environment: EnvironmentName = "production", **changes: Any) -> Instance:
    found, problems = settled(of, environment, **changes)
    assert not problems
    return found


def overridden(**values: int) -> Overrides:
    return Overrides(**{name: Override(value=value, reason="a reason") for name, value in values.items()})


def test_without_overrides_the_tier_decides() -> None:
    found = instance(SHARED)
    assert found.settings.logs_days == found.tier.retention.logs_days
    few = instance(SHARED, users=5)
    assert few.settings.edge == few.tier.edge
    origin = found.origins["logs_days"]
    assert (origin.kind, origin.name, origin.path, origin.how) == (
        "Tier",
        "shared",
        ("retention", "logsDays"),
        "tier default",
    )


OVERRIDES = [
    ("log_retention_days", "logRetentionDays", 60, "logs_days"),
    ("backup_retention_days", "backupRetentionDays", 10, "backup_retention_days"),
    ("max_replicas", "maxReplicas", 2, "web_replicas_max"),
    ("requests_per_second", "requestsPerSecond", 30, "edge.requests_per_second"),
    ("body_mib", "bodyMiB", 40, "edge.body_mib"),
    ("login_requests_per_second", "loginRequestsPerSecond", 2, "edge.login_requests_per_second"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "key", "value", "setting"), OVERRIDES, ids=[override[0] for override in OVERRIDES])
def test_an_override_decides_and_is_named_with_its_reason(name: str, key: str, value: int, setting: str) -> None:
    found = instance(SHARED, overrides=overridden(**{name: value}))
    held: Any = found.settings
    for step in setting.split("."):
        held = getattr(held, step)
    assert held == value
    origin = found.origins[setting]
    assert (origin.kind, origin.name, origin.path) == ("Tenant", "smith-advisory", ("overrides", key, "value"))
    assert origin.how == "override: a reason"


@pytest.mark.parametrize(
    ("name", "key", "bound"),
    [
        ("log_retention_days", "logRetentionDays", 90), ("backup_retention_days", "backupRetentionDays", 14),
        ("max_replicas", "maxReplicas", 3), ("requests_per_second", "requestsPerSecond", 40), ("body_mib", "bodyMiB", 64),
    ],
)  # fmt: skip
def test_an_override_beyond_the_tiers_bound_is_a_problem_at_its_value(name: str, key: str, bound: int) -> None:
    assert settled(SHARED, overrides=overridden(**{name: bound}))[1] == []
    found, [problem] = settled(SHARED, overrides=overridden(**{name: bound + 1}))
    assert name != "log_retention_days" or found.settings.logs_days == 91, "what was asked for is shown, not cut off"
    assert (problem.code, problem.path) == ("R002", ("overrides", key, "value"))
    assert problem.message == f"override {key} is {bound + 1}, but tier 'shared' allows at most {bound}"


def test_a_problem_of_an_override_is_reported_for_one_environment_of_the_tenant_only() -> None:
    too_much = overridden(log_retention_days=91)
    assert settled(
        SHARED, environments={name: Environment(cell="euw1-shared-a") for name in ENVIRONMENTS}, overrides=too_much
    )[1]
    placed = {name: Environment(cell="euw1-shared-a") for name in ENVIRONMENTS}
    assert settled(SHARED, "staging", environments=placed, overrides=too_much)[1] == []


def test_more_users_than_the_tier_has_workers_for_do_not_fit() -> None:
    """Three Pods of six workers for six concurrent users each are 108 concurrent users, or 360 at three tenths."""
    assert instance(SHARED, users=360).settings.web_replicas_min == 3
    with pytest.raises(DoesNotFitError) as caught:
        settled(SHARED, users=361)
    problem = caught.value.problem
    assert (problem.code, problem.path) == ("R004", ("users",))
    assert problem.message == "361 users need 19 workers, but tier 'shared' allows at most 18"
    assert "at most 3" in problem.hint


@pytest.mark.parametrize(
    ("users", "replicas", "most", "each"), [(18, 1, 2, 4), (120, 1, 2, 6), (121, 2, 3, 4), (360, 3, 3, 6)]
)
def test_workers_are_spread_evenly_and_the_autoscaler_may_double_them_inside_the_tiers_most(
    users: int, replicas: int, most: int, each: int
) -> None:
    found = instance(SHARED, users=users).settings
    assert (found.web_replicas_min, found.web_replicas_max, found.web.workers) == (replicas, most, each)


def test_staging_has_one_pod_of_productions_size() -> None:
    production, staging = instance(SHARED, users=121).settings, instance(SHARED, "staging", users=121).settings
    assert staging.web == production.web
    assert (staging.web_replicas_min, staging.web_replicas_max, staging.redis_replicas) == (1, 1, 0)


def test_recovery_has_productions_pods_without_room_to_grow() -> None:
    found = instance(SPLIT, "recovery")
    assert found.settings.web_replicas_max == found.settings.web_replicas_min > 1


def test_a_combined_pod_runs_the_jobs_and_the_bus_too() -> None:
    found = instance(SHARED).settings
    assert found.web.cron_workers == found.cron.cron_workers == 1
    assert (found.cron_replicas, found.websocket_replicas) == (0, 0)


def test_a_split_instance_has_pods_for_each_role() -> None:
    found = instance(SPLIT)
    replicas = found.tier.replicas
    assert found.settings.web.cron_workers == 0
    assert (found.settings.cron_replicas, found.settings.websocket_replicas) == (replicas.cron, replicas.websocket)
    staging = instance(SPLIT, "staging").settings
    assert (staging.cron_replicas, staging.websocket_replicas) == (1, 1)


def test_a_migration_runs_in_one_process() -> None:
    found = instance(SHARED).settings.migration
    assert (found.workers, found.cron_workers) == (1, 0)


def test_backups_are_spread_by_the_instances_name_as_often_as_the_tier_says() -> None:
    one, other = instance(SHARED), instance(SHARED, name="jones-advisory")
    assert one.settings.backups != other.settings.backups
    assert one.settings.backups.base.hours == one.tier.backup.base_backup_every_hours
    assert one.settings.backups.velero.hours == one.tier.backup.velero_every_hours


@pytest.mark.parametrize("name", [SHARED, SPLIT])
def test_connections_are_enough_while_every_deployment_rolls(name: str) -> None:
    found = instance(name).settings
    roles = [(found.web_replicas_max, found.web)]
    if instance(name).split:
        roles += [(found.cron_replicas, found.cron), (found.websocket_replicas, found.websocket)]
    rolling = sum((replicas + 1) * size.connections for replicas, size in roles)
    assert found.connection_limit == rolling + found.migration.connections + 2


def test_a_database_in_a_cell_has_no_cluster_of_its_own() -> None:
    found = instance(SHARED)
    assert found.settings.postgresql is None
    assert found.origins["postgresql"].path == ("isolation", "postgresql")


def test_a_tier_that_shares_a_cells_server_makes_no_cluster_though_it_has_sizes_for_one() -> None:
    old = instance(OWN).tier
    isolation = dataclasses.replace(old.isolation, postgresql="cell")
    assert old.postgresql is not None
    assert instance(OWN, tier={"isolation": isolation}).settings.postgresql is None


def test_an_own_cluster_takes_the_instances_connections_and_an_override_of_storage() -> None:
    plain = instance(OWN)
    assert plain.settings.postgresql is not None
    assert plain.tier.postgresql is not None
    reserved = plain.tier.postgresql.reserved_connections
    assert plain.settings.postgresql.max_connections == plain.settings.connection_limit + reserved
    assert plain.origins["postgresql"].path == ("users",)
    more = instance(OWN, overrides=overridden(database_storage_gib=123))
    assert more.settings.postgresql is not None
    assert more.settings.postgresql.storage_gib == 123
    assert more.origins["postgresql"].path == ("overrides", "databaseStorageGiB", "value")


def test_a_staging_database_is_a_share_in_one_instance_and_no_override_makes_it_larger() -> None:
    wanted = overridden(database_storage_gib=123)
    production, staging = instance(OWN, overrides=wanted), instance(OWN, "staging", overrides=wanted)
    assert production.settings.postgresql is not None
    assert staging.settings.postgresql is not None
    assert production.tier.postgresql is not None
    assert production.settings.postgresql.instances == production.tier.postgresql.instances > 1
    assert staging.settings.postgresql.instances == 1
    assert staging.settings.postgresql.storage_gib < 123
    assert staging.settings.postgresql == instance(OWN, "staging").settings.postgresql
    full = dataclasses.replace(staging.tier.staging, database_share=1.0)
    whole = instance(OWN, "staging", tier={"staging": full}).settings.postgresql
    assert whole is not None
    assert staging.settings.postgresql.storage_gib < whole.storage_gib


def test_a_release_whose_session_store_can_not_share_brings_a_redis() -> None:
    assert not instance(SHARED).settings.own_redis
    found = instance(SHARED, store=True)
    assert found.settings.own_redis
    assert found.origins["own_redis"].kind == "Release"
    assert instance(OWN).settings.own_redis
    assert instance(OWN, store=True).origins["own_redis"].kind == "Tier"


def test_a_higher_rate_takes_its_burst_along() -> None:
    edge = instance(SHARED).tier.edge
    found = instance(
        SHARED,
        tier={"edge": dataclasses.replace(edge, burst=25)},
        overrides=overridden(requests_per_second=30),
        users=5,
    )
    assert found.settings.edge.burst == 30
    assert instance(SHARED, overrides=overridden(requests_per_second=30), users=5).settings.edge.burst == edge.burst
    assert instance(SHARED, overrides=overridden(login_requests_per_second=5)).settings.edge.login_burst == 20


def test_bursts_grow_with_users() -> None:
    """An office behind one address begins at nine o'clock."""
    few, many = (instance(SHARED, users=users).settings.edge for users in (30, 60))
    assert many.burst == 2 * few.burst > few.requests_per_second
    assert many.requests_per_second == few.requests_per_second


def test_windows_are_the_tenants_else_the_platforms_in_the_time_of_the_region() -> None:
    own = Window(days=("tue",), start="02:00", hours=2, time_zone=None)
    found = instance(SHARED, maintenance=(own,))
    platform = found.site.platform
    zone = next(region.time_zone for region in platform.regions if region.name == found.site.region)
    assert found.settings.windows == (dataclasses.replace(own, time_zone=zone),)
    assert found.origins["windows"].kind == "Tenant"
    [american] = instance("globex-us-production", maintenance=(own,)).settings.windows
    assert american.time_zone == "America/New_York"
    utc = dataclasses.replace(own, time_zone="UTC")
    assert instance(SHARED, maintenance=(utc,)).settings.windows == (utc,)
    default = instance(SHARED, maintenance=())
    assert [window.start for window in default.settings.windows] == [platform.maintenance.default.start]
    assert default.origins["windows"].kind == "Platform"


def test_hosts_are_written_or_follow_from_names_and_domain() -> None:
    environments = {"production": Environment(cell="euw1-shared-a", hosts=("erp.smith.example",))}
    assert instance(SHARED, environments=environments).hosts == ("erp.smith.example",)
    derived = instance(SHARED, environments={"production": Environment(cell="euw1-shared-a")})
    [host] = derived.hosts
    assert host.startswith("smith-advisory")
    assert host.endswith(f".{derived.site.platform.domain}")
    assert derived.origins["hosts"].kind == "Platform"


def test_an_environments_state_comes_before_its_tenants() -> None:
    stopped = {"production": Environment(cell="euw1-shared-a", state="suspended")}
    assert instance(SHARED, environments=stopped, state="active").state == "suspended"
    found = instance(SHARED, state="offboarding")
    assert (found.state, found.origins["state"].path) == ("offboarding", ("state",))


def _names(value: Any, before: str = "") -> list[str]:
    """Dotted names of every value below a dataclass."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return [before.removesuffix(".")]
    return [name for f in dataclasses.fields(value) for name in _names(getattr(value, f.name), f"{before}{f.name}.")]


@pytest.mark.parametrize("name", [SHARED, OWN, SPLIT])
def test_every_value_names_what_decided_it(name: str) -> None:
    found = instance(name)
    values = {"cell", "cluster", "release", "state", "hosts", *_names(found.settings)}
    if not found.split:
        values -= {"cron_replicas", "websocket_replicas"}  # no Pods of these roles
    assert [value for value in values if found.origin(value) is None] == []
