"""Odoo, its modules and PostgreSQL go forward, one major at a time: a database that was migrated has no way back."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.change.guards.registration import Comparison, guards
from tenantry.core.findings import Finding
from tenantry.model.cell import Cell
from tenantry.model.release import Release


@guards
def odoo(comparison: Comparison) -> Iterator[Finding]:
    """B004: no older Odoo on a database, and no major left out; B005: no module taken away."""
    for earlier, instance in comparison.kept():
        if instance.leaving or earlier.release == instance.release:
            continue
        was, will = earlier.release, instance.release
        who = f"{instance.tenant.name} ({instance.environment})"
        why, hint = _not_forward(was, will)
        if why:
            yield comparison.at(instance, ("channel",), "B004", f"{who}: {why}", hint)
        dropped = [module for module in was.modules if module not in will.modules]
        if dropped:
            message = (
                f"{who}: release '{will.name}' lacks modules that its database has installed: {', '.join(dropped)}"
            )
            hint = "keep them in the release; to take one away, uninstall it in Odoo first, for every tenant of the channel"
            yield comparison.at(instance, ("channel",), "B005", message, hint)


def _major(release: Release) -> int:
    return int(release.odoo_version.partition(".")[0])


def _not_forward(was: Release, will: Release) -> tuple[str, str]:
    old, new = _major(was), _major(will)
    if new < old:
        back = "restore the backup that was made before the upgrade, or keep the release"
        return f"Odoo {will.odoo_version} can't read the database of Odoo {was.odoo_version}", back
    if new > old + 1:
        steps = " to ".join(f"{major}.0" for major in range(old, new + 1))
        return f"Odoo is upgraded one major at a time, from {steps}", f"choose a release of Odoo {old + 1}.0 first"
    if new == old and will.built < was.built:
        message = f"release '{will.name}' was built on {will.built}, before '{was.name}' ({was.built}) that migrated the database"
        return message, "build a new release with what the old one did right"
    return "", ""


@guards
def postgresql(comparison: Comparison) -> Iterator[Finding]:
    """B004: no older PostgreSQL on a data directory. A later major may be any: pg_upgrade leaves out those between."""
    after = comparison.after.fleet
    for earlier in comparison.before.fleet.all(Cell).values():
        cell = after.find(Cell, earlier.name)
        if cell is None:
            continue
        was, will = _postgresql_major(earlier), _postgresql_major(cell)
        if was and will and will < was:
            path = ("postgresql", "major") if cell.postgresql else ("postgresqlMajor",)
            message = f"cell '{cell.name}': PostgreSQL {will} can't read the files of PostgreSQL {was}"
            yield Finding("B004", after.place(cell, *path), message, f"keep {was}, or a later major")


def _postgresql_major(cell: Cell) -> int | None:
    return cell.postgresql.major if cell.postgresql else cell.postgresql_major
