"""`tenantry check`: whether inputs are valid and generated trees are up to date."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from tenantry.commands.base import guarded
from tenantry.commands.run import Run, has_error
from tenantry.core.findings import Finding, Result, in_order
from tenantry.engine.engines import Engines
from tenantry.plan.exceptions import stops
from tenantry.publish.drift import describe
from tenantry.publish.staging import foreign_work
from tenantry.publish.writer import interrupted
from tenantry.runtime.listing import Change
from tenantry.runtime.workspace import Workspace


def check(space: Workspace, base: str = "") -> Result:
    """Check inputs, fleet rules, what the change does to the state before it, and generated trees.

    That state is the common ancestor with `base`, or with the default branch if there is one. Writes only the cache.
    Raises UsageError when a `base` is named that can't be compared with.
    """
    with Engines(space.say) as engines:
        return check_listed(Run(space, engines), base)


def check_listed(run: Run, base: str = "") -> Result:
    """As `check`, for a run that has begun."""
    space = run.space
    findings = [*run.inputs.findings, *_left_behind(space)]
    if not run.inputs.usable:
        note = "The trees were not compared, because the inputs have errors."
        return Result("check", in_order(findings), run.counts, (note,))
    guards = guarded(space, run.inputs, base)
    findings += guards.findings
    made = run.make(_Few(), blocked=lambda outcome: bool(outcome.changes) or stops(findings))
    refused = any(finding.code == "G005" for finding in made.outcome.findings)
    findings += [*made.outcome.findings, *describe(space.root, made.outcome.changes, refused=refused)]
    if not stops(findings):  # outdated trees are not proved: they must be rendered first
        findings += made.proofs.findings(made.outcome.changes)
    made.remember(made.outcome.changes)
    counts = made.counts
    blind = f"The change was not compared with what was there before it: {guards.blind}." if guards.blind else ""
    notes = (*(() if has_error(findings) else (_summary(counts),)), *filter(None, [blind]))
    return Result("check", in_order(findings), counts, notes)


class _Few:
    """Keeps the content of the first changes, which a report can show, and drops that of the others."""

    def __init__(self, limit: int = 500) -> None:
        self.left = limit

    def __call__(self, change: Change) -> Change:
        self.left -= 1
        return change if self.left >= 0 else dataclasses.replace(change, content=None)


def _left_behind(space: Workspace) -> Iterator[Finding]:
    """Findings for what an interrupted run left, and for unmanaged files in the staging folder."""
    yield from foreign_work(space.root, space.state)
    yield from interrupted(space.root, space.state)


def _summary(counts: dict[str, int]) -> str:
    parts = [f"{counts[f'{word}s']} {word}{'' if counts[f'{word}s'] == 1 else 's'}" for word in ("tenant", "instance")]
    return f"{', '.join(parts)}, {counts['units']} overlays: inputs are valid, trees are up to date."
