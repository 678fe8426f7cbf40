"""Alerts on what serves people and on what is kept for them, besides PostgreSQL: of an instance, a cell, a cluster.

Metrics: Traefik 3.7 (pkg/observability/metrics/prometheus.go; names of routers: pkg/provider/kubernetes/crd/name_builder.go
with `safeNaming`), cert-manager 1.21 (pkg/metrics), External Secrets (pkg/controllers/metrics), Argo CD 3.6
(controller/metrics), Velero 1.18 (pkg/metrics; read from the backups when it starts), kube-state-metrics (docs/metrics), and images/odoo's own. They
keep their own `namespace`: the platform's PodMonitors honor labels. What names its tenant by another label is read from the
component's own job, or a tenant's Odoo could tell it of its neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tenantry.model.platform import Platform
from tenantry.render.alerts import BURN_RATES, Alert
from tenantry.resolve.edge import routers
from tenantry.resolve.instance import Instance, Site

_DAY = 86_400
_TO_WINDOW = 8
"""Days in which each week's window has come; a freeze adds its own."""
_SLOW_SECONDS, _SLOW_SHARE = "1.2", 0.25
"""A bound of Traefik's default buckets, and the share of requests that may exceed it."""
_MANY_ATTACHMENTS = 20

COMPONENTS: Mapping[str, tuple[str, Mapping[str, str], int]] = {
    "argocd": ("argocd", {"app.kubernetes.io/name": "argocd-application-controller"}, 8082),
    "cert-manager": ("cert_manager", {"app.kubernetes.io/name": "cert-manager", "app.kubernetes.io/component": "controller"}, 9402),
    "cloudnative-pg": ("cloudnative_pg", {"app.kubernetes.io/name": "cloudnative-pg"}, 8080),
    "external-secrets": ("external_secrets", {"app.kubernetes.io/name": "external-secrets"}, 8080),
    "traefik": ("traefik", {"app.kubernetes.io/name": "traefik"}, 9100),
    "velero": ("velero", {"app.kubernetes.io/name": "velero", "name": "velero"}, 8085),
}  # fmt: skip
"""Platform component -> its namespace in platform.yaml, labels of the Pods that have its metrics, and their port: the
projects' own charts and manifests."""


def instance_alerts(instance: Instance, site: Site) -> list[Alert]:
    """Of an instance in production: requests, certificates, secrets, delivery, quota, Velero's backups."""
    called, tier, platform = instance.names, instance.tier, site.platform
    synced = _TO_WINDOW + max((freeze.days for freeze in instance.tenant.freezes), default=0)
    schedules = [called.instance, *([f"{called.instance}-dr"] if tier.backup.velero_in_dr_region else [])]
    return [
        *_request_alerts(instance, site),
        *(_probe_alerts(called.namespace) if platform.alerting and platform.alerting.prober else ()),
        *(_attachment_alerts(called.namespace) if instance.release.counts_attachments else ()),
        *namespace_alerts(called.namespace),
        *delivery_alerts(platform, [called.infra_application, called.app_application], f"{synced}d"),
        *(_velero_alert(job(platform, "velero"), schedule, tier.backup.velero_every_hours) for schedule in schedules),
    ]


def job(platform: Platform, component: str) -> str:
    """Selects what Prometheus read from a component: the operator names jobs after the PodMonitor."""
    return f'job="{platform.namespaces.monitoring}/{component}"'


def probes(instance: Instance) -> Iterator[tuple[str, dict[str, object]]]:
    """How a prober opens the hosts. Where only a customer's own addresses are let in, it is refused, and that is looked at."""
    closed = bool(instance.tenant.access.sources)
    for name, path in (("login", "/web/login"), ("websocket", "/websocket")):
        hosts = [f"https://{host}{path}" for host in instance.hosts]
        yield name, {"probe": name, "module": "odoo-closed" if closed else f"odoo-{name}", "probed": hosts}


def _probe_alerts(namespace: str) -> Iterator[Alert]:
    answer = f'probe_success{{namespace="{namespace}"}}'
    yield Alert("ProbeFails", f"min({answer}) by (instance) < 1", "From outside, a host does not answer as it should", duration="3m", symptom=True)  # fmt: skip
    yield Alert("ProbeMissing", f"absent({answer})", "Nobody looks at the hosts from outside", "ticket", "15m")


def _attachment_alerts(namespace: str) -> Iterator[Alert]:
    """A document is lost now and then; many at once say that bucket, folder or key are wrong."""
    failed = f'odoo_attachments_unreadable_total{{namespace="{namespace}"}}'
    yield Alert("AttachmentUnreadable", f"sum(increase({failed}[1h])) > 0",
                "The object store does not have an attachment, or refuses it: people get an empty file or an error", "ticket")  # fmt: skip
    yield Alert("AttachmentsUnreadable", f"sum(increase({failed}[10m])) > {_MANY_ATTACHMENTS}",
                f"More than {_MANY_ATTACHMENTS} reads of attachments failed within 10 minutes: people get empty files or errors")  # fmt: skip


