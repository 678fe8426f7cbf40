"""An exception must name a known control and tenant, be approved by someone other than its owner, and not have expired."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.controls import CONTROLS
from tenantry.core.findings import Finding
from tenantry.model.control_exception import ControlException
from tenantry.model.policy import CONTROL, Policy
from tenantry.model.tenant import Tenant
from tenantry.model.tier import Tier
from tenantry.plan.scope import Scope


def valid(scope: Scope) -> Iterator[Finding]:
    """F021, also for controls named by tiers and policies."""
    for tier in scope.fleet.all(Tier).values():
        for index, control in enumerate(tier.controls_not_kept):
            if control not in CONTROLS:
                yield Finding(
                    "F021",
                    scope.fleet.place(tier, "controlsNotKept", index),
                    f"there is no control '{control}'",
                    "check its id",
                )
    for policy in scope.fleet.all(Policy).values():
        if policy.control not in CONTROLS:
            place = scope.fleet.document(policy).place(("metadata", "annotations", CONTROL))
            yield Finding("F021", place, f"there is no control '{policy.control}'", "check its id")
    for exception in scope.fleet.all(ControlException).values():
        for path, message, hint in _faults(scope, exception):
            yield Finding(
                "F021",
                scope.fleet.place(exception, path),
                message,
                hint,
                tenant=exception.tenant,
                control=exception.control,
            )


def _faults(scope: Scope, exception: ControlException) -> Iterator[tuple[str, str, str]]:
    tenant = scope.fleet.find(Tenant, exception.tenant)
    if tenant is None and not scope.fleet.is_broken(Tenant, exception.tenant):
        yield "tenant", f"there is no tenant '{exception.tenant}'", "remove the exception together with its tenant"
    if tenant is not None and exception.environment and exception.environment not in tenant.environments:
        yield (
            "environment",
            f"tenant '{tenant.name}' has no environment '{exception.environment}'",
            f"it has {', '.join(tenant.environments)}",
        )
    if exception.control not in CONTROLS:
        yield "control", f"there is no control '{exception.control}'", "check its id"
    if exception.approver == exception.owner:
        yield "approver", "owner and approver are the same person", "somebody else must approve it"
    if exception.expires < scope.as_of:
        yield (
            "expires",
            f"the exception expired on {exception.expires}",
            "fix the cause and remove it, or have it approved again",
        )
