"""What is lost: a region, a zone or a node; and what becomes of each instance. Minutes; None is without end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

LossKind = Literal["region-loss", "zone-loss", "node-loss"]
Outcome = Literal["serves", "restarts", "promoted", "restored", "nowhere", "waits", "exposed"]
OUTCOMES: dict[Outcome, str] = {
    "serves": "goes on: something of each part is left",
    "restarts": "comes back beside what is left",
    "promoted": "comes back on its replica at the DR site",
    "restored": "comes back from its archive",
    "nowhere": "has no second place",
    "waits": "waits: nothing is promised",
    "exposed": "goes on, without its second place",
}
DOWN: frozenset[Outcome] = frozenset(("restarts", "promoted", "restored", "nowhere"))
"""Outcomes of instances that are promised to come back, and are down until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One loss. `clusters` are those of which all is lost, or a zone, or a node of the pool."""

    kind: LossKind
    name: str
    clusters: tuple[str, ...]
    pool: str = ""


@dataclass(frozen=True, slots=True)
class Attained:
    """A number of the path, the promise, and how it follows: (what, value)."""

    value: float | None
    promised: float
    steps: tuple[tuple[str, str], ...] = ()

    @property
    def kept(self) -> bool:
        return self.value is not None and self.value <= self.promised + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What becomes of one instance. `place` is the cell where it goes on, as `cluster/cell`."""

    instance: str
    tenant: str
    tier: str
    outcome: Outcome
    place: str = ""
    rpo: Attained | None = None
    rto: Attained | None = None
    missing: tuple[str, ...] = ()
    """What has no second place."""
    commands: tuple[tuple[str, ...], ...] = ()

    @property
    def promises_kept(self) -> bool:
        return all(number is None or number.kept for number in (self.rpo, self.rto))


@dataclass(frozen=True, slots=True)
class Room:
    """What a cell or a node pool is asked for after the loss, and what it has."""

    place: str
    what: str
    needed: float
    available: float

    @property
    def fits(self) -> bool:
        return self.needed <= self.available + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """All that a loss means. `courses` are in the order in which instances are brought back, then those that need nothing."""

    loss: Loss
    courses: Sequence[Course] = ()
    untouched: Sequence[str] = ()
    rooms: Sequence[Room] = ()
    unknown: Sequence[str] = field(default=())
    """What the fleet's files don't say, and the answer depends on."""

    @property
    def kept(self) -> bool:
        return all(course.promises_kept for course in self.courses) and all(room.fits for room in self.rooms)
