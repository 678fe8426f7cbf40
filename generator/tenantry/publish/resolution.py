"""Which version of each generated file a merge starts from, before the trees are rendered from the merged inputs.

Git's own answer is not used: it takes a tenant that left and one that came for a rename, and leaves files that one
side removed and the other changed to a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenantry.runtime.index import Entries, StoredFile, entries_of, stages
from tenantry.runtime.repository import Repository


@dataclass(frozen=True, slots=True)
class Sides:
    """Generated files in the common ancestor and on both sides."""

    base: Entries
    ours: Entries
    theirs: Entries


_HEADS = (
    ("MERGE_HEAD", "git commit"),
    ("REBASE_HEAD", "git rebase --continue"),
    ("CHERRY_PICK_HEAD", "git cherry-pick --continue"),
    ("REVERT_HEAD", "git revert --continue"),
)
"""References that exist while git merges, and the command that goes on."""


@dataclass(frozen=True, slots=True)
class InProgress:
    """What git is in the middle of: the reference of the other side, and the command that goes on."""

    head: str
    next_step: str


def in_progress(repository: Repository) -> InProgress | None:
    """What git is in the middle of; None if it is in the middle of nothing."""
    for head, next_step in _HEADS:
        if head == "REBASE_HEAD" and not _is_rebasing(repository):
            continue
        if repository.ask("rev-parse", "--verify", "--quiet", head, missing=""):
            return InProgress(head, next_step)
    return None


def _is_rebasing(repository: Repository) -> bool:
    """Git keeps REBASE_HEAD after the end of a rebase, but not the folder with its steps."""
    folders = (repository.ask("rev-parse", "--git-path", name) for name in ("rebase-merge", "rebase-apply"))
    return any((repository.top / folder).is_dir() for folder in folders)


def sides(repository: Repository, folders: Sequence[str], going: InProgress | None) -> Sides:
    """Both sides of what is in progress; of anything else (`git stash pop`), what the index has of them."""
    if going is None:
        there = stages(repository, folders)
        return Sides(*({**there[0], **there[stage]} for stage in (1, 2, 3)))
    base, theirs = _ancestor(repository, going.head), going.head
    if going.head == "REVERT_HEAD":
        base, theirs = theirs, f"{theirs}^"
    commits = (base, "HEAD", theirs)
    return Sides(*(entries_of(repository, commit, folders) if commit else {} for commit in commits))


def _ancestor(repository: Repository, head: str) -> str:
    """The common ancestor; empty if there is none."""
    if head == "MERGE_HEAD":
        return repository.ask("merge-base", "HEAD", head, missing="")
    return repository.ask("rev-parse", "--verify", "--quiet", f"{head}^", missing="")


def start_from(found: Sides) -> Iterator[tuple[str, StoredFile | None]]:
    """Each path with the version to start from; None for a file that is removed.

    What one side alone changed is taken. Of what both changed, a removal is taken, else our side.
    """
    for path in sorted(found.base.keys() | found.ours.keys() | found.theirs.keys()):
        base, ours, theirs = (side.get(path) for side in (found.base, found.ours, found.theirs))
        if ours == base:
            yield path, theirs
        elif theirs in (base, ours):
            yield path, ours
        else:
            yield path, ours if theirs is not None else None
