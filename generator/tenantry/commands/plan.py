"""`tenantry plan`: what a change of the inputs means, before anything is rendered."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenantry.change.assemble import make_plan
from tenantry.change.guards import guard
from tenantry.change.guards.registration import Comparison
from tenantry.change.revisions import INPUT_FOLDERS, Revision, compared_commit, inputs_of
from tenantry.change.side import read_past, read_side
from tenantry.commands.run import has_error
from tenantry.core.findings import Result, UsageError, in_order
from tenantry.engine.engines import Engines
from tenantry.runtime.repository import Repository
from tenantry.runtime.workspace import Workspace, require_fleet


@dataclass(frozen=True)
class Compared:
    """What `plan` compares: names of revisions or of folders; `after` is empty for the working tree."""

    before: str = ""
    after: str = ""


def plan(space: Workspace, compared: Compared) -> Result:
    """Compare the inputs of two states. Exit code 1 for what is invalid, or must not be done.

    Raises UsageError for a revision or folder that does not exist.
    """
    with contextlib.ExitStack() as stack:
        old, new = _revisions(space, compared, stack)
        documents = space.store("documents")
        before, after = read_past(old, documents), read_side(new, space.as_of, documents)
        inputs = tuple(sorted(_differing(old.root, new.root)))
        findings = list(after.inputs.findings)
        if not after.inputs.usable:
            note = "There is no plan, because the inputs have errors."
            return Result("plan", in_order(findings), {"inputs": len(inputs)}, (note,))
        findings += guard(Comparison(before, after, space.as_of))
        with Engines(space.say) as engines:
            made = make_plan(engines.engine, before, after, inputs, space.as_of, lambda: None)
    findings += made.findings
    subjects = made.plan.subjects
    counts = {
        "inputs": len(inputs),
        "subjects": len(subjects),
        "tenants": len(
            {c.subject.tenant for c in subjects if c.subject.tenant} | {t for c in subjects for t in c.affects}
        ),
        "objects": sum(len(change.objects) for change in subjects),
    }
    notes = ("This change is refused as it is: see the findings.",) if has_error(findings) else ()
    return Result("plan", in_order(findings), counts, notes, plan=made.plan)


def _revisions(space: Workspace, compared: Compared, stack: contextlib.ExitStack) -> tuple[Revision, Revision]:
    before, after = compared.before, compared.after
    if _is_folder(before):
        there = require_fleet(Path(before).resolve())
        here = require_fleet(Path(after).resolve()) if after else require_fleet(space.root)
        return Revision(before, there), Revision(after or "the working tree", here)
    require_fleet(space.root)
    repository = Repository(space.root)
    base = before or repository.default_branch()
    if not base:
        raise UsageError("this clone has no branch 'main' or 'master', its own or its origin's", "name a revision")
    commit = compared_commit(repository, base, after or "HEAD")
    title = f"{base} ({commit[:12]})"
    old = Revision(title, stack.enter_context(inputs_of(repository, commit, space.root)), commit)
    if not after:
        return old, Revision("the working tree", space.root)
    head = repository.commit(after)
    return old, Revision(f"{after} ({head[:12]})", stack.enter_context(inputs_of(repository, head, space.root)), head)


def _is_folder(name: str) -> bool:
    """A folder is named by a path: `./old`, `../old`, `/old`, `old/`; anything else is a revision."""
    return name.startswith((".", "/")) or name.endswith("/")


def _differing(old: Path, new: Path) -> Iterator[str]:
    """Input files that exist in one state only, or with other content."""
    one, other = dict(_files(old)), dict(_files(new))
    for file in one.keys() | other.keys():
        if one.get(file) != other.get(file):
            yield file


def _files(root: Path) -> Iterator[tuple[str, bytes | None]]:
    for folder in INPUT_FOLDERS:
        for path, _, names in os.walk(root / folder):
            for name in names:
                file = Path(path, name)
                ordinary = file.is_file() and not file.is_symlink()
                yield file.relative_to(root).as_posix(), file.read_bytes() if ordinary else None
