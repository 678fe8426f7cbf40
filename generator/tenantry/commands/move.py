"""`tenantry move`: a tenant to another cell, tier or cluster, one reviewed step after the other."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from secrets import token_hex
from typing import Any

from tenantry.change.moves import GUIDE, following, guide_of, told
from tenantry.change.stepwise import REVIEW, kept_until
from tenantry.change.windows import next_opening, next_window
from tenantry.commands.set import set_values
from tenantry.commands.usable import usable_inputs
from tenantry.core.findings import UsageError, in_order
from tenantry.core.suggestions import choices
from tenantry.inputs import edits
from tenantry.inputs.fleet import Fleet
from tenantry.inputs.shape import shape_of
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.migration import AT_TARGET, Migration, MoveStep, Placement
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.plan.capacity import by_cell, has_room
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.resolve.instance import Instance
from tenantry.resolve.links import cells_for
from tenantry.runtime.workspace import Workspace

_SHARE = 0.7
"""Of a window; when the copy takes longer, there is no time left to go back in it."""


def begin(space: Workspace, tenant: str, wishes: Mapping[str, str], keep_until: str) -> CommandAnswer:
    """Write the first step of a move. `wishes` are of tier, cell, cluster and environment; what is not said is proposed.

    Raises UsageError for a move that can't be made, or whose end the fleet's rules would refuse.
    """
    inputs = usable_inputs(space)
    known = _known(inputs.fleet, tenant)
    if known.migration is not None:
        raise UsageError(
            f"{tenant} moves already; it is in the step '{known.migration.step}'", f"see 'tenantry move {tenant}'"
        )
    target = _target(inputs, known, wishes)
    source = Placement(tier=known.tier, cells={e: known.environments[e].cell for e in target.cells})
    migration = {
        "step": "prepare", "from": _written(source), "to": _written(target),
        "keepSourceUntil": keep_until or kept_until(space.as_of), **_attempt(inputs.fleet, source, target),
    }  # fmt: skip
    _must_be_right_there(space, inputs, known, target)
    _must_be_possible(space, inputs, known, migration)
    set_values(space, f"tenant/{tenant}", [f"spec.migration={json.dumps(migration)}"])
    return _answer(space, tenant, "begins to move")


def forward(space: Workspace, tenant: str, by: str, minutes: int | None) -> CommandAnswer:
    """Record that the present step is done, and write the next one."""
    inputs = usable_inputs(space)
    known, migration = _moving(inputs.fleet, tenant)
    step = migration.step
    if step == "copy" and minutes is None:
        raise UsageError("say how long the copy took, in minutes, as the Job's last line says", "--minutes N")
    then = following(step)
    if then is None:
        set_values(space, f"tenant/{tenant}", ["spec.migration-"])
        return _said(f"{tenant} has moved to {_shown(migration.to)}.", [REVIEW], {"tenant": tenant, "step": None})
    if then == "remove" and migration.keep_source_until >= space.as_of:
        raise UsageError(
            f"the source of {tenant} is kept until {migration.keep_source_until}", "take this step on a later day"
        )
    records = [_record(r.step, r.date, r.by, r.minutes) for r in migration.records]
    records.append(_record(step, space.as_of, by, minutes if step == "copy" else None))
    changes = [f"spec.migration.step={then}", f"spec.migration.records={json.dumps(records)}"]
    changes += _served_by(known, migration.to) if then == "switch" else []
    set_values(space, f"tenant/{tenant}", changes)
    return _answer(space, tenant, f"is in the step '{then}'")


def back(space: Workspace, tenant: str) -> CommandAnswer:
    """Go back to where the source serves and nothing is copied; from there, give the move up."""
    known, migration = _moving(usable_inputs(space).fleet, tenant)
    step = migration.step
    if step == "remove":
        raise UsageError(f"the source of {tenant} is removed, so there is no way back", GUIDE[step].back)
    if step == "prepare":
        set_values(space, f"tenant/{tenant}", ["spec.migration-"])
        about = f"{tenant} stays in {_shown(migration.from_)}. What was made at the target stays in the cluster until somebody deletes it."
        return _said(about, [REVIEW], {"tenant": tenant, "step": None})
    changes = ["spec.migration.step=prepare", "spec.migration.records=[]"]
    changes += _served_by(known, migration.from_) if step in AT_TARGET else []
    if migration.attempt:
        changes.append(f'spec.migration.attempt="{token_hex(4)}"')
    set_values(space, f"tenant/{tenant}", changes)
    lost = "What was entered since the switch is lost." if step in AT_TARGET else "Nothing is lost."
    return _said(
        f"{tenant} goes back to {_shown(migration.from_)}. {lost}",
        ["Its target keeps what was copied, and nobody can log in there.", REVIEW], {"tenant": tenant, "step": "prepare"},
    )  # fmt: skip


def show(space: Workspace, tenant: str) -> CommandAnswer:
    """Where a move is, and what must be true before it goes on."""
    return _answer(space, tenant, "is on its way", written=False)


def _known(fleet: Fleet, name: str) -> Tenant:
    tenant = fleet.find(Tenant, name)
    if tenant is None:
        raise UsageError(f"there is no tenant '{name}'", choices(name, fleet.all(Tenant), "tenants"))
    return tenant


def _moving(fleet: Fleet, name: str) -> tuple[Tenant, Migration]:
    tenant = _known(fleet, name)
    if tenant.migration is None:
        raise UsageError(f"{name} does not move", "begin with --cell, --tier or --cluster")
    return tenant, tenant.migration


def _attempt(fleet: Fleet, source: Placement, target: Placement) -> dict[str, str]:
    """Where the copies of a move to another cluster lie: nowhere where any lay before."""

    def clusters(placement: Placement) -> list[str | None]:
        cells = (fleet.find(Cell, placement.cells[environment]) for environment in target.cells)
        return [cell.cluster if cell is not None else None for cell in cells]

    return {"attempt": token_hex(4)} if clusters(source) != clusters(target) else {}


def _written(placement: Placement) -> dict[str, Any]:
    return {"tier": placement.tier, "cells": dict(placement.cells)}


def _shown(placement: Placement) -> str:
    cells = ", ".join(f"{cell} ({environment})" for environment, cell in placement.cells.items())
    return f"tier {placement.tier}, {cells}"


def _record(step: MoveStep, date: str, by: str, minutes: int | None) -> dict[str, Any]:
    return {"step": step, "date": date, "by": by, **({"minutes": minutes} if minutes else {})}


def _served_by(tenant: Tenant, placement: Placement) -> list[str]:
    """Edits by which the file says that a placement serves."""
    changes = [f"spec.tier={placement.tier}"] if tenant.tier != placement.tier else []
    return changes + [f"spec.environments.{environment}.cell={cell}" for environment, cell in placement.cells.items()]


# --- where to


def _target(inputs: Inputs, tenant: Tenant, wishes: Mapping[str, str]) -> Placement:
    """The target's tier and cells. Raises UsageError for names that are not there, and when no cell has room."""
    fleet = inputs.fleet
    for kind, cls in (("tier", Tier), ("cell", Cell), ("cluster", Cluster)):
        if kind in wishes and fleet.find(cls, wishes[kind]) is None:
            raise UsageError(f"there is no {kind} '{wishes[kind]}'", choices(wishes[kind], fleet.all(cls), f"{kind}s"))
    wanted = fleet.find(Cell, wishes.get("cell", ""))
    tier = wishes.get("tier") or (wanted.tier if wanted else tenant.tier)
    chosen = wishes.get("environment") or next(iter(tenant.environments))
    if chosen not in tenant.environments:
        raise UsageError(f"{tenant.name} has no environment '{chosen}'", f"it has {', '.join(tenant.environments)}")
    moving = list(tenant.environments) if tier != tenant.tier or "cluster" in wishes else [chosen]
    cells = {
        environment: wanted.name if wanted and environment == chosen else _cell(inputs, tenant, tier, environment, wishes.get("cluster"))
        for environment in moving
    }  # fmt: skip
    return Placement(tier=tier, cells=cells)


