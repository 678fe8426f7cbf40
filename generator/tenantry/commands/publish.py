"""`tenantry publish`: render, check, and commit the trees with the inputs that they come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantry import __version__
from tenantry.commands.check import check
from tenantry.commands.plan import Compared, plan
from tenantry.commands.render import render
from tenantry.core.findings import Finding, ObjectChange, Result, TenantryError, UsageError, in_order
from tenantry.diff.compare import diff
from tenantry.engine.engines import Engines
from tenantry.publish.area import Area, area_of, outside
from tenantry.publish.committing import Committer, Start
from tenantry.publish.message import ChangeSummary, Provenance, message, subject
from tenantry.publish.remote_branch import RemoteBranch, branch_of
from tenantry.publish.resolution import in_progress
from tenantry.publish.writer import Publisher
from tenantry.runtime.pending import pending
from tenantry.runtime.remote import target_of
from tenantry.runtime.repository import Repository
from tenantry.runtime.user_git import UserGit
from tenantry.runtime.workspace import Workspace

_ATTEMPTS = 5
"""How often a push is tried on a branch that others push to at the same time."""
_NOTHING = "Nothing to commit: trees and inputs are as committed."


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asks for: inputs to commit, a new branch, a push, and how."""

    paths: Sequence[Path] = ()
    branch: str = ""
    push: bool = False
    remote: str = ""
    subject: str = ""
    dry_run: bool = False
    tree_programs: bool = False


@dataclass(frozen=True, slots=True)
class _Made:
    """The outcome of rendering, checking and committing; `commit` is empty if nothing changed or something is wrong."""

    result: Result
    commit: str = ""


def publish(space: Workspace, order: Order) -> Result:
    """Commit the generated trees and the asked-for inputs, and push them if asked to.

    Raises UsageError when the repository is not in a state to publish from, TenantryError when a hook or the remote
    refuses, ToolError when git fails. Whatever happens, no change of a person is lost.
    """
    return _Publication(space, order).run()


