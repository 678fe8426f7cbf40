"""What the secret store must hold, by the last part of a path and the property: what it is for, and where it comes from.

The values themselves are never read. Every property that a rendered ExternalSecret asks for is listed here, held by a
test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_GENERATION = re.compile(r"-[0-9]{1,4}\Z")
_RANDOM = "openssl rand -hex 32"
"""256 bits, of characters that mean nothing in URLs, configuration files, shells and SQL."""


@dataclass(frozen=True, slots=True)
class SecretValue:
    """One property. `source` is who provides the value, `how` a command that makes it or a description."""

    purpose: str
    source: str
    how: str


def _generated(purpose: str) -> SecretValue:
    return SecretValue(purpose, "platform team", _RANDOM)


def _issued(purpose: str, how: str) -> SecretValue:
    return SecretValue(purpose, "object storage administrator", how)


def _read_only(what: str) -> SecretValue:
    purpose = f"how Argo CD reads the fleet's repository: {what}"
    return SecretValue(purpose, "git administrator", "issued with read access to this repository only")


_PREFIX = "issued with access to the instance's own prefix only"
_BACKUPS = "issued with access to the instance's prefix in the backup bucket only"
_READING = "issued to read, and not to write, backups and attachments of the server's own instances"
"""`tenantry secrets --bucket-policies` prints the rights themselves."""

SECRET_VALUES: Mapping[tuple[str, str], SecretValue] = {
    ("odoo", "admin-password"): _generated("first password of Odoo's user admin, set by the first migration"),
    ("odoo", "master-password"): _generated("Odoo's master password; the database manager is closed, but needs one"),
    ("database", "password"): _generated("the instance's database role"),
    ("reporting", "password"): _generated("the read-only role for reports; given to the customer's analysts"),
    ("redis", "password"): _generated("the instance's user in Redis"),
    ("redis", "operator-password"): _generated("failover and health checks of Redis"),
    ("redis", "replication-password"): _generated("replication between the servers of Redis"),
    ("object-storage", "access-key-id"): _issued("attachments, or a cell's database backups: key", _PREFIX),
    ("object-storage", "secret-access-key"): _issued("attachments, or a cell's database backups: secret", _PREFIX),
    ("backup-storage", "access-key-id"): _issued("dumps and database backups: key", _BACKUPS),
    ("backup-storage", "secret-access-key"): _issued("dumps and database backups: secret", _BACKUPS),
    ("drill-storage", "access-key-id"): _issued("restores for practice: key", _READING),
    ("drill-storage", "secret-access-key"): _issued("restores for practice: secret", _READING),
    ("registry", "dockerconfigjson"): SecretValue(
        "pulling images", "registry administrator", "a pull-only account, as the JSON of `docker login`"
    ),
    ("cluster", "config"): SecretValue(
        "how Argo CD logs in to its own cluster",
        "platform team",
        """echo '{"tlsClientConfig": {"insecure": false}}' (its own ServiceAccount)""",
    ),
    ("repository", "username"): _read_only("user name"),
    ("repository", "password"): _read_only("access token"),
    ("repository", "ssh-private-key"): _read_only("private SSH key"),
    ("repository", "app-id"): _read_only("ID of a GitHub App"),
    ("repository", "installation-id"): _read_only("ID of the App's installation"),
    ("repository", "app-private-key"): _read_only("the App's private key, PEM"),
    ("api-clients", "ca.crt"): SecretValue(
        "checking client certificates of the API", "customer", "PEM certificates of the authorities that sign them"
    ),
}


def secret_value(leaf: str, name: str) -> SecretValue | None:
    """What is known of a property, by the last part of its path in the store; later generations end with their number."""
    return SECRET_VALUES.get((leaf, name)) or SECRET_VALUES.get((leaf, _GENERATION.sub("", name)))
