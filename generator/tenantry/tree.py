"""The generated trees on disk: what is there, whose it is, and what would have to change."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tenantry.render.files import OURS

TREES = ("base", "overlays", "rendered")


@dataclass(frozen=True, slots=True)
class Change:
    """One file that must be written (`content`) or removed (None)."""

    file: str
    content: bytes | None
    exists: bool

    @property
    def action(self) -> str:
        if self.content is None:
            return "removed"
        return "changed" if self.exists else "added"


@dataclass
class Listing:
    """Folders of the generated trees, with the names in each."""

    folders: dict[str, list[os.DirEntry[str]]] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    """Paths that can't be ours: links and special files."""


def list_trees(root: Path) -> Listing:
    """Walk the three generated trees once."""
    listing = Listing()
    pending = [tree for tree in TREES if os.path.lexists(root / tree)]
    while pending:
        folder = pending.pop()
        path = root / folder
        if path.is_symlink() or not path.is_dir():
            listing.strangers.append(folder)
            continue
        files = []
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{folder}/{entry.name}")
                elif entry.is_file(follow_symlinks=False):
                    files.append(entry)
                else:
                    listing.strangers.append(f"{folder}/{entry.name}")
        listing.folders[folder] = sorted(files, key=lambda entry: entry.name)
    return listing


def fingerprint(listing: Listing, folders: tuple[str, ...]) -> str:
    """Digest of names, sizes and times of the files in some folders: changes whenever one is touched.

    The change time can't be set by a program, so a file that was altered and given its old date is seen too.
    """
    digest = hashlib.sha256()
    for folder in folders:
        digest.update(f"{folder}\n".encode())
        for entry in listing.folders.get(folder, ()):
            stat = entry.stat(follow_symlinks=False)
            digest.update(f"{entry.name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}\n".encode())
    return digest.hexdigest()


def compare(root: Path, listing: Listing, folder: str, wanted: Mapping[str, bytes]) -> Iterator[Change]:
    """What must change in one folder, foreign files left alone (see `foreign_files`)."""
    there = {entry.name for entry in listing.folders.get(folder, ())}
    for name, content in sorted(wanted.items()):
        if name not in there:
            yield Change(f"{folder}/{name}", content, exists=False)
        elif (root / folder / name).read_bytes() != content:
            yield Change(f"{folder}/{name}", content, exists=True)
    for name in sorted(there - wanted.keys()):
        if is_ours(root / folder / name):
            yield Change(f"{folder}/{name}", None, exists=True)


def is_ours(path: Path) -> bool:
    """True when the file begins like every file that we write."""
    with path.open("rb") as file:
        return file.read(len(OURS)) == OURS
