"""The branch of a remote that is published to: whether the local one is up to date, and what to do when it moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenantry.core.findings import Finding, Place, TenantryError, UsageError
from tenantry.publish.area import Area
from tenantry.publish.carry import Carried, carried, move, snapshot
from tenantry.publish.committing import Committer, Start
from tenantry.runtime import remote
from tenantry.runtime.remote import Target
from tenantry.runtime.repository import Repository
from tenantry.runtime.user_git import UserGit

_PULL = "run 'git pull --rebase', then publish again"


@dataclass(frozen=True, slots=True)
class RemoteBranch:
    """A target, with the clone and the files that are published to it from a local branch."""

    repository: Repository
    user: UserGit
    area: Area
    branch: str
    target: Target

    def as_known(self, start: Start) -> Iterator[Finding]:
        """A finding if the local branch lacks commits that this clone knows the remote to have. Asks no remote."""
        known = self.repository.ask("rev-parse", "--verify", "--quiet", self.target.tracking, missing="")
        if known and self.branch == start.branch:
            yield from self._behind(start.commit, "run 'git pull --rebase', or publish with --push")

    def catch_up(self, start: Start) -> Iterator[Finding]:
        """Take over what the remote has, pending changes included; findings if a person must do it.

        Raises UsageError if the remote has a branch of the name of a new one, ToolError if it can't be reached.
        """
        there = remote.tip(self.user, self.target)
        if self.branch != start.branch and there:
            raise UsageError(f"{self.target} is there already", "choose another name for --branch")
        if not there:
            return
        remote.fetch(self.user, self.target)
        if not self._follows(start.commit):
            yield from self._behind(start.commit, _PULL)
        elif self._lacks(start.commit):
            yield from self._carry_pending(start)

    def push(self) -> str:
        """Push the local branch; empty if the remote moved meanwhile, else what was done.

        Raises TenantryError if the remote, or a hook, refuses.
        """
        head = self.repository.commit("HEAD")
        if remote.tip(self.user, self.target) == head:
            return f"{self.target} is up to date."
        known = self.repository.ask("config", "--get", f"branch.{self.branch}.merge", missing="")
        answer = remote.push(self.user, self.branch, self.target, new=not known)
        if not answer.code:
            return f"Pushed to {self.target}."
        if remote.tip(self.user, self.target):
            remote.fetch(self.user, self.target)
            if self._lacks(head):
                return ""
        hint = f"{remote.refusal(answer)}\nthe commit is on '{self.branch}'; a protected branch takes pull requests: see --branch"
        raise TenantryError(f"{self.target} refuses the push", hint)

    def carry(self, commit: str) -> Iterator[Finding]:
        """Carry the inputs of our commit to where the remote moved; findings if a person must do it.

        `commit` is empty if there is none of ours; then the branch is not touched.
        """
        base = self.repository.ask("rev-parse", f"{commit}^") if commit else ""
        if not base or not self._follows(base):
            yield from self._behind(self.repository.commit("HEAD"), _PULL)
            return
        found = self._carried(base, commit)
        if found.conflicts:
            yield from self._conflicts(found, "run 'git pull --rebase', resolve it, then publish again")
        else:
            move(self.repository, self.user, found, self.repository.commit(self.target.tracking))

    def _carry_pending(self, start: Start) -> Iterator[Finding]:
        with Committer(self.repository, self.user, self.area) as committer:
            tree = committer.stage()
            ours = snapshot(self.repository, tree, start.commit)
            found = self._carried(start.commit, ours)
            if found.conflicts:
                yield from self._conflicts(found, "commit it, run 'git pull --rebase', resolve it, then publish again")
                return
            onto = self.repository.commit(self.target.tracking)
            move(self.repository, self.user, found, onto, pending=(start.commit, ours))
            committer.keep()

    def _carried(self, base: str, ours: str) -> Carried:
        return carried(self.repository, self.area, base, ours, self.target.tracking)

    def _follows(self, commit: str) -> bool:
        """Whether the remote has the commit, with or without others after it, or the reverse."""
        base = self.repository.ask("merge-base", commit, self.target.tracking, missing="")
        return base in (commit, self.repository.commit(self.target.tracking))

    def _lacks(self, commit: str) -> bool:
        return remote.apart(self.repository, commit, self.target.tracking).behind > 0

    def _behind(self, here: str, hint: str) -> Iterator[Finding]:
        apart = remote.apart(self.repository, here, self.target.tracking)
        if apart.behind:
            own = f", which lacks {_commits(apart.ahead)} of it" if apart.ahead else ""
            message = f"branch '{self.branch}' lacks {_commits(apart.behind)} of {self.target}{own}"
            yield Finding("G022", Place("."), message, hint)

    def _conflicts(self, found: Carried, hint: str) -> Iterator[Finding]:
        for path in found.conflicts:
            message = f"was changed here and on {self.target}, in the same place"
            yield Finding("G023", Place(self.area.shown(path)), message, hint)


def branch_of(repository: Repository, wish: str, going: Sequence[str]) -> str:
    """The branch to commit on: the new one that is wished for, else the current one.

    Raises UsageError in the middle of a merge (`going`: the commands that end it), without a branch or a commit, and
    for a name that is taken or can't be one.
    """
    if going:
        raise UsageError("git is in the middle of a merge", f"end it first: 'tenantry resolve', then '{going[0]}'")
    current = repository.branch()
    if not repository.ask("rev-parse", "--verify", "--quiet", "HEAD", missing=""):
        raise UsageError("the repository has no commit yet", "commit the inputs first: 'git add --all && git commit'")
    if not wish and not current:
        raise UsageError("HEAD is detached: no branch is checked out", "name a new branch with --branch")
    if not wish or wish == current:
        return current
    if wish.startswith("-") or repository.ask("check-ref-format", "--branch", wish, missing="") != wish:
        raise UsageError(f"'{wish}' can't be the name of a branch", "see 'git help check-ref-format'")
    if repository.ask("rev-parse", "--verify", "--quiet", f"refs/heads/{wish}", missing=""):
        raise UsageError(f"there is a branch '{wish}' already", f"run 'git switch {wish}', or choose another name")
    return wish


def _commits(count: int) -> str:
    return f"{count} commit{'' if count == 1 else 's'}"
