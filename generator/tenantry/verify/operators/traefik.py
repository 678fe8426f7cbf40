"""What Traefik refuses when it reads an object, in its log only: pkg/provider/kubernetes/crd and pkg/server, v3.7.13."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tenantry.core import addresses
from tenantry.core.codes import Code, declare
from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.verify import values
from tenantry.verify.index import Index, missing
from tenantry.verify.kubernetes.pods import secret
from tenantry.verify.registration import references_of, rule_for

declare(
    Code("V042", "Traefik drops the route", "Traefik logs the error and serves the rest."),
    Code("V043", "Traefik drops the middleware or TLS option", "Traefik logs the error and serves the rest."),
)

_VERSIONS = ("VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13")


@rule_for("traefik.io", "Middleware")
def middleware(manifest: Manifest) -> Iterator[Problem]:
    kinds = sorted(manifest.spec)
    if len(kinds) != 1:
        shown = f": {', '.join(kinds)}" if kinds else ""
        yield Problem(
            "V043",
            ("spec",),
            f"a Middleware has exactly one type, not {len(kinds)}{shown}",
            "Traefik drops it and every route that uses it",
        )
    yield from _addresses(manifest)
    headers = mapping(manifest.spec.get("headers"))
    seconds = headers.get("stsSeconds")
    if isinstance(seconds, int) and seconds < 0:
        yield Problem("V043", ("spec", "headers", "stsSeconds"), "may not be negative")
    limit = mapping(manifest.spec.get("rateLimit"))
    for name in ("average", "burst"):
        if isinstance(limit.get(name), int) and limit[name] < 0:
            yield Problem("V043", ("spec", "rateLimit", name), "may not be negative")
    for kind in ("redirectRegex", "replacePathRegex"):
        pattern = mapping(manifest.spec.get(kind)).get("regex")
        error = values.expression_error(pattern) if isinstance(pattern, str) else ""
        if error:
            yield Problem("V043", ("spec", kind, "regex"), f"'{pattern}' is no expression: {error}")


def _addresses(manifest: Manifest) -> Iterator[Problem]:
    for kind in ("ipAllowList", "ipWhiteList"):
        if kind not in manifest.spec:
            continue
        content = mapping(manifest.spec.get(kind))
        ranges = items(content.get("sourceRange"))
        if not ranges:
            yield Problem(
                "V043", ("spec", kind, "sourceRange"), "no address is allowed at all; Traefik refuses an empty list"
            )
        yield from _unreadable(ranges, ("spec", kind, "sourceRange"))
        yield from _strategy(content, ("spec", kind))
    for kind in ("rateLimit", "inFlightReq"):
        yield from _strategy(
            mapping(mapping(manifest.spec.get(kind)).get("sourceCriterion")), ("spec", kind, "sourceCriterion")
        )


def _strategy(content: Value, path: Path) -> Iterator[Problem]:
    excluded = items(mapping(content.get("ipStrategy")).get("excludedIPs"))
    yield from _unreadable(excluded, (*path, "ipStrategy", "excludedIPs"))


def _unreadable(ranges: list[Any], path: Path) -> Iterator[Problem]:
    for index, written in enumerate(ranges):
        if addresses.read_source(str(written)) is None:
            yield Problem("V043", (*path, index), f"'{written}' is neither an address nor a range")


@rule_for("traefik.io", "IngressRoute")
def route(manifest: Manifest) -> Iterator[Problem]:
    for index, content in entries(manifest.spec.get("routes")):
        path: Path = ("spec", "routes", index)
        if content.get("kind", "Rule") != "Rule":
            yield Problem("V042", (*path, "kind"), f"'{content.get('kind')}': the only kind of route is Rule")
        for number, service in entries(content.get("services")):
            yield from _service(mapping(service), (*path, "services", number))
    for index, domain in entries(mapping(manifest.spec.get("tls")).get("domains")):
        if not domain.get("main"):
            yield Problem("V042", ("spec", "tls", "domains", index), "a domain needs 'main'")


@references_of("traefik.io", "IngressRoute")
def served(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A route without services is of use only as the parent of others."""
    for number, content in entries(manifest.spec.get("routes")):
        empty = not items(content.get("services")) and not items(content.get("middlewares"))
        if empty and not index.partial and not _is_parent(manifest, index):
            yield Problem("V042", ("spec", "routes", number), "a route without services leads nowhere")


def _is_parent(manifest: Manifest, index: Index) -> bool:
    own = manifest.identity.namespace, manifest.identity.name
    return any(
        (text(parent.get("namespace")) or child.identity.namespace, parent.get("name")) == own
        for child in index.of("traefik.io", "IngressRoute")
        for _, parent in entries(child.spec.get("parentRefs"))
    )


def _service(content: object, path: Path) -> Iterator[Problem]:
    service = mapping(content)
    if service.get("kind", "Service") == "Service" and "@" not in str(service.get("name")) and not service.get("port"):
        yield Problem("V042", path, "a Service needs the port to lead to")
    weight = service.get("weight")
    if isinstance(weight, int) and weight < 0:
        yield Problem("V042", (*path, "weight"), "may not be negative")


