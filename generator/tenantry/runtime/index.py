"""Entries of trees and of the index below some folders, and how a clone is brought to wanted ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantry.runtime.repository import Repository


@dataclass(frozen=True, slots=True, order=True)
class StoredFile:
    """A file as git stores it: mode (`100644`, `120000` for a link) and blob."""

    mode: str
    blob: str


Entries = Mapping[str, StoredFile]
"""Entries by path below the repository's top."""


def entries_of(repository: Repository, commit: str, folders: Sequence[str]) -> Entries:
    """Files of a commit below some folders; submodules are left out."""
    found = {}
    for line in repository.ask("ls-tree", "-r", "-z", "--full-tree", commit, "--", *folders).split("\0"):
        about, _, path = line.partition("\t")
        if path:
            mode, kind, blob = about.split(" ")
            if kind == "blob":
                found[path] = StoredFile(mode, blob)
    return found


def stages(repository: Repository, folders: Sequence[str]) -> Mapping[int, Entries]:
    """Files of the index by stage: 0 for merged ones, else 1 (ancestor), 2 (ours) and 3 (theirs)."""
    found: dict[int, dict[str, StoredFile]] = {number: {} for number in range(4)}
    for line in repository.ask("ls-files", "--stage", "-z", "--", *folders).split("\0"):
        about, _, path = line.partition("\t")
        if path:
            mode, blob, stage = about.split(" ")
            found[int(stage)][path] = StoredFile(mode, blob)
    return found


def unmerged(repository: Repository) -> list[str]:
    """Paths of the whole repository that a merge left to a person, sorted."""
    lines = repository.ask("ls-files", "--unmerged", "-z").split("\0")
    return sorted({line.partition("\t")[2] for line in lines if line})


def put(repository: Repository, wanted: Entries, gone: Iterable[str]) -> None:
    """Bring the index to some entries, without the `gone` ones, and write the files that then differ.

    Files of `gone` entries stay on disk.
    """
    put_into(repository, {**dict.fromkeys(gone), **wanted}, None)
    differing = [path for path in _differing(repository) if path in wanted]
    given = "".join(f"{path}\0" for path in differing).encode(errors="surrogateescape")
    repository.ask("checkout-index", "--force", "-z", "--stdin", given=given)
    repository.ask("update-index", "-q", "--really-refresh", missing="")


def put_into(repository: Repository, entries: Mapping[str, StoredFile | None], index: Path | None) -> None:
    """Bring an index (the clone's, or a file) to some entries; None removes a path."""
    length = len(next((entry.blob for entry in entries.values() if entry), "0" * 40))
    nothing = StoredFile("0", "0" * length)
    lines = _lines({path: entry or nothing for path, entry in entries.items()})
    repository.ask("update-index", "-z", "--index-info", given=lines, index=index)


def _lines(entries: Entries) -> bytes:
    lines = (f"{entry.mode} {entry.blob} 0\t{path}\0" for path, entry in sorted(entries.items()))
    return "".join(lines).encode(errors="surrogateescape")


def _differing(repository: Repository) -> Iterator[str]:
    yield from filter(None, repository.ask("diff-files", "--name-only", "-z", "--no-ext-diff").split("\0"))


def raw_changes(
    repository: Repository, command: str, *arguments: str
) -> Iterator[tuple[str, tuple[StoredFile | None, StoredFile | None]]]:
    """Paths that a command of git's `diff-*` family reports, each with its entry before and after."""
    raw = repository.ask(command, "-r", "--raw", "--no-abbrev", "--no-renames", "-z", *arguments).split("\0")
    for about, path in zip(raw[::2], raw[1::2], strict=False):
        old_mode, new_mode, old, new, _ = about.removeprefix(":").split(" ")
        yield path, (_entry(old_mode, old), _entry(new_mode, new))


def _entry(mode: str, blob: str) -> StoredFile | None:
    return None if mode == "000000" else StoredFile(mode, blob)
