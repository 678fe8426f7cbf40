"""What the templates of platform components see, and in which order Argo CD brings them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tenantry.model.cluster import Cluster
from tenantry.model.platform import Platform
from tenantry.model.platform_components import IN_CLUSTER, Managed, managed_components
from tenantry.model.policy import Policy, read_by_reports
from tenantry.render.registry import Context

PROJECT_WAVE = "-9"
WAVES: Mapping[str, str] = {
    "cert_manager": "-8", "cloudnative_pg": "-8", "barman_cloud_plugin": "-7", "external_secrets": "-7", "kyverno": "-7",
}  # fmt: skip
"""Components that later waves of the platform stand on, which are waited for. The others come last, in wave 3: Traefik after
the configuration that it mounts, and none of them holds up the platform's policies."""
LAST = "3"
HEALTH_PORT = 9100
"""Where Traefik answers probes: its entry point `metrics`."""


def charts_context(platform: Platform, cluster: Cluster, policies: Sequence[Policy]) -> Context:
    """Context of a cluster's platform components."""
    parts = managed_components(platform)
    return {
        "platform": platform, "cluster": cluster, "namespace": platform.namespaces.argocd, "server": IN_CLUSTER,
        "labels": {"app.kubernetes.io/managed-by": "tenantry", "app.kubernetes.io/part-of": "platform"},
        "project_wave": PROJECT_WAVE,
        "parts": parts, "waves": {field: WAVES.get(field, LAST) for field in parts},
        "projects": [(part.component.chart, _project(part)) for part in parts.values()],
        "ports": ports(cluster), "health_port": HEALTH_PORT, "edge_image": edge_image(platform),
        "policy_resources": read_by_reports(policy.spec for policy in policies),
    }  # fmt: skip


def _project(part: Managed) -> Context:
    """What an AppProject's template sees besides. An API server that extends Kubernetes' own binds, in kube-system, the role with
    which it checks its callers."""
    system = part.component.field in ("keda", "metrics_server")
    namespace = [{"group": "", "kind": "Namespace", "name": part.namespace}]
    return {
        "part": part,
        "spaces": sorted({part.namespace, *(["kube-system"] if system else [])}),
        "cluster_kinds": [
            *(namespace if part.namespace != "kube-system" else []),
            *({"group": group, "kind": kind} for group, kind in _CLUSTER_KINDS),
        ],
        "kinds": KINDS,
    }


_CLUSTER_KINDS = (
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"), ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"), ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
)  # fmt: skip
KINDS: Sequence[tuple[str, str]] = (
    ("", "ConfigMap"), ("", "Secret"), ("", "Service"), ("", "ServiceAccount"), ("apps", "DaemonSet"), ("apps", "Deployment"),
    ("batch", "Job"), ("cert-manager.io", "Certificate"), ("cert-manager.io", "Issuer"), ("monitoring.coreos.com", "Alertmanager"),
    ("monitoring.coreos.com", "Prometheus"), ("monitoring.coreos.com", "PrometheusRule"), ("monitoring.coreos.com", "ServiceMonitor"),
    ("policy", "PodDisruptionBudget"), ("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "RoleBinding"),
)  # fmt: skip
"""What the charts make with the values that are rendered here; tried with Helm (decision 34)."""


def ports(cluster: Cluster) -> Mapping[str, Any]:
    """Values `ports` of Traefik's chart: the entry points of the static configuration, and which Service shows them.

    The chart's own `websecure` is shown by none, where the configuration calls it something else.
    """
    edge = cluster.traefik
    found: dict[str, Any] = {"websecure": {"expose": {"default": False}}}
    found["web"] = {"port": 8000, "exposedPort": 80, "expose": {"default": True}}
    found[edge.public_entry_point] = {"port": 8443, "exposedPort": 443, "expose": {"default": True}}
    if edge.private_entry_point:
        found[edge.private_entry_point] = {
            "port": 9443,
            "exposedPort": 443,
            "expose": {"default": False, "private": True},
        }
    found["metrics"] = {"port": HEALTH_PORT, "expose": {"default": False}}
    return found


def edge_image(platform: Platform) -> Mapping[str, str]:
    """Values `image` of Traefik's chart: upstream's at the version, or the platform's own by digest."""
    own = platform.images.traefik
    if not own:
        return {"tag": f"v{platform.components.traefik}"}
    name, _, digest = own.partition("@")
    registry, _, path = name.partition("/")
    return {"registry": registry, "repository": path.partition(":")[0], "digest": digest}
