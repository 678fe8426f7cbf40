"""Prometheus and Alertmanager by their operator, with the values of the rendered chart: they read what the trees hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from acceptance.harness.control_plane import is_true
from cluster.base import Cluster, Manifest
from cluster.images import Image
from cluster.operators import SYSTEM, TRUST
from cluster.programs import ALERTMANAGER, PROMETHEUS, PROMETHEUS_OPERATOR

NAMESPACE = "monitoring"
NAME, ALERTMANAGER_NAME = "kube-prometheus-stack-prometheus", "kube-prometheus-stack-alertmanager"
"""As the chart calls them."""
OPERATOR_IMAGE = "tenantry.local/prometheus-operator:1"
RELOADER_IMAGE = "tenantry.local/prometheus-config-reloader:1"
PROMETHEUS_IMAGE = "tenantry.local/prometheus:1"
ALERTMANAGER_IMAGE = "tenantry.local/alertmanager:1"
CHOSEN = {"podMonitor": "podMonitorSelectorNilUsesHelmValues", "probe": "probeSelectorNilUsesHelmValues", "rule": "ruleSelectorNilUsesHelmValues"}  # fmt: skip
"""Kinds that Prometheus reads -> value of the chart; False has it read all of them."""
KUBELETS = {
    "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
    "metadata": {"name": "kubelet", "namespace": NAMESPACE},
    "spec": {
        "selector": {"matchLabels": {"app.kubernetes.io/name": "kubelet"}}, "namespaceSelector": {"matchNames": ["kube-system"]},
        "endpoints": [{
            "port": "https-metrics", "scheme": "https", "honorLabels": True, "tlsConfig": {"insecureSkipVerify": True},
            "bearerTokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token",
        }],
    },
}  # fmt: skip
"""As the chart has it."""


@dataclass(frozen=True)
class Prometheus:
    """The server, asked through the API server."""

    cluster: Cluster

    def ask(self, path: str, **parameters: str) -> Any:
        """Data of an answer of its HTTP API. Raises AssertionError when there is none."""
        proxy = f"/api/v1/namespaces/{NAMESPACE}/pods/prometheus-{NAME}-0:9090/proxy/api/v1/{path}"
        query = f"?{urlencode(parameters)}" if parameters else ""
        answer = json.loads(self.cluster.kubectl("get", "--raw", f"{proxy}{query}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def series(self, query: str) -> int:
        """How many results a query has."""
        return len(self.ask("query", query=query)["result"])

    def alerts(self) -> dict[tuple[str, str], str]:
        """(namespace, name) of each alert whose condition is true -> pending or firing."""
        return {(a["labels"].get("namespace", ""), a["labels"]["alertname"]): a["state"] for a in self.ask("alerts")["alerts"]}  # fmt: skip

    def targets(self) -> list[tuple[str, str]]:
        """(pool, health) of what is scraped."""
        return [(one["scrapePool"], one["health"]) for one in self.ask("targets", state="active")["activeTargets"]]


def install(cluster: Cluster, chart: Manifest, authority: Path) -> Prometheus:
    """`chart` is the rendered Application of kube-prometheus-stack; Alertmanager trusts the authority. Raises NotReadyError."""
    operator = PROMETHEUS_OPERATOR
    cluster.load(
        Image(OPERATOR_IMAGE, {"operator": operator.binary("operator")}, entrypoint=("/operator",), user="65534:65534"),
        Image(
            RELOADER_IMAGE, {"bin/prometheus-config-reloader": operator.binary("prometheus-config-reloader")},
            entrypoint=("/bin/prometheus-config-reloader",), user="65534:65534",
        ),
        Image(PROMETHEUS_IMAGE, {"bin/prometheus": PROMETHEUS.binary()}, entrypoint=("/bin/prometheus",), user="65534:65534"),
        Image(
            ALERTMANAGER_IMAGE, {"bin/alertmanager": ALERTMANAGER.binary(), TRUST: authority},
            entrypoint=("/bin/alertmanager",), user="65534:65534",
        ),
        pools=("system",),
    )  # fmt: skip
    cluster.apply(_operator())
    cluster.wait_for_deployment(NAMESPACE, "prometheus-operator")
    values = chart["spec"]["source"]["helm"]["valuesObject"]
    made = (
        _alertmanager(values["alertmanager"]["alertmanagerSpec"]),
        _prometheus(values["prometheus"]["prometheusSpec"]),
    )
    cluster.apply([*_accounts("prometheus"), KUBELETS, *made])
    for one in made:
        cluster.wait_in(NAMESPACE, one["kind"], lambda one=one: is_true(cluster.api.get(one).body, "Available"), 180)
    return Prometheus(cluster)


def _operator() -> Iterator[Manifest]:
    for manifest in _accounts("prometheus-operator"):
        if manifest["kind"] == "Deployment":
            pod = manifest["spec"]["template"]["spec"]
            pod["nodeSelector"] = SYSTEM
            (container,) = pod["containers"]
            container |= {"image": OPERATOR_IMAGE, "imagePullPolicy": "Never"}
            reloader = "--prometheus-config-reloader="
            container["args"] = [one for one in container["args"] if not one.startswith(reloader)]
            container["args"].append(f"{reloader}{RELOADER_IMAGE}")
        yield manifest


def _accounts(name: str) -> Iterator[Manifest]:
    """What the release has for a program: account, roles, and the operator's Deployment, moved to the namespace here."""
    for file in sorted(PROMETHEUS_OPERATOR.asset(f"example/rbac/{name}").iterdir()):
        for manifest in yaml.safe_load_all(file.read_text()):
            if manifest["kind"] not in ("Prometheus", "ServiceMonitor", "Service"):
                if not manifest["kind"].startswith("Cluster"):
                    manifest["metadata"]["namespace"] = NAMESPACE
                for subject in manifest.get("subjects", ()):
                    subject["namespace"] = NAMESPACE
                yield manifest


def _prometheus(values: dict[str, Any]) -> Manifest:
    """As the chart makes it of its values; one replica, without a volume of its own."""
    read: dict[str, Any] = {}
    for kind, value in CHOSEN.items():
        assert values[value] is False, f"{value}: Prometheus would read the chart's own objects alone"
        read |= {f"{kind}Selector": {}, f"{kind}NamespaceSelector": {}}
    return {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            **read, **_SMALL, "serviceMonitorSelector": {}, "image": PROMETHEUS_IMAGE, "version": "v3.5.0",
            "serviceAccountName": "prometheus", "retention": values["retention"],
            "alerting": {"alertmanagers": [{"namespace": NAMESPACE, "name": "alertmanager-operated", "port": "web"}]},
        },
    }  # fmt: skip


def _alertmanager(values: dict[str, Any]) -> Manifest:
    """As the chart makes it of its values, likewise."""
    return {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Alertmanager", "metadata": {"name": ALERTMANAGER_NAME, "namespace": NAMESPACE},
        "spec": {**values, **_SMALL, "alertmanagerConfigNamespaceSelector": {}, "image": ALERTMANAGER_IMAGE, "version": "v0.28.1"},
    }  # fmt: skip


_SMALL = {
    "replicas": 1, "nodeSelector": SYSTEM, "resources": {"requests": {"memory": "100Mi"}},
    "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "fsGroup": 65534},
}  # fmt: skip
