"""A restore is made step by step, and what was restored once stays said: its archive must never be written again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tenantry.change.guards.registration import Comparison, guards
from tenantry.change.restores import FIRST_STEPS, follows
from tenantry.core.findings import Finding
from tenantry.model.cell import Cell
from tenantry.model.restore import CLOSED, Restore
from tenantry.model.tier import Tier
from tenantry.plan.restores import too_old
from tenantry.resolve.instance import Instance

Refusal = tuple[str, str]


@guards
def of_instances(comparison: Comparison) -> Iterator[Finding]:
    """B013: restores of instances with PostgreSQL of their own."""
    for earlier, instance in comparison.kept():
        was = earlier.tenant.environments[earlier.environment].restores
        will = instance.tenant.environments[instance.environment].restores
        refusal = _refusal(was, will, comparison.as_of, instance.settings.backup_retention_days)
        if (
            refusal is None
            and _open(will)
            and earlier.site.cell.postgresql_major != instance.site.cell.postgresql_major
        ):
            refusal = _MAJOR
        refusal = refusal or _unseen(earlier, instance)
        if refusal is not None:
            path = ("environments", instance.environment, *(("restores",) if will else ()))
            yield comparison.at(instance, path, "B013", f"{instance.name}: {refusal[0]}", refusal[1])
    for instance in comparison.added():
        restores, days = (
            instance.tenant.environments[instance.environment].restores,
            instance.settings.backup_retention_days,
        )
        refusal = _refusal((), restores, comparison.as_of, days)
        if refusal is not None:
            path = ("environments", instance.environment, "restores")
            yield comparison.at(instance, path, "B013", f"{instance.name}: {refusal[0]}", refusal[1])


@guards
def of_cells(comparison: Comparison) -> Iterator[Finding]:
    """B013: restores of shared servers."""
    after = comparison.after.fleet
    for cell in after.all(Cell).values():
        earlier = comparison.before.fleet.find(Cell, cell.name)
        tier = after.find(Tier, cell.tier)
        days = tier.backup.retention_days if tier is not None else 0
        refusal = _refusal(earlier.restores if earlier else (), cell.restores, comparison.as_of, days)
        both = earlier is not None and earlier.postgresql is not None and cell.postgresql is not None
        if refusal is None and both and _open(cell.restores):
            assert earlier is not None and earlier.postgresql is not None and cell.postgresql is not None
            refusal = _MAJOR if earlier.postgresql.major != cell.postgresql.major else None
        if refusal is not None:
            place = after.place(cell, "restores") if cell.restores else after.place(cell, "cluster")
            yield Finding("B013", place, f"cell '{cell.name}': {refusal[0]}", refusal[1])


_MAJOR: Refusal = (
    "PostgreSQL would change its major during a restore, and reads no archive of another",
    "end the restore first",
)


def _unseen(earlier: Instance, instance: Instance) -> Refusal | None:
    """Nothing is taken out of a server in the change that recovers it: somebody looks at it first."""
    begins = (
        instance.databases.filling
        and not earlier.databases.filling
        and earlier.databases.serving == instance.databases.serving
    )
    if begins and earlier.database_servers.beside is None:
        return (
            "its database would be taken out of a server that is not there yet",
            "merge the cell's restore first, and look at it",
        )
    return None


def _open(restores: Sequence[Restore]) -> bool:
    return bool(restores) and restores[-1].step not in CLOSED


def _refusal(was: Sequence[Restore], will: Sequence[Restore], as_of: str, kept_days: int) -> Refusal | None:
    """Why restores may not change like this, and what to do instead; None if they may."""
    kept = {restore.generation: restore for restore in will}
    for restore in was:
        now = kept.get(restore.generation)
        if now is None:
            why = f"the restore to generation {restore.generation} would be forgotten, and its archive used again"
            return why, "keep the entry; a restore that is given up has the step 'dropped'"
        if replace(now, step=restore.step, keep_source_until=restore.keep_source_until) != restore:
            why = f"generation {restore.generation} would come from elsewhere than it did"
            return why, "what was restored stays as it was written; begin another restore"
        if now.keep_source_until < restore.keep_source_until:
            why = f"what served before generation {restore.generation} is kept until {restore.keep_source_until}, not {now.keep_source_until}"
            return why, "the day can be put off only"
        if now.step != restore.step and not _may_follow(restore, now, will):
            why = f"its restore to generation {restore.generation} would go from '{restore.step}' to '{now.step}' in one change"
            return why, f"the next steps are {' or '.join(follows(restore)) or 'none: it is over'}"
        leaves = now.step == "done" != restore.step and now.way != "in-place"
        if leaves and max(restore.keep_source_until, now.keep_source_until) >= as_of:
            why = f"what served before is kept until {now.keep_source_until}"
            return why, "take the step 'done' on a later day"
    return _begun(was, will, as_of, kept_days)


def _begun(was: Sequence[Restore], will: Sequence[Restore], as_of: str, kept_days: int) -> Refusal | None:
    known = {restore.generation for restore in was}
    new = [restore for restore in will if restore.generation not in known]
    if len(new) > 1:
        return f"{len(new)} restores would begin in one change", "begin one, and look at it before the next"
    for restore in new:
        if restore.generation <= max(known, default=1):
            why = f"generation {restore.generation} is below {max(known, default=1)}, which is used up"
            return why, f"write {max(known, default=1) + 1}"
        again = any(r.way == "in-place" and r.step == "recover" for r in was)
        first = "recover" if again else FIRST_STEPS[restore.way]
        if restore.step != first:
            why = f"a restore {restore.way} begins with the step '{first}'"
            return why, "begin with 'tenantry restore'"
        late = too_old(restore, kept_days, as_of) if restore.way != "database" else ""
        if late:
            return late, "choose a later moment"
        if again and restore.way != "in-place":
            return "what served before is gone, so nothing can be beside it", "write 'way: in-place'"
    return None


def _may_follow(was: Restore, now: Restore, will: Sequence[Restore]) -> bool:
    if now.step in follows(was):
        return True
    # What was replaced is gone, so a recovery to the wrong moment is given up only for another one.
    instead = was.way == "in-place" and (was.step, now.step) == ("recover", "dropped")
    return instead and will[-1].generation > now.generation
