"""CloudNativePG and its plugin for Barman Cloud: rules, references, and what the operator makes."""

from __future__ import annotations

from tenantry.core.codes import Code, declare
from tenantry.verify.operators.cloudnativepg import (
    access,
    archives,
    backups,
    hba,
    made,
    parameters,
    recovery,
    references,
    rules,
)

__all__ = ["access", "archives", "backups", "hba", "made", "parameters", "recovery", "references", "rules"]

declare(Code("V040", "CloudNativePG rejects", "A rule of the operator's webhooks that no schema expresses."))
