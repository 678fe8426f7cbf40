"""Inputs that were changed on one commit, carried to another on which somebody else changed other inputs.

Generated trees are not carried: they are rendered again. Until the last step nothing on disk changes, and from then on
the user's inputs are on the branch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenantry.core.findings import TenantryError
from tenantry.publish.area import Area
from tenantry.runtime.index import StoredFile, put_into, raw_changes
from tenantry.runtime.repository import Repository
from tenantry.runtime.text_merge import merge_text
from tenantry.runtime.user_git import UserGit

NOTE = "tenantry publish: carry inputs to the moved branch"
"""Subject of the commits that exist only while inputs are carried: no hook saw them, and nobody signed them."""


@dataclass(frozen=True, slots=True)
class Carried:
    """Entries of inputs on the new commit (None for a removed file), and paths that both sides changed in one place."""

    entries: dict[str, StoredFile | None]
    conflicts: tuple[str, ...]


def carried(repository: Repository, area: Area, base: str, ours: str, onto: str) -> Carried:
    """What `ours` changed since `base`, but for generated trees, merged with what `onto` changed."""
    theirs = dict(raw_changes(repository, "diff-tree", base, onto))
    entries: dict[str, StoredFile | None] = {}
    conflicts = []
    for path, (before, after) in raw_changes(repository, "diff-tree", base, ours):
        if area.is_generated(path):
            continue
        there = theirs[path][1] if path in theirs else before
        if there in (before, after):
            entries[path] = after
            continue
        merged = _merged(repository, before, after, there)
        if merged is None:
            conflicts.append(path)
        else:
            entries[path] = merged
    return Carried(entries, tuple(conflicts))


def move(
    repository: Repository, user: UserGit, found: Carried, onto: str, pending: tuple[str, str] | None = None
) -> None:
    """Bring branch, index and files to `onto` with the carried inputs, not yet committed.

    Git moves from one commit to another without touching what a person changed meanwhile. So HEAD must name what is
    on disk: `pending` is the commit where HEAD is and a snapshot of what is staged, if that is not committed.
    Raises TenantryError when a file on disk is in the way; then nothing changed.
    """
    with tempfile.TemporaryDirectory(prefix="tenantry-") as folder:
        index = Path(folder) / "index"
        repository.ask("read-tree", onto, index=index)
        put_into(repository, found.entries, index)
        tree = repository.ask("write-tree", index=index)
    commit = snapshot(repository, tree, onto)
    if pending:
        repository.ask("update-ref", "-m", NOTE, "HEAD", pending[1], pending[0])
    answer = user.run("reset", "--quiet", "--keep", commit)
    if answer.code:
        if pending:
            repository.ask("update-ref", "-m", NOTE, "HEAD", *pending)
        hint = f"{answer.reason}\nmove it away, then publish again; nothing was changed"
        raise TenantryError("what the remote has can't be checked out", hint)
    user.must("reset", "--quiet", "--soft", onto)


def snapshot(repository: Repository, tree: str, parent: str) -> str:
    """A commit of a tree, on no branch."""
    return repository.ask("commit-tree", tree, "-p", parent, "-m", NOTE)


def _merged(repository: Repository, *versions: StoredFile | None) -> StoredFile | None:
    """The merge of a text that both sides changed; None for a conflict, and when one side removed it."""
    base, ours, theirs = versions
    if ours is None or theirs is None or {"120000", "160000"} & {ours.mode, theirs.mode}:
        return None
    merged = merge_text(*_contents(repository, base, ours, theirs))
    if merged.conflicts:
        return None
    return StoredFile(ours.mode, repository.ask("hash-object", "-w", "--stdin", given=merged.content))


def _contents(repository: Repository, *entries: StoredFile | None) -> Iterator[bytes]:
    return (repository.content(entry.blob) if entry else b"" for entry in entries)
