"""EDGE-01, second part: what a running instance is promised is served by its own Service; EDGE-05: who comes without TLS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.core.manifest import Path, entries, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.edge.routes import SERVICES, Route, entry_points, read
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.resolve.instance import Instance, numbered

_PAGES = ("/", "/web/login", "/web/webclient/version_info")
_SOCKET, _ADMINISTRATION = "/websocket", "/web/become"
_INTERFACES = ("/jsonrpc", "/xmlrpc/2/object")
PATHS = (*_PAGES, _SOCKET, _ADMINISTRATION, *_INTERFACES)
"""Paths that are looked at, each standing for what people or programs need."""


@proof("EDGE-01", "EDGE-05")
def served(state: State) -> Iterator[Breach]:
    """Each host serves pages, sign-in, bus, administration and API where they are promised."""
    routes, _ = read(state)
    by_host: dict[tuple[str, str], list[Route]] = {}
    for route in routes:
        for host in route.hosts or ():
            by_host.setdefault((route.manifest.identity.namespace, host), []).append(route)
    for home in state.homes_at("instance"):
        instance = home.instance
        if instance is None or not instance.running:
            continue
        for host, path, port, name in _promised(instance):
            own = by_host.get((home.namespace, host), [])
            for point in sorted(entry_points(home) - {"web"}):
                taking = _taking(state, own, path, point)
                if not taking or not _leads(taking[0], port):
                    meant = [route for route in taking if route.manifest.identity.name == name]
                    blamed = taking[0] if meant else None
                    yield _missed(state, home, blamed, f"https://{host}{path}", point, port, name)
                    break
        yield from _redirected(state, home, instance, by_host)


def _redirected(
    state: State, home: Home, instance: Instance, by_host: Mapping[tuple[str, str], list[Route]]
) -> Iterator[Breach]:
    """EDGE-05: who types a host without https is sent there; what such a route answers is proved with the others."""
    for host in instance.hosts:
        if not _taking(state, by_host.get((home.namespace, host), []), "/", "web"):
            message = f"http://{host} is answered by nobody, so who leaves out https finds no page"
            hint = "IngressRoute 'odoo-redirect' should take it"
            found = state.get("traefik.io", "IngressRoute", home.namespace, "odoo-redirect")
            manifest, path = (found, ("spec",)) if found else (state.anchor(home), ("metadata", "name"))
            yield breach(manifest, "EDGE-05", path, message, hint, tenant=home.tenant)


def _promised(instance: Instance) -> Iterator[tuple[str, str, str, str]]:
    """(host, path, port of the Service, IngressRoute that should lead there)."""
    for index, host in enumerate(instance.hosts):
        for path in _PAGES:
            yield host, path, "http", f"odoo-public{numbered(index)}"
        yield host, _SOCKET, "websocket", "odoo-websocket"
        if instance.tenant.access.admin_sources:
            yield host, _ADMINISTRATION, "http", "odoo-admin"
    if instance.tenant.access.api_clients:
        for path in _INTERFACES:
            yield instance.api_host, path, "http", "odoo-api"


def _taking(state: State, routes: list[Route], path: str, point: str) -> list[Route]:
    """The rules that take a path at an entry point, the winner first."""
    matches = state.readings.paths.matches
    taking = [
        route for route in routes
        if (point in route.entry_points or not route.entry_points)
        and all(matches[pattern, path] == wanted for pattern, wanted in route.patterns)
    ]  # fmt: skip
    return sorted(taking, key=lambda route: -route.priority)


def _leads(route: Route, port: str) -> bool:
    """Whether a rule has the Service's right port; Services that are not the instance's are reported as references."""
    services = [service for _, service in entries(route.value.get("services"))]
    own = [service for service in services if text(service.get("name")) in SERVICES]
    return bool(services) and all(service.get("port") in (port, dict(SERVICES.values())[port]) for service in own)


def _missed(
    state: State, home: Home, blamed: Route | None, address: str, point: str, port: str, name: str
) -> Breach:  # fmt: skip
    """Reported at the rule that matches the path instead, else at the IngressRoute that should."""
    message = f"{address} is not routed to the port '{port}' of the instance's Service at the entry point '{point}'"
    path: Path = ("spec", "routes")
    if blamed is not None:
        manifest, path = blamed.manifest, blamed.path
    else:
        found = state.get("traefik.io", "IngressRoute", home.namespace, name)
        manifest, path = (found, path) if found else (state.anchor(home), ("metadata", "name"))
    return breach(manifest, "EDGE-01", path, message, f"IngressRoute '{name}' should take it", tenant=home.tenant)
