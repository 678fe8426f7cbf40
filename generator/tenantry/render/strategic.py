"""What an overlay must change in its base, as a strategic merge patch: it names containers and variables, not numbers.

The semantics are Kustomize's (`sigs.k8s.io/kustomize/kyaml/yaml/merge2` and `walk`), which differ from kubectl's: it
has no `$setElementOrder`, and puts the entries that a patch names before all others. So a patch names each entry up to
the last one that it changes, in the wanted order; an entry with nothing but its key changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tenantry.render.merge_keys import ListKeys, list_keys

Object = Mapping[str, Any]
Identity = tuple[str, ...]


class InexpressibleError(Exception):
    """A difference that a strategic merge patch can't hold."""


def strategic_patch(base: Object, wanted: Object) -> dict[str, Any] | None:
    """The patch that turns `base` into `wanted`, an object of the same kind and name; empty when they are equal.

    None when no such patch exists: a null in either object, two entries of one key in a list that is merged, a value
    of another type in its place, plain values that Kustomize merges as a set (finalizers).
    """
    differ = _Differ(list_keys(base["apiVersion"], base["kind"]))
    try:
        differ.check(base, "")  # what a patch does not name is merged, too
        differ.check(wanted, "")
        patch = differ.mapping(base, wanted, "")
    except InexpressibleError:
        return None
    if not patch:
        return {}
    metadata = {"name": base["metadata"]["name"], **patch.pop("metadata", {})}
    return {"apiVersion": base["apiVersion"], "kind": base["kind"], "metadata": metadata, **patch}


class _Differ:
    def __init__(self, keys: ListKeys) -> None:
        self._keys = keys

    def check(self, value: Any, path: str) -> None:
        """Raise InexpressibleError for a mapping or list that does not come through a merge as it is."""
        if isinstance(value, dict):
            for key, item in value.items():
                if item is None or key.startswith("$"):
                    raise InexpressibleError(path)
                if isinstance(item, (dict, list)):
                    self.check(item, f"{path}.{key}" if path else key)
            return
        keys = self._keys.get(path)
        if keys is not None and value and _identities(value, keys) is None:
            raise InexpressibleError(path)
        for item in value:
            if item is None:
                raise InexpressibleError(path)
            if isinstance(item, (dict, list)):
                self.check(item, path)

    def mapping(self, base: Object, wanted: Object, path: str) -> dict[str, Any]:
        """What a patch says of a mapping that both have."""
        patch: dict[str, Any] = {}
        for key, value in wanted.items():
            if key not in base:
                patch[key] = value
            elif (found := self._value(base[key], value, f"{path}.{key}" if path else key)) is not None:
                patch[key] = found
        return patch | {key: None for key in base if key not in wanted}

    def _value(self, base: Any, wanted: Any, path: str) -> Any:
        """What a patch says of a field that both have; None for nothing."""
        if isinstance(base, dict) and isinstance(wanted, dict):
            return self.mapping(base, wanted, path) or None
        if isinstance(base, list) and isinstance(wanted, list):
            return self._list(base, wanted, path)
        if isinstance(base, (dict, list)) or isinstance(wanted, (dict, list)):
            raise InexpressibleError(path)
        if isinstance(base, str) and not isinstance(wanted, str):  # it would stand in the base's quotes
            raise InexpressibleError(path)
        return None if same(base, wanted) else wanted

    def _list(self, base: list[Any], wanted: list[Any], path: str) -> list[Any] | None:
        keys = self._keys.get(path)
        if same(base, wanted):
            return None
        if keys is None:
            return wanted
        old, new = _identities(base, keys), _identities(wanted, keys)
        if old is None or new is None or old.keys_used != new.keys_used or _moves_among_two_keys(old, new):
            return [{"$patch": "replace"}, *wanted]
        return list(self._entries(old, new, path))

    def _entries(self, old: _Entries, new: _Entries, path: str) -> Iterator[dict[str, Any]]:
        changes = {
            identity: self.mapping(old.by_identity[identity], entry, path) if identity in old.by_identity else entry
            for identity, entry in new.by_identity.items()
        }
        named = _how_many_named(old, new, {identity for identity, change in changes.items() if change})
        for identity in list(changes)[:named]:
            entry = new.by_identity[identity]
            yield {**{key: entry[key] for key in new.keys_used}, **changes[identity]}
        for identity, entry in old.by_identity.items():
            if identity not in new.by_identity:
                yield {**{key: entry[key] for key in old.keys_used}, "$patch": "delete"}


class _Entries:
    """Entries of a list by what tells them apart, in their order."""

    def __init__(self, by_identity: dict[Identity, Object], keys_used: tuple[str, ...]) -> None:
        self.by_identity = by_identity
        self.keys_used = keys_used


def _identities(entries: Sequence[Any], keys: Sequence[str]) -> _Entries | None:
    """None unless each entry has the first key, each further key is in all or in none, and no two entries are alike."""
    if not keys or not all(isinstance(entry, dict) for entry in entries):
        return None
    used = tuple(key for key in keys if key == keys[0] or any(key in entry for entry in entries))
    if not all(_is_key(entry.get(key)) for entry in entries for key in used):
        return None
    found = {tuple(str(entry[key]) for key in used): entry for entry in entries}
    return _Entries(found, used) if len(found) == len(entries) else None


def _is_key(value: Any) -> bool:
    """Kustomize takes an empty text for a missing key."""
    return (bool(value) and isinstance(value, str)) or type(value) is int


def _moves_among_two_keys(old: _Entries, new: _Entries) -> bool:
    """Where entries have two keys, Kustomize leaves those of the base in their order and puts new ones first."""
    kept = [identity for identity in old.by_identity if identity in new.by_identity]
    return len(new.keys_used) > 1 and kept != list(new.by_identity)


def _how_many_named(old: _Entries, new: _Entries, changed: set[Identity]) -> int:
    """How many of the wanted entries a patch must name, from the first on, for all to stand in their order."""
    wanted = list(new.by_identity)
    kept = [identity for identity in old.by_identity if identity in new.by_identity]
    count = len(wanted)
    while count and wanted[count - 1] not in changed:
        named = set(wanted[: count - 1])
        if [identity for identity in kept if identity not in named] != wanted[count - 1 :]:
            break
        count -= 1
    return count


def same(one: Any, other: Any) -> bool:
    """Equal as JSON is: 1 and true differ, and so do 1 and 1.0."""
    return bool(one == other) and _of_same_types(one, other)


def _of_same_types(one: Any, other: Any) -> bool:
    """Whether two equal values are of the same types all through."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return all(_of_same_types(value, other[key]) for key, value in one.items())
    return not isinstance(one, list) or all(map(_of_same_types, one, other))
