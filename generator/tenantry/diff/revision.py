"""Rendered files of the working tree compared with those of a git revision."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tenantry.core.paths import is_rendered
from tenantry.runtime.plain_file import NotPlainError, read_plain
from tenantry.runtime.repository import Repository

_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class FilePair:
    """One file of `rendered/` in both states; None where it does not exist. `file` is relative to the fleet's root."""

    file: str
    before: str | None
    after: str | None


Planned = Mapping[str, Path | None]
"""Files that a run would write, with the path of their staged content, or remove (None); by path below the fleet."""


def changed_files(root: Path, revision: str, planned: Planned = MappingProxyType({})) -> Iterator[FilePair]:
    """Files of `rendered/` that differ between `revision` and the working tree, including untracked ones.

    `planned` files count as if they were written. Raises UsageError when the folder is not in a git repository or the revision is unknown, ToolError when git fails.
    """
    repository = Repository(root)
    real = Path(os.path.realpath(root))
    folder = os.path.relpath(real / "rendered", repository.top)
    blobs = {
        os.path.relpath(repository.top / changed.path, real): changed.blob
        for changed in repository.changed(repository.commit(revision), folder)
    }
    for file in sorted(blobs.keys() | {path for path in planned if is_rendered(path)}):
        if file.endswith(".yaml"):
            there = _present(real, file)
            blob = blobs.get(file)
            before = repository.content(blob).decode(errors="replace") if blob else None if file in blobs else there
            yield FilePair(file, before, _staged(planned[file]) if file in planned else there)


def _staged(path: Path | None) -> str | None:
    return None if path is None else path.read_text(encoding="utf-8", errors="replace")


def _present(root: Path, file: str) -> str | None:
    """Content of a file in the working tree; None if it is missing, a link or a special file."""
    try:
        return read_plain(root, file, _MAX_BYTES).decode(errors="replace")
    except (NotPlainError, OSError):
        return None
