"""Files that are not what the inputs give, told as findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from pathlib import Path

from tenantry.core.findings import Finding, Place
from tenantry.runtime.listing import Change

_FOLD = 5
"""More files than this in one folder are told in one finding."""
_HINT = "run 'tenantry render'"


def describe(root: Path, changes: Sequence[Change]) -> Iterator[Finding]:
    """Findings for missing, differing and left-over files; many of one folder are told in one."""
    touched = {_unit(change.file) for change in changes if not change.file.startswith("rendered/")}
    base_moved = any(change.file.startswith("base/") for change in changes)

    def group(change: Change) -> tuple[str, str]:
        return change.file.rpartition("/")[0], change.action

    for (folder, action), members in groupby(sorted(changes, key=lambda c: (*group(c), c.file)), key=group):
        files = list(members)
        by_hand = folder.startswith("rendered/") and _unit(files[0].file) not in touched and not base_moved
        if len(files) > _FOLD:
            yield _folded(folder, action, len(files))
        else:
            for change in files:
                yield _finding(root, change, by_hand)


def _unit(file: str) -> str:
    return file.partition("/")[2].rpartition("/")[0]


def _folded(folder: str, action: str, count: int) -> Finding:
    words = {
        "added": ("G002", "are missing"),
        "changed": ("G003", "are not what the inputs give"),
        "removed": ("G004", "are left over"),
    }
    code, text = words[action]
    return Finding(code, Place(folder), f"{count} files {text}", _HINT)


def _finding(root: Path, change: Change, by_hand: bool) -> Finding:
    if change.action == "removed":
        return Finding("G004", Place(change.file), "is left over: nothing makes it any more", _HINT)
    if change.action == "added":
        return Finding("G002", Place(change.file), "is missing", _HINT)
    if change.content is None:
        return Finding("G003", Place(change.file), "is not what the inputs give", _HINT)
    number, there, wanted = _first_difference((root / change.file).read_bytes(), change.content)
    why = "was edited by hand" if by_hand else "is not what the inputs give"
    hint = f"change tenants/, tiers/ or platform/ instead, then {_HINT}" if by_hand else _HINT
    return Finding("G003", Place(change.file, number, 1), f"{why}: here is {there}, the inputs give {wanted}", hint)


def _first_difference(there: bytes, wanted: bytes) -> tuple[int, str, str]:
    pairs = zip_longest(there.splitlines(), wanted.splitlines())
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            return number, _show(old), _show(new)
    return 1, "another line ending", "this one"


def _show(line: bytes | None) -> str:
    if line is None:
        return "the end of the file"
    text = line.decode(errors="replace").strip()
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"
