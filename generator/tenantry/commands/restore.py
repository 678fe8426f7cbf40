"""`tenantry restore`: the state of a restore in the file of an instance or a cell, one step a change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenantry.change.restores import FIRST_STEPS, GUIDES, RestoredPlace, commands, follows
from tenantry.change.stepwise import REVIEW, kept_until
from tenantry.commands.set import set_values
from tenantry.commands.usable import new_errors, usable_inputs
from tenantry.core.findings import UsageError
from tenantry.core.suggestions import choices
from tenantry.inputs import edits
from tenantry.inputs.shape import shape_of
from tenantry.model import names
from tenantry.model.cell import Cell
from tenantry.model.convert import to_snake_case
from tenantry.model.restore import CLOSED, Restore, RestoreStep, RestoreWay
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.plan.inputs import Inputs
from tenantry.plan.restores import too_old
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.resolve.instance import Instance
from tenantry.resolve.servers import databases_of, servers_of
from tenantry.runtime.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Wish:
    """What to restore: to a moment or a base backup, from the server that serves unless a `source` is said."""

    reason: str
    way: RestoreWay = "beside"
    target_time: str = ""
    backup: str = ""
    source: int | None = None
    keep_until: str = ""


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whose server it is, and where its restores are written."""

    name: str
    file: Tenant | Cell
    field: str
    owner: str
    namespace: str
    restores: tuple[Restore, ...]
    users: tuple[Instance, ...]
    """Instances whose database is on the server."""
    kept_days: int

    @property
    def key(self) -> str:
        return f"{'tenant' if isinstance(self.file, Tenant) else 'cell'}/{self.file.name}"


def begin(space: Workspace, subject: str, wish: Wish) -> CommandAnswer:
    """Write the first step. Raises UsageError for a restore that the fleet's rules would refuse."""
    inputs = usable_inputs(space)
    found = _subject(inputs, subject)
    last = found.restores[-1] if found.restores else None
    instead = last is not None and (last.way, last.step) == ("in-place", "recover") and wish.way == "in-place"
    if last is not None and last.step not in CLOSED and not instead:
        raise UsageError(
            f"{found.name} is being restored; it is in the step '{last.step}'", f"see 'tenantry restore {subject}'"
        )
    serving = servers_of(found.owner, found.restores).serving.generation
    step: RestoreStep = "recover" if instead else FIRST_STEPS[wish.way]
    source = wish.source or (last.source if instead and last else serving)
    kept = [_written(restore, "dropped" if instead and restore is last else restore.step) for restore in found.restores]
    if wish.way == "database":
        beside = found.users[0].database_servers.beside if found.users else None
        source = beside.generation if beside is not None else 1
    entry = {
        "generation": max((r.generation for r in found.restores), default=1) + 1, "source": source, "way": wish.way, "step": step,
        **({"targetTime": wish.target_time} if wish.target_time else {}), **({"backup": wish.backup} if wish.backup else {}),
        "reason": wish.reason, "keepSourceUntil": wish.keep_until or kept_until(space.as_of),
    }  # fmt: skip
    _write(space, inputs, found, [*kept, entry])
    return _answer(space, subject)


def forward(space: Workspace, subject: str) -> CommandAnswer:
    """Write the next step."""
    found, last = _open(usable_inputs(space), subject)
    step = follows(last)[0]
    if step == "done" and last.way != "in-place" and last.keep_source_until >= space.as_of:
        raise UsageError(f"what served before is kept until {last.keep_source_until}", "take this step on a later day")
    return _stepped(space, subject, found, step)


def back(space: Workspace, subject: str) -> CommandAnswer:
    """Go back to what served before, which is kept beside."""
    found, last = _open(usable_inputs(space), subject)
    if last.way == "in-place" or last.step != "switch":
        raise UsageError(f"there is no way back from the step '{last.step}'", GUIDES[last.way, last.step].back)
    return _stepped(space, subject, found, FIRST_STEPS[last.way])


def drop(space: Workspace, subject: str) -> CommandAnswer:
    """Give the restore up, before anything works on it."""
    found, last = _open(usable_inputs(space), subject)
    if "dropped" not in follows(last):
        raise UsageError(f"a restore can't be given up in the step '{last.step}'", GUIDES[last.way, last.step].back)
    return _stepped(space, subject, found, "dropped")


def show(space: Workspace, subject: str) -> CommandAnswer:
    """Where a restore is, and what must be true before it goes on."""
    return _answer(space, subject, written=False)


