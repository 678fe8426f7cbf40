"""OBS-02 of databases: of every PostgreSQL server somebody hears before its promises are missed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.observation import rules_about, rules_of
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof

_SERVER = ("cnpg_collector_up", "kubelet_volume_stats_used_bytes", "cnpg_pg_replication_lag")
_PRIMARY = (
    "cnpg_pg_stat_archiver_seconds_since_last_archival", "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
    "cnpg_backends_total", "cnpg_pg_database_xid_age",
)  # fmt: skip
_LONGER_THAN = re.compile(r"> (\d+)")
_FOR = re.compile(r"(\d+)m")


@proof("OBS-02")
def databases(state: State) -> Iterator[Breach]:
    """OBS-02: of every PostgreSQL server of production somebody hears before its promises are missed."""
    for server in state.of("postgresql.cnpg.io", "Cluster"):
        home = state.home(server)
        if home is None or not _is_watched(home):
            continue
        found = list(state.of("monitoring.coreos.com", "PrometheusRule", home.namespace))
        rules = [rule for manifest in found for rule in rules_of(manifest)]
        anchor = rules_about(state, home, "cnpg_")
        for metric in (*_SERVER, *(_PRIMARY if home.role != "standby" else ())):
            watching = [rule for rule in rules if _watches(rule, metric, server, home)]
            if not any(_holds(rule, metric, home) for rule in watching):
                message = f"no alert on {metric} of its PostgreSQL" if not watching else _LATE[metric]
                fix = f'an alert on {metric}{{namespace="{home.namespace}"}}'
                yield breach(anchor, "OBS-02", ("spec", "groups"), message, fix, tenant=home.tenant)


_LATE = {
    "cnpg_collector_up": "the alert on a missing PostgreSQL is silent when all of its Pods are gone, or fenced",
    "cnpg_pg_stat_archiver_seconds_since_last_archival": "the alert on the WAL archive is silent when it never worked, or comes after the RPO is missed",
    "cnpg_pg_replication_lag": "the alert on a DR site that falls behind comes after the RPO for the loss of a region is missed",
}  # fmt: skip


def _is_watched(home: Home) -> bool:
    """Cells, and production that is not stopped on purpose."""
    if home.instance is None:
        return home.role == "cell"
    return home.instance.environment == "production" and home.instance.running and not home.fenced


def _watches(rule: dict[str, object], metric: str, server: Manifest, home: Home) -> bool:
    """Whether an alert speaks of a metric, of this namespace only, and of this server where there is another one."""
    expression = text(rule.get("expr"))
    spaces = set(re.findall(r'namespace="([^"]*)"', expression))
    named = set(re.findall(r'(?:pod|persistentvolumeclaim)=~"([^"]*?)-\[0-9\]\+', expression))
    alone = home.servers.serving.alone
    return metric in expression and spaces == {home.namespace} and (alone or named == {server.identity.name})


def _holds(rule: dict[str, object], metric: str, home: Home) -> bool:
    """Whether an alert rings in the case that is easily forgotten, and in time."""
    expression = text(rule.get("expr"))
    if metric == "cnpg_collector_up":
        gone, fenced = "or vector(0)" in expression, "unless on (pod) (cnpg_collector_fencing_on" in expression
        return expression.endswith("< 1") and gone and fenced
    follows = metric == "cnpg_pg_replication_lag" and home.role == "standby"
    if not follows and metric != "cnpg_pg_stat_archiver_seconds_since_last_archival":
        return True
    after, lasting = _LONGER_THAN.search(expression), _FOR.fullmatch(text(rule.get("for")))
    minutes = int(after[1]) / 60 + (int(lasting[1]) if lasting else 0) if after else float("inf")
    if follows:
        return minutes < home.tier.objectives.rpo_region_loss_minutes
    return "< 0" in expression and minutes <= home.tier.objectives.archive_rpo_minutes
