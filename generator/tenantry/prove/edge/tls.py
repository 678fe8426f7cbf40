"""EDGE-05 (certificates, TLS options) and the switches of Traefik itself, on which EDGE-02 to EDGE-05 stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tenantry.core.manifest import Manifest, Path, Value, dig, items, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.edge.routes import Route, read
from tenantry.prove.probes import LONGEST_REQUEST
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof


@proof("EDGE-05")
def certificates(state: State) -> Iterator[Breach]:
    """Names and issuers of certificates."""
    issuers = state.promises.platform.issuers
    for manifest in state.of("cert-manager.io", "Certificate"):
        home = state.home(manifest)
        if home is None:
            continue
        own = home.instance.certificates if home.instance else {}
        host = own.get(text(manifest.spec.get("secretName")), "")
        public, allowed = bool(host), {host} - {""}
        for number, name in enumerate(map(text, items(manifest.spec.get("dnsNames")))):
            if name not in allowed and (public or not _inside(name, home)):
                message = f"the certificate is for '{name}' too, " + (
                    "and one name that can't be issued would keep it from being"
                    if name in _hosts(home)
                    else f"which is not {home}'s"
                )
                yield breach(
                    manifest,
                    "EDGE-05",
                    ("spec", "dnsNames", number),
                    message,
                    f"dnsNames: [{host}]" if host else "name own Services only",
                    tenant=home.tenant,
                )
        given = set(map(text, items(manifest.spec.get("dnsNames"))))
        for name in sorted(allowed - given):
            message = f"the certificate is not for '{name}', so browsers refuse {home} there"
            yield breach(
                manifest, "EDGE-05", ("spec", "dnsNames"), message, f"add '{name}' to dnsNames", tenant=home.tenant
            )
        common = text(manifest.spec.get("commonName"))
        if common and common not in allowed | {home.namespace}:
            message = f"the certificate is for '{common}', which is not {home}'s"
            yield breach(
                manifest,
                "EDGE-05",
                ("spec", "commonName"),
                message,
                f"commonName: {home.namespace}",
                tenant=home.tenant,
            )
        wanted = issuers.public if public else issuers.internal
        issuer = mapping(manifest.spec.get("issuerRef"))
        if (issuer.get("kind"), issuer.get("name")) != ("ClusterIssuer", wanted):
            message = f"the certificate comes from {issuer.get('kind')} '{issuer.get('name')}'"
            yield breach(
                manifest,
                "EDGE-05",
                ("spec", "issuerRef"),
                message,
                f"ClusterIssuer '{wanted}' is meant",
                tenant=home.tenant,
            )
        if manifest.spec.get("isCA"):
            message = "the certificate could sign others, for any name"
            yield breach(manifest, "EDGE-05", ("spec", "isCA"), message, "remove it", tenant=home.tenant)


def _hosts(home: Home) -> tuple[str, ...]:
    return (*home.instance.hosts, home.instance.api_host) if home.instance else ()


def _inside(name: str, home: Home) -> bool:
    """Names of Services of the own namespace, as Pods inside of the cluster call them."""
    service, _, rest = name.removeprefix("*.").partition(".")
    return bool(service) and rest in (
        "",
        home.namespace,
        f"{home.namespace}.svc",
        f"{home.namespace}.svc.cluster.local",
    )


@proof("EDGE-04", "EDGE-05")
def options(state: State) -> Iterator[Breach]:
    """TLS of routes: own certificate, one option a host, strict."""
    for manifest in state.of("traefik.io", "TLSStore"):
        if state.home(manifest):
            yield breach(
                manifest,
                "EDGE-05",
                ("kind",),
                "a tenant's TLSStore could set the certificate of all hosts",
                "remove it",
            )
    for manifest in state.of("traefik.io", "TLSOption"):
        yield from _option(manifest)
    chosen: dict[str, tuple[str, Manifest]] = {}
    routes, _ = read(state)
    for route in routes:
        home = state.home(route.manifest)
        if home is None or "web" in route.entry_points:
            continue
        yield from _certificate_of(route.manifest, home)
        yield from _one_option(route, home, chosen)


def _certificate_of(manifest: Manifest, home: Home) -> Iterator[Breach]:
    tls = mapping(manifest.spec.get("tls"))
    own = home.instance.certificates if home.instance else {}
    if tls.get("secretName") not in own:
        message = f"the route's certificate is {tls.get('secretName') or 'whatever Traefik has'}"
        hint = f"secretName: {next(iter(own), 'odoo-tls')}"
        yield breach(manifest, "EDGE-05", ("spec", "tls"), message, hint, tenant=home.tenant)
    for field in ("certResolver", "domains", "store"):
        if tls.get(field):
            yield breach(
                manifest,
                "EDGE-05",
                ("spec", "tls", field),
                f"{field} gets certificates without cert-manager",
                "remove it",
                tenant=home.tenant,
            )


def _one_option(route: Route, home: Home, chosen: dict[str, tuple[str, Manifest]]) -> Iterator[Breach]:
    """One TLS option per host: with two, Traefik falls back to the default one."""
    option = text(dig(route.manifest.spec, "tls", "options", "name"))
    for host in route.hosts or ():
        name, first = chosen.setdefault(host, (option, route.manifest))
        if name != option:
            message = (
                f"the host '{host}' has the TLS option '{option or 'default'}' here and '{name or 'default'}' in {first.identity.name}: "
                "Traefik falls back to the default one, which asks for no client certificate"
            )
            yield breach(
                route.manifest,
                "EDGE-05",
                ("spec", "tls", "options"),
                message,
                "use one option per host",
                tenant=home.tenant,
            )


def _option(manifest: Manifest) -> Iterator[Breach]:
    spec = manifest.spec
    if spec.get("minVersion") not in ("VersionTLS12", "VersionTLS13"):
        yield breach(
            manifest,
            "EDGE-05",
            ("spec", "minVersion"),
            f"takes {spec.get('minVersion') or 'old versions of TLS'}",
            "VersionTLS12",
        )
    if spec.get("sniStrict") is not True:
        yield breach(
            manifest,
            "EDGE-05",
            ("spec", "sniStrict"),
            "answers names for which it has no certificate",
            "sniStrict: true",
        )
    client = mapping(spec.get("clientAuth"))
    if client and client.get("clientAuthType") != "RequireAndVerifyClientCert":
        path: Path = ("spec", "clientAuth", "clientAuthType")
        message = f"client certificates are asked for, but not demanded and verified ({client.get('clientAuthType')})"
        yield breach(manifest, "EDGE-04", path, message, "RequireAndVerifyClientCert")
    for number, secret in enumerate(map(text, items(client.get("secretNames")))):
        if secret != "api-clients-ca":  # noqa: S105 - a name
            path = ("spec", "clientAuth", "secretNames", number)
            yield breach(
                manifest, "EDGE-04", path, f"trusts the authority in '{secret}'", "api-clients-ca is the tenant's own"
            )


_CRD = ("providers", "kubernetesCRD")
_SWITCHES: tuple[tuple[str, tuple[str, ...], Any, str], ...] = (
    ("EDGE-02", (*_CRD, "allowCrossNamespace"), False, "routes may refer to other namespaces"),
    ("EDGE-02", (*_CRD, "allowExternalNameServices"), False, "Services may lead anywhere by name"),
    ("EDGE-02", (*_CRD, "crossProviderNamespaces"), [], "routes may use api@internal and other providers"),
    (
        "EDGE-02",
        (*_CRD, "defaultTLSResourcesNamespace"),
        "traefik",
        "a default TLS option in any namespace applies to all",
    ),
    ("EDGE-02", (*_CRD, "safeNaming"), True, "names of two namespaces can collide"),
    ("EDGE-05", ("core", "strictTLSOptions"), True, "two TLS options on one host turn client certificates off"),
    ("EDGE-04", ("api", "dashboard"), False, "Traefik's dashboard is served"),
)
_POINT_SWITCHES: tuple[tuple[str, tuple[str, ...], Any, str], ...] = (
    (
        "EDGE-03",
        ("http", "encodedCharacters", "allowEncodedSlash"),
        False,
        "%2F hides the database manager from the rules",
    ),
    ("EDGE-03", ("http", "encodedCharacters", "allowEncodedBackSlash"), False, "%5C bypasses the rules"),
    ("EDGE-03", ("http", "encodedCharacters", "allowEncodedNullCharacter"), False, "%00 bypasses the rules"),
    (
        "EDGE-04",
        ("http", "aliasHeadersStrategy"),
        "delete",
        "headers like X_Forwarded_Host reach Odoo as X-Forwarded-Host",
    ),
)
_PROVIDERS = frozenset({"kubernetesCRD"})


@proof("EDGE-02", "EDGE-03", "EDGE-04", "EDGE-05")
def switches(state: State) -> Iterator[Breach]:
    """Traefik's own configuration."""
    space = state.promises.platform.namespaces.traefik
    manifest = state.get("", "ConfigMap", space, "traefik-static")
    if manifest is None:
        return
    path: Path = ("data", "traefik.yaml")
    try:
        static = yaml.safe_load(text(dig(manifest.value, "data", "traefik.yaml")))
    except yaml.YAMLError as error:
        yield breach(manifest, "EDGE-02", path, f"can't be read: {error}", "write YAML", tenant="")
        return
    balancer = sorted(state.cluster.traefik.balancer_cidrs)
    wrong = (
        *_wrong_switches(mapping(static), space),
        *_wrong_points(mapping(static), balancer),
        *_wrong_plugins(mapping(static), state.cluster.traefik.firewall_module),
    )
    for control, message, hint in wrong:
        yield breach(manifest, control, path, message, hint, tenant="")


