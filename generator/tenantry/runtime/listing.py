"""The generated trees on disk: which files exist, which are managed, and what would have to change."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tenantry.runtime.processes import beside

TREES = ("base", "overlays", "rendered")
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
class Folder:
    """A folder's file names, and a fingerprint that changes whenever one of the files is touched."""

    names: tuple[str, ...] = ()
    fingerprint: str = ""


NO_FOLDER = Folder()


@dataclass
class Listing:
    """Folders of the generated trees that contain files, by path below the root."""

    folders: dict[str, Folder] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    """Paths that can't be generated: links, special files, and folders named like files."""

    def fingerprint(self, folders: tuple[str, ...]) -> str:
        return " ".join(self.folders.get(folder, NO_FOLDER).fingerprint for folder in folders)


def list_trees(root: Path) -> Listing:
    """Walk the three generated trees once."""
    listing = Listing()
    for tree in TREES:
        if os.path.lexists(root / tree):
            _walk(str(root), tree, listing)
    return listing


def start_listing(root: Path) -> Callable[[], Listing]:
    """Start listing the trees in a child process; the returned function waits for the listing.

    Listing tens of thousands of files takes as long as everything else that a small run does before it needs them, and
    would hold the interpreter's lock.
    """
    return beside(lambda: list_trees(root))


def _walk(root: str, folder: str, listing: Listing) -> None:
    path = f"{root}/{folder}"
    if os.path.islink(path) or not os.path.isdir(path):  # noqa: PTH112, PTH114 - ten thousands of folders: no objects
        listing.strangers.append(folder)
        return
    inner = list_folder(root, folder, listing)
    for name in inner:
        _walk(root, f"{folder}/{name}", listing)


def list_folder(root: str, folder: str, listing: Listing) -> list[str]:
    """Add one folder's files to the listing; return the names of its folders.

    The fingerprint holds each file's size and times. Programs can't set the change time, so a file that was
    edited and given its old date is detected too.
    """
    inner: list[str] = []
    files: list[tuple[str, int, int, int, int]] = []
    listing.folders.pop(folder, None)
    try:
        entries = os.scandir(f"{root}/{folder}")
    except FileNotFoundError:
        return inner
    with entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                files.append((entry.name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
            elif entry.is_dir(follow_symlinks=False) and not entry.name.endswith(".yaml"):
                inner.append(entry.name)
            else:
                listing.strangers.append(f"{folder}/{entry.name}")
    if files:
        files.sort()
        digest = hashlib.blake2b(repr(files).encode(), digest_size=16).hexdigest()
        listing.folders[folder] = Folder(tuple(file[0] for file in files), digest)
    return inner


def compare(root: Path, listing: Listing, folder: str, wanted: Mapping[str, bytes]) -> Iterator[Change]:
    """What must change in one folder, ignoring unmanaged files (see `foreign_files`)."""
    there = set(listing.folders.get(folder, NO_FOLDER).names)
    for name, content in sorted(wanted.items()):
        if name not in there:
            yield Change(f"{folder}/{name}", "added", content)
        elif (root / folder / name).read_bytes() != content:
            yield Change(f"{folder}/{name}", "changed", content)
    for name in sorted(there - wanted.keys()):
        if is_ours(root / folder / name):
            yield Change(f"{folder}/{name}", "removed")


def is_ours(path: Path) -> bool:
    """True when the file begins like every generated file."""
    with path.open("rb") as file:
        return file.read(len(OURS)) == OURS


def names_by_cluster(listing: Listing, changes: Iterable[Change]) -> dict[str, set[str]]:
    """Cluster -> names of the files in its tree once the changes are made."""
    names: dict[str, set[str]] = {}
    for folder, content in listing.folders.items():
        if folder.startswith("rendered/"):
            names.setdefault(folder.split("/")[1], set()).update(content.names)
    moved = [change for change in changes if change.file.startswith("rendered/")]
    for action in ("removed", "added"):  # an object may move from one folder to another
        for change in moved:
            if change.action == action:
                _, cluster, *_, name = change.file.split("/")
                there = names.setdefault(cluster, set())
                (there.discard if action == "removed" else there.add)(name)
    return names


def files_by_cluster(listing: Listing, changes: Iterable[Change]) -> dict[str, list[str]]:
    """Cluster -> files of its rendered tree once the changes are made."""
    files = {
        f"{folder}/{name}"
        for folder, content in listing.folders.items()
        for name in content.names
        if folder.startswith("rendered/")
    }
    for change in changes:
        if change.file.startswith("rendered/"):
            (files.discard if change.action == "removed" else files.add)(change.file)
    by_cluster: dict[str, list[str]] = {}
    for file in sorted(files):
        by_cluster.setdefault(file.split("/")[1], []).append(file)
    return by_cluster
