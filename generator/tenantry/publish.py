"""The sole writer of the generated trees: all or nothing, one at a time.

New contents are first written beside the trees; a journal then names every move; then files are moved into place.
Before the journal is complete nothing in the trees has changed; once it is, the next run finishes what this one
could not. So what is found after a crash, and one more run, is the old tree or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from tenantry.findings import TenantryError
from tenantry.tree import TREES, Change

WORK = ".tenantry"
_STAGING = "staging"
_JOURNAL = "journal.json"


class Publisher:
    """Holds the fleet's lock; use it as a context manager around reading and writing the trees."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work = root / WORK
        self._lock: FileLock | None = None

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

    def write(self, changes: Sequence[Change]) -> None:
        """Bring the trees to the wanted state."""
        if not changes:
            return
        staging = self.work / _STAGING
        with _told():
            try:
                moves = self._stage(staging, changes)
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                raise
            with _uninterrupted():
                self._apply(moves)
                shutil.rmtree(staging, ignore_errors=True)

    def _stage(self, staging: Path, changes: Sequence[Change]) -> dict[str, list[str]]:
        staging.mkdir()
        files = str(staging / "files")
        moves: dict[str, list[str]] = {"write": [], "remove": []}
        made: set[str] = set()
        for change in changes:
            self._check(change.file)
            folder = change.file.rpartition("/")[0]
            if folder not in made:
                self._must_be_writable(folder)
                (staging / "files" / folder).mkdir(parents=True, exist_ok=True)
                made.add(folder)
            if change.content is None:
                moves["remove"].append(change.file)
                continue
            moves["write"].append(change.file)
            with open(f"{files}/{change.file}", "wb") as target:  # noqa: PTH123 - ten thousands of files
                target.write(change.content)
        temporary = staging / f"{_JOURNAL}.new"
        with temporary.open("w", encoding="utf-8") as journal:
            json.dump(moves, journal)
            journal.flush()
            os.fsync(journal.fileno())
        temporary.replace(staging / _JOURNAL)
        return moves

    def _check(self, file: str) -> None:
        parts = file.split("/")
        if not {"", ".", ".."}.isdisjoint(parts) or parts[0] not in TREES:
            raise AssertionError(f"{file} is outside of the generated trees")

    def _must_be_writable(self, path: str) -> None:
        """Refuse before the first move what would fail in the middle."""
        folder = self.root / path
        while not folder.exists():
            folder = folder.parent
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
