"""The input files of a revision, in a folder outside the working tree."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tenantry.core.findings import UsageError
from tenantry.runtime.repository import Committed, Repository

INPUT_FOLDERS = ("platform", "tiers", "tenants", "policies")
_LINK = "120000"


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of a fleet: what it is called in reports, its folder, and its commit (empty for files on disk)."""

    title: str
    root: Path
    commit: str = ""


@contextlib.contextmanager
def inputs_of(repository: Repository, commit: str, fleet: Path) -> Iterator[Path]:
    """A temporary folder with the input files that a commit has for the fleet in a folder of the working tree.

    A link becomes a link that leads nowhere, so that it is reported and never followed.
    """
    prefix = PurePosixPath(os.path.relpath(os.path.realpath(fleet), repository.top))
    wanted = [str(prefix / folder) for folder in INPUT_FOLDERS]
    with tempfile.TemporaryDirectory(prefix="tenantry-") as folder:
        root = Path(folder)
        for entry in repository.committed(commit, wanted):
            _lay(repository, entry, root, PurePosixPath(entry.path).relative_to(prefix))
        yield root


def _lay(repository: Repository, entry: Committed, root: Path, place: PurePosixPath) -> None:
    if any(part in ("", ".", "..") for part in entry.path.split("/")):
        raise UsageError(f"the commit holds the path '{entry.path}'", "git can't check it out; name another revision")
    target = root / place
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.mode == _LINK:
        target.symlink_to("nowhere")
    else:
        target.write_bytes(repository.content(entry.blob))


def compared_commit(repository: Repository, base: str, head: str = "HEAD") -> str:
    """The commit that `head` is compared with: its common ancestor with `base`, so that what others merged is no change.

    Raises UsageError for a revision that does not exist, and when the two have no common ancestor.
    """
    return repository.merge_base(repository.commit(base), repository.commit(head))
