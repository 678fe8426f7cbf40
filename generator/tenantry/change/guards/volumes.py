"""Volumes only grow: no storage class can make one smaller, and an operator that is asked to refuses or starts again."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.guards.registration import Comparison, guards
from tenantry.core.findings import Finding
from tenantry.model.cell import Cell


@guards
def of_cells(comparison: Comparison) -> Iterator[Finding]:
    """B006: volumes of a cell's PostgreSQL."""
    after = comparison.after.fleet
    for earlier in comparison.before.fleet.all(Cell).values():
        cell = after.find(Cell, earlier.name)
        if cell is None or cell.postgresql is None or earlier.postgresql is None:
            continue
        for field, was, will in (
            ("storageGiB", earlier.postgresql.storage_gib, cell.postgresql.storage_gib),
            ("walGiB", earlier.postgresql.wal_gib, cell.postgresql.wal_gib),
        ):
            if will < was:
                message = f"cell '{cell.name}': 'postgresql.{field}' would shrink from {was} to {will} GiB"
                place = after.place(cell, "postgresql", field)
                yield Finding("B006", place, message, f"keep {was} or more; a smaller server is a new cell")


@guards
def of_instances(comparison: Comparison) -> Iterator[Finding]:
    """B006: volumes of an instance's own PostgreSQL."""
    for earlier, instance in comparison.kept():
        was, will = earlier.settings.postgresql, instance.settings.postgresql
        if was is None or will is None or instance.leaving:
            continue
        for what, old, new in (("data", was.storage_gib, will.storage_gib), ("WAL", was.wal_gib, will.wal_gib)):
            if new < old:
                origin = instance.origin("postgresql.storage_gib" if what == "data" else "postgresql.wal_gib")
                place = comparison.after.fleet.origin_place(origin) if origin else None
                message = (
                    f"{instance.tenant.name} ({instance.environment}): the {what} volume of its PostgreSQL would shrink "
                    f"from {old} to {new} GiB"
                )
                hint = f"keep its size with 'overrides.databaseStorageGiB: {{value: {was.storage_gib}, reason: ...}}'"
                found = comparison.at(instance, ("users",), "B006", message, hint)
                yield found if place is None else Finding("B006", place, message, hint, tenant=instance.tenant.name)
