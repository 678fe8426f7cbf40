"""The folder in which new files are prepared before they are moved into the trees.

It is on the same file system as the trees, so that one rename moves a file into place. It exists only during a run,
has a random name, and is recorded in the fleet's state, which no commit can write. Anything else below `.tenantry/`
was put there by somebody: that is a finding, and nothing is written.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from tenantry.core.findings import Finding, Place
from tenantry.runtime.state import FleetState

WORK = ".tenantry"
"""Folder below the fleet's root that holds the staging folder of a run; git ignores it."""
_RECORD = "staging"

Identity = list[int]
"""Device and inode of a folder."""


def identity(path: Path) -> Identity:
    """Device and inode of a folder, links not followed. Raises OSError."""
    status = path.lstat()
    return [status.st_dev, status.st_ino]


def foreign_work(root: Path, state: FleetState) -> Iterator[Finding]:
    """Findings when `.tenantry` is a link, belongs to another user, or contains what no run of this user left there."""
    work = root / WORK
    try:
        status = work.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(status.st_mode):
        yield _finding(WORK, "is a link or a file, but only a run's own folder may be here")
        return
    if status.st_uid != os.geteuid():
        yield _finding(WORK, "belongs to another user")
        return
    ours = recorded(state)
    for entry in sorted(os.scandir(work), key=lambda entry: entry.name):
        if entry.name != ours or not entry.is_dir(follow_symlinks=False):
            yield _finding(f"{WORK}/{entry.name}", "was not left here by a run of this installation")


def _finding(file: str, why: str) -> Finding:
    hint = f"find out who put it there, then remove it: 'rm -r {WORK}' (and 'git rm -r --cached {WORK}' if tracked)"
    return Finding("G007", Place(file), f"{why}, so nothing is written", hint)


def recorded(state: FleetState) -> str:
    """Name of the staging folder that the last run created or was about to create; empty if there is none."""
    record = state.read(_RECORD)
    return record if isinstance(record, str) and record.isalnum() else ""


class StagingFolder:
    """A new, empty staging folder. Raises OSError when it can't be created, or recorded in the state."""

    def __init__(self, root: Path, state: FleetState) -> None:
        self._root = root
        self._state = state
        self.name = secrets.token_hex(8)
        state.write(_RECORD, self.name)  # first: later runs then recognize what a killed run left
        work = root / WORK
        with contextlib.suppress(FileExistsError):
            work.mkdir(mode=0o700)
        self.path = work / self.name
        self.path.mkdir(mode=0o700)
        (self.path / ".gitignore").write_text("*\n", encoding="utf-8")
        self.files = self.path / "files"
        self.files.mkdir()

    def clear(self) -> None:
        """Remove the folder with its files, and its record in the state."""
        clear(self._root, self._state, self.name)


def clear(root: Path, state: FleetState, name: str) -> None:
    """Remove a recorded staging folder, and `.tenantry` if it is then empty."""
    if name:
        shutil.rmtree(root / WORK / name, ignore_errors=True)
        state.forget(_RECORD)
    with contextlib.suppress(OSError):
        (root / WORK).rmdir()
