"""No two instances share a host."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.plan.scope import Scope
from tenantry.resolve.instance import Instance


def unique(scope: Scope) -> Iterator[Finding]:
    """F001: each host belongs to one instance. Both lines are named: which of them came later, the files do not say."""
    owners: dict[str, tuple[Instance, tuple[str | int, ...]]] = {}
    for instance in scope.instances.values():
        for host, path in _hosts(instance):
            first = owners.setdefault(host, (instance, path))
            if first[1] == path and first[0] is instance:
                continue
            for (one, at), (other, there) in (((instance, path), first), (first, (instance, path))):
                place = scope.fleet.place(other.tenant, *there)
                message = f"host '{host}' is taken by {other.name} ({place})"
                yield scope.at(one.tenant, at, "F001", message, "a host routes to one instance; choose another")


def _hosts(instance: Instance) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    environment = ("environments", instance.environment)
    written = instance.tenant.environments[instance.environment].hosts
    for index, host in enumerate(instance.hosts):
        yield host, (*environment, "hosts", index) if written else environment
    if instance.tenant.access.api_clients:
        yield instance.api_host, (*environment, "api")


def outside_of_platform_domain(scope: Scope) -> Iterator[Finding]:
    """Hosts below the platform's domain are derived and can't be configured, so that nobody can take another's."""
    domain = scope.fleet.platform.domain
    for instance in scope.instances.values():
        own = {instance.names.host(domain)}
        for index, host in enumerate(instance.tenant.environments[instance.environment].hosts):
            if (host == domain or host.endswith(f".{domain}")) and host not in own:
                path = ("environments", instance.environment, "hosts", index)
                message = f"host '{host}' is below the platform's domain, where hosts are derived"
                hint = f"omit 'hosts' to get {instance.names.host(domain)}, or use a host in the customer's domain"
                yield scope.at(instance.tenant, path, "F002", message, hint)
