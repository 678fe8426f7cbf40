"""The revision that a change is compared with, and what the change must not do to it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.change.guards import guard
from tenantry.change.guards.registration import Comparison
from tenantry.change.revisions import INPUT_FOLDERS, Revision, compared_commit, inputs_of
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
        commit = compared_commit(repository, base or _default(repository))
    except (UsageError, ToolError) as error:
        if base:
            raise
        return Guarded(blind=error.message)
    if not _inputs_differ(repository, commit, space):
        return Guarded()
    with base_side(space, repository, commit) as before:
        after = Side(Revision("the working tree", space.root), inputs)
        return Guarded(tuple(guard(Comparison(before, after, space.as_of))))


@contextlib.contextmanager
def base_side(space: Workspace, repository: Repository, commit: str) -> Iterator[Side]:
    """The state that a commit has for the fleet; valid inside the context, in which its files exist."""
    with inputs_of(repository, commit, space.root) as folder:
        yield read_past(Revision(commit[:12], folder, commit), space.store("documents"))


def _default(repository: Repository) -> str:
    found = repository.default_branch()
    if not found:
        raise UsageError("this clone has no branch 'main' or 'master', its own or its origin's", "name a revision")
    return found


def _inputs_differ(repository: Repository, commit: str, space: Workspace) -> bool:
    prefix = os.path.relpath(os.path.realpath(space.root), repository.top)
    return any(True for _ in repository.changed(commit, *(f"{prefix}/{folder}" for folder in INPUT_FOLDERS)))
