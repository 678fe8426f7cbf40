"""EDGE-01 to EDGE-04: each request's way, from its host and path to the Service that answers it.

For each host, all rules of the cluster that can take it are walked together over all paths, by the engine, which gives
each combination of matches that some path has. Where several match, the highest priority wins; matchers of headers,
methods and addresses may or may not hold, so both are looked at.

A path is decoded when Traefik matches it, and the edge refuses encoded slashes, so what is matched is what Odoo routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from tenantry.core.manifest import Manifest, Path, Value, entries, items, text
from tenantry.engine.languages import Expressions, Refusal, Way
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.edge import rules
from tenantry.prove.edge.rules import Conjunct
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof

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


# --- every path


@dataclass(frozen=True)
class PathWay:
    """A path that a route takes: the classes that it is of, and an example."""

    route: Route
    example: str
    classes: frozenset[str]


def by_host(state: State) -> dict[str, list[Route]]:
    """The rules that take a host, of any namespace; made once."""
    if "routes by host" not in state.memory:
        there: dict[str, list[Route]] = {}
        for route in read(state)[0]:
            for host in route.hosts or ():
                there.setdefault(host, []).append(route)
        state.memory["routes by host"] = there
    found: dict[str, list[Route]] = state.memory["routes by host"]
    return found


def hosts_of(home: Home) -> tuple[str, ...]:
    """Hosts of an instance, that of its API clients included."""
    return (*home.instance.hosts, home.instance.api_host) if home.instance else ()


def meetings(state: State, home: Home) -> Iterator[tuple[str, str, list[Route]]]:
    """(host, entry point, the rules that meet there), for each host of an instance."""
    for host in hosts_of(home):
        routes = by_host(state).get(host, ())
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


def ways(routes: list[Route], walk: Iterable[Way]) -> Iterator[PathWay]:
    """Each combination of matches that some path has, with every route that may win it."""
    index = {pattern: number for number, pattern in enumerate(expressions(routes))}
    by_priority = sorted(routes, key=lambda r: -r.priority)
    for matched, example in walk:
        classes = frozenset(name for name, pattern in CLASSES.items() if matched[index[pattern]])
        for route in by_priority:
            if all(matched[index[p]] == wanted for p, wanted in route.patterns):
                yield PathWay(route, quote(example, safe=_SHOWN), classes)
                if route.certain:
                    break  # nothing below it gets such a request


def middlewares_of(state: State, route: Route) -> list[Manifest]:
    """The middlewares that a route names, in its order; those that are not there are left out."""
    space = route.manifest.identity.namespace
    named = (text(m.get("name")) for _, m in entries(route.value.get("middlewares")))
    return [m for name in named if (m := state.get("traefik.io", "Middleware", space, name)) is not None]
