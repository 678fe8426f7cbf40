"""Hosts that no Certificate of the tree is for, though their route names one (RFC 6125: `*` stands for one label)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, entries, items, mapping, text
from tenantry.verify.index import Index
from tenantry.verify.operators.traefik_guards import named_hosts
from tenantry.verify.registration import references_of

_CERTIFICATE = "Certificate"


def _names(index: Index, namespace: str, secret: str) -> frozenset[str] | None:
    """Names of a Certificate that makes a Secret; None when something else does, or nothing that is known."""
    makers = index.secret_makers_of(namespace, secret)
    if len(makers) != 1 or makers[0].identity.kind != _CERTIFICATE:
        return None
    given = (*items(makers[0].spec.get("dnsNames")), makers[0].spec.get("commonName"))
    return frozenset(text(name).lower() for name in given) - {""}


def _is_for(host: str, names: frozenset[str]) -> bool:
    wildcard = f"*.{host.partition('.')[2]}"
    return host.lower() in names or wildcard.lower() in names


def _everything(index: Index) -> frozenset[str]:
    """Names of all Certificates: Traefik takes any that it was given for a host, whichever route named it."""
    found = {
        text(name).lower()
        for manifest in index.of("cert-manager.io", _CERTIFICATE)
        for name in (*items(manifest.spec.get("dnsNames")), manifest.spec.get("commonName"))
    }
    return frozenset(found - {""})


@references_of("traefik.io", "IngressRoute")
def of_routes(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Hosts of an IngressRoute whose Secret a Certificate of the tree makes."""
    secret = text(mapping(manifest.spec.get("tls")).get("secretName"))
    names = _names(index, manifest.identity.namespace, secret) if secret else None
    for host in named_hosts(manifest, index) if names is not None else ():
        if not _is_for(host, names or frozenset()) and not _is_for(host, index.once(_everything)):
            yield _wrong(("spec", "tls", "secretName"), secret, host, names or frozenset())


@references_of("networking.k8s.io", "Ingress")
def of_ingresses(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """Hosts of an Ingress that stand beside the Secret."""
    if any(str(key).startswith("cert-manager.io/") for key in manifest.annotations):
        return  # cert-manager makes the certificate for these hosts
    for number, tls in entries(manifest.spec.get("tls")):
        secret = text(tls.get("secretName"))
        names = _names(index, manifest.identity.namespace, secret) if secret else None
        for place, host in enumerate(map(text, items(tls.get("hosts")))):
            if names is not None and host and not _is_for(host, names):
                yield _wrong(("spec", "tls", number, "hosts", place), secret, host, names)


def _wrong(path: Path, secret: str, host: str, names: frozenset[str]) -> Problem:
    shown = ", ".join(sorted(names)) or "nobody"
    message = f"the Certificate of the Secret '{secret}' is for {shown}, not for '{host}', so browsers refuse it there"
    return Problem("V077", path, message, "add the host to its dnsNames", "warning")
