"""How reports show changes and values."""

from __future__ import annotations

import json
from typing import Any

from tenantry.core.findings import ObjectChange

MARKS = {"added": "+", "changed": "~", "removed": "-"}
_MAX = 200


def show(value: Any) -> str:
    """A value on one line, shortened when it is long."""
    if value is None:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _MAX else f"{text[: _MAX - 3]}..."


def unit_title(change: ObjectChange) -> str:
    """`tenant acme, app (euw1-a/production/acme/app)`"""
    owner = f"tenant {change.tenant}, {change.tree}" if change.tenant else change.tree
    return f"{owner} ({change.unit})"
