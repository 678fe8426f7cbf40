"""The sole writer of the generated trees: all or nothing, one at a time.

New contents are first written beside the trees; a journal then names every move; then files are moved into place.
Before the journal is complete nothing in the trees has changed; once it is, the next run finishes what this one
could not. So what is found after a crash, and one more run, is the old tree or the new one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tenantry.findings import TenantryError
from tenantry.tree import TREES, Change
from tenantry.workspace import WORK

_STAGING = "staging"
_JOURNAL = "journal.json"


class Publisher:
    """Holds the fleet's lock; use it as a context manager around reading and writing the trees."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work = root / WORK
        self._lock: FileLock | None = None
        self._moves: dict[str, list[str]] = {"write": [], "remove": []}
        self._staged_folders: set[str] = set()

    def __enter__(self) -> Publisher:
        with _told():
            self.work.mkdir(exist_ok=True)
            (self.work / ".gitignore").write_text("*\n", encoding="utf-8")
            self._lock = FileLock(self.work / "lock", timeout=0)
            try:
                self._lock.acquire()
            except Timeout:
                hint = "wait for it to end"
                raise TenantryError("another tenantry is writing to this fleet", hint) from None
        self.recover()
        return self

    def __exit__(self, *_: object) -> None:
        if not (self.work / _STAGING / _JOURNAL).exists():  # not committed: nothing in the trees has changed
            shutil.rmtree(self.work / _STAGING, ignore_errors=True)
        if self._lock is not None:
            self._lock.release()

    def recover(self) -> None:
        """Finish what an interrupted run had begun, or clear away what it had only prepared."""
        staging = self.work / _STAGING
        journal = staging / _JOURNAL
        with _told():
            if journal.exists():
                self._apply(json.loads(journal.read_text(encoding="utf-8")))
            shutil.rmtree(staging, ignore_errors=True)

    def stage(self, change: Change) -> Change:
        """Prepare one change; its content is on disk then, and need not be kept."""
        staging = self.work / _STAGING
        with _told():
            self._check(change.file)
            folder = change.file.rpartition("/")[0]
            if folder not in self._staged_folders:
                self._must_be_writable(folder)
                (staging / "files" / folder).mkdir(parents=True, exist_ok=True)
                self._staged_folders.add(folder)
            if change.content is None:
                self._moves["remove"].append(change.file)
                return change
            with open(f"{staging}/files/{change.file}", "wb") as target:  # noqa: PTH123 - ten thousands of files
                target.write(change.content)
            self._moves["write"].append(change.file)
        return dataclasses.replace(change, content=None)

    def staged(self, file: str) -> Path | None:
        """Where the new content of a file lies, when it has one."""
        path = self.work / _STAGING / "files" / file
        return path if path.is_file() else None

    def commit(self) -> None:
        """Bring the trees to the staged state, all of it."""
        staging = self.work / _STAGING
        if not staging.exists():
            return
        with _told():
            temporary = staging / f"{_JOURNAL}.new"
            with temporary.open("w", encoding="utf-8") as journal:
                json.dump(self._moves, journal)
                journal.flush()
                os.fsync(journal.fileno())
            with _uninterrupted():
                temporary.replace(staging / _JOURNAL)
                self._apply(self._moves)
                shutil.rmtree(staging, ignore_errors=True)

    def _check(self, file: str) -> None:
        parts = file.split("/")
        if not {"", ".", ".."}.isdisjoint(parts) or parts[0] not in TREES:
            raise AssertionError(f"{file} is outside of the generated trees")

    def _must_be_writable(self, path: str) -> None:
        """Refuse before the first move what would fail in the middle."""
        folder = self.root / path
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder.relative_to(self.root)))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder.relative_to(self.root)))

    def _apply(self, moves: dict[str, list[str]]) -> None:
        files, root = str(self.work / _STAGING / "files"), str(self.root)
        made: set[str] = set()
        for file in moves["write"]:
            folder = file.rpartition("/")[0]
            if folder not in made:
                (self.root / folder).mkdir(parents=True, exist_ok=True)
                made.add(folder)
            # Absent when an interrupted run has already moved it.
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{files}/{file}", f"{root}/{file}")  # noqa: PTH105 - ten thousands of files
        for file in moves["remove"]:
            (self.root / file).unlink(missing_ok=True)
            self._remove_empty(self.root / Path(file).parent)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.root:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn failures of the file system into a sentence; nothing has been moved then."""
    try:
        yield
    except OSError as error:
        hints = {
            errno.ENOSPC: "free some space, then run again",
            errno.EDQUOT: "free some space, then run again",
            errno.EROFS: "make the folder writable, then run again",
            errno.EACCES: "make the folder writable, then run again",
            errno.ENOTDIR: "move the file that stands in the folder's place, then run again",
        }
        where = f" at {error.filename}" if error.filename else ""
        message = f"the trees can't be written: {error.strerror}{where}; they are as they were"
        raise TenantryError(message, hints.get(error.errno or 0, "mend it, then run again")) from error


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back while files are moved; it acts right after."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    handlers = {
        number: signal.signal(number, lambda n, _: caught.append(n)) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if caught:
            raise KeyboardInterrupt
