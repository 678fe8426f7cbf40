"""EDGE-02: routes refer to middlewares, services and TLS options of their own namespace."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Value, dig, entries, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.edge.routes import SERVICES
from tenantry.prove.registration import proof

_STRANGE_KINDS = (
    ("traefik.io", "IngressRouteTCP"), ("traefik.io", "IngressRouteUDP"), ("traefik.io", "TraefikService"),
    ("traefik.io", "ServersTransport"), ("traefik.io", "ServersTransportTCP"), ("networking.k8s.io", "Ingress"),
    ("gateway.networking.k8s.io", "HTTPRoute"), ("gateway.networking.k8s.io", "TCPRoute"), ("gateway.networking.k8s.io", "Gateway"),
)  # fmt: skip


@proof("EDGE-02")
def references(state: State) -> Iterator[Breach]:
    """EDGE-02: routes refer to their own namespace."""
    for group, kind in _STRANGE_KINDS:
        for manifest in state.of(group, kind):
            if state.home(manifest):
                message = f"a {kind} opens or changes a route in a way that no proof reads"
                yield breach(manifest, "EDGE-02", ("kind",), message, "use an IngressRoute")
    for manifest in state.of("traefik.io", "IngressRoute"):
        yield from _references_of(manifest)
    for manifest in state.of("traefik.io", "Middleware"):
        if state.home(manifest) and "chain" in manifest.spec:
            for index, middleware in entries(mapping(manifest.spec["chain"]).get("middlewares")):
                yield from _reference(manifest, ("spec", "chain", "middlewares", index), middleware, "middleware")


def _references_of(manifest: Manifest) -> Iterator[Breach]:
    for number, route in entries(manifest.spec.get("routes")):
        base: Path = ("spec", "routes", number)
        for index, middleware in entries(route.get("middlewares")):
            yield from _reference(manifest, (*base, "middlewares", index), middleware, "middleware")
        for index, service in entries(route.get("services")):
            yield from _service(manifest, (*base, "services", index), service)
    options = mapping(dig(manifest.spec, "tls", "options"))
    yield from _reference(manifest, ("spec", "tls", "options"), options, "TLS option")


def _reference(manifest: Manifest, path: Path, reference: Value, what: str) -> Iterator[Breach]:
    name, namespace = text(reference.get("name")), reference.get("namespace")
    if "@" in name:
        yield breach(
            manifest,
            "EDGE-02",
            (*path, "name"),
            f"the {what} '{name}' belongs to another provider",
            "use one of the own namespace",
        )
    elif namespace and namespace != manifest.identity.namespace:
        yield breach(
            manifest,
            "EDGE-02",
            (*path, "namespace"),
            f"the {what} '{name}' is in namespace '{namespace}'",
            "use one of the own namespace",
        )


def _service(manifest: Manifest, path: Path, service: Value) -> Iterator[Breach]:
    yield from _reference(manifest, path, service, "service")
    if service.get("kind", "Service") != "Service":
        yield breach(
            manifest,
            "EDGE-02",
            (*path, "kind"),
            f"leads to a {service.get('kind')}, which no proof reads",
            "use a Service",
        )
    elif (
        text(service.get("name")) not in SERVICES
        and "@" not in text(service.get("name"))
        and not service.get("namespace")
    ):
        message = f"leads to the Service '{service.get('name')}', which is not meant for the edge"
        yield breach(manifest, "EDGE-02", (*path, "name"), message, f"services of the edge: {', '.join(SERVICES)}")
    elif service.get("port") not in SERVICES.get(text(service.get("name")), (service.get("port"),)):
        message = f"leads to port {service.get('port')} of '{service.get('name')}'"
        yield breach(
            manifest, "EDGE-02", (*path, "port"), message, f"its port is {SERVICES[text(service.get('name'))][0]}"
        )
