"""The generated trees on disk: which files exist, which are managed, and what would have to change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tenantry.core.paths import cluster_of, is_rendered

OURS = b"# Made by tenantry "
"""First bytes of every generated file; a file in a generated tree without them is unmanaged."""


Action = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One file that is out of date. `content` is what it should contain, unless that was stored elsewhere."""

    file: str
    action: Action
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """Names of a folder's files, sorted, and a fingerprint that changes whenever one of them is touched."""

    names: tuple[str, ...] = ()
    fingerprint: str = ""


NO_FOLDER = FolderFiles()


@dataclass
class Listing:
    """Folders of the generated trees that contain files, by path below the root."""

    folders: dict[str, FolderFiles] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    """Paths that can't be ours: links, special files, names that are not text, and folders called like files."""

    def fingerprint(self, folders: tuple[str, ...]) -> str:
        """Fingerprint of several folders together; a missing one counts as empty."""
        return " ".join(self.folders.get(folder, NO_FOLDER).fingerprint for folder in folders)


def compare(root: Path, listing: Listing, folder: str, wanted: Mapping[str, bytes]) -> Iterator[Change]:
    """What must change in one folder, ignoring unmanaged files (see `foreign_files`)."""
    there = set(listing.folders.get(folder, NO_FOLDER).names)
    for name, content in sorted(wanted.items()):
        if name not in there:
            yield Change(f"{folder}/{name}", "added", content)
        elif _read(root, f"{folder}/{name}") != content:
            yield Change(f"{folder}/{name}", "changed", content)
    for name in sorted(there - wanted.keys()):
        if is_ours(root, f"{folder}/{name}"):
            yield Change(f"{folder}/{name}", "removed")


def is_ours(root: Path, file: str) -> bool:
    """True when a file below the root begins like every generated file."""
    return _read(root, file, len(OURS)) == OURS


def _read(root: Path, file: str, size: int = -1) -> bytes:
    # Paths as objects take as long as the reading, and there are a hundred thousand files.
    with open(f"{root}/{file}", "rb", buffering=0) as stream:  # noqa: PTH123
        return stream.read(size) or b""


def files_of(clusters: Iterable[str], listing: Listing, changes: Iterable[Change]) -> dict[str, list[str]]:
    """For each of the clusters, the files of its rendered tree once the changes are made, sorted."""
    wanted = set(clusters)
    files = {
        f"{folder}/{name}"
        for folder, content in listing.folders.items()
        if is_rendered(folder) and cluster_of(folder) in wanted
        for name in content.names
    }
    for change in changes:
        if is_rendered(change.file) and cluster_of(change.file) in wanted:
            (files.discard if change.action == "removed" else files.add)(change.file)
    by_cluster: dict[str, list[str]] = {}
    for file in sorted(files):
        by_cluster.setdefault(cluster_of(file), []).append(file)
    return by_cluster