def namespace_alerts(namespace: str) -> Iterator[Alert]:
    """Of whatever lies in a namespace of ours."""
    here = f'namespace="{namespace}"'
    left = f"min(certmanager_certificate_expiration_timestamp_seconds{{{here}}} - time()) by (name)"
    used, hard = (f'kube_resourcequota{{{here},type="{kind}"}}' for kind in ("used", "hard"))
    yield Alert("CertificateEndsSoon", f"{left} < {14 * _DAY}", "A certificate was not renewed and ends within 14 days, or was never issued", "ticket", "1h")  # fmt: skip
    yield Alert("CertificateEnds", f"{left} < {3 * _DAY}", "A certificate ends within 3 days, or was never issued", duration="1h")  # fmt: skip
    yield Alert("SecretNotSynced", f'max(externalsecret_status_condition{{{here},condition="Ready",status="False"}}) by (name) > 0',
                "A secret is not read from the secret store: what was changed there does not arrive", "ticket", "30m")  # fmt: skip
    yield Alert("QuotaNearlyFull", f"max({used} / ignoring(type) {hard}) by (resource) > 0.9",
                "More than 90 % of a quota is in use; the next update may have no room", "ticket", "1h")  # fmt: skip


def delivery_alerts(platform: Platform, applications: Sequence[str], synced: str) -> Iterator[Alert]:
    """Of Argo CD's Applications. A counter that begins with a failure never rises: hence what was not there an hour ago."""
    these = f'{job(platform, "argocd")},name=~"{"|".join(applications)}"'
    failed = f'argocd_app_sync_total{{{these},phase=~"Error|Failed"}}'
    new = f"(sum({failed}) by (name) unless sum({failed} offset 1h) by (name))"
    yield Alert("SyncFailed", f"sum(increase({failed}[1h])) by (name) > 0 or {new} > 0",
                "Argo CD could not apply what was merged", "ticket")  # fmt: skip
    yield Alert("OutOfSync", f'max(argocd_app_info{{{these},sync_status!="Synced"}}) by (name) > 0',
                "What runs is not what was merged, although a window has passed", "ticket", synced)  # fmt: skip
    yield Alert("ApplicationUnhealthy", f'max(argocd_app_info{{{these},health_status=~"Degraded|Missing"}}) by (name) > 0',
                "Argo CD finds an object that is missing or does not come up", "ticket", "30m")  # fmt: skip


def platform_alerts(platform: Platform, application: str) -> Iterator[Alert]:
    """Of a cluster's own components. Without its edge no tenant of the cluster is reached."""
    for name in COMPONENTS:
        up = f"(sum(up{{{job(platform, name)}}}) or vector(0)) < 1"
        what = "".join(word.capitalize() for word in name.split("-"))
        if name == "traefik":
            yield Alert("EdgeDown", up, "No Traefik answers: no tenant of the cluster is reached", duration="2m")
        else:
            yield Alert(f"{what}Down", up, f"{name} does not answer, and no alert on what it tells can ring", "ticket", "15m")  # fmt: skip
    yield from (
        alert for alert in namespace_alerts(platform.namespaces.traefik) if alert.name.startswith("Certificate")
    )
    yield from delivery_alerts(platform, [application], "2h")


def _velero_alert(source: str, schedule: str, hours: int) -> Alert:
    last = f'velero_backup_last_successful_timestamp{{{source},schedule="{schedule}"}}'
    late = hours * 2
    name = "ObjectBackupTooOld" if not schedule.endswith("-dr") else "ObjectBackupInDrRegionTooOld"
    return Alert(name, f"(time() - max({last})) > {late * 3600} or absent({last})",
                 f"Velero's last backup is more than {late} hours old, or there is none", "ticket", "1h")  # fmt: skip


def _request_alerts(instance: Instance, site: Site) -> Iterator[Alert]:
    """On the same budget as availability, counted in requests as the edge answers them: 503 without a Pod included."""
    percent = instance.tier.objectives.availability_percent
    public = routers(instance.names.namespace, "odoo-public", instance.tier, site.cluster)
    these = f'{job(site.platform, "traefik")},router=~"{public}"'
    for rate, long, short, severity in BURN_RATES:
        bad = [
            f'(sum(rate(traefik_router_requests_total{{{these},code=~"5.."}}[{window}]))'
            f" / sum(rate(traefik_router_requests_total{{{these}}}[{window}]))) > {rate} * {(100 - percent) / 100:.6g}"
            for window in (long, short)
        ]
        summary = f"Requests fail: the budget of {percent:g} % goes {rate} times too fast"
        yield Alert(f"RequestBudgetBurns{long.upper()}", f"{bad[0]} and {bad[1]}", summary, severity, symptom=True)
    seconds = "traefik_router_request_duration_seconds"
    fast = (
        f'sum(rate({seconds}_bucket{{{these},le="{_SLOW_SECONDS}"}}[15m])) / sum(rate({seconds}_count{{{these}}}[15m]))'
    )
    yield Alert("RequestsSlow", f"1 - {fast} > {_SLOW_SHARE}",
                f"More than {_SLOW_SHARE * 100:g} % of the requests take longer than {_SLOW_SECONDS} seconds",
                "ticket", "15m", symptom=True)  # fmt: skip
