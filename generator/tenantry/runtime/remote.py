"""The branch of a remote that a local branch is pushed to, and how far the two are apart."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.findings import UsageError
from tenantry.core.suggestions import did_you_mean
from tenantry.runtime.repository import Repository
from tenantry.runtime.user_git import Answer, UserGit


@dataclass(frozen=True, slots=True)
class Target:
    """A branch of a remote."""

    remote: str
    name: str

    @property
    def tracking(self) -> str:
        """The local reference that remembers it."""
        return f"refs/remotes/{self.remote}/{self.name}"

    def __str__(self) -> str:
        return f"{self.remote}/{self.name}"


@dataclass(frozen=True, slots=True)
class Apart:
    """Number of commits that only one of two branches has."""

    ahead: int
    behind: int


def target_of(repository: Repository, branch: str, wish: str) -> Target | None:
    """Where a branch is pushed to: its upstream, else the branch of its name on a remote; None without a remote.

    The remote is the one that was wished for, else the upstream's, else `origin` or the only one. Raises UsageError
    for an unknown remote, or if there are several.
    """
    remotes = repository.ask("remote").split()
    upstream = repository.ask("config", "--get", f"branch.{branch}.remote", missing="")
    if wish and wish not in remotes:
        raise UsageError(f"there is no remote '{wish}'", did_you_mean(wish, remotes) or "'git remote' lists them")
    for remote in (wish, upstream, "origin", *(remotes if len(remotes) == 1 else ())):
        if remote in remotes:
            merge = (
                repository.ask("config", "--get", f"branch.{branch}.merge", missing="") if remote == upstream else ""
            )
            return Target(remote, merge.removeprefix("refs/heads/") or branch)
    if remotes:
        raise UsageError(f"branch '{branch}' has no remote of its own", f"name one with --remote: {', '.join(remotes)}")
    return None


def tip(user: UserGit, target: Target) -> str:
    """The commit that the remote has now; empty if it has no such branch. Raises ToolError if it can't be reached."""
    reference = f"refs/heads/{target.name}"
    for line in user.must("ls-remote", "--heads", "--", target.remote, reference).splitlines():
        commit, _, name = line.partition("\t")
        if name == reference:
            return commit
    return ""


def fetch(user: UserGit, target: Target) -> None:
    """Fetch the branch. Raises ToolError if it can't be reached."""
    refspec = f"+refs/heads/{target.name}:{target.tracking}"
    user.must("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--", target.remote, refspec)


def push(user: UserGit, branch: str, target: Target, *, new: bool) -> Answer:
    """Push a local branch, never by force; a `new` one gets the target as its upstream."""
    upstream = ("--set-upstream",) if new else ()
    refspec = f"refs/heads/{branch}:refs/heads/{target.name}"
    return user.run("push", "--porcelain", "--no-recurse-submodules", *upstream, "--", target.remote, refspec)


def refusal(answer: Answer) -> str:
    """Why a push was refused: what the remote, or a hook of this clone, said."""
    verdicts = [line.rpartition("\t")[2] for line in answer.out.splitlines() if line.startswith("!")]
    said = [line.removeprefix("remote:").strip() for line in answer.err.splitlines()]
    return "; ".join([line for line in said if line and not line.startswith(_NOISE)] + verdicts) or answer.reason


_NOISE = ("error: failed to push", "hint:", "To ")


def apart(repository: Repository, here: str, there: str) -> Apart:
    """How far two commits are apart."""
    ahead, behind = repository.ask("rev-list", "--left-right", "--count", f"{here}...{there}").split()
    return Apart(int(ahead), int(behind))
