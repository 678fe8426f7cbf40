"""Ports and namespaces that NetworkPolicies name but nobody has, and routes that a policy cuts off.

A policy counts after a Service's address is replaced by a Pod's, so it names the Pod's port (docs/concepts/services-networking).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, mapping, text
from tenantry.verify.index import Index
from tenantry.verify.kubernetes.isolation import OTHER_KINDS, isolating
from tenantry.verify.kubernetes.workloads import selects
from tenantry.verify.registration import MadePods, references_of
from tenantry.verify.selection import selected

_NAME = "kubernetes.io/metadata.name"


@references_of("networking.k8s.io", "NetworkPolicy")
def allowed_ports(manifest: Manifest, index: Index) -> Iterator[Problem]:
    pods = selected(index, manifest.identity.namespace, mapping(manifest.spec.get("podSelector")))
    theirs = {port for one in pods for port in one.ports}
    if not theirs:
        return
    for number, rule in entries(manifest.spec.get("ingress")):
        for place, port in entries(rule.get("ports")):
            wanted, path = port.get("port"), ("spec", "ingress", number, "ports", place, "port")
            if not isinstance(wanted, (int, str)) or wanted in theirs or port.get("endPort"):
                continue
            known = f"they have {', '.join(map(str, sorted(theirs, key=str)))}"
            if isinstance(wanted, str):
                yield Problem("V062", path, f"no selected Pod has a port '{wanted}', so the rule allows nothing", known)
            elif (service := _service_of(index, manifest, pods, wanted)) is not None:
                message = f"{wanted} is the port of {service.identity}, but policies see the Pod's port, so the rule allows nothing"
                yield Problem("V055", path, message, known, "warning")


def _service_of(index: Index, manifest: Manifest, pods: Sequence[MadePods], number: int) -> Manifest | None:
    """A Service before the Pods with the port, and another one behind it."""
    for service in index.of("", "Service"):
        selector = mapping(service.spec.get("selector"))
        if service.identity.namespace != manifest.identity.namespace or not selector:
            continue
        if any(selects({"matchLabels": selector}, one.labels) for one in pods):
            for _, port in entries(service.spec.get("ports")):
                if port.get("port") == number and port.get("targetPort", number) != number:
                    return service
    return None


@references_of("networking.k8s.io", "NetworkPolicy")
def labelled_namespaces(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A label that was meant as the name of a namespace, and that the namespace does not have."""
    namespaces = index.of("", "Namespace")
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for number, rule in entries(manifest.spec.get(direction)):
            for place, peer in entries(rule.get(side)):
                wanted = mapping(mapping(peer.get("namespaceSelector")).get("matchLabels"))
                for key, value in wanted.items():
                    if key == _NAME or key.lower() not in ("name", "namespace"):
                        continue
                    meant = index.get("", "Namespace", "", text(value))
                    taken = any(space.labels.get(key) == value for space in namespaces)
                    if meant is not None and not taken:
                        path: Path = ("spec", direction, number, side, place, "namespaceSelector", "matchLabels", key)
                        message = f"the Namespace '{value}' has no label '{key}', so the rule allows nothing from there"
                        yield Problem("V063", path, message, f"write {_NAME}: {value}")


_CONTROLLERS = ("haproxy", "ingress", "nginx", "traefik")
"""Parts of the names by which people label a controller of routes."""


@references_of("networking.k8s.io", "Ingress")
@references_of("traefik.io", "IngressRoute")
def routed(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Pods that a route leads to, but that no policy lets the controller reach from its namespace."""
    if index.partial or any(index.of(*kind) for kind in OTHER_KINDS):
        return
    own = manifest.identity.namespace
    for path, name, space in _backends(manifest):
        service = index.get("", "Service", space or own, name)
        selector = mapping(service.spec.get("selector")) if service is not None else {}
        if not selector:
            continue
        for pods in selected(index, space or own, {"matchLabels": selector})[:1]:
            policies = isolating(index, pods, "Ingress")
            rules = [rule for policy in policies for _, rule in entries(policy.spec.get("ingress"))]
            inside = [one for one in index.pods.get(space or own, ()) if _controls(one)]
            if policies and not any(lets_in(rule, inside) for rule in rules):
                names = ", ".join(sorted(policy.identity.name for policy in policies))
                message = f"the Pods behind the Service '{name}' take nothing from other namespaces (NetworkPolicy {names}), so nobody gets there by this route"
                yield Problem("V055", path, message, "allow the controller's namespace to reach their port", "warning")


def _controls(pods: MadePods) -> bool:
    return any(part in str(value) for value in pods.labels.values() for part in _CONTROLLERS)


def lets_in(rule: Value, controllers: Sequence[MadePods]) -> bool:
    """Whether a rule takes anybody from another namespace, or a controller of the own one."""
    peers = [peer for _, peer in entries(rule.get("from"))]
    return not peers or any(
        {"namespaceSelector", "ipBlock"} & peer.keys()
        or any(selects(mapping(peer.get("podSelector")), one.labels) for one in controllers)
        for peer in peers
    )


def _backends(manifest: Manifest) -> Iterator[tuple[Path, str, str]]:
    """(path, Service, namespace) of what a route leads to."""
    if manifest.identity.kind == "IngressRoute":
        for number, route in entries(manifest.spec.get("routes")):
            for place, service in entries(route.get("services")):
                if service.get("kind", "Service") == "Service":
                    yield (
                        ("spec", "routes", number, "services", place),
                        text(service.get("name")),
                        text(service.get("namespace")),
                    )
        return
    for number, rule in entries(manifest.spec.get("rules")):
        for place, path in entries(mapping(rule.get("http")).get("paths")):
            name = text(mapping(mapping(path.get("backend")).get("service")).get("name"))
            yield ("spec", "rules", number, "http", "paths", place, "backend"), name, ""
