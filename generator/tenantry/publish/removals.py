"""A tenant's objects go only when the tenant was offboarding: never because a file vanished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from tenantry.core.findings import Finding, Place
from tenantry.inputs.fleet import Fleet
from tenantry.inputs.source import LOADER

_MAY_GO = {"offboarding", "decommissioned"}


def check_removals(root: Path, fleet: Fleet, orphans: Sequence[str]) -> Iterator[Finding]:
    """Findings for namespaces that would vanish although nobody has said that they may."""
    for file in orphans:
        name = file.rsplit("/", 1)[-1]
        if file.startswith("rendered/") and name.startswith("namespace_"):
            yield from _check(root, fleet, file)


def _check(root: Path, fleet: Fleet, file: str) -> Iterator[Finding]:
    parts = file.split("/")
    value = yaml.load((root / file).read_bytes(), Loader=LOADER)  # noqa: S506 - a safe loader
    state = (
        (value.get("metadata") or {}).get("annotations", {}).get("tenantry.io/state")
        if isinstance(value, dict)
        else None
    )
    if state in _MAY_GO:
        return
    if parts[2] == "cells":
        name = parts[3]
        gone = name not in fleet.entries["Cell"]
        message = f"cell '{name}' would vanish with its database, but it was never decommissioned"
        hint = f"restore platform/cells/{name}.yaml, set 'state: decommissioned', render and commit; then remove it"
        place = Place(f"platform/cells/{name}.yaml") if gone else fleet.place(fleet.entries["Cell"][name], "cluster")
        yield Finding("G005", place, message, hint)
        return
    cluster, environment, tenant = parts[1:4]
    known = fleet.entries["Tenant"].get(tenant)
    message = f"{tenant} ({environment}) would vanish from cluster '{cluster}' with its data, but it is not offboarding"
    if known is None:
        hint = f"restore tenants/{tenant}.yaml, set 'state: offboarding', render and commit; then remove it"
        yield Finding("G005", Place(f"tenants/{tenant}.yaml"), message, hint, tenant=tenant)
        return
    hint = "set 'state: offboarding' there first, render and commit; or undo the move"
    yield Finding("G005", fleet.place(known, "environments"), message, hint, tenant=tenant)
