"""Keys of an instance's Secrets that are called by the generation of their value, as its tenant's file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenantry.resolve.instance import Instance


@dataclass(frozen=True, slots=True)
class Keys:
    """The Secret that holds a credential, the last part of its path in the store, and for each key the property that it is
    made of."""

    secret: str
    leaf: str
    properties: Mapping[str, str]


KEYS: Mapping[str, Keys] = {
    "redis": Keys("redis-user", "redis", {"url": "password"}),
    "objectStorage": Keys("object-storage", "object-storage", {name: name for name in ("access-key-id", "secret-access-key")}),
    "odoo": Keys("odoo-secret", "odoo", {"odoo-secret.conf": "master-password"}),
}  # fmt: skip
"""By credential, as the tenant's file calls it."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What one key of a Secret must hold. `field` is that of the tenant's file."""

    field: str
    property: str
    used: bool
    """Whether Pods use it, or could."""


def generations(instance: Instance) -> dict[tuple[str, str], Generation]:
    """(Secret, key) -> what it must hold, of all generations that work."""
    chosen = instance.credentials.by_name
    found = {}
    for name, made in KEYS.items():
        field = f"environments.{instance.environment}.credentials.{name}"
        for key, leaf in made.properties.items():
            for ending, _ in chosen[name].endings:
                used = f"{key}{ending}" == chosen[name].used(key)
                found[made.secret, f"{key}{ending}"] = Generation(field, f"{leaf}{ending}", used)
    return found
