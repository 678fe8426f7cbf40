"""The folder beside the trees in which new contents wait for their place.

It lies on the file system of the trees, so that a file comes into its place by one rename. It is there during a run
only, its name is random, and the fleet's state, which no commit can write, says which folder is ours. Anything else
below `.tenantry/` was put there by somebody: it is a finding, and nothing is written.
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
    """Findings when `.tenantry` is a link, belongs to somebody else, or holds what no run of ours left there."""
    work = root / WORK
    try:
        status = work.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(status.st_mode):
        yield _finding(WORK, "is a link or a file, where only a run's own folder may be")
        return
    if status.st_uid != os.geteuid():
        yield _finding(WORK, "belongs to another user")
        return
    ours = recorded(state)
    for entry in sorted(os.scandir(work), key=lambda entry: entry.name):
        if entry.name != ours or not entry.is_dir(follow_symlinks=False):
            yield _finding(f"{WORK}/{entry.name}", "was not left here by a run of this installation")


def _finding(file: str, why: str) -> Finding:
    hint = f"look where it comes from, then remove it: 'rm -r {WORK}' (and 'git rm -r --cached {WORK}' when git has it)"
    return Finding("G007", Place(file), f"{why}, so nothing is written", hint)


def recorded(state: FleetState) -> str:
    """Name of the staging folder that the last run made or was about to make; empty when there is none."""
    record = state.read(_RECORD)
    return record if isinstance(record, str) and record.isalnum() else ""


class StagingFolder:
    """A new, empty staging folder. Raises OSError when it can't be made, or can't be noted in the state."""

    def __init__(self, root: Path, state: FleetState) -> None:
        self._root = root
        self._state = state
        self.name = secrets.token_hex(8)
        state.write(_RECORD, self.name)  # first: what a killed run leaves is known to be ours
        work = root / WORK
        with contextlib.suppress(FileExistsError):
            work.mkdir(mode=0o700)
        self.path = work / self.name
        self.path.mkdir(mode=0o700)
        (self.path / ".gitignore").write_text("*\n", encoding="utf-8")
        self.files = self.path / "files"
        self.files.mkdir()

    def clear(self) -> None:
        clear(self._root, self._state, self.name)


def clear(root: Path, state: FleetState, name: str) -> None:
    """Remove a staging folder of ours, and `.tenantry` when it is empty then."""
    if name:
        shutil.rmtree(root / WORK / name, ignore_errors=True)
        state.forget(_RECORD)
    with contextlib.suppress(OSError):
        (root / WORK).rmdir()
