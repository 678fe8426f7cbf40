"""File names of rendered objects: from the full identity, the same on every file system."""

from __future__ import annotations

import hashlib
import re

from tenantry.core.findings import ObjectId

_SAFE = re.compile(r"[^a-z0-9.-]")
_MAX = 200


def file_name(identity: ObjectId) -> str:
    """`deployment.apps_acme-production_odoo-web.yaml`.

    `_` separates the fields and can't occur in one: everything but lower-case letters, digits, `.` and `-` is escaped
    as `+` and its code point. Names over 200 bytes are cut and end in a digest of the whole.
    """
    kind = f"{identity.kind.lower()}.{identity.group}" if identity.group else identity.kind.lower()
    parts = [kind, identity.namespace, identity.name] if identity.namespace else [kind, identity.name]
    name = "_".join(_SAFE.sub(lambda c: f"+{ord(c.group()):x}", part) for part in parts)
    if len(name) > _MAX:
        name = f"{name[: _MAX - 33]}+{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return f"{name}.yaml"
