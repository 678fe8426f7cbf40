"""EDGE-03 and EDGE-04: what guards each class of paths of each host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from tenantry.core import addresses
from tenantry.core.manifest import Manifest, Path, dig, entries, items, mapping, text
from tenantry.engine.languages import Refusal
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.edge.middlewares import is_crowd, numbers, only_from
from tenantry.prove.edge.routes import (
    PathWay,
    Route,
    by_host,
    entry_points,
    expressions,
    hosts_of,
    meetings,
    middlewares_of,
    read,
    ways,
)
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.resolve.instance import Instance
from tenantry.resolve.sizing import websockets_in_flight


@proof("EDGE-01", "EDGE-03", "EDGE-04", "EDGE-05")
def guards(state: State) -> Iterator[Breach]:
    """EDGE-03 and EDGE-04: what guards each class of paths of each host."""
    routes, _ = read(state)
    with_routes = {route.manifest.identity.namespace for route in routes}
    for home in state.homes_at("instance"):
        instance = home.instance
        assert instance is not None
        told: set[tuple[int, Path, str]] = set()
        for manifest, problem in (*_strange_points(state, home), *_guards_of(state, home, instance)):
            key = (id(manifest), problem.path, problem.message.partition(":")[0])
            if key not in told:
                told.add(key)
                yield manifest, problem
        if home.namespace in with_routes:
            yield from numbers(state, home, instance)


def _strange_points(state: State, home: Home) -> Iterator[Breach]:
    """Rules that serve a host of an instance at entry points that it is not promised."""
    for host in hosts_of(home):
        routes = sorted(by_host(state).get(host, ()), key=lambda r: sorted(r.entry_points))
        for points, group in groupby(routes, key=lambda r: r.entry_points):
            if points and points <= entry_points(home):
                continue
            shown = ", ".join(sorted(points)) or "every default entry point"
            message = f"serves on {shown}; {home} is promised {', '.join(sorted(entry_points(home)))}"
            for route in group:
                path: Path = ("spec", "entryPoints")
                hint = "name the promised entry points"
                yield breach(route.manifest, "EDGE-04", path, message, hint, tenant=home.tenant)


def _guards_of(state: State, home: Home, instance: Instance) -> Iterator[Breach]:
    for host, point, there in meetings(state, home):
        walk = state.readings.paths.walks[expressions(there)]
        if isinstance(walk, Refusal):
            message = f"the paths of host '{host}' can't be walked: {walk}"
            path: Path = ("spec", "routes")
            yield breach(there[0].manifest, "EDGE-03", path, message, "use simpler expressions", tenant=home.tenant)
            continue
        for way in ways(there, walk):
            if point == "web":
                yield from _plain(state, home, host, way)
            else:
                yield from _judge(state, home, instance, host, way)


def _plain(state: State, home: Home, host: str, way: PathWay) -> Iterator[Breach]:
    """Without TLS nothing is answered but a redirection."""
    first = next(iter(middlewares_of(state, way.route)), None)
    scheme = dig(first.spec, "redirectScheme", "scheme") if first else None
    if scheme != "https":
        message = f"http://{host}{way.example} is answered without TLS"
        yield breach(
            way.route.manifest,
            "EDGE-05",
            (*way.route.path, "middlewares"),
            message,
            "let the first middleware redirect to https",
            tenant=home.tenant,
        )


def _judge(state: State, home: Home, instance: Instance, host: str, way: PathWay) -> Iterator[Breach]:
    route = way.route
    if not items(route.value.get("services")):
        return
    where = f"https://{host}{way.example}"

    def fault(control: str, field: str, message: str, hint: str) -> Breach:
        return breach(route.manifest, control, (*route.path, field), f"{message}: {where}", hint, tenant=home.tenant)

    chain = middlewares_of(state, route)
    if "manager" in way.classes:
        yield fault(
            "EDGE-03",
            "match",
            "the database manager, which lists, dumps and drops databases, is reachable",
            "keep its paths out of the rule",
        )
        return
    if "internal" in way.classes:
        yield fault(
            "EDGE-03",
            "match",
            "paths for probes and Prometheus, or that reveal versions, are reachable",
            "keep its paths out of the rule",
        )
        return
    if "api" in way.classes and not _client_certificates(state, route):
        yield fault(
            "EDGE-04",
            "match",
            "the API is reachable without a client certificate",
            "serve it on the API host with the TLS option api-clients",
        )
    if host == instance.api_host and not _client_certificates(state, route):
        yield fault(
            "EDGE-04",
            "match",
            "the host of API clients is reachable without a client certificate",
            "use the TLS option api-clients",
        )
    access = instance.tenant.access
    if "admin" in way.classes and not only_from(chain, access.admin_sources):
        yield fault(
            "EDGE-04",
            "middlewares",
            "administration is reachable from everywhere",
            "use the middleware admin-sources, or no route",
        )
    elif "admin" in way.classes and is_crowd(chain):
        message = f"administration is reachable from more addresses than {addresses.shown(addresses.ADMINISTRATORS)}"
        yield fault("EDGE-04", "middlewares", message, "the tenant's adminSources are too broad")
    elif access.sources and not only_from(chain, access.sources) and "admin" not in way.classes:
        yield fault(
            "EDGE-04", "middlewares", "the tenant's list of sources is bypassed", "use the middleware client-sources"
        )
    yield from _limits(home, way, chain, fault)
    yield from _at_one_time(instance, way, chain, fault)


def _at_one_time(
    instance: Instance, way: PathWay, chain: list[Manifest], fault: Callable[[str, str, str, str], Breach]
) -> Iterator[Breach]:
    """Websockets hold their slots for as long as they live: counted as requests, an office's would leave none for pages."""
    amounts = [
        dig(middleware.spec, "inFlightReq", "amount") for middleware in chain if "inFlightReq" in middleware.spec
    ]
    least = min((amount for amount in amounts if isinstance(amount, int)), default=0)
    most = instance.settings.edge.in_flight
    wanted = websockets_in_flight(instance.tenant.users, most)
    if _is_bus(way) and 0 < least < wanted:
        message = f"an address may hold {least} websockets; its office needs {wanted}"
        yield fault("EDGE-04", "middlewares", message, "use the middleware in-flight-websocket, and not in-flight")
    if not _is_bus(way) and least > most:
        message = f"an address may have {least} requests in flight; {most} are promised"
        yield fault("EDGE-04", "middlewares", message, "use the middleware in-flight")


