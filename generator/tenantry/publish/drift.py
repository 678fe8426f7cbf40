"""Findings for files that differ from what the inputs give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any

from tenantry.core.findings import Finding, Place
from tenantry.core.paths import base_folder, folder_of, is_base, is_rendered, overlay_folder, unit_of
from tenantry.core.secret_words import hide, secrets_in
from tenantry.core.veil import Veil
from tenantry.inputs import source
from tenantry.runtime.listing import Change

_FOLD = 5
"""More manually changed files than this in one folder are reported in one finding."""
_LONGEST = 60
"""Characters of a line that are shown."""
_HINT = "run 'tenantry render'"
_WORDS = {
    "added": ("G002", "missing"),
    "changed": ("G003", "different from what the inputs give"),
    "removed": ("G004", "stale"),
}


def describe(root: Path, changes: Sequence[Change], *, refused: bool = False) -> Iterator[Finding]:
    """Findings for missing, differing and stale files.

    Where inputs changed but nobody ran `render`, one finding for each base or unit, with its overlay and rendered
    files. Where only rendered files were edited manually, one for each file, or for each folder if there are many.
    When a removal is `refused` (G005), stale files do not ask for the render that would refuse.
    """
    for finding in _described(root, changes):
        if refused and finding.code == "G004":
            finding = replace(finding, hint="see G005: 'tenantry render' does not remove it as things are")
        yield finding


def _described(root: Path, changes: Sequence[Change]) -> Iterator[Finding]:
    touched = {unit_of(change.file) for change in changes if not is_rendered(change.file)}
    base_moved = any(is_base(change.file) for change in changes)
    behind = [c for c in changes if base_moved or not is_rendered(c.file) or unit_of(c.file) in touched]
    manual = [c for c in changes if is_rendered(c.file) and not base_moved and unit_of(c.file) not in touched]
    for (_, folder), files in _grouped(behind, lambda c: (is_base(c.file), _source_folder(c.file))):
        if len(files) == 1:
            yield _finding(root, files[0], manual=False)
        else:
            yield _behind(folder, files)
    for (folder, action), files in _grouped(manual, lambda c: (folder_of(c.file), c.action)):
        if len(files) > _FOLD:
            code, text = _WORDS[action]
            yield Finding(code, Place(folder), f"{len(files)} files are {text}", _HINT)
        else:
            for change in files:
                yield _finding(root, change, manual=True)


def _source_folder(file: str) -> str:
    """The folder in base/ or overlays/ that a file belongs to, also if it is rendered from it."""
    return (base_folder if is_base(file) else overlay_folder)(unit_of(file))


def _grouped(
    changes: Sequence[Change], key: Callable[[Change], tuple[Any, str]]
) -> Iterator[tuple[tuple[Any, str], list[Change]]]:
    ordered = sorted(changes, key=lambda change: (*key(change), change.file))
    return ((group, list(members)) for group, members in groupby(ordered, key=key))


def _behind(folder: str, files: Sequence[Change]) -> Finding:
    """One finding for all files of a base, or of a unit in overlays/ and rendered/."""
    counts: Counter[str] = Counter(change.action for change in files)
    code = _WORDS[files[0].action][0] if len(counts) == 1 else "G003"
    parts = [f"{counts[action]} {text}" for action, (_, text) in _WORDS.items() if counts[action]]
    where = ", here and in rendered/" if any(is_rendered(change.file) for change in files) else ""
    message = f"{len(files)} files are out of date{where}: {', '.join(parts)}"
    return Finding(code, Place(folder), message, _HINT)


def _finding(root: Path, change: Change, manual: bool) -> Finding:
    if change.action == "removed":
        return Finding("G004", Place(change.file), "is stale: the inputs no longer produce it", _HINT)
    if change.action == "added":
        return Finding("G002", Place(change.file), "is missing", _HINT)
    if change.content is None:
        return Finding("G003", Place(change.file), "differs from what the inputs give", _HINT)
    number, there, wanted = _first_difference(change.file, (root / change.file).read_bytes(), change.content)
    why = "was edited manually" if manual else "differs from what the inputs give"
    hint = f"change tenants/, tiers/ or platform/ instead, then {_HINT}" if manual else _HINT
    said = f"found {there}, the inputs give {wanted}" if there != wanted else "a hidden value or white space differs"
    return Finding("G003", Place(change.file, number, 1), f"{why}: {said}", hint)


def _first_difference(file: str, there: bytes, wanted: bytes) -> tuple[int, str, str]:
    """The number of the first line that differs, and its content in both, without secrets."""
    pairs = zip_longest(there.splitlines(), wanted.splitlines())
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            return number, *_cut(_show(old, _veil(file, there)), _show(new, _veil(file, wanted)))
    return 1, "different line endings", "LF"


def _veil(file: str, content: bytes) -> Veil | None:
    """Hides the secrets of a file's content; None when they can't be identified."""
    if len(content) > source.MAX_BYTES:
        return None
    document, findings = source.parse(file, content.decode(errors="replace"))
    twice = any(finding.code == "S005" for finding in findings)  # the value of the second key is not known
    return Veil(document.data) if document and not twice else None


def _show(line: bytes | None, veil: Veil | None) -> str:
    if line is None:
        return "the end of the file"
    text = line.decode(errors="replace").strip()
    if veil is None:
        return "something else, in a file that can't be parsed"
    shown = veil.line(text)
    shown = hide(shown, secrets_in(shown))
    return f"'{shown}'"


def _cut(old: str, new: str) -> tuple[str, str]:
    """Both texts around the first character in which they differ, if they are long."""
    shortest = min(len(old), len(new))
    same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), shortest)
    start = max(0, same - _LONGEST // 2)
    before = "'..." if start else ""

    def cut(text: str) -> str:
        return before + text[start : start + _LONGEST] + ("...'" if len(text) > start + _LONGEST else "")

    return cut(old), cut(new)
