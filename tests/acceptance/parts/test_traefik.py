"""The real edge over the rendered routes: each host leads to its own Pods, and to nothing that must stay inside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest

from acceptance.harness import fleet
from acceptance.harness.cluster import running, settle
from acceptance.harness.control_plane import ControlPlane, ControlPlanes
from acceptance.harness.edge import REFUSED, Answer, Edge, Pods
from acceptance.harness.process import Processes, wait_for
from acceptance.harness.tally import Tally

CLUSTERS = ("euw1-a", "euw1-globex")
CONNECTIONS = 12
SLOW_CLIENT = 150
"""Pages at once that a client written in Python can be trusted to exceed; larger limits are not tried."""
INSIDE = (
    "/web/database/manager", "/web/database/selector", "/web/database/create", "/web/database/backup", "/xmlrpc/db", "/xmlrpc/2/db",
    "/xmlrpc/common", "/xmlrpc/2/common", "/xmlrpc/2/object", "/jsonrpc", "/json/1/res.partner", "/json/2/res.partner/search",
    "/doc", "/web/become", "/web/set_profiling", "/metrics", "/monitoring/x", "/web/health", "/web/version",
    "/websocket/health", "/website/info",
)  # fmt: skip
"""What Odoo serves and no public host may lead to."""
_INSIDE = re.compile(
    r"(?:/[^/]+)?/(?:web/database|xmlrpc|jsonrpc|json|doc|metrics|monitoring|"
    r"web/(?:become|set_profiling|health|version)|websocket/health|website/info)(?:/|$)"
)


@dataclass(frozen=True)
class Site:
    """One instance's public host."""

    host: str
    tenant: str
    environment: str
    spec: dict[str, Any]

    @property
    def namespace(self) -> str:
        return f"{self.tenant}-{self.environment}"

    @property
    def api_host(self) -> str:
        return f"{self.tenant}.{self.environment}.api.erp.provider.example"

    @property
    def admin_source(self) -> str:
        networks = self.spec.get("access", {}).get("adminSources", ())
        return networks[0].partition("/")[0].rpartition(".")[0] + f".{_last(networks[0]) + 1}" if networks else ""

    @property
    def has_api(self) -> bool:
        return any(client.get("mtls") for client in self.spec.get("access", {}).get("apiClients", ()))


def _last(network: str) -> int:
    return int(network.partition("/")[0].rpartition(".")[2])


def sites(cluster: str) -> list[Site]:
    """From what people wrote: the hosts that each instance is promised."""
    cells = {cell["metadata"]["name"]: cell["spec"]["cluster"] for cell in fleet.inputs("cells")}
    found = []
    for tenant in fleet.inputs("tenants"):
        name, spec = tenant["metadata"]["name"], tenant["spec"]
        for environment, placed in spec["environments"].items():
            if (
                cells[placed["cell"]] == cluster
                and environment != "recovery"
                and spec.get("state", "active") == "active"
            ):
                place = "" if environment == "production" else f".{environment}"
                derived = f"{name}{place}.erp.provider.example"
                found += [Site(host, name, environment, spec) for host in placed.get("hosts", [derived])]
    return found


@dataclass(frozen=True)
class World:
    """A cluster behind its edge."""

    edge: Edge
    plane: ControlPlane
    namespace_of: dict[str, str]
    component_of: dict[str, str]
    sites: list[Site]

    def is_home(self, answer: Answer, site: Site) -> bool:
        return self.namespace_of.get(answer.pod) == site.namespace


@pytest.fixture(scope="module", autouse=True)
def pods() -> Iterator[Pods]:
    with Pods() as running_pods:
        yield running_pods


@pytest.fixture(scope="module", params=CLUSTERS)
def world(request: pytest.FixtureRequest, control_planes: ControlPlanes, processes: Processes) -> Iterator[World]:
    plane = running(control_planes, str(request.param), groups=("traefik.io",))
    settle(plane.api)
    found = [pod for pod in plane.api.list("v1", "Pod") if pod.get("status", {}).get("podIP")]
    namespaces = {pod["status"]["podIP"]: pod["metadata"]["namespace"] for pod in found}
    components = {
        pod["status"]["podIP"]: pod["metadata"]["labels"].get("app.kubernetes.io/component", "") for pod in found
    }
    assert len(namespaces) == len(found), "two Pods have one address"
    edge = Edge(processes, control_planes.folder, plane)
    here = sites(plane.name)
    wait_for("routes", lambda: all(edge.ask(site.host).status == 200 for site in here), 60, every=0.5)
    yield World(edge, plane, namespaces, components, here)
    processes.stop(f"traefik-{plane.name}")


