"""`tenantry render`: generate the trees from the inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tenantry.commands.base import guarded
from tenantry.commands.run import Run, has_error
from tenantry.core.findings import Result, UsageError, in_order
from tenantry.core.suggestions import did_you_mean
from tenantry.engine.engines import Engines
from tenantry.plan.exceptions import stops
from tenantry.plan.inputs import Inputs
from tenantry.publish.generator import TreeChanges
from tenantry.publish.writer import Publisher
from tenantry.runtime.workspace import Workspace


def render(space: Workspace, publisher: Publisher, tenants: Sequence[str] = (), *, write: bool = True) -> Result:
    """Update base/, overlays/ and rendered/ to what the inputs give, completely or not at all.

    `publisher` has held the fleet's lock since before the trees were listed. Without `write`, the changes are only
    staged in it.
    """
    with Engines(space.say) as engines:
        run = Run(space, engines)
        _known_tenants(run.inputs, tenants)
        if not run.inputs.usable:
            return Result("render", in_order(run.inputs.findings), run.counts, ("Nothing was written.",))
        guards = guarded(space, run.inputs)
        if has_error(guards.findings):
            ordered = in_order([*run.inputs.findings, *guards.findings])
            return Result("render", ordered, run.counts, ("Nothing was written.",))
        made = run.make(publisher.stage, tenants, staged=publisher.staged)
        findings = [*run.inputs.findings, *guards.findings, *made.outcome.findings]
        if not stops(findings):
            found = made.proofs.findings(made.outcome.changes)
            # With selected tenants, only findings about them or shared objects count: the others may be out of date.
            findings += (f for f in found if not tenants or not f.tenant or f.tenant in tenants)
        if stops(findings):
            return Result("render", in_order(findings), made.counts, ("Nothing was written.",))
        if write:
            publisher.commit()
            made.remember()
    return Result("render", in_order(findings), made.counts, (_written(made.outcome),))


def _known_tenants(inputs: Inputs, tenants: Sequence[str]) -> None:
    known = inputs.fleet.entries["Tenant"]
    for name in tenants:
        if name not in known and f"tenants/{name}.yaml" not in inputs.fleet.broken:
            hint = did_you_mean(name, known) or "tenants are the files in tenants/"
            raise UsageError(f"there is no tenant '{name}'", hint)


def _written(outcome: TreeChanges) -> str:
    actions = Counter(change.action for change in outcome.changes)
    if not outcome.changes:
        return f"Nothing to write: {outcome.units} overlays are up to date."
    parts = [f"{actions[action]} {action}" for action in ("added", "changed", "removed") if actions[action]]
    return f"Wrote {len(outcome.changes)} files ({', '.join(parts)}). See them with 'git diff' or 'git status'."
