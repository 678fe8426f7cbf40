"""What moves, restores and failovers have in common: steps that people take, and what served before, kept for some time."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

_KEPT_DAYS = 30
REVIEW = "Look at it with 'tenantry plan'; then render, check and merge it."
"""After each step that was written."""


@dataclass(frozen=True, slots=True)
class StepGuide:
    """What a person is told about a step. `{...}` are filled in by what knows the place."""

    does: str
    done: str
    """What must be true before the next step."""
    commands: tuple[str, ...]
    """How to see that."""
    back: str
    """When to go back, and what that costs."""


def kept_until(as_of: str) -> str:
    """The last day (YYYY-MM-DD) on which what served before is kept, unless another one is asked for."""
    return (datetime.date.fromisoformat(as_of) + datetime.timedelta(days=_KEPT_DAYS)).isoformat()
