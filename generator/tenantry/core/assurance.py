"""What a verification reports beside findings: of each control without promises, of each tenant with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Standing = Literal["holds", "open", "unknown"]


@dataclass(frozen=True, slots=True)
class ObservedFact:
    """Something that speaks against a control, and where it stands; without a file where several objects do."""

    sentence: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class ControlStatement:
    """What objects show of controls where nothing was promised.

    They hold, something is `open` that the facts name, or it is `unknown`, and the sentence says why.
    """

    controls: tuple[str, ...]
    standing: Standing
    sentence: str
    facts: tuple[ObservedFact, ...] = ()


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
