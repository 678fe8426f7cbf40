"""EDGE-01 to EDGE-04: each request's way, from its host and path to the Service that answers it.

For each host, all rules of the cluster that can take it are walked together over all paths, by the engine, which gives
each combination of matches that some path has. Where several match, the highest priority wins; matchers of headers,
methods and addresses may or may not hold, so both are looked at.

A path is decoded when Traefik matches it, and the edge refuses encoded slashes, so what is matched is what Odoo routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from urllib.parse import quote

from tenantry.core import addresses
from tenantry.core.addresses import Range
from tenantry.core.manifest import Manifest, Path, Value, dig, entries, items, mapping, text
from tenantry.engine.languages import Expressions, Refusal, Way
from tenantry.model.tier import EdgeLimits
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.edge import rules
from tenantry.prove.edge.rules import Conjunct
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.resolve.instance import Instance
from tenantry.resolve.sizing import logins_at_once, websockets_in_flight

_LANGUAGE = "(?:/+[^/]+)?"
"""Odoo takes a language off the front of a path and looks again; any first segment is taken for one."""
CLASSES = {
    "manager": f"^{_LANGUAGE}/+(?:web/+database|xmlrpc/+(?:2/+)?db)(?:/|$)",
    "api": f"^{_LANGUAGE}/+(?:xmlrpc|jsonrpc|json|doc|doc-bearer)(?:/|$)",
    "internal": f"^{_LANGUAGE}/+(?:metrics|monitoring|web/+(?:health|version)|websocket/+health|website/+info)(?:/|$)",
    "admin": f"^{_LANGUAGE}/+web/+(?:become|set_profiling)(?:/|$)",
    "login": f"^{_LANGUAGE}/+web/+(?:login|signup|reset_password|session/+authenticate)(?:/|$)",
}
"""Paths of Odoo 17 to 19 by what must guard them (odoo/addons/web/controllers, odoo/addons/base/controllers/rpc.py)."""
_SHOWN = "/:@!$&'()*+,;=-._~"
"""What a path may show as it is."""
_PATH_MATCHERS = frozenset({"Path", "PathPrefix", "PathRegexp"})
SERVICES = {"odoo-web": ("http", 8069), "odoo-websocket": ("websocket", 8072)}
_STRANGE_KINDS = (
    ("traefik.io", "IngressRouteTCP"), ("traefik.io", "IngressRouteUDP"), ("traefik.io", "TraefikService"),
    ("traefik.io", "ServersTransport"), ("traefik.io", "ServersTransportTCP"), ("networking.k8s.io", "Ingress"),
    ("gateway.networking.k8s.io", "HTTPRoute"), ("gateway.networking.k8s.io", "TCPRoute"), ("gateway.networking.k8s.io", "Gateway"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Route:
    """One alternative of one rule of an IngressRoute."""

    manifest: Manifest
    number: int
    value: Value
    conjunct: Conjunct

    @cached_property
    def hosts(self) -> frozenset[str] | None:
        """Hosts that it matches; None if it does not name them."""
        return rules.hosts(self.conjunct)

    @property
    def path(self) -> Path:
        return ("spec", "routes", self.number)

    @property
    def priority(self) -> int:
        given = self.value.get("priority")
        return given if isinstance(given, int) and given > 0 else len(text(self.value.get("match")).encode())

    @property
    def entry_points(self) -> frozenset[str]:
        """Empty when none is named: then Traefik uses all of its default ones."""
        return frozenset(map(text, items(self.manifest.spec.get("entryPoints"))))

    @cached_property
    def patterns(self) -> tuple[tuple[str, bool], ...]:
        """(expression, whether a path must match it)."""
        return tuple((m.path, not m.negated) for m in self.conjunct if m.path)

    @property
    def certain(self) -> bool:
        """Whether host and path alone decide."""
        return all(m.name in _PATH_MATCHERS or m.name == "Host" for m in self.conjunct)


def read(state: State) -> tuple[list[Route], list[Breach]]:
    """All rules of the cluster's IngressRoutes, and those that can't be judged; read once."""
    if "routes" not in state.memory:
        state.memory["routes"] = _read(state)
    found: tuple[list[Route], list[Breach]] = state.memory["routes"]
    return found


def _read(state: State) -> tuple[list[Route], list[Breach]]:
    found: list[Route] = []
    wrong: list[Breach] = []
    for manifest in state.of("traefik.io", "IngressRoute"):
        for number, value in entries(manifest.spec.get("routes")):
            rule = state.readings.rules[text(value.get("match"))]
            try:
                if isinstance(rule, Refusal):
                    raise rules.UnreadableRuleError(rule.message)
                found += [Route(manifest, number, value, c) for c in rules.alternatives(rule)]
            except rules.UnreadableRuleError as error:
                path: Path = ("spec", "routes", number, "match")
                message, hint = f"the rule can't be judged: {error}", "use Host, Path, PathPrefix, PathRegexp"
                wrong.append(breach(manifest, "EDGE-01", path, message, hint))
    return found, wrong


def texts(state: State) -> Iterator[str]:
    """The rules, for the engine to read."""
    for manifest in state.of("traefik.io", "IngressRoute"):
        for _, value in entries(manifest.spec.get("routes")):
            yield text(value.get("match"))


def patterns(state: State) -> Iterator[str]:
    """Expressions of paths in the rules."""
    return (pattern for route in read(state)[0] for pattern, _ in route.patterns)


def walks(state: State) -> Iterator[Expressions]:
    """Expressions of the rules that meet at a host and entry point, for the engine to walk together."""
    for home in state.homes_at("instance"):
        for _, _, there in meetings(state, home):
            yield expressions(there)


@proof("EDGE-01")
def hosts(state: State) -> Iterator[Breach]:
    """EDGE-01: each alternative names its hosts, all of them its instance's; priorities are bounded."""
    routes, wrong = read(state)
    yield from wrong
    owners = {host: i for i in state.promises.instances.values() for host in (*i.hosts, i.api_host)}
    for route in routes:
        home = state.home(route.manifest)
        own = frozenset((*home.instance.hosts, home.instance.api_host)) if home and home.instance else frozenset()
        tenant = home.tenant if home else ""
        if any(m.name in ("HostRegexp", "HostSNI", "HostSNIRegexp") for m in route.conjunct) or route.hosts is None:
            message = "the rule matches requests for any host, including other tenants'"
            yield breach(
                route.manifest, "EDGE-01", (*route.path, "match"), message, "begin with Host(`...`)", tenant=tenant
            )
            continue
        for host in sorted(route.hosts - own):
            owner = owners.get(host)
            whose = f"is {owner.name}'s" if owner else "belongs to nobody"
            message = f"the rule matches the host '{host}', which {whose}"
            hint = f"own hosts: {', '.join(sorted(own)) or 'none'}"
            yield breach(route.manifest, "EDGE-01", (*route.path, "match"), message, hint, tenant=tenant)
        priority = route.value.get("priority")
        if not isinstance(priority, int) or not 1 <= priority <= 100:
            message = f"the priority {priority if priority is not None else 'is not set, so the rule length'} wins over other rules"
            yield breach(
                route.manifest,
                "EDGE-01",
                (*route.path, "priority"),
                message,
                "give a priority from 1 to 100",
                tenant=tenant,
            )


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


