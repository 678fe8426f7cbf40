"""A tenant's move to another cell, tier or cluster, as a state in its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MoveStep = Literal["prepare", "copy", "compare", "freeze", "switch", "watch", "remove"]
MOVE_STEPS: tuple[MoveStep, ...] = ("prepare", "copy", "compare", "freeze", "switch", "watch", "remove")
"""In their order; each is a change of its own."""
AT_TARGET: frozenset[MoveStep] = frozenset(("switch", "watch", "remove"))
"""Steps in which the target serves."""
COPYING: frozenset[MoveStep] = frozenset(("copy", "compare", "freeze"))
"""Steps in which a Job reads the source's database and writes the target's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A tier, and the cell of each environment that moves."""

    tier: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """Who saw that a step was done, and when (YYYY-MM-DD)."""

    step: MoveStep
    date: str
    by: str
    minutes: int | None = None
    """How long the copy took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Where a tenant moves from and to, and how far it is."""

    step: MoveStep
    from_: Placement
    to: Placement
    keep_source_until: str
    records: tuple[StepRecord, ...] = ()
    attempt: str = ""
    """Of a move to another cluster: where its copies lie. Another word for each beginning, so that none is taken for the last."""

    @property
    def serving(self) -> Placement:
        """The placement that `tier` and `environments` of the tenant say, too."""
        return self.to if self.step in AT_TARGET else self.from_

    @property
    def waiting(self) -> Placement:
        """The other one: what is prepared, or what is kept."""
        return self.from_ if self.step in AT_TARGET else self.to

    @property
    def minutes(self) -> int | None:
        """How long the trial copy took."""
        return next((record.minutes for record in self.records if record.step == "copy"), None)
