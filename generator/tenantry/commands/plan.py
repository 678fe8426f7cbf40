"""`tenantry plan`: what a change of the inputs means, before anything is rendered."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from tenantry.change.assemble import make_plan
from tenantry.change.guards import guard
from tenantry.change.guards.registration import Comparison
from tenantry.change.revisions import Revision, Texts, compared_commit, inputs_of, texts_of, texts_of_folder
from tenantry.change.side import Side, read_past, read_side
from tenantry.commands.base import default_base
from tenantry.commands.run import has_error
from tenantry.core.findings import Result, in_order
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
        titles, root, texts = _states(space, compared, stack)
        documents = space.store("documents")
        after = read_side(Revision(titles[1], root), space.as_of, documents)
        before = read_past(titles[0], after, texts, documents)
        documents.save()
        return _planned(space, before, after, tuple(sorted(texts)))


def _planned(space: Workspace, before: Side, after: Side, inputs: tuple[str, ...]) -> Result:
    findings = list(after.inputs.findings)
    if not after.inputs.usable:
        note = "There is no plan, because the inputs have errors."
        return Result("plan", in_order(findings), {"inputs": len(inputs)}, (note,))
    findings += guard(Comparison(before, after, space.as_of))
    with Engines(space.say) as engines:
        made = make_plan(engines.engine, before, after, inputs, space.as_of, lambda: None)
    findings += made.findings
    subjects = made.plan.subjects
    tenants = {c.subject.tenant for c in subjects if c.subject.tenant} | {t for c in subjects for t in c.affects}
    counts = {
        "inputs": len(inputs), "subjects": len(subjects), "tenants": len(tenants),
        "objects": sum(len(change.objects) for change in subjects),
    }  # fmt: skip
    notes = ("This change is refused as it is: see the findings.",) if has_error(findings) else ()
    return Result("plan", in_order(findings), counts, notes, plan=made.plan)


def _states(space: Workspace, compared: Compared, stack: contextlib.ExitStack) -> tuple[tuple[str, str], Path, Texts]:
    """What the states are called, the folder of the later one, and what differs in the earlier one."""
    before, after = compared.before, compared.after
    if _is_folder(before):
        there = require_fleet(Path(before).resolve())
        here = require_fleet(Path(after).resolve()) if after else require_fleet(space.root)
        return (before, after or "the working tree"), here, texts_of_folder(there, here)
    require_fleet(space.root)
    repository = Repository(space.root)
    base = before or default_base(repository)
    commit = compared_commit(repository, base, after or "HEAD")
    title = f"{base} ({commit[:12]})"
    if not after:
        return (title, "the working tree"), space.root, texts_of(repository, commit, space.root)
    head = repository.commit(after)
    root = stack.enter_context(inputs_of(repository, head, space.root))
    return (title, f"{after} ({head[:12]})"), root, texts_of(repository, commit, space.root, head)


def _is_folder(name: str) -> bool:
    """A folder is named by a path: `./old`, `../old`, `/old`, `old/`; anything else is a revision."""
    return name.startswith((".", "/")) or name.endswith("/")
