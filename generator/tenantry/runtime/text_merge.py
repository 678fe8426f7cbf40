"""Three-way merges of single texts, by git, outside any repository."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import git

from tenantry.core.findings import ToolError

_LABELS = ("ours", "base", "theirs")
_MAX_CONFLICTS = 127
"""What git's exit code stands for up to here: the number of conflicts."""


@dataclass(frozen=True, slots=True)
class MergedText:
    """The result of a merge; with conflicts, `content` has git's markers."""

    content: bytes
    conflicts: bool


def merge_text(base: bytes, ours: bytes, theirs: bytes) -> MergedText:
    """What two sides made of a common text, merged by lines.

    Without a line-based result (a binary file), our side with a conflict. Raises ToolError when git is missing.
    """
    with tempfile.TemporaryDirectory(prefix="tenantry-") as folder:
        for label, content in zip(_LABELS, (ours, base, theirs), strict=True):
            (Path(folder) / label).write_bytes(content)
        names = [argument for label in _LABELS for argument in ("-L", label)]
        try:
            status, out, _ = git.Git(folder).execute(
                ["git", "merge-file", "--stdout", "--quiet", *names, *_LABELS],
                with_extended_output=True, with_exceptions=False, stdout_as_string=False, strip_newline_in_stdout=False,
            )  # fmt: skip
        except git.GitCommandNotFound:
            raise ToolError("git is not installed", "install git") from None
    if not 0 <= status <= _MAX_CONFLICTS:
        return MergedText(ours, conflicts=True)
    return MergedText(bytes(out), conflicts=status > 0)
