"""Every rendered alert through Prometheus' own promtool: valid, silent on a healthy server, ringing for each fault."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.harness import fleet
from acceptance.harness.packages import AMTOOL, PROMTOOL, libraries
from acceptance.harness.tally import Tally
from acceptance.parts import service_faults
from acceptance.parts.alertmanager_files import alertmanager_file

UP, FENCED, ARCHIVED = (
    "cnpg_collector_up",
    "cnpg_collector_fencing_on",
    "cnpg_pg_stat_archiver_seconds_since_last_archival",
)
SAVED, LAG = "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", "cnpg_pg_replication_lag"
USED, CAPACITY = "kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes"
BACKENDS, XID = "cnpg_backends_total", "cnpg_pg_database_xid_age"
PODS = ("postgresql-1", "postgresql-2", "postgresql-3")
LAST, MADE = "kube_cronjob_status_last_successful_time", "kube_cronjob_created"
BEGAN, FAILED = "kube_job_status_start_time", "kube_job_status_failed"
DRILL = "restore-drill"
LONG, STEP = 40 * 86400, 6 * 3600
HOURS = 2
"""Of each test, in steps of a minute."""

Values = Mapping[tuple[str, str], float]
"""(metric, Pod or volume) -> its value all the time."""
HEALTHY: Values = {
    **{(UP, pod): 1 for pod in PODS}, **{(FENCED, pod): 0 for pod in PODS}, **{(BACKENDS, pod): 20 for pod in PODS}, **{(LAG, pod): 2 for pod in PODS},
    (ARCHIVED, PODS[0]): 40, (SAVED, PODS[0]): 0, (XID, PODS[0]): 1_000_000,
    **{(USED, pod): 50 for pod in PODS}, **{(CAPACITY, pod): 100 for pod in PODS},
}  # fmt: skip
"""The clock of a test starts at the epoch, so a backup of that second is as old as the test."""
FAULTS: Mapping[str, tuple[str, Values]] = {
    "all Pods are gone": ("PostgresqlDown", {(UP, pod): -1 for pod in PODS}),
    "no instance answers": ("PostgresqlDown", {(UP, pod): 0 for pod in PODS}),
    "all are fenced": ("PostgresqlDown", {(FENCED, pod): 1 for pod in PODS}),
    "an instance is fenced": ("PostgresqlInstanceMissing", {(FENCED, PODS[1]): 1, (FENCED, PODS[2]): 1}),
    "an instance is gone": ("PostgresqlInstanceMissing", {(UP, PODS[1]): -1, (UP, PODS[2]): -1}),
    "a volume fills": ("PostgresqlVolumeFull", {(USED, PODS[0]): 90}),
    "a standby is behind": ("PostgresqlReplicationLag", {(LAG, PODS[1]): 1_000}),
    "the DR site is behind": ("PostgresqlStandbyLag", {(LAG, PODS[0]): 100_000}),
    "WAL is not archived": ("PostgresqlArchivingFails", {(ARCHIVED, PODS[0]): 5_000}),
    "WAL was never archived": ("PostgresqlArchivingFails", {(ARCHIVED, PODS[0]): -1}),
    "no base backup is known": ("PostgresqlBackupTooOld", {(SAVED, PODS[0]): -1}),
    "connections run out": ("PostgresqlConnectionsHigh", {(BACKENDS, PODS[0]): 1_000_000}),
    "transaction IDs run out": ("PostgresqlTransactionIdsRunOut", {(XID, PODS[0]): 900_000_000}),
}
NOT_OF_A_STANDBY = {
    "PostgresqlArchivingFails", "PostgresqlBackupTooOld", "PostgresqlConnectionsHigh", "PostgresqlReplicationLag",
    "PostgresqlTransactionIdsRunOut",
}  # fmt: skip
GONE = {"all Pods are gone", "an instance is gone", "no base backup is known"}


def rules(folder: Path) -> Mapping[str, tuple[str, list[dict[str, Any]]]]:
    """File name -> namespace and alerts, of every PrometheusRule of the fleet; written as Prometheus reads them."""
    found = {}
    for item in fleet.every("PrometheusRule"):
        name = str(item).replace("/", "_")
        groups = item.manifest["spec"]["groups"]
        (folder / name).write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
        found[name] = item.namespace, [rule for group in groups for rule in group["rules"] if "alert" in rule]
    return found


def promtool(folder: Path, *arguments: str) -> tuple[bool, str]:
    command = [str(PROMTOOL.path()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, env=libraries())
    return done.returncode == 0, (done.stdout + done.stderr)[-1500:]


def series(namespace: str, values: Values, gone: bool) -> list[dict[str, str]]:
    """Input of promtool; what is below 0 is not there when the fault is that something is gone."""
    found = []
    for (metric, what), value in values.items():
        if gone and value < 0:
            continue
        label = "persistentvolumeclaim" if metric in (USED, CAPACITY) else "pod"
        found.append(
            {"series": f'{metric}{{namespace="{namespace}",{label}="{what}"}}', "values": f"{value}x{HOURS * 60}"}
        )
    return found


def case(namespace: str, alert: str, values: Values, *, gone: bool, rings: bool) -> dict[str, Any]:
    """One test of promtool: whether an alert rings, beside a neighbour of which nothing is right."""
    broken = {**HEALTHY, **FAULTS["no instance answers"][1], (XID, PODS[0]): 1e9}
    count = f'(count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)) > bool 0'
    wanted = {"expr": count, "eval_time": f"{HOURS}h", "exp_samples": [{"labels": "{}", "value": int(rings)}]}
    shown = [*series(namespace, values, gone), *series("neighbour-production", broken, gone=False)]
    return {"interval": "1m", "input_series": shown, "promql_expr_test": [wanted]}


def cases(namespace: str, alerts: set[str]) -> Iterator[dict[str, Any]]:
    """Each alert before and after its fault."""
    for fault, (alert, values) in FAULTS.items():
        if alert in alerts:
            yield case(namespace, alert, HEALTHY, gone=False, rings=False)
            yield case(namespace, alert, {**HEALTHY, **values}, gone=fault in GONE, rings=True)


def run_tests(folder: Path, rules_file: str, tests: list[Any], interval: str = "1m") -> tuple[bool, str]:
    """What promtool says of tests of one file of rules."""
    content = {"rule_files": [rules_file], "evaluation_interval": interval, "tests": tests}
    (folder / "test.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return promtool(folder, "test", "rules", "test.yaml")


@pytest.fixture(scope="module")
def written(folder: Path) -> Mapping[str, tuple[str, list[dict[str, Any]]]]:
    return rules(folder)


def test_prometheus_takes_every_rule(written: Mapping[str, Any], folder: Path, tally: Tally) -> None:
    for file in written:
        holds, said = promtool(folder, "check", "rules", file)
        tally.check(holds, f"{file}: {said}")
    tally.check(len(written) > 20, "there are rules of every cluster")


def test_prometheus_takes_every_query_of_a_dashboard(folder: Path, tally: Tally) -> None:
    boards = [item for item in fleet.every("ConfigMap") if item.name.startswith("dashboard-")]
    for item in boards:
        panels = [panel for text in item.manifest["data"].values() for panel in json.loads(text)["panels"]]
        queries = [target["expr"].replace("$namespace", "a|b") for panel in panels for target in panel["targets"]]
        asked = [{"record": f"panel:query:{number}", "expr": query} for number, query in enumerate(queries)]
        (folder / "dashboard.yaml").write_text(yaml.safe_dump({"groups": [{"name": item.name, "rules": asked}]}))
        holds, said = promtool(folder, "check", "rules", "dashboard.yaml")
        tally.check(holds and bool(asked), f"{item.name}: {said}")
    tally.check(len(boards) > 10, "there are dashboards of every cluster")


def test_each_fault_of_a_server_rings_and_a_healthy_one_is_silent(
    written: Mapping[str, tuple[str, list[dict[str, Any]]]], folder: Path, tally: Tally
) -> None:
    servers = {file: found for file, found in written.items() if file.endswith(("_postgresql.yaml", "_cell.yaml"))}
    for file, (namespace, there) in servers.items():
        alerts = {rule["alert"] for rule in there}
        standby = "PostgresqlStandbyLag" in alerts
        missing = {alert for alert, _ in FAULTS.values()} - alerts
        tally.check(
            missing == (NOT_OF_A_STANDBY if standby else {"PostgresqlStandbyLag"}),
            f"{file}: no alert {', '.join(sorted(missing))}",
        )
        tests = list(cases(namespace, alerts))
        holds, said = run_tests(folder, file, tests)
        tally.check(holds, f"{file}: {said}", len(tests))


NEIGHBOUR = {
    "namespace": "neighbour-production", "router": "neighbour-production_odoo-public_0@kubernetescrd",
    "application": "neighbour-production-infra", "schedule": "neighbour-production",
}  # fmt: skip
OF_CELLS = {
    "CertificateEndsSoon",
    "CertificateEnds",
    "SecretNotSynced",
    "QuotaNearlyFull",
    "SyncFailed",
    "OutOfSync",
    "ApplicationUnhealthy",
}
OF_SOME = {"ObjectBackupInDrRegionTooOld", "AttachmentUnreadable", "AttachmentsUnreadable"}
"""Of tiers that copy to another region, and of releases that count reads of attachments."""


def test_each_fault_of_a_service_rings_and_a_healthy_one_is_silent(
    written: Mapping[str, tuple[str, list[dict[str, Any]]]], folder: Path, tally: Tally
) -> None:
    services = {file: found for file, found in written.items() if file.endswith("_service.yaml")}
    for file, (namespace, there) in services.items():
        alerts, cell = {rule["alert"] for rule in there}, namespace.endswith("-cell")
        missing = {alert for alert, _ in service_faults.FAULTS.values()} - alerts - OF_SOME
        tally.check(not missing or (cell and alerts == OF_CELLS), f"{file}: no alert {', '.join(sorted(missing))}")
        points = "websecure-" if any("|private)-" in rule["expr"] for rule in there) else ""
        service = {
            "namespace": namespace, "router": f"{points}{namespace}_odoo-public_1@kubernetescrd",
            "application": namespace if cell else f"{namespace}-app", "schedule": namespace,
        }  # fmt: skip
        for rule in there:
            (folder / "one.yaml").write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [rule]}]}))
            tests = list(service_faults.cases(rule, service, NEIGHBOUR))
            holds, said = run_tests(folder, "one.yaml", tests, f"{service_faults.STEP_MINUTES}m")
            tally.check(holds, f"{file}: {said}", len(tests))
    tally.check(len(services) > 20, "there are services of every cluster")


def test_a_component_that_tells_nothing_rings(
    written: Mapping[str, tuple[str, list[dict[str, Any]]]], folder: Path, tally: Tally
) -> None:
    for file, (namespace, there) in written.items():
        downs = [rule for rule in there if rule["alert"].endswith("Down") and rule["expr"].startswith("(sum(up{")]
        if namespace != "monitoring":
            continue
        tally.check(len(downs) == 6, f"{file}: {len(downs)} components")
        tests = []
        for rule in downs:
            series = rule["expr"].removeprefix("(sum(").partition(")")[0]
            count = f'(count(ALERTS{{alertname="{rule["alert"]}",alertstate="firing"}}) or vector(0)) > bool 0'
            for given, rings in (("1+0x60", 0), ("0+0x60", 1), ("", 1)):
                wanted = {"expr": count, "eval_time": "1h", "exp_samples": [{"labels": "{}", "value": rings}]}
                shown = [{"series": series, "values": given}] if given else []
                tests.append({"interval": "1m", "input_series": shown, "promql_expr_test": [wanted]})
        holds, said = run_tests(folder, file, tests)
        tally.check(holds, f"{file}: {said}", len(tests))


def drill_case(namespace: str, alert: str, values: Mapping[str, float], *, rings: bool) -> dict[str, Any]:
    """Whether an alert on restore drills rings after as many days as a month has, and some; `values` are days, or a count."""
    job = f'namespace="{namespace}",job_name="{DRILL}-29000000"'
    whose = {
        LAST: f'namespace="{namespace}",cronjob="{DRILL}"',
        MADE: f'namespace="{namespace}",cronjob="{DRILL}"',
        BEGAN: job,
        FAILED: job,
    }
    shown = [
        {"series": f"{metric}{{{whose[metric]}}}", "values": f"{value if metric == FAILED else int(value * 86400)}x{LONG // STEP}"}
        for metric, value in values.items()
    ]  # fmt: skip
    neighbour = 'namespace="neighbour-production",cronjob="restore-drill"'
    shown.append({"series": f"{LAST}{{{neighbour}}}", "values": f"0x{LONG // STEP}"})
    count = f'(count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)) > bool 0'
    wanted = {"expr": count, "eval_time": f"{LONG}s", "exp_samples": [{"labels": "{}", "value": int(rings)}]}
    return {"interval": "6h", "input_series": shown, "promql_expr_test": [wanted]}


OVERDUE, FAILS = "RestoreDrillOverdue", "RestoreDrillFailed"
DRILLS: tuple[tuple[str, str, Mapping[str, float], bool], ...] = (
    ("the last one was good, and is young", OVERDUE, {MADE: 0, LAST: 39}, False),
    ("the last good one is old", OVERDUE, {MADE: 0, LAST: 5}, True),
    ("the first one is still to come", OVERDUE, {MADE: 39}, False),
    ("none was ever good", OVERDUE, {MADE: 0}, True),
    ("there is none", OVERDUE, {}, True),
    ("none failed", FAILS, {MADE: 0, LAST: 39, BEGAN: 39, FAILED: 0}, False),
    ("the last one failed", FAILS, {MADE: 0, LAST: 30, BEGAN: 39, FAILED: 1}, True),
    ("the first one failed", FAILS, {MADE: 0, BEGAN: 39, FAILED: 1}, True),
    ("a later one was good", FAILS, {MADE: 0, LAST: 39, BEGAN: 30, FAILED: 1}, False),
)


def overdue(found: tuple[str, list[dict[str, Any]]]) -> str:
    """The expression without its namespace: alike for everyone in a tier."""
    (expression,) = [rule["expr"] for rule in found[1] if rule["alert"] == OVERDUE]
    return str(expression).replace(found[0], "")


def test_a_drill_that_is_late_or_fails_rings(
    written: Mapping[str, tuple[str, list[dict[str, Any]]]], folder: Path, tally: Tally
) -> None:
    drilled = {file: found for file, found in written.items() if any(rule["alert"] == OVERDUE for rule in found[1])}
    tally.check(len(drilled) > 5, f"drills are watched in {len(drilled)} namespaces")
    kinds = {(overdue(found), file.endswith("_cell.yaml")): file for file, found in drilled.items()}
    tally.check(len(kinds) == 3, f"kinds of drills: {sorted(kinds)}")
    for file in kinds.values():
        namespace = drilled[file][0]
        tests = [drill_case(namespace, alert, values, rings=rings) for _, alert, values, rings in DRILLS]
        content = {"rule_files": [file], "evaluation_interval": "6h", "tests": tests}
        (folder / "test.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        holds, said = promtool(folder, "test", "rules", "test.yaml")
        tally.check(holds, f"{file}: {said}", len(tests))


ON_CALL = {
    ("euw1-a", "acme-production"): ("operations-pager", "operations-queue", True),
    ("euw1-a", "kestrel-insurance-production"): ("accounts-pager", "accounts-queue", True),
    ("euw1-globex", "globex-eu-production"): ("enterprise-pager", "accounts-queue", False),
    ("euw1-a", "euw1-shared-a-cell"): ("operations-pager", "operations-queue", False),
    ("euw1-a", "monitoring"): ("operations-pager", "operations-queue", False),
}
"""(cluster, namespace) -> who is woken, who finds a ticket, and whether the first has hours."""


def amtool(folder: Path, *arguments: str) -> tuple[bool, str]:
    done = subprocess.run(
        [str(AMTOOL.path()), *arguments], capture_output=True, text=True, cwd=folder, check=False, env=libraries()
    )
    return done.returncode == 0, done.stdout.strip() if done.returncode == 0 else done.stderr[-1500:]


def test_each_alert_reaches_who_answers_for_it(
    written: Mapping[str, tuple[str, list[dict[str, Any]]]], folder: Path, tally: Tally
) -> None:
    for cluster in fleet.clusters():
        configs = [item.manifest for item in fleet.tree(cluster) if item.kind == "AlertmanagerConfig"]
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(alertmanager_file(configs)), encoding="utf-8")
        holds, said = amtool(folder, "check-config", "alertmanager.yml")
        tally.check(holds, f"{cluster}: {said}")
        for item in fleet.tree(cluster):
            if item.kind == "PrometheusRule":
                for labels in {
                    tuple(sorted(rule["labels"].items()))
                    for group in item.manifest["spec"]["groups"]
                    for rule in group["rules"]
                    if "alert" in rule
                }:
                    config = item.namespace if item.namespace != "monitoring" else "platform"
                    reached(folder, cluster, item.namespace, f"monitoring/{config}/", dict(labels), tally)
    stray = {"namespace": "elsewhere", "severity": "page"}
    holds, said = amtool(
        folder, "config", "routes", "test", "--config.file=alertmanager.yml", *(f"{k}={v}" for k, v in stray.items())
    )
    tally.check(holds and said.strip() == "nobody", f"an alert of nobody reaches {said}")


def reached(folder: Path, cluster: str, namespace: str, before: str, labels: Mapping[str, str], tally: Tally) -> None:
    """Only receivers of its own AlertmanagerConfig; the promised ones where the table above says them."""
    holds, said = amtool(
        folder,
        "config",
        "routes",
        "test",
        "--config.file=alertmanager.yml",
        *(f"{key}={value}" for key, value in labels.items()),
    )
    found = said.strip().split(",")
    tally.check(holds and all(one.startswith(before) for one in found), f"{namespace} {labels}: {said}")
    if (cluster, namespace) in ON_CALL:
        page, ticket, hours = ON_CALL[cluster, namespace]
        wanted = [ticket] if labels["severity"] == "ticket" else [page, ticket] if hours else [page]
        tally.check([one.removeprefix(before) for one in found] == wanted, f"{namespace} {labels}: {said}")
