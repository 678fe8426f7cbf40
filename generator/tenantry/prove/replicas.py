"""What a PostgreSQL server is to one at another place: whether it follows, and whether it may run at all."""

from __future__ import annotations

import json
from typing import Any

from tenantry.core.manifest import Manifest, dig, text


def follows(server: Manifest) -> bool:
    """Whether it is a replica cluster (CloudNativePG, Cluster.IsReplica): by `enabled`, or because another one is the primary."""
    primary = text(dig(server.spec, "replica", "primary"))
    if primary:
        return primary != (text(dig(server.spec, "replica", "self")) or server.identity.name)
    return dig(server.spec, "replica", "enabled") is True and bool(dig(server.spec, "replica", "source"))


def fenced(server: Manifest) -> bool:
    """Whether all of its instances are fenced: PostgreSQL is stopped in each (CloudNativePG, fencing.md)."""
    try:
        instances: Any = json.loads(server.annotations.get("cnpg.io/fencedInstances") or "[]")
    except ValueError:
        return False
    return isinstance(instances, list) and "*" in instances


def writes(server: Manifest) -> bool:
    """Whether it takes writes once it runs."""
    return not follows(server) and not fenced(server)
