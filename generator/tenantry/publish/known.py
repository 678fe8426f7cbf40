"""Which folders are known to be up to date, by a digest of their inputs and a fingerprint of their files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tenantry.core.paths import folder_of
from tenantry.runtime.cache import Store
from tenantry.runtime.listing import NO_FOLDER, Change, Listing, compare

Folders = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Fresh:
    """Folders that were generated in this run."""

    path: str
    key: str
    folders: Folders
    group: str


@dataclass
class KnownFolders:
    """Folders are looked up by the path of a base or unit, and the digest of its inputs."""

    root: Path
    store: Store
    listing: Listing
    trusted: set[str] = field(default_factory=set)
    """Folders whose files need not be read."""
    generated: set[str] = field(default_factory=set)
    """Folders that were compared and have no file but generated ones, so none that somebody else put there."""
    _fresh: list[_Fresh] = field(default_factory=list)

    def holds(self, path: str, key: str, folders: Folders) -> bool:
        """Whether the folders are unchanged since they were generated from this key."""
        known = bool(self.store.get(path) == [key, self.listing.fingerprint(folders)])
        if known:
            self.trusted.update(folders)
        return known

    def note(self, path: str, key: str, folders: Folders, group: str = "") -> None:
        """Record that these folders were generated in this run, for a group that is checked together."""
        self._fresh.append(_Fresh(path, key, folders, group))

    def compare(self, folder: str, wanted: Mapping[str, bytes]) -> Iterator[Change]:
        """What must change in a folder of this run; `wanted` are contents by name."""
        if wanted.keys() >= set(self.listing.folders.get(folder, NO_FOLDER).names):
            self.generated.add(folder)
        return compare(self.root, self.listing, folder, wanted)

    def remember(self, waiting: Sequence[Change], troubled: Collection[str], listing: Listing) -> None:
        """Record what is up to date on disk, from the current `listing`: folders without a `waiting` change.

        Folders of a `troubled` group are checked again in each run until it has no findings.
        """
        changed = {folder_of(change.file) for change in waiting}
        for made in self._fresh:
            if made.group not in troubled and changed.isdisjoint(made.folders):
                self.store.put(made.path, [made.key, listing.fingerprint(made.folders)])