# --- every path


@dataclass(frozen=True)
class _Way:
    """A path that a route takes: the classes that it is of, and an example."""

    route: Route
    example: str
    classes: frozenset[str]


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
            yield from _numbers(state, home, instance)


def _by_host(state: State) -> dict[str, list[Route]]:
    """The rules that take a host, of any namespace; made once."""
    if "routes by host" not in state.memory:
        there: dict[str, list[Route]] = {}
        for route in read(state)[0]:
            for host in route.hosts or ():
                there.setdefault(host, []).append(route)
        state.memory["routes by host"] = there
    found: dict[str, list[Route]] = state.memory["routes by host"]
    return found


def _strange_points(state: State, home: Home) -> Iterator[Breach]:
    """Rules that serve a host of an instance at entry points that it is not promised."""
    for host in _hosts_of(home):
        routes = sorted(_by_host(state).get(host, ()), key=lambda r: sorted(r.entry_points))
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


def _hosts_of(home: Home) -> tuple[str, ...]:
    return (*home.instance.hosts, home.instance.api_host) if home.instance else ()


def meetings(state: State, home: Home) -> Iterator[tuple[str, str, list[Route]]]:
    """(host, entry point, the rules that meet there), for each host of an instance."""
    for host in _hosts_of(home):
        routes = _by_host(state).get(host, ())
        for point in sorted(entry_points(home) | {"web"}):
            there = [r for r in routes if point in r.entry_points or not r.entry_points]
            if there:
                yield host, point, there