@rule_for("traefik.io", "TLSOption")
def tls_option(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    low, high = spec.get("minVersion"), spec.get("maxVersion")
    for name, version in (("minVersion", low), ("maxVersion", high)):
        if version is not None and version not in _VERSIONS:
            yield Problem("V043", ("spec", name), f"'{version}' is none of {', '.join(_VERSIONS)}")
    if low in _VERSIONS and high in _VERSIONS and _VERSIONS.index(low) > _VERSIONS.index(high):
        yield Problem("V043", ("spec", "minVersion"), f"{low} is over maxVersion {high}")
    client = mapping(spec.get("clientAuth"))
    kind = client.get("clientAuthType")
    if kind in ("RequireAndVerifyClientCert", "VerifyClientCertIfGiven") and not items(client.get("secretNames")):
        path = ("spec", "clientAuth")
        yield Problem("V043", path, f"{kind} needs secretNames: the authorities to verify by")


@rule_for("traefik.io", "TLSStore")
def tls_store(manifest: Manifest) -> Iterator[Problem]:
    if manifest.identity.name != "default":
        yield Problem("V043", ("metadata", "name"), "Traefik takes a TLSStore called 'default' only")


@references_of("traefik.io", "IngressRoute", "IngressRouteTCP")
def leads_to(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """IngressRoute: middlewares, Services and their ports, parents, TLSOption, certificate."""
    namespace = manifest.identity.namespace
    over = "TCP" if manifest.identity.kind == "IngressRouteTCP" else ""
    for number, parent in entries(manifest.spec.get("parentRefs")):
        yield from _traefik(index, namespace, "IngressRoute", parent, ("spec", "parentRefs", number))
    for number, content in entries(manifest.spec.get("routes")):
        path: Path = ("spec", "routes", number)
        for place, reference in entries(content.get("middlewares")):
            yield from _traefik(index, namespace, f"Middleware{over}", reference, (*path, "middlewares", place))
        for place, reference in entries(content.get("services")):
            yield from route_service(index, namespace, reference, (*path, "services", place), tcp=bool(over))
    tls = mapping(manifest.spec.get("tls"))
    yield from _traefik(index, namespace, "TLSOption", mapping(tls.get("options")), ("spec", "tls", "options"))
    yield from secret(
        index, namespace, {"name": tls.get("secretName")}, ("spec", "tls", "secretName"), ["tls.crt", "tls.key"]
    )


def _traefik(index: Index, namespace: str, kind: str, reference: Value, path: Path) -> Iterator[Problem]:
    name, space = text(reference.get("name")), text(reference.get("namespace")) or namespace
    if name and "@" not in name and not index.has("traefik.io", kind, space, name):
        yield missing(index, space, (*path, "name"), f"{kind} '{name}' in '{space}'", "Traefik drops the route")


def route_service(
    index: Index, namespace: str, reference: Value, path: Path, *, tcp: bool = False
) -> Iterator[Problem]:
    """A Service, or another kind that balances, and its port."""
    name, space = text(reference.get("name")), text(reference.get("namespace")) or namespace
    if not name or "@" in name:
        return
    if text(reference.get("kind")) == "TraefikService":
        yield from _traefik(index, namespace, "TraefikService", reference, path)
        return
    if (space, name) not in index.services:
        if not index.has("", "Service", space, name):
            yield missing(index, space, (*path, "name"), f"Service '{name}' in '{space}'", "Traefik drops the route")
        return
    ports, port = index.services[space, name], reference.get("port")
    if ports is not None and isinstance(port, (str, int)) and port not in ports:
        yield Problem(
            "V062",
            (*path, "port"),
            f"the Service '{name}' has no port '{port}'",
            f"it has {', '.join(map(str, sorted(ports, key=str)))}",
        )
    transport = text(reference.get("serversTransport"))
    if transport:
        kind = "ServersTransportTCP" if tcp else "ServersTransport"
        yield from _traefik(index, namespace, kind, {"name": transport}, (*path, "serversTransport"))


@references_of("traefik.io", "Middleware")
def middleware_references(manifest: Manifest, index: Index) -> Iterator[Problem]:
    namespace, spec = manifest.identity.namespace, manifest.spec
    for number, reference in entries(mapping(spec.get("chain")).get("middlewares")):
        yield from _traefik(index, namespace, "Middleware", reference, ("spec", "chain", "middlewares", number))
    for kind in ("basicAuth", "digestAuth"):
        yield from secret(index, namespace, {"name": mapping(spec.get(kind)).get("secret")}, ("spec", kind, "secret"))
    service = mapping(mapping(spec.get("errors")).get("service"))
    if service:
        yield from route_service(index, namespace, service, ("spec", "errors", "service"))


@references_of("traefik.io", "TLSOption")
def authorities(manifest: Manifest, index: Index) -> Iterator[Problem]:
    names = mapping(manifest.spec.get("clientAuth")).get("secretNames")
    for number, name in enumerate(names if isinstance(names, list) else []):
        path = ("spec", "clientAuth", "secretNames", number)
        yield from secret(index, manifest.identity.namespace, {"name": name}, path)


@references_of("traefik.io", "TLSStore")
def default_certificate(manifest: Manifest, index: Index) -> Iterator[Problem]:
    name = mapping(manifest.spec.get("defaultCertificate")).get("secretName")
    yield from secret(index, manifest.identity.namespace, {"name": name}, ("spec", "defaultCertificate", "secretName"))