def _wrong_plugins(static: Value, firewall: str) -> Iterator[tuple[str, str, str]]:
    """Plugins: the firewall of the edge's image, and no other. One that can't be fetched or loaded takes every route that
    names it away, unless Traefik ends at once (cmd/traefik/traefik.go, v3.7)."""
    for name in mapping(dig(static, "experimental", "plugins")):
        message = f"the plugin '{name}' is fetched when Traefik starts: what runs has not been reviewed"
        yield "EDGE-04", message, "build it into the edge's image, as a local plugin"
    local = mapping(dig(static, "experimental", "localPlugins"))
    given = {name: text(mapping(value).get("moduleName")) for name, value in local.items()}
    wanted = {"coraza": firewall} if firewall else {}
    if given != wanted:
        message = (
            f"local plugins are {', '.join(given.values()) or 'missing'}; the edge's image has {firewall or 'none'}"
        )
        yield "EDGE-04", message, f"experimental.localPlugins: {wanted}"
    elif given and dig(static, "experimental", "abortOnPluginFailure") is not True:
        message = "experimental.abortOnPluginFailure is off: without its plugin, Traefik serves no route that names the firewall"
        yield "EDGE-04", message, "experimental.abortOnPluginFailure: true"


def _wrong_points(static: Value, balancer: list[str]) -> Iterator[tuple[str, str, str]]:
    """How entry points learn the client's address, and for how long they wait."""
    for name, point in mapping(static.get("entryPoints")).items():
        if name == "metrics":
            continue
        proxy, where = mapping(dig(point, "proxyProtocol")), f"entryPoints.{name}"
        if proxy.get("insecure") or sorted(map(text, items(proxy.get("trustedIPs")))) != balancer:
            whom = (
                "anybody" if proxy.get("insecure") else ", ".join(map(text, items(proxy.get("trustedIPs")))) or "nobody"
            )
            message = f"{where}.proxyProtocol believes {whom} for the client's address, which limits and lists rely on"
            yield "EDGE-04", message, f"trustedIPs: {balancer}" if balancer else "no proxyProtocol"
        if mapping(dig(point, "forwardedHeaders")):
            yield "EDGE-04", f"{where}.forwardedHeaders believes headers about the client's address", "remove it"
        read, grace = (
            _seconds(dig(point, "transport", *keys))
            for keys in (("respondingTimeouts", "readTimeout"), ("lifeCycle", "graceTimeOut"))
        )
        if not read or read < LONGEST_REQUEST:
            yield (
                "EDGE-04",
                f"{where}: an upload is cut after {read or 60} seconds",
                "transport.respondingTimeouts.readTimeout: 300s",
            )
        if not grace or grace < LONGEST_REQUEST:
            yield (
                "EDGE-04",
                f"{where}: a rollout of the edge cuts requests after {grace or 10} seconds",
                "transport.lifeCycle.graceTimeOut: 300s",
            )


