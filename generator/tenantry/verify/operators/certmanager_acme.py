"""Certificates that an ACME issuer of the tree can't issue (pkg/controller/certificaterequests/acme, acmeorders; v1.21.2)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.verify.index import Index, not_in_cluster
from tenantry.verify.registration import references_of


def _issuer(manifest: Manifest, index: Index) -> Manifest | None:
    reference = mapping(manifest.spec.get("issuerRef"))
    if text(reference.get("group")) not in ("", "cert-manager.io"):
        return None
    kind = text(reference.get("kind")) or "Issuer"
    namespace = manifest.identity.namespace if kind == "Issuer" else ""
    return index.get("cert-manager.io", kind, namespace, text(reference.get("name")))


@references_of("cert-manager.io", "Certificate")
def issuable(manifest: Manifest, index: Index) -> Iterator[Problem]:
    issuer = _issuer(manifest, index)
    acme = mapping(issuer.spec.get("acme")) if issuer is not None else {}
    if issuer is None or not acme:
        return
    spec = manifest.spec
    names = [str(name) for name in items(spec.get("dnsNames"))]
    common = text(spec.get("commonName"))
    if common and common not in (*names, *map(str, items(spec.get("ipAddresses")))):
        message = f"{issuer.identity} is an ACME one, which asks that the commonName '{common}' is in dnsNames too"
        yield Problem("V046", ("spec", "commonName"), message, "add it to dnsNames")
    solvers = [solver for _, solver in entries(acme.get("solvers"))]
    for number, name in enumerate(names):
        path: Path = ("spec", "dnsNames", number)
        fitting = [solver for solver in solvers if _takes(solver, name, manifest)]
        if not fitting:
            yield Problem(
                "V046", path, f"no solver of {issuer.identity} is for '{name}', so it is never issued", "add one"
            )
        elif name.startswith("*.") and not any("dns01" in solver for solver in fitting):
            message = f"'{name}' needs a DNS-01 solver, and {issuer.identity} has none for it, so it is never issued"
            yield Problem("V046", path, message, "add a solver with dns01")


def _takes(solver: Value, name: str, certificate: Manifest) -> bool:
    """Whether the selector of a solver takes a name; without one it takes all (pkg/controller/acmeorders/selectors)."""
    selector = mapping(solver.get("selector"))
    if any(certificate.labels.get(key) != value for key, value in mapping(selector.get("matchLabels")).items()):
        return False
    wanted, zones = items(selector.get("dnsNames")), items(selector.get("dnsZones"))
    if not wanted and not zones:
        return True
    bare = name.removeprefix("*.")
    return name in wanted or any(bare == zone or bare.endswith(f".{zone}") for zone in map(str, zones))


_ASKED = {"cert-manager.io/cluster-issuer": "ClusterIssuer", "cert-manager.io/issuer": "Issuer"}


@references_of("networking.k8s.io", "Ingress")
def shimmed(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Certificates that cert-manager makes for an Ingress (pkg/controller/certificate-shim)."""
    namespace, group = manifest.identity.namespace, manifest.annotations.get("cert-manager.io/issuer-group")
    given = [key for key in _ASKED if manifest.annotations.get(key)]
    if len(given) > 1:
        path: Path = ("metadata", "annotations", given[0])
        yield Problem(
            "V046", path, f"{given[0]} and {given[1]} exclude each other, so no certificate is made", "keep one"
        )
    for key in given if group in (None, "cert-manager.io") else []:
        kind, name = _ASKED[key], text(manifest.annotations[key])
        space = namespace if kind == "Issuer" else ""
        if not index.has("cert-manager.io", kind, space, name):
            known = bool(index.of("cert-manager.io", kind)) or index.partial
            yield not_in_cluster(known, ("metadata", "annotations", key), f"{kind} '{name}'")
    for number, tls in entries(manifest.spec.get("tls")) if given else []:
        secret = text(tls.get("secretName"))
        owner = next((m for m in index.secret_makers_of(namespace, secret) if m.identity.kind == "Certificate"), None)
        if owner is not None and owner.identity.name != secret:
            message = f"{owner.identity} writes the Secret '{secret}' too, so each undoes the other's work"
            yield Problem(
                "V054", ("spec", "tls", number, "secretName"), message, "remove the annotation, or the Certificate"
            )
