"""Charts of platform components have what their values need."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.model.cluster import Cluster
from tenantry.model.platform_components import managed_components
from tenantry.plan.scope import Scope


def complete(scope: Scope) -> Iterator[Finding]:
    """F043: what a managed chart lacks."""
    platform = scope.fleet.platform
    parts = managed_components(platform)
    for part in parts.values():
        key = part.component.key
        place = scope.fleet.place(platform, "charts", key)
        if not part.version:
            message = f"Argo CD installs {part.component.chart}, and components.{key} doesn't say which version runs"
            yield Finding("F043", place, message, f"add components.{key}, or set managed: false", control="SUP-07")
        elif part.component.numbered:
            wanted = part.component.numbered.format(part.version)
            if part.source.version != wanted:
                message = f"the chart {part.component.chart} {part.source.version} installs another version than components.{key}, {part.version}"
                yield Finding("F043", place, message, f"version: {wanted}", control="SUP-07")
    if "velero" in parts and not platform.images.velero_aws:
        place = scope.fleet.place(platform, "charts", "velero")
        message = "Argo CD installs velero, and images.veleroAws, its plugin for the buckets, is missing"
        yield Finding("F043", place, message, "name the plugin's image by digest", control="SUP-07")
    if "traefik" in parts and not platform.images.traefik:
        for cluster in scope.fleet.all(Cluster).values():
            if cluster.traefik.firewall_module:
                place = scope.fleet.place(cluster, "traefik", "firewallModule")
                message = "Argo CD installs upstream's Traefik, which doesn't hold this plugin"
                yield Finding("F043", place, message, "name the image that does in images.traefik", control="SUP-07")
