"""Address ranges: clusters apart from each other, integrations apart from clusters."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.model.cluster import Cluster
from tenantry.model.tenant import Tenant
from tenantry.plan.scope import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FORBIDDEN = tuple(
    ipaddress.ip_network(cidr)
    for cidr in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "::1/128",
        "fe80::/10",
        "fd00:ec2::254/128",
        "ff00::/8",
    )
)
"""Loopback, link-local (cloud metadata, node-local DNS) and multicast."""
WIDEST = {4: 16, 6: 48}
"""Shortest prefix of an integration's range: a larger one is no declared system any more."""


def _ranges(cluster: Cluster) -> Iterator[tuple[str, int, Network]]:
    for kind, key in (("pods", "pods"), ("services", "services"), ("nodes", "nodes"), ("api_server", "apiServer")):
        for index, cidr in enumerate(getattr(cluster.networks, kind)):
            yield key, index, ipaddress.ip_network(cidr)


def _meet(first: Network, second: Network) -> bool:
    return first.version == second.version and first.overlaps(second)


def clusters_apart(scope: Scope) -> Iterator[Finding]:
    seen: list[tuple[Cluster, str, Network]] = []
    for cluster in scope.fleet.all(Cluster).values():
        for key, index, network in _ranges(cluster):
            other = next(((c, k, n) for c, k, n in seen if _meet(n, network)), None)
            if other is not None:
                place = scope.fleet.place(cluster, "networks", key, index)
                message = f"{network} overlaps with {other[2]}, the {other[1]} of cluster '{other[0].name}'"
                yield Finding("F016", place, message, "ranges of all clusters differ, so that they can be peered")
            seen.append((cluster, key, network))


def integrations(scope: Scope) -> Iterator[Finding]:
    own = [
        (cluster, key, network) for cluster in scope.fleet.all(Cluster).values() for key, _, network in _ranges(cluster)
    ]
    for tenant in scope.fleet.all(Tenant).values():
        names: set[str] = set()
        for index, integration in enumerate(tenant.integrations):
            if integration.name in names:
                path: tuple[str | int, ...] = ("integrations", index, "name")
                yield scope.at(
                    tenant, path, "F017", f"two integrations are called '{integration.name}'", "name each once"
                )
            names.add(integration.name)
            for number, cidr in enumerate(integration.cidrs):
                path = ("integrations", index, "cidrs", number)
                yield from _integration(scope, tenant, path, ipaddress.ip_network(cidr), own)
        yield from _private(scope, tenant)


def _integration(
    scope: Scope, tenant: Tenant, path: tuple[str | int, ...], network: Network, own: list[tuple[Cluster, str, Network]]
) -> Iterator[Finding]:
    if network.prefixlen < WIDEST[network.version]:
        hint = f"declare the system's own addresses, /{WIDEST[network.version]} or narrower"
        yield scope.at(tenant, path, "F017", f"{network} is too wide for one integration", hint)
        return
    for forbidden in FORBIDDEN:
        if _meet(network, forbidden):
            message = f"{network} lies in {forbidden}, which is loopback, link-local or multicast"
            yield scope.at(tenant, path, "F017", message, "cloud metadata and the node itself are never an integration")
            return
    for cluster, key, other in own:
        if _meet(network, other):
            message = f"{network} overlaps with {other}, the {key} of cluster '{cluster.name}'"
            yield scope.at(
                tenant, path, "F017", message, "an integration is an outside system; it can't open a way into a cluster"
            )
            return


def _private(scope: Scope, tenant: Tenant) -> Iterator[Finding]:
    """Private integrations lie in what the private link of each of the tenant's clusters reaches."""
    sites = [i.site.cluster for i in scope.instances.values() if i.tenant is tenant]
    for index, integration in enumerate(tenant.integrations):
        if not integration.private:
            continue
        for cluster in sites:
            link = cluster.private_connectivity
            reach = [ipaddress.ip_network(cidr) for cidr in (link.cidrs if link else ())]
            for number, cidr in enumerate(integration.cidrs):
                network = ipaddress.ip_network(cidr)
                if not any(network.version == r.version and network.subnet_of(r) for r in reach):  # type: ignore[arg-type]
                    path = ("integrations", index, "cidrs", number)
                    message = f"{network} is not reached by the private link of cluster '{cluster.name}'"
                    yield scope.at(
                        tenant,
                        path,
                        "F018",
                        message,
                        "remove 'private', or add the range to the cluster's privateConnectivity",
                    )
                    return
