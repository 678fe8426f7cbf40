"""Metrics of what serves people, healthy and with each fault, as promtool takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STEP_MINUTES = 4
"""Below Prometheus' five minutes, after which a sample is too old to be seen."""
Values = Mapping[str, str]
"""Series with %(name)s for what differs between services -> its values, without how many."""

_T, _A = 'job="monitoring/traefik",router="%(router)s"', 'job="monitoring/argocd",name="%(application)s"'
SENT = "traefik_router_requests_total{" + _T + ',code="%s"}'
TAKEN = "traefik_router_request_duration_seconds_%s{" + _T + "%s}"
ENDS = 'certmanager_certificate_expiration_timestamp_seconds{namespace="%(namespace)s",name="odoo-tls"}'
SECRET = 'externalsecret_status_condition{namespace="%(namespace)s",name="registry",condition="Ready",status="False"}'
SYNCED = "argocd_app_info{" + _A + ',sync_status="%s",health_status="%s"}'
SYNCS = "argocd_app_sync_total{" + _A + ',phase="%s"}'
UNREADABLE = 'odoo_attachments_unreadable_total{namespace="%(namespace)s",pod="odoo-web-1"}'
QUOTA = 'kube_resourcequota{namespace="%(namespace)s",resource="pods",type="%s"}'
SAVED = 'velero_backup_last_successful_timestamp{job="monitoring/velero",schedule="%(schedule)s%s"}'


def _series(pattern: str, *parts: str) -> str:
    """The pattern with its `%s` filled; what differs between services stays."""
    for part in parts:
        pattern = pattern.replace("%s", part, 1)
    return pattern


GONE = ""
"""Values of a series that is not there."""
HEALTHY: Values = {
    _series(SENT, "200"): "0+2400", _series(SENT, "502"): "0+0", _series(TAKEN, "bucket", ',le="1.2"'): "0+2350",
    _series(TAKEN, "count", ""): "0+2400", ENDS: "9000000+0", SECRET: "0+0", _series(SYNCED, "Synced", "Healthy"): "1+0",
    _series(SYNCS, "Succeeded"): "5+0", _series(QUOTA, "used"): "5+0", _series(QUOTA, "hard"): "10+0",
    _series(SAVED, ""): "0+240", _series(SAVED, "-dr"): "0+240", UNREADABLE: "3+0",
}  # fmt: skip
"""Velero's last backup is always that of the moment: the clock of a test starts at the epoch, a step is 240 seconds."""
FAULTS: Mapping[str, tuple[str, Values]] = {
    "a tenth of the requests fails": ("RequestBudgetBurns1H", {_series(SENT, "502"): "0+240"}),
    "some requests fail": ("RequestBudgetBurns6H", {_series(SENT, "502"): "0+240"}),
    "few requests fail, for long": ("RequestBudgetBurns3D", {_series(SENT, "502"): "0+240"}),
    "requests are slow": ("RequestsSlow", {_series(TAKEN, "bucket", ',le="1.2"'): "0+1200"}),
    "a certificate is not renewed": ("CertificateEndsSoon", {ENDS: "1000000+0"}),
    "a certificate was never issued": ("CertificateEnds", {ENDS: "0+0"}),
    "a secret is not read": ("SecretNotSynced", {SECRET: "1+0"}),
    "a quota is nearly full": ("QuotaNearlyFull", {_series(QUOTA, "used"): "9.5+0"}),
    "an attachment is missing": ("AttachmentUnreadable", {UNREADABLE: f"3x{200 // STEP_MINUTES} 4+0"}),
    "the folder of attachments is wrong": ("AttachmentsUnreadable", {UNREADABLE: "0+40"}),
    "a sync fails": ("SyncFailed", {_series(SYNCS, "Failed"): "0+1"}),
    "the first sync fails": ("SyncFailed", {_series(SYNCS, "Error"): f"_x{200 // STEP_MINUTES} 1+0"}),
    "nothing is synced": ("OutOfSync", {
        _series(SYNCED, "Synced", "Healthy"): GONE, _series(SYNCED, "OutOfSync", "Healthy"): "1+0"}),
    "an object does not come up": ("ApplicationUnhealthy", {
        _series(SYNCED, "Synced", "Healthy"): GONE, _series(SYNCED, "Synced", "Degraded"): "1+0"}),
    "Velero makes no backup": ("ObjectBackupTooOld", {_series(SAVED, ""): "0+0"}),
    "Velero has made no backup": ("ObjectBackupTooOld", {_series(SAVED, ""): GONE}),
    "Velero makes no backup in the other region": ("ObjectBackupInDrRegionTooOld", {_series(SAVED, "-dr"): "0+0"}),
}  # fmt: skip


def broken() -> Values:
    """Everything is wrong at once."""
    return {**HEALTHY, **{series: values for _, fault in FAULTS.values() for series, values in fault.items() if values}}


def forged(values: Values) -> Values:
    """The same, as if a tenant's own Pods told it."""
    named = {series: given for series, given in values.items() if "job=" in series}
    return {series.replace('job="monitoring/', 'job="neighbour-production/'): given for series, given in named.items()}


def case(
    rule: Mapping[str, Any], values: Values, service: Mapping[str, str], neighbour: Mapping[str, str], rings: bool
) -> Mapping[str, Any]:
    """One test of promtool: whether an alert rings, beside a neighbour of which nothing is right, and who lies."""
    alert, lasts = rule["alert"], str(rule.get("for", ""))
    hours = int(lasts[:-1]) * 24 + 4 if lasts.endswith("d") else 56 if alert.startswith("ObjectBackup") else 4
    steps = hours * 60 // STEP_MINUTES
    count = f'(count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)) > bool 0'
    wanted = {"expr": count, "eval_time": f"{hours}h", "exp_samples": [{"labels": "{}", "value": int(rings)}]}
    shown = [
        *_filled(values, service, steps),
        *_filled(broken(), neighbour, steps),
        *_filled(forged(broken()), service, steps),
    ]
    read = [one for one in shown if one["series"].partition("{")[0] in rule["expr"]]
    return {"interval": f"{STEP_MINUTES}m", "input_series": read, "promql_expr_test": [wanted]}


def _filled(values: Values, service: Mapping[str, str], steps: int) -> Iterator[dict[str, str]]:
    for series, given in values.items():
        if given:
            yield {"series": series % service, "values": f"{given}x{steps}"}


def cases(
    rule: Mapping[str, Any], service: Mapping[str, str], neighbour: Mapping[str, str]
) -> Iterator[Mapping[str, Any]]:
    """An alert before and after each of its faults."""
    for alert, fault in FAULTS.values():
        if alert == rule["alert"]:
            yield case(rule, HEALTHY, service, neighbour, rings=False)
            yield case(rule, {**HEALTHY, **fault}, service, neighbour, rings=True)
