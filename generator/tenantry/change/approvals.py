"""Who must agree to a change: by its risks, and by whose customers notice it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tenantry.change.side import Side
from tenantry.core.changes import RISKS, Approval, Risk, SubjectChange
from tenantry.core.wording import first_few
from tenantry.model.platform import Approvers
from tenantry.model.tenant import Tenant

_ROLES: dict[Risk, str] = {
    "data": "whoever answers for customers' data",
    "isolation": "whoever answers for security",
    "availability": "whoever operates the service",
    "cost": "whoever answers for its cost",
}
"""Said where platform.yaml names no approvers."""


def approvals(after: Side, subjects: Sequence[SubjectChange]) -> tuple[Approval, ...]:
    """One for each team, with the reason; none for a change that is cosmetic."""
    return tuple(dict.fromkeys((*_by_risk(after, subjects), *_owners(after, subjects))))


def _by_risk(after: Side, subjects: Sequence[SubjectChange]) -> Iterator[Approval]:
    approvers = after.fleet.platform.approvers if after.fleet.has_platform else Approvers()
    named = {
        "data": approvers.data,
        "isolation": approvers.isolation,
        "availability": approvers.availability,
        "cost": approvers.cost,
    }
    for risk in RISKS:
        whose = [str(c.subject) for c in subjects if any(effect.risk == risk for effect in c.effects)]
        if risk == "cosmetic" or not whose:
            continue
        for who in named.get(risk, ()) or (_ROLES[risk],):
            yield Approval(who, f"{risk}: {first_few(whose)}")


def _owners(after: Side, subjects: Sequence[SubjectChange]) -> Iterator[Approval]:
    """The teams of tenants whose data is touched, or who can't work for a while."""
    noticed: dict[str, list[str]] = {}
    for change in subjects:
        tenant = after.fleet.find(Tenant, change.subject.tenant)
        if tenant is not None and (change.risk == "data" or change.downtimes):
            noticed.setdefault(tenant.owner.team, []).append(tenant.name)
    for team, tenants in sorted(noticed.items()):
        names = sorted(set(tenants))
        yield Approval(team, f"owner of {first_few(names)}")