def expressions(routes: Iterable[Route]) -> Expressions:
    """What tells the paths of some rules apart: the classes first, then the rules' own expressions."""
    return tuple(dict.fromkeys([*CLASSES.values(), *(pattern for r in routes for pattern, _ in r.patterns)]))


def entry_points(home: Home) -> frozenset[str]:
    """Entry points that a home's routes may use; the private one only where the tier has it."""
    edge = home.cluster.traefik
    private = {edge.private_entry_point} if home.tier.edge.private_entry_point and edge.private_entry_point else set()
    return frozenset({"web", edge.public_entry_point, *private} - {None})


def ways(routes: list[Route], walk: Iterable[Way]) -> Iterator[_Way]:
    """Each combination of matches that some path has, with every route that may win it."""
    index = {pattern: number for number, pattern in enumerate(expressions(routes))}
    by_priority = sorted(routes, key=lambda r: -r.priority)
    for matched, example in walk:
        classes = frozenset(name for name, pattern in CLASSES.items() if matched[index[pattern]])
        for route in by_priority:
            if all(matched[index[p]] == wanted for p, wanted in route.patterns):
                yield _Way(route, quote(example, safe=_SHOWN), classes)
                if route.certain:
                    break  # nothing below it gets such a request


def _middlewares(state: State, route: Route) -> list[Manifest]:
    space = route.manifest.identity.namespace
    named = (text(m.get("name")) for _, m in entries(route.value.get("middlewares")))
    return [m for name in named if (m := state.get("traefik.io", "Middleware", space, name)) is not None]


def _plain(state: State, home: Home, host: str, way: _Way) -> Iterator[Breach]:
    """Without TLS nothing is answered but a redirection."""
    first = next(iter(_middlewares(state, way.route)), None)
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


def _judge(state: State, home: Home, instance: Instance, host: str, way: _Way) -> Iterator[Breach]:
    route = way.route
    if not items(route.value.get("services")):
        return
    where = f"https://{host}{way.example}"

    def fault(control: str, field: str, message: str, hint: str) -> Breach:
        return breach(route.manifest, control, (*route.path, field), f"{message}: {where}", hint, tenant=home.tenant)

    chain = _middlewares(state, route)
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
    if "admin" in way.classes and not _only_from(chain, access.admin_sources):
        yield fault(
            "EDGE-04",
            "middlewares",
            "administration is reachable from everywhere",
            "use the middleware admin-sources, or no route",
        )
    elif "admin" in way.classes and _is_crowd(chain):
        message = f"administration is reachable from more addresses than {addresses.shown(addresses.ADMINISTRATORS)}"
        yield fault("EDGE-04", "middlewares", message, "the tenant's adminSources are too broad")
    elif access.sources and not _only_from(chain, access.sources) and "admin" not in way.classes:
        yield fault(
            "EDGE-04", "middlewares", "the tenant's list of sources is bypassed", "use the middleware client-sources"
        )
    yield from _limits(home, way, chain, fault)


