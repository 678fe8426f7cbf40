"""Which files a commit may contain: the generated trees, and the inputs that a user names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantry.core.findings import Finding, Place, UsageError
from tenantry.core.paths import GENERATED_TREES
from tenantry.runtime.pending import Pending, State
from tenantry.runtime.repository import Repository

INPUTS = ("platform", "tiers", "tenants", "policies")
"""Folders whose files decide what is rendered, whether git knows them or not."""


@dataclass(frozen=True, slots=True)
class Area:
    """Paths below the repository's top, without `/` at the end; empty for the top itself."""

    fleet: str
    generated: tuple[str, ...]
    inputs: tuple[str, ...]
    asked: tuple[str, ...]

    def is_generated(self, path: str) -> bool:
        return _below(path, self.generated)

    def holds(self, path: str) -> bool:
        """Whether the commit may contain a file."""
        return self.is_generated(path) or _below(path, self.asked)

    def shown(self, path: str) -> str:
        """A path relative to the fleet, as findings have it."""
        return os.path.relpath(path, self.fleet or ".")


def area_of(repository: Repository, root: Path, asked: Sequence[Path]) -> Area:
    """The area of a fleet and of named files or folders. Raises UsageError for names that are none of the repository."""
    fleet = _inside(repository.top, Path(os.path.realpath(root)))
    inside = tuple(_named(repository, path) for path in asked)
    return Area(fleet, _folders(fleet, GENERATED_TREES), _folders(fleet, INPUTS), inside)


def outside(area: Area, found: Sequence[Pending]) -> Iterator[Finding]:
    """Findings for changes that the commit would not contain, but that a person or the trees may rely on."""
    for one in sorted(set(found)):
        if one.state in _ALWAYS or not area.holds(one.path):
            message, hint = _SENTENCES[one.state]
            shown = area.shown(one.path)
            yield Finding("G021", Place(shown), message, hint.format(path=one.path, shown=shown))


_ALWAYS: tuple[State, ...] = ("unmerged", "hidden")
_SENTENCES: dict[State, tuple[str, str]] = {
    "changed": ("has changes that the commit would not contain", "name it: 'tenantry publish {shown}'; or commit or stash it"),
    "untracked": (
        "is not in git, but what is rendered may depend on it",
        "name it: 'tenantry publish {shown}'; or commit or remove it",
    ),
    "unmerged": ("has a merge conflict that is not resolved", "resolve it, then 'git add {path}'"),
    "hidden": (
        "is hidden from git (skip-worktree or assume-unchanged), so its changes are unknown",
        "run 'git update-index --no-skip-worktree --no-assume-unchanged {path}'",
    ),
}  # fmt: skip


def _named(repository: Repository, path: Path) -> str:
    real = (
        Path(os.path.realpath(path.parent)) / path.name if path.name not in ("", "..") else Path(os.path.realpath(path))
    )
    name = _inside(repository.top, real)
    known = os.path.lexists(real) or repository.ask("--literal-pathspecs", "ls-files", "-z", "--", name or ".")
    if not known:
        raise UsageError(f"there is no file '{path}', and git knows none", "name files or folders that changed")
    return name


def _inside(top: Path, real: Path) -> str:
    if not real.is_relative_to(top):
        raise UsageError(f"{real} is outside the repository {top}", "name files or folders below it")
    return "" if real == top else real.relative_to(top).as_posix()


def _folders(fleet: str, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{fleet}/{name}" if fleet else name for name in names)


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(not folder or path == folder or path.startswith(f"{folder}/") for folder in folders)
