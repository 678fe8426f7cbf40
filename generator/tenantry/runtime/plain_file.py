"""Regular files below a folder, opened without following links and without blocking on pipes."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotPlainError(Exception):
    """`path` (below the root) is a link, a folder or a special file; `link` is true for a link."""

    def __init__(self, path: str, *, link: bool) -> None:
        super().__init__(f"{path} is {'a symbolic link' if link else 'not a regular file'}")
        self.path = path
        self.link = link


_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


def read_plain(root: Path, file: str, limit: int) -> bytes:
    """At most `limit` + 1 bytes of a file. No part of `file` below `root` may be a link.

    The file is opened first and checked afterwards, so it can't be swapped in between. Raises
    NotPlainError, and OSError for what is missing or may not be read.
    """
    descriptor = _open(root, file)
    with os.fdopen(descriptor, "rb", closefd=True) as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotPlainError(file, link=False)
        return stream.read(limit + 1)


def _open(root: Path, file: str) -> int:
    *folders, name = file.split("/")
    folder = os.open(root, _FOLDER)
    try:
        for depth, part in enumerate(folders):
            inner = _step(folder, part, _FOLDER | os.O_NOFOLLOW, "/".join(folders[: depth + 1]))
            os.close(folder)
            folder = inner
        return _step(folder, name, _FILE, file)
    finally:
        os.close(folder)


def _step(folder: int, name: str, flags: int, path: str) -> int:
    if name in ("", ".", ".."):
        raise NotPlainError(path, link=False)
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode  # raises the right error if it is missing
        if stat.S_ISLNK(mode):
            raise NotPlainError(path, link=True) from None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise NotPlainError(path, link=False) from None
        raise
    if flags == _FILE and stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPlainError(path, link=False)
    return descriptor
