"""Guards of Traefik that are silently off: routes never reached, TLS options that fall back, references it does not follow.

Priorities as in pkg/muxer/http (the length of the rule without one), TLS options as in pkg/server/router/tcp, v3.7.13.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.engine.languages import Matcher, Refusal, Rule
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.registration import references_of, rule_for

_GROUP = "traefik.io"
_MOST = 64
"""Alternatives of a rule that are looked at."""
_PATHS = ("Path", "PathPrefix")
_Conjunct = frozenset[Matcher]


@rule_for(_GROUP, "Middleware")
def limits(manifest: Manifest) -> Iterator[Problem]:
    """By what requests are told apart, and how many may come (pkg/middlewares/extractor.go, ratelimiter)."""
    for kind in ("rateLimit", "inFlightReq"):
        criterion = mapping(mapping(manifest.spec.get(kind)).get("sourceCriterion"))
        given = [name for name in ("ipStrategy", "requestHeaderName", "requestHost") if criterion.get(name)]
        if "ipStrategy" in criterion and "ipStrategy" not in given:
            given.insert(0, "ipStrategy")  # an empty one counts
        if len(given) > 1:
            message = f"{' and '.join(given)} exclude each other, so Traefik drops the middleware"
            yield Problem("V043", ("spec", kind, "sourceCriterion"), message, "keep one of them")
    if "rateLimit" in manifest.spec and not mapping(manifest.spec.get("rateLimit")).get("average"):
        path = (
            ("spec", "rateLimit", "average")
            if "average" in mapping(manifest.spec["rateLimit"])
            else ("spec", "rateLimit")
        )
        yield Problem("V057", path, "without an average over 0 there is no limit", "write how many a second", "warning")


@dataclass(frozen=True, slots=True)
class _Route:
    """One route of an IngressRoute, as the parser of Traefik reads its rule."""

    manifest: Manifest
    number: int
    priority: int
    entry_points: frozenset[str]
    conjuncts: tuple[_Conjunct, ...]
    guards: frozenset[tuple[str, str]]
    services: frozenset[tuple[str, str, str]]

    def meets(self, other: _Route) -> bool:
        """Whether they share an entry point; without any it is all of them."""
        return not self.entry_points or not other.entry_points or bool(self.entry_points & other.entry_points)


def _conjuncts(rule: Rule) -> tuple[_Conjunct, ...]:
    """Alternatives of matchers that must all hold; none for too many."""
    if isinstance(rule, Matcher):
        return (frozenset({rule}),)
    parts = [_conjuncts(part) for part in rule.parts]
    if not rule.every:
        found = [conjunct for part in parts for conjunct in part]
    else:
        found = [frozenset()]
        for part in parts:
            if len(found) * len(part) > _MOST:
                return ()
            found = [one | other for one in found for other in part]
    return tuple(found) if len(found) <= _MOST and all(parts) else ()


def _hosts(conjunct: _Conjunct) -> Iterator[str]:
    for matcher in conjunct:
        if matcher.name == "Host" and not matcher.negated:
            yield from (argument.lower() for argument in matcher.arguments)


def _routes(index: Index) -> dict[str, list[_Route]]:
    """Routes by the hosts that their rules name."""
    found: dict[str, list[_Route]] = defaultdict(list)
    for manifest in index.of(_GROUP, "IngressRoute"):
        if not items(manifest.spec.get("parentRefs")):
            for number, content in entries(manifest.spec.get("routes")):
                route = _route(index, manifest, number, content)
                for host in dict.fromkeys(h for conjunct in route.conjuncts for h in _hosts(conjunct)):
                    found[host].append(route)
    return found


def _route(index: Index, manifest: Manifest, number: int, content: Value) -> _Route:
    match, given = text(content.get("match")), content.get("priority")
    rule = index.readings.rules.get(match)
    conjuncts = () if rule is None or isinstance(rule, Refusal) else _conjuncts(rule)
    namespace = manifest.identity.namespace
    guards = frozenset(
        (text(m.get("namespace")) or namespace, text(m.get("name"))) for _, m in entries(content.get("middlewares"))
    )
    services = frozenset(
        (text(s.get("namespace")) or namespace, text(s.get("name")), str(s.get("port")))
        for _, s in entries(content.get("services"))
    )
    points = frozenset(map(str, items(manifest.spec.get("entryPoints"))))
    priority = given if isinstance(given, int) and given else len(match)
    return _Route(manifest, number, priority, points, conjuncts, guards, services)


@references_of(_GROUP, "IngressRoute")
def reached(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A route whose requests all go to a wider one of higher priority is never reached."""
    routes = index.once(_routes)
    own = {
        route.number: (route, host)
        for host in named_hosts(manifest, index)
        for route in routes.get(host, ())
        if route.manifest is manifest
    }
    for number, (route, host) in own.items():
        for other in routes[host]:
            ties = _ties(route, other)
            if ties or _contends(route, other):
                where = f"{other.manifest.identity} (route {other.number})"
                code, differs, hint = _TIE if ties else _CONTENTION
                message = f"{where} has the same rule and priority, and {differs}: which of the two answers is chance"
                yield Problem(code, ("spec", "routes", number), message, hint, "warning")
                break
        for wider in routes[host]:
            if wider.priority > route.priority and wider.meets(route) and _covers(wider, route):
                where = f"{wider.manifest.identity} (route {wider.number}, priority {wider.priority})"
                lost = route.guards - wider.guards
                message = f"never reached: {where} takes all of its requests"
                message += f", without the middleware '{sorted(lost)[0][1]}'" if lost else ""
                hint = f"give it a priority over {wider.priority}"
                yield Problem("V057", ("spec", "routes", number), message, hint, "error" if lost else "warning")
                break


