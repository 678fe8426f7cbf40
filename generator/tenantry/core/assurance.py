"""What a verification can tell an auditor of one tenant: controls, objectives, cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lifted:
    """A control that an approved exception lifts."""

    control: str
    exception: str
    reason: str
    compensating_control: str
    owner: str
    approver: str
    expires: str


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a derivation: what, its value, and where that comes from."""

    what: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Objective:
    """A promise with a number. `derived` is None when nothing bounds it."""

    environment: str
    objective: str
    unit: str
    promised: float
    derived: float | None
    kept: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class InstanceCost:
    """EUR a month of one instance."""

    environment: str
    euro: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class TenantAssurance:
    """What was proved of one tenant. `not_promised` are controls that its tier does not keep."""

    tenant: str
    display_name: str
    tier: str
    environments: tuple[str, ...]
    kept: tuple[str, ...]
    lifted: tuple[Lifted, ...]
    breached: tuple[str, ...]
    not_promised: tuple[str, ...]
    objectives: tuple[Objective, ...]
    costs: tuple[InstanceCost, ...]
    cost_at_most: int

    @property
    def cost(self) -> float:
        return sum(instance.euro for instance in self.costs)
