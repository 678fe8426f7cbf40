"""Rendered files as they are on disk, for commands that read objects without verifying them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tenantry.core.paths import rendered_folder
from tenantry.runtime.plain_file import NotPlainError, read_plain
from tenantry.verify.folder import MAX_FILE_BYTES


def rendered_files(root: Path, cluster: str, pattern: str = "*.yaml") -> list[str]:
    """Files of a cluster's rendered tree, sorted; paths are relative to the fleet's folder."""
    folder: Path = root / rendered_folder(cluster)
    return sorted(path.relative_to(root).as_posix() for path in folder.rglob(pattern))


def text_below(root: Path) -> Callable[[str], str]:
    """A function that returns the text of a file below `root`; empty for one that can't be read.

    Links and pipes in place of a file are not read: `check` reports them.
    """

    def text(file: str) -> str:
        try:
            return read_plain(root, file, MAX_FILE_BYTES).decode(errors="replace")
        except (NotPlainError, OSError):
            return ""

    return text
