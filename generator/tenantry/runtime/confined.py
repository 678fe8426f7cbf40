"""Files below one folder, opened step by step: no link is followed, and no path escapes.

A repository may contain links where folders are expected, or gain one between check and use. So each folder is opened
relative to its parent without following links, and files are named relative to the open folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_inside(path: str, *, below: tuple[str, ...]) -> bool:
    """True for a plain relative path (`/` between names, no `.` or `..`) whose first name is one of `below`."""
    parts = path.split("/")
    return parts[0] in below and len(parts) > 1 and {"", ".", ".."}.isdisjoint(parts) and "\0" not in path


class Confined:
    """An open folder. Use it as a context manager. Paths are relative, with `/` between names."""

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, _FOLDER & ~os.O_NOFOLLOW)  # the root itself is named by the user
        self._last: tuple[str, int] | None = None

    def __enter__(self) -> Confined:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()
        os.close(self._root)

    def folder(self, path: str, *, create: bool = False) -> int:
        """Descriptor of a folder, valid until the next call. Raises OSError (ELOOP or ENOTDIR for a link in the path)."""
        if self._last and self._last[0] == path:
            return self._last[1]
        self._forget()
        current = os.dup(self._root)
        for name in path.split("/") if path else ():
            current = _step(current, name, path, create=create)
        self._last = (path, current)
        return current

    def write_new(self, file: str, content: bytes) -> None:
        """Create a file that must not exist yet, and its folders. Raises OSError."""
        folder, _, name = file.rpartition("/")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o666, dir_fd=self.folder(folder, create=True))
        try:
            with os.fdopen(descriptor, "wb") as target:
                target.write(content)
        except BaseException:  # no partial file
            os.unlink(name, dir_fd=self.folder(folder))
            raise

    def replace(self, file: str, content: bytes) -> None:
        """Replace a regular file, all or nothing; its permissions stay. Raises OSError, also for a link."""
        folder, _, name = file.rpartition("/")
        descriptor = self.folder(folder)
        status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.ELOOP, "not a regular file", file)
        beside = f".{name}.{secrets.token_hex(4)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        opened = os.open(beside, flags, 0o600, dir_fd=descriptor)
        try:
            with os.fdopen(opened, "wb") as target:
                target.write(content)
                target.flush()
                os.fchmod(target.fileno(), stat.S_IMODE(status.st_mode))
                os.fsync(target.fileno())
            os.rename(beside, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside, dir_fd=descriptor)
            raise

    def remove(self, file: str) -> None:
        """Remove a file and the folders that become empty; a missing file is fine. Raises OSError."""
        folder, _, name = file.rpartition("/")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.folder(folder))
        while folder:
            folder, _, name = folder.rpartition("/")
            try:
                os.rmdir(name, dir_fd=self.folder(folder))
            except OSError:
                return

    def _forget(self) -> None:
        if self._last:
            os.close(self._last[1])
            self._last = None


def _step(parent: int, name: str, path: str, *, create: bool) -> int:
    """Descriptor of the folder `name` in `parent`, which is closed."""
    try:
        try:
            return os.open(name, _FOLDER, dir_fd=parent)
        except FileNotFoundError:
            if not create:
                raise
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
        return os.open(name, _FOLDER, dir_fd=parent)
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(parent)


@contextlib.contextmanager
def regular_file(path: Path) -> Iterator[int]:
    """Descriptor of a regular file that we own and nobody else can write. Raises OSError for anything else.

    Opening neither follows a link nor blocks on a pipe.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise OSError(errno.EPERM, "others may write it", str(path))
        yield descriptor
    finally:
        os.close(descriptor)


def own_folder(path: Path) -> Path:
    """Create a folder, or check that it is a real one that we own, and restrict its permissions. Raises OSError."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "belongs to another user", str(path))
    if status.st_mode & 0o022:
        path.chmod(status.st_mode & 0o755)
    return path