def test_each_host_leads_home(world: World, tally: Tally) -> None:
    for site in world.sites:
        for path, port in (
            ("/web/login", 8069),
            ("/", 8069),
            ("/odoo", 8069),
            ("/websocket?version=18", 8072),
            ("/web/assets/x.js", 8069),
        ):
            answer = world.edge.ask(site.host, path)
            tally.check(world.is_home(answer, site) and answer.port == port, f"{site.host}{path}: {answer}")
        split = any(
            i.name == "odoo-websocket"
            for i in fleet.every("Deployment", cluster=world.plane.name, namespace=site.namespace)
        )
        answer = world.edge.ask(site.host, "/websocket")
        wanted = "websocket" if split else "web"
        tally.check(
            world.component_of.get(answer.pod) == wanted,
            f"{site.host}/websocket reached {world.component_of.get(answer.pod)}",
        )


def tricks(path: str) -> list[str]:
    """Ways to spell a path that a proxy may read otherwise than the server behind it."""
    head, _, tail = path[1:].partition("/")
    encoded = f"%{ord(path[1]):02x}"
    spelled = [
        path, f"{path}/", f"{path}?x=1", f"{path}/.", f"/{path}", f"//{path}", f"/.{path}", f"/x/..{path}", f"/en{path}", f"/en/{path}",
        f"/{encoded}{path[2:]}", f"/%2e{path}", f"/x/%2e%2e{path}", f"{path}%2f", f"{path}%00", f"{path};x=1", f"/\\{path[1:]}",
        f"/web/login/../..{path}", f"/%2f{path[1:]}", f"/websocket/..{path}", f"/websocket/%2e%2e{path}", path.upper(), path.title(),
    ]  # fmt: skip
    if tail:
        spelled += [
            f"/{head}//{tail}",
            f"/{head}/./{tail}",
            f"/{head}%2f{tail}",
            f"/{head}/x/../{tail}",
            f"/{head}\\{tail}",
        ]
    return spelled


def served_inside(received: str) -> bool:
    """Would Odoo take the path that it got for one of the inner ones? It decodes once and merges slashes."""
    path = re.sub(r"/+", "/", unquote(received.partition("?")[0]))
    return bool(_INSIDE.match(path))


def test_inner_paths_stay_inside(world: World, tally: Tally) -> None:
    """From an address that is nobody's administrator; on the first public host by any spelling."""
    for number, site in enumerate(world.sites):
        for inner in INSIDE:
            for path in tricks(inner) if number == 0 else (inner, f"/en{inner}"):
                answer = world.edge.ask(site.host, path)
                let_in = answer.reached and (served_inside(answer.path) or not world.is_home(answer, site))
                tally.attack(not let_in, f"{site.host} {path}: {answer.status} reached as {answer.path}")
        tally.control(world.edge.ask(site.host).reached, f"{site.host}: the login page after that")


def test_admin_paths_by_source(world: World, tally: Tally) -> None:
    for site in world.sites:
        if not site.admin_source:
            continue
        for path in ("/web/become", "/web/set_profiling"):
            answer = world.edge.ask(site.host, path, source=site.admin_source)
            tally.control(world.is_home(answer, site), f"{site.host}{path} from {site.admin_source}: {answer}")
            lies = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Client-Ip", "True-Client-Ip", "CF-Connecting-IP")
            for header in ("", *lies):
                value = f"for={site.admin_source}" if header == "Forwarded" else site.admin_source
                answer = world.edge.ask(site.host, path, headers=[(header, value)] if header else [])
                tally.attack(answer.status == 403 and not answer.reached, f"{site.host}{path} with {header}: {answer}")


