"""The kind Exception: policies/exceptions/*.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.model.common import EnvironmentName


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlException:
    """A control lifted for one tenant until a date."""

    name: str
    tenant: str
    control: str
    reason: str
    compensating_control: str
    owner: str
    approver: str
    expires: str
    environment: EnvironmentName | None = None
