"""The only writer of the generated trees: all or nothing, one run at a time.

New contents are first written to a staging folder; a journal then lists every move; then files are moved into place.
Until the journal is complete, nothing in the trees has changed; afterwards, the next run finishes what this one could
not. After a crash and one more run, the trees are therefore either old or new. The journal is kept with the fleet's
state: a run never acts on instructions that a commit could have placed.
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
from collections.abc import Callable, Iterator, Mapping
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

    Entering raises TenantryError while another run writes, FindingsError when `.tenantry` is not from a run of this
    user, and ToolError when the user's state folder can't be written.
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
            hint = "make it writable only by you, or name another with XDG_STATE_HOME"
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
            self._staging.clear()  # not committed, so nothing in the trees has changed
        if self._lock is not None:
            os.close(self._lock)

    def recover(self) -> None:
        """Finish what an interrupted run had started to move, or remove what it had only prepared."""
        journal = read_journal(self._state.read(_JOURNAL, self._say))
        if journal is not None and journal.is_of(self.root):
            with _half_way(), Confined(self.root) as tree:
                apply(tree, _files(self.root, journal.name), journal.moves, trusted=False)
        self._state.forget(_JOURNAL)
        clear(self.root, self._state, recorded(self._state))

    def stage(self, change: Change) -> Change:
        """Prepare one change; returns it without its content, which is now on disk."""
        if not is_inside(change.file, below=GENERATED_TREES):
            raise AssertionError(f"{change.file} is outside the generated trees")
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
        """Path of a file's staged content; None if it has none."""
        return self._staging.files / file if self._staging is not None and file in self._write else None

    def planned(self) -> Mapping[str, Path | None]:
        """Files that `commit` would write, with the path of their staged content, and remove (None)."""
        return {**dict.fromkeys(self._remove), **{file: self.staged(file) for file in self._write}}

    def commit(self) -> None:
        """Bring the trees to the staged state completely. Raises MachineError when the file system refuses."""
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
    """A finding if a run was interrupted while it moved files into place."""
    journal = read_journal(state.read(_JOURNAL))
    if journal is not None and journal.is_of(root):
        message = "an earlier run was interrupted while it moved files into place: the trees are partly old, partly new"
        yield Finding("G006", Place("rendered"), message, "run 'tenantry render', which finishes it")


def _journal_is_there(state: FleetState) -> bool:
    return (state.folder / _JOURNAL).exists()


def _files(root: Path, name: str) -> Path:
    return root / WORK / name / "files"


def _lock(root: Path) -> int:
    """Descriptor that holds the fleet's lock, on the root folder itself: it needs no file and ends with the process."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise TenantryError("another tenantry process is writing to this fleet", "wait for it to finish") from None
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
    errno.ENOTDIR: "move the file that is in the folder's place, then run again",
    errno.ELOOP: "remove the link that is in the folder's place, then run again",
}


@contextlib.contextmanager
def _nothing_moved() -> Iterator[None]:
    """Turn file system errors before the first move into a MachineError."""
    try:
        yield
    except OSError as error:
        message = f"the trees can't be written: {_reason(error)}; they are unchanged"
        raise MachineError(message, _HINTS.get(error.errno or 0, "fix this, then run again")) from error


@contextlib.contextmanager
def _half_way() -> Iterator[None]:
    """Turn file system errors between the first move and the last into a MachineError."""
    try:
        yield
    except OSError as error:
        message = f"files could not all be moved into place: {_reason(error)}; the trees are partly old, partly new"
        hint = _HINTS.get(error.errno or 0, "fix this, then run again").replace(
            "run again", "'tenantry render' finishes it"
        )
        raise MachineError(message, hint) from error


def _reason(error: OSError) -> str:
    return f"{error.strerror} at {error.filename}" if error.filename else str(error.strerror)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Defer SIGINT and SIGTERM while files are moved; they take effect right after."""
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
