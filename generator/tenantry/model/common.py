"""Types that several kinds share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EnvironmentName = Literal["production", "staging", "recovery"]
ENVIRONMENTS: tuple[EnvironmentName, ...] = ("production", "staging", "recovery")
State = Literal["active", "suspended", "offboarding"]
Sensitivity = Literal["public", "internal", "confidential", "restricted"]
Degree = Literal["none", "low", "moderate", "heavy"]
Availability = Literal["standard", "high", "critical"]
Obligation = Literal["gdpr", "iso27001", "client-confidentiality", "soc2", "nis2", "sector-rules", "data-residency"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A weekly window in which changes may be synced."""

    days: tuple[Day, ...]
    start: str
    hours: int
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A value that differs from the tier, and the reason."""

    value: int
    reason: str
