"""How a file of a generated tree is merged that two branches changed in different ways.

Its right content follows from the merged inputs, which are not yet there while git merges. So one side is kept whole:
an object that was reviewed and proved, never a mixture. `check` rejects the trees until they are rendered again.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.core.paths import GENERATED_TREES
from tenantry.runtime.listing import OURS
from tenantry.runtime.text_merge import merge_text


@dataclass(frozen=True, slots=True)
class Versions:
    """A file's content in the common ancestor (empty if both sides added it) and on both sides."""

    base: bytes
    ours: bytes
    theirs: bytes


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged content. `generated` if one side was kept, so that the trees must be rendered again."""

    content: bytes
    conflicts: bool
    generated: bool


def merge(path: str, versions: Versions) -> Merged:
    """Merge one file; any file that tenantry did not generate as git does, conflicts included.

    Attributes come with a commit, so the path and the first lines decide, not that git asked.
    """
    if is_generated(path, versions.ours) and is_generated(path, versions.theirs):
        return Merged(versions.ours, conflicts=False, generated=True)
    merged = merge_text(versions.base, versions.ours, versions.theirs)
    return Merged(merged.content, merged.conflicts, generated=False)


def is_generated(path: str, content: bytes) -> bool:
    """Whether a file was generated, by its path below the repository's top and its first line."""
    return not set(GENERATED_TREES).isdisjoint(path.split("/")[:-1]) and content.startswith(OURS)
