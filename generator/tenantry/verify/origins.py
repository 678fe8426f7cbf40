"""What comes into a cluster beside the objects of its tree: by charts that the tree names, and by other controllers."""

from __future__ import annotations

from tenantry.core.manifest import Manifest, items, mapping, text
from tenantry.verify import registration
from tenantry.verify.index import Index, chart_into

_WITHOUT_PODS = frozenset(
    [
        "argoproj.io",
        "barmancloud.cnpg.io",
        "bitnami.com",
        "cert-manager.io",
        "external-secrets.io",
        "gateway.networking.k8s.io",
        "generators.external-secrets.io",
        "keda.sh",
        "kyverno.io",
        "monitoring.coreos.com",
        "policies.kyverno.io",
        "postgresql.cnpg.io",
        "snapshot.storage.k8s.io",
        "traefik.io",
        "velero.io",
    ]
)
"""Groups whose kinds make no Pods in the namespace of their objects, or only those that are registered."""
_MAKERS = frozenset({("argoproj.io", "Rollout"), ("argoproj.io", "Workflow"), ("keda.sh", "ScaledJob")})


def maker_of_pods(index: Index, namespace: str) -> str:
    """What may make Pods in a namespace whose labels can't be known; empty for nothing."""
    for manifest in index.custom.get(namespace, ()):
        group = manifest.identity.group
        if manifest.kind in _MAKERS or (group not in _WITHOUT_PODS and manifest.kind not in registration.POD_MAKERS):
            return str(manifest.identity)
    return next((str(m.identity) for m in index.installations if chart_into(m) == namespace), "")


def maker_of_namespace(index: Index, namespace: str) -> str:
    """What may make a namespace that the tree lacks: a chart that is installed there, or Argo CD by CreateNamespace."""
    return next((str(m.identity) for m in index.installations if namespace in (chart_into(m), _created(m))), "")


def _created(manifest: Manifest) -> str:
    options = items(mapping(manifest.spec.get("syncPolicy")).get("syncOptions"))
    wanted = text(mapping(manifest.spec.get("destination")).get("namespace"))
    return wanted if "CreateNamespace=true" in options else ""
