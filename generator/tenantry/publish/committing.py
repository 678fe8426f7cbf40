"""One commit of exactly the wanted files, with the user's hooks and signature; or branch and index as before."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenantry.core.findings import TenantryError, ToolError
from tenantry.publish.area import Area
from tenantry.runtime.index import raw_changes
from tenantry.runtime.repository import Repository
from tenantry.runtime.user_git import UserGit

_REFUSED = 1
"""Git's exit code when a hook refuses a commit; a signature that fails has another."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where HEAD was: its commit, and its branch (empty if it is detached)."""

    commit: str
    branch: str


class Committer:
    """Stages and commits in a repository. Use it as a context manager: without a commit, the index is as before."""

    def __init__(self, repository: Repository, user: UserGit, area: Area) -> None:
        self._repository = repository
        self._user = user
        self._area = area
        self._index = repository.top / repository.ask("rev-parse", "--git-path", "index")
        self._saved = self._index.read_bytes()
        self._kept = False

    def __enter__(self) -> Committer:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._kept and self._index.read_bytes() != self._saved:
            _replace(self._index, self._saved)

    def keep(self) -> None:
        """Leave the index as it is now."""
        self._kept = True

    def stage(self) -> str:
        """Stage what may be committed; returns the tree that a commit would have."""
        known = ("--literal-pathspecs", "ls-files", "-z", "--")
        for paths, force in ((self._area.generated, ("--force",)), (self._area.asked, ())):
            there = [p for p in paths if os.path.lexists(self._user.top / p) or self._repository.ask(*known, p or ".")]
            if there:
                names = [path or "." for path in there]
                self._user.must("--literal-pathspecs", "add", "--all", *force, "--", *names)
        return self._repository.ask("write-tree")

    def altered(self) -> list[str]:
        """Generated files that git would not store as they are, because an attribute changes them."""
        found = {
            path: new.blob
            for path, (_, new) in raw_changes(self._repository, "diff-index", "--cached", "HEAD", "--", *self._area.generated)
            if new is not None
        }  # fmt: skip
        given = "".join(f"{path}\n" for path in found).encode(errors="surrogateescape")
        there = self._repository.ask("hash-object", "--no-filters", "--stdin-paths", given=given).split()
        return [path for (path, blob), real in zip(found.items(), there, strict=True) if blob != real]

    def changed_since(self) -> bool:
        """Whether a file that would be committed was changed after it was staged."""
        folders = [path or "." for path in (*self._area.generated, *self._area.asked)]
        there = [folder for folder in folders if os.path.lexists(self._user.top / folder)]
        return (
            bool(self._user.run("--literal-pathspecs", "diff-files", "--quiet", "--", *there).code) if there else False
        )

    def commit(self, start: Start, tree: str, text: str, branch: str) -> str:
        """Commit what is staged, on a new branch if one is named. Raises TenantryError when a hook refuses or changes it."""
        with self._on(start, branch):
            answer = self._user.run("commit", "--quiet", "--cleanup=whitespace", "--file=-", given=text.encode())
            if answer.code == _REFUSED:
                hint = f"a hook refused it: {answer.reason}"
                raise TenantryError("nothing was committed; the generated trees are rendered", hint)
            if answer.code:
                raise ToolError(
                    f"git can't commit: {answer.reason}", "the generated trees are rendered; nothing else changed"
                )
            made = self._repository.commit("HEAD")
            self._must_be(start, tree, made)
        self._kept = True
        return made

    def _must_be(self, start: Start, tree: str, made: str) -> None:
        parents = self._repository.ask("rev-list", "--parents", "--max-count=1", made).split()[1:]
        if parents != [start.commit]:
            self._kept = True  # somebody else's work stands on the branch: nothing is taken back
            raise TenantryError("the branch moved while it was committed to", "see 'git log' and 'git reflog'")
        if self._repository.ask("rev-parse", f"{made}^{{tree}}") != tree:
            self._repository.ask(
                "update-ref", "-m", "tenantry publish: a hook changed the commit", "HEAD", start.commit, made
            )
            hint = "hooks that change files must leave generated ones alone; see 'git diff'"
            raise TenantryError("a hook changed what is committed, so the commit was taken back", hint)

    @contextlib.contextmanager
    def _on(self, start: Start, branch: str) -> Iterator[None]:
        """With HEAD on a new branch, if one is named; back where it was when the commit fails."""
        if not branch:
            yield
            return
        name, ask = f"refs/heads/{branch}", self._repository.ask
        ask("update-ref", "-m", "tenantry publish", name, start.commit, "0" * len(start.commit))
        ask("symbolic-ref", "-m", "tenantry publish", "HEAD", name)
        try:
            yield
        except BaseException:
            if start.branch:
                ask("symbolic-ref", "-m", "tenantry publish", "HEAD", f"refs/heads/{start.branch}")
            else:
                ask("update-ref", "--no-deref", "HEAD", start.commit)
            ask("update-ref", "-d", name, start.commit, missing="")
            raise


def _replace(index: Path, content: bytes) -> None:
    """Write the index as git does: no other git process writes it at the same time."""
    lock = index.with_name(f"{index.name}.lock")
    try:
        with lock.open("xb") as file:
            file.write(content)
        lock.replace(index)
    except FileExistsError:
        message = f"{lock} is there, so what was staged stays staged"
        raise ToolError(message, "wait for the other git process; 'git restore --staged .' unstages") from None
