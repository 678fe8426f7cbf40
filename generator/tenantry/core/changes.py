"""What a plan says: effects with their risk, by what they happen to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tenantry.core.findings import ObjectChange

Risk = Literal["data", "isolation", "availability", "cost", "cosmetic"]
RISKS: tuple[Risk, ...] = ("data", "isolation", "availability", "cost", "cosmetic")
"""The gravest first."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One consequence of a change. `what` is a sentence that names neither tenant nor instance, so that equal effects of
    several instances are equal values."""

    risk: Risk
    what: str
    restarts: str = ""
    """The workload whose Pods restart; empty if none does."""
    downtime: str = ""
    """How long users can't work because of it; empty if they can."""
    migrates: bool = False
    """Whether a migration of the database runs."""


@dataclass(frozen=True, slots=True)
class SyncedBy:
    """An Argo CD application that applies a part of the change, and when it may."""

    application: str
    pipeline: Literal["infra", "app", "standby", "cell", "platform"]
    cluster: str
    window: str
    """The next time that the project's windows allow; `at once` without windows."""


@dataclass(frozen=True, slots=True)
class CostChange:
    """Cost of an instance in EUR a month; None where there is no instance."""

    before: float | None
    after: float | None
    at_most: int
    """What the tier allows for all instances of the tenant together."""


@dataclass(frozen=True, slots=True)
class ObjectiveChange:
    """A derived objective before and after; None is unbounded, or that there is none."""

    objective: str
    unit: str
    before: float | None
    after: float | None
    promised: float
    kept: bool


@dataclass(frozen=True, slots=True)
class ControlChange:
    """Controls that an exception lifts, before and after, and those that are breached, if they were proved."""

    lifted_before: tuple[str, ...] = ()
    lifted_after: tuple[str, ...] = ()
    breached_before: tuple[str, ...] | None = None
    breached_after: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a change happens to: an instance, a cell's shared services, or a cluster's platform."""

    kind: Literal["instance", "cell", "platform"]
    name: str
    cluster: str
    tenant: str = ""
    environment: str = ""
    tier: str = ""
    cell: str = ""

    def __str__(self) -> str:
        if self.kind == "instance":
            return f"{self.tenant} ({self.environment})"
        return f"cell {self.name}" if self.kind == "cell" else f"platform of cluster {self.name}"


@dataclass(frozen=True, slots=True)
class SubjectChange:
    """What a change means for one subject."""

    subject: Subject
    action: Literal["added", "changed", "removed"]
    effects: tuple[Effect, ...]
    objects: tuple[ObjectChange, ...]
    affects: tuple[str, ...] = ()
    """Tenants that share what is changed: those of a cell or a cluster."""
    synced_by: tuple[SyncedBy, ...] = ()
    contents: tuple[str, ...] = ()
    """What matters of objects that are added: hosts, addresses and ports, sizes."""
    cost: CostChange | None = None
    objectives: tuple[ObjectiveChange, ...] = ()
    controls: ControlChange = ControlChange()

    @property
    def risk(self) -> Risk:
        return min((effect.risk for effect in self.effects), key=RISKS.index, default="cosmetic")

    @property
    def migrates(self) -> bool:
        return any(effect.migrates for effect in self.effects)

    @property
    def restarts(self) -> tuple[str, ...]:
        """Workloads whose Pods restart."""
        return tuple(dict.fromkeys(effect.restarts for effect in self.effects if effect.restarts))

    @property
    def downtimes(self) -> tuple[str, ...]:
        """What users notice."""
        return tuple(dict.fromkeys(effect.downtime for effect in self.effects if effect.downtime))


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of the order in which a change takes effect."""

    what: str
    subjects: tuple[str, ...]
    when: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Who must agree, and why."""

    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change means, as a whole."""

    before: str
    after: str
    inputs: tuple[str, ...]
    """Input files that differ."""
    subjects: tuple[SubjectChange, ...]
    steps: tuple[PlanStep, ...]
    approvals: tuple[Approval, ...]
    folded: tuple[tuple[Subject, ...], ...] = ()
    """Groups of two and more instances for which exactly the same changes."""

    @property
    def risk(self) -> Risk:
        return min((change.risk for change in self.subjects), key=RISKS.index, default="cosmetic")
