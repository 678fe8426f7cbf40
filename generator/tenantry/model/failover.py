"""A failover of an instance to its DR site, or back: a state in its tenant's file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FailoverStep = Literal["demote", "promote", "rebuild", "done"]
FAILOVER_STEPS: tuple[FailoverStep, ...] = ("demote", "promote", "rebuild", "done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """One change of the place that serves. The list of an environment only grows."""

    generation: int
    to: str
    """The cluster that serves from the step promote on."""
    step: FailoverStep
    reason: str
    promotion_token: str = ""
    """What the demoted server said of its end; empty where it was lost, and could not be asked."""

    @property
    def lost(self) -> bool:
        """Whether the place that served was not demoted: what it holds can't be used again."""
        return self.step != "demote" and not self.promotion_token

    @property
    def copy_made(self) -> bool:
        """Whether the place that was lost has a new copy."""
        return self.lost and self.step in ("rebuild", "done")