def _client_certificates(state: State, route: Route) -> bool:
    space = route.manifest.identity.namespace
    name = text(dig(route.manifest.spec, "tls", "options", "name"))
    option = state.get("traefik.io", "TLSOption", space, name)
    client = mapping(option.spec.get("clientAuth")) if option else {}
    return client.get("clientAuthType") == "RequireAndVerifyClientCert" and bool(items(client.get("secretNames")))


def _allowed(chain: list[Manifest]) -> list[list[Range | None]]:
    """The ranges of each list that a request must pass; None for what Traefik can't read."""
    lists = (mapping(m.spec["ipAllowList"]).get("sourceRange") for m in chain if "ipAllowList" in m.spec)
    return [[addresses.read_source(text(source)) for source in items(found)] for found in lists]


def _only_from(chain: list[Manifest], sources: tuple[str, ...]) -> bool:
    promised = addresses.ranges(sources)
    return bool(promised) and any(all(_promised(source, promised) for source in found) for found in _allowed(chain))


def _promised(source: Range | None, promised: tuple[Range, ...]) -> bool:
    return source is not None and any(wanted.holds(source) for wanted in promised)


def _is_crowd(chain: list[Manifest]) -> bool:
    """Whether each list lets in more addresses than administrators may have, whatever is promised."""
    lists = _allowed(chain)
    return all(addresses.wider_than((one for one in found if one), addresses.ADMINISTRATORS) for found in lists)


def _limits(
    home: Home, way: _Way, chain: list[Manifest], fault: Callable[[str, str, str, str], Breach]
) -> Iterator[Breach]:
    kinds = {kind for middleware in chain for kind in middleware.spec}
    websocket = all(s.get("name") == "odoo-websocket" for _, s in entries(way.route.value.get("services")))
    wanted = {
        "rateLimit": "no limit of requests",
        "inFlightReq": "no limit of requests at one time",
        "headers": "headers are not cleaned",
    }
    if not websocket:
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


_STRIPPED = ("X-Odoo-Database", "X-Odoo-dbfilter", "X-Odoo-Db-Filter")


def _numbers(state: State, home: Home, instance: Instance) -> Iterator[Breach]:
    """Numbers of the middlewares against the contract: the tier's, with the overrides that it allows."""
    tier, settled = instance.tier.edge, instance.settings.edge
    for manifest in state.of("traefik.io", "Middleware", home.namespace):
        for path, value, limit, what in _limited(manifest, tier, settled, instance.tenant.users):
            if not isinstance(value, int) or not 0 < value <= limit:
                message = f"'{manifest.identity.name}' lets through {value if value else 'any number of'} {what}; {limit:,} are promised"
                yield breach(manifest, "EDGE-04", path, message, "neighbours share the edge", tenant=home.tenant)
        rate = mapping(manifest.spec.get("rateLimit"))
        if rate and rate.get("period", "1s") != "1s":
            message = f"'{manifest.identity.name}' counts by {rate['period']}"
            yield breach(
                manifest, "EDGE-04", ("spec", "rateLimit", "period"), message, "period: 1s", tenant=home.tenant
            )
        yield from _counted(manifest, home)
        yield from _headers(manifest, home)
        yield from _sources(manifest, instance, home)
        yield from _firewall(manifest, home)


def _counted(manifest: Manifest, home: Home) -> Iterator[Breach]:
    """By the address of the sender. Traefik counts requests in flight by host where nothing is said, so that one client
    can take what a tenant has."""
    for kind in ("rateLimit", "inFlightReq"):
        limit = mapping(manifest.spec.get(kind))
        criterion = mapping(limit.get("sourceCriterion"))
        strategy = criterion.get("ipStrategy")
        by_address = "requestHost" not in criterion and "requestHeaderName" not in criterion
        unsaid = kind == "inFlightReq" and not isinstance(strategy, dict)
        if limit and (
            unsaid or not by_address or mapping(strategy).get("depth") or mapping(strategy).get("excludedIPs")
        ):
            message = (
                f"'{manifest.identity.name}' does not count by client address: one client can use up the limit of all"
            )
            path: Path = ("spec", kind, "sourceCriterion")
            yield breach(manifest, "EDGE-04", path, message, "ipStrategy: {depth: 0}", tenant=home.tenant)


