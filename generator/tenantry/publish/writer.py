"""The sole writer of the generated trees: all or nothing, one at a time.

New contents are first written beside the trees; a journal then names every move; then files are moved into place.
Before the journal is complete nothing in the trees has changed; once it is, the next run finishes what this one
could not. So what is found after a crash, and one more run, is the old tree or the new one. The journal is kept with
the fleet's state: what a run acts on never lies where a commit could have put it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import hashlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tenantry.core.findings import Finding, FindingsError, MachineError, Place, TenantryError, ToolError
from tenantry.core.paths import GENERATED_TREES, folder_of
from tenantry.publish.staging import WORK, StagingFolder, clear, foreign_work, identity, recorded
from tenantry.publish.swap import Journal, Moves, apply, prepare, read_journal
from tenantry.runtime.confined import Confined, is_inside
from tenantry.runtime.listing import Change
from tenantry.runtime.state import FleetState

_JOURNAL = "journal"


class Publisher:
    """Holds the fleet's lock; use it as a context manager around reading and writing the trees.

    Entering raises TenantryError while another run writes, FindingsError when `.tenantry` is not ours, and ToolError
    where the user's state folder can't be written.
    """

    def __init__(self, root: Path, state: FleetState, say: Callable[[str], None] = lambda _: None) -> None:
        self.root = root
        self._state = state
        self._say = say
        self._lock: int | None = None
        self._staging: StagingFolder | None = None
        self._write: dict[str, str] = {}
        self._remove: list[str] = []
        self._staged_folders: set[str] = set()

    def __enter__(self) -> Publisher:
        if self._state.key is None:
            hint = "make it writable for you alone, or name another with XDG_STATE_HOME"
            raise ToolError(f"{self._state.folder} can't be used: a run keeps its journal there", hint)
        self._lock = _lock(self.root)
        try:
            foreign = list(foreign_work(self.root, self._state))
            if foreign:
                raise FindingsError(foreign)
            self.recover()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._staging is not None and not _journal_is_there(self._state):
            self._staging.clear()  # not committed: nothing in the trees has changed
        if self._lock is not None:
            os.close(self._lock)

    def recover(self) -> None:
        """Finish what an interrupted run had begun, or clear away what it had only prepared."""
        journal = read_journal(self._state.read(_JOURNAL, self._say))
        if journal is not None and journal.is_of(self.root):
            with _half_way(), Confined(self.root) as tree:
                apply(tree, _files(self.root, journal.name), journal.moves, trusted=False)
        self._state.forget(_JOURNAL)
        clear(self.root, self._state, recorded(self._state))

    def stage(self, change: Change) -> Change:
        """Prepare one change; its content is on disk then, and need not be kept."""
        if not is_inside(change.file, below=GENERATED_TREES):
            raise AssertionError(f"{change.file} is outside of the generated trees")
        if change.content is None:
            self._remove.append(change.file)
            return change
        with _nothing_moved():
            if self._staging is None:
                self._staging = StagingFolder(self.root, self._state)
            folder = folder_of(change.file)
            if folder not in self._staged_folders:
                (self._staging.files / folder).mkdir(parents=True, exist_ok=True)
                self._staged_folders.add(folder)
            with open(f"{self._staging.files}/{change.file}", "xb") as target:  # noqa: PTH123 - ten thousands of files
                target.write(change.content)
        self._write[change.file] = hashlib.sha256(change.content).hexdigest()
        return dataclasses.replace(change, content=None)

    def staged(self, file: str) -> Path | None:
        """Where the new content of a file lies, when it has one."""
        return self._staging.files / file if self._staging is not None and file in self._write else None

    def commit(self) -> None:
        """Bring the trees to the staged state, all of it."""
        if not self._write and not self._remove:
            return
        moves = Moves(self._write, self._remove)
        with _nothing_moved():
            staging = self._staging = self._staging or StagingFolder(self.root, self._state)
            journal = Journal(identity(self.root), staging.name, identity(staging.path), moves)
        with Confined(self.root) as tree, _uninterrupted():
            with _nothing_moved():
                prepare(tree, moves)
                self._state.write(_JOURNAL, journal.to_value())
            with _half_way():
                apply(tree, staging.files, moves, trusted=True)
            self._state.forget(_JOURNAL)
            staging.clear()


def interrupted(root: Path, state: FleetState) -> Iterator[Finding]:
    """A finding when a run was stopped while it moved files into place."""
    journal = read_journal(state.read(_JOURNAL))
    if journal is not None and journal.is_of(root):
        message = "an earlier run was stopped while it moved files into place: the trees are half old, half new"
        yield Finding("G006", Place("rendered"), message, "run 'tenantry render', which finishes it")


def _journal_is_there(state: FleetState) -> bool:
    return (state.folder / _JOURNAL).exists()


def _files(root: Path, name: str) -> Path:
    return root / WORK / name / "files"


def _lock(root: Path) -> int:
    """Descriptor that holds the fleet's lock, which is the root folder's own: it needs no file, and ends with us."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise TenantryError("another tenantry is writing to this fleet", "wait for it to end") from None
    except OSError as error:
        os.close(descriptor)
        message = f"{root} can't be locked: {error.strerror}"
        raise ToolError(message, "work on a local file system") from error
    return descriptor


_HINTS = {
    errno.ENOSPC: "free some space, then run again",
    errno.EDQUOT: "free some space, then run again",
    errno.EROFS: "make the folder writable, then run again",
    errno.EACCES: "make the folder writable, then run again",
    errno.EPERM: "remove the attribute (lsattr, chattr -i), then run again",
    errno.ENOTDIR: "move the file that stands in the folder's place, then run again",
    errno.ELOOP: "remove the link that stands in the folder's place, then run again",
}


@contextlib.contextmanager
def _nothing_moved() -> Iterator[None]:
    """Turn failures of the file system before the first move into a sentence."""
    try:
        yield
    except OSError as error:
        message = f"the trees can't be written: {_reason(error)}; they are as they were"
        raise MachineError(message, _HINTS.get(error.errno or 0, "repair it, then run again")) from error


@contextlib.contextmanager
def _half_way() -> Iterator[None]:
    """Turn failures of the file system between the first move and the last into a sentence."""
    try:
        yield
    except OSError as error:
        message = f"files could not all be moved into place: {_reason(error)}; the trees are half old, half new"
        hint = _HINTS.get(error.errno or 0, "repair it, then run again").replace(
            "run again", "'tenantry render' finishes it"
        )
        raise MachineError(message, hint) from error


def _reason(error: OSError) -> str:
    return f"{error.strerror} at {error.filename}" if error.filename else str(error.strerror)


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
