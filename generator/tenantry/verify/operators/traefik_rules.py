"""Routes and middlewares that Traefik drops or that never match: pkg/muxer, pkg/middlewares and pkg/provider/kubernetes/crd, v3.7.13."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core import addresses
from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.engine.languages import Matcher, Refusal, Rule
from tenantry.verify import values
from tenantry.verify.index import Index, pod_specs
from tenantry.verify.operators.traefik import route_service
from tenantry.verify.registration import references_of, rule_for

_GROUP = "traefik.io"
_V2_PATTERN = re.compile(r"(?<!\\[pPx])\{[a-zA-Z_][a-zA-Z0-9_]{0,62}(?::[^{}]{0,200})?\}")
_COUNTED = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")


def _matchers(rule: Rule) -> Iterator[Matcher]:
    if isinstance(rule, Matcher):
        yield rule
    else:
        for part in rule.parts:
            yield from _matchers(part)


@references_of(_GROUP, "IngressRoute")
def matches(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Matchers that are read, but that no request can meet."""
    for number, content in entries(manifest.spec.get("routes")):
        rule = index.readings.rules.get(text(content.get("match")))
        if rule is None or isinstance(rule, Refusal) or content.get("syntax") == "v2":
            continue
        for matcher in _matchers(rule):
            look = None if matcher.negated else _NEVER.get(matcher.name)
            why = next(filter(None, map(look, matcher.arguments)), "") if look is not None else ""
            if why:
                yield Problem("V042", ("spec", "routes", number, "match"), why, "see the rules of Traefik 3")


def _no_host(host: str) -> str:
    if "://" in host or "/" in host:
        return f"Host(`{host}`) never matches: a host has neither scheme nor path"
    if re.search(r":[0-9]+$", host):
        return f"Host(`{host}`) never matches: hosts are compared without their port"
    if "*" in host.removeprefix("*.") and host != "*":
        return f"Host(`{host}`) never matches: it takes a host, or one after '*.'; HostRegexp takes others"
    return ""


def _no_path(path: str) -> str:
    if _V2_PATTERN.search(path):
        return f"`{path}` never matches: patterns in braces are of Traefik 2; PathRegexp takes expressions"
    return f"`{path}` never matches what is meant: it takes no '*'" if path.endswith("*") else ""


def _no_pattern(pattern: str) -> str:
    bare = _COUNTED.sub("", pattern)
    return f"`{pattern}` never matches: patterns in braces are of Traefik 2" if _V2_PATTERN.search(bare) else ""


_NEVER = {
    "Host": _no_host,
    "HostRegexp": _no_pattern,
    "Path": _no_path,
    "PathPrefix": _no_path,
    "PathRegexp": _no_pattern,
}


@rule_for(_GROUP, "IngressRouteTCP")
def needs_tls(manifest: Manifest) -> Iterator[Problem]:
    """The name of a host is in the TLS handshake; without one only `*` can match (pkg/server/router/tcp/manager.go)."""
    if isinstance(manifest.spec.get("tls"), dict):
        return
    for number, content in entries(manifest.spec.get("routes")):
        named = re.findall(r"HostSNI(?:Regexp)?\(\s*[`\"]([^`\"]*)", text(content.get("match")))
        if any(name != "*" for name in named):
            message = "HostSNI of a name needs TLS on the route: without it Traefik drops the route"
            yield Problem(
                "V042", ("spec", "routes", number, "match"), message, "add tls: {passthrough: true}, or HostSNI(`*`)"
            )


@rule_for(_GROUP, "Middleware")
def settings(manifest: Manifest) -> Iterator[Problem]:
    """Values that end in an error as the middleware is built, so that its routes are dropped."""
    spec = manifest.spec
    limit = mapping(spec.get("inFlightReq"))
    if "inFlightReq" in spec and not limit.get("amount"):
        yield Problem("V043", ("spec", "inFlightReq"), "an amount of 0 lets no request in", "write how many at a time")
    period = mapping(spec.get("rateLimit")).get("period")
    if isinstance(period, str) and not period.isdigit():
        seconds = values.duration(period)
        if seconds is None or seconds < 0:
            yield Problem("V043", ("spec", "rateLimit", "period"), f"'{period}' is no duration", "write it like 1m")
    for kind in ("ipAllowList", "ipWhiteList"):
        for number, written in enumerate(items(mapping(spec.get(kind)).get("sourceRange"))):
            found = addresses.read_source(str(written))
            if found is not None and found.prefix == 0:
                message = f"'{written}' lets everyone in, so the list is no guard"
                yield Problem("V057", ("spec", kind, "sourceRange", number), message, "name the addresses", "warning")


