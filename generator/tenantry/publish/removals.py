"""A tenant's objects are removed only when it is offboarding, never because its file is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from tenantry.core.findings import Finding, Place
from tenantry.core.paths import UnitPath, is_rendered, name_of, parse_unit, unit_of
from tenantry.inputs.fleet import Fleet
from tenantry.inputs.source import LOADER
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.tenant import Tenant

_MAY_GO = {"offboarding", "decommissioned", "prepared"}
"""`prepared`: the target of a move to another cluster, which holds a copy at most."""


def check_removals(root: Path, fleet: Fleet, orphans: Sequence[str]) -> Iterator[Finding]:
    """Findings for namespaces that would be removed without an offboarding or decommissioning."""
    for file in orphans:
        if is_rendered(file) and name_of(file).startswith("namespace_"):
            yield from _check(root, fleet, file)


def _changes_trees(fleet: Fleet, tenant: Tenant | None, unit: UnitPath) -> bool:
    """Whether an instance has failed over: each of its two clusters has its namespace, in the tree of the place that
    serves or in that of the other."""
    placed = dict(tenant.environments).get(unit.environment) if tenant is not None else None
    cell = fleet.find(Cell, placed.cell) if placed is not None and placed.failovers else None
    home = fleet.find(Cluster, cell.cluster) if cell is not None else None
    return home is not None and unit.tree in ("infra", "standby") and unit.cluster in home.pair


def _check(root: Path, fleet: Fleet, file: str) -> Iterator[Finding]:
    unit = parse_unit(unit_of(file))
    tenant_there = fleet.find(Tenant, unit.tenant)
    moved = tenant_there is not None and tenant_there.migration is not None and tenant_there.migration.step == "remove"
    value = yaml.load((root / file).read_bytes(), Loader=LOADER)  # noqa: S506 - a safe loader
    state = (
        (value.get("metadata") or {}).get("annotations", {}).get("tenantry.io/state")
        if isinstance(value, dict)
        else None
    )
    if state in _MAY_GO or (state == "kept" and moved) or _changes_trees(fleet, tenant_there, unit):
        return
    if unit.tree == "cell":
        name = unit.cell
        gone = name not in fleet.entries["Cell"]
        message = f"cell '{name}' would be removed with its database, but it is not decommissioned"
        hint = f"restore platform/cells/{name}.yaml, set 'state: decommissioned', render and commit; then remove it"
        place = Place(f"platform/cells/{name}.yaml") if gone else fleet.place(fleet.entries["Cell"][name], "cluster")
        yield Finding("G005", place, message, hint)
        return
    cluster, environment, tenant = unit.cluster, unit.environment, unit.tenant
    known = fleet.entries["Tenant"].get(tenant)
    message = (
        f"{tenant} ({environment}) would be removed from cluster '{cluster}' with its data, but it is not offboarding"
    )
    if known is None:
        hint = f"restore tenants/{tenant}.yaml, set 'state: offboarding', render and commit; then remove it"
        yield Finding("G005", Place(f"tenants/{tenant}.yaml"), message, hint, tenant=tenant)
        return
    hint = "set 'state: offboarding' there first, render and commit; or undo the move"
    yield Finding("G005", fleet.place(known, "environments"), message, hint, tenant=tenant)