def _cell(inputs: Inputs, tenant: Tenant, tier: str, environment: str, cluster: str | None) -> str:
    """The emptiest fitting cell, in the cluster where the instance is if that has one."""
    members = by_cell(inputs.resolution.instances.values())
    here = tenant.environments[environment].cell
    at = next(i.site.cluster.name for i in inputs.resolution.instances.values() if i.site.cell.name == here)
    fitting = cells_for(inputs.fleet, dataclasses.replace(tenant, tier=tier), environment)
    free = [
        cell for cell in fitting
        if cell.name != here and cell.cluster == (cluster or cell.cluster) and has_room(cell, members.get(cell.name, []))
    ]  # fmt: skip
    if not free:
        where = f" in cluster '{cluster}'" if cluster else ""
        raise UsageError(
            f"no other cell of tier '{tier}'{where} takes {environment} of {tenant.name} and has room",
            "add one with 'tenantry new cell NAME --cluster CLUSTER --tier TIER'",
        )
    return min(free, key=lambda c: (c.cluster != at, len(members.get(c.name, [])), c.name)).name


def _must_be_right_there(space: Workspace, inputs: Inputs, tenant: Tenant, target: Placement) -> None:
    """Raise UsageError for what the rules would say of the tenant at the target."""
    found = inputs.fleet.document(tenant)
    text, shape = found.text, shape_of("Tenant")
    text = edits.with_value(text, shape, ("spec", "tier"), target.tier)
    for environment, cell in target.cells.items():
        text = edits.with_value(text, shape, ("spec", "environments", environment, "cell"), cell)
    _refuse_new(space, inputs, found.file, text, f"{tenant.name} can't move to {_shown(target)}:")


