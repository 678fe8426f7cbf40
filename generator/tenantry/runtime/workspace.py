"""A fleet's folder and what a run needs to work on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tenantry.core.findings import UsageError
from tenantry.runtime.cache import Store
from tenantry.runtime.state import FleetState, fleet_state

Progress = Callable[[str, int, int], None]
"""Called with the current task, the amount done, and the total."""


def silent(_what: str, _done: int, _all: int) -> None:
    """Progress that shows nothing."""
    pass


def require_fleet(root: Path) -> Path:
    """The folder, if it is a fleet's. Raises UsageError otherwise."""
    if not (root / "platform").is_dir():
        raise UsageError(
            f"{root} is not a fleet: it has no folder 'platform'",
            "go to a fleet's folder, name one with -C, or create one with 'tenantry init DIR'",
        )
    return root


def find_fleet(here: Path) -> Path | None:
    """The fleet that a folder is in: the folder itself, or the nearest parent with the same owner that is a fleet."""
    owner = here.stat().st_uid
    for folder in (here, *here.parents):
        beside = any((folder / name).is_dir() for name in ("tenants", "tiers"))
        if beside and (folder / "platform").is_dir() and folder.stat().st_uid == owner:
            return folder
    return None


def folder_in_repository(root: Path) -> str:
    """`fleets/eu/` for a fleet that is not at the top of the git repository around it; else empty."""
    top = next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), root)
    return "" if top == root else f"{root.relative_to(top).as_posix()}/"


@dataclass
class Workspace:
    """Where a run works, and how it reports on itself."""

    root: Path
    as_of: str
    """The day (YYYY-MM-DD) by which dates are judged."""
    now: str = ""
    """The moment of the run, as ISO 8601 with a time zone; empty when another day was asked for."""
    cached: bool = True
    progress: Progress = silent
    say: Callable[[str], None] = field(default=lambda _: None)

    @property
    def since(self) -> str:
        """From when on the next window counts: now, or the start of the day that was asked for."""
        return self.now or self.as_of

    @cached_property
    def state(self) -> FleetState:
        """The fleet's state between runs. Raises ToolError when it would be in the working tree."""
        return fleet_state(self.root)

    def store(self, name: str) -> Store:
        """The saved mapping of that name; an empty, unsaved one without caches."""
        return Store(self.state, name, self.say) if self.cached else Store()
