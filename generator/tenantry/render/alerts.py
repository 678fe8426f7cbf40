"""Alerts: on the promised availability of an instance, and on every PostgreSQL server.

Metrics of PostgreSQL are those of CloudNativePG 1.30 (config/manager/default-monitoring.yaml; the archiver's only on a
primary) and of the barman plugin (internal/cnpgi/instance/metrics.go: 0 where no backup is known).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tenantry.model.tier import Tier
from tenantry.resolve.drills import NAME, Drill
from tenantry.resolve.instance import Instance
from tenantry.resolve.servers import ServerGeneration
from tenantry.resolve.sizing import PostgresqlSize

BURN_RATES = (("14.4", "1h", "5m", "page"), ("6", "6h", "30m", "page"), ("1", "3d", "6h", "ticket"))
"""(how many times too fast the budget goes, long window, short window, what happens), for a budget of 30 days: the SRE
workbook's chapter on alerting. Both windows must exceed."""
_FROZEN_AT_MOST = 300_000_000
"""Transactions since rows were frozen; autovacuum starts at 200 million, writes end at 2 billion."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; empty `duration` for an expression that looks back by itself. A `symptom` is what an outage of the cell or
    of the edge looks like for a tenant, and a restart in its window."""

    name: str
    expression: str
    summary: str
    severity: str = "page"
    duration: str = ""
    symptom: bool = False


def availability_alerts(instance: Instance) -> Iterator[Alert]:
    """On the error budget of the promised availability: the share of time without a web Pod that is ready."""
    percent = instance.tier.objectives.availability_percent
    budget = (100 - percent) / 100
    ready = f'(kube_deployment_status_replicas_available{{namespace="{instance.names.namespace}",deployment="odoo-web"}} > bool 0)'
    for rate, long, short, severity in BURN_RATES:
        limit = f"{rate} * {budget:.6g}"
        bad = [f"(1 - avg_over_time({ready}[{window}:1m])) > {limit}" for window in (long, short)]
        summary = f"The budget of {percent:g} % availability goes {rate} times too fast"
        yield Alert(f"AvailabilityBudgetBurns{long.upper()}", f"{bad[0]} and {bad[1]}", summary, severity, symptom=True)


def database_alerts(
    namespace: str, server: ServerGeneration, size: PostgresqlSize, tier: Tier, *, pages: bool = True
) -> list[Alert]:
    """Of a server that people work on. Without `pages`, nobody is woken."""
    here = pods_of(namespace, server)
    archived = f"cnpg_pg_stat_archiver_seconds_since_last_archival{{{here}}}"
    saved = f"barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{{{here}}}"
    late = tier.objectives.archive_minutes * 2 * 60
    old = tier.backup.base_backup_every_hours * 3600 * 3 // 2
    found = [
        *_common(namespace, server, size),
        Alert("PostgresqlConnectionsHigh", f"sum(cnpg_backends_total{{{here}}}) by (pod) > {int(size.max_connections * 0.85)}",
              "More than 85 % of the connections are in use", "ticket", "5m"),
        Alert("PostgresqlArchivingFails", f"max({archived}) > {late} or min({archived}) < 0",
              f"WAL was not archived for {late // 60} minutes, or never; the promised RPO is at risk", duration="2m"),
        Alert("PostgresqlReplicationLag", f"max(cnpg_pg_replication_lag{{{here}}}) > 300",
              "A standby is more than 5 minutes behind", duration="5m"),
        Alert("PostgresqlBackupTooOld", f"(time() - max({saved})) > {old} or absent({saved})",
              f"The last base backup is more than {old / 3600:g} hours old, or there is none", "ticket", "1h"),
        Alert("PostgresqlTransactionIdsRunOut", f"max(cnpg_pg_database_xid_age{{{here}}}) > {_FROZEN_AT_MOST}",
              "Old rows are not frozen; PostgreSQL stops writing when its transaction IDs run out", "ticket", "1h"),
    ]  # fmt: skip
    return found if pages else [replace(alert, severity="ticket") for alert in found]


def standby_alerts(namespace: str, server: ServerGeneration, size: PostgresqlSize, tier: Tier) -> list[Alert]:
    """Of a server at a DR site, which follows another one's archive. Half of the RPO is left to do something about it."""
    here = pods_of(namespace, server)
    most = tier.objectives.rpo_region_loss_minutes * 60 // 2
    return [
        *_common(namespace, server, size),
        Alert("PostgresqlStandbyLag", f"max(cnpg_pg_replication_lag{{{here}}}) > {most}",
              f"The DR site is more than {most} seconds behind; the RPO for the loss of a region is at risk",
              duration="2m"),
    ]  # fmt: skip


def drill_alerts(namespace: str, drill: Drill) -> Iterator[Alert]:
    """Metrics are kube-state-metrics', which tells when a CronJob last ended well. Before the first time its age counts;
    where there is none, nothing would tell."""
    whose = f'namespace="{namespace}",cronjob="{NAME}"'
    made = f"kube_cronjob_created{{{whose}}}"
    last = f"max(kube_cronjob_status_last_successful_time{{{whose}}} or {made})"
    days = drill.overdue_seconds // 86400
    yield Alert("RestoreDrillOverdue", f"(time() - {last}) > {drill.overdue_seconds} or absent({made})",
                f"No backup was restored for practice in the last {days} days; one drill every {drill.every_days} is promised",
                "ticket", "1h")  # fmt: skip
    jobs = f'namespace="{namespace}",job_name=~"{NAME}-[0-9]+"'
    # Failed Jobs are kept, and count until a later drill was good.
    later = f"max(kube_job_status_start_time{{{jobs}}} and kube_job_status_failed{{{jobs}}} > 0)"
    yield Alert("RestoreDrillFailed", f"{later} > {last}", "A restore for practice failed, or took longer than the RTO",
                "ticket", "1m")  # fmt: skip


def pods_of(namespace: str, server: ServerGeneration) -> str:
    """Labels of a server's metrics. Where there is another one beside it, or was, they are told apart by their Pods."""
    here = f'namespace="{namespace}"'
    return here if server.alone else f'{here},pod=~"{server.name}-[0-9]+"'


def _common(namespace: str, server: ServerGeneration, size: PostgresqlSize) -> Iterator[Alert]:
    """`or vector(0)`: a sum of nothing is nothing, and would be silent when all Pods are gone. The exporter of an instance
    that is fenced, so stopped, keeps reporting that it is up (updateInstanceMetrics of CloudNativePG's pg_collector.go)."""
    here = pods_of(namespace, server)
    fenced = f"(cnpg_collector_fencing_on{{{here}}} == 1)"
    up = f"(sum(cnpg_collector_up{{{here}}} unless on (pod) {fenced}) or vector(0))"
    volumes = f'namespace="{namespace}",persistentvolumeclaim=~"{server.name}-[0-9]+(-wal)?"'
    used = f"kubelet_volume_stats_used_bytes{{{volumes}}} / kubelet_volume_stats_capacity_bytes{{{volumes}}}"
    yield Alert("PostgresqlDown", f"{up} < 1", "No PostgreSQL instance answers", duration="1m")
    if size.instances > 1:
        summary = f"Fewer than {size.instances} PostgreSQL instances answer"
        yield Alert("PostgresqlInstanceMissing", f"{up} < {size.instances}", summary, "ticket", "15m")
    yield Alert("PostgresqlVolumeFull", f"max({used}) by (persistentvolumeclaim) > 0.85",
                "A volume of PostgreSQL is more than 85 % full", duration="10m")  # fmt: skip