def _limited(
    manifest: Manifest, tier: EdgeLimits, settled: EdgeLimits, users: int
) -> Iterator[tuple[Path, object, int, str]]:
    """(field, value, most, unit) of each number of a middleware."""
    spec = manifest.spec
    if "rateLimit" in spec:
        login = manifest.identity.name == "login-rate-limit"
        most = tier.login_requests_per_second if login else settled.requests_per_second
        burst = max(tier.login_burst, logins_at_once(users)) if login else settled.burst
        rate = mapping(spec["rateLimit"])
        yield ("spec", "rateLimit", "average"), rate.get("average"), most, "requests per second"
        yield ("spec", "rateLimit", "burst"), rate.get("burst"), burst, "requests at once"
    if "inFlightReq" in spec:
        amount = mapping(spec["inFlightReq"]).get("amount")
        bus = manifest.identity.name == "in-flight-websocket"
        most = websockets_in_flight(users, settled.in_flight) if bus else settled.in_flight
        yield ("spec", "inFlightReq", "amount"), amount, most, "requests in flight"
    if "buffering" in spec:
        size = mapping(spec["buffering"]).get("maxRequestBodyBytes")
        yield ("spec", "buffering", "maxRequestBodyBytes"), size, settled.body_mib << 20, "bytes of body"


def _headers(manifest: Manifest, home: Home) -> Iterator[Breach]:
    if "headers" not in manifest.spec:
        return
    emptied = mapping(mapping(manifest.spec["headers"]).get("customRequestHeaders"))
    for header in _STRIPPED:
        if emptied.get(header) != "":
            message = f"the header {header}, with which a request can name a database, reaches Odoo"
            path: Path = ("spec", "headers", "customRequestHeaders")
            yield breach(manifest, "EDGE-04", path, message, f'{header}: ""', tenant=home.tenant)


def _sources(manifest: Manifest, instance: Instance, home: Home) -> Iterator[Breach]:
    promised = {"admin-sources": instance.tenant.access.admin_sources, "client-sources": instance.tenant.access.sources}
    wanted = promised.get(manifest.identity.name)
    if wanted is None or "ipAllowList" not in manifest.spec:
        return
    allow = mapping(manifest.spec["ipAllowList"])
    promised_ranges = addresses.ranges(wanted)
    sources = map(text, items(allow.get("sourceRange")))
    extra = [source for source in sources if not _promised(addresses.read_source(source), promised_ranges)]
    if extra:
        message = f"'{manifest.identity.name}' lets in {', '.join(extra)}"
        yield breach(
            manifest,
            "EDGE-04",
            ("spec", "ipAllowList", "sourceRange"),
            message,
            f"promised: {', '.join(wanted)}",
            tenant=home.tenant,
        )
    if allow.get("ipStrategy"):
        message = f"'{manifest.identity.name}' trusts a header for the client's address"
        yield breach(
            manifest, "EDGE-04", ("spec", "ipAllowList", "ipStrategy"), message, "remove it", tenant=home.tenant
        )


def _firewall(manifest: Manifest, home: Home) -> Iterator[Breach]:
    if manifest.identity.name != "web-application-firewall":
        return
    directives = " ".join(map(text, items(dig(manifest.spec, "plugin", "coraza", "directives"))))
    wanted = {"block": "SecRuleEngine On", "detect": "SecRuleEngine DetectionOnly"}.get(
        home.tier.edge.web_application_firewall, ""
    )
    if wanted not in directives or (wanted.endswith("On") and "DetectionOnly" in directives):
        message = f"the firewall does not run as promised ({home.tier.edge.web_application_firewall})"
        yield breach(
            manifest, "EDGE-04", ("spec", "plugin", "coraza", "directives"), message, wanted, tenant=home.tenant
        )