def test_api_by_client_certificate(world: World, tally: Tally) -> None:
    others = [site for site in world.sites if site.has_api]
    for site in others:
        mine = world.edge.client_certificate(site.namespace)
        for path in ("/jsonrpc", "/xmlrpc/2/object", "/xmlrpc/2/common"):
            answer = world.edge.ask(site.api_host, path, certificate=mine, method="POST")
            tally.control(world.is_home(answer, site), f"{site.api_host}{path} with its certificate: {answer}")
            ways = {
                "no certificate": world.edge.ask(site.api_host, path, method="POST"),
                "nobody's": world.edge.ask(
                    site.api_host, path, certificate=world.edge.client_certificate("nobody"), method="POST"
                ),
                "the public host's name in TLS": world.edge.ask(site.api_host, path, sni=site.host, method="POST"),
                "no name in TLS": world.edge.ask(site.api_host, path, sni="", method="POST"),
                "absolute form on the public host": world.edge.ask(
                    site.host, target=f"https://{site.api_host}{path}", method="POST"
                ),
                "the name in capitals": world.edge.ask(site.api_host.upper(), path, sni=site.host, method="POST"),
                "a dot after the name": world.edge.ask(f"{site.api_host}.", path, sni=site.host, method="POST"),
                "a port after the name": world.edge.ask(f"{site.api_host}:8443", path, sni=site.host, method="POST"),
                "X-Forwarded-Host": world.edge.ask(
                    site.host, path, headers=[("X-Forwarded-Host", site.api_host)], method="POST"
                ),
            }
            for other in (o for o in others if o.tenant != site.tenant):
                theirs = world.edge.client_certificate(other.namespace)
                ways[f"{other.tenant}'s"] = world.edge.ask(site.api_host, path, certificate=theirs, method="POST")
            for name, answer in ways.items():
                tally.attack(not answer.reached, f"{site.api_host}{path} with {name}: {answer}")
        for path in ("/web/login", "/xmlrpc/db", "/xmlrpc/2/db", "/web/database/manager", "/"):
            answer = world.edge.ask(site.api_host, path, certificate=mine)
            tally.attack(not answer.reached, f"{site.api_host}{path}, with its certificate: {answer}")


def test_hosts_do_not_mix(world: World, tally: Tally) -> None:
    first, second = world.sites[0], world.sites[-1]
    tally.control(world.is_home(world.edge.ask(first.host), first), first.host)
    for host in (
        "unknown.example",
        "erp.provider.example",
        "10.255.0.1",
        "localhost",
        f"x.{first.host}",
        first.host + ".evil.example",
        "",
    ):
        tally.attack(not world.edge.ask(host).reached, f"host '{host}'")
        tally.attack(not world.edge.ask(host, sni=first.host).reached, f"host '{host}' behind the name {first.host}")
    tally.attack(world.edge.ask("unknown.example") == REFUSED, "a name without a certificate is not even greeted")
    for header in (
        "X-Forwarded-Host",
        "X-Host",
        "Forwarded",
        "X-Original-Url",
        "X-Rewrite-Url",
        "X-Odoo-Database",
        "X-Odoo-dbfilter",
    ):
        answer = world.edge.ask(
            first.host, headers=[(header, f"host={second.host}" if header == "Forwarded" else second.host)]
        )
        tally.attack(world.is_home(answer, first), f"{header}: {second.host} on {first.host}: {answer}")
        received = {name.lower(): value for name, value in (answer.received or {}).items()}
        tally.attack(received.get("x-forwarded-host") == first.host, f"{header} changed what Odoo sees: {received}")
        tally.attack("x-odoo-database" not in received and "x-odoo-dbfilter" not in received, f"Odoo gets {header}")
    for header in ("X_Forwarded_Host", "X.Forwarded.Host", "X_Odoo_Database", "X_Forwarded_For", "X_Forwarded_Proto"):
        answer = world.edge.ask(first.host, headers=[(header, second.host)])
        tally.attack(
            answer.reached and header not in (answer.received or {}),
            f"{header}, which WSGI reads with dashes: {answer}",
        )
    answer = world.edge.ask(first.host, headers=[("X-Forwarded-Proto", "http"), ("X-Forwarded-For", "192.0.2.1")])
    received = answer.received or {}
    tally.attack(received.get("X-Forwarded-Proto") == "https", f"X-Forwarded-Proto: {received}")
    tally.attack("192.0.2.1" not in received.get("X-Forwarded-For", ""), f"X-Forwarded-For: {received}")


def test_plain_http_only_redirects(world: World, tally: Tally) -> None:
    for site in world.sites:
        answer = world.edge.ask(site.host, "/web/login?x=1", port=8000)
        target = answer.headers.get("location")
        tally.check(
            answer.status in (301, 308) and target == f"https://{site.host}/web/login?x=1", f"{site.host}: {answer}"
        )
        tally.check(not answer.reached, f"{site.host}: plain HTTP reached a Pod")
    tally.check(world.edge.ask("unknown.example", port=8000).status == 404, "an unknown host by plain HTTP")