def _must_be_possible(space: Workspace, inputs: Inputs, tenant: Tenant, migration: Mapping[str, Any]) -> None:
    found = inputs.fleet.document(tenant)
    text = edits.with_value(found.text, shape_of("Tenant"), ("spec", "migration"), migration)
    _refuse_new(space, inputs, found.file, text, f"{tenant.name} can't move there:")


def _refuse_new(space: Workspace, inputs: Inputs, file: str, text: str, message: str) -> None:
    known = {(f.code, f.message) for f in inputs.findings}
    after = read_inputs(space.root, space.as_of, space.store("documents"), {file: text}).findings
    new = in_order(f for f in after if f.severity == "error" and (f.code, f.message) not in known)
    if new:
        raise UsageError(
            message, "\n  ".join(f"{f.place}: {f.code} {f.message}{f' ({f.hint})' if f.hint else ''}" for f in new)
        )


# --- what is said


def _answer(space: Workspace, tenant: str, what: str, *, written: bool = True) -> CommandAnswer:
    inputs = usable_inputs(space)
    _, migration = _moving(inputs.fleet, tenant)
    moving = [i for i in inputs.resolution.instances.values() if i.tenant.name == tenant and i.move is not None]
    guide = guide_of(moving[0]) if moving else GUIDE[migration.step]
    commands = list(dict.fromkeys(told(instance, command) for instance in moving for command in guide.commands))
    lines = [
        f"Step {migration.step}: {guide.does}.", *_downtime(moving, migration, space.since), *([REVIEW] if written else []),
        f"Before the next step: {guide.done}.", *(f"  {command}" for command in commands),
        f"Go back with 'tenantry move {tenant} --back' {guide.back}." if migration.step != "remove" else f"There is no way back {guide.back}.",
        *_then(tenant, migration),
    ]  # fmt: skip
    about = f"{tenant} {what}, from {_shown(migration.from_)} to {_shown(migration.to)}."
    return _said(about, lines, {"tenant": tenant, "step": migration.step, "commands": commands})


def _downtime(moving: Sequence[Instance], migration: Migration, since: str) -> Iterator[str]:
    """How long Odoo is down, and when; said as soon as a trial copy was timed."""
    minutes = migration.minutes
    if minutes is None or migration.step in AT_TARGET:
        return
    for instance in (i for i in moving if i.environment == "production"):
        opening = next_opening(instance, since)
        yield f"Odoo will be down for about {minutes} min for the copy, then until the switch is merged; next window: {next_window(instance, since)}."
        if opening is not None and minutes > _SHARE * 60 * opening[1].hours:
            yield f"That is more than 70 % of the window of {opening[1].hours} h: agree on a longer one with the customer first."


def _then(tenant: str, migration: Migration) -> Iterator[str]:
    then = following(migration.step)
    minutes = " --minutes N" if migration.step == "copy" else ""
    what = f"write the step '{then}'" if then else "end the move"
    day = f", after {migration.keep_source_until}" if then == "remove" else ""
    yield f"Then {what}{day}: tenantry move {tenant} --next --by WHO{minutes}"


def _said(about: str, lines: Sequence[str], fields: Mapping[str, Any]) -> CommandAnswer:
    text = "".join(f"{one_line(line)}\n" for line in (about, *lines))
    return CommandAnswer("move", text, dict(fields))
