"""Address ranges: clusters don't overlap, external ranges don't overlap clusters, and nothing is too wide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.core import addresses
from tenantry.core.addresses import ADMINISTRATORS, Range
from tenantry.core.findings import Finding
from tenantry.model.cluster import Cluster
from tenantry.model.tenant import Tenant
from tenantry.plan.scope import Scope

FORBIDDEN = addresses.ranges((
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4",
    "::/127", "fe80::/10", "fd00:ec2::254/128", "ff00::/8",
))  # fmt: skip
"""Loopback, link-local (cloud metadata, node-local DNS) and multicast."""
WIDEST: Mapping[int, int] = {4: 16, 6: 48}
"""Shortest prefix of an integration's range, and of all of them together: a wider one is not a specific system."""
WIDEST_OUTSIDE: Mapping[int, int] = {4: 8, 6: 32}
"""The same for object storage and private links, which may be the whole network of a provider or a company."""

_Path = tuple[str | int, ...]
_Own = list[tuple[Cluster, str, Range]]


def _ranges(cluster: Cluster) -> Iterator[tuple[str, int, Range]]:
    for kind, key in (("pods", "pods"), ("services", "services"), ("nodes", "nodes"), ("api_server", "apiServer")):
        for index, network in enumerate(addresses.ranges(getattr(cluster.networks, kind))):
            yield key, index, network


def clusters_apart(scope: Scope) -> Iterator[Finding]:
    """F016: no two clusters share an address, and no two ranges of one cluster."""
    seen: _Own = []
    for cluster in scope.fleet.all(Cluster).values():
        for key, index, network in _ranges(cluster):
            other = next(((c, k, n) for c, k, n in seen if n.meets(network)), None)
            if other is not None:
                place = scope.fleet.place(cluster, "networks", key, index)
                message = f"{network} overlaps with {other[2]}, the {other[1]} of cluster '{other[0].name}'"
                yield Finding("F016", place, message, "ranges of clusters must not overlap, so that they can be peered")
            seen.append((cluster, key, network))


def outside(scope: Scope) -> Iterator[Finding]:
    """Ranges that clusters and tenants declare as external: they must be external, and narrow enough to be intentional."""
    own = [
        (cluster, key, network) for cluster in scope.fleet.all(Cluster).values() for key, _, network in _ranges(cluster)
    ]
    for cluster in scope.fleet.all(Cluster).values():
        link = cluster.private_connectivity
        for key, cidrs in (
            ("objectStorage", cluster.object_storage.cidrs), ("privateConnectivity", link.cidrs if link else ()),
        ):  # fmt: skip
            for path, message, hint in _faults((key, "cidrs"), cidrs, WIDEST_OUTSIDE, own):
                yield Finding("F017", scope.fleet.place(cluster, *path), message, hint)
        # A balancer may stand among the nodes; a Pod that is believed could take any client's address.
        pods = [(other, key, network) for other, key, network in own if key != "nodes"]
        for path, message, hint in _faults(("traefik", "balancerCidrs"), cluster.traefik.balancer_cidrs, WIDEST, pods):
            yield Finding("F017", scope.fleet.place(cluster, *path), message, hint)
    for path, message, hint in _faults(("secretStore", "cidrs"), scope.fleet.platform.secret_store.cidrs, WIDEST, own):
        yield Finding("F017", scope.fleet.place(scope.fleet.platform, *path), message, hint)
    for tenant in scope.fleet.all(Tenant).values():
        for path, message, hint in _tenant(tenant, own):
            yield scope.at(tenant, path, "F017", message, hint)
        yield from _private(scope, tenant)


def _tenant(tenant: Tenant, own: _Own) -> Iterator[tuple[_Path, str, str]]:
    names: set[str] = set()
    for index, integration in enumerate(tenant.integrations):
        if integration.name in names:
            yield (
                ("integrations", index, "name"),
                f"two integrations are named '{integration.name}'",
                "give each a unique name",
            )
        names.add(integration.name)
        yield from _faults(("integrations", index, "cidrs"), integration.cidrs, WIDEST, own)
    yield from _faults(("access", "adminSources"), tenant.access.admin_sources, ADMINISTRATORS, own)


_WIDE = {
    "integrations": ("for one integration", "declare the system's own addresses: at most {} in all"),
    "traefik": ("for a load balancer", "declare its own addresses: at most {} in all"),
    "secretStore": ("for the secret store", "declare its own addresses: at most {} in all"),
    "access": ("for administrators", "name offices and VPN gateways: at most {} in all"),
    "objectStorage": ("for object storage", "declare the endpoint's own addresses: at most {} in all"),
    "privateConnectivity": ("for a private link", "declare the customer's own addresses: at most {} in all"),
}


def _faults(
    path: _Path, cidrs: tuple[str, ...], widest: Mapping[int, int], own: _Own
) -> Iterator[tuple[_Path, str, str]]:
    """(path, message, hint) of each range that is too wide or not external, and of all if they are too wide together."""
    what, way_out = _WIDE[str(path[0])]
    hint = way_out.format(addresses.shown(widest))
    rest: dict[int, Range] = {}
    for number, network in enumerate(addresses.ranges(cidrs)):
        if addresses.wider_than((network,), widest):
            yield (*path, number), f"{network} is too wide {what}", hint
            continue
        rest[number] = network
        for message, instead in _inside(network, own):
            yield (*path, number), message, instead
    for version in sorted(addresses.wider_than(rest.values(), widest)):
        number, widest_there = min(rest.items(), key=lambda pair: (pair[1].version != version, pair[1].prefix))
        yield (*path, number), f"{widest_there} and the other ranges here together are too wide {what}", hint


def _inside(network: Range, own: _Own) -> Iterator[tuple[str, str]]:
    """The first reason why a range is not external."""
    for forbidden in FORBIDDEN:
        if network.reaches(forbidden):
            word = "is in" if forbidden.holds(network) else "reaches"
            message = f"{network} {word} {forbidden}, which is loopback, link-local or multicast"
            yield message, "cloud metadata and the node itself are not external systems"
            return
    for cluster, key, other in own:
        if network.reaches(other):
            message = f"{network} overlaps with {other}, the {key} of cluster '{cluster.name}'"
            yield message, "only external systems are declared here; none may allow access to a cluster"
            return


def _private(scope: Scope, tenant: Tenant) -> Iterator[Finding]:
    """Private integrations are within reach of the private link of each of the tenant's clusters, DR sites included."""
    if not any(integration.private for integration in tenant.integrations):
        return
    mine = [i for i in scope.instances.values() if i.tenant is tenant]
    sites = [site.cluster for i in mine for site in (i.site, i.standby) if site is not None]
    for index, integration in enumerate(tenant.integrations):
        if not integration.private:
            continue
        for cluster in sites:
            link = cluster.private_connectivity
            reach = addresses.ranges(link.cidrs if link else ())
            for number, network in enumerate(addresses.ranges(integration.cidrs)):
                if not any(reached.holds(network) for reached in reach):
                    path = ("integrations", index, "cidrs", number)
                    message = f"{network} is not reached by the private link of cluster '{cluster.name}'"
                    hint = "remove 'private', or add the range to the cluster's privateConnectivity"
                    yield scope.at(tenant, path, "F018", message, hint)
                    return