def test_headers(world: World, tally: Tally) -> None:
    for site in world.sites:
        headers = world.edge.ask(site.host).headers
        tally.check(headers.get("strict-transport-security") == "max-age=31536000", f"{site.host}: {headers}")
        tally.check(headers.get("x-content-type-options") == "nosniff", f"{site.host}: {headers}")
        tally.check(headers.get("x-frame-options") == "SAMEORIGIN", f"{site.host}: {headers}")
        tally.check("server" not in headers, f"{site.host} names its server: {headers}")
        firewall = "web-application-firewall" in {
            m.name for m in fleet.every("Middleware", cluster=world.plane.name, namespace=site.namespace)
        }
        passed = (world.edge.ask(site.host).received or {}).get("X-Acceptance-Firewall") == "passed"
        tally.check(passed == firewall, f"{site.host}: the firewall is {'not ' * firewall}passed")


def test_limits(world: World, tally: Tally) -> None:
    """From one address; the next one is let in meanwhile."""
    for number, site in enumerate(world.sites[:3]):
        greedy = f"203.0.113.{number + 10}"
        (login,) = [m.manifest["spec"]["rateLimit"] for m in fleet.every("Middleware", cluster=world.plane.name, namespace=site.namespace)
                    if m.name == "login-rate-limit"]  # fmt: skip
        tries = 2 * login["burst"] + 5  # a burst grows with the tenant's users
        logins = [world.edge.ask(site.host, "/web/login", source=greedy, method="POST").status for _ in range(tries)]
        tally.attack(429 in logins, f"{site.host}: {tries} logins at once: {logins}")
        tally.control(
            world.edge.ask(site.host, "/web/login", method="POST").status == 200, f"{site.host}: somebody else's login"
        )
        (limits,) = [m.manifest["spec"]["rateLimit"] for m in fleet.every("Middleware", cluster=world.plane.name, namespace=site.namespace)
                     if m.name == "rate-limit"]  # fmt: skip
        if limits["burst"] <= SLOW_CLIENT:
            pages = at_once(world.edge, site.host, greedy, limits["burst"] * 3)
            tally.attack(429 in pages, f"{site.host}: {len(pages)} pages at once")
        (size,) = [m.manifest["spec"]["buffering"]["maxRequestBodyBytes"]
                   for m in fleet.every("Middleware", cluster=world.plane.name, namespace=site.namespace) if m.name == "body-size"]  # fmt: skip
        answer = world.edge.ask(site.host, "/odoo", method="POST", headers=[("Content-Length", str(size + 1))])
        tally.attack(answer.status == 413 and not answer.reached, f"{site.host}: a body of {size + 1} bytes: {answer}")


def at_once(edge: Edge, host: str, source: str, times: int) -> list[int]:
    """Status codes of requests on several connections: Traefik slows down a client that waits, and refuses one that does not."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        asked = [pool.submit(edge.ask_often, host, "/odoo", source, times // CONNECTIONS) for _ in range(CONNECTIONS)]
        return [status for one in asked for status in one.result()]


def test_without_protection(world: World, tally: Tally) -> None:
    """Out of the rendered objects: the exclusion of inner paths, the allowed sources, the client certificate."""
    api, edge = world.plane.api, world.edge
    for site in world.sites:
        namespace = site.namespace
        if site.admin_source:
            (route,) = [
                i
                for i in fleet.every("IngressRoute", cluster=world.plane.name, namespace=namespace)
                if i.name == "odoo-admin"
            ]
            open_route = fleet.changed(route.manifest, lambda r: [
                rule.update(middlewares=[m for m in rule["middlewares"] if m["name"] != "admin-sources"]) for rule in r["spec"]["routes"]])  # fmt: skip
            assert api.apply(open_route).accepted
            opened = wait_for("an open admin path", lambda s=site: edge.ask(s.host, "/web/become").reached, 15)
            tally.without_protection(opened, f"{site.host}: admin paths without admin-sources")
        if site.has_api:
            (option,) = fleet.every("TLSOption", cluster=world.plane.name, namespace=namespace)
            assert api.apply(fleet.changed(option.manifest, lambda o: o["spec"].pop("clientAuth"))).accepted
            opened = wait_for("an open API", lambda s=site: edge.ask(s.api_host, "/jsonrpc", method="POST").reached, 15)
            tally.without_protection(opened, f"{site.api_host}: without clientAuth")
    site = world.sites[0]
    (route,) = [
        i
        for i in fleet.every("IngressRoute", cluster=world.plane.name, namespace=site.namespace)
        if i.name == "odoo-public"
    ]
    open_route = fleet.changed(
        route.manifest, lambda r: [rule.update(match=f"Host(`{site.host}`)") for rule in r["spec"]["routes"]]
    )
    assert api.apply(open_route).accepted
    opened = wait_for("an open manager", lambda: edge.ask(site.host, "/web/database/manager").reached, 15)
    tally.without_protection(opened, f"{site.host}: the database manager without its exclusion")
