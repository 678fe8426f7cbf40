"""A restore of a PostgreSQL server, or of one database of it, to a moment: a state in the file of whom it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RestoreStep = Literal["save", "recover", "copy", "switch", "done", "dropped"]
RestoreWay = Literal["beside", "in-place", "database"]
SETTLED: frozenset[RestoreStep] = frozenset(("switch", "done"))
"""Steps in which what was restored serves."""
CLOSED: frozenset[RestoreStep] = frozenset(("done", "dropped"))
"""Steps after which nothing more happens; the entry stays, because its generation is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """One generation of the data: which archive it came from, to which moment, and how far it is."""

    generation: int
    source: int
    """The generation whose archive is read; for one database, that of the cell's restored server."""
    step: RestoreStep
    reason: str
    keep_source_until: str
    """Last day (YYYY-MM-DD) on which what served before is kept."""
    way: RestoreWay = "beside"
    target_time: str | None = None
    backup: str | None = None
    """A base backup by its id, without the WAL after it."""

    @property
    def moment(self) -> str:
        """Where the recovery ends, in words."""
        if self.way == "database":
            return f"the moment of the cell's generation {self.source}"
        return self.target_time or f"the end of base backup {self.backup}"
