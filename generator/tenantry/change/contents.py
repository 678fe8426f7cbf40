"""What matters of an added object, in a line: addresses and ports, hosts, sizes, paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tenantry.change.effects.edge import hosts_of
from tenantry.core.manifest import Manifest, Value, dig, entries, items, mapping, text


def contents(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    """Lines about those objects of which a line says more than their name; sorted."""
    lines = {line for manifest in manifests for line in _OF.get(manifest.kind, _nothing)(manifest)}
    return tuple(sorted(lines))


def _nothing(_: Manifest) -> Iterator[str]:
    return iter(())


def _policy(manifest: Manifest) -> Iterator[str]:
    name = manifest.identity.name
    for way, key in (("from", "ingress"), ("to", "egress")):
        for _, rule in entries(manifest.spec.get(key)):
            blocks = [
                text(dig(peer, "ipBlock", "cidr")) for _, peer in entries(rule.get("to" if key == "egress" else "from"))
            ]
            addresses = ", ".join(block for block in blocks if block)
            if addresses:
                ports = ", ".join(_port(port) for _, port in entries(rule.get("ports"))) or "every port"
                yield f"network {name}: {way} {addresses}, {ports}"


def _port(port: Value) -> str:
    return f"{port.get('port', 'every port')}/{port.get('protocol', 'TCP')}"


def _route(manifest: Manifest) -> Iterator[str]:
    hosts = sorted(hosts_of(manifest))
    if hosts:
        points = ", ".join(map(str, items(manifest.spec.get("entryPoints"))))
        yield f"hosts {', '.join(hosts)} at entry point {points or 'default'}"


def _cluster(manifest: Manifest) -> Iterator[str]:
    spec = manifest.spec
    size, wal = dig(spec, "storage", "size"), dig(spec, "walStorage", "size")
    yield f"PostgreSQL: {spec.get('instances', 1)} instances, {size} of data and {wal} of WAL each"


def _claim(manifest: Manifest) -> Iterator[str]:
    yield f"volume {manifest.identity.name}: {dig(manifest.spec, 'resources', 'requests', 'storage')}"


def _stateful_set(manifest: Manifest) -> Iterator[str]:
    for _, claim in entries(manifest.spec.get("volumeClaimTemplates")):
        size = dig(claim, "spec", "resources", "requests", "storage")
        yield f"volume of {manifest.identity.name}: {size}, for each of {manifest.spec.get('replicas', 1)} Pods"


def _deployment(manifest: Manifest) -> Iterator[str]:
    containers = entries(dig(manifest.spec, "template", "spec", "containers"))
    images = sorted({text(container.get("image")).rpartition("/")[2].partition("@")[0] for _, container in containers})
    yield f"{manifest.identity.name}: {', '.join(images)}"


def _allow_list(manifest: Manifest) -> Iterator[str]:
    sources = [str(source) for source in items(dig(manifest.spec, "ipAllowList", "sourceRange"))]
    if sources:
        yield f"{manifest.identity.name}: only from {', '.join(sources)}"


def _role_binding(manifest: Manifest) -> Iterator[str]:
    subjects = [f"{s.get('kind')} {s.get('name')}" for _, s in entries(manifest.value.get("subjects"))]
    yield f"{mapping(manifest.value.get('roleRef')).get('name')} for {', '.join(subjects)}"


_OF: dict[tuple[str, str], Callable[[Manifest], Iterator[str]]] = {
    ("networking.k8s.io", "NetworkPolicy"): _policy,
    ("traefik.io", "IngressRoute"): _route,
    ("traefik.io", "Middleware"): _allow_list,
    ("postgresql.cnpg.io", "Cluster"): _cluster,
    ("", "PersistentVolumeClaim"): _claim,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "Deployment"): _deployment,
    ("rbac.authorization.k8s.io", "RoleBinding"): _role_binding,
}