def _subject(inputs: Inputs, name: str) -> _Subject:
    """An instance (or a tenant, for its production), or a cell. Raises UsageError when there is none of that name."""
    instances = inputs.resolution.instances
    instance = instances.get(name) or instances.get(f"{name}-production")
    if instance is not None:
        field = f"spec.environments.{instance.environment}.restores"
        restores = instance.tenant.environments[instance.environment].restores
        return _Subject(
            instance.name, instance.tenant, field, instance.name, instance.names.namespace, restores, (instance,),
            instance.settings.backup_retention_days,
        )  # fmt: skip
    cell = inputs.fleet.find(Cell, name)
    if cell is None:
        known = {**instances, **inputs.fleet.all(Cell)}
        raise UsageError(f"there is no instance, tenant or cell '{name}'", choices(name, known, "instances and cells"))
    users = tuple(i for i in instances.values() if i.site.cell.name == name and i.settings.postgresql is None)
    space = names.cell_namespace(name)
    tier = inputs.fleet.find(Tier, cell.tier)
    days = tier.backup.retention_days if tier is not None else 0
    return _Subject(f"cell {name}", cell, "spec.restores", space, space, cell.restores, users, days)


def _open(inputs: Inputs, subject: str) -> tuple[_Subject, Restore]:
    found = _subject(inputs, subject)
    last = found.restores[-1] if found.restores else None
    if last is None or last.step in CLOSED:
        raise UsageError(f"{found.name} is not being restored", "begin with --to MOMENT or --backup ID, and --reason")
    return found, last


def _written(restore: Restore, step: RestoreStep) -> dict[str, Any]:
    given = {"targetTime": restore.target_time, "backup": restore.backup}
    end = {key: value for key, value in given.items() if value is not None}
    return {
        "generation": restore.generation, "source": restore.source, "way": restore.way, "step": step, **end,
        "reason": restore.reason, "keepSourceUntil": restore.keep_source_until,
    }  # fmt: skip


def _stepped(space: Workspace, subject: str, found: _Subject, step: RestoreStep) -> CommandAnswer:
    last = found.restores[-1]
    entries = [_written(restore, step if restore is last else restore.step) for restore in found.restores]
    set_values(space, found.key, [f"{found.field}={json.dumps(entries)}"])
    return _answer(space, subject)


def _write(space: Workspace, inputs: Inputs, found: _Subject, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write the entries, unless the rules would say something new of them."""
    document = inputs.fleet.document(found.file)
    kind = type(found.file).__name__
    text = edits.with_value(document.text, shape_of(kind), tuple(found.field.split(".")), entries)
    said = new_errors(space, inputs, document.file, text)
    if said:
        raise UsageError(f"{found.name} can't be restored so:", said)
    made = Restore(**{to_snake_case(key): item for key, item in entries[-1].items()})
    late = too_old(made, found.kept_days, space.as_of) if made.way != "database" else ""
    if late:
        raise UsageError(f"{found.name} can't be restored so: {late}", "choose a later moment")
    set_values(space, found.key, [f"{found.field}={json.dumps(entries)}"])


def _place(found: _Subject, user: Instance | None) -> RestoredPlace:
    if user is None:
        return RestoredPlace(found.owner, found.namespace, found.namespace, "postgres")
    space, last = found.namespace, found.restores[-1]
    if last.way != "database":
        return RestoredPlace(found.owner, space, user.names.namespace, user.names.database)
    before = databases_of(found.restores[:-1]).serving
    unused = replace(user.names, database_generation=before).database_object + user.database_server.suffix
    cell = names.cell_namespace(user.site.cell.name)
    return RestoredPlace(cell, cell, user.names.namespace, user.names.database, unused)


def _answer(space: Workspace, subject: str, *, written: bool = True) -> CommandAnswer:
    found = _subject(usable_inputs(space), subject)
    if not found.restores:
        raise UsageError(f"{found.name} was never restored", "begin with --to MOMENT or --backup ID, and --reason")
    last = found.restores[-1]
    guide = GUIDES[last.way, last.step]
    user = found.users[0] if found.users else None
    run = commands(guide, found.restores, _place(found, user))
    beside = {"in-place": "", "beside": "beside the server that serves, ", "database": "of its database, "}[last.way]
    about = f"{found.name}: generation {last.generation} {beside}from generation {last.source}, as of {last.moment}."
    lines = [f"Step {last.step}: {guide.does}.", *([REVIEW] if written else [])]
    if last.step in CLOSED:
        lines += ["In the cluster:"] if run else []
    else:
        lines.append(f"Before the next step: {guide.done}.")
    lines += [f"  {command}" for command in run]
    if last.step not in CLOSED:
        day = f", after {last.keep_source_until}" if follows(last)[0] == "done" and last.way != "in-place" else ""
        lines += [
            f"Go back: {guide.back}.",
            f"Then write the step '{follows(last)[0]}'{day}: tenantry restore {subject} --next",
        ]
    text = "".join(f"{one_line(line)}\n" for line in (about, *lines))
    return CommandAnswer(
        "restore", text, {"subject": found.name, "generation": last.generation, "step": last.step, "commands": run}
    )
