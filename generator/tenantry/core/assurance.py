"""What a verification reports to an auditor about one tenant: controls, objectives, cost."""

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
    """One step of a derivation: what, its value, and where that comes from."""

    what: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Objective:
    """A measurable promise. `derived` is None when it is unbounded."""

    environment: str
    objective: str
    unit: str
    promised: float
    derived: float | None
    kept: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class InstanceCost:
    """Monthly cost of one instance, EUR."""

    environment: str
    euro: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class TenantAssurance:
    """What was proved for one tenant. `not_promised` are controls that its tier does not provide."""

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
