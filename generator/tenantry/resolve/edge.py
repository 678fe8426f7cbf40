"""At which entry points a tier's hosts are reached, and what Traefik calls the routers that it makes of their routes."""

from __future__ import annotations

from tenantry.model.cluster import Cluster
from tenantry.model.tier import Tier


def entry_points(tier: Tier, cluster: Cluster) -> list[str]:
    """Names of Traefik's entry points."""
    private = cluster.traefik.private_entry_point
    return [cluster.traefik.public_entry_point, *([private] if tier.edge.private_entry_point and private else [])]


def routers(namespace: str, route: str, tier: Tier, cluster: Cluster) -> str:
    """A regular expression that matches the routers of an instance's IngressRoutes of this name, and no other instance's.

    Traefik calls them NAMESPACE_NAME_INDEX with `safeNaming`, and puts the entry point before it where there are several
    (pkg/server/aggregator.go).
    """
    points = entry_points(tier, cluster)
    before = f"({'|'.join(points)})-" if len(points) > 1 else ""
    return f"{before}{namespace}_{route}(-[0-9]+)?_[0-9]+@kubernetescrd"
