"""How a file of a fleet is merged that two branches changed in different ways.

The right content of a generated file follows from the merged inputs, which are not yet there while git merges. So one
side is kept whole: an object that was reviewed and proved, never a mixture. `check` rejects the trees until they are
rendered again.

Git takes a tenant that one branch removes and a similar one that it adds for a renamed file, and would write what the
other branch changed of the first into the file of the second. An input is never merged with one of another name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tenantry.core.paths import GENERATED_TREES, overlay_folder, unit_of
from tenantry.runtime.listing import OURS
from tenantry.runtime.text_merge import merge_text

_NAME = re.compile(rb"""^metadata:[ \t]*(?:\{[ \t]*|(?:#.*)?\n[ \t]+)name:[ \t]*["']?([^\s"',}]+)""", re.MULTILINE)


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
    renamed: tuple[str, ...] = ()
    """The names of the entries, if git took the file of one for that of another."""


def merge(path: str, versions: Versions) -> Merged:
    """Merge one file; any file that is neither generated nor renamed as git does, conflicts included.

    Attributes come with a commit, so the path and the content decide, not that git asked.
    """
    sides = (versions.ours, versions.theirs)
    if all(is_generated(path, side) for side in sides):
        return Merged(_of_unit(path, sides), conflicts=False, generated=True)
    names = _names(path, versions)
    if len(names) > 1:
        kept = next((side for side in sides if _name(side) == _stem(path)), versions.ours)
        return Merged(kept, conflicts=True, generated=False, renamed=names)
    merged = merge_text(versions.base, *sides)
    return Merged(merged.content, merged.conflicts, generated=False)


def is_generated(path: str, content: bytes) -> bool:
    """Whether a file was generated, by its path below the repository's top and its first line."""
    return not set(GENERATED_TREES).isdisjoint(path.split("/")[:-1]) and content.startswith(OURS)


def _of_unit(path: str, sides: tuple[bytes, bytes]) -> bytes:
    """Our side, unless it alone is of another unit: git takes similar objects of two tenants for a renamed file."""
    _, found, below = f"/{path}".rpartition("/rendered/")
    header = f" from {overlay_folder(unit_of(f'rendered/{below}'))};".encode()
    return next((side for side in sides if not found or header in side.partition(b"\n")[0]), sides[0])


def _names(path: str, versions: Versions) -> tuple[str, ...]:
    """The names of the entries in the versions of an input file, each once."""
    if not path.endswith(".yaml"):
        return ()
    found = (_name(version) for version in (versions.base, versions.ours, versions.theirs))
    return tuple(sorted({name for name in found if name}))


def _name(content: bytes) -> str:
    match = _NAME.search(content)
    return match[1].decode(errors="replace") if match else ""


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".yaml")