class _Publication:
    def __init__(self, space: Workspace, order: Order) -> None:
        self._space = space
        self._order = order
        self._repository = Repository(space.root)
        self._user = UserGit(self._repository, tree_programs=order.tree_programs)
        self._area = area_of(self._repository, space.root, order.paths)
        going = in_progress(self._repository)
        self._branch = branch_of(self._repository, order.branch, [going.next_step] if going else [])
        self._remote = self._remote_branch()

    def _remote_branch(self) -> RemoteBranch | None:
        target = target_of(self._repository, self._branch, self._order.remote)
        if target is not None:
            return RemoteBranch(self._repository, self._user, self._area, self._branch, target)
        if self._order.push:
            raise UsageError("there is no remote to push to", "add one with 'git remote add', or leave out --push")
        return None

    def run(self) -> Result:
        area = self._area
        unknown = list(outside(area, list(pending(self._user, [*area.inputs, *area.generated]))))
        if unknown:
            return _refused(unknown, "Nothing was committed.")
        if self._order.dry_run:
            return self._dry_run()
        behind = list(self._behind())
        if behind:
            return _refused(behind, "Nothing was committed.")
        made = self._make()
        return self._push(made) if self._order.push and made.result.ok else made.result

    def _behind(self) -> Iterable[Finding]:
        """Findings if the branch is not up to date and can't be brought up to date."""
        if self._remote is None:
            return ()
        return self._remote.catch_up(self._start()) if self._order.push else self._remote.as_known(self._start())

    def _start(self) -> Start:
        return Start(self._repository.commit("HEAD"), self._repository.branch())

    def _make(self) -> _Made:
        """Render, check and commit on the current commit."""
        space, start = self._space, self._start()
        with Publisher(space.root, space.state, space.say) as publisher:
            rendered = render(space, publisher)
        if not rendered.ok:
            return _Made(_named(rendered))
        with Committer(self._repository, self._user, self._area) as committer:
            tree = committer.stage()
            checked = check(space)
            if not checked.ok:
                return _Made(_named(checked, "Nothing was committed."))
            if tree == self._repository.ask("rev-parse", f"{start.commit}^{{tree}}"):
                committer.keep()  # nothing is staged now, even if a killed run had staged something
                return _Made(_named(checked, _NOTHING))
            _must_be_exact(committer)
            text = self._message(diff(space.root, start.commit, space.say).changes, tree, start)
            commit = committer.commit(start, tree, text, self._branch if self._branch != start.branch else "")
        note = f"Committed {commit[:12]} on {self._branch}: {text.splitlines()[0]}"
        return _Made(_named(checked, note), commit)

    def _planned(self, summary: ChangeSummary, start: Start) -> ChangeSummary:
        """The summary with the risk of what is committed, and who must agree to it."""
        found = plan(self._space, Compared(start.commit)).plan
        if found is None or not found.subjects:
            return summary
        who = tuple(dict.fromkeys(approval.who for approval in found.approvals))
        return dataclasses.replace(summary, risk=found.risk, approvers=who)

    def _message(self, changes: Sequence[ObjectChange], tree: str, start: Start) -> str:
        summary = self._planned(summary_of(changes), start)
        made = Provenance(__version__, engine_version(self._space.say), inputs_id(self._repository, self._area, tree))
        return message(self._order.subject or subject(summary), summary, made)

    def _push(self, made: _Made) -> Result:
        """Push; where the remote moved, carry the inputs there, and render, check and commit again."""
        assert self._remote is not None
        for _ in range(_ATTEMPTS):
            done = self._remote.push()
            if done:
                return dataclasses.replace(made.result, notes=(*made.result.notes, done))
            findings = list(self._remote.carry(made.commit))
            if findings:
                return _refused(findings, f"The commit is on '{self._branch}', and was not pushed.")
            made = self._make()
            if not made.result.ok:
                return made.result
        hint = f"the commit is on '{self._branch}': publish again"
        raise TenantryError(f"{self._remote.target} moved {_ATTEMPTS} times", hint)

    def _dry_run(self) -> Result:
        """What would be committed now, without asking the remote."""
        space, start = self._space, self._start()
        with Publisher(space.root, space.state, space.say) as publisher:
            rendered = render(space, publisher, write=False)
            if not rendered.ok:
                return _named(rendered)
            planned = publisher.planned()
            changes = diff(space.root, start.commit, space.say, planned).changes
        there = [change.path for change in self._repository.changed(start.commit, ".")]
        files = sorted({self._area.shown(path) for path in there if self._area.holds(path)} | planned.keys())
        if not files:
            return _named(rendered, _NOTHING)
        first_line = self._order.subject or subject(summary_of(changes))
        head = f"Would commit {len(files)} files on {self._branch}: {first_line}"
        return dataclasses.replace(_named(rendered), notes=(head, *(f"  {file}" for file in files)))


def engine_version(say: Callable[[str], None]) -> str:
    """The version of Kustomize that renders."""
    with Engines(say) as engines:
        return f"kustomize {engines.engine.versions.get('kustomize', '')}"


def summary_of(changes: Sequence[ObjectChange]) -> ChangeSummary:
    """The summary of changed objects."""
    counts = {action: sum(change.action == action for change in changes) for action in ("added", "changed", "removed")}
    return ChangeSummary(counts, tuple(sorted({change.tenant for change in changes if change.tenant})))


def inputs_id(repository: Repository, area: Area, tree: str) -> str:
    """What `git ls-tree -r COMMIT platform tiers tenants policies | git hash-object --stdin` prints for a commit."""
    listing = repository.ask("ls-tree", "-r", tree, "--", *area.inputs)
    return repository.ask("hash-object", "--stdin", given=f"{listing}\n".encode(errors="surrogateescape"))


def _must_be_exact(committer: Committer) -> None:
    altered = committer.altered()
    if altered:
        number = f" (and {len(altered) - 1} more)" if len(altered) > 1 else ""
        hint = "remove attributes such as filter, ident and eol from generated trees"
        raise TenantryError(f"git would not store {altered[0]}{number} as it is rendered", hint)
    if committer.changed_since():
        raise TenantryError("files were changed while they were checked", "publish again")


def _named(result: Result, *notes: str) -> Result:
    return dataclasses.replace(result, command="publish", notes=notes or result.notes)


def _refused(findings: Iterable[Finding], note: str) -> Result:
    return Result("publish", in_order(findings), notes=(note,))
