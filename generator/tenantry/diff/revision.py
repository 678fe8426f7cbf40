"""Rendered files of the working tree against those of a git revision."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import git

from tenantry.findings import ToolError, UsageError


@dataclass(frozen=True, slots=True)
class FilePair:
    """One file of `rendered/` in both states; None where it is not there. `file` is below the fleet's root."""

    file: str
    before: str | None
    after: str | None


def changed_files(root: Path, revision: str) -> Iterator[FilePair]:
    """Files of `rendered/` that differ between `revision` and the working tree, untracked ones included.

    Raises UsageError when the folder is in no git repository or the revision is unknown.
    """
    try:
        repository = git.Repo(root, search_parent_directories=True)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        raise UsageError(
            f"{root} is in no git repository", "'tenantry diff' compares with a commit: run 'git init'"
        ) from None
    except git.GitCommandNotFound:
        raise ToolError("git is not installed", "install git") from None
    if revision.startswith("-"):
        raise UsageError(f"'{revision}' is no revision")
    try:
        commit = repository.commit(revision)
    except (git.BadName, git.BadObject, ValueError, IndexError, git.GitCommandError):
        raise UsageError(f"git knows no revision '{revision}'", "name a commit, a branch or a tag") from None
    top = Path(str(repository.working_tree_dir))
    folder = os.path.relpath(root.resolve() / "rendered", top.resolve())
    listed = repository.git.diff("--name-only", "--no-renames", "--no-ext-diff", "-z", commit.hexsha, "--", folder)
    fresh = repository.git.ls_files("--others", "-z", "--", folder)
    for name in sorted({*listed.split("\0"), *fresh.split("\0")} - {""}):
        if not name.endswith(".yaml"):
            continue
        file = os.path.relpath(top.resolve() / name, root.resolve())
        yield FilePair(file, _committed(commit, name), _present(top / name))


def _committed(commit: git.Commit, name: str) -> str | None:
    try:
        blob = commit.tree / name
    except KeyError:
        return None
    content: bytes = blob.data_stream.read()
    return content.decode(errors="replace")


def _present(path: Path) -> str | None:
    try:
        return None if path.is_symlink() else path.read_bytes().decode(errors="replace")
    except OSError:
        return None
