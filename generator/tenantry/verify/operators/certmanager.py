"""What cert-manager's webhook refuses: internal/apis/certmanager/validation, v1.21.2."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.codes import Code, declare
from tenantry.core.manifest import Manifest, Problem, Value, entries, mapping, text
from tenantry.verify import values
from tenantry.verify.index import Index, not_in_cluster
from tenantry.verify.registration import Keys, makes_secrets, references_of, rule_for

declare(
    Code("V046", "cert-manager rejects", "Invalid durations, keys, subjects or issuers."),
)

_DEFAULT_DURATION = 2160 * 3600.0
_ISSUERS = ("acme", "ca", "selfSigned", "vault", "venafi")
_SUBJECTS = ("commonName", "literalSubject", "dnsNames", "ipAddresses", "uris", "emailAddresses", "otherNames")


@rule_for("cert-manager.io", "Certificate")
def certificate(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.spec
    if not any(spec.get(name) for name in _SUBJECTS):
        yield Problem("V046", ("spec",), "a Certificate needs dnsNames, commonName or another subject")
    duration = values.duration(spec.get("duration")) if "duration" in spec else _DEFAULT_DURATION
    if duration is None:
        yield Problem("V046", ("spec", "duration"), f"'{spec['duration']}' is no duration", "write it like 2160h")
    elif duration < 3600:
        yield Problem("V046", ("spec", "duration"), "at least 1h")
    yield from _renewal(spec, duration)
    key = mapping(spec.get("privateKey"))
    yield from _key(str(key.get("algorithm", "RSA")), key.get("size"))
    if not mapping(spec.get("issuerRef")).get("name"):
        yield Problem("V046", ("spec", "issuerRef", "name"), "a name is needed")
    if len(str(spec.get("commonName", "")).encode()) > 64:
        yield Problem("V046", ("spec", "commonName"), "at most 64 bytes")


def _renewal(spec: Value, duration: float | None) -> Iterator[Problem]:
    if "renewBefore" not in spec:
        return
    renew = values.duration(spec["renewBefore"])
    path = ("spec", "renewBefore")
    if renew is None:
        yield Problem("V046", path, f"'{spec['renewBefore']}' is no duration", "write it like 360h")
    elif renew < 300:
        yield Problem("V046", path, "at least 5m")
    elif duration is not None and renew >= duration:
        yield Problem("V046", path, f"renewBefore {spec['renewBefore']} is not below the duration")
    if "renewBeforePercentage" in spec:
        yield Problem("V046", ("spec", "renewBeforePercentage"), "excludes renewBefore")


def _key(algorithm: str, size: object) -> Iterator[Problem]:
    path = ("spec", "privateKey", "size")
    if not isinstance(size, int) or size == 0:
        return
    if algorithm == "RSA" and not 2048 <= size <= 8192:
        yield Problem("V046", path, f"an RSA key has 2048 to 8192 bits, not {size}")
    if algorithm == "ECDSA" and size not in (256, 384, 521):
        yield Problem("V046", path, f"an ECDSA key has 256, 384 or 521 bits, not {size}")


@rule_for("cert-manager.io", "ClusterIssuer", "Issuer")
def issuer(manifest: Manifest) -> Iterator[Problem]:
    kinds = [name for name in _ISSUERS if name in manifest.spec]
    if len(kinds) != 1:
        yield Problem("V046", ("spec",), f"an issuer has exactly one of {', '.join(_ISSUERS)}, not {len(kinds)}")


@references_of("cert-manager.io", "Certificate")
def issued_by(manifest: Manifest, index: Index) -> Iterator[Problem]:
    reference = mapping(manifest.spec.get("issuerRef"))
    if text(reference.get("group")) not in ("", "cert-manager.io"):
        return
    kind, name = text(reference.get("kind")) or "Issuer", text(reference.get("name"))
    namespace = manifest.identity.namespace if kind == "Issuer" else ""
    if name and not index.has("cert-manager.io", kind, namespace, name):
        known = index.of("cert-manager.io", kind) or index.partial or (namespace and index.makes_namespace(namespace))
        yield not_in_cluster(bool(known), ("spec", "issuerRef", "name"), f"{kind} '{name}'")


def _certificate_keys(spec: Value) -> Keys:
    keys = {"tls.crt", "tls.key", "ca.crt"}
    for _, output in entries(spec.get("additionalOutputFormats")):
        keys.add({"CombinedPEM": "tls-combined.pem", "DER": "key.der"}.get(text(output.get("type")), ""))
    for store, names in (("jks", ("keystore.jks", "truststore.jks")), ("pkcs12", ("keystore.p12", "truststore.p12"))):
        if mapping(mapping(spec.get("keystores")).get(store)).get("create"):
            keys.update(names)
    return frozenset(keys)


@makes_secrets("cert-manager.io", "Certificate", own_name=True)
def certificate_secret(manifest: Manifest) -> Iterator[tuple[str, Keys]]:
    """Key and certificate."""
    yield text(manifest.spec.get("secretName")), _certificate_keys(manifest.spec)


@makes_secrets("cert-manager.io", "ClusterIssuer", "Issuer")
def account_key(manifest: Manifest) -> Iterator[tuple[str, Keys]]:
    """The key of the account at an ACME server."""
    yield text(mapping(mapping(manifest.spec.get("acme")).get("privateKeySecretRef")).get("name")), None