@references_of(_GROUP, "Middleware")
def credentials(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Secrets of basic and digest authentication have one key, or username and password by their type."""
    for kind in ("basicAuth", "digestAuth"):
        name = text(mapping(manifest.spec.get(kind)).get("secret"))
        secret = index.get("", "Secret", manifest.identity.namespace, name) if name else None
        if secret is None:
            continue
        keys = mapping(secret.value.get("data")).keys() | mapping(secret.value.get("stringData")).keys()
        path = ("spec", kind, "secret")
        if kind == "basicAuth" and secret.value.get("type") == "kubernetes.io/basic-auth":
            if not {"username", "password"} <= keys:
                yield Problem(
                    "V061", path, f"the Secret '{name}' needs username and password: Traefik drops the middleware"
                )
        elif len(keys) != 1:
            message = (
                f"the Secret '{name}' has {len(keys)} keys, and Traefik takes exactly one: it drops the middleware"
            )
            yield Problem("V061", path, message, "leave one key, such as users")


@references_of(_GROUP, "Middleware")
def chained(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A chain that leads back to itself (pkg/server/middleware, recursion detection)."""
    start = (manifest.identity.namespace, manifest.identity.name)
    todo, seen = [start], {start}
    while todo:
        found = index.get(_GROUP, "Middleware", *todo.pop())
        if found is None:
            continue
        for _, reference in entries(mapping(found.spec.get("chain")).get("middlewares")):
            key = text(reference.get("namespace")) or found.identity.namespace, text(reference.get("name"))
            if key == start:
                yield Problem("V043", ("spec", "chain"), "the chain leads back to itself, so Traefik drops it")
                return
            if key not in seen:
                seen.add(key)
                todo.append(key)


@references_of(_GROUP, "TLSOption", "TLSStore")
def one_default(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Of several defaults in different namespaces Traefik takes none (buildTLSOptions, buildTLSStores)."""
    if manifest.identity.name != "default":
        return
    for other in index.of(_GROUP, manifest.identity.kind):
        if other.identity.name == "default" and other.identity.namespace != manifest.identity.namespace:
            message = f"there is a default {manifest.identity.kind} in '{other.identity.namespace}' too, so Traefik takes neither"
            yield Problem("V057", ("metadata", "name"), message, "keep one")
            return


_CIPHERS = frozenset(
    [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
        "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
        "TLS_FALLBACK_SCSV",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_RC4_128_SHA",
    ]
)
"""Names of Go's cipher suites (pkg/tls/cipher.go, CipherSuites)."""
_CURVES = frozenset(
    name
    for curve in (
        ["CurveP256", "CurveP384", "CurveP521", "X25519", "X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"]
    )
    for name in (curve, curve.lower())
    if not name.startswith("curvep")
) | {"secp256r1", "secp384r1", "secp521r1"}
"""Names of key exchanges (pkg/tls/certificate.go, CurveIDs)."""


@rule_for(_GROUP, "TLSOption")
def ciphers(manifest: Manifest) -> Iterator[Problem]:
    """A cipher suite or a key exchange that is unknown makes the option unusable (pkg/tls/tlsmanager.go, buildTLSConfig)."""
    for field, known, what, example in (
        ("cipherSuites", _CIPHERS, "cipher suite", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("curvePreferences", _CURVES, "key exchange", "X25519 or CurveP256"),
    ):
        for number, name in enumerate(items(manifest.spec.get(field))):
            if str(name) not in known:
                message = f"'{name}' is no {what}, so Traefik can't use the options: its hosts answer nobody"
                yield Problem("V043", ("spec", field, number), message, f"write it like {example}")


_CLIENT_CA = ("tls.ca", "ca.crt")


@references_of(_GROUP, "TLSOption")
def client_authorities(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """The Secret of an authority has the key tls.ca or ca.crt (getCABlocks)."""
    for number, name in enumerate(items(mapping(manifest.spec.get("clientAuth")).get("secretNames"))):
        keys = index.secrets.get((manifest.identity.namespace, str(name)))
        if keys is not None and not keys & set(_CLIENT_CA):
            message = f"the Secret '{name}' has neither tls.ca nor ca.crt, so no client is verified"
            yield Problem("V061", ("spec", "clientAuth", "secretNames", number), message)


@references_of(_GROUP, "IngressRoute", "IngressRouteTCP")
def external(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Services that are a name elsewhere, which Traefik does not follow unless it is told to."""
    for number, content in entries(manifest.spec.get("routes")):
        for place, reference in entries(content.get("services")):
            space = text(reference.get("namespace")) or manifest.identity.namespace
            service = index.get("", "Service", space, text(reference.get("name")))
            if service is not None and service.spec.get("type") == "ExternalName" and not index.once(_follows_names):
                message = f"the Service '{reference.get('name')}' is an ExternalName: Traefik drops the route, unless it runs with allowExternalNameServices"
                yield Problem("V042", ("spec", "routes", number, "services", place), message, "", "warning")


def _follows_names(index: Index) -> bool:
    """Whether the tree runs a Traefik that follows ExternalNames."""
    for kind in ("DaemonSet", "Deployment"):
        for manifest in index.of("apps", kind):
            for _, _, spec in pod_specs(manifest):
                for _, container in entries(spec.get("containers")):
                    given = " ".join(map(str, items(container.get("args")))).lower()
                    if "allowexternalnameservices" in given and "allowexternalnameservices=false" not in given:
                        return True
    return any("allowExternalNameServices: true" in str(m.spec) for m in index.of("helm.cattle.io", "HelmChart"))


@references_of(_GROUP, "TraefikService")
def balanced(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """A TraefikService: the Services that it weighs, mirrors to or falls back on."""
    namespace = manifest.identity.namespace
    for path, reference in _parts(manifest.spec):
        yield from route_service(index, namespace, reference, path)


def _parts(spec: Value) -> Iterator[tuple[Path, Value]]:
    for kind, field in (("weighted", "services"), ("mirroring", "mirrors"), ("highestRandomWeight", "services")):
        for number, reference in entries(mapping(spec.get(kind)).get(field)):
            yield ("spec", kind, field, number), reference
    if mapping(spec.get("mirroring")).get("name"):
        yield ("spec", "mirroring"), mapping(spec["mirroring"])
    for field in ("service", "fallback"):
        if reference := mapping(mapping(spec.get("failover")).get(field)):
            yield ("spec", "failover", field), reference
