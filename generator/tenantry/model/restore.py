"""A restore of a PostgreSQL server to a moment, as a state in the file of whom the server belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RestoreStep = Literal["save", "recover", "switch", "done", "dropped"]
RestoreWay = Literal["beside", "in-place"]
SETTLED: frozenset[RestoreStep] = frozenset(("switch", "done"))
"""Steps in which what was restored serves."""
CLOSED: frozenset[RestoreStep] = frozenset(("done", "dropped"))
"""Steps after which nothing more happens; the entry stays, because its generation is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """One generation of the data: which archive it came from, to which moment, and how far it is."""

    generation: int
    source: int
    """The generation whose archive is read."""
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
        return self.target_time or f"the end of base backup {self.backup}"