def _seconds(value: object) -> int | None:
    found = re.fullmatch(r"([0-9]{1,6})s", text(value))
    return int(found[1]) if found else None


def _wrong_switches(static: Value, space: str) -> Iterator[tuple[str, str, str]]:
    """(control, what is wrong, what is right)."""
    for control, where, wanted, why in _SWITCHES:
        right = space if where[-1] == "defaultTLSResourcesNamespace" else wanted
        if dig(static, *where) != right:
            yield control, f"{'.'.join(where)} is {dig(static, *where)!r}: {why}", f"{'.'.join(where)}: {right!r}"
    if dig(static, "api", "insecure"):
        yield "EDGE-04", "api.insecure: the API answers without a login", "remove it"
    for provider in sorted(set(mapping(static.get("providers"))) - _PROVIDERS):
        yield "EDGE-02", f"the provider {provider} provides routes that no proof reads", "remove it"
    for name, point in mapping(static.get("entryPoints")).items():
        if name == "metrics":  # only Prometheus reaches it
            continue
        for control, where, wanted, why in _POINT_SWITCHES:
            if dig(point, *where) != wanted:
                yield (
                    control,
                    f"entryPoints.{name}.{'.'.join(where)} is {dig(point, *where)!r}: {why}",
                    f"{where[-1]}: {wanted!r}",
                )
