"""`tenantry failover`: an instance to its other place, and back; one reviewed step after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tenantry.change.failovers import GUIDES, commands, follows, way_of
from tenantry.change.stepwise import REVIEW
from tenantry.commands.set import set_values
from tenantry.commands.usable import new_errors, usable_inputs
from tenantry.core.findings import UsageError
from tenantry.core.suggestions import choices
from tenantry.inputs import edits
from tenantry.inputs.shape import shape_of
from tenantry.model.failover import Failover, FailoverStep
from tenantry.plan.inputs import Inputs
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.resolve.instance import Instance
from tenantry.runtime.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Flight:
    """Where to fail over to, why, and whether the place that serves is `lost`: it can't be asked where it ends."""

    to: str
    reason: str
    lost: bool = False


def begin(space: Workspace, tenant: str, wish: Flight) -> CommandAnswer:
    """Write the first step. Raises UsageError for a failover that the fleet's rules would refuse."""
    inputs = usable_inputs(space)
    instance = _instance(inputs, tenant)
    if instance.failover is not None:
        raise UsageError(
            f"{instance.name} fails over already; it is in the step '{instance.failover.step}'",
            f"see 'tenantry failover {tenant}'",
        )
    step: FailoverStep = "promote" if wish.lost else "demote"
    generation = max((f.generation for f in instance.failovers), default=1) + 1
    entry = Failover(generation=generation, to=wish.to, step=step, reason=wish.reason)
    return _write(space, inputs, tenant, (*instance.failovers, entry))


def forward(space: Workspace, tenant: str, token: str) -> CommandAnswer:
    """Write the next step; from 'demote' on, with the token of the server that was demoted."""
    inputs = usable_inputs(space)
    instance, last = _open(inputs, tenant)
    step = follows(last)
    assert step is not None
    if (last.step == "demote") != bool(token):
        why = "say where the demoted server ends" if not token else "a token belongs to the step 'promote'"
        raise UsageError(why, "--token TOKEN: its status.demotionToken, as the guide of 'demote' prints it")
    entry = Failover(
        generation=last.generation,
        to=last.to,
        step=step,
        reason=last.reason,
        promotion_token=token or last.promotion_token,
    )
    return _write(space, inputs, tenant, (*instance.failovers[:-1], entry))


def drop(space: Workspace, tenant: str) -> CommandAnswer:
    """Give a failover up before the other place was promoted."""
    inputs = usable_inputs(space)
    instance, last = _open(inputs, tenant)
    if last.step != "demote":
        raise UsageError(
            f"{last.to} was promoted, so there is nothing to give up",
            f"back is a failover, too: --to {_other(instance)}",
        )
    return _write(space, inputs, tenant, instance.failovers[:-1])


def show(space: Workspace, tenant: str) -> CommandAnswer:
    """Where a failover is, and what must be true before it goes on."""
    return _answer(_instance(usable_inputs(space), tenant), tenant, written=False)


def _instance(inputs: Inputs, tenant: str) -> Instance:
    """Its production: no other environment has a DR site. Raises UsageError when there is none."""
    found = inputs.resolution.instances.get(f"{tenant}-production")
    if found is None:
        known = {i.tenant.name for i in inputs.resolution.instances.values() if i.environment == "production"}
        raise UsageError(f"there is no tenant '{tenant}' with production", choices(tenant, known, "tenants"))
    return found


def _open(inputs: Inputs, tenant: str) -> tuple[Instance, Failover]:
    instance = _instance(inputs, tenant)
    if instance.failover is None:
        raise UsageError(f"{instance.name} does not fail over", "begin with --to CLUSTER and --reason WHY")
    return instance, instance.failover


def _other(instance: Instance) -> str:
    return instance.standby.cluster.name if instance.standby is not None else "CLUSTER"


def _written(failover: Failover) -> dict[str, Any]:
    token = {"promotionToken": failover.promotion_token} if failover.promotion_token else {}
    return {
        "generation": failover.generation, "to": failover.to, "step": failover.step, **token, "reason": failover.reason,
    }  # fmt: skip


def _write(space: Workspace, inputs: Inputs, tenant: str, failovers: Sequence[Failover]) -> CommandAnswer:
    """Write the entries, unless the rules would say something new of them."""
    entries = [_written(failover) for failover in failovers]
    document = inputs.fleet.document(_instance(inputs, tenant).tenant)
    path = ("spec", "environments", "production", "failovers")
    if entries:
        text = edits.with_value(document.text, shape_of("Tenant"), path, entries)
        said = new_errors(space, inputs, document.file, text)
        if said:
            raise UsageError(f"{tenant} can't fail over so:", said)
    change = f"{'.'.join(path)}={json.dumps(entries)}" if entries else f"{'.'.join(path)}-"
    set_values(space, f"tenant/{tenant}", [change])
    return _answer(_instance(usable_inputs(space), tenant), tenant)


def _answer(instance: Instance, tenant: str, *, written: bool = True) -> CommandAnswer:
    review = [REVIEW] if written else []
    last = instance.failovers[-1] if instance.failovers else None
    if last is None:
        at = instance.site.cluster.name
        other = f"its other place is {_other(instance)}" if instance.standby else "it has no other place"
        return _said(
            f"{instance.name} serves in {at}; {other}.", review, {"tenant": tenant, "step": None, "commands": []}
        )
    guide = GUIDES[way_of(last)]
    run = commands(guide, instance) if instance.standby is not None else []
    lines = [f"Step {last.step}: {guide.does}.", *review]
    if last.step != "done":
        lines += [
            f"Before the next step: {guide.done}.",
            *(f"  {command}" for command in run),
            *_then(tenant, last, guide.back),
        ]
    about = f"{instance.name}: failover {last.generation} to {last.to} ({last.reason})."
    return _said(about, lines, {"tenant": tenant, "step": last.step, "commands": run})


def _then(tenant: str, last: Failover, back: str) -> Iterator[str]:
    token = " --token TOKEN" if last.step == "demote" else ""
    yield f"Go back: {back}."
    yield f"Then write the step '{follows(last)}': tenantry failover {tenant} --next{token}"


def _said(about: str, lines: Sequence[str], fields: dict[str, Any]) -> CommandAnswer:
    return CommandAnswer("failover", "".join(f"{one_line(line)}\n" for line in (about, *lines)), fields)
