"""Dashboards of a cluster for Grafana: its tenants by tier, its cells, and the platform.

One each, not one for each tenant: whom to look at is a variable, filled from what `tenantry_instance_info` says of production.
Metrics are those of the alerts (`alerts.py`, `service_alerts.py`), and what CloudNativePG 1.30 exports beside them
(config/manager/default-monitoring.yaml).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.model.cluster import Cluster
from tenantry.model.platform import Platform
from tenantry.model.tier import Tier
from tenantry.render.service_alerts import COMPONENTS, job

INFO = "tenantry_instance_info"
"""A series for each instance in production, with tenant, tier and cell as labels."""
OBJECTIVE = "tenantry_instance_availability_objective"
"""Its promised availability, as a share of 1."""
_CHOSEN = 'namespace=~"$namespace"'
"""What the variable of a dashboard leaves."""
_WIDTH, _HEIGHT, _COLUMNS = 8, 7, 3
"""Of a panel, in units of Grafana's grid, which has 24 columns."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph, or a table of what is now. `queries`: legend -> PromQL; `unit` is one of Grafana's names."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    table: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`variables`: name -> the query that fills its choices, each of which may depend on those before it."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    variables: Mapping[str, str]

    @property
    def lines(self) -> list[str]:
        """Grafana's JSON model (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/)."""
        model = {
            "uid": f"tenantry-{self.name}", "title": self.title, "tags": ["tenantry"], "schemaVersion": 39, "editable": False,
            "time": {"from": "now-6h", "to": "now"}, "refresh": "1m",
            "templating": {"list": [_SOURCE, *(_variable(name, query) for name, query in self.variables.items())]},
            "panels": [_panel(number, panel) for number, panel in enumerate(self.panels)],
        }  # fmt: skip
        return json.dumps(model, indent=1).splitlines()