def _is_bus(way: PathWay) -> bool:
    return all(s.get("name") == "odoo-websocket" for _, s in entries(way.route.value.get("services")))


def _client_certificates(state: State, route: Route) -> bool:
    space = route.manifest.identity.namespace
    name = text(dig(route.manifest.spec, "tls", "options", "name"))
    option = state.get("traefik.io", "TLSOption", space, name)
    client = mapping(option.spec.get("clientAuth")) if option else {}
    return client.get("clientAuthType") == "RequireAndVerifyClientCert" and bool(items(client.get("secretNames")))


def _limits(
    home: Home, way: PathWay, chain: list[Manifest], fault: Callable[[str, str, str, str], Breach]
) -> Iterator[Breach]:
    kinds = {kind for middleware in chain for kind in middleware.spec}
    wanted = {
        "rateLimit": "no limit of requests",
        "inFlightReq": "no limit of requests at one time",
        "headers": "headers are not cleaned",
    }
    if not _is_bus(way):
        wanted["buffering"] = "no limit of the body's size"
        if home.tier.edge.web_application_firewall != "off":
            wanted["plugin"] = "the web application firewall is bypassed"
    for kind, message in wanted.items():
        if kind not in kinds:
            yield fault("EDGE-04", "middlewares", message, f"add the middleware of kind {kind}")
    if "login" in way.classes:
        rates = [mapping(m.spec["rateLimit"]) for m in chain if "rateLimit" in m.spec]
        slow = any(m.identity.name == "login-rate-limit" for m in chain if "rateLimit" in m.spec)
        if not slow or not rates:
            yield fault(
                "EDGE-04",
                "middlewares",
                "passwords can be guessed at the rate of ordinary requests",
                "add the middleware login-rate-limit",
            )
