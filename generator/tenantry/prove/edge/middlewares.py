"""EDGE-04: the numbers, headers and sources of the middlewares against what the tier promises."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core import addresses
from tenantry.core.addresses import Range
from tenantry.core.manifest import Manifest, Path, dig, items, mapping, text
from tenantry.model.tier import EdgeLimits
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.resolve.instance import Instance
from tenantry.resolve.sizing import logins_at_once, websockets_in_flight


def numbers(state: State, home: Home, instance: Instance) -> Iterator[Breach]:
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


_STRIPPED = ("X-Odoo-Database", "X-Odoo-dbfilter", "X-Odoo-Db-Filter")


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


def _allowed(chain: list[Manifest]) -> list[list[Range | None]]:
    """The ranges of each list that a request must pass; None for what Traefik can't read."""
    lists = (mapping(m.spec["ipAllowList"]).get("sourceRange") for m in chain if "ipAllowList" in m.spec)
    return [[addresses.read_source(text(source)) for source in items(found)] for found in lists]


def only_from(chain: list[Manifest], sources: tuple[str, ...]) -> bool:
    """Whether some list of the chain lets in none but these sources; false when no source is promised."""
    promised = addresses.ranges(sources)
    return bool(promised) and any(all(_promised(source, promised) for source in found) for found in _allowed(chain))


def _promised(source: Range | None, promised: tuple[Range, ...]) -> bool:
    return source is not None and any(wanted.holds(source) for wanted in promised)


def is_crowd(chain: list[Manifest]) -> bool:
    """Whether each list lets in more addresses than administrators may have, whatever is promised."""
    lists = _allowed(chain)
    return all(addresses.wider_than((one for one in found if one), addresses.ADMINISTRATORS) for found in lists)
