"""Passwords of roles: the Secret names the role that it is for (internal/management/controller/roles, v1.30.0)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Problem, entries, mapping, text
from tenantry.verify.index import Index
from tenantry.verify.operators.cloudnativepg.rules import GROUP
from tenantry.verify.registration import references_of


@references_of(GROUP, "Cluster")
def managed_roles(manifest: Manifest, index: Index) -> Iterator[Problem]:
    """The names in the Secrets of managed roles, and of the first owner."""
    for number, role in entries(mapping(manifest.spec.get("managed")).get("roles")):
        path: Path = ("spec", "managed", "roles", number, "passwordSecret")
        yield from _named(
            index, manifest, text(mapping(role.get("passwordSecret")).get("name")), text(role.get("name")), path
        )
    initdb = mapping(mapping(manifest.spec.get("bootstrap")).get("initdb"))
    if initdb.get("owner"):
        name = text(mapping(initdb.get("secret")).get("name"))
        yield from _named(index, manifest, name, text(initdb["owner"]), ("spec", "bootstrap", "initdb", "secret"))


@references_of(GROUP, "DatabaseRole")
def role(manifest: Manifest, index: Index) -> Iterator[Problem]:
    name = text(mapping(manifest.spec.get("passwordSecret")).get("name"))
    yield from _named(index, manifest, name, text(manifest.spec.get("name")), ("spec", "passwordSecret"))


def _named(index: Index, manifest: Manifest, secret: str, wanted: str, path: Path) -> Iterator[Problem]:
    found = index.get("", "Secret", manifest.identity.namespace, secret) if secret else None
    given = _value(found, "username") if found is not None else ""
    if given and wanted and given != wanted:
        message = f"the username in the Secret '{secret}' is another role than '{wanted}', so the password is never set"
        yield Problem("V061", path, message, f"write username: {wanted}")


def _value(secret: Manifest, key: str) -> str:
    """A value of a Secret; empty where it can't be read."""
    plain = text(mapping(secret.value.get("stringData")).get(key))
    try:
        return plain or base64.b64decode(text(mapping(secret.value.get("data")).get(key)), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
