"""Two values of one object -> changed fields. The order of keys and of keyed Kubernetes lists is ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from tenantry.core.findings import FieldChange
from tenantry.core.manifest import Manifest, Path, show_path
from tenantry.core.secrecy import concealed, plain
from tenantry.core.secret_words import HIDDEN
from tenantry.verify import native

ABSENT = object()

GUESSED_KEYS = ("name", "secretKey", "key", "alert", "record", "mountPath", "match", "kind")
"""Keys that identify list entries where no schema names one, if every entry has the key and its values are unique."""


def field_changes(before: Manifest, after: Manifest) -> Iterator[FieldChange]:
    """Changes from one state of an object to another. Values of Secrets are never included."""
    group, kind = after.kind
    keys = native.schemas(native.known_versions()[-1]).list_keys(group, after.version, kind)
    for path, old, new in _compare(concealed(before.value), concealed(after.value), (), keys):
        yield FieldChange(show_path(path), *(None if value is ABSENT else plain(value) for value in (old, new)))


Keys = Mapping[Path, tuple[str, ...]]
Found = Iterator[tuple[Path, Any, Any]]


def _compare(old: Any, new: Any, path: Path, keys: Keys) -> Found:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _compare(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key), keys)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(old, new, path, keys)
    elif isinstance(old, str) and isinstance(new, str) and "\n" in old and "\n" in new:
        lines = list(_compare_lines(old, new, path))
        yield from lines or ([(path, HIDDEN, HIDDEN)] if old != new else [])
    elif old is ABSENT or new is ABSENT or type(old) is not type(new) or old != new:
        yield path, old, new


def _compare_lines(old: str, new: str, path: Path) -> Found:
    """The differing lines of a long text, by their number in the new text."""
    before, after = old.split("\n"), new.split("\n")
    for action, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if action != "equal":
            was, now = ("\n".join(lines) if lines else ABSENT for lines in (before[i:j], after[k:m]))
            yield (*path, f"line {k + 1}"), was, now


def _compare_lists(old: Sequence[Any], new: Sequence[Any], path: Path, keys: Keys) -> Found:
    chosen = _keys_of(old, new, keys.get(tuple(step for step in path if isinstance(step, str) and "=" not in step)))
    if chosen:
        was, now = ({_label(entry, chosen): entry for entry in entries} for entries in (old, new))
        for label in sorted(was.keys() | now.keys()):
            yield from _compare(was.get(label, ABSENT), now.get(label, ABSENT), (*path, label), keys)
    elif len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _compare(one, other, (*path, index), keys)
    elif old != new:
        yield path, old, new


def _keys_of(old: Sequence[Any], new: Sequence[Any], known: tuple[str, ...] | None) -> tuple[str, ...]:
    """Keys that identify the entries of both lists; empty if there are none."""
    entries = [*old, *new]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        return ()
    candidates = ([known] if known else []) + [(key,) for key in GUESSED_KEYS]
    for candidate in candidates:
        if all(any(key in entry for key in candidate) for entry in entries) and all(
            len({_label(entry, candidate) for entry in part}) == len(part) for part in (old, new)
        ):
            return candidate
    return ()


def _label(entry: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return ",".join(f"{key}={entry[key]}" for key in keys if key in entry)
