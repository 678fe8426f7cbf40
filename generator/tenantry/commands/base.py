"""The revision that a change is compared with, and what the change must not do to it."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.change.guards import guard
from tenantry.change.guards.registration import Comparison
from tenantry.change.revisions import Revision, compared_commits, texts_of
from tenantry.change.side import Side, read_past
from tenantry.core.findings import Finding, ToolError, UsageError
from tenantry.plan.inputs import Inputs
from tenantry.runtime.repository import Repository
from tenantry.runtime.workspace import Workspace


@dataclass(frozen=True)
class Guarded:
    """What the guards found, or why they could not look (empty if they could)."""

    findings: tuple[Finding, ...] = ()
    blind: str = ""


def guarded(space: Workspace, inputs: Inputs, base: str = "") -> Guarded:
    """Compare inputs in the working tree with their common ancestor with `base`, or with the default branch.

    Raises UsageError when a `base` is named that can't be compared with; without one, the reason is given as `blind`.
    """
    try:
        repository = Repository(space.root)
        commits = compared_commits(repository, base or default_base(repository))
    except (UsageError, ToolError) as error:
        if base:
            raise
        return Guarded(blind=error.message)
    after = Side(Revision("the working tree", space.root), inputs)
    found: list[Finding] = []
    for commit in commits:
        texts = texts_of(repository, commit, space.root)
        if texts:
            before = read_past(commit[:12], after, texts, space.store("documents"))
            found += guard(Comparison(before, after, space.as_of))
    return Guarded(tuple(dict.fromkeys(found)))


def default_base(repository: Repository) -> str:
    """The default branch's name. Raises UsageError when this clone has none."""
    found = repository.default_branch()
    if not found:
        raise UsageError("this clone has no branch 'main' or 'master', its own or its origin's", "name a revision")
    return found
