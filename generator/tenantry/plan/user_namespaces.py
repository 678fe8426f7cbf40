"""Clusters have the user namespaces that their tiers require."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.tier import Tier
from tenantry.plan.components import version
from tenantry.plan.scope import Scope

SINCE = (1, 33)
"""On by default since; stable since 1.36 (kubernetes.io/docs/concepts/workloads/pods/user-namespaces)."""


def there(scope: Scope) -> Iterator[Finding]:
    """F032: declared where Kubernetes has them, and there where a cell's tier requires them."""
    clusters = scope.fleet.all(Cluster)
    for cluster in clusters.values():
        if cluster.user_namespaces and version(cluster.kubernetes_version) < SINCE:
            message = f"Kubernetes {cluster.kubernetes_version} doesn't have user namespaces switched on"
            place = scope.fleet.place(cluster, "userNamespaces")
            yield Finding("F032", place, message, "they are on by default since 1.33", control="RUN-09")
    for cell in scope.fleet.all(Cell).values():
        needed, tier = clusters.get(cell.cluster), scope.fleet.find(Tier, cell.tier)
        if needed is None or tier is None or needed.user_namespaces:
            continue
        if tier.isolation.user_namespaces == "required":
            message = f"tier '{tier.name}' requires user namespaces, which cluster '{needed.name}' doesn't have"
            hint = "use another cluster, or set userNamespaces: true in the cluster's file when its nodes have them"
            yield Finding("F032", scope.fleet.place(cell, "cluster"), message, hint, control="RUN-09")
