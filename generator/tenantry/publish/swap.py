"""Moves files from a staging folder into place; whatever can fail is tried before the first file moves."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from tenantry.core.paths import GENERATED_TREES, folder_of, name_of
from tenantry.publish.staging import WORK, Identity, identity
from tenantry.runtime.confined import Confined, is_inside


@dataclass(frozen=True, slots=True)
class Moves:
    """What a run does to the trees: files to write, with the SHA-256 of each content, and files to remove."""

    write: Mapping[str, str]
    remove: Sequence[str]


@dataclass(frozen=True, slots=True)
class Journal:
    """The moves of one run. They are valid for one folder and its staging folder only, not for others of that name."""

    root: Identity
    name: str
    staging: Identity
    moves: Moves

    def to_value(self) -> dict[str, Any]:
        """The form in which the state stores it."""
        moves = {"write": dict(self.moves.write), "remove": list(self.moves.remove)}
        return {"root": self.root, "name": self.name, "staging": self.staging, **moves}

    def is_of(self, root: Path) -> bool:
        """Whether both folders are still those it was written for."""
        with contextlib.suppress(OSError):
            return identity(root) == self.root and identity(root / WORK / self.name) == self.staging
        return False


def read_journal(value: Any) -> Journal | None:
    """The journal that `to_value` returned; None for anything else, or when a path is outside the generated trees."""
    try:
        moves = Moves(dict(value["write"]), list(value["remove"]))
        if not all(is_inside(file, below=GENERATED_TREES) for file in (*moves.write, *moves.remove)):
            return None
        return Journal(value["root"], str(value["name"]), value["staging"], moves)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def prepare(tree: Confined, moves: Moves) -> None:
    """Try what could fail: create the folders, and check that they and the files in them can be replaced.

    Raises OSError before any file is moved; an extra empty folder in a tree is harmless.
    """
    written = sorted(moves.write)
    for folder, files in groupby(written, key=_folder):
        descriptor = tree.folder(folder, create=True)
        _try_entry(descriptor, folder)
        for file in files:
            _try_replace(descriptor, file)
    for folder, files in groupby(sorted(moves.remove), key=_folder):
        with contextlib.suppress(FileNotFoundError):
            descriptor = tree.folder(folder)
            _try_entry(descriptor, folder)
            for file in files:
                _try_replace(descriptor, file)


def _folder(file: str) -> str:
    return folder_of(file)


def _try_entry(folder: int, path: str) -> None:
    """A folder that is read-only, immutable or out of inodes accepts no new entry."""
    name = f".tenantry-{os.getpid()}"
    try:
        os.mkdir(name, dir_fd=folder)
        os.rmdir(name, dir_fd=folder)
    except OSError as error:
        error.filename = path
        raise


def _try_replace(folder: int, file: str) -> None:
    """An immutable or append-only file can't be opened for writing even by root (EPERM); a rename would fail too."""
    name = name_of(file)
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder))
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EISDIR, errno.ENAMETOOLONG):
            error.filename = file
            raise


def apply(tree: Confined, staged: Path, moves: Moves, *, trusted: bool) -> None:
    """Move and remove the files. What an interrupted run has already moved is no longer staged, and is skipped.

    Contents that are not `trusted` (from an earlier run) are checked against their digests first. Raises OSError.
    """
    source = Confined(staged)
    with source:
        for file in _still_there(staged, moves.write, trusted=trusted):
            folder, _, name = file.rpartition("/")
            here, there = source.folder(folder), tree.folder(folder, create=True)
            try:
                os.replace(name, name, src_dir_fd=here, dst_dir_fd=there)
            except OSError as error:
                error.filename = file
                raise
    for file in moves.remove:
        try:
            tree.remove(file)
        except OSError as error:
            error.filename = file
            raise


def _still_there(staged: Path, wanted: Mapping[str, str], *, trusted: bool) -> Iterable[str]:
    if trusted:
        return wanted
    return [file for file, digest in wanted.items() if _digest(staged / file) == digest]


def _digest(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
