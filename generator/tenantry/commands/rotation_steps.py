"""What a person does to replace a credential or a certificate, without a request that fails."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tenantry.core.secret_values import SecretValue
from tenantry.model.credential import Credential, suffix

_NOW = '"$(date +%s)"'


def by_generation(tenant: str, field: str, given: Credential, place: str, properties: Sequence[str], known: SecretValue | None) -> list[str]:  # fmt: skip
    """Two values work at once: the next is accepted, then used, then the one before is refused. In between, what is left."""
    now, following = given.generation, given.generation + 1
    if given.also is not None and given.also > now:
        following = given.also
    if given.also is not None and given.also < now:
        return [
            _set(tenant, field, {"generation": now}, "once no Pod of before is left"),
            *_old(place, properties, given.also),
        ]
    steps = [
        f"write {_named(properties, following)} to {place}, beside what is there{_how(known)}",
        _set(tenant, field, {"generation": now, "also": following}, "then both work, once cell and infra are synced"),
    ]
    steps = steps if given.also is None else []
    return [
        *steps,
        _set(tenant, field, {"generation": following, "also": now}, "then new Pods take the place of the old ones"),
        _set(tenant, field, {"generation": following}, "once no Pod of before is left"),
        *_old(place, properties, now),
    ]


def _set(tenant: str, field: str, value: dict[str, int], then: str) -> str:
    return f"tenantry set {tenant} 'spec.{field}={json.dumps(value)}'; tenantry render; commit: {then}"


def _old(place: str, properties: Sequence[str], generation: int) -> list[str]:
    return [f"revoke {_named(properties, generation)} where it was issued, and remove it from {place}"]


def _named(properties: Sequence[str], generation: int) -> str:
    return " and ".join(f"{name}{suffix(generation)}" for name in properties)


def _how(known: SecretValue | None) -> str:
    return f" ({known.source}: {known.how})" if known is not None else ""


def asked_for(place: str, properties: Sequence[str], known: SecretValue | None, readers: Sequence[tuple[str, str]], pods: str) -> list[str]:  # fmt: skip
    """One value works at a time: all readers are asked together, the server's first; meanwhile new connections wait."""
    read = [
        f"kubectl annotate externalsecret -n {space} {name} force-sync={_NOW} --overwrite" for space, name in readers
    ]
    now = [f"kubectl annotate pods -n {pods} -l app.kubernetes.io/name=odoo tenantry.io/read-again={_NOW} --overwrite"]
    wrote = (
        f"write {' and '.join(properties)} to {place}, in the place of what is there{_how(known)}: nobody reads it yet"
    )
    return [wrote, *read, *(now if pods else [])]


def by_itself(place: str, properties: Sequence[str], known: SecretValue | None, interval: str) -> list[str]:
    """The old value goes on working until it is revoked where it was issued."""
    names = " and ".join(properties)
    return [
        f"write a new {names} to {place}{_how(known)}",
        f"wait for {interval} and two minutes: then every reader has it",
        "revoke the old one where it was issued",
    ]


def authority(cluster: str, namespace: str, secret: str, certificates: Sequence[tuple[str, str]]) -> list[str]:
    """Both are trusted from before the first certificate of the new one until the last of the old one is gone."""
    file = f"platform/clusters/{cluster}.yaml"
    renew = [f"cmctl renew -n {space} {name}" for space, name in certificates]
    return [
        f"write the certificates of the old and the new one to spec.trustedAuthorities of {file}; tenantry render; commit: "
        "Odoo's Pods trust both, once they are replaced",
        f"replace certificate and key in the Secret {secret} of the namespace {namespace}",
        *renew,
        f"remove spec.trustedAuthorities from {file}; tenantry render; commit: once every certificate is renewed",
    ]


def certificate(namespace: str, name: str) -> list[str]:
    """cert-manager renews in time; this is for a key that may have leaked."""
    return [f"cmctl renew -n {namespace} {name}"]
