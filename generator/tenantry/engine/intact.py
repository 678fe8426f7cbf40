"""Whether a built program is unchanged since it was built."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from tenantry.runtime.confined import own_folder, regular_file


def record(program: Path) -> None:
    """Record a built program's digest beside it. Raises OSError."""
    with regular_file(program) as descriptor:
        _write(program, {"sha256": _digest(descriptor), "stat": _stat(descriptor)})


def is_intact(program: Path) -> bool:
    """True for a program with the recorded digest, in a folder that only this user can write.

    It is hashed again only if its size, times or inode differ from those recorded with the digest.
    """
    try:
        own_folder(program.parent)
        with regular_file(program) as descriptor:
            with regular_file(_record_of(program)) as noted:
                known = json.loads(os.read(noted, 4096))
            if known["stat"] == _stat(descriptor):
                return True
            if known["sha256"] != _digest(descriptor):
                return False
            with contextlib.suppress(OSError):
                _write(program, {**known, "stat": _stat(descriptor)})
            return True
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _record_of(program: Path) -> Path:
    return program.with_name(f"{program.name}.digest")


def _write(program: Path, value: object) -> None:
    temporary = program.with_name(f".{program.name}.digest.{os.getpid()}")
    temporary.write_text(json.dumps(value), encoding="utf-8")
    temporary.replace(_record_of(program))


def _stat(descriptor: int) -> list[int]:
    status = os.fstat(descriptor)
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    os.lseek(descriptor, 0, os.SEEK_SET)
    while part := os.read(descriptor, 1 << 20):
        digest.update(part)
    return digest.hexdigest()
