"""Where the two states of a comparison come from: git, the working tree, or folders."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tenantry.core.findings import Finding, Place, UsageError
from tenantry.inputs import source
from tenantry.runtime.index import StoredFile, entries_of
from tenantry.runtime.repository import Changed, Repository

INPUT_FOLDERS = ("platform", "tiers", "tenants", "policies")
_LINK = "120000"

Texts = Mapping[str, str | Finding | None]
"""Input files of the earlier state that differ: their text, None for a file that was not there, or what was wrong with it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of a fleet: what it is called in reports, and the folder of its files."""

    title: str
    root: Path


@contextlib.contextmanager
def inputs_of(repository: Repository, commit: str, fleet: Path) -> Iterator[Path]:
    """A temporary folder with the input files that a commit has for the fleet in a folder of the working tree.

    A link becomes a link that leads nowhere, so that it is reported and never followed.
    """
    prefix = _prefix(repository, fleet)
    with tempfile.TemporaryDirectory(prefix="tenantry-") as folder:
        root = Path(folder)
        for path, stored in entries_of(repository, commit, [str(prefix / name) for name in INPUT_FOLDERS]).items():
            _write(repository, path, stored, root / PurePosixPath(path).relative_to(prefix))
        yield root


def texts_of(repository: Repository, commit: str, fleet: Path, other: str = "") -> Texts:
    """Input files of a commit that differ in the working tree, or in the `other` commit."""
    prefix = _prefix(repository, fleet)
    folders = [str(prefix / name) for name in INPUT_FOLDERS]
    changes = repository.changed_between(commit, other, *folders) if other else repository.changed(commit, *folders)
    return dict(_texts(repository, prefix, changes))


def texts_of_folder(before: Path, after: Path) -> Texts:
    """Input files of a folder that differ in another one."""
    one, other = (dict.fromkeys(_files(root)) for root in (before, after))
    found: dict[str, str | Finding | None] = {}
    for file in sorted(one.keys() | other.keys()):
        text = source.read_text(before, file) if file in one else None
        if text != (source.read_text(after, file) if file in other else None):
            found[file] = text
    return found


def compared_commits(repository: Repository, base: str, head: str = "HEAD") -> list[str]:
    """The commits that `head` is compared with: its common ancestors with `base`, so that what others merged is no change.

    There are several where both sides have merged each other. What any of them holds must not be lost. Raises UsageError for
    a revision that does not exist, and when the two have no common ancestor.
    """
    return repository.merge_bases(repository.commit(base), repository.commit(head))


def _prefix(repository: Repository, fleet: Path) -> PurePosixPath:
    return PurePosixPath(os.path.relpath(os.path.realpath(fleet), repository.top))


def _texts(
    repository: Repository, prefix: PurePosixPath, changes: Iterable[Changed]
) -> Iterator[tuple[str, str | Finding | None]]:
    for changed in changes:
        file = str(PurePosixPath(changed.path).relative_to(prefix))
        if changed.was == _LINK:
            yield file, source.linked(file)
        elif changed.blob is None:
            yield file, None
        else:
            yield file, _decoded(file, repository.content(changed.blob))


def _decoded(file: str, content: bytes) -> str | Finding:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return Finding("S003", Place(file), "is not UTF-8", "save it as UTF-8")


def _files(root: Path) -> Iterator[str]:
    for folder in INPUT_FOLDERS:
        for path, _, names in os.walk(root / folder):
            yield from (Path(path, name).relative_to(root).as_posix() for name in names)


def _write(repository: Repository, path: str, stored: StoredFile, target: Path) -> None:
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise UsageError(f"the commit holds the path '{path}'", "git can't check it out; name another revision")
    target.parent.mkdir(parents=True, exist_ok=True)
    if stored.mode == _LINK:
        target.symlink_to("nowhere")
    else:
        target.write_bytes(repository.content(stored.blob))
