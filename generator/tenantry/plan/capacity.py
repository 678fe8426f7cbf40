"""A full cell accepts no more tenants, so that one failure affects no more of them than planned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tenantry.core.findings import Finding
from tenantry.model.cell import Cell
from tenantry.plan.scope import Scope
from tenantry.resolve.instance import Instance, with_elsewhere
from tenantry.resolve.quota import instance_peak

CONNECTION_SHARE = 0.85
"""Share of a shared server's connections available to tenants' roles; the rest is for operator, backup and people."""


def cells(scope: Scope) -> Iterator[Finding]:
    """F003: no cell exceeds its capacity."""
    members = by_cell(scope.instances.values())
    for cell in scope.fleet.all(Cell).values():
        for used, capacity, unit, path in load(cell, members.get(cell.name, [])):
            if used > capacity:
                place = scope.fleet.place(cell, *path)
                message = f"cell '{cell.name}' is full: {used:,} {unit}, but its capacity is {capacity:,}"
                hint = f"move a tenant to a cell with room: {', '.join(_with_room(scope, cell, members)) or 'no cell of this tier, so add one'}"
                yield Finding("F003", place, message, hint)


def by_cell(instances: Iterable[Instance]) -> dict[str, list[Instance]]:
    """Instances by the name of their cell; one that moves is in both cells, for a place is kept for it to come or go back."""
    members: dict[str, list[Instance]] = {}
    for instance in with_elsewhere(instances):
        members.setdefault(instance.site.cell.name, []).append(instance)
        if instance.beside is not None and instance.beside.site.cell is not instance.site.cell:
            members.setdefault(instance.beside.site.cell.name, []).append(instance.beside)
    return members


def load(cell: Cell, members: Sequence[Instance]) -> Iterator[tuple[int, int, str, tuple[str, ...]]]:
    """(used, capacity, unit, field of the cell) for each limit of a cell."""
    quotas = [instance_peak(member) for member in members]
    yield len(members), cell.capacity.instances, "instances", ("capacity", "instances")
    yield sum(m.tenant.users for m in members), cell.capacity.users, "users", ("capacity", "users")
    yield (
        sum(q.cpu_millicores for q in quotas),
        cell.capacity.cpu_millicores,
        "millicores of CPU",
        ("capacity", "cpuMillicores"),
    )
    yield (
        sum(q.memory_request_mib for q in quotas),
        cell.capacity.memory_mib,
        "MiB of memory",
        ("capacity", "memoryMiB"),
    )
    if cell.postgresql is not None:
        claimed = sum(m.settings.connection_limit for m in members if m.settings.postgresql is None)
        most = int(cell.postgresql.max_connections * CONNECTION_SHARE)
        yield claimed, most, "PostgreSQL connections", ("postgresql", "maxConnections")


def has_room(cell: Cell, members: Sequence[Instance]) -> bool:
    """True while every limit leaves a tenth free; `tenantry new` and hints propose such cells."""
    return (
        cell.state == "open"
        and cell.purpose == "service"
        and all(used <= most * 0.9 for used, most, _, _ in load(cell, members))
    )


def _with_room(scope: Scope, full: Cell, members: dict[str, list[Instance]]) -> list[str]:
    return [
        cell.name
        for cell in scope.fleet.all(Cell).values()
        if cell.tier == full.tier
        and cell.environments == full.environments
        and cell is not full
        and has_room(cell, members.get(cell.name, []))
    ]