_TIE = "V057", "other middlewares", "give one of them a priority of its own"
_CONTENTION = "V076", "leads elsewhere", "give each a rule or a priority of its own"
"""Code, in what two routes differ that are alike otherwise, and the way out."""


def _ties(route: _Route, other: _Route) -> bool:
    return other.guards != route.guards and _alike(route, other)


def _contends(route: _Route, other: _Route) -> bool:
    """Alike with the same guards; told at one of both."""
    later = (other.manifest.identity, other.number) < (route.manifest.identity, route.number)
    return later and other.guards == route.guards and other.services != route.services and _alike(route, other)


def _alike(route: _Route, other: _Route) -> bool:
    apart = other.manifest is not route.manifest or other.number != route.number
    equal = other.priority == route.priority and set(other.conjuncts) == set(route.conjuncts) and bool(route.conjuncts)
    return apart and equal and other.meets(route)


def named_hosts(manifest: Manifest, index: Index) -> list[str]:
    """Hosts that the rules of an IngressRoute name."""
    routes = [_route(index, manifest, n, content) for n, content in entries(manifest.spec.get("routes"))]
    return list(dict.fromkeys(h for route in routes for conjunct in route.conjuncts for h in _hosts(conjunct)))


def _covers(wider: _Route, route: _Route) -> bool:
    return bool(route.conjuncts) and all(
        any(all(_implied(matcher, conjunct) for matcher in other) for other in wider.conjuncts)
        for conjunct in route.conjuncts
    )


def _implied(matcher: Matcher, conjunct: _Conjunct) -> bool:
    """Whether requests that meet all matchers of a conjunct meet this one."""
    if matcher in conjunct:
        return True
    if matcher.name != "PathPrefix" or matcher.negated:
        return False
    inner = (m for m in conjunct if m.name in _PATHS and not m.negated)
    return any(all(a.startswith(matcher.arguments) for a in m.arguments) for m in inner)


_Options = dict[str, list[tuple[Manifest, str, frozenset[str]]]]