_SOURCE = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
_FROM = {"type": "prometheus", "uid": "${datasource}"}


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name, "label": name.capitalize(), "type": "query", "datasource": _FROM, "query": query, "refresh": 2, "sort": 1,
        "multi": True, "includeAll": True, "allValue": ".+", "current": {"text": "All", "value": "$__all"},
    }  # fmt: skip


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    place = {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
    now = {"instant": True, "format": "table"} if panel.table else {}
    targets = [
        {"refId": chr(ord("A") + index), "datasource": _FROM, "expr": query, "legendFormat": legend, **now}
        for index, (legend, query) in enumerate(panel.queries.items())
    ]
    return {
        "id": number + 1, "type": "table" if panel.table else "timeseries", "title": panel.title, "gridPos": place,
        "datasource": _FROM, "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []}, "targets": targets,
    }  # fmt: skip


def records(tier: Tier) -> Mapping[str, str]:
    """Series that say of an instance what no component knows: name -> expression; the labels are the instance's."""
    return {INFO: "vector(1)", OBJECTIVE: f"vector({tier.objectives.availability_percent / 100:.6g})"}


def dashboards(platform: Platform, cluster: Cluster) -> Sequence[Dashboard]:
    """What the monitoring namespace of a cluster holds."""
    tier = f'label_values({INFO}{{cluster="{cluster.name}"}}, tier)'
    namespace = f'label_values({INFO}{{cluster="{cluster.name}",tier=~"$tier"}}, namespace)'
    return (
        Dashboard(
            "tenants", "Tenants in production", tuple(_of_tenants(platform, cluster)), {"tier": tier, "namespace": namespace}
        ),
        Dashboard("cells", "Cells and databases", tuple(_of_databases()), {"namespace": "label_values(cnpg_collector_up, namespace)"}),
        Dashboard("platform", "Platform", tuple(_of_platform(platform, cluster)), {}),
    )  # fmt: skip


def _of_tenants(platform: Platform, cluster: Cluster) -> Iterator[Panel]:
    edge = cluster.traefik
    points = "|".join(point for point in (edge.public_entry_point, edge.private_entry_point) if point)
    these = (
        f'{job(platform, "traefik")},router=~"(({points})-)?($namespace)_odoo-public(-[0-9]+)?_[0-9]+@kubernetescrd"'
    )
    yield Panel("What rings", {"": f'sum by (tenant, alertname, severity) (ALERTS{{alertstate="firing",scope="tenant",{_CHOSEN}}})'}, table=True)  # fmt: skip
    yield Panel(
        "Promised availability", {"{{namespace}}": f'{OBJECTIVE}{{{_CHOSEN},cluster="{cluster.name}"}}'}, "percentunit"
    )
    yield Panel(
        "Requests", {"{{code}}": f"sum by (code) (rate(traefik_router_requests_total{{{these}}}[5m]))"}, "reqps"
    )
    failed = f'sum(rate(traefik_router_requests_total{{{these},code=~"5.."}}[5m]))'
    yield Panel("Requests that fail", {"share": f"({failed} or vector(0)) / sum(rate(traefik_router_requests_total{{{these}}}[5m]))"}, "percentunit")  # fmt: skip
    buckets = f"sum by (le) (rate(traefik_router_request_duration_seconds_bucket{{{these}}}[5m]))"
    yield Panel("Duration of requests", {f"{share:.0%}": f"histogram_quantile({share}, {buckets})" for share in (0.5, 0.95)}, "s")  # fmt: skip
    spent = "sum by (kind) (rate(odoo_http_request_seconds_{}{{" + _CHOSEN + "}}[5m]))"
    yield Panel("Duration in Odoo, by kind", {"{{kind}}": f"{spent.format('sum')} / {spent.format('count')}"}, "s")
    yield Panel("Attachments that could not be read", {"{{namespace}}": f"sum by (namespace) (increase(odoo_attachments_unreadable_total{{{_CHOSEN}}}[1h]))"})  # fmt: skip
    yield Panel("Days that certificates last", {"{{namespace}} {{name}}": f"min by (namespace, name) (certmanager_certificate_expiration_timestamp_seconds{{{_CHOSEN}}} - time()) / 86400"}, "d")  # fmt: skip
    yield Panel("Secrets that are not synced", {"{{namespace}} {{name}}": f'max by (namespace, name) (externalsecret_status_condition{{{_CHOSEN},condition="Ready",status="False"}})'})  # fmt: skip
    used, hard = (f'kube_resourcequota{{{_CHOSEN},type="{kind}"}}' for kind in ("used", "hard"))
    yield Panel("Quota in use", {"{{namespace}} {{resource}}": f"max by (namespace, resource) ({used} / ignoring(type) {hard})"}, "percentunit")  # fmt: skip
    pods = f'kube_deployment_status_replicas_available{{{_CHOSEN},deployment=~"odoo-.+"}}'
    yield Panel("Pods that are ready", {"{{namespace}} {{deployment}}": pods})
    state = f'sum by (dest_namespace, sync_status, health_status) (argocd_app_info{{{job(platform, "argocd")},dest_namespace=~"$namespace"}})'
    yield Panel("Delivery", {"": state}, table=True)


def _of_databases() -> Iterator[Panel]:
    yield Panel("What rings", {"": f'sum by (namespace, alertname, severity) (ALERTS{{alertstate="firing",alertname=~"Postgresql.+|RestoreDrill.+",{_CHOSEN}}})'}, table=True)  # fmt: skip
    yield Panel("Instances that answer", {"{{namespace}}": f"sum by (namespace) (cnpg_collector_up{{{_CHOSEN}}})"})
    yield Panel("Lag of replicas", {"{{namespace}} {{pod}}": f"max by (namespace, pod) (cnpg_pg_replication_lag{{{_CHOSEN}}})"}, "s")  # fmt: skip
    yield Panel("Since WAL was archived", {"{{namespace}}": f"max by (namespace) (cnpg_pg_stat_archiver_seconds_since_last_archival{{{_CHOSEN}}})"}, "s")  # fmt: skip
    yield Panel("Age of the last base backup", {"{{namespace}}": f"time() - max by (namespace) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{{{_CHOSEN}}})"}, "s")  # fmt: skip
    yield Panel("Connections", {"{{namespace}} {{datname}}": f"sum by (namespace, datname) (cnpg_backends_total{{{_CHOSEN}}})"})  # fmt: skip
    yield Panel("Size of databases", {"{{namespace}} {{datname}}": f"max by (namespace, datname) (cnpg_pg_database_size_bytes{{{_CHOSEN}}})"}, "bytes")  # fmt: skip
    yield Panel("Transactions", {"{{namespace}} {{datname}}": f"sum by (namespace, datname) (rate(cnpg_pg_stat_database_xact_commit{{{_CHOSEN}}}[5m]))"}, "ops")  # fmt: skip
    volumes = (f"kubelet_volume_stats_{kind}_bytes{{{_CHOSEN}}}" for kind in ("used", "capacity"))
    yield Panel("Volumes in use", {"{{namespace}} {{persistentvolumeclaim}}": " / ".join(volumes)}, "percentunit")


def _of_platform(platform: Platform, cluster: Cluster) -> Iterator[Panel]:
    rings = f'sum by (scope, tier, alertname, severity) (ALERTS{{alertstate="firing",cluster="{cluster.name}"}})'
    yield Panel("What rings", {"": rings}, table=True)
    yield Panel("Instances in production", {"{{tier}}": f'count by (tier) ({INFO}{{cluster="{cluster.name}"}})'})
    yield Panel("Components that answer", {name: f"sum(up{{{job(platform, name)}}}) or vector(0)" for name in COMPONENTS})  # fmt: skip
    edge = job(platform, "traefik")
    yield Panel("Requests at the edge", {"{{code}}": f"sum by (code) (rate(traefik_entrypoint_requests_total{{{edge}}}[5m]))"}, "reqps")  # fmt: skip
    delivered = f"sum by (sync_status, health_status) (argocd_app_info{{{job(platform, 'argocd')}}})"
    yield Panel("Applications", {"{{sync_status}} {{health_status}}": delivered})
    yield Panel("Days until a certificate ends", {"the next one": "min(certmanager_certificate_expiration_timestamp_seconds - time()) / 86400"}, "d")  # fmt: skip
