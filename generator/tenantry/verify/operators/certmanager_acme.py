"""Certificates that an ACME issuer of the tree can't issue (pkg/controller/certificaterequests/acme, acmeorders; v1.21.2)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, Value, entries, items, mapping, text
from tenantry.verify.index import Index
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
