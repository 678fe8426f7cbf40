"""A firewall is promised only where the edge has one."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.tier import Tier
from tenantry.plan.scope import Scope


def there(scope: Scope) -> Iterator[Finding]:
    """F033: cells of tiers with a firewall lie on clusters whose edge holds its plugin."""
    for cell in scope.fleet.all(Cell).values():
        cluster, tier = scope.fleet.find(Cluster, cell.cluster), scope.fleet.find(Tier, cell.tier)
        if cluster is None or tier is None or cluster.traefik.firewall_module:
            continue
        mode = tier.edge.web_application_firewall
        if mode != "off":
            message = f"tier '{tier.name}' promises a firewall ({mode}), which the edge of cluster '{cluster.name}' doesn't have"
            hint = (
                "build the plugin into the edge's image, try it, and name it in traefik.firewallModule of the cluster"
            )
            yield Finding("F033", scope.fleet.place(cell, "cluster"), message, hint, control="EDGE-04")
