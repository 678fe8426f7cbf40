"""A move's state agrees with the rest of the tenant's file, and is one that can be made."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.model.cell import Cell
from tenantry.model.migration import MOVE_STEPS, Migration
from tenantry.model.tenant import Tenant
from tenantry.plan.scope import Scope
from tenantry.resolve.instance import Instance


def in_order(scope: Scope) -> Iterator[Finding]:
    """F041: placement, records and the target of each tenant that moves."""
    for tenant in scope.fleet.all(Tenant).values():
        if tenant.migration is not None:
            yield from _placement(scope, tenant, tenant.migration)
            yield from _records(scope, tenant, tenant.migration)
    for instance in scope.instances.values():
        if instance.move is None:
            continue
        why, hint = impossible(*instance.move_ends)
        if instance.move.across and not instance.move.attempt:
            message, hint_of = (
                "a move to another cluster needs 'attempt', which says where its copies lie",
                "begin it with 'tenantry move'",
            )
            yield scope.at(instance.tenant, ("migration",), "F041", message, hint_of)
        if why:
            path = ("migration", "to", "cells", instance.environment)
            yield scope.at(instance.tenant, path, "F041", f"{instance.name} can't be moved by steps: {why}", hint)


def _placement(scope: Scope, tenant: Tenant, migration: Migration) -> Iterator[Finding]:
    """The step says which of the two places serves, and the file's own fields say the same."""
    serving = migration.serving
    hint = f"'tenantry move {tenant.name} --next' and '--back' change both together"
    if tenant.tier != serving.tier:
        message = f"in the step '{migration.step}' the tier is '{serving.tier}', not '{tenant.tier}'"
        yield scope.at(tenant, ("tier",), "F041", message, hint)
    for environment, name in serving.cells.items():
        placed = tenant.environments.get(environment)
        if placed is None:
            message = f"{tenant.name} has no environment '{environment}' to move"
            yield scope.at(tenant, ("migration",), "F041", message, "move environments that it has")
        elif placed.cell != name:
            message = f"in the step '{migration.step}' {environment} is in cell '{name}', not '{placed.cell}'"
            yield scope.at(tenant, ("environments", environment, "cell"), "F041", message, hint)
    if migration.from_.cells.keys() != migration.to.cells.keys():
        message = "'from' and 'to' name different environments"
        yield scope.at(tenant, ("migration", "to", "cells"), "F041", message, "name each environment in both")
    if migration.from_.tier != migration.to.tier and migration.to.cells.keys() != tenant.environments.keys():
        left = ", ".join(sorted(tenant.environments.keys() - migration.to.cells.keys()))
        message = f"the tier changes for all environments, and 'to' has no cell for {left}"
        yield scope.at(tenant, ("migration", "to", "cells"), "F041", message, "name a cell for each environment")
    for environment, name in migration.to.cells.items():
        yield from _target(scope, tenant, migration, environment, name)


def _target(scope: Scope, tenant: Tenant, migration: Migration, environment: str, name: str) -> Iterator[Finding]:
    """The target takes the instance. The cell that serves is judged as any other is (F004, F005)."""
    cell = scope.fleet.find(Cell, name)
    path = ("migration", "to", "cells", environment)
    if cell is None:
        return
    if migration.from_.cells.get(environment) == name:
        message = f"{environment} is in cell '{name}' already"
        yield scope.at(tenant, path, "F041", message, "leave environments out that stay where they are")
    elif cell.tier != migration.to.tier:
        message = f"cell '{name}' is of tier '{cell.tier}', not '{migration.to.tier}'"
        yield scope.at(tenant, path, "F041", message, f"choose a cell of tier '{migration.to.tier}'")
    elif environment not in cell.environments or cell.purpose == "standby":
        takes = "it is a standby" if cell.purpose == "standby" else f"it accepts {' and '.join(cell.environments)}"
        message = f"cell '{name}' takes no {environment}: {takes}"
        yield scope.at(tenant, path, "F041", message, f"choose a cell that accepts {environment}")


def _records(scope: Scope, tenant: Tenant, migration: Migration) -> Iterator[Finding]:
    """Each step before this one was seen to be done, and the copy was timed."""
    wanted = list(MOVE_STEPS[: MOVE_STEPS.index(migration.step)])
    seen = [record.step for record in migration.records]
    if seen != wanted:
        message = f"the step '{migration.step}' needs records of {', '.join(wanted) or 'no other step'}, and has {', '.join(seen) or 'none'}"
        hint = f"'tenantry move {tenant.name} --next --by WHO' writes a record with each step"
        yield scope.at(tenant, ("migration", "records" if seen else "step"), "F041", message, hint)
    for index, record in enumerate(migration.records):
        if record.step == "copy" and record.minutes is None:
            message = "nobody recorded how long the trial copy took, so it is unknown how long Odoo will be down"
            yield scope.at(tenant, ("migration", "records", index), "F041", message, "add 'minutes'")


def impossible(source: Instance, target: Instance) -> tuple[str, str]:
    """Why the steps can't bring an instance there, and what to do instead; empty if they can."""
    across = source.site.cluster.name != target.site.cluster.name
    both = _clusters(source) & _clusters(target)
    if across and both:
        why = f"in cluster '{min(both)}' its namespace '{source.names.namespace}' would be there twice, once as the replica of a DR site"
        return why, "choose a cluster where neither place has its DR site"
    if not across and source.settings.postgresql is not None and target.settings.postgresql is not None:
        why = f"its PostgreSQL is its own, and stays in its namespace '{source.names.namespace}': there is nothing to copy"
        return (
            why,
            "write the new cell and tier into the tenant's file; 'tenantry plan' shows what restarts, and guards what would be lost",
        )
    if not across and source.standby is not None:
        why = f"its replica at the DR site, cluster '{source.standby.cluster.name}', would be gone at the switch, while the source is still needed"
        return why, "move it to a cell of another cluster, where both places are kept whole"
    if source.state != "active" or source.environment == "recovery":
        what = source.state if source.state != "active" else "stopped between drills"
        return f"it is {what}, and only what serves is copied", "resume it first, or leave it out"
    here, there = _major(source), _major(target)
    if there < here:
        return (
            f"PostgreSQL {there} of the target takes no dump of PostgreSQL {here}",
            "choose a cell with the same major, or a later one",
        )
    if there not in source.release.postgresql_majors:
        return (
            f"release '{source.release.name}' does not support PostgreSQL {there} of the target",
            "choose another cell",
        )
    return "", ""


def _clusters(instance: Instance) -> set[str]:
    return {site.cluster.name for site in (instance.site, instance.standby) if site is not None}


def _major(instance: Instance) -> int:
    cell = instance.site.cell
    shared = cell.postgresql.major if cell.postgresql and instance.settings.postgresql is None else None
    return shared or cell.postgresql_major or 0
