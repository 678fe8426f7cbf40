"""What a change must not do, whatever the new inputs say: judged against the state that the fleet is in.

The rules of `plan/` look at one state, so they can't know that a database lies elsewhere today, or that a tenant was there.
A guard is a module in this package; importing it registers its functions.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from tenantry.change.guards.registration import GUARDS, Comparison
from tenantry.core.findings import Finding

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def guard(comparison: Comparison) -> Iterator[Finding]:
    """Everything that the change must not do."""
    for one in GUARDS:
        yield from one(comparison)
