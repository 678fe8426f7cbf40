"""SUP-07: the values of charts by which proofs and trees rely on their components.

What a chart takes when a value is not there, and the names of the values, are those of the charts' values.yaml: traefik 41.3.0,
kyverno 3.9.0, cloudnative-pg 0.29.0, plugin-barman-cloud 0.7.0, cert-manager v1.21.1, external-secrets 2.4.0, keda 2.20.2,
velero 12.1.0, metrics-server 3.13.1, kube-prometheus-stack 88.5.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tenantry.core.manifest import Manifest, Path, Value, dig, mapping
from tenantry.model.platform import Platform
from tenantry.prove.charts.applications import managed
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.registration import proof

VALUES: Path = ("spec", "source", "helm", "valuesObject")


@dataclass(frozen=True, slots=True)
class Least:
    """A number that may be higher."""

    number: int


@dataclass(frozen=True, slots=True)
class Demand:
    """A value that something relies on. `without` is what the chart takes when it is left out."""

    path: str
    right: object | Callable[[Platform], object]
    without: object
    why: str


_D = Demand
_SEVERAL = "while its only Pod moves, nothing that its webhook is asked about can be changed"
_TWO = "while its only Pod moves, nothing does its work"
_OWN = {"app.kubernetes.io/managed-by": "tenantry"}
DEMANDS: dict[str, tuple[Demand, ...]] = {
    "barman_cloud_plugin": (
        _D("image.tag", lambda p: f"v{p.components.barman_cloud_plugin}", "", "platform.yaml names another version"),
        _D("sidecarImage.tag", lambda p: f"v{p.components.barman_cloud_plugin}", "", "platform.yaml names another version"),
        _D("serviceAccount.name", lambda p: p.operators.barman_cloud_plugin, "", "policies let another account pass"),
    ),
    "cert_manager": (
        _D("crds.enabled", True, False, "certificates and issuers would be no kinds"),
        _D("webhook.replicaCount", Least(2), 1, _SEVERAL),
        _D("clusterResourceNamespace", lambda p: p.namespaces.cert_manager, lambda p: p.namespaces.cert_manager,
           "the internal authority's key would be read elsewhere"),
    ),
    "cloudnative_pg": (
        _D("image.tag", lambda p: p.components.cloudnative_pg, "", "platform.yaml names another version"),
        _D("serviceAccount.name", lambda p: p.operators.cloudnative_pg, "", "policies let another account pass"),
        _D("config.clusterWide", True, True, "it would leave tenants' Clusters alone"),
        _D("replicaCount", Least(2), 1, _SEVERAL),
        _D("webhook.validating.failurePolicy", "Fail", "Fail", "what its webhook refuses would pass while it is away"),
    ),
    "external_secrets": (
        _D("installCRDs", True, True, "stores and ExternalSecrets would be no kinds"),
        _D("processClusterStore", False, True, "a ClusterSecretStore would read the store for every namespace"),
        _D("processClusterExternalSecret", False, True, "a ClusterExternalSecret would write into every namespace"),
        _D("scopedNamespace", "", "", "it would leave tenants' ExternalSecrets alone"),
        _D("replicaCount", Least(2), 1, _TWO),
        _D("webhook.replicaCount", Least(2), 1, _SEVERAL),
    ),
    "keda": (
        _D("watchNamespace", "", "", "it would leave tenants' ScaledObjects alone"),
        _D("permissions.operator.restrict.secret", True, False, "it could read every tenant's Secrets"),
        _D("operator.replicaCount", Least(2), 1, _TWO),
    ),
    "kyverno": (
        _D("admissionController.replicas", Least(2), 1, _SEVERAL),
        _D("admissionController.priorityClassName", "system-cluster-critical", "", "tenants' Pods could put it out, and with it all admission"),
        _D("features.policyExceptions.enabled", True, False, "approved exceptions would not count"),
        _D("features.policyExceptions.namespace", lambda p: p.namespaces.kyverno, "", "exceptions would count where others can write"),
        _D("features.forceFailurePolicyIgnore.enabled", False, False, "policies would let everything pass while it is away"),
    ),
    "metrics_server": (
        _D("image.tag", lambda p: f"v{p.components.metrics_server}", "", "platform.yaml names another version"),
        _D("apiService.create", True, True, "autoscalers would see no metrics"),
        _D("replicas", Least(2), 1, _TWO),
    ),
    "prometheus_operator": (
        _D("prometheusOperator.image.tag", lambda p: f"v{p.components.prometheus_operator}", "", "platform.yaml names another version"),
        _D("prometheus.enabled", True, True, "no alert would ring"),
        _D("prometheus.prometheusSpec.podMonitorSelectorNilUsesHelmValues", False, True, "tenants' PodMonitors would not be read"),
        _D("prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues", False, True, "tenants' alerts would not be read"),
        _D("prometheus.prometheusSpec.replicas", Least(2), 1, "while its only Pod moves, no alert rings"),
        _D("prometheus.prometheusSpec.probeSelectorNilUsesHelmValues", False, True, "nobody would look at tenants' hosts from outside"),
        _D("alertmanager.enabled", True, True, "no alert would be sent"),
        _D("alertmanager.alertmanagerSpec.alertmanagerConfigSelector.matchLabels", _OWN, None, "alerts would be routed to nobody"),
        _D("alertmanager.alertmanagerSpec.alertmanagerConfigMatcherStrategy.type", "OnNamespaceExceptForAlertmanagerNamespace", "OnNamespace",
           "routes would be for alerts of the monitoring namespace only"),
        _D("kubelet.enabled", True, True, "alerts on volumes would have no data"),
        _D("kubeStateMetrics.enabled", True, True, "alerts on Deployments would have no data"),
    ),
    "velero": (
        _D("image.tag", lambda p: f"v{p.components.velero}", "", "platform.yaml names another version"),
        _D("serviceAccount.server.name", lambda p: p.operators.velero, "", "the policy on restored volumes lets another account pass"),
        _D("backupsEnabled", False, True, "a storage location of the chart would stand beside those of the tree"),
        _D("deployNodeAgent", True, False, "snapshots would stay on the volumes' storage"),
        _D("configuration.features", "EnableCSI", "", "volumes would not be in backups"),
    ),
}  # fmt: skip
"""By component. Traefik's, which follow the cluster, are in `traefik.py`."""
_RENAMED = ("nameOverride", "fullnameOverride", "namespaceOverride")


