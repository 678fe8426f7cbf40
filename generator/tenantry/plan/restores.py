"""A restore's entry is one that can be made: its generation is new, and a backup reaches its moment."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenantry.core.findings import Finding
from tenantry.model.cell import Cell
from tenantry.model.restore import CLOSED, Restore
from tenantry.model.tenant import Tenant
from tenantry.plan.scope import Scope
from tenantry.resolve.instance import Instance

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whose restores these are, and where they stand in its file."""

    entry: Tenant | Cell
    path: Steps
    restores: Sequence[Restore]
    command: str


def possible(scope: Scope) -> Iterator[Finding]:
    """F042: restores of instances with PostgreSQL of their own, and of cells."""
    for subject in _subjects(scope):
        yield from _rising(scope, subject)
        for index, restore in enumerate(subject.restores):
            yield from _moment(scope, subject, index, restore)
            yield from _step(scope, subject, index, restore)
    yield from _places(scope)


def _subjects(scope: Scope) -> Iterator[_Subject]:
    for instance in scope.instances.values():
        restores = instance.tenant.environments[instance.environment].restores
        path: Steps = ("environments", instance.environment, "restores")
        yield _Subject(instance.tenant, path, restores, f"tenantry restore {instance.name}")
    for cell in scope.fleet.all(Cell).values():
        yield _Subject(cell, ("restores",), cell.restores, f"tenantry restore {cell.name}")


def _finding(scope: Scope, subject: _Subject, path: Steps, message: str, hint: str) -> Finding:
    tenant = subject.entry.name if isinstance(subject.entry, Tenant) else ""
    return Finding("F042", scope.fleet.place(subject.entry, *subject.path, *path), message, hint, tenant=tenant)


def _rising(scope: Scope, subject: _Subject) -> Iterator[Finding]:
    highest = 1
    for index, restore in enumerate(subject.restores):
        if restore.generation <= highest:
            message = f"generation {restore.generation} is not above {highest}, so its archive may not be empty"
            hint = f"write {highest + 1}; no generation is used twice"
            yield _finding(scope, subject, (index, "generation"), message, hint)
        if restore.source >= restore.generation and restore.way != "database":
            message = f"generation {restore.generation} can't come from the archive of generation {restore.source}"
            yield _finding(scope, subject, (index, "source"), message, "name an earlier one; the first is 1")
        highest = max(highest, restore.generation)


def _moment(scope: Scope, subject: _Subject, index: int, restore: Restore) -> Iterator[Finding]:
    """Exactly one end, which lies in the past; one database ends where the cell's server does."""
    if restore.way == "database":
        if restore.target_time is not None or restore.backup is not None:
            message = "one database comes from the cell's restored server, whose moment it has"
            yield _finding(scope, subject, (index,), message, "leave 'targetTime' and 'backup' out")
        return
    if (restore.target_time is None) == (restore.backup is None):
        message = "a restore ends at 'targetTime' or at 'backup': " + (
            "neither is given" if restore.backup is None else "both are given"
        )
        yield _finding(scope, subject, (index,), message, "give one of them")
        return
    try:
        moment = _instant(restore)
    except ValueError:
        message = f"'{restore.target_time or restore.backup}' is not a day of the calendar"
        yield _finding(scope, subject, (index,), message, "write a day that there is")
        return
    day = datetime.date.fromisoformat(scope.as_of)
    if moment.date() > day:
        message = f"{restore.moment} is not over yet on {scope.as_of}"
        yield _finding(scope, subject, (index,), message, "only what is archived can be restored")


def too_old(restore: Restore, kept_days: int, as_of: str) -> str:
    """Why no backup reaches back to a restore's moment on a day; empty if one does. Asked when it begins, not later."""
    days = (datetime.date.fromisoformat(as_of) - _instant(restore).date()).days
    return f"{restore.moment} is {days} days ago, and backups are kept for {kept_days}" if days > kept_days else ""


def _instant(restore: Restore) -> datetime.datetime:
    """In UTC."""
    if restore.target_time is not None:
        return datetime.datetime.fromisoformat(restore.target_time).astimezone(datetime.UTC)
    return datetime.datetime.strptime(restore.backup or "", "%Y%m%dT%H%M%S").replace(tzinfo=datetime.UTC)


def _step(scope: Scope, subject: _Subject, index: int, restore: Restore) -> Iterator[Finding]:
    if restore.step not in CLOSED and restore is not subject.restores[-1]:
        message = f"generation {restore.generation} is in the step '{restore.step}', although a later restore has begun"
        hint = f"end it first: '{subject.command} --next', or '--drop'"
        yield _finding(scope, subject, (index, "step"), message, hint)
    if (restore.step == "copy") != (restore.way == "database") and restore.step not in ("switch", *CLOSED):
        message = f"a restore '{restore.way}' has no step '{restore.step}'"
        yield _finding(scope, subject, (index, "step"), message, "docs/how-to/restore-a-database.md lists the steps")
    elif restore.step == "save" and restore.way == "beside":
        message = "a restore beside the server that serves begins with the step 'recover': nothing is replaced"
        yield _finding(scope, subject, (index, "step"), message, "write 'recover', or 'way: in-place'")


def _places(scope: Scope) -> Iterator[Finding]:
    """Where there is no server of its own, nothing can be restored; and not two things happen to one database at a time."""
    for instance in scope.instances.values():
        placed = instance.tenant.environments[instance.environment]
        path: Steps = ("environments", instance.environment, "restores")
        if not placed.restores:
            continue
        why, hint = _impossible(instance)
        if why:
            yield scope.at(instance.tenant, path, "F042", f"{instance.name} can't be restored so: {why}", hint)
    for cell in scope.fleet.all(Cell).values():
        if cell.restores and cell.postgresql is None:
            message = f"cell '{cell.name}' has no PostgreSQL of its own to restore"
            hint = "restore the instances there, each with a server of its own"
            yield Finding("F042", scope.fleet.place(cell, "restores"), message, hint)


def _impossible(instance: Instance) -> tuple[str, str]:
    restores = instance.tenant.environments[instance.environment].restores
    last, own = restores[-1], instance.settings.postgresql is not None
    if not own and last.way != "database":
        why = f"its database is on the server of cell '{instance.site.cell.name}', with those of others"
        return (
            why,
            f"restore the cell beside, then take its database out: 'tenantry restore {instance.name} --out-of-cell'",
        )
    if last.step in CLOSED:
        return "", ""
    if own and last.way == "database":
        return "it has a server of its own", "restore that, beside the one that serves"
    if instance.failovers:
        why = "it has failed over, and which of its two places a generation belongs to is not written"
        return why, "recover a server manually; docs/decisions/0030-failover.md says why"
    if instance.move is not None:
        return "it moves", "end the move first, or go back: 'tenantry move --back'"
    if not instance.database_runs:
        return "its servers are stopped", "resume it first"
    beside = instance.database_servers.beside
    if last.step == "copy" and (beside is None or beside.generation != last.source):
        there = f"generation {beside.generation}" if beside is not None else "none"
        why = f"it would be taken out of generation {last.source} of cell '{instance.site.cell.name}', and beside the server that serves there is {there}"
        return why, f"restore the cell beside first: 'tenantry restore {instance.site.cell.name}'"
    return "", ""