def _options(index: Index) -> _Options:
    """Hosts -> (IngressRoute, TLS options, entry points) of those that end TLS for them."""
    found: _Options = defaultdict(list)
    for host, routes in index.once(_routes).items():
        for route in {id(route.manifest): route for route in routes}.values():
            if isinstance(route.manifest.spec.get("tls"), dict):
                found[host].append((route.manifest, _option_id(route.manifest), route.entry_points))
    return found


def _option_id(manifest: Manifest) -> str:
    options = mapping(mapping(manifest.spec.get("tls")).get("options"))
    name, space = text(options.get("name")), text(options.get("namespace")) or manifest.identity.namespace
    return name if not name or "@" in name else f"{space}/{name}"


@references_of(_GROUP, "IngressRoute")
def options_of_host(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Traefik gives a host the default TLS options when its routes name different ones."""
    own, points = _option_id(manifest), frozenset(map(str, items(manifest.spec.get("entryPoints"))))
    if not own:
        return
    for host in named_hosts(manifest, index):
        for other, options, theirs in index.once(_options).get(host, ()):
            if options != own and (not points or not theirs or points & theirs):
                named = f"those of '{options}'" if options else "none"
                message = f"'{own}' does not count for the host '{host}': {other.identity} names {named}, so the default ones do"
                yield Problem(
                    "V057", ("spec", "tls", "options"), message, "name the same options in every route of the host"
                )
                break


@rule_for(_GROUP, "IngressRoute", "IngressRouteTCP")
def default_options(manifest: Manifest) -> Iterator[Problem]:
    """A TLSOption called default has no namespace in its id, so a reference by namespace finds nothing."""
    name = text(mapping(mapping(manifest.spec.get("tls")).get("options")).get("name"))
    if name == "default":
        message = "a TLSOption called 'default' counts for all, and can't be referred to: Traefik drops the route"
        yield Problem("V057", ("spec", "tls", "options", "name"), message, "leave options out, or name another")


@references_of(_GROUP, "IngressRoute", "IngressRouteTCP")
def across(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """References into other namespaces, which Traefik does not follow unless it is told to."""
    found = [(path, kind, target) for path, kind, target in _references(manifest) if text(target.get("namespace"))]
    own = manifest.identity.namespace
    for path, kind, target in found:
        space = text(target["namespace"])
        if space != own and "@" not in text(target.get("name")) and not index.once(_allowed_across):
            message = f"the {kind} '{target.get('name')}' is in '{space}': Traefik drops the route, unless it runs with allowCrossNamespace"
            yield Problem("V057", (*path, "namespace"), message, f"copy it into '{own}'", "warning")


def _references(manifest: Manifest) -> Iterator[tuple[Path, str, Value]]:
    over = "TCP" if manifest.identity.kind == "IngressRouteTCP" else ""
    for number, content in entries(manifest.spec.get("routes")):
        for field, kind in (("middlewares", f"Middleware{over}"), ("services", "Service")):
            for place, reference in entries(content.get(field)):
                yield ("spec", "routes", number, field, place), kind, reference
    options = mapping(mapping(manifest.spec.get("tls")).get("options"))
    if options.get("name") != "default":
        yield ("spec", "tls", "options"), "TLSOption", options


def _allowed_across(index: Index) -> bool:
    """Whether the tree runs a Traefik that follows references into other namespaces."""
    for kind in ("DaemonSet", "Deployment"):
        for manifest in index.of("apps", kind):
            for _, _, spec in pod_specs(manifest):
                for _, container in entries(spec.get("containers")):
                    given = " ".join(map(str, items(container.get("args")))).lower()
                    if "allowcrossnamespace" in given and "allowcrossnamespace=false" not in given:
                        return True
    return any(
        "allowCrossNamespace: true" in str(m.spec.get("valuesContent")) for m in index.of("helm.cattle.io", "HelmChart")
    )