@proof("SUP-07")
def demands(state: State) -> Iterator[Breach]:
    """SUP-07: values that something relies on."""
    platform = state.promises.platform
    for manifest, field, values in installed(state):
        for demand in DEMANDS.get(field, ()):
            right, without = _of(demand.right, platform), _of(demand.without, platform)
            where = tuple(demand.path.split("."))
            found = dig(values, *where)
            given = without if found is None else found
            if not _suits(given, right):
                shown = f"at least {right.number}" if isinstance(right, Least) else repr(right)
                message = f"{demand.path} is {given!r}: {demand.why}"
                yield breach(manifest, "SUP-07", (*VALUES, *where), message, f"{demand.path}: {shown}", tenant="")
        for name in _RENAMED:
            if values.get(name):
                message = f"{name} changes names and labels by which network policies and policies know it"
                yield breach(manifest, "SUP-07", (*VALUES, name), message, "remove it", tenant="")


def installed(state: State) -> Iterator[tuple[Manifest, str, Value]]:
    """Applications of components with the field and the values of each."""
    space = state.promises.platform.namespaces.argocd
    for name, part in managed(state).items():
        manifest = state.get("argoproj.io", "Application", space, name)
        if manifest is not None:
            yield manifest, part.component.field, mapping(dig(manifest.value, *VALUES))


def _of(value: Any, platform: Platform) -> Any:
    return value(platform) if callable(value) else value


def _suits(given: object, right: object) -> bool:
    if isinstance(right, Least):
        return isinstance(given, int) and not isinstance(given, bool) and given >= right.number
    return type(given) is type(right) and given == right
