"""The size of the service that this machine has: requests, replicas, volumes and PostgreSQL's memory, and nothing else of the rendered objects.

But for one: the public issuer is an authority's in the cluster, since no ACME server is here.
"""

from __future__ import annotations

import copy
from typing import Any

Manifest = dict[str, Any]

REQUESTS = {"cpu": "10m", "memory": "32Mi"}
REPLICAS = 1
VOLUME = "1Gi"
DATABASE = {
    "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
    "storage": {"size": "2Gi"}, "walStorage": {"size": "2Gi"},
}  # fmt: skip
PARAMETERS = {
    "shared_buffers": "128MB", "effective_cache_size": "256MB", "max_connections": "300", "max_wal_size": "512MB",
    "max_slot_wal_keep_size": "512MB",
    # The operator's pg_basebackup waits for a checkpoint at PostgreSQL's own pace: up to nine tenths of this, 270 s by default.
    "checkpoint_timeout": "30s",
}  # fmt: skip


def smaller(manifest: Manifest) -> Manifest:
    """A copy of that size."""
    made = copy.deepcopy(manifest)
    kind, spec = made["kind"], made.get("spec", {})
    if kind == "Deployment" and "replicas" in spec:  # else an autoscaler sets them
        spec["replicas"] = REPLICAS
    if pod := pod_of(made):
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            container["resources"]["requests"] |= REQUESTS
    for claim in spec.get("volumeClaimTemplates", ()) if kind == "StatefulSet" else ():
        claim["spec"]["resources"]["requests"]["storage"] = VOLUME
    if kind == "HorizontalPodAutoscaler":
        spec["minReplicas"] = spec["maxReplicas"] = REPLICAS
    if kind == "Cluster":
        _postgresql(spec)
    if kind == "ClusterIssuer" and "acme" in spec:
        made["spec"] = {"ca": {"secretName": made["metadata"]["name"]}}
    return made


def pod_of(manifest: Manifest) -> dict[str, Any] | None:
    """What a workload makes its Pods of."""
    spec = manifest.get("spec", {})
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if manifest["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
        return dict(spec["template"]["spec"])
    return None


def _postgresql(spec: dict[str, Any]) -> None:
    for part in ("storage", "walStorage"):
        spec[part] |= DATABASE[part]
    spec["resources"]["requests"] |= DATABASE["resources"]["requests"]
    spec["resources"]["limits"] |= DATABASE["resources"]["limits"]
    spec["postgresql"]["parameters"] |= PARAMETERS
