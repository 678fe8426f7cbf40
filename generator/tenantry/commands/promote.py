"""`tenantry promote` and `tenantry rollback`: releases through a channel, one reviewed change after the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tenantry.change.promotion import PromotionStep, WayBack, next_step, way_back
from tenantry.change.revisions import Revision, compared_commits, texts_of
from tenantry.change.side import Side, read_past
from tenantry.commands.base import default_base
from tenantry.commands.set import set_values
from tenantry.commands.usable import usable_inputs
from tenantry.core.findings import ToolError, UsageError
from tenantry.core.suggestions import choices
from tenantry.model.release import Release
from tenantry.plan.inputs import Inputs
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.runtime.repository import Repository
from tenantry.runtime.workspace import Workspace


def promote(space: Workspace, channel: str, release: str) -> CommandAnswer:
    """Write the next step into the channel's file. Raises UsageError when a step before it was not proved."""
    step = next_step(usable_inputs(space), channel, release, space.since)
    set_values(space, f"channel/{step.channel}", step.edits)
    return _answer(step)


def record(space: Workspace, release: str, environment: str, results: Mapping[str, str]) -> CommandAnswer:
    """Add a record of a test to a release's file; `results` are `by`, `migration` and `probes`."""
    releases = usable_inputs(space).fleet.all(Release)
    found = releases.get(release)
    if found is None:
        raise UsageError(f"there is no release '{release}'", choices(release, releases, "releases"))
    value = {"environment": environment, "date": space.as_of, **results}
    answer = set_values(space, f"release/{release}", [f"spec.proved[{len(found.proved)}]={json.dumps(value)}"])
    text = one_line(
        f"Recorded for {release}: {environment}, {space.as_of}, migration {results['migration']}, probes {results['probes']}."
    )
    return CommandAnswer("promote", f"{text}\n", {"record": value, "file": answer.fields["file"]})


def rollback(space: Workspace, channel: str) -> CommandAnswer:
    """Take back what of a rollout was not merged, and say what can't be taken back, and what then."""
    inputs = usable_inputs(space)
    back = way_back(_merged(space, inputs), inputs, channel)
    if back.edits:
        set_values(space, f"channel/{back.channel}", back.edits)
    return CommandAnswer("rollback", "".join(f"{one_line(line)}\n" for line in _lines(back)), {
        "channel": back.channel, "taken_back": list(back.taken_back), "migrated": [i.name for i in back.migrated],
    }, ok=not back.migrated)  # fmt: skip


def _merged(space: Workspace, inputs: Inputs) -> Inputs | None:
    """The merged state; None if it can't be known, so that everything counts as applied."""
    try:
        repository = Repository(space.root)
        commit, *_ = compared_commits(repository, default_base(repository))
    except (UsageError, ToolError):
        return None
    after = Side(Revision("the working tree", space.root), inputs)
    return read_past(commit[:12], after, texts_of(repository, commit, space.root), space.store("documents")).inputs


def _answer(step: PromotionStep) -> CommandAnswer:
    lines = [f"{step.what}."[:1].upper() + f"{step.what}."[1:]]
    lines += [f"  {tenant}" for tenant in step.tenants]
    lines.append("Look at it with 'tenantry plan'; then render, check and merge it.")
    lines += [f"Then, {step.then}"] if step.then else []
    fields: dict[str, Any] = {"channel": step.channel, "step": step.what, "tenants": list(step.tenants)}
    return CommandAnswer("promote", "".join(f"{one_line(line)}\n" for line in lines), fields)


def _lines(back: WayBack) -> list[str]:
    lines = []
    if back.taken_back:
        lines.append(f"Not merged yet, taken back: {', '.join(back.taken_back)}.")
    if back.migrated:
        lines.append(f"Merged, so '{back.release}' may have migrated these databases, which no older release can read:")
        for instance in back.migrated:
            bucket = instance.site.cluster.object_storage.backup_bucket
            lines.append(
                f"  {instance.name}: the dump made before is {bucket}/{instance.names.object_prefix}/before-{back.release}"
            )
        lines.append(
            "Build a release with the fix and promote that; no work is lost. Restoring the dumps loses what was entered since."
        )
    return lines
