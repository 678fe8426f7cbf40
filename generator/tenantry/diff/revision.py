"""Rendered files of the working tree compared with those of a git revision."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenantry.runtime.plain_file import NotPlainError, read_plain
from tenantry.runtime.repository import Repository

_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class FilePair:
    """One file of `rendered/` in both states; None where it does not exist. `file` is relative to the fleet's root."""

    file: str
    before: str | None
    after: str | None


def changed_files(root: Path, revision: str) -> Iterator[FilePair]:
    """Files of `rendered/` that differ between `revision` and the working tree, including untracked ones.

    Raises UsageError when the folder is not in a git repository or the revision is unknown, ToolError when git fails.
    """
    repository = Repository(root)
    real = Path(os.path.realpath(root))
    folder = os.path.relpath(real / "rendered", repository.top)
    for changed in sorted(repository.changed(repository.commit(revision), folder), key=lambda changed: changed.path):
        if changed.path.endswith(".yaml"):
            before = None if changed.blob is None else repository.content(changed.blob).decode(errors="replace")
            file = os.path.relpath(repository.top / changed.path, real)
            yield FilePair(file, before, _present(repository.top, changed.path))


def _present(top: Path, name: str) -> str | None:
    """Content of a file in the working tree; None if it is missing, a link or a special file."""
    try:
        return read_plain(top, name, _MAX_BYTES).decode(errors="replace")
    except (NotPlainError, OSError):
        return None
