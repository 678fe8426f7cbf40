"""`tenantry plan`: what a change of the inputs means, before anything is rendered."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantry.change.assemble import make_plan
from tenantry.change.guards import guard
from tenantry.change.guards.registration import Comparison
from tenantry.change.proving import prove_both
from tenantry.change.revisions import Revision, Texts, compared_commits, inputs_of, texts_of, texts_of_folder
from tenantry.change.side import Side, read_past, read_side
from tenantry.commands.base import default_base
from tenantry.commands.run import has_error
from tenantry.core.findings import Result, in_order
from tenantry.engine.engines import Engines
from tenantry.runtime.repository import Repository
from tenantry.runtime.workspace import Workspace, require_fleet


@dataclass(frozen=True)
class Compared:
    """What `plan` compares: names of revisions or of folders; `after` is empty for the working tree.

    With `prove`, all objects of the clusters that are touched are built and proved, in both states.
    """

    before: str = ""
    after: str = ""
    prove: bool = False


@dataclass(frozen=True)
class _States:
    """What the states are called, the folder of the later one, and what differs in the earlier one: one for each common
    ancestor, of which the first is planned from and all are guarded."""

    before: str
    after: str
    root: Path
    texts: tuple[Texts, ...]


def plan(space: Workspace, compared: Compared) -> Result:
    """Compare the inputs of two states. Exit code 1 for what is invalid, or must not be done.

    Raises UsageError for a revision or folder that does not exist.
    """
    with contextlib.ExitStack() as stack:
        states = _states(space, compared, stack)
        documents = space.store("documents")
        after = read_side(Revision(states.after, states.root), space.as_of, documents)
        before = [read_past(states.before, after, texts, documents) for texts in states.texts]
        documents.save()
        return _planned(space, before, after, tuple(sorted(states.texts[0])), prove=compared.prove)


def _planned(space: Workspace, before: Sequence[Side], after: Side, inputs: tuple[str, ...], *, prove: bool) -> Result:
    findings = list(after.inputs.findings)
    if not after.inputs.usable:
        note = "There is no plan, because the inputs have errors."
        return Result("plan", in_order(findings), {"inputs": len(inputs)}, (note,))
    for side in before:
        findings += guard(Comparison(side, after, space.as_of))
    with Engines(space.say) as engines:
        proven = prove_both(engines, before[0], after, space.as_of) if prove else None
        made = make_plan(engines.engine, before[0], after, inputs, space.as_of, proven, space.since)
    findings += made.findings if proven is None else (*made.findings, *proven.findings)
    subjects = made.plan.subjects
    tenants = {c.subject.tenant for c in subjects if c.subject.tenant} | {t for c in subjects for t in c.affects}
    counts = {
        "inputs": len(inputs), "subjects": len(subjects), "tenants": len(tenants),
        "objects": sum(len(change.objects) for change in subjects),
    }  # fmt: skip
    notes = ["This change is refused as it is: see the findings."] if has_error(findings) else []
    if proven is None and made.plan.subjects:
        notes.append("The controls were not proved: 'tenantry plan --prove' does it for both states.")
    return Result("plan", in_order(findings), counts, tuple(notes), plan=made.plan)


def _states(space: Workspace, compared: Compared, stack: contextlib.ExitStack) -> _States:
    before, after = compared.before, compared.after
    if _is_folder(before):
        there = require_fleet(Path(before).resolve())
        here = require_fleet(Path(after).resolve()) if after else require_fleet(space.root)
        return _States(before, after or "the working tree", here, (texts_of_folder(there, here),))
    require_fleet(space.root)
    repository = Repository(space.root)
    base = before or default_base(repository)
    commits = compared_commits(repository, base, after or "HEAD")
    title = f"{base} ({commits[0][:12]})"
    if not after:
        texts = tuple(texts_of(repository, commit, space.root) for commit in commits)
        return _States(title, "the working tree", space.root, texts)
    head = repository.commit(after)
    root = stack.enter_context(inputs_of(repository, head, space.root))
    texts = tuple(texts_of(repository, commit, space.root, head) for commit in commits)
    return _States(title, f"{after} ({head[:12]})", root, texts)


def _is_folder(name: str) -> bool:
    """A folder is named by a path: `./old`, `../old`, `/old`, `old/`; anything else is a revision."""
    return name.startswith((".", "/")) or name.endswith("/")
