"""Which folders are known to be as wanted, from what they are made of and a fingerprint of what lies there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tenantry.core.paths import folder_of
from tenantry.runtime.cache import Store
from tenantry.runtime.listing import Change, Listing

Folders = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Fresh:
    """Folders that were made now."""

    path: str
    key: str
    folders: Folders
    group: str


@dataclass
class KnownFolders:
    """Folders are looked up by the path of a base or unit, and the key of what it is made of."""

    root: Path
    store: Store
    listing: Listing
    trusted: set[str] = field(default_factory=set)
    """Folders that need no look inside."""
    _fresh: list[_Fresh] = field(default_factory=list)

    def holds(self, path: str, key: str, folders: Folders) -> bool:
        """Whether the folders lie there as this key once made them."""
        known = bool(self.store.get(path) == [key, self.listing.fingerprint(folders)])
        if known:
            self.trusted.update(folders)
        return known

    def note(self, path: str, key: str, folders: Folders, group: str = "") -> None:
        """These folders were made now, for a group that is judged together."""
        self._fresh.append(_Fresh(path, key, folders, group))

    def remember(self, waiting: Sequence[Change], troubled: Collection[str], listing: Listing) -> None:
        """Keep in mind what is on disk as wanted, by the `listing` of now: what no change is `waiting` for.

        What belongs to a `troubled` group is judged again until nothing is found.
        """
        changed = {folder_of(change.file) for change in waiting}
        for made in self._fresh:
            if made.group not in troubled and changed.isdisjoint(made.folders):
                self.store.put(made.path, [made.key, listing.fingerprint(made.folders)])
