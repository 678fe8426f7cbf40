"""What differs between the working tree and its commit, and what git was asked not to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tenantry.runtime.user_git import UserGit

State = Literal["changed", "untracked", "unmerged", "hidden"]


@dataclass(frozen=True, slots=True, order=True)
class Pending:
    """A file with a change that is not committed. `hidden`: git was asked not to look (skip-worktree, assume-unchanged)."""

    path: str
    state: State


_BOTH = {"AA", "DD"}


def pending(user: UserGit, read: Sequence[str]) -> Iterator[Pending]:
    """Tracked files with changes anywhere; below the folders that are `read`, also untracked, ignored and hidden ones."""
    status = user.must(
        "-c", "core.fsmonitor=false", "status", "--porcelain", "-z", "--no-renames", "--untracked-files=no"
    )
    for line in filter(None, status.split("\0")):
        letters, path = line[:2], line[3:]
        yield Pending(path, "unmerged" if "U" in letters or letters in _BOTH else "changed")
    literal = ("--literal-pathspecs", "ls-files", "-z")
    for path in filter(None, user.must(*literal, "--others", "--", *read).split("\0")):
        yield Pending(path, "untracked")
    for line in filter(None, user.must(*literal, "-v", "--", *read).split("\0")):
        if line[0].islower() or line[0] == "S":
            yield Pending(line[2:], "hidden")
