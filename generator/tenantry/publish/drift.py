"""Files that are not what the inputs give, told as findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from pathlib import Path

from tenantry.core.findings import Finding, Place
from tenantry.core.paths import folder_of, is_rendered, unit_of
from tenantry.core.secret_words import hide, secrets_in
from tenantry.core.veil import Veil
from tenantry.inputs import source
from tenantry.runtime.listing import Change

_FOLD = 5
"""More files than this in one folder are told in one finding."""
_HINT = "run 'tenantry render'"


def describe(root: Path, changes: Sequence[Change]) -> Iterator[Finding]:
    """Findings for missing, differing and left-over files; many of one folder are told in one."""
    touched = {unit_of(change.file) for change in changes if not is_rendered(change.file)}
    base_moved = any(change.file.startswith("base/") for change in changes)

    def group(change: Change) -> tuple[str, str]:
        return folder_of(change.file), change.action

    for (folder, action), members in groupby(sorted(changes, key=lambda c: (*group(c), c.file)), key=group):
        files = list(members)
        by_hand = is_rendered(folder) and unit_of(files[0].file) not in touched and not base_moved
        if len(files) > _FOLD:
            yield _folded(folder, action, len(files))
        else:
            for change in files:
                yield _finding(root, change, by_hand)


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
    number, there, wanted = _first_difference(change.file, (root / change.file).read_bytes(), change.content)
    why = "was edited by hand" if by_hand else "is not what the inputs give"
    hint = f"change tenants/, tiers/ or platform/ instead, then {_HINT}" if by_hand else _HINT
    return Finding("G003", Place(change.file, number, 1), f"{why}: here is {there}, the inputs give {wanted}", hint)


def _first_difference(file: str, there: bytes, wanted: bytes) -> tuple[int, str, str]:
    """The number of the first line that differs, and what stands there in both, without secrets."""
    pairs = zip_longest(there.splitlines(), wanted.splitlines())
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            return number, _show(old, _veil(file, there)), _show(new, _veil(file, wanted))
    return 1, "another line ending", "this one"


def _veil(file: str, content: bytes) -> Veil | None:
    """Hides the secrets of what a file holds; None when that can't be told."""
    if len(content) > source.MAX_BYTES:
        return None
    document, findings = source.parse(file, content.decode(errors="replace"))
    twice = any(finding.code == "S005" for finding in findings)  # what the second of the keys holds is not known
    return Veil(document.data) if document and not twice else None


def _show(line: bytes | None, veil: Veil | None) -> str:
    if line is None:
        return "the end of the file"
    text = line.decode(errors="replace").strip()
    if veil is None:
        return "something else, in a file that can't be read"
    shown = veil.line(text)
    shown = hide(shown, secrets_in(shown))
    return f"'{shown if len(shown) <= 60 else shown[:57] + '...'}'"
