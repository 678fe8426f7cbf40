"""What of the rendered objects is changed for one small machine, and nothing else: images, sizes, absent operators."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from acceptance.harness import fleet

CLUSTER = "euw1-a"
NAMESPACES = ("euw1-shared-a-cell", "smith-advisory-production", "northwind-partners-production")
"""A shared cell with one of its tenants, and a segmented tenant with servers of its own."""
ABSENT = frozenset({"ExternalSecret", "SecretStore", "PodMonitor", "PrometheusRule", "ObjectStore", "ScheduledBackup",
                    "HorizontalPodAutoscaler", "ScaledObject", "Job", "PriorityClass"})  # fmt: skip
"""Made by operators that are not here, or needing what is not here: a secret store, buckets, metrics, a private image."""
PLATFORM = ("tlsoption", "tlsstore", "configmap", "certificate")
IMAGES = {
    r".*/odoo/odoo:(\d+\.\d+)-.*": r"docker.io/library/odoo:\1",
    r".*/platform/valkey:.*": "docker.io/valkey/valkey:8.1.4",
    r".*/platform/pgbouncer:.*": "docker.io/edoburu/pgbouncer:v1.24.1-p1",
}
POSTGRESQL = "ghcr.io/cloudnative-pg/postgresql:17"
MODULES = "server_wide_modules = base,web"


def objects() -> Iterator[dict[str, Any]]:
    """The chosen tenants' objects and what they need of the platform, Namespaces first."""
    for item in fleet.tree(CLUSTER):
        chosen = item.namespace in NAMESPACES or (item.kind == "Namespace" and item.name in NAMESPACES)
        platform = item.namespace == "traefik" and item.path.name.startswith(PLATFORM)
        if (chosen or platform) and item.kind not in ABSENT and _is_of_chosen(item):
            yield smaller(item.manifest)


def _is_of_chosen(item: fleet.Rendered) -> bool:
    """The shared cell has databases of tenants that are not brought here."""
    return (
        item.kind not in ("Database", "DatabaseRole") or item.namespace != NAMESPACES[0] or item.name == NAMESPACES[1]
    )


def smaller(manifest: dict[str, Any]) -> dict[str, Any]:
    """A copy for a small machine."""
    other = copy.deepcopy(manifest)
    kind, spec = other["kind"], other.get("spec", {})
    if kind == "Certificate":
        spec["issuerRef"] = {"name": "kind", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    if kind in ("Deployment", "StatefulSet"):
        spec["replicas"] = 1
        _pod(spec["template"]["spec"])
        for claim in spec.get("volumeClaimTemplates", ()):
            claim["spec"].update(storageClassName="standard", resources={"requests": {"storage": "1Gi"}})
    if kind == "Cluster":
        _cluster(spec)
    if kind == "ConfigMap":
        _config(other["data"])
    if kind == "Middleware" and "plugin" in spec:
        other["spec"] = {"headers": {"customRequestHeaders": {"X-Firewall-Absent": "kind"}}}
    return other


def _pod(spec: dict[str, Any]) -> None:
    spec.pop("priorityClassName", None)
    spec.pop("imagePullSecrets", None)
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        container["resources"] = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "1Gi"}}
        for pattern, image in IMAGES.items():
            container["image"] = re.sub(f"^{pattern}$", image, container["image"])


def _cluster(spec: dict[str, Any]) -> None:
    for key in ("plugins", "imageCatalogRef", "priorityClassName", "imagePullSecrets"):
        spec.pop(key, None)
    spec.update(
        instances=1,
        imageName=POSTGRESQL,
        resources={"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
    )
    spec["postgresql"].pop("synchronous", None)
    spec["postgresql"]["parameters"].update(
        shared_buffers="128MB", max_connections="200", max_wal_size="512MB", max_slot_wal_keep_size="512MB"
    )
    for volume in ("storage", "walStorage"):
        spec[volume].update(size="1Gi", storageClass="standard")


def _config(data: dict[str, str]) -> None:
    """The public image has none of the release's own modules, and Traefik would have to fetch its plugin."""
    for name, text in data.items():
        text = re.sub(r"^server_wide_modules = .*$", MODULES, text, flags=re.MULTILINE)
        data[name] = re.sub(r"^experimental:\n(?:  .*\n)+", "", text, flags=re.MULTILINE)
